//! What a campaign can say: pictures, videos, documents and places at the top, links, codes and
//! answers in the buttons; and what is refused before anything is sent.

use serde_json::{Value, json};

use crate::support::journey::text;
use crate::support::{Caller, TestApp};

const PICTURE: &str = "https://shop.example/menu.jpg";

/// A workspace with a number and a group of two people.
async fn shop(t: &TestApp) -> (Caller, String, String) {
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    let group = t.group(&owner, "Customers").await;
    for n in 1..=2 {
        t.contact(&owner, n, &[&group]).await;
    }
    (owner, channel, group)
}

/// The same words for a place in everybody's message.
fn words(value: &str) -> Value {
    json!({"from": "text", "value": value})
}

/// The body that makes a campaign of this template; `content` are its variables and header.
async fn campaign(
    t: &TestApp,
    shop: &(Caller, String, String),
    name: &str,
    content: Value,
) -> Value {
    let (owner, channel, group) = shop;
    let template = t.template(owner, name).await;
    let mut body = json!({"name": name, "channel": channel, "template": template, "audience": {"groups": [group]}});
    body.as_object_mut()
        .unwrap()
        .extend(content.as_object().unwrap().clone());
    body
}

/// Sends it to the end and returns its recipients.
async fn sent(
    t: &TestApp,
    shop: &(Caller, String, String),
    name: &str,
    content: Value,
) -> Vec<Value> {
    let owner = &shop.0;
    let body = campaign(t, shop, name, content).await;
    let draft = owner.post(t, "/v1/campaigns", body).await.expect(201);
    let id = text(&draft["id"]);
    t.start(owner, &id).await;
    t.drain().await;
    assert_eq!(t.campaign(owner, &id).await["state"], "completed", "{name}");
    let path = format!("/v1/campaigns/{id}/recipients");
    let recipients = owner.get(t, &path).await.expect(200);
    recipients["items"].as_array().unwrap().clone()
}

/// The fields that are refused.
async fn refused(
    t: &TestApp,
    shop: &(Caller, String, String),
    name: &str,
    content: Value,
) -> Vec<String> {
    let body = campaign(t, shop, name, content).await;
    let problem = shop.0.post(t, "/v1/campaigns", body).await.expect(422);
    let errors = problem["errors"].as_array().unwrap().iter();
    let mut fields: Vec<_> = errors.map(|error| text(&error["field"])).collect();
    fields.sort_unstable();
    fields
}

#[tokio::test]
async fn every_kind_of_template_is_taken_by_whatsapp_as_it_is_filled() {
    let t = TestApp::new().await;
    let shop = shop(&t).await;
    let place =
        json!({"latitude": -6.2, "longitude": 106.8, "name": "Toko", "address": "Jl. Melati 1"});
    let contents = [
        (
            "spring_sale",
            json!({"header": {"link": PICTURE},
            "variables": {"body.1": words("Ada"), "body.2": words("20%"), "button.0": words("s?c=1")}}),
        ),
        (
            "product_video",
            json!({"header": {"link": "https://shop.example/made.mp4"},
            "variables": {"body.1": words("Ada"), "button.0": words("x1")}}),
        ),
        (
            "invoice_ready",
            json!({"header": {"link": "https://shop.example/42.pdf", "file_name": "invoice 42.pdf"},
            "variables": {"body.1": words("Ada"), "body.2": words("INV-42")}}),
        ),
        (
            "pickup_point",
            json!({"header": place, "variables": {"body.1": words("Ada")}}),
        ),
        (
            "coupon",
            json!({"variables": {"body.1": words("Ada"), "button.0": words("SAVE25"), "button.1": words("x1")}}),
        ),
        (
            "new_menu",
            json!({"variables": {"button.1": words("later")}}),
        ),
        (
            "login_code",
            json!({"variables": {"body.1": words("482913")}}),
        ),
        (
            "appointment",
            json!({"variables": {"body.name": words("Ada"), "body.day": words("Monday"), "body.hour": words("10")}}),
        ),
    ];
    let kinds = contents.len();
    for (name, content) in contents {
        let recipients = sent(&t, &shop, name, content).await;
        assert_eq!(recipients.len(), 2, "{name}");
    }
    let ledger = t.ledger().await;
    assert_eq!(ledger["refused"], json!({}));
    assert_eq!(ledger["accepted"], 2 * kinds);
    t.finish().await;
}

#[tokio::test]
async fn a_message_is_shown_with_its_top_and_its_buttons_as_the_person_sees_it() {
    let t = TestApp::new().await;
    let shop = shop(&t).await;
    let content = json!({"header": {"link": PICTURE}, "variables": {
        "body.1": {"from": "field", "field": "first_name"}, "body.2": words("20%"),
        "button.0": {"from": "attribute", "key": "city"}}});
    let recipients = sent(&t, &shop, "spring_sale", content).await;
    let message = &recipients[0]["message"];
    assert_eq!(message["header"], json!({"type": "image", "link": PICTURE}));
    assert_eq!(
        message["buttons"],
        json!([{"kind": "url", "text": "Shop now", "value": "https://shop.example/s/Bandung"}])
    );
    let content = json!({"variables": {"button.1": words("later")}});
    let recipients = sent(&t, &shop, "new_menu", content).await;
    assert_eq!(
        recipients[0]["message"]["buttons"],
        json!([{"kind": "quick_reply", "text": "Show me", "value": null},
               {"kind": "quick_reply", "text": "Not now", "value": "later"}])
    );
    t.finish().await;
}

