//! Pages of a list, as an act returns them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use serde::de::DeserializeOwned;

use crate::store::key::Range;
use crate::store::read::Span;
use crate::{App, Error};

/// How many items a page may hold.
pub const LIMIT_MAX: usize = 100;

/// The longest place a cursor may name: every sort key is far shorter.
const PLACE_MAX: usize = 200;

/// Which page of a list is asked for.
#[derive(Debug, Clone, Default)]
pub struct PageRequest {
    pub limit: Option<usize>,
    pub cursor: Option<String>,
}

/// One page, and the opaque cursor of the next.
#[derive(Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<String>,
}

impl PageRequest {
    /// # Errors
    /// The limit is out of bounds.
    pub fn limit(&self) -> Result<usize, Error> {
        match self.limit.unwrap_or(50) {
            limit @ 1..=LIMIT_MAX => Ok(limit),
            _ => Err(Error::invalid(
                "limit",
                format!("a page holds 1 to {LIMIT_MAX} items"),
            )),
        }
    }

    /// The place that a cursor of [`cursor`] names.
    ///
    /// # Errors
    /// The cursor is not one that a page of this list returned.
    pub fn place(&self) -> Result<Option<String>, Error> {
        let Some(cursor) = &self.cursor else {
            return Ok(None);
        };
        let refused = || Error::invalid("cursor", "use the value of \"next\" from the page before");
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refused())?;
        match String::from_utf8(bytes) {
            Ok(place) if (1..=PLACE_MAX).contains(&place.len()) => Ok(Some(place)),
            Ok(_) | Err(_) => Err(refused()),
        }
    }
}

/// One page of a range whose items are listed as they are stored.
pub(crate) async fn of_range<T: DeserializeOwned>(
    app: &App,
    range: &Range,
    request: &PageRequest,
    order: Order,
) -> Result<Page<T>, Error> {
    let after = request.place()?;
    let span = Span::first(request.limit()?).after(after.as_deref());
    let span = match order {
        Order::OldestFirst => span,
        Order::NewestFirst => span.newest_first(),
    };
    let found = app.store.page(range, span).await?;
    Ok(Page {
        items: found.items,
        next: found.next.as_deref().map(cursor),
    })
}

/// In which order a range is listed; ids sort by their age.
pub(crate) enum Order {
    OldestFirst,
    NewestFirst,
}

/// An opaque cursor for a place. It names only a position inside the caller's own partition, whose
/// key is made anew on every request, so there is nothing in it to protect.
#[must_use]
pub fn cursor(place: &str) -> String {
    URL_SAFE_NO_PAD.encode(place)
}
