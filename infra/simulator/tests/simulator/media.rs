//! Media: what can be uploaded, how long it lives, and which messages may show it.

use axum::body::Body;
use axum::http::StatusCode;
use serde_json::{Value, json};
use simulator::universe;

use crate::world::{ManualTime, World, code, settings};

const DAY_US: i64 = 24 * 3_600_000_000;
const PICTURE: &[u8] = b"\xff\xd8\xff a picture \x00\r\n-- and more";

/// A form with the given parts: name, content type, bytes.
fn form(parts: &[(&str, Option<&str>, &[u8])]) -> Body {
    let mut form = Vec::new();
    for (name, mime, bytes) in parts {
        let file = mime.map_or("", |_| "; filename=\"a\"");
        let mime = mime.map_or(String::new(), |mime| format!("Content-Type: {mime}\r\n"));
        let head = format!(
            "--edge\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n{mime}\r\n"
        );
        form.extend_from_slice(head.as_bytes());
        form.extend_from_slice(bytes);
        form.extend_from_slice(b"\r\n");
    }
    form.extend_from_slice(b"--edge--\r\n");
    Body::from(form)
}

async fn post(world: &World, number: &str, body: Body) -> (StatusCode, Value) {
    let path = format!("/v26.0/{number}/media");
    let kind = "multipart/form-data; boundary=edge";
    let answer = world.raw("simulated-token", "POST", &path, kind, body);
    let (status, bytes) = answer.await;
    (status, serde_json::from_slice(&bytes).unwrap())
}

async fn upload(world: &World, mime: &str, bytes: &[u8]) -> (StatusCode, Value) {
    let parts = form(&[
        ("messaging_product", None, b"whatsapp"),
        ("file", Some(mime), bytes),
    ]);
    post(world, universe::NUMBER, parts).await
}

async fn id_of(world: &World, mime: &str) -> String {
    let (status, answer) = upload(world, mime, PICTURE).await;
    assert_eq!(status, 200, "{answer}");
    answer["id"].as_str().unwrap().to_owned()
}

fn message(kind: &str, content: &Value) -> Value {
    json!({"messaging_product": "whatsapp", "to": "6281200000001", "type": kind, kind: content})
}

async fn download(world: &World, token: &str, url: &str) -> (StatusCode, Vec<u8>) {
    let path = url.strip_prefix("http://graph.example").unwrap();
    let answer = world.raw(token, "GET", path, "application/json", Body::empty());
    let (status, bytes) = answer.await;
    (status, bytes.to_vec())
}

