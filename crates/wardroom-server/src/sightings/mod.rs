//! Changes of which other systems tell, on their way to the incidents that they may have to do with.
//!
//! What is told is kept beside the log before whoever tells it is answered, for a week: an incident that is declared
//! tomorrow may have begun today. From there each incident hears of what was made to its services since an hour before
//! impact began, as an ordinary order that is decided in the core; whatever is not known yet when an incident is opened,
//! gets other services, or is said to have begun earlier, is made up for. What an incident knows already is recorded once,
//! whichever node tells it, and however often.

mod kept;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::mpsc;
use uuid::Uuid;
use wardroom_core::id::{Actor, Number, ServiceName, Time};
use wardroom_core::incident::Incident;
use wardroom_core::refusal::Code;
use wardroom_core::sighting::Seen;

use crate::clock;
use crate::execute::{Asked, Executor, NotDone, Order};
use crate::log::{Log, LogError};
use crate::streams::Streams;
use crate::views::board::Board;
use crate::watch::{After, Watch};

pub use kept::Kept;

/// For so many days what was told is kept beside the log.
pub const KEPT_DAYS: i64 = 7;
/// So many are told to one incident at once, the newest.
pub const TOLD_AT_ONCE: i64 = 100;
/// News that wait for whoever passes them on; when it has more to do, it looks at everything anew.
const QUEUE: usize = 64;
/// Entries that are looked at together.
const PIECE: usize = 512;
/// How long to wait after something could not be told.
const AGAIN: Duration = Duration::from_secs(1);

/// Takes what is told. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sightings {
    log: Log,
    news: mpsc::Sender<Vec<Seen>>,
}

impl Sightings {
    /// Starts telling the incidents.
    #[must_use]
    pub fn start(log: Log, streams: Streams, executor: Executor, watch: Watch, board: Board) -> Self {
        let (news, waiting) = mpsc::channel(QUEUE);
        let teller = Teller { log: log.clone(), streams, executor, watch, board, known: BTreeMap::new() };
        tokio::spawn(teller.run(waiting));
        Self { log, news }
    }

    /// Keeps what was told, all of it or nothing; the incidents hear of it a moment later. Returns how much of it was new, or
    /// further than before.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when nothing was kept, [`LogError::InDoubt`] when that is not known. Telling it again does
    /// no harm; what was kept after all is no news then, and the incidents hear of it when they look back next.
    pub async fn keep(&self, told: Vec<Seen>) -> Result<usize, LogError> {
        let now = clock::now();
        let forget_before = now - SignedDuration::from_hours(24 * KEPT_DAYS);
        let kept = told.iter().map(|seen| Kept::of(seen, now)).collect();
        let news = self.log.keep_sightings(kept, forget_before).await?;
        let news: Vec<Seen> = told.into_iter().filter(|seen| news.contains(&seen.key)).collect();
        let many = news.len();
        if !news.is_empty() {
            // Where nobody takes it now, whoever passes it on is told to look at everything.
            let _ = self.news.try_send(news);
        }
        Ok(many)
    }
}

/// What an incident hears of: from when on, and of which services.
type Hears = (Time, BTreeSet<ServiceName>);

struct Teller {
    log: Log,
    streams: Streams,
    executor: Executor,
    watch: Watch,
    board: Board,
    /// What each open incident heard of, as far as it was told everything since.
    known: BTreeMap<Number, Hears>,
}

impl Teller {
    async fn run(mut self, mut waiting: mpsc::Receiver<Vec<Seen>>) {
        let mut entries = self.watch.subscribe();
        let mut position = None;
        // Looked at before anything waits: what was kept before a crash is told by that.
        loop {
            if let Err(error) = self.follow(&mut position).await {
                tracing::warn!(%error, "incidents are not told of changes yet; trying again");
                position = None;
                self.known.clear();
                tokio::time::sleep(AGAIN).await;
                continue;
            }
            tokio::select! {
                changed = entries.changed() => if changed.is_err() { return },
                news = waiting.recv() => {
                    let Some(news) = news else { return };
                    // As many as can wait: some may not have found room.
                    let all = waiting.len() + 1 >= QUEUE;
                    if all || self.pass_on(news).await.is_err() {
                        position = None;
                        self.known.clear();
                    }
                }
            }
        }
    }

    /// Looks at the incidents that changed, or at all that are open.
    async fn follow(&mut self, position: &mut Option<u64>) -> Result<(), NotDone> {
        let until = self.watch.position();
        let changed = match position {
            None => After::Behind,
            Some(position) => self.watch.after(*position, PIECE),
        };
        let (numbers, until): (BTreeSet<Number>, u64) = match changed {
            After::Entries(entries) => {
                let until = entries.last().map_or(until, |last| last.position);
                (entries.iter().filter_map(|shown| shown.stream.incident()).collect(), until)
            }
            After::Behind => (self.open().await?.into_iter().collect(), until),
        };
        for number in numbers {
            self.look_back(number).await?;
        }
        *position = Some(until);
        Ok(())
    }

    async fn open(&self) -> Result<Vec<Number>, LogError> {
        Ok(self.board.active().await?.iter().map(|summary| summary.number).collect())
    }

    /// The incident, unless it cannot be read: nobody else waits for that one.
    async fn incident(&self, number: Number) -> Result<Option<Arc<Incident>>, LogError> {
        match self.streams.incident(number).await {
            Ok(held) => Ok(held.map(|held| held.incident)),
            Err(error @ LogError::Damaged { .. }) => {
                tracing::error!(%number, %error, "an incident hears of no changes");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Tells an incident what was kept before it came to hear of that.
    async fn look_back(&mut self, number: Number) -> Result<(), NotDone> {
        let Some(incident) = self.incident(number).await? else { return Ok(()) };
        let services = incident.watched_services(&self.streams.directory().directory.facts);
        if services.is_empty() {
            self.known.remove(&number);
            return Ok(());
        }
        let hears = (incident.hears_from(), services);
        if self.known.get(&number) == Some(&hears) {
            return Ok(());
        }
        for seen in self.log.sightings(hears.1.clone(), hears.0, TOLD_AT_ONCE).await? {
            self.tell(number, seen).await?;
        }
        self.known.insert(number, hears);
        Ok(())
    }

    /// Tells every incident that hears of it.
    async fn pass_on(&mut self, news: Vec<Seen>) -> Result<(), NotDone> {
        for number in self.open().await? {
            let Some(incident) = self.incident(number).await? else { continue };
            let services = incident.watched_services(&self.streams.directory().directory.facts);
            for seen in news.iter().filter(|seen| services.contains(&seen.service)) {
                self.tell(number, seen.clone()).await?;
            }
        }
        Ok(())
    }

    async fn tell(&self, number: Number, seen: Seen) -> Result<(), NotDone> {
        let asked = Asked { request: Uuid::now_v7(), actor: Actor::Source, order: Order::See(number, Box::new(seen)) };
        match self.executor.execute(asked).await {
            Ok(_) => Ok(()),
            // It is known there, or of no matter; or there is no room, or nothing can be written there.
            Err(NotDone::Refused(refusal))
                if matches!(refusal.code, Code::AlreadySo | Code::ReadOnly | Code::TooMany | Code::NoSuchIncident) =>
            {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}
