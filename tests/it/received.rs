//! Files that people send: fetched from WhatsApp, known by their content, and shown to whoever reads the
//! chat.

use std::io::Cursor;
use std::sync::Arc;

use app::task::QueueName;
use axum::http::Method;
use bytes::Bytes;
use futures::StreamExt;
use image::{ImageFormat, Rgb, RgbImage};
use jiff::SignedDuration;
use serde_json::{Value, json};
use simulator::universe;
use whatsapp::{AccessToken, Upload, UploadedMedia};

use crate::support::app::Between;
use crate::support::clock::TestClock;
use crate::support::faults::{Door, Download};
use crate::support::journey::{phone, text};
use crate::support::live::Live;
use crate::support::meta::inbound;
use crate::support::{Caller, TestApp};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A photo of 640 × 480 points.
pub(crate) fn photo(format: ImageFormat) -> Vec<u8> {
    let image = RgbImage::from_fn(640, 480, |x, y| Rgb([x as u8, y as u8, 90]));
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// The first page of spoken sound, and what follows.
fn voice() -> Vec<u8> {
    let mut page = b"OggS".to_vec();
    page.resize(28, 0);
    page.extend(b"OpusHead\x01\x01 and so on");
    page
}

/// A workspace that people write to, and the chat with the first of them.
struct Shop {
    owner: Caller,
    chat: String,
}

impl Shop {
    async fn open(t: &TestApp) -> Self {
        let (owner, _, _, chat) = t.acquainted().await;
        Self { owner, chat }
    }

    /// The messages of the chat, the newest first.
    async fn messages(&self, t: &TestApp) -> Vec<Value> {
        let path = format!("/v1/chats/{}/messages", self.chat);
        let page = self.owner.get(t, &path).await.expect(200);
        page["items"].as_array().unwrap().clone()
    }

    /// The one message that somebody wrote.
    async fn message(&self, t: &TestApp) -> Value {
        let mut messages = self.messages(t).await;
        assert_eq!(messages.len(), 1, "{messages:?}");
        messages.remove(0)
    }

    async fn media(&self, t: &TestApp) -> Value {
        self.message(t).await["media"].clone()
    }

    fn path(&self, message: &Value, part: &str) -> String {
        let (chat, message) = (&self.chat, text(&message["id"]));
        format!("/v1/chats/{chat}/messages/{message}/{part}")
    }

    /// What whoever follows the link to a part of a message gets.
    async fn follow(&self, t: &TestApp, message: &Value, part: &str) -> (String, String, Bytes) {
        let link = self
            .owner
            .get(t, &self.path(message, part))
            .await
            .expect(200);
        let answer = reqwest::get(text(&link["url"])).await.unwrap();
        assert!(answer.status().is_success());
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert!(header("cache-control").contains("private"));
        let (kind, disposition) = (header("content-type"), header("content-disposition"));
        (kind, disposition, answer.bytes().await.unwrap())
    }
}

/// Puts a file at WhatsApp, as a person's phone does, and answers its id.
pub(crate) async fn put(t: &TestApp, mime_type: &'static str, bytes: &[u8]) -> String {
    let bytes = Bytes::copy_from_slice(bytes);
    let upload = Upload {
        file_name: "a".to_owned(),
        mime_type,
        size: bytes.len() as u64,
        bytes: futures::stream::iter([Ok(bytes)]).boxed(),
    };
    let token = AccessToken(simulator::Settings::default().token);
    let uploaded = t
        .app
        .whatsapp
        .upload(&token, universe::NUMBER, upload)
        .await;
    let UploadedMedia(id) = uploaded.unwrap();
    id
}

/// A message of a person that shows a file.
pub(crate) fn showing(t: &TestApp, wamid: &str, kind: &str, file: impl Into<Value>) -> Value {
    let file = file.into();
    let from = phone(1);
    let at = t.app.now().as_second().to_string();
    json!({"from": from.trim_start_matches('+'), "id": wamid, "timestamp": at, "type": kind, kind: file})
}

/// A person sends a photo; its file is not fetched yet.
async fn sends_a_photo(t: &TestApp) {
    let id = put(t, "image/jpeg", &photo(ImageFormat::Jpeg)).await;
    let file = json!({"id": id, "mime_type": "image/jpeg"});
    t.post_webhook(inbound(&[showing(t, "wamid.photo", "image", file)]))
        .await;
    t.run_once(QueueName::Webhook).await;
}

/// The event that tells of a file, among all that a screen is told.
async fn told_of_media(desk: &mut Live) -> Value {
    loop {
        let told = desk.events().await;
        if let Some(event) = told.iter().find(|event| event["type"] == "media.updated") {
            return event.clone();
        }
    }
}

#[tokio::test]
async fn a_photo_is_downloading_until_it_is_there() {
    let t = TestApp::quiet().await;
    let shop = Shop::open(&t).await;
    t.drain().await;
    let mut desk = shop.owner.live(&t).await;
    sends_a_photo(&t).await;
    let message = shop.message(&t).await;
    assert_eq!(
        message["media"],
        json!({"state": "downloading", "thumbnail": false})
    );
    let early = shop.owner.get(&t, &shop.path(&message, "media")).await;
    assert_eq!(early.expect(409)["code"], "file_downloading");

    t.drain().await;
    let message = shop.message(&t).await;
    let size = photo(ImageFormat::Jpeg).len();
    assert_eq!(
        message["media"],
        json!({"state": "ready", "mime_type": "image/jpeg", "size": size, "width": 640, "height": 480, "thumbnail": true})
    );
    let event = told_of_media(&mut desk).await;
    assert_eq!(event["message"], message["id"]);
    assert_eq!(event["state"], "ready");

    let (kind, disposition, bytes) = shop.follow(&t, &message, "media").await;
    assert_eq!(kind, "image/jpeg");
    assert!(disposition.starts_with("inline"), "{disposition}");
    assert_eq!(bytes, photo(ImageFormat::Jpeg));
    let (kind, _, bytes) = shop.follow(&t, &message, "thumbnail").await;
    assert_eq!(kind, "image/jpeg");
    let small = image::load_from_memory(&bytes).unwrap();
    assert_eq!((small.width(), small.height()), (320, 240));
    t.finish().await;
}

#[tokio::test]
async fn sounds_documents_and_stickers_arrive_as_what_they_are() {
    let t = TestApp::quiet().await;
    let shop = Shop::open(&t).await;
    let sticker = photo(ImageFormat::WebP);
    let files = [
        (
            "audio",
            "audio/ogg; codecs=opus",
            voice(),
            "audio/ogg",
            "inline",
        ),
        (
            "document",
            "application/pdf",
            b"%PDF-1.7\n".to_vec(),
            "application/pdf",
            "inline",
        ),
        (
            "document",
            "text/plain",
            b"Nasi goreng".to_vec(),
            "text/plain",
            "attachment",
        ),
        (
            "video",
            "video/mp4",
            b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2".to_vec(),
            "video/mp4",
            "inline",
        ),
        ("sticker", "image/webp", sticker, "image/webp", "inline"),
    ];
    for (n, (kind, announced, bytes, _, _)) in files.iter().enumerate() {
        t.advance(SignedDuration::from_secs(1));
        let id = put(&t, announced, bytes).await;
        let file =
            json!({"id": id, "mime_type": announced, "filename": "cv.pdf", "caption": "Look"});
        t.hears(&[showing(&t, &format!("wamid.{n}"), kind, file)])
            .await;
    }
    let messages = shop.messages(&t).await;
    for ((kind, _, bytes, found, shown), message) in files.iter().rev().zip(&messages) {
        assert_eq!(message["kind"], *kind);
        let media = &message["media"];
        assert_eq!(
            (&media["state"], &media["mime_type"]),
            (&json!("ready"), &json!(found))
        );
        assert_eq!(media["thumbnail"], *kind == "sticker", "{media}");
        let (served, disposition, whole) = shop.follow(&t, message, "media").await;
        assert_eq!(served, *found);
        assert!(disposition.starts_with(shown), "{kind}: {disposition}");
        assert!(disposition.contains("cv.pdf"), "{disposition}");
        assert_eq!(whole, bytes);
        let thumbnail = shop.owner.get(&t, &shop.path(message, "thumbnail")).await;
        assert_eq!(
            thumbnail.status.as_u16(),
            if *kind == "sticker" { 200 } else { 404 }
        );
    }
    t.finish().await;
}

#[tokio::test]
async fn a_page_that_calls_itself_a_photo_is_saved_and_never_shown() {
    let t = TestApp::quiet().await;
    let shop = Shop::open(&t).await;
    let page = b"<html><script>alert(1)</script></html>";
    let id = put(&t, "image/jpeg", page).await;
    let file = json!({"id": id, "mime_type": "image/jpeg", "filename": "photo.jpg"});
    t.hears(&[showing(&t, "wamid.1", "image", file)]).await;
    let message = shop.message(&t).await;
    assert_eq!(message["media"]["mime_type"], "text/plain");
    assert_eq!(message["media"]["thumbnail"], false);
    let (kind, disposition, bytes) = shop.follow(&t, &message, "media").await;
    assert_eq!(kind, "text/plain");
    assert!(disposition.starts_with("attachment"), "{disposition}");
    assert_eq!(bytes, page.as_slice());
    t.finish().await;
}

#[tokio::test]
async fn however_often_a_message_is_told_its_file_is_fetched_once() {
    let t = TestApp::quiet().await;
    let shop = Shop::open(&t).await;
    let id = put(&t, "image/jpeg", &photo(ImageFormat::Jpeg)).await;
    let message = showing(
        &t,
        "wamid.1",
        "image",
        json!({"id": id, "mime_type": "image/jpeg"}),
    );
    let again = [message.clone(), message.clone()];
    t.post_webhook(inbound(&again)).await;
    t.post_webhook(inbound(&again)).await;
    while t.queue.stats(QueueName::Webhook).await.unwrap().ready > 0 {
        t.run_once(QueueName::Webhook).await;
    }
    let queued = t.queue.stats(QueueName::MediaFetch).await.unwrap();
    assert_eq!(queued.ready, 1);
    t.drain().await;
    // Also when WhatsApp has forgotten the file since.
    let forget = reqwest::Client::new()
        .delete(format!("{}/{id}", t.app.config.graph_url))
        .bearer_auth(simulator::Settings::default().token);
    assert!(forget.send().await.unwrap().status().is_success());
    t.hears(&again).await;
    assert_eq!(shop.media(&t).await["state"], "ready");
    t.finish().await;
}

#[tokio::test]
async fn a_fetch_that_is_killed_is_taken_up_again() {
    let (t, door) = beyond(&[Download::Never]).await;
    let shop = Shop::open(&t).await;
    sends_a_photo(&t).await;
    let fetcher = t.begin_one(QueueName::MediaFetch).await;
    while door.downloads_left() > 0 {
        tokio::task::yield_now().await;
    }
    fetcher.abort();
    let _ = fetcher.await;
    assert_eq!(shop.media(&t).await["state"], "downloading");
    t.drain().await;
    assert_eq!(shop.media(&t).await["state"], "ready");
    t.finish().await;
}

#[tokio::test]
async fn a_fetch_whose_task_is_lost_is_found_by_the_tick() {
    let t = TestApp::quiet().await;
    let shop = Shop::open(&t).await;
    sends_a_photo(&t).await;
    t.lose(QueueName::MediaFetch).await;
    t.tick().await;
    assert_eq!(
        t.queue.stats(QueueName::MediaFetch).await.unwrap().ready,
        0,
        "it is not due"
    );
    t.advance(SignedDuration::from_mins(3));
    t.tick().await;
    t.drain().await;
    assert_eq!(shop.media(&t).await["state"], "ready");
    t.advance(HOUR);
    t.tick().await;
    assert_eq!(
        t.queue.stats(QueueName::MediaFetch).await.unwrap().ready,
        0,
        "it is settled"
    );
    t.finish().await;
}

/// An application whose downloads go wrong like this, one after the other.
async fn beyond(fates: &[Download]) -> (TestApp, Arc<Door>) {
    let clock = TestClock::new();
    let door = Door::new(clock.clone());
    door.downloads(fates.iter().copied());
    let between = Between {
        clock: Some(clock),
        door: Some(Arc::clone(&door)),
        ..Between::default()
    };
    let settings = simulator::Settings {
        answer_latency_ms: 0,
        ..Default::default()
    };
    (TestApp::between(settings, between).await, door)
}

#[tokio::test]
async fn an_expired_link_a_cut_line_and_a_damaged_file_are_asked_for_again() {
    let (t, _) = beyond(&[Download::Gone, Download::Cut, Download::Damaged]).await;
    let shop = Shop::open(&t).await;
    let began = t.app.now();
    sends_a_photo(&t).await;
    t.drain().await;
    let message = shop.message(&t).await;
    assert_eq!(message["media"]["state"], "ready", "{message}");
    assert_eq!(
        shop.follow(&t, &message, "media").await.2,
        photo(ImageFormat::Jpeg)
    );
    let took = t.app.now().duration_since(began);
    assert!(
        took < SignedDuration::from_mins(5),
        "the pauses are short at first: {took}"
    );
    t.finish().await;
}

#[tokio::test]
async fn a_file_that_stays_damaged_is_given_up_with_the_reason() {
    let (t, _) = beyond(&[Download::Damaged; 3]).await;
    let shop = Shop::open(&t).await;
    t.drain().await;
    let mut desk = shop.owner.live(&t).await;
    sends_a_photo(&t).await;
    t.drain().await;
    let message = shop.message(&t).await;
    assert_eq!(message["media"]["state"], "failed");
    assert!(text(&message["media"]["reason"]).contains("damaged"));
    let refused = shop
        .owner
        .get(&t, &shop.path(&message, "media"))
        .await
        .expect(409);
    assert_eq!(refused["code"], "file_lost");
    assert!(text(&refused["detail"]).contains("damaged"));
    let event = told_of_media(&mut desk).await;
    assert_eq!(event["state"], "failed");
    t.finish().await;
}

#[tokio::test]
async fn what_whatsapp_does_not_have_or_did_not_keep_is_given_up_with_the_reason() {
    let t = TestApp::quiet().await;
    let shop = Shop::open(&t).await;
    let unknown = json!({"id": "910000000000001", "mime_type": "image/jpeg"});
    t.hears(&[showing(&t, "wamid.1", "image", unknown)]).await;
    let mut kept_by_nobody = showing(&t, "wamid.2", "video", json!({"mime_type": "video/mp4"}));
    kept_by_nobody["errors"] = json!([{"code": 131_052, "title": "Media download error"}]);
    t.advance(SignedDuration::from_secs(1));
    t.post_webhook(inbound(&[kept_by_nobody])).await;
    t.run_once(QueueName::Webhook).await;
    let messages = shop.messages(&t).await;
    for (kind, word) in [("image", "any more"), ("video", "too large")] {
        let message = messages
            .iter()
            .find(|message| message["kind"] == kind)
            .unwrap();
        assert_eq!(message["media"]["state"], "failed");
        let reason = text(&message["media"]["reason"]);
        assert!(reason.contains(word), "{reason}");
    }
    t.drain().await;
    t.finish().await;
}

#[tokio::test]
async fn while_the_token_is_revoked_a_file_waits_for_as_long_as_whatsapp_keeps_it() {
    let revoke = async |t: &TestApp, revoked: bool| {
        let switch = json!({"token_revoked": revoked});
        t.control(Method::PATCH, "/_control/switches", switch).await;
    };
    let t = TestApp::quiet().await;
    let shop = Shop::open(&t).await;
    sends_a_photo(&t).await;
    revoke(&t, true).await;
    let day = t.app.now() + HOUR * 24;
    t.drain_to(day).await;
    assert_eq!(shop.media(&t).await["state"], "downloading");
    revoke(&t, false).await;
    t.drain().await;
    assert_eq!(shop.media(&t).await["state"], "ready");

    let id = put(&t, "image/jpeg", &photo(ImageFormat::Jpeg)).await;
    let file = json!({"id": id, "mime_type": "image/jpeg"});
    t.post_webhook(inbound(&[showing(&t, "wamid.late", "image", file)]))
        .await;
    t.run_once(QueueName::Webhook).await;
    revoke(&t, true).await;
    let sent = t.app.now();
    t.drain().await;
    let waited = t.app.now().duration_since(sent);
    assert!(waited >= HOUR * 24 * 7, "given up after {waited}");
    let media = &shop.messages(&t).await[0]["media"];
    assert_eq!(media["state"], "failed");
    assert!(
        text(&media["reason"]).contains("could not be fetched"),
        "{media}"
    );
    t.finish().await;
}

#[tokio::test]
async fn nobody_else_sees_a_file() {
    let t = TestApp::quiet().await;
    let shop = Shop::open(&t).await;
    sends_a_photo(&t).await;
    t.drain().await;
    let message = shop.message(&t).await;
    let stranger = t.owner("stranger").await;
    for part in ["media", "thumbnail"] {
        let path = shop.path(&message, part);
        stranger.get(&t, &path).await.expect(404);
        Caller::anonymous().get(&t, &path).await.expect(401);
        shop.owner.get(&t, &path).await.expect(200);
    }
    // A chat of one's own with the message of another's.
    let channel = text(&shop.owner.get(&t, "/v1/channels").await.expect(200)["items"][0]["id"]);
    let other = text(&t.contact(&shop.owner, 2, &[]).await["id"]);
    let chat = t.chat(&shop.owner, &channel, &other).await;
    let path = format!("/v1/chats/{chat}/messages/{}/media", text(&message["id"]));
    shop.owner.get(&t, &path).await.expect(404);
    // A link is good for minutes.
    let path = shop.path(&message, "media");
    let link = shop.owner.get(&t, &path).await.expect(200);
    t.advance(SignedDuration::from_mins(20));
    let late = reqwest::get(text(&link["url"])).await.unwrap();
    assert_eq!(late.status().as_u16(), 403);
    t.finish().await;
}

#[tokio::test]
async fn a_message_without_a_file_has_none() {
    let t = TestApp::quiet().await;
    let shop = Shop::open(&t).await;
    t.writes(&phone(1), "wamid.1", "Hello").await;
    let message = shop.message(&t).await;
    assert_eq!(message.get("media"), None);
    shop.owner
        .get(&t, &shop.path(&message, "media"))
        .await
        .expect(404);
    t.finish().await;
}
