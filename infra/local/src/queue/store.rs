//! The file of the queues: one table, one row for each message.
//!
//! synchronous=NORMAL: a commit survives the death of the process, and a power cut may take back the
//! last ones. Handlers are idempotent and the data says what is left to do, so that is repaired.

use rusqlite::{Connection, OptionalExtension, params};

use app::task::QueueName;
use jiff::Timestamp;

use super::Place;

pub(super) struct Store {
    connection: Connection,
}

/// A row without its body.
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) queue: String,
    pub(super) group: String,
    pub(super) received: u32,
    /// When it is next visible.
    pub(super) due: Timestamp,
    /// Set while the message is in flight.
    pub(super) nonce: Option<u32>,
    pub(super) dead: bool,
}

impl Store {
    pub(super) fn open(place: &Place) -> rusqlite::Result<Self> {
        let connection = match place {
            Place::Memory => Connection::open_in_memory()?,
            Place::File(path) => Connection::open(path)?,
        };
        connection.execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = NORMAL;
             CREATE TABLE IF NOT EXISTS message (
                 id INTEGER PRIMARY KEY AUTOINCREMENT,
                 queue TEXT NOT NULL,
                 message_group TEXT NOT NULL,
                 body TEXT NOT NULL,
                 received INTEGER NOT NULL DEFAULT 0,
                 due INTEGER NOT NULL,
                 nonce INTEGER,
                 dead INTEGER NOT NULL DEFAULT 0
             ) STRICT;",
        )?;
        connection.set_prepared_statement_cache_capacity(32);
        Ok(Self { connection })
    }

    pub(super) fn begin(&self) -> rusqlite::Result<()> {
        self.connection.execute_batch("BEGIN IMMEDIATE")
    }

    pub(super) fn commit(&self) -> rusqlite::Result<()> {
        self.connection.execute_batch("COMMIT")
    }

    /// Rolls back, if there is anything to roll back.
    pub(super) fn rollback(&self) {
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "the queue's transaction cannot be rolled back");
        }
    }

    /// Lets go of what a dead process held.
    pub(super) fn release_in_flight(&self) -> rusqlite::Result<usize> {
        self.connection.execute(
            "UPDATE message SET nonce = NULL, due = 0 WHERE nonce IS NOT NULL",
            [],
        )
    }

    pub(super) fn rows(&self) -> rusqlite::Result<Vec<Row>> {
        let mut statement = self.connection.prepare(
            "SELECT id, queue, message_group, received, due, nonce, dead FROM message ORDER BY id",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(Row {
                id: row.get(0)?,
                queue: row.get(1)?,
                group: row.get(2)?,
                received: row.get(3)?,
                due: Timestamp::from_microsecond(row.get(4)?).unwrap_or(Timestamp::MIN),
                nonce: row.get(5)?,
                dead: row.get(6)?,
            })
        })?;
        rows.collect()
    }

    pub(super) fn insert(
        &self,
        queue: QueueName,
        group: &str,
        body: &str,
        due: Timestamp,
    ) -> rusqlite::Result<i64> {
        self.connection
            .prepare_cached(
                "INSERT INTO message (queue, message_group, body, due) VALUES (?1, ?2, ?3, ?4)",
            )?
            .insert(params![queue.as_str(), group, body, due.as_microsecond()])
    }

    pub(super) fn take(
        &self,
        id: i64,
        received: u32,
        until: Timestamp,
        nonce: u32,
    ) -> rusqlite::Result<String> {
        self.connection
            .prepare_cached("UPDATE message SET received = ?2, due = ?3, nonce = ?4 WHERE id = ?1 RETURNING body")?
            .query_row(params![id, received, until.as_microsecond(), nonce], |row| row.get(0))
    }

    /// In flight under the same receipt, for longer or shorter.
    pub(super) fn extend(&self, id: i64, until: Timestamp) -> rusqlite::Result<()> {
        self.change(
            "UPDATE message SET due = ?2 WHERE id = ?1",
            params![id, until.as_microsecond()],
        )
    }

    pub(super) fn give_back(&self, id: i64, until: Timestamp) -> rusqlite::Result<()> {
        self.change(
            "UPDATE message SET nonce = NULL, due = ?2 WHERE id = ?1",
            params![id, until.as_microsecond()],
        )
    }

    pub(super) fn bury(&self, id: i64) -> rusqlite::Result<()> {
        self.change(
            "UPDATE message SET nonce = NULL, dead = 1 WHERE id = ?1",
            params![id],
        )
    }

    pub(super) fn revive(&self, id: i64) -> rusqlite::Result<()> {
        self.change(
            "UPDATE message SET dead = 0, received = 0, due = 0 WHERE id = ?1",
            params![id],
        )
    }

    pub(super) fn delete(&self, id: i64) -> rusqlite::Result<()> {
        self.change("DELETE FROM message WHERE id = ?1", params![id])
    }

    /// Moves the log into the file, so that what is left behind is one file.
    pub(super) fn shorten_log(&self) {
        let result = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .optional();
        if let Err(error) = result {
            tracing::debug!(%error, "the queue's log was not shortened");
        }
    }

    fn change(&self, sql: &str, parameters: impl rusqlite::Params) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(sql)?
            .execute(parameters)
            .map(|_| ())
    }
}
