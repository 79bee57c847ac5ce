use domain::event::{
    AccountChange, ChannelEvent, DeliveryStatus, EventKind, InboundContent, InboundMessage,
    NumberChange, StatusUpdate, Stopped, TemplateChange,
};
use domain::template::{TemplateCategory, TemplateStatus};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use whatsapp::webhook::{ParseError, parse};

const BATCH: &[u8] = include_bytes!("../fixtures/batch.json");
const ODD: &[u8] = include_bytes!("../fixtures/odd.json");

fn events(raw: &[u8]) -> Vec<ChannelEvent> {
    parse(raw).unwrap()
}

fn statuses(events: &[ChannelEvent]) -> Vec<&StatusUpdate> {
    let status = |event| match event {
        &ChannelEvent {
            kind: EventKind::Status(ref status),
            ..
        } => Some(status),
        _ => None,
    };
    events.iter().filter_map(status).collect()
}

fn messages(events: &[ChannelEvent]) -> Vec<&InboundMessage> {
    let message = |event| match event {
        &ChannelEvent {
            kind: EventKind::Message(ref message),
            ..
        } => Some(message),
        _ => None,
    };
    events.iter().filter_map(message).collect()
}

fn others(events: &[ChannelEvent]) -> Vec<&str> {
    let other = |event| match event {
        &ChannelEvent {
            kind: EventKind::Other { ref field, .. },
            ..
        } => Some(field.as_str()),
        _ => None,
    };
    events.iter().filter_map(other).collect()
}

#[test]
fn nothing_of_a_batch_is_lost_and_broken_parts_cost_only_themselves() {
    let events = events(BATCH);
    assert_eq!(events.len(), 15);
    assert_eq!(messages(&events).len(), 4);
    assert_eq!(statuses(&events).len(), 5);
    assert_eq!(
        others(&events),
        [
            "messages.statuses",
            "messages.statuses",
            "messages.statuses",
            "messages.messages",
            "change",
        ]
    );
}

#[test]
fn every_event_knows_its_account_and_number() {
    let events = events(BATCH);
    let route = |event: &ChannelEvent| (event.waba_id.clone(), event.phone_number_id.clone());
    let first = (
        "300000000000001".to_owned(),
        Some("200000000000001".to_owned()),
    );
    let second = (
        "300000000000002".to_owned(),
        Some("200000000000002".to_owned()),
    );
    assert!(events[..10].iter().all(|event| route(event) == first));
    assert_eq!(
        route(&events[10]),
        (first.0.clone(), None),
        "an account's event has no number"
    );
    assert!(events[12..].iter().all(|event| route(event) == second));
}

#[test]
fn a_text_is_read_with_its_sender_found_among_many() {
    let events = events(BATCH);
    let text = messages(&events)[0];
    assert_eq!(text.wamid, "wamid.IN1");
    assert_eq!(text.from.as_deref(), Some("15550200002"));
    assert_eq!(
        text.from_user_id.as_deref(),
        Some("US.70000000000000000002")
    );
    assert_eq!(text.profile_name.as_deref(), Some("Ada 👍 Example"));
    assert_eq!(text.at.as_second(), 1_795_000_000);
    let body = "Hello ä https://shop.example".to_owned();
    assert_eq!(text.content, InboundContent::Text { body });
}

#[test]
fn a_pressed_button_names_the_message_it_belongs_to() {
    let events = events(BATCH);
    let button = messages(&events)[1];
    assert_eq!(button.context_wamid.as_deref(), Some("wamid.OUT2"));
    let (text, payload) = ("Stop".to_owned(), "STOP:42".to_owned());
    assert_eq!(button.content, InboundContent::Button { text, payload });
}

#[test]
fn other_kinds_keep_the_whole_message() {
    let events = events(BATCH);
    for (index, expected) in [(2, "interactive"), (3, "hologram")] {
        let InboundContent::Other { kind, value } = &messages(&events)[index].content else {
            panic!("{expected} was read as something else");
        };
        assert_eq!(kind, expected);
        assert_eq!(value["type"], expected);
    }
}

#[test]
fn statuses_carry_what_it_takes_to_find_the_message_and_say_why_it_failed() {
    let events = events(BATCH);
    let statuses = statuses(&events);
    let kinds: Vec<_> = statuses.iter().map(|status| status.status).collect();
    use DeliveryStatus::{Delivered, Failed, Played, Read, Sent};
    assert_eq!(kinds, [Sent, Failed, Delivered, Read, Played]);
    assert_eq!(statuses[0].callback_data.as_deref(), Some("r:1"));
    assert_eq!(statuses[0].error, None);
    assert_eq!(
        statuses[2].recipient.as_deref(),
        Some("US.70000000000000000002")
    );
    let error = statuses[1].error.as_ref().unwrap();
    assert_eq!(
        (error.code, error.title.as_str()),
        (131049, "Not delivered (example title)")
    );
    assert_eq!(error.details.as_deref(), Some("Example details"));
}

