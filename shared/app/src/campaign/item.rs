//! A campaign, its progress and its chunks, as they are stored.

use domain::campaign::{Audience, State};
use domain::id::{CampaignId, ChannelId, ContactId, WorkspaceId};
use domain::phone::Phone;
use domain::realtime::Event;
use domain::template::{HeaderContent, HeaderInput, Mapping, Template, Values};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::store::{Scope, Write};

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
    /// What open screens are told of it.
    pub(crate) fn event(&self, state: State) -> Event {
        Event::CampaignUpdated {
            campaign: self.id.clone(),
            state,
        }
    }

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

/// What every claim and every move of a mark checks: whether the campaign sends, and under which epoch.
/// It repeats two attributes of the campaign in an item of its own, which is small, because a check is
/// charged by the size of the item, and apart, because all campaigns of a workspace share a partition.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Gate {
    state: State,
    epoch: u64,
}

impl Gate {
    /// The write that belongs into every transaction that changes the state or the epoch.
    pub(crate) fn set(
        scope: Scope<'_>,
        campaign: &CampaignId,
        state: State,
        epoch: u64,
    ) -> Result<Write, Error> {
        Write::put(scope.gate(campaign), &Self { state, epoch })
    }

    /// The condition that the campaign still sends as it did when it was read.
    pub(crate) fn open(scope: Scope<'_>, campaign: &Campaign) -> Result<Write, Error> {
        Write::check(scope.gate(&campaign.id))
            .if_equals("state", &State::Sending)?
            .if_equals("epoch", &campaign.epoch)
    }
}

/// Everyone of one chunk, frozen: who, to which number, with which values.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct People {
    #[serde(with = "packed")]
    pub(crate) people: Vec<Person>,
}

/// One planned recipient.
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

/// People are stored as compressed JSON: a hundred of them would otherwise be written at three times the
/// price.
mod packed {
    use serde::de::Visitor;
    use serde::ser::Error as _;
    use serde::{Deserializer, Serializer};

    use super::Person;
    use crate::pack;

    /// Far more than a hundred people with the longest values take.
    const MOST: usize = 16 * 1024 * 1024;

    pub(super) fn serialize<S: Serializer>(
        people: &[Person],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let json = serde_json::to_vec(people).map_err(S::Error::custom)?;
        let packed = pack::deflate(&json).map_err(S::Error::custom)?;
        serializer.serialize_bytes(&packed)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Person>, D::Error> {
        deserializer.deserialize_bytes(Packed)
    }

    struct Packed;

    impl Visitor<'_> for Packed {
        type Value = Vec<Person>;

        fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("compressed people")
        }

        fn visit_bytes<E: serde::de::Error>(self, packed: &[u8]) -> Result<Self::Value, E> {
            let json = pack::inflate(packed, MOST).map_err(E::custom)?;
            serde_json::from_slice(&json).map_err(E::custom)
        }
    }
}
