#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::contact::Attributes;

fn parse(conditions: &Value) -> Result<Filter, Vec<InvalidField>> {
    let forms: Vec<ConditionForm> = serde_json::from_value(conditions.clone()).unwrap();
    Filter::parse(&forms)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Whether a contact of this name and city, created at noon of 25 November, passes.
fn passes(name: Option<&str>, city: Option<&str>, conditions: &Value) -> bool {
    let attributes: Attributes = city
        .map(|city| ("city".to_owned(), city.to_owned()))
        .into_iter()
        .collect();
    let profile = Profile {
        name,
        phone: Some("+6281234567890"),
        attributes: Some(&attributes),
        ..Profile::default()
    };
    parse(conditions)
        .unwrap()
        .matches(&profile, at("2026-11-25T12:00:00Z"))
}

#[test]
fn texts_are_compared_whatever_their_case() {
    for (test, wanted, holds) in [
        ("is", "bandung", true),
        ("is", "Band", false),
        ("is_not", "Jakarta", true),
        ("is_not", "BANDUNG", false),
        ("contains", "DUN", true),
        ("contains", "dux", false),
        ("starts_with", "ban", true),
        ("starts_with", "and", false),
    ] {
        let conditions = json!([{"attribute": "city", test: wanted}]);
        assert_eq!(
            passes(None, Some("Bandung"), &conditions),
            holds,
            "{conditions}"
        );
    }
    assert!(passes(
        None,
        None,
        &json!([{"field": "phone", "starts_with": "+62"}])
    ));
}

#[test]
fn what_a_contact_does_not_have_is_no_text() {
    for (test, wanted, holds) in [
        ("is", json!("Bandung"), false),
        ("is_not", json!("Bandung"), true),
        ("contains", json!("a"), false),
        ("exists", json!(true), false),
        ("exists", json!(false), true),
        ("before", json!("2026-01-01"), false),
    ] {
        let conditions = json!([{"attribute": "city", test: wanted}]);
        assert_eq!(passes(None, None, &conditions), holds, "{conditions}");
    }
}

#[test]
fn every_condition_must_hold_and_none_lets_everybody_pass() {
    let both =
        json!([{"attribute": "city", "is": "Bandung"}, {"field": "name", "contains": "ayu"}]);
    assert!(passes(Some("Ayu Lestari"), Some("Bandung"), &both));
    assert!(!passes(Some("Ayu Lestari"), Some("Jakarta"), &both));
    assert!(!passes(Some("Budi"), Some("Bandung"), &both));
    assert!(passes(None, None, &json!([])));
}

#[test]
fn times_are_compared_by_the_instant_or_by_the_day() {
    for (test, wanted, holds) in [
        ("before", "2026-11-26", true),
        ("before", "2026-11-25", false),
        ("after", "2026-11-25", false),
        ("after", "2026-11-24", true),
        ("after", "2026-11-25T11:59:59Z", true),
        ("before", "2026-11-25T12:00:00Z", false),
        ("after", "2026-11-25T19:00:00+07:00", false),
    ] {
        let conditions = json!([{"field": "created_at", test: wanted}]);
        assert_eq!(passes(None, None, &conditions), holds, "{conditions}");
        // The same of an attribute that holds a time.
        let conditions = json!([{"attribute": "city", test: wanted}]);
        assert_eq!(
            passes(None, Some("2026-11-25T12:00:00Z"), &conditions),
            holds
        );
    }
    let conditions = json!([{"attribute": "city", "before": "2026-11-25"}]);
    assert!(passes(None, Some("2026-11-24"), &conditions));
    assert!(!passes(None, Some("soon"), &conditions));
}

#[test]
fn every_fault_names_its_field() {
    for (condition, field) in [
        (json!({"field": "city", "is": "x"}), "filter.0.field"),
        (
            json!({"attribute": "City", "is": "x"}),
            "filter.0.attribute",
        ),
        (json!({"is": "x"}), "filter.0"),
        (
            json!({"field": "name", "attribute": "city", "is": "x"}),
            "filter.0",
        ),
        (json!({"field": "name"}), "filter.0"),
        (
            json!({"field": "name", "is": "x", "is_not": "y"}),
            "filter.0",
        ),
        (json!({"field": "name", "is": " "}), "filter.0.is"),
        (
            json!({"field": "name", "before": "2026-11-25"}),
            "filter.0.before",
        ),
        (
            json!({"field": "created_at", "contains": "2026"}),
            "filter.0.contains",
        ),
        (
            json!({"field": "created_at", "exists": true}),
            "filter.0.exists",
        ),
        (
            json!({"field": "created_at", "after": "yesterday"}),
            "filter.0.after",
        ),
        (
            json!({"field": "created_at", "after": "2026-02-30"}),
            "filter.0.after",
        ),
    ] {
        let refused = parse(&json!([condition])).unwrap_err();
        let fields: Vec<_> = refused.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, [field], "{condition}");
    }
    let two = json!([{"field": "x", "is": "x"}, {"field": "name", "is": "x"}, {"attribute": "y"}]);
    assert_eq!(parse(&two).unwrap_err().len(), 2);
    let many = vec![json!({"field": "name", "is": "x"}); CONDITIONS_MAX + 1];
    assert_eq!(parse(&json!(many)).unwrap_err()[0].field, "filter");
    assert!(serde_json::from_value::<ConditionForm>(json!({"fields": "name"})).is_err());
}

