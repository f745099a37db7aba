//! Reading events, words, requests and heads.

use std::time::Duration;

use tokio_postgres::Row;
use uuid::Uuid;
use wardroom_core::id::Time;

use super::Store;
use crate::log::row::{Columns, bigint};
use crate::log::{Hash, Head, LogError, Remembered, Stored, StoredText, Stream, Tip, WAIT_MAX};

/// How often the counter is looked at in case a notification was lost.
const POLL: Duration = Duration::from_millis(500);

pub(super) fn unsigned(row: &Row, column: &str) -> u64 {
    row.get::<_, i64>(column).unsigned_abs()
}

pub(super) fn stream(row: &Row, column: &str) -> Stream {
    Stream(u32::try_from(row.get::<_, i64>(column)).unwrap_or_default())
}

/// A hash, if the column holds one.
pub(super) fn hash(row: &Row, column: &str) -> Option<Hash> {
    row.get::<_, &[u8]>(column).try_into().ok()
}

/// A time, if it is one.
pub(super) fn time(micros: i64) -> Option<Time> {
    Time::from_microsecond(micros).ok()
}

pub(super) fn head(row: &Row) -> Result<Head, LogError> {
    let link = hash(row, "link").ok_or_else(|| LogError::damaged(Stream(0), "the log's head cannot be read"))?;
    Ok(Head { epoch: row.get("epoch"), position: unsigned(row, "position"), link })
}

fn limited(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Events with the words beside them, as two arrays that go together.
const EVENTS: &str = "SELECT e.*, t.commitments, t.words FROM events AS e CROSS JOIN LATERAL (
     SELECT array_agg(commitment) AS commitments, array_agg(words) AS words
     FROM texts WHERE texts.position = e.position) AS t";

fn stored(row: &Row) -> Stored {
    let mut columns = Columns::default();
    let commitments: Option<Vec<&[u8]>> = row.get("commitments");
    let words: Option<Vec<Option<String>>> = row.get("words");
    let texts = commitments.unwrap_or_default().into_iter().zip(words.unwrap_or_default());
    let texts = texts
        .filter_map(|(commitment, words)| {
            let commitment = Hash::try_from(commitment).ok();
            columns.read("words", commitment.map(|commitment| Some(StoredText { commitment, words })))
        })
        .collect();
    Stored {
        position: unsigned(row, "position"),
        stream: Stream(columns.read("stream", u32::try_from(row.get::<_, i64>("stream")).ok())),
        seq: unsigned(row, "seq"),
        kind: row.get("kind"),
        version: columns.read("version", u16::try_from(row.get::<_, i32>("version")).ok()),
        at: columns.read("at", time(row.get("at"))),
        actor: row.get("actor"),
        body: row.get("body"),
        hash: columns.read("hash", hash(row, "hash")),
        texts,
        odd: columns.odd,
    }
}

impl Store {
    pub(in crate::log) async fn tip(&self, stream: Stream) -> Result<Tip, LogError> {
        let client = self.client().await?;
        let query = client.prepare_cached("SELECT seq, hash FROM tips WHERE stream = $1").await?;
        match client.query_opt(&query, &[&i64::from(stream.0)]).await? {
            Some(row) => match hash(&row, "hash") {
                Some(hash) => Ok(Tip { seq: unsigned(&row, "seq"), hash }),
                None => Err(LogError::damaged(stream, "its tip cannot be read")),
            },
            None => Ok(Tip::default()),
        }
    }

    pub(in crate::log) async fn highest_stream(&self) -> Result<Stream, LogError> {
        let client = self.client().await?;
        let row = client
            .query_one(
                // What stands beyond was not written by Wardroom, and is nobody's.
                "SELECT coalesce(max(stream), 0) AS stream FROM tips WHERE stream BETWEEN 0 AND $1",
                &[&i64::from(u32::MAX)],
            )
            .await?;
        Ok(stream(&row, "stream"))
    }

    pub(in crate::log) async fn head(&self) -> Result<Head, LogError> {
        let client = self.client().await?;
        let query = client.prepare_cached("SELECT epoch, position, link FROM head").await?;
        let row = client.query_one(&query, &[]).await?;
        head(&row)
    }

