//! The tick: queues again the files that are to be fetched and whose tasks were lost or parked. What was
//! not lost is queued twice, which is harmless: a file is fetched by one at a time, and once.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::fetch::Fetch;
use crate::store::Write;
use crate::store::read::Span;
use crate::{App, Error};

/// How long a file is left alone after it was first queued.
const PATIENCE: SignedDuration = SignedDuration::from_mins(2);

/// How long it is left alone after the time at which its queue should deliver it again: a little longer
/// than the queue waits for somebody who died.
const SLACK: SignedDuration = SignedDuration::from_mins(15);

/// Kept free at the end of an invocation. What is not looked after is due at the next tick.
const MARGIN: SignedDuration = SignedDuration::from_secs(10);

/// How many due files are read at once.
const PAGE: usize = 100;

/// An entry of the index: `{milliseconds}#{chat}#{message}`.
#[derive(Debug, Deserialize)]
struct Due {
    #[serde(flatten)]
    fetch: Fetch,
    gsi1sk: String,
}

/// Queues every file that is due.
///
/// # Errors
/// The store or the queue cannot be reached; the next tick tries again.
pub async fn run(app: App) -> Result<(), Error> {
    for range in app.store.due_fetches() {
        let mut after = None;
        loop {
            let span = Span::first(PAGE).after(after.as_deref());
            let page = app.store.page::<Due>(&range, span).await?;
            let now = app.now().as_millisecond();
            for due in page.items.iter().take_while(|due| due.at() <= now) {
                if app.now() >= app.last_start(MARGIN) {
                    return Ok(());
                }
                // One file in trouble must not keep the others from being looked after.
                if let Err(error) = again(&app, &due.fetch).await {
                    tracing::error!(
                        workspace = %due.fetch.workspace,
                        message = %due.fetch.message,
                        error = error.chain(),
                        "a file cannot be looked after"
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

/// When a file that is queued for the first time is looked after.
pub(super) fn first(app: &App) -> Timestamp {
    app.now() + PATIENCE
}

/// When a file is looked after that its queue delivers again after a pause.
pub(super) fn after(app: &App, pause: Duration) -> Timestamp {
    app.now() + pause + SLACK
}

impl Due {
    fn at(&self) -> i64 {
        let at = self.gsi1sk.split('#').next();
        at.and_then(|at| at.parse().ok()).unwrap_or_default()
    }
}

async fn again(app: &App, fetch: &Fetch) -> Result<(), Error> {
    let scope = app.store.workspace(&fetch.workspace);
    let (pk, sk) = scope.due_fetch(&fetch.chat, &fetch.message, after(app, Duration::ZERO));
    let postponed = Write::update(scope.fetch(&fetch.chat, &fetch.message))
        .set("gsi1pk", &pk)?
        .set("gsi1sk", &sk)?
        .if_present();
    if !app.store.write(postponed).await?.yes() {
        // The index is behind: the file was fetched meanwhile.
        return Ok(());
    }
    app.enqueue(&fetch.task(), Duration::ZERO).await
}
