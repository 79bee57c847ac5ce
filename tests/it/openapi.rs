//! The committed OpenAPI document is the one the routes make, and says everything a caller needs.

use std::collections::BTreeMap;
use std::path::Path;

use axum::http::Method;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;

/// Every HTTP function with routes of the API.
pub(crate) fn routers() -> Vec<OpenApiRouter<app::App>> {
    vec![
        api_workspace::router(),
        api_contacts::router(),
        api_campaigns::router(),
        api_chat::router(),
        webhook_ingest::router(),
    ]
}

/// One operation of the document.
#[derive(Clone)]
pub(crate) struct Operation {
    pub(crate) method: Method,
    pub(crate) path: String,
    entry: Value,
}

pub(crate) fn operations() -> Vec<Operation> {
    let document = serde_json::to_value(http_api::document::document(routers())).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let all: Vec<_> = paths
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().iter();
            methods.map(|(method, entry)| Operation {
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                entry: entry.clone(),
            })
        })
        .collect();
    assert!(all.len() > 40, "only {} operations were found", all.len());
    all
}

impl Operation {
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub(crate) fn id(&self) -> &str {
        self.entry["operationId"].as_str().unwrap_or_default()
    }

    /// Whether one of its ways in is this scheme.
    pub(crate) fn takes(&self, scheme: &str) -> bool {
        let schemes = self.entry["security"].as_array().unwrap();
        schemes.iter().any(|one| one.get(scheme).is_some())
    }

    pub(crate) fn is_public(&self) -> bool {
        !self.takes("session") && !self.takes("api_key")
    }

    pub(crate) fn changes_something(&self) -> bool {
        !self.method.is_safe()
    }

    /// The body of its example.
    pub(crate) fn body(&self) -> Option<Value> {
        let content = &self.entry["requestBody"]["content"]["application/json"];
        content.get("example").cloned()
    }

    fn responses(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.entry["responses"].as_object().unwrap().iter()
    }
}

#[test]
fn the_openapi_document_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let mut document = http_api::document::document(routers())
        .to_pretty_json()
        .unwrap();
    document.push('\n');
    #[expect(
        clippy::disallowed_methods,
        reason = "the one switch that writes the document instead of checking it"
    )]
    if std::env::var("BLAZZ_WRITE_OPENAPI").is_ok() {
        std::fs::write(&path, &document).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == document,
        "docs/openapi.json is out of date: run `make openapi` and read the difference"
    );
}

#[test]
fn every_operation_says_what_it_is_and_who_may_call_it() {
    let mut ids = BTreeMap::new();
    for operation in operations() {
        let (name, entry) = (operation.name(), &operation.entry);
        assert!(!operation.id().is_empty(), "{name} has no operation id");
        if let Some(other) = ids.insert(operation.id().to_owned(), name.clone()) {
            panic!("{name} and {other} have the same operation id");
        }
        let summary = entry["summary"].as_str().unwrap_or_default();
        assert!(summary.len() > 5, "{name} has no summary: a doc comment");
        assert!(entry["tags"][0].is_string(), "{name} has no tag");
        assert!(
            entry["security"].is_array(),
            "{name} does not say who may call it"
        );
        for parameter in entry["parameters"].as_array().into_iter().flatten() {
            assert!(
                parameter["description"].is_string(),
                "{name} does not say what {} is",
                parameter["name"]
            );
        }
    }
}

#[test]
fn every_operation_says_how_it_ends_and_shows_it() {
    for operation in operations() {
        let name = operation.name();
        let mut successes = 0;
        for (status, response) in operation.responses() {
            assert!(
                status.parse::<u16>().is_ok(),
                "{name} answers {status}, which is not a status"
            );
            assert!(
                response["description"].is_string(),
                "{name} does not say what {status} means: add it to document/failures.rs"
            );
            successes += usize::from(status.starts_with('2'));
            for (kind, content) in response["content"].as_object().into_iter().flatten() {
                let shown = !kind.contains("json") || !content["example"].is_null();
                assert!(shown, "{name} has no example of {status}");
                complete(&name, &content["example"]);
            }
        }
        assert!(successes > 0, "{name} does not say how it succeeds");
        if !operation.entry["requestBody"].is_null() && !operation.is_public() {
            let body = operation.body();
            assert!(body.is_some(), "{name} has no example of its body");
            complete(&name, &body.unwrap());
        }
    }
}

/// Every field of an example says something.
fn complete(name: &str, example: &Value) {
    match example {
        Value::Object(fields) => {
            for (field, value) in fields {
                assert!(
                    *value != http_api::document::NO_EXAMPLE,
                    "{name}: the field {field} has no example: add #[schema(example = …)]"
                );
                complete(name, value);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| complete(name, item)),
        _ => {}
    }
}

#[test]
fn a_name_of_a_schema_means_one_thing() {
    let mut known: BTreeMap<String, Value> = BTreeMap::new();
    for router in routers() {
        let document = serde_json::to_value(router.into_openapi()).unwrap();
        let schemas = document["components"]["schemas"].as_object();
        for (name, schema) in schemas.into_iter().flatten() {
            let earlier = known.entry(name.clone()).or_insert_with(|| schema.clone());
            assert!(
                earlier == schema,
                "two functions call different things {name}: give one #[schema(as = …)]"
            );
        }
    }
}
