//! Cursors and field selection, the conventions every Graph listing shares.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::{Call, Refusal};

const DEFAULT_PAGE: usize = 25;
const LARGEST_PAGE: usize = 1000;

/// Cuts the page that `limit` and `after` ask for. A cursor names a position, and is opaque to
/// whoever holds it.
pub(super) fn page(call: &Call<'_>, path: &str, all: &[Value]) -> Result<Value, Refusal> {
    let limit = match call.query.get("limit") {
        None => DEFAULT_PAGE,
        Some(text) => match text.parse() {
            Ok(limit @ 1..) => std::cmp::min(limit, LARGEST_PAGE),
            _ => return Err(Refusal::new(100, "limit must be a positive number")),
        },
    };
    let start = match call.query.get("after") {
        None => 0,
        Some(cursor) => position(cursor)
            .ok_or_else(|| Refusal::new(131_059, "after does not belong to this listing"))?,
    };
    let rest = all.get(start..).unwrap_or_default();
    let shown = &rest[..limit.min(rest.len())];
    if shown.is_empty() {
        return Ok(json!({"data": []}));
    }
    let end = start + shown.len();
    let mut paging = json!({"cursors": {"before": cursor(start), "after": cursor(end)}});
    if end < all.len() {
        paging["next"] = json!(next_url(call, path, &cursor(end)));
    }
    Ok(json!({"data": shown, "paging": paging}))
}

/// What of a node was asked for: the listed fields and always the id.
pub(super) fn select(
    call: &Call<'_>,
    kind: &str,
    default: &[&str],
    mut node: Map<String, Value>,
) -> Result<Value, Refusal> {
    let asked = call.query.get("fields").map(|fields| names(fields));
    let mut wanted: Vec<&str> = match &asked {
        Some(fields) => fields.iter().map(String::as_str).collect(),
        None => default.to_vec(),
    };
    wanted.push("id");
    let mut selected = Map::new();
    for field in wanted {
        if selected.contains_key(field) {
            continue;
        }
        let value = node
            .remove(field)
            .ok_or_else(|| Refusal::no_such_field(field, kind))?;
        selected.insert(field.to_owned(), value);
    }
    Ok(Value::Object(selected))
}

/// The top-level names in a `fields` list; what stands in brackets behind a name is dropped.
fn names(fields: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut depth = 0_usize;
    for character in fields.chars() {
        match character {
            '{' | '(' => depth += 1,
            '}' | ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => names.push(String::new()),
            _ if depth == 0 && !character.is_whitespace() => {
                if let Some(name) = names.last_mut() {
                    name.push(character);
                }
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn cursor(position: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("page:{position}"))
}

fn position(cursor: &str) -> Option<usize> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    std::str::from_utf8(&bytes)
        .ok()?
        .strip_prefix("page:")?
        .parse()
        .ok()
}

fn next_url(call: &Call<'_>, path: &str, after: &str) -> String {
    let mut query: Vec<_> = sorted(call.query);
    query.retain(|(name, _)| *name != "after" && *name != "access_token");
    query.push(("after", after));
    let query: Vec<_> = query
        .iter()
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
        .collect();
    format!(
        "http://{}/{}/{path}?{}",
        call.host,
        call.version,
        query.join("&")
    )
}

fn sorted(query: &HashMap<String, String>) -> Vec<(&str, &str)> {
    let mut pairs: Vec<_> = query
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    pairs.sort_unstable();
    pairs
}
