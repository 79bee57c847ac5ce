//! Sending: what is accepted, what is refused and with which code.

use serde_json::{Value, json};
use simulator::universe;

use crate::world::{World, code, settings, text};

fn template(name: &str, components: &Value) -> Value {
    json!({"messaging_product": "whatsapp", "to": "+6281200000001", "type": "template", "template":
        {"name": name, "language": {"code": "en_US"}, "components": components}})
}

fn body(texts: &[&str]) -> Value {
    let parameters: Vec<_> = texts
        .iter()
        .map(|text| json!({"type": "text", "text": text}))
        .collect();
    json!({"type": "body", "parameters": parameters})
}

#[tokio::test]
async fn the_eighty_first_message_within_a_second_is_refused() {
    let world = World::new(settings()).await;
    for person in 0..80 {
        let answer = world.send(text(&format!("+62812{person:07}"), "hi")).await;
        assert_eq!(answer.0, 200, "{}", answer.1);
        world.time.advance_us(1000);
    }
    // The first message went through 999.999 milliseconds ago.
    world.time.advance_us(919_999);
    let refused = world.send(text("+628129999999", "hi")).await;
    assert_eq!((refused.0.as_u16(), code(&refused)), (400, 130_429));
    world.time.advance_us(1);
    assert_eq!(world.send(text("+628129999999", "hi")).await.0, 200);
    let report = world.report().await;
    assert_eq!(report["accepted"], 81);
    assert_eq!(report["refused"], json!({"130429": 1}));
    assert_eq!(report["rate_per_second"], 80.0);
}

