//! Invitations: by mail and by link, accepted once, by whom they are for.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::callers::{Answer, signed_in};
use crate::support::journey::text;
use crate::support::people::token;
use crate::support::{Caller, TestApp};

async fn accept(t: &TestApp, who: &Caller, token: &str) -> Answer {
    who.post(t, "/v1/invitations/accept", json!({ "token": token }))
        .await
}

async fn preview(t: &TestApp, token: &str) -> Answer {
    let body = json!({ "token": token });
    Caller::anonymous()
        .post(t, "/v1/invitations/preview", body)
        .await
}

fn link(invitation: &Value) -> String {
    token(invitation["url"].as_str().unwrap())
}

#[tokio::test]
async fn who_is_invited_by_mail_registers_and_is_a_member() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let invitation = t.invite(&owner, Some("budi@example.com"), "agent").await;
    assert_eq!(invitation["mail"], "queued");
    assert!(
        invitation.get("url").is_none(),
        "the link is in the mail alone"
    );
    t.drain().await;
    let listed = owner.get(&t, "/v1/invitations").await.expect(200);
    assert_eq!(listed["items"][0]["mail"], "sent");
    let token = t.mailed_token("budi@example.com");
    let shown = preview(&t, &token).await.expect(200);
    assert_eq!(shown["workspace"], "acme");
    assert_eq!(shown["inviter"], "acme");
    assert_eq!(shown["role"], "agent");

    let another = t.register_with("another", &token).await;
    assert_eq!(another.expect(409)["code"], "invited_another");
    let budi = signed_in(t.register_with("budi", &token).await, 201);
    assert_eq!(budi.workspace, owner.workspace);
    budi.get(&t, "/v1/contacts").await.expect(200);
    preview(&t, &token).await.expect(409);
    let used = t.register_with("late", &token).await;
    assert_eq!(used.expect(409)["code"], "invitation_not_good");
    let listed = owner.get(&t, "/v1/invitations").await.expect(200);
    assert_eq!(listed["items"], json!([]));
    assert!(
        t.log(&owner)
            .await
            .iter()
            .any(|(action, _)| action == "member.joined")
    );
    t.finish().await;
}

#[tokio::test]
async fn a_refused_registration_with_an_invitation_leaves_no_account() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    t.invite(&owner, Some("budi@example.com"), "agent").await;
    t.drain().await;
    let token = t.mailed_token("budi@example.com");
    t.register_with("another", &token).await.expect(409);
    t.register_with("third", "a guess").await.expect(409);
    for name in ["another", "third"] {
        let body = json!({"email": format!("{name}@example.com"), "password": "a long password"});
        Caller::anonymous()
            .post(&t, "/v1/login", body)
            .await
            .expect(401);
    }
    let both = json!({"email": "x@example.com", "password": "a long password", "name": "x", "workspace": "x", "invitation": token});
    Caller::anonymous()
        .post(&t, "/v1/register", both)
        .await
        .expect(422);
    t.finish().await;
}

#[tokio::test]
async fn a_mail_is_for_its_address_and_a_link_for_whoever_has_it() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let other = t.owner("other").await;
    t.invite(&owner, Some("budi@example.com"), "agent").await;
    t.drain().await;
    let mailed = t.mailed_token("budi@example.com");
    let refused = accept(&t, &other, &mailed).await.expect(409);
    assert_eq!(refused["code"], "invited_another");
    assert!(
        refused["detail"]
            .as_str()
            .unwrap()
            .contains("another e-mail address")
    );
    let invitation = t.invite(&owner, None, "agent").await;
    let accepted = accept(&t, &other, &link(&invitation)).await.expect(200);
    assert_eq!(accepted["workspace"], owner.workspace);
    let me = other.get(&t, "/v1/me").await.expect(200);
    assert_eq!(me["workspace"], owner.workspace);
    t.finish().await;
}

