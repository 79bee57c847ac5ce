//! What became of a message after it was said: reactions, other words in its place, its withdrawal.
//!
//! Meta tells of each at least once and in no order, also before it tells of the message itself. So an
//! amendment stands by itself, under Meta's id of the message, and takes in whatever is newer than what it
//! holds: however often and in whatever order, the newest stays.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::InboundContent;
use crate::id::MessageId;

/// Everything that became of one message.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Amendment {
    /// The person's reaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reaction: Option<Reaction<Told>>,
    /// The workspace's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    own_reaction: Option<Reaction<MessageId>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    edit: Option<Edit>,
    /// When the person took it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revoked: Option<Told>,
}

/// A reaction, and the message that told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Reaction<By> {
    /// `None`: it was taken back.
    emoji: Option<String>,
    by: By,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Edit {
    content: InboundContent,
    by: Told,
}

/// When Meta says it was, and by which message. Meta tells whole seconds; the id decides among what was told
/// of one second, so that it is the same in whatever order they come.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Told {
    at: Timestamp,
    wamid: String,
}

/// Meta's id of the message that a person's message is about, when it amends one.
#[must_use]
pub fn amended(content: &InboundContent) -> Option<&str> {
    match content {
        InboundContent::Reaction { to_wamid, .. } => Some(to_wamid),
        InboundContent::Edit { of_wamid, .. } | InboundContent::Revoke { of_wamid } => {
            Some(of_wamid)
        }
        _ => None,
    }
}

impl Amendment {
    /// Takes in what the person did, and says whether it changed anything.
    pub fn hear(&mut self, content: &InboundContent, at: Timestamp, wamid: &str) -> bool {
        let by = Told {
            at,
            wamid: wamid.to_owned(),
        };
        match content {
            InboundContent::Reaction { emoji, .. } => {
                let newer = self.reaction.as_ref().is_none_or(|old| old.by < by);
                if newer {
                    let emoji = emoji.clone().filter(|emoji| !emoji.is_empty());
                    self.reaction = Some(Reaction { emoji, by });
                }
                newer
            }
            InboundContent::Edit { content, .. } => {
                let newer = self.edit.as_ref().is_none_or(|old| old.by < by);
                if newer {
                    let content = InboundContent::clone(content);
                    self.edit = Some(Edit { content, by });
                }
                newer
            }
            // What was taken back stays so.
            InboundContent::Revoke { .. } => {
                let first = self.revoked.is_none();
                self.revoked.get_or_insert(by);
                first
            }
            _ => false,
        }
    }

    /// Takes in what the workspace reacted with, once WhatsApp sent it, and says whether it changed anything. Ids of messages sort
    /// by time.
    pub fn react(&mut self, emoji: Option<&str>, by: &MessageId) -> bool {
        let newer = self.own_reaction.as_ref().is_none_or(|old| old.by < *by);
        if newer {
            self.own_reaction = Some(Reaction {
                emoji: emoji.map(str::to_owned),
                by: by.clone(),
            });
        }
        newer
    }

    #[must_use]
    pub fn reaction(&self) -> Option<&str> {
        self.reaction.as_ref()?.emoji.as_deref()
    }

    #[must_use]
    pub fn own_reaction(&self) -> Option<&str> {
        self.own_reaction.as_ref()?.emoji.as_deref()
    }

    #[must_use]
    pub fn edited_at(&self) -> Option<Timestamp> {
        Some(self.edit.as_ref()?.by.at)
    }

    #[must_use]
    pub fn revoked_at(&self) -> Option<Timestamp> {
        Some(self.revoked.as_ref()?.at)
    }

    /// What a person's message says now. Of a file only the words below it can be changed.
    #[must_use]
    pub fn content(&self, original: &InboundContent) -> InboundContent {
        let Some(edit) = &self.edit else {
            return original.clone();
        };
        match (original, &edit.content) {
            (InboundContent::Media(file), edited) => {
                let mut file = file.clone();
                let words = edited.words();
                file.caption = (!words.is_empty()).then(|| words.to_owned());
                InboundContent::Media(file)
            }
            (_, edited) => edited.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::InboundMedia;
    use crate::media::MediaKind;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).unwrap()
    }

