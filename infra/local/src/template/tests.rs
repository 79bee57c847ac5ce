use super::*;

/// The values of the template's parameters that have no default.
const SECRETS: [(&str, &str); 5] = [
    ("PublicUrl", "https://blazz.example"),
    ("AppSecrets", "a"),
    ("VerifyToken", "v"),
    ("MasterKey", "m"),
    ("MailFrom", "f"),
];

/// The smallest template that the local process accepts, with room for one more resource.
fn with_resource(resource: &str) -> String {
    format!("Resources:\n{resource}")
}

#[test]
fn the_real_template_can_be_run_here() {
    let stack = Stack::embedded().unwrap();
    let names: Vec<&str> = stack
        .functions
        .iter()
        .map(|function| function.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "api-campaigns",
            "api-chat",
            "api-contacts",
            "api-workspace",
            "broadcast",
            "campaign-dispatch",
            "campaign-export",
            "campaign-plan",
            "campaign-tick",
            "contact-import",
            "media-fetch",
            "message-send",
            "notify",
            "realtime",
            "webhook-ingest",
            "webhook-process",
        ]
    );
    assert_eq!(stack.queues.len(), QueueName::ALL.len());
    assert_eq!(stack.tables.len(), 6);
    assert_eq!(stack.buckets, ["FilesBucket"]);
    let websocket = stack.websocket.as_ref().unwrap();
    assert_eq!(
        (websocket.path.as_str(), websocket.function.as_str()),
        ("/ws", "realtime")
    );
    let url = stack.realtime_url("https://blazz.example");
    assert_eq!(url, "wss://blazz.example/ws");
}

#[test]
fn the_functions_name_the_tables_and_the_queues() {
    let stack = Stack::embedded().unwrap();
    let tables = stack.table_names().unwrap();
    assert_eq!(tables.main, "MainTable");
    assert_eq!(tables.ephemeral, "EphemeralTable");
    assert_eq!(
        stack.queue_names().0[&QueueName::CampaignSend],
        "CampaignSendQueue"
    );
}

#[test]
fn tables_keep_their_indexes_and_their_expiry() {
    let stack = Stack::embedded().unwrap();
    let table = |name: &str| {
        stack
            .tables
            .iter()
            .find(|table| table.name == name)
            .unwrap()
    };
    assert_eq!(
        table("CampaignsTable").indexes.as_ref().unwrap()[0]["IndexName"],
        "outcomes"
    );
    assert_eq!(table("EphemeralTable").ttl.as_deref(), Some("ttl"));
    assert_eq!(table("MainTable").ttl, None);
}

#[test]
fn queues_keep_their_times_and_their_readers() {
    let stack = Stack::embedded().unwrap();
    let queue = stack.queue(QueueName::CampaignSend).unwrap();
    assert_eq!(queue.visibility, Duration::from_secs(720));
    assert_eq!(queue.max_receive, 20);
    assert!(!queue.fifo);
    let function = stack.function("message-send").unwrap();
    assert_eq!(function.timeout, std::time::Duration::from_secs(120));
    let source = function
        .sources
        .iter()
        .find(|source| source.queue == QueueName::CampaignSend);
    let source = source.unwrap();
    assert_eq!(source.batch_size, 1);
    assert!(source.max_concurrency.is_some());
}

#[test]
fn a_function_may_read_from_two_queues_and_one_of_them_in_order() {
    let stack = Stack::embedded().unwrap();
    let queue = stack.queue(QueueName::ChatSend).unwrap();
    assert!(queue.fifo);
    let sources = &stack.function("message-send").unwrap().sources;
    assert_eq!(sources.len(), 2, "{sources:?}");
}

#[test]
fn a_queue_in_order_gives_one_message_at_a_time() {
    // The batch size of the trigger is the number after the queue's name.
    let (before, after) = EMBEDDED
        .split_once("Queue: !GetAtt ChatSendQueue.Arn")
        .unwrap();
    let after = after.replacen("BatchSize: 1", "BatchSize: 2", 1);
    let batched = format!("{before}Queue: !GetAtt ChatSendQueue.Arn{after}");
    let error = Stack::read(&batched, &SECRETS).unwrap_err().to_string();
    assert!(error.contains("one message"), "{error}");
}

#[test]
fn globals_and_own_variables_are_joined() {
    let stack = Stack::read(EMBEDDED, &SECRETS).unwrap();
    let environment = &stack.function("webhook-ingest").unwrap().environment;
    assert_eq!(environment["PUBLIC_URL"], "https://blazz.example");
    assert_eq!(environment["APP_SECRETS"], "a");
    assert!(
        !stack
            .function("message-send")
            .unwrap()
            .environment
            .contains_key("APP_SECRETS")
    );
}

