//! Identifiers: a readable prefix and 32 hexadecimal digits, for example `ct_0198c0de…`.
//!
//! Fresh ids are UUID version 7 and so sort by time. A derived id is a hash of its parts: the same
//! parts always give the same id, which is what makes a repeated step harmless.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The text is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is not a valid {kind} id")]
pub struct InvalidId {
    /// What the id was expected to name, in words.
    pub kind: &'static str,
}

/// How many partitions a large set (contacts, members of a group) is spread over.
pub const SHARDS: u8 = 16;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// A fresh id; later ones sort after earlier ones.
            #[must_use]
            pub fn fresh() -> Self {
                Self(format!("{}_{}", $prefix, Uuid::now_v7().simple()))
            }

            /// The id of what was made at this time: later ones sort after earlier ones. The same
            /// time and the same parts always give the same id.
            #[must_use]
            pub fn at(time: Timestamp, parts: &[&str]) -> Self {
                Self(format!("{}_{}", $prefix, timed(time, parts)))
            }

            /// The id that always belongs to these parts.
            #[must_use]
            pub fn derived(parts: &[&str]) -> Self {
                Self(format!("{}_{}", $prefix, digest(parts)))
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                match text.strip_prefix(concat!($prefix, "_")) {
                    Some(rest) if is_hex32(rest) => Ok(Self(text)),
                    _ => Err(InvalidId { kind: $kind }),
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.to_owned().try_into()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(/// A workspace: the tenant. Everything a customer owns belongs to exactly one.
    WorkspaceId, "ws", "workspace");
id!(/// A person who signs in; may be a member of several workspaces.
    UserId, "us", "user");
id!(/// An API key; the secret itself is never stored.
    ApiKeyId, "ak", "API key");
id!(/// A session of a person: a hash of its token, by which nobody can sign in.
    SessionId, "se", "session");
id!(/// An invitation to become a member of a workspace.
    InvitationId, "in", "invitation");
id!(/// A mail on its way out.
    MailId, "ml", "mail");
id!(/// One entry of a workspace's audit log.
    AuditId, "au", "audit entry");
id!(/// A connected WhatsApp number.
    ChannelId, "ch", "channel");
id!(/// A person the workspace writes to.
    ContactId, "ct", "contact");
id!(/// A named set of contacts.
    GroupId, "gr", "group");
id!(/// One upload of a contact file.
    ImportId, "im", "import");
id!(/// One template going to one audience.
    CampaignId, "cp", "campaign");
id!(/// A file that was uploaded to be shown in messages.
    MediaId, "md", "media");
id!(/// One message of a campaign, sent to one number to see how it looks.
    TestId, "te", "test");
id!(/// What one contact and one channel say to each other.
    ChatId, "chat", "chat");
id!(/// One message of a chat.
    MessageId, "ms", "message");
id!(/// A word that a team puts on chats.
    LabelId, "lb", "label");
id!(/// A text that a team sends often.
    CannedReplyId, "cr", "canned reply");
id!(/// An answer that a workspace gives by itself.
    AnswerId, "aa", "automatic answer");

impl ChatId {
    /// The chat of a channel with a contact. There is one, so opening it twice is harmless.
    #[must_use]
    pub fn of(channel: &ChannelId, contact: &ContactId) -> Self {
        Self::derived(&[channel.as_str(), contact.as_str()])
    }
}

impl MessageId {
    /// The id of a message that is written now; `now` orders it among the others of its chat.
    #[must_use]
    pub fn written(now: Timestamp) -> Self {
        Self::at(now, &[Uuid::new_v4().simple().to_string().as_str()])
    }

    /// The time that orders it among the others of its chat, in milliseconds since the epoch.
    #[must_use]
    pub fn millisecond(&self) -> i64 {
        // An id is a prefix and a UUID version 7, whose first twelve digits are the time.
        let digits = self.0.get(3..15).unwrap_or_default();
        i64::from_str_radix(digits, 16).unwrap_or_default()
    }
}

impl ContactId {
    /// The partition this contact lives in: its last hexadecimal digit, which is random in fresh and
    /// derived ids alike.
    #[must_use]
    pub fn shard(&self) -> u8 {
        let last = self.0.bytes().last().unwrap_or(b'0');
        (last as char).to_digit(16).map_or(0, |digit| digit as u8) % SHARDS
    }
}

fn is_hex32(text: &str) -> bool {
    text.len() == 32
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn timed(time: Timestamp, parts: &[&str]) -> uuid::fmt::Simple {
    let millis = time.as_millisecond().max(0).unsigned_abs();
    let mut rest = [0; 10];
    rest.copy_from_slice(&hash(parts)[..10]);
    let id = uuid::Builder::from_unix_timestamp_millis(millis, &rest).into_uuid();
    id.simple()
}

fn digest(parts: &[&str]) -> String {
    hash(parts)[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn hash(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_from_its_own_text() {
        let id = ContactId::fresh();
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let group = GroupId::fresh().to_string();
        assert_eq!(
            group.parse::<ContactId>(),
            Err(InvalidId { kind: "contact" })
        );
        assert!("ct_short".parse::<ContactId>().is_err());
        assert!(
            format!("ct_{}", "G".repeat(32))
                .parse::<ContactId>()
                .is_err()
        );
    }

    #[test]
    fn the_same_parts_give_the_same_id_and_their_borders_count() {
        assert_eq!(
            ContactId::derived(&["a", "b"]),
            ContactId::derived(&["a", "b"])
        );
        assert_ne!(
            ContactId::derived(&["ab", "c"]),
            ContactId::derived(&["a", "bc"])
        );
    }

    #[test]
    fn messages_sort_by_the_time_they_were_written() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let early = MessageId::at(at(1_795_000_000), &["wamid.z"]);
        let late = MessageId::at(at(1_795_000_001), &["wamid.a"]);
        assert!(early < late);
        assert_eq!(early, MessageId::at(at(1_795_000_000), &["wamid.z"]));
        assert_ne!(early, MessageId::at(at(1_795_000_000), &["wamid.y"]));
        assert!(early < MessageId::written(at(1_795_000_002)));
        assert_eq!(late.millisecond(), 1_795_000_001_000);
        assert_eq!(early.to_string().parse(), Ok(early));
    }

    #[test]
    fn a_chat_is_the_same_however_often_it_is_opened() {
        let (channel, contact) = (ChannelId::fresh(), ContactId::fresh());
        assert_eq!(
            ChatId::of(&channel, &contact),
            ChatId::of(&channel, &contact)
        );
        assert_ne!(
            ChatId::of(&channel, &contact),
            ChatId::of(&ChannelId::fresh(), &contact)
        );
    }

    #[test]
    fn contacts_spread_over_every_shard() {
        let mut seen = [0; SHARDS as usize];
        for n in 0..1600 {
            seen[ContactId::derived(&["ws", &n.to_string()]).shard() as usize] += 1;
        }
        assert!(
            seen.iter().all(|count| (50..=150).contains(count)),
            "{seen:?}"
        );
    }
}
