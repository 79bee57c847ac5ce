//! The second and third step: a campaign to everybody in the file, watched until the last status.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value, json};
use tokio::time::sleep;

use local::harness::Control;
use local::harness::api::{Api, text};
use local::harness::campaign::{TEMPLATE, counts, template, variables};
use local::harness::figures::{Arrivals, Figures, Pace, Settling};
use local::harness::screen::{Bar, Screen, clock};

/// The first phone number of the simulator, for a channel that does not name its own.
const NUMBER: &str = "200000000000001";
/// The most groups an audience takes.
const GROUPS_MAX: usize = 20;
const STANDARD_LIMIT: u64 = 80;
const POLL_EVERY: Duration = Duration::from_millis(500);
/// On top of the time that sending takes at the limit, three times over.
const SPARE: Duration = Duration::from_secs(180);

/// A draft, and where the simulator's ledger stood when it was made.
pub(crate) struct Draft {
    id: String,
    number: String,
    limit: u64,
    since_ms: i64,
    before: Arrivals,
}

/// Makes the campaign. `wanted` are the groups of the file.
///
/// # Errors
/// The instance lacks a channel, the template or groups, or the simulator is not there.
pub(crate) async fn draft(
    api: &Api,
    control: &Control,
    screen: &Screen,
    channel: Option<&str>,
    wanted: &BTreeSet<String>,
) -> anyhow::Result<Draft> {
    let channels = api.list("/v1/channels").await?;
    let is_it =
        |one: &&Value| channel.is_some_and(|id| one.get("id").and_then(Value::as_str) == Some(id));
    let channel = channels.iter().find(is_it).or_else(|| channels.first());
    let channel = channel.context("the workspace has no channel; connect a number first")?;
    let limit = channel.get("messages_per_second").and_then(Value::as_u64);
    let limit = limit.unwrap_or(STANDARD_LIMIT).max(1);
    let number = channel
        .get("phone_number_id")
        .and_then(Value::as_str)
        .unwrap_or(NUMBER);

    let template = template(api).await?;
    let (groups, names) = audience(&api.list("/v1/groups").await?, wanted)?;
    let new = json!({
        "name": "Demo",
        "channel": text(channel, "id")?,
        "template": text(&template, "id")?,
        "audience": {"groups": groups},
        "variables": variables(&template),
    });
    // Asked before anything is started: the demo only sends where a simulator keeps count.
    let (since_ms, before) = before(control, number).await?;
    let campaign = api.post("/v1/campaigns", &new).await?;
    let sender = channel
        .get("display_phone_number")
        .and_then(Value::as_str)
        .unwrap_or(number);
    screen.say(&format!(
        "  {} to {} from {sender}, {limit} messages a second at most",
        TEMPLATE.0,
        names.join(", "),
    ));
    Ok(Draft {
        id: text(&campaign, "id")?,
        number: number.to_owned(),
        limit,
        since_ms,
        before,
    })
}

/// The ids and names of the groups the file names. A file without groups goes to all there are.
fn audience(
    groups: &[Value],
    wanted: &BTreeSet<String>,
) -> anyhow::Result<(Vec<String>, Vec<String>)> {
    let mut named = Vec::new();
    for group in groups {
        named.push((text(group, "id")?, text(group, "name")?));
    }
    let is_wanted = |name: &str| wanted.contains(&name.to_lowercase());
    if named.iter().any(|(_, name)| is_wanted(name)) {
        named.retain(|(_, name)| is_wanted(name));
    }
    if named.is_empty() {
        bail!("the workspace has no groups, so the campaign would have no audience");
    }
    named.truncate(GROUPS_MAX);
    Ok(named.into_iter().unzip())
}

/// The instant after the last arrival on a number, by the simulator's own clock, and what its
/// ledger holds from there.
async fn before(control: &Control, number: &str) -> anyhow::Result<(i64, Arrivals)> {
    let everything = control.report(number, 0).await;
    let everything =
        everything.context("the simulator cannot be asked; the demo sends only through it")?;
    let last = everything.get("last_arrival_ms").and_then(Value::as_i64);
    let since_ms = last.map_or(0, |last| last + 1);
    let before = Arrivals::of(&control.report(number, since_ms).await?)?;
    Ok((since_ms, before))
}

/// Starts the campaign and shows its figures until they are final.
///
/// # Errors
/// The campaign does not complete, or takes too long.
pub(crate) async fn send(
    api: &Api,
    control: &Control,
    screen: &Screen,
    draft: &Draft,
) -> anyhow::Result<(Figures, Arrivals)> {
    let path = format!("/v1/campaigns/{}", draft.id);
    api.start(&format!("{path}/start"), &format!("demo-{}", draft.id))
        .await?;
    let began = Instant::now();
    let mut bar = screen.bar("campaign");
    let mut pace = Pace::default();
    let mut settling = Settling::default();
    loop {
        let campaign = api.get(&path).await?;
        let figures = Figures::of(&campaign)?;
        let state = text(&campaign, "state")?;
        let now = began.elapsed();
        let rate = pace.enter(now, figures.attempted());
        show(&mut bar, &campaign, &state, &figures, rate);
        match state.as_str() {
            "completed" => {
                let report = control.report(&draft.number, draft.since_ms).await?;
                let arrivals = Arrivals::of(&report)?.without(&draft.before);
                if settling.enter(now, figures, &arrivals) {
                    bar.end(&format!(
                        "{}  in {}",
                        counts(&figures),
                        clock(now.as_secs())
                    ));
                    return Ok((figures, arrivals));
                }
            }
            "failed" | "cancelled" | "paused" => {
                let reason = campaign.get("reason").and_then(Value::as_str);
                bail!(
                    "the campaign is {state}: {}",
                    reason.unwrap_or("it does not say why")
                );
            }
            _ => {}
        }
        let within = SPARE + Duration::from_secs(figures.recipients / draft.limit * 3);
        if now > within {
            bail!(
                "the campaign is not over after {}: it is {state} with {}",
                clock(within.as_secs()),
                counts(&figures)
            );
        }
        sleep(POLL_EVERY).await;
    }
}

fn show(bar: &mut Bar<'_>, campaign: &Value, state: &str, figures: &Figures, rate: f64) {
    let left = campaign
        .pointer("/statistics/seconds_left")
        .and_then(Value::as_u64);
    let pace = match (state, left) {
        ("completed", _) => "all sent, waiting for the last statuses".to_owned(),
        ("sending", Some(left)) => format!("{rate:.1} a second, {} left", clock(left)),
        ("sending", None) => format!("{rate:.1} a second"),
        (other, _) => other.to_owned(),
    };
    bar.show(figures.done(), figures.recipients, &pace, &counts(figures));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_audience_is_the_groups_of_the_file_or_else_all() {
        let groups = [
            json!({"id": "grp_1", "name": "VIP"}),
            json!({"id": "grp_2", "name": "Other"}),
        ];
        let wanted = BTreeSet::from(["vip".to_owned()]);
        assert_eq!(audience(&groups, &wanted).unwrap().0, ["grp_1"]);
        assert_eq!(
            audience(&groups, &BTreeSet::new()).unwrap().0,
            ["grp_1", "grp_2"]
        );
        assert!(audience(&[], &wanted).is_err());
    }
}
