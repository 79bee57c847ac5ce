//! What agents can say in a chat, how it reaches the person, and what they are told of it.

use app::task::QueueName;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::journey::{phone, text};
use crate::support::{Caller, TestApp};

/// A chat with a person who wrote a moment ago.
struct Talk {
    owner: Caller,
    chat: String,
}

impl Talk {
    async fn begin(t: &TestApp) -> Self {
        let (owner, _, _, chat) = t.acquainted().await;
        t.writes(&phone(1), "wamid.hello", "Hello?").await;
        Self { owner, chat }
    }

    fn path(&self, rest: &str) -> String {
        format!("/v1/chats/{}{rest}", self.chat)
    }

    async fn say(&self, t: &TestApp, body: Value) -> Value {
        t.advance(SignedDuration::from_millis(1));
        self.owner
            .post(t, &self.path("/messages"), body)
            .await
            .expect(202)
    }

    async fn refused(&self, t: &TestApp, body: Value) -> Value {
        self.owner
            .post(t, &self.path("/messages"), body)
            .await
            .expect(422)
    }

    async fn thread(&self, t: &TestApp) -> Vec<Value> {
        let page = self.owner.get(t, &self.path("/messages")).await.expect(200);
        page["items"].as_array().unwrap().clone()
    }

    async fn message(&self, t: &TestApp, id: &Value) -> Value {
        let thread = self.thread(t).await;
        let found = thread.iter().find(|message| message["id"] == *id);
        found.expect("the message is listed").clone()
    }

    /// What arrived at WhatsApp for the person, the oldest first.
    async fn sent(&self, t: &TestApp) -> Vec<Value> {
        let mut sent = t.sent_to(&phone(1)).await;
        sent.reverse();
        sent
    }

