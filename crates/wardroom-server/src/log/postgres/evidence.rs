//! Which object has which evidence, on PostgreSQL.

use wardroom_core::evidence::Fingerprint;
use wardroom_core::id::Time;

use super::Store;
use crate::log::row::bigint;
use crate::log::{Claim, LogError, Stream};

fn number(stream: Stream) -> i64 {
    i64::from(stream.0)
}

impl Store {
    pub(in crate::log) async fn claim_bytes(
        &self,
        stream: Stream,
        fingerprint: Fingerprint,
        fresh: String,
        at: Time,
    ) -> Result<Claim, LogError> {
        let client = self.client().await?;
        // One statement: all of it or nothing, also when this node is cut off.
        let statement = client.prepare_cached("SELECT object_, here_ FROM wardroom_claim($1, $2, $3, $4)").await?;
        let (stream, sha256) = (number(stream), fingerprint.to_string());
        let row = client.query_one(&statement, &[&stream, &sha256, &at.as_microsecond(), &fresh]).await;
        let row = row.map_err(LogError::after_sending)?;
        Ok(Claim { object: row.get(0), here: row.get::<_, i32>(1) == 1 })
    }

    pub(in crate::log) async fn bytes_arrived(
        &self,
        stream: Stream,
        fingerprint: Fingerprint,
        object: String,
    ) -> Result<bool, LogError> {
        let client = self.client().await?;
        let statement = client.prepare_cached("SELECT wardroom_arrived($1, $2, $3)").await?;
        let (stream, sha256) = (number(stream), fingerprint.to_string());
        let row = client.query_one(&statement, &[&stream, &sha256, &object]).await;
        Ok(row.map_err(LogError::after_sending)?.get(0))
    }

    pub(in crate::log) async fn has_bytes(&self, stream: Stream, fingerprint: Fingerprint) -> Result<bool, LogError> {
        let client = self.client().await?;
        let query =
            client.prepare_cached("SELECT 1 FROM evidence WHERE stream = $1 AND sha256 = $2 AND here = 1").await?;
        let found = client.query_opt(&query, &[&number(stream), &fingerprint.to_string()]).await?;
        Ok(found.is_some())
    }

    pub(in crate::log) async fn object_of(
        &self,
        stream: Stream,
        fingerprint: Fingerprint,
    ) -> Result<Option<String>, LogError> {
        let client = self.client().await?;
        let query = client
            .prepare_cached("SELECT object FROM evidence WHERE stream = $1 AND sha256 = $2 AND position IS NOT NULL")
            .await?;
        let found = client.query_opt(&query, &[&number(stream), &fingerprint.to_string()]).await?;
        Ok(found.map(|row| row.get(0)))
    }

    pub(in crate::log) async fn object_at(&self, position: u64) -> Result<Option<String>, LogError> {
        let client = self.client().await?;
        let query = client.prepare_cached("SELECT object FROM evidence WHERE position = $1").await?;
        Ok(client.query_opt(&query, &[&bigint(position)]).await?.map(|row| row.get(0)))
    }

    pub(in crate::log) async fn has_object(&self, object: String) -> Result<bool, LogError> {
        let client = self.client().await?;
        let query = client.prepare_cached("SELECT 1 FROM evidence WHERE object = $1 LIMIT 1").await?;
        Ok(client.query_opt(&query, &[&object]).await?.is_some())
    }

    pub(in crate::log) async fn sweep_bytes(&self, before: Time) -> Result<(), LogError> {
        self.do_it("SELECT wardroom_sweep($1)", &[&before.as_microsecond()]).await
    }

    pub(in crate::log) async fn objects_going(&self, limit: u16) -> Result<Vec<String>, LogError> {
        let client = self.client().await?;
        let query = client.prepare_cached("SELECT object FROM evidence_going LIMIT $1").await?;
        let rows = client.query(&query, &[&i64::from(limit)]).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    pub(in crate::log) async fn object_gone(&self, object: String) -> Result<(), LogError> {
        self.do_it("DELETE FROM evidence_going WHERE object = $1", &[&object]).await
    }

    pub(in crate::log) async fn evidence_home(&self, fresh: String) -> Result<(String, bool), LogError> {
        self.do_it("INSERT INTO evidence_home VALUES (1, $1, 0) ON CONFLICT DO NOTHING", &[&fresh]).await?;
        let client = self.client().await?;
        let row = client.query_one("SELECT id, known FROM evidence_home", &[]).await?;
        Ok((row.get(0), row.get::<_, i32>(1) == 1))
    }

    pub(in crate::log) async fn evidence_is_at_home(&self) -> Result<(), LogError> {
        self.do_it("UPDATE evidence_home SET known = 1", &[]).await
    }
}
