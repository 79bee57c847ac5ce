//! Accounts in trouble: tokens, payments, locks, maintenance, templates; and their restoration.

use serde_json::{Value, json};
use simulator::universe;

use crate::world::{World, code, hello, settings, text};

async fn turn(world: &World, change: Value) -> Value {
    world.control("PATCH", "switches", change).await
}

/// The changes the callback was told of, field by field.
fn changes(world: &World) -> Vec<(String, Value)> {
    let told = world.told();
    let bodies = told
        .iter()
        .map(|told| serde_json::from_slice::<Value>(&told.body).unwrap());
    bodies
        .map(|body| {
            let change = &body["entry"][0]["changes"][0];
            assert!(body["entry"][0]["time"].is_i64());
            let field = change["field"].as_str().unwrap().to_owned();
            (field, change["value"].clone())
        })
        .collect()
}

#[tokio::test]
async fn a_revoked_token_is_refused_everywhere_until_it_is_restored() {
    let world = World::new(settings()).await;
    turn(&world, json!({"token_revoked": true})).await;
    let refused = world.send(hello("6281200000001")).await;
    assert_eq!((refused.0.as_u16(), code(&refused)), (401, 190));
    let path = format!("/v26.0/{}/phone_numbers", universe::WABA);
    assert_eq!(code(&world.call("GET", &path, None).await), 190);
    turn(&world, json!({"token_revoked": false})).await;
    assert_eq!(world.send(hello("6281200000001")).await.0, 200);
    assert_eq!(world.report().await["refused"], json!({"190": 1}));
}

#[tokio::test]
async fn a_number_in_maintenance_refuses_and_the_others_do_not() {
    let world = World::new(settings()).await;
    turn(&world, json!({"maintenance": {universe::NUMBER: true}})).await;
    let refused = world.send(hello("6281200000001")).await;
    assert_eq!((refused.0.as_u16(), code(&refused)), (500, 131_057));
    let other = world.send_from(universe::SPARE_NUMBER, hello("6281200000001"));
    assert_eq!(other.await.0, 200);
    turn(&world, json!({"maintenance": {universe::NUMBER: false}})).await;
    assert_eq!(world.send(hello("6281200000001")).await.0, 200);
}

#[tokio::test]
async fn a_locked_account_sends_nothing_and_says_so() {
    let world = World::with_callback(settings()).await;
    turn(&world, json!({"locked": {universe::WABA: true}})).await;
    let refused = world.send(hello("6281200000001")).await;
    assert_eq!((refused.0.as_u16(), code(&refused)), (403, 131_031));
    let path = format!("/v26.0/{}?fields=status", universe::WABA);
    assert_eq!(world.call("GET", &path, None).await.1["status"], "DISABLED");
    world.drain().await;
    assert!(world.told().is_empty(), "nobody asked for the webhook");

    turn(
        &world,
        json!({"locked": {universe::WABA: false}, "notify": true}),
    )
    .await;
    assert_eq!(world.send(hello("6281200000001")).await.0, 200);
    world.rest().await;
    let (field, value) = changes(&world).remove(0);
    assert_eq!(field, "account_update");
    assert_eq!(
        value,
        json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "REINSTATE"}})
    );
}

#[tokio::test]
async fn an_account_that_cannot_pay_loses_its_templates_afterwards() {
    let mut settings = settings();
    settings.timing.fail_share = 0.0;
    let world = World::with_callback(settings).await;
    turn(&world, json!({"unpaid": {universe::WABA: true}})).await;
    assert_eq!(world.send(hello("6281200000001")).await.0, 200);
    assert_eq!(
        world.send(text("6281200000002", "free of charge")).await.0,
        200
    );
    turn(&world, json!({"unpaid": {universe::WABA: false}})).await;
    world.send(hello("6281200000003")).await;
    world.drain().await;
    let failed: Vec<_> = world
        .statuses()
        .into_iter()
        .filter(|(_, status)| status["status"] == "failed")
        .collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].1["recipient_id"], "6281200000001");
    assert_eq!(failed[0].1["errors"][0]["code"], 131_042);
}

#[tokio::test]
async fn a_template_is_paused_disabled_or_deleted_for_sends_and_in_the_list() {
    let world = World::new(settings()).await;
    let listed = async |status: &str| {
        let path = format!(
            "/v26.0/{}/message_templates?name=hello_world&status={status}",
            universe::WABA
        );
        let (_, answer) = world.call("GET", &path, None).await;
        answer["data"].as_array().unwrap().len()
    };
    for (status, expected, lines) in [
        ("PAUSED", 132_015, 1),
        ("DISABLED", 132_016, 1),
        ("PENDING_DELETION", 132_001, 1),
        ("DELETED", 132_001, 0),
    ] {
        turn(&world, json!({"templates": {"hello_world": status}})).await;
        assert_eq!(code(&world.send(hello("6281200000001")).await), expected);
        assert_eq!(listed(status).await, lines, "{status}");
        assert_eq!(listed("APPROVED").await, 0, "{status}");
    }
    turn(&world, json!({"templates": {"hello_world": null}})).await;
    assert_eq!(world.send(hello("6281200000001")).await.0, 200);
    assert_eq!(listed("APPROVED").await, 1);
}

#[tokio::test]
async fn a_pause_is_told_of_each_translation_when_that_is_asked_for() {
    let world = World::with_callback(settings()).await;
    let paused = json!({"templates": {"order_shipped": "PAUSED"}, "notify": true});
    turn(&world, paused).await;
    world.rest().await;
    let told = changes(&world);
    let mut languages: Vec<_> = told
        .iter()
        .map(|(field, value)| {
            assert_eq!(field, "message_template_status_update");
            assert_eq!(value["event"], "PAUSED");
            assert_eq!(value["message_template_name"], "order_shipped");
            assert!(value["message_template_id"].is_u64());
            assert_eq!(value["other_info"]["title"], "FIRST_PAUSE");
            value["message_template_language"].as_str().unwrap()
        })
        .collect();
    languages.sort_unstable();
    assert_eq!(languages, ["en-US", "id"]);
}

#[tokio::test]
async fn a_switch_of_something_that_is_not_there_is_refused() {
    let world = World::new(settings()).await;
    for change in [
        json!({"maintenance": {"1": true}}),
        json!({"locked": {"1": true}}),
        json!({"templates": {"no_such_template": "PAUSED"}}),
        json!({"templates": {"hello_world": "SLEEPING"}}),
        json!({"colour": "red"}),
    ] {
        let (status, answer) = world
            .call("PATCH", "/_control/switches", Some(change))
            .await;
        assert_eq!(status, 400);
        assert!(answer["error"].is_string());
    }
    let (_, switches) = world.call("GET", "/_control/switches", None).await;
    assert_eq!(switches["templates"], json!({}));
}
