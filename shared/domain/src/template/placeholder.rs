//! Finding `{{…}}` in a template's text. One scanner serves both "which variables are there" and
//! "put the values in", so the two can never disagree.

use super::slot::Key;

/// A piece of a template's text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Segment<'a> {
    Text(&'a str),
    /// `source` is the placeholder as written, braces included.
    Placeholder {
        key: Key,
        source: &'a str,
    },
}

/// Cuts a text at its placeholders. Braces that hold no valid key are ordinary text.
pub(super) fn segments(text: &str) -> Vec<Segment<'_>> {
    let mut segments = Vec::new();
    let mut start = 0;
    let mut search = 0;
    while let Some(open) = text[search..].find("{{").map(|at| search + at) {
        let Some((key, end)) = placeholder_at(text, open) else {
            // One brace further on, so that `{{{1}}}` is a placeholder inside braces.
            search = open + 1;
            continue;
        };
        if start < open {
            segments.push(Segment::Text(&text[start..open]));
        }
        let source = &text[open..end];
        segments.push(Segment::Placeholder { key, source });
        start = end;
        search = end;
    }
    if start < text.len() {
        segments.push(Segment::Text(&text[start..]));
    }
    segments
}

/// The keys in a text, each once: numbers in their order, then names as they first appear.
pub(super) fn keys(text: &str) -> Vec<Key> {
    let mut numbers = Vec::new();
    let mut names = Vec::new();
    for segment in segments(text) {
        let Segment::Placeholder { key, .. } = segment else {
            continue;
        };
        let list = match key {
            Key::Position(_) => &mut numbers,
            Key::Name(_) => &mut names,
        };
        if !list.contains(&key) {
            list.push(key);
        }
    }
    numbers.sort();
    numbers.append(&mut names);
    numbers
}

fn placeholder_at(text: &str, open: usize) -> Option<(Key, usize)> {
    let inner = open + 2;
    let close = inner + text[inner..].find("}}")?;
    let key = Key::parse(text[inner..close].trim())?;
    Some((key, close + 2))
}
