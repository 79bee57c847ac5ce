//! What Meta allows and refuses in the middle of a campaign: speed, new people a day, one person at a
//! time, and the refusals that stop everybody.

use axum::http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use simulator::Settings;
use simulator::universe::{NUMBER, PORTFOLIO, WABA};

use crate::support::TestApp;
use crate::support::journey::{phone, text};
use crate::support::meta::{inbound, said};

/// A simulator that takes its time to answer, as Meta does, so that messages are in flight.
async fn slow() -> TestApp {
    TestApp::with(Settings {
        answer_latency_ms: 1200,
        ..Settings::default()
    })
    .await
}

async fn limited_to(tier: &str) -> TestApp {
    let tiers = json!({"tiers": {PORTFOLIO: tier}, "answer_latency_ms": 0, "fail_share": 0.0});
    let settings = Settings::default().changed(&tiers.to_string()).unwrap();
    TestApp::with(settings).await
}

/// Everybody of the campaign got one message, and the figures say so.
async fn all_got_one(t: &TestApp, owner: &crate::support::Caller, campaign: &str, people: u64) {
    assert_eq!(t.campaign(owner, campaign).await["state"], "completed");
    let ledger = t.ledger().await;
    assert_eq!(
        (
            &ledger["accepted"],
            &ledger["recipients_with_more_than_one"]
        ),
        (&json!(people), &json!(0))
    );
    let figures = t.figures(owner, campaign).await;
    assert_eq!(
        (&figures["pending"], &figures["unknown"]),
        (&json!(0), &json!(0))
    );
}

#[tokio::test]
async fn a_storm_of_refusals_slows_the_number_once_and_loses_nobody() {
    let t = slow().await;
    let (owner, campaign, _) = t.prepared(400).await;
    let until = t.app.now().as_millisecond() + 8_000;
    let storm = json!({"match": {"until_ms": until}, "effect": {"error": {"code": 130_429}}});
    t.control(Method::POST, "/_control/rules", storm).await;
    t.start(&owner, &campaign).await;
    t.drain().await;
    all_got_one(&t, &owner, &campaign, 400).await;
    let refused = t.ledger().await["refused"]["130429"].as_u64().unwrap();
    // Rests of 1, 2 and 4 seconds lie between the attempts, and each is a horizon of messages at most.
    assert!((1..=200).contains(&refused), "{refused} refusals");
    t.finish().await;
}

#[tokio::test]
async fn meta_out_of_reach_for_a_while_loses_nobody() {
    let t = slow().await;
    let (owner, campaign, _) = t.prepared(150).await;
    let busy = json!({"maintenance": {NUMBER: true}});
    t.control(Method::PATCH, "/_control/switches", busy).await;
    t.start(&owner, &campaign).await;
    t.go_on_until_refused("131057").await;
    let over = json!({"maintenance": {NUMBER: false}});
    t.control(Method::PATCH, "/_control/switches", over).await;
    t.drain().await;
    all_got_one(&t, &owner, &campaign, 150).await;
    t.finish().await;
}

/// Stops a campaign half way by a switch of the simulator, cures the cause, and resumes.
async fn stopped_and_cured(switch: Value, cure: Value, words: &str) {
    let t = slow().await;
    let (owner, campaign, _) = t.prepared(300).await;
    t.start(&owner, &campaign).await;
    t.go_on_until_sent(40).await;
    t.control(Method::PATCH, "/_control/switches", switch).await;
    t.drain().await;
    let paused = t.campaign(&owner, &campaign).await;
    assert_eq!(paused["state"], "paused");
    assert!(
        text(&paused["reason"]).contains(words),
        "{}",
        paused["reason"]
    );
    let figures = t.figures(&owner, &campaign).await;
    assert!(figures["pending"].as_u64().unwrap() > 0, "{figures}");

    t.control(Method::PATCH, "/_control/switches", cure).await;
    let resume = format!("/v1/campaigns/{campaign}/resume");
    let resumed = owner.post(&t, &resume, Value::Null).await.expect(202);
    assert_eq!(
        (&resumed["state"], &resumed["reason"]),
        (&json!("sending"), &Value::Null)
    );
    t.drain().await;
    all_got_one(&t, &owner, &campaign, 300).await;
    t.finish().await;
}

