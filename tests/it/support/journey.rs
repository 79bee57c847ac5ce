//! Steps that many tests begin with: a connected number, contacts in a group, a campaign.

use app::Actor;
use app::actor::Who;
use app::task::QueueName;
use axum::http::Method;
use domain::id::{CampaignId, UserId, WorkspaceId};
use domain::workspace::Role;
use jiff::SignedDuration;
use serde_json::{Value, json};
use simulator::universe;

use super::{Caller, TestApp};

/// The template that the campaigns of the tests send, with three variables in its body.
pub(crate) const TEMPLATE: &str = "order_update";

impl TestApp {
    /// Connects the first number of the simulator and returns the channel's id.
    pub(crate) async fn connect(&self, caller: &Caller) -> String {
        let body = json!({"waba_id": universe::WABA, "phone_number_id": universe::NUMBER, "access_token": simulator::Settings::default().token});
        text(&caller.post(self, "/v1/channels", body).await.expect(201)["id"])
    }

    pub(crate) async fn group(&self, caller: &Caller, name: &str) -> String {
        text(
            &caller
                .post(self, "/v1/groups", json!({"name": name}))
                .await
                .expect(201)["id"],
        )
    }

    /// A contact with a valid Indonesian number that ends in `n`.
    pub(crate) async fn contact(&self, caller: &Caller, n: u32, groups: &[&str]) -> Value {
        let body = json!({"phone": phone(n), "name": format!("Person {n}"), "attributes": {"company": "Toko", "city": "Bandung"}, "groups": groups});
        caller.post(self, "/v1/contacts", body).await.expect(201)
    }

    /// The chat of a channel with a contact.
    pub(crate) async fn chat(&self, caller: &Caller, channel: &str, contact: &str) -> String {
        let body = json!({"contact": contact, "channel": channel});
        let answer = caller.post(self, "/v1/chats", body).await;
        assert!(answer.status.is_success(), "{}", answer.text);
        let chat: Value = serde_json::from_str(&answer.text).unwrap();
        text(&chat["id"])
    }

    /// A workspace with a number, its first contact, and the chat with them: owner, channel, contact and
    /// chat.
    pub(crate) async fn acquainted(&self) -> (Caller, String, String, String) {
        let owner = self.owner("acme").await;
        let channel = self.connect(&owner).await;
        let contact = text(&self.contact(&owner, 1, &[]).await["id"]);
        let chat = self.chat(&owner, &channel, &contact).await;
        (owner, channel, contact, chat)
    }

    /// Uploads a file and imports it to the end.
    pub(crate) async fn import(&self, caller: &Caller, file: &[u8], options: Value) -> Value {
        let id = self.upload(caller, file, options).await;
        caller
            .post(self, &format!("/v1/imports/{id}/start"), Value::Null)
            .await
            .expect(202);
        self.drain().await;
        caller
            .get(self, &format!("/v1/imports/{id}"))
            .await
            .expect(200)
    }

    /// Prepares an import and uploads its file.
    pub(crate) async fn upload(&self, caller: &Caller, file: &[u8], options: Value) -> String {
        let mut body = json!({"file_name": "contacts.csv", "size": file.len()});
        body.as_object_mut()
            .unwrap()
            .extend(options.as_object().cloned().unwrap_or_default());
        let import = caller.post(self, "/v1/imports", body).await.expect(201);
        let url = text(&import["upload"]["url"]);
        let path = url.strip_prefix(&self.app.config.public_url).unwrap();
        let put = Caller::anonymous()
            .raw(self, Method::PUT, path, None, file.to_vec())
            .await;
        assert!(put.status.is_success(), "{}", put.text);
        text(&import["id"])
    }

    /// A workspace with a connected number, a group of this many contacts and a draft for them.
    pub(crate) async fn prepared(&self, contacts: u32) -> (Caller, String, String) {
        let owner = self.owner("acme").await;
        let channel = self.connect(&owner).await;
        let mut file = "name,phone,company,city,groups\n".to_owned();
        for n in 0..contacts {
            file.push_str(&format!(
                "Person {n},{},Toko {n},Bandung,Customers\n",
                phone(n)
            ));
        }
        self.import(&owner, file.as_bytes(), json!({})).await;
        let groups = owner.get(self, "/v1/groups").await.expect(200);
        let group = text(&groups["items"][0]["id"]);
        let campaign = self.draft(&owner, &channel, &[&group]).await;
        (owner, campaign, group)
    }

