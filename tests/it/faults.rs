//! Faults in small: whatever fails, once or again and again, nobody gets two messages, nobody is
//! forgotten, and the figures are what the rows amount to. `make chaos` does it in the large.

use std::collections::HashMap;
use std::sync::Arc;

use axum::http::Method;
use jiff::SignedDuration;
use local::dynamo::Interceptor;
use local::queue::Twice;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use simulator::{Settings, Timing, universe};

use crate::support::app::Between;
use crate::support::clock::TestClock;
use crate::support::faults::{Calls, Door, FailingQueue, FailingStore, Fate, Fault};
use crate::support::journey::text;
use crate::support::{Caller, TestApp};

/// A number at 1,000 a second whose statuses come together, so that a round has few calls.
fn quick() -> Settings {
    Settings {
        answer_latency_ms: 0,
        limits: HashMap::from([(universe::NUMBER.to_owned(), 1_000)]),
        timing: Timing {
            sent_ms: (0, 0),
            delivered_ms: (1_000, 1_000),
            read_ms: (1_000, 1_000),
            failed_ms: (500, 500),
            ..Timing::default()
        },
        ..Settings::default()
    }
}

/// A group of people to whom campaign after campaign is sent.
struct Group {
    owner: Caller,
    channel: String,
    group: String,
    people: u64,
}

impl Group {
    async fn of(t: &TestApp, people: u32) -> Self {
        let (owner, draft, group) = t.prepared(people).await;
        let channel = text(&t.campaign(&owner, &draft).await["channel"]);
        Self {
            owner,
            channel,
            group,
            people: people.into(),
        }
    }

    async fn draft(&self, t: &TestApp) -> String {
        let reset = axum::http::Request::post("/_control/reset");
        let reset = reset.body(axum::body::Body::empty()).unwrap();
        tower::ServiceExt::oneshot(t.simulator.router(), reset)
            .await
            .unwrap();
        t.draft(&self.owner, &self.channel, &[&self.group]).await
    }

    /// Starts a campaign as a client does: when there is no clear answer, it looks and tries again.
    async fn start(&self, t: &TestApp, campaign: &str) {
        let path = format!("/v1/campaigns/{campaign}/start");
        loop {
            let answer = self.owner.post(t, &path, Value::Null).await;
            if answer.status.is_success() {
                return;
            }
            assert!(answer.status.is_server_error(), "{}", answer.text);
            if t.campaign(&self.owner, campaign).await["state"] != "draft" {
                return;
            }
        }
    }

    /// Lets everything come to rest. What got stuck is taken up by the tick.
    async fn go_on(&self, t: &TestApp, campaign: &str) {
        t.drain().await;
        for _ in 0..4 {
            if t.campaign(&self.owner, campaign).await["state"] == "completed" {
                return;
            }
            t.advance(SignedDuration::from_secs(61));
            t.tick().await;
            t.drain().await;
        }
        let campaign = t.campaign(&self.owner, campaign).await;
        panic!("the campaign does not complete: {campaign}");
    }

    /// What must hold after every round. Returns the figures.
    async fn audit(&self, t: &TestApp, campaign: &str) -> Value {
        let ledger = t.ledger().await;
        assert_eq!(ledger["recipients_with_more_than_one"], 0, "{ledger}");
        let figures = t.figures(&self.owner, campaign).await;
        assert_eq!(figures["recipients"], self.people, "{figures}");
        assert_eq!(figures["pending"], 0, "{figures}");
        figures
    }
}

fn number(figures: &Value, name: &str) -> u64 {
    figures[name].as_u64().unwrap()
}

/// Nobody was refused, so who arrived is sent to or failed later, and who did not is unknown.
#[track_caller]
fn all_who_arrived_are_known(figures: &Value, ledger: &Value) {
    assert_eq!(
        number(figures, "sent") + number(figures, "failed"),
        ledger["accepted"].as_u64().unwrap(),
        "{figures} {ledger}"
    );
}

#[tokio::test]
async fn every_message_delivered_twice_changes_nothing() {
    let between = Between {
        queue: Some(Box::new(|queue| Arc::new(Twice::new(queue, 3)))),
        ..Between::default()
    };
    let settings = Settings {
        answer_latency_ms: 1_200,
        ..Settings::default()
    };
    let t = TestApp::between(settings, between).await;
    let group = Group::of(&t, 250).await;
    let campaign = group.draft(&t).await;
    group.start(&t, &campaign).await;
    group.go_on(&t, &campaign).await;
    let figures = group.audit(&t, &campaign).await;
    let ledger = t.ledger().await;
    assert_eq!(
        (&ledger["accepted"], &figures["unknown"]),
        (&json!(250), &json!(0))
    );
    all_who_arrived_are_known(&figures, &ledger);
    t.finish().await;
}

/// A queue that the test can reach as well as the application.
async fn with_queue(settings: Settings) -> (TestApp, Arc<FailingQueue>) {
    let (out, queue) = std::sync::mpsc::channel();
    let between = Between {
        queue: Some(Box::new(move |queue| {
            let queue = Arc::new(FailingQueue::new(queue));
            out.send(Arc::clone(&queue)).unwrap();
            queue
        })),
        ..Between::default()
    };
    let t = TestApp::between(settings, between).await;
    (t, queue.recv().unwrap())
}