#[test]
fn odd_but_genuine_bodies_are_read() {
    let events = events(ODD);
    assert_eq!(events.len(), 6);
    let EventKind::NumberErrors(errors) = &events[0].kind else {
        panic!("the number's errors were not read");
    };
    assert_eq!(errors[0].code, 130429);
    assert_eq!(
        others(&events),
        ["messages", "messages.messages", "account_update", "entry"]
    );
    let hidden = messages(&events)[0];
    assert_eq!(hidden.from, None);
    assert_eq!(
        hidden.from_user_id.as_deref(),
        Some("US.70000000000000000002")
    );
    assert_eq!(hidden.profile_name.as_deref(), Some("Ada Example"));
    assert_eq!(
        events[4].waba_id, "300000000000077",
        "a partner event is the customer's"
    );
    assert_eq!(events[5].waba_id, "300000000000003");
}

#[test]
fn half_an_emoji_does_not_cost_the_batch() {
    let cut = String::from_utf8(BATCH.to_vec())
        .unwrap()
        .replace(r"\ud83d\udc4d", r"\ud83d");
    let events = events(cut.as_bytes());
    assert_eq!(events.len(), 15);
    assert_eq!(
        messages(&events)[0].profile_name.as_deref(),
        Some("Ada \u{fffd} Example")
    );
}

