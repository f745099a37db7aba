//! Passkeys and challenges on SQLite.

use rusqlite::{OptionalExtension, Row, params};
use uuid::Uuid;
use wardroom_core::id::{PasskeyId, PersonId, Time};

use super::Store;
use super::read::{bytes, integer, text, time};
use crate::log::{Hash, LogError, PasskeyRow};

/// A passkey; `None` for a row that Wardroom never wrote, which opens nothing.
fn passkey_row(row: &Row<'_>) -> rusqlite::Result<Option<PasskeyRow>> {
    let id = |column| Ok::<_, rusqlite::Error>(text(row, column)?.and_then(|text| Uuid::parse_str(&text).ok()));
    let blob = |column| Ok::<_, rusqlite::Error>(row.get_ref(column)?.as_blob().ok().map(<[u8]>::to_vec));
    let (ids, blobs) = (id("id")?.zip(id("person")?), blob("credential")?.zip(blob("key")?));
    let (host, count) = (text(row, "host")?, integer(row, "count")?);
    let (Some((id, person)), Some((credential, key)), Some((host, count))) = (ids, blobs, host.zip(count)) else {
        return Ok(None);
    };
    let (id, person, used_at) = (PasskeyId(id), PersonId(person), time(row, "used_at")?);
    Ok(Some(PasskeyRow { credential, id, person, key, host, count, used_at }))
}

impl Store {
    pub(in crate::log) async fn passkey(&self, credential: &[u8]) -> Result<Option<PasskeyRow>, LogError> {
        let credential = credential.to_vec();
        self.read(move |connection| {
            let found = connection
                .prepare_cached("SELECT * FROM passkeys WHERE credential = ?1")?
                .query_row([credential], passkey_row)
                .optional()?;
            Ok(found.flatten())
        })
        .await
    }

    pub(in crate::log) async fn passkeys_of(&self, person: PersonId) -> Result<Vec<PasskeyRow>, LogError> {
        self.read(move |connection| {
            let mut query = connection.prepare_cached("SELECT * FROM passkeys WHERE person = ?1")?;
            let rows = query.query_map([person.to_string()], passkey_row)?;
            Ok(rows.filter_map(Result::transpose).collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(in crate::log) async fn put_passkey(&self, row: PasskeyRow) -> Result<bool, LogError> {
        self.write(move |connection| {
            let put = connection.execute(
                "INSERT INTO passkeys VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
                params![
                    row.credential,
                    row.id.to_string(),
                    row.person.to_string(),
                    row.key,
                    row.host,
                    row.count,
                    row.used_at.map(Time::as_microsecond)
                ],
            )?;
            Ok(put == 1)
        })
        .await
    }

    pub(in crate::log) async fn drop_passkey(&self, id: PasskeyId) -> Result<(), LogError> {
        self.write(move |connection| {
            connection.execute("DELETE FROM passkeys WHERE id = ?1", [id.to_string()])?;
            Ok(())
        })
        .await
    }

    pub(in crate::log) async fn used_passkey(&self, id: PasskeyId, count: u32, at: Time) -> Result<bool, LogError> {
        self.write(move |connection| {
            let used = connection.execute(
                "UPDATE passkeys SET count = ?2, used_at = ?3
                 WHERE id = ?1 AND (count < ?2 OR (count = 0 AND ?2 = 0))",
                params![id.to_string(), count, at.as_microsecond()],
            )?;
            Ok(used == 1)
        })
        .await
    }

    pub(in crate::log) async fn challenge_key(&self) -> Result<Hash, LogError> {
        self.read(|connection| {
            let key = connection.query_row("SELECT key FROM challenge_key", [], |row| bytes(row, "key"))?;
            key.ok_or_else(|| LogError::unavailable("the key of challenges is damaged"))
        })
        .await
    }

    pub(in crate::log) async fn use_challenge(
        &self,
        digest: Hash,
        expires_at: Time,
        now: Time,
    ) -> Result<bool, LogError> {
        self.write(move |connection| {
            let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            transaction.execute("DELETE FROM used_challenges WHERE expires_at <= ?1", [now.as_microsecond()])?;
            let used = transaction.execute(
                "INSERT INTO used_challenges VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                params![digest, expires_at.as_microsecond()],
            )?;
            transaction.commit()?;
            Ok(used == 1)
        })
        .await
    }
}
