//! Which object has which evidence, on SQLite.

use rusqlite::{OptionalExtension, TransactionBehavior, params};
use wardroom_core::evidence::Fingerprint;
use wardroom_core::id::Time;

use super::Store;
use crate::log::row::bigint;
use crate::log::{Claim, LogError, Stream};

impl Store {
    pub(in crate::log) async fn claim_bytes(
        &self,
        stream: Stream,
        fingerprint: Fingerprint,
        fresh: String,
        at: Time,
    ) -> Result<Claim, LogError> {
        self.write(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let sha256 = fingerprint.to_string();
            let there: Option<String> = transaction
                .prepare_cached("SELECT object FROM evidence WHERE sha256 = ?1 AND here = 1 LIMIT 1")?
                .query_row([&sha256], |row| row.get(0))
                .optional()?;
            let here = there.is_some();
            transaction
                .prepare_cached(
                    "INSERT INTO evidence (stream, sha256, at, object, here) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT DO UPDATE SET at = max(at, ?3) WHERE position IS NULL",
                )?
                .execute(params![stream.0, sha256, at.as_microsecond(), there.unwrap_or(fresh), here])?;
            let claim = transaction
                .prepare_cached("SELECT object, here FROM evidence WHERE stream = ?1 AND sha256 = ?2")?
                .query_row(params![stream.0, sha256], |row| Ok(Claim { object: row.get(0)?, here: row.get(1)? }))?;
            transaction.commit().map_err(LogError::after_commit)?;
            Ok(claim)
        })
        .await
    }

    pub(in crate::log) async fn bytes_arrived(
        &self,
        stream: Stream,
        fingerprint: Fingerprint,
        object: String,
    ) -> Result<bool, LogError> {
        self.write(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let sha256 = fingerprint.to_string();
            // Where another came with the same at the same moment, one of the two is enough.
            let there: Option<String> = transaction
                .prepare_cached("SELECT object FROM evidence WHERE sha256 = ?1 AND here = 1 AND object <> ?2 LIMIT 1")?
                .query_row([&sha256, &object], |row| row.get(0))
                .optional()?;
            transaction
                .prepare_cached(
                    "UPDATE evidence SET here = 1, object = ?4 WHERE stream = ?1 AND sha256 = ?2 AND object = ?3",
                )?
                .execute(params![stream.0, sha256, object, there.as_ref().unwrap_or(&object)])?;
            transaction
                .prepare_cached(
                    "INSERT INTO evidence_going SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM evidence WHERE object = ?1)
                     ON CONFLICT DO NOTHING",
                )?
                .execute([&object])?;
            let here = transaction
                .prepare_cached("SELECT 1 FROM evidence WHERE stream = ?1 AND sha256 = ?2 AND here = 1")?
                .exists(params![stream.0, sha256])?;
            transaction.commit().map_err(LogError::after_commit)?;
            Ok(here)
        })
        .await
    }

    pub(in crate::log) async fn has_bytes(&self, stream: Stream, fingerprint: Fingerprint) -> Result<bool, LogError> {
        self.read(move |connection| {
            let query = "SELECT 1 FROM evidence WHERE stream = ?1 AND sha256 = ?2 AND here = 1";
            Ok(connection.prepare_cached(query)?.exists(params![stream.0, fingerprint.to_string()])?)
        })
        .await
    }

    pub(in crate::log) async fn object_of(
        &self,
        stream: Stream,
        fingerprint: Fingerprint,
    ) -> Result<Option<String>, LogError> {
        self.read(move |connection| {
            let query = "SELECT object FROM evidence WHERE stream = ?1 AND sha256 = ?2 AND position IS NOT NULL";
            let mut query = connection.prepare_cached(query)?;
            Ok(query.query_row(params![stream.0, fingerprint.to_string()], |row| row.get(0)).optional()?)
        })
        .await
    }

    pub(in crate::log) async fn object_at(&self, position: u64) -> Result<Option<String>, LogError> {
        self.read(move |connection| {
            let mut query = connection.prepare_cached("SELECT object FROM evidence WHERE position = ?1")?;
            Ok(query.query_row([bigint(position)], |row| row.get(0)).optional()?)
        })
        .await
    }

    pub(in crate::log) async fn has_object(&self, object: String) -> Result<bool, LogError> {
        self.read(move |connection| {
            Ok(connection.prepare_cached("SELECT 1 FROM evidence WHERE object = ?1")?.exists([object])?)
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

    pub(in crate::log) async fn objects_going(&self, limit: u16) -> Result<Vec<String>, LogError> {
        self.read(move |connection| {
            let mut query = connection.prepare_cached("SELECT object FROM evidence_going LIMIT ?1")?;
            let objects = query.query_map([limit], |row| row.get(0))?;
            Ok(objects.collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(in crate::log) async fn object_gone(&self, object: String) -> Result<(), LogError> {
        self.write(move |connection| {
            connection.prepare_cached("DELETE FROM evidence_going WHERE object = ?1")?.execute([object])?;
            Ok(())
        })
        .await
    }

    pub(in crate::log) async fn evidence_home(&self, fresh: String) -> Result<(String, bool), LogError> {
        self.write(move |connection| {
            connection.execute("INSERT INTO evidence_home VALUES (1, ?1, 0) ON CONFLICT DO NOTHING", [fresh])?;
            Ok(connection.query_row("SELECT id, known FROM evidence_home", [], |row| Ok((row.get(0)?, row.get(1)?)))?)
        })
        .await
    }

    pub(in crate::log) async fn evidence_is_at_home(&self) -> Result<(), LogError> {
        self.write(|connection| Ok(connection.execute_batch("UPDATE evidence_home SET known = 1")?)).await
    }
}
