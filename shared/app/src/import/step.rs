//! One step of an import: from the checkpoint on, for as long as an invocation allows.

use std::io::{ErrorKind, Read};
use std::time::Duration;

use domain::contact::columns::columns;
use futures::StreamExt;
use jiff::SignedDuration;
use tokio::sync::mpsc;
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::file::{Encoding, ROW_MAX, Row, Rows, delimiter};
use super::write::{Progress, write};
use super::{Import, ImportState, Layout, find};
use crate::store::{Scope, Write};
use crate::task::ContactImport;
use crate::{App, Error, realtime};

/// A step hands over to the next after this time, far below an invocation's limit.
const STEP: SignedDuration = SignedDuration::from_secs(20);

/// Kept free at the end of an invocation, for the rows at hand and the next message.
const MARGIN: SignedDuration = SignedDuration::from_secs(10);

/// How often open screens are told how far it is.
const TELL: SignedDuration = SignedDuration::from_secs(1);

/// How many rows are looked at together.
const BATCH: usize = 400;

/// Runs one step, and queues the next when the file is not finished.
///
/// # Errors
/// The store or the file cannot be reached; the step may be repeated.
pub async fn run(app: App, task: ContactImport) -> Result<(), Error> {
    let scope = app.store.workspace(&task.workspace);
    let mut import = find(&app, scope, &task.import).await?;
    if import.state != ImportState::Running {
        // Whoever ended it may have died before telling.
        return realtime::publish(&app, scope, vec![import.event(import.state)]).await;
    }
    let layout = match import.layout.clone() {
        Some(layout) => layout,
        None => match read_header(&app, &import).await? {
            Ok((layout, offset)) => {
                let committed = app
                    .store
                    .write(begun(scope, &import, &layout, offset)?)
                    .await?;
                if !committed.yes() {
                    // Another step was first, or this one's own answer was lost. Which of the two shows
                    // at the next look, and of two steps at once only one goes on.
                    let after = Duration::from_secs(1);
                    return Err(Error::Later { after });
                }
                (import.offset, import.row) = (offset, 1);
                import.layout = Some(layout.clone());
                layout
            }
            Err(reason) => return fail(&app, scope, &import, &reason).await,
        },
    };
    let deadline = (app.now() + STEP).min(app.last_start(MARGIN));
    let mut told = app.now();
    let mut batches = read(&app, &import, &layout).await?;
    while let Some(batch) = batches.recv().await {
        let rows = match batch {
            Ok(rows) => rows,
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                return fail(&app, scope, &import, &error.to_string()).await;
            }
            // The step is repeated, and continues at the checkpoint.
            Err(error) => return Err(unreadable(error)),
        };
        match write(&app, scope, &mut import, &layout, rows).await? {
            Progress::Made => {}
            Progress::SomeoneElses => return Ok(()),
        }
        if app.now().duration_since(told) >= TELL {
            told = app.now();
            realtime::announce(&app, scope, import.event(ImportState::Running)).await;
        }
        if app.now() >= deadline {
            return app.enqueue(&task, Duration::ZERO).await;
        }
    }
    finish(&app, scope, &import, ImportState::Completed, None).await
}

/// Finds out how the file is to be read. The inner error is the file's, in words for its owner.
async fn read_header(app: &App, import: &Import) -> Result<Result<(Layout, u64), String>, Error> {
    let mut stream = app.files.open(&import.file, 0).await?;
    let mut head = Vec::new();
    while head.len() < ROW_MAX {
        match stream.next().await {
            Some(bytes) => head.extend_from_slice(&bytes.map_err(unreadable)?),
            None => break,
        }
    }
    Ok(layout(&head, import))
}

