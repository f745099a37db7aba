//! What a running server is made of, and how it starts and stops.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch as signal;

use crate::account::Accounts;
use crate::account::link::{self, MadeLink};
use crate::admission::exempt::Exempt;
use crate::config::{Config, Setting};
use crate::document::Documents;
use crate::due::Due;
use crate::evidence::Keep;
use crate::evidence::arriving::Uploads;
use crate::example::{BEAT, Examples};
use crate::execute::{Executor, NotDone};
use crate::fetch::Fetcher;
use crate::gate::Gate;
use crate::log::{Log, LogError, Place, Stream};
use crate::metrics::Metrics;
use crate::presence::Presence;
use crate::preserving::World;
use crate::prompts::Prompted;
use crate::public_url::PublicUrl;
use crate::reach::Reach;
use crate::sightings::Sightings;
use crate::streams::{DIRECTORY, Streams};
use crate::views::audit::Audit;
use crate::views::board::Board;
use crate::watch::Watch;
use crate::web::askers::Askers;
use crate::web::connection::Connections;
use crate::web::evidence::weight::Weights;
use crate::web::followers::Followers;
use crate::web::tls::Certificate;
use crate::{clock, evidence, preserving, web};

/// How long requests that are under way may take after the server was told to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// How long a start waits for the board to have read what was appended last.
const CATCH_UP: Duration = Duration::from_secs(5);

/// How long a command waits for the incidents to be told of the time before the start.
const TELLING: Duration = Duration::from_secs(8);

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
    /// Who may change what.
    pub gate: Gate,
    /// Takes what other systems tell of changes.
    pub sightings: Sightings,
    /// With what GitHub signs what it tells.
    pub github_secrets: Vec<String>,
    /// Whom of a cluster's own the gate does not ask.
    pub exempt: Exempt,
    /// The directory's stream, to look things up in.
    pub audit: Audit,
    /// What this node runs with, as admins may read it.
    pub settings: Vec<Setting>,
    /// When people were last seen.
    pub presence: Presence,
    /// What people were prompted of.
    pub prompted: Prompted,
    /// What is remembered for letting people in.
    pub accounts: Accounts,
    /// Where people find this server, if that is settled.
    pub public_url: Option<PublicUrl>,
    /// Who asked the gate lately.
    pub askers: Askers,
    /// Who follows live.
    pub followers: Followers,
    /// State documents that are open.
    pub documents: Documents,
    /// What is fetched to be kept.
    pub fetcher: Fetcher,
    /// How much evidence is in memory.
    pub evidence: Weights,
    /// Where its bytes are.
    pub keep: Keep,
    /// Evidence on its way.
    pub uploads: Uploads,
    /// Telling people what waits for them.
    pub reach: Reach,
    /// Playing the example incident.
    pub examples: Examples,
    /// What is counted.
    pub metrics: Metrics,
    /// Turns true when the incidents were told of the time before the start.
    pub told: signal::Receiver<bool>,
    /// Turns true when the server is told to stop: open streams end.
    pub stopping: signal::Receiver<bool>,
}

impl AsRef<Metrics> for Server {
    fn as_ref(&self) -> &Metrics {
        &self.metrics
    }
}

impl Parts {
    /// Waits until nothing stands in the way of recording something in an incident: what happened there before it was
    /// told of an outage would count as that outage's end.
    ///
    /// # Errors
    /// [`NotDone::Busy`] when there are so many that it takes longer.
    pub async fn ready_to_record(&self) -> Result<(), NotDone> {
        let mut told = self.told.clone();
        let waited = tokio::time::timeout(TELLING, told.wait_for(|told| *told)).await;
        waited.map(drop).map_err(|_| NotDone::Busy)
    }
}

/// Settings of a server whose data folder, if it has one, is its own for as long as this lives.
#[derive(Debug)]
pub struct Claimed {
    config: Config,
    _lock: Option<FolderLock>,
}

impl Config {
    /// Takes the data folder, before anything is promised to anybody.
    ///
    /// # Errors
    /// When another server has it, or it cannot be made.
    pub fn claim(self) -> anyhow::Result<Claimed> {
        let lock = match &self.place {
            Place::Folder(folder) => Some(FolderLock::take(folder)?),
            Place::Postgres(_) => None,
        };
        Ok(Claimed { config: self, _lock: lock })
    }
}

