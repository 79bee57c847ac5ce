//! What people decide: whether they read and listen, whom they block, what they stop, which number they
//! have and whether they show it.

use serde_json::{Value, json};
use simulator::{Channel, Settings, universe};

use crate::phone::{calm, cannot, does, failed_with, latest, message, sent, told};
use crate::world::{ManualTime, World, code, text, value};

const ADA: &str = "6281200000001";
const HOUR_US: i64 = 3_600_000_000;

#[tokio::test]
async fn messages_are_read_and_voice_notes_played_when_their_owner_does_so() {
    let world = World::with_callback(calm()).await;
    let (first, second) = (
        sent(&world, "text", json!({"body": "One"})).await,
        sent(&world, "text", json!({"body": "Two"})).await,
    );
    assert_eq!(told(&world, &first), ["sent", "delivered"]);
    does(&world, json!({"read": {"message_id": first}})).await;
    world.drain().await;
    assert_eq!(told(&world, &first), ["sent", "delivered", "read"]);
    assert_eq!(told(&world, &second), ["sent", "delivered"]);
    assert_eq!(does(&world, json!({"read": {}})).await["read"], 1);
    assert_eq!(
        does(&world, json!({"read": {}})).await["read"],
        0,
        "everything was read"
    );
    world.drain().await;
    assert_eq!(told(&world, &second), ["sent", "delivered", "read"]);
    assert!(
        cannot(&world, json!({"play": {"message_id": first}}))
            .await
            .contains("played")
    );
    assert!(
        cannot(&world, json!({"read": {"message_id": "wamid.X"}}))
            .await
            .contains("not sent")
    );

    let voice = json!({"link": "https://cdn.example/a.ogg", "voice": true});
    let voice = sent(&world, "audio", voice).await;
    does(&world, json!({"play": {"message_id": voice}})).await;
    world.drain().await;
    assert_eq!(
        told(&world, &voice),
        ["sent", "delivered", "read", "played"]
    );
    let statuses = world.statuses();
    let played = &statuses.last().unwrap().1;
    assert_eq!(played.get("pricing"), None);
    assert_eq!(world.report().await["statuses"]["played"], 1);
}

#[tokio::test]
async fn a_message_that_is_on_its_way_arrives_when_it_is_read() {
    let mut settings = calm();
    settings.timing.delivered_ms = (3_600_000, 3_600_000);
    settings.timing.read_share = 1.0;
    let world = World::with_callback(settings).await;
    let (_, answer) = world.send(text(ADA, "Soon")).await;
    let wamid = answer["messages"][0]["id"].as_str().unwrap().to_owned();
    does(&world, json!({"read": {"message_id": wamid}})).await;
    world.time.advance_us(1_000_000);
    world.rest().await;
    let mut early = told(&world, &wamid);
    early.sort();
    assert_eq!(early, ["delivered", "read", "sent"]);
    world.drain().await;
    assert_eq!(told(&world, &wamid).len(), 3, "each is told once");
}

