//! Open screens are told what changes, and nobody else is.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use app::realtime::{self, Call};
use app::task::Broadcast;
use axum::http::Method;
use domain::id::ContactId;
use domain::realtime::Event;
use domain::workspace::Permission;
use futures::future::BoxFuture;
use jiff::SignedDuration;
use local::dynamo::{Answer, Call as DatabaseCall, Interceptor, Lost, Next};
use serde_json::{Value, json};

use crate::support::app::Between;
use crate::support::journey::{TEMPLATE, phone, text};
use crate::support::live::opening;
use crate::support::meta::said;
use crate::support::{Caller, TestApp};

pub(crate) fn kinds(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect()
}

/// Tells the caller's screens that some contact was changed.
async fn tell(t: &TestApp, caller: &Caller) -> ContactId {
    let contact = ContactId::fresh();
    let task = Broadcast {
        workspace: caller.workspace.parse().unwrap(),
        events: vec![Event::ContactUpdated {
            contact: contact.clone(),
        }],
    };
    t.app.enqueue(&task, Duration::ZERO).await.unwrap();
    contact
}

pub(crate) async fn since(t: &TestApp, caller: &Caller, after: u64) -> Value {
    let path = format!("/v1/events?after={after}");
    caller.get(t, &path).await.expect(200)
}

#[tokio::test]
async fn what_a_person_writes_is_told_to_every_open_screen_of_the_workspace_and_to_no_other() {
    let t = TestApp::quiet().await;
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    let other = t.owner("other").await;
    t.drain().await;
    let (mut desk, mut laptop) = (owner.live(&t).await, owner.live(&t).await);
    let mut stranger = other.live(&t).await;
    let now = t.app.now().as_second();
    t.hears(&[said(&phone(1), "wamid.1", now, "hello")]).await;
    let told = desk.events().await;
    assert_eq!(kinds(&told), ["contact.updated", "message.created"]);
    assert_eq!(told[1]["direction"], "inbound");
    assert_eq!(laptop.events().await, told);
    assert_eq!(stranger.frames().await, Vec::<Value>::new());
    // What is told leads to the message itself.
    let chat = text(&told[1]["chat"]);
    let messages = owner.get(&t, &format!("/v1/chats/{chat}/messages")).await;
    assert_eq!(messages.expect(200)["items"][0]["id"], told[1]["message"]);
    let contact = text(&told[0]["contact"]);
    assert_eq!(t.chat(&owner, &channel, &contact).await, chat);
    // Told once more, it is the same message: screens show it once.
    t.hears(&[said(&phone(1), "wamid.1", now, "hello")]).await;
    assert_eq!(desk.events().await, told[1..]);
    t.finish().await;
}

#[tokio::test]
async fn an_agents_message_is_told_with_every_status_it_reaches() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    let contact = t.contact(&owner, 1, &[]).await;
    let chat = t.chat(&owner, &channel, &text(&contact["id"])).await;
    t.writes(&phone(1), "wamid.1", "hello").await;
    let mut live = owner.live(&t).await;
    let path = format!("/v1/chats/{chat}/messages");
    let message = owner
        .post(&t, &path, json!({"text": "hi"}))
        .await
        .expect(202);
    t.drain().await;
    let events = live.events().await;
    assert_eq!(events[0]["type"], "message.created");
    assert_eq!(events[0]["direction"], "outbound");
    let reached: Vec<_> = events[1..]
        .iter()
        .map(|event| event["status"].as_str().unwrap())
        .collect();
    assert!(events.iter().all(|event| event["message"] == message["id"]));
    assert!(reached.contains(&"accepted"), "{reached:?}");
    let messages = owner.get(&t, &path).await.expect(200);
    let items = messages["items"].as_array().unwrap();
    let status = items
        .iter()
        .find(|item| item["id"] == message["id"])
        .unwrap()["status"]
        .clone();
    assert_eq!(*reached.last().unwrap(), status, "{reached:?}");
    t.finish().await;
}

