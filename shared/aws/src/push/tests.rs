use app::ports::{Push, Pushed};
use bytes::Bytes;

use super::GatewayPush;
use crate::testing::{Recorder, access};

fn port(recorder: &Recorder) -> GatewayPush {
    let config = access()
        .push("https://abc123.execute-api.eu-central-1.amazonaws.com/ws")
        .http_client(recorder.client());
    GatewayPush::new(Some(aws_sdk_apigatewaymanagement::Client::from_conf(
        config.build(),
    )))
}

#[tokio::test]
async fn a_frame_is_posted_to_its_connection_below_the_stage() {
    let recorder = Recorder::default();
    let pushed = port(&recorder)
        .push(
            "JKd1ePLKoAMCJsg=",
            Bytes::from_static(b"{\"type\":\"pong\"}"),
        )
        .await;
    assert_eq!(pushed, Pushed::Sent);
    let [call] = recorder.requests().try_into().unwrap();
    assert_eq!(
        call.uri,
        "https://abc123.execute-api.eu-central-1.amazonaws.com/ws/@connections/JKd1ePLKoAMCJsg%3D"
    );
    assert_eq!(call.body, "{\"type\":\"pong\"}");
}

#[tokio::test]
async fn a_connection_that_is_closed_is_gone() {
    let recorder = Recorder::answering(&[(410, "")]);
    let pushed = port(&recorder).push("a", Bytes::from_static(b"{}")).await;
    assert_eq!(pushed, Pushed::Gone);
}

#[tokio::test]
async fn any_other_failure_may_pass() {
    let recorder = Recorder::answering(&[(403, "{\"message\": \"Forbidden\"}")]);
    let pushed = port(&recorder).push("a", Bytes::from_static(b"{}")).await;
    assert_eq!(pushed, Pushed::Retry);
    let nowhere = GatewayPush::new(None);
    assert_eq!(
        nowhere.push("a", Bytes::from_static(b"{}")).await,
        Pushed::Retry
    );
}
