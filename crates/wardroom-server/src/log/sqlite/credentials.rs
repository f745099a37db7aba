//! Passwords, sessions and links on SQLite.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;
use wardroom_core::id::{LinkId, PersonId, SessionId, Time};

use super::Store;
use super::read::{bytes, text, time};
use crate::log::credentials::LINKS_KEPT;
use crate::log::{Hash, LinkRow, LogError, SessionRow};

/// Ids are kept as they stand in the events, so that a trigger can compare them.
fn id(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Uuid>> {
    Ok(text(row, column)?.and_then(|text| Uuid::parse_str(&text).ok()))
}

/// A session; `None` for a row that Wardroom never wrote, which opens nothing.
fn session_row(row: &Row<'_>) -> rusqlite::Result<Option<SessionRow>> {
    let (ids, digest) = (id(row, "id")?.zip(id(row, "person")?), bytes(row, "digest")?);
    let (device, address) = (text(row, "device")?.unwrap_or_default(), text(row, "address")?.unwrap_or_default());
    let times = (time(row, "opened_at")?, time(row, "last_seen_at")?, time(row, "expires_at")?);
    let (Some((id, person)), Some(digest)) = (ids, digest) else { return Ok(None) };
    let (Some(opened_at), Some(last_seen_at), Some(expires_at)) = times else { return Ok(None) };
    let (id, person) = (SessionId(id), PersonId(person));
    Ok(Some(SessionRow { id, digest, person, device, address, opened_at, last_seen_at, expires_at }))
}

/// A link; `None` as for sessions.
fn link_row(row: &Row<'_>) -> rusqlite::Result<Option<LinkRow>> {
    let person = match row.get_ref("person")? {
        ValueRef::Null => Some(None),
        _ => id(row, "person")?.map(|person| Some(PersonId(person))),
    };
    let read = (id(row, "id")?.map(LinkId), bytes(row, "digest")?, person, time(row, "expires_at")?);
    let (Some(id), Some(digest), Some(person), Some(expires_at)) = read else { return Ok(None) };
    Ok(Some(LinkRow { id, digest, person, expires_at }))
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
            Ok(session.flatten())
        })
        .await
    }

    pub(in crate::log) async fn sessions_of(&self, person: PersonId) -> Result<Vec<SessionRow>, LogError> {
        self.read(move |connection: &Connection| {
            let mut query =
                connection.prepare_cached("SELECT * FROM sessions WHERE person = ?1 ORDER BY opened_at DESC")?;
            let rows = query.query_map([person.to_string()], session_row)?;
            Ok(rows.filter_map(Result::transpose).collect::<Result<_, _>>()?)
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
                .query_row([digest], link_row)
                .optional()?;
            Ok(link.flatten())
        })
        .await
    }
}
