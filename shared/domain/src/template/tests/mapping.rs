//! Where values come from, and what a person without them is told.

use super::*;

struct Ada {
    name: Option<&'static str>,
}

impl Person for Ada {
    fn field(&self, field: ContactField) -> Option<&str> {
        match field {
            ContactField::Name => self.name,
            ContactField::FirstName => None,
            ContactField::Phone => Some("+15550200002"),
            ContactField::Email => Some("  "),
        }
    }

    fn attribute(&self, key: &str) -> Option<&str> {
        (key == "city").then_some("Lisbon\n\t Alfama")
    }
}

const ADA: Ada = Ada {
    name: Some("Ada Example"),
};

fn mapping(value: serde_json::Value) -> Mapping {
    serde_json::from_value(value).unwrap()
}

#[test]
fn a_text_that_fits_no_message_is_refused_wherever_it_stands() {
    let long = "x".repeat(super::BODY_LIMIT + 1);
    let source = |fallback: &str| Source::Field {
        field: ContactField::Name,
        fallback: Some(fallback.to_owned()),
    };
    let template = template("Hello {{1}}");
    let slot = template.slots().remove(0);
    let check = |source| Mapping([(slot.clone(), source)].into()).check(&template);
    assert_eq!(check(source("friend")), Ok(()));
    let refused = check(source(&long)).unwrap_err();
    let misfit = Misfit::TooLong;
    assert_eq!(
        refused,
        [MappingError::Unfit {
            slot: slot.clone(),
            misfit
        }]
    );
    assert!(check(Source::Text { value: long }).is_err());
}

#[test]
fn a_mapping_reads_and_writes_the_api_s_json() {
    let wire = json!({
        "body.1": {"from": "field", "field": "first_name", "fallback": "friend"},
        "body.2": {"from": "attribute", "key": "city"},
        "button.0": {"from": "text", "value": "42"},
    });
    assert_eq!(serde_json::to_value(mapping(wire.clone())).unwrap(), wire);
}

#[test]
fn a_mapping_refuses_what_it_does_not_know() {
    for wire in [
        json!({"body.1": {"from": "text", "value": "x", "fallbak": "y"}}),
        json!({"body.1": {"from": "field", "field": "shoe_size"}}),
        json!({"body.1": {"from": "weather"}}),
        json!({"footer.1": {"from": "text", "value": "x"}}),
    ] {
        assert!(
            serde_json::from_value::<Mapping>(wire.clone()).is_err(),
            "{wire}"
        );
    }
}

#[test]
fn checking_a_mapping_names_every_fault_by_its_field() {
    let mapping = mapping(json!({
        "header.1": {"from": "text", "value": " \n"},
        "body.1": {"from": "attribute", "key": " "},
        "body.9": {"from": "text", "value": "x"},
        "button.1": {"from": "text", "value": "x"},
    }));
    let errors = mapping.check(&full_template()).unwrap_err();
    let fields: Vec<_> = errors.iter().map(MappingError::field).collect();
    assert_eq!(
        fields,
        [
            "variables.body.2",
            "variables.button.3",
            "variables.header.1",
            "variables.body.1",
            "variables.body.9"
        ]
    );
    assert!(matches!(errors[0], MappingError::Missing { .. }));
    assert!(matches!(errors[2], MappingError::EmptyText { .. }));
    assert!(matches!(errors[4], MappingError::Unknown { .. }));
}

#[test]
fn filling_takes_fields_attributes_and_fallbacks_and_cleans_them() {
    let template = template("{{1}} {{2}} {{3}} {{4}}");
    let mapping = mapping(json!({
        "body.1": {"from": "field", "field": "name"},
        "body.2": {"from": "attribute", "key": "city"},
        "body.3": {"from": "field", "field": "email", "fallback": " no   mail "},
        "body.4": {"from": "text", "value": "a\r\nb"},
    }));
    assert_eq!(mapping.check(&template), Ok(()));
    assert_eq!(
        mapping.fill(&template, &ADA).unwrap(),
        values(&[
            ("body.1", "Ada Example"),
            ("body.2", "Lisbon Alfama"),
            ("body.3", "no mail"),
            ("body.4", "a b"),
        ])
    );
}

#[test]
fn a_person_without_a_value_or_a_fallback_is_reported_with_the_slot() {
    let template = template("Hello {{1}}");
    let mapping = mapping(json!({"body.1": {"from": "field", "field": "name", "fallback": " "}}));
    let slot = slot("body.1");
    let nobody = Ada { name: Some("\t") };
    assert_eq!(
        mapping.fill(&template, &nobody),
        Err(Unfillable::MissingValue { slot })
    );
}

#[test]
fn a_body_may_be_filled_up_to_the_limit_and_no_further() {
    let template = template("Hi {{1}}");
    let text =
        |length: usize| mapping(json!({"body.1": {"from": "text", "value": "é".repeat(length)}}));
    let fits = text(BODY_LIMIT - 3);
    assert!(fits.fill(&template, &ADA).is_ok() && fits.check(&template).is_ok());
    let length = BODY_LIMIT + 1;
    let too_long = text(BODY_LIMIT - 2);
    assert_eq!(
        too_long.fill(&template, &ADA),
        Err(Unfillable::BodyTooLong { length })
    );
    let faults = too_long.check(&template).unwrap_err();
    assert_eq!(faults[0].field(), "variables.body.1");
}

