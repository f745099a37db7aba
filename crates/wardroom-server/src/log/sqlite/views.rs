//! The tables beside the log: snapshots, the board, presence, prompts, signs of life.

use rusqlite::{OptionalExtension, Row, params};
use uuid::Uuid;
use wardroom_core::id::{Number, PersonId, Time};

use super::Store;
use super::read::{bytes, integer, text, time};
use crate::log::row::bigint;
use crate::log::{BEATS_KEPT, BoardRow, LogError, PROMPTS_KEPT, Snapshot, Stream};

/// A row of the board; `None` for one that Wardroom never wrote.
fn board_row(row: &Row<'_>) -> rusqlite::Result<Option<BoardRow>> {
    let number = integer(row, "number")?.and_then(Number::new);
    let (seq, open, body) = (integer(row, "seq")?, integer::<i64>(row, "open")?, text(row, "body")?);
    let (Some(number), Some(seq), Some(open), Some(body)) = (number, seq, open, body) else { return Ok(None) };
    Ok(Some(BoardRow { number, seq, open: open != 0, next_due: time(row, "next_due")?, body }))
}

impl Store {
    pub(in crate::log) async fn snapshot(&self, stream: Stream, version: u32) -> Result<Option<Snapshot>, LogError> {
        self.read(move |connection| {
            let snapshot = connection
                .prepare_cached("SELECT seq, hash, body FROM snapshots WHERE stream = ?1 AND fold_version = ?2")?
                .query_row(params![stream.0, version], |row| {
                    Ok((integer(row, "seq")?, bytes(row, "hash")?, text(row, "body")?))
                })
                .optional()?;
            let Some((Some(seq), Some(hash), Some(body))) = snapshot else { return Ok(None) };
            Ok(Some(Snapshot { seq, hash, body }))
        })
        .await
    }

