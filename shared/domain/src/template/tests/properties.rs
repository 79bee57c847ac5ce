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

proptest! {
    #[test]
    fn text_without_placeholders_is_untouched(text in near_text()) {
        let template = template(&text);
        prop_assume!(template.slots().is_empty());
        prop_assert_eq!(render(&template, &Values::default()).body, text);
    }

    #[test]
    fn unfilled_text_is_untouched_whatever_it_holds(text in ".*") {
        prop_assert_eq!(render(&template(&text), &Values::default()).body, text);
    }

    #[test]
    fn no_mapped_placeholder_is_left(text in near_text(), value in "[a-z]{1,5}") {
        let template = template(&format!("{text} {{{{1}}}} {text} {{{{name}}}}"));
        let values = Values(template.slots().into_iter().map(|slot| (slot, value.clone())).collect());
        let body = render(&template, &values).body;
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
        let body = render(&template, &Values(map)).body;
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
