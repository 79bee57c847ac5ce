//! Reading Meta's JSON without trusting its types.
//!
//! The same id is a string in one place and an integer in another, and an object can be missing
//! or `null`; each of these readers answers "not there" instead of failing.

use jiff::Timestamp;
use serde_json::Value;

/// Ids of Meta's objects have at most this many digits.
const ID_MAX: usize = 32;

/// The longest text that names a message or a person; Meta's have some sixty and some hundred
/// characters. What names something becomes part of a key, which has a limit.
const NAME_MAX: usize = 512;

/// The last instant that a time of Meta's can mean: the end of the year 2100, in Unix seconds.
const LATEST: i64 = 4_133_980_799;

/// A string, or a number in digits. Empty text counts as absent.
pub(crate) fn text(value: &Value, key: &str) -> Option<String> {
    as_text(value.get(key)?)
}

pub(crate) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// An integer, or a string of digits.
pub(crate) fn integer(value: &Value, key: &str) -> Option<i64> {
    match value.get(key)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// An id of an account, a number or a template: digits. Anything else names nothing.
pub(crate) fn id(value: &Value, key: &str) -> Option<String> {
    let digits = |id: &String| id.len() <= ID_MAX && id.bytes().all(|byte| byte.is_ascii_digit());
    text(value, key).filter(digits)
}

/// What names a message or a person.
pub(crate) fn name(value: &Value, key: &str) -> Option<String> {
    let sensible = |name: &String| name.len() <= NAME_MAX && !name.chars().any(char::is_control);
    text(value, key).filter(sensible)
}

/// Unix seconds, as an integer or as a string of digits.
pub(crate) fn timestamp(value: &Value, key: &str) -> Option<Timestamp> {
    let seconds = integer(value, key).filter(|seconds| (1..=LATEST).contains(seconds))?;
    Timestamp::from_second(seconds).ok()
}

/// A fraction, or a string that writes one.
pub(crate) fn number(value: &Value, key: &str) -> Option<f64> {
    match value.get(key)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}

/// The elements of a list; absent and `null` are an empty list.
pub(crate) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// `error_data.details`. Older Graph paths wrote the object as a JSON string.
pub(crate) fn details(error: &Value) -> Option<String> {
    match error.get("error_data")? {
        Value::String(wrapped) => text(&serde_json::from_str(wrapped).ok()?, "details"),
        data => text(data, "details"),
    }
}
