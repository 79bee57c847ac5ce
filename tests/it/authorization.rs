//! Who gets in, tried on every operation of the OpenAPI document: an operation that is added is tried too.

use axum::http::Method;
use domain::workspace::{Permission, Role};
use serde_json::{Value, json};

use crate::openapi::{Operation, operations};
use crate::support::callers::Answer;
use crate::support::{Caller, TestApp};

/// What a member or a key may do whatever it may do.
const OPEN_TO_ALL: [&str; 2] = ["get_workspace", "list_events"];

/// What several kinds of work need: whoever may do one of them may do it.
const ONE_OF_SEVERAL: [&str; 3] = ["create_realtime_ticket", "create_media", "get_media"];

/// What shows contacts besides campaigns, and so needs two scopes.
const TWO_SCOPES: [&str; 2] = ["export_campaign", "get_campaign_export"];

/// The digits of an id that nothing has.
const NOTHING: &str = "0198c0de7a6b7c8d9e0f1a2b3c4d5e6f";

/// What ids in paths begin with.
const IDS: [(&str, &str); 17] = [
    ("{answer}", "aa_"),
    ("{api_key}", "ak_"),
    ("{campaign}", "cp_"),
    ("{canned_reply}", "cr_"),
    ("{channel}", "ch_"),
    ("{chat}", "chat_"),
    ("{contact}", "ct_"),
    ("{group}", "gr_"),
    ("{import}", "im_"),
    ("{label}", "lb_"),
    ("{media}", "md_"),
    ("{message}", "ms_"),
    ("{template}", ""),
    ("{member}", "us_"),
    ("{invitation}", "in_"),
    ("{session}", "se_"),
    ("{workspace}", "ws_"),
];

/// The path with ids that are well formed and name nothing, so that nothing is done by whoever gets in.
fn path(operation: &Operation) -> String {
    let mut path = operation.path.clone();
    for (name, prefix) in IDS {
        path = path.replace(name, &format!("{prefix}{NOTHING}"));
    }
    if let Some(start) = path.find('{') {
        let end = path[start..].find('}').unwrap() + start;
        path.replace_range(start..=end, NOTHING);
    }
    path
}

async fn ask(t: &TestApp, caller: &Caller, operation: &Operation) -> Answer {
    let (method, path) = (operation.method.clone(), path(operation));
    caller.send(t, method, &path, operation.body()).await
}

/// The same by a key with one scope, which hands out no other.
async fn ask_with(t: &TestApp, key: &Caller, scope: Permission, operation: &Operation) -> Answer {
    let (method, path) = (operation.method.clone(), path(operation));
    let mut body = operation.body();
    if let Some(scopes) = body.as_mut().and_then(|body| body.get_mut("scopes")) {
        *scopes = json!([scope.as_str()]);
    }
    key.send(t, method, &path, body).await
}

fn refused(answer: &Answer, status: u16) -> bool {
    answer.status.as_u16() == status
}

#[tokio::test]
async fn nobody_gets_in_without_credentials() {
    let t = TestApp::new().await;
    let nobody = Caller::anonymous();
    let stranger = nobody.clone().with("authorization", "Bearer sk_live_wrong");
    let signed_out = nobody.clone().with("cookie", "__Host-session=wrong");
    let mut tried = 0;
    for operation in operations().iter().filter(|one| !one.is_public()) {
        for caller in [&nobody, &stranger, &signed_out] {
            let answer = ask(&t, caller, operation).await;
            assert!(
                refused(&answer, 401),
                "{}: {}",
                operation.name(),
                answer.text
            );
        }
        tried += 1;
    }
    assert!(tried > 40, "only {tried} operations were tried");
    t.finish().await;
}

#[tokio::test]
async fn a_session_changes_nothing_without_its_csrf_token() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let forged = owner.clone().with("x-csrf-token", "guess");
    let mut tried = 0;
    for operation in operations() {
        if operation.takes("session") && operation.changes_something() {
            let answer = ask(&t, &forged, &operation).await;
            assert!(
                refused(&answer, 403),
                "{}: {}",
                operation.name(),
                answer.text
            );
            tried += 1;
        }
    }
    assert!(tried > 20, "only {tried} operations were tried");
    t.finish().await;
}