#[tokio::test]
async fn a_campaign_tells_its_states_and_an_import_how_far_it_is() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    t.connect(&owner).await;
    t.drain().await;
    let mut live = owner.live(&t).await;
    let file = format!("name,phone\nAda,{}\n", phone(1));
    t.import(&owner, file.as_bytes(), json!({})).await;
    let told = live.events().await;
    assert_eq!(told.first().unwrap()["state"], "running");
    let end = told.last().unwrap();
    assert_eq!(end["type"], "import.updated");
    assert_eq!(end["state"], "completed");
    assert_eq!(end["offset"], end["size"]);
    t.finish().await;

    let t = TestApp::new().await;
    let (owner, campaign, _) = t.prepared(3).await;
    t.drain().await;
    let mut live = owner.live(&t).await;
    t.start(&owner, &campaign).await;
    t.drain().await;
    let told = live.events().await;
    let states: Vec<_> = told.iter().map(|event| &event["state"]).collect();
    assert_eq!(states, ["preparing", "sending", "completed"]);
    t.finish().await;
}

#[tokio::test]
async fn what_meta_tells_of_a_template_and_people_change_of_a_channel_is_told() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    let template = t.template(&owner, TEMPLATE).await;
    t.drain().await;
    let mut live = owner.live(&t).await;
    let paused = json!({"template_status": {"template": TEMPLATE, "event": "PAUSED",
        "title": "FIRST_PAUSE", "description": "People reported it."}});
    t.control(Method::POST, "/_control/events", paused).await;
    t.drain().await;
    // There is another of this name, in another language.
    let told = json!({"type": "template.updated", "template": template});
    assert!(live.events().await.contains(&told));
    let name = json!({"name": "Front desk"});
    let path = format!("/v1/channels/{channel}");
    owner.patch(&t, &path, name).await.expect(200);
    t.drain().await;
    let told = json!([{"type": "channel.updated", "channel": channel}]);
    assert_eq!(json!(live.events().await), told);
    t.finish().await;
}

#[tokio::test]
async fn changes_of_members_are_told_and_their_own_sockets_begin_anew() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let agent = t.member(&owner, "agent", "agent").await;
    t.drain().await;
    let (mut live, mut own) = (owner.live(&t).await, agent.live(&t).await);
    let id = t.id_of(&agent).await;
    t.set_role(&owner, &id, "admin").await.expect(200);
    let zone = json!({"time_zone": "Asia/Jakarta"});
    owner.patch(&t, "/v1/workspace", zone).await.expect(200);
    t.drain().await;
    let told = live.events().await;
    assert_eq!(told[0], json!({"type": "member.updated", "user": id}));
    assert_eq!(told[1], json!({"type": "workspace.updated"}));
    let closed = own.ask(json!({"type": "ping"})).await;
    assert_eq!(closed["code"], "closed");
    assert_eq!(agent.live(&t).await.last, live.last);
    // The others are told that they are there again.
    t.drain().await;
    t.finish().await;
}

#[tokio::test]
async fn a_ticket_opens_one_socket_and_soon() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let url = text(&owner.ticket(&t).await["url"]);
    assert_eq!(opening(&url).await, 101);
    assert_eq!(opening(&url).await, 401, "it was spent");
    let url = text(&owner.ticket(&t).await["url"]);
    t.advance(SignedDuration::from_secs(31));
    assert_eq!(opening(&url).await, 401, "its time is over");
    let (address, _) = url.split_once('?').unwrap();
    assert_eq!(opening(address).await, 401);
    assert_eq!(opening(&format!("{address}?ticket=made-up")).await, 401);
    // Of two who present it at once one gets in.
    let url = text(&owner.ticket(&t).await["url"]);
    let (one, other) = tokio::join!(opening(&url), opening(&url));
    assert_eq!(one.min(other), 101);
    assert_eq!(one.max(other), 401);
    t.finish().await;
}

#[tokio::test]
async fn a_socket_is_told_only_what_its_holder_may_read() {
    let t = TestApp::quiet().await;
    let owner = t.owner("acme").await;
    t.connect(&owner).await;
    let blind = t.key_with(&owner, &[Permission::WriteContacts]).await;
    let refused = blind.post(&t, "/v1/realtime/ticket", Value::Null).await;
    refused.expect(403);
    blind.get(&t, "/v1/events?after=1").await.expect(403);
    let reader = t.key_with(&owner, &[Permission::ReadContacts]).await;
    let mut live = reader.live(&t).await;
    let before = live.last;
    let now = t.app.now().as_second();
    t.hears(&[said(&phone(1), "wamid.1", now, "hello")]).await;
    t.hears(&[said(&phone(1), "wamid.2", now, "anybody?")])
        .await;
    // The number of what it may not read comes all the same, so that it sees no gap.
    assert_eq!(kinds(&live.events().await), ["contact.updated"]);
    assert!(live.last > before + 1);
    let missed = since(&t, &reader, before).await;
    let items = missed["items"].as_array().unwrap();
    assert_eq!(items.len() as u64, live.last - before);
    let events: Vec<Value> = items
        .iter()
        .flat_map(|item| item["events"].as_array().unwrap().clone())
        .collect();
    assert_eq!(kinds(&events), ["contact.updated"]);
    t.finish().await;
}

