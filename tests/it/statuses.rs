//! Statuses as Meta sends them: twice, in any order, too early, for others.

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::journey::text;
use crate::support::{Caller, TestApp};

const NUMBER: &str = simulator::universe::NUMBER;

/// A webhook body with these statuses: callback data, status.
pub(crate) fn body(number: &str, statuses: &[(String, &str)]) -> Vec<u8> {
    let statuses: Vec<_> = statuses
        .iter()
        .map(|(data, status)| {
            let mut value = json!({"id": format!("wamid.{data}"), "status": status, "timestamp": "1795000100", "recipient_id": "6281", "biz_opaque_callback_data": data});
            if *status == "failed" {
                value["errors"] = json!([{"code": 131_026, "title": "Message undeliverable"}]);
            }
            value
        })
        .collect();
    let value = json!({"messaging_product": "whatsapp", "metadata": {"display_phone_number": "1", "phone_number_id": number}, "statuses": statuses});
    json!({"object": "whatsapp_business_account", "entry": [{"id": "300000000000001", "changes": [{"field": "messages", "value": value}]}]})
        .to_string()
        .into_bytes()
}

/// Sends a body as Meta would, and lets it be processed.
async fn tell(t: &TestApp, body: Vec<u8>) {
    let signature = whatsapp::signature::sign(&t.app.config.app_secrets[0], &body);
    let header = Some(("x-hub-signature-256", signature.as_str()));
    let answer = Caller::anonymous()
        .raw(t, Method::POST, "/webhooks/whatsapp", header, body)
        .await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    t.drain().await;
}

/// A campaign that was sent to five people, none of whose statuses arrived. Recipients are named
/// like what Meta echoes.
async fn sent(t: &TestApp) -> (Caller, String, Vec<String>) {
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    let group = t.group(&owner, "A").await;
    for n in 0..5 {
        t.contact(&owner, n, &[&group]).await;
    }
    let campaign = t.draft(&owner, &channel, &[&group]).await;
    t.start(&owner, &campaign).await;
    t.drain().await;
    let names = (0..5)
        .map(|index| format!("{campaign}.0.{index}"))
        .collect();
    (owner, campaign, names)
}

async fn figures(t: &TestApp, owner: &Caller, campaign: &str) -> [i64; 5] {
    let statistics = t.campaign(owner, campaign).await["statistics"].clone();
    ["pending", "sent", "delivered", "read", "failed"]
        .map(|name| statistics[name].as_i64().unwrap())
}

#[tokio::test]
async fn statuses_in_any_order_and_twice_count_once() {
    let t = TestApp::quiet().await;
    let (owner, campaign, names) = sent(&t).await;
    assert_eq!(figures(&t, &owner, &campaign).await, [0, 5, 0, 0, 0]);
    let of = |name: usize, status| (names[name].clone(), status);
    tell(
        &t,
        body(
            NUMBER,
            &[
                of(0, "read"),
                of(1, "delivered"),
                of(0, "sent"),
                of(2, "failed"),
            ],
        ),
    )
    .await;
    tell(
        &t,
        body(
            NUMBER,
            &[
                of(0, "delivered"),
                of(1, "delivered"),
                of(2, "failed"),
                of(2, "sent"),
            ],
        ),
    )
    .await;
    assert_eq!(figures(&t, &owner, &campaign).await, [0, 4, 2, 1, 1]);
    tell(
        &t,
        body(
            NUMBER,
            &[of(1, "failed"), of(1, "read"), of(2, "delivered")],
        ),
    )
    .await;
    assert_eq!(figures(&t, &owner, &campaign).await, [0, 4, 2, 2, 1]);
    t.finish().await;
}

#[tokio::test]
async fn many_bodies_at_once_about_the_same_people_count_each_person_once() {
    let t = TestApp::quiet().await;
    let (owner, campaign, names) = sent(&t).await;
    for status in ["delivered", "read", "sent", "delivered", "read"] {
        let statuses: Vec<_> = names.iter().map(|name| (name.clone(), status)).collect();
        let body = body(NUMBER, &statuses);
        let signature = whatsapp::signature::sign(&t.app.config.app_secrets[0], &body);
        let header = Some(("x-hub-signature-256", signature.as_str()));
        Caller::anonymous()
            .raw(&t, Method::POST, "/webhooks/whatsapp", header, body)
            .await
            .expect(200);
    }
    t.drain().await;
    assert_eq!(figures(&t, &owner, &campaign).await, [0, 5, 5, 5, 0]);
    t.finish().await;
}

