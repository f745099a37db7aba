//! What verification and backup read: rows as they are, nothing made up.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::Row;
use uuid::Uuid;

use super::{Store, connect};
use crate::log::verify::{Walked, WalkedText};
use crate::log::{Hash, Head, LogError, Stream, Tip};

fn walked(row: &Row<'_>) -> rusqlite::Result<Walked> {
    // Bytes of another length are as wrong as wrong ones, and found as such.
    let bytes = |bytes: Vec<u8>| Hash::try_from(bytes).unwrap_or_default();
    let version: i64 = row.get("version")?;
    Ok(Walked {
        position: row.get("position")?,
        stream: Stream(row.get("stream")?),
        seq: row.get("seq")?,
        kind: row.get("kind")?,
        version: u16::try_from(version).unwrap_or(u16::MAX),
        at_us: row.get("at")?,
        actor: row.get("actor")?,
        body: row.get("body")?,
        hash: bytes(row.get("hash")?),
        link: row.get::<_, Option<Vec<u8>>>("link")?.map(bytes),
        texts: Vec::new(),
    })
}

impl Store {
    pub(in crate::log) async fn ends(&self) -> Result<(Head, BTreeMap<Stream, Tip>), LogError> {
        self.read(|connection| {
            let snapshot = connection.unchecked_transaction()?;
            let head = snapshot.query_row("SELECT epoch, position, link FROM head", [], |row| {
                Ok(Head { epoch: Uuid::from_bytes(row.get(0)?), position: row.get(1)?, link: row.get(2)? })
            })?;
            let mut query = snapshot.prepare("SELECT stream, seq, hash FROM tips")?;
            let rows =
                query.query_map([], |row| Ok((Stream(row.get(0)?), Tip { seq: row.get(1)?, hash: row.get(2)? })))?;
            Ok((head, rows.collect::<Result<_, _>>()?))
        })
        .await
    }

    pub(in crate::log) async fn walk(&self, after: u64, limit: usize) -> Result<Vec<Walked>, LogError> {
        self.read(move |connection| {
            let mut query =
                connection.prepare_cached("SELECT * FROM events WHERE position > ?1 ORDER BY position LIMIT ?2")?;
            let rows = query.query_map(rusqlite::params![after, limit], walked)?;
            let mut events: Vec<Walked> = rows.collect::<Result<_, _>>()?;
            let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(events) };
            let (first, last) = (first.position, last.position);
            let mut query = connection.prepare_cached(
                "SELECT position, commitment, salt, words, erased_by FROM texts WHERE position BETWEEN ?1 AND ?2",
            )?;
            let mut rows = query.query([first, last])?;
            while let Some(row) = rows.next()? {
                let position: u64 = row.get(0)?;
                let (salt, words): (Option<Vec<u8>>, Option<String>) = (row.get(2)?, row.get(3)?);
                let salt = salt.and_then(|salt| salt.try_into().ok());
                let commitment = row.get::<_, Vec<u8>>(1)?.try_into().unwrap_or_default();
                let text = WalkedText { commitment, kept: salt.zip(words), erased_by: row.get(4)? };
                if let Ok(index) = events.binary_search_by_key(&position, |event| event.position) {
                    events[index].texts.push(text);
                }
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
