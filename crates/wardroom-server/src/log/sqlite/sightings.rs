//! Changes of which other systems told, on SQLite.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension, Row, TransactionBehavior, params};
use uuid::Uuid;
use wardroom_core::id::{ServiceName, Time};

use super::Store;
use super::read::{text, time};
use crate::log::LogError;
use crate::log::sightings::{ALL, NOISIEST, Received, TOLD};
use crate::sightings::{Bounds, HOURLY_MAX, KEPT_MAX, Keeping, Kept};

/// A row; `None` for one that Wardroom never wrote.
fn kept(row: &Row<'_>) -> rusqlite::Result<Option<Kept>> {
    let key = text(row, "key")?.and_then(|key| Uuid::parse_str(&key).ok());
    let service = text(row, "service")?.and_then(|name| name.parse().ok());
    let (at, received, body) = (time(row, "at")?, time(row, "received")?, text(row, "body")?);
    let (Some(key), Some(service), Some(at), Some(received), Some(body)) = (key, service, at, received, body) else {
        return Ok(None);
    };
    let teller = text(row, "teller")?.unwrap_or_default();
    let change = text(row, "change")?.and_then(|change| Uuid::parse_str(&change).ok());
    Ok(Some(Kept { key, change, service, stage: row.get("stage")?, at, received, teller, body }))
}

impl Store {
    pub(in crate::log) async fn keep_sightings(&self, all: Vec<Kept>, bounds: Bounds) -> Result<Keeping, LogError> {
        self.write(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            transaction
                .execute("DELETE FROM sightings WHERE received < ?1", [bounds.forget_before.as_microsecond()])?;
            let (mut news, mut forgotten) = (BTreeSet::new(), 0);
            for one in &all {
                let new = transaction
                    .prepare_cached(
                        "INSERT INTO sightings (key, service, stage, at, received, body, teller, change)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                         ON CONFLICT (key) DO UPDATE
                         SET stage = excluded.stage, received = excluded.received, change = excluded.change
                         WHERE stage < excluded.stage RETURNING 1",
                    )?
                    .query_row(
                        params![
                            one.key.to_string(),
                            one.service.as_str(),
                            one.stage,
                            one.at.as_microsecond(),
                            one.received.as_microsecond(),
                            one.body,
                            one.teller,
                            one.change.map(|change| change.to_string()),
                        ],
                        |_| Ok(()),
                    )
                    .optional()?;
                if new.is_some() {
                    news.insert(one.key);
                }
            }
            if let Some(one) = all.first().filter(|_| !news.is_empty()) {
                let since = bounds.count_from.as_microsecond();
                let told: i64 =
                    transaction.prepare_cached(TOLD)?.query_row(params![one.teller, since], |row| row.get(0))?;
                if told > HOURLY_MAX {
                    return Ok(Keeping::TooMany); // What was written goes with the transaction.
                }
                let kept: i64 = transaction.prepare_cached(ALL)?.query_row([], |row| row.get(0))?;
                if kept > KEPT_MAX {
                    forgotten = transaction.prepare_cached(NOISIEST)?.execute([kept - KEPT_MAX])? as u64;
                }
            }
            transaction.commit().map_err(LogError::after_commit)?;
            Ok(Keeping::Kept { news, forgotten })
        })
        .await
    }

    pub(in crate::log) async fn sightings(
        &self,
        services: BTreeSet<ServiceName>,
        since: Time,
        at_most: i64,
    ) -> Result<Vec<Kept>, LogError> {
        let services = serde_json::to_string(&services).expect("names are plain data");
        self.read(move |connection| {
            let mut all = connection.prepare_cached(
                "SELECT * FROM (
                     SELECT *, row_number() OVER (PARTITION BY teller ORDER BY at DESC) AS nth
                     FROM sightings WHERE service IN (SELECT value FROM json_each(?1)) AND at >= ?2
                 ) ORDER BY nth, at DESC LIMIT ?3",
            )?;
            let rows = all.query_map(params![services, since.as_microsecond(), at_most], kept)?;
            Ok(rows.filter_map(Result::transpose).collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(in crate::log) async fn sightings_by_teller(&self, keys: Vec<Uuid>) -> Result<BTreeMap<String, i64>, LogError> {
        let keys: Vec<String> = keys.iter().map(Uuid::to_string).collect();
        let keys = serde_json::to_string(&keys).expect("ids are plain data");
        self.read(move |connection| {
            let mut count = connection.prepare_cached(
                "SELECT teller, count(*) FROM sightings
                 WHERE key IN (SELECT value FROM json_each(?1)) GROUP BY teller",
            )?;
            let rows = count.query_map([keys], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(in crate::log) async fn sightings_received(
        &self,
        (since, after): (Time, Uuid),
        at_most: i64,
    ) -> Result<Vec<Received>, LogError> {
        self.read(move |connection| {
            let mut all = connection.prepare_cached(
                "SELECT * FROM sightings WHERE (received, key) > (?1, ?2) ORDER BY received, key LIMIT ?3",
            )?;
            let rows = all.query_map(params![since.as_microsecond(), after.to_string(), at_most], |row| {
                let key = text(row, "key")?.and_then(|key| Uuid::parse_str(&key).ok());
                Ok(Received { place: time(row, "received")?.zip(key), kept: kept(row)? })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(in crate::log) async fn silence_sighting(&self, silenced: Kept) -> Result<(), LogError> {
        self.write(move |connection| {
            connection.execute(
                "INSERT INTO sightings (key, service, stage, at, received, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (key) DO UPDATE SET received = excluded.received, body = excluded.body",
                params![
                    silenced.key.to_string(),
                    silenced.service.as_str(),
                    silenced.stage,
                    silenced.at.as_microsecond(),
                    silenced.received.as_microsecond(),
                    silenced.body,
                ],
            )?;
            Ok(())
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::super::schema::MIGRATIONS;
    use super::*;

    /// Each telling went through the whole table, which has fifty thousand rows at the most.
    #[test]
    fn what_is_asked_at_every_telling_is_asked_of_an_index() {
        let connection = Connection::open_in_memory().unwrap();
        MIGRATIONS.iter().for_each(|migration| connection.execute_batch(migration).unwrap());
        for (statement, given) in [(TOLD, 2), (ALL, 0), (NOISIEST, 1)] {
            let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
            let steps =
                plan.query_map(rusqlite::params_from_iter(vec![1; given]), |row| row.get::<_, String>(3)).unwrap();
            let steps: Vec<String> = steps.map(Result::unwrap).filter(|step| step.contains(" sightings")).collect();
            // What is deleted is found by its key.
            let by = [
                "INDEX sightings_told",
                "INDEX sightings_silenced",
                "COVERING INDEX ",
                "sqlite_autoindex_sightings_1 (key=?)",
            ];
            let indexed = |step: &String| by.iter().any(|index| step.contains(index));
            assert!(!steps.is_empty() && steps.iter().all(indexed), "{statement}: {steps:?}");
        }
    }
}