#[tokio::test]
async fn of_two_who_accept_the_last_place_at_once_one_joins() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let (first, second) = (t.owner("first").await, t.owner("second").await);
    let token = link(&t.invite(&owner, None, "agent").await);
    let (one, two) = tokio::join!(accept(&t, &first, &token), accept(&t, &second, &token));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    let members = owner.get(&t, "/v1/members").await.expect(200);
    assert_eq!(members["items"].as_array().unwrap().len(), 2);
    t.finish().await;
}

#[tokio::test]
async fn a_link_brings_as_many_as_it_says_and_each_person_once() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let body = json!({"role": "agent", "max_uses": 2});
    let invitation = owner.post(&t, "/v1/invitations", body).await.expect(201);
    let token = link(&invitation);
    let people = [t.owner("a").await, t.owner("b").await, t.owner("c").await];
    accept(&t, &people[0], &token).await.expect(200);
    assert_eq!(
        accept(&t, &people[0], &token).await.expect(409)["code"],
        "already_member"
    );
    accept(&t, &people[1], &token).await.expect(200);
    assert_eq!(
        accept(&t, &people[2], &token).await.expect(409)["code"],
        "invitation_not_good"
    );
    for body in [
        json!({"role": "agent", "max_uses": 0}),
        json!({"role": "agent", "max_uses": 101}),
        json!({"role": "agent", "max_uses": 2, "email": "x@example.com"}),
    ] {
        let refused = owner.post(&t, "/v1/invitations", body).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], "max_uses");
    }
    t.finish().await;
}

#[tokio::test]
async fn an_invitation_ends_after_seven_days_or_when_it_is_revoked() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let other = t.owner("other").await;
    let old = link(&t.invite(&owner, None, "agent").await);
    t.advance(SignedDuration::from_hours(24 * 7));
    assert_eq!(
        accept(&t, &other, &old).await.expect(409)["code"],
        "invitation_not_good"
    );
    let invitation = t.invite(&owner, None, "agent").await;
    let path = format!("/v1/invitations/{}", text(&invitation["id"]));
    other.delete(&t, &path).await.expect(404);
    owner.delete(&t, &path).await.expect(204);
    owner.delete(&t, &path).await.expect(404);
    preview(&t, &link(&invitation)).await.expect(409);
    accept(&t, &other, &link(&invitation)).await.expect(409);
    let log = t.log(&owner).await;
    assert!(log.iter().any(|(action, _)| action == "invitation.revoked"));
    t.finish().await;
}

#[tokio::test]
async fn an_address_is_invited_once_at_a_time() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let invite = |email: &'static str| {
        owner.post(
            &t,
            "/v1/invitations",
            json!({"email": email, "role": "agent"}),
        )
    };
    let (one, two) = tokio::join!(invite("budi@example.com"), invite("Budi@Example.com"));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    t.drain().await;
    assert_eq!(t.mails().len(), 1);
    assert_eq!(
        invite("budi@example.com").await.expect(409)["code"],
        "already_invited"
    );
    assert_eq!(
        invite("ACME@example.com").await.expect(409)["code"],
        "already_member"
    );
    assert_eq!(
        invite("nonsense").await.expect(422)["errors"][0]["field"],
        "email"
    );
    t.advance(SignedDuration::from_hours(24 * 7));
    invite("budi@example.com").await.expect(201);
    t.drain().await;
    assert_eq!(t.mails().len(), 2);
    t.finish().await;
}

#[tokio::test]
async fn a_second_mail_makes_the_first_link_void() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let invitation = t.invite(&owner, Some("budi@example.com"), "agent").await;
    t.drain().await;
    let first = t.mailed_token("budi@example.com");
    let path = format!("/v1/invitations/{}/send", text(&invitation["id"]));
    owner.post(&t, &path, Value::Null).await.expect(202);
    t.drain().await;
    let second = t.mailed_token("budi@example.com");
    preview(&t, &first).await.expect(409);
    preview(&t, &second).await.expect(200);
    let by_link = t.invite(&owner, None, "agent").await;
    let path = format!("/v1/invitations/{}/send", text(&by_link["id"]));
    let refused = owner.post(&t, &path, Value::Null).await;
    assert_eq!(refused.expect(409)["code"], "not_by_mail");
    t.finish().await;
}
