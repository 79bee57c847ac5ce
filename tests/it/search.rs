//! Search: messages by their words, contacts by what they are called.

use std::sync::Arc;

use axum::http::Method;
use domain::workspace::Permission;
use jiff::SignedDuration;
use local::dynamo::Interceptor;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use simulator::Settings;

use crate::support::app::Between;
use crate::support::faults::{Calls, FailingStore, Fault};
use crate::support::journey::{phone, text};
use crate::support::{Caller, TestApp};

/// What somebody types, as it stands in an address.
fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

async fn page(t: &TestApp, caller: &Caller, search: &str, more: &str) -> Value {
    let path = format!("/v1/messages?search={}{more}", encoded(search));
    caller.get(t, &path).await.expect(200)
}

/// The texts that are found, in their order.
async fn found(t: &TestApp, caller: &Caller, search: &str) -> Vec<String> {
    let page = page(t, caller, search, "").await;
    let hits = page["items"].as_array().unwrap().iter();
    hits.map(|hit| text(&hit["message"]["text"])).collect()
}

async fn hear(t: &TestApp, person: u32, words: &str) {
    t.advance(SignedDuration::from_secs(1));
    t.writes(&phone(person), &format!("wamid.{person}.{words}"), words)
        .await;
}

async fn called(t: &TestApp, caller: &Caller, search: &str) -> Vec<String> {
    let path = format!("/v1/contacts?search={}", encoded(search));
    let page = caller.get(t, &path).await.expect(200);
    let items = page["items"].as_array().unwrap().iter();
    items.map(|contact| text(&contact["name"])).collect()
}

async fn named(t: &TestApp, caller: &Caller, n: u32, name: &str) -> String {
    let body = json!({"phone": phone(n), "name": name});
    let contact = caller.post(t, "/v1/contacts", body).await.expect(201);
    text(&contact["id"])
}

#[tokio::test]
async fn messages_are_found_by_the_beginnings_of_their_words_the_newest_first() {
    let t = TestApp::quiet().await;
    let owner = t.owner("acme").await;
    t.connect(&owner).await;
    hear(&t, 1, "Berapa HARGÁNYA kak?").await;
    hear(&t, 2, "Pengiriman ke Bandung berapa hari?").await;
    hear(&t, 1, "harga grosir untuk 12 botol").await;
    assert_eq!(
        found(&t, &owner, "harga").await,
        ["harga grosir untuk 12 botol", "Berapa HARGÁNYA kak?"]
    );
    assert_eq!(
        found(&t, &owner, "\"harga\"").await,
        ["harga grosir untuk 12 botol"]
    );
    assert_eq!(
        found(&t, &owner, "hárga bera").await,
        ["Berapa HARGÁNYA kak?"]
    );
    assert_eq!(found(&t, &owner, "berapa band").await.len(), 1);
    assert_eq!(found(&t, &owner, "botol kaca").await, Vec::<String>::new());
    let hit = &page(&t, &owner, "grosir", "").await["items"][0];
    assert_eq!(hit["chat"]["contact_phone"], phone(1));
    assert_eq!(hit["message"]["direction"], "inbound");
    assert_eq!(
        hit["excerpt"],
        json!([{"text": "harga ", "found": false}, {"text": "grosir", "found": true},
            {"text": " untuk 12 botol", "found": false}])
    );
    t.finish().await;
}

#[tokio::test]
async fn what_agents_write_and_note_is_found_and_what_is_said_to_everybody_is_not() {
    let t = TestApp::quiet().await;
    let (owner, _, _, chat) = t.acquainted().await;
    hear(&t, 1, "Halo").await;
    let path = format!("/v1/chats/{chat}");
    let send = async |body: Value| {
        t.advance(SignedDuration::from_secs(1));
        owner
            .post(&t, &format!("{path}/messages"), body)
            .await
            .expect(202);
    };
    send(json!({"text": "Pesanan sedang dikemas"})).await;
    send(
        json!({"content": {"type": "buttons", "text": "Pesanan sudah sampai?",
        "buttons": [{"id": "y", "title": "Sudah"}]}}),
    )
    .await;
    t.advance(SignedDuration::from_secs(1));
    let note = json!({"text": "Pesanan ini penting"});
    owner
        .post(&t, &format!("{path}/notes"), note)
        .await
        .expect(201);
    t.drain().await;
    let answer = json!({"name": "Thanks", "content": {"type": "text", "text": "Pesanan akan kami cek"},
        "trigger": {"type": "keyword", "match": "exact", "keywords": ["cek"]}});
    owner
        .post(&t, "/v1/inbox/automatic-answers", answer)
        .await
        .expect(201);
    hear(&t, 1, "cek").await;
    t.drain().await;
    assert_eq!(t.sent_to(&phone(1)).await.len(), 3, "it was answered");
    assert_eq!(
        found(&t, &owner, "pesan").await,
        [
            "Pesanan ini penting",
            "Pesanan sudah sampai?",
            "Pesanan sedang dikemas"
        ]
    );
    // What Meta tells twice is found once.
    hear(&t, 1, "Sudah sampai").await;
    t.writes(&phone(1), "wamid.1.Sudah sampai", "Sudah sampai")
        .await;
    assert_eq!(found(&t, &owner, "sampai").await.len(), 2);
    t.finish().await;
}

