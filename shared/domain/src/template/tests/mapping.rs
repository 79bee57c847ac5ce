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
    assert_eq!(refused, [MappingError::TextTooLong { slot: slot.clone() }]);
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
    let filled = |length: usize| {
        mapping(json!({"body.1": {"from": "text", "value": "é".repeat(length)}}))
            .fill(&template, &ADA)
    };
    assert!(filled(BODY_LIMIT - 3).is_ok());
    let length = BODY_LIMIT + 1;
    assert_eq!(
        filled(BODY_LIMIT - 2),
        Err(Unfillable::BodyTooLong { length })
    );
}
