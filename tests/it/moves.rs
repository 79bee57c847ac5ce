//! People who have another number: the contact goes along, and the chat goes on.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::journey::{phone, text};
use crate::support::meta::said;
use crate::support::{Caller, TestApp};

fn digits(n: u32) -> String {
    phone(n).trim_start_matches('+').to_owned()
}

/// Meta's notice that a person has another number.
fn moved(t: &TestApp, wamid: &str, from: u32, to: u32) -> Value {
    json!({"from": digits(from), "id": wamid, "timestamp": t.app.now().as_second().to_string(), "type": "system",
        "system": {"body": format!("User A changed from {} to {}", digits(from), digits(to)),
            "wa_id": digits(to), "type": "user_changed_number"}})
}

async fn contacts(t: &TestApp, owner: &Caller) -> Vec<Value> {
    let page = owner.get(t, "/v1/contacts?limit=100").await.expect(200);
    page["items"].as_array().unwrap().clone()
}

async fn chats(t: &TestApp, owner: &Caller) -> Vec<Value> {
    let page = owner.get(t, "/v1/chats?limit=100").await.expect(200);
    page["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn the_contact_has_the_new_number_and_the_chat_goes_on() {
    let t = TestApp::quiet().await;
    let (owner, _, contact, chat) = t.acquainted().await;
    let group = t.group(&owner, "Regulars").await;
    let path = format!("/v1/contacts/{contact}");
    let patch = json!({"groups": [group], "consent": "opted_out"});
    owner.patch(&t, &path, patch).await.expect(200);
    t.writes(&phone(1), "wamid.1", "Hello").await;
    // Told three times, the last time after the person wrote from the new number.
    for _ in 0..2 {
        t.hears(&[moved(&t, "wamid.2", 1, 9)]).await;
    }
    let now = t.app.now().as_second();
    t.hears(&[said(&phone(9), "wamid.3", now, "It is me")])
        .await;
    t.hears(&[moved(&t, "wamid.2", 1, 9)]).await;
    let all = contacts(&t, &owner).await;
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(
        (&all[0]["id"], &all[0]["phone"]),
        (&json!(contact), &json!(phone(9)))
    );
    assert_eq!(
        (&all[0]["consent"], &all[0]["groups"]),
        (&json!("opted_out"), &json!([group]))
    );
    let path = format!("/v1/chats/{chat}/messages");
    let thread = owner.get(&t, &path).await.expect(200);
    let kinds: Vec<_> = thread["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| text(&item["kind"]))
        .collect();
    assert_eq!(
        kinds.iter().filter(|kind| *kind == "system").count(),
        1,
        "{kinds:?}"
    );
    assert_eq!(
        kinds.iter().filter(|kind| *kind == "text").count(),
        2,
        "{kinds:?}"
    );
    assert_eq!(chats(&t, &owner).await.len(), 1);
    // The old number is free, and whoever has it next is somebody else.
    t.hears(&[said(&phone(1), "wamid.4", now + 5, "Is this the shop?")])
        .await;
    assert_eq!(contacts(&t, &owner).await.len(), 2);
    let search = format!("/v1/contacts?search={}", digits(9));
    let found = owner.get(&t, &search).await.expect(200);
    assert_eq!(found["items"][0]["id"], json!(contact));
    t.finish().await;
}

#[tokio::test]
async fn two_contacts_are_never_made_one() {
    let t = TestApp::quiet().await;
    let (owner, _, contact, chat) = t.acquainted().await;
    let other = text(&t.contact(&owner, 9, &[]).await["id"]);
    t.writes(&phone(1), "wamid.1", "Hello").await;
    t.advance(SignedDuration::from_secs(1));
    for _ in 0..2 {
        t.hears(&[moved(&t, "wamid.2", 1, 9)]).await;
    }
    let number = async |id: &str| {
        let path = format!("/v1/contacts/{id}");
        owner.get(&t, &path).await.expect(200)["phone"].clone()
    };
    assert_eq!(number(&contact).await, json!(phone(1)));
    assert_eq!(number(&other).await, json!(phone(9)));
    // The team reads in the thread what happened.
    let path = format!("/v1/chats/{chat}/messages");
    let thread = owner.get(&t, &path).await.expect(200);
    assert_eq!(thread["items"][0]["kind"], "system", "{thread}");
    t.finish().await;
}

#[tokio::test]
async fn whoever_is_known_by_an_id_alone_goes_along_too() {
    let t = TestApp::quiet().await;
    let owner = t.owner("acme").await;
    t.connect(&owner).await;
    let now = t.app.now().as_second();
    let wrote = |id: &str, wamid: &str, second: i64| {
        json!({"from_user_id": id, "id": wamid, "timestamp": (now + second).to_string(), "type": "text",
            "text": {"body": "Hello"}})
    };
    let notice = json!({"from_user_id": "US.2", "id": "wamid.n", "timestamp": (now + 5).to_string(), "type": "system",
        "system": {"type": "user_changed_user_id", "user_id": "US.2", "previous_user_id": "US.1"}});
    t.hears(&[wrote("US.1", "wamid.1", 0)]).await;
    t.hears(std::slice::from_ref(&notice)).await;
    t.hears(&[wrote("US.2", "wamid.2", 10)]).await;
    t.hears(&[notice]).await;
    assert_eq!(contacts(&t, &owner).await.len(), 1);
    assert_eq!(chats(&t, &owner).await.len(), 1);
    t.finish().await;
}

#[tokio::test]
async fn a_notice_about_nobody_and_one_that_says_nothing_cost_nothing_else() {
    let t = TestApp::quiet().await;
    let owner = t.owner("acme").await;
    t.connect(&owner).await;
    let mut empty = moved(&t, "wamid.1", 1, 2);
    empty["system"].as_object_mut().unwrap().remove("wa_id");
    let now = t.app.now().as_second();
    t.hears(&[
        empty,
        moved(&t, "wamid.2", 3, 4),
        said(&phone(5), "wamid.3", now, "Hello"),
    ])
    .await;
    let all = contacts(&t, &owner).await;
    let mut numbers: Vec<_> = all.iter().map(|contact| text(&contact["phone"])).collect();
    numbers.sort();
    assert_eq!(numbers, [phone(1), phone(4), phone(5)]);
    t.finish().await;
}
