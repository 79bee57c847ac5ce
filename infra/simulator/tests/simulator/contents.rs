//! What a message says: every kind that is taken, and where Meta's limits end.

use serde_json::{Value, json};
use simulator::universe;

use crate::world::{World, code, settings, text};

const ADA: &str = "6281200000001";

async fn said(world: &World, kind: &str, content: &Value) -> (u16, u64) {
    let message = json!({"messaging_product": "whatsapp", "to": ADA, "type": kind, kind: content});
    let answer = world.send(message).await;
    if answer.0 == 200 {
        assert!(answer.1["messages"][0].get("message_status").is_none());
    }
    (answer.0.as_u16(), code(&answer))
}

/// Ada writes; the id of what she wrote.
async fn heard(world: &World) -> String {
    let wrote = json!({"from": ADA, "text": "Hello"});
    let answer = world.control("POST", "inbound", wrote).await;
    answer["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn each_kind_needs_what_makes_it_that_kind() {
    let world = World::new(settings()).await;
    let link = "https://cdn.example/a";
    let card = json!({"name": {"formatted_name": "Bob", "first_name": "Bob"}});
    let cards = |count| json!(vec![card.clone(); count]);
    let cases = [
        (
            "text",
            json!({"body": "x".repeat(4096), "preview_url": true}),
            0,
        ),
        ("text", json!({"body": "x".repeat(4097)}), 100),
        ("text", json!({"body": ""}), 131_008),
        ("text", json!({"body": "x", "preview_url": "yes"}), 100),
        (
            "image",
            json!({"link": link, "caption": "x".repeat(1024)}),
            0,
        ),
        ("video", json!({"link": link}), 0),
        ("audio", json!({"link": link, "voice": true}), 0),
        ("audio", json!({"link": link, "voice": "yes"}), 100),
        ("document", json!({"link": link, "filename": "a.pdf"}), 0),
        ("sticker", json!({"link": link}), 0),
        ("sticker", json!({"link": link, "caption": "x"}), 100),
        (
            "location",
            json!({"latitude": "1", "longitude": -180, "name": "Depot"}),
            0,
        ),
        ("location", json!({"latitude": 1}), 131_008),
        (
            "location",
            json!({"latitude": 90.5, "longitude": 2}),
            131_009,
        ),
        (
            "location",
            json!({"latitude": "north", "longitude": 2}),
            131_009,
        ),
        ("contacts", cards(257), 0),
        ("contacts", cards(258), 131_009),
        ("contacts", cards(0), 131_008),
        (
            "contacts",
            json!([{"name": {"formatted_name": "Bob"}}]),
            131_008,
        ),
        ("contacts", json!([{"phones": []}]), 131_008),
        (
            "reaction",
            json!({"message_id": "wamid.A", "emoji": "\u{1f44d}\u{1f3fd}"}),
            0,
        ),
        ("reaction", json!({"message_id": "wamid.A", "emoji": ""}), 0),
        (
            "reaction",
            json!({"message_id": "wamid.A", "emoji": "well done"}),
            131_009,
        ),
        ("reaction", json!({"emoji": "\u{1f44d}"}), 131_008),
        ("hologram", json!({}), 100),
    ];
    for (kind, content, expected) in cases {
        let (_, code) = said(&world, kind, &content).await;
        assert_eq!(code, expected, "{kind}");
        world.time.advance_us(6_000_000);
    }
}

/// An interactive message with this instead of what it usually has.
fn offer(kind: &str, action: &Value, instead: &Value) -> Value {
    let mut offer = json!({"type": kind, "body": {"text": "Pick"}, "action": action});
    for (field, value) in instead.as_object().unwrap() {
        offer[field] = value.clone();
    }
    offer
}

async fn offered(world: &World, cases: Vec<(Value, u64)>) {
    for (content, expected) in cases {
        let (status, code) = said(world, "interactive", &content).await;
        assert_eq!(code, expected, "{content}");
        assert_eq!(status, if expected == 0 { 200 } else { 400 });
        world.time.advance_us(6_000_000);
    }
}

#[tokio::test]
async fn buttons_keep_to_three_with_titles_of_twenty_characters() {
    let world = World::new(settings()).await;
    let button =
        |id: &str, title: &str| json!({"type": "reply", "reply": {"id": id, "title": title}});
    let of = |buttons: Vec<Value>| json!({"buttons": buttons});
    let one = of(vec![button("a", "Yes")]);
    let plain = |action: Value| offer("button", &action, &json!({}));
    let numbered = |count: usize| {
        let buttons = (0..count).map(|nth| button(&nth.to_string(), &format!("No {nth}")));
        of(buttons.collect())
    };
    offered(
        &world,
        vec![
            (plain(numbered(1)), 0),
            (plain(numbered(3)), 0),
            (plain(numbered(0)), 131_009),
            (plain(numbered(4)), 131_009),
            (plain(json!({})), 131_008),
            (plain(of(vec![button("a", &"é".repeat(20))])), 0),
            (plain(of(vec![button("a", &"x".repeat(21))])), 131_009),
            (plain(of(vec![button(&"x".repeat(257), "Yes")])), 131_009),
            (plain(of(vec![button(" a", "Yes")])), 131_009),
            (plain(of(vec![button("", "Yes")])), 131_008),
            (plain(of(vec![button("a", "Yes"), button("a", "No")])), 131_009),
            (plain(of(vec![button("a", "Yes"), button("b", "Yes")])), 131_009),
            (offer("button", &one, &json!({"body": {"text": "x".repeat(1025)}})), 131_009),
            (offer("button", &one, &json!({"footer": {"text": "x".repeat(61)}})), 131_009),
            (offer("button", &one, &json!({"header": {"type": "text", "text": "x".repeat(61)}})), 131_009),
            (offer("button", &one, &json!({"header": {"type": "image", "image": {"id": "1"}}})), 131_009),
            (offer("button", &one, &json!({"header": {"type": "image", "image": {"link": "https://cdn.example/a"}}})), 0),
            (offer("dance", &one, &json!({})), 131_009),
        ],
    )
    .await;
}

#[tokio::test]
async fn lists_keep_to_ten_rows_in_all_and_links_lead_somewhere() {
    let world = World::new(settings()).await;
    let row = |id: usize| json!({"id": id.to_string(), "title": format!("Row {id}")});
    let rows = |ids: std::ops::Range<usize>| ids.map(row).collect::<Vec<_>>();
    let list = |sections: Value| {
        offer(
            "list",
            &json!({"button": "Times", "sections": sections}),
            &json!({}),
        )
    };
    let with = |field: &str, value: String| {
        let mut row = row(1);
        row[field] = json!(value);
        list(json!([{"rows": [row]}]))
    };
    let one = json!({"button": "Times", "sections": [{"rows": rows(0..1)}]});
    let link = |label: &str, url: &str| {
        let parameters = json!({"display_text": label, "url": url});
        offer(
            "cta_url",
            &json!({"name": "cta_url", "parameters": parameters}),
            &json!({}),
        )
    };
    offered(
        &world,
        vec![
            (list(json!([{"rows": rows(0..10)}])), 0),
            (list(json!([{"rows": rows(0..11)}])), 131_009),
            (list(json!([{"title": "A", "rows": rows(0..5)}, {"title": "B", "rows": rows(5..10)}])), 0),
            (list(json!([{"title": "A", "rows": rows(0..6)}, {"title": "B", "rows": rows(6..11)}])), 131_009),
            (list(json!([{"rows": rows(0..1)}, {"title": "B", "rows": rows(1..2)}])), 131_008),
            (list(json!([{"title": "A", "rows": rows(0..1)}, {"title": "B", "rows": rows(0..1)}])), 131_009),
            (list(json!([{"rows": []}])), 131_009),
            (list(json!([])), 131_009),
            (with("title", "x".repeat(25)), 131_009),
            (with("description", "x".repeat(73)), 131_009),
            (with("id", "x".repeat(201)), 131_009),
            (offer("list", &one, &json!({"body": {"text": "x".repeat(4096)}})), 0),
            (offer("list", &one, &json!({"header": {"type": "image", "image": {}}})), 131_009),
            (offer("list", &json!({"button": "x".repeat(21), "sections": [{"rows": rows(0..1)}]}), &json!({})), 131_009),
            (link("See dates", "https://shop.example/d"), 0),
            (link(&"x".repeat(21), "https://shop.example/d"), 131_009),
            (link("See dates", "javascript:alert(1)"), 131_009),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_reaction_is_sent_and_no_more_and_one_to_nothing_fails() {
    let mut settings = settings();
    settings.timing.fail_share = 0.0;
    settings.timing.read_share = 1.0;
    let world = World::with_callback(settings).await;
    let target = heard(&world).await;
    let react = async |id: &str| {
        let reaction = json!({"message_id": id, "emoji": "\u{1f44d}"});
        assert_eq!(said(&world, "reaction", &reaction).await.0, 200);
        world.drain().await;
    };
    let told = || {
        let statuses = world.statuses().into_iter();
        let told = statuses.map(|(_, status)| {
            (
                status["status"].clone(),
                status["errors"][0]["code"].clone(),
            )
        });
        told.collect::<Vec<_>>()
    };
    react(&target).await;
    assert_eq!(told(), [(json!("sent"), Value::Null)]);
    react("wamid.AAAA").await;
    assert_eq!(told()[1..], [(json!("failed"), json!(131_009))]);
    world.time.advance_us(30 * 24 * 3_600_000_000 + 1);
    react(&target).await;
    assert_eq!(told()[2..], [(json!("failed"), json!(131_009))], "too old");
}

#[tokio::test]
async fn a_quote_of_what_is_gone_is_left_out() {
    let world = World::new(settings()).await;
    let target = heard(&world).await;
    let quoting = |id: &Value| {
        let mut message = text(ADA, "This one");
        message["context"] = json!({"message_id": id});
        message
    };
    assert_eq!(world.send(quoting(&json!(target))).await.0, 200);
    assert_eq!(world.send(quoting(&json!("wamid.AAAA"))).await.0, 200);
    assert_eq!(code(&world.send(quoting(&json!(7))).await), 131_009);
    let lines = world.call("GET", "/_control/messages", None).await.1;
    assert_eq!(lines["data"][1]["context"], target);
    assert_eq!(lines["data"][0]["context"], Value::Null);
}

#[tokio::test]
async fn what_a_person_wrote_is_marked_as_read_each_time_it_is_asked_for() {
    let world = World::new(settings()).await;
    let target = heard(&world).await;
    let mark = async |number: &str, receipt: Value| {
        let mut body = json!({"messaging_product": "whatsapp", "status": "read"});
        body.as_object_mut()
            .unwrap()
            .extend(receipt.as_object().unwrap().clone());
        let answer = world.send_from(number, body).await;
        (answer.0.as_u16(), code(&answer))
    };
    let number = universe::NUMBER;
    assert_eq!(mark(number, json!({"message_id": target})).await, (200, 0));
    let typing = json!({"message_id": target, "typing_indicator": {"type": "text"}});
    assert_eq!(mark(number, typing).await, (200, 0));
    for (number, receipt, expected) in [
        (number, json!({"message_id": "wamid.AAAA"}), 131_009),
        (
            universe::SPARE_NUMBER,
            json!({"message_id": target}),
            131_009,
        ),
        (number, json!({}), 131_008),
        (
            number,
            json!({"message_id": target, "typing_indicator": {"type": "voice"}}),
            131_009,
        ),
        (number, json!({"message_id": target, "to": ADA}), 100),
        (
            number,
            json!({"message_id": target, "status": "delivered"}),
            100,
        ),
    ] {
        assert_eq!(
            mark(number, receipt.clone()).await,
            (400, expected),
            "{receipt}"
        );
    }
    world.time.advance_us(30 * 24 * 3_600_000_000 + 1);
    assert_eq!(
        mark(number, json!({"message_id": target})).await.1,
        131_009,
        "too old"
    );
    let receipts = world.call("GET", "/_control/receipts", None).await.1;
    let typing: Vec<_> = receipts["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|told| told["typing"].clone())
        .collect();
    assert_eq!(
        typing,
        [false, true],
        "what was refused is not in the ledger"
    );

    let trusting = World::new(simulator::Settings {
        trusts_ids: true,
        ..settings()
    })
    .await;
    let receipt =
        json!({"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.AAAA"});
    assert_eq!(trusting.send(receipt).await.0, 200);
}
