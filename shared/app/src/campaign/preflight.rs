//! The pre-flight: what a campaign would do if it started now.
//!
//! It walks the audience as planning does and judges everybody the same way, so that the two cannot
//! disagree; it only writes nothing. One call looks for a few seconds at most. A large audience takes
//! several, each of which goes on where the one before ended, and their figures are added up.

use std::collections::BTreeMap;

use domain::campaign::{Audience, Excluded};
use domain::id::{CampaignId, ContactId};
use domain::pacing::Limit;
use domain::price::{Estimate, Prices};
use domain::template::TemplateCategory;
use domain::workspace::Permission;
use jiff::SignedDuration;

use super::audience::{Place, Walk};
use super::{Campaign, find, recheck};
use crate::page::{PageRequest, cursor};
use crate::{Actor, App, Error, budget, channel};

/// How long one call looks at the audience, far below the gateway's 30 seconds.
const LOOK: SignedDuration = SignedDuration::from_secs(5);

/// What one stretch of the audience comes to, and with `next: None` the last of it.
#[derive(Debug)]
pub struct Preflight {
    /// Where the next call goes on; `None` when the audience was walked to its end.
    pub next: Option<String>,
    /// Everybody met, those who are left out included.
    pub recipients: u64,
    /// How many are left out, by reason.
    pub excluded: BTreeMap<Excluded, u64>,
    /// Those who get a message.
    pub messages: u64,
    pub messages_per_second: Limit,
    /// How long these messages take at the number's present limit, if it sends nothing else.
    pub seconds: u64,
    pub budget: Budget,
    pub category: TemplateCategory,
    pub prices: &'static Prices,
    pub estimate: Estimate,
}

/// How many new people the number's portfolio may write to within 24 hours (Meta: messaging limits).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Meta's own word: `TIER_2K`.
    pub tier: String,
    /// `None` when there is no limit, or none that is known.
    pub left: Option<u64>,
}

/// Looks at the audience of a campaign that has not started, from a place on.
///
/// # Errors
/// The campaign has started, what it names is not acceptable any more, or the cursor is not one that
/// this campaign's pre-flight gave.
pub async fn preflight(
    app: &App,
    actor: &Actor,
    id: &CampaignId,
    from: Option<String>,
) -> Result<Preflight, Error> {
    actor.require(Permission::ReadCampaigns)?;
    let deadline = app.now() + LOOK;
    let scope = app.store.workspace(&actor.workspace);
    let campaign = find(app, scope, id).await?;
    if !campaign.state.editable() {
        return Err(Error::refused(
            "wrong_state",
            "the campaign has started; its statistics say what it does",
        ));
    }
    let campaign = Campaign {
        template: recheck(app, scope, &campaign).await?.template,
        ..campaign
    };
    let channel = channel::find(app, scope, &campaign.channel).await?;
    let prices =
        Prices::shipped().map_err(|error| Error::internal("the prices cannot be read", error))?;
    let mut walk = Walk::from(app, scope, &campaign, place(&campaign.audience, from)?);
    let mut excluded: BTreeMap<Excluded, u64> = BTreeMap::new();
    let mut countries: BTreeMap<String, u64> = BTreeMap::new();
    while let Some(met) = walk.next(deadline).await? {
        match met.verdict {
            Ok(person) => {
                // Whoever passed the judgement has a number of a known plan.
                let country = person.phone.country().unwrap_or_default();
                *countries.entry(country).or_default() += 1;
            }
            Err(reason) => *excluded.entry(reason).or_default() += 1,
        }
    }
    let messages: u64 = countries.values().sum();
    let interval_us = channel.messages_per_second.interval_us().unsigned_abs();
    Ok(Preflight {
        next: (!walk.ended()).then(|| next(walk.place())),
        recipients: messages + excluded.values().sum::<u64>(),
        excluded,
        messages,
        messages_per_second: channel.messages_per_second,
        seconds: (messages * interval_us).div_ceil(1_000_000),
        budget: Budget {
            left: budget::left(app, &channel).await?,
            tier: channel.messaging_limit,
        },
        estimate: prices.estimate(&campaign.template.category, &countries),
        category: campaign.template.category,
        prices,
    })
}

fn next(place: &Place) -> String {
    let after = place.after.as_deref().unwrap_or_default();
    cursor(&format!("{}:{after}", place.shard))
}

/// The place that a cursor of [`next`] names.
fn place(audience: &Audience, from: Option<String>) -> Result<Place, Error> {
    let request = PageRequest {
        limit: None,
        cursor: from,
    };
    let Some(place) = request.place()? else {
        return Ok(Place::default());
    };
    let refused = || Error::invalid("cursor", "use the value of \"next\" from the answer before");
    let (shard, after) = place.split_once(':').ok_or_else(refused)?;
    let after = match (audience, after) {
        (_, "") => None,
        // Only a contact's id may continue a shard, so that a made-up cursor cannot name another key.
        (Audience::People { .. }, id) => {
            Some(id.parse::<ContactId>().map_err(|_| refused())?.to_string())
        }
        (Audience::Recipients { .. }, row) => Some(row.to_owned()),
    };
    Ok(Place {
        shard: shard.parse().map_err(|_| refused())?,
        after,
    })
}