#[tokio::test]
async fn every_message_delivered_again_when_all_is_over_changes_nothing() {
    let (t, queue) = with_queue(quick()).await;
    let group = Group::of(&t, 230).await;
    let campaign = group.draft(&t).await;
    group.start(&t, &campaign).await;
    group.go_on(&t, &campaign).await;
    let before = group.audit(&t, &campaign).await;
    assert!(queue.replay().await > 10);
    t.drain().await;
    assert_eq!(group.audit(&t, &campaign).await, before);
    assert_eq!(t.ledger().await["accepted"], 230);
    t.finish().await;
}

#[tokio::test]
async fn statuses_that_are_shuffled_doubled_and_incomplete_are_counted_exactly() {
    let t = TestApp::quiet().await;
    let group = Group::of(&t, 120).await;
    let campaign = group.draft(&t).await;
    group.start(&t, &campaign).await;
    t.drain().await;
    let mut chance = StdRng::seed_from_u64(20);
    let mut statuses = Vec::new();
    for person in 0..120 {
        let name = format!("{campaign}.{}.{}", person / 100, person % 100);
        // Every tenth fails, every third reads, and of these every other was never said to be delivered.
        let steps: &[&str] = match person {
            _ if person % 10 == 0 => &["sent", "failed"],
            _ if person % 6 == 1 => &["sent", "read"],
            _ if person % 3 == 1 => &["sent", "delivered", "read"],
            _ => &["sent", "delivered"],
        };
        for step in steps {
            statuses.push((name.clone(), *step));
            if chance.random_bool(0.2) {
                statuses.push((name.clone(), *step));
            }
        }
    }
    let read = (0..120)
        .filter(|person| person % 10 != 0 && person % 3 == 1)
        .count();
    statuses.shuffle(&mut chance);
    let mut rest = statuses.as_slice();
    while !rest.is_empty() {
        let (some, others) = rest.split_at(chance.random_range(1..=rest.len().min(30)));
        rest = others;
        let body = crate::statuses::body(universe::NUMBER, some);
        let signature = whatsapp::signature::sign(&t.app.config.app_secrets[0], &body);
        let header = Some(("x-hub-signature-256", signature.as_str()));
        Caller::anonymous()
            .raw(&t, Method::POST, "/webhooks/whatsapp", header, body)
            .await
            .expect(200);
    }
    t.drain().await;
    let figures = group.audit(&t, &campaign).await;
    assert_eq!(number(&figures, "failed"), 12);
    assert_eq!(number(&figures, "sent"), 108);
    assert_eq!(number(&figures, "delivered"), 108);
    assert_eq!(number(&figures, "read"), read as u64);
    t.finish().await;
}

/// The application behind a door that a test shuts and opens.
async fn with_door(settings: Settings) -> (TestApp, Arc<Door>) {
    let clock = TestClock::new();
    let door = Door::new(clock.clone());
    let between = Between {
        clock: Some(clock),
        door: Some(Arc::clone(&door)),
        ..Between::default()
    };
    (TestApp::between(settings, between).await, door)
}

#[tokio::test]
async fn a_storm_of_429_delays_the_campaign_and_costs_nobody_the_message() {
    let (t, door) = with_door(quick()).await;
    let group = Group::of(&t, 150).await;
    let campaign = group.draft(&t).await;
    door.decide((20..70).map(|call| (call, Fate::Refused(130_429))));
    group.start(&t, &campaign).await;
    group.go_on(&t, &campaign).await;
    let figures = group.audit(&t, &campaign).await;
    let ledger = t.ledger().await;
    assert_eq!(
        (&ledger["accepted"], &figures["unknown"]),
        (&json!(150), &json!(0))
    );
    all_who_arrived_are_known(&figures, &ledger);
    t.finish().await;
}

#[tokio::test]
async fn a_bad_line_to_whatsapp_leaves_only_those_unknown_who_got_nothing() {
    let (t, door) = with_door(quick()).await;
    let group = Group::of(&t, 250).await;
    let campaign = group.draft(&t).await;
    let mut chance = StdRng::seed_from_u64(5);
    let fates: Vec<_> = (1..1_000)
        .filter_map(|call| {
            let fate = match chance.random_range(0..100) {
                0..6 => Fate::Refused(130_429),
                6..9 => Fate::Refused(131_056),
                9..12 => Fate::Refused(131_026),
                12..16 => Fate::HtmlBefore,
                16..20 => Fate::HtmlAfter,
                20..24 => Fate::Cut,
                _ => return None,
            };
            Some((call, fate))
        })
        .collect();
    door.decide(fates);
    group.start(&t, &campaign).await;
    group.go_on(&t, &campaign).await;
    let figures = group.audit(&t, &campaign).await;
    let ledger = t.ledger().await;
    let told = &ledger["statuses"];
    let arrived = ledger["accepted"].as_u64().unwrap();
    // Who was refused with 131026 failed and never arrived; every other failure is told by a status.
    let refused = number(&figures, "failed") - told["failed"].as_u64().unwrap();
    assert_eq!(
        number(&figures, "sent") + number(&figures, "failed"),
        arrived + refused
    );
    assert_eq!(number(&figures, "unknown"), 250 - arrived - refused);
    assert!(refused > 0 && number(&figures, "unknown") > 0, "{figures}");
    t.finish().await;
}

