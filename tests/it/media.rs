//! Uploaded files: looked at before they are used, handed once to each number that shows them, and
//! again before WhatsApp forgets them.

use app::task::QueueName;
use axum::http::Method;
use domain::workspace::Permission;
use jiff::SignedDuration;
use serde_json::{Value, json};
use simulator::universe;

use crate::support::callers::Answer;
use crate::support::journey::{phone, text};
use crate::support::{Caller, TestApp};

pub(crate) const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR and so on";

/// Announces a file, and puts it where the answer says.
pub(crate) async fn upload(
    t: &TestApp,
    owner: &Caller,
    name: &str,
    mime_type: &str,
    file: &[u8],
) -> String {
    let media = announced(t, owner, name, mime_type, file.len()).await;
    let url = text(&media["upload"]["url"]);
    let path = url.strip_prefix(&t.app.config.public_url).unwrap();
    let nobody = Caller::anonymous();
    let put = nobody.raw(t, Method::PUT, path, None, file.to_vec()).await;
    assert!(put.status.is_success());
    text(&media["id"])
}

async fn announced(t: &TestApp, owner: &Caller, name: &str, mime_type: &str, size: usize) -> Value {
    let body = json!({"file_name": name, "mime_type": mime_type, "size": size});
    owner.post(t, "/v1/media", body).await.expect(201)
}

async fn media(t: &TestApp, owner: &Caller, id: &str) -> Value {
    owner.get(t, &format!("/v1/media/{id}")).await.expect(200)
}

/// A draft that shows this at the top.
async fn draft(t: &TestApp, owner: &Caller, channel: &str, group: &str, header: Value) -> Answer {
    let words = |value: &str| json!({"from": "text", "value": value});
    let template = t.template(owner, "spring_sale").await;
    let body = json!({"name": "Spring", "channel": channel, "template": template, "audience": {"groups": [group]},
        "header": header, "variables": {"body.1": words("Ada"), "body.2": words("20%"), "button.0": words("x")}});
    owner.post(t, "/v1/campaigns", body).await
}

/// A workspace with this many people and an uploaded picture.
async fn shop(t: &TestApp, people: u32) -> (Caller, String, String, String) {
    let (owner, campaign, group) = t.prepared(people).await;
    let channel = text(&t.campaign(&owner, &campaign).await["channel"]);
    let picture = upload(t, &owner, "menu.png", "image/png", PICTURE).await;
    (owner, channel, group, picture)
}

/// Starts a campaign that shows the picture, and returns its id.
async fn started(t: &TestApp, shop: &(Caller, String, String, String)) -> String {
    let (owner, channel, group, picture) = shop;
    let draft = draft(t, owner, channel, group, json!({"media": picture})).await;
    let id = text(&draft.expect(201)["id"]);
    t.start(owner, &id).await;
    id
}

#[tokio::test]
async fn an_uploaded_picture_is_handed_to_the_number_once_and_shown_to_everybody() {
    let t = TestApp::new().await;
    let shop = shop(&t, 230).await;
    let id = started(&t, &shop).await;
    t.drain().await;
    let figures = t.figures(&shop.0, &id).await;
    assert_eq!(
        (&figures["recipients"], &figures["pending"]),
        (&json!(230), &json!(0))
    );
    let ledger = t.ledger().await;
    assert_eq!(
        (&ledger["accepted"], &ledger["refused"]),
        (&json!(230), &json!({}))
    );
    assert_eq!(ledger["media"], 1, "three chunks began at once");
    let path = format!("/v1/campaigns/{id}/recipients");
    let recipients = shop.0.get(&t, &path).await.expect(200);
    let header = &recipients["items"][0]["message"]["header"];
    assert_eq!(*header, json!({"type": "image", "media": shop.3}));
    started(&t, &shop).await;
    t.drain().await;
    let ledger = t.ledger().await;
    assert_eq!(
        (&ledger["accepted"], &ledger["media"]),
        (&json!(460), &json!(1))
    );
    t.finish().await;
}

#[tokio::test]
async fn a_file_is_handed_over_anew_before_whatsapp_forgets_it() {
    let t = TestApp::new().await;
    let shop = shop(&t, 3).await;
    started(&t, &shop).await;
    t.drain().await;
    t.advance(SignedDuration::from_hours(28 * 24));
    started(&t, &shop).await;
    t.drain().await;
    assert_eq!(t.ledger().await["media"], 1, "two days are left");
    t.advance(SignedDuration::from_hours(24 + 12));
    started(&t, &shop).await;
    t.drain().await;
    let ledger = t.ledger().await;
    assert_eq!(ledger["media"], 2, "half a day is too little");
    assert_eq!(
        (&ledger["accepted"], &ledger["refused"]),
        (&json!(9), &json!({}))
    );
    t.finish().await;
}

