//! Passwords, sessions and links on PostgreSQL.

use tokio_postgres::Row;
use wardroom_core::id::{LinkId, PersonId, SessionId, Time};

use super::Store;
use super::read::{hash, time};
use crate::log::credentials::LINKS_KEPT;
use crate::log::{Hash, LinkRow, LogError, SessionRow};

/// A session; `None` for a row that Wardroom never wrote, which opens nothing.
fn session_row(row: &Row) -> Option<SessionRow> {
    Some(SessionRow {
        id: SessionId(row.get("id")),
        digest: hash(row, "digest")?,
        person: PersonId(row.get("person")),
        device: row.get("device"),
        address: row.get("address"),
        opened_at: time(row.get("opened_at"))?,
        last_seen_at: time(row.get("last_seen_at"))?,
        expires_at: time(row.get("expires_at"))?,
    })
}

impl Store {
    pub(in crate::log) async fn password(&self, person: PersonId) -> Result<Option<String>, LogError> {
        let client = self.client().await?;
        let query = client.prepare_cached("SELECT hash FROM passwords WHERE person = $1").await?;
        Ok(client.query_opt(&query, &[&person.0]).await?.map(|row| row.get("hash")))
    }

    pub(in crate::log) async fn put_password(&self, person: PersonId, hash: String) -> Result<(), LogError> {
        self.do_it(
            "INSERT INTO passwords VALUES ($1, $2) ON CONFLICT (person) DO UPDATE SET hash = excluded.hash",
            &[&person.0, &hash],
        )
        .await
    }

    pub(in crate::log) async fn put_session(&self, row: SessionRow) -> Result<(), LogError> {
        self.do_it("DELETE FROM sessions WHERE expires_at <= $1", &[&row.opened_at.as_microsecond()]).await?;
        self.do_it(
            "INSERT INTO sessions VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            &[
                &row.digest.to_vec(),
                &row.id.0,
                &row.person.0,
                &row.device,
                &row.address,
                &row.opened_at.as_microsecond(),
                &row.last_seen_at.as_microsecond(),
                &row.expires_at.as_microsecond(),
            ],
        )
        .await
    }

    pub(in crate::log) async fn session(&self, digest: Hash) -> Result<Option<SessionRow>, LogError> {
        let client = self.client().await?;
        let query = client.prepare_cached("SELECT * FROM sessions WHERE digest = $1").await?;
        Ok(client.query_opt(&query, &[&digest.to_vec()]).await?.as_ref().and_then(session_row))
    }

    pub(in crate::log) async fn sessions_of(&self, person: PersonId) -> Result<Vec<SessionRow>, LogError> {
        let client = self.client().await?;
        let query = client.prepare_cached("SELECT * FROM sessions WHERE person = $1 ORDER BY opened_at DESC").await?;
        Ok(client.query(&query, &[&person.0]).await?.iter().filter_map(session_row).collect())
    }

    pub(in crate::log) async fn saw_session(&self, id: SessionId, at: Time) -> Result<(), LogError> {
        self.do_it(
            "UPDATE sessions SET last_seen_at = greatest(last_seen_at, $2) WHERE id = $1",
            &[&id.0, &at.as_microsecond()],
        )
        .await
    }

    pub(in crate::log) async fn put_link(&self, row: LinkRow) -> Result<(), LogError> {
        let long_gone = row.expires_at.as_microsecond() - LINKS_KEPT;
        self.do_it("DELETE FROM links WHERE expires_at <= $1", &[&long_gone]).await?;
        self.do_it(
            "INSERT INTO links VALUES ($1, $2, $3, $4)",
            &[&row.digest.to_vec(), &row.id.0, &row.person.map(|person| person.0), &row.expires_at.as_microsecond()],
        )
        .await
    }

    pub(in crate::log) async fn link(&self, digest: Hash) -> Result<Option<LinkRow>, LogError> {
        let client = self.client().await?;
        let query = client.prepare_cached("SELECT * FROM links WHERE digest = $1").await?;
        let found = client.query_opt(&query, &[&digest.to_vec()]).await?;
        Ok(found.and_then(|row| {
            Some(LinkRow {
                id: LinkId(row.get("id")),
                digest: hash(&row, "digest")?,
                person: row.get::<_, Option<uuid::Uuid>>("person").map(PersonId),
                expires_at: time(row.get("expires_at"))?,
            })
        }))
    }
}
