//! The machine's own limits for commits: SQLite and PostgreSQL with a bare row of the same bytes.

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context;
use rusqlite::Connection;

use crate::house::{create_database, psql};

/// How many bytes an accepted note leaves in the store, in the rows of its event, its words and its request.
pub fn bytes_of_a_note(store: &Path) -> anyhow::Result<usize> {
    let connection = Connection::open(store)?;
    let bytes: f64 = connection.query_row(
        "SELECT (SELECT avg(length(kind) + length(actor) + length(body) + length(hash) + 32) FROM events)
              + (SELECT avg(length(commitment) + length(salt) + length(words) + 16) FROM texts)
              + (SELECT avg(length(actor) + length(id) + length(digest) + length(spans)) FROM requests)",
        [],
        |row| row.get(0),
    )?;
    Ok(bytes.round() as usize)
}

/// Commits a second of one row each, with the settings that Wardroom's durability rests on.
pub fn sqlite_commits(folder: &Path, bytes: usize, slice: Duration) -> anyhow::Result<f64> {
    let file = folder.join(format!("bare-{}.db", uuid::Uuid::now_v7().simple()));
    let connection = Connection::open(file)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch("CREATE TABLE bare (position INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT")?;
    let mut insert = connection.prepare("INSERT INTO bare (body) VALUES (?1)")?;
    let body = "x".repeat(bytes);
    let (begun, mut commits) = (Instant::now(), 0_u32);
    while begun.elapsed() < slice {
        insert.execute([&body])?;
        commits += 1;
    }
    Ok(f64::from(commits) / begun.elapsed().as_secs_f64())
}

/// A database with one bare table, and pgbench's script for it.
pub struct Pgbench {
    url: String,
    script: tempfile::NamedTempFile,
}

impl Pgbench {
    /// Makes both.
    pub fn prepare(bytes: usize) -> anyhow::Result<Self> {
        let url = create_database()?;
        psql(&url, "CREATE TABLE bare (position bigserial PRIMARY KEY, body text NOT NULL)")?;
        let mut script = tempfile::NamedTempFile::new()?;
        writeln!(script, "INSERT INTO bare (body) VALUES ('{}');", "x".repeat(bytes))?;
        Ok(Self { url, script })
    }

    /// Inserts a second, each a transaction of its own.
    pub fn inserts(&self, clients: usize, slice: Duration) -> anyhow::Result<f64> {
        // Connecting so many takes part of it on a busy machine.
        let seconds = slice.as_secs().max(3).to_string();
        let clients = clients.to_string();
        let output = Command::new("pgbench")
            .args(["-n", "-M", "prepared", "-c", &clients, "-T", &seconds, "-f"])
            .arg(self.script.path())
            .arg(&self.url)
            .output()
            .context("running pgbench")?;
        anyhow::ensure!(output.status.success(), "pgbench: {}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8(output.stdout)?;
        let rate = said.split("tps = ").nth(1).and_then(|rest| rest.split_whitespace().next());
        rate.with_context(|| format!("no rate in {said}"))?.parse().context("a rate is a number")
    }
}
