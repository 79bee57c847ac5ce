//! What became of a file that a person sent, as its message says it.

use domain::id::{ChatId, MessageId};
use domain::media::{FileState, MediaType};
use serde::{Deserialize, Serialize};

use crate::store::Scope;

/// What became of the file; as long as nothing is said, it is being downloaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Received {
    Ready(Kept),
    Failed { loss: Loss },
}

/// A file that a person sent and that we keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// What it was found to be; `None`: nothing that is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<MediaType>,
    pub size: u64,
    /// Of a picture, as it is seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// The type of the small picture, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbnail: Option<MediaType>,
}

/// Why there is no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// WhatsApp said so when it told of the message.
    NotKept,
    /// WhatsApp does not have it, or not any more.
    Gone,
    TooLarge,
    /// What WhatsApp handed over is not what it told of.
    Damaged,
    /// It was not to be had while WhatsApp kept it.
    Unreachable,
}

impl Received {
    #[must_use]
    pub fn state(&self) -> FileState {
        match self {
            Self::Ready(_) => FileState::Ready,
            Self::Failed { .. } => FileState::Failed,
        }
    }
}

impl Kept {
    /// Where the file of a message is kept.
    pub(super) fn key(scope: Scope<'_>, chat: &ChatId, message: &MessageId) -> String {
        format!("received/{}/{chat}/{message}", scope.workspace)
    }
}

impl Loss {
    /// In words, with what can be done about it.
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Self::NotKept => {
                "WhatsApp could not pass this file on; it may be too large. Ask for it in another way."
            }
            Self::Gone => "WhatsApp does not have this file any more. Ask for it again.",
            Self::TooLarge => "This file is larger than 100 MB. Ask for a smaller one.",
            Self::Damaged => "This file arrived damaged. Ask for it again.",
            Self::Unreachable => {
                "This file could not be fetched in the days for which WhatsApp keeps it. Ask for it again."
            }
        }
    }
}
