#![allow(clippy::unwrap_used)]

use domain::id::MediaId;
use domain::template::{Components, HeaderInput, TemplateCategory, TemplateStatus};

use super::*;

fn template(parameter_format: ParameterFormat, components: Components) -> Template {
    Template {
        id: "600000000000001".to_owned(),
        name: "order_shipped".to_owned(),
        language: "en_US".to_owned(),
        status: TemplateStatus::Approved,
        category: TemplateCategory::Utility,
        parameter_format,
        components,
        quality: None,
        examples: Values::default(),
    }
}

fn sent(template: &Template, values: Value) -> Value {
    sent_with(template, None, values)
}

fn sent_with(
    template: &Template,
    header: Option<&HeaderContent<UploadedMedia>>,
    values: Value,
) -> Value {
    let values: Values = serde_json::from_value(values).unwrap();
    let outbound = Outbound {
        to: "+15550200002".to_owned(),
        content: Content::Template(TemplateMessage::new(template, header, &values, "r:42")),
        context: None,
        callback_data: "r:42".to_owned(),
    };
    outbound.to_json()
}

/// The header component of a message whose template has this header, given this content.
fn header(format: Header, input: Value, uploaded: Option<&str>) -> Value {
    let components = Components {
        header: Some(format),
        body: "Hello.".to_owned(),
        ..Components::default()
    };
    let template = template(ParameterFormat::Positional, components);
    let input: HeaderInput = serde_json::from_value(input).unwrap();
    let content = input.check(&template, None).unwrap();
    let content = content.with_media(uploaded.map(|id| UploadedMedia(id.to_owned())));
    let body = sent_with(&template, content.as_ref(), json!({}));
    body["template"]["components"].clone()
}

fn text(to: &str) -> Value {
    let content = Content::Text {
        body: "Hello".to_owned(),
        preview_url: true,
    };
    Outbound {
        to: to.to_owned(),
        content,
        context: None,
        callback_data: "m:1".to_owned(),
    }
    .to_json()
}

#[test]
fn a_text_is_sent_as_meta_wants_it() {
    assert_eq!(
        text("+15550200002"),
        json!({
            "messaging_product": "whatsapp", "recipient_type": "individual", "to": "+15550200002",
            "type": "text", "text": {"body": "Hello", "preview_url": true},
            "biz_opaque_callback_data": "m:1",
        })
    );
}

#[test]
fn a_person_with_a_hidden_number_is_addressed_by_their_id() {
    let body = text("US.70000000000000000002");
    assert_eq!(body["recipient"], "US.70000000000000000002");
    assert_eq!(body.get("to"), None);
    assert_eq!(text("15550200002").get("recipient"), None);
}

#[test]
fn numbered_variables_go_in_order_and_buttons_by_their_place_among_all() {
    let components = Components {
        header: Some(Header::Text {
            text: "Order {{1}}".to_owned(),
        }),
        body: "Hello {{1}}, it arrives on {{2}}.".to_owned(),
        footer: Some("Example Shop".to_owned()),
        buttons: vec![
            Button::QuickReply {
                text: "Stop".to_owned(),
            },
            Button::Url {
                text: "Track".to_owned(),
                url: "https://shop.example/{{1}}".to_owned(),
            },
            Button::CopyCode { text: None },
        ],
        unsupported: Vec::new(),
    };
    let body = sent(
        &template(ParameterFormat::Positional, components),
        json!({"header.1": "42", "body.1": "Ada", "body.2": "Friday", "button.1": "t-42", "button.2": "SAVE25"}),
    );
    assert_eq!(
        body["template"],
        json!({
            "name": "order_shipped", "language": {"code": "en_US"},
            "components": [
                {"type": "header", "parameters": [{"type": "text", "text": "42"}]},
                {"type": "body", "parameters": [
                    {"type": "text", "text": "Ada"}, {"type": "text", "text": "Friday"}]},
                {"type": "button", "sub_type": "quick_reply", "index": "0",
                 "parameters": [{"type": "payload", "payload": "r:42"}]},
                {"type": "button", "sub_type": "url", "index": "1",
                 "parameters": [{"type": "text", "text": "t-42"}]},
                {"type": "button", "sub_type": "copy_code", "index": "2",
                 "parameters": [{"type": "coupon_code", "coupon_code": "SAVE25"}]},
            ],
        })
    );
    assert_eq!(body["type"], "template");
    assert_eq!(body["biz_opaque_callback_data"], "r:42");
}

