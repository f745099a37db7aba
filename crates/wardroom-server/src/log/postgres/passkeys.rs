//! Passkeys and challenges on PostgreSQL.

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use wardroom_core::id::{PasskeyId, PersonId, Time};

use super::Store;
use super::read::{hash, time};
use crate::log::{Hash, LogError, PasskeyRow};

/// A passkey; `None` for a row that Wardroom never wrote, which opens nothing.
fn passkey_row(row: &Row) -> Option<PasskeyRow> {
    Some(PasskeyRow {
        credential: row.get("credential"),
        id: PasskeyId(row.get("id")),
        person: PersonId(row.get("person")),
        key: row.get("key"),
        host: row.get("host"),
        count: u32::try_from(row.get::<_, i64>("count")).ok()?,
        used_at: row.get::<_, Option<i64>>("used_at").and_then(time),
    })
}

impl Store {
    /// Whether a statement has done something to one row.
    pub(super) async fn did(&self, statement: &str, values: &[&(dyn ToSql + Sync)]) -> Result<bool, LogError> {
        let client = self.client().await?;
        let statement = client.prepare_cached(statement).await?;
        Ok(client.execute(&statement, values).await? == 1)
    }

    pub(in crate::log) async fn passkey(&self, credential: &[u8]) -> Result<Option<PasskeyRow>, LogError> {
        let client = self.client().await?;
        let query = client.prepare_cached("SELECT * FROM passkeys WHERE credential = $1").await?;
        Ok(client.query_opt(&query, &[&credential]).await?.as_ref().and_then(passkey_row))
    }

    pub(in crate::log) async fn passkeys_of(&self, person: PersonId) -> Result<Vec<PasskeyRow>, LogError> {
        let client = self.client().await?;
        let query = client.prepare_cached("SELECT * FROM passkeys WHERE person = $1").await?;
        Ok(client.query(&query, &[&person.0]).await?.iter().filter_map(passkey_row).collect())
    }

    pub(in crate::log) async fn put_passkey(&self, row: PasskeyRow) -> Result<bool, LogError> {
        self.did(
            "INSERT INTO passkeys VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
            &[
                &row.credential,
                &row.id.0,
                &row.person.0,
                &row.key,
                &row.host,
                &i64::from(row.count),
                &row.used_at.map(Time::as_microsecond),
            ],
        )
        .await
    }

    pub(in crate::log) async fn drop_passkey(&self, id: PasskeyId) -> Result<(), LogError> {
        self.do_it("DELETE FROM passkeys WHERE id = $1", &[&id.0]).await
    }

    pub(in crate::log) async fn used_passkey(&self, id: PasskeyId, count: u32, at: Time) -> Result<bool, LogError> {
        self.did(
            "UPDATE passkeys SET count = $2, used_at = $3 WHERE id = $1 AND (count < $2 OR (count = 0 AND $2 = 0))",
            &[&id.0, &i64::from(count), &at.as_microsecond()],
        )
        .await
    }

    pub(in crate::log) async fn challenge_key(&self) -> Result<Hash, LogError> {
        let client = self.client().await?;
        let row = client.query_one("SELECT key FROM challenge_key", &[]).await?;
        hash(&row, "key").ok_or_else(|| LogError::unavailable("the key of challenges is damaged"))
    }

    pub(in crate::log) async fn use_challenge(
        &self,
        digest: Hash,
        expires_at: Time,
        now: Time,
    ) -> Result<bool, LogError> {
        self.do_it("DELETE FROM used_challenges WHERE expires_at <= $1", &[&now.as_microsecond()]).await?;
        self.did(
            "INSERT INTO used_challenges VALUES ($1, $2) ON CONFLICT DO NOTHING",
            &[&digest.to_vec(), &expires_at.as_microsecond()],
        )
        .await
    }
}
