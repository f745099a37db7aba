//! State documents, on SQLite.

use rusqlite::{Connection, ErrorCode, OptionalExtension, TransactionBehavior, params};
use uuid::Uuid;
use wardroom_core::document::Part;
use wardroom_core::id::PersonId;

use super::Store;
use super::read::{integer, text, time};
use crate::log::documents::unreadable;
use crate::log::row::bigint;
use crate::log::{DocumentRow, DocumentWrite, LogError, Stream};

fn person(id: &str) -> Option<PersonId> {
    Uuid::parse_str(id).ok().map(PersonId)
}

fn version(connection: &Connection, stream: Stream) -> rusqlite::Result<u64> {
    let mut query = connection.prepare_cached("SELECT version FROM documents WHERE stream = ?1")?;
    let version: Option<i64> = query.query_row([stream.0], |row| row.get(0)).optional()?;
    Ok(version.unwrap_or_default().unsigned_abs())
}

/// `None`, when a client is somebody else's.
fn put(connection: &Connection, stream: Stream, write: &DocumentWrite) -> rusqlite::Result<Option<u64>> {
    for (client, person) in &write.clients {
        let put = "INSERT INTO document_clients VALUES (?1, ?2, ?3)
                   ON CONFLICT DO UPDATE SET person = person WHERE person = ?3";
        let values = params![stream.0, bigint(*client), person.to_string()];
        if connection.prepare_cached(put)?.execute(values)? == 0 {
            return Ok(None);
        }
    }
    let next = "INSERT INTO documents VALUES (?1, 1)
                ON CONFLICT DO UPDATE SET version = version + 1 RETURNING version";
    let version: i64 = connection.prepare_cached(next)?.query_row([stream.0], |row| row.get(0))?;
    let update = params![stream.0, version, write.update];
    connection.prepare_cached("INSERT INTO document_updates VALUES (?1, ?2, ?3)")?.execute(update)?;
    for (part, person) in &write.parts {
        connection
            .prepare_cached(
                "INSERT INTO document_parts VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET version = ?3, at = ?4, person = ?5",
            )?
            .execute(params![stream.0, part.name(), version, write.at.as_microsecond(), person.to_string()])?;
    }
    Ok(Some(version.unsigned_abs()))
}

impl Store {
    pub(in crate::log) async fn write_document(
        &self,
        stream: Stream,
        write: DocumentWrite,
    ) -> Result<Option<u64>, LogError> {
        self.write(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let version = put(&transaction, stream, &write).map_err(|error| match error.sqlite_error_code() {
                Some(ErrorCode::ConstraintViolation) => LogError::Conflict,
                _ => error.into(),
            })?;
            if version.is_some() {
                transaction.commit().map_err(LogError::after_commit)?;
            }
            Ok(version)
        })
        .await
    }

    pub(in crate::log) async fn document(&self, stream: Stream, after: u64) -> Result<DocumentRow, LogError> {
        self.read(move |connection| {
            let image = connection.unchecked_transaction()?;
            let mut found = DocumentRow { version: version(&image, stream)?, ..DocumentRow::default() };
            let mut query = image
                .prepare_cached("SELECT version, body FROM document_snapshots WHERE stream = ?1 AND version > ?2")?;
            found.snapshot = query
                .query_row(params![stream.0, bigint(after)], |row| {
                    Ok((integer(row, "version")?.unwrap_or_default(), row.get("body")?))
                })
                .optional()?;
            let after = found.snapshot.as_ref().map_or(after, |(version, _)| *version);
            let mut query = image.prepare_cached(
                "SELECT version, body FROM document_updates WHERE stream = ?1 AND version > ?2 ORDER BY version",
            )?;
            let updates = query.query_map(params![stream.0, bigint(after)], |row| {
                Ok((integer(row, "version")?.unwrap_or_default(), row.get("body")?))
            })?;
            found.updates = updates.collect::<Result<_, _>>()?;
            let mut query = image.prepare_cached("SELECT client, person FROM document_clients WHERE stream = ?1")?;
            let mut rows = query.query([stream.0])?;
            while let Some(row) = rows.next()? {
                let owner = text(row, "person")?.as_deref().and_then(person);
                found.own(integer(row, "client")?, owner).ok_or_else(|| unreadable(stream))?;
            }
            let mut query = image.prepare_cached("SELECT * FROM document_parts WHERE stream = ?1")?;
            let mut rows = query.query([stream.0])?;
            while let Some(row) = rows.next()? {
                let part = text(row, "part")?.as_deref().and_then(Part::named);
                let by = text(row, "person")?.as_deref().and_then(person);
                found.change(part, integer(row, "version")?, time(row, "at")?, by).ok_or_else(|| unreadable(stream))?;
            }
            Ok(found)
        })
        .await
    }

    pub(in crate::log) async fn document_version(&self, stream: Stream) -> Result<u64, LogError> {
        self.read(move |connection| Ok(version(connection, stream)?)).await
    }

    pub(in crate::log) async fn compact_document(
        &self,
        stream: Stream,
        version: u64,
        state: Vec<u8>,
    ) -> Result<(), LogError> {
        self.write(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let put = "INSERT INTO document_snapshots VALUES (?1, ?2, ?3)
                       ON CONFLICT DO UPDATE SET version = ?2, body = ?3 WHERE version <= ?2";
            if transaction.prepare_cached(put)?.execute(params![stream.0, bigint(version), state])? == 1 {
                transaction
                    .prepare_cached("DELETE FROM document_updates WHERE stream = ?1 AND version <= ?2")?
                    .execute(params![stream.0, bigint(version)])?;
            }
            transaction.commit()?;
            Ok(())
        })
        .await
    }
}