#[tokio::test]
async fn pages_are_in_order_and_nothing_is_skipped_or_comes_twice() {
    let t = TestApp::quiet().await;
    let owner = t.owner("acme").await;
    t.connect(&owner).await;
    for n in 0..23 {
        hear(&t, n % 5, &format!("pesanan nomor {n}")).await;
    }
    let mut seen = Vec::new();
    let mut more = "&limit=4".to_owned();
    loop {
        let page = page(&t, &owner, "pesanan", &more).await;
        for hit in page["items"].as_array().unwrap() {
            seen.push(text(&hit["message"]["text"]));
        }
        // What comes in meanwhile is above all pages that follow.
        hear(&t, 9, &format!("pesanan lain {}", seen.len())).await;
        match page["next"].as_str() {
            Some(next) => more = format!("&limit=4&cursor={next}"),
            None => break,
        }
    }
    let expected: Vec<String> = (0..23)
        .rev()
        .map(|n| format!("pesanan nomor {n}"))
        .collect();
    assert_eq!(seen, expected);
    t.finish().await;
}

#[tokio::test]
async fn one_chat_is_searched_alone_and_another_workspace_sees_nothing() {
    let t = TestApp::quiet().await;
    let owner = t.owner("acme").await;
    t.connect(&owner).await;
    hear(&t, 1, "barang rusak").await;
    hear(&t, 2, "barang bagus").await;
    let hits = page(&t, &owner, "barang", "").await;
    let chat = text(&hits["items"][1]["chat"]["id"]);
    let one = page(&t, &owner, "barang", &format!("&chat={chat}")).await;
    assert_eq!(one["items"].as_array().unwrap().len(), 1);
    assert_eq!(one["items"][0]["message"]["text"], "barang rusak");
    let other = t.owner("rival").await;
    assert_eq!(found(&t, &other, "barang").await, Vec::<String>::new());
    let path = format!("/v1/messages?search=barang&chat={chat}");
    other.get(&t, &path).await.expect(404);
    let next = hits["next"].as_str().map(str::to_owned);
    assert_eq!(next, None);
    assert_eq!(called(&t, &other, "628").await, Vec::<String>::new());
    t.finish().await;
}

#[tokio::test]
async fn what_cannot_be_searched_for_is_refused_in_words() {
    let t = TestApp::quiet().await;
    let owner = t.owner("acme").await;
    for (path, field, says) in [
        ("/v1/messages", "search", "3 letters"),
        ("/v1/messages?search=ya", "search", "3 letters"),
        (
            "/v1/messages?search=yang+the",
            "search",
            "every other sentence",
        ),
        (
            "/v1/messages?search=harga&cursor=x",
            "cursor",
            "page before",
        ),
        ("/v1/messages?search=harga&limit=0", "limit", "1 to 100"),
        ("/v1/contacts?search=", "search", "beginning of a name"),
        (
            "/v1/contacts?search=ani&phone=%2B6281234567890",
            "search",
            "either",
        ),
    ] {
        let problem = owner.get(&t, path).await.expect(422);
        let fault = &problem["errors"][0];
        assert_eq!(fault["field"], field, "{path}: {problem}");
        assert!(text(&fault["message"]).contains(says), "{path}: {problem}");
    }
    // A made-up cursor names a place and nothing else.
    let made_up = "/v1/messages?search=harga&cursor=V1MjYW5vdGhlcg";
    owner.get(&t, made_up).await.expect(200);
    let made_up = "/v1/contacts?search=ani&cursor=enp6";
    owner.get(&t, made_up).await.expect(200);
    let key = t.key_with(&owner, &[Permission::ReadContacts]).await;
    key.get(&t, "/v1/messages?search=harga").await.expect(403);
    t.finish().await;
}

