//! The rules of templates, each as a sentence.

#![allow(clippy::unwrap_used)]

mod header;
mod mapping;
mod properties;

use serde_json::json;

use super::*;

fn template(body: &str) -> Template {
    Template {
        id: "600000000000001".to_owned(),
        name: "order_shipped".to_owned(),
        language: "en_US".to_owned(),
        status: TemplateStatus::Approved,
        category: TemplateCategory::Utility,
        parameter_format: ParameterFormat::Positional,
        components: Components {
            body: body.to_owned(),
            ..Components::default()
        },
        quality: None,
        examples: Values::default(),
    }
}

fn full_template() -> Template {
    let mut template = template("Hello {{2}}, {{1}} and again {{2}}.");
    template.components.header = Some(Header::Text {
        text: "Order {{1}}".to_owned(),
    });
    template.components.footer = Some("Example Shop {{1}}".to_owned());
    template.components.buttons = vec![
        Button::QuickReply {
            text: "Stop".to_owned(),
        },
        Button::Url {
            text: "Track".to_owned(),
            url: "https://shop.example/t/{{1}}".to_owned(),
        },
        Button::Url {
            text: "Shop".to_owned(),
            url: "https://shop.example/".to_owned(),
        },
        Button::CopyCode { text: None },
    ];
    template
}

fn slot(text: &str) -> Slot {
    text.parse().unwrap()
}

fn slots(template: &Template) -> Vec<String> {
    template.slots().iter().map(Slot::to_string).collect()
}

fn values(pairs: &[(&str, &str)]) -> Values {
    Values(
        pairs
            .iter()
            .map(|(at, value)| (slot(at), (*value).to_owned()))
            .collect(),
    )
}

#[test]
fn a_template_lists_every_variable_once_in_the_order_a_form_asks() {
    assert_eq!(
        slots(&full_template()),
        ["header.1", "body.1", "body.2", "button.1", "button.3"]
    );
    let optional = full_template().optional_slots();
    assert_eq!(optional, [slot("button.0")], "a payload may be left out");
}

#[test]
fn a_one_time_code_is_asked_for_once_and_stands_on_the_button_too() {
    let mut template = template("{{1}} is your code.");
    template.category = TemplateCategory::Authentication;
    template.components.buttons = vec![Button::Url {
        text: "Copy code".to_owned(),
        url: "https://www.whatsapp.com/otp/code/?code=otp{{1}}".to_owned(),
    }];
    assert_eq!(slots(&template), ["body.1"]);
    let rendered = render(&template, None, &values(&[("body.1", "482913")]));
    assert_eq!(
        rendered.buttons[0].value.as_deref(),
        Some("https://www.whatsapp.com/otp/code/?code=otp482913")
    );
}

#[test]
fn named_variables_come_in_reading_order() {
    let named = template("Dear {{first_name}}, on {{eta}}: {{ first_name }} {{not a name}} {{}}");
    assert_eq!(slots(&named), ["body.first_name", "body.eta"]);
}

#[test]
fn the_tenth_variable_comes_after_the_second() {
    let text = "{{10}} {{2}} {{1}}";
    assert_eq!(slots(&template(text)), ["body.1", "body.2", "body.10"]);
    assert!(slot("body.2") < slot("body.10"));
}

#[test]
fn a_slot_has_one_spelling_only() {
    for text in [
        "header.1",
        "body.12",
        "body.first_name",
        "body.007",
        "button.0",
    ] {
        assert_eq!(slot(text).to_string(), text);
    }
    for text in [
        "",
        "body",
        "body.",
        "footer.1",
        "button.x",
        "button.00",
        "button.+1",
        "body.a b",
        "body.1.2",
    ] {
        assert!(text.parse::<Slot>().is_err(), "{text}");
    }
}

#[test]
fn values_are_stored_as_a_plain_object() {
    let values = values(&[("body.1", "Ada"), ("button.0", "42")]);
    let wire = json!({"body.1": "Ada", "button.0": "42"});
    assert_eq!(serde_json::to_value(&values).unwrap(), wire);
    assert_eq!(serde_json::from_value::<Values>(wire).unwrap(), values);
}

#[test]
fn a_template_renders_as_it_will_be_read() {
    let rendered = render(
        &full_template(),
        None,
        &values(&[
            ("header.1", "42"),
            ("body.1", "Friday"),
            ("body.2", "{{1}}"),
            ("button.1", "abc"),
            ("button.3", "SAVE25"),
        ]),
    );
    let header = serde_json::to_value(&rendered.header).unwrap();
    assert_eq!(header, json!({"type": "text", "text": "Order 42"}));
    assert_eq!(rendered.body, "Hello {{1}}, Friday and again {{1}}.");
    assert_eq!(rendered.footer.as_deref(), Some("Example Shop {{1}}"));
    let pressed: Vec<_> = rendered
        .buttons
        .iter()
        .map(|b| b.value.as_deref())
        .collect();
    assert_eq!(
        pressed,
        [
            None,
            Some("https://shop.example/t/abc"),
            Some("https://shop.example/"),
            Some("SAVE25")
        ]
    );
}

#[test]
fn a_variable_without_a_value_stays_visible() {
    let rendered = render(&template("Hello {{ name }}"), None, &Values::default());
    assert_eq!(rendered.body, "Hello {{ name }}");
}

#[test]
fn a_template_survives_being_stored() {
    let mut template = full_template();
    template.status = TemplateStatus::Other("quarantined".to_owned());
    let stored = serde_json::to_value(&template).unwrap();
    assert_eq!(stored["status"], "quarantined");
    assert_eq!(stored["category"], "utility");
    assert_eq!(stored["components"]["buttons"][0]["type"], "quick_reply");
    assert_eq!(
        serde_json::from_value::<Template>(stored).unwrap(),
        template
    );
}

#[test]
fn words_are_read_in_any_case() {
    assert_eq!(TemplateStatus::from("IN_APPEAL"), TemplateStatus::InAppeal);
    assert_eq!(
        TemplateCategory::from("Marketing"),
        TemplateCategory::Marketing
    );
}

#[test]
fn only_an_approved_template_of_known_parts_can_be_sent() {
    assert_eq!(sendable(&full_template()), Ok(()));

    let mut paused = full_template();
    paused.status = TemplateStatus::Paused;
    let words = sendable(&paused).unwrap_err().to_string();
    assert!(
        words.ends_with("it is paused because of low quality"),
        "{words}"
    );

    for header in [
        Header::Image,
        Header::Video,
        Header::Document,
        Header::Location,
    ] {
        let mut with_file = full_template();
        with_file.components.header = Some(header);
        assert_eq!(sendable(&with_file), Ok(()));
    }

    let mut carousel = full_template();
    carousel.components.unsupported = vec!["limited_time_offer".to_owned()];
    let words = sendable(&carousel).unwrap_err().to_string();
    assert!(words.contains("\"limited time offer\""), "{words}");

    for (kind, allowed) in [("flow", false), ("otp", false), ("voice_call", true)] {
        let mut other = full_template();
        other.components.buttons = vec![Button::Other {
            kind: kind.to_owned(),
            text: String::new(),
        }];
        assert_eq!(sendable(&other).is_ok(), allowed, "{kind}");
    }
}
