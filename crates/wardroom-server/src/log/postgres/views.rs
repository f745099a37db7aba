//! The tables beside the log: snapshots, the board, presence, prompts, signs of life.

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;
use wardroom_core::id::{Number, PersonId, Time};

use super::Store;
use super::read::{hash, time, unsigned};
use crate::log::row::bigint;
use crate::log::{BEATS_KEPT, BoardRow, LogError, PROMPTS_KEPT, Snapshot, Stream};

/// A row of the board; `None` for one that Wardroom never wrote.
fn board_row(row: &Row) -> Option<BoardRow> {
    Some(BoardRow {
        number: u32::try_from(row.get::<_, i64>("number")).ok().and_then(Number::new)?,
        seq: unsigned(row, "seq"),
        open: row.get("open"),
        next_due: row.get::<_, Option<i64>>("next_due").and_then(time),
        body: row.get("body"),
    })
}

impl Store {
    pub(in crate::log) async fn snapshot(&self, stream: Stream, version: u32) -> Result<Option<Snapshot>, LogError> {
        let client = self.client().await?;
        let query = client
            .prepare_cached("SELECT seq, hash, body FROM snapshots WHERE stream = $1 AND fold_version = $2")
            .await?;
        let found = client.query_opt(&query, &[&i64::from(stream.0), &i64::from(version)]).await?;
        Ok(found.and_then(|row| {
            Some(Snapshot { seq: unsigned(&row, "seq"), hash: hash(&row, "hash")?, body: row.get("body") })
        }))
    }

    pub(in crate::log) async fn put_snapshot(
        &self,
        stream: Stream,
        version: u32,
        snapshot: Snapshot,
    ) -> Result<(), LogError> {
        self.do_it(
            "INSERT INTO snapshots AS s VALUES ($1, $2, $3, $4, $5) ON CONFLICT (stream, fold_version)
             DO UPDATE SET seq = excluded.seq, hash = excluded.hash, body = excluded.body WHERE s.seq < excluded.seq",
            &[
                &i64::from(stream.0),
                &i64::from(version),
                &bigint(snapshot.seq),
                &snapshot.hash.to_vec(),
                &snapshot.body,
            ],
        )
        .await
    }

    pub(super) async fn do_it(&self, statement: &str, values: &[&(dyn ToSql + Sync)]) -> Result<(), LogError> {
        let client = self.client().await?;
        let statement = client.prepare_cached(statement).await?;
        client.execute(&statement, values).await?;
        Ok(())
    }

    pub(in crate::log) async fn seen(&self, latest: i64) -> Result<Vec<(String, Time)>, LogError> {
        let client = self.client().await?;
        let rows = client.query("SELECT person, at FROM seen WHERE at <= $1", &[&latest]).await?;
        Ok(rows.iter().filter_map(|row| Some((row.get("person"), time(row.get("at"))?))).collect())
    }

    pub(in crate::log) async fn put_seen(&self, mut seen: Vec<(String, Time)>, latest: i64) -> Result<(), LogError> {
        self.do_it("DELETE FROM seen WHERE at > $1", &[&latest]).await?;
        seen.sort(); // Two nodes that lock the same rows do so in the same order.
        let (people, ats): (Vec<String>, Vec<i64>) =
            seen.into_iter().map(|(person, at)| (person, at.as_microsecond())).unzip();
        self.do_it(
            "INSERT INTO seen AS s SELECT * FROM unnest($1::text[], $2::bigint[])
             ON CONFLICT (person) DO UPDATE SET at = greatest(s.at, excluded.at)",
            &[&people, &ats],
        )
        .await
    }

    pub(in crate::log) async fn prompts(&self, since: i64) -> Result<Vec<(PersonId, String)>, LogError> {
        let client = self.client().await?;
        let rows = client.query("SELECT person, body FROM prompts WHERE at >= $1", &[&since]).await?;
        Ok(rows.iter().map(|row| (PersonId(row.get("person")), row.get("body"))).collect())
    }

    pub(in crate::log) async fn prompts_of(&self, person: PersonId) -> Result<Option<String>, LogError> {
        let client = self.client().await?;
        let query = client.prepare_cached("SELECT body FROM prompts WHERE person = $1").await?;
        Ok(client.query_opt(&query, &[&person.0]).await?.map(|row| row.get("body")))
    }