/// For each operation and each scope, a key that has this scope and no other: one of them gets in.
#[tokio::test]
async fn a_key_gets_in_with_the_one_scope_that_the_operation_needs() {
    let mut t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let mut keys = Vec::new();
    for permission in Permission::ALL {
        keys.push((permission, t.key_with(&owner, &[permission]).await));
    }
    let agent = t.member(&owner, "agent", "agent").await;
    let mut tried = 0;
    for operation in operations().iter().filter(|one| one.takes("api_key")) {
        let name = operation.name();
        let mut enough = Vec::new();
        for (permission, key) in &keys {
            let answer = ask_with(&t, key, *permission, operation).await;
            assert!(!refused(&answer, 401), "{name}: {}", answer.text);
            // What the key may do is looked at before what it says.
            assert!(!refused(&answer, 400), "{name}: {}", answer.text);
            if !refused(&answer, 403) {
                enough.push(*permission);
            }
        }
        if OPEN_TO_ALL.contains(&operation.id()) {
            assert_eq!(enough.len(), keys.len(), "{name} is open to all");
            continue;
        }
        if ONE_OF_SEVERAL.contains(&operation.id()) {
            assert!(
                (2..keys.len()).contains(&enough.len()),
                "{name}: {enough:?}"
            );
            continue;
        }
        if TWO_SCOPES.contains(&operation.id()) {
            assert!(enough.is_empty(), "{name} is open to one of {enough:?}");
            assert!(!refused(&ask(&t, &owner, operation).await, 403), "{name}");
            continue;
        }
        let [needed] = enough.as_slice() else {
            panic!("{name} is open to the scopes {enough:?}; it should need exactly one");
        };
        // The same permission decides for members.
        if operation.takes("session") && !Role::Agent.may(*needed) {
            let answer = ask(&t, &agent, operation).await;
            assert!(refused(&answer, 403), "{name}: {}", answer.text);
        }
        tried += 1;
    }
    assert!(tried > 40, "only {tried} operations were tried");
    t.allow_leftovers();
}

#[tokio::test]
async fn what_no_route_takes_is_refused_in_the_same_words() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let problem = |answer: Answer, status: u16, code: &str| {
        let kind = answer.headers["content-type"].to_str().unwrap().to_owned();
        let problem = answer.expect(status);
        assert_eq!(kind, "application/problem+json");
        assert_eq!(problem["code"], code);
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], format!("urn:blazz:problem:{code}"));
        assert!(problem["detail"].as_str().unwrap().len() > 10, "{problem}");
        problem
    };
    for path in ["/v1/nothing", "/v1/groups/a/b", "/elsewhere"] {
        problem(owner.get(&t, path).await, 404, "not_found");
    }
    let put = owner.send(&t, Method::PUT, "/v1/groups", None).await;
    assert!(put.headers["allow"].to_str().unwrap().contains("POST"));
    problem(put, 405, "method_not_allowed");
    let json = Some(("content-type", "application/json"));
    let text = Some(("content-type", "text/plain"));
    for (header, body, status, code) in [
        (json, b"{\"name\": ".to_vec(), 400, "unreadable"),
        (json, vec![0xff, 0xfe], 400, "unreadable"),
        (
            text,
            b"{\"name\": \"A\"}".to_vec(),
            415,
            "unsupported_media_type",
        ),
        (json, vec![b' '; 1024 * 1024 + 1], 413, "too_large"),
    ] {
        let answer = owner
            .raw(&t, Method::POST, "/v1/groups", header, body)
            .await;
        problem(answer, status, code);
    }
    let field = |answer: Answer, field: &str| {
        let problem = problem(answer, 422, "invalid");
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    };
    let groups = |body: Value| owner.post(&t, "/v1/groups", body);
    field(
        groups(json!({"name": "A", "colour": "red"})).await,
        "colour",
    );
    field(groups(json!({})).await, "name");
    field(groups(json!({"name": 7})).await, "name");
    field(groups(json!([])).await, "body");
    field(groups(json!(["A"])).await, "body");
    field(owner.get(&t, "/v1/groups?limit=many").await, "limit");
    field(owner.get(&t, "/v1/groups?limit=0").await, "limit");
    field(owner.get(&t, "/v1/groups?colour=red").await, "colour");
    field(owner.get(&t, "/v1/groups?cursor=!").await, "cursor");
    t.finish().await;
}

#[tokio::test]
async fn a_cursor_that_was_tampered_with_shows_nothing_that_is_not_there() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let stranger = t.owner("stranger").await;
    for name in ["A", "B", "C"] {
        t.group(&owner, name).await;
    }
    let page = owner.get(&t, "/v1/groups?limit=1").await.expect(200);
    let next = page["next"].as_str().unwrap();
    let path = format!("/v1/groups?cursor={next}");
    assert_eq!(
        owner.get(&t, &path).await.expect(200)["items"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    // In another workspace it names a place among that workspace's own groups, of which there are none.
    let foreign = stranger.get(&t, &path).await.expect(200);
    assert_eq!(foreign["items"], json!([]));
    // In another list it is a place where nothing is.
    let other = owner.get(&t, &format!("/v1/imports?cursor={next}")).await;
    assert_eq!(other.expect(200)["items"], json!([]));
    for wrong in [
        "",
        "%00",
        "AAAA",
        "V1MjYW55dGhpbmc",
        "....",
        &"A".repeat(5000),
    ] {
        let answer = owner.get(&t, &format!("/v1/groups?cursor={wrong}")).await;
        let status = answer.status.as_u16();
        assert!([200, 422].contains(&status), "{wrong}: {}", answer.text);
    }
    t.finish().await;
}
