//! The tick: queues again what is on its way out and was not settled for a while, because its task was
//! lost or parked. What was not lost is queued twice, which is harmless: a message is claimed once.

use std::time::Duration;

use domain::id::ChatId;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::Pending;
use crate::store::Write;
use crate::store::read::Span;
use crate::task::ChatSend;
use crate::{App, Error};

/// How long a message is left alone after it was queued. The queue delivers within a second, so a lost
/// task is found soon, and what waits for its next try is seldom queued twice.
const PATIENCE: SignedDuration = SignedDuration::from_secs(60);

/// Kept free at the end of an invocation. What is not looked after is due at the next tick.
const MARGIN: SignedDuration = SignedDuration::from_secs(10);

/// How many due messages are read at once.
const PAGE: usize = 100;

/// An entry of the index: `{milliseconds}#{chat}#{place}`.
#[derive(Debug, Deserialize)]
struct Due {
    #[serde(flatten)]
    pending: Pending,
    gsi1sk: String,
}

/// Queues every message that is due.
///
/// # Errors
/// The store or the queue cannot be reached; the next tick tries again.
pub async fn run(app: App) -> Result<(), Error> {
    for range in app.store.due_pending() {
        let mut after = None;
        loop {
            let span = Span::first(PAGE).after(after.as_deref());
            let page = app.store.page::<Due>(&range, span).await?;
            let now = app.now().as_millisecond();
            for due in page.items.iter().take_while(|due| due.at() <= now) {
                if app.now() >= app.last_start(MARGIN) {
                    return Ok(());
                }
                // One message in trouble must not keep the others from being looked after.
                if let Err(error) = again(&app, &due.pending).await {
                    tracing::error!(
                        workspace = %due.pending.workspace,
                        message = %due.pending.message,
                        error = error.chain(),
                        "a message cannot be looked after"
                    );
                }
            }
            let all_due = page.items.last().is_some_and(|due| due.at() <= now);
            match page.next.filter(|_| all_due) {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    Ok(())
}

/// When a message that was queued now is looked after.
pub(super) fn next(app: &App) -> Timestamp {
    app.now() + PATIENCE
}

impl Due {
    fn at(&self) -> i64 {
        let at = self.gsi1sk.split('#').next();
        at.and_then(|at| at.parse().ok()).unwrap_or_default()
    }
}

async fn again(app: &App, pending: &Pending) -> Result<(), Error> {
    let scope = app.store.workspace(&pending.workspace);
    let chat = ChatId::of(&pending.channel, &pending.contact);
    let (pk, sk) = scope.due_pending(&chat, pending.place, next(app));
    let postponed = Write::update(scope.pending(&chat, pending.place))
        .set("gsi1pk", &pk)?
        .set("gsi1sk", &sk)?
        .if_present();
    if !app.store.write(postponed).await?.yes() {
        // The index is behind: the message was settled meanwhile.
        return Ok(());
    }
    let task = ChatSend {
        workspace: pending.workspace.clone(),
        channel: pending.channel.clone(),
        contact: pending.contact.clone(),
        message: pending.message.clone(),
        place: pending.place,
    };
    app.enqueue(&task, Duration::ZERO).await
}