#[tokio::test]
async fn contacts_are_found_by_name_number_and_address_as_they_are_now() {
    let t = TestApp::quiet().await;
    let owner = t.owner("acme").await;
    t.connect(&owner).await;
    let siti = named(&t, &owner, 1, "Siti Nur Aisyah").await;
    named(&t, &owner, 2, "Sitor Situmorang").await;
    named(&t, &owner, 3, "Budi").await;
    assert_eq!(
        called(&t, &owner, "sit").await,
        ["Siti Nur Aisyah", "Sitor Situmorang"]
    );
    assert_eq!(called(&t, &owner, "aisyah siti").await, ["Siti Nur Aisyah"]);
    let number = phone(3);
    assert_eq!(called(&t, &owner, &number).await, ["Budi"]);
    let national = format!("0{}", &number[3..]);
    assert_eq!(called(&t, &owner, &national).await, ["Budi"]);
    assert_eq!(called(&t, &owner, "+62 812").await.len(), 3);
    let path = format!("/v1/contacts/{siti}");
    let change = json!({"name": "Ratna", "phone": phone(9), "email": "Ratna@Example.com"});
    owner.patch(&t, &path, change).await.expect(200);
    assert_eq!(called(&t, &owner, "siti").await, Vec::<String>::new());
    assert_eq!(called(&t, &owner, &phone(1)).await, Vec::<String>::new());
    assert_eq!(called(&t, &owner, &phone(9)).await, ["Ratna"]);
    assert_eq!(called(&t, &owner, "ratna@ex").await, ["Ratna"]);
    owner.delete(&t, &path).await.expect(204);
    assert_eq!(called(&t, &owner, "ratna").await, Vec::<String>::new());
    t.finish().await;
}

#[tokio::test]
async fn contacts_that_were_imported_or_wrote_are_found_page_by_page() {
    let t = TestApp::quiet().await;
    let owner = t.owner("acme").await;
    t.connect(&owner).await;
    let group = t.group(&owner, "Fair").await;
    let mut file = "phone,name\n".to_owned();
    for n in 0..40 {
        file.push_str(&format!("{},Anita Anggraini {n:02}\n", phone(n)));
    }
    t.import(&owner, file.as_bytes(), json!({"groups": [group]}))
        .await;
    hear(&t, 77, "halo").await;
    let mut seen = Vec::new();
    let mut path = "/v1/contacts?search=an&limit=7".to_owned();
    loop {
        let page = owner.get(&t, &path).await.expect(200);
        for contact in page["items"].as_array().unwrap() {
            seen.push(text(&contact["name"]));
        }
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/contacts?search=an&limit=7&cursor={next}"),
            None => break,
        }
    }
    seen.sort();
    let all: Vec<String> = (0..40).map(|n| format!("Anita Anggraini {n:02}")).collect();
    assert_eq!(
        seen, all,
        "each has two names that begin so, and is listed once"
    );
    let path = format!("/v1/contacts?search=anita+07&group={group}");
    let page = owner.get(&t, &path).await.expect(200);
    assert_eq!(page["items"][0]["phone"], phone(7));
    let digits = encoded(&phone(77));
    let page = owner
        .get(&t, &format!("/v1/contacts?search={digits}"))
        .await
        .expect(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    t.finish().await;
}

#[tokio::test]
async fn whichever_write_fails_what_was_said_is_found_in_the_end() {
    let store = Arc::new(FailingStore::new(Calls::Writes));
    let between = Between {
        store: Some(Arc::clone(&store) as Arc<dyn Interceptor>),
        ..Between::default()
    };
    let settings = Settings {
        answer_latency_ms: 0,
        ..Settings::default()
    };
    let t = TestApp::between(settings, between).await;
    let (owner, _, _, chat) = t.acquainted().await;
    let path = format!("/v1/chats/{chat}/messages");
    for n in 1.. {
        store.nth.arm(n, Fault::Before);
        let said = json!({"from": phone(1), "text": format!("pertanyaan {n}")});
        t.control(Method::POST, "/_control/inbound", said).await;
        t.drain().await;
        let failed = store.nth.disarm();
        let asked = format!("pertanyaan \"{n}\"");
        assert_eq!(found(&t, &owner, &asked).await.len(), 1, "{asked}");
        if !failed {
            assert!(n > 3, "a message is more than {n} writes");
            break;
        }
    }
    for n in 1.. {
        let body = json!({"text": format!("jawaban {n}")});
        owner.post(&t, &path, body).await.expect(202);
        store.nth.arm(n, Fault::Before);
        t.drain().await;
        let failed = store.nth.disarm();
        // What the failure left behind is taken up again.
        t.tick().await;
        t.drain().await;
        let asked = format!("jawaban \"{n}\"");
        assert_eq!(found(&t, &owner, &asked).await.len(), 1, "{asked}");
        if !failed {
            assert!(n > 3, "a message is more than {n} writes");
            break;
        }
    }
    t.finish().await;
}
