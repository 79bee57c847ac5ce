//! Who wrote back: an inbound message is matched with the campaign message that it answers.
//!
//! A button or a quote names its message. Without one it is the newest that a campaign sent to the
//! person from the same number within a week. Each campaign message is answered once, by the first
//! message after it; the mark and the counter change in one transaction.

use domain::campaign::{Counters, RecipientRef};
use domain::event::{InboundContent, InboundMessage};
use domain::id::{CampaignId, ChatId};
use domain::message::Outcome as Rank;
use jiff::{SignedDuration, Timestamp};

use super::outcome::Outcome;
use super::stats::counted;
use super::thread::Sent;
use crate::store::Scope;
use crate::store::read::Span;
use crate::{App, Error};

/// How long a campaign message waits for an answer that does not quote it.
const ANSWERABLE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How much later than it was sent a message may have been recorded: Meta's time to answer, or the
/// lease of a sender that died. Who writes within this time has answered it all the same.
const RECORDED_LATE: SignedDuration = SignedDuration::from_secs(60);

/// How many of the newest campaign messages are looked at: enough to pass over those that failed.
const NEWEST: usize = 3;
/// The same for a message that quotes another.
const QUOTABLE: usize = 25;

/// How often a mark is tried again when a status moves the outcome at the same moment.
const ATTEMPTS: usize = 6;

/// A message that a campaign sent.
struct Message {
    at: Timestamp,
    campaign: CampaignId,
    outcome: Outcome,
}

/// Marks the recipient whose campaign message is answered by this one, if there is one.
///
/// # Errors
/// The store cannot be reached; doing it again is harmless.
pub(crate) async fn mark(
    app: &App,
    scope: Scope<'_>,
    chat: &ChatId,
    message: &InboundMessage,
) -> Result<(), Error> {
    let count = match message.context_wamid {
        Some(_) => QUOTABLE,
        None => NEWEST,
    };
    let span = Span::first(count).newest_first();
    let page = app.store.page::<Sent>(&scope.thread(chat), span).await?;
    let entries: Vec<_> = page.items.iter().filter_map(Sent::read).collect();
    for _ in 0..ATTEMPTS {
        let thread = sent(app, scope, &entries).await?;
        let Some(Message {
            campaign, outcome, ..
        }) = answered(message, &thread).filter(|sent| sent.outcome.replied_at.is_none())
        else {
            return Ok(());
        };
        let writes = vec![
            outcome.replied(scope, campaign, message.at)?,
            counted(scope, campaign, outcome.chunk, &Counters::replied(1)),
        ];
        if app.store.transact(writes).await?.yes() {
            return Ok(());
        }
    }
    Err(Error::unavailable(
        "an outcome keeps changing under its reply",
        "gave up after several attempts",
    ))
}

/// The messages of these entries as they stand now, the newest first.
async fn sent(
    app: &App,
    scope: Scope<'_>,
    entries: &[(Timestamp, RecipientRef)],
) -> Result<Vec<Message>, Error> {
    let keys: Vec<_> = entries
        .iter()
        .map(|(_, to)| scope.outcome(&to.campaign, to.chunk, to.index))
        .collect();
    let mut outcomes: Vec<(usize, Outcome)> = app.store.get_many(&keys).await?;
    outcomes.sort_unstable_by_key(|(place, _)| *place);
    let sent = outcomes.into_iter().map(|(place, outcome)| {
        let (at, to) = &entries[place];
        Message {
            at: *at,
            campaign: to.campaign.clone(),
            outcome,
        }
    });
    Ok(sent.collect())
}

/// The campaign message that is answered by this one.
fn answered<'a>(message: &InboundMessage, thread: &'a [Message]) -> Option<&'a Message> {
    // A campaign's button carries the reference of its recipient.
    if let InboundContent::Button { payload, .. } = &message.content
        && let Ok(pressed) = payload.parse::<RecipientRef>()
    {
        return thread.iter().find(|sent| {
            sent.campaign == pressed.campaign
                && (sent.outcome.chunk, sent.outcome.index) == (pressed.chunk, pressed.index)
        });
    }
    let quoted = message.context_wamid.as_ref();
    if let Some(wamid) = quoted {
        let named = thread
            .iter()
            .find(|sent| sent.outcome.wamid.as_ref() == Some(wamid));
        if named.is_some() {
            return named;
        }
    }
    let newest = thread.iter().find(|sent| {
        sent.outcome.status != Rank::Failed
            && message.at + RECORDED_LATE >= sent.at
            && message.at.duration_since(sent.at) <= ANSWERABLE
    })?;
    // What is quoted is something else, unless it is this one, of which Meta has not told the id.
    (quoted.is_none() || newest.outcome.wamid.is_none()).then_some(newest)
}

