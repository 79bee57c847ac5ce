//! The contract of [`app::ports::Files`].

use std::future::Future;
use std::time::Duration;

use app::Error;
use app::ports::{Files, Presigned, Served};
use bytes::Bytes;
use futures::StreamExt;

const MINUTE: Duration = Duration::from_secs(60);

/// An empty place for files, and a way to use the URLs it gives.
pub trait Subject {
    fn port(&self) -> &dyn Files;

    /// `PUT`s to a URL with the headers it asks for; answers the status.
    fn put(
        &self,
        url: &str,
        headers: &[(String, String)],
        body: Bytes,
    ) -> impl Future<Output = u16>;

    /// `GET`s a URL; answers the status and the body.
    fn get(&self, url: &str) -> impl Future<Output = (u16, Bytes)>;
}

/// Runs every check, each on a place of its own.
pub async fn all<S: Subject, F: Future<Output = S>>(fresh: impl Fn() -> F) {
    what_is_put_can_be_read_from_any_offset(&fresh().await).await;
    what_does_not_exist_has_no_size(&fresh().await).await;
    an_upload_of_the_announced_size_arrives(&fresh().await).await;
    an_upload_of_another_size_is_refused(&fresh().await).await;
    a_later_file_replaces_an_earlier_one(&fresh().await).await;
    a_changed_link_is_refused(&fresh().await).await;
    what_is_deleted_is_gone(&fresh().await).await;
}

pub async fn what_is_put_can_be_read_from_any_offset(subject: &impl Subject) {
    let bytes: Vec<u8> = (0..200_000_u32)
        .map(|number| (number % 251) as u8)
        .collect();
    good(
        subject
            .port()
            .put("folder/file.bin", Bytes::from(bytes.clone()))
            .await,
    );
    for offset in [0, 1, 65_536, 199_999] {
        let read = read(subject, "folder/file.bin", offset as u64).await;
        assert!(
            read == bytes[offset..],
            "the bytes from {offset} on are not those that were put"
        );
    }
}

pub async fn what_does_not_exist_has_no_size(subject: &impl Subject) {
    assert_eq!(
        good(subject.port().size("absent.bin").await),
        None,
        "an absent file has a size"
    );
    assert!(
        subject.port().open("absent.bin", 0).await.is_err(),
        "an absent file was opened"
    );
}

pub async fn an_upload_of_the_announced_size_arrives(subject: &impl Subject) {
    let link = good(subject.port().presign_put("up.csv", 5, MINUTE).await);
    assert_eq!(
        put(subject, &link, "hello").await,
        200,
        "the upload was refused"
    );
    assert_eq!(
        good(subject.port().size("up.csv").await),
        Some(5),
        "the upload has another size"
    );
    let link = good(
        subject
            .port()
            .presign_get("up.csv", Served::saved("up.csv"), MINUTE)
            .await,
    );
    let (status, body) = subject.get(&link.url).await;
    assert_eq!(
        (status, body.as_ref()),
        (200, b"hello".as_ref()),
        "the download is another file"
    );
}

pub async fn an_upload_of_another_size_is_refused(subject: &impl Subject) {
    let link = good(subject.port().presign_put("up.csv", 5, MINUTE).await);
    for body in ["hi", "hello, world"] {
        assert!(
            put(subject, &link, body).await >= 400,
            "{body:?} was taken for five bytes"
        );
    }
    assert_eq!(
        good(subject.port().size("up.csv").await),
        None,
        "a refused upload was kept"
    );
}

pub async fn a_later_file_replaces_an_earlier_one(subject: &impl Subject) {
    good(
        subject
            .port()
            .put("a", Bytes::from_static(b"long text"))
            .await,
    );
    good(subject.port().put("a", Bytes::from_static(b"short")).await);
    assert_eq!(
        read(subject, "a", 0).await,
        b"short",
        "the earlier file shows through"
    );
}

pub async fn what_is_deleted_is_gone(subject: &impl Subject) {
    good(subject.port().put("gone", Bytes::from_static(b"x")).await);
    good(subject.port().delete("gone").await);
    assert_eq!(
        good(subject.port().size("gone").await),
        None,
        "a deleted file has a size"
    );
    // Whoever repeats a deletion that died half way is not told otherwise.
    good(subject.port().delete("gone").await);
}

pub async fn a_changed_link_is_refused(subject: &impl Subject) {
    good(
        subject
            .port()
            .put("mine", Bytes::from_static(b"mine"))
            .await,
    );
    good(
        subject
            .port()
            .put("yours", Bytes::from_static(b"yours"))
            .await,
    );
    let link = good(
        subject
            .port()
            .presign_get("mine", Served::saved("mine"), MINUTE)
            .await,
    );
    let (status, _) = subject
        .get(&link.url.replacen("/mine?", "/yours?", 1))
        .await;
    assert!(status >= 400, "a link to one file opened another");
}

async fn put(subject: &impl Subject, link: &Presigned, body: &'static str) -> u16 {
    subject
        .put(
            &link.url,
            &link.headers,
            Bytes::from_static(body.as_bytes()),
        )
        .await
}

async fn read(subject: &impl Subject, key: &str, offset: u64) -> Vec<u8> {
    let mut stream = good(subject.port().open(key, offset).await);
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        match chunk {
            Ok(chunk) => bytes.extend_from_slice(&chunk),
            Err(error) => panic!("the file cannot be read: {error}"),
        }
    }
    bytes
}

fn good<T>(result: Result<T, Error>) -> T {
    result.unwrap_or_else(|error| panic!("the port failed: {}", error.chain()))
}