#[tokio::test]
async fn a_revoked_key_and_a_socket_that_is_silent_are_told_nothing_more() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let key = t.key_with(&owner, &[Permission::ReadContacts]).await;
    let (mut of_key, mut of_owner) = (key.live(&t).await, owner.live(&t).await);
    let keys = owner.get(&t, "/v1/api-keys").await.expect(200);
    let id = text(&keys["items"][0]["id"]);
    owner
        .delete(&t, &format!("/v1/api-keys/{id}"))
        .await
        .expect(204);
    tell(&t, &owner).await;
    t.drain().await;
    assert_eq!(of_key.frames().await, Vec::<Value>::new());
    assert_eq!(of_owner.events().await.len(), 1);
    let closed = of_key.ask(json!({"type": "ping"})).await;
    assert_eq!(closed["code"], "closed");
    // Nobody has looked for too long whether the owner still is one.
    t.advance(SignedDuration::from_mins(4));
    tell(&t, &owner).await;
    t.drain().await;
    assert_eq!(of_owner.frames().await, Vec::<Value>::new());
    // The ping was such a look, and tells that something was missed.
    let last = of_owner.ping().await;
    assert_eq!(last, of_owner.last + 1);
    tell(&t, &owner).await;
    t.drain().await;
    assert_eq!(of_owner.frames().await[0]["number"], last + 1);
    t.finish().await;
}

#[tokio::test]
async fn what_is_delivered_twice_gets_two_numbers_and_says_the_same() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let mut live = owner.live(&t).await;
    let task = Broadcast {
        workspace: owner.workspace.parse().unwrap(),
        events: vec![Event::ContactUpdated {
            contact: ContactId::fresh(),
        }],
    };
    let message = serde_json::to_string(&task).unwrap();
    for _ in 0..2 {
        let verdict = app::task::run(t.app.clone(), &message, realtime::run).await;
        assert_eq!(verdict, app::task::Verdict::Done);
    }
    let events = live.events().await;
    assert_eq!(events.len(), 2);
    assert_eq!(events[0], events[1]);
    t.finish().await;
}

#[tokio::test]
async fn many_at_once_get_contiguous_numbers_and_share_them() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let mut live = owner.live(&t).await;
    let after = live.last;
    let tasks = (0..250).map(|_| {
        let task = Broadcast {
            workspace: owner.workspace.parse().unwrap(),
            events: vec![Event::ContactUpdated {
                contact: ContactId::fresh(),
            }],
        };
        realtime::run(t.app.clone(), task)
    });
    for done in futures::future::join_all(tasks).await {
        done.unwrap();
    }
    assert_eq!(live.events().await.len(), 250);
    let numbers = live.last - after;
    assert!((3..50).contains(&numbers), "{numbers} items for 250 events");
    // What is asked for comes page by page.
    let mut place = after;
    let mut count = 0;
    loop {
        let page = since(&t, &owner, place).await;
        let items = page["items"].as_array().unwrap();
        count += items
            .iter()
            .map(|item| item["events"].as_array().unwrap().len())
            .sum::<usize>();
        place = page["last"].as_u64().unwrap();
        if page["more"] == false {
            break;
        }
    }
    assert_eq!((count, place), (250, live.last));
    t.finish().await;
}

/// A database that fails whoever asks for the sockets of a workspace, while it is told to.
#[derive(Default)]
struct NoSockets(AtomicBool);

impl Interceptor for NoSockets {
    fn call(&self, call: DatabaseCall, next: Next) -> BoxFuture<'static, Result<Answer, Lost>> {
        let asked = call.operation == "Query" && call.body.contains("#SOCKET\"");
        if asked && self.0.load(Ordering::Relaxed) {
            return Box::pin(async { Err(Lost) });
        }
        Box::pin(async move { Ok(next.run(call).await) })
    }
}

