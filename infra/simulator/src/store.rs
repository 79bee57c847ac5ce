//! The data file: one SQLite database with one writer thread, which commits whatever has come in
//! since the last commit. Nobody waits for it but the one who closes it.
//!
//! With `synchronous = NORMAL` a killed process loses nothing that was handed to the writer and
//! committed; a power cut may lose the last commits.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use anyhow::Context;
use rusqlite::{Connection, params};
use tracing::error;

use crate::core::lock;
use crate::fate::Step;
use crate::ledger::{Entry, Inbound, Ledger, Message, Refused};
use crate::media::File;
use crate::webhooks::{Outbox, Webhook};

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS messages (
        entry INTEGER PRIMARY KEY, message TEXT NOT NULL,
        confirmed INTEGER NOT NULL DEFAULT 0, dropped INTEGER NOT NULL DEFAULT 0) STRICT;
    CREATE TABLE IF NOT EXISTS refusals (
        at_ms INTEGER NOT NULL, phone_number_id TEXT NOT NULL, reason TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS inbound (
        id TEXT PRIMARY KEY, phone_number_id TEXT NOT NULL, person TEXT NOT NULL,
        text TEXT NOT NULL, at_us INTEGER NOT NULL, message TEXT NOT NULL DEFAULT '{}') STRICT;
    CREATE TABLE IF NOT EXISTS webhooks (
        id INTEGER PRIMARY KEY, body BLOB NOT NULL, covers TEXT NOT NULL,
        attempts INTEGER NOT NULL, first_ms INTEGER NOT NULL, next_ms INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS media (
        id TEXT PRIMARY KEY, phone_number_id TEXT NOT NULL, mime TEXT NOT NULL,
        sha256 TEXT NOT NULL, bytes BLOB NOT NULL, uploaded_ms INTEGER NOT NULL,
        received INTEGER NOT NULL DEFAULT 0) STRICT;
    CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;";

/// Columns that files of an earlier version lack: table, column, definition.
const ADDED: [[&str; 3]; 2] = [
    ["inbound", "message", "TEXT NOT NULL DEFAULT '{}'"],
    ["media", "received", "INTEGER NOT NULL DEFAULT 0"],
];

/// The most changes in one commit, so that a flood does not delay what came before it.
const LARGEST_COMMIT: usize = 5000;

/// Something that must survive a restart.
pub(crate) enum Change {
    Accepted(u32, Arc<Message>),
    /// Other things lie ahead of a message than when it was accepted.
    Planned(u32, Arc<Message>),
    Refused(Refused),
    Inbound(Inbound),
    Uploaded(Arc<File>),
    Deleted(String),
    /// Steps that were told, or never will be.
    Closed(Vec<(u32, Step)>, bool),
    Keep(Webhook, i64),
    Forget(u64),
    Fact(String, String),
    Reset,
    /// The last one: the writer ends after it.
    Close,
}

/// What a former life left behind.
#[derive(Default)]
pub(crate) struct Restored {
    entries: Vec<Entry>,
    refused: Vec<Refused>,
    inbound: Vec<Inbound>,
    pub(crate) media: Vec<Arc<File>>,
    webhooks: Vec<(Webhook, i64)>,
    pub(crate) facts: HashMap<String, String>,
}

pub(crate) struct Store {
    changes: Sender<Change>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Store {
    pub(crate) fn open(path: &Path) -> anyhow::Result<(Self, Restored)> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let connection = Connection::open(path)
            .with_context(|| format!("opening the simulator's data file {}", path.display()))?;
        connection.execute_batch(SCHEMA)?;
        for [table, column, definition] in ADDED {
            if !has(&connection, table, column)? {
                connection.execute_batch(&format!(
                    "ALTER TABLE {table} ADD COLUMN {column} {definition}"
                ))?;
            }
        }
        let restored = restore(&connection).context("reading the simulator's data file")?;
        let (changes, incoming) = channel();
        let writer = std::thread::Builder::new()
            .name("simulator-writer".into())
            .spawn(move || write(connection, &incoming))?;
        let writer = Mutex::new(Some(writer));
        Ok((Self { changes, writer }, restored))
    }

    pub(crate) fn record(&self, change: Change) {
        // The writer is gone only after `close`; what happens then is nobody's to keep.
        let _ = self.changes.send(change);
    }

    pub(crate) fn close(&self) {
        self.record(Change::Close);
        if let Some(writer) = lock(&self.writer).take() {
            let _ = writer.join();
        }
    }
}

impl Restored {
    /// Plans anew every step that no webhook of the file covers.
    pub(crate) fn into_ledger_and_outbox(self) -> (Ledger, Outbox) {
        let (mut ledger, mut outbox) = (Ledger::default(), Outbox::default());
        let mut covered = HashSet::new();
        for (webhook, next_ms) in self.webhooks {
            covered.extend(webhook.covers.iter().copied());
            outbox.try_again(webhook, next_ms);
        }
        for entry in self.entries {
            ledger.push(entry);
        }
        for (number, entry) in ledger.all() {
            for (step, due_ms) in entry.open_steps() {
                if !covered.contains(&(number, step)) {
                    outbox.schedule(number, step, due_ms);
                }
            }
            if let Some(reply) = entry.message.plan.reply
                && entry.is_open(Step::Replied)
            {
                outbox.expect_reply(number, reply.at_ms);
            }
        }
        ledger.refused = self.refused;
        ledger.inbound = self.inbound;
        (ledger, outbox)
    }
}

fn has(connection: &Connection, table: &str, column: &str) -> rusqlite::Result<bool> {
    connection
        .prepare("SELECT 1 FROM pragma_table_info(?) WHERE name = ?")?
        .exists([table, column])
}

fn restore(connection: &Connection) -> anyhow::Result<Restored> {
    let mut restored = Restored::default();
    let mut query =
        connection.prepare("SELECT message, confirmed, dropped FROM messages ORDER BY entry")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        restored.entries.push(Entry {
            message: serde_json::from_str(&row.get::<_, String>(0)?).map(Arc::new)?,
            confirmed: row.get(1)?,
            dropped: row.get(2)?,
        });
    }
    let mut query = connection.prepare("SELECT at_ms, phone_number_id, reason FROM refusals")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        restored.refused.push(Refused {
            at_ms: row.get(0)?,
            phone_number_id: row.get(1)?,
            reason: row.get(2)?,
        });
    }
    let mut query = connection.prepare(
        "SELECT id, phone_number_id, person, text, at_us, message FROM inbound ORDER BY at_us",
    )?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        restored.inbound.push(Inbound {
            id: row.get(0)?,
            phone_number_id: row.get(1)?,
            from: row.get(2)?,
            text: row.get(3)?,
            at_us: row.get(4)?,
            message: serde_json::from_str(&row.get::<_, String>(5)?)?,
        });
    }
    let mut query =
        connection.prepare("SELECT id, body, covers, attempts, first_ms, next_ms FROM webhooks")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let webhook = Webhook {
            id: row.get(0)?,
            body: row.get::<_, Vec<u8>>(1)?.into(),
            covers: serde_json::from_str(&row.get::<_, String>(2)?)?,
            attempts: row.get(3)?,
            first_ms: row.get(4)?,
            kept: true,
        };
        restored.webhooks.push((webhook, row.get(5)?));
    }
    let mut query = connection.prepare(
        "SELECT id, phone_number_id, mime, sha256, bytes, uploaded_ms, received FROM media",
    )?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        restored.media.push(Arc::new(File {
            id: row.get(0)?,
            phone_number_id: row.get(1)?,
            mime: row.get(2)?,
            sha256: row.get(3)?,
            bytes: row.get::<_, Vec<u8>>(4)?.into(),
            uploaded_ms: row.get(5)?,
            received: row.get(6)?,
        }));
    }
    let mut query = connection.prepare("SELECT name, value FROM facts")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        restored.facts.insert(row.get(0)?, row.get(1)?);
    }
    Ok(restored)
}

