//! The import of contact files.

use std::collections::BTreeSet;

use app::task::QueueName;
use axum::http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::journey::{phone, text};
use crate::support::{Caller, TestApp};

async fn failed_rows(t: &TestApp, caller: &Caller, import: &Value) -> String {
    let path = format!("/v1/imports/{}/failed-rows", import["id"].as_str().unwrap());
    let answer = caller.get(t, &path).await;
    assert_eq!(answer.headers["content-type"], "text/csv; charset=utf-8");
    answer.text
}

fn counts(import: &Value) -> [u64; 4] {
    ["accepted", "updated", "duplicates", "invalid"].map(|name| import[name].as_u64().unwrap())
}

#[tokio::test]
async fn ten_thousand_messy_rows_are_judged_row_for_row() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let file = include_bytes!("../data/contacts-10k.csv");
    let expected: Value =
        serde_json::from_str(include_str!("../data/contacts-10k.expected.json")).unwrap();
    let import = t
        .import(
            &owner,
            file,
            json!({"default_region": expected["default_region"]}),
        )
        .await;
    assert_eq!(import["state"], "completed", "{import}");
    assert_eq!(import["rows_done"], expected["rows"]);
    for name in ["accepted", "duplicates", "invalid"] {
        assert_eq!(import[name], expected[name], "{name}");
    }
    let failed = failed_rows(&t, &owner, &import).await;
    let rows = |problem: &str| -> BTreeSet<u64> {
        let lines = failed
            .lines()
            .skip(1)
            .map(|line| line.split(',').collect::<Vec<_>>());
        lines
            .filter(|line| line[1] == problem)
            .map(|line| line[0].parse().unwrap())
            .collect()
    };
    let named = |name: &str| -> BTreeSet<u64> {
        expected[name]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row.as_u64().unwrap())
            .collect()
    };
    assert_eq!(rows("duplicate"), named("duplicate_rows"));
    assert_eq!(rows("invalid"), named("invalid_rows"));
    let groups = owner.get(&t, "/v1/groups?limit=100").await.expect(200);
    for group in groups["items"].as_array().unwrap() {
        assert_eq!(
            group["members"],
            expected["groups"][group["name"].as_str().unwrap()],
            "{group}"
        );
    }
    t.finish().await;
}

#[tokio::test]
async fn the_same_file_again_adds_nobody() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let file = "name,phone\nAda,+6281234567890\nBudi,+6281234567891\n";
    assert_eq!(
        counts(&t.import(&owner, file.as_bytes(), json!({})).await),
        [2, 0, 0, 0]
    );
    assert_eq!(
        counts(&t.import(&owner, file.as_bytes(), json!({})).await),
        [0, 0, 2, 0]
    );
    t.finish().await;
}

#[tokio::test]
async fn existing_contacts_are_updated_on_request_and_the_first_row_of_a_number_wins() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let first = "name,phone,city\nAda,+6281234567890,Bandung\n";
    t.import(&owner, first.as_bytes(), json!({})).await;
    let second = "name,phone,city,groups\nAda Lovelace,+6281234567890,,VIP\nSomeone,+6281234567890,Jakarta,\nNew,+6281234567891,,VIP\n";
    let import = t
        .import(&owner, second.as_bytes(), json!({"update_existing": true}))
        .await;
    assert_eq!(counts(&import), [1, 1, 1, 0]);
    let found = owner
        .get(&t, "/v1/contacts?phone=%2B6281234567890")
        .await
        .expect(200);
    assert_eq!(found["items"][0]["name"], "Ada Lovelace");
    assert_eq!(found["items"][0]["attributes"]["city"], "Bandung");
    assert_eq!(
        owner.get(&t, "/v1/groups").await.expect(200)["items"][0]["members"],
        2
    );
    t.finish().await;
}

