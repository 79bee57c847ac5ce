//! The committed OpenAPI document is the one the routes make.

use std::path::Path;

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
fn every_operation_has_an_id_a_tag_and_a_problem_as_its_default_answer() {
    let document = serde_json::to_value(http_api::document::document(routers())).unwrap();
    let mut operations = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let name = format!("{method} {path}");
            assert!(
                operation["operationId"].is_string(),
                "{name} has no operation id"
            );
            assert!(operation["tags"][0].is_string(), "{name} has no tag");
            assert!(
                operation["security"].is_array(),
                "{name} does not say who may call it"
            );
            assert!(
                operation["responses"]["default"].is_object(),
                "{name} does not say how it fails"
            );
            operations += 1;
        }
    }
    assert!(operations > 25, "only {operations} operations were found");
}