#[tokio::test]
async fn each_number_is_handed_the_file_itself() {
    let t = TestApp::new().await;
    let shop = shop(&t, 2).await;
    started(&t, &shop).await;
    let body = json!({"waba_id": universe::WABA, "phone_number_id": universe::SPARE_NUMBER, "access_token": simulator::Settings::default().token});
    let other = shop.0.post(&t, "/v1/channels", body).await.expect(201);
    let other = (
        shop.0.clone(),
        text(&other["id"]),
        shop.2.clone(),
        shop.3.clone(),
    );
    started(&t, &other).await;
    t.drain().await;
    let ledger = t.ledger().await;
    assert_eq!(
        ledger["media"], 2,
        "a number cannot send what another was given"
    );
    assert_eq!(
        (&ledger["accepted"], &ledger["refused"]),
        (&json!(4), &json!({}))
    );
    t.finish().await;
}

#[tokio::test]
async fn a_sender_that_dies_while_it_hands_a_file_over_delays_the_campaign_and_no_more() {
    let t = TestApp::new().await;
    let shop = shop(&t, 120).await;
    let id = started(&t, &shop).await;
    t.run_once(QueueName::CampaignPlan).await;
    t.run_once(QueueName::CampaignDispatch).await;
    let sender = t.begin_one(QueueName::CampaignSend).await;
    t.go_on_until(async || t.ledger().await["media"] == 1).await;
    sender.abort();
    let _ = sender.await;
    t.drain().await;
    let ledger = t.ledger().await;
    assert_eq!(
        (
            &ledger["accepted"],
            &ledger["recipients_with_more_than_one"]
        ),
        (&json!(120), &json!(0))
    );
    assert_eq!(ledger["refused"], json!({}));
    let media = ledger["media"].as_u64().unwrap();
    assert!((1..=2).contains(&media), "{media}");
    assert_eq!(t.campaign(&shop.0, &id).await["state"], "completed");
    t.finish().await;
}

#[tokio::test]
async fn a_file_deleted_under_a_campaign_pauses_it_with_the_reason() {
    let t = TestApp::new().await;
    let shop = shop(&t, 2).await;
    let id = started(&t, &shop).await;
    let path = format!("/v1/media/{}", shop.3);
    shop.0.delete(&t, &path).await.expect(204);
    shop.0.get(&t, &path).await.expect(404);
    shop.0.delete(&t, &path).await.expect(404);
    t.drain().await;
    let campaign = t.campaign(&shop.0, &id).await;
    assert_eq!(campaign["state"], "paused");
    assert!(text(&campaign["reason"]).contains("deleted"), "{campaign}");
    assert_eq!(t.ledger().await["accepted"], 0);
    t.finish().await;
}