#[test]
fn named_variables_say_which_they_are_but_links_stay_numbered() {
    let components = Components {
        body: "Dear {{first_name}}, on {{eta}}.".to_owned(),
        buttons: vec![Button::Url {
            text: "Track".to_owned(),
            url: "https://shop.example/{{1}}".to_owned(),
        }],
        ..Components::default()
    };
    let body = sent(
        &template(ParameterFormat::Named, components),
        json!({"body.first_name": "Ada", "body.eta": "Friday", "button.0": "x"}),
    );
    assert_eq!(
        body["template"]["components"],
        json!([
            {"type": "body", "parameters": [
                {"type": "text", "parameter_name": "first_name", "text": "Ada"},
                {"type": "text", "parameter_name": "eta", "text": "Friday"}]},
            {"type": "button", "sub_type": "url", "index": "0",
             "parameters": [{"type": "text", "text": "x"}]},
        ])
    );
}

#[test]
fn a_template_without_variables_carries_no_components() {
    let components = Components {
        body: "Hello.".to_owned(),
        ..Components::default()
    };
    let body = sent(
        &template(ParameterFormat::Positional, components),
        json!({}),
    );
    assert_eq!(
        body["template"],
        json!({"name": "order_shipped", "language": {"code": "en_US"}})
    );
}

#[test]
fn a_file_at_the_top_goes_by_link_or_by_the_number_s_own_id() {
    assert_eq!(
        header(
            Header::Image,
            json!({"link": "https://cdn.example/h.jpg"}),
            None
        ),
        json!([{"type": "header", "parameters": [
            {"type": "image", "image": {"link": "https://cdn.example/h.jpg"}}]}])
    );
    let media = MediaId::fresh();
    assert_eq!(
        header(
            Header::Video,
            json!({"media": media}),
            Some("900000000000003")
        ),
        json!([{"type": "header", "parameters": [
            {"type": "video", "video": {"id": "900000000000003"}}]}])
    );
    assert_eq!(
        header(
            Header::Document,
            json!({"media": media, "file_name": "bill.pdf"}),
            Some("900000000000001")
        ),
        json!([{"type": "header", "parameters": [
            {"type": "document", "document": {"id": "900000000000001", "filename": "bill.pdf"}}]}])
    );
}

#[test]
fn a_place_at_the_top_goes_with_its_name_and_address() {
    let place =
        json!({"latitude": 40, "longitude": -3.7, "name": "Depot", "address": "1 Example St"});
    assert_eq!(
        header(Header::Location, place, None),
        json!([{"type": "header", "parameters": [{"type": "location", "location": {
            "latitude": "40", "longitude": "-3.7", "name": "Depot", "address": "1 Example St"}}]}])
    );
}

#[test]
fn a_quick_reply_carries_its_own_payload_or_names_the_message() {
    let components = Components {
        body: "Will you come?".to_owned(),
        buttons: ["Yes", "No"]
            .map(|text| Button::QuickReply {
                text: text.to_owned(),
            })
            .into(),
        ..Components::default()
    };
    let body = sent(
        &template(ParameterFormat::Positional, components),
        json!({"button.1": "declined"}),
    );
    assert_eq!(
        body["template"]["components"],
        json!([
            {"type": "button", "sub_type": "quick_reply", "index": "0",
             "parameters": [{"type": "payload", "payload": "r:42"}]},
            {"type": "button", "sub_type": "quick_reply", "index": "1",
             "parameters": [{"type": "payload", "payload": "declined"}]},
        ])
    );
}

#[test]
fn a_one_time_code_goes_into_the_body_and_the_button() {
    // After its creation Meta reports the copy button of an authentication template as a link.
    let components = Components {
        body: "{{1}} is your code.".to_owned(),
        buttons: vec![Button::Url {
            text: "Copy code".to_owned(),
            url: "https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}".to_owned(),
        }],
        ..Components::default()
    };
    let template = Template {
        category: TemplateCategory::Authentication,
        ..template(ParameterFormat::Positional, components)
    };
    let body = sent(&template, json!({"body.1": "482913"}));
    assert_eq!(
        body["template"]["components"],
        json!([
            {"type": "body", "parameters": [{"type": "text", "text": "482913"}]},
            {"type": "button", "sub_type": "url", "index": "0",
             "parameters": [{"type": "text", "text": "482913"}]},
        ])
    );
}