#[tokio::test]
async fn habits_decide_instead_of_chance_and_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = calm();
    settings.timing.played_share = 0.0;
    settings.data = Some(folder.path().join("simulator.db"));
    settings.webhook_url = "here".into();
    let time = ManualTime::new();
    let world = World::at(time.clone(), settings.clone()).await;
    let likes = json!({"reads": "always", "plays": "always", "name": "Ada Example"});
    let person = world
        .control("PATCH", &format!("people/{ADA}"), likes)
        .await;
    assert_eq!(
        (&person["reads"], &person["number"]),
        (&json!("always"), &json!(ADA))
    );
    let voice = json!({"link": "https://cdn.example/a.ogg", "voice": true});
    let wamid = sent(&world, "audio", voice.clone()).await;
    assert_eq!(
        told(&world, &wamid),
        ["sent", "delivered", "read", "played"]
    );
    let told_name = world
        .told()
        .iter()
        .map(|told| value(told)["contacts"][0]["profile"]["name"].clone())
        .next_back();
    assert_eq!(told_name.unwrap(), "Ada Example");
    world.simulator.stop().await;

    settings.timing.read_share = 1.0;
    let world = World::at(time, settings).await;
    let likes = world.call("GET", "/_control/people", None).await.1["data"][0].clone();
    assert_eq!(
        (&likes["plays"], &likes["name"]),
        (&json!("always"), &json!("Ada Example"))
    );
    world
        .control("PATCH", &format!("people/{ADA}"), json!({"reads": "never"}))
        .await;
    let wamid = sent(&world, "audio", voice).await;
    assert_eq!(told(&world, &wamid), ["sent", "delivered"]);
    let odd = world
        .call(
            "PATCH",
            &format!("/_control/people/{ADA}"),
            Some(json!({"reads": "often"})),
        )
        .await;
    assert_eq!(odd.0, 400);
}

