//! A store, the real `wardroom` on it, and somebody with a token.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::http::Client;
use crate::process;

/// How long a server may take until it serves.
const PATIENCE: Duration = Duration::from_secs(300);

/// A store of its own, thrown away with it.
pub struct House {
    folder: TempDir,
    database: Option<String>,
    /// Of somebody who may write.
    pub token: String,
}

impl House {
    /// On an embedded store.
    pub fn on_sqlite() -> anyhow::Result<Self> {
        Self::furnish(None)
    }

    /// On a database of the PostgreSQL server that `scripts/with-postgres` started, which ends with the run.
    pub fn on_postgres() -> anyhow::Result<Self> {
        Self::furnish(Some(create_database()?))
    }

    fn furnish(database: Option<String>) -> anyhow::Result<Self> {
        let mut house = Self { folder: tempfile::tempdir()?, database, token: String::new() };
        house.run(&["person", "add", "marty", "--name", "Marty", "--admin"])?;
        house.token = house.token_of("marty", "admin")?;
        Ok(house)
    }

    /// Adds somebody, and returns a token of theirs.
    pub fn person(&self, handle: &str) -> anyhow::Result<String> {
        self.run(&["person", "add", handle, "--name", handle])?;
        self.token_of(handle, "respond")
    }

    /// Imports a roster in TOML.
    pub fn import(&self, roster: &str) -> anyhow::Result<()> {
        let file = self.folder.path().join("roster.toml");
        std::fs::write(&file, roster)?;
        self.run(&["person", "import", &file.display().to_string()]).map(drop)
    }

    /// Has the gate of a service stop people.
    pub fn enforce(&self, service: &str) -> anyhow::Result<()> {
        self.run(&["service", "gate", service, "--enforce"]).map(drop)
    }

    fn token_of(&self, handle: &str, scope: &str) -> anyhow::Result<String> {
        let said = self.run(&["token", "create", handle, "--scope", scope])?;
        Ok(said.split_whitespace().last().context("a token was made")?.to_owned())
    }

    /// The embedded store's folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn place(&self) -> Vec<String> {
        match &self.database {
            None => vec!["--data".to_owned(), self.data().display().to_string()],
            Some(url) => vec!["--database".to_owned(), url.clone()],
        }
    }

    fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = Command::new(wardroom()?).args(arguments).args(self.place()).output()?;
        let errors = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "wardroom {}: {errors}", arguments.join(" "));
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Starts the server and waits until it answers that it is ready.
    pub async fn serve(&self) -> anyhow::Result<Server> {
        let mut child = Command::new(wardroom()?)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(self.place())
            // One token stands for everybody who asks.
            .env("WARDROOM_MAX_GATE_ASKS_PER_SECOND", "1000000")
            .env("WARDROOM_LOG", "error")
            .stdout(Stdio::piped())
            .spawn()?;
        let mut said = BufReader::new(child.stdout.take().context("its words are piped")?);
        let mut line = String::new();
        said.read_line(&mut line)?;
        let address = line.trim().rsplit("http://").next().unwrap_or_default().to_owned();
        let server = Server { child, address, token: self.token.clone(), _said: said };
        let until = Instant::now() + PATIENCE;
        loop {
            match server.client().await?.get("/readyz").await {
                Ok(answer) if answer.status == 200 => return Ok(server),
                _ if Instant::now() > until => anyhow::bail!("the server does not become ready"),
                _ => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
    }
}

/// The `wardroom` that was built beside this program.
pub fn wardroom() -> anyhow::Result<PathBuf> {
    let beside = std::env::current_exe()?.with_file_name("wardroom");
    anyhow::ensure!(beside.exists(), "{} is not built: run `make bench`", beside.display());
    Ok(beside)
}

/// The PostgreSQL server of this run.
pub fn postgres() -> anyhow::Result<String> {
    std::env::var("WARDROOM_TEST_POSTGRES").context("no PostgreSQL: run `make bench`, which starts one")
}

/// Makes a fresh database and returns its URL.
pub fn create_database() -> anyhow::Result<String> {
    let server = postgres()?;
    let name = format!("bench_{}", uuid::Uuid::now_v7().simple());
    psql(&server, &format!("CREATE DATABASE {name}"))?;
    let (head, _) = server.rsplit_once('/').context("the URL names a database")?;
    Ok(format!("{head}/{name}"))
}

/// Runs a statement.
pub fn psql(url: &str, statement: &str) -> anyhow::Result<()> {
    let status = Command::new("psql").args(["-qX", "-v", "ON_ERROR_STOP=1", url, "-c", statement]).status()?;
    anyhow::ensure!(status.success(), "psql could not: {statement}");
    Ok(())
}

/// A running server.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: String,
    token: String,
    _said: BufReader<ChildStdout>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// A connection of its own.
    pub async fn client(&self) -> anyhow::Result<Client> {
        Client::connect(&self.address, &self.token).await
    }

    /// A connection of somebody else.
    pub async fn client_of(&self, token: &str) -> anyhow::Result<Client> {
        Client::connect(&self.address, token).await
    }

    /// The process.
    pub fn child(&self) -> &Child {
        &self.child
    }

    /// How long it has kept the processor busy so far.
    pub fn busy(&self) -> anyhow::Result<Duration> {
        process::busy(&self.child)
    }

    /// Memory in megabytes by its name in `/proc`.
    pub fn memory(&self, name: &str) -> anyhow::Result<f64> {
        process::memory(&self.child, name)
    }
}
