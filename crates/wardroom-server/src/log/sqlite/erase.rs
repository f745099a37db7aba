//! Erased words leave the files too, not only the tables.
//!
//! `secure_delete` overwrites what is deleted, but not the stale copies of a row that stay in the free part of a
//! page when SQLite moved rows between pages before. And the journal has the words until it is emptied, which a
//! long reader (a backup) can prevent. So after an erasure the journal is emptied, the file is searched for the
//! salts that stood beside the words, and the file is written anew if one is found. What could not be done at
//! once is tried again with every sign of life.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::read::bytes;
use crate::log::{Append, LogError};

/// Stands directly before the words in their row, and nowhere else.
pub(super) type Salt = [u8; 16];

/// How long emptying the journal waits for readers: commands wait with it.
const PATIENCE: Duration = Duration::from_millis(100);
/// Bytes of the file that are looked at together.
const WINDOW: usize = 1 << 20;

/// The salts of the words that these appends are going to erase.
pub(super) fn salts(connection: &Connection, appends: &[Append]) -> Result<Vec<Salt>, LogError> {
    let mut salts = Vec::new();
    for write in appends.iter().flat_map(|append| &append.writes) {
        for commitment in &write.erase {
            let salt: Option<Option<Salt>> = connection
                .prepare_cached("SELECT salt FROM texts WHERE stream = ?1 AND commitment = ?2")?
                .query_row(params![write.stream.0, commitment], |row| bytes(row, "salt"))
                .optional()?;
            salts.extend(salt.flatten());
        }
    }
    Ok(salts)
}

/// Sees to it that none of these salts, and so none of the words beside them, is left in the files.
pub(super) fn finish(connection: &Connection, file: &Path, salts: &mut Vec<Salt>) {
    if salts.is_empty() {
        return;
    }
    let done = empty_journal(connection).and_then(|()| {
        if found(file, salts)? {
            connection.execute_batch("VACUUM")?;
            empty_journal(connection)?;
        }
        Ok(())
    });
    match done {
        Ok(()) => salts.clear(),
        Err(error) => tracing::warn!(%error, "erased words may still stand in the files; trying again"),
    }
}

fn empty_journal(connection: &Connection) -> Result<(), LogError> {
    connection.busy_timeout(PATIENCE)?;
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
    connection.busy_timeout(super::BUSY)?;
    if busy? { Err(LogError::unavailable("somebody still reads the journal")) } else { Ok(()) }
}

/// Whether one of the salts stands anywhere in a file.
fn found(file: &Path, salts: &[Salt]) -> Result<bool, LogError> {
    let mut file = File::open(file).map_err(LogError::unavailable)?;
    let mut window = Vec::with_capacity(2 * WINDOW);
    loop {
        // The end of the window before it comes along: a salt may lie across.
        let tail = window.len().saturating_sub(size_of::<Salt>() - 1);
        window.drain(..tail);
        let read = file.by_ref().take(WINDOW as u64).read_to_end(&mut window).map_err(LogError::unavailable)?;
        if salts.iter().any(|salt| memchr::memmem::find(&window, salt).is_some()) {
            return Ok(true);
        }
        if read == 0 {
            return Ok(false);
        }
    }
}
