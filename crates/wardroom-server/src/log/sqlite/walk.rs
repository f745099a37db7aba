//! What verification and backup read: rows as they are, nothing made up.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Row, params};

use super::read::{bytes, head, integer, text};
use super::{Store, connect};
use crate::log::proof::{Walked, WalkedText};
use crate::log::row::bigint;
use crate::log::{Head, LogError, Stream, Tip};

/// What Wardroom never writes, such as bytes of another length, is as wrong as what is wrong, and found as such.
fn walked(row: &Row<'_>) -> rusqlite::Result<Walked> {
    Ok(Walked {
        position: integer(row, "position")?.unwrap_or_default(),
        stream: Stream(integer(row, "stream")?.unwrap_or_default()),
        seq: integer(row, "seq")?.unwrap_or_default(),
        kind: text(row, "kind")?.unwrap_or_default(),
        version: integer(row, "version")?.unwrap_or(u16::MAX),
        at_us: integer(row, "at")?.unwrap_or_default(),
        actor: text(row, "actor")?.unwrap_or_default(),
        body: text(row, "body")?.unwrap_or_default(),
        hash: bytes(row, "hash")?.unwrap_or_default(),
        link: match row.get_ref("link")? {
            ValueRef::Null => None,
            _ => Some(bytes(row, "link")?.unwrap_or_default()),
        },
        texts: Vec::new(),
    })
}

fn walked_text(row: &Row<'_>) -> rusqlite::Result<WalkedText> {
    Ok(WalkedText {
        commitment: bytes(row, "commitment")?.unwrap_or_default(),
        kept: bytes(row, "salt")?.zip(text(row, "words")?),
        erased_by: integer(row, "erased_by")?,
    })
}

impl Store {
    pub(in crate::log) async fn ends(&self) -> Result<(Head, BTreeMap<Stream, Tip>), LogError> {
        self.read(|connection| {
            let snapshot = connection.unchecked_transaction()?;
            let head = head(&snapshot)?;
            let mut query = snapshot.prepare("SELECT stream, seq, hash FROM tips")?;
            let rows = query.query_map([], |row| {
                let seq = integer(row, "seq")?.unwrap_or_default();
                let tip = Tip { seq, hash: bytes(row, "hash")?.unwrap_or_default() };
                Ok((Stream(integer(row, "stream")?.unwrap_or_default()), tip))
            })?;
            Ok((head, rows.collect::<Result<_, _>>()?))
        })
        .await
    }

    pub(in crate::log) async fn walk(&self, after: u64, limit: usize) -> Result<Vec<Walked>, LogError> {
        self.read(move |connection| {
            let mut query =
                connection.prepare_cached("SELECT * FROM events WHERE position > ?1 ORDER BY position LIMIT ?2")?;
            let rows = query.query_map([bigint(after), bigint(limit as u64)], walked)?;
            let mut events: Vec<Walked> = rows.collect::<Result<_, _>>()?;
            let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(events) };
            let (first, last) = (bigint(first.position), bigint(last.position));
            let mut query = connection.prepare_cached(
                "SELECT position, commitment, salt, words, erased_by FROM texts WHERE position BETWEEN ?1 AND ?2",
            )?;
            let mut rows = query.query([first, last])?;
            while let Some(row) = rows.next()? {
                let position: u64 = integer(row, "position")?.unwrap_or_default();
                let text = walked_text(row)?;
                if let Ok(index) = events.binary_search_by_key(&position, |event| event.position) {
                    events[index].texts.push(text);
                }
            }
            Ok(events)
        })
        .await
    }

    pub(in crate::log) async fn walk_stream(
        &self,
        stream: Stream,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Walked>, LogError> {
        self.read(move |connection| {
            let mut query = connection
                .prepare_cached("SELECT * FROM events WHERE stream = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3")?;
            let rows = query.query_map(params![stream.0, bigint(after), bigint(limit as u64)], walked)?;
            let mut events: Vec<Walked> = rows.collect::<Result<_, _>>()?;
            let mut words = connection.prepare_cached(
                "SELECT commitment, salt, words, erased_by FROM texts WHERE position = ?1 AND stream = ?2
                 ORDER BY commitment",
            )?;
            for event in &mut events {
                let rows = words.query_map(params![bigint(event.position), stream.0], walked_text)?;
                event.texts = rows.collect::<Result<_, _>>()?;
            }
            Ok(events)
        })
        .await
    }

    /// Copies a consistent image of the database into a new file, without keeping writers waiting.
    pub(in crate::log) async fn copy_to(&self, file: &Path) -> Result<(), LogError> {
        let (from, to) = (self.file().to_owned(), file.to_string_lossy().into_owned());
        let copied = tokio::task::spawn_blocking(move || {
            connect(&from)?.execute("VACUUM INTO ?1", [to])?;
            Ok(())
        });
        copied.await.map_err(LogError::unavailable)?
    }
}