#[tokio::test]
async fn what_was_written_and_never_pushed_is_noticed_and_asked_for() {
    let store = Arc::new(NoSockets::default());
    let settings = simulator::Settings {
        answer_latency_ms: 0,
        ..simulator::Settings::default()
    };
    let between = Between {
        store: Some(Arc::clone(&store) as Arc<dyn Interceptor>),
        ..Between::default()
    };
    let t = TestApp::between(settings, between).await;
    let owner = t.owner("acme").await;
    let mut live = owner.live(&t).await;
    store.0.store(true, Ordering::Relaxed);
    let contact = tell(&t, &owner).await;
    t.drain().await;
    store.0.store(false, Ordering::Relaxed);
    assert_eq!(live.frames().await, Vec::<Value>::new());
    assert_eq!(live.ping().await, live.last + 1);
    let missed = since(&t, &owner, live.last).await;
    assert_eq!(missed["items"][0]["number"], live.last + 1);
    assert_eq!(
        missed["items"][0]["events"],
        json!([{"type": "contact.updated", "contact": contact}])
    );
    assert_eq!(missed["reload"], false);
    t.finish().await;
}

/// A database in which something is told right after the log of a workspace was read in vain, once.
#[derive(Default)]
struct Meanwhile(Mutex<Option<(app::App, Broadcast)>>);

impl Interceptor for Meanwhile {
    fn call(&self, call: DatabaseCall, next: Next) -> BoxFuture<'static, Result<Answer, Lost>> {
        let asked = call.operation == "Query" && call.body.contains("ExclusiveStartKey");
        let told = if asked {
            self.0.lock().unwrap().take()
        } else {
            None
        };
        Box::pin(async move {
            let answer = next.run(call).await;
            if let Some((app, task)) = told {
                realtime::run(app, task).await.unwrap();
            }
            Ok(answer)
        })
    }
}

#[tokio::test]
async fn what_is_told_while_somebody_asks_is_found_and_nothing_is_read_anew() {
    let store = Arc::new(Meanwhile::default());
    let between = Between {
        store: Some(Arc::clone(&store) as Arc<dyn Interceptor>),
        ..Between::default()
    };
    let t = TestApp::between(simulator::Settings::default(), between).await;
    let owner = t.owner("acme").await;
    let live = owner.live(&t).await;
    let contact = ContactId::fresh();
    let task = Broadcast {
        workspace: owner.workspace.parse().unwrap(),
        events: vec![Event::ContactUpdated {
            contact: contact.clone(),
        }],
    };
    *store.0.lock().unwrap() = Some((t.app.clone(), task));
    let missed = since(&t, &owner, live.last).await;
    assert!(store.0.lock().unwrap().is_none(), "it was told in between");
    assert_eq!(missed["reload"], false, "{missed}");
    assert_eq!(missed["last"], live.last + 1);
    let event = &missed["items"][0]["events"][0];
    assert_eq!(event["contact"], json!(contact));
    t.finish().await;
}

#[tokio::test]
async fn a_socket_that_is_gone_is_forgotten_but_not_while_it_opens() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let url = text(&owner.ticket(&t).await["url"]);
    let (_, ticket) = url.split_once("ticket=").unwrap();
    // The gateway knows no such socket, as if its client had vanished without a word.
    let connect = Call::Connect {
        socket: "vanished".into(),
        ticket: ticket.into(),
    };
    assert_eq!(
        realtime::handle(t.app.clone(), connect).await.unwrap(),
        None
    );
    let hear = async || {
        let call = Call::Message {
            socket: "vanished".into(),
            text: r#"{"type":"ping"}"#.into(),
        };
        let frame = realtime::handle(t.app.clone(), call).await.unwrap();
        serde_json::to_value(frame).unwrap()["type"].clone()
    };
    tell(&t, &owner).await;
    t.drain().await;
    assert_eq!(hear().await, "pong", "it may be about to open");
    t.advance(SignedDuration::from_secs(31));
    tell(&t, &owner).await;
    t.drain().await;
    assert_eq!(hear().await, "error", "it is forgotten");
    t.finish().await;
}

