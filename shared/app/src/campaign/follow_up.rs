//! A new campaign made of an earlier one: the same again, or one for its recipients. Each is an ordinary
//! draft.

use domain::campaign::{AudienceForm, Ended};
use domain::contact::NAME_MAX;
use domain::id::CampaignId;
use domain::template::{HeaderInput, Mapping};
use domain::workspace::Permission;

use super::{Campaign, Draft, NewCampaign, create, find, write};
use crate::idempotency::Once;
use crate::{Actor, App, Error};

/// Makes a draft with the same content, audience and channel. Nothing is checked: what has become
/// unacceptable since is to be mended in the draft, and would be refused when it starts.
///
/// # Errors
/// The campaign does not exist in this workspace.
pub async fn clone(
    app: &App,
    actor: &Actor,
    id: &CampaignId,
    once: &Once,
) -> Result<Campaign, Error> {
    actor.require(Permission::WriteCampaigns)?;
    let earlier = find(app, app.store.workspace(&actor.workspace), id).await?;
    let copy = Draft {
        name: named(&earlier.name, "copy"),
        channel: earlier.channel,
        template: earlier.template,
        audience: earlier.audience,
        variables: earlier.variables,
        header: earlier.header,
    };
    write(app, actor, copy, once).await
}

/// Makes a draft that sends the same again to those whose message failed for a reason that may have
/// passed. Who that is shows in its pre-flight, and is decided when it starts.
///
/// # Errors
/// The earlier campaign has not started, or its content is not acceptable any more.
pub async fn retry(
    app: &App,
    actor: &Actor,
    id: &CampaignId,
    once: &Once,
) -> Result<Campaign, Error> {
    let earlier = started(app, actor, id).await?;
    let new = NewCampaign {
        name: named(&earlier.name, "retry"),
        header: earlier.header_input(),
        channel: earlier.channel,
        template: earlier.template.id,
        audience: recipients(id, Ended::Failed),
        variables: earlier.variables,
    };
    create(app, actor, new, once).await
}

/// What is said to those who replied; `None` keeps what the earlier campaign has. Another template takes
/// variables and a header of its own.
#[derive(Debug, Clone, Default)]
pub struct FollowUp {
    pub name: Option<String>,
    pub template: Option<String>,
    pub variables: Option<Mapping>,
    pub header: Option<HeaderInput>,
}

/// Makes a draft for those who replied to an earlier campaign.
///
/// # Errors
/// The earlier campaign has not started, or a field is not acceptable.
pub async fn follow_up(
    app: &App,
    actor: &Actor,
    id: &CampaignId,
    with: FollowUp,
    once: &Once,
) -> Result<Campaign, Error> {
    let earlier = started(app, actor, id).await?;
    let (variables, header) = match &with.template {
        Some(template) if *template != earlier.template.id => (Mapping::default(), None),
        Some(_) | None => (earlier.variables.clone(), earlier.header_input()),
    };
    let new = NewCampaign {
        name: with
            .name
            .unwrap_or_else(|| named(&earlier.name, "follow-up")),
        channel: earlier.channel,
        template: with.template.unwrap_or(earlier.template.id),
        audience: recipients(id, Ended::Replied),
        variables: with.variables.unwrap_or(variables),
        header: with.header.or(header),
    };
    create(app, actor, new, once).await
}

async fn started(app: &App, actor: &Actor, id: &CampaignId) -> Result<Campaign, Error> {
    actor.require(Permission::WriteCampaigns)?;
    let campaign = find(app, app.store.workspace(&actor.workspace), id).await?;
    if campaign.state.editable() {
        return Err(Error::refused(
            "wrong_state",
            "the campaign has not started, so it has no recipients yet",
        ));
    }
    Ok(campaign)
}

fn recipients(campaign: &CampaignId, outcome: Ended) -> AudienceForm {
    AudienceForm {
        campaign: Some(campaign.clone()),
        outcome: Some(outcome),
        ..AudienceForm::default()
    }
}

/// The earlier name with what is new about the campaign, shortened where both do not fit.
fn named(earlier: &str, what: &str) -> String {
    let ending = format!(" ({what})");
    let room = NAME_MAX - ending.chars().count();
    let begin: String = earlier.chars().take(room).collect();
    format!("{}{ending}", begin.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_shortened_and_keeps_its_ending() {
        assert_eq!(named("Offers", "retry"), "Offers (retry)");
        let long = named(&"ö".repeat(NAME_MAX), "retry");
        assert_eq!(long.chars().count(), NAME_MAX);
        assert!(long.ends_with("ö (retry)"));
    }
}