fn write(mut connection: Connection, incoming: &Receiver<Change>) {
    let mut open = true;
    while open && let Ok(first) = incoming.recv() {
        if let Err(error) = commit(&mut connection, incoming, first, &mut open) {
            error!(%error, "the simulator's data file could not be written");
        }
    }
}

fn commit(
    connection: &mut Connection,
    incoming: &Receiver<Change>,
    first: Change,
    open: &mut bool,
) -> anyhow::Result<()> {
    let transaction = connection.transaction()?;
    let mut next = Some(first);
    let mut written = 0;
    while let Some(change) = next {
        if matches!(change, Change::Close) {
            *open = false;
            break;
        }
        apply(&transaction, change)?;
        written += 1;
        next = (written < LARGEST_COMMIT)
            .then(|| incoming.try_recv().ok())
            .flatten();
    }
    Ok(transaction.commit()?)
}

fn apply(db: &Connection, change: Change) -> anyhow::Result<()> {
    match change {
        Change::Accepted(entry, message) => {
            db.prepare_cached("INSERT INTO messages (entry, message) VALUES (?, ?)")?
                .execute(params![entry, serde_json::to_string(&*message)?])?;
        }
        Change::Planned(entry, message) => {
            db.prepare_cached("UPDATE messages SET message = ? WHERE entry = ?")?
                .execute(params![serde_json::to_string(&*message)?, entry])?;
        }
        Change::Refused(refused) => {
            db.prepare_cached("INSERT INTO refusals VALUES (?, ?, ?)")?
                .execute(params![
                    refused.at_ms,
                    refused.phone_number_id,
                    refused.reason
                ])?;
        }
        Change::Inbound(inbound) => {
            db.prepare_cached("INSERT OR REPLACE INTO inbound VALUES (?, ?, ?, ?, ?, ?)")?
                .execute(params![
                    inbound.id,
                    inbound.phone_number_id,
                    inbound.from,
                    inbound.text,
                    inbound.at_us,
                    inbound.message.to_string()
                ])?;
        }
        Change::Uploaded(file) => {
            db.prepare_cached("INSERT OR REPLACE INTO media VALUES (?, ?, ?, ?, ?, ?, ?)")?
                .execute(params![
                    file.id,
                    file.phone_number_id,
                    file.mime,
                    file.sha256,
                    &file.bytes[..],
                    file.uploaded_ms,
                    file.received
                ])?;
        }
        Change::Deleted(id) => {
            db.prepare_cached("DELETE FROM media WHERE id = ?")?
                .execute([id])?;
        }
        Change::Closed(steps, told) => {
            let sql = if told {
                "UPDATE messages SET confirmed = confirmed | ? WHERE entry = ?"
            } else {
                "UPDATE messages SET dropped = dropped | ? WHERE entry = ?"
            };
            let mut update = db.prepare_cached(sql)?;
            for (entry, step) in steps {
                update.execute(params![step.bit(), entry])?;
            }
        }
        Change::Keep(webhook, next_ms) => {
            db.prepare_cached("INSERT OR REPLACE INTO webhooks VALUES (?, ?, ?, ?, ?, ?)")?
                .execute(params![
                    webhook.id,
                    &webhook.body[..],
                    serde_json::to_string(&webhook.covers)?,
                    webhook.attempts,
                    webhook.first_ms,
                    next_ms
                ])?;
        }
        Change::Forget(id) => {
            db.prepare_cached("DELETE FROM webhooks WHERE id = ?")?
                .execute([id])?;
        }
        Change::Fact(name, value) => {
            db.prepare_cached("INSERT OR REPLACE INTO facts VALUES (?, ?)")?
                .execute(params![name, value])?;
        }
        Change::Reset => {
            db.execute_batch(
                "DELETE FROM messages; DELETE FROM refusals; DELETE FROM inbound;
                 DELETE FROM webhooks;",
            )?;
        }
        Change::Close => {}
    }
    Ok(())
}
