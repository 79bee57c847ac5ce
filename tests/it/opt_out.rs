//! People who want no more messages, or want them again: their words, what they are told, and what follows.

use app::task::QueueName;
use axum::http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::journey::{phone, text};
use crate::support::meta::{inbound, pressed, said};
use crate::support::{Caller, TestApp};

/// A workspace with a number and a person who wrote to it.
struct Shop {
    owner: Caller,
    channel: String,
}

impl Shop {
    async fn open(t: &TestApp) -> Self {
        let owner = t.owner("acme").await;
        let channel = t.connect(&owner).await;
        t.writes(&phone(1), "wamid.hello", "Hello?").await;
        t.advance(SignedDuration::from_secs(1));
        Self { owner, channel }
    }

    async fn person(&self, t: &TestApp) -> Value {
        let path = format!("/v1/contacts?phone=%2B{}", phone(1).trim_start_matches('+'));
        self.owner.get(t, &path).await.expect(200)["items"][0].clone()
    }

    async fn thread(&self, t: &TestApp) -> Vec<Value> {
        let contact = text(&self.person(t).await["id"]);
        let chat = t.chat(&self.owner, &self.channel, &contact).await;
        let path = format!("/v1/chats/{chat}/messages");
        let page = self.owner.get(t, &path).await.expect(200);
        page["items"].as_array().unwrap().clone()
    }

    /// What the chat tells of consents, the oldest first.
    async fn lines(&self, t: &TestApp) -> Vec<Value> {
        let mut thread = self.thread(t).await;
        thread.reverse();
        let lines = thread.into_iter().map(|item| item["content"].clone());
        lines.filter(|what| what["type"] == "consent").collect()
    }

    async fn set(&self, t: &TestApp, change: Value) -> Value {
        let path = "/v1/inbox/opt-out";
        let mut settings = self.owner.get(t, path).await.expect(200);
        let fields = settings.as_object_mut().unwrap();
        fields.extend(change.as_object().unwrap().clone());
        self.owner.put(t, path, settings).await.expect(200)
    }
}

/// What arrived at the person's phone, the oldest first.
async fn told(t: &TestApp) -> Vec<String> {
    let mut sent = t.sent_to(&phone(1)).await;
    sent.reverse();
    sent.iter()
        .map(|line| text(&line["content"]["body"]))
        .collect()
}

fn now(t: &TestApp) -> i64 {
    t.app.now().as_second()
}

#[tokio::test]
async fn whoever_stops_is_told_so_once_however_often_meta_tells_of_it() {
    let t = TestApp::quiet().await;
    let shop = Shop::open(&t).await;
    let stop = said(&phone(1), "wamid.stop", now(&t), "Berhenti!");
    // Twice in one webhook, and again at the same moment and later.
    for _ in 0..3 {
        t.post_webhook(inbound(&[stop.clone(), stop.clone()])).await;
    }
    t.drain().await;
    t.hears(std::slice::from_ref(&stop)).await;
    let first = told(&t).await;
    assert_eq!(first.len(), 1, "{first:?}");
    assert!(
        first[0].contains("START") && first[0].contains("MULAI"),
        "{first:?}"
    );
    let thread = shop.thread(&t).await;
    let answer = thread.iter().find(|item| item["direction"] == "outbound");
    assert_eq!(answer.unwrap()["by"], json!({"type": "automatic"}));
    // Nobody else reaches the person now; not even by sending the answer again.
    let contact = shop.person(&t).await;
    assert_eq!(contact["consent"], "opted_out");
    let chat = t
        .chat(&shop.owner, &shop.channel, &text(&contact["id"]))
        .await;
    let path = format!("/v1/chats/{chat}/messages");
    let refused = shop.owner.post(&t, &path, json!({"text": "Wait!"})).await;
    assert_eq!(refused.expect(409)["code"], "opted_out");
    // Saying it again changes nothing, so nothing is said.
    t.advance(SignedDuration::from_secs(5));
    t.hears(&[said(&phone(1), "wamid.again", now(&t), "stop")])
        .await;
    assert_eq!(told(&t).await.len(), 1);
    t.advance(SignedDuration::from_secs(5));
    let start = said(&phone(1), "wamid.start", now(&t), "mulai");
    t.hears(&[start.clone(), start]).await;
    // The first word comes once more, long after.
    t.hears(&[stop]).await;
    let both = told(&t).await;
    assert_eq!(both.len(), 2, "{both:?}");
    assert!(both[1].contains("STOP"), "{both:?}");
    assert_eq!(shop.person(&t).await["consent"], "subscribed");
    assert_eq!(
        shop.lines(&t).await,
        [
            json!({"type": "consent", "consent": "opted_out", "source": "person"}),
            json!({"type": "consent", "consent": "subscribed", "source": "person"}),
        ]
    );
    t.finish().await;
}