#[tokio::test]
async fn an_uploaded_file_comes_back_byte_for_byte() {
    let world = World::new(settings()).await;
    let id = id_of(&world, "image/jpeg").await;
    assert_eq!(id.len(), 15);
    assert_ne!(
        id,
        id_of(&world, "image/jpeg").await,
        "each upload has its own"
    );
    let (_, about) = world.call("GET", &format!("/v26.0/{id}"), None).await;
    assert_eq!(about["mime_type"], "image/jpeg");
    assert_eq!(about["file_size"], PICTURE.len());
    assert_eq!(about["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(about["id"], id);
    let url = about["url"].as_str().unwrap();
    assert_eq!(download(&world, "other", url).await.0, 401);
    let (status, bytes) = download(&world, "simulated-token", url).await;
    assert_eq!((status.as_u16(), bytes.as_slice()), (200, PICTURE));
    let forged = format!("{url}x");
    assert_eq!(download(&world, "simulated-token", &forged).await.0, 404);

    world.time.advance_us(5 * 60_000_000);
    assert_eq!(download(&world, "simulated-token", url).await.0, 404);
    let (_, renewed) = world.call("GET", &format!("/v26.0/{id}"), None).await;
    let url = renewed["url"].as_str().unwrap();
    assert_eq!(download(&world, "simulated-token", url).await.0, 200);

    let path = format!("/v26.0/{id}?phone_number_id={}", universe::SPARE_NUMBER);
    assert_eq!(
        code(&world.call("GET", &path, None).await),
        100,
        "of another number"
    );
    let path = format!("/v26.0/{id}?phone_number_id={}", universe::NUMBER);
    let gone = world.call("DELETE", &path, None).await;
    assert_eq!(gone.1, json!({"success": true}));
    let missing = world.call("GET", &path, None).await;
    assert_eq!((missing.0.as_u16(), code(&missing)), (400, 100));
    assert_eq!(missing.1["error"]["error_subcode"], 33);
}

#[tokio::test]
async fn an_upload_of_a_wrong_type_or_size_is_refused() {
    let world = World::new(settings()).await;
    let large = vec![7_u8; 5 * 1024 * 1024 + 1];
    for (mime, bytes, expected) in [
        ("image/jpeg", &large[..], 131_053),
        ("image/jpeg", &large[..large.len() - 1], 0),
        ("image/gif", PICTURE, 100),
        ("image/png", b"", 100),
        ("application/pdf", &large, 0),
        ("audio/ogg; codecs=opus", PICTURE, 0),
        ("text/html", PICTURE, 100),
    ] {
        let answer = upload(&world, mime, bytes).await;
        assert_eq!(code(&answer), expected, "{mime}: {}", answer.1);
    }
    let product: (&str, Option<&str>, &[u8]) = ("messaging_product", None, b"whatsapp");
    let picture: (&str, Option<&str>, &[u8]) = ("file", Some("image/png"), PICTURE);
    for (parts, expected) in [
        (vec![picture], 100),
        (vec![product], 100),
        (vec![product, ("file", None, PICTURE)], 100),
        (vec![product, picture, ("type", None, b"image/jpeg")], 100),
        (vec![product, picture, ("type", None, b"image/png")], 0),
        (vec![product, picture, ("type", None, b"image")], 0),
        (vec![product, picture, ("colour", None, b"red")], 100),
    ] {
        let answer = post(&world, universe::NUMBER, form(&parts)).await;
        assert_eq!(code(&answer), expected, "{}", answer.1);
    }
    let elsewhere = post(&world, "1", form(&[product, picture])).await;
    assert_eq!(code(&elsewhere), 100);
    let path = format!("/v26.0/{}/media", universe::NUMBER);
    let no_form = world.call("POST", &path, Some(json!({}))).await;
    assert_eq!(code(&no_form), 100);
}

#[tokio::test]
async fn a_message_shows_a_file_of_its_own_number_while_it_lives() {
    let world = World::new(settings()).await;
    let id = id_of(&world, "image/jpeg").await;
    let by_id = message("image", &json!({"id": id, "caption": "Photo"}));
    assert_eq!(world.send(by_id.clone()).await.0, 200);
    let foreign = world.send_from(universe::SPARE_NUMBER, by_id.clone()).await;
    assert_eq!((foreign.0.as_u16(), code(&foreign)), (400, 131_009));
    let link = "https://cdn.example/a.jpg";
    for (content, expected) in [
        (json!({"link": link}), 0),
        (json!({"link": "http://cdn.example/a.jpg"}), 131_009),
        (json!({"link": "cdn.example/a.jpg"}), 131_009),
        (json!({"id": "900000000000001"}), 131_009),
        (json!({"id": id, "link": link}), 100),
        (json!({"caption": "nothing to see"}), 131_008),
        (json!({"link": link, "caption": "x".repeat(1025)}), 100),
    ] {
        let answer = world.send(message("image", &content)).await;
        assert_eq!(code(&answer), expected, "{content}: {}", answer.1);
    }
    let voice = json!({"link": link, "caption": "not for the ear"});
    assert_eq!(code(&world.send(message("audio", &voice)).await), 100);

    world.time.advance_us(30 * DAY_US - 1);
    assert_eq!(world.send(by_id.clone()).await.0, 200);
    world.time.advance_us(1000);
    assert_eq!(
        code(&world.send(by_id).await),
        131_009,
        "thirty days are over"
    );
    let path = format!("/v26.0/{id}");
    assert_eq!(code(&world.call("GET", &path, None).await), 100);
}

#[tokio::test]
async fn a_file_of_another_kind_fails_when_it_is_delivered() {
    let mut settings = settings();
    settings.timing.fail_share = 0.0;
    let world = World::with_callback(settings).await;
    let id = id_of(&world, "video/mp4").await;
    let header = json!({"type": "header", "parameters": [{"type": "image", "image": {"id": id}}]});
    let template = json!({"name": "spring_sale", "language": {"code": "en_US"}, "components": [
        header,
        {"type": "body", "parameters": [{"type": "text", "text": "Ada"}, {"type": "text", "text": "20%"}]},
        {"type": "button", "sub_type": "url", "index": 0, "parameters": [{"type": "text", "text": "x1"}]}]});
    assert_eq!(world.send(message("template", &template)).await.0, 200);
    assert_eq!(
        world.send(message("video", &json!({"id": id}))).await.0,
        200
    );
    world.drain().await;
    let failed: Vec<_> = world
        .statuses()
        .into_iter()
        .filter(|(_, status)| status["status"] == "failed")
        .map(|(_, status)| status["errors"][0]["code"].clone())
        .collect();
    assert_eq!(failed, [131_053]);
}

#[tokio::test]
async fn files_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings();
    settings.data = Some(folder.path().join("simulator.db"));
    let time = ManualTime::new();
    let first = World::at(time.clone(), settings.clone()).await;
    let (kept, deleted) = (
        id_of(&first, "image/jpeg").await,
        id_of(&first, "image/png").await,
    );
    first
        .call("DELETE", &format!("/v26.0/{deleted}"), None)
        .await;
    first.simulator.stop().await;
    let second = World::at(time, settings).await;
    assert_eq!(
        second.send(message("image", &json!({"id": kept}))).await.0,
        200
    );
    let gone = second.send(message("image", &json!({"id": deleted}))).await;
    assert_eq!(code(&gone), 131_009);
}
