use bytes::Bytes;
use futures::{StreamExt, stream};
use whatsapp::{ApiError, Upload, UploadedMedia};

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
