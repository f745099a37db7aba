//! What verification reads: rows as they are, nothing made up.

use std::collections::BTreeMap;

use deadpool_postgres::Object;
use tokio_postgres::Row;

use super::Store;
use super::read::{hash, head, stream, unsigned};
use crate::log::proof::{Walked, WalkedText};
use crate::log::row::bigint;
use crate::log::{Hash, Head, LogError, Stream, Tip};

fn walked(row: &Row) -> Walked {
    let link: Option<&[u8]> = row.get("link");
    Walked {
        position: unsigned(row, "position"),
        stream: stream(row, "stream"),
        seq: unsigned(row, "seq"),
        kind: row.get("kind"),
        version: u16::try_from(row.get::<_, i32>("version")).unwrap_or(u16::MAX),
        at_us: row.get("at"),
        actor: row.get("actor"),
        body: row.get("body"),
        // Bytes of another length are as wrong as wrong ones, and found as such.
        hash: Hash::try_from(row.get::<_, &[u8]>("hash")).unwrap_or_default(),
        link: link.map(|link| Hash::try_from(link).unwrap_or_default()),
        texts: Vec::new(),
    }
}

/// Puts the words beside events that are in order of position, in an order that is always the same.
async fn with_texts(client: &Object, events: &mut [Walked]) -> Result<(), LogError> {
    let positions: Vec<i64> = events.iter().map(|event| bigint(event.position)).collect();
    let query = client
        .prepare_cached(
            "SELECT position, commitment, salt, words, erased_by FROM texts WHERE position = ANY ($1)
             ORDER BY commitment",
        )
        .await?;
    for row in client.query(&query, &[&positions]).await? {
        let position = unsigned(&row, "position");
        let salt: Option<&[u8]> = row.get("salt");
        let salt = salt.and_then(|salt| <[u8; 16]>::try_from(salt).ok());
        let text = WalkedText {
            commitment: hash(&row, "commitment").unwrap_or_default(),
            kept: salt.zip(row.get("words")),
            erased_by: row.get::<_, Option<i64>>("erased_by").map(i64::unsigned_abs),
        };
        if let Ok(index) = events.binary_search_by_key(&position, |event| event.position) {
            events[index].texts.push(text);
        }
    }
    Ok(())
}

impl Store {
    pub(in crate::log) async fn ends(&self) -> Result<(Head, BTreeMap<Stream, Tip>), LogError> {
        let mut client = self.client().await?;
        let snapshot = client
            .build_transaction()
            .isolation_level(tokio_postgres::IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()
            .await?;
        let row = snapshot.query_one("SELECT epoch, position, link FROM head", &[]).await?;
        let head = head(&row)?;
        let mut tips = BTreeMap::new();
        for row in snapshot.query("SELECT stream, seq, hash FROM tips", &[]).await? {
            let tip = Tip { seq: unsigned(&row, "seq"), hash: hash(&row, "hash").unwrap_or_default() };
            tips.insert(stream(&row, "stream"), tip);
        }
        snapshot.commit().await?;
        Ok((head, tips))
    }

    pub(in crate::log) async fn walk(&self, after: u64, limit: usize) -> Result<Vec<Walked>, LogError> {
        let client = self.client().await?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let query =
            client.prepare_cached("SELECT * FROM events WHERE position > $1 ORDER BY position LIMIT $2").await?;
        let rows = client.query(&query, &[&bigint(after), &limit]).await?;
        let mut events: Vec<Walked> = rows.iter().map(walked).collect();
        with_texts(&client, &mut events).await?;
        Ok(events)
    }

    pub(in crate::log) async fn walk_stream(
        &self,
        stream: Stream,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Walked>, LogError> {
        let client = self.client().await?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let query =
            client.prepare_cached("SELECT * FROM events WHERE stream = $1 AND seq > $2 ORDER BY seq LIMIT $3").await?;
        let rows = client.query(&query, &[&i64::from(stream.0), &bigint(after), &limit]).await?;
        let mut events: Vec<Walked> = rows.iter().map(walked).collect();
        with_texts(&client, &mut events).await?;
        Ok(events)
    }
}