fn a_test() -> impl Strategy<Value = (String, Value)> {
    let name = prop::sample::select(vec!["is", "is_not", "contains", "starts_with"]);
    prop_oneof![
        (name, "[a-cA-C]{1,3}").prop_map(|(name, text)| (name.to_owned(), json!(text))),
        any::<bool>().prop_map(|exists| ("exists".to_owned(), json!(exists))),
    ]
}

proptest! {
    #[test]
    fn a_filter_reads_back_from_what_is_stored(tests in prop::collection::vec(a_test(), 0..5)) {
        let conditions: Vec<Value> = tests
            .into_iter()
            .map(|(name, value)| json!({"attribute": "city", name: value}))
            .collect();
        let filter = parse(&json!(conditions)).unwrap();
        let stored = serde_json::to_value(&filter).unwrap();
        prop_assert_eq!(&stored, &json!(conditions));
        prop_assert_eq!(serde_json::from_value::<Filter>(stored).unwrap(), filter);
    }

    #[test]
    fn is_not_is_the_opposite_of_is(city in prop::option::of("[a-c]{0,2}"), wanted in "[a-cA-C]{1,2}") {
        let one = |test: &str| {
            passes(None, city.as_deref(), &json!([{"attribute": "city", test: &wanted}]))
        };
        prop_assert_ne!(one("is"), one("is_not"));
        // What is equal also begins with and contains it.
        prop_assert!(!one("is") || one("starts_with"));
        prop_assert!(!one("starts_with") || one("contains"));
    }

    #[test]
    fn a_further_condition_never_lets_more_people_pass(
        city in prop::option::of("[a-c]{1,3}"), one in a_test(), other in a_test(),
    ) {
        let condition = |(name, value): &(String, Value)| json!({"attribute": "city", name: value});
        let city = city.as_deref();
        let alone = passes(None, city, &json!([condition(&one)]));
        let other_alone = passes(None, city, &json!([condition(&other)]));
        let both = passes(None, city, &json!([condition(&one), condition(&other)]));
        prop_assert_eq!(both, alone && other_alone);
    }

    #[test]
    fn a_moment_is_never_both_before_and_after_another(
        one in 0_i64..2_000_000_000, other in 0_i64..2_000_000_000, day in any::<bool>(),
    ) {
        let moment = |seconds: i64, day: bool| {
            let instant = Moment::Instant(Timestamp::from_second(seconds).unwrap());
            if day { String::from(instant)[..10].parse::<Moment>().unwrap() } else { instant }
        };
        let (one, other) = (moment(one, day), moment(other, false));
        prop_assert!(!(one.is_before(&other) && other.is_before(&one)));
    }
}
