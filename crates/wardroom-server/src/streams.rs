//! Folded streams: a bounded cache of incidents, and the directory.
//!
//! Everything here can be thrown away and folded again from the log. An entry remembers the tip that it was
//! folded up to; it only ever moves forward, event by event, and is dropped when events are missing.

mod directory;
pub mod snapshot;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use lru::LruCache;
use wardroom_core::event::{Event, Unreadable};
use wardroom_core::evidence::Room;
use wardroom_core::id::{Entry, Number};
use wardroom_core::incident::{FOLD_VERSION, Incident};
use wardroom_core::preserve::CaptureName;
use wardroom_core::seal::{self, Seal};

use crate::gate::Book;
use crate::log::{Log, LogError, Snapshot, Stored, Stream, Tip};
use crate::stored::{recorded, sealed};
pub use directory::HeldDirectory;
pub(crate) use directory::evolve_directory;

/// Incidents held in memory; beyond it the one not used for longest is folded again when it is needed.
const INCIDENTS_HELD: NonZeroUsize = NonZeroUsize::new(512).expect("512 is not zero");
/// Incidents of which it is remembered how far the log went; beyond it, whatever is being folded is not held.
const REACHES_KEPT: usize = 4_096;
/// Events read at once while folding.
const PAGE: usize = 1_000;
/// A snapshot is written when folding had to read more events than this.
const SNAPSHOT_EVERY: u64 = 256;

/// A folded incident and how far it is folded.
#[derive(Clone, Debug)]
pub struct Held {
    /// The state.
    pub incident: Arc<Incident>,
    /// The stream's tip that it stands for.
    pub tip: Tip,
    /// The tip of the newest snapshot of it in the store.
    snapshot_at: u64,
}

/// The incidents that are held.
#[derive(Debug)]
struct Incidents {
    held: LruCache<Number, Held>,
    /// How far the log went, as far as this node has read it. What is folded to less was read before that, and
    /// nothing would bring it up to date but the incident's next entry.
    reached: BTreeMap<Number, u64>,
    /// How often what was being folded or decided came to be of no use.
    ages: u64,
}

/// When something was begun to be folded or decided. What was begun before words were erased may hold the words,
/// however new it looks, and is not held.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Age(u64);

/// Every folded stream of this node. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Streams {
    log: Log,
    incidents: Arc<Mutex<Incidents>>,
    directory: Arc<RwLock<HeldDirectory>>,
    /// Which incidents hold the gate of which services: it is brought up to what is held here as that comes.
    book: Arc<Book>,
    /// The last look at the directory for somebody unknown.
    look: Arc<directory::Looks>,
    quarantined: Arc<RwLock<BTreeMap<Stream, String>>>,
    /// What all evidence of one incident may weigh.
    room: Room,
    captures: Option<Arc<BTreeSet<CaptureName>>>,
}

/// The stream of an incident.
#[must_use]
pub fn stream_of(number: Number) -> Stream {
    Stream(number.get())
}

/// The stream of the directory.
pub const DIRECTORY: Stream = Stream(0);

impl Held {
    /// The state with these events folded in, if they follow on directly.
    fn after(&self, events: &[Stored]) -> Option<Self> {
        let mut held = self.clone();
        let incident = Arc::make_mut(&mut held.incident);
        for stored in events.iter().filter(|stored| stored.seq > self.tip.seq) {
            if stored.seq != held.tip.seq + 1 {
                return None;
            }
            fold_one(incident, stored);
            held.tip = Tip { seq: stored.seq, hash: stored.hash };
        }
        Some(held)
    }

    /// The state with what was just committed.
    #[must_use]
    pub fn new(incident: Incident, tip: Tip, before: Option<&Self>) -> Self {
        Self { incident: Arc::new(incident), tip, snapshot_at: before.map_or(0, |held| held.snapshot_at) }
    }
}

impl Incidents {
    /// The log goes at least this far: a state of less is not held any more, and none is from now on.
    fn reach(&mut self, number: Number, seq: u64) {
        if self.held.peek(&number).is_some_and(|held| held.tip.seq < seq) {
            self.held.pop(&number);
        }
        let reached = self.reached.entry(number).or_default();
        *reached = seq.max(*reached);
        if self.reached.len() > REACHES_KEPT {
            self.reached.clear();
            self.ages += 1; // What was begun up to now cannot be told from what is outdated.
        }
    }
}

fn fold_one(incident: &mut Incident, stored: &Stored) {
    match recorded(stored) {
        Ok(recorded) => incident.evolve(&recorded),
        Err(why) => incident.evolve_unreadable(Entry(stored.seq), stored.at, &why),
    }
}

/// A redaction takes words away that a folded state may still hold.
fn takes_words(events: &[Stored]) -> bool {
    events.iter().any(|stored| matches!(stored.kind.as_str(), "redacted" | "person_forgotten"))
}

