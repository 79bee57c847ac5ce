//! Members: who may do what to whom, and how they go.

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::journey::text;
use crate::support::{Caller, TestApp};

async fn remove(t: &TestApp, by: &Caller, member: &str) -> crate::support::callers::Answer {
    by.delete(t, &format!("/v1/members/{member}")).await
}

async fn leave(t: &TestApp, who: &Caller) -> crate::support::callers::Answer {
    let path = format!("/v1/workspaces/{}/leave", who.workspace);
    who.post(t, &path, Value::Null).await
}

async fn owners(t: &TestApp, by: &Caller) -> usize {
    let page = by.get(t, "/v1/members").await.expect(200);
    let members = page["items"].as_array().unwrap().iter();
    members.filter(|member| member["role"] == "owner").count()
}

#[tokio::test]
async fn members_are_listed_with_their_roles() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let agent = t.member(&owner, "agent", "agent").await;
    let page = agent.get(&t, "/v1/members").await.expect(200);
    let mut people: Vec<_> = page["items"].as_array().unwrap().iter().collect();
    people.sort_by_key(|member| text(&member["email"]));
    assert_eq!(people[0]["role"], "owner");
    assert_eq!(people[1]["email"], "agent@example.com");
    assert_eq!(people[1]["role"], "agent");
    t.finish().await;
}

#[tokio::test]
async fn an_agent_changes_nobody_and_an_admin_no_owner() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let admin = t.member(&owner, "admin", "admin").await;
    let agent = t.member(&owner, "agent", "agent").await;
    let ids = [
        t.id_of(&owner).await,
        t.id_of(&admin).await,
        t.id_of(&agent).await,
    ];
    let [owner_id, admin_id, agent_id] = ids;
    t.set_role(&agent, &agent_id, "admin").await.expect(403);
    remove(&t, &agent, &admin_id).await.expect(403);
    agent.get(&t, "/v1/invitations").await.expect(403);
    agent.get(&t, "/v1/audit").await.expect(403);
    t.set_role(&admin, &owner_id, "agent").await.expect(403);
    remove(&t, &admin, &owner_id).await.expect(403);
    t.set_role(&admin, &admin_id, "owner").await.expect(403);
    t.set_role(&admin, &agent_id, "owner").await.expect(403);
    let body = json!({"role": "owner"});
    admin.post(&t, "/v1/invitations", body).await.expect(403);
    t.set_role(&admin, &agent_id, "admin").await.expect(200);
    agent.get(&t, "/v1/audit").await.expect(200);
    let key = t
        .key_with(&owner, &[domain::workspace::Permission::WriteMembers])
        .await;
    t.set_role(&key, &agent_id, "owner").await.expect(403);
    remove(&t, &key, &owner_id).await.expect(403);
    t.set_role(&owner, &agent_id, "boss").await.expect(422);
    t.finish().await;
}

#[tokio::test]
async fn the_last_owner_stays() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let id = t.id_of(&owner).await;
    let refused = t.set_role(&owner, &id, "admin").await;
    assert_eq!(refused.expect(409)["code"], "last_owner");
    assert_eq!(leave(&t, &owner).await.expect(409)["code"], "last_owner");
    assert_eq!(
        remove(&t, &owner, &id).await.expect(409)["code"],
        "last_owner"
    );
    let second = t.member(&owner, "second", "owner").await;
    leave(&t, &owner).await.expect(204);
    assert_eq!(owners(&t, &second).await, 1);
    assert_eq!(leave(&t, &second).await.expect(409)["code"], "last_owner");
    t.finish().await;
}

#[tokio::test]
async fn two_owners_who_unmake_each_other_at_once_leave_one() {
    for _ in 0..5 {
        let t = TestApp::new().await;
        let first = t.owner("first").await;
        let second = t.member(&first, "second", "owner").await;
        let (a, b) = (t.id_of(&first).await, t.id_of(&second).await);
        let (one, two) = tokio::join!(
            t.set_role(&first, &b, "agent"),
            t.set_role(&second, &a, "agent")
        );
        let won = [&one, &two]
            .iter()
            .filter(|answer| answer.status.is_success())
            .count();
        assert_eq!(won, 1, "{} {}", one.text, two.text);
        let left = if one.status.is_success() {
            &first
        } else {
            &second
        };
        assert_eq!(owners(&t, left).await, 1);
        t.finish().await;
    }
}

