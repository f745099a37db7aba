//! Passwords, sessions and links on SQLite.

use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;
use wardroom_core::id::{LinkId, PersonId, SessionId, Time};

use super::Store;
use super::read::time;
use crate::log::credentials::LINKS_KEPT;
use crate::log::{Hash, LinkRow, LogError, SessionRow};

/// Ids are kept as they stand in the events, so that a trigger can compare them.
fn id(row: &Row<'_>, column: &str) -> rusqlite::Result<Uuid> {
    let text: String = row.get(column)?;
    Uuid::parse_str(&text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, error.into()))
}

fn session_row(row: &Row<'_>) -> rusqlite::Result<SessionRow> {
    Ok(SessionRow {
        id: SessionId(id(row, "id")?),
        digest: row.get("digest")?,
        person: PersonId(id(row, "person")?),
        device: row.get("device")?,
        address: row.get("address")?,
        opened_at: time(row, "opened_at")?,
        last_seen_at: time(row, "last_seen_at")?,
        expires_at: time(row, "expires_at")?,
    })
}

impl Store {
    pub(in crate::log) async fn password(&self, person: PersonId) -> Result<Option<String>, LogError> {
        self.read(move |connection| {
            let hash = connection
                .prepare_cached("SELECT hash FROM passwords WHERE person = ?1")?
                .query_row([person.to_string()], |row| row.get(0))
                .optional()?;
            Ok(hash)
        })
        .await
    }

    pub(in crate::log) async fn put_password(&self, person: PersonId, hash: String) -> Result<(), LogError> {
        self.write(move |connection| {
            connection.execute(
                "INSERT INTO passwords VALUES (?1, ?2) ON CONFLICT DO UPDATE SET hash = ?2",
                params![person.to_string(), hash],
            )?;
            Ok(())
        })
        .await
    }

    pub(in crate::log) async fn put_session(&self, row: SessionRow) -> Result<(), LogError> {
        self.write(move |connection| {
            let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            transaction.execute("DELETE FROM sessions WHERE expires_at <= ?1", [row.opened_at.as_microsecond()])?;
            transaction.execute(
                "INSERT INTO sessions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    row.digest,
                    row.id.to_string(),
                    row.person.to_string(),
                    row.device,
                    row.address,
                    row.opened_at.as_microsecond(),
                    row.last_seen_at.as_microsecond(),
                    row.expires_at.as_microsecond()
                ],
            )?;
            Ok(transaction.commit()?)
        })
        .await
    }

    pub(in crate::log) async fn session(&self, digest: Hash) -> Result<Option<SessionRow>, LogError> {
        self.read(move |connection| {
            let session = connection
                .prepare_cached("SELECT * FROM sessions WHERE digest = ?1")?
                .query_row([digest], session_row)
                .optional()?;
            Ok(session)
        })
        .await
    }

    pub(in crate::log) async fn sessions_of(&self, person: PersonId) -> Result<Vec<SessionRow>, LogError> {
        self.read(move |connection: &Connection| {
            let mut query =
                connection.prepare_cached("SELECT * FROM sessions WHERE person = ?1 ORDER BY opened_at DESC")?;
            let rows = query.query_map([person.to_string()], session_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(in crate::log) async fn saw_session(&self, id: SessionId, at: Time) -> Result<(), LogError> {
        self.write(move |connection| {
            connection
                .prepare_cached("UPDATE sessions SET last_seen_at = max(last_seen_at, ?2) WHERE id = ?1")?
                .execute(params![id.to_string(), at.as_microsecond()])?;
            Ok(())
        })
        .await
    }

    pub(in crate::log) async fn put_link(&self, row: LinkRow) -> Result<(), LogError> {
        self.write(move |connection| {
            let long_gone = row.expires_at.as_microsecond() - LINKS_KEPT;
            connection.execute("DELETE FROM links WHERE expires_at <= ?1", [long_gone])?;
            connection.execute(
                "INSERT INTO links VALUES (?1, ?2, ?3, ?4)",
                params![
                    row.digest,
                    row.id.to_string(),
                    row.person.map(|person| person.to_string()),
                    row.expires_at.as_microsecond()
                ],
            )?;
            Ok(())
        })
        .await
    }

    pub(in crate::log) async fn link(&self, digest: Hash) -> Result<Option<LinkRow>, LogError> {
        self.read(move |connection| {
            let link = connection
                .prepare_cached("SELECT * FROM links WHERE digest = ?1")?
                .query_row([digest], |row| {
                    let person = row.get::<_, Option<String>>("person")?.map(|_| id(row, "person")).transpose()?;
                    Ok(LinkRow {
                        id: LinkId(id(row, "id")?),
                        digest: row.get("digest")?,
                        person: person.map(PersonId),
                        expires_at: time(row, "expires_at")?,
                    })
                })
                .optional()?;
            Ok(link)
        })
        .await
    }
}