    /// The figures, checked against a recount of the rows.
    pub(crate) async fn figures(&self, owner: &Caller, campaign: &str) -> Value {
        let workspace: WorkspaceId = owner.workspace.parse().unwrap();
        let id: CampaignId = campaign.parse().unwrap();
        let who = Who::Member {
            user: UserId::fresh(),
            role: Role::Owner,
        };
        let actor = Actor { workspace, who };
        let recount = app::campaign::recount(&self.app, &actor, &id)
            .await
            .unwrap();
        let statistics = self.campaign(owner, campaign).await["statistics"].clone();
        assert!(recount.balanced(), "{recount:?}");
        for (name, count) in recount.fields() {
            assert_eq!(
                statistics[name], count,
                "{name} differs from the recount {recount:?}"
            );
        }
        statistics
    }

    /// A clock on the wall of a time zone, so many seconds from now, as a person would write it.
    pub(crate) fn clock_in(&self, zone: &str, seconds: i64) -> String {
        let at = self.app.now() + SignedDuration::from_secs(seconds);
        let there = at.in_tz(zone).unwrap().datetime();
        there.strftime("%Y-%m-%dT%H:%M:%S").to_string()
    }

    /// The id of the test template in the caller's workspace.
    pub(crate) async fn template(&self, caller: &Caller, name: &str) -> String {
        let mut path = "/v1/templates?limit=100".to_owned();
        loop {
            let page = caller.get(self, &path).await.expect(200);
            let found = page["items"]
                .as_array()
                .unwrap()
                .iter()
                .find(|template| template["name"] == name);
            if let Some(found) = found {
                return text(&found["id"]);
            }
            path = format!(
                "/v1/templates?limit=100&cursor={}",
                page["next"].as_str().expect("the template is listed")
            );
        }
    }

    /// A draft that sends the test template to a group.
    pub(crate) async fn draft(&self, caller: &Caller, channel: &str, groups: &[&str]) -> String {
        self.draft_for(caller, channel, json!({"groups": groups}))
            .await
    }

    /// A draft that sends the test template to an audience.
    pub(crate) async fn draft_for(
        &self,
        caller: &Caller,
        channel: &str,
        audience: Value,
    ) -> String {
        let template = self.template(caller, TEMPLATE).await;
        let body = json!({
            "name": "A campaign", "channel": channel, "template": template, "audience": audience, "variables": variables(),
        });
        text(&caller.post(self, "/v1/campaigns", body).await.expect(201)["id"])
    }

    pub(crate) async fn start(&self, caller: &Caller, campaign: &str) {
        caller
            .post(
                self,
                &format!("/v1/campaigns/{campaign}/start"),
                Value::Null,
            )
            .await
            .expect(202);
    }

    /// Lets queues and clock go on until the simulator has accepted this many messages.
    pub(crate) async fn go_on_until_sent(&self, count: u64) {
        self.go_on_until(async || {
            self.begin_sending().await;
            self.ledger().await["accepted"].as_u64() >= Some(count)
        })
        .await;
    }

    pub(crate) async fn campaign(&self, caller: &Caller, campaign: &str) -> Value {
        caller
            .get(self, &format!("/v1/campaigns/{campaign}"))
            .await
            .expect(200)
    }

    /// What the simulator counted.
    pub(crate) async fn ledger(&self) -> Value {
        let report = "/_control/report";
        self.control(Method::GET, report, Value::Null).await
    }

    /// Lets queues and clock go on until the simulator has refused somebody with this code.
    pub(crate) async fn go_on_until_refused(&self, code: &str) {
        self.go_on_until(async || {
            self.begin_sending().await;
            self.ledger().await["refused"].get(code).is_some()
        })
        .await;
    }

    async fn begin_sending(&self) {
        for queue in [
            QueueName::CampaignPlan,
            QueueName::CampaignDispatch,
            QueueName::CampaignSend,
        ] {
            self.begin_all(queue).await;
        }
    }
}

/// A source for each variable of the test template.
pub(crate) fn variables() -> Value {
    json!({
        "body.1": {"from": "field", "field": "first_name", "fallback": "there"},
        "body.2": {"from": "attribute", "key": "company"},
        "body.3": {"from": "attribute", "key": "city", "fallback": "your city"},
    })
}

pub(crate) fn phone(n: u32) -> String {
    format!("+62812{:08}", 10_000_000 + n)
}

pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is not a text"))
        .to_owned()
}