#[tokio::test]
async fn semicolons_quotes_and_utf_16_are_read() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let text = "Nama;WhatsApp;Kota\r\n\"Zoë; \"\"Z\"\"\";+6281234567890;\"Kota\nBaru\"\r\n山田 🎉;+6281234567891;\r\n";
    let mut wide = vec![0xFF, 0xFE];
    wide.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    let import = t.import(&owner, &wide, json!({})).await;
    assert_eq!(counts(&import), [2, 0, 0, 0], "{import}");
    let found = owner
        .get(&t, "/v1/contacts?phone=%2B6281234567890")
        .await
        .expect(200);
    assert_eq!(found["items"][0]["name"], "Zoë; \"Z\"");
    assert_eq!(
        found["items"][0]["attributes"],
        json!({"kota": "Kota\nBaru"})
    );
    t.finish().await;
}

#[tokio::test]
async fn a_mapping_groups_and_broken_rows_are_respected() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let group = t.group(&owner, "Fair 2026").await;
    let mut file = b"who\tnumber\tnote\nAda\t+6281234567890\t=1+1\nBroken\t+62812345\xFF\tx\nExtra\t+6281234567892\tx\ty\nShort\n".to_vec();
    file.extend_from_slice("Budi\t+6281234567893\tok".as_bytes());
    let options =
        json!({"mapping": {"who": "name", "Number": "phone", "note": "ignore"}, "groups": [group]});
    let import = t.import(&owner, &file, options).await;
    assert_eq!(counts(&import), [2, 0, 0, 3], "{import}");
    assert_eq!(
        owner
            .get(&t, &format!("/v1/groups/{group}"))
            .await
            .expect(200)["members"],
        2
    );
    let failed = failed_rows(&t, &owner, &import).await;
    let lines: Vec<_> = failed.lines().collect();
    assert!(
        lines[1].starts_with("3,invalid,phone,the text is not UTF-8"),
        "{failed}"
    );
    assert!(lines[2].starts_with("4,invalid,row,"), "{failed}");
    assert!(
        lines[3].starts_with("5,invalid,phone,a phone number is required"),
        "{failed}"
    );
    t.finish().await;
}

#[tokio::test]
async fn a_file_that_cannot_be_read_fails_with_the_reason_and_imports_nobody() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let import = t
        .import(&owner, b"name,city\nAda,Bandung\n", json!({}))
        .await;
    assert_eq!(import["state"], "failed");
    assert!(
        import["reason"]
            .as_str()
            .unwrap()
            .contains("no column holds the phone number"),
        "{import}"
    );
    let unclosed = format!("phone\n\"{}", "x\n".repeat(1 << 20));
    let import = t.import(&owner, unclosed.as_bytes(), json!({})).await;
    assert_eq!(import["state"], "failed");
    assert!(
        import["reason"]
            .as_str()
            .unwrap()
            .contains("quotation mark"),
        "{import}"
    );
    assert_eq!(
        owner.get(&t, "/v1/contacts").await.expect(200)["items"],
        json!([])
    );
    t.finish().await;
}

#[tokio::test]
async fn an_import_starts_only_with_its_whole_file_and_only_once() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let body = json!({"file_name": "a.csv", "size": 10});
    let import = owner.post(&t, "/v1/imports", body).await.expect(201);
    let start = format!("/v1/imports/{}/start", import["id"].as_str().unwrap());
    assert_eq!(
        owner.post(&t, &start, Value::Null).await.expect(409)["code"],
        "not_uploaded"
    );
    let too_large = json!({"file_name": "a.csv", "size": 101 * 1024 * 1024});
    assert_eq!(
        owner.post(&t, "/v1/imports", too_large).await.expect(422)["errors"][0]["field"],
        "size"
    );
    let id = t
        .upload(&owner, b"phone\n+6281234567890\n", json!({}))
        .await;
    let start = format!("/v1/imports/{id}/start");
    owner.post(&t, &start, Value::Null).await.expect(202);
    owner.post(&t, &start, Value::Null).await.expect(202);
    t.drain().await;
    owner.post(&t, &start, Value::Null).await.expect(202);
    t.drain().await;
    let import = owner
        .get(&t, &format!("/v1/imports/{id}"))
        .await
        .expect(200);
    assert_eq!(counts(&import), [1, 0, 0, 0]);
    t.finish().await;
}