#[test]
fn a_header_of_text_may_be_filled_up_to_its_own_limit() {
    let mut template = template("Hi");
    template.components.header = Some(Header::Text {
        text: "Order {{1}}".to_owned(),
    });
    let text =
        |length: usize| mapping(json!({"header.1": {"from": "text", "value": "é".repeat(length)}}));
    assert!(text(HEADER_LIMIT - 6).fill(&template, &ADA).is_ok());
    let length = HEADER_LIMIT + 1;
    let too_long = text(HEADER_LIMIT - 5);
    assert_eq!(
        too_long.fill(&template, &ADA),
        Err(Unfillable::HeaderTooLong { length })
    );
    let faults = too_long.check(&template).unwrap_err();
    assert_eq!(faults[0].field(), "variables.header.1");
}

/// A template with a link to be ended, a code to copy and a quick reply.
fn with_buttons() -> Template {
    let mut template = template("Hi");
    template.components.buttons = vec![
        Button::Url {
            text: "Track".to_owned(),
            url: "https://shop.example/{{1}}".to_owned(),
        },
        Button::CopyCode { text: None },
        Button::QuickReply {
            text: "Yes".to_owned(),
        },
    ];
    template
}

#[test]
fn what_no_button_takes_is_refused_when_it_is_written() {
    let template = with_buttons();
    let faults = |link: &str, code: &str, payload: &str| -> Vec<_> {
        let mapping = mapping(json!({
            "button.0": {"from": "text", "value": link},
            "button.1": {"from": "field", "field": "email", "fallback": code},
            "button.2": {"from": "text", "value": payload},
        }));
        let faults = mapping.check(&template).err().unwrap_or_default();
        faults.iter().map(MappingError::field).collect()
    };
    let limit = 2000 - "https://shop.example/".len();
    let payload = "p".repeat(256);
    assert!(faults("t/42?a=b%20c#top", "SAVE25", "yes, please").is_empty());
    assert!(faults(&"x".repeat(limit), &"A".repeat(20), &payload).is_empty());
    for link in [
        "a b",
        "ä",
        "50%",
        "%zz",
        "a\"b",
        "<x>",
        "a\\b",
        &"x".repeat(limit + 1),
    ] {
        assert_eq!(
            faults(link, "SAVE25", "yes"),
            ["variables.button.0"],
            "{link}"
        );
    }
    for code in ["SAVE 25", "SAVE-25", "RÉDUC", &"A".repeat(21)] {
        assert_eq!(faults("x", code, "yes"), ["variables.button.1"], "{code}");
    }
    let payload = "p".repeat(257);
    assert_eq!(faults("x", "SAVE25", &payload), ["variables.button.2"]);
}

#[test]
fn a_person_whose_value_no_button_takes_is_told_apart_and_a_missing_payload_is_none() {
    let template = with_buttons();
    let filled = |link: &str| {
        mapping(json!({
            "button.0": {"from": "attribute", "key": link},
            "button.1": {"from": "text", "value": "SAVE25"},
            "button.2": {"from": "attribute", "key": "absent"},
        }))
        .fill(&template, &ADA)
    };
    assert!(matches!(
        filled("city"),
        Err(Unfillable::Unfit {
            slot: Slot::Button(0),
            misfit: Misfit::NotInALink
        })
    ));
    let slot = slot("button.0");
    assert_eq!(filled("absent"), Err(Unfillable::MissingValue { slot }));
    let mapping = mapping(json!({
        "button.0": {"from": "text", "value": "x"}, "button.1": {"from": "text", "value": "SAVE25"},
    }));
    assert_eq!(mapping.check(&template), Ok(()));
    let filled = mapping.fill(&template, &ADA).unwrap();
    assert_eq!(filled, values(&[("button.0", "x"), ("button.1", "SAVE25")]));
}

#[test]
fn an_example_stands_in_where_a_trial_has_nobody_s_values() {
    let mut template = template("{{1}} {{2}} {{3}}");
    template.examples = values(&[("body.1", "Ada"), ("body.2", "Friday")]);
    let mapping = mapping(json!({
        "body.1": {"from": "attribute", "key": "absent", "fallback": "friend"},
        "body.2": {"from": "attribute", "key": "absent"},
        "body.3": {"from": "attribute", "key": "city"},
    }));
    assert_eq!(
        mapping.fill_or_example(&template, &ADA).unwrap(),
        values(&[
            ("body.1", "friend"),
            ("body.2", "Friday"),
            ("body.3", "Lisbon Alfama")
        ])
    );
    template.examples = Values::default();
    let slot = slot("body.2");
    assert_eq!(
        mapping.fill_or_example(&template, &ADA),
        Err(Unfillable::MissingValue { slot })
    );
}
