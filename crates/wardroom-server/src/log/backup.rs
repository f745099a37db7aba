//! Backups: one file, whichever database it comes from or goes to. The file is an embedded store.
//!
//! Evidence is in it too, however much there is: whoever has the file has everything that was acknowledged.
//!
//! What is volatile or disposable (presence, prompts, snapshots, the board) is left out, and so is what lets people in. A restored log begins a new
//! epoch, so that cursors of the history that it replaces are recognised.

mod pieces;

use std::ops::Range;
use std::path::{Path, PathBuf};

use futures_util::{StreamExt, pin_mut};
use rusqlite::config::DbConfig;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, params_from_iter};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{IsolationLevel, Row};

use self::pieces::Missed;
use super::{Append, Log, LogError, Place, Stored, Stream, postgres, sqlite};
use crate::evidence::{Keep, KeptAt};

/// A table by its name, with its columns.
type Table = (&'static str, &'static [&'static str]);

/// The tables that make up the log and the documents beside it, with their columns in the order in which they are copied. `head` is last:
/// a copy that was cut off has none.
/// Evidence comes before the words that its database holds it against.
const TABLES: &[Table] = &[
    ("evidence", &["stream", "sha256", "at", "position", "object", "here"]),
    ("events", &["position", "stream", "seq", "kind", "version", "at", "actor", "body", "hash", "link"]),
    ("tips", &["stream", "seq", "hash"]),
    ("texts", &["stream", "commitment", "position", "salt", "words", "erased_by"]),
    ("requests", &["actor", "id", "digest", "spans"]),
    ("documents", &["stream", "version"]),
    ("document_updates", &["stream", "version", "body"]),
    ("document_snapshots", &["stream", "version", "body"]),
    ("document_clients", &["stream", "client", "person"]),
    ("document_parts", &["stream", "part", "version", "at", "person"]),
    ("head", &["one", "epoch", "position", "link"]),
];
/// What a copy of an embedded store must not have, beside the views.
const VOLATILE: &str = "DELETE FROM seen; DELETE FROM beats; DELETE FROM prompts;
    DELETE FROM passwords; DELETE FROM sessions; DELETE FROM links;
    DELETE FROM passkeys; DELETE FROM challenge_key; DELETE FROM used_challenges;
    DELETE FROM calls; DELETE FROM deliveries; DELETE FROM pagers;
    DELETE FROM push_key; DELETE FROM browsers;
    DELETE FROM evidence WHERE position IS NULL; DELETE FROM evidence_going; DELETE FROM evidence_home";
const OCCUPIED: &str = "there is a log already where this should go; restoring never overwrites one";
/// Rows between two checkpoints of a copy.
const ROWS_AT_ONCE: usize = 2_000;
/// How often a copy is made anew because evidence was redacted while it was made.
const COPIES: u32 = 5;

impl Log {
    /// Writes a backup beside a running server: everything acknowledged before this call is in it.
    ///
    /// It is written under another name, synced, checked, and only then given its name; a file that is there
    /// already is not overwritten.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] with what stood in the way, [`LogError::Occupied`] when there is a file of that name,
    /// [`LogError::Damaged`] when the copy does not agree with itself.
    pub async fn backup_to(&self, file: &Path, keep: &Keep) -> Result<(), LogError> {
        let unavailable = |what: &str, error: std::io::Error| LogError::unavailable(format!("{what}: {error}"));
        if file.exists() {
            return Err(LogError::Occupied(format!("{} is there already; name another file", file.display())));
        }
        let mut partial = file.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let mut tries = 1;
        while let Err(Missed) = self.copy_into(&partial, keep).await? {
            tries += 1;
            if tries > COPIES {
                return Err(LogError::unavailable("evidence is redacted all the time while it is copied; try again"));
            }
        }
        let opened = std::fs::File::open(&partial).map_err(|error| unavailable("the copy", error))?;
        opened.sync_all().map_err(|error| unavailable("syncing the copy", error))?;
        std::fs::rename(&partial, file).map_err(|error| unavailable("naming the copy", error))?;
        if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            let folder = std::fs::File::open(folder).map_err(|error| unavailable("the folder", error))?;
            folder.sync_all().map_err(|error| unavailable("syncing the folder", error))?;
        }
        Ok(())
    }

    /// Makes the copy, with all evidence that its events have.
    async fn copy_into(&self, partial: &Path, keep: &Keep) -> Result<Result<(), Missed>, LogError> {
        let _ = std::fs::remove_file(partial);
        sqlite::make_file(partial)?;
        match self {
            Self::Sqlite(store) => store.copy_to(partial).await?,
            Self::Postgres(store) => store.copy_to(partial).await?,
        }
        let copy = sqlite::Store::open_file(partial.to_owned())?;
        copy.clear_volatile().await?;
        copy.check_heads().await?;
        if let Err(missed) = pieces::put_into(&copy, self, keep).await? {
            return Ok(Err(missed));
        }
        copy.finish().await?;
        Ok(Ok(()))
    }
}

/// Restores a backup into a place that has no log yet, under a new epoch, with its evidence where that is to be kept, and
/// opens it. `then` is given the directory's
/// stream as the backup has it, and says what is appended in the same transaction: a restored log never stands there
/// without it.
///
/// What does not verify is not restored: whoever was given a backup that somebody has written into shall not find out
/// from an incident that cannot be changed.
///
/// # Errors
/// [`LogError::NoStore`] when the file is no backup, [`LogError::DoesNotHold`] when it does not verify,
/// [`LogError::Occupied`] when the place has a log, and whatever `then` says. The place has no log
/// then. [`LogError::InDoubt`] when the database's last answer got lost.
pub async fn restore(
    file: &Path,
    into: &Place,
    at: &KeptAt,
    then: impl FnOnce(&[Stored]) -> Result<Vec<Append>, LogError>,
) -> Result<Log, LogError> {
    if !file.is_file() {
        return Err(LogError::NoStore(format!("there is no file {}", file.display())));
    }
    // First of all: of a file that is no good nothing is left where it was to go.
    let backup = Log::Sqlite(sqlite::Store::open_backup(file.to_owned())?);
    backup.check_heads().await?;
    let pieces = Keep::in_backup(backup.clone());
    let report = backup.verify(Some(&pieces), |_| ()).await?;
    if let Some(first) = report.broken.first() {
        return Err(LogError::DoesNotHold(first.to_string()));
    }
    let log = Log::open(into).await?;
    if log.head().await?.position > 0 {
        return Err(LogError::Occupied(OCCUPIED.to_owned()));
    }
    let appends = then(&directory_of(file).await?)?;
    let tables = tables_of(file).await?;
    // Bytes first: there is no event whose evidence is still on its way.
    pieces::take_out_of(&backup, &pieces, &Keep::of(&log, at)).await?;
    match &log {
        Log::Sqlite(store) => store.fill_from(file, tables, appends).await?,
        Log::Postgres(store) => store.fill_from(file, tables, appends).await?,
    }
    log.check_heads().await?;
    Ok(log)
}

/// Those of the tables that a backup has: an older Wardroom's has fewer.
async fn tables_of(file: &Path) -> Result<Vec<Table>, LogError> {
    read_backup(file, |connection| {
        let mut query = connection.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1")?;
        let mut tables = Vec::new();
        for table in TABLES {
            if query.exists([table.0])? {
                tables.push(*table);
            }
        }
        Ok(tables)
    })
    .await
}

/// The directory's stream in a backup.
async fn directory_of(file: &Path) -> Result<Vec<Stored>, LogError> {
    read_backup(file, |connection| sqlite::read::read_stream(connection, Stream(0), 0, i32::MAX as usize)).await
}

fn select(table: &str, columns: &[&str]) -> String {
    format!("SELECT {} FROM {table}", columns.join(", "))
}

fn insert(table: &str, columns: &[&str], mark: char) -> String {
    let marks: Vec<String> = (1..=columns.len()).map(|n| format!("{mark}{n}")).collect();
    format!("INSERT INTO {table} ({}) VALUES ({})", columns.join(", "), marks.join(", "))
}

impl sqlite::Store {
    async fn clear_volatile(&self) -> Result<(), LogError> {
        self.clear_views().await?;
        self.write(|connection| Ok(connection.execute_batch(VOLATILE)?)).await
    }

    /// Leaves one file without a journal beside it.
    async fn finish(&self) -> Result<(), LogError> {
        // SQLite gives the journal up only for the last connection that is left.
        self.close_readers();
        self.write(|connection| Ok(connection.pragma_update(None, "journal_mode", "DELETE")?)).await
    }

    /// Fills an empty log from a backup and appends to it, in one transaction.
    async fn fill_from(&self, file: &Path, tables: Vec<Table>, appends: Vec<Append>) -> Result<(), LogError> {
        let file = file.to_string_lossy().into_owned();
        self.write(move |connection| {
            connection.execute("ATTACH ?1 AS backup", [file])?;
            let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            transaction.execute("DELETE FROM head", [])?;
            for (table, columns) in tables {
                let columns = columns.join(", ");
                transaction.execute(
                    &format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM backup.{table}"),
                    [],
                )?;
            }
            transaction.execute("UPDATE head SET epoch = randomblob(16)", [])?;
            sqlite::write::append_within(&transaction, &appends)?;
            transaction.commit().map_err(LogError::after_commit)?;
            connection.execute("DETACH backup", [])?;
            Ok(())
        })
        .await
    }
}

/// A value of PostgreSQL as SQLite keeps it.
fn to_sqlite(row: &Row, index: usize) -> Result<Sql, LogError> {
    let value = match *row.columns()[index].type_() {
        Type::INT8 => row.get::<_, Option<i64>>(index).map(Sql::Integer),
        Type::INT4 => row.get::<_, Option<i32>>(index).map(|number| Sql::Integer(number.into())),
        Type::TEXT => row.get::<_, Option<String>>(index).map(Sql::Text),
        Type::BYTEA => row.get::<_, Option<Vec<u8>>>(index).map(Sql::Blob),
        Type::UUID => row.get::<_, Option<uuid::Uuid>>(index).map(|id| Sql::Blob(id.as_bytes().to_vec())),
        ref other => return Err(LogError::unavailable(format!("a column has the unexpected type {other}"))),
    };
    Ok(value.unwrap_or(Sql::Null))
}

/// A value of SQLite as PostgreSQL keeps it in a column of this type.
fn to_postgres(value: Sql, kind: &Type) -> Result<Box<dyn ToSql + Sync + Send>, LogError> {
    Ok(match (value, kind) {
        (Sql::Null, &Type::INT8) => Box::new(None::<i64>),
        (Sql::Null, &Type::TEXT) => Box::new(None::<String>),
        (Sql::Null, &Type::BYTEA) => Box::new(None::<Vec<u8>>),
        (Sql::Integer(number), &Type::INT8) => Box::new(number),
        (Sql::Integer(number), &Type::INT4) => Box::new(i32::try_from(number).map_err(LogError::unavailable)?),
        (Sql::Text(text), &Type::TEXT) => Box::new(text),
        (Sql::Blob(bytes), &Type::BYTEA) => Box::new(bytes),
        (Sql::Blob(bytes), &Type::UUID) => Box::new(uuid::Uuid::from_slice(&bytes).map_err(LogError::unavailable)?),
        (_, kind) => return Err(LogError::unavailable(format!("a value of the backup does not fit {kind}"))),
    })
}

impl postgres::Store {
    /// Copies one consistent image of the log into a new embedded store.
    async fn copy_to(&self, file: &Path) -> Result<(), LogError> {
        let copy = sqlite::Store::open_file(file.to_owned())?;
        copy.write(|connection| {
            // What is copied has happened: a log that does not hold can be backed up, too, and is found out by verifying.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
            Ok(connection.execute_batch("DELETE FROM head")?)
        })
        .await?;
        let mut client = self.client().await?;
        let image =
            client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true).start().await?;
        // A copy may take long between two reads, because it waits for the disk.
        image
            .batch_execute("SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0")
            .await?;
        for (table, columns) in TABLES {
            let rows = image.query_raw(&select(table, columns), std::iter::empty::<i32>()).await?;
            let chunks = rows.chunks(ROWS_AT_ONCE);
            pin_mut!(chunks);
            while let Some(chunk) = chunks.next().await {
                let mut values = Vec::with_capacity(chunk.len());
                for row in chunk {
                    let row = row?;
                    values.push((0..columns.len()).map(|index| to_sqlite(&row, index)).collect::<Result<Vec<_>, _>>()?);
                }
                let statement = insert(table, columns, '?');
                copy.write(move |connection| put_rows(connection, &statement, values)).await?;
            }
        }
        Ok(image.commit().await?)
    }

    /// Fills an empty log from a backup and appends to it, in one transaction.
    async fn fill_from(&self, file: &Path, tables: Vec<Table>, appends: Vec<Append>) -> Result<(), LogError> {
        let mut client = self.client().await?;
        let transaction = client.transaction().await?;
        transaction
            .batch_execute(
                "SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0; DELETE FROM head",
            )
            .await?;
        for (table, columns) in tables {
            let statement = transaction.prepare(&insert(table, columns, '$')).await?;
            let mut after = 0;
            loop {
                let rows = rows_of(file, &select(table, columns), after..after + ROWS_AT_ONCE, columns.len()).await?;
                after += rows.len();
                let done = rows.len() < ROWS_AT_ONCE;
                for row in rows {
                    let values: Vec<Box<dyn ToSql + Sync + Send>> = row
                        .into_iter()
                        .zip(statement.params())
                        .map(|(value, kind)| to_postgres(value, kind))
                        .collect::<Result<_, _>>()?;
                    let values: Vec<&(dyn ToSql + Sync)> =
                        values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect();
                    transaction.execute(&statement, &values).await?;
                }
                if done {
                    break;
                }
            }
        }
        transaction.execute("UPDATE head SET epoch = gen_random_uuid()", &[]).await?;
        if !appends.is_empty() {
            postgres::write::append_within(&transaction, &appends).await?;
        }
        transaction.commit().await.map_err(LogError::after_sending)
    }
}

