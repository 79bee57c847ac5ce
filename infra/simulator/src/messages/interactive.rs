//! Interactive messages: what can be pressed, chosen or opened, within Meta's limits.

use std::collections::HashSet;

use serde_json::Value;

use super::content::{required, required_text};
use super::{Sending, source};
use crate::graph::Refusal;

const BODY: usize = 1024;
const LIST_BODY: usize = 4096;
/// A header of text, and a footer.
const MARGIN: usize = 60;
const BUTTONS: usize = 3;
const BUTTON_ID: usize = 256;
/// The title of a button, what opens a list, the label of a link.
const LABEL: usize = 20;
const SECTIONS: usize = 10;
const ROWS: usize = 10;
const ROW_ID: usize = 200;
const ROW_TITLE: usize = 24;
const ROW_DESCRIPTION: usize = 72;

/// Kinds that are not looked into beyond this are taken as they come.
pub(super) fn is_complete(sending: &Sending<'_>, content: &Value) -> Result<(), Refusal> {
    let kind = required_text(content, "interactive", &["type"])?;
    let action = required(content, "interactive", &["action"])?;
    match kind {
        "button" => {
            around(sending, content, BODY, true)?;
            buttons(action)
        }
        "list" => {
            around(sending, content, LIST_BODY, false)?;
            list(action)
        }
        "cta_url" => {
            around(sending, content, BODY, true)?;
            link(action)
        }
        "flow"
        | "location_request_message"
        | "carousel"
        | "product"
        | "product_list"
        | "catalog_message"
        | "call_permission_request"
        | "address_message"
        | "order_details"
        | "order_status"
        | "request_contact_info"
        | "voice_call" => Ok(()),
        _ => Err(Refusal::new(
            131_009,
            format!("interactive.type: {kind} does not exist"),
        )),
    }
}

/// The body, and what may stand above and below it.
fn around(
    sending: &Sending<'_>,
    content: &Value,
    longest: usize,
    pictured: bool,
) -> Result<(), Refusal> {
    let body = required_text(content, "interactive", &["body", "text"])?;
    fits("body.text", body, longest)?;
    if content.get("footer").is_some() {
        let footer = required_text(content, "interactive", &["footer", "text"])?;
        fits("footer.text", footer, MARGIN)?;
    }
    let Some(header) = content.get("header") else {
        return Ok(());
    };
    match required_text(content, "interactive", &["header", "type"])? {
        "text" => {
            let text = required_text(content, "interactive", &["header", "text"])?;
            fits("header.text", text, MARGIN)
        }
        kind @ ("image" | "video" | "document") if pictured => {
            let media = required(header, "interactive.header", &[kind])?;
            source::check(sending, &format!("interactive.header.{kind}"), media, 100)
        }
        kind => Err(invalid(&format!("header.type cannot be {kind} here"))),
    }
}

fn buttons(action: &Value) -> Result<(), Refusal> {
    let buttons = all(action, "buttons")?;
    if !(1..=BUTTONS).contains(&buttons.len()) {
        return Err(invalid(&format!("action.buttons takes 1 to {BUTTONS}")));
    }
    let (mut ids, mut titles) = (HashSet::new(), HashSet::new());
    for button in buttons {
        if button.get("type").and_then(Value::as_str) != Some("reply") {
            return Err(invalid("action.buttons: type must be reply"));
        }
        let id = required_text(button, "interactive.action.buttons", &["reply", "id"])?;
        let title = required_text(button, "interactive.action.buttons", &["reply", "title"])?;
        fits("action.buttons.reply.id", id, BUTTON_ID)?;
        fits("action.buttons.reply.title", title, LABEL)?;
        if id.trim() != id {
            return Err(invalid("action.buttons.reply.id has spaces around it"));
        }
        if !ids.insert(id) || !titles.insert(title) {
            return Err(invalid("action.buttons: ids and titles must differ"));
        }
    }
    Ok(())
}

fn list(action: &Value) -> Result<(), Refusal> {
    let button = required_text(action, "interactive.action", &["button"])?;
    fits("action.button", button, LABEL)?;
    let sections = all(action, "sections")?;
    if !(1..=SECTIONS).contains(&sections.len()) {
        return Err(invalid(&format!("action.sections takes 1 to {SECTIONS}")));
    }
    let (mut ids, mut count) = (HashSet::new(), 0);
    for section in sections {
        match section.get("title").and_then(Value::as_str) {
            Some(title) => fits("action.sections.title", title, ROW_TITLE)?,
            None if sections.len() > 1 => {
                return Err(Refusal::new(
                    131_008,
                    "interactive.action.sections.title is required when there are several",
                ));
            }
            None => {}
        }
        let rows = all(section, "rows")?;
        if rows.is_empty() {
            return Err(invalid("action.sections.rows must not be empty"));
        }
        count += rows.len();
        for row in rows {
            let id = required_text(row, "interactive.action.sections.rows", &["id"])?;
            let title = required_text(row, "interactive.action.sections.rows", &["title"])?;
            fits("action.sections.rows.id", id, ROW_ID)?;
            fits("action.sections.rows.title", title, ROW_TITLE)?;
            if let Some(more) = row.get("description").and_then(Value::as_str) {
                fits("action.sections.rows.description", more, ROW_DESCRIPTION)?;
            }
            if !ids.insert(id) {
                return Err(invalid("action.sections.rows: ids must differ"));
            }
        }
    }
    match count > ROWS {
        true => Err(invalid(&format!(
            "action.sections: {count} rows, {ROWS} are allowed in all"
        ))),
        false => Ok(()),
    }
}

fn link(action: &Value) -> Result<(), Refusal> {
    let place = "interactive.action";
    if required_text(action, place, &["name"])? != "cta_url" {
        return Err(invalid("action.name must be cta_url"));
    }
    let label = required_text(action, place, &["parameters", "display_text"])?;
    fits("action.parameters.display_text", label, LABEL)?;
    let url = required_text(action, place, &["parameters", "url"])?;
    let web = url.starts_with("https://") || url.starts_with("http://");
    match web && !url.contains(char::is_whitespace) {
        true => Ok(()),
        false => Err(invalid("action.parameters.url is not a link")),
    }
}

fn all<'a>(value: &'a Value, field: &str) -> Result<&'a Vec<Value>, Refusal> {
    let list = value.get(field).and_then(Value::as_array);
    list.ok_or_else(|| Refusal::new(131_008, format!("interactive.action: {field} is required")))
}

fn fits(field: &str, text: &str, longest: usize) -> Result<(), Refusal> {
    match text.chars().count() > longest {
        true => Err(invalid(&format!(
            "{field} length invalid. Min length: 1, max length: {longest}"
        ))),
        false => Ok(()),
    }
}

fn invalid(details: &str) -> Refusal {
    Refusal::new(131_009, format!("interactive.{details}"))
}