#[tokio::test]
async fn the_newest_wish_stands_in_whatever_order_they_come() {
    let orders = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    for (words, stands) in [
        (["stop", "start", "stop"], "opted_out"),
        (["start", "stop", "start"], "subscribed"),
    ] {
        for order in orders {
            let t = TestApp::quiet().await;
            let shop = Shop::open(&t).await;
            t.advance(SignedDuration::from_secs(60));
            let at = now(&t) - 30;
            for place in order {
                let wamid = format!("wamid.{place}");
                let word = said(&phone(1), &wamid, at + place as i64, words[place]);
                t.hears(&[word]).await;
            }
            let contact = shop.person(&t).await;
            assert_eq!(contact["consent"], stands, "{words:?} as {order:?}");
            t.finish().await;
        }
    }
}

#[tokio::test]
async fn a_workspace_has_its_own_words_and_another_keeps_the_usual_ones() {
    let t = TestApp::quiet().await;
    let shop = Shop::open(&t).await;
    let usual = shop.owner.get(&t, "/v1/inbox/opt-out").await.expect(200);
    for (list, word) in [
        ("stop_words", "BERHENTI"),
        ("stop_words", "JANGAN KIRIM"),
        ("start_words", "MULAI"),
    ] {
        let words = usual[list].as_array().unwrap();
        assert!(words.contains(&json!(word)), "{usual}");
    }
    shop.set(
        &t,
        json!({"stop_words": ["Aufhören", "2"], "stop_answer": "Tschüss!", "start_answer": null}),
    )
    .await;
    for (n, (words, consent)) in [
        ("STOP", "subscribed"),
        ("Please aufhören with that", "subscribed"),
        ("AUFHOREN.", "opted_out"),
        ("start", "subscribed"),
        ("2", "opted_out"),
    ]
    .into_iter()
    .enumerate()
    {
        t.advance(SignedDuration::from_secs(1));
        t.hears(&[said(&phone(1), &format!("wamid.{n}"), now(&t), words)])
            .await;
        assert_eq!(shop.person(&t).await["consent"], consent, "{words}");
    }
    assert_eq!(told(&t).await, ["Tschüss!", "Tschüss!"]);
    let stranger = t.owner("stranger").await;
    assert_eq!(
        stranger.get(&t, "/v1/inbox/opt-out").await.expect(200),
        usual
    );
    t.finish().await;
}

#[tokio::test]
async fn a_button_opts_out_by_what_it_carries() {
    let t = TestApp::quiet().await;
    let shop = Shop::open(&t).await;
    let mut press = pressed(&phone(1), "wamid.press", now(&t), "wamid.x", "No, thanks");
    press["button"]["payload"] = json!("STOP");
    t.hears(&[press]).await;
    assert_eq!(shop.person(&t).await["consent"], "opted_out");
    assert_eq!(told(&t).await.len(), 1);
    t.finish().await;
}

#[tokio::test]
async fn words_that_cannot_be_told_apart_are_refused_and_agents_set_none() {
    let t = TestApp::quiet().await;
    let shop = Shop::open(&t).await;
    let path = "/v1/inbox/opt-out";
    let good = shop.owner.get(&t, path).await.expect(200);
    for (field, value, fault) in [
        ("stop_words", json!([]), "stop_words"),
        ("stop_words", json!(["stop", "?!"]), "stop_words[1]"),
        ("start_words", json!(["s.t.o.p"]), "start_words[0]"),
        ("stop_answer", json!("x".repeat(4097)), "stop_answer"),
        ("start_answer", json!("  "), "start_answer"),
        ("colour", json!("red"), "colour"),
    ] {
        let mut wrong = good.clone();
        wrong[field] = value;
        let problem = shop.owner.put(&t, path, wrong).await.expect(422);
        assert_eq!(problem["errors"][0]["field"], fault, "{problem}");
    }
    let agent = t.member(&shop.owner, "agent", "agent").await;
    agent.get(&t, path).await.expect(200);
    agent.put(&t, path, good.clone()).await.expect(403);
    assert_eq!(shop.owner.get(&t, path).await.expect(200), good);
    t.advance(SignedDuration::from_secs(1));
    shop.set(&t, json!({"stop_answer": null})).await;
    let log = shop.owner.get(&t, "/v1/audit?limit=1").await.expect(200);
    assert_eq!(log["items"][0]["action"], "inbox.updated");
    assert_eq!(log["items"][0]["target"], "opt_out");
    t.finish().await;
}

