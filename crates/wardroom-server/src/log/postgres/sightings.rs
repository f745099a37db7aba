//! Changes of which other systems told, on PostgreSQL.

use std::collections::BTreeSet;

use tokio_postgres::Row;
use uuid::Uuid;
use wardroom_core::id::{ServiceName, Time};

use super::Store;
use super::read::time;
use crate::log::LogError;
use crate::sightings::Kept;

/// A row; `None` for one that Wardroom never wrote.
fn kept(row: &Row) -> Option<Kept> {
    Some(Kept {
        key: row.get("key"),
        service: row.get::<_, &str>("service").parse().ok()?,
        stage: row.get("stage"),
        at: time(row.get("at"))?,
        received: time(row.get("received"))?,
        body: row.get("body"),
    })
}

impl Store {
    pub(in crate::log) async fn keep_sightings(
        &self,
        all: Vec<Kept>,
        forget_before: Time,
    ) -> Result<BTreeSet<Uuid>, LogError> {
        self.do_it("DELETE FROM sightings WHERE received < $1", &[&forget_before.as_microsecond()]).await?;
        // One row once: of the same change told twice in one batch, the furthest.
        let mut rows: std::collections::BTreeMap<Uuid, Kept> = std::collections::BTreeMap::new();
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
        let client = self.client().await?;
        let news = client
            .query(
                "INSERT INTO sightings (key, service, stage, at, received, body)
                 SELECT * FROM unnest($1::uuid[], $2::text[], $3::smallint[], $4::bigint[], $5::bigint[], $6::text[])
                 ON CONFLICT (key) DO UPDATE SET stage = excluded.stage, received = excluded.received
                 WHERE sightings.stage < excluded.stage AND sightings.body <> '' RETURNING key",
                &[&keys, &services, &stages, &at, &received, &bodies],
            )
            .await?;
        Ok(news.iter().map(|row| row.get("key")).collect())
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
                "SELECT * FROM sightings WHERE service = ANY($1) AND at >= $2 ORDER BY at DESC LIMIT $3",
                &[&services, &since.as_microsecond(), &at_most],
            )
            .await?;
        Ok(rows.iter().filter_map(kept).collect())
    }

    pub(in crate::log) async fn sightings_received(
        &self,
        (since, after): (Time, Uuid),
        at_most: i64,
    ) -> Result<Vec<Kept>, LogError> {
        let client = self.client().await?;
        let rows = client
            .query(
                "SELECT * FROM sightings WHERE (received, key) > ($1, $2) ORDER BY received, key LIMIT $3",
                &[&since.as_microsecond(), &after, &at_most],
            )
            .await?;
        Ok(rows.iter().filter_map(kept).collect())
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
