//! A person's phone: what it sends, and what it shows.

use axum::body::Body;
use base64::Engine;
use serde_json::{Value, json};
use simulator::{Settings, universe};

use crate::world::{World, code, settings, value};

const ADA: &str = "6281200000001";
const HOUR_US: i64 = 3_600_000_000;

/// Everything arrives, and nobody reads unless they are told to.
pub(crate) fn calm() -> Settings {
    let mut settings = settings();
    settings.timing.fail_share = 0.0;
    settings.timing.read_share = 0.0;
    settings
}

/// Ada does something, and the callback has heard of it.
pub(crate) async fn does(world: &World, act: Value) -> Value {
    with(world, json!({"does": act})).await
}

async fn with(world: &World, mut doing: Value) -> Value {
    doing["from"] = json!(format!("+{ADA}"));
    let done = world.control("POST", "phone", doing).await;
    world.rest().await;
    done
}

/// Why Ada cannot do it.
pub(crate) async fn cannot(world: &World, act: Value) -> String {
    let doing = json!({"from": ADA, "does": act});
    let (status, answer) = world.call("POST", "/_control/phone", Some(doing)).await;
    assert_eq!(status, 400, "{answer}");
    answer["error"].as_str().unwrap().to_owned()
}

/// The values of the newest webhook.
pub(crate) fn latest(world: &World) -> Value {
    value(world.told().last().unwrap())
}

pub(crate) fn message(world: &World) -> Value {
    latest(world)["messages"][0].clone()
}

/// Sends Ada a message of the business; its id.
pub(crate) async fn sent(world: &World, kind: &str, content: Value) -> String {
    let message = json!({"messaging_product": "whatsapp", "to": ADA, "type": kind, kind: content});
    let (status, answer) = world.send(message).await;
    assert_eq!(status, 200, "{answer}");
    world.drain().await;
    answer["messages"][0]["id"].as_str().unwrap().to_owned()
}

/// What was told of a message, in order.
pub(crate) fn told(world: &World, wamid: &str) -> Vec<String> {
    let statuses = world.statuses().into_iter();
    let of = statuses.filter(|(_, status)| status["id"] == wamid);
    of.map(|(_, status)| status["status"].as_str().unwrap().to_owned())
        .collect()
}

async fn download(world: &World, url: &str) -> (u16, Vec<u8>) {
    let path = url.strip_prefix("http://graph.example").unwrap();
    let answer = world.raw("simulated-token", "GET", path, "text/plain", Body::empty());
    let (status, bytes) = answer.await;
    (status.as_u16(), bytes.to_vec())
}

pub(crate) async fn failed_with(world: &World, wamid: &str) -> Value {
    let statuses = world.statuses().into_iter();
    let failed = statuses
        .map(|(_, status)| status)
        .find(|status| status["id"] == wamid && status["status"] == "failed");
    failed.map_or(Value::Null, |status| status["errors"][0]["code"].clone())
}

#[tokio::test]
async fn files_are_told_as_meta_tells_them_and_can_be_fetched() {
    let world = World::with_callback(settings()).await;
    for (act, mime, magic) in [
        (
            json!({"image": {"caption": "Look"}}),
            "image/jpeg",
            &b"\xff\xd8\xff"[..],
        ),
        (
            json!({"video": {"caption": "Clip"}}),
            "video/mp4",
            b"\x00\x00\x00",
        ),
        (json!({"audio": {}}), "audio/mpeg", b"ID3"),
        (
            json!({"audio": {"voice": true}}),
            "audio/ogg; codecs=opus",
            b"OggS",
        ),
        (
            json!({"document": {"filename": "cv.pdf"}}),
            "application/pdf",
            b"%PDF",
        ),
        (json!({"sticker": {}}), "image/webp", b"RIFF"),
    ] {
        let id = does(&world, act.clone()).await["id"].clone();
        let told = message(&world);
        let kind = told["type"].as_str().unwrap();
        assert!(act.get(kind).is_some() && told["id"] == id, "{told}");
        let file = &told[kind];
        assert_eq!(file["mime_type"], mime);
        assert_eq!(file["caption"], act[kind]["caption"]);
        assert_eq!(
            file.get("voice"),
            (kind == "audio")
                .then(|| json!(mime.contains("ogg")))
                .as_ref()
        );
        let (status, bytes) = download(&world, file["url"].as_str().unwrap()).await;
        assert_eq!(status, 200);
        assert!(bytes.starts_with(magic), "{kind}");
        let path = format!(
            "/v26.0/{}?phone_number_id={}",
            file["id"].as_str().unwrap(),
            universe::NUMBER
        );
        let about = world.call("GET", &path, None).await.1;
        assert_eq!(about["file_size"], bytes.len());
        let hex = about["sha256"].as_str().unwrap();
        let digest =
            base64::engine::general_purpose::STANDARD.decode(file["sha256"].as_str().unwrap());
        let digest: String = digest
            .unwrap()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(hex, digest, "base64 in webhooks, hexadecimal in calls");
    }
    assert_eq!(world.report().await["media"], 0, "nobody uploaded anything");
}