#[tokio::test]
async fn who_has_blocked_the_business_gets_nothing_and_writes_nothing() {
    let world = World::with_callback(calm()).await;
    does(&world, json!({"block": {}})).await;
    let wamid = sent(&world, "text", json!({"body": "Hello?"})).await;
    assert_eq!(told(&world, &wamid), ["failed"]);
    assert_eq!(failed_with(&world, &wamid).await, 131_026);
    assert!(
        cannot(&world, json!({"text": "Hi"}))
            .await
            .contains("blocked")
    );
    let other = world
        .send_from(universe::SPARE_NUMBER, text(ADA, "Another number"))
        .await;
    world.drain().await;
    let other = other.1["messages"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(told(&world, &other), ["sent", "delivered"]);
    does(&world, json!({"unblock": {}})).await;
    let wamid = sent(&world, "text", json!({"body": "Hello again"})).await;
    assert_eq!(told(&world, &wamid), ["sent", "delivered"]);
}

#[tokio::test]
async fn whoever_stops_marketing_still_gets_everything_else() {
    let world = World::with_callback(calm()).await;
    let marketing = async || {
        let template = json!({"name": "spring_sale", "language": {"code": "en_US"}, "components": [
            {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://cdn.example/a.jpg"}}]},
            {"type": "body", "parameters": [{"type": "text", "text": "Ada"}, {"type": "text", "text": "20%"}]},
            {"type": "button", "sub_type": "url", "index": 0, "parameters": [{"type": "text", "text": "x1"}]}]});
        sent(&world, "template", template).await
    };
    does(&world, json!({"marketing": "stop"})).await;
    let wish = latest(&world)["user_preferences"][0].clone();
    assert_eq!(
        (&wish["wa_id"], &wish["value"]),
        (&json!(ADA), &json!("stop"))
    );
    let wamid = marketing().await;
    assert_eq!(failed_with(&world, &wamid).await, 131_050);
    let wamid = sent(&world, "text", json!({"body": "Your order"})).await;
    assert_eq!(told(&world, &wamid), ["sent", "delivered"]);
    does(&world, json!({"marketing": "resume"})).await;
    assert_eq!(latest(&world)["user_preferences"][0]["value"], "resume");
    let wamid = marketing().await;
    assert_eq!(told(&world, &wamid), ["sent", "delivered"]);
}

#[tokio::test]
async fn somebody_with_another_number_is_gone_from_the_old_one() {
    let world = World::with_callback(calm()).await;
    does(
        &world,
        json!({"change_number": {"to": "+62 812 9999 0000"}}),
    )
    .await;
    let notice = latest(&world);
    assert_eq!(notice.get("contacts"), None);
    let notice = &notice["messages"][0];
    assert_eq!(
        (&notice["from"], &notice["type"]),
        (&json!(ADA), &json!("system"))
    );
    assert_eq!(notice["system"]["type"], "user_changed_number");
    assert_eq!(notice["system"]["wa_id"], "6281299990000");
    let wamid = sent(&world, "text", json!({"body": "Still there?"})).await;
    assert_eq!(failed_with(&world, &wamid).await, 131_026);
    assert!(
        cannot(&world, json!({"text": "Hi"}))
            .await
            .contains("6281299990000")
    );
    let moved = json!({"from": "6281299990000", "does": {"text": "It is me"}});
    world.control("POST", "phone", moved).await;
    world.rest().await;
    assert_eq!(message(&world)["from"], "6281299990000");
}

#[tokio::test]
async fn who_hides_their_number_is_known_and_reached_by_their_user_id() {
    let world = World::with_callback(calm()).await;
    let hidden = json!({"shows": "user_id", "name": "Ada"});
    let user_id = world
        .control("PATCH", &format!("people/{ADA}"), hidden)
        .await["user_id"]
        .clone();
    does(&world, json!({"text": "Hi"})).await;
    let told = latest(&world);
    assert_eq!(told["messages"][0].get("from"), None);
    assert_eq!(told["messages"][0]["from_user_id"], user_id);
    assert_eq!(
        told["contacts"],
        json!([{"profile": {"name": "Ada"}, "user_id": user_id}])
    );

    let message = |recipient: &Value| json!({"messaging_product": "whatsapp", "recipient": recipient, "type": "text", "text": {"body": "Hello"}});
    let (status, answer) = world.send(message(&user_id)).await;
    assert_eq!(status, 200);
    assert_eq!(
        answer["contacts"],
        json!([{"input": user_id, "user_id": user_id}])
    );
    world.drain().await;
    let statuses = world.statuses();
    assert!(
        statuses
            .iter()
            .all(|(_, status)| status.get("recipient_id").is_none())
    );
    assert_eq!(statuses[0].1["recipient_user_id"], user_id);
    let stranger = world.send(message(&json!("US.70000000000000000002"))).await;
    assert_eq!(code(&stranger), 131_009);
    let nobody =
        json!({"messaging_product": "whatsapp", "type": "text", "text": {"body": "Hello"}});
    assert_eq!(code(&world.send(nobody).await), 131_008);

    does(&world, json!({"change_number": {"to": "6281299990000"}})).await;
    let notice = latest(&world)["messages"][0].clone();
    assert_eq!(notice.get("from"), None);
    assert_eq!(notice["system"]["type"], "user_changed_user_id");
    assert_eq!(notice["system"]["previous_user_id"], user_id);
    assert_eq!(notice["system"]["user_id"], notice["from_user_id"]);
    assert_ne!(notice["from_user_id"], user_id);
    let (status, answer) = world.send(message(&notice["from_user_id"])).await;
    assert_eq!(status, 200, "{answer}");
}

#[tokio::test]
async fn only_words_open_the_service_window_and_only_for_a_day() {
    let settings = Settings {
        outside_window: Channel::Async,
        pair_limiter: false,
        ..calm()
    };
    let world = World::with_callback(settings).await;
    let fails = async || {
        let wamid = sent(&world, "text", json!({"body": "Free"})).await;
        failed_with(&world, &wamid).await
    };
    let hello = does(&world, json!({"text": "Hello"})).await["id"].clone();
    assert_eq!(fails().await, Value::Null);
    world.time.advance_us(24 * HOUR_US);
    assert_eq!(fails().await, 131_047);
    for act in [
        json!({"reaction": {"message_id": "wamid.O", "emoji": "\u{1f44d}"}}),
        json!({"edit": {"message_id": hello, "text": "Hello!"}}),
        json!({"revoke": {"message_id": hello}}),
    ] {
        does(&world, act.clone()).await;
        assert_eq!(fails().await, 131_047, "{act}");
    }
    does(&world, json!({"audio": {"voice": true}})).await;
    assert_eq!(fails().await, Value::Null);
}