#[tokio::test]
async fn a_template_takes_exactly_the_parameters_it_has_places_for() {
    let world = World::new(settings()).await;
    let image = json!({"type": "header", "parameters": [{"type": "image", "image": {"link": "https://cdn.example/a.jpg"}}]});
    let url = json!({"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "x1"}]});
    let named = |name: &str| {
        json!({"type": "body", "parameters": [
            {"type": "text", "parameter_name": "city", "text": "Jakarta"},
            {"type": "text", "parameter_name": name, "text": "Ada"}]})
    };
    let long = "x".repeat(1100);
    let cases = [
        (
            "order_update",
            json!([body(&["Ada", "Acme", "Jakarta"])]),
            0,
        ),
        ("order_update", json!([body(&["Ada", "Acme"])]), 132_000),
        ("order_update", json!([]), 132_000),
        (
            "order_update",
            json!([body(&["Ada", "", "Jakarta"])]),
            131_008,
        ),
        (
            "order_update",
            json!([body(&["Ada", "a\nb", "Jakarta"])]),
            132_018,
        ),
        (
            "order_update",
            json!([body(&["Ada", "a\tb", "Jakarta"])]),
            132_018,
        ),
        (
            "order_update",
            json!([body(&["Ada", "a     b", "Jakarta"])]),
            132_018,
        ),
        (
            "order_update",
            json!([body(&["Ada", "a    b", "Jakarta"])]),
            0,
        ),
        (
            "order_update",
            json!([body(&["Ada", &long, "Jakarta"])]),
            132_005,
        ),
        (
            "order_update",
            json!([image, body(&["Ada", "Acme", "Jakarta"])]),
            132_000,
        ),
        ("welcome_named", json!([named("first_name")]), 0),
        ("welcome_named", json!([named("last_name")]), 132_012),
        ("spring_sale", json!([image, body(&["Ada", "20%"]), url]), 0),
        ("spring_sale", json!([body(&["Ada", "20%"]), url]), 132_012),
        (
            "spring_sale",
            json!([image, body(&["Ada", "20%"])]),
            131_008,
        ),
        ("paused_offer", json!([body(&["Ada"])]), 132_015),
        ("disabled_offer", json!([body(&["Ada"])]), 132_016),
        ("rejected_offer", json!([body(&["Ada"])]), 132_001),
        ("no_such_template", json!([]), 132_001),
        ("hello_world", json!([]), 0),
    ];
    for (name, components, expected) in cases {
        let answer = world.send(template(name, &components)).await;
        assert_eq!(code(&answer), expected, "{name} {components}: {}", answer.1);
        let http = match expected {
            0 => 200,
            132_001 => 404,
            _ => 400,
        };
        assert_eq!(answer.0, http);
    }
    let (_, lines) = world
        .call("GET", "/_control/messages?to=6281200000001", None)
        .await;
    let texts: Vec<_> = lines["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| &line["text"])
        .collect();
    assert!(texts.contains(&&json!(
        "Hello Ada, the order for Acme is on its way to Jakarta."
    )));
    assert!(texts.contains(&&json!("Welcome Ada! We now deliver in Jakarta every day.")));
}

#[tokio::test]
async fn the_first_check_that_fails_is_the_answer() {
    let world = World::new(settings()).await;
    let nonsense = json!({"to": "x", "type": "template"});
    let path = format!("/v26.0/{}/messages", universe::NUMBER);
    let stranger = world
        .call_as("other", "POST", "/v26.0/1/messages", Some(nonsense.clone()))
        .await;
    assert_eq!((stranger.0.as_u16(), code(&stranger)), (401, 190));
    let elsewhere = world
        .call("POST", "/v26.0/1/messages", Some(nonsense.clone()))
        .await;
    assert_eq!((elsewhere.0.as_u16(), code(&elsewhere)), (400, 100));
    assert_eq!(elsewhere.1["error"]["error_subcode"], 33);
    let shape = world.call("POST", &path, Some(nonsense)).await;
    assert_eq!(code(&shape), 100);
    assert_eq!(shape.1["error"]["fbtrace_id"].as_str().unwrap().len(), 23);

    let mut unknown = text("+6281200000001", "hi");
    unknown["colour"] = json!("red");
    assert_eq!(code(&world.send(unknown).await), 100);
    assert_eq!(code(&world.send(text("+6281200000001", "")).await), 131_008);
    assert_eq!(code(&world.send(text("someone", "hi")).await), 131_009);
    assert_eq!(
        code(&world.send(text("+1 555-010-0001", "hi")).await),
        131_021
    );
    assert_eq!(code(&world.call("GET", "/unknown", None).await), 2500);
    assert_eq!(world.report().await["accepted"], 0);
}

#[tokio::test]
async fn an_answer_takes_its_time_and_a_refusal_does_not() {
    let mut slow = settings();
    slow.answer_latency_ms = 1200;
    let world = World::new(slow).await;
    assert_eq!(
        code(&world.send(template("paused_offer", &json!([]))).await),
        132_015
    );

    let message = template("order_update", &json!([body(&["Ada", "Acme", "Jakarta"])]));
    let mut send = std::pin::pin!(world.send(message.clone()));
    assert!(futures::poll!(send.as_mut()).is_pending());
    assert_eq!(world.simulator.activity().requests_running, 0);
    world.time.advance_us(1_199_999);
    assert!(futures::poll!(send.as_mut()).is_pending());
    world.time.advance_us(1);
    assert_eq!(world.simulator.activity().requests_running, 1);
    let (status, answer) = send.await;
    assert_eq!(status, 200);
    assert_eq!(
        answer["contacts"],
        json!([{"input": "+6281200000001", "wa_id": "6281200000001"}])
    );
    assert_eq!(answer["messages"][0]["message_status"], "accepted");
    assert!(
        answer["messages"][0]["id"]
            .as_str()
            .unwrap()
            .starts_with("wamid.")
    );

    // A caller who hangs up has sent the message all the same.
    {
        let mut lost = std::pin::pin!(world.send(message));
        assert!(futures::poll!(lost.as_mut()).is_pending());
    }
    assert_eq!(world.simulator.activity().requests_running, 0);
    let report = world.report().await;
    assert_eq!(report["accepted"], 2);
}

#[tokio::test]
async fn the_ledger_counts_who_got_more_than_one_message() {
    let world = World::new(settings()).await;
    for to in ["+6281200000001", "6281200000002", "+62 812-0000-0001"] {
        assert_eq!(world.send(text(to, "hi")).await.0, 200);
    }
    let report = world.report().await;
    assert_eq!(report["accepted"], 3);
    assert_eq!(report["recipients"], 2);
    assert_eq!(report["recipients_with_more_than_one"], 1);
    let elsewhere = format!(
        "/_control/report?phone_number_id={}",
        universe::SPARE_NUMBER
    );
    assert_eq!(world.call("GET", &elsewhere, None).await.1["accepted"], 0);

    world.time.advance_us(5_000_000);
    world.send(text("+6281200000001", "hi")).await;
    let since = format!("/_control/report?since_ms={}", crate::world::START_MS + 1);
    let later = world.call("GET", &since, None).await.1;
    assert_eq!(later["accepted"], 1);
    assert_eq!(later["recipients_with_more_than_one"], 0);
    world.call("POST", "/_control/reset", None).await;
    assert_eq!(world.report().await["accepted"], 0);
    assert_eq!(world.simulator.activity().undelivered, 0);
}
