//! Contacts and groups: the example slice.

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::journey::{phone, text};

#[tokio::test]
async fn a_contact_is_created_read_changed_and_deleted() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let group = t.group(&owner, "Customers").await;
    let body = json!({"phone": "0812-3456-7890", "region": "id", "name": " Kusuma ", "email": "k@example.com", "attributes": {"city": "Sorong"}, "groups": [group]});
    let contact = owner.post(&t, "/v1/contacts", body).await.expect(201);
    assert_eq!(contact["phone"], "+6281234567890");
    assert_eq!(contact["name"], "Kusuma");
    let path = format!("/v1/contacts/{}", text(&contact["id"]));
    assert_eq!(owner.get(&t, &path).await.expect(200), contact);
    let change = json!({"name": "", "attributes": {"city": "", "company": "Toko"}, "groups": [], "consent": "opted_out"});
    let changed = owner.patch(&t, &path, change).await.expect(200);
    assert_eq!(changed["name"], Value::Null);
    assert_eq!(changed["attributes"], json!({"company": "Toko"}));
    assert_eq!(changed["consent"], "opted_out");
    assert_eq!(
        owner
            .get(&t, &format!("/v1/groups/{group}"))
            .await
            .expect(200)["members"],
        0
    );
    owner.delete(&t, &path).await.expect(204);
    owner.get(&t, &path).await.expect(404);
    owner.delete(&t, &path).await.expect(404);
    t.finish().await;
}

#[tokio::test]
async fn a_number_belongs_to_one_contact_and_is_free_again_when_it_moves() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let first = t.contact(&owner, 1, &[]).await;
    let again = owner
        .post(&t, "/v1/contacts", json!({"phone": phone(1)}))
        .await
        .expect(409);
    assert_eq!(again["code"], "phone_taken");
    let path = format!("/v1/contacts/{}", text(&first["id"]));
    owner
        .patch(&t, &path, json!({"phone": phone(2)}))
        .await
        .expect(200);
    owner
        .post(&t, "/v1/contacts", json!({"phone": phone(1)}))
        .await
        .expect(201);
    owner
        .patch(&t, &path, json!({"phone": phone(1)}))
        .await
        .expect(409);
    let found = owner
        .get(
            &t,
            &format!("/v1/contacts?phone={}", phone(2).replace('+', "%2B")),
        )
        .await
        .expect(200);
    assert_eq!(found["items"][0]["id"], first["id"]);
    t.finish().await;
}

#[tokio::test]
async fn every_refused_field_is_named_at_once_and_nothing_is_stored() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let missing = domain::id::GroupId::fresh();
    let body = json!({"phone": "12", "email": "nobody", "attributes": {"City": "x"}, "groups": [missing.as_str()]});
    let problem = owner.post(&t, "/v1/contacts", body).await.expect(422);
    let fields: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["field"].as_str().unwrap())
        .collect();
    assert_eq!(fields, ["phone", "email", "attributes.City", "groups.0"]);
    let typo = owner
        .post(&t, "/v1/contacts", json!({"phone": phone(1), "nmae": "x"}))
        .await
        .expect(422);
    assert!(typo["detail"].as_str().unwrap().contains("nmae"));
    assert_eq!(
        owner.get(&t, "/v1/contacts").await.expect(200)["items"],
        json!([])
    );
    t.finish().await;
}

#[tokio::test]
async fn pages_of_a_list_hold_every_contact_once() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let group = t.group(&owner, "Odd").await;
    for n in 0..45 {
        let groups: &[&str] = if n % 2 == 1 { &[&group] } else { &[] };
        t.contact(&owner, n, groups).await;
    }
    for (filter, expected) in [(String::new(), 45), (format!("group={group}&"), 22)] {
        let mut ids = std::collections::BTreeSet::new();
        let mut cursor = String::new();
        loop {
            let page = owner
                .get(&t, &format!("/v1/contacts?{filter}limit=7{cursor}"))
                .await
                .expect(200);
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= 7);
            for item in items {
                assert!(ids.insert(text(&item["id"])), "a contact is listed twice");
            }
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(ids.len(), expected);
    }
    assert_eq!(
        owner
            .get(&t, &format!("/v1/groups/{group}"))
            .await
            .expect(200)["members"],
        22
    );
    owner
        .get(&t, "/v1/contacts?cursor=nonsense")
        .await
        .expect(422);
    owner.get(&t, "/v1/contacts?limit=0").await.expect(422);
    t.finish().await;
}

#[tokio::test]
async fn a_deleted_group_leaves_its_contacts_and_frees_its_name() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let group = t.group(&owner, "Customers").await;
    let contact = t.contact(&owner, 1, &[&group]).await;
    assert_eq!(
        owner
            .post(&t, "/v1/groups", json!({"name": "customers"}))
            .await
            .expect(409)["code"],
        "name_taken"
    );
    owner
        .patch(
            &t,
            &format!("/v1/groups/{group}"),
            json!({"name": "Buyers"}),
        )
        .await
        .expect(200);
    t.group(&owner, "Customers").await;
    owner
        .delete(&t, &format!("/v1/groups/{group}"))
        .await
        .expect(204);
    t.group(&owner, "Buyers").await;
    let path = format!("/v1/contacts/{}", text(&contact["id"]));
    let changed = owner
        .patch(&t, &path, json!({"name": "Still here"}))
        .await
        .expect(200);
    assert_eq!(changed["groups"], json!([]));
    t.finish().await;
}

#[tokio::test]
async fn two_changes_at_once_do_not_overwrite_each_other() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let contact = t.contact(&owner, 1, &[]).await;
    let path = format!("/v1/contacts/{}", text(&contact["id"]));
    let changes =
        (0..6).map(|n| owner.patch(&t, &path, json!({"attributes": {(format!("a{n}")): "x"}})));
    let answers = futures::future::join_all(changes).await;
    let succeeded = answers
        .iter()
        .filter(|answer| answer.status.as_u16() == 200)
        .count();
    assert!(
        answers
            .iter()
            .all(|answer| [200, 409].contains(&answer.status.as_u16()))
    );
    let stored = owner.get(&t, &path).await.expect(200);
    let attributes = stored["attributes"].as_object().unwrap();
    let added = attributes.keys().filter(|key| key.starts_with('a')).count();
    assert_eq!(added, succeeded, "each change that was confirmed is there");
    t.finish().await;
}