#[tokio::test]
async fn a_file_without_people_is_refused_or_imports_nobody() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let empty = json!({"file_name": "empty.csv", "size": 0});
    let refused = owner.post(&t, "/v1/imports", empty).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "size");
    assert_eq!(refused["errors"][0]["message"], "the file is empty");
    for (file, reason) in [
        ("\n\n\n", "the file is empty"),
        ("\u{feff}", "the file is empty"),
        ("name,city\n", "no column holds the phone number"),
        (
            "name,phone,Phone\nAda,1,2\n",
            "two columns go to the same place",
        ),
    ] {
        let import = t.import(&owner, file.as_bytes(), json!({})).await;
        assert_eq!(import["state"], "failed", "{file:?}: {import}");
        let told = import["reason"].as_str().unwrap();
        assert!(told.contains(reason), "{file:?}: {told}");
    }
    for header in ["phone\n", "phone", "name;phone\r\n"] {
        let import = t.import(&owner, header.as_bytes(), json!({})).await;
        assert_eq!(import["state"], "completed", "{header:?}: {import}");
        assert_eq!(counts(&import), [0, 0, 0, 0], "{header:?}");
    }
    let contacts = owner.get(&t, "/v1/contacts").await.expect(200);
    assert_eq!(contacts["items"], json!([]));
    t.finish().await;
}

#[tokio::test]
async fn every_way_to_save_a_table_reads_the_same() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let table = |d: &str| {
        format!(
            "name{d}phone{d}note\r\n\"Zoë, \"\"Z\"\"\"{d}+6281234567890{d}\"two\r\nlines\"\r\n山田{d}+6281234567891{d}\r\n"
        )
    };
    let marked = |text: &str| format!("\u{feff}{text}");
    let wide = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        marked(&table("\t"))
            .encode_utf16()
            .flat_map(bytes)
            .collect()
    };
    let files = [
        table(",").into_bytes(),
        table(",").replace("\r\n", "\n").into_bytes(),
        table(";").into_bytes(),
        table("\t").into_bytes(),
        marked(&table(",")).into_bytes(),
        marked(&table(";")).into_bytes(),
        wide(u16::to_le_bytes),
        wide(u16::to_be_bytes),
    ];
    let mut seen = Vec::new();
    for (place, file) in files.iter().enumerate() {
        let import = t
            .import(&owner, file, json!({"update_existing": true}))
            .await;
        assert_eq!(import["state"], "completed", "file {place}: {import}");
        let people = import["accepted"].as_u64().unwrap()
            + import["updated"].as_u64().unwrap()
            + import["duplicates"].as_u64().unwrap();
        assert_eq!(
            (people, &import["invalid"]),
            (2, &json!(0)),
            "file {place}: {import}"
        );
        let found = owner
            .get(&t, "/v1/contacts?phone=%2B6281234567890")
            .await
            .expect(200);
        let person = &found["items"][0];
        let note = person["attributes"]["note"]
            .as_str()
            .unwrap()
            .replace("\r\n", "\n");
        seen.push((person["name"].clone(), note));
    }
    let expected = (json!("Zoë, \"Z\""), "two\nlines".to_owned());
    assert!(seen.iter().all(|person| *person == expected), "{seen:?}");
    t.finish().await;
}