#[tokio::test]
async fn a_persons_own_file_lives_for_a_week_and_its_address_for_five_minutes() {
    let world = World::with_callback(settings()).await;
    let bytes = base64::engine::general_purpose::STANDARD.encode("PK a zip");
    let act =
        json!({"document": {"base64": bytes, "mime_type": "application/zip", "filename": "a.zip"}});
    does(&world, act).await;
    let told = message(&world);
    let (id, url) = (
        told["document"]["id"].as_str().unwrap(),
        told["document"]["url"].as_str().unwrap(),
    );
    assert_eq!(download(&world, url).await, (200, b"PK a zip".to_vec()));
    world.time.advance_us(5 * 60_000_000);
    assert_eq!(download(&world, url).await.0, 404);
    let about = async || world.call("GET", &format!("/v26.0/{id}"), None).await;
    world.time.advance_us(7 * 24 * HOUR_US - 5 * 60_000_000 - 1);
    let renewed = about().await.1["url"].as_str().unwrap().to_owned();
    let switch = async |downloads: &str| {
        world
            .control("PATCH", "switches", json!({"downloads": downloads}))
            .await
    };
    for (downloads, status, starts) in [
        ("html_500", 500, "<!DOCTYPE html>"),
        ("html_200", 200, "<!DOCTYPE html>"),
        ("gone", 404, "<!DOCTYPE html>"),
        ("truncated", 200, "PK a"),
        ("whole", 200, "PK a zip"),
    ] {
        switch(downloads).await;
        let (answered, bytes) = download(&world, &renewed).await;
        assert_eq!(answered, status, "{downloads}");
        assert!(bytes.starts_with(starts.as_bytes()), "{downloads}");
        assert_eq!(downloads == "truncated", bytes == b"PK a");
    }
    world.time.advance_us(1000);
    assert_eq!(code(&about().await), 100, "a week is over");

    does(&world, json!({"image": {"lost": true}})).await;
    let lost = message(&world);
    assert_eq!(lost["errors"][0]["code"], 131_052);
    assert_eq!(lost["image"].get("id"), None);
    for (act, reason) in [
        (json!({"image": {"base64": "AAAA"}}), "mime_type"),
        (
            json!({"image": {"base64": "?", "mime_type": "image/png"}}),
            "base64",
        ),
        (
            json!({"image": {"base64": "", "mime_type": "image/png"}}),
            "nothing",
        ),
        (json!({"image": {"colour": "red"}}), "colour"),
    ] {
        let why = cannot(&world, act).await;
        assert!(why.contains(reason), "{why}");
    }
}

#[tokio::test]
async fn every_other_kind_has_the_shape_that_meta_gives_it() {
    let world = World::with_callback(settings()).await;
    let hello = does(&world, json!({"text": "Hello"})).await["id"].clone();
    assert_eq!(message(&world)["text"], json!({"body": "Hello"}));
    assert_eq!(latest(&world)["contacts"][0]["wa_id"], ADA);
    let place = json!({"latitude": -6.2, "longitude": 106.8, "name": "Depot"});
    let item = json!({"product_retailer_id": "sku-1", "quantity": 2, "item_price": 7.99, "currency": "USD"});
    let order = json!({"catalog_id": "8", "product_items": [item]});
    let cards = json!([{"name": {"formatted_name": "Bob"}, "phones": [{"phone": "+15550300003"}]}]);
    for (act, kind, inside) in [
        (json!({"location": place}), "location", place),
        (json!({"contacts": cards}), "contacts", cards),
        (json!({"order": order}), "order", order),
        (
            json!({"reaction": {"message_id": "wamid.O", "emoji": "\u{1f44d}"}}),
            "reaction",
            json!({"message_id": "wamid.O", "emoji": "\u{1f44d}"}),
        ),
        (
            json!({"reaction": {"message_id": "wamid.O"}}),
            "reaction",
            json!({"message_id": "wamid.O"}),
        ),
        (
            json!({"unsupported": {"type": "poll"}}),
            "unsupported",
            json!({"type": "poll"}),
        ),
        (
            json!({"edit": {"message_id": hello, "text": "Hello!"}}),
            "edit",
            json!({"original_message_id": hello, "message": {"type": "text", "text": {"body": "Hello!"}}}),
        ),
        (
            json!({"revoke": {"message_id": hello}}),
            "revoke",
            json!({"original_message_id": hello}),
        ),
        (
            json!({"message": {"type": "hologram", "hologram": {"depth": 3}}}),
            "hologram",
            json!({"depth": 3}),
        ),
    ] {
        let id = does(&world, act).await["id"].clone();
        let told = message(&world);
        assert_eq!((&told["type"], &told["id"]), (&json!(kind), &id));
        assert_eq!(told[kind], inside);
        assert_eq!(
            told["errors"][0]["code"].as_u64(),
            (kind == "unsupported").then_some(131_051)
        );
    }
    with(&world, json!({"does": {"text": "FYI"}, "forwarded": true})).await;
    assert_eq!(message(&world)["context"], json!({"forwarded": true}));
    let referral = json!({"source_type": "ad", "headline": "Sale"});
    with(
        &world,
        json!({"does": {"text": "Still on?"}, "referral": referral}),
    )
    .await;
    assert_eq!(message(&world)["referral"], referral);
    with(
        &world,
        json!({"does": {"text": "Yes"}, "context": "wamid.O"}),
    )
    .await;
    assert_eq!(
        message(&world)["context"],
        json!({"from": "15550100001", "id": "wamid.O"})
    );

    let before = world.told().len();
    for act in [
        json!({"text": ""}),
        json!({"location": {"latitude": 1}}),
        json!({"contacts": []}),
        json!({"order": {}}),
        json!({"message": {}}),
        json!({"dance": {}}),
        json!({"edit": {"message_id": "wamid.O", "text": "not mine"}}),
        json!({"revoke": {"message_id": "wamid.O"}}),
        json!({"button": {"text": "Stop"}}),
    ] {
        cannot(&world, act).await;
    }
    world.rest().await;
    assert_eq!(
        world.told().len(),
        before,
        "what is refused is told to nobody"
    );
}

