//! Several ranges read as one: what is spread over partitions, in order again.

use std::cmp::Ordering;
use std::collections::VecDeque;

use futures::future::try_join_all;
use serde::de::DeserializeOwned;

use super::Store;
use super::key::Range;
use super::read::{PageOf, Span};
use crate::Error;

/// An item that knows the sort key it stands under in its range.
pub(crate) trait Placed {
    fn place(&self) -> &str;
}

/// The most items that are read at once of one range.
const STEP_MAX: usize = 500;

/// Several ranges as one, by their sort keys.
pub(crate) struct Merged<'a, T> {
    store: &'a Store,
    streams: Vec<Stream<T>>,
    newest_first: bool,
}

struct Stream<T> {
    range: Range,
    read: VecDeque<T>,
    /// Where the range is read on; `None` at its end.
    after: Option<Option<String>>,
    /// How many items are read at once: at first somewhat more than the range's share of a page, then
    /// more each time, because whoever reads on finds little.
    step: usize,
}

impl<'a, T: Placed + DeserializeOwned> Merged<'a, T> {
    /// The ranges after a sort key, the smallest first, for pages of so many items.
    pub(crate) fn oldest_first(
        store: &'a Store,
        ranges: Vec<Range>,
        after: Option<&str>,
        page: usize,
    ) -> Self {
        Self::new(store, ranges, after, page, false)
    }

    /// The same, the greatest sort key first.
    pub(crate) fn newest_first(
        store: &'a Store,
        ranges: Vec<Range>,
        after: Option<&str>,
        page: usize,
    ) -> Self {
        Self::new(store, ranges, after, page, true)
    }

    fn new(
        store: &'a Store,
        ranges: Vec<Range>,
        after: Option<&str>,
        page: usize,
        newest_first: bool,
    ) -> Self {
        let step = (page / ranges.len().max(1) * 2).clamp(5, 100);
        let streams = ranges.into_iter().map(|range| Stream {
            after: start(&range, after, newest_first),
            range,
            read: VecDeque::new(),
            step,
        });
        Self {
            store,
            streams: streams.collect(),
            newest_first,
        }
    }

    /// The first items that `takes` accepts, and the sort key to continue after. So that a filter which
    /// few items meet does not read everything, at most so many are looked at; then the page is short.
    ///
    /// # Errors
    /// The store cannot be reached.
    pub(crate) async fn page(
        mut self,
        limit: usize,
        look_at: usize,
        takes: impl Fn(&T) -> bool,
    ) -> Result<PageOf<T>, Error> {
        let mut items = Vec::with_capacity(limit);
        let mut next = None;
        for _ in 0..look_at {
            if items.len() == limit {
                break;
            }
            let Some(item) = self.next().await? else {
                return Ok(PageOf { items, next: None });
            };
            next = Some(item.place().to_owned());
            if takes(&item) {
                items.push(item);
            }
        }
        if self.is_empty().await? {
            next = None;
        }
        Ok(PageOf { items, next })
    }

    async fn next(&mut self) -> Result<Option<T>, Error> {
        self.fill().await?;
        let newest_first = self.newest_first;
        let streams = self.streams.iter_mut();
        let next =
            streams
                .filter(|stream| !stream.read.is_empty())
                .min_by(|a, b| match newest_first {
                    false => a.head().cmp(&b.head()),
                    true => b.head().cmp(&a.head()),
                });
        Ok(next.and_then(|stream| stream.read.pop_front()))
    }

    async fn is_empty(&mut self) -> Result<bool, Error> {
        self.fill().await?;
        Ok(self.streams.iter().all(|stream| stream.read.is_empty()))
    }

    /// Reads on wherever nothing is left of what was read.
    async fn fill(&mut self) -> Result<(), Error> {
        let (store, newest_first) = (self.store, self.newest_first);
        let empty = self
            .streams
            .iter_mut()
            .filter(|stream| stream.read.is_empty());
        try_join_all(empty.map(|stream| stream.fill(store, newest_first))).await?;
        Ok(())
    }
}

/// Where a range is begun: a place before it begins it, and after one behind it nothing is left.
fn start(range: &Range, after: Option<&str>, newest_first: bool) -> Option<Option<String>> {
    let Some(after) = after.filter(|after| !after.starts_with(&range.prefix)) else {
        return Some(after.map(str::to_owned));
    };
    let ahead = match after.cmp(range.prefix.as_str()) {
        Ordering::Less => !newest_first,
        Ordering::Equal | Ordering::Greater => newest_first,
    };
    ahead.then_some(None)
}

impl<T: Placed + DeserializeOwned> Stream<T> {
    fn head(&self) -> Option<&str> {
        self.read.front().map(Placed::place)
    }

    async fn fill(&mut self, store: &Store, newest_first: bool) -> Result<(), Error> {
        let Some(after) = self.after.take() else {
            return Ok(());
        };
        let span = Span::first(self.step).after(after.as_deref());
        let span = match newest_first {
            false => span,
            true => span.newest_first(),
        };
        self.step = (self.step * 2).min(STEP_MAX);
        let page = store.page::<T>(&self.range, span).await?;
        self.after = page.next.map(Some);
        self.read.extend(page.items);
        Ok(())
    }
}
