//! Evidence, on PostgreSQL.

use bytes::Bytes;
use sha2::{Digest, Sha256};
use wardroom_core::evidence::Fingerprint;
use wardroom_core::id::Time;
use wardroom_core::seal::Seal;

use super::Store;
use crate::log::row::bigint;
use crate::log::{LogError, Stream};

fn number(stream: Stream) -> i64 {
    i64::from(stream.0)
}

impl Store {
    pub(in crate::log) async fn keep_bytes(
        &self,
        stream: Stream,
        fingerprint: Fingerprint,
        bytes: Bytes,
        at: Time,
    ) -> Result<(), LogError> {
        let client = self.client().await?;
        // One statement: all of it or nothing, also when this node is cut off.
        let statement = client
            .prepare_cached(
                "WITH kept AS (
                   INSERT INTO evidence AS e (stream, sha256, at) VALUES ($1, $2, $3)
                   ON CONFLICT (stream, sha256) DO UPDATE SET at = greatest(e.at, excluded.at)
                     WHERE e.position IS NULL)
                 INSERT INTO evidence_bytes VALUES ($1, $2, $4) ON CONFLICT DO NOTHING",
            )
            .await?;
        let (stream, sha256) = (number(stream), fingerprint.to_string());
        let done = client.execute(&statement, &[&stream, &sha256, &at.as_microsecond(), &&*bytes]).await;
        done.map(drop).map_err(LogError::after_sending)
    }

    pub(in crate::log) async fn has_bytes(&self, stream: Stream, fingerprint: Fingerprint) -> Result<bool, LogError> {
        let client = self.client().await?;
        let query = client
            .prepare_cached(
                "SELECT 1 FROM evidence JOIN evidence_bytes USING (stream, sha256) WHERE stream = $1 AND sha256 = $2",
            )
            .await?;
        let found = client.query_opt(&query, &[&number(stream), &fingerprint.to_string()]).await?;
        Ok(found.is_some())
    }

    pub(in crate::log) async fn evidence(
        &self,
        stream: Stream,
        fingerprint: Fingerprint,
    ) -> Result<Option<Bytes>, LogError> {
        let client = self.client().await?;
        let query = client
            .prepare_cached(
                "SELECT body FROM evidence JOIN evidence_bytes USING (stream, sha256)
                 WHERE stream = $1 AND sha256 = $2 AND position IS NOT NULL",
            )
            .await?;
        let found = client.query_opt(&query, &[&number(stream), &fingerprint.to_string()]).await?;
        Ok(found.map(|row| Bytes::from(row.get::<_, Vec<u8>>(0))))
    }

    pub(in crate::log) async fn sweep_bytes(&self, before: Time) -> Result<(), LogError> {
        self.do_it("DELETE FROM evidence WHERE position IS NULL AND at < $1", &[&before.as_microsecond()]).await
    }

    pub(in crate::log) async fn evidence_digest(&self, position: u64) -> Result<Option<String>, LogError> {
        let client = self.client().await?;
        let query = client
            .prepare_cached("SELECT body FROM evidence JOIN evidence_bytes USING (stream, sha256) WHERE position = $1")
            .await?;
        let Some(row) = client.query_opt(&query, &[&bigint(position)]).await? else { return Ok(None) };
        let digest = move || Seal(Sha256::digest(row.get::<_, &[u8]>(0)).into()).to_string();
        Ok(Some(tokio::task::spawn_blocking(digest).await.map_err(LogError::unavailable)?))
    }
}