impl Streams {
    /// Nothing folded yet.
    #[must_use]
    pub fn new(log: Log) -> Self {
        Self {
            log,
            incidents: Arc::new(Mutex::new(Incidents {
                held: LruCache::new(INCIDENTS_HELD),
                reached: BTreeMap::new(),
                ages: 0,
            })),
            directory: Arc::default(),
            book: Arc::default(),
            look: Arc::default(),
            quarantined: Arc::default(),
            room: Room::default(),
            captures: None,
        }
    }

    /// The same, where all evidence of one incident may weigh so much.
    #[must_use]
    pub fn with_room(self, room: Room) -> Self {
        Self { room, ..self }
    }

    /// The same, where these captures are named.
    #[must_use]
    pub fn with_captures(self, captures: BTreeSet<CaptureName>) -> Self {
        Self { captures: Some(Arc::new(captures)), ..self }
    }

    /// Which incidents hold the gate of which services.
    #[must_use]
    pub fn book(&self) -> &Arc<Book> {
        &self.book
    }

    /// The incident, from memory or folded from the log; `None` if there is none of this number.
    ///
    /// # Errors
    /// Whatever kept the log from being read.
    pub async fn incident(&self, number: Number) -> Result<Option<Held>, LogError> {
        let began = {
            let mut incidents = self.lock();
            if let Some(held) = incidents.held.get(&number) {
                return Ok(Some(held.clone()));
            }
            Age(incidents.ages)
        };
        let Some(held) = self.fold(number).await? else { return Ok(None) };
        let held = self.hold(number, held, began);
        if let Err(error) = self.snapshot_if_due(number).await {
            // Nothing depends on a snapshot, and a full disk must not keep anybody from reading.
            tracing::warn!(%number, %error, "a snapshot could not be kept");
        }
        // What came while that waited for the store is in what is held.
        let newest = self.lock().held.get(&number).filter(|known| known.tip.seq >= held.tip.seq).cloned();
        Ok(Some(newest.unwrap_or(held)))
    }

    /// The incident with at least this entry folded in: whoever read the log further than this node has folded
    /// must not go on with less.
    ///
    /// # Errors
    /// As [`Streams::incident`].
    pub async fn incident_up_to(&self, number: Number, seq: u64) -> Result<Option<Held>, LogError> {
        self.lock().reach(number, seq);
        self.incident(number).await
    }

    async fn fold(&self, number: Number) -> Result<Option<Held>, LogError> {
        let stream = stream_of(number);
        let mut held = self.newest_snapshot(stream).await?;
        loop {
            let after = held.as_ref().map_or(0, |held| held.tip.seq);
            let page = self.log.read_stream(stream, after, PAGE).await?;
            let last = page.len() < PAGE;
            let mut events = page.as_slice();
            if held.is_none()
                && let Some((first, rest)) = events.split_first()
            {
                held = Some(begin(first)?);
                events = rest;
            }
            if let Some(known) = &mut held {
                *known = known.after(events).ok_or_else(|| LogError::damaged(stream, "its entries have a gap"))?;
            }
            if last {
                return Ok(held);
            }
        }
    }

    /// The newest snapshot that this Wardroom's fold can use; anything odd about it means folding anew.
    async fn newest_snapshot(&self, stream: Stream) -> Result<Option<Held>, LogError> {
        let Some(snapshot) = self.log.snapshot(stream, FOLD_VERSION).await? else { return Ok(None) };
        let Some(number) = stream.incident() else { return Ok(None) };
        let Some(mut tree) = snapshot::read(&snapshot.body) else { return Ok(None) };
        // One that does not fit the log would be folded from again and again, and never agree with it.
        if self.log.event(stream, snapshot.seq).await?.is_none_or(|stored| stored.hash != snapshot.hash) {
            return Ok(None);
        }
        let seals: Vec<[u8; 32]> = seal::seals(&mut tree).into_iter().map(|Seal(bytes)| bytes).collect();
        let words = self.log.words(stream, &seals).await?;
        seal::open(&mut tree, &|seal| {
            words.iter().find(|text| text.commitment == seal.0).and_then(|t| t.words.clone())
        });
        let tip = Tip { seq: snapshot.seq, hash: snapshot.hash };
        let incident = snapshot::state(tree, number);
        Ok(incident.map(|incident| Held { incident: Arc::new(incident), tip, snapshot_at: snapshot.seq }))
    }

    /// Writes a snapshot if enough has happened since the last one. Snapshots hold seals, never words.
    ///
    /// # Errors
    /// Whatever kept the log from being written; nothing depends on a snapshot.
    pub async fn snapshot_if_due(&self, number: Number) -> Result<(), LogError> {
        let held = self.lock().held.peek(&number).cloned();
        let Some(mut held) = held.filter(|held| held.tip.seq >= held.snapshot_at + SNAPSHOT_EVERY) else {
            return Ok(());
        };
        self.keep_snapshot(&mut held).await?;
        if let Some(known) = self.lock().held.peek_mut(&number) {
            known.snapshot_at = known.snapshot_at.max(held.snapshot_at);
        }
        Ok(())
    }

