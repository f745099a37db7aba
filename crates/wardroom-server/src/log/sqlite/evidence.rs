//! Evidence, on SQLite. What is known of a piece stands apart from its bytes, because a row is written anew as a whole.

use bytes::Bytes;
use rusqlite::{OptionalExtension, TransactionBehavior, params};
use sha2::{Digest, Sha256};
use wardroom_core::evidence::Fingerprint;
use wardroom_core::id::Time;
use wardroom_core::seal::Seal;

use super::Store;
use crate::log::row::bigint;
use crate::log::{LogError, Stream};

impl Store {
    pub(in crate::log) async fn keep_bytes(
        &self,
        stream: Stream,
        fingerprint: Fingerprint,
        bytes: Bytes,
        at: Time,
    ) -> Result<(), LogError> {
        self.write(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let sha256 = fingerprint.to_string();
            transaction
                .prepare_cached(
                    "INSERT INTO evidence (stream, sha256, at) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET at = max(at, ?3) WHERE position IS NULL",
                )?
                .execute(params![stream.0, sha256, at.as_microsecond()])?;
            transaction
                .prepare_cached(
                    "INSERT INTO evidence_bytes VALUES (?1, ?2, randomblob(16), ?3) ON CONFLICT DO NOTHING",
                )?
                .execute(params![stream.0, sha256, &*bytes])?;
            transaction.commit().map_err(LogError::after_commit)
        })
        .await
    }

    pub(in crate::log) async fn has_bytes(&self, stream: Stream, fingerprint: Fingerprint) -> Result<bool, LogError> {
        self.read(move |connection| {
            let query = "SELECT 1 FROM evidence JOIN evidence_bytes USING (stream, sha256)
                         WHERE stream = ?1 AND sha256 = ?2";
            Ok(connection.prepare_cached(query)?.exists(params![stream.0, fingerprint.to_string()])?)
        })
        .await
    }

    pub(in crate::log) async fn evidence(
        &self,
        stream: Stream,
        fingerprint: Fingerprint,
    ) -> Result<Option<Bytes>, LogError> {
        self.read(move |connection| {
            let mut query = connection.prepare_cached(
                "SELECT body FROM evidence JOIN evidence_bytes USING (stream, sha256)
                 WHERE stream = ?1 AND sha256 = ?2 AND position IS NOT NULL",
            )?;
            let found = query.query_row(params![stream.0, fingerprint.to_string()], |row| row.get::<_, Vec<u8>>(0));
            Ok(found.optional()?.map(Bytes::from))
        })
        .await
    }

    pub(in crate::log) async fn sweep_bytes(&self, before: Time) -> Result<(), LogError> {
        self.write(move |connection| {
            let sweep = "DELETE FROM evidence WHERE position IS NULL AND at < ?1";
            connection.prepare_cached(sweep)?.execute([before.as_microsecond()])?;
            Ok(())
        })
        .await
    }

    pub(in crate::log) async fn evidence_digest(&self, position: u64) -> Result<Option<String>, LogError> {
        self.read(move |connection| {
            let mut query = connection.prepare_cached(
                "SELECT body FROM evidence JOIN evidence_bytes USING (stream, sha256) WHERE position = ?1",
            )?;
            let digest = |row: &rusqlite::Row<'_>| {
                let body = row.get_ref(0)?;
                let body = body.as_bytes_or_null().ok().flatten().unwrap_or_default();
                Ok(Seal(Sha256::digest(body).into()).to_string())
            };
            Ok(query.query_row([bigint(position)], digest).optional()?)
        })
        .await
    }
}
