//! Meta's webhooks at the door, hostile ones among them, and what is kept of them.

use app::task::QueueName;
use axum::http::Method;
use serde_json::{Value, json};

use crate::support::journey::phone;
use crate::support::meta::{inbound, inbound_to, said};
use crate::support::{Caller, TestApp};

const PATH: &str = "/webhooks/whatsapp";

#[tokio::test]
async fn the_handshake_answers_the_challenge_only_for_the_right_token() {
    let t = TestApp::new().await;
    let token = &t.app.config.verify_token;
    let asked = |mode: &str, token: &str| {
        format!("{PATH}?hub.mode={mode}&hub.challenge=1158201444&hub.verify_token={token}")
    };
    let answer = Caller::anonymous()
        .get(&t, &asked("subscribe", token))
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.text.as_str()),
        (200, "1158201444")
    );
    Caller::anonymous()
        .get(&t, &asked("subscribe", "guess"))
        .await
        .expect(403);
    Caller::anonymous()
        .get(&t, &asked("unsubscribe", token))
        .await
        .expect(403);
    Caller::anonymous().get(&t, PATH).await.expect(422);
    t.finish().await;
}

#[tokio::test]
async fn what_meta_did_not_sign_is_refused_and_nothing_is_queued() {
    let t = TestApp::new().await;
    let body = br#"{"object":"whatsapp_business_account","entry":[]}"#.to_vec();
    let right = whatsapp::signature::sign(&t.app.config.app_secrets[0], &body);
    let other = whatsapp::signature::sign("another secret", &body);
    for signature in [
        None,
        Some(other.as_str()),
        Some(&right[..40]),
        Some("sha256=zz"),
        Some(""),
    ] {
        let header = signature.map(|value| ("x-hub-signature-256", value));
        Caller::anonymous()
            .raw(&t, Method::POST, PATH, header, body.clone())
            .await
            .expect(401);
    }
    let mut changed = body.clone();
    changed.push(b' ');
    let header = Some(("x-hub-signature-256", right.as_str()));
    Caller::anonymous()
        .raw(&t, Method::POST, PATH, header, changed)
        .await
        .expect(401);
    assert!(
        t.queue
            .stats(QueueName::Webhook)
            .await
            .unwrap()
            .is_at_rest()
    );
    Caller::anonymous()
        .raw(&t, Method::POST, PATH, header, body)
        .await
        .expect(200);
    assert_eq!(t.queue.stats(QueueName::Webhook).await.unwrap().ready, 1);
    t.drain().await;
    t.finish().await;
}

#[tokio::test]
async fn a_body_larger_than_meta_ever_sends_is_refused() {
    let t = TestApp::new().await;
    let body = vec![b' '; app::webhook::BODY_MAX + 1];
    let signature = whatsapp::signature::sign(&t.app.config.app_secrets[0], &body);
    let header = Some(("x-hub-signature-256", signature.as_str()));
    Caller::anonymous()
        .raw(&t, Method::POST, PATH, header, body)
        .await
        .expect(413);
    t.finish().await;
}

#[tokio::test]
async fn a_signed_body_that_is_not_json_is_parked_and_not_lost() {
    let mut t = TestApp::new().await;
    let body = b"{\"object\": \"whatsapp_business".to_vec();
    let signature = whatsapp::signature::sign(&t.app.config.app_secrets[0], &body);
    let header = Some(("x-hub-signature-256", signature.as_str()));
    Caller::anonymous()
        .raw(&t, Method::POST, PATH, header, body)
        .await
        .expect(200);
    t.drain().await;
    assert_eq!(t.queue.stats(QueueName::Webhook).await.unwrap().dead, 1);
    t.allow_leftovers();
}

/// Posts a body as Meta signs it; returns the status.
async fn signed(t: &TestApp, body: &[u8]) -> u16 {
    let signature = whatsapp::signature::sign(&t.app.config.app_secrets[0], body);
    let header = Some(("x-hub-signature-256", signature.as_str()));
    let nobody = Caller::anonymous();
    let answer = nobody.raw(t, Method::POST, PATH, header, body.to_vec());
    answer.await.status.as_u16()
}

