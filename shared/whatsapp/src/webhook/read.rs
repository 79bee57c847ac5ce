//! JSON as far as it can be read.
//!
//! A strict parser refuses a whole body for one number that is too large, one text cut in the middle
//! of an emoji, or one part that is nested too deeply. Here such a part costs only itself.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::repair;

/// How deeply a body is taken apart to find the part that cannot be read. Meta's statuses and
/// messages lie six levels deep.
const DEPTH: usize = 12;

/// The value of a text, with `null` in the place of what cannot be read. In the normal case this is
/// one pass of the strict parser.
pub(super) fn lenient(text: &str) -> Option<Value> {
    at_depth(text, 0)
}

fn at_depth(text: &str, depth: usize) -> Option<Value> {
    if let Ok(value) = serde_json::from_str(text) {
        return Some(value);
    }
    if let Ok(value) = serde_json::from_str(&repair::lone_surrogates(text)) {
        return Some(value);
    }
    if depth == DEPTH {
        return None;
    }
    let part = |raw: &RawValue| at_depth(raw.get(), depth + 1).unwrap_or(Value::Null);
    match text.trim_start().as_bytes().first()? {
        b'{' => {
            let fields: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
            let fields = fields.into_iter().map(|(name, raw)| (name, part(raw)));
            Some(Value::Object(fields.collect()))
        }
        b'[' => {
            let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            Some(Value::Array(elements.into_iter().map(part).collect()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_strict_parser_refuses_costs_only_itself() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        let text =
            format!(r#"{{"a": [1e999, "cut \ud83d", {deep}, {{"b": 1}}], "c": "\ud83d\udc4d"}}"#);
        let mut value = lenient(&text).unwrap();
        // Of what is nested too deeply the outermost levels are left.
        value["a"][2] = Value::Null;
        assert_eq!(
            value,
            json!({"a": [null, "cut \u{fffd}", null, {"b": 1}], "c": "👍"})
        );
    }

    #[test]
    fn what_is_no_json_has_no_value() {
        for text in ["", "<html>", r#"{"a": "#, "[1, 2", "1e999"] {
            assert_eq!(lenient(text), None, "{text}");
        }
    }
}
