//! Keeps what is worth keeping by itself, once an incident is declared on a service: URLs through the same look as what people
//! have fetched, and programs that the settings name.
//!
//! It follows the log as everybody else does, so nothing waits for it: a declaration is answered before this knows of it.
//! What was tried stands in the incident, so that a restart and other nodes go on with what was not: each thing may be
//! asked for more than once, and is recorded once. One place is asked at a time, so that one that is slow holds up what is
//! behind it alone. What could not be kept is told in one line, when everything was tried. Where the log or the store of
//! evidence cannot just now, that is nobody's answer: it is tried again, less and less often.

mod captures;
mod running;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, watch as signal};
use uuid::Uuid;
use wardroom_core::evidence::{Fingerprint, MediaType};
use wardroom_core::id::{Actor, Number};
use wardroom_core::incident::Incident;
use wardroom_core::preserve::{CaptureName, Preserving, Shows, Way, Why};
use wardroom_core::refusal::Code;

use crate::clock;
use crate::evidence::Keep;
use crate::execute::{Asked, Executor, NotDone, Order};
use crate::fetch::{Fetcher, Listed, NotFetched, Target};
use crate::log::LogError;
use crate::mask::Mask;
use crate::streams::{Streams, stream_of};
use crate::views::board::Board;
use crate::watch::{Changed, Follower, Piece, Watch};

pub use captures::{CAPTURES_MAX, Capture, Captures, Several};

/// So many things are asked for at once. Each holds up to one piece of evidence.
const AT_ONCE: usize = 8;
/// How long to wait after something could not be read or told: at first, and at the most.
const AGAIN: Duration = Duration::from_secs(1);
const AGAIN_MOST: Duration = Duration::from_secs(60);
/// How often the store of evidence is asked to take something.
const STORE_TRIES: u32 = 3;

/// What it follows, and where it tells.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub streams: Streams,
    pub executor: Executor,
    pub watch: Watch,
    pub board: Board,
}

/// Starts keeping, once `told` says that the incidents know of the time before the start. Where no evidence is kept, there is
/// nothing to do.
pub(crate) fn start(world: World, keep: Keep, from: (Listed, Captures), told: signal::Receiver<bool>) {
    if !keep.is_somewhere() {
        return;
    }
    let (listed, captures) = from;
    let keeper = Keeper(Arc::new(Parts {
        world,
        keep,
        fetcher: Fetcher::taking_turns(listed, AT_ONCE),
        captures,
        mask: Arc::new(Mask::new(&[], "").expect("there is nothing else that could be wrong")),
        turns: Semaphore::new(AT_ONCE),
        places: Mutex::default(),
        busy: Mutex::default(),
    }));
    tokio::spawn(keeper.run(told));
}

#[derive(Clone)]
struct Keeper(Arc<Parts>);

struct Parts {
    world: World,
    keep: Keep,
    fetcher: Fetcher,
    captures: Captures,
    mask: Arc<Mask>,
    turns: Semaphore,
    /// One turn for each host and each capture. There are no more of them than the settings name.
    places: Mutex<BTreeMap<String, Arc<Semaphore>>>,
    /// Incidents that are being worked on, and whether there is news of them meanwhile.
    busy: Mutex<BTreeMap<Number, bool>>,
}

