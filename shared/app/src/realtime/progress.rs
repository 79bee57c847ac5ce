//! A campaign's figures for whoever watches it. They are read when somebody asks, and never more than
//! twice a second however many ask: all are answered with what was read last. Nobody watching costs
//! nothing.

use domain::campaign::{Counters, State};
use domain::id::CampaignId;
use domain::realtime::Frame;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::campaign;
use crate::store::{Scope, Write};
use crate::{App, Error};

const EVERY: SignedDuration = SignedDuration::from_millis(500);

/// Figures that nobody asks for any more are deleted.
const KEPT: SignedDuration = SignedDuration::from_hours(1);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Figures {
    state: State,
    at: Timestamp,
    statistics: Counters,
    /// Unix seconds.
    ttl: i64,
}

/// # Errors
/// The campaign does not exist in this workspace.
pub(super) async fn progress(app: &App, scope: Scope<'_>, id: &CampaignId) -> Result<Frame, Error> {
    let key = scope.figures(id);
    let last: Option<Figures> = app.store.get(&key).await?;
    let fresh = |figures: &Figures| app.now().duration_since(figures.at) < EVERY;
    if let Some(figures) = last.as_ref().filter(|figures| fresh(figures)) {
        return Ok(frame(id, figures));
    }
    let campaign = campaign::find(app, scope, id).await?;
    let figures = Figures {
        state: campaign.state,
        at: app.now(),
        statistics: campaign::counters(app, scope, id).await?,
        ttl: (app.now() + KEPT).as_second(),
    };
    let write = Write::put(key.clone(), &figures)?;
    let write = match &last {
        Some(last) => write.if_equals("at", &last.at)?,
        None => write.if_absent(),
    };
    if app.store.write(write).await?.yes() {
        return Ok(frame(id, &figures));
    }
    // Somebody else asked at the same moment.
    let theirs: Option<Figures> = app.store.get(&key).await?;
    Ok(frame(id, theirs.as_ref().unwrap_or(&figures)))
}

fn frame(campaign: &CampaignId, figures: &Figures) -> Frame {
    Frame::Progress {
        campaign: campaign.clone(),
        state: figures.state,
        at: figures.at,
        statistics: figures.statistics,
    }
}
