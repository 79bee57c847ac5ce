#![allow(clippy::unwrap_used)]

use ErrorClass::{DropPerson, HoldPerson, Slow, StopCampaign, Unclear};

use super::*;

/// Every code Meta documents, by the class it must have whatever the HTTP status says.
const SLOW: &[i64] = &[4, 80007, 130429, 131057, 2494100];
const HOLD: &[i64] = &[131056];
const UNCLEAR: &[i64] = &[1, 2, 131000, 131016, 133004];
const DROP: &[i64] = &[
    100, 130403, 130472, 130497, 131008, 131009, 131021, 131026, 131030, 131047, 131049, 131050,
    131051, 131052, 131053, 131059, 131060, 131062, 132005, 132007, 132008, 132018, 135000, 137000,
    139000, 139001, 139002, 139003, 139004, 139100, 139101, 139102, 139103, 139200,
];
const STOP: &[i64] = &[
    0, 3, 10, 33, 102, 104, 190, 200, 201, 250, 299, 368, 131005, 131031, 131037, 131042, 131044,
    131045, 131048, 131055, 131058, 131061, 131063, 131064, 132000, 132001, 132012, 132015, 132016,
    132068, 132069, 134011, 134100, 134101, 134102, 133000, 133005, 133006, 133008, 133009, 133010,
    133015, 133016, 136024, 136025, 141002, 147001, 147005, 2388001, 2388012, 2388091, 2388093,
    2388103, 2593107, 2593108, 2593109,
];

fn every_code() -> impl Iterator<Item = (i64, ErrorClass)> {
    let lists = [(SLOW, Slow), (HOLD, HoldPerson), (UNCLEAR, Unclear)];
    let ends = [(DROP, DropPerson), (STOP, StopCampaign)];
    let lists = lists.into_iter().chain(ends);
    lists.flat_map(|(codes, class)| codes.iter().map(move |code| (*code, class)))
}

#[test]
fn every_documented_code_has_its_class_whatever_the_http_status() {
    for (code, expected) in every_code() {
        for http_status in [None, Some(400), Some(403), Some(429), Some(500), Some(503)] {
            assert_eq!(class(code, None, http_status), expected, "{code}");
        }
    }
}

#[test]
fn every_documented_code_has_words_of_its_own() {
    let fallback = reason(i64::MAX);
    for (code, _) in every_code() {
        let words = reason(code);
        assert_ne!(words, fallback, "{code}");
        assert!(
            words.ends_with('.') && !words.contains("131"),
            "{code}: {words}"
        );
    }
}

#[test]
fn an_invalid_parameter_is_one_message_s_trouble_but_a_missing_number_is_everybody_s() {
    assert_eq!(class(100, None, Some(400)), DropPerson);
    assert_eq!(class(100, Some(2388040), Some(400)), DropPerson);
    assert_eq!(class(100, Some(33), Some(400)), StopCampaign);
}

#[test]
fn an_unknown_code_is_judged_by_its_http_status() {
    assert_eq!(class(999_999, None, Some(400)), DropPerson);
    assert_eq!(class(999_999, None, Some(404)), DropPerson);
    assert_eq!(class(999_999, None, Some(401)), StopCampaign);
    assert_eq!(class(999_999, None, Some(403)), StopCampaign);
    assert_eq!(class(999_999, None, Some(429)), Slow);
    assert_eq!(class(999_999, None, Some(500)), Unclear);
    assert_eq!(class(999_999, None, None), DropPerson);
}

#[test]
fn a_message_held_back_for_the_person_s_sake_is_offered_after_a_day_and_an_opt_out_never() {
    assert_eq!(again(131049), Again::AfterADay);
    assert_eq!(again(131050), Again::Never);
    assert_eq!(again(131016), Again::Anytime);
}

#[test]
fn an_envelope_is_read_with_everything_it_may_hold() {
    let body =
        br##"{"error":{"message":"(#131009) Parameter value is not valid","type":"OAuthException",
        "code":131009,"error_subcode":2494010,"fbtrace_id":"AxFictionalTrace01",
        "error_data":{"messaging_product":"whatsapp","details":"the field at fault"}}}"##;
    let error = MetaError::parse(400, body).unwrap();
    assert_eq!((error.code, error.subcode), (131009, Some(2494010)));
    assert_eq!(error.message, "(#131009) Parameter value is not valid");
    assert_eq!(error.details.as_deref(), Some("the field at fault"));
    assert_eq!(error.fbtrace_id.as_deref(), Some("AxFictionalTrace01"));
    assert!(
        !error.to_string().contains("field at fault"),
        "details are not for logs"
    );
}

#[test]
fn an_envelope_is_read_in_its_odd_shapes() {
    let code = |body: &[u8]| MetaError::parse(400, body).map(|error| (error.code, error.details));
    assert_eq!(code(br#"{"error":{"code":190}}"#), Some((190, None)));
    assert_eq!(code(br#"{"error":{"code":"4"}}"#), Some((4, None)));
    assert_eq!(
        code(br#"{"error":{"code":100,"error_data":"{\"details\":\"wrapped\"}"}}"#),
        Some((100, Some("wrapped".to_owned())))
    );
    assert_eq!(
        code(br#"{"error":{"code":100,"error_data":"plain","error_user_msg":"shorter, please"}}"#),
        Some((100, Some("shorter, please".to_owned())))
    );
}

#[test]
fn what_is_not_meta_s_envelope_is_not_taken_for_one() {
    for body in [
        "",
        "<html>502</html>",
        "{}",
        r#"{"error":"busy"}"#,
        r#"{"error":{"message":"x"}}"#,
    ] {
        assert_eq!(MetaError::parse(500, body.as_bytes()), None, "{body}");
    }
}
