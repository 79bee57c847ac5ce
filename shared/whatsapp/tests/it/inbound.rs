use domain::event::{EventKind, InboundContent, InboundMessage, OrderItem};
use domain::media::MediaKind;
use serde_json::{Value, json};
use whatsapp::webhook::parse;

/// What one change of the field `messages` holds.
fn events(value: &Value) -> Vec<EventKind> {
    let body = json!({"entry": [{"id": "3", "changes": [{"field": "messages", "value": value}]}]});
    let events = parse(body.to_string().as_bytes()).unwrap();
    events.into_iter().map(|event| event.kind).collect()
}

/// One message of Ada's, with the parts that make it what it is.
fn message(parts: Value) -> InboundMessage {
    let mut element = json!({"from": "15550200002", "id": "wamid.IN1", "timestamp": "1795000000"});
    let Value::Object(parts) = parts else {
        panic!("{parts} has no parts");
    };
    element.as_object_mut().unwrap().extend(parts);
    let contacts = json!([{"profile": {"name": "Ada"}, "wa_id": "15550200002"}]);
    match &events(&json!({"contacts": contacts, "messages": [element]}))[..] {
        [EventKind::Message(message)] => message.clone(),
        other => panic!("{other:?} is no message"),
    }
}

fn content(parts: Value) -> InboundContent {
    message(parts).content
}

#[test]
fn files_of_every_kind_are_read_also_one_that_meta_lost() {
    let file = |kind: &str, inside: Value| match content(json!({"type": kind, kind: inside})) {
        InboundContent::Media(media) => media,
        other => panic!("{other:?} is no file"),
    };
    let image = json!({"id": "91", "mime_type": "image/jpeg", "sha256": "c2hh", "caption": "Look",
        "url": "https://lookaside.fbsbx.com/x"});
    let image = file("image", image);
    assert_eq!(
        (image.kind, image.id.as_deref()),
        (MediaKind::Image, Some("91"))
    );
    assert_eq!(image.caption.as_deref(), Some("Look"));
    assert_eq!(file("video", json!({"id": "92"})).kind, MediaKind::Video);
    let voice = file(
        "audio",
        json!({"id": "93", "mime_type": "audio/ogg; codecs=opus", "voice": true}),
    );
    assert!(voice.voice && voice.kind == MediaKind::Audio);
    assert!(!file("audio", json!({"id": "93"})).voice);
    let document = file("document", json!({"id": "94", "filename": "cv.pdf"}));
    assert_eq!(document.file_name.as_deref(), Some("cv.pdf"));
    assert!(file("sticker", json!({"id": "95", "animated": true})).animated);

    let errors = json!([{"code": 131_052, "title": "Media download error"}]);
    let lost = content(json!({"type": "video", "video": {}, "errors": errors}));
    let InboundContent::Media(lost) = lost else {
        panic!("{lost:?} is no file")
    };
    assert_eq!((lost.id, lost.errors[0].code), (None, 131_052));
}

#[test]
fn places_cards_and_orders_are_read() {
    let place = json!({"latitude": "-6.2", "longitude": 106.8, "name": "Depot"});
    match content(json!({"type": "location", "location": place})) {
        InboundContent::Location(place) => {
            assert_eq!((place.latitude, place.longitude), (-6.2, 106.8));
            assert_eq!(place.name.as_deref(), Some("Depot"));
        }
        other => panic!("{other:?} is no place"),
    }
    let card = json!({"name": {"formatted_name": "Bob Example"}, "vcard": "BEGIN:VCARD",
        "phones": [{"phone": "+1 555-030-0003", "wa_id": "15550300003"}, {"wa_id": "15550300004"}]});
    match content(json!({"type": "contacts", "contacts": [card]})) {
        InboundContent::Contacts(cards) => {
            assert_eq!(cards[0].name.as_deref(), Some("Bob Example"));
            assert_eq!(cards[0].phones, ["+1 555-030-0003", "15550300004"]);
            assert_eq!(cards[0].card["vcard"], "BEGIN:VCARD");
        }
        other => panic!("{other:?} are no cards"),
    }
    let item = json!({"product_retailer_id": "sku-1", "quantity": 2, "item_price": "7.99", "currency": "USD"});
    let order = json!({"catalog_id": "8", "text": "Gift-wrap it", "product_items": [item]});
    let expected = InboundContent::Order {
        catalog_id: Some("8".to_owned()),
        text: Some("Gift-wrap it".to_owned()),
        items: vec![OrderItem {
            product: "sku-1".to_owned(),
            quantity: 2.0,
            price: 7.99,
            currency: "USD".to_owned(),
        }],
    };
    assert_eq!(content(json!({"type": "order", "order": order})), expected);
}