#[tokio::test]
async fn a_failure_is_listed_with_its_code_and_reason() {
    let t = TestApp::quiet().await;
    let (owner, campaign, names) = sent(&t).await;
    tell(&t, body(NUMBER, &[(names[3].clone(), "failed")])).await;
    let failed = owner
        .get(
            &t,
            &format!("/v1/campaigns/{campaign}/recipients?status=failed"),
        )
        .await
        .expect(200);
    let items = failed["items"].as_array().unwrap();
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["code"], 131_026);
    assert_eq!(items[0]["reason"], whatsapp::reason(131_026));
    assert!(items[0]["phone"].is_string());
    t.finish().await;
}

#[tokio::test]
async fn a_status_that_outruns_the_sender_is_kept() {
    let t = TestApp::quiet().await;
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    let group = t.group(&owner, "A").await;
    for n in 0..3 {
        t.contact(&owner, n, &[&group]).await;
    }
    let campaign = t.draft(&owner, &channel, &[&group]).await;
    t.start(&owner, &campaign).await;
    t.run_once(app::task::QueueName::CampaignPlan).await;
    tell(
        &t,
        body(NUMBER, &[(format!("{campaign}.0.1"), "delivered")]),
    )
    .await;
    assert_eq!(figures(&t, &owner, &campaign).await, [0, 3, 1, 0, 0]);
    t.finish().await;
}

#[tokio::test]
async fn another_number_cannot_report_on_our_recipients() {
    let t = TestApp::quiet().await;
    let (owner, campaign, names) = sent(&t).await;
    let stranger = t.owner("stranger").await;
    let account = json!({"waba_id": simulator::universe::SECOND_WABA, "phone_number_id": simulator::universe::SECOND_NUMBER, "access_token": simulator::Settings::default().token});
    stranger.post(&t, "/v1/channels", account).await.expect(201);
    tell(
        &t,
        body(
            simulator::universe::SECOND_NUMBER,
            &[(names[0].clone(), "read")],
        ),
    )
    .await;
    tell(&t, body("299999999999999", &[(names[0].clone(), "read")])).await;
    assert_eq!(figures(&t, &owner, &campaign).await, [0, 5, 0, 0, 0]);
    t.finish().await;
}

#[tokio::test]
async fn statuses_of_nobody_change_nothing() {
    let t = TestApp::quiet().await;
    let (owner, campaign, _) = sent(&t).await;
    let never = domain::id::CampaignId::fresh();
    let nobody = [
        (format!("{campaign}.0.77"), "read"),
        (format!("{campaign}.9.0"), "read"),
        (format!("{never}.0.0"), "read"),
        ("t1:msg:42".to_owned(), "read"),
    ];
    tell(&t, body(NUMBER, &nobody)).await;
    assert_eq!(figures(&t, &owner, &campaign).await, [0, 5, 0, 0, 0]);
    t.finish().await;
}

#[tokio::test]
async fn one_broken_change_does_not_poison_its_siblings() {
    let t = TestApp::quiet().await;
    let (owner, campaign, names) = sent(&t).await;
    let mut whole: Value =
        serde_json::from_slice(&body(NUMBER, &[(names[0].clone(), "delivered")])).unwrap();
    let changes = whole["entry"][0]["changes"].as_array_mut().unwrap();
    changes.insert(
        0,
        json!({"field": "messages", "value": {"statuses": "not a list", "metadata": 7}}),
    );
    changes.insert(0, json!({"field": "something_new", "value": {"x": 1}}));
    let statuses = changes[2]["value"]["statuses"].as_array_mut().unwrap();
    statuses.insert(0, json!({"id": 5, "status": ["odd"]}));
    tell(&t, whole.to_string().into_bytes()).await;
    assert_eq!(figures(&t, &owner, &campaign).await, [0, 5, 1, 0, 0]);
    assert_eq!(
        text(&t.campaign(&owner, &campaign).await["state"]),
        "completed"
    );
    t.finish().await;
}