    fn text(body: &str) -> InboundContent {
        let body = body.to_owned();
        InboundContent::Text { body }
    }

    fn reaction(emoji: Option<&str>) -> InboundContent {
        InboundContent::Reaction {
            to_wamid: "wamid.x".to_owned(),
            emoji: emoji.map(str::to_owned),
        }
    }

    fn edit(body: &str) -> InboundContent {
        InboundContent::Edit {
            of_wamid: "wamid.x".to_owned(),
            content: Box::new(text(body)),
        }
    }

    fn revoke() -> InboundContent {
        let of_wamid = "wamid.x".to_owned();
        InboundContent::Revoke { of_wamid }
    }

    proptest! {
        #[test]
        fn the_newest_stays_in_whatever_order_and_however_often(
            order in Just((0..7).chain(0..7).collect::<Vec<usize>>()).prop_shuffle()
        ) {
            let told = [
                (reaction(Some("👍")), 1, "a"), (reaction(Some("🎉")), 5, "b"), (reaction(None), 5, "c"),
                (edit("one"), 2, "d"), (edit("two"), 3, "e"), (edit("three"), 3, "f"), (revoke(), 9, "g"),
            ];
            let mut amendment = Amendment::default();
            for place in order {
                let (content, second, wamid) = &told[place];
                amendment.hear(content, at(*second), wamid);
            }
            prop_assert_eq!(amendment.reaction(), None);
            prop_assert_eq!(amendment.content(&text("zero")), text("three"));
            prop_assert_eq!((amendment.edited_at(), amendment.revoked_at()), (Some(at(3)), Some(at(9))));
        }
    }

    #[test]
    fn what_is_told_again_changes_nothing() {
        let mut amendment = Amendment::default();
        for content in [reaction(Some("👍")), edit("one"), revoke()] {
            assert!(amendment.hear(&content, at(1), "a"));
            assert!(!amendment.hear(&content, at(1), "a"));
        }
        assert!(!amendment.hear(&text("no amendment"), at(2), "b"));
        assert_eq!(amended(&edit("one")), Some("wamid.x"));
        assert_eq!(amended(&text("one")), None);
    }

    #[test]
    fn an_empty_emoji_takes_a_reaction_back() {
        let mut amendment = Amendment::default();
        amendment.hear(&reaction(Some("👍")), at(1), "a");
        assert_eq!(amendment.reaction(), Some("👍"));
        amendment.hear(&reaction(Some("")), at(2), "b");
        assert_eq!(amendment.reaction(), None);
    }

    #[test]
    fn the_workspaces_newest_reaction_counts() {
        let (first, second) = (MessageId::at(at(1), &["a"]), MessageId::at(at(2), &["b"]));
        let mut amendment = Amendment::default();
        assert!(amendment.react(Some("👍"), &second));
        assert!(!amendment.react(Some("🎉"), &first));
        assert!(!amendment.react(Some("👍"), &second));
        assert_eq!(amendment.own_reaction(), Some("👍"));
    }

    #[test]
    fn of_a_file_only_the_words_change() {
        let file = InboundMedia {
            kind: MediaKind::Image,
            id: Some("1".to_owned()),
            mime_type: None,
            sha256: None,
            caption: Some("Befroe".to_owned()),
            file_name: None,
            voice: false,
            animated: false,
            errors: Vec::new(),
        };
        let mut amendment = Amendment::default();
        amendment.hear(&edit("Before"), at(1), "a");
        let InboundContent::Media(now) = amendment.content(&InboundContent::Media(file.clone()))
        else {
            panic!("it is still a file");
        };
        assert_eq!((now.id, now.caption.as_deref()), (file.id, Some("Before")));
    }
}