#[tokio::test]
async fn a_client_that_was_away_for_too_long_is_told_to_read_everything_anew() {
    let t = TestApp::new().await;
    let (owner, other) = (t.owner("acme").await, t.owner("other").await);
    tell(&t, &owner).await;
    t.drain().await;
    let last = since(&t, &owner, 1).await["last"].as_u64().unwrap();
    assert_eq!(since(&t, &owner, last).await["reload"], false);
    assert_eq!(since(&t, &owner, last + 7).await["reload"], true);
    let theirs = since(&t, &other, last - 1).await;
    assert!(!theirs.to_string().contains("contact.updated"), "{theirs}");
    t.advance(SignedDuration::from_hours(25));
    // All has expired, and numbers never come again.
    let contact = tell(&t, &owner).await;
    t.drain().await;
    let missed = since(&t, &owner, last).await;
    assert_eq!(missed["reload"], true);
    assert_eq!(missed["items"], json!([]));
    let newest = missed["last"].as_u64().unwrap();
    assert!(newest > last + 1);
    let before = since(&t, &owner, newest - 1).await;
    let told = json!([{"type": "contact.updated", "contact": contact}]);
    assert_eq!(before["items"][0]["events"], told);
    owner.get(&t, "/v1/events?after=-1").await.expect(422);
    t.finish().await;
}

#[tokio::test]
async fn statuses_of_campaigns_are_told_to_whoever_has_the_chat_open() {
    let t = TestApp::new().await;
    let (owner, campaign, group) = t.prepared(2).await;
    let page = owner
        .get(&t, &format!("/v1/contacts?group={group}"))
        .await
        .expect(200);
    let contact = text(&page["items"][0]["id"]);
    let channels = owner.get(&t, "/v1/channels").await.expect(200);
    let channel = text(&channels["items"][0]["id"]);
    let chat = t.chat(&owner, &channel, &contact).await;
    t.drain().await;
    let other = t.owner("other").await;
    let (mut watcher, mut stranger) = (owner.live(&t).await, other.live(&t).await);
    let mut beside = owner.live(&t).await;
    let watch = json!({"type": "watch", "chat": chat});
    let refused = stranger.ask(watch.clone()).await;
    assert_eq!(refused["code"], "not_found");
    let watching = watcher.ask(watch).await;
    assert_eq!(watching, json!({"type": "watching", "chats": [chat]}));
    t.start(&owner, &campaign).await;
    t.drain().await;
    let frames = watcher.frames().await;
    let watched = frames.iter().filter(|frame| frame["type"] == "watched");
    let events: Vec<&Value> = watched
        .flat_map(|frame| frame["events"].as_array().unwrap())
        .collect();
    assert!(!events.is_empty());
    for event in events {
        assert_eq!(event["type"], "recipient.updated");
        assert_eq!(event["chat"], chat);
        assert!(text(&event["recipient"]).starts_with(&campaign));
    }
    assert!(
        beside
            .frames()
            .await
            .iter()
            .all(|frame| frame["type"] == "events")
    );
    assert_eq!(stranger.frames().await, Vec::<Value>::new());
    let unwatch = json!({"type": "unwatch", "chat": chat});
    assert_eq!(watcher.ask(unwatch).await["chats"], json!([]));
    t.finish().await;
}

#[tokio::test]
async fn a_campaigns_figures_are_read_twice_a_second_however_many_ask() {
    let t = TestApp::new().await;
    let (owner, campaign, _) = t.prepared(2).await;
    let other = t.owner("other").await;
    let (mut one, mut two) = (owner.live(&t).await, owner.live(&t).await);
    let ask = json!({"type": "progress", "campaign": campaign});
    let first = one.ask(ask.clone()).await;
    assert_eq!(first["type"], "campaign.progress");
    assert_eq!(first["state"], "draft");
    t.start(&owner, &campaign).await;
    assert_eq!(two.ask(ask.clone()).await, first, "it is asked too soon");
    t.drain().await;
    t.advance(SignedDuration::from_millis(500));
    let (mut one, mut two) = (owner.live(&t).await, owner.live(&t).await);
    let second = one.ask(ask.clone()).await;
    assert_eq!(second["state"], "completed");
    assert_eq!(second["statistics"]["recipients"], 2);
    assert_eq!(two.ask(ask.clone()).await, second);
    let refused = other.live(&t).await.ask(ask).await;
    assert_eq!(refused["code"], "not_found");
    t.finish().await;
}

#[tokio::test]
async fn a_frame_that_cannot_be_understood_is_answered_in_words() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let mut live = owner.live(&t).await;
    for wrong in [
        json!({}),
        json!([]),
        json!({"type": "shout"}),
        json!({"type": "ping", "to": "me"}),
        json!({"type": "watch", "chat": "not an id"}),
    ] {
        let answer = live.ask(wrong.clone()).await;
        assert_eq!(answer["code"], "unreadable", "{wrong}: {answer}");
    }
    live.ping().await;
    t.finish().await;
}