    async fn told(&self, t: &TestApp, id: &Value, statuses: &[&str]) {
        let at = t.app.now().as_second();
        let statuses: Vec<_> = statuses
            .iter()
            .map(|status| {
                json!({"id": "wamid.x", "status": status, "timestamp": at.to_string(),
                    "recipient_id": "6281", "biz_opaque_callback_data": format!("{}.{}", self.chat, text(id))})
            })
            .collect();
        let value = json!({"metadata": {"phone_number_id": simulator::universe::NUMBER}, "statuses": statuses});
        let body =
            json!({"entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]});
        t.post_webhook(body.to_string().into_bytes()).await;
    }
}

async fn receipts(t: &TestApp) -> Vec<Value> {
    let receipts = t
        .control(Method::GET, "/_control/receipts", Value::Null)
        .await;
    receipts["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn every_kind_of_message_arrives_as_whatsapp_wants_it() {
    let t = TestApp::quiet().await;
    let talk = Talk::begin(&t).await;
    let choice = |id: &str, title: &str| json!({"id": id, "title": title});
    let contents = [
        json!({"type": "location", "latitude": -6.2, "longitude": 106.8, "name": "Toko"}),
        json!({"type": "contacts", "contacts": [{"name": "Sari", "phones": ["+6281234567890"]}]}),
        json!({"type": "buttons", "text": "Keep it?", "footer": "Thanks",
            "buttons": [choice("yes", "Yes"), choice("no", "No")]}),
        json!({"type": "list", "header": "Delivery", "text": "When?", "button": "Times",
            "sections": [{"rows": [choice("am", "Morning"), choice("pm", "Afternoon")]}]}),
        json!({"type": "link", "text": "See", "label": "Open", "url": "https://shop.example/"}),
    ];
    for content in &contents {
        let said = talk.say(&t, json!({"content": content})).await;
        assert_eq!(said["status"], "queued");
    }
    t.drain().await;
    let sent = talk.sent(&t).await;
    let kinds: Vec<_> = sent.iter().map(|line| text(&line["type"])).collect();
    assert_eq!(
        kinds,
        [
            "location",
            "contacts",
            "interactive",
            "interactive",
            "interactive"
        ]
    );
    assert_eq!(
        sent[2]["content"],
        json!({"type": "button", "body": {"text": "Keep it?"}, "footer": {"text": "Thanks"},
            "action": {"buttons": [
                {"type": "reply", "reply": {"id": "yes", "title": "Yes"}},
                {"type": "reply", "reply": {"id": "no", "title": "No"}}]}})
    );
    assert_eq!(
        sent[3]["content"]["action"]["sections"][0]["rows"][1]["id"],
        "pm"
    );
    assert_eq!(
        sent[4]["content"]["action"]["parameters"]["url"],
        "https://shop.example/"
    );
    let thread = talk.thread(&t).await;
    assert!(
        thread[..5]
            .iter()
            .all(|message| message["status"] == "accepted")
    );
    assert_eq!(thread[4]["content"]["name"], "Toko");
    t.finish().await;
}

#[tokio::test]
async fn a_reply_quotes_and_a_reaction_names_what_the_person_wrote() {
    let t = TestApp::quiet().await;
    let talk = Talk::begin(&t).await;
    let hello = talk.thread(&t).await[0]["id"].clone();
    let said = talk
        .say(&t, json!({"text": "Hi!", "reply_to": hello}))
        .await;
    assert_eq!(said["reply_to"], hello);
    // What is answered may still be on its way: it is sent first.
    let own = json!({"type": "reaction", "message": said["id"], "emoji": "👍"});
    talk.say(&t, json!({"content": own})).await;
    t.drain().await;
    let sent = talk.sent(&t).await;
    assert_eq!(sent[0]["context"], "wamid.hello");
    assert_eq!(sent[1]["content"]["message_id"], sent[0]["id"]);
    // What is not of this chat is refused: another workspace's, and what nobody wrote.
    let stranger = t.owner("stranger").await;
    stranger.get(&t, &talk.path("/messages")).await.expect(404);
    let foreign = "ms_01a1ee5661e87f01b0638b793f2d60ca";
    let problem = talk
        .refused(&t, json!({"text": "Hi", "reply_to": foreign}))
        .await;
    assert_eq!(problem["errors"][0]["field"], "reply_to");
    let reaction = json!({"type": "reaction", "message": foreign, "emoji": "👍"});
    let problem = talk.refused(&t, json!({"content": reaction})).await;
    assert_eq!(problem["errors"][0]["field"], "content.message");
    assert_eq!(talk.sent(&t).await.len(), 2);
    t.finish().await;
}

#[tokio::test]
async fn when_the_window_is_closed_a_template_goes_out_with_its_values() {
    let t = TestApp::quiet().await;
    let talk = Talk::begin(&t).await;
    let template = t.template(&talk.owner, "order_shipped").await;
    t.advance(SignedDuration::from_hours(25));
    let closed = talk
        .owner
        .post(&t, &talk.path("/messages"), json!({"text": "Hi"}))
        .await;
    assert_eq!(closed.expect(409)["code"], "window_closed");
    let content = json!({"type": "template", "template": template});
    let problem = talk.refused(&t, json!({"content": content})).await;
    let field = text(&problem["errors"][0]["field"]);
    assert!(field.starts_with("content.variables"), "{problem}");
    let words = |words: &str| json!({"from": "text", "value": words});
    let variables = json!({"header.1": words("42"), "body.1": words("Ada"), "body.2": words("ID123"),
        "button.0": words("t/42")});
    let content = json!({"type": "template", "template": template, "variables": variables});
    let said = talk.say(&t, json!({"content": content})).await;
    assert_eq!(said["kind"], "template");
    assert!(!text(&said["text"]).contains("{{"), "{said}");
    t.drain().await;
    let sent = talk.sent(&t).await;
    assert_eq!(sent[0]["template"], "order_shipped");
    assert_eq!(sent[0]["text"], said["text"]);
    t.finish().await;
}

#[tokio::test]
async fn what_failed_is_sent_again_once_however_often_it_is_asked_for() {
    let t = TestApp::quiet().await;
    let talk = Talk::begin(&t).await;
    let refused = json!({"error": {"code": 131_026}});
    t.trouble(&phone(1), 1, refused).await;
    let failed = talk.say(&t, json!({"text": "one"})).await;
    t.drain().await;
    let failed = talk.message(&t, &failed["id"]).await;
    assert_eq!(
        (&failed["status"], &failed["retryable"]),
        (&json!("failed"), &json!(true))
    );
    let retry = talk.path(&format!("/messages/{}/retry", text(&failed["id"])));
    let (first, second) = tokio::join!(
        talk.owner.post(&t, &retry, json!({})),
        talk.owner.post(&t, &retry, json!({})),
    );
    let (first, second) = (first.expect(202), second.expect(202));
    assert_eq!(first["id"], second["id"]);
    t.drain().await;
    assert_eq!(
        talk.owner.post(&t, &retry, json!({})).await.expect(202)["id"],
        first["id"]
    );
    t.drain().await;
    assert_eq!(talk.sent(&t).await.len(), 1);
    let failed = talk.message(&t, &failed["id"]).await;
    assert_eq!(failed["retried_as"], first["id"]);
    // What arrived is not sent again.
    let again = talk.path(&format!("/messages/{}/retry", text(&first["id"])));
    let problem = talk.owner.post(&t, &again, json!({})).await.expect(409);
    assert_eq!(problem["code"], "not_retryable");
    let stranger = t.owner("stranger").await;
    stranger.post(&t, &retry, json!({})).await.expect(404);
    t.finish().await;
}

#[tokio::test]
async fn ticks_go_up_to_sent_and_played_and_never_back() {
    let t = TestApp::quiet().await;
    let talk = Talk::begin(&t).await;
    let message = talk.say(&t, json!({"text": "listen"})).await["id"].clone();
    t.drain().await;
    for (statuses, tick) in [
        (vec!["sent"], "sent"),
        (vec!["read"], "read"),
        (vec!["delivered", "sent"], "read"),
        (vec!["played"], "played"),
        (vec!["delivered", "read"], "played"),
    ] {
        talk.told(&t, &message, &statuses).await;
        t.drain().await;
        assert_eq!(
            talk.message(&t, &message).await["status"],
            tick,
            "{statuses:?}"
        );
    }
    t.finish().await;
}

#[tokio::test]
async fn a_person_is_told_once_that_what_they_wrote_was_read() {
    let t = TestApp::quiet().await;
    let talk = Talk::begin(&t).await;
    t.advance(SignedDuration::from_secs(1));
    t.writes(&phone(1), "wamid.2", "Anybody?").await;
    let path = talk.path("/read");
    let chat = talk.owner.post(&t, &path, json!({})).await.expect(200);
    assert_eq!(chat["unread"], 0);
    talk.owner.post(&t, &path, json!({})).await.expect(200);
    t.drain().await;
    let told = receipts(&t).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        (&told[0]["message_id"], &told[0]["typing"]),
        (&json!("wamid.2"), &json!(false))
    );
    // Marked as unread and read again it is no news to the person.
    talk.owner
        .patch(&t, &talk.path(""), json!({"unread": true}))
        .await
        .expect(200);
    talk.owner.post(&t, &path, json!({})).await.expect(200);
    t.drain().await;
    assert_eq!(receipts(&t).await.len(), 1);
    talk.owner
        .post(&t, &talk.path("/typing"), json!({}))
        .await
        .expect(202);
    t.drain().await;
    assert_eq!(receipts(&t).await[1]["typing"], true);
    // Somebody who typed a while ago is not typing.
    talk.owner
        .post(&t, &talk.path("/typing"), json!({}))
        .await
        .expect(202);
    t.advance(SignedDuration::from_secs(11));
    t.run_once(QueueName::ChatSend).await;
    assert_eq!(receipts(&t).await.len(), 2);
    t.finish().await;
}

#[tokio::test]
async fn what_a_campaign_sent_stands_in_the_thread_as_the_person_saw_it() {
    let t = TestApp::quiet().await;
    let (owner, campaign, _) = t.prepared(3).await;
    t.start(&owner, &campaign).await;
    t.drain().await;
    t.advance(SignedDuration::from_secs(5));
    t.writes(&phone(1), "wamid.answer", "Thanks!").await;
    t.drain().await;
    let list = owner.get(&t, "/v1/chats").await.expect(200);
    assert_eq!(
        list["items"].as_array().unwrap().len(),
        1,
        "only who answered has a chat"
    );
    let talk = Talk {
        owner,
        chat: text(&list["items"][0]["id"]),
    };
    let thread = talk.thread(&t).await;
    assert_eq!(thread[0]["text"], "Thanks!");
    assert_eq!(
        (&thread[1]["campaign"], &thread[1]["kind"]),
        (&json!(campaign), &json!("template"))
    );
    let sent = talk.sent(&t).await;
    assert_eq!(thread[1]["text"], sent[0]["text"]);
    let figures = t.figures(&talk.owner, &campaign).await;
    assert_eq!(figures["replied"], 1, "{figures}");
    // Page by page it is the same thread.
    let one = talk
        .owner
        .get(&t, &talk.path("/messages?limit=1"))
        .await
        .expect(200);
    let next = text(&one["next"]);
    let two = format!("/messages?limit=1&cursor={next}");
    let two = talk.owner.get(&t, &talk.path(&two)).await.expect(200);
    assert_eq!(two["items"][0]["id"], thread[1]["id"]);
    t.finish().await;
}

#[tokio::test]
async fn notes_and_labels_stay_within_the_team() {
    let t = TestApp::quiet().await;
    let talk = Talk::begin(&t).await;
    let colleague = t.member(&talk.owner, "budi", "agent").await;
    let id = t.id_of(&colleague).await;
    let note = json!({"text": "She is a regular.", "mentions": [id]});
    let written = talk
        .owner
        .post(&t, &talk.path("/notes"), note)
        .await
        .expect(201);
    assert_eq!(
        (&written["direction"], &written["mentions"]),
        (&json!("internal"), &json!([id]))
    );
    let stranger = t.owner("stranger").await;
    let other = t.id_of(&stranger).await;
    let wrong = json!({"text": "?", "mentions": [other]});
    let problem = talk
        .owner
        .post(&t, &talk.path("/notes"), wrong)
        .await
        .expect(422);
    assert_eq!(problem["errors"][0]["field"], "mentions[0]");
    stranger
        .post(&t, &talk.path("/notes"), json!({"text": "?"}))
        .await
        .expect(404);
    let label = json!({"name": "VIP", "colour": "#12B76A"});
    let label = talk.owner.post(&t, "/v1/labels", label).await.expect(201);
    assert_eq!(label["colour"], "#12b76a");
    let taken = talk
        .owner
        .post(&t, "/v1/labels", json!({"name": "vip"}))
        .await
        .expect(409);
    assert_eq!(taken["code"], "name_taken");
    colleague
        .post(&t, "/v1/labels", json!({"name": "Mine"}))
        .await
        .expect(403);
    let labelled = json!({"labels": [label["id"]]});
    let chat = colleague
        .patch(&t, &talk.path(""), labelled)
        .await
        .expect(200);
    assert_eq!(chat["labels"], json!([label["id"]]));
    let found = format!("/v1/chats?label={}", text(&label["id"]));
    let found = talk.owner.get(&t, &found).await.expect(200);
    assert_eq!(found["items"][0]["id"], talk.chat);
    let counts = talk.owner.get(&t, "/v1/chats/counts").await.expect(200);
    assert_eq!(counts["statuses"]["open"]["labels"][text(&label["id"])], 1);
    // A deleted label may stay where it is, and is given to nobody else.
    let path = format!("/v1/labels/{}", text(&label["id"]));
    stranger.delete(&t, &path).await.expect(404);
    talk.owner.delete(&t, &path).await.expect(204);
    talk.owner
        .patch(&t, &talk.path(""), json!({"labels": [label["id"]]}))
        .await
        .expect(200);
    t.drain().await;
    assert!(talk.sent(&t).await.is_empty());
    t.finish().await;
}

#[tokio::test]
async fn who_has_a_live_screen_is_present_and_for_a_while_after_it_falls_silent() {
    let t = TestApp::quiet().await;
    let owner = t.owner("acme").await;
    let colleague = t.member(&owner, "budi", "agent").await;
    let id = t.id_of(&colleague).await;
    let online = async |caller: &Caller| {
        let presence = caller.get(&t, "/v1/presence").await.expect(200);
        presence["online"].as_array().unwrap().clone()
    };
    assert!(online(&owner).await.is_empty());
    let screen = colleague.live(&t).await;
    assert_eq!(online(&owner).await, [json!(id)]);
    let stranger = t.owner("stranger").await;
    assert!(online(&stranger).await.is_empty());
    t.advance(SignedDuration::from_mins(4));
    assert!(online(&owner).await.is_empty());
    drop(screen);
    t.finish().await;
}