fn put_rows(connection: &mut Connection, statement: &str, rows: Vec<Vec<Sql>>) -> Result<(), LogError> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for row in rows {
        transaction.prepare_cached(statement)?.execute(params_from_iter(row))?;
    }
    Ok(transaction.commit()?)
}

/// The next rows of a table of a backup, in the order in which they stand there.
async fn rows_of(file: &Path, select: &str, rows: Range<usize>, columns: usize) -> Result<Vec<Vec<Sql>>, LogError> {
    let query = format!("{select} LIMIT {} OFFSET {}", rows.len(), rows.start);
    read_backup(file, move |connection| {
        let mut query = connection.prepare(&query)?;
        let rows = query.query_map([], |row| (0..columns).map(|index| row.get(index)).collect())?;
        Ok(rows.collect::<Result<Vec<Vec<Sql>>, _>>()?)
    })
    .await
}

/// Reads a backup, and changes nothing about it.
async fn read_backup<T: Send + 'static>(
    file: &Path,
    read: impl FnOnce(&Connection) -> Result<T, LogError> + Send + 'static,
) -> Result<T, LogError> {
    let file = file.to_owned();
    let reading = tokio::task::spawn_blocking(move || {
        read(&Connection::open_with_flags(file, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?)
    });
    reading.await.map_err(LogError::unavailable)?
}
