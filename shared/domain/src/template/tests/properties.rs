//! What must hold for every text and every value.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// Text that is likely to come near a placeholder without being one.
fn near_text() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![
            Just("{"),
            Just("}"),
            Just("1"),
            Just("a"),
            Just("é"),
            Just(" "),
            Just("-")
        ],
        0..24,
    )
    .prop_map(|parts| parts.concat())
}

/// A person whose every attribute is this text.
struct Everything(String);

impl Person for Everything {
    fn field(&self, _: ContactField) -> Option<&str> {
        Some(&self.0)
    }

    fn attribute(&self, _: &str) -> Option<&str> {
        Some(&self.0)
    }
}

/// Texts as imports bring them: words, codes, links, and the odd line break.
fn imported() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9]{0,30}",
        "[a-z0-9/?=&%._ -]{0,40}",
        "[ \t\n\u{a0}a-zé%\"]{0,80}",
        "[a-z]{1900,2100}",
        ".*",
    ]
}

proptest! {
    /// What Meta says of parameters (Meta: template messages), word for word.
    #[test]
    fn whatever_is_filled_is_what_meta_takes(text in imported(), authentication: bool) {
        let mut template = template("Dear {{1}}.");
        template.components.header = Some(Header::Text { text: "For {{1}}".to_owned() });
        template.components.buttons = vec![
            Button::Url { text: "Go".to_owned(), url: "https://shop.example/{{1}}".to_owned() },
            Button::CopyCode { text: None },
            Button::QuickReply { text: "Yes".to_owned() },
        ];
        if authentication {
            template.category = TemplateCategory::Authentication;
            template.components.buttons.truncate(1);
        }
        let mut mapping = Mapping::default();
        for slot in template.slots().into_iter().chain(template.optional_slots()) {
            let key = "any".to_owned();
            mapping.0.insert(slot, Source::Attribute { key, fallback: None });
        }
        prop_assert_eq!(mapping.check(&template), Ok(()));
        let Ok(values) = mapping.fill(&template, &Everything(text)) else {
            return Ok(());
        };
        for value in values.0.values() {
            prop_assert!(!value.is_empty());
            prop_assert!(!value.contains(['\n', '\r', '\t']) && !value.contains("     "));
        }
        let filled = render(&template, None, &values);
        prop_assert!(filled.body.chars().count() <= 1024);
        let Some(RenderedHeader::Text { text: header }) = filled.header else {
            panic!("the header is a text");
        };
        prop_assert!(header.chars().count() <= 60);
        let link = filled.buttons[0].value.clone().unwrap_or_default();
        if authentication {
            prop_assert!(values.get(&slot("body.1")).unwrap().chars().count() <= 15);
        } else {
            prop_assert!(link.chars().count() <= 2000);
            let url = url::Url::parse(&link).unwrap();
            prop_assert_eq!(url.host_str(), Some("shop.example"));
            prop_assert!(!link.contains(char::is_whitespace) && link.is_ascii());
            let code = values.get(&slot("button.1")).unwrap();
            prop_assert!((1..=20).contains(&code.len()));
            prop_assert!(code.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            prop_assert!(values.get(&slot("button.2")).unwrap().chars().count() <= 256);
        }
    }

    #[test]
    fn text_without_placeholders_is_untouched(text in near_text()) {
        let template = template(&text);
        prop_assume!(template.slots().is_empty());
        prop_assert_eq!(render(&template, None, &Values::default()).body, text);
    }

    #[test]
    fn unfilled_text_is_untouched_whatever_it_holds(text in ".*") {
        prop_assert_eq!(render(&template(&text), None, &Values::default()).body, text);
    }

    #[test]
    fn no_mapped_placeholder_is_left(text in near_text(), value in "[a-z]{1,5}") {
        let template = template(&format!("{text} {{{{1}}}} {text} {{{{name}}}}"));
        let values = Values(template.slots().into_iter().map(|slot| (slot, value.clone())).collect());
        let body = render(&template, None, &values).body;
        // Braces of the text may touch the placeholder, never those of a mapped one remain.
        let left = body.contains("{{name}}");
        prop_assert!(!left);
        if !text.contains(['{', '}']) {
            prop_assert_eq!(body, format!("{text} {value} {text} {value}"));
        }
    }

    #[test]
    fn values_are_never_expanded_again(value in near_text(), other in near_text()) {
        let template = template("<{{1}}|{{2}}>");
        let mut map = BTreeMap::new();
        map.insert(slot("body.1"), format!("{value}{{{{2}}}}"));
        map.insert(slot("body.2"), other.clone());
        let body = render(&template, None, &Values(map)).body;
        prop_assert_eq!(body, format!("<{value}{{{{2}}}}|{other}>"));
    }

    #[test]
    fn cleaning_twice_is_cleaning_once(text in "[ a-z\n\t\r\u{a0}é]*") {
        let once = fill::clean(&text);
        prop_assert_eq!(once.as_deref().and_then(fill::clean), once.clone());
        if let Some(once) = once {
            prop_assert!(!once.contains("  ") && !once.contains(['\n', '\t', '\r']));
            prop_assert_eq!(once.trim(), once.as_str());
        }
    }

    #[test]
    fn every_slot_reads_back_as_it_is_written(number in 1u32.., name in "[a-z_][a-z0-9_]{0,8}", index in 0usize..10) {
        for slot in [Slot::Header(Key::Position(number)), Slot::Body(Key::Name(name)), Slot::Button(index)] {
            prop_assert_eq!(slot.to_string().parse::<Slot>(), Ok(slot));
        }
    }
}