#[test]
fn routes_are_methods_with_whole_paths_or_prefixes() {
    let stack = Stack::embedded().unwrap();
    let routes = &stack.function("webhook-ingest").unwrap().routes;
    assert!(routes.contains(&Route {
        method: Some("POST".into()),
        path: "/webhooks".into(),
        prefix: true
    }));
    let routes = &stack.function("api-workspace").unwrap().routes;
    assert!(routes.contains(&Route {
        method: None,
        path: "/v1/me".into(),
        prefix: false
    }));
}

#[test]
fn an_unknown_resource_type_is_named() {
    let text = with_resource("  Topic: { Type: AWS::Kinesis::Stream }");
    let error = Stack::read(&text, &[]).unwrap_err().to_string();
    assert_eq!(
        error,
        "Topic: resources of type AWS::Kinesis::Stream are not known here"
    );
}

#[test]
fn an_unknown_tag_is_named_even_where_nothing_is_read() {
    let text = with_resource(
        "  Alarm: { Type: AWS::CloudWatch::Alarm, Properties: { AlarmName: !Select [0, [a, b]] } }",
    );
    let error = Stack::read(&text, &[]).unwrap_err();
    assert!(
        matches!(&error, TemplateError::UnknownIntrinsic { name, .. } if name == "!Select"),
        "{error}"
    );
}

#[test]
fn an_unknown_function_in_its_long_form_is_named() {
    let text = with_resource(
        "  T: { Type: AWS::DynamoDB::Table, Properties: { KeySchema: { Fn::Split: [a, b] } } }",
    );
    let error = Stack::read(&text, &[]).unwrap_err();
    assert!(
        matches!(&error, TemplateError::UnknownIntrinsic { name, .. } if name == "Fn::Split"),
        "{error}"
    );
}

#[test]
fn an_unknown_property_is_named() {
    let text = with_resource(
        "  T: { Type: AWS::DynamoDB::Table, Properties: { StreamSpecification: { StreamViewType: NEW_IMAGE } } }",
    );
    let error = Stack::read(&text, &[]).unwrap_err().to_string();
    assert_eq!(
        error,
        "T: the property StreamSpecification is not known here"
    );
}

#[test]
fn a_queue_that_no_function_knows_is_named() {
    let text = with_resource("  Lost: { Type: AWS::SQS::Queue }");
    let error = Stack::read(&text, &[]).unwrap_err().to_string();
    assert!(error.starts_with("Lost: "), "{error}");
}

#[test]
fn a_reference_to_nothing_is_named() {
    let text = with_resource(
        "  T: { Type: AWS::DynamoDB::Table, Properties: { KeySchema: !Ref Gone, AttributeDefinitions: [] } }",
    );
    let error = Stack::read(&text, &[]).unwrap_err().to_string();
    assert_eq!(error, "T.KeySchema: there is no resource or parameter Gone");
}

#[test]
fn a_resource_whose_condition_does_not_hold_is_absent() {
    let text = "
Parameters: { Wanted: { Type: String, Default: no } }
Conditions: { Wanted: !Equals [!Ref Wanted, 'yes'] }
Resources:
  Files: { Type: AWS::S3::Bucket, Condition: Wanted }";
    assert!(Stack::read(text, &[]).unwrap().buckets.is_empty());
    assert_eq!(
        Stack::read(text, &[("Wanted", "yes")]).unwrap().buckets,
        ["Files"]
    );
}

#[test]
fn websockets_need_their_three_routes_a_stage_and_a_way_to_answer() {
    let broken = |from: &str, to: &str| {
        assert!(EMBEDDED.contains(from), "{from} is not in the template");
        let text = EMBEDDED.replacen(from, to, 1);
        Stack::read(&text, &SECRETS).unwrap_err().to_string()
    };
    let error = broken("RouteKey: $disconnect", "RouteKey: $connect");
    assert!(error.starts_with("RealtimeApi: its routes are"), "{error}");
    let error = broken("      RouteResponseSelectionExpression: $default\n", "");
    assert!(error.starts_with("FrameRoute: it answers"), "{error}");
    let error = broken(
        "      ApiId: !Ref RealtimeApi\n      StageName: ws",
        "      ApiId: !Ref HttpApi\n      StageName: ws",
    );
    assert_eq!(error, "RealtimeApi: it has no stage");
}
