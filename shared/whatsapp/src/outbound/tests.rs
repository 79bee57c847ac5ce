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

/// The part of a message that says what it is: its kind, its object and what it quotes.
fn said(content: Content) -> Value {
    let outbound = Outbound {
        to: "+15550200002".to_owned(),
        content,
        context: Some("wamid.IN1".to_owned()),
        callback_data: "m:1".to_owned(),
    };
    let mut body = outbound.to_json();
    assert_eq!(body["context"], json!({"message_id": "wamid.IN1"}));
    let kind = body["type"].as_str().unwrap().to_owned();
    json!({kind.clone(): body[&kind].take()})
}

#[test]
fn files_are_shown_by_their_id_with_what_their_kind_takes() {
    let media = |kind, caption: Option<&str>, voice| {
        said(Content::Media {
            kind,
            media: UploadedMedia("9".to_owned()),
            caption: caption.map(str::to_owned),
            file_name: "menu.pdf".to_owned(),
            voice,
        })
    };
    use domain::media::MediaKind::{Audio, Document, Image, Sticker, Video};
    for (sent, expected) in [
        (
            media(Image, Some("Look"), false),
            json!({"image": {"id": "9", "caption": "Look"}}),
        ),
        (media(Video, None, false), json!({"video": {"id": "9"}})),
        (
            media(Audio, None, true),
            json!({"audio": {"id": "9", "voice": true}}),
        ),
        (media(Audio, None, false), json!({"audio": {"id": "9"}})),
        (
            media(Document, Some("Ours"), false),
            json!({"document": {"id": "9", "caption": "Ours", "filename": "menu.pdf"}}),
        ),
        (media(Sticker, None, false), json!({"sticker": {"id": "9"}})),
    ] {
        assert_eq!(sent, expected);
    }
}

#[test]
fn places_cards_and_reactions_leave_out_what_they_lack() {
    let place = Content::Location {
        latitude: -6.2,
        longitude: 106.8,
        name: Some("Depot".to_owned()),
        address: None,
    };
    assert_eq!(
        said(place),
        json!({"location": {"latitude": -6.2, "longitude": 106.8, "name": "Depot"}})
    );
    let card = json!([{"name": "Ada", "phones": ["+15550300003"], "company": "Example"}]);
    let cards = Content::Contacts(serde_json::from_value(card).unwrap());
    assert_eq!(
        said(cards),
        json!({"contacts": [{"name": {"formatted_name": "Ada", "first_name": "Ada"},
            "phones": [{"phone": "+15550300003"}], "org": {"company": "Example"}}]})
    );
    let reaction = |emoji: Option<&str>| Content::Reaction {
        wamid: "wamid.IN1".to_owned(),
        emoji: emoji.map(str::to_owned),
    };
    let removed = json!({"reaction": {"message_id": "wamid.IN1", "emoji": ""}});
    assert_eq!(said(reaction(None)), removed);
    assert_eq!(said(reaction(Some("👍")))["reaction"]["emoji"], "👍");
}

#[test]
fn what_can_be_pressed_or_chosen_is_sent_as_meta_wants_it() {
    let offer = |action| {
        said(Content::Interactive(Interactive {
            header: Some("Booking".to_owned()),
            text: "Keep it?".to_owned(),
            footer: None,
            action,
        }))["interactive"]
            .take()
    };
    let choice = |value: Value| serde_json::from_value(value).unwrap();
    let around = |kind: &str, action: Value| {
        json!({"type": kind, "header": {"type": "text", "text": "Booking"},
            "body": {"text": "Keep it?"}, "action": action})
    };
    let buttons = Action::Buttons(vec![choice(json!({"id": "keep", "title": "Keep"}))]);
    assert_eq!(
        offer(buttons),
        around(
            "button",
            json!({"buttons": [{"type": "reply", "reply": {"id": "keep", "title": "Keep"}}]})
        )
    );
    let sections = json!([{"rows": [{"id": "am", "title": "Morning", "description": "8 to 12"}]}]);
    let list = Action::List {
        button: "Times".to_owned(),
        sections: serde_json::from_value(sections.clone()).unwrap(),
    };
    assert_eq!(
        offer(list),
        around("list", json!({"button": "Times", "sections": sections}))
    );
    let link = Action::Link {
        label: "See dates".to_owned(),
        url: "https://shop.example/d".to_owned(),
    };
    let parameters = json!({"display_text": "See dates", "url": "https://shop.example/d"});
    assert_eq!(
        offer(link),
        around(
            "cta_url",
            json!({"name": "cta_url", "parameters": parameters})
        )
    );
}
