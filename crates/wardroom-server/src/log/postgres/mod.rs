//! The log on PostgreSQL: any number of nodes act as one.

mod browsers;
mod calls;
mod credentials;
mod documents;
mod evidence;
mod gate;
mod listen;
mod passkeys;
mod read;
pub(super) mod schema;
mod sightings;
mod views;
mod walk;
pub(super) mod write;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use tokio::sync::{broadcast, watch};
use tokio_postgres::{Config, NoTls};

use crate::log::{LogError, Stream};

/// The SQLSTATE by which `wardroom_append` says that a stream is not where it was expected.
pub(in crate::log) const CONFLICT: &str = "WR001";
/// Connections of one node for everything but appending and listening.
const CONNECTIONS: usize = 8;
/// Connections of one node for appending alone, so that an append never queues behind its readers. Appends wait
/// for each other in the database anyway, so a second one is enough to have one on its way.
const APPENDING: usize = 2;
/// How long connecting, or waiting for a free connection, may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may take. Nobody waits longer than three seconds for a lock, so this is a database that is
/// stopped, or a proxy that lost it: both go on acknowledging whatever is sent.
const ANSWER: Duration = Duration::from_secs(10);
/// After how long a server that acknowledges nothing any more, not even a keepalive, is given up. Without it, a
/// cable that was pulled would hold whoever asked for a quarter of an hour.
const SILENT: Duration = Duration::from_secs(20);
/// How often a connection on which nothing is said asks whether the server is still there.
const KEEPALIVE: Duration = Duration::from_secs(5);

/// Updates of documents that are heard of before whoever waits for them has looked; beyond it, they look themselves.
const DOCUMENTS_HEARD: usize = 256;

/// The log on PostgreSQL. Cheap to clone; the last one dropped ends the listener.
#[derive(Clone)]
pub struct Store {
    pool: Pool,
    appending: Pool,
    /// How many notifications were heard.
    heard: Arc<watch::Sender<u64>>,
    /// What is heard of documents.
    documents: broadcast::Sender<(Stream, u64)>,
    _listener: Arc<listen::Listener>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PostgreSQL")
    }
}

/// The connection's settings. No node that is stalled can stop the others: whoever waits for a lock gives up
/// after three seconds, and whoever holds one without working is cut off after five.
fn config(url: &str) -> Result<Config, LogError> {
    // The parser's own message could repeat the URL, and with it the password.
    let mut config =
        Config::from_str(url).map_err(|_| LogError::unavailable("the database URL is not one of postgres://…"))?;
    config.connect_timeout(CONNECT).application_name("wardroom");
    config.keepalives_idle(KEEPALIVE).keepalives_interval(KEEPALIVE).tcp_user_timeout(SILENT);
    let options = [
        config.get_options().unwrap_or_default(),
        "-c lock_timeout=3s -c statement_timeout=30s -c idle_in_transaction_session_timeout=5s",
        "-c default_transaction_isolation=read\\ committed -c synchronous_commit=on -c client_min_messages=warning",
        // Arrays make every plan look different and none is better: planning anew cost a third of each append.
        "-c plan_cache_mode=force_generic_plan",
    ]
    .join(" ");
    config.options(options.trim());
    Ok(config)
}

/// At most so many connections, each made when it is needed.
fn pool_of(config: &Config, connections: usize) -> Result<Pool, LogError> {
    let manager =
        Manager::from_config(config.clone(), NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
    Pool::builder(manager)
        .max_size(connections)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(CONNECT))
        .create_timeout(Some(CONNECT))
        .build()
        .map_err(LogError::unavailable)
}

impl Store {
    /// Makes sure that the database holds a log.
    pub(super) async fn look_for(url: &str) -> Result<(), LogError> {
        let client = pool_of(&config(url)?, 1)?.get().await?;
        let there =
            client.query_one("SELECT to_regclass('migrations') IS NOT NULL AND to_regclass('head') IS NOT NULL", &[]);
        if there.await?.get(0) {
            return Ok(());
        }
        Err(LogError::NoStore(
            "there is no Wardroom store in this database yet; `wardroom serve` or `wardroom person add` makes one"
                .to_owned(),
        ))
    }

    /// Connects, and makes or migrates the tables.
    pub(super) async fn open(url: &str) -> Result<Self, LogError> {
        let config = config(url)?;
        let pool = pool_of(&config, CONNECTIONS)?;
        let appending = pool_of(&config, APPENDING)?;
        let mut client = pool.get().await?;
        schema::migrate(&mut client).await?;
        drop(client);
        let heard = Arc::new(watch::Sender::new(0));
        let documents = broadcast::Sender::new(DOCUMENTS_HEARD);
        let listener = Arc::new(listen::Listener::start(config, Arc::clone(&heard), documents.clone()));
        Ok(Self { pool, appending, heard, documents, _listener: listener })
    }

    pub(in crate::log) async fn client(&self) -> Result<Object, LogError> {
        Ok(self.pool.get().await?)
    }

    /// What the database answered, if it did in time.
    pub(in crate::log) async fn answered<T>(
        &self,
        asked: impl Future<Output = Result<T, LogError>>,
    ) -> Result<T, LogError> {
        let answer = tokio::time::timeout(ANSWER, asked).await;
        answer.unwrap_or_else(|_| {
            // The connection went back with the question still on it. Whatever is idle may be as dead: whoever asks
            // next connects anew.
            for pool in [&self.pool, &self.appending] {
                pool.retain(|_, _| false);
            }
            Err(LogError::unavailable("the database does not answer"))
        })
    }

    /// A connection that only appends are given.
    async fn appending_client(&self) -> Result<Object, LogError> {
        Ok(self.appending.get().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_server_is_given_up() {
        let config = config("postgres://somebody@db.example.net/wardroom").unwrap();
        assert_eq!(config.get_tcp_user_timeout(), Some(&SILENT));
        assert!(config.get_keepalives_idle() + KEEPALIVE < SILENT);
    }
}
