//! A campaign, its progress and its chunks, as they are stored.

use domain::campaign::{Audience, State};
use domain::id::{CampaignId, ChannelId, ContactId, WorkspaceId};
use domain::phone::Phone;
use domain::template::{HeaderContent, HeaderInput, Mapping, Template, Values};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Campaign {
    pub id: CampaignId,
    pub workspace: WorkspaceId,
    pub name: String,
    pub state: State,
    /// Raised by every change that a person makes or Meta forces; work that was queued under an older
    /// epoch is void, and of two changes at once one wins.
    pub epoch: u64,
    pub channel: ChannelId,
    /// Frozen when the campaign starts.
    pub template: Template,
    pub audience: Audience,
    pub variables: Mapping,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<HeaderContent>,
    /// Why the campaign stopped by itself, in words.
    #[serde(default)]
    pub reason: Option<String>,
    pub created_at: Timestamp,
    /// When it starts by itself.
    #[serde(default)]
    pub scheduled_at: Option<Timestamp>,
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    /// When the first chunk was put in flight.
    #[serde(default)]
    pub sending_at: Option<Timestamp>,
    #[serde(default)]
    pub completed_at: Option<Timestamp>,
}

impl Campaign {
    /// What stands at the top as it was given, to be checked once more.
    pub(crate) fn header_input(&self) -> Option<HeaderInput> {
        self.header.as_ref().map(HeaderInput::from)
    }

    /// Its rows hold the audience from here on.
    pub(crate) fn is_under_way(&self) -> bool {
        matches!(
            self.state,
            State::Preparing | State::Sending | State::Pausing
        )
    }
}

/// How far planning and dispatching are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// The place of planning in the audience, as a walk gives it.
    pub(crate) shard: u8,
    pub(crate) after: Option<String>,
    /// Chunks planned so far.
    pub(crate) chunks: u32,
    /// The whole audience is in chunks.
    pub(crate) planned: bool,
    /// Chunks put in flight so far.
    pub(crate) dispatched: u32,
    /// Chunks whose last message has its slot; their answers may be outstanding.
    pub(crate) launched: u32,
    /// Chunks in which nobody is pending or claimed.
    pub(crate) done: u32,
    /// When the portfolio may write to further new people; the sending waits until then.
    pub(crate) limited_until: Option<Timestamp>,
}

/// Everyone of one chunk, frozen: who, to which number, with which values.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct People {
    pub(crate) people: Vec<Person>,
}

/// One planned recipient. The names are short because a hundred of these are one item.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Person {
    #[serde(rename = "c")]
    pub(crate) contact: ContactId,
    #[serde(rename = "p")]
    pub(crate) phone: Phone,
    #[serde(rename = "v")]
    pub(crate) values: Values,
}

/// A chunk in which somebody is pending or claimed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OpenChunk {
    pub(crate) chunk: u32,
}

/// Who sends a chunk. It exists from planning on.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Claim {
    /// Of the sender that holds the lease.
    pub(crate) token: String,
    /// Unix milliseconds until which the sender may be alive.
    pub(crate) lease: i64,
    /// Everyone below this place may have been sent to; everyone from it on has not.
    pub(crate) mark: u32,
    /// How many deliveries have taken the chunk up, each continuing the one before. A message carries
    /// the step it expects, so that of two copies of one message only one continues.
    pub(crate) step: u32,
    /// How often in a row the chunk waited for people whom Meta wants to be left alone.
    pub(crate) holds: u32,
    /// The chunk is counted as launched.
    pub(crate) launched: bool,
    pub(crate) done: bool,
}
