use serde_json::{Value, json};
use whatsapp::ApiError;

use crate::server::{Reply, Server, token};

const WABA: &str = "300000000000001";

fn page(names: &[&str], after: &str, more: bool) -> Reply {
    let template = |name: &&str| {
        json!({"id": "6", "name": name, "language": "en_US", "status": "APPROVED",
               "category": "UTILITY", "components": [{"type": "BODY", "text": "Hello."}]})
    };
    let data: Vec<Value> = names.iter().map(template).collect();
    let mut page = json!({"data": data, "paging": {"cursors": {"before": "b", "after": after}}});
    if more {
        page["paging"]["next"] = json!("https://graph.facebook.com/next");
    }
    Reply::Answer(200, page.to_string())
}

fn answer(body: &Value) -> Reply {
    Reply::Answer(200, body.to_string())
}

#[tokio::test]
async fn every_page_of_templates_is_walked_and_the_last_cursor_is_not() {
    let pages = [
        page(&["a", "b"], "c1", true),
        page(&["c"], "c2", true),
        page(&["d"], "c3", false),
    ];
    let server = Server::start(pages).await;
    let templates = server.client.all_templates(&token(), WABA).await.unwrap();
    let names: Vec<_> = templates
        .iter()
        .map(|template| template.name.as_str())
        .collect();
    assert_eq!(names, ["a", "b", "c", "d"]);
    let seen = server.seen();
    assert_eq!(seen.len(), 3);
    assert!(seen[0].starts_with("GET /v26.0/300000000000001/message_templates?fields="));
    assert!(!seen[0].contains("after="));
    assert!(seen[1].lines().next().unwrap().contains("&after=c1 "));
    assert!(seen[2].lines().next().unwrap().contains("&after=c2 "));
}

#[tokio::test]
async fn one_unreadable_template_does_not_hide_the_others() {
    let body = json!({"data": [{"id": "1"}, {"id": "2", "name": "b", "language": "en"}, 7]});
    let server = Server::start([answer(&body)]).await;
    let page = server.client.templates(&token(), WABA, None).await.unwrap();
    assert_eq!(page.items.len(), 1);
    assert_eq!(page.next, None);
}

#[tokio::test]
async fn a_list_that_never_ends_is_given_up() {
    let server = Server::start([page(&["a"], "same", true)]).await;
    let result = server.client.all_templates(&token(), WABA).await;
    assert!(matches!(result, Err(ApiError::Unreadable(_))), "{result:?}");
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_number_is_read_with_its_limits() {
    let body = json!({
        "id": "200000000000001", "display_phone_number": "+1 555-010-0001",
        "verified_name": "Example Shop", "quality_rating": "GREEN", "status": "CONNECTED",
        "throughput": {"level": "HIGH"}, "account_mode": "LIVE", "is_on_biz_app": false,
        "whatsapp_business_manager_messaging_limit": "TIER_2K",
    });
    let server = Server::start([answer(&body)]).await;
    let number = server
        .client
        .phone_number(&token(), "200000000000001")
        .await
        .unwrap();
    assert_eq!(number.messages_per_second(), 1_000);
    assert_eq!(number.messaging_limit.as_deref(), Some("TIER_2K"));
    assert_eq!(
        number.display_phone_number.as_deref(),
        Some("+1 555-010-0001")
    );
    assert!(server.seen()[0].starts_with("GET /v26.0/200000000000001?fields=id%2Cdisplay"));
}

#[tokio::test]
async fn a_number_shared_with_the_app_is_slow_and_an_unknown_one_careful() {
    let shared = json!({"id": 2, "throughput": {"level": "HIGH"}, "is_on_biz_app": true});
    let server = Server::start([answer(&shared), answer(&json!({"id": "3"}))]).await;
    let shared = server.client.phone_number(&token(), "2").await.unwrap();
    assert_eq!(shared.messages_per_second(), 20);
    let bare = server.client.phone_number(&token(), "3").await.unwrap();
    assert_eq!(bare.messages_per_second(), 80);
}

#[tokio::test]
async fn subscribing_needs_meta_s_confirmation() {
    let replies = [
        answer(&json!({"success": true})),
        answer(&json!({"success": false})),
    ];
    let server = Server::start(replies).await;
    assert_eq!(server.client.subscribe(&token(), WABA, None).await, Ok(()));
    assert!(server.client.subscribe(&token(), WABA, None).await.is_err());
    assert!(server.seen()[0].starts_with("POST /v26.0/300000000000001/subscribed_apps "));
}

#[tokio::test]
async fn a_call_that_reaches_nobody_fails_in_plain_ways() {
    let refused = r#"{"error":{"message":"(#190) Expired","code":190}}"#.to_owned();
    let replies = [
        Reply::Answer(401, refused),
        Reply::Answer(502, "<html>".to_owned()),
        Reply::Answer(404, "<html>".to_owned()),
        Reply::Answer(200, "<html>".to_owned()),
        Reply::Close,
    ];
    let server = Server::start(replies).await;
    let read = || async { server.client.phone_number(&token(), "2").await.unwrap_err() };
    assert!(matches!(read().await, ApiError::Refused(error) if error.code == 190));
    assert!(matches!(read().await, ApiError::Unreachable(_)));
    assert!(matches!(read().await, ApiError::Unreadable(_)));
    assert!(matches!(read().await, ApiError::Unreadable(_)));
    assert!(matches!(read().await, ApiError::Unreachable(_)));
}