#[tokio::test]
async fn two_owners_who_leave_at_once_leave_one() {
    let t = TestApp::new().await;
    let first = t.owner("first").await;
    let second = t.member(&first, "second", "owner").await;
    let (one, two) = tokio::join!(leave(&t, &first), leave(&t, &second));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 409]);
    let left = if one.status.is_success() {
        &second
    } else {
        &first
    };
    assert_eq!(owners(&t, left).await, 1);
    t.finish().await;
}

#[tokio::test]
async fn who_is_removed_is_out_at_once_with_keys_and_invitations() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let admin = t.member(&owner, "admin", "admin").await;
    let id = t.id_of(&admin).await;
    let theirs = t
        .key_with(&admin, &[domain::workspace::Permission::ReadContacts])
        .await;
    let ours = t
        .key_with(&owner, &[domain::workspace::Permission::ReadContacts])
        .await;
    let link = t.invite(&admin, None, "admin").await;
    admin.get(&t, "/v1/contacts").await.expect(200);
    theirs.get(&t, "/v1/contacts").await.expect(200);

    remove(&t, &owner, &id).await.expect(204);
    admin.get(&t, "/v1/contacts").await.expect(404);
    admin
        .post(&t, "/v1/groups", json!({"name": "x"}))
        .await
        .expect(404);
    assert_eq!(
        admin.get(&t, "/v1/me").await.expect(200)["workspace"],
        Value::Null
    );
    theirs.get(&t, "/v1/contacts").await.expect(401);
    ours.get(&t, "/v1/contacts").await.expect(200);
    // They cannot come back by what they wrote themselves.
    let token = crate::support::people::token(link["url"].as_str().unwrap());
    let body = json!({ "token": token });
    let refused = admin.post(&t, "/v1/invitations/accept", body).await;
    assert_eq!(refused.expect(409)["code"], "invitation_not_good");
    remove(&t, &owner, &id).await.expect(404);
    let log = t.log(&owner).await;
    assert!(log.contains(&("member.removed".to_owned(), id)));
    t.finish().await;
}

#[tokio::test]
async fn a_lower_role_takes_the_keys_that_do_more() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let admin = t.member(&owner, "admin", "admin").await;
    let reads = t
        .key_with(&admin, &[domain::workspace::Permission::ReadContacts])
        .await;
    let sends = t
        .key_with(&admin, &[domain::workspace::Permission::WriteCampaigns])
        .await;
    let id = t.id_of(&admin).await;
    t.set_role(&owner, &id, "agent").await.expect(200);
    reads.get(&t, "/v1/contacts").await.expect(200);
    sends.get(&t, "/v1/contacts").await.expect(401);
    admin
        .post(
            &t,
            "/v1/api-keys",
            json!({"name": "k", "scopes": ["contacts:read"]}),
        )
        .await
        .expect(403);
    t.finish().await;
}

#[tokio::test]
async fn members_of_another_workspace_are_not_found() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let stranger = t.owner("stranger").await;
    let id = t.id_of(&owner).await;
    t.set_role(&stranger, &id, "agent").await.expect(404);
    remove(&t, &stranger, &id).await.expect(404);
    let path = format!("/v1/workspaces/{}/switch", owner.workspace);
    stranger.post(&t, &path, Value::Null).await.expect(404);
    let path = format!("/v1/workspaces/{}/leave", owner.workspace);
    stranger
        .send(&t, Method::POST, &path, None)
        .await
        .expect(404);
    t.finish().await;
}

#[tokio::test]
async fn who_leaves_is_in_another_of_their_workspaces() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let other = t.owner("other").await;
    let link = t.invite(&owner, None, "agent").await;
    let token = crate::support::people::token(link["url"].as_str().unwrap());
    other
        .post(&t, "/v1/invitations/accept", json!({ "token": token }))
        .await
        .expect(200);
    let me = other.get(&t, "/v1/me").await.expect(200);
    assert_eq!(me["workspace"], owner.workspace);
    let path = format!("/v1/workspaces/{}/leave", owner.workspace);
    other.post(&t, &path, Value::Null).await.expect(204);
    let me = other.get(&t, "/v1/me").await.expect(200);
    assert_eq!(me["workspace"], other.workspace);
    other.post(&t, &path, Value::Null).await.expect(404);
    t.finish().await;
}
