//! What verification reads: rows as they are, nothing made up.

use std::collections::BTreeMap;

use tokio_postgres::Row;

use super::Store;
use super::read::{bigint, hash, stream, unsigned};
use crate::log::verify::{Walked, WalkedText};
use crate::log::{Hash, Head, LogError, Stream, Tip};

fn walked(row: &Row) -> Result<Walked, LogError> {
    let link: Option<&[u8]> = row.get("link");
    Ok(Walked {
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
    })
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
        let head = Head { epoch: row.get("epoch"), position: unsigned(&row, "position"), link: hash(&row, "link")? };
        let mut tips = BTreeMap::new();
        for row in snapshot.query("SELECT stream, seq, hash FROM tips", &[]).await? {
            tips.insert(stream(&row, "stream"), Tip { seq: unsigned(&row, "seq"), hash: hash(&row, "hash")? });
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
        let mut events = rows.iter().map(walked).collect::<Result<Vec<_>, _>>()?;
        let positions: Vec<i64> = events.iter().map(|event| bigint(event.position)).collect();
        let query = client
            .prepare_cached("SELECT position, commitment, salt, words, erased_by FROM texts WHERE position = ANY ($1)")
            .await?;
        for row in client.query(&query, &[&positions]).await? {
            let position = unsigned(&row, "position");
            let salt: Option<&[u8]> = row.get("salt");
            let salt = salt.and_then(|salt| <[u8; 16]>::try_from(salt).ok());
            let text = WalkedText {
                commitment: hash(&row, "commitment")?,
                kept: salt.zip(row.get("words")),
                erased_by: row.get::<_, Option<i64>>("erased_by").map(i64::unsigned_abs),
            };
            if let Ok(index) = events.binary_search_by_key(&position, |event| event.position) {
                events[index].texts.push(text);
            }
        }
        Ok(events)
    }
}