#[tokio::test]
async fn a_number_that_may_not_take_the_file_pauses_the_campaign_and_it_goes_on_after_the_cure() {
    let t = TestApp::new().await;
    let shop = shop(&t, 2).await;
    let id = started(&t, &shop).await;
    t.control(
        Method::PATCH,
        "/_control/switches",
        json!({"token_revoked": true}),
    )
    .await;
    t.drain().await;
    let campaign = t.campaign(&shop.0, &id).await;
    assert_eq!(campaign["state"], "paused");
    assert!(text(&campaign["reason"]).contains("access"), "{campaign}");
    t.control(
        Method::PATCH,
        "/_control/switches",
        json!({"token_revoked": false}),
    )
    .await;
    shop.0
        .post(&t, &format!("/v1/campaigns/{id}/resume"), Value::Null)
        .await
        .expect(202);
    t.drain().await;
    let ledger = t.ledger().await;
    assert_eq!(
        (&ledger["accepted"], &ledger["media"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(t.campaign(&shop.0, &id).await["state"], "completed");
    t.finish().await;
}

#[tokio::test]
async fn a_file_is_known_by_what_is_in_it_and_can_be_looked_at() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let waiting = announced(&t, &owner, "menu.png", "image/png", PICTURE.len()).await;
    assert_eq!(
        (&waiting["state"], &waiting["url"]),
        (&json!("waiting"), &Value::Null)
    );
    let waiting = media(&t, &owner, &text(&waiting["id"])).await;
    assert!(
        text(&waiting["reason"]).contains("not uploaded"),
        "{waiting}"
    );

    let picture = upload(&t, &owner, "menu.png", "image/png", PICTURE).await;
    let ready = media(&t, &owner, &picture).await;
    assert_eq!(
        (&ready["state"], &ready["kind"]),
        (&json!("ready"), &json!("image"))
    );
    let url = text(&ready["url"]);
    let path = url.strip_prefix(&t.app.config.public_url).unwrap();
    let shown = Caller::anonymous().get(&t, path).await;
    assert!(shown.status.is_success());
    assert!(
        shown.headers["content-disposition"]
            .to_str()
            .unwrap()
            .starts_with("inline")
    );
    assert_eq!(shown.headers["content-type"], "image/png");

    let false_name = upload(
        &t,
        &owner,
        "menu.png",
        "image/png",
        b"<script>alert(1)</script>",
    )
    .await;
    let refused = media(&t, &owner, &false_name).await;
    assert_eq!(
        (&refused["state"], &refused["url"]),
        (&json!("refused"), &Value::Null)
    );
    assert!(text(&refused["reason"]).contains("image/png"), "{refused}");
    t.finish().await;
}

#[tokio::test]
async fn an_agent_uploads_what_chats_take_and_each_is_looked_at() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let scopes = [Permission::ReadChats, Permission::WriteChats];
    let agent = t.key_with(&owner, &scopes).await;
    let opus = |channels: u8| {
        let mut page = b"OggS".to_vec();
        page.resize(28, 0);
        page.extend(b"OpusHead\x01");
        page.push(channels);
        page
    };
    let mut still = b"RIFF\x24\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0".to_vec();
    let mut moving = still.clone();
    moving[20] = 2;
    still.resize(101 << 10, 0);
    moving.resize(101 << 10, 0);
    let page = b"<html><script>alert(1)</script></html>".to_vec();
    for (name, mime_type, file, kind, fault) in [
        ("a.ogg", "audio/ogg; codecs=opus", opus(1), "audio", ""),
        ("a.ogg", "audio/ogg", opus(2), "audio", "mono"),
        ("a.webp", "image/webp", moving, "sticker", ""),
        ("a.webp", "image/webp", still, "sticker", "100 KB"),
        ("a.jpg", "image/jpeg", page, "image", "image/jpeg"),
    ] {
        let id = upload(&t, &agent, name, mime_type, &file).await;
        let media = media(&t, &agent, &id).await;
        let state = if fault.is_empty() { "ready" } else { "refused" };
        assert_eq!(
            (&media["state"], &media["kind"]),
            (&json!(state), &json!(kind)),
            "{media}"
        );
        assert!(
            media["reason"].as_str().unwrap_or_default().contains(fault),
            "{media}"
        );
        assert_eq!(media["url"].is_string(), fault.is_empty());
    }
    // Whoever only reads uploads nothing, and a campaign's file is not an agent's to delete.
    let reader = t.key_with(&owner, &[Permission::ReadChats]).await;
    let body = json!({"file_name": "a.png", "mime_type": "image/png", "size": 9});
    reader.post(&t, "/v1/media", body).await.expect(403);
    let path = format!(
        "/v1/media/{}",
        upload(&t, &agent, "a.png", "image/png", PICTURE).await
    );
    agent.delete(&t, &path).await.expect(403);
    t.finish().await;
}

#[tokio::test]
async fn what_whatsapp_does_not_show_is_refused_with_every_field() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let fields = async |body: Value| -> Vec<String> {
        let problem = owner.post(&t, "/v1/media", body).await.expect(422);
        let errors = problem["errors"].as_array().unwrap().iter();
        errors.map(|error| text(&error["field"])).collect()
    };
    let body = |name: &str, mime: &str, size: u64| json!({"file_name": name, "mime_type": mime, "size": size});
    assert_eq!(
        fields(body("../a", "image/gif", 0)).await,
        ["file_name", "mime_type", "size"]
    );
    assert_eq!(
        fields(body("a.jpg", "image/jpeg", (5 << 20) + 1)).await,
        ["size"]
    );
    let picture = owner
        .post(&t, "/v1/media", body("a.jpg", "image/jpeg", 6 << 20))
        .await;
    let problem = picture.expect(422);
    assert!(
        text(&problem["errors"][0]["message"]).contains("at most 5 MB"),
        "{problem}"
    );
    for (name, mime_type, most) in [
        ("a.mp4", "video/mp4", 16 << 20),
        ("a.mp3", "audio/mpeg", 16 << 20),
        ("a.webp", "image/webp", 500 << 10),
    ] {
        assert_eq!(fields(body(name, mime_type, most + 1)).await, ["size"]);
    }
    assert_eq!(
        fields(body("a.pdf", "application/pdf", (100 << 20) + 1)).await,
        ["size"]
    );
    t.finish().await;
}