#[tokio::test]
async fn without_a_secret_nothing_is_taken() {
    let t = TestApp::without_secret().await;
    let body = br#"{"entry":[]}"#;
    for secret in ["", "simulated-app-secret"] {
        let signature = whatsapp::signature::sign(secret, body);
        let header = Some(("x-hub-signature-256", signature.as_str()));
        Caller::anonymous()
            .raw(&t, Method::POST, PATH, header, body.to_vec())
            .await
            .expect(401);
    }
    t.finish().await;
}

#[tokio::test]
async fn ten_megabytes_are_refused_and_three_of_noise_travel_as_a_file() {
    let t = TestApp::quiet().await;
    let owner = t.owner("acme").await;
    t.connect(&owner).await;
    assert_eq!(signed(&t, &vec![b'['; 10 * 1024 * 1024]).await, 413);
    assert!(
        t.queue
            .stats(QueueName::Webhook)
            .await
            .unwrap()
            .is_at_rest()
    );
    // Random digits hardly compress, so this is more than a message of the queue takes.
    let mut state = 7_u64;
    let noise: String = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        char::from(33 + (state >> 57) as u8 % 58)
    })
    .filter(|character| *character != '\\' && *character != '"')
    .take(2_900_000)
    .collect();
    let mut message = said(&phone(1), "wamid.1", t.app.now().as_second(), "stop");
    message["noise"] = json!(noise);
    assert_eq!(signed(&t, &inbound(&[message])).await, 200);
    let queued = t
        .queue
        .receive(QueueName::Webhook, 1)
        .await
        .unwrap()
        .pop()
        .unwrap();
    assert!(queued.body.len() < 1000, "{}", queued.body);
    t.queue
        .retry(&queued, std::time::Duration::ZERO)
        .await
        .unwrap();
    t.drain().await;
    let contacts = owner.get(&t, "/v1/contacts").await.expect(200);
    assert_eq!(contacts["items"][0]["consent"], "opted_out");
    t.finish().await;
}