#[tokio::test]
async fn only_what_was_offered_can_be_chosen() {
    let world = World::with_callback(calm()).await;
    let reply = |id: &str, title: &str| json!({"id": id, "title": title});
    let buttons = json!({"type": "button", "body": {"text": "Keep it?"}, "action": {"buttons":
        [{"type": "reply", "reply": reply("keep", "Keep")}, {"type": "reply", "reply": reply("drop", "Drop")}]}});
    let asked = sent(&world, "interactive", buttons).await;
    let choose =
        |id: &str, context: &str| json!({"does": {"choice": {"id": id}}, "context": context});
    with(&world, choose("drop", &asked)).await;
    assert_eq!(
        message(&world)["interactive"],
        json!({"type": "button_reply", "button_reply": {"id": "drop", "title": "Drop"}})
    );
    assert_eq!(message(&world)["context"]["id"], asked);
    let row = json!({"id": "am", "title": "Morning", "description": "8 to 12"});
    let list = json!({"type": "list", "body": {"text": "When?"}, "action": {"button": "Times", "sections": [{"rows": [row]}]}});
    let asked = sent(&world, "interactive", list).await;
    with(&world, choose("am", &asked)).await;
    assert_eq!(
        message(&world)["interactive"],
        json!({"type": "list_reply", "list_reply": row})
    );
    let mut doing = choose("pm", &asked);
    doing["from"] = json!(ADA);
    assert_eq!(
        world.call("POST", "/_control/phone", Some(doing)).await.0,
        400
    );
    cannot(&world, json!({"choice": {"id": "am"}})).await;
    with(
        &world,
        json!({"does": {"button": {"text": "Stop"}}, "context": asked}),
    )
    .await;
    assert_eq!(
        message(&world)["button"],
        json!({"text": "Stop", "payload": "Stop"})
    );
}

#[tokio::test]
async fn the_phone_shows_the_chat_with_ticks_and_typing() {
    let world = World::with_callback(calm()).await;
    let hello = does(&world, json!({"text": "Hello"})).await["id"].clone();
    let file = does(&world, json!({"image": {}})).await;
    assert!(file["id"].is_string());
    let chat = async || {
        world
            .call("GET", &format!("/_control/chat?person={ADA}"), None)
            .await
            .1
    };
    let seen = chat().await;
    assert_eq!(
        (&seen["data"][0]["heard"]["read"], &seen["typing"]),
        (&json!(false), &json!(false))
    );
    let typing = json!({"messaging_product": "whatsapp", "status": "read", "message_id": hello, "typing_indicator": {"type": "text"}});
    assert_eq!(world.send(typing).await.0, 200);
    let seen = chat().await;
    assert_eq!(
        (&seen["data"][0]["heard"]["read"], &seen["typing"]),
        (&json!(true), &json!(true))
    );
    world.time.advance_us(1_000_000);
    sent(&world, "text", json!({"body": "Hi Ada"})).await;
    let seen = chat().await;
    assert_eq!(seen["typing"], false, "the answer is there");
    assert_eq!(seen["data"][2]["sent"]["text"], "Hi Ada");
    assert_eq!(seen["data"][2]["sent"]["status"], "delivered");
    let id = seen["data"][1]["heard"]["message"]["image"]["id"]
        .as_str()
        .unwrap();
    let path = format!("/_control/media/{id}");
    let (status, bytes) = world
        .raw("none", "GET", &path, "text/plain", Body::empty())
        .await;
    assert_eq!(status, 200);
    assert!(bytes.starts_with(b"\xff\xd8\xff"));
    assert_eq!(
        world
            .raw(
                "none",
                "GET",
                "/_control/media/9",
                "text/plain",
                Body::empty()
            )
            .await
            .0,
        404
    );
    let elsewhere = format!(
        "/_control/chat?person={ADA}&phone_number_id={}",
        universe::SPARE_NUMBER
    );
    assert_eq!(
        world.call("GET", &elsewhere, None).await.1["data"],
        json!([])
    );
}