#[tokio::test]
async fn what_whatsapp_and_the_team_decide_is_told_in_the_chat_and_answered_to_nobody() {
    let t = TestApp::quiet().await;
    let shop = Shop::open(&t).await;
    for value in ["stop", "stop", "resume"] {
        let wa_id = phone(1).trim_start_matches('+').to_owned();
        let value = json!({"messaging_product": "whatsapp",
            "metadata": {"display_phone_number": "15550100001", "phone_number_id": simulator::universe::NUMBER},
            "user_preferences": [{"wa_id": wa_id, "detail": "?", "category": "marketing_messages",
                "value": value, "timestamp": now(&t)}]});
        let body = json!({"object": "whatsapp_business_account", "entry": [{"id": simulator::universe::WABA,
            "changes": [{"field": "user_preferences", "value": value}]}]});
        t.post_webhook(body.to_string().into_bytes()).await;
        t.drain().await;
        t.advance(SignedDuration::from_secs(1));
    }
    let contact = shop.person(&t).await;
    assert_eq!(contact["consent_changed_by"], "whatsapp");
    let path = format!("/v1/contacts/{}", text(&contact["id"]));
    let decided = json!({"consent": "opted_out"});
    shop.owner.patch(&t, &path, decided).await.expect(200);
    let line = |consent: &str, source: &str| json!({"type": "consent", "consent": consent, "source": source});
    assert_eq!(
        shop.lines(&t).await,
        [
            line("opted_out", "whatsapp"),
            line("subscribed", "whatsapp"),
            line("opted_out", "workspace"),
        ]
    );
    let thread = shop.thread(&t).await;
    let newest = thread
        .iter()
        .find(|item| item["kind"] == "activity")
        .unwrap();
    assert_eq!(newest["by"]["type"], "user");
    assert!(told(&t).await.is_empty());
    t.finish().await;
}

#[tokio::test]
async fn whoever_whatsapp_refuses_in_a_chat_because_they_stopped_is_opted_out() {
    let t = TestApp::quiet().await;
    let shop = Shop::open(&t).await;
    let refusal = json!({"error": {"code": 131_050}});
    t.trouble(&phone(1), 1, refusal).await;
    let contact = text(&shop.person(&t).await["id"]);
    let chat = t.chat(&shop.owner, &shop.channel, &contact).await;
    let path = format!("/v1/chats/{chat}/messages");
    let body = json!({"text": "An offer"});
    shop.owner.post(&t, &path, body).await.expect(202);
    t.drain().await;
    let contact = shop.person(&t).await;
    assert_eq!(
        (&contact["consent"], &contact["consent_changed_by"]),
        (&json!("opted_out"), &json!("whatsapp"))
    );
    let thread = shop.thread(&t).await;
    let offer = thread
        .iter()
        .find(|item| item["text"] == "An offer")
        .unwrap();
    assert_eq!(
        (&offer["status"], &offer["code"]),
        (&json!("failed"), &json!(131_050))
    );
    t.finish().await;
}

#[tokio::test]
async fn a_stop_during_a_campaign_is_confirmed_and_the_campaign_passes_them_by() {
    let t = TestApp::quiet().await;
    let (owner, campaign, _) = t.prepared(150).await;
    t.start(&owner, &campaign).await;
    t.run_once(QueueName::CampaignPlan).await;
    let mut path = format!("/v1/campaigns/{campaign}/recipients");
    let mut page = owner.get(&t, &path).await.expect(200);
    while let Some(next) = page["next"].as_str() {
        path = format!("/v1/campaigns/{campaign}/recipients?cursor={next}");
        page = owner.get(&t, &path).await.expect(200);
    }
    // The last of all, because several chunks are sent at a time.
    let person = text(&page["items"].as_array().unwrap().last().unwrap()["phone"]);
    t.go_on_until_sent(2).await;
    let open = json!({"from": person, "text": "stop"});
    t.control(Method::POST, "/_control/inbound", open).await;
    t.post_webhook(inbound(&[said(&person, "wamid.1", now(&t), "stop")]))
        .await;
    t.begin_all(QueueName::Webhook).await;
    t.drain().await;
    let sent = t.sent_to(&person).await;
    let kinds: Vec<_> = sent.iter().map(|line| text(&line["type"])).collect();
    assert_eq!(kinds, ["text"]);
    let figures = t.figures(&owner, &campaign).await;
    assert_eq!(
        (&figures["sent"], &figures["excluded"]),
        (&json!(149), &json!(1))
    );
    let path = format!("/v1/campaigns/{campaign}/recipients?status=excluded");
    let excluded = owner.get(&t, &path).await.expect(200);
    assert_eq!(excluded["items"][0]["phone"], person);
    assert_eq!(
        excluded["items"][0]["reason"],
        "The contact has opted out of messages."
    );
    t.finish().await;
}
