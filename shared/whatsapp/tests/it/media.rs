use bytes::Bytes;
use futures::{StreamExt, stream};
use whatsapp::{ApiError, DownloadError, MediaAddress, Upload, UploadedMedia};

use crate::server::{Reply, Server, token};

const NUMBER: &str = "200000000000001";

/// A picture in two pieces.
fn picture() -> Upload {
    let pieces = ["first half, ", "second half"];
    let bytes = stream::iter(pieces.map(|piece| Ok(Bytes::from_static(piece.as_bytes()))));
    Upload {
        file_name: "menu.png".to_owned(),
        mime_type: "image/png",
        size: pieces.concat().len() as u64,
        bytes: bytes.boxed(),
    }
}

#[tokio::test]
async fn a_file_is_uploaded_as_a_form_with_its_own_type_and_length() {
    let server = Server::start([Reply::Answer(200, r#"{"id":"900000000000001"}"#.to_owned())]);
    let server = server.await;
    let id = server.client.upload(&token(), NUMBER, picture()).await;
    assert_eq!(id, Ok(UploadedMedia("900000000000001".to_owned())));
    let seen = server.seen().remove(0);
    let (head, body) = seen.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /v26.0/200000000000001/media "));
    assert!(head.contains("authorization: Bearer EAAB-secret"));
    assert!(head.contains("content-type: multipart/form-data; boundary="));
    assert!(!head.contains("transfer-encoding"), "{head}");
    for part in [
        "name=\"messaging_product\"\r\n\r\nwhatsapp\r\n",
        "name=\"type\"\r\n\r\nimage/png\r\n",
        "name=\"file\"; filename=\"menu.png\"\r\nContent-Type: image/png\r\n\r\nfirst half, second half\r\n",
    ] {
        assert!(body.contains(part), "{part:?} is not in {body}");
    }
}

#[tokio::test]
async fn a_file_that_meta_refuses_is_told_apart_from_one_that_never_arrived() {
    let refused = r#"{"error":{"message":"(#131053) Media upload error","code":131053}}"#;
    let replies = [
        Reply::Answer(400, refused.to_owned()),
        Reply::Answer(502, "<html>".to_owned()),
        Reply::Answer(200, "{}".to_owned()),
        Reply::Reset,
    ];
    let server = Server::start(replies).await;
    let upload = || async { server.client.upload(&token(), NUMBER, picture()).await };
    assert!(matches!(upload().await, Err(ApiError::Refused(error)) if error.code == 131_053));
    assert!(matches!(upload().await, Err(ApiError::Unreachable(_))));
    assert!(matches!(upload().await, Err(ApiError::Unreadable(_))));
    assert!(matches!(upload().await, Err(ApiError::Unreachable(_))));
}

#[tokio::test]
async fn a_file_that_breaks_off_is_no_upload() {
    let server = Server::start([Reply::Answer(200, r#"{"id":"9"}"#.to_owned())]).await;
    let broken = stream::iter([
        Ok(Bytes::from_static(b"first half")),
        Err(std::io::Error::other("the store is gone")),
    ]);
    let upload = Upload {
        bytes: broken.boxed(),
        ..picture()
    };
    let result = server.client.upload(&token(), NUMBER, upload).await;
    assert!(
        matches!(result, Err(ApiError::Unreachable(_))),
        "{result:?}"
    );
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn the_address_of_a_file_is_asked_for_by_its_number() {
    let about = r#"{"url":"https://lookaside.fbsbx.com/x?mid=9","sha256":"c0ffee","file_size":"303833","id":"9"}"#;
    let replies = [
        Reply::Answer(200, about.to_owned()),
        Reply::Answer(200, r#"{"id":"9"}"#.to_owned()),
    ];
    let server = Server::start(replies).await;
    let ask = || async { server.client.media(&token(), NUMBER, "9").await };
    let expected = MediaAddress {
        url: "https://lookaside.fbsbx.com/x?mid=9".to_owned(),
        sha256: Some("c0ffee".to_owned()),
        size: Some(303_833),
    };
    assert_eq!(ask().await, Ok(expected));
    assert!(server.seen()[0].starts_with("GET /v26.0/9?phone_number_id=200000000000001 "));
    assert!(matches!(ask().await, Err(ApiError::Unreadable(_))));
}

/// A file that is downloaded from the server itself, of at most so many bytes.
async fn downloaded(reply: Reply, most: u64) -> Result<Vec<u8>, DownloadError> {
    let server = Server::start([reply]).await;
    let address = MediaAddress {
        url: server.url("/attachments/?mid=9"),
        sha256: None,
        size: None,
    };
    let file = server.client.download(&token(), &address, most).await;
    let seen = server.seen().remove(0);
    assert!(seen.starts_with("GET /attachments/?mid=9 "));
    assert!(seen.contains("authorization: Bearer EAAB-secret"));
    assert!(seen.contains("user-agent: "));
    assert_eq!(server.client.open_calls(), 0);
    file.map(|bytes| bytes.to_vec())
}

#[tokio::test]
async fn a_file_is_downloaded_whole_or_not_at_all() {
    let answer = |status, body: &str| Reply::Answer(status, body.to_owned());
    assert_eq!(
        downloaded(answer(200, "ten bytes!"), 10).await,
        Ok(b"ten bytes!".to_vec())
    );
    let large = downloaded(answer(200, "more than ten"), 10).await;
    assert_eq!(large, Err(DownloadError::TooLarge));
    for status in [404, 410] {
        let old = downloaded(answer(status, "<html>"), 10).await;
        assert!(matches!(old, Err(DownloadError::Address(_))), "{old:?}");
    }
    for reply in [
        answer(500, "<html>"),
        answer(302, ""),
        Reply::Cut(200, "five!".to_owned()),
        Reply::Reset,
    ] {
        let lost = downloaded(reply, 1000).await;
        assert!(
            matches!(lost, Err(DownloadError::Unreachable(_))),
            "{lost:?}"
        );
    }
}

#[tokio::test]
async fn nobody_else_is_ever_asked_with_the_token() {
    let server = Server::start([Reply::Answer(200, String::new())]).await;
    let stranger = Server::start([Reply::Answer(200, String::new())]).await;
    let address = MediaAddress {
        url: stranger.url("/x"),
        sha256: None,
        size: None,
    };
    let refused = server.client.download(&token(), &address, 10).await;
    assert!(matches!(refused, Err(DownloadError::Address(_))));
    assert!(stranger.seen().is_empty());
}