#[test]
fn answers_to_what_was_offered_are_read() {
    let chosen = |kind: &str, reply: Value| {
        content(json!({"type": "interactive", "interactive": {"type": kind, kind: reply}}))
    };
    let choice = |id: &str, title: &str, description: Option<&str>| InboundContent::Choice {
        id: id.to_owned(),
        title: title.to_owned(),
        description: description.map(str::to_owned),
    };
    assert_eq!(
        chosen("button_reply", json!({"id": "keep", "title": "Keep"})),
        choice("keep", "Keep", None)
    );
    let row = json!({"id": "am", "title": "Morning", "description": "8 to 12"});
    assert_eq!(
        chosen("list_reply", row),
        choice("am", "Morning", Some("8 to 12"))
    );
    let form =
        json!({"name": "flow", "body": "Sent", "response_json": "{\"date\":\"2026-12-01\"}"});
    match chosen("nfm_reply", form) {
        InboundContent::Form { response, .. } => assert_eq!(response["date"], "2026-12-01"),
        other => panic!("{other:?} is no form"),
    }
    for odd in [
        json!({"type": "interactive"}),
        json!({"type": "interactive", "interactive": {"type": "call_permission_reply"}}),
        json!({"type": "video_call"}),
    ] {
        let InboundContent::Other { value, .. } = content(odd.clone()) else {
            panic!("{odd} was read as something else");
        };
        assert_eq!(value["type"], odd["type"], "what is unknown is kept whole");
    }
}

#[test]
fn reactions_edits_and_removals_name_the_message_they_are_about() {
    let reaction = |emoji: Value| {
        content(json!({"type": "reaction", "reaction": {"message_id": "wamid.O1", "emoji": emoji}}))
    };
    let expected = |emoji: Option<&str>| InboundContent::Reaction {
        to_wamid: "wamid.O1".to_owned(),
        emoji: emoji.map(str::to_owned),
    };
    assert_eq!(reaction(json!("👍")), expected(Some("👍")));
    assert_eq!(reaction(json!("")), expected(None), "it was taken back");
    assert_eq!(reaction(Value::Null), expected(None));
    let edit = json!({"original_message_id": "wamid.IN0",
        "message": {"type": "text", "text": {"body": "Hello!"}}});
    let edited = InboundContent::Edit {
        of_wamid: "wamid.IN0".to_owned(),
        content: Box::new(InboundContent::Text {
            body: "Hello!".to_owned(),
        }),
    };
    assert_eq!(content(json!({"type": "edit", "edit": edit})), edited);
    let revoke = json!({"type": "revoke", "revoke": {"original_message_id": "wamid.IN0"}});
    let of_wamid = "wamid.IN0".to_owned();
    assert_eq!(content(revoke), InboundContent::Revoke { of_wamid });
}

#[test]
fn what_whatsapp_does_not_pass_on_says_what_it_was() {
    let errors = json!([{"code": 131_051, "title": "Message type unknown"}]);
    let poll =
        content(json!({"type": "unsupported", "unsupported": {"type": "poll"}, "errors": errors}));
    let InboundContent::Unsupported { kind, errors } = poll else {
        panic!("{poll:?} was read as something else");
    };
    assert_eq!((kind.as_deref(), errors[0].code), (Some("poll"), 131_051));
}

