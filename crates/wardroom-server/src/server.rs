//! What a running server is made of, and how it starts and stops.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch as signal;

use crate::account::Accounts;
use crate::account::link::{self, MadeLink};
use crate::config::Config;
use crate::due::Due;
use crate::execute::Executor;
use crate::log::{Log, LogError, Place};
use crate::metrics::Metrics;
use crate::presence::Presence;
use crate::streams::{DIRECTORY, Streams};
use crate::views::board::Board;
use crate::watch::Watch;
use crate::web::connection::{Connections, Peer};
use crate::{clock, web};

/// How long requests that are under way may take after the server was told to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// How long a start waits for the board to have read what was appended last.
const CATCH_UP: Duration = Duration::from_secs(5);

/// What every handler can reach. Cheap to clone: every request does.
#[derive(Clone, Debug)]
pub struct Server(Arc<Parts>);

impl std::ops::Deref for Server {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// What a server is made of.
#[derive(Debug)]
pub struct Parts {
    /// The log.
    pub log: Log,
    /// Folded states.
    pub streams: Streams,
    /// The one place that appends.
    pub executor: Executor,
    /// The log's tail.
    pub watch: Watch,
    /// Lists of incidents.
    pub board: Board,
    /// When people were last seen.
    pub presence: Presence,
    /// What is remembered for letting people in.
    pub accounts: Accounts,
    /// What is counted.
    pub metrics: Metrics,
    /// Turns true when the server is told to stop: open streams end.
    pub stopping: signal::Receiver<bool>,
}

/// Keeps a second server off the same data folder, for as long as it lives.
struct FolderLock(#[allow(dead_code)] std::fs::File);

impl FolderLock {
    fn take(folder: &Path) -> anyhow::Result<Self> {
        crate::log::make_folder(folder)?;
        let file = std::fs::File::create(folder.join("serve.lock"))?;
        file.try_lock().map_err(|_| {
            anyhow::anyhow!(
                "another `wardroom serve` runs on {}. Stop it first, or use PostgreSQL for several nodes.",
                folder.display()
            )
        })?;
        Ok(Self(file))
    }
}

/// Serves until `shutdown` resolves, then lets requests that are under way finish. `ready` is told of the link for the
/// first admin, as long as no admin can get in.
///
/// # Errors
/// When the store cannot be opened, its quick check fails, or another server has the data folder.
pub async fn run(
    config: Config,
    listener: TcpListener,
    ready: impl FnOnce(Option<MadeLink>),
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let _lock = match &config.place {
        Place::Folder(folder) => Some(FolderLock::take(folder)?),
        Place::Postgres(_) => None,
    };
    let log = Log::open(&config.place).await?;
    match log.check_heads().await {
        // The background check sets it aside; the others go on.
        Err(damaged @ LogError::Damaged { stream, .. }) if stream != DIRECTORY => tracing::error!(%damaged),
        checked => checked?,
    }
    let (stop, stopping) = signal::channel(false);
    let server = start(log, stopping).await?;
    tokio::spawn(web::health::verify_in_background(server.clone()));
    ready(first_admin(&server).await);
    let router = web::router::router(server).into_make_service_with_connect_info::<Peer>();
    let mut stopped = stop.subscribe();
    tokio::spawn(async move {
        shutdown.await;
        tracing::info!("stopping: finishing what is under way");
        let _ = stop.send(true);
    });
    let mut told = stopped.clone();
    let serving = axum::serve(Connections::new(listener, config.max_connections), router)
        .with_graceful_shutdown(async move { drop(told.wait_for(|stop| *stop).await) });
    tokio::select! {
        served = serving => served?,
        () = async {
            let _ = stopped.wait_for(|stop| *stop).await;
            tokio::time::sleep(DRAIN).await;
        } => tracing::warn!("some requests did not finish in time"),
    }
    Ok(())
}

/// The link for the first admin, if there has to be one. Without it there is still the machine itself to get in from.
async fn first_admin(server: &Server) -> Option<MadeLink> {
    let made = link::for_the_first_admin(&server.log, &server.streams, &server.executor).await;
    made.unwrap_or_else(|error| {
        tracing::warn!(%error, "no link for the first admin could be made");
        None
    })
}

/// Starts everything that serving needs, on an open log.
///
/// # Errors
/// When the store cannot be read.
pub async fn start(log: Log, stopping: signal::Receiver<bool>) -> anyhow::Result<Server> {
    let streams = Streams::new(log.clone());
    let watch = Watch::start(log.clone(), streams.clone()).await?;
    let executor = Executor::start(log.clone(), streams.clone());
    let board = Board::start(log.clone(), streams.clone(), watch.clone());
    // The clock knows the open incidents from the board. One that has to be made anew is not waited for.
    if tokio::time::timeout(CATCH_UP, board.catch_up()).await.is_err() {
        tracing::info!("the board is still being made from the log");
    }
    let presence = Presence::new(clock::now());
    Due::start(log.clone(), streams.clone(), executor.clone(), presence.clone()).await;
    let (accounts, metrics) = (Accounts::default(), Metrics::default());
    Ok(Server(Arc::new(Parts { log, streams, executor, watch, board, presence, accounts, metrics, stopping })))
}
