//! Reading the components of a template message: which parameters were sent, and the text they make.

use serde_json::Value;

use crate::template::{Template, fill, variables};

/// The component of `kind` in a send, whatever its case.
pub(super) fn component<'a>(template_body: Option<&'a Value>, kind: &str) -> Option<&'a Value> {
    components(template_body).find(|component| is(component, "type", kind))
}

pub(super) fn components(template_body: Option<&Value>) -> impl Iterator<Item = &Value> {
    template_body
        .and_then(|body| body.get("components"))
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice)
        .iter()
}

pub(super) fn parameters(component: Option<&Value>) -> &[Value] {
    component
        .and_then(|component| component.get("parameters"))
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

pub(super) fn is(component: &Value, field: &str, wanted: &str) -> bool {
    component
        .get(field)
        .and_then(Value::as_str)
        .is_some_and(|value| value.eq_ignore_ascii_case(wanted))
}

/// The text of a parameter; money and dates carry theirs as a fallback value.
pub(super) fn text(parameter: &Value) -> Option<&str> {
    let kind = parameter.get("type")?.as_str()?;
    match kind {
        "text" => parameter.get("text")?.as_str(),
        "currency" | "date_time" => parameter.get(kind)?.get("fallback_value")?.as_str(),
        _ => None,
    }
}

/// The body of `template` with the parameters of the send in their places.
pub(super) fn body(template: &Template, template_body: Option<&Value>) -> String {
    let sent = parameters(component(template_body, "body"));
    let values: Vec<_> = variables(template.body)
        .iter()
        .enumerate()
        .filter_map(|(position, name)| {
            let parameter = if template.named {
                sent.iter()
                    .find(|parameter| is(parameter, "parameter_name", name))
            } else {
                sent.get(position)
            };
            Some(((*name).to_owned(), text(parameter?)?.to_owned()))
        })
        .collect();
    fill(template.body, &values)
}