    pub(in crate::log) async fn read_stream(
        &self,
        stream: Stream,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Stored>, LogError> {
        let client = self.client().await?;
        let query = format!("{EVENTS} WHERE e.stream = $1 AND e.seq > $2 ORDER BY e.seq LIMIT $3");
        let query = client.prepare_cached(&query).await?;
        let rows = client.query(&query, &[&i64::from(stream.0), &bigint(after), &limited(limit)]).await?;
        Ok(rows.iter().map(stored).collect())
    }

    pub(in crate::log) async fn events(&self, stream: Stream, seqs: &[u64]) -> Result<Vec<Stored>, LogError> {
        let client = self.client().await?;
        let query = format!("{EVENTS} WHERE e.stream = $1 AND e.seq = ANY ($2) ORDER BY e.seq");
        let query = client.prepare_cached(&query).await?;
        let seqs: Vec<i64> = seqs.iter().copied().map(bigint).collect();
        let rows = client.query(&query, &[&i64::from(stream.0), &seqs]).await?;
        Ok(rows.iter().map(stored).collect())
    }

    pub(in crate::log) async fn read_all(&self, after: u64, limit: usize) -> Result<Vec<Stored>, LogError> {
        let client = self.client().await?;
        let query = format!("{EVENTS} WHERE e.position > $1 ORDER BY e.position LIMIT $2");
        let query = client.prepare_cached(&query).await?;
        let rows = client.query(&query, &[&bigint(after), &limited(limit)]).await?;
        Ok(rows.iter().map(stored).collect())
    }

    pub(in crate::log) async fn words(
        &self,
        stream: Stream,
        commitments: &[Hash],
    ) -> Result<Vec<StoredText>, LogError> {
        let client = self.client().await?;
        let wanted: Vec<&[u8]> = commitments.iter().map(<[u8; 32]>::as_slice).collect();
        let query = client
            .prepare_cached("SELECT commitment, words FROM texts WHERE stream = $1 AND commitment = ANY ($2)")
            .await?;
        let rows = client.query(&query, &[&i64::from(stream.0), &wanted]).await?;
        let text = |row: &Row| Some(StoredText { commitment: hash(row, "commitment")?, words: row.get("words") });
        Ok(rows.iter().filter_map(text).collect())
    }

    pub(in crate::log) async fn remembered(&self, actor: &str, id: Uuid) -> Result<Option<Remembered>, LogError> {
        let client = self.client().await?;
        let query = client.prepare_cached("SELECT digest, spans FROM requests WHERE actor = $1 AND id = $2").await?;
        let Some(row) = client.query_opt(&query, &[&actor, &id]).await? else { return Ok(None) };
        Remembered::read(hash(&row, "digest"), row.get("spans")).map(Some)
    }

    pub(in crate::log) async fn wait_after(&self, position: u64) -> Result<(), LogError> {
        let mut heard = self.heard.subscribe();
        let news = async {
            loop {
                heard.mark_unchanged();
                if self.head().await?.position > position {
                    return Ok(());
                }
                // A notification means no more than: look. A lost notification costs one look at the counter.
                let _ = tokio::time::timeout(POLL, heard.changed()).await;
            }
        };
        tokio::time::timeout(WAIT_MAX, news).await.unwrap_or(Ok(()))
    }

    pub(in crate::log) async fn check_heads(&self) -> Result<(), LogError> {
        let client = self.client().await?;
        let agrees: bool = client
            .query_one(
                "SELECT CASE WHEN head.position = 0 THEN NOT EXISTS (SELECT FROM events)
                    ELSE (SELECT position = head.position AND link = head.link
                          FROM events ORDER BY position DESC LIMIT 1) IS TRUE END
                 FROM head",
                &[],
            )
            .await?
            .get(0);
        if !agrees {
            return Err(LogError::damaged(Stream(0), "the log's head does not agree with its last event"));
        }
        let odd = client
            .query_opt(
                "SELECT tips.stream FROM tips LEFT JOIN events USING (stream, seq)
                 WHERE events.hash IS DISTINCT FROM tips.hash ORDER BY tips.stream LIMIT 1",
                &[],
            )
            .await?;
        match odd {
            Some(row) => Err(LogError::damaged(stream(&row, "stream"), "its tip does not agree with its last event")),
            None => Ok(()),
        }
    }
}