impl std::ops::Deref for Keeper {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// A thing that is to be kept.
struct Due {
    shows: Shows,
    from: Source,
}

enum Source {
    /// What is no URL is not reached.
    Url(Option<Target>),
    Capture(CaptureName),
}

/// Places that did not answer in this round: they are not waited for again.
type Silent = Mutex<BTreeSet<String>>;

fn locked<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Keeper {
    async fn run(self, mut told: signal::Receiver<bool>) {
        if told.wait_for(|told| *told).await.is_err() {
            return;
        }
        let mut entries = self.world.watch.subscribe();
        let mut follower = Follower::of(&self.world.watch);
        loop {
            if let Err(error) = self.follow(&mut follower).await {
                tracing::warn!(%error, "it is not known yet what is worth keeping; trying again");
                tokio::time::sleep(AGAIN).await;
                continue;
            }
            if entries.changed().await.is_err() {
                return;
            }
        }
    }

    /// Looks at the incidents that changed, or at all that are open, until there is no more to look at.
    async fn follow(&self, follower: &mut Follower) -> Result<(), LogError> {
        loop {
            let Piece { changed, until } = follower.look();
            let numbers: BTreeSet<Number> = match changed {
                Changed::In { incidents, .. } => incidents,
                Changed::Anywhere => self.world.board.active().await?.iter().map(|summary| summary.number).collect(),
            };
            for number in numbers {
                // One that cannot be read is tried again by whoever works on it, and holds up no other.
                if self.due(number).await.map_or(true, |due| !due.is_empty()) {
                    self.begin(number);
                }
            }
            if follower.done(until) {
                return Ok(());
            }
        }
    }

    /// What is to be kept of an incident now; nothing of one that cannot be read.
    async fn due(&self, number: Number) -> Result<Vec<Due>, LogError> {
        let incident: Arc<Incident> = match self.world.streams.incident(number).await {
            Ok(Some(held)) => held.incident,
            Ok(None) | Err(LogError::Damaged { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let facts = self.world.streams.directory().directory.facts.clone();
        let due = incident.to_keep(&facts).into_iter().filter_map(|(service, thing)| {
            let from = match thing.way() {
                Way::Url(url) => Source::Url(url.parse().ok()),
                Way::Capture(name) => Source::Capture(name),
                Way::ByHand => return None,
            };
            Some(Due { shows: Shows { service: service.clone(), thing: thing.id }, from })
        });
        Ok(due.collect())
    }

    /// Has an incident worked on, by one task at a time.
    fn begin(&self, number: Number) {
        if locked(&self.busy).insert(number, true).is_some() {
            return;
        }
        let keeper = self.clone();
        tokio::spawn(async move {
            let mut wait = AGAIN;
            while keeper.has_news(number) {
                let round = keeper.clone();
                match tokio::spawn(async move { round.round(number).await }).await {
                    Ok(Ok(())) => wait = AGAIN,
                    Ok(Err(error)) => {
                        tracing::warn!(%error, incident = number.get(), "what is worth keeping is not kept yet; trying again");
                        tokio::time::sleep(wait).await;
                        wait = (2 * wait).min(AGAIN_MOST);
                        locked(&keeper.busy).insert(number, true);
                    }
                    Err(error) => {
                        tracing::error!(%error, incident = number.get(), "keeping what is worth it broke off");
                    }
                }
            }
        });
    }

    /// Whether there is anything new to look at; where there is not, the next news have somebody else begin.
    fn has_news(&self, number: Number) -> bool {
        let mut busy = locked(&self.busy);
        let news = busy.get_mut(&number).is_some_and(std::mem::take);
        if !news {
            busy.remove(&number);
        }
        news
    }

    /// Tries everything that is due once, and tells what could not be kept, whatever trouble there was with the rest.
    async fn round(&self, number: Number) -> Result<(), NotDone> {
        let silent = Silent::default();
        let due = self.due(number).await?;
        let tried = stream::iter(due).map(|due| self.tried(number, due, &silent));
        let tried: Vec<_> = tried.buffer_unordered(AT_ONCE).collect().await;
        let mut missed = Vec::new();
        let mut trouble = None;
        for (shows, tried) in tried {
            match tried {
                Ok(None) => {}
                Ok(Some(why)) => missed.push((shows, why)),
                Err(error) => trouble = Some(error),
            }
        }
        if !missed.is_empty() {
            self.tell(number, Preserving::NotKept(missed)).await?;
        }
        trouble.map_or(Ok(()), Err)
    }

    async fn tried(&self, number: Number, due: Due, silent: &Silent) -> (Shows, Result<Option<Why>, NotDone>) {
        let tried = self.one(number, &due, silent).await;
        (due.shows, tried)
    }

    /// Keeps one thing, or says why not.
    async fn one(&self, number: Number, due: &Due, silent: &Silent) -> Result<Option<Why>, NotDone> {
        let bytes = match self.shown(number, due, silent).await {
            Ok(bytes) if bytes.is_empty() => return Ok(Some(Why::Empty)),
            Ok(bytes) => Bytes::from(bytes),
            Err(why) => return Ok(Some(why)),
        };
        let all = bytes.clone();
        let digest = tokio::task::spawn_blocking(move || Sha256::digest(&all).into());
        let fingerprint = Fingerprint::new(digest.await.map_err(|_| NotDone::BrokeOff)?);
        let (media_type, length) = (MediaType::of(&bytes), bytes.len() as u64);
        let mut tries = 1;
        while let Err(error) = self.keep.keep(stream_of(number), fingerprint, bytes.clone(), clock::now()).await {
            if tries == STORE_TRIES {
                if !is_for_people(&error) {
                    return Err(error.into());
                }
                tracing::warn!(%error, incident = number.get(), "what is worth keeping could not be stored");
                return Ok(Some(Why::NotStored));
            }
            tries += 1;
            tokio::time::sleep(AGAIN).await;
        }
        let shows = due.shows.clone();
        self.tell(number, Preserving::Kept { shows, fingerprint, media_type, bytes: length }).await
    }

    /// What a thing shows now.
    async fn shown(&self, number: Number, Due { shows, from }: &Due, silent: &Silent) -> Result<Vec<u8>, Why> {
        let place = match from {
            Source::Url(None) => return Err(Why::Unreachable),
            Source::Url(Some(target)) => {
                self.fetcher.may_fetch(target).map_err(|_| Why::NotListed)?;
                target.place().to_owned()
            }
            Source::Capture(name) => format!("capture:{name}"),
        };
        let capture = match from {
            Source::Capture(name) => Some(self.captures.get(name).ok_or(Why::NoSuchCapture)?),
            Source::Url(_) => None,
        };
        let at_place =
            Arc::clone(locked(&self.places).entry(place.clone()).or_insert_with(|| Arc::new(Semaphore::new(1))));
        let (Ok(_there), Ok(_turn)) = (at_place.acquire().await, self.turns.acquire().await) else {
            return Err(Why::Unreachable);
        };
        if locked(silent).contains(&place) {
            return Err(Why::TooSlow);
        }
        let shown = match (from, capture) {
            (Source::Url(Some(target)), _) => self.fetcher.fetch(target).await.map_err(|not| why(&not)),
            (_, Some(capture)) => running::run(capture, &shows.service, number, &self.mask).await,
            (Source::Url(None) | Source::Capture(_), None) => Err(Why::Unreachable),
        };
        if matches!(shown, Err(Why::TooSlow)) {
            locked(silent).insert(place);
        }
        shown
    }

    /// Tells the incident; whoever came first is believed. Why it was not taken, where that is to be told.
    async fn tell(&self, number: Number, told: Preserving) -> Result<Option<Why>, NotDone> {
        let order = Order::Preserve(number, told);
        let asked = Asked { request: Uuid::now_v7(), actor: Actor::Wardroom, order };
        match self.world.executor.execute(asked).await {
            Ok(_) => Ok(None),
            Err(NotDone::Refused(refusal)) => match refusal.code {
                Code::AlreadySo | Code::ReadOnly | Code::WrongPhase | Code::NoSuchIncident => Ok(None),
                Code::TooMany | Code::Invalid => Ok(Some(Why::NoRoom)),
                _ => Err(NotDone::Refused(refusal)),
            },
            Err(error) => Err(error),
        }
    }
}

/// Whether nothing can be stored before somebody does something about it. Everything else may pass by itself.
fn is_for_people(error: &LogError) -> bool {
    matches!(error, LogError::Full(_) | LogError::NoStore(_))
}

/// Why something was not fetched, as the log has it.
fn why(not: &NotFetched) -> Why {
    match not {
        not if not.is_forbidden() => Why::NotListed,
        NotFetched::TooSlow(_) => Why::TooSlow,
        NotFetched::TooLarge(_) => Why::TooLarge,
        NotFetched::Answered(..) | NotFetched::OnAndOn(_) | NotFetched::LeadsAstray(..) => Why::Answered,
        _ => Why::Unreachable,
    }
}
