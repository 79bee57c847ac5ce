//! Headers and buttons of templates: count, kind and source of every parameter.

use serde_json::{Value, json};

use crate::world::{World, code, settings};

fn send(name: &str, components: &Value) -> Value {
    json!({"messaging_product": "whatsapp", "to": "+6281200000001", "type": "template", "template":
        {"name": name, "language": {"code": "en_US"}, "components": components}})
}

fn header(kind: &str, content: &Value) -> Value {
    json!({"type": "header", "parameters": [{"type": kind, kind: content}]})
}

fn body(texts: &[&str]) -> Value {
    let parameters: Vec<_> = texts
        .iter()
        .map(|text| json!({"type": "text", "text": text}))
        .collect();
    json!({"type": "body", "parameters": parameters})
}

fn button(sub_type: &str, index: usize, parameter: &Value) -> Value {
    json!({"type": "button", "sub_type": sub_type, "index": index.to_string(), "parameters": [parameter]})
}

fn suffix(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

fn coupon(code: &str) -> Value {
    json!({"type": "coupon_code", "coupon_code": code})
}

fn payload(text: &str) -> Value {
    json!({"type": "payload", "payload": text})
}

#[tokio::test]
async fn the_file_of_a_header_is_of_the_templates_kind_and_has_one_source() {
    let world = World::new(settings()).await;
    let picture = json!({"link": "https://cdn.example/h.jpg"});
    let clip = json!({"link": "https://cdn.example/h.mp4"});
    let bill = json!({"link": "https://cdn.example/h.pdf", "filename": "bill.pdf"});
    let both = json!({"link": "https://cdn.example/h.pdf", "id": "900000000000001"});
    let invoice = body(&["Ada", "INV-42"]);
    let with = |header: &Value| json!([header, invoice]);
    let named = json!({"type": "body", "parameters": [
        {"type": "text", "parameter_name": "first_name", "text": "Ada"}]});
    let cases = [
        ("invoice_ready", with(&header("document", &bill)), 0),
        ("invoice_ready", with(&header("image", &picture)), 132_012),
        ("invoice_ready", json!([invoice]), 132_012),
        ("invoice_ready", with(&header("document", &both)), 132_012),
        (
            "invoice_ready",
            with(&header("document", &json!({}))),
            132_012,
        ),
        (
            "invoice_ready",
            with(&header(
                "document",
                &json!({"link": "http://cdn.example/h.pdf"}),
            )),
            131_009,
        ),
        (
            "invoice_ready",
            with(&header("document", &json!({"id": "900000000000001"}))),
            131_009,
        ),
        (
            "invoice_ready",
            json!([
                header("document", &bill),
                header("document", &bill),
                invoice
            ]),
            100,
        ),
        (
            "invoice_ready",
            json!([header("document", &bill), invoice, {"type": "footer"}]),
            100,
        ),
        ("factory_tour", json!([header("video", &clip), named]), 0),
        (
            "factory_tour",
            json!([header("image", &picture), named]),
            132_012,
        ),
    ];
    for (name, components, expected) in cases {
        let answer = world.send(send(name, &components)).await;
        assert_eq!(code(&answer), expected, "{name} {components}: {}", answer.1);
    }
}

#[tokio::test]
async fn each_button_takes_the_parameter_of_its_kind_at_its_place() {
    let world = World::new(settings()).await;
    let picture = header("image", &json!({"link": "https://cdn.example/h.jpg"}));
    let text = body(&["Ada", "25%"]);
    let code_button = button("copy_code", 0, &coupon("SAVE25"));
    let link = button("url", 1, &suffix("x1"));
    let answer = button("quick_reply", 3, &payload("STOP:42"));
    let with = |buttons: &[&Value]| {
        let mut components = vec![&picture, &text];
        components.extend(buttons);
        json!(components)
    };
    let two = json!({"type": "button", "sub_type": "copy_code", "index": 0,
        "parameters": [coupon("A"), coupon("B")]});
    let cases = [
        (with(&[&code_button, &link]), 0),
        (with(&[&link, &answer, &code_button]), 0),
        (with(&[&link]), 131_008),
        (with(&[&code_button]), 131_008),
        (with(&[&code_button, &link, &link]), 132_012),
        (
            with(&[&code_button, &button("url", 2, &suffix("x1"))]),
            132_012,
        ),
        (
            with(&[&code_button, &button("url", 9, &suffix("x1"))]),
            132_012,
        ),
        (
            with(&[&button("copy_code", 0, &suffix("SAVE25")), &link]),
            132_012,
        ),
        (
            with(&[&button("copy_code", 0, &coupon("")), &link]),
            132_012,
        ),
        (
            with(&[&button("copy_code", 0, &coupon("SAVE 25")), &link]),
            132_018,
        ),
        (
            with(&[&button("copy_code", 0, &coupon(&"A".repeat(21))), &link]),
            132_018,
        ),
        (with(&[&two, &link]), 132_000),
        (
            with(&[&code_button, &link, &button("quick_reply", 2, &suffix("x"))]),
            132_012,
        ),
        (
            with(&[
                &code_button,
                &link,
                &button("quick_reply", 2, &payload(&"x".repeat(257))),
            ]),
            132_018,
        ),
    ];
    for (components, expected) in cases {
        let answer = world.send(send("members_day", &components)).await;
        assert_eq!(code(&answer), expected, "{components}: {}", answer.1);
    }
}
