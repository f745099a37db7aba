//! Changes of which other systems told, on PostgreSQL.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::Row;
use uuid::Uuid;
use wardroom_core::id::{ServiceName, Time};

use super::Store;
use super::read::time;
use crate::log::LogError;
use crate::log::sightings::{ALL, NOISIEST, Received, TOLD};
use crate::sightings::{Bounds, HOURLY_MAX, KEPT_MAX, Keeping, Kept};

/// A row; `None` for one that Wardroom never wrote.
fn kept(row: &Row) -> Option<Kept> {
    Some(Kept {
        key: row.get("key"),
        change: row.get("change"),
        service: row.get::<_, &str>("service").parse().ok()?,
        stage: row.get("stage"),
        at: time(row.get("at"))?,
        received: time(row.get("received"))?,
        teller: row.get("teller"),
        body: row.get("body"),
    })
}

impl Store {
    pub(in crate::log) async fn keep_sightings(&self, all: Vec<Kept>, bounds: Bounds) -> Result<Keeping, LogError> {
        self.do_it("DELETE FROM sightings WHERE received < $1", &[&bounds.forget_before.as_microsecond()]).await?;
        // One row once: of the same change told twice in one batch, the furthest.
        let mut rows: BTreeMap<Uuid, Kept> = BTreeMap::new();
        for one in all {
            match rows.get(&one.key) {
                Some(known) if known.stage >= one.stage => {}
                _ => drop(rows.insert(one.key, one)),
            }
        }
        let keys: Vec<Uuid> = rows.keys().copied().collect();
        let services: Vec<&str> = rows.values().map(|one| one.service.as_str()).collect();
        let stages: Vec<i16> = rows.values().map(|one| one.stage).collect();
        let at: Vec<i64> = rows.values().map(|one| one.at.as_microsecond()).collect();
        let received: Vec<i64> = rows.values().map(|one| one.received.as_microsecond()).collect();
        let bodies: Vec<&str> = rows.values().map(|one| one.body.as_str()).collect();
        let tellers: Vec<&str> = rows.values().map(|one| one.teller.as_str()).collect();
        let changes: Vec<Option<Uuid>> = rows.values().map(|one| one.change).collect();
        let mut client = self.client().await?;
        let transaction = client.transaction().await?;
        let news = transaction
            .query(
                "INSERT INTO sightings (key, service, stage, at, received, body, teller, change)
                 SELECT * FROM unnest($1::uuid[], $2::text[], $3::smallint[], $4::bigint[], $5::bigint[], $6::text[],
                     $7::text[], $8::uuid[])
                 ON CONFLICT (key) DO UPDATE
                 SET stage = excluded.stage, received = excluded.received, change = excluded.change
                 WHERE sightings.stage < excluded.stage RETURNING key",
                &[&keys, &services, &stages, &at, &received, &bodies, &tellers, &changes],
            )
            .await?;
        let news: BTreeSet<Uuid> = news.iter().map(|row| row.get("key")).collect();
        let mut forgotten = 0;
        if let Some(teller) = tellers.first().filter(|_| !news.is_empty()) {
            let since = bounds.count_from.as_microsecond();
            let told: i64 = transaction.query_one(TOLD, &[teller, &since]).await?.get(0);
            if told > HOURLY_MAX {
                return Ok(Keeping::TooMany); // What was written goes with the transaction.
            }
            let kept: i64 = transaction.query_one(ALL, &[]).await?.get(0);
            if kept > KEPT_MAX {
                forgotten = transaction.execute(NOISIEST, &[&(kept - KEPT_MAX)]).await?;
            }
        }
        transaction.commit().await?;
        Ok(Keeping::Kept { news, forgotten })
    }

    pub(in crate::log) async fn sightings(
        &self,
        services: BTreeSet<ServiceName>,
        since: Time,
        at_most: i64,
    ) -> Result<Vec<Kept>, LogError> {
        let services: Vec<&str> = services.iter().map(ServiceName::as_str).collect();
        let client = self.client().await?;
        let rows = client
            .query(
                "SELECT * FROM (
                     SELECT *, row_number() OVER (PARTITION BY teller ORDER BY at DESC) AS nth
                     FROM sightings WHERE service = ANY($1) AND at >= $2
                 ) AS told ORDER BY nth, at DESC LIMIT $3",
                &[&services, &since.as_microsecond(), &at_most],
            )
            .await?;
        Ok(rows.iter().filter_map(kept).collect())
    }

    pub(in crate::log) async fn sightings_by_teller(&self, keys: Vec<Uuid>) -> Result<BTreeMap<String, i64>, LogError> {
        let client = self.client().await?;
        let count = "SELECT teller, count(*) FROM sightings WHERE key = ANY($1) GROUP BY teller";
        let rows = client.query(count, &[&keys]).await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    pub(in crate::log) async fn sightings_received(
        &self,
        (since, after): (Time, Uuid),
        at_most: i64,
    ) -> Result<Vec<Received>, LogError> {
        let client = self.client().await?;
        let rows = client
            .query(
                "SELECT * FROM sightings WHERE (received, key) > ($1, $2) ORDER BY received, key LIMIT $3",
                &[&since.as_microsecond(), &after, &at_most],
            )
            .await?;
        let place = |row: &Row| Some((time(row.get("received"))?, row.get("key")));
        Ok(rows.iter().map(|row| Received { place: place(row), kept: kept(row) }).collect())
    }

    pub(in crate::log) async fn silence_sighting(&self, silenced: Kept) -> Result<(), LogError> {
        self.do_it(
            "INSERT INTO sightings (key, service, stage, at, received, body) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (key) DO UPDATE SET received = excluded.received, body = excluded.body",
            &[
                &silenced.key,
                &silenced.service.as_str(),
                &silenced.stage,
                &silenced.at.as_microsecond(),
                &silenced.received.as_microsecond(),
                &silenced.body,
            ],
        )
        .await
    }
}
