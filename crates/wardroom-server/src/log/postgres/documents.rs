//! State documents, on PostgreSQL.

use tokio::sync::broadcast;
use tokio_postgres::{IsolationLevel, Row};
use uuid::Uuid;
use wardroom_core::document::Part;
use wardroom_core::id::PersonId;

use super::Store;
use super::read::{time, unsigned};
use crate::log::documents::unreadable;
use crate::log::row::bigint;
use crate::log::{DocumentRow, DocumentWrite, LogError, Stream};

/// The class of errors that say: what is stored does not agree with this.
const CONSTRAINTS: &str = "23";

/// A number that was never below nothing, if it is none now.
fn natural(row: &Row, column: &str) -> Option<u64> {
    u64::try_from(row.get::<_, i64>(column)).ok()
}

fn person(id: &str) -> Option<PersonId> {
    Uuid::parse_str(id).ok().map(PersonId)
}

fn number(stream: Stream) -> i64 {
    i64::from(stream.0)
}

impl Store {
    pub(in crate::log) async fn write_document(
        &self,
        stream: Stream,
        write: DocumentWrite,
    ) -> Result<Option<u64>, LogError> {
        let client = self.client().await?;
        let statement = client.prepare_cached("SELECT wardroom_write($1, $2, $3, $4, $5, $6, $7)").await?;
        let clients: Vec<i64> = write.clients.keys().map(|client| bigint(*client)).collect();
        let owners: Vec<String> = write.clients.values().map(ToString::to_string).collect();
        let parts: Vec<&str> = write.parts.keys().map(|part| part.name()).collect();
        let writers: Vec<String> = write.parts.values().map(ToString::to_string).collect();
        let at = write.at.as_microsecond();
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 7] =
            [&number(stream), &write.update, &at, &clients, &owners, &parts, &writers];
        let row = client.query_one(&statement, &values).await.map_err(|error| {
            let broken = error.code().is_some_and(|code| code.code().starts_with(CONSTRAINTS));
            if broken { LogError::Conflict } else { LogError::after_sending(error) }
        })?;
        Ok(row.get::<_, Option<i64>>(0).map(i64::unsigned_abs))
    }

    pub(in crate::log) async fn document(&self, stream: Stream, after: u64) -> Result<DocumentRow, LogError> {
        let mut client = self.client().await?;
        let image =
            client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true).start().await?;
        let number = number(stream);
        let version = image.query_opt("SELECT version FROM documents WHERE stream = $1", &[&number]).await?;
        let mut found =
            DocumentRow { version: version.map_or(0, |row| unsigned(&row, "version")), ..DocumentRow::default() };
        let query = "SELECT version, body FROM document_snapshots WHERE stream = $1 AND version > $2";
        let snapshot = image.query_opt(query, &[&number, &bigint(after)]).await?;
        found.snapshot = snapshot.map(|row| (unsigned(&row, "version"), row.get("body")));
        let after = found.snapshot.as_ref().map_or(after, |(version, _)| *version);
        let query = "SELECT version, body FROM document_updates WHERE stream = $1 AND version > $2 ORDER BY version";
        let updates = image.query(query, &[&number, &bigint(after)]).await?;
        found.updates = updates.iter().map(|row| (unsigned(row, "version"), row.get("body"))).collect();
        for row in image.query("SELECT client, person FROM document_clients WHERE stream = $1", &[&number]).await? {
            let owner = person(row.get("person"));
            found.own(natural(&row, "client"), owner).ok_or_else(|| unreadable(stream))?;
        }
        for row in image.query("SELECT * FROM document_parts WHERE stream = $1", &[&number]).await? {
            let (part, by) = (Part::named(row.get("part")), person(row.get("person")));
            found.change(part, natural(&row, "version"), time(row.get("at")), by).ok_or_else(|| unreadable(stream))?;
        }
        image.commit().await?;
        Ok(found)
    }

    pub(in crate::log) async fn document_version(&self, stream: Stream) -> Result<u64, LogError> {
        let client = self.client().await?;
        let query = client.prepare_cached("SELECT version FROM documents WHERE stream = $1").await?;
        let row = client.query_opt(&query, &[&number(stream)]).await?;
        Ok(row.map_or(0, |row| unsigned(&row, "version")))
    }

    pub(in crate::log) async fn compact_document(
        &self,
        stream: Stream,
        version: u64,
        state: Vec<u8>,
    ) -> Result<(), LogError> {
        // One statement sees what was there before it: only a snapshot that was put takes updates away.
        self.do_it(
            "WITH put AS (
               INSERT INTO document_snapshots AS s VALUES ($1, $2, $3)
               ON CONFLICT (stream) DO UPDATE SET version = excluded.version, body = excluded.body
                 WHERE s.version <= excluded.version
               RETURNING s.version)
             DELETE FROM document_updates u USING put WHERE u.stream = $1 AND u.version <= put.version",
            &[&number(stream), &bigint(version), &state],
        )
        .await
    }

    pub(in crate::log) fn document_news(&self) -> broadcast::Receiver<(Stream, u64)> {
        self.documents.subscribe()
    }
}