#[tokio::test]
async fn a_campaign_takes_only_a_ready_file_of_the_right_kind_and_of_its_own_workspace() {
    let t = TestApp::new().await;
    let (owner, channel, group, _) = shop(&t, 1).await;
    let waiting = text(&announced(&t, &owner, "a.png", "image/png", 9).await["id"]);
    let document = upload(&t, &owner, "menu.pdf", "application/pdf", b"%PDF-1.7\n").await;
    let stranger = t.owner("stranger").await;
    let foreign = upload(&t, &stranger, "a.png", "image/png", PICTURE).await;
    for (media, word) in [
        (&waiting, "not uploaded"),
        (&document, "a document"),
        (&foreign, "no such file"),
    ] {
        let refused = draft(&t, &owner, &channel, &group, json!({"media": media}))
            .await
            .expect(422);
        assert_eq!(refused["errors"][0]["field"], "header.media");
        let message = text(&refused["errors"][0]["message"]);
        assert!(message.contains(word), "{message}");
    }
    // A document takes the name that it was uploaded under.
    let template = t.template(&owner, "invoice_ready").await;
    let words = json!({"from": "text", "value": "x"});
    let body = json!({"name": "x", "channel": channel, "template": template, "audience": {"groups": [group]},
        "header": {"media": document}, "variables": {"body.1": words, "body.2": words}});
    let campaign = owner.post(&t, "/v1/campaigns", body).await.expect(201);
    assert_eq!(campaign["header"]["file_name"], "menu.pdf");
    t.finish().await;
}

#[tokio::test]
async fn an_agent_sends_a_file_that_is_handed_over_once_and_can_be_looked_at() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    let contact = text(&t.contact(&owner, 1, &[]).await["id"]);
    let chat = t.chat(&owner, &channel, &contact).await;
    t.writes(&phone(1), "wamid.hello", "Hello?").await;
    let path = format!("/v1/chats/{chat}/messages");
    let say = async |media: &str, more: Value| {
        t.advance(SignedDuration::from_millis(1));
        let mut content = json!({"type": "media", "media": media});
        let more = more.as_object().cloned().unwrap_or_default();
        content.as_object_mut().unwrap().extend(more);
        owner.post(&t, &path, json!({"content": content})).await
    };
    let picture = upload(&t, &owner, "menu.png", "image/png", PICTURE).await;
    let document = upload(&t, &owner, "menu.pdf", "application/pdf", b"%PDF-1.7\n").await;
    let caption = json!({"caption": "The menu"});
    let first = text(&say(&picture, caption).await.expect(202)["id"]);
    say(&picture, Value::Null).await.expect(202);
    let last = text(&say(&document, Value::Null).await.expect(202)["id"]);
    t.drain().await;
    let ledger = t.ledger().await;
    assert_eq!(
        (&ledger["accepted"], &ledger["media"]),
        (&json!(3), &json!(2)),
        "{ledger}"
    );
    for (message, mime_type) in [(&first, "image/png"), (&last, "application/pdf")] {
        let link = owner.get(&t, &format!("{path}/{message}/media")).await;
        let link = link.expect(200);
        assert_eq!(link["mime_type"], mime_type);
        let shown = reqwest::get(text(&link["url"])).await.unwrap();
        assert_eq!(shown.headers()["content-type"], mime_type);
    }

    let page = b"<html><script>alert(1)</script></html>";
    let false_name = upload(&t, &owner, "a.jpg", "image/jpeg", page).await;
    let stranger = t.owner("stranger").await;
    let foreign = upload(&t, &stranger, "a.png", "image/png", PICTURE).await;
    let long = "x".repeat(1025);
    for (media, more, field, word) in [
        (&false_name, json!({}), "content.media", "image/jpeg"),
        (&foreign, json!({}), "content.media", "no such file"),
        (&picture, json!({"voice": true}), "content.voice", "Ogg"),
        (
            &picture,
            json!({ "caption": long }),
            "content.caption",
            "1024",
        ),
    ] {
        let problem = say(media, more).await.expect(422);
        let error = &problem["errors"][0];
        assert_eq!(error["field"], field, "{problem}");
        assert!(text(&error["message"]).contains(word), "{problem}");
    }
    t.finish().await;
}
