//! The bytes of evidence in a backup: rows of 1 MiB each, so that no piece is ever in memory as a whole.

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use crate::evidence::{Flow, Keep};
use crate::log::{Log, LogError, sqlite};

/// A table that only backups have.
const TABLE: &str = "CREATE TABLE evidence_parts (
    object TEXT NOT NULL, part INTEGER NOT NULL, body BLOB NOT NULL, UNIQUE (object, part)
) STRICT";
/// Bytes of a part; the last one has fewer.
const PART: usize = 1 << 20;
/// Parts that are written together.
const AT_ONCE: usize = 8;

/// A piece was redacted after the log was copied, and is not to be had any more.
pub(super) struct Missed;

/// The objects that events of a store have.
async fn objects(store: &sqlite::Store) -> Result<Vec<String>, LogError> {
    store
        .read(|connection| {
            let mut query = connection.prepare("SELECT DISTINCT object FROM evidence WHERE position IS NOT NULL")?;
            let objects = query.query_map([], |row| row.get(0))?;
            Ok(objects.collect::<Result<_, _>>()?)
        })
        .await
}

/// Puts the evidence that a copy's events have into the copy of a log. What is damaged is copied as it is, and found out
/// by verifying.
pub(super) async fn put_into(copy: &sqlite::Store, log: &Log, keep: &Keep) -> Result<Result<(), Missed>, LogError> {
    copy.write(|connection| Ok(connection.execute_batch(TABLE)?)).await?;
    for object in objects(copy).await? {
        match keep.read(&object).await? {
            Some((_, flow)) => put(copy, &object, flow).await?,
            None if log.has_object(&object).await? => tracing::error!(object, "evidence is not there"),
            None => return Ok(Err(Missed)),
        }
    }
    Ok(Ok(()))
}

async fn put(copy: &sqlite::Store, object: &str, mut flow: Flow) -> Result<(), LogError> {
    let (mut parts, mut part, mut first) = (Vec::new(), Vec::with_capacity(PART), 0_i64);
    loop {
        let chunk = flow.next().await.transpose()?;
        let last = chunk.is_none();
        let mut rest = chunk.unwrap_or_default();
        while !rest.is_empty() {
            part.extend_from_slice(&rest.split_to(rest.len().min(PART - part.len())));
            if part.len() == PART {
                parts.push(std::mem::replace(&mut part, Vec::with_capacity(PART)));
            }
        }
        if last {
            parts.push(std::mem::take(&mut part));
        }
        if last || parts.len() >= AT_ONCE {
            let (object, before, parts) = (object.to_owned(), first, std::mem::take(&mut parts));
            first += i64::try_from(parts.len()).map_err(LogError::unavailable)?;
            copy.write(move |connection| put_parts(connection, &object, before, &parts)).await?;
        }
        if last {
            return Ok(());
        }
    }
}

fn put_parts(connection: &mut Connection, object: &str, before: i64, parts: &[Vec<u8>]) -> Result<(), LogError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut put = transaction.prepare_cached("INSERT INTO evidence_parts VALUES (?1, ?2, ?3)")?;
    for (n, part) in (before..).zip(parts) {
        put.execute(params![object, n, part])?;
    }
    drop(put);
    Ok(transaction.commit()?)
}

/// Puts the evidence of a backup where it is kept from now on.
pub(super) async fn take_out_of(backup: &Log, pieces: &Keep, into: &Keep) -> Result<(), LogError> {
    let Log::Sqlite(store) = backup else { return Ok(()) };
    if !has_table(store, "evidence").await? {
        return Ok(()); // From before there was any.
    }
    for object in objects(store).await? {
        if let Some((_, flow)) = pieces.read(&object).await? {
            into.put(&object, flow).await?;
        }
    }
    Ok(())
}

async fn has_table(store: &sqlite::Store, table: &'static str) -> Result<bool, LogError> {
    let found = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1";
    store.read(move |connection| Ok(connection.prepare_cached(found)?.exists([table])?)).await
}

impl Log {
    /// Reads an object of a backup, as [`Keep::read`] does.
    pub(crate) async fn backed_up(&self, object: &str) -> Result<Option<(u64, Flow)>, LogError> {
        let Self::Sqlite(store) = self else { return Ok(None) };
        let store = store.clone();
        if !has_table(&store, "evidence_parts").await? {
            return Ok(None);
        }
        let name = object.to_owned();
        let size: Option<i64> = store
            .read(move |connection| {
                let size = "SELECT sum(length(body)) FROM evidence_parts WHERE object = ?1";
                Ok(connection.prepare_cached(size)?.query_row([name], |row| row.get(0))?)
            })
            .await?;
        let Some(size) = size else { return Ok(None) };
        let object = object.to_owned();
        let flow = stream::try_unfold(0_i64, move |part| {
            let (store, object) = (store.clone(), object.clone());
            async move {
                let body = store.read(move |connection| {
                    let body = "SELECT body FROM evidence_parts WHERE object = ?1 AND part = ?2";
                    let mut body = connection.prepare_cached(body)?;
                    Ok(body.query_row(params![object, part], |row| row.get::<_, Vec<u8>>(0)).optional()?)
                });
                Ok(body.await?.map(|body| (Bytes::from(body), part + 1)))
            }
        });
        Ok(Some((size.unsigned_abs(), flow.boxed())))
    }
}
