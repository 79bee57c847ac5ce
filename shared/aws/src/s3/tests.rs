use domain::media::MediaType;
use futures::TryStreamExt;

use super::*;
use crate::testing::{Recorder, Request, access};

const KEY: &str = "ws_1/imports/im_1.csv";
const HOUR: Duration = Duration::from_secs(3_600);

fn files(recorder: &Recorder) -> S3Files {
    let config = access().s3().http_client(recorder.client());
    S3Files::new(Client::from_conf(config.build()), "files".to_owned())
}

fn only(recorder: &Recorder) -> Request {
    let [request] = recorder.requests().try_into().unwrap();
    request
}

/// The query of a presigned address, without what the time and the key decide.
fn query(url: &str) -> Vec<&str> {
    let changing = ["X-Amz-Date", "X-Amz-Credential", "X-Amz-Signature"];
    let (_, query) = url.split_once('?').unwrap();
    let parts = query.split('&');
    parts
        .filter(|part| !changing.iter().any(|name| part.starts_with(name)))
        .collect()
}

async fn read(files: &S3Files, offset: u64) -> Result<Vec<u8>, Error> {
    let stream = files.open(KEY, offset).await?;
    let read = stream.try_fold(Vec::new(), async |mut read, bytes| {
        read.extend_from_slice(&bytes);
        Ok(read)
    });
    Ok(read.await.unwrap())
}

#[tokio::test]
async fn an_upload_is_signed_for_its_exact_size() {
    let recorder = Recorder::default();
    let put = files(&recorder)
        .presign_put(KEY, 1_234, HOUR)
        .await
        .unwrap();
    assert!(
        put.url
            .starts_with("https://files.s3.eu-central-1.amazonaws.com/ws_1/imports/im_1.csv?")
    );
    assert_eq!(
        put.headers,
        [("content-length".to_owned(), "1234".to_owned())]
    );
    insta::assert_debug_snapshot!(query(&put.url), @r#"
    [
        "x-id=PutObject",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256",
        "X-Amz-Expires=3600",
        "X-Amz-SignedHeaders=content-length%3Bhost",
    ]
    "#);
    assert!(recorder.requests().is_empty(), "signing asks nobody");
}

#[tokio::test]
async fn a_download_is_saved_under_the_name_its_owner_knows() {
    let get = files(&Recorder::default())
        .presign_get(KEY, Served::saved("Kündigungen \"alt\".csv"), HOUR)
        .await
        .unwrap();
    assert!(get.headers.is_empty());
    insta::assert_debug_snapshot!(query(&get.url), @r#"
    [
        "x-id=GetObject",
        "response-content-disposition=attachment%3B%20filename%3D%22K_ndigungen%20_alt_.csv%22%3B%20filename%2A%3DUTF-8%27%27K%25C3%25BCndigungen%2520%2522alt%2522.csv",
        "response-content-type=application%2Foctet-stream",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256",
        "X-Amz-Expires=3600",
        "X-Amz-SignedHeaders=host",
    ]
    "#);
}

#[tokio::test]
async fn a_picture_is_shown_as_what_it_is() {
    let picture = Served {
        name: "a.jpg",
        mime_type: Some(MediaType::Jpeg),
    };
    let get = files(&Recorder::default())
        .presign_get(KEY, picture, HOUR)
        .await
        .unwrap();
    let query = query(&get.url).join("&");
    assert!(
        query.contains("response-content-type=image%2Fjpeg"),
        "{query}"
    );
    assert!(
        query.contains("response-content-disposition=inline%3B"),
        "{query}"
    );
}

#[tokio::test]
async fn an_address_cannot_be_signed_for_more_than_a_week() {
    let files = files(&Recorder::default());
    let week = HOUR * 24 * 8;
    assert!(
        files
            .presign_get(KEY, Served::saved("a"), week)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn another_endpoint_is_reached_by_path() {
    let mut access = access();
    access.endpoint = Some("http://localhost:4566".to_owned());
    let files = S3Files::new(Client::from_conf(access.s3().build()), "files".to_owned());
    let put = files.presign_put(KEY, 1, HOUR).await.unwrap();
    assert!(
        put.url
            .starts_with("http://localhost:4566/files/ws_1/imports/im_1.csv?")
    );
}

#[tokio::test]
async fn a_file_that_does_not_exist_has_no_size() {
    let recorder = Recorder::answering(&[(404, "")]);
    assert_eq!(files(&recorder).size(KEY).await.unwrap(), None);
    assert_eq!(only(&recorder).method, "HEAD");
}

#[tokio::test]
async fn a_size_that_may_not_be_asked_for_is_an_error() {
    let recorder = Recorder::answering(&[(403, "")]);
    assert!(files(&recorder).size(KEY).await.is_err());
}

#[tokio::test]
async fn a_file_is_read_from_the_offset_on() {
    let recorder = Recorder::answering(&[(206, "the rest")]);
    assert_eq!(read(&files(&recorder), 100).await.unwrap(), b"the rest");
    let request = only(&recorder);
    assert_eq!(request.method, "GET");
    assert_eq!(request.header("range"), Some("bytes=100-"));
}

#[tokio::test]
async fn a_whole_file_is_read_without_a_range_so_that_an_empty_one_can_be_read() {
    let recorder = Recorder::answering(&[(200, "")]);
    assert_eq!(read(&files(&recorder), 0).await.unwrap(), b"");
    assert_eq!(only(&recorder).header("range"), None);
}

#[tokio::test]
async fn reading_from_the_end_on_gives_nothing() {
    let refused = "<Error><Code>InvalidRange</Code><Message>not satisfiable</Message></Error>";
    let recorder = Recorder::answering(&[(416, refused)]);
    assert_eq!(read(&files(&recorder), 100).await.unwrap(), b"");
}

#[tokio::test]
async fn a_file_that_is_gone_was_not_found() {
    let gone = "<Error><Code>NoSuchKey</Code><Message>gone</Message></Error>";
    let recorder = Recorder::answering(&[(404, gone)]);
    let error = read(&files(&recorder), 0).await.unwrap_err();
    assert_eq!(error.code(), "not_found");
}

#[tokio::test]
async fn a_file_is_stored_as_it_is() {
    let recorder = Recorder::default();
    files(&recorder)
        .put(KEY, Bytes::from_static(b"a,b\n"))
        .await
        .unwrap();
    let request = only(&recorder);
    assert_eq!(
        (request.method.as_str(), request.body.as_str()),
        ("PUT", "a,b\n")
    );
    assert_eq!(request.header("content-length"), Some("4"));
    assert_eq!(request.header("content-encoding"), None);
}
