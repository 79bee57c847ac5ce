//! Looking after what is due: every tick reads its index from the earliest time on, and stops at the first
//! entry whose time has not come.

use jiff::SignedDuration;
use serde::de::DeserializeOwned;

use domain::id::WorkspaceId;

use crate::store::key::Range;
use crate::store::read::Span;
use crate::{App, Error};

/// Kept free at the end of an invocation. What is not looked after is due at the next tick.
const MARGIN: SignedDuration = SignedDuration::from_secs(10);

/// How many due entries are read at once.
const PAGE: usize = 100;

/// An entry of an index of what is due.
pub(crate) trait Due: DeserializeOwned + Send + Sync {
    fn workspace(&self) -> &WorkspaceId;

    /// Its sort key, which begins with the time in milliseconds and a `#`.
    fn place(&self) -> &str;

    fn look_after(&self, app: &App) -> impl Future<Output = Result<(), Error>> + Send;
}

/// Looks after every entry that is due. One in trouble does not keep the others from being looked after.
///
/// # Errors
/// The index cannot be read; the next tick tries again.
pub(crate) async fn look_after<D: Due>(
    app: &App,
    ranges: impl Iterator<Item = Range> + Send,
) -> Result<(), Error> {
    for range in ranges {
        let mut after = None;
        loop {
            let span = Span::first(PAGE).after(after.as_deref());
            let page = app.store.page::<D>(&range, span).await?;
            let now = app.now().as_millisecond();
            for due in page.items.iter().take_while(|due| at(*due) <= now) {
                if app.now() >= app.last_start(MARGIN) {
                    return Ok(());
                }
                // Boxed, because whatever an entry leads to would be part of the tick's own future.
                if let Err(error) = Box::pin(due.look_after(app)).await {
                    tracing::error!(
                        workspace = %due.workspace(),
                        entry = due.place(),
                        error = error.chain(),
                        "something that is due cannot be looked after"
                    );
                }
            }
            let all_due = page.items.last().is_some_and(|due| at(due) <= now);
            match page.next.filter(|_| all_due) {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    Ok(())
}

/// What says no time is due at once.
fn at(due: &impl Due) -> i64 {
    let at = due.place().split('#').next();
    at.and_then(|at| at.parse().ok()).unwrap_or_default()
}