/// Keeps a second server off the same data folder, for as long as it lives.
#[derive(Debug)]
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
/// When the store cannot be opened, or its quick check fails.
pub async fn run(
    claimed: Claimed,
    listener: TcpListener,
    ready: impl FnOnce(Option<MadeLink>),
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let Claimed { mut config, _lock } = claimed;
    let certificate = config.tls.take().map(Certificate::read).transpose()?;
    let tls = certificate.as_ref().map(Certificate::tls).transpose()?;
    let limits = config.limits;
    let (stop, stopping) = signal::channel(false);
    let mut stopped = stop.subscribe();
    tokio::spawn(async move {
        shutdown.await;
        tracing::info!("stopping: finishing what is under way");
        let _ = stop.send(true);
    });
    // A store that does not answer must not keep it from being stopped.
    let opening = async {
        let server = open(config, stopping).await?;
        let link = first_admin(&server).await;
        anyhow::Ok((server, link))
    };
    let (server, link) = tokio::select! {
        _ = stopped.wait_for(|stop| *stop) => return Ok(()),
        opened = opening => opened?,
    };
    tokio::spawn(web::health::verify_in_background(server.clone()));
    ready(link);
    if let Some(certificate) = certificate {
        tokio::spawn(certificate.keep_up(server.clone()));
    }
    let connections = Connections::new(listener, limits, tls.is_some());
    let documents = server.documents.clone();
    let stops = stopped.clone();
    let serving = async {
        web::serve::serve(connections, web::router::router(server), tls, stops).await;
        documents.ended().await;
    };
    tokio::select! {
        () = serving => {}
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

/// Opens the store and starts what serving needs.
async fn open(config: Config, stopping: signal::Receiver<bool>) -> anyhow::Result<Server> {
    let log = Log::open(&config.place).await?;
    let mut damaged = BTreeMap::new();
    match log.check_heads().await {
        // The others go on. There may be more: the background check finds them all.
        Err(LogError::Damaged { stream, why }) if stream != DIRECTORY => {
            tracing::error!(%stream, why, "the record was tampered with or damaged");
            damaged.insert(stream, format!("its record is damaged: {why}"));
        }
        checked => checked?,
    }
    start(log, damaged, config, stopping).await
}

/// Starts everything that serving needs, on an open log; these streams are set aside.
///
/// # Errors
/// When the store cannot be read.
pub async fn start(
    log: Log,
    damaged: BTreeMap<Stream, String>,
    config: Config,
    stopping: signal::Receiver<bool>,
) -> anyhow::Result<Server> {
    let streams = Streams::new(log.clone()).with_room(config.limits.room()).with_captures(config.captures.names());
    let keep = Keep::of(&log, &config.evidence);
    let uploads = Uploads::beside(&config.place, &config.evidence);
    evidence::arriving::start(uploads.clone(), keep.clone());
    let metrics = Metrics::default();
    metrics.quarantined.set(i64::try_from(damaged.len()).unwrap_or(i64::MAX));
    streams.quarantine(damaged);
    let watch = Watch::start(log.clone(), streams.clone()).await?;
    evidence::start(log.clone(), keep.clone(), &watch);
    let executor = Executor::start(log.clone(), streams.clone());
    let board = Board::start(log.clone(), streams.clone(), watch.clone());
    // The clock knows the open incidents from the board. One that has to be made anew is not waited for.
    if tokio::time::timeout(CATCH_UP, board.catch_up()).await.is_err() {
        tracing::info!("the board is still being made from the log");
    }
    let lost = metrics.gate_stops_lost.clone();
    let gate = Gate::start(log.clone(), streams.clone(), watch.clone(), board.clone(), lost);
    let sightings =
        Sightings::start(log.clone(), streams.clone(), executor.clone(), watch.clone(), board.clone(), &metrics);
    let (presence, prompted) = (Presence::new(clock::now()), Prompted::default());
    let reach = Reach::start(config.outside, &log, &streams, &watch, &board)?;
    let told = Due::start(log.clone(), streams.clone(), executor.clone(), presence.clone(), prompted.clone());
    let examples =
        Examples::start(log.clone(), streams.clone(), executor.clone(), presence.clone(), BEAT, told.clone());
    preserving::start(
        World { streams: streams.clone(), executor: executor.clone(), watch: watch.clone(), board: board.clone() },
        keep.clone(),
        (config.fetch_from.clone(), config.captures),
        told.clone(),
    );
    let (accounts, followers) = (Accounts::default(), Followers::new(config.limits.streams_per_person.get()));
    let documents = Documents::new(log.clone(), streams.clone(), watch.subscribe(), metrics.documents_damaged.clone());
    Ok(Server(Arc::new(Parts {
        documents,
        audit: Audit::new(log.clone()),
        settings: config.shown,
        log,
        streams,
        executor,
        watch,
        board,
        gate,
        sightings,
        github_secrets: config.github_secrets,
        exempt: config.exempt,
        presence,
        prompted,
        accounts,
        public_url: config.public_url,
        askers: Askers::new(config.limits.gate_asks_per_second),
        followers,
        fetcher: Fetcher::new(config.fetch_from),
        evidence: Weights::default(),
        keep,
        uploads,
        reach,
        examples,
        metrics,
        told,
        stopping,
    })))
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use uuid::Uuid;
    use wardroom_core::command::Opening;
    use wardroom_core::deadline::DOWN_AFTER;
    use wardroom_core::directory::DirectoryCommand;
    use wardroom_core::id::{Actor, Number};

    use super::*;
    use crate::config::ServeArgs;
    use crate::evidence::KeptAt;
    use crate::execute::{Asked, Order};

    /// Mary's incident, and a sign of life from before an outage.
    async fn before_an_outage(log: &Log) {
        let streams = Streams::new(log.clone());
        let executor = Executor::start(log.clone(), streams.clone());
        let ask = async |actor, order| {
            executor.execute(Asked { request: Uuid::now_v7(), actor, order }).await.unwrap();
        };
        let [handle, name] = ["mary", "Mary"];
        let (handle, name) = (handle.parse().unwrap(), name.parse().unwrap());
        let add = DirectoryCommand::AddPerson { handle, name, email: None, admin: false };
        ask(Actor::Console, Order::Directory(add)).await;
        let mary = Actor::Person(*streams.directory().directory.facts.people.keys().next().unwrap());
        let opening: Opening = serde_json::from_value(serde_json::json!({ "title": "Search is failing" })).unwrap();
        ask(mary, Order::Open(opening)).await;
        let board = Board::start(log.clone(), streams.clone(), Watch::start(log.clone(), streams).await.unwrap());
        board.catch_up().await.unwrap();
        log.beat(Uuid::now_v7(), clock::now() - jiff::SignedDuration::from_mins(4)).await.unwrap();
    }

    /// It told every open incident of the outage first, and until then could not even be stopped.
    #[tokio::test]
    async fn the_start_does_not_wait_for_the_incidents_to_be_told_of_an_outage() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::open(&Place::Folder(folder.path().to_owned())).await.unwrap();
        before_an_outage(&log).await;
        let rival = rusqlite::Connection::open(folder.path().join("wardroom.db")).unwrap();
        rival.execute_batch("BEGIN IMMEDIATE").unwrap();
        let (_stop, stopping) = signal::channel(false);
        let evidence = KeptAt::Folder(folder.path().join("evidence"));
        let config = Config { evidence, ..ServeArgs::default().settle().unwrap() };
        let server = start(log, BTreeMap::new(), config, stopping).await.unwrap();
        assert!(server.streams.incident(Number::FIRST).await.unwrap().is_some(), "what can be read is served");
        assert!(server.ready_to_record().now_or_never().is_none(), "but nothing is recorded before");
        rival.execute_batch("COMMIT").unwrap();
        server.ready_to_record().await.unwrap();
        let now = clock::now();
        let last = server.log.last_beat(now).await.unwrap().unwrap();
        assert!(now.duration_since(last) < DOWN_AFTER, "the outage is over");
    }

    #[tokio::test]
    async fn a_stream_that_is_known_to_be_damaged_is_set_aside_from_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::Folder(folder.path().to_owned());
        before_an_outage(&Log::open(&place).await.unwrap()).await;
        let raw = rusqlite::Connection::open(folder.path().join("wardroom.db")).unwrap();
        raw.execute_batch("UPDATE tips SET seq = seq + 1 WHERE stream = 1").unwrap();
        let (_stop, stopping) = signal::channel(false);
        let evidence = KeptAt::Folder(folder.path().join("evidence"));
        let config = Config { place, evidence, ..ServeArgs::default().settle().unwrap() };
        let server = open(config, stopping).await.unwrap();
        let held = server.streams.incident(Number::FIRST).await.unwrap().unwrap();
        let why = held.incident.unreadable.clone().unwrap_or_default();
        assert_eq!(why, "its record is damaged: its tip does not agree with its last event");
        assert_eq!(server.metrics.quarantined.get(), 1);
    }

    /// A database that takes the connection and says nothing.
    #[tokio::test]
    async fn a_start_that_waits_for_its_store_can_be_stopped() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("postgres://wardroom@{}/wardroom", silent.local_addr().unwrap());
        let config = Config { place: Place::Postgres(url), ..ServeArgs::default().settle().unwrap() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        run(config.claim().unwrap(), listener, |_| panic!("it is not ready"), std::future::ready(())).await.unwrap();
    }
}
