//! What fields of a name look like wherever they stand, so that each need not say it again. A field of
//! another kind has an example of its own.

use serde_json::{Value, json};

pub(super) const TIME: &str = "2026-11-25T09:30:00Z";

/// The digits of every id in an example.
const DIGITS: &str = "0198c0de7a6b7c8d9e0f1a2b3c4d5e6f";

/// What ids begin with, by what they name.
const PREFIXES: [(&str, &str); 30] = [
    ("workspace", "ws"),
    ("membership", "ws"),
    ("user", "us"),
    ("me", "us"),
    ("member", "us"),
    ("session", "se"),
    ("invitation", "in"),
    ("api_key", "ak"),
    ("channel", "ch"),
    ("contact", "ct"),
    ("group", "gr"),
    ("groups", "gr"),
    ("import", "im"),
    ("campaign", "cp"),
    ("media", "md"),
    ("test", "te"),
    ("chat", "chat"),
    ("message", "ms"),
    ("chat_message", "ms"),
    ("line", "ms"),
    ("reply_to", "ms"),
    ("retried_as", "ms"),
    ("canned_reply", "cr"),
    ("automatic_answer", "aa"),
    ("label", "lb"),
    ("labels", "lb"),
    ("assignee", "us"),
    ("mentions", "us"),
    ("audit", "au"),
    ("entry", "au"),
];

/// What texts look like; what differs from noun to noun has the schema's name before it.
const WORDS: [(&str, &str); 52] = [
    ("Campaign.state", "sending"),
    ("Channel.state", "connected"),
    ("Export.state", "completed"),
    ("Import.state", "running"),
    ("Media.state", "ready"),
    ("Test.state", "accepted"),
    ("Template.status", "approved"),
    ("Recipient.status", "delivered"),
    ("Media.kind", "image"),
    ("Button.kind", "url"),
    ("ChatMessage.kind", "text"),
    ("Message.kind", "text"),
    ("Line.kind", "text"),
    ("Chat.status", "open"),
    ("contact_name", "Sari Wijaya"),
    ("contact_phone", "+6281234567890"),
    ("Excluded.code", "opted_out"),
    ("access_token", "EAAGm0PX4ZCpsBA"),
    ("body", "Your parcel is on its way."),
    ("category", "marketing"),
    ("consent", "subscribed"),
    ("country", "ID"),
    ("csrf_token", "pYx0m5Jc2mG1"),
    ("currency", "USD"),
    ("direction", "outbound"),
    ("display_phone_number", "+62 812-3456-7890"),
    ("email", "sari@example.com"),
    ("file_name", "contacts.csv"),
    ("hint", "x7Kq"),
    ("language", "id"),
    ("market", "Indonesia"),
    ("messaging_limit", "TIER_1K"),
    ("method", "PUT"),
    ("mime_type", "image/jpeg"),
    ("name", "Sari Wijaya"),
    ("note", "An estimate by the list prices."),
    ("optional_variables", "button.0"),
    ("parameter_format", "positional"),
    ("phone", "+6281234567890"),
    ("phone_number_id", "200000000000001"),
    ("quality", "GREEN"),
    ("role", "admin"),
    ("scopes", "contacts:read"),
    ("template", "1020304050607080"),
    ("text", "Your parcel is on its way."),
    ("tier", "TIER_1K"),
    ("url", "https://blazz.example/files/a1b2c3"),
    ("valid_from", "2026-10-01"),
    ("variables", "body.1"),
    ("verified_name", "Toko Sari"),
    ("reason", "this person asked not to be written to"),
    ("waba_id", "300000000000001"),
];

pub(super) fn text(name: &str, owner: &str) -> Option<String> {
    let owner = owner.trim_start_matches("PageOut_").trim_end_matches("Out");
    let noun = match name {
        "id" if owner.starts_with("Template") => "template",
        "id" => &snake(owner),
        name => name,
    };
    if let Some((_, prefix)) = PREFIXES.iter().find(|(known, _)| *known == noun) {
        return Some(format!("{prefix}_{DIGITS}"));
    }
    let full = format!("{owner}.{noun}");
    let word = |known: &str| {
        let found = WORDS.iter().find(|(name, _)| *name == known);
        found.map(|(_, word)| (*word).to_owned())
    };
    word(&full).or_else(|| word(noun))
}

pub(super) fn number(name: &str) -> i64 {
    match name {
        "size" | "bytes_done" => 48_213,
        "messages_per_second" => 80,
        _ => 12,
    }
}

/// A set of names and values that the caller chose.
pub(super) fn map(name: &str) -> Value {
    match name {
        "attributes" => json!({"city": "Bandung"}),
        "content" => json!({"type": "text", "text": "Your parcel is on its way."}),
        "trigger" => {
            json!({"type": "keyword", "match": "contains", "keywords": ["price", "harga"]})
        }
        "headers" => json!({"content-length": "48213"}),
        _ => json!({}),
    }
}

fn snake(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}