#[tokio::test]
async fn a_part_that_no_parser_takes_costs_only_itself() {
    let t = TestApp::quiet().await;
    let owner = t.owner("acme").await;
    t.connect(&owner).await;
    let at = t.app.now().as_second();
    let good: Vec<_> = (1..=3)
        .map(|n| said(&phone(n), &format!("wamid.{n}"), at, "Hi"))
        .collect();
    let body = String::from_utf8(inbound(&good)).unwrap();
    let deep = "[".repeat(5000) + &"]".repeat(5000);
    let huge = "9".repeat(400);
    for (nth, bad) in [
        format!(r#"{{"from": {deep}, "type": "text"}}"#),
        format!(r#"{{"from": "1", "timestamp": {huge}e999}}"#),
        r#"{"text": {"body": "cut \ud83d"}}"#.to_owned(),
        r#"null, 7, "text", [], {"type": "interactive", "from": "15550000000", "id": "w", "timestamp": "1"}"#
            .to_owned(),
    ]
    .iter()
    .enumerate()
    {
        let of_others = phone(10 + nth as u32);
        let body = body
            .replace("\"messages\":[", &format!("\"messages\":[{bad},"))
            .replace(phone(1).trim_start_matches('+'), of_others.trim_start_matches('+'))
            .replace("wamid.1", &format!("wamid.{nth}.1"));
        assert_eq!(signed(&t, body.as_bytes()).await, 200);
        t.drain().await;
        let found = format!("/v1/contacts?phone=%2B{}", of_others.trim_start_matches('+'));
        let found = owner.get(&t, &found).await.expect(200);
        assert_eq!(found["items"].as_array().unwrap().len(), 1, "{bad}");
    }
    // What is no text at all is still read where it is.
    let mut bytes = inbound(&[said(&phone(50), "wamid.50", at, "Hi")]);
    let place = bytes.windows(2).position(|pair| pair == b"Hi").unwrap();
    bytes[place] = 0xFF;
    assert_eq!(signed(&t, &bytes).await, 200);
    t.drain().await;
    let found = format!(
        "/v1/contacts?phone=%2B{}",
        phone(50).trim_start_matches('+')
    );
    let found = owner.get(&t, &found).await.expect(200);
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    assert_eq!(t.queue.stats(QueueName::Webhook).await.unwrap().dead, 0);
    t.finish().await;
}

#[tokio::test]
async fn a_field_of_one_kind_of_news_in_trouble_holds_up_nothing_else() {
    let t = TestApp::quiet().await;
    let owner = t.owner("acme").await;
    t.connect(&owner).await;
    let at = t.app.now().as_second();
    let mut body: Value =
        serde_json::from_slice(&inbound(&[said(&phone(1), "wamid.1", at, "Hi")])).unwrap();
    let entries = body["entry"].as_array_mut().unwrap();
    entries[0]["changes"].as_array_mut().unwrap().insert(
        0,
        json!({"field": "account_update", "value": {"event": 7, "ban_info": []}}),
    );
    entries.insert(0, json!({"id": {"a": 1}, "changes": 5}));
    entries.insert(
        0,
        json!({"id": "x".repeat(5000), "changes": [{"field": "messages", "value": {
        "metadata": {"phone_number_id": "y".repeat(5000)}, "statuses": [{"id": "w"}]}}]}),
    );
    entries.push(json!({"id": simulator::universe::WABA, "changes": [
        {"field": "holograms", "value": {"depth": 3}}, {"field": "flows", "value": null}]}));
    assert_eq!(signed(&t, body.to_string().as_bytes()).await, 200);
    t.drain().await;
    assert_eq!(t.queue.stats(QueueName::Webhook).await.unwrap().dead, 0);
    let contacts = owner.get(&t, "/v1/contacts").await.expect(200);
    assert_eq!(contacts["items"].as_array().unwrap().len(), 1);
    t.finish().await;
}

#[tokio::test]
async fn bodies_are_kept_and_can_be_applied_again_which_changes_nothing() {
    let t = TestApp::quiet().await;
    let owner = t.owner("acme").await;
    t.connect(&owner).await;
    let began = t.app.now();
    let at = began.as_second();
    // The number is not connected to anybody yet when this one comes in.
    let early = inbound_to(
        simulator::universe::SECOND_NUMBER,
        &[said(&phone(7), "wamid.7", at, "Hi")],
    );
    assert_eq!(signed(&t, &early).await, 200);
    t.hears(&[said(&phone(1), "wamid.1", at, "stop")]).await;
    let broken = b"{\"object\": \"whats\xFF";
    assert_eq!(signed(&t, broken).await, 200);
    t.drain_to(began + jiff::SignedDuration::from_secs(3)).await;
    let body = json!({"waba_id": simulator::universe::SECOND_WABA, "phone_number_id": simulator::universe::SECOND_NUMBER,
        "access_token": simulator::Settings::default().token});
    owner.post(&t, "/v1/channels", body).await.expect(201);
    t.advance(jiff::SignedDuration::from_secs(120));
    let replayed = app::webhook::replay(&t.app, began).await.unwrap();
    assert!(replayed.bodies >= 3, "{replayed:?}");
    t.drain().await;
    let contacts = owner.get(&t, "/v1/contacts").await.expect(200);
    let mut consents: Vec<_> = contacts["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|contact| contact["consent"].as_str().unwrap())
        .collect();
    consents.sort_unstable();
    assert_eq!(consents, ["opted_out", "subscribed"]);
    // What is replayed is not kept once more, and what is older than asked for stays where it is.
    let count = app::webhook::replay(&t.app, t.app.now()).await.unwrap();
    assert_eq!(count.bodies, 0);
    t.drain().await;
    let mut t = t;
    t.allow_leftovers();
}

#[tokio::test]
async fn bodies_of_the_refused_are_kept_nowhere() {
    let t = TestApp::quiet().await;
    let owner = t.owner("acme").await;
    t.connect(&owner).await;
    let began = t.app.now();
    let body = inbound(&[said(&phone(1), "wamid.1", began.as_second(), "Hi")]);
    let header = Some(("x-hub-signature-256", "sha256=00"));
    for cut in [&body[..], &body[..40], b"\xFF\xFE", b""] {
        Caller::anonymous()
            .raw(&t, Method::POST, PATH, header, cut.to_vec())
            .await
            .expect(401);
    }
    t.drain().await;
    assert_eq!(app::webhook::replay(&t.app, began).await.unwrap().bodies, 0);
    assert_eq!(
        owner.get(&t, "/v1/contacts").await.expect(200)["items"],
        json!([])
    );
    t.finish().await;
}

#[tokio::test]
async fn every_kind_of_message_takes_its_place_in_the_chat() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    let kinds = [
        json!({"type": "image", "image": {"id": "910000000000001", "mime_type": "image/jpeg", "sha256": "x", "caption": "Look"}}),
        json!({"type": "audio", "audio": {"id": "910000000000003", "mime_type": "audio/ogg; codecs=opus", "voice": true}}),
        json!({"type": "document", "document": {"id": "910000000000004", "filename": "cv.pdf"}}),
        json!({"type": "sticker", "sticker": {"id": "910000000000005", "animated": false}}),
        json!({"type": "location", "location": {"latitude": 40.001, "longitude": -3.702, "name": "Cafe"}}),
        json!({"type": "contacts", "contacts": [{"name": {"formatted_name": "Bob"}, "phones": [{"phone": "+1 555"}]}]}),
        json!({"type": "reaction", "reaction": {"message_id": "wamid.out", "emoji": "👍"}}),
        json!({"type": "interactive", "interactive": {"type": "list_reply", "list_reply": {"id": "t-am", "title": "Morning"}}}),
        json!({"type": "interactive", "interactive": {"type": "nfm_reply", "nfm_reply": {"name": "flow", "body": "Sent", "response_json": "{\"date\":\"2026-12-01\"}"}}}),
        json!({"type": "order", "order": {"catalog_id": "8", "product_items": [{"product_retailer_id": "sku-1", "quantity": 2, "item_price": 7.99, "currency": "USD"}]}}),
        json!({"type": "system", "system": {"type": "user_changed_number", "wa_id": "15550200009", "body": "changed"}}),
        json!({"type": "unsupported", "unsupported": {"type": "poll"}, "errors": [{"code": 131_051, "title": "unknown"}]}),
        json!({"type": "edit", "edit": {"original_message_id": "wamid.1", "message": {"type": "text", "text": {"body": "Hello!"}}}}),
        json!({"type": "revoke", "revoke": {"original_message_id": "wamid.1"}}),
        json!({"type": "hologram", "hologram": {"depth": 3}}),
    ];
    // The notice of a new number comes last: whoever writes from the old one after it is somebody else.
    let (notices, words): (Vec<_>, Vec<_>) = kinds.iter().partition(|it| it["type"] == "system");
    for messages in [words, notices] {
        for message in messages {
            let inbound = json!({"from": phone(1), "message": message});
            t.control(Method::POST, "/_control/inbound", inbound).await;
        }
        t.drain().await;
    }
    let contact = owner.get(&t, "/v1/contacts").await.expect(200)["items"][0].clone();
    let chat = t
        .chat(&owner, &channel, contact["id"].as_str().unwrap())
        .await;
    let page = owner
        .get(&t, &format!("/v1/chats/{chat}/messages"))
        .await
        .expect(200);
    let messages = page["items"].as_array().unwrap();
    let mut seen: Vec<_> = messages
        .iter()
        .map(|it| it["kind"].as_str().unwrap())
        .collect();
    let mut sent: Vec<_> = kinds
        .iter()
        .map(|it| it["type"].as_str().unwrap())
        .collect();
    seen.sort_unstable();
    sent.sort_unstable();
    assert_eq!(seen, sent);
    let of = |kind: &str| messages.iter().find(|it| it["kind"] == kind).unwrap();
    assert_eq!(of("image")["text"], "Look");
    assert_eq!(of("image")["content"]["id"], "910000000000001");
    assert_eq!(of("location")["content"]["name"], "Cafe");
    assert_eq!(of("reaction")["content"]["emoji"], "👍");
    assert_eq!(of("order")["content"]["items"][0]["product"], "sku-1");
    assert_eq!(of("hologram")["content"]["hologram"]["depth"], 3);
    t.finish().await;
}
