//! Reading events, words, requests and heads.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;
use wardroom_core::id::Time;

use super::{Store, write};
use crate::log::row::{Columns, bigint};
use crate::log::{Hash, Head, LogError, Remembered, Stored, StoredText, Stream, Tip};

/// A time, if the column holds one.
pub(super) fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Time>> {
    Ok(integer(row, column)?.and_then(|micros: i64| Time::from_microsecond(micros).ok()))
}

/// A number, if the column holds one that fits.
pub(super) fn integer<N: TryFrom<i64>>(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<N>> {
    Ok(row.get_ref(column)?.as_i64().ok().and_then(|number| number.try_into().ok()))
}

/// So many bytes, if the column holds them.
pub(super) fn bytes<const LEN: usize>(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<[u8; LEN]>> {
    Ok(row.get_ref(column)?.as_blob().ok().and_then(|bytes| bytes.try_into().ok()))
}

/// A text, if the column holds one.
pub(super) fn text(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<String>> {
    Ok(row.get_ref(column)?.as_str().ok().map(str::to_owned))
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    let mut columns = Columns::default();
    Ok(Stored {
        position: columns.read("position", integer(row, "position")?),
        stream: Stream(columns.read("stream", integer(row, "stream")?)),
        seq: columns.read("seq", integer(row, "seq")?),
        kind: columns.read("kind", text(row, "kind")?),
        version: columns.read("version", integer(row, "version")?),
        at: columns.read("at", time(row, "at")?),
        actor: columns.read("actor", text(row, "actor")?),
        body: columns.read("body", text(row, "body")?),
        hash: columns.read("hash", bytes(row, "hash")?),
        texts: Vec::new(),
        odd: columns.odd,
    })
}

/// Words beside an event; `None` in place of a row that holds none that Wardroom wrote.
fn stored_text(row: &Row<'_>) -> rusqlite::Result<Option<StoredText>> {
    let erased = row.get_ref("words")? == ValueRef::Null;
    let (commitment, words) = (bytes(row, "commitment")?, text(row, "words")?);
    Ok(commitment.filter(|_| erased || words.is_some()).map(|commitment| StoredText { commitment, words }))
}

/// Puts what one row says beside its event.
fn put_beside(event: &mut Stored, text: Option<StoredText>) {
    match text {
        Some(text) => event.texts.push(text),
        None => {
            event.odd.get_or_insert("words");
        }
    }
}

/// Puts the words beside events that are in order of position: two queries, whatever their number.
fn with_texts(connection: &Connection, mut events: Vec<Stored>) -> Result<Vec<Stored>, LogError> {
    let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(events) };
    let (first, last) = (bigint(first.position), bigint(last.position));
    let mut query =
        connection.prepare_cached("SELECT position, commitment, words FROM texts WHERE position BETWEEN ?1 AND ?2")?;
    let mut rows = query.query([first, last])?;
    while let Some(row) = rows.next()? {
        let position: u64 = integer(row, "position")?.unwrap_or_default();
        if let Ok(index) = events.binary_search_by_key(&position, |event| event.position) {
            put_beside(&mut events[index], stored_text(row)?);
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
        let mut rows = words.query(params![bigint(event.position), stream.0])?;
        while let Some(row) = rows.next()? {
            put_beside(event, stored_text(row)?);
        }
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
    let events =
        query.query_map(params![stream.0, bigint(after), bigint(limit as u64)], stored)?.collect::<Result<_, _>>()?;
    with_texts_of(connection, events, stream)
}

impl Store {
    pub(in crate::log) async fn tip(&self, stream: Stream) -> Result<Tip, LogError> {
        self.read(move |connection| write::tip(connection, stream)).await
    }

    pub(in crate::log) async fn highest_stream(&self) -> Result<Stream, LogError> {
        self.read(|connection| {
            // What stands beyond was not written by Wardroom, and is nobody's.
            let highest: Option<u32> = connection.query_row(
                "SELECT max(stream) FROM tips WHERE stream BETWEEN 0 AND ?1",
                [u32::MAX],
                |row| row.get(0),
            )?;
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
                events.extend(query.query_row(params![stream.0, bigint(seq)], stored).optional()?);
            }
            with_texts_of(connection, events, stream)
        })
        .await
    }

    pub(in crate::log) async fn read_all(&self, after: u64, limit: usize) -> Result<Vec<Stored>, LogError> {
        self.read(move |connection| {
            let mut query =
                connection.prepare_cached("SELECT * FROM events WHERE position > ?1 ORDER BY position LIMIT ?2")?;
            let events =
                query.query_map(params![bigint(after), bigint(limit as u64)], stored)?.collect::<Result<_, _>>()?;
            with_texts(connection, events)
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
                let words = query.query_row(params![stream.0, commitment], |row| text(row, "words")).optional()?;
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
                .query_row(params![actor, id.as_bytes()], |row| Ok((bytes(row, "digest")?, text(row, "spans")?)))
                .optional()?;
            let Some((digest, spans)) = found else { return Ok(None) };
            Remembered::read(digest, spans.as_deref()).map(Some)
        })
        .await
    }

    pub(in crate::log) async fn check_heads(&self) -> Result<(), LogError> {
        self.read(|connection| {
            let head = head(connection)?;
            let last: Option<(Option<u64>, Option<Hash>)> = connection
                .query_row("SELECT position, link FROM events ORDER BY position DESC LIMIT 1", [], |row| {
                    Ok((integer(row, "position")?, bytes(row, "link")?))
                })
                .optional()?;
            let agrees = match last {
                None => head.position == 0,
                Some(last) => last == (Some(head.position), Some(head.link)),
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

pub(super) fn head(connection: &Connection) -> Result<Head, LogError> {
    let head = connection
        .prepare_cached("SELECT epoch, position, link FROM head")?
        .query_row([], |row| Ok((bytes(row, "epoch")?, integer(row, "position")?, bytes(row, "link")?)))?;
    let (Some(epoch), Some(position), Some(link)) = head else {
        return Err(LogError::damaged(Stream(0), "the log's head cannot be read"));
    };
    Ok(Head { epoch: Uuid::from_bytes(epoch), position, link })
}
