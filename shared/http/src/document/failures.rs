//! How an operation fails: every status it can answer with, each once and precisely.
//!
//! A route writes `(status = "default", body = Problem)` for what follows from its shape, which is
//! replaced here by the statuses themselves, and `(status = 409)` or another for a refusal of its own.

use serde_json::{Value, json};
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::{
    Content, HeaderBuilder, ObjectBuilder, Ref, RefOr, Response, Type, header::Header,
};

use crate::idempotency;

/// What each status means, the code that a caller meets most often, and a sentence of that kind.
const FAILURES: [(&str, &str, &str, &str); 12] = [
    (
        "400",
        "The body is not JSON.",
        "unreadable",
        "the body is not JSON: expected value at line 1 column 1",
    ),
    (
        "401",
        "No credentials, or none that are valid.",
        "unauthenticated",
        "sign in, or send an API key that is valid",
    ),
    (
        "403",
        "The role, the key's scopes or a missing CSRF token forbid it.",
        "forbidden",
        "this is not allowed here: contacts:write",
    ),
    (
        "404",
        "It does not exist in this workspace, or the workspace in `X-Workspace` is not one of the caller's.",
        "not_found",
        "the contact was not found",
    ),
    (
        "409",
        "It cannot be done in the present state; `code` says why.",
        "wrong_state",
        "the campaign has started already",
    ),
    (
        "413",
        "The body is larger than 1 MB.",
        "too_large",
        "a body has at most 1 MB",
    ),
    (
        "415",
        "The body is not announced as JSON.",
        "unsupported_media_type",
        "send the body as application/json",
    ),
    (
        "422",
        "A field is not acceptable; `errors` names each.",
        "invalid",
        "name: a name is required",
    ),
    (
        "429",
        "Too many requests; `Retry-After` says when the next one is taken.",
        "rate_limited",
        "too many requests; try again in 3 seconds",
    ),
    (
        "500",
        "Something failed on our side.",
        "internal",
        "something failed on our side; try again, and tell us if it stays",
    ),
    (
        "502",
        "WhatsApp refused it or could not be reached.",
        "upstream",
        "WhatsApp could not be reached; try again in a moment",
    ),
    (
        "503",
        "Not now; `Retry-After` says when.",
        "later",
        "this is being worked on; try again in a moment",
    ),
];

pub(super) fn complete(operation: &mut Operation, changes: bool) {
    let mut statuses = derived(operation, changes);
    let responses = &mut operation.responses.responses;
    responses.remove("default");
    statuses.extend(
        FAILURES
            .iter()
            .map(|failure| failure.0)
            .filter(|status| responses.contains_key(*status)),
    );
    for (status, meaning, code, sentence) in FAILURES {
        if statuses.contains(&status) {
            let own = match responses.get(status) {
                Some(RefOr::T(own)) if !own.description.is_empty() => own.description.clone(),
                Some(_) | None => meaning.to_owned(),
            };
            let example = problem(status, code, sentence);
            responses.insert(status.to_owned(), failure(status, own, example).into());
        }
    }
    let replayed = has_parameter(operation, &ParameterIn::Header, idempotency::KEY);
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else {
            continue;
        };
        if status.starts_with('2') {
            if response.description.is_empty() {
                response.description = success(status).to_owned();
            }
            if replayed {
                let header = header(
                    "`true` when this is the recorded answer to an earlier request with the same key.",
                    Type::Boolean,
                );
                response
                    .headers
                    .insert(idempotency::REPLAYED.to_owned(), header.into());
            }
        }
    }
}

/// The statuses that follow from who may call, and from what is read of the request.
fn derived(operation: &Operation, changes: bool) -> Vec<&'static str> {
    let security = security(operation);
    let takes = |name: &str| security.iter().any(|scheme| scheme.get(name).is_some());
    let (key, session) = (takes("api_key"), takes("session"));
    let mut statuses = vec!["500", "503"];
    if key || session {
        statuses.push("401");
    }
    if key {
        // A scope may be missing, the workspace may be another's, and a key has a limit.
        statuses.extend(["403", "404", "429"]);
    }
    if session && changes {
        statuses.push("403");
    }
    if has_parameters(operation, &ParameterIn::Path) {
        statuses.push("404");
    }
    if has_parameters(operation, &ParameterIn::Query) {
        statuses.push("422");
    }
    if reads_json(operation) {
        statuses.extend(["400", "413", "415", "422"]);
    }
    if has_parameter(operation, &ParameterIn::Header, idempotency::KEY) {
        statuses.extend(["409", "413", "422"]);
    }
    statuses
}

fn security(operation: &Operation) -> Vec<Value> {
    let schemes = operation.security.iter().flatten();
    schemes
        .filter_map(|scheme| serde_json::to_value(scheme).ok())
        .collect()
}

/// A body that is parsed; what only passes through as text is not.
fn reads_json(operation: &Operation) -> bool {
    let Some(RefOr::T(body)) = &operation.request_body else {
        return false;
    };
    let schema = match body.content.get("application/json") {
        Some(RefOr::T(content)) => serde_json::to_value(&content.schema).unwrap_or_default(),
        Some(RefOr::Ref(_)) | None => return false,
    };
    schema["type"] != "string"
}

fn parameters(operation: &Operation) -> impl Iterator<Item = &Parameter> {
    let all = operation.parameters.iter().flatten();
    all.filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    })
}

fn has_parameters(operation: &Operation, place: &ParameterIn) -> bool {
    parameters(operation).any(|parameter| parameter.parameter_in == *place)
}

fn has_parameter(operation: &Operation, place: &ParameterIn, name: &str) -> bool {
    parameters(operation).any(|parameter| {
        parameter.parameter_in == *place && parameter.name.eq_ignore_ascii_case(name)
    })
}

fn failure(status: &str, description: String, example: Value) -> Response {
    let mut content = Content::new(Some(Ref::from_schema_name("Problem")));
    content.example = Some(example);
    let mut response = Response::new(description);
    response
        .content
        .insert("application/problem+json".to_owned(), content.into());
    if ["429", "503"].contains(&status) {
        let header = header("After how many seconds to try again.", Type::Integer);
        response
            .headers
            .insert("Retry-After".to_owned(), header.into());
    }
    response
}

fn header(description: &str, kind: Type) -> Header {
    HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(kind)))
        .description(Some(description))
        .build()
}

fn problem(status: &str, code: &str, sentence: &str) -> Value {
    let number: u16 = status.parse().unwrap_or_default();
    let title = axum::http::StatusCode::from_u16(number)
        .ok()
        .and_then(|status| status.canonical_reason());
    let mut problem = json!({
        "type": crate::problem::kind(code),
        "title": title,
        "status": number,
        "code": code,
        "detail": sentence,
    });
    if let ("422", Some((field, message))) = (status, sentence.split_once(": ")) {
        problem["errors"] = json!([{"field": field, "message": message}]);
    }
    problem
}

fn success(status: &str) -> &'static str {
    match status {
        "201" => "Created.",
        "202" => "Taken; the work goes on.",
        "204" => "Done; there is nothing to say.",
        _ => "Done.",
    }
}