    async fn keep_snapshot(&self, held: &mut Held) -> Result<(), LogError> {
        if held.incident.unreadable.is_some() {
            return Ok(()); // A newer Wardroom's snapshot knows more than this one's.
        }
        let stream = stream_of(held.incident.number);
        let body = sealed(&*held.incident, stream)?;
        let snapshot = Snapshot { seq: held.tip.seq, hash: held.tip.hash, body };
        self.log.put_snapshot(stream, FOLD_VERSION, snapshot).await?;
        held.snapshot_at = held.tip.seq;
        Ok(())
    }

    /// To be asked before a state is folded or decided on that shall be held.
    #[must_use]
    pub fn age(&self) -> Age {
        Age(self.lock().ages)
    }

    /// Holds a state unless a newer one is held, the log is known to go further, or words were erased since it
    /// was begun. Returns it as it is to be used, held or not: marked, if its stream is set aside.
    pub fn hold(&self, number: Number, mut held: Held, began: Age) -> Held {
        let mut incidents = self.lock();
        // Looked up under the lock: a command that was being decided while its incident was set aside must not
        // bring back a state that knows nothing of it.
        self.set_aside(number, &mut held);
        if began != Age(incidents.ages) {
            incidents.reach(number, held.tip.seq); // It is folded again, without the words that are gone.
        } else if incidents.reached.get(&number).is_some_and(|reached| held.tip.seq < *reached) {
            // The log's tail has passed it by: it is folded again, with what came meanwhile.
        } else if incidents.held.peek(&number).is_none_or(|known| known.tip.seq <= held.tip.seq) {
            incidents.held.put(number, held.clone());
            self.book.take(&held);
        }
        held
    }

    /// Marks the state of a stream that is set aside.
    fn set_aside(&self, number: Number, held: &mut Held) {
        let quarantined = self.quarantined.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = quarantined.get(&stream_of(number)) {
            Arc::make_mut(&mut held.incident).unreadable.get_or_insert_with(|| why.clone());
        }
    }

    /// Folds in what the log's tail brought, for an incident that is held.
    pub fn advance(&self, number: Number, events: &[Stored]) {
        if takes_words(events) {
            return self.erased(number);
        }
        let Some(last) = events.last() else { return };
        let mut incidents = self.lock();
        if let Some(held) = incidents.held.peek_mut(&number)
            && let Some(after) = held.after(events)
        {
            self.book.take(&after);
            *held = after;
        }
        incidents.reach(number, last.seq);
    }

    /// Words of an incident were erased: what is folded of it may hold them, and so may what is being folded.
    pub fn erased(&self, number: Number) {
        let mut incidents = self.lock();
        incidents.ages += 1;
        incidents.held.pop(&number);
    }

    /// Forgets what is folded of an incident, so that it is folded from the log again. The directory is never
    /// forgotten: without it nobody is signed in.
    pub fn forget(&self, number: Number) {
        self.lock().held.pop(&number);
    }

    /// Sets streams aside: they can be read, and not changed on this node.
    pub fn quarantine(&self, broken: BTreeMap<Stream, String>) {
        let incidents: Vec<Number> = broken.keys().filter_map(|stream| stream.incident()).collect();
        // First of all: whatever is held from now on is marked, and what was held before is marked below.
        *self.quarantined.write().unwrap_or_else(PoisonError::into_inner) = broken;
        self.set_directory_aside(&mut self.directory.write().unwrap_or_else(PoisonError::into_inner));
        incidents.into_iter().for_each(|number| self.forget(number));
    }

    /// Sets one more incident aside.
    pub fn quarantine_also(&self, number: Number, why: String) {
        self.quarantined.write().unwrap_or_else(PoisonError::into_inner).insert(stream_of(number), why);
        self.forget(number);
    }

    /// Whether an incident is folded at this moment.
    #[cfg(test)]
    pub(crate) fn holds(&self, number: Number) -> bool {
        self.lock().held.contains(&number)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Incidents> {
        // A panic while holding it left a state that is whole: every change is one assignment.
        self.incidents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The state after an incident's first event.
fn begin(first: &Stored) -> Result<Held, LogError> {
    let damaged = |why: &str| LogError::damaged(first.stream, why);
    let opening = match recorded(first) {
        Ok(recorded) if matches!(recorded.event, Event::Opened { .. }) => recorded,
        Ok(_) => return Err(damaged("its first entry is not an opening")),
        Err(why @ (Unreadable::Unknown { .. } | Unreadable::Malformed { .. })) => {
            return Err(damaged(&format!("its first entry cannot be read: {why}")));
        }
    };
    let incident = Incident::begin(&opening).ok_or_else(|| damaged("its first entry is not an opening"))?;
    Ok(Held { incident: Arc::new(incident), tip: Tip { seq: first.seq, hash: first.hash }, snapshot_at: 0 })
}

#[cfg(test)]
mod tests;