    pub(in crate::log) async fn put_prompts(
        &self,
        person: PersonId,
        before: Option<String>,
        after: String,
        now: Time,
    ) -> Result<bool, LogError> {
        let now = now.as_microsecond();
        let client = self.client().await?;
        let put = client
            .prepare_cached(
                "INSERT INTO prompts AS p VALUES ($1, $2, $3)
                 ON CONFLICT (person) DO UPDATE SET at = excluded.at, body = excluded.body WHERE p.body = $4",
            )
            .await?;
        let put = client.execute(&put, &[&person.0, &now, &after, &before]).await? == 1;
        drop(client);
        self.do_it("DELETE FROM prompts WHERE at < $1", &[&now.saturating_sub(PROMPTS_KEPT)]).await?;
        Ok(put)
    }

    pub(in crate::log) async fn beat(&self, node: Uuid, at: Time) -> Result<(), LogError> {
        let forgotten = at.as_microsecond().saturating_sub(BEATS_KEPT);
        self.do_it(
            "INSERT INTO beats VALUES ($1, $2) ON CONFLICT (node) DO UPDATE SET at = excluded.at",
            &[&node, &at.as_microsecond()],
        )
        .await?;
        self.do_it("DELETE FROM beats WHERE at < $1", &[&forgotten]).await
    }

    pub(in crate::log) async fn last_beat(&self, latest: i64) -> Result<Option<Time>, LogError> {
        let client = self.client().await?;
        let row = client.query_one("SELECT max(at) AS at FROM beats WHERE at <= $1", &[&latest]).await?;
        Ok(row.get::<_, Option<i64>>("at").and_then(time))
    }

    pub(in crate::log) async fn put_board(&self, mut rows: Vec<BoardRow>, cursor: u64) -> Result<(), LogError> {
        rows.sort_by_key(|row| row.number); // Two nodes that lock the same rows do so in the same order.
        let mut client = self.client().await?;
        let transaction = client.transaction().await?;
        for row in rows {
            let due = row.next_due.map(Time::as_microsecond);
            transaction
                .execute(
                    "INSERT INTO board AS b VALUES ($1, $2, $3, $4, $5) ON CONFLICT (number) DO UPDATE
                     SET seq = excluded.seq, open = excluded.open, next_due = excluded.next_due, body = excluded.body
                     WHERE b.seq <= excluded.seq",
                    &[&i64::from(row.number.get()), &bigint(row.seq), &row.open, &due, &row.body],
                )
                .await?;
        }
        transaction
            .execute(
                "INSERT INTO cursors AS c VALUES ('board', $1)
                 ON CONFLICT (name) DO UPDATE SET position = greatest(c.position, excluded.position)",
                &[&bigint(cursor)],
            )
            .await?;
        Ok(transaction.commit().await?)
    }

    pub(in crate::log) async fn board_cursor(&self) -> Result<u64, LogError> {
        let client = self.client().await?;
        let row = client.query_opt("SELECT position FROM cursors WHERE name = 'board'", &[]).await?;
        Ok(row.map_or(0, |row| unsigned(&row, "position")))
    }

    async fn board(&self, query: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<BoardRow>, LogError> {
        let client = self.client().await?;
        let query = client.prepare_cached(query).await?;
        Ok(client.query(&query, values).await?.iter().filter_map(board_row).collect())
    }

    pub(in crate::log) async fn board_open(&self) -> Result<Vec<BoardRow>, LogError> {
        self.board("SELECT * FROM board WHERE open ORDER BY number DESC", &[]).await
    }

    pub(in crate::log) async fn board_ended(&self, below: u32, limit: usize) -> Result<Vec<BoardRow>, LogError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.board(
            "SELECT * FROM board WHERE NOT open AND number < $1 ORDER BY number DESC LIMIT $2",
            &[&i64::from(below), &limit],
        )
        .await
    }

    pub(in crate::log) async fn board_lacks(&self) -> Result<Vec<Number>, LogError> {
        let client = self.client().await?;
        let lacking = "SELECT t.stream FROM tips AS t LEFT JOIN board AS b ON b.number = t.stream
                       WHERE t.stream > 0 AND (b.number IS NULL OR b.seq < t.seq)";
        let rows = client.query(lacking, &[]).await?;
        Ok(rows
            .iter()
            .filter_map(|row| u32::try_from(row.get::<_, i64>("stream")).ok().and_then(Number::new))
            .collect())
    }

    pub(in crate::log) async fn board_due(&self, now: Time) -> Result<Vec<BoardRow>, LogError> {
        self.board("SELECT * FROM board WHERE next_due <= $1 ORDER BY next_due LIMIT 1000", &[&now.as_microsecond()])
            .await
    }

    pub(in crate::log) async fn clear_views(&self) -> Result<(), LogError> {
        let client = self.client().await?;
        Ok(client.batch_execute("BEGIN; DELETE FROM snapshots; DELETE FROM board; DELETE FROM cursors; COMMIT").await?)
    }
}
