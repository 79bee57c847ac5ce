//! The checks of a template message: there is such a template, it may be sent, and the send brings
//! exactly the parameters it has places for.

use serde_json::Value;

use super::filling::{self, component, components, is, parameters};
use super::{Sending, source};
use crate::graph::Refusal;
use crate::template::{Button, Header, LONGEST_BODY, Template, variables};

const MOST_SPACES: usize = 4;
const LONGEST_COUPON: usize = 20;
const LONGEST_PAYLOAD: usize = 256;

pub(super) fn template_exists(sending: &Sending<'_>) -> Result<(), Refusal> {
    match (sending.template_body(), sending.template) {
        (Some(body), None) => Err(Refusal::new(
            132_001,
            format!(
                "No template {} in language {}",
                body["name"], body["language"]["code"]
            ),
        )),
        _ => Ok(()),
    }
}

pub(super) fn template_may_be_sent(sending: &Sending<'_>) -> Result<(), Refusal> {
    let Some(template) = sending.template else {
        return Ok(());
    };
    match sending.status_of(template) {
        "APPROVED" => Ok(()),
        "PAUSED" => Err(Refusal::new(
            132_015,
            "The template is paused for its quality",
        )),
        "DISABLED" => Err(Refusal::new(132_016, "The template is disabled for good")),
        status => Err(Refusal::new(
            132_001,
            format!("The template is not approved: {status}"),
        )),
    }
}

pub(super) fn header_matches(sending: &Sending<'_>) -> Result<(), Refusal> {
    let Some(template) = sending.template else {
        return Ok(());
    };
    let sent = parameters(component(sending.template_body(), "header"));
    let wanted = match template.header {
        None => return texts_match("header", &[], template.named, sent),
        Some(Header::Text(text, _)) => {
            return texts_match("header", &variables(text), template.named, sent);
        }
        Some(media) => media.format().to_lowercase(),
    };
    let [parameter] = sent else {
        let details = format!("header: one {wanted} is expected, {} were sent", sent.len());
        return Err(Refusal::new(132_012, details));
    };
    let content = parameter
        .get(&wanted)
        .filter(|_| is(parameter, "type", &wanted));
    let Some(content) = content else {
        return Err(Refusal::new(
            132_012,
            format!("header: a parameter of type {wanted} is expected"),
        ));
    };
    if wanted != "location" {
        return source::check(sending, "header", content, 132_012);
    }
    let has = |field: &str| content.get(field).is_some_and(|value| !value.is_null());
    if has("latitude") && has("longitude") {
        return Ok(());
    }
    let details = "header: location has latitude and longitude";
    Err(Refusal::new(132_012, details))
}

/// No component of another kind than the template has, and none twice.
pub(super) fn components_are_known(sending: &Sending<'_>) -> Result<(), Refusal> {
    let (mut header, mut body) = (0, 0);
    for component in components(sending.template_body()) {
        if is(component, "type", "header") {
            header += 1;
        } else if is(component, "type", "body") {
            body += 1;
        } else if !is(component, "type", "button") {
            let details = format!("components: {} is not expected", component["type"]);
            return Err(Refusal::new(100, details));
        }
    }
    if header > 1 || body > 1 {
        return Err(Refusal::new(100, "components: one of them is there twice"));
    }
    Ok(())
}

pub(super) fn body_matches(sending: &Sending<'_>) -> Result<(), Refusal> {
    let Some(template) = sending.template else {
        return Ok(());
    };
    let sent = parameters(component(sending.template_body(), "body"));
    texts_match("body", &variables(template.body), template.named, sent)
}

pub(super) fn buttons_match(sending: &Sending<'_>) -> Result<(), Refusal> {
    let Some(template) = sending.template else {
        return Ok(());
    };
    let sent: Vec<_> = components(sending.template_body())
        .filter(|component| is(component, "type", "button"))
        .map(|component| Ok((index(component)?, component)))
        .collect::<Result<_, Refusal>>()?;
    for (index, component) in &sent {
        let button = button(template, *index)?;
        if !is(component, "sub_type", button.sub_type()) {
            let details = format!(
                "button {index}: the template has a {} there",
                button.sub_type()
            );
            return Err(Refusal::new(132_012, details));
        }
    }
    for (place, button) in template.buttons.iter().enumerate() {
        let mut here = sent.iter().filter(|(index, _)| *index == place);
        let first = here.next().map(|(_, component)| *component);
        if here.next().is_some() {
            let details = format!("button {place}: it is there twice");
            return Err(Refusal::new(132_012, details));
        }
        button_matches(place, *button, parameters(first))?;
    }
    Ok(())
}