#[tokio::test]
async fn a_row_of_broken_bytes_costs_nobody_else_their_place() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let mut file = b"phone,name\n".to_vec();
    for n in 0..500 {
        file.extend_from_slice(phone(n).as_bytes());
        file.extend_from_slice(if n % 100 == 7 {
            b",\xC3\x28\xFF\n"
        } else {
            b",Ada\n"
        });
    }
    let import = t.import(&owner, &file, json!({})).await;
    assert_eq!(import["state"], "completed", "{import}");
    assert_eq!(counts(&import), [495, 0, 0, 5]);
    let failed = failed_rows(&t, &owner, &import).await;
    assert_eq!(failed.lines().count(), 6, "{failed}");
    for line in failed.lines().skip(1) {
        assert!(line.contains(",name,the text is not UTF-8"), "{line}");
    }
    t.finish().await;
}

#[tokio::test]
async fn a_file_of_another_size_than_announced_is_not_taken() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let most = 100 * 1024 * 1024;
    let one_more = json!({"file_name": "large.csv", "size": most + 1});
    let refused = owner.post(&t, "/v1/imports", one_more).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "size");
    let told = refused["errors"][0]["message"].as_str().unwrap();
    assert!(told.contains("at most 100 MB; split it"), "{told}");
    // Announced as small, sent as large: the link takes what was announced and no more.
    let new = json!({"file_name": "small.csv", "size": 20});
    let import = owner.post(&t, "/v1/imports", new).await.expect(201);
    let url = text(&import["upload"]["url"]);
    let link = url.strip_prefix(&t.app.config.public_url).unwrap();
    let large = vec![b'1'; 21];
    let sent = Caller::anonymous()
        .raw(&t, Method::PUT, link, None, large)
        .await;
    let refused = sent.expect(413);
    assert_eq!(refused["code"], "too_large");
    let start = format!("/v1/imports/{}/start", text(&import["id"]));
    let refused = owner.post(&t, &start, Value::Null).await.expect(409);
    assert_eq!(refused["code"], "not_uploaded");
    // A file that got larger all the same, past the link, is not read.
    let (file, bytes) = (
        format!("imports/{}/{}.csv", owner.workspace, text(&import["id"])),
        vec![b'1'; 21],
    );
    t.app.files.put(&file, bytes.into()).await.unwrap();
    let refused = owner.post(&t, &start, Value::Null).await.expect(409);
    assert_eq!(refused["code"], "upload_incomplete");
    t.finish().await;
}

#[tokio::test]
async fn an_import_that_is_killed_again_and_again_loses_nobody_and_counts_everyone_once() {
    let mut t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let group = t.group(&owner, "Fair").await;
    let mut file = "phone,name\n".to_owned();
    for n in 0..3_000 {
        file.push_str(&format!("{},\"Person\n{n}\"\n", phone(n)));
    }
    file.push_str("none,Nobody\n");
    let id = t
        .upload(&owner, file.as_bytes(), json!({"groups": [group]}))
        .await;
    let path = format!("/v1/imports/{id}");
    owner
        .post(&t, &format!("{path}/start"), Value::Null)
        .await
        .expect(202);
    let rows = async || {
        let import = owner.get(&t, &path).await.expect(200);
        import["rows_done"].as_u64().unwrap()
    };
    for _ in 0..4 {
        let before = rows().await;
        let killed = t.begin_one(QueueName::ContactImport).await;
        t.go_on_until(async || rows().await > before || killed.is_finished())
            .await;
        killed.abort();
        // What it asked of the database is done when the next question is answered: a write of a dead
        // process never comes twelve minutes late.
        rows().await;
        // What it held comes back when its time is over.
        t.advance(SignedDuration::from_secs(720));
    }
    t.drain().await;
    let import = owner.get(&t, &path).await.expect(200);
    assert_eq!(import["state"], "completed", "{import}");
    assert_eq!(counts(&import), [3_000, 0, 0, 1]);
    let path = format!("/v1/groups/{group}");
    assert_eq!(owner.get(&t, &path).await.expect(200)["members"], 3_000);
    t.allow_leftovers();
}
