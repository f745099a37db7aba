//! Appending: one `BEGIN IMMEDIATE` transaction for a whole batch, all of it or nothing.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::read::{bytes, head, integer};
use crate::log::row::bigint;
use crate::log::{Append, Draft, Head, LogError, Span, Stream, Tip, Write, chain};

/// Where the log stands while a batch is being written.
struct Pen {
    position: u64,
    batch: chain::Batch,
}

pub(super) fn append(connection: &mut Connection, appends: &[Append]) -> Result<Vec<Vec<Span>>, LogError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let spans = append_within(&transaction, appends)?;
    transaction.commit().map_err(LogError::after_commit)?;
    Ok(spans)
}

/// Appends within a transaction that somebody else commits.
pub(in crate::log) fn append_within(
    transaction: &Transaction<'_>,
    appends: &[Append],
) -> Result<Vec<Vec<Span>>, LogError> {
    let Head { position: before, link, .. } = head(transaction)?;
    let mut pen = Pen { position: before, batch: chain::Batch::default() };
    let mut spans = Vec::with_capacity(appends.len());
    for append in appends {
        let written = append.writes.iter().map(|write| write_stream(transaction, &mut pen, write));
        let written = written.collect::<Result<Vec<Span>, LogError>>()?;
        remember(transaction, append, &written)?;
        spans.push(written);
    }
    if pen.position > before {
        let link = chain::link(&link, before + 1, &pen.batch.digest());
        transaction
            .prepare_cached("UPDATE events SET link = ?1 WHERE position = ?2")?
            .execute(params![link, bigint(pen.position)])?;
        transaction
            .prepare_cached("UPDATE head SET position = ?1, link = ?2")?
            .execute(params![bigint(pen.position), link])?;
    }
    Ok(spans)
}

fn write_stream(transaction: &Transaction<'_>, pen: &mut Pen, write: &Write) -> Result<Span, LogError> {
    if tip(transaction, write.stream)? != write.expected {
        return Err(LogError::Conflict);
    }
    let mut tip = write.expected;
    for draft in &write.drafts {
        tip = chain::after(&tip, write.stream, draft);
        pen.position += 1;
        pen.batch.add(&tip.hash);
        insert(transaction, pen.position, write.stream, tip, draft)?;
    }
    transaction
        .prepare_cached("INSERT INTO tips VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET seq = ?2, hash = ?3")?
        .execute(params![write.stream.0, bigint(tip.seq), tip.hash])?;
    let mut erase = transaction.prepare_cached(
        "UPDATE texts SET words = NULL, salt = NULL, erased_by = ?3
         WHERE stream = ?1 AND commitment = ?2 AND erased_by IS NULL",
    )?;
    for commitment in &write.erase {
        erase.execute(params![write.stream.0, commitment, bigint(pen.position)])?;
    }
    Ok(Span { stream: write.stream, first: write.expected.seq + 1, last: tip.seq, position: pen.position })
}

fn insert(
    transaction: &Transaction<'_>,
    position: u64,
    stream: Stream,
    tip: Tip,
    draft: &Draft,
) -> Result<(), LogError> {
    let Draft { kind, version, at, actor, body, texts } = draft;
    transaction
        .prepare_cached(
            "INSERT INTO events (position, stream, seq, kind, version, at, actor, body, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            bigint(position),
            stream.0,
            bigint(tip.seq),
            kind,
            version,
            at.as_microsecond(),
            actor,
            body,
            tip.hash
        ])?;
    let mut beside = transaction
        .prepare_cached("INSERT INTO texts (stream, commitment, position, salt, words) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for text in texts {
        beside.execute(params![stream.0, text.commitment, bigint(position), text.salt, text.words])?;
    }
    Ok(())
}

fn remember(transaction: &Transaction<'_>, append: &Append, spans: &[Span]) -> Result<(), LogError> {
    let spans = serde_json::to_string(spans).expect("spans are plain data");
    let request = &append.request;
    let inserted = transaction
        .prepare_cached("INSERT INTO requests VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING")?
        .execute(params![request.actor, request.id.as_bytes(), request.digest, spans])?;
    if inserted == 1 { Ok(()) } else { Err(LogError::Duplicate) }
}

pub(super) fn tip(connection: &Connection, stream: Stream) -> Result<Tip, LogError> {
    let known = connection
        .prepare_cached("SELECT seq, hash FROM tips WHERE stream = ?1")?
        .query_row([stream.0], |row| Ok((integer(row, "seq")?, bytes(row, "hash")?)))
        .optional()?;
    match known {
        None => Ok(Tip::default()),
        Some((Some(seq), Some(hash))) => Ok(Tip { seq, hash }),
        Some(_) => Err(LogError::damaged(stream, "its tip cannot be read")),
    }
}