#[tokio::test]
async fn a_revoked_token_pauses_the_campaign_and_the_cure_loses_nobody() {
    let (revoked, restored) = (
        json!({"token_revoked": true}),
        json!({"token_revoked": false}),
    );
    stopped_and_cured(revoked, restored, "access").await;
}

#[tokio::test]
async fn a_paused_template_pauses_the_campaign_and_the_cure_loses_nobody() {
    let paused = json!({"templates": {"order_update": "PAUSED"}});
    let cured = json!({"templates": {"order_update": null}});
    stopped_and_cured(paused, cured, "template").await;
}

#[tokio::test]
async fn a_locked_account_pauses_the_campaign_and_the_cure_loses_nobody() {
    let (locked, cured) = (
        json!({"locked": {WABA: true}}),
        json!({"locked": {WABA: false}}),
    );
    stopped_and_cured(locked, cured, "locked").await;
}

#[tokio::test]
async fn a_payment_problem_that_comes_by_webhook_pauses_the_campaign() {
    let t = slow().await;
    let (owner, campaign, _) = t.prepared(400).await;
    t.start(&owner, &campaign).await;
    t.go_on_until_sent(40).await;
    let unpaid = json!({"unpaid": {WABA: true}});
    t.control(Method::PATCH, "/_control/switches", unpaid).await;
    t.drain().await;
    let paused = t.campaign(&owner, &campaign).await;
    assert_eq!(paused["state"], "paused");
    assert!(
        text(&paused["reason"]).contains("charge"),
        "{}",
        paused["reason"]
    );
    let cured = json!({"unpaid": {WABA: false}});
    t.control(Method::PATCH, "/_control/switches", cured).await;
    let resume = format!("/v1/campaigns/{campaign}/resume");
    owner.post(&t, &resume, Value::Null).await.expect(202);
    t.drain().await;
    // Whom Meta accepted and could not charge for has failed and can be retried; nobody else has.
    all_got_one(&t, &owner, &campaign, 400).await;
    t.finish().await;
}

#[tokio::test]
async fn a_person_who_got_too_much_is_tried_again_later_and_delays_nobody_else() {
    let t = TestApp::new().await;
    let (owner, campaign, _) = t.prepared(30).await;
    let busy = json!({"match": {"recipient": &phone(7)[1..], "times": 2}, "effect": {"error": {"code": 131_056}}});
    t.control(Method::POST, "/_control/rules", busy).await;
    let began = t.app.now();
    t.start(&owner, &campaign).await;
    t.drain_to(began + SignedDuration::from_secs(3)).await;
    assert_eq!(t.ledger().await["accepted"], 29, "the others do not wait");
    t.drain().await;
    all_got_one(&t, &owner, &campaign, 30).await;
    t.finish().await;
}

#[tokio::test]
async fn a_person_who_always_gets_too_much_fails_and_the_campaign_ends() {
    let t = TestApp::new().await;
    let (owner, campaign, _) = t.prepared(5).await;
    let busy =
        json!({"match": {"recipient": &phone(3)[1..]}, "effect": {"error": {"code": 131_056}}});
    t.control(Method::POST, "/_control/rules", busy).await;
    t.start(&owner, &campaign).await;
    t.drain().await;
    assert_eq!(t.campaign(&owner, &campaign).await["state"], "completed");
    let refused = t.ledger().await["refused"]["131056"].as_u64().unwrap();
    assert_eq!(refused, 5, "five attempts");
    let failed = t.figures(&owner, &campaign).await["failed"].clone();
    assert!(failed.as_u64() >= Some(1), "{failed} failed");
    t.finish().await;
}

