//! Reading: templates page by page, numbers, accounts, subscriptions.

use std::collections::HashSet;

use serde_json::{Value, json};
use simulator::universe;

use crate::world::{World, settings};

async fn walk(world: &World, first: &str) -> (usize, Vec<Value>) {
    let (mut pages, mut all, mut next) = (0, Vec::new(), Some(first.to_owned()));
    while let Some(path) = next {
        let (status, answer) = world.call("GET", &path, None).await;
        assert_eq!(status, 200, "{answer}");
        all.extend(answer["data"].as_array().unwrap().iter().cloned());
        pages += 1;
        let url = answer["paging"]["next"].as_str();
        next = url.map(|url| url.strip_prefix("http://graph.example").unwrap().to_owned());
    }
    (pages, all)
}

#[tokio::test]
async fn following_the_pages_finds_every_template_once() {
    let world = World::new(settings()).await;
    let edge = format!("/v26.0/{}/message_templates", universe::WABA);
    let (pages, all) = walk(&world, &edge).await;
    assert!(
        pages >= 2 && all.len() >= 40,
        "{pages} pages, {} templates",
        all.len()
    );
    let ids: HashSet<_> = all
        .iter()
        .map(|template| template["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), all.len());

    let (pages, again) = walk(&world, &format!("{edge}?limit=7&fields=name,language")).await;
    assert_eq!(pages, all.len().div_ceil(7));
    assert_eq!(again.len(), all.len());
    assert!(
        again
            .iter()
            .all(|template| template.as_object().unwrap().len() == 3)
    );

    let (_, paused) = walk(&world, &format!("{edge}?status=PAUSED&limit=1")).await;
    assert_eq!(paused.len(), 2);
    let (_, named) = walk(&world, &format!("{edge}?name=order_update")).await;
    assert_eq!(named.len(), 2);
    let (_, second) = walk(
        &world,
        &format!("/v23.0/{}/message_templates", universe::SECOND_WABA),
    )
    .await;
    assert_eq!(second.len(), 3);

    let (status, answer) = world.call("GET", &format!("{edge}?after=zzz"), None).await;
    assert_eq!(
        (status.as_u16(), &answer["error"]["code"]),
        (400, &json!(131_059))
    );
}

#[tokio::test]
async fn a_node_shows_the_fields_that_were_asked_for() {
    let world = World::new(settings()).await;
    let numbers = format!(
        "/v26.0/{}/phone_numbers?fields=display_phone_number,throughput",
        universe::WABA
    );
    let (_, numbers) = world.call("GET", &numbers, None).await;
    assert_eq!(
        numbers["data"][0],
        json!({"id": universe::NUMBER, "display_phone_number": "+1 555-010-0001", "throughput": {"level": "STANDARD"}})
    );
    assert_eq!(numbers["data"].as_array().unwrap().len(), 2);

    let raise = json!({"limits": {universe::NUMBER: 1000}});
    let (status, _) = world.call("PATCH", "/_control/settings", Some(raise)).await;
    assert_eq!(status, 200);
    let (_, number) = world
        .call(
            "GET",
            &format!("/v26.0/{}?fields=throughput", universe::NUMBER),
            None,
        )
        .await;
    assert_eq!(
        number,
        json!({"id": universe::NUMBER, "throughput": {"level": "HIGH"}})
    );

    let waba = format!(
        "/v26.0/{}?fields=name,owner_business_info{{id,name}}",
        universe::WABA
    );
    let (_, waba) = world
        .call("GET", &waba.replace('{', "%7B").replace('}', "%7D"), None)
        .await;
    assert_eq!(waba["owner_business_info"]["id"], universe::PORTFOLIO);
    let (status, answer) = world
        .call(
            "GET",
            &format!("/v26.0/{}?fields=shoe_size", universe::WABA),
            None,
        )
        .await;
    assert_eq!(
        (status.as_u16(), &answer["error"]["code"]),
        (400, &json!(100))
    );
}

#[tokio::test]
async fn the_app_is_subscribed_until_it_leaves() {
    let world = World::new(settings()).await;
    let edge = format!("/v26.0/{}/subscribed_apps", universe::WABA);
    let count = |answer: Value| answer["data"].as_array().unwrap().len();
    assert_eq!(count(world.call("GET", &edge, None).await.1), 1);
    assert_eq!(
        world.call("DELETE", &edge, None).await.1,
        json!({"success": true})
    );
    assert_eq!(count(world.call("GET", &edge, None).await.1), 0);
    assert_eq!(
        world.call("POST", &edge, None).await.1,
        json!({"success": true})
    );
    assert_eq!(count(world.call("GET", &edge, None).await.1), 1);
}