#[test]
fn only_what_is_no_webhook_is_an_error() {
    assert!(matches!(parse(b"<html>"), Err(ParseError::NotJson(_))));
    assert!(matches!(parse(&BATCH[..400]), Err(ParseError::NotJson(_))));
    assert_eq!(parse(b"{}"), Err(ParseError::NotAWebhook));
    assert_eq!(parse(b"[]"), Err(ParseError::NotAWebhook));
    assert_eq!(parse(br#"{"object":"page","entry":[]}"#), Ok(Vec::new()));
}

#[test]
fn events_travel_in_queue_messages() {
    for event in events(BATCH).into_iter().chain(events(ODD)) {
        let wire = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<ChannelEvent>(&wire).unwrap(), event);
    }
}

/// The kinds of one change of a field.
fn of(field: &str, value: &Value) -> Vec<EventKind> {
    let body = json!({"entry": [{"id": "3", "time": 1_795_000_000, "changes": [{"field": field, "value": value}]}]});
    let events = events(body.to_string().as_bytes());
    events.into_iter().map(|event| event.kind).collect()
}

fn template(field: &str, mut value: Value) -> TemplateChange {
    value["message_template_id"] = json!(600_000_000_000_001_u64);
    let [EventKind::Template(event)] = &of(field, &value)[..] else {
        panic!("{field} is not about a template");
    };
    assert_eq!(event.id, "600000000000001");
    assert_eq!(event.at.unwrap().as_second(), 1_795_000_000);
    event.change.clone()
}

#[test]
fn a_templates_status_is_told_with_metas_reason_in_words() {
    let field = "message_template_status_update";
    let status = |value: Value| match template(field, value) {
        TemplateChange::Status { status, reason } => (status, reason),
        other => panic!("{other:?} is no status"),
    };
    let rejected = json!({"event": "REJECTED", "reason": "INVALID_FORMAT", "rejection_info": {"reason": "A blank is missing"}});
    assert_eq!(
        status(rejected),
        (
            TemplateStatus::Rejected,
            "WhatsApp has rejected this template. WhatsApp says: A blank is missing".to_owned()
        )
    );
    let (paused, reason) = status(json!({"event": "paused", "reason": "NONE"}));
    assert_eq!(paused, TemplateStatus::Paused);
    assert!(reason.ends_with("low quality."), "{reason}");
    let reinstated = json!({"event": "REINSTATED", "reason": "NONE"});
    assert_eq!(status(reinstated).0, TemplateStatus::Approved);
    let deletion = json!({"event": "PENDING_DELETION", "reason": null});
    assert_eq!(status(deletion).0, TemplateStatus::PendingDeletion);
    // Meta's own sample files the quality here.
    let quality = json!({"previous_quality_score": "GREEN", "new_quality_score": "YELLOW"});
    assert_eq!(
        template(field, quality),
        TemplateChange::Quality("yellow".to_owned())
    );
    let flagged = of(
        field,
        &json!({"event": "FLAGGED", "message_template_id": 6}),
    );
    assert!(matches!(&flagged[..], [EventKind::Other { .. }]));
}

#[test]
fn a_category_moves_when_it_does_and_not_when_it_is_announced() {
    let field = "template_category_update";
    let changed = json!({"previous_category": "UTILITY", "new_category": "MARKETING"});
    assert_eq!(
        template(field, changed),
        TemplateChange::Category(TemplateCategory::Marketing)
    );
    let announced = json!({"message_template_id": 6, "new_category": "UTILITY", "correct_category": "MARKETING"});
    assert!(matches!(
        &of(field, &announced)[..],
        [EventKind::Other { .. }]
    ));
}

#[test]
fn a_limit_is_a_tier_however_meta_writes_it() {
    let limit = |value: Value| match &of(
        "business_capability_update",
        &json!({"max_daily_conversations_per_business": value}),
    )[..]
    {
        [EventKind::Account(event)] => match &event.change {
            AccountChange::MessagingLimit(tier) => Some(tier.clone()),
            _ => None,
        },
        _ => None,
    };
    for (written, tier) in [
        (json!(2000), "TIER_2K"),
        (json!(250), "TIER_250"),
        (json!("100000"), "TIER_100K"),
        (json!("TIER_10K"), "TIER_10K"),
        (json!(-1), "TIER_UNLIMITED"),
    ] {
        assert_eq!(limit(written).as_deref(), Some(tier));
    }
    for odd in [
        json!(0),
        json!("soon"),
        json!("TIER_NOT_SET"),
        json!(null),
        json!([]),
    ] {
        assert_eq!(limit(odd), None);
    }
}

#[test]
fn numbers_are_named_by_their_digits() {
    let value = json!({"display_phone_number": "+1 555-010-0001", "event": "THROUGHPUT_UPGRADE", "current_limit": "TIER_UNLIMITED"});
    let [EventKind::Number(event)] = &of("phone_number_quality_update", &value)[..] else {
        panic!("it is not about a number");
    };
    assert_eq!(event.digits, "15550100001");
    let messaging_limit = Some("TIER_UNLIMITED".to_owned());
    assert_eq!(event.change, NumberChange::Upgraded { messaging_limit });
}

#[test]
fn only_what_keeps_messages_from_being_sent_stops_an_account() {
    let changes = |value: Value| -> Vec<AccountChange> {
        let account = |kind| match kind {
            EventKind::Account(event) => Some(event.change),
            _ => None,
        };
        of("account_update", &value)
            .into_iter()
            .filter_map(account)
            .collect()
    };
    let restricted = json!({"event": "ACCOUNT_RESTRICTION", "restriction_info": [
        {"restriction_type": "RESTRICTED_UTILITY_TEMPLATES", "expiration": 1_795_604_800},
        {"restriction_type": "RESTRICTED_ADD_PHONE_NUMBER_ACTION"}, 7]});
    let restricted = changes(restricted);
    let [
        AccountChange::Stopped { what, until, .. },
        AccountChange::Alert(words),
    ] = &restricted[..]
    else {
        panic!("{restricted:?}");
    };
    assert_eq!(
        (*what, until.unwrap().as_second()),
        (Stopped::Utility, 1_795_604_800)
    );
    assert!(words.contains("add phone number"), "{words}");
    let ban = |state: Value| {
        changes(
            json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": state, "waba_ban_date": "November 30, 2026"}}),
        )
    };
    assert!(matches!(
        &ban(json!(["DISABLE"]))[..],
        [AccountChange::Stopped {
            what: Stopped::Everything,
            ..
        }]
    ));
    assert_eq!(ban(json!("REINSTATE")), [AccountChange::Recovered]);
    let soon = "WhatsApp is going to disable this account on November 30, 2026.";
    assert_eq!(
        ban(json!("SCHEDULE_FOR_DISABLE")),
        [AccountChange::Alert(soon.to_owned())]
    );
    assert_eq!(changes(json!({"event": "VERIFIED_ACCOUNT"})), []);
}

proptest! {
    #[test]
    fn no_bytes_make_the_reading_panic(
        edits in prop::collection::vec((any::<Index>(), any::<u8>()), 0..12),
        cut in prop::option::of(any::<Index>()),
        odd in any::<bool>(),
    ) {
        let mut body = if odd { ODD } else { BATCH }.to_vec();
        for (place, byte) in edits {
            let place = place.index(body.len());
            body[place] = byte;
        }
        if let Some(cut) = cut {
            body.truncate(cut.index(body.len()));
        }
        // Whether it is still a webhook is not the question.
        let _ = parse(&body);
    }
}
