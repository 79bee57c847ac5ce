//! Reading Meta's JSON without trusting its types.
//!
//! The same id is a string in one place and an integer in another, and an object can be missing
//! or `null`; each of these readers answers "not there" instead of failing.

use serde_json::Value;

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