fn layout(head: &[u8], import: &Import) -> Result<(Layout, u64), String> {
    let (encoding, mark) = Encoding::sniff(head);
    let (body, offset) = match encoding {
        Encoding::Utf8 => (&head[mark..], mark as u64),
        Encoding::Utf16Le | Encoding::Utf16Be => (head, 0),
    };
    let text = match encoding {
        Encoding::Utf8 => String::from_utf8_lossy(body),
        Encoding::Utf16Le => encoding_rs::UTF_16LE.decode(body).0,
        Encoding::Utf16Be => encoding_rs::UTF_16BE.decode(body).0,
    };
    let delimiter = delimiter(&text);
    let mut rows = Rows::new(body, encoding, delimiter, 0).map_err(|error| error.to_string())?;
    let header = rows
        .next()
        .map_err(|error| error.to_string())?
        .ok_or("the file is empty")?;
    let names = header
        .fields
        .iter()
        .map(|name| {
            String::from_utf8(name.to_vec())
                .map_err(|_| "the header row is not UTF-8 text; save the file as UTF-8".to_owned())
        })
        .collect::<Result<Vec<_>, _>>()?;
    let columns = columns(&names, &import.mapping).map_err(|refused| refused.message)?;
    Ok((
        Layout {
            encoding,
            delimiter,
            columns,
        },
        offset + header.end,
    ))
}

/// Reads rows on a blocking thread, a few batches ahead at most.
async fn read(
    app: &App,
    import: &Import,
    layout: &Layout,
) -> Result<mpsc::Receiver<std::io::Result<Vec<(u64, Row)>>>, Error> {
    let (offset, first) = (import.offset, import.row + 1);
    let from = if layout.encoding == Encoding::Utf8 {
        offset
    } else {
        0
    };
    let stream = app.files.open(&import.file, from).await?;
    let (encoding, delimiter) = (layout.encoding, layout.delimiter);
    let (sender, receiver) = mpsc::channel(2);
    let source = SyncIoBridge::new(StreamReader::new(stream));
    tokio::task::spawn_blocking(move || {
        if let Err(error) = pump(source, encoding, delimiter, offset, first, &sender) {
            // The receiver is gone only when the step has ended, and then nobody needs the error.
            let _ = sender.blocking_send(Err(error));
        }
    });
    Ok(receiver)
}

fn pump(
    source: impl Read,
    encoding: Encoding,
    delimiter: u8,
    offset: u64,
    first: u64,
    sender: &mpsc::Sender<std::io::Result<Vec<(u64, Row)>>>,
) -> std::io::Result<()> {
    let mut rows = Rows::new(source, encoding, delimiter, offset)?;
    let mut number = first;
    let mut batch = Vec::with_capacity(BATCH);
    while let Some(row) = rows.next()? {
        batch.push((number, row));
        number += 1;
        if batch.len() == BATCH
            && sender
                .blocking_send(Ok(std::mem::take(&mut batch)))
                .is_err()
        {
            return Ok(());
        }
    }
    if !batch.is_empty() {
        // As above: a receiver that is gone needs nothing more.
        let _ = sender.blocking_send(Ok(batch));
    }
    Ok(())
}

fn begun(scope: Scope<'_>, import: &Import, layout: &Layout, offset: u64) -> Result<Write, Error> {
    Write::update(scope.import(&import.id))
        .set("layout", layout)?
        .set("offset", &offset)?
        .set("row", &1)?
        .if_equals("offset", &import.offset)?
        .if_equals("state", &ImportState::Running)
}

async fn fail(app: &App, scope: Scope<'_>, import: &Import, reason: &str) -> Result<(), Error> {
    finish(app, scope, import, ImportState::Failed, Some(reason)).await
}

async fn finish(
    app: &App,
    scope: Scope<'_>,
    import: &Import,
    state: ImportState,
    reason: Option<&str>,
) -> Result<(), Error> {
    let mut finished = Write::update(scope.import(&import.id))
        .set("state", &state)?
        .set("finished_at", &app.now())?
        .if_equals("offset", &import.offset)?
        .if_equals("state", &ImportState::Running)?;
    if let Some(reason) = reason {
        finished = finished.set("reason", reason)?;
    }
    // When the condition fails, another step is ahead and finishes itself.
    if app.store.write(finished).await?.yes() {
        realtime::publish(app, scope, vec![import.event(state)]).await?;
    }
    Ok(())
}

fn unreadable(error: std::io::Error) -> Error {
    Error::unavailable("the uploaded file cannot be read", error)
}
