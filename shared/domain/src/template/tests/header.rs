//! What may be given for the top of a message, and how a refusal names the field.

use super::*;
use crate::id::MediaId;
use crate::media::MediaKind;

fn with(header: Header) -> Template {
    let mut template = template("Hi");
    template.components.header = Some(header);
    template
}

fn input(value: serde_json::Value) -> HeaderInput {
    serde_json::from_value(value).unwrap()
}

fn file(kind: MediaKind) -> HeaderFile {
    HeaderFile {
        kind,
        file_name: "menu.pdf".to_owned(),
    }
}

/// The fields that are refused.
fn faults(header: Header, given: serde_json::Value, file: Option<&HeaderFile>) -> Vec<String> {
    let refused = input(given).check(&with(header), file);
    let faults = refused.err().unwrap_or_default();
    faults.into_iter().map(|fault| fault.field).collect()
}

#[test]
fn a_header_is_stored_and_shown_as_plain_json_and_reads_back() {
    let media = MediaId::fresh();
    let image = input(json!({"link": "https://cdn.example/h.jpg"}));
    let document = input(json!({"media": media}));
    let place = input(
        json!({"latitude": 40, "longitude": -3.7, "name": " Depot ", "address": "1 Example St"}),
    );
    for (header, given, stored) in [
        (
            Header::Image,
            &image,
            json!({"type": "image", "link": "https://cdn.example/h.jpg"}),
        ),
        (
            Header::Document,
            &document,
            json!({"type": "document", "media": media, "file_name": "menu.pdf"}),
        ),
        (
            Header::Location,
            &place,
            json!({"type": "location", "latitude": 40.0, "longitude": -3.7, "name": "Depot", "address": "1 Example St"}),
        ),
    ] {
        let template = with(header);
        let file = file(MediaKind::Document);
        let content = given.check(&template, Some(&file)).unwrap();
        assert_eq!(serde_json::to_value(&content).unwrap(), stored);
        assert_eq!(
            serde_json::from_value::<HeaderContent>(stored.clone()).unwrap(),
            content
        );
        // What is shown may be given back as it is, and what is stored may be checked again.
        assert_eq!(
            input(stored).check(&template, Some(&file)).unwrap(),
            content
        );
        assert_eq!(
            HeaderInput::from(&content)
                .check(&template, Some(&file))
                .unwrap(),
            content
        );
        let rendered = render(&template, Some(&content), &Values::default());
        assert_eq!(rendered.header, Some(RenderedHeader::Content(content)));
    }
}

#[test]
fn a_file_is_given_by_link_or_by_upload_and_never_by_both() {
    let media = MediaId::fresh();
    let link = "https://cdn.example/h.jpg";
    assert_eq!(faults(Header::Image, json!({}), None), ["header"]);
    assert_eq!(
        faults(Header::Video, json!({"link": link, "media": media}), None),
        ["header"]
    );
    assert_eq!(
        faults(
            Header::Image,
            json!({"link": "http://cdn.example/h.jpg"}),
            None
        ),
        ["header.link"]
    );
    let document = file(MediaKind::Document);
    assert_eq!(
        faults(Header::Image, json!({"media": media}), Some(&document)),
        ["header.media"]
    );
}

#[test]
fn a_document_has_a_name_and_nothing_else_has_one() {
    let link = "https://cdn.example/h.pdf";
    assert_eq!(
        faults(Header::Document, json!({"link": link}), None),
        ["header.file_name"]
    );
    assert_eq!(
        faults(
            Header::Document,
            json!({"link": link, "file_name": "a/b"}),
            None
        ),
        ["header.file_name"]
    );
    assert_eq!(
        faults(
            Header::Image,
            json!({"link": link, "file_name": "a.jpg"}),
            None
        ),
        ["header.file_name"]
    );
    assert!(
        faults(
            Header::Document,
            json!({"link": link, "file_name": "bill.pdf"}),
            None
        )
        .is_empty()
    );
}

#[test]
fn a_place_is_on_the_globe_and_has_a_name_and_an_address() {
    assert_eq!(
        faults(
            Header::Location,
            json!({"latitude": 91, "longitude": -181, "name": " "}),
            None
        ),
        [
            "header.latitude",
            "header.longitude",
            "header.name",
            "header.address"
        ]
    );
    assert_eq!(
        faults(
            Header::Location,
            json!({"link": "https://cdn.example/h.jpg"}),
            None
        )
        .first()
        .unwrap(),
        "header.link"
    );
}

#[test]
fn a_header_that_the_template_does_not_have_is_refused_and_one_it_has_is_asked_for() {
    let text = Header::Text {
        text: "Order".to_owned(),
    };
    let link = json!({"link": "https://cdn.example/h.jpg"});
    assert_eq!(faults(text.clone(), link.clone(), None), ["header"]);
    assert_eq!(
        input(link.clone())
            .check(&template("Hi"), None)
            .unwrap_err()[0]
            .field,
        "header"
    );
    assert_eq!(with(text).needs_no_header(), Ok(()));
    assert_eq!(template("Hi").needs_no_header(), Ok(()));
    let words = with(Header::Image).needs_no_header().unwrap_err();
    assert!(words.message.contains("a picture"), "{}", words.message);
    assert!(with(Header::Location).needs_no_header().is_err());
    let mut other = link;
    other["type"] = json!("video");
    assert_eq!(faults(Header::Image, other, None), ["header.type"]);
}

#[test]
fn an_uploaded_file_takes_the_name_it_has_at_the_sending_number() {
    let media = input(json!({"media": MediaId::fresh()}));
    let content = media.check(&with(Header::Image), None).unwrap();
    assert!(content.media().is_some());
    assert_eq!(
        content.clone().with_media(None::<u8>),
        None,
        "there is no sending without a name"
    );
    let named = content.with_media(Some(7)).unwrap();
    assert_eq!(named.media(), Some(&7));
    let link = input(json!({"link": "https://cdn.example/h.jpg"}));
    let content = link.check(&with(Header::Video), None).unwrap();
    assert_eq!(content.media(), None);
    assert!(content.with_media(None::<u8>).is_some());
}