#[tokio::test]
async fn new_people_wait_for_the_portfolio_s_budget_and_the_campaign_says_until_when() {
    let t = limited_to("TIER_250").await;
    let (owner, campaign, _) = t.prepared(320).await;
    let preflight = format!("/v1/campaigns/{campaign}/preflight");
    let foretold = owner.post(&t, &preflight, Value::Null).await.expect(200);
    assert_eq!(foretold["budget"]["left"], 250);
    t.start(&owner, &campaign).await;
    let hour = SignedDuration::from_hours(1);
    t.drain_to(t.app.now() + hour).await;
    let limited = t.campaign(&owner, &campaign).await;
    assert_eq!(limited["state"], "sending");
    assert_eq!(t.ledger().await["accepted"], 250);
    let until: Timestamp = text(&limited["statistics"]["limited_until"])
        .parse()
        .unwrap();
    let wait = until.duration_since(t.app.now());
    assert!((22..=24).contains(&wait.as_hours()), "{wait:?}");

    t.drain().await;
    all_got_one(&t, &owner, &campaign, 320).await;
    assert_eq!(
        t.ledger().await["statuses"]["failed"],
        0,
        "Meta never had to refuse"
    );
    t.finish().await;
}

#[tokio::test]
async fn a_stop_in_the_middle_reaches_nobody_who_is_not_in_flight() {
    let t = slow().await;
    let (owner, campaign, _) = t.prepared(300).await;
    t.start(&owner, &campaign).await;
    t.go_on_until_sent(30).await;
    let now = t.app.now().as_second();
    let everyone: Vec<_> = (0..300)
        .map(|n| said(&phone(n), &format!("wamid.STOP{n}"), now, "STOP"))
        .collect();
    t.post_webhook(inbound(&everyone)).await;
    t.run_once(app::task::QueueName::Webhook).await;
    let before = t.ledger().await["accepted"].as_u64().unwrap();
    t.drain().await;
    assert_eq!(t.campaign(&owner, &campaign).await["state"], "completed");
    let figures = t.figures(&owner, &campaign).await;
    // The simulator fails some of what it took.
    let count = |name: &str| figures[name].as_u64().unwrap();
    let after = count("sent") + count("failed");
    // Everybody's wish is answered besides.
    let accepted = t.ledger().await["accepted"].as_u64().unwrap();
    assert_eq!(accepted, after + 300);
    // Consent is read with the slots, which are reserved an eighth of a second ahead and by each sender.
    assert!(after - before <= 40, "{before} and then {after}");
    assert_eq!(count("excluded"), 300 - after);
    t.finish().await;
}

#[tokio::test]
async fn replies_slow_the_sending_down_before_meta_does() {
    let change =
        json!({"answer_latency_ms": 1200, "reply_share": 0.1, "reply_ms": [5_000, 60_000]});
    let settings = Settings::default().changed(&change.to_string()).unwrap();
    let t = TestApp::with(settings).await;
    let (owner, campaign, _) = t.prepared(2_000).await;
    t.start(&owner, &campaign).await;
    t.drain().await;
    assert_eq!(t.campaign(&owner, &campaign).await["state"], "completed");
    let ledger = t.ledger().await;
    assert_eq!(ledger["accepted"], 2_000);
    // Two hundred replies would be two hundred refusals if nobody made room for them. The very first
    // ones come unannounced, and may find the second full.
    let refused = ledger["refused"]["130429"].as_u64().unwrap_or(0);
    assert!(refused <= 3, "{refused} were refused");
    assert_eq!(ledger["recipients_with_more_than_one"], 0);
    let rate = ledger["rate_per_second"].as_f64().unwrap();
    assert!(rate < 77.0, "{rate} a second leave no room for replies");
    t.finish().await;
}