pub(super) fn filled_body_fits(sending: &Sending<'_>) -> Result<(), Refusal> {
    let Some(template) = sending.template else {
        return Ok(());
    };
    let length = filling::body(template, sending.template_body())
        .chars()
        .count();
    if length <= LONGEST_BODY {
        return Ok(());
    }
    let details = format!("body: {length} characters when filled, {LONGEST_BODY} are allowed");
    Err(Refusal::new(132_005, details))
}

fn texts_match(place: &str, wanted: &[&str], named: bool, sent: &[Value]) -> Result<(), Refusal> {
    if sent.len() != wanted.len() {
        let details = format!(
            "{place}: {} parameters were sent, the template has {}",
            sent.len(),
            wanted.len()
        );
        return Err(Refusal::new(132_000, details));
    }
    if named {
        let missing = wanted.iter().find(|name| {
            !sent
                .iter()
                .any(|parameter| is(parameter, "parameter_name", name))
        });
        if let Some(name) = missing {
            return Err(Refusal::new(
                132_012,
                format!("{place}: no parameter is named {name}"),
            ));
        }
    }
    sent.iter()
        .try_for_each(|parameter| text_is_clean(place, parameter))
}

fn text_is_clean(place: &str, parameter: &Value) -> Result<(), Refusal> {
    let Some(text) = filling::text(parameter) else {
        return Err(Refusal::new(
            132_012,
            format!("{place}: a parameter of type text is expected"),
        ));
    };
    if text.is_empty() {
        return Err(Refusal::new(
            131_008,
            format!("{place}: a parameter has no text"),
        ));
    }
    let long_gap = " ".repeat(MOST_SPACES + 1);
    if text.contains(['\n', '\r', '\t']) || text.contains(&long_gap) {
        let details = format!(
            "{place}: a parameter has a line break, a tab or more than {MOST_SPACES} spaces in a row"
        );
        return Err(Refusal::new(132_018, details));
    }
    Ok(())
}

fn button_matches(place: usize, button: Button, sent: &[Value]) -> Result<(), Refusal> {
    let place_name = format!("button {place}");
    if sent.is_empty() {
        return if button.needs_parameter() {
            Err(Refusal::new(
                131_008,
                format!("{place_name}: a parameter is required"),
            ))
        } else {
            Ok(())
        };
    }
    if let Button::Url { url, .. } = button {
        return texts_match(&place_name, &variables(url), false, sent);
    }
    let [parameter] = sent else {
        let details = format!("{place_name}: {} parameters were sent", sent.len());
        return Err(Refusal::new(132_000, details));
    };
    let (field, longest, plain) = match button {
        Button::CopyCode(_) => ("coupon_code", LONGEST_COUPON, true),
        Button::QuickReply(_) => ("payload", LONGEST_PAYLOAD, false),
        Button::Url { .. } | Button::Phone { .. } => {
            let details = format!("{place_name}: this kind of button takes no parameter");
            return Err(Refusal::new(132_012, details));
        }
    };
    let value = parameter.get(field).and_then(Value::as_str);
    let value = value.filter(|value| is(parameter, "type", field) && !value.is_empty());
    let Some(value) = value else {
        let details = format!("{place_name}: a parameter of type {field} is expected");
        return Err(Refusal::new(132_012, details));
    };
    let fits = value.chars().count() <= longest
        && (!plain || value.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    if fits {
        return Ok(());
    }
    let characters = if plain {
        "letters and digits"
    } else {
        "characters"
    };
    let details = format!("{place_name}: {field} takes up to {longest} {characters}");
    Err(Refusal::new(132_018, details))
}

/// Meta takes the index as a number and as text.
fn index(component: &Value) -> Result<usize, Refusal> {
    let index = component.get("index");
    index
        .and_then(Value::as_u64)
        .or_else(|| index?.as_str()?.parse().ok())
        .and_then(|index| usize::try_from(index).ok())
        .ok_or_else(|| Refusal::new(131_008, "button: index is required"))
}

fn button(template: &Template, index: usize) -> Result<Button, Refusal> {
    let button = template.buttons.get(index).copied();
    button.ok_or_else(|| Refusal::new(132_012, format!("button {index}: there is no such button")))
}
