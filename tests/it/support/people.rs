//! Steps with people: invited, joined, signed in, and what they find in their mailbox.

use axum::http::Method;
use local::mailbox::Kept;
use serde_json::{Value, json};

use super::callers::signed_in;
use super::journey::text;
use super::{Caller, TestApp};

/// The password of everybody in the tests.
pub(crate) const PASSWORD: &str = "a long password";

impl TestApp {
    /// An invitation by mail, or by a link when there is no address.
    pub(crate) async fn invite(&self, by: &Caller, email: Option<&str>, role: &str) -> Value {
        let body = json!({"email": email, "role": role});
        by.post(self, "/v1/invitations", body).await.expect(201)
    }

    /// A new person who joins the caller's workspace by a link.
    pub(crate) async fn member(&self, by: &Caller, name: &str, role: &str) -> Caller {
        let invitation = self.invite(by, None, role).await;
        let token = token(invitation["url"].as_str().unwrap());
        signed_in(self.register_with(name, &token).await, 201)
    }

    /// Registers somebody with an invitation's token.
    pub(crate) async fn register_with(&self, name: &str, token: &str) -> super::callers::Answer {
        let body = json!({"email": format!("{name}@example.com"), "password": PASSWORD, "name": name, "invitation": token});
        Caller::anonymous().post(self, "/v1/register", body).await
    }

    pub(crate) async fn sign_in(&self, name: &str, password: &str) -> Caller {
        let body = json!({"email": format!("{name}@example.com"), "password": password});
        signed_in(Caller::anonymous().post(self, "/v1/login", body).await, 200)
    }

    /// The id of the person who calls.
    pub(crate) async fn id_of(&self, caller: &Caller) -> String {
        text(&caller.get(self, "/v1/me").await.expect(200)["id"])
    }

    pub(crate) async fn set_role(
        &self,
        by: &Caller,
        member: &str,
        role: &str,
    ) -> super::callers::Answer {
        let path = format!("/v1/members/{member}");
        by.send(self, Method::PATCH, &path, Some(json!({"role": role})))
            .await
    }

    /// Everything that was mailed, the newest first.
    pub(crate) fn mails(&self) -> Vec<Kept> {
        self.mailbox.newest().unwrap()
    }

    /// The token in the newest mail, which is to this address.
    pub(crate) fn mailed_token(&self, to: &str) -> String {
        let mails = self.mails();
        let newest = mails.first().expect("something was mailed");
        assert_eq!(newest.to, to);
        token(&newest.text)
    }

    /// The actions in the log of the caller's workspace, the newest first.
    pub(crate) async fn log(&self, caller: &Caller) -> Vec<(String, String)> {
        let page = caller.get(self, "/v1/audit").await.expect(200);
        let entries = page["items"].as_array().unwrap().iter();
        entries
            .map(|entry| (text(&entry["action"]), text(&entry["target"])))
            .collect()
    }
}

/// What stands behind the hash sign of a link.
pub(crate) fn token(text: &str) -> String {
    let (_, rest) = text.split_once('#').expect("there is a link");
    rest.split_whitespace().next().unwrap().to_owned()
}
