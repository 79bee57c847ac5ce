use proptest::prelude::*;

use super::*;

fn query(text: &str) -> Query {
    Query::parse("search", text).unwrap()
}

fn finds(asked: &str, text: &str) -> bool {
    query(asked).finds(&Words::of(text))
}

#[test]
fn words_are_found_by_their_beginning_in_any_case_and_accent() {
    let text = "Halo kak, HÁRGANYA berapa untuk 12 botol?";
    for asked in [
        "harga",
        "hárgan",
        "harganya berapa",
        "berapa bot",
        "12 botol",
        "Botol 12",
        "the harga",
    ] {
        assert!(finds(asked, text), "{asked}");
    }
    for asked in ["argan", "harga pasti", "hargas", "1 botol", "kirim"] {
        assert!(!finds(asked, text), "{asked}");
    }
}

#[test]
fn words_in_quotes_are_found_as_they_stand() {
    assert!(finds("\"harga\" bera", "harga berapa"));
    assert!(!finds("\"harga\"", "harganya berapa"));
    assert!(finds("\"harga", "harga"), "a quote that is still open");
}

#[test]
fn words_too_short_or_too_common_do_not_count() {
    for asked in ["", "  ", "ya", "yang", "the", "yang di the", "🙏", "\"\""] {
        let refused = Query::parse("search", asked).unwrap_err();
        assert_eq!(refused.field, "search");
        assert!(refused.message.contains("3 letters"), "{asked}");
    }
    assert!(Query::parse("search", &"a".repeat(201)).is_err());
    assert!(Words::of("Yang itu, the one").beginnings().contains("one"));
    assert!(!Words::of("yang itu").beginnings().contains("yan"));
}

#[test]
fn a_text_is_kept_under_the_beginnings_of_its_words() {
    let words = Words::of("Kirim kiriman ke RT 5, jam 10.30");
    let kept: Vec<_> = words.beginnings().into_iter().collect();
    assert_eq!(kept, ["jam", "kir", "kirim"]);
    assert_eq!(query("kirimannya").beginning(), "kirim");
    assert_eq!(query("jam").beginning(), "jam");
    assert_eq!(query("jamu manis").beginning(), "manis");
    assert_eq!(query("jamu ke").beginning(), "jam");
}

#[test]
fn of_a_long_text_the_beginning_is_searched() {
    let text: String = (0..2_000).map(|n| format!("kata{n} ")).collect();
    let words = Words::of(&text);
    assert!(query("kata12").finds(&words));
    assert!(!query("kata1999").finds(&words));
    // A word that is longer than all that is searched holds up none that follows.
    let text = format!("{} selesai", "x".repeat(4_000));
    assert!(finds("selesai", &text));
}

#[test]
fn an_excerpt_shows_what_was_found() {
    let pieces = |asked: &str, text: &str| -> String {
        let pieces = query(asked).excerpt(text);
        let marked = pieces.iter().map(|piece| match piece.found {
            true => format!("[{}]", piece.text),
            false => piece.text.clone(),
        });
        marked.collect()
    };
    assert_eq!(
        pieces("harga", "Berapa\n HARGÁNYA, kak?"),
        "Berapa [HARGÁNYA], kak?"
    );
    assert_eq!(pieces("harga bera", "harga berapa"), "[harga] [berapa]");
    let long = format!(
        "{}sampai {}",
        "satu dua ".repeat(20),
        "tiga empat ".repeat(20)
    );
    let shown = pieces("sampai", &long);
    assert!(shown.starts_with("…") && shown.ends_with("…"), "{shown}");
    assert!(shown.contains("[sampai] tiga"), "{shown}");
    assert!(shown.chars().count() <= 160 + 4, "{shown}");
    assert_eq!(pieces("harga", ""), "");
}

#[test]
fn stop_words_are_folded_and_each_is_there_once() {
    let mut sorted = STOP_WORDS.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), STOP_WORDS.len());
    for word in STOP_WORDS {
        assert_eq!(fold::words(word), word);
        assert!(
            word.chars().count() >= LETTERS_MIN,
            "{word} does not count anyway"
        );
    }
}

proptest! {
    /// What the index promises: a text that a query finds is kept under what the query looks up.
    #[test]
    fn whatever_is_found_is_kept_where_it_is_looked_up(
        text in "([a-eé]{1,8} ){0,12}",
        asked in "\"?[a-eé]{3,7}\"?( [a-eé]{1,7})?",
    ) {
        let words = Words::of(&text);
        if let Ok(query) = Query::parse("search", &asked) && query.finds(&words) {
            prop_assert!(words.beginnings().contains(query.beginning()));
        }
    }

    #[test]
    fn every_word_of_a_text_finds_it(text in "\\PC{0,80}") {
        let words = Words::of(&text);
        for word in words.iter() {
            if let Ok(query) = Query::parse("search", word) {
                prop_assert!(query.finds(&words));
            }
        }
    }

    #[test]
    fn an_excerpt_is_short_and_panics_nowhere(text in "\\PC{0,600}", asked in "[a-z]{3,5}") {
        if let Ok(query) = Query::parse("search", &asked) {
            let letters: usize = query.excerpt(&text).iter().map(|piece| piece.text.chars().count()).sum();
            prop_assert!(letters <= EXCERPT_MAX_WITH_MARKS);
        }
    }
}

const EXCERPT_MAX_WITH_MARKS: usize = 162;