#[test]
fn messages_know_what_they_answer_and_where_the_person_came_from() {
    let words = json!({"type": "text", "text": {"body": "Yes"}});
    let with = |key: &str, value: Value| {
        let mut parts = words.clone();
        parts[key] = value;
        message(parts)
    };
    let quoting = with("context", json!({"from": "15550100001", "id": "wamid.O1"}));
    assert_eq!(quoting.context_wamid.as_deref(), Some("wamid.O1"));
    assert!(with("context", json!({"forwarded": true})).forwarded);
    assert!(with("context", json!({"frequently_forwarded": true})).forwarded);
    let advertised = with("referral", json!({"source_type": "ad", "headline": "Sale"}));
    assert_eq!(advertised.referral.unwrap()["headline"], "Sale");
}

/// A change of who somebody is, alone in its webhook: such a notice lists no contacts.
fn notice(element: Value) -> InboundMessage {
    let mut element = element;
    element["id"] = json!("wamid.IN1");
    element["timestamp"] = json!("1795000000");
    element["type"] = json!("system");
    match &events(&json!({"messages": [element]}))[..] {
        [EventKind::Message(message)] => message.clone(),
        other => panic!("{other:?} is no notice"),
    }
}

#[test]
fn a_new_number_and_a_new_user_id_are_told_with_the_old_ones() {
    let moved = notice(json!({"from": "15550200002",
        "system": {"body": "Ada changed", "type": "user_changed_number", "wa_id": "15550200009"}}));
    assert_eq!(moved.from.as_deref(), Some("15550200002"));
    let InboundContent::System { kind, wa_id, .. } = moved.content else {
        panic!("a notice was read as something else");
    };
    assert_eq!(
        (kind.as_str(), wa_id.as_deref()),
        ("user_changed_number", Some("15550200009"))
    );

    let renamed =
        json!({"type": "user_changed_user_id", "user_id": "US.77", "previous_user_id": "US.2"});
    for element in [
        json!({"from_user_id": "US.77", "system": renamed}),
        json!({"system": renamed}),
        json!({"user_id": "US.77", "previous_user_id": "US.2", "system": {"type": "user_changed_user_id"}}),
    ] {
        let renamed = notice(element);
        assert_eq!(
            (renamed.from, renamed.from_user_id.as_deref()),
            (None, Some("US.77"))
        );
        let InboundContent::System {
            user_id,
            previous_user_id,
            ..
        } = renamed.content
        else {
            panic!("a notice was read as something else");
        };
        assert_eq!(user_id.as_deref(), Some("US.77"));
        assert_eq!(previous_user_id.as_deref(), Some("US.2"));
    }
}

#[test]
fn somebody_whose_number_is_hidden_is_known_by_their_user_id() {
    let profile = json!({"name": "Ada", "username": "ada.example"});
    let contact = json!({"profile": profile, "user_id": "US.7"});
    let words = json!({"id": "wamid.IN1", "timestamp": "1795000000", "type": "text", "text": {"body": "Hi"}});
    let mut named = words.clone();
    named["from_user_id"] = json!("US.7");
    for element in [named, words.clone()] {
        let [EventKind::Message(message)] =
            &events(&json!({"contacts": [contact], "messages": [element]}))[..]
        else {
            panic!("nobody wrote it");
        };
        assert_eq!(
            (message.from.as_ref(), message.from_user_id.as_deref()),
            (None, Some("US.7"))
        );
        assert_eq!(message.profile_name.as_deref(), Some("Ada"));
    }
    let several = json!({"contacts": [contact, {"user_id": "US.8"}], "messages": [words]});
    assert!(
        matches!(&events(&several)[..], [EventKind::Other { .. }]),
        "whoever it was is not guessed"
    );
}