#[cfg(test)]
mod tests {
    use domain::id::ContactId;

    use super::*;
    use crate::campaign::outcome::Evidence;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + seconds).unwrap()
    }

    fn sent(seconds: i64, wamid: Option<&str>, status: Rank) -> Message {
        let evidence = Evidence {
            wamid: wamid.map(str::to_owned),
            code: None,
        };
        Message {
            at: at(seconds),
            campaign: CampaignId::fresh(),
            outcome: Outcome::new(at(seconds), ContactId::fresh(), status, evidence),
        }
    }

    fn said(seconds: i64, quoted: Option<&str>) -> InboundMessage {
        InboundMessage {
            wamid: "wamid.in".to_owned(),
            from: Some("6281234567890".to_owned()),
            from_user_id: None,
            profile_name: None,
            at: at(seconds),
            context_wamid: quoted.map(str::to_owned),
            forwarded: false,
            referral: None,
            content: InboundContent::Text {
                body: "hello".to_owned(),
            },
        }
    }

    fn found(message: &InboundMessage, thread: &[Message]) -> Option<i64> {
        answered(message, thread).map(|sent| sent.at.as_second() - at(0).as_second())
    }

    #[test]
    fn a_quote_names_its_message_and_a_text_answers_the_newest() {
        let thread = [
            sent(500, Some("b"), Rank::Read),
            sent(100, Some("a"), Rank::Read),
        ];
        assert_eq!(found(&said(600, Some("a")), &thread), Some(100));
        assert_eq!(found(&said(600, None), &thread), Some(500));
        // An agent's message is quoted, or one of long ago.
        assert_eq!(found(&said(600, Some("c")), &thread), None);
    }

    #[test]
    fn a_message_from_before_answers_nothing_that_came_after_it() {
        let thread = [
            sent(500, Some("b"), Rank::Accepted),
            sent(100, Some("a"), Rank::Read),
        ];
        assert_eq!(found(&said(300, None), &thread), Some(100));
        assert_eq!(found(&said(20, None), &thread[1..]), None);
    }

    #[test]
    fn a_week_later_only_a_quote_answers() {
        let thread = [sent(0, Some("a"), Rank::Read)];
        let week = 7 * 24 * 3600;
        assert_eq!(found(&said(week, None), &thread), Some(0));
        assert_eq!(found(&said(week + 1, None), &thread), None);
        assert_eq!(found(&said(week + 1, Some("a")), &thread), Some(0));
    }

    #[test]
    fn nobody_answers_what_did_not_arrive() {
        let thread = [
            sent(500, None, Rank::Failed),
            sent(100, Some("a"), Rank::Delivered),
        ];
        assert_eq!(found(&said(600, None), &thread), Some(100));
    }

    #[test]
    fn a_button_names_its_recipient_even_before_the_message_has_an_id() {
        let thread = [
            sent(500, Some("b"), Rank::Read),
            sent(100, None, Rank::Unknown),
        ];
        let press = |campaign: &CampaignId| InboundMessage {
            forwarded: false,
            referral: None,
            content: InboundContent::Button {
                text: "Yes".to_owned(),
                payload: format!("{campaign}.0.0"),
            },
            ..said(600, Some("z"))
        };
        assert_eq!(found(&press(&thread[1].campaign), &thread), Some(100));
        assert_eq!(found(&press(&CampaignId::fresh()), &thread), None);
    }

    #[test]
    fn a_quote_can_be_of_a_message_whose_id_is_not_known_yet() {
        let thread = [sent(500, None, Rank::Unknown)];
        assert_eq!(found(&said(600, Some("b")), &thread), Some(500));
    }
}
