//! Overrides of callbacks, accounts under an app of their own, and what Meta tells on demand.

use serde_json::{Value, json};
use simulator::{signature, universe};

use crate::world::{World, code, settings};

#[tokio::test]
async fn an_override_needs_the_handshake_and_takes_messages_only() {
    let world = World::with_callback(settings()).await;
    let path = format!("/v26.0/{}/subscribed_apps", universe::WABA);
    let url = &world.url;
    let asked = |token: &str| {
        Some(json!({"override_callback_uri": format!("{url}?own"), "verify_token": token}))
    };
    let refused = world.call("POST", &path, asked("wrong")).await;
    assert_eq!(code(&refused), 2200);
    assert_eq!(
        world.call("POST", &path, asked("right")).await.1["success"],
        true
    );
    let listed = world.call("GET", &path, None).await.1;
    assert_eq!(
        listed["data"][0]["override_callback_uri"],
        format!("{url}?own")
    );
    assert_eq!(world.call("POST", &path, None).await.1["success"], true);
    let listed = world.call("GET", &path, None).await.1;
    assert_eq!(listed["data"][0].get("override_callback_uri"), None);
}

#[tokio::test]
async fn an_account_under_its_own_app_is_signed_with_its_own_secret() {
    let world = World::with_callback(settings()).await;
    let secrets = json!({"app_secrets": {universe::WABA: "its own"}});
    world.control("PATCH", "settings", secrets).await;
    let event = json!({"number_quality": {"event": "FLAGGED"}});
    // Without a callback of that app nobody is told.
    world.control("POST", "events", event.clone()).await;
    world.drain().await;
    assert_eq!(world.told().len(), 0);
    let callback =
        json!({"callback_url": world.url, "verify_token": "right", "waba_id": universe::WABA});
    world.control("POST", "subscribe", callback).await;
    world.control("POST", "events", event).await;
    world.drain().await;
    let told = &world.told()[0];
    assert_eq!(
        told.signature.as_deref(),
        Some(signature("its own", &told.body).as_str())
    );
}

#[tokio::test]
async fn events_have_the_shapes_of_metas_own() {
    let world = World::with_callback(settings()).await;
    let tell = async |event: Value| {
        world.control("POST", "events", event).await;
        world.drain().await;
        let told = world.told();
        let body: Value = serde_json::from_slice(&told.last().unwrap().body).unwrap();
        body["entry"][0]["changes"][0].clone()
    };
    let paused = tell(json!({"template_status": {"template": "order_update", "event": "PAUSED", "title": "FIRST_PAUSE", "description": "d"}})).await;
    assert_eq!(paused["field"], "message_template_status_update");
    assert!(paused["value"]["message_template_id"].is_u64());
    assert_eq!(paused["value"]["other_info"]["title"], "FIRST_PAUSE");
    let announced = tell(json!({"template_category": {"template": "order_update", "to": "MARKETING", "announced": true}})).await;
    assert_eq!(announced["value"]["correct_category"], "MARKETING");
    let stopped = tell(json!({"preference": {"from": "+62 812", "value": "stop"}})).await;
    assert_eq!(stopped["field"], "user_preferences");
    assert_eq!(stopped["value"]["user_preferences"][0]["wa_id"], "62812");
    let named = tell(json!({"number_name": {"decision": "REJECTED", "name": "N", "reason": "NAME_NOT_CONSISTENT"}})).await;
    assert_eq!(named["value"]["display_phone_number"], "15550100001");
    let banned = tell(json!({"account": {"event": "DISABLED_UPDATE", "with": {"ban_info": {"waba_ban_state": "DISABLE"}}}})).await;
    assert_eq!(
        banned["value"],
        json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}})
    );
}