#[tokio::test]
async fn what_whatsapp_would_refuse_is_refused_by_the_name_of_its_field() {
    let t = TestApp::new().await;
    let shop = shop(&t).await;
    let variables = json!({"body.1": words("Ada"), "body.2": words("20%"), "button.0": words("x")});
    let with = |header: Value| json!({"variables": variables, "header": header});
    let refused = async |name: &str, content: Value| refused(&t, &shop, name, content).await;
    assert_eq!(
        refused(
            "spring_sale",
            json!({"variables": {"button.0": words("two words")}})
        )
        .await,
        [
            "header",
            "variables.body.1",
            "variables.body.2",
            "variables.button.0"
        ]
    );
    assert_eq!(refused("spring_sale", with(json!({}))).await, ["header"]);
    for link in [
        "http://shop.example/a.jpg",
        "https://10.0.0.1/a.jpg",
        "https://u:p@shop.example/a.jpg",
    ] {
        assert_eq!(
            refused("spring_sale", with(json!({"link": link}))).await,
            ["header.link"],
            "{link}"
        );
    }
    let named = json!({"link": PICTURE, "file_name": "menu.jpg"});
    assert_eq!(
        refused("spring_sale", with(named)).await,
        ["header.file_name"]
    );
    assert_eq!(
        refused("invoice_ready", json!({"header": {"link": PICTURE}, "variables": {"body.1": words("Ada"), "body.2": words("x")}})).await,
        ["header.file_name"]
    );
    assert_eq!(
        refused("coupon", json!({"variables": {"body.1": words("Ada"), "button.0": words("SAVE-25"), "button.1": words("x")}})).await,
        ["variables.button.0"]
    );
    let unknown = json!({"header": {"link": PICTURE}, "variables": {"body.1": words("Ada"), "button.0": words("A1"), "button.1": words("x")}});
    assert_eq!(refused("coupon", unknown).await, ["header"]);
    assert_eq!(
        refused(
            "login_code",
            json!({"variables": {"body.1": words("a code that is too long")}})
        )
        .await,
        ["variables.body.1"]
    );
    let misspelt = json!({"variables": variables, "header": {"lnk": PICTURE}});
    assert_eq!(refused("spring_sale", misspelt).await, ["header.lnk"]);
    t.finish().await;
}

#[tokio::test]
async fn who_has_no_value_that_a_button_takes_is_left_out_with_the_reason() {
    let t = TestApp::new().await;
    let shop = shop(&t).await;
    let body = json!({"phone": "+6281233334444", "name": "Budi", "attributes": {"city": "Kota Baru"}, "groups": [shop.2]});
    shop.0.post(&t, "/v1/contacts", body).await.expect(201);
    let content = json!({"header": {"link": PICTURE}, "variables": {
        "body.1": words("Ada"), "body.2": words("20%"), "button.0": {"from": "attribute", "key": "city"}}});
    let recipients = sent(&t, &shop, "spring_sale", content).await;
    let excluded: Vec<_> = recipients
        .iter()
        .filter(|recipient| recipient["status"] == "excluded")
        .collect();
    assert_eq!(excluded.len(), 1, "a link takes no space");
    let reason = text(&excluded[0]["reason"]);
    assert!(reason.contains("link or code"), "{reason}");
    assert_eq!(t.ledger().await["accepted"], 2);
    t.finish().await;
}

#[tokio::test]
async fn a_template_lists_what_it_asks_for_what_it_may_be_given_and_its_examples() {
    let t = TestApp::new().await;
    let shop = shop(&t).await;
    let of = async |name: &str| {
        let id = t.template(&shop.0, name).await;
        let template = shop
            .0
            .get(&t, &format!("/v1/templates/{id}"))
            .await
            .expect(200);
        (
            template["variables"].clone(),
            template["optional_variables"].clone(),
            template["examples"].clone(),
        )
    };
    assert_eq!(
        of("order_shipped").await,
        (
            json!(["header.1", "body.1", "body.2", "button.0"]),
            json!(["button.1"]),
            json!({"header.1": "42", "body.1": "Ada", "body.2": "Friday", "button.0": "a1b2"})
        )
    );
    assert_eq!(of("login_code").await.0, json!(["body.1"]));
    t.finish().await;
}

#[tokio::test]
async fn a_header_is_kept_by_an_edit_and_goes_with_its_template() {
    let t = TestApp::new().await;
    let shop = shop(&t).await;
    let content = json!({"header": {"link": PICTURE}, "variables": {
        "body.1": words("Ada"), "body.2": words("20%"), "button.0": words("x")}});
    let body = campaign(&t, &shop, "spring_sale", content).await;
    let draft = shop.0.post(&t, "/v1/campaigns", body).await.expect(201);
    let path = format!("/v1/campaigns/{}", text(&draft["id"]));
    let edit = async |body: Value| shop.0.patch(&t, &path, body).await;
    let renamed = edit(json!({"name": "Spring"})).await.expect(200);
    assert_eq!(renamed["header"], json!({"type": "image", "link": PICTURE}));
    // What is shown may be given back as it is.
    let same = json!({"header": renamed["header"]});
    assert_eq!(edit(same).await.expect(200)["header"], renamed["header"]);
    let other = json!({"header": {"link": "https://shop.example/b.png"}});
    assert_eq!(
        edit(other).await.expect(200)["header"]["link"],
        "https://shop.example/b.png"
    );
    let wrong = json!({"header": {"link": "ftp://shop.example/b.png"}});
    assert_eq!(
        edit(wrong).await.expect(422)["errors"][0]["field"],
        "header.link"
    );
    let template = t.template(&shop.0, "hello_world").await;
    let plain = edit(json!({"template": template, "variables": {}}))
        .await
        .expect(200);
    assert_eq!(plain["header"], Value::Null);
    t.finish().await;
}
