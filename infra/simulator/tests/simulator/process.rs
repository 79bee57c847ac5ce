//! The simulator as a process of its own: configured by its environment, and killed.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use simulator::universe;

use crate::world::{World, hello, settings};

struct Process {
    child: Child,
    url: String,
    client: reqwest::Client,
}

impl Process {
    async fn start(port: u16, data: &Path, variables: &[(&str, &str)]) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_whatsapp-simulator"))
            .env("PORT", port.to_string())
            .env("SIM_DATA", data)
            .env("SIM_ANSWER_LATENCY_MS", "300")
            .envs(variables.iter().copied())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let process = Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
        };
        let health = format!("{}/healthz", process.url);
        while process.client.get(&health).send().await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        process
    }

    async fn send(&self, message: &Value) -> u16 {
        let path = format!("{}/v26.0/{}/messages", self.url, universe::NUMBER);
        let request = self.client.post(path).bearer_auth("simulated-token");
        let answer = request.json(message).send().await.unwrap();
        answer.status().as_u16()
    }

    async fn report(&self) -> Value {
        let path = format!("{}/_control/report", self.url);
        let answer = self.client.get(path).send().await.unwrap();
        answer.json().await.unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_killed_process_has_forgotten_nothing_it_answered() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("simulator.db");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);

    let settings_json =
        r#"{"fail_share": 0, "sent_ms": [0, 0], "delivered_ms": [100, 100], "read_share": 0}"#;
    let rules = r#"[{"match": {"recipient_suffix": "9"}, "effect": {"error": {"code": 131000}}}]"#;
    let switches = r#"{"templates": {"order_update": "PAUSED"}}"#;
    let first = Process::start(
        port,
        &data,
        &[
            ("SIM_SETTINGS", settings_json),
            ("SIM_RULES", rules),
            ("SIM_SWITCHES", switches),
        ],
    )
    .await;
    let (a, b, c) = (
        hello("6281200000001"),
        hello("6281200000002"),
        hello("6281200000009"),
    );
    let answers = tokio::join!(first.send(&a), first.send(&b), first.send(&c));
    assert_eq!(answers, (200, 200, 500));
    let before = first.report().await;
    assert_eq!(before["accepted"], 2);
    // Without a signal it could hear.
    drop(first);

    // The callback of a world that is used for nothing else.
    let ear = World::new(settings()).await;
    let second = Process::start(port, &data, &[("SIM_WEBHOOK_URL", &ear.url)]).await;
    assert_eq!(second.report().await["accepted"], 2);
    while second.report().await["webhooks"]["undelivered"] != json!(0) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let after = second.report().await;
    assert_eq!(after["refused"], json!({"131000": 1}));
    assert_eq!(after["latest"], json!({"delivered": 2}));
    assert_eq!(ear.statuses().len(), 4);
}
