//! Where a case takes place: a fresh database of one kind or the other, gone when the case ends.

use std::path::PathBuf;
use std::str::FromStr;

use rusqlite::Connection;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, NoTls};
use uuid::Uuid;
use wardroom_server::log::{Log, Place};

/// Names the PostgreSQL server on which the tests may create databases.
const SERVER: &str = "WARDROOM_TEST_POSTGRES";

/// A fresh place for a log, and a folder for the files of the case.
pub struct Ground {
    pub place: Place,
    pub folder: TempDir,
    _database: Option<Database>,
}

impl Ground {
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { place: Place::Folder(folder.path().join("data")), folder, _database: None }
    }

    /// On a folder of somebody else's.
    pub fn at(folder: PathBuf) -> Self {
        Self { place: Place::Folder(folder), folder: tempfile::tempdir().unwrap(), _database: None }
    }

    pub fn postgres() -> Self {
        let database = Database::create();
        Self {
            place: Place::Postgres(dsn(&database.config(), None)),
            folder: tempfile::tempdir().unwrap(),
            _database: Some(database),
        }
    }

    pub async fn open(&self) -> Log {
        Log::open(&self.place).await.unwrap()
    }

    /// A name for a file of this case.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A way into the tables, past the log.
    pub async fn raw(&self) -> Raw {
        Raw::of(&self.place).await
    }

    pub fn is_postgres(&self) -> bool {
        matches!(self.place, Place::Postgres(_))
    }
}

/// A connection past the log, to look, to tamper and to stand in the way.
pub enum Raw {
    Sqlite(Connection),
    Postgres(Client),
}

impl Raw {
    pub async fn of(place: &Place) -> Self {
        match place {
            Place::Folder(folder) => Self::Sqlite(Connection::open(folder.join("wardroom.db")).unwrap()),
            Place::Postgres(url) => Self::Postgres(connect(&Config::from_str(url).unwrap()).await),
        }
    }

    /// Runs statements that both databases understand.
    pub async fn run(&self, statements: &str) {
        match self {
            Self::Sqlite(connection) => connection.execute_batch(statements).unwrap(),
            Self::Postgres(client) => client.batch_execute(statements).await.unwrap(),
        }
    }

    /// Begins a transaction that writes: whoever else wants to write waits for its end.
    pub async fn begin_writing(&self) {
        match self {
            Self::Sqlite(connection) => connection.execute_batch("BEGIN IMMEDIATE").unwrap(),
            Self::Postgres(client) => client.batch_execute("BEGIN; SELECT FROM head FOR UPDATE").await.unwrap(),
        }
    }

    /// The one number that a query answers.
    pub async fn number(&self, query: &str) -> i64 {
        match self {
            Self::Sqlite(connection) => connection.query_row(query, [], |row| row.get(0)).unwrap(),
            Self::Postgres(client) => client.query_one(query, &[]).await.unwrap().get(0),
        }
    }

    /// Bytes, as this database writes them in a statement.
    pub fn bytes(&self, bytes: &[u8]) -> String {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self {
            Self::Sqlite(_) => format!("x'{hex}'"),
            Self::Postgres(_) => format!(r"'\x{hex}'::bytea"),
        }
    }

    /// How many rows the tables have that an append writes to.
    pub async fn rows(&self) -> Vec<i64> {
        let mut counts = Vec::new();
        for table in ["events", "texts", "requests", "tips"] {
            counts.push(self.number(&format!("SELECT count(*) FROM {table}")).await);
        }
        counts
    }
}

/// Runs a case on a ground, which goes when the case has ended, however it ended.
pub fn run(ground: Ground, case: impl AsyncFnOnce(&Ground)) {
    // Dropped before the ground is: nothing holds on to a database that is going to be dropped.
    let runtime = runtime();
    runtime.block_on(case(&ground));
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// A database of the tests' server.
struct Database {
    server: Config,
    name: String,
}

impl Database {
    fn create() -> Self {
        let url = std::env::var(SERVER).unwrap_or_else(|_| {
            panic!("{SERVER} does not name a PostgreSQL server for the tests: run `make test`, which brings its own")
        });
        let server = Config::from_str(&url).unwrap();
        let name = format!("wardroom_test_{}", Uuid::now_v7().simple());
        let create = format!("CREATE DATABASE {name}");
        tell(&server, &create).unwrap();
        Self { server, name }
    }

    fn config(&self) -> Config {
        let mut config = self.server.clone();
        config.dbname(&self.name);
        config
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        // A server that a failed case has taken down is no second failure.
        let _ = tell(&self.server, &drop);
    }
}

/// Has the server do something, on a thread of its own: a runtime cannot be started on another's threads, and a
/// case may want a second ground.
fn tell(server: &Config, statement: &str) -> std::thread::Result<()> {
    let told = async { connect(server).await.batch_execute(statement).await.unwrap() };
    std::thread::scope(|scope| scope.spawn(|| runtime().block_on(told)).join())
}

async fn connect(config: &Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// The settings in the form in which a place is given, if wished with another port of this machine.
pub fn dsn(config: &Config, port: Option<u16>) -> String {
    let quoted = |value: &str| format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"));
    let host = match &config.get_hosts()[0] {
        _ if port.is_some() => "127.0.0.1".to_owned(),
        Host::Tcp(name) => name.clone(),
        Host::Unix(folder) => folder.to_string_lossy().into_owned(),
    };
    let port = port.or_else(|| config.get_ports().first().copied()).unwrap_or(5432);
    let mut dsn = format!("host={} port={port}", quoted(&host));
    for (name, value) in [("user", config.get_user()), ("dbname", config.get_dbname())] {
        if let Some(value) = value {
            dsn.push_str(&format!(" {name}={}", quoted(value)));
        }
    }
    if let Some(password) = config.get_password() {
        dsn.push_str(&format!(" password={}", quoted(&String::from_utf8_lossy(password))));
    }
    dsn
}
