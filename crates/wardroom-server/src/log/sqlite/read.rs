//! Reading events, words, requests and heads.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;
use wardroom_core::id::Time;

use super::{Store, write};
use crate::log::{Hash, Head, LogError, Remembered, Stored, StoredText, Stream, Tip};

pub(super) fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Time> {
    let micros: i64 = row.get(column)?;
    Time::from_microsecond(micros).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, micros))
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored {
        position: row.get("position")?,
        stream: Stream(row.get("stream")?),
        seq: row.get("seq")?,
        kind: row.get("kind")?,
        version: row.get("version")?,
        at: time(row, "at")?,
        actor: row.get("actor")?,
        body: row.get("body")?,
        hash: row.get("hash")?,
        texts: Vec::new(),
    })
}

/// Puts the words beside events that are in order of position: two queries, whatever their number.
fn with_texts(connection: &Connection, mut events: Vec<Stored>, only: Option<Stream>) -> Result<Vec<Stored>, LogError> {
    let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(events) };
    let (first, last) = (first.position, last.position);
    let mut query = connection
        .prepare_cached("SELECT stream, position, commitment, words FROM texts WHERE position BETWEEN ?1 AND ?2")?;
    let mut rows = query.query([first, last])?;
    while let Some(row) = rows.next()? {
        let stream: u32 = row.get(0)?;
        if only.is_some_and(|only| only.0 != stream) {
            continue;
        }
        let position: u64 = row.get(1)?;
        if let Ok(index) = events.binary_search_by_key(&position, |event| event.position) {
            events[index].texts.push(StoredText { commitment: row.get(2)?, words: row.get(3)? });
        }
    }
    Ok(events)
}

/// Puts the words beside events of one stream. They lie far apart in the log, so the words are looked up event by
/// event, on an index, inside one read.
fn with_texts_of(connection: &Connection, mut events: Vec<Stored>, stream: Stream) -> Result<Vec<Stored>, LogError> {
    let mut words =
        connection.prepare_cached("SELECT commitment, words FROM texts WHERE position = ?1 AND stream = ?2")?;
    for event in &mut events {
        let texts = words.query_map(params![event.position, stream.0], |row| {
            Ok(StoredText { commitment: row.get(0)?, words: row.get(1)? })
        })?;
        event.texts = texts.collect::<Result<_, _>>()?;
    }
    Ok(events)
}

/// At most `limit` events of a stream after `seq`, with their words.
pub(in crate::log) fn read_stream(
    connection: &Connection,
    stream: Stream,
    after: u64,
    limit: usize,
) -> Result<Vec<Stored>, LogError> {
    let mut query =
        connection.prepare_cached("SELECT * FROM events WHERE stream = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3")?;
    let events = query.query_map(params![stream.0, after, limit], stored)?.collect::<Result<_, _>>()?;
    with_texts_of(connection, events, stream)
}

impl Store {
    pub(in crate::log) async fn tip(&self, stream: Stream) -> Result<Tip, LogError> {
        self.read(move |connection| write::tip(connection, stream)).await
    }

    pub(in crate::log) async fn highest_stream(&self) -> Result<Stream, LogError> {
        self.read(|connection| {
            let highest: Option<u32> = connection.query_row("SELECT max(stream) FROM tips", [], |row| row.get(0))?;
            Ok(Stream(highest.unwrap_or(0)))
        })
        .await
    }

    pub(in crate::log) async fn head(&self) -> Result<Head, LogError> {
        self.read(head).await
    }

    pub(in crate::log) async fn read_stream(
        &self,
        stream: Stream,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Stored>, LogError> {
        self.read(move |connection| read_stream(connection, stream, after, limit)).await
    }

    pub(in crate::log) async fn events(&self, stream: Stream, seqs: &[u64]) -> Result<Vec<Stored>, LogError> {
        let mut seqs = seqs.to_vec();
        seqs.sort_unstable();
        self.read(move |connection| {
            let mut query = connection.prepare_cached("SELECT * FROM events WHERE stream = ?1 AND seq = ?2")?;
            let mut events = Vec::with_capacity(seqs.len());
            for seq in seqs {
                events.extend(query.query_row(params![stream.0, seq], stored).optional()?);
            }
            with_texts_of(connection, events, stream)
        })
        .await
    }

    pub(in crate::log) async fn read_all(&self, after: u64, limit: usize) -> Result<Vec<Stored>, LogError> {
        self.read(move |connection| {
            let mut query =
                connection.prepare_cached("SELECT * FROM events WHERE position > ?1 ORDER BY position LIMIT ?2")?;
            let events = query.query_map(params![after, limit], stored)?.collect::<Result<_, _>>()?;
            with_texts(connection, events, None)
        })
        .await
    }

    pub(in crate::log) async fn words(
        &self,
        stream: Stream,
        commitments: &[Hash],
    ) -> Result<Vec<StoredText>, LogError> {
        let commitments = commitments.to_vec();
        self.read(move |connection| {
            let mut query =
                connection.prepare_cached("SELECT words FROM texts WHERE stream = ?1 AND commitment = ?2")?;
            let mut found = Vec::with_capacity(commitments.len());
            for commitment in commitments {
                let words = query.query_row(params![stream.0, commitment], |row| row.get(0)).optional()?;
                found.push(StoredText { commitment, words: words.flatten() });
            }
            Ok(found)
        })
        .await
    }

    pub(in crate::log) async fn remembered(&self, actor: &str, id: Uuid) -> Result<Option<Remembered>, LogError> {
        let actor = actor.to_owned();
        self.read(move |connection| {
            let found = connection
                .prepare_cached("SELECT digest, spans FROM requests WHERE actor = ?1 AND id = ?2")?
                .query_row(params![actor, id.as_bytes()], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))
                .optional()?;
            let Some((digest, spans)) = found else { return Ok(None) };
            let spans = serde_json::from_str(&spans).map_err(LogError::unavailable)?;
            Ok(Some(Remembered { digest, spans }))
        })
        .await
    }

    pub(in crate::log) async fn check_heads(&self) -> Result<(), LogError> {
        self.read(|connection| {
            let head = head(connection)?;
            let last: Option<(u64, Option<Hash>)> = connection
                .query_row("SELECT position, link FROM events ORDER BY position DESC LIMIT 1", [], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?;
            let agrees = match last {
                None => head.position == 0,
                Some((position, link)) => position == head.position && link == Some(head.link),
            };
            if !agrees {
                return Err(LogError::damaged(Stream(0), "the log's head does not agree with its last event"));
            }
            let odd: Option<Value> = connection
                .query_row(
                    "SELECT tips.stream FROM tips LEFT JOIN events ON events.stream = tips.stream AND events.seq = tips.seq
                     WHERE events.hash IS NOT tips.hash ORDER BY tips.stream LIMIT 1",
                    [],
                    |row| row.get(0),
                )
                .optional()?;
            match odd {
                Some(Value::Integer(stream)) => Err(LogError::damaged(
                    Stream(u32::try_from(stream).unwrap_or_default()),
                    "its tip does not agree with its last event",
                )),
                _ => Ok(()),
            }
        })
        .await
    }
}

fn head(connection: &Connection) -> Result<Head, LogError> {
    let head = connection.prepare_cached("SELECT epoch, position, link FROM head")?.query_row([], |row| {
        Ok(Head { epoch: Uuid::from_bytes(row.get(0)?), position: row.get(1)?, link: row.get(2)? })
    })?;
    Ok(head)
}
