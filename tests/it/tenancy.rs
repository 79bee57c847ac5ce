//! One workspace never sees another's: ids of another workspace are not found, by any route.

use serde_json::json;

use crate::openapi::operations;
use crate::support::TestApp;
use crate::support::journey::text;

#[tokio::test]
async fn another_workspaces_ids_are_not_found_by_any_operation() {
    let mut t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    let group = t.group(&owner, "Customers").await;
    let contact = t.contact(&owner, 1, &[&group]).await;
    let campaign = t.draft(&owner, &channel, &[&group]).await;
    let template = t.template(&owner, "order_update").await;
    let import = t
        .upload(&owner, b"phone\n+6281234567890\n", json!({}))
        .await;
    let chat = t
        .chat(&owner, &channel, contact["id"].as_str().unwrap())
        .await;
    let body = json!({"file_name": "a.png", "mime_type": "image/png", "size": 9});
    let media = text(&owner.post(&t, "/v1/media", body).await.expect(201)["id"]);
    let label = owner.post(&t, "/v1/labels", json!({"name": "VIP"})).await;
    let label = text(&label.expect(201)["id"]);
    let canned = json!({"shortcut": "thanks", "text": "Thank you!"});
    let canned = owner.post(&t, "/v1/canned-replies", canned).await;
    let canned = text(&canned.expect(201)["id"]);
    let keys = owner
        .post(
            &t,
            "/v1/api-keys",
            json!({"name": "k", "scopes": ["contacts:read"]}),
        )
        .await
        .expect(201);
    let invitation = text(&t.invite(&owner, None, "agent").await["id"]);
    let session = text(&owner.get(&t, "/v1/sessions").await.expect(200)["items"][0]["id"]);
    let member = text(&owner.get(&t, "/v1/members").await.expect(200)["items"][0]["id"]);
    let body = json!({"name": "Hi", "trigger": {"type": "welcome"}, "content": {"type": "text", "text": "Hi"}});
    let path = "/v1/inbox/automatic-answers";
    let answer = text(&owner.post(&t, path, body).await.expect(201)["id"]);
    let stranger = t.owner("stranger").await;
    let ids = [
        ("{answer}", answer.as_str()),
        ("{invitation}", &invitation),
        ("{session}", &session),
        ("{member}", &member),
        ("{workspace}", &owner.workspace),
        ("{contact}", contact["id"].as_str().unwrap()),
        ("{group}", &group),
        ("{import}", &import),
        ("{label}", &label),
        ("{campaign}", &campaign),
        ("{canned_reply}", &canned),
        ("{media}", &media),
        ("{channel}", &channel),
        ("{chat}", &chat),
        ("{template}", &template),
        ("{api_key}", keys["id"].as_str().unwrap()),
    ];
    let mut tried = 0;
    for operation in operations().iter().filter(|one| !one.is_public()) {
        let Some(start) = operation.path.find('{') else {
            continue;
        };
        let name = operation.name();
        let known = ids
            .iter()
            .find(|(id, _)| operation.path[start..].starts_with(id));
        let (id, foreign) = known.unwrap_or_else(|| panic!("{name}: make one of these above"));
        let path = operation.path.replace(id, foreign);
        let answer = stranger
            .send(&t, operation.method.clone(), &path, operation.body())
            .await;
        assert_eq!(answer.status.as_u16(), 404, "{name}: {}", answer.text);
        tried += 1;
    }
    assert!(tried >= 30, "only {tried} operations were tried");
    let foreign = stranger.clone().with("x-workspace", &owner.workspace);
    foreign.get(&t, "/v1/contacts").await.expect(404);
    // What belongs to another workspace cannot be named in a body either.
    let body = json!({"phone": "+6281234567899", "groups": [group]});
    assert_eq!(
        stranger.post(&t, "/v1/contacts", body).await.expect(422)["errors"][0]["field"],
        "groups.0"
    );
    let body = json!({"name": "x", "channel": channel, "template": template, "audience": {"groups": [group], "contacts": [contact["id"]]}});
    assert_eq!(
        stranger.post(&t, "/v1/campaigns", body).await.expect(422)["errors"]
            .as_array()
            .unwrap()
            .len(),
        4
    );
    assert_eq!(
        owner
            .get(&t, &format!("/v1/groups/{group}"))
            .await
            .expect(200)["name"],
        "Customers"
    );
    t.allow_leftovers();
}

#[tokio::test]
async fn a_number_is_connected_to_one_workspace() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    t.connect(&owner).await;
    let stranger = t.owner("stranger").await;
    let body = json!({"waba_id": "300000000000001", "phone_number_id": "200000000000001", "access_token": simulator::Settings::default().token});
    assert_eq!(
        stranger
            .post(&t, "/v1/channels", body.clone())
            .await
            .expect(409)["code"],
        "number_connected"
    );
    let mut wrong = body;
    wrong["access_token"] = json!("stolen");
    wrong["phone_number_id"] = json!("200000000000002");
    assert_eq!(
        stranger.post(&t, "/v1/channels", wrong).await.expect(502)["code"],
        "upstream"
    );
    t.finish().await;
}