    pub(in crate::log) async fn put_snapshot(
        &self,
        stream: Stream,
        version: u32,
        snapshot: Snapshot,
    ) -> Result<(), LogError> {
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO snapshots VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT DO UPDATE SET seq = ?3, hash = ?4, body = ?5 WHERE seq < ?3",
                )?
                .execute(params![stream.0, version, bigint(snapshot.seq), snapshot.hash, snapshot.body])?;
            Ok(())
        })
        .await
    }

    pub(in crate::log) async fn seen(&self, latest: i64) -> Result<Vec<(String, Time)>, LogError> {
        self.read(move |connection| {
            let mut query = connection.prepare_cached("SELECT person, at FROM seen WHERE at <= ?1")?;
            let rows = query.query_map([latest], |row| Ok(text(row, "person")?.zip(time(row, "at")?)))?;
            Ok(rows.filter_map(Result::transpose).collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(in crate::log) async fn put_seen(&self, seen: Vec<(String, Time)>, latest: i64) -> Result<(), LogError> {
        self.write(move |connection| {
            let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            transaction.prepare_cached("DELETE FROM seen WHERE at > ?1")?.execute([latest])?;
            for (person, at) in seen {
                transaction
                    .prepare_cached("INSERT INTO seen VALUES (?1, ?2) ON CONFLICT DO UPDATE SET at = max(at, ?2)")?
                    .execute(params![person, at.as_microsecond()])?;
            }
            Ok(transaction.commit()?)
        })
        .await
    }

    pub(in crate::log) async fn prompts(&self, since: i64) -> Result<Vec<(PersonId, String)>, LogError> {
        self.read(move |connection| {
            let mut query = connection.prepare_cached("SELECT person, body FROM prompts WHERE at >= ?1")?;
            let rows = query.query_map([since], |row| {
                let person = text(row, "person")?.and_then(|person| person.parse().ok().map(PersonId));
                Ok(person.zip(text(row, "body")?))
            })?;
            Ok(rows.filter_map(Result::transpose).collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(in crate::log) async fn prompts_of(&self, person: PersonId) -> Result<Option<String>, LogError> {
        self.read(move |connection| {
            let found = connection
                .prepare_cached("SELECT body FROM prompts WHERE person = ?1")?
                .query_row([person.to_string()], |row| text(row, "body"))
                .optional()?;
            Ok(found.flatten())
        })
        .await
    }

    pub(in crate::log) async fn put_prompts(
        &self,
        person: PersonId,
        before: Option<String>,
        after: String,
        now: Time,
    ) -> Result<bool, LogError> {
        self.write(move |connection| {
            let now = now.as_microsecond();
            let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            let put = transaction
                .prepare_cached(
                    "INSERT INTO prompts VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET at = ?2, body = ?3 WHERE body = ?4",
                )?
                .execute(params![person.to_string(), now, after, before])?;
            let forgotten = now.saturating_sub(PROMPTS_KEPT);
            transaction.prepare_cached("DELETE FROM prompts WHERE at < ?1")?.execute([forgotten])?;
            transaction.commit()?;
            Ok(put == 1)
        })
        .await
    }

    pub(in crate::log) async fn beat(&self, node: Uuid, at: Time) -> Result<(), LogError> {
        let inner = std::sync::Arc::clone(&self.inner);
        self.write(move |connection| {
            super::erase::finish(connection, &inner.file, &mut super::lock(&inner.erased));
            connection
                .prepare_cached("INSERT INTO beats VALUES (?1, ?2) ON CONFLICT DO UPDATE SET at = ?2")?
                .execute(params![node.as_bytes(), at.as_microsecond()])?;
            let forgotten = at.as_microsecond().saturating_sub(BEATS_KEPT);
            connection.prepare_cached("DELETE FROM beats WHERE at < ?1")?.execute([forgotten])?;
            Ok(())
        })
        .await
    }

    pub(in crate::log) async fn last_beat(&self, latest: i64) -> Result<Option<Time>, LogError> {
        self.read(move |connection| {
            let last: Option<i64> =
                connection.query_row("SELECT max(at) FROM beats WHERE at <= ?1", [latest], |row| row.get(0))?;
            Ok(last.and_then(|micros| Time::from_microsecond(micros).ok()))
        })
        .await
    }

    pub(in crate::log) async fn put_board(&self, rows: Vec<BoardRow>, cursor: u64) -> Result<(), LogError> {
        self.write(move |connection| {
            let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            for row in rows {
                transaction
                    .prepare_cached(
                        "INSERT INTO board VALUES (?1, ?2, ?3, ?4, ?5)
                         ON CONFLICT DO UPDATE SET seq = ?2, open = ?3, next_due = ?4, body = ?5 WHERE seq <= ?2",
                    )?
                    .execute(params![
                        row.number.get(),
                        bigint(row.seq),
                        row.open,
                        row.next_due.map(Time::as_microsecond),
                        row.body
                    ])?;
            }
            transaction
                .prepare_cached(
                    "INSERT INTO cursors VALUES ('board', ?1) ON CONFLICT DO UPDATE SET position = max(position, ?1)",
                )?
                .execute([bigint(cursor)])?;
            Ok(transaction.commit()?)
        })
        .await
    }

    pub(in crate::log) async fn board_cursor(&self) -> Result<u64, LogError> {
        self.read(|connection| {
            let cursor = connection
                .query_row("SELECT position FROM cursors WHERE name = 'board'", [], |row| integer(row, "position"))
                .optional()?;
            Ok(cursor.flatten().unwrap_or(0))
        })
        .await
    }

    async fn board(&self, query: &'static str, bounds: [i64; 2]) -> Result<Vec<BoardRow>, LogError> {
        self.read(move |connection| {
            let mut query = connection.prepare_cached(query)?;
            let rows = query.query_map(bounds, board_row)?;
            Ok(rows.filter_map(Result::transpose).collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(in crate::log) async fn board_open(&self) -> Result<Vec<BoardRow>, LogError> {
        self.board("SELECT * FROM board WHERE open = 1 AND ?1 = ?2 ORDER BY number DESC", [0, 0]).await
    }

    pub(in crate::log) async fn board_ended(&self, below: u32, limit: usize) -> Result<Vec<BoardRow>, LogError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.board(
            "SELECT * FROM board WHERE open = 0 AND number < ?1 ORDER BY number DESC LIMIT ?2",
            [i64::from(below), limit],
        )
        .await
    }

    pub(in crate::log) async fn board_lacks(&self) -> Result<Vec<Number>, LogError> {
        self.read(|connection| {
            let mut query = connection.prepare_cached(
                "SELECT t.stream FROM tips AS t LEFT JOIN board AS b ON b.number = t.stream
                 WHERE t.stream > 0 AND (b.number IS NULL OR b.seq < t.seq)",
            )?;
            let numbers = query.query_map([], |row| Ok(integer(row, "stream")?.and_then(Number::new)))?;
            Ok(numbers.filter_map(Result::transpose).collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(in crate::log) async fn board_due(&self, now: Time) -> Result<Vec<BoardRow>, LogError> {
        self.board("SELECT * FROM board WHERE next_due <= ?1 ORDER BY next_due LIMIT ?2", [now.as_microsecond(), 1_000])
            .await
    }

    pub(in crate::log) async fn clear_views(&self) -> Result<(), LogError> {
        self.write(|connection| {
            Ok(connection.execute_batch(
                "BEGIN IMMEDIATE; DELETE FROM snapshots; DELETE FROM board; DELETE FROM cursors; COMMIT",
            )?)
        })
        .await
    }
}