/// One person more than a chunk holds.
const TWO_CHUNKS: u32 = 101;

/// Every round a campaign, and in every round the next call fails, until there are no more calls.
async fn every_call_of_the_store(calls: Calls, fault: Fault, people: u32) {
    let store = Arc::new(FailingStore::new(calls));
    let between = Between {
        store: Some(Arc::clone(&store) as Arc<dyn Interceptor>),
        ..Between::default()
    };
    let t = TestApp::between(quick(), between).await;
    let group = Group::of(&t, people).await;
    for n in 1.. {
        let campaign = group.draft(&t).await;
        store.nth.arm(n, fault);
        group.start(&t, &campaign).await;
        t.drain().await;
        let failed = store.nth.disarm();
        group.go_on(&t, &campaign).await;
        let figures = group.audit(&t, &campaign).await;
        all_who_arrived_are_known(&figures, &t.ledger().await);
        if !failed {
            assert!(n > 20, "a campaign is more than {n} calls");
            break;
        }
    }
    t.finish().await;
}

#[tokio::test]
async fn any_read_of_the_database_may_fail() {
    every_call_of_the_store(Calls::Reads, Fault::Before, 12).await;
}

#[tokio::test]
async fn any_write_to_the_database_may_fail() {
    every_call_of_the_store(Calls::Writes, Fault::Before, TWO_CHUNKS).await;
}

#[tokio::test]
async fn any_write_to_the_database_may_be_made_without_an_answer() {
    every_call_of_the_store(Calls::Writes, Fault::After, TWO_CHUNKS).await;
}

#[tokio::test]
async fn any_message_to_a_queue_may_be_lost_or_unconfirmed() {
    let (t, queue) = with_queue(quick()).await;
    let group = Group::of(&t, 101).await;
    for fault in [Fault::Before, Fault::After] {
        for n in 1.. {
            let campaign = group.draft(&t).await;
            queue.nth.arm(n, fault);
            group.start(&t, &campaign).await;
            t.drain().await;
            let failed = queue.nth.disarm();
            group.go_on(&t, &campaign).await;
            let figures = group.audit(&t, &campaign).await;
            let ledger = t.ledger().await;
            all_who_arrived_are_known(&figures, &ledger);
            assert_eq!(
                (&ledger["accepted"], &figures["unknown"]),
                (&json!(101), &json!(0))
            );
            if !failed {
                assert!(n > 4, "a campaign is more than {n} messages");
                break;
            }
        }
    }
    t.finish().await;
}

#[tokio::test]
async fn any_call_to_whatsapp_may_fail_in_every_way() {
    let (t, door) = with_door(quick()).await;
    let group = Group::of(&t, 12).await;
    let fates = [
        // Fate, who fails at once, who stays unknown.
        (Fate::Refused(130_429), 0, 0),
        (Fate::Refused(131_056), 0, 0),
        (Fate::Refused(131_026), 1, 0),
        (Fate::HtmlBefore, 0, 1),
        (Fate::HtmlAfter, 0, 0),
        (Fate::Cut, 0, 0),
    ];
    for (fate, refused, unknown) in fates {
        for call in 1..=12 {
            let campaign = group.draft(&t).await;
            door.decide([(call, fate)]);
            group.start(&t, &campaign).await;
            group.go_on(&t, &campaign).await;
            let figures = group.audit(&t, &campaign).await;
            let ledger = t.ledger().await;
            let case = format!("{fate:?} at {call}: {figures} {ledger}");
            assert_eq!(ledger["accepted"], 12 - refused - unknown, "{case}");
            assert_eq!(number(&figures, "unknown"), unknown, "{case}");
            let failed = ledger["statuses"]["failed"].as_u64().unwrap() + refused;
            assert_eq!(number(&figures, "failed"), failed, "{case}");
        }
    }
    t.finish().await;
}

#[tokio::test]
async fn whatsapp_may_be_out_of_reach_from_any_call_on() {
    let (t, door) = with_door(quick()).await;
    let group = Group::of(&t, 12).await;
    for calls in 0..12 {
        let campaign = group.draft(&t).await;
        door.shut_after(calls).await;
        group.start(&t, &campaign).await;
        group.go_on(&t, &campaign).await;
        let figures = group.audit(&t, &campaign).await;
        let ledger = t.ledger().await;
        assert_eq!(
            (&ledger["accepted"], &figures["unknown"]),
            (&json!(12), &json!(0)),
            "shut after {calls}: {figures} {ledger}"
        );
    }
    t.finish().await;
}
