//! Folded streams: a bounded cache of incidents, and the directory.
//!
//! Everything here can be thrown away and folded again from the log. An entry remembers the tip that it was
//! folded up to; it only ever moves forward, event by event, and is dropped when events are missing.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::slice;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use lru::LruCache;
use wardroom_core::directory::Directory;
use wardroom_core::event::{Event, Unreadable};
use wardroom_core::id::{Entry, Number};
use wardroom_core::incident::{FOLD_VERSION, Incident};
use wardroom_core::seal::{self, Seal};

use crate::log::{Log, LogError, Snapshot, Stored, Stream, Tip};
use crate::stored::{recorded, sealed};

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

/// The folded directory and how far it is folded.
#[derive(Clone, Debug, Default)]
pub struct HeldDirectory {
    /// The state.
    pub directory: Arc<Directory>,
    /// The stream's tip that it stands for.
    pub tip: Tip,
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
    quarantined: Arc<RwLock<BTreeMap<Stream, String>>>,
}

/// The stream of an incident.
#[must_use]
pub fn stream_of(number: Number) -> Stream {
    Stream(number.0)
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
            quarantined: Arc::default(),
        }
    }

    /// The incident, from memory or folded from the log; `None` if there is none of this number.
    ///
    /// # Errors
    /// Whatever kept the log from being read.
    pub async fn incident(&self, number: Number) -> Result<Option<Held>, LogError> {
        if number.0 == 0 {
            return Ok(None);
        }
        let began = {
            let mut incidents = self.lock();
            if let Some(held) = incidents.held.get(&number) {
                return Ok(Some(held.clone()));
            }
            Age(incidents.ages)
        };
        let Some(mut held) = self.fold(number).await? else { return Ok(None) };
        self.set_aside(number, &mut held);
        self.hold(number, held.clone(), began);
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
        let Ok(mut tree) = serde_json::from_str(&snapshot.body) else { return Ok(None) };
        if seal::holds_words(&tree) {
            return Ok(None);
        }
        let seals: Vec<[u8; 32]> = seal::seals(&mut tree).into_iter().map(|Seal(bytes)| bytes).collect();
        let words = self.log.words(stream, &seals).await?;
        seal::open(&mut tree, &|seal| {
            words.iter().find(|text| text.commitment == seal.0).and_then(|t| t.words.clone())
        });
        let tip = Tip { seq: snapshot.seq, hash: snapshot.hash };
        let incident = serde_json::from_value(tree).ok();
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
    /// was begun.
    pub fn hold(&self, number: Number, mut held: Held, began: Age) {
        let mut incidents = self.lock();
        if began != Age(incidents.ages) {
            return incidents.reach(number, held.tip.seq); // It is folded again, without the words that are gone.
        }
        if incidents.reached.get(&number).is_some_and(|reached| held.tip.seq < *reached) {
            return; // The log's tail has passed it by: it is folded again, with what came meanwhile.
        }
        // Looked up under the lock: a command that was being decided while its incident was set aside must not
        // bring back a state that knows nothing of it.
        self.set_aside(number, &mut held);
        if incidents.held.peek(&number).is_none_or(|known| known.tip.seq <= held.tip.seq) {
            incidents.held.put(number, held);
        }
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

    /// Forgets what is folded of a stream, so that it is folded from the log again.
    pub fn forget(&self, stream: Stream) {
        if stream == DIRECTORY {
            *self.directory.write().unwrap_or_else(PoisonError::into_inner) = HeldDirectory::default();
        } else {
            self.lock().held.pop(&Number(stream.0));
        }
    }

    /// Sets streams aside: they can be read, and not changed on this node.
    pub fn quarantine(&self, broken: BTreeMap<Stream, String>) {
        let streams: Vec<Stream> = broken.keys().copied().collect();
        // First of all: whatever is held from now on is marked, and what was held before is marked below.
        *self.quarantined.write().unwrap_or_else(PoisonError::into_inner) = broken;
        self.set_directory_aside(&mut self.directory.write().unwrap_or_else(PoisonError::into_inner));
        streams.into_iter().filter(|stream| *stream != DIRECTORY).for_each(|stream| self.forget(stream));
    }

    /// The directory as folded so far; [`Streams::refresh_directory`] brings it up to the log.
    #[must_use]
    pub fn directory(&self) -> HeldDirectory {
        self.directory.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Folds whatever the log has of the directory beyond what is folded.
    ///
    /// # Errors
    /// Whatever kept the log from being read.
    pub async fn refresh_directory(&self) -> Result<HeldDirectory, LogError> {
        let mut held = self.directory();
        // What an event up to here took away was gone before anything of this state was read.
        let mut gone = if held.tip.seq > 0 { held.tip.seq } else { self.log.tip(DIRECTORY).await?.seq };
        loop {
            let page = self.log.read_stream(DIRECTORY, held.tip.seq, PAGE).await?;
            if held.tip.seq > 0 && page.iter().any(|stored| stored.seq > gone && takes_words(slice::from_ref(stored))) {
                gone = page.last().map_or(gone, |last| last.seq).max(self.log.tip(DIRECTORY).await?.seq);
                held = HeldDirectory::default(); // Fold anew, without the words that are gone.
                continue;
            }
            for stored in &page {
                evolve_directory(&mut held, stored);
            }
            if page.len() < PAGE {
                break;
            }
        }
        self.set_directory_aside(&mut held);
        self.hold_directory(held.clone());
        Ok(held)
    }

    /// Holds a directory unless a newer one is held.
    pub fn hold_directory(&self, mut held: HeldDirectory) {
        let mut known = self.directory.write().unwrap_or_else(PoisonError::into_inner);
        if known.tip.seq <= held.tip.seq {
            // Under the lock, as for incidents: what was begun before it was set aside knows nothing of it.
            self.set_directory_aside(&mut held);
            *known = held;
        }
    }

    /// Marks the directory if it is set aside.
    fn set_directory_aside(&self, held: &mut HeldDirectory) {
        let quarantined = self.quarantined.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = quarantined.get(&DIRECTORY) {
            Arc::make_mut(&mut held.directory).unreadable.get_or_insert_with(|| why.clone());
        }
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

/// Folds one more stored event of the directory in.
pub(crate) fn evolve_directory(held: &mut HeldDirectory, stored: &Stored) {
    let directory = Arc::make_mut(&mut held.directory);
    match recorded(stored) {
        Ok(recorded) => directory.evolve(&recorded),
        Err(why) => directory.evolve_unreadable(Entry(stored.seq), &why),
    }
    held.tip = Tip { seq: stored.seq, hash: stored.hash };
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
mod tests {
    use futures_util::FutureExt;
    use uuid::Uuid;
    use wardroom_core::command::{Command, Opening};
    use wardroom_core::directory::DirectoryCommand;
    use wardroom_core::id::{Actor, PersonId, Who};
    use wardroom_core::refusal::Code;
    use wardroom_core::roster::Roster;

    use super::*;
    use crate::execute::{Asked, Executor, NotDone, Order};
    use crate::log::Place;

    const ONE: Number = Number(1);

    /// A log with Mary's incident in it.
    struct Begun {
        folder: tempfile::TempDir,
        log: Log,
        streams: Streams,
        executor: Executor,
        mary: Actor,
    }

    fn asked(actor: Actor, order: Order) -> Asked {
        Asked { request: Uuid::now_v7(), actor, order }
    }

    fn mary() -> DirectoryCommand {
        let [handle, name] = ["mary", "Mary"];
        let (handle, name) = (handle.parse().unwrap(), name.parse().unwrap());
        DirectoryCommand::AddPerson { handle, name, email: None, admin: false }
    }

    async fn begun() -> Begun {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::open(&Place::Folder(folder.path().to_owned())).await.unwrap();
        let streams = Streams::new(log.clone());
        let executor = Executor::start(log.clone(), streams.clone());
        executor.execute(asked(Actor::Console, Order::Directory(mary()))).await.unwrap();
        let people: Vec<PersonId> = streams.directory().directory.facts.people.keys().copied().collect();
        let mary = Actor::Person(people[0]);
        let opening: Opening = serde_json::from_value(serde_json::json!({ "title": "hunter2 is out" })).unwrap();
        executor.execute(asked(mary, Order::Open(opening))).await.unwrap();
        Begun { folder, log, streams, executor, mary }
    }

    /// A read that is slow and an erasure that is quick meet.
    #[tokio::test]
    async fn a_state_that_was_begun_before_words_were_erased_is_not_held() {
        let Begun { streams, executor, mary, .. } = begun().await;
        let began = streams.age();
        let before = streams.incident(ONE).await.unwrap().unwrap();
        assert_eq!(before.incident.title.words(), Some("hunter2 is out"));
        let redact = Command::Redact { entry: Entry(1), reason: None };
        executor.execute(asked(mary, Order::Incident(ONE, redact))).await.unwrap();
        streams.hold(ONE, before, began);
        let held = streams.incident(ONE).await.unwrap().unwrap();
        assert_eq!(held.incident.title.words(), None);
        assert_eq!(held.tip.seq, 2);
    }

    /// The same when it was another node that erased them, and this one reads of it.
    #[tokio::test]
    async fn a_state_that_was_begun_before_an_erasure_was_read_is_not_held() {
        let Begun { log, streams, mary, .. } = begun().await;
        let began = streams.age();
        let before = streams.incident(ONE).await.unwrap().unwrap();
        let other = Executor::start(log.clone(), Streams::new(log.clone()));
        let redact = Command::Redact { entry: Entry(1), reason: None };
        other.execute(asked(mary, Order::Incident(ONE, redact))).await.unwrap();
        streams.advance(ONE, &log.read_stream(stream_of(ONE), 1, 10).await.unwrap());
        streams.hold(ONE, before, began);
        assert_eq!(streams.incident(ONE).await.unwrap().unwrap().incident.title.words(), None);
    }

    /// Another node restricts Mary's incident while this one folds it; answers the state from before, and when
    /// this node began to fold it.
    async fn restricted_elsewhere(begun: &Begun) -> (Held, Age) {
        let Begun { log, streams, mary, .. } = begun;
        streams.forget(stream_of(ONE));
        let began = streams.age();
        let before = streams.incident(ONE).await.unwrap().unwrap();
        assert!(!before.incident.restricted);
        streams.forget(stream_of(ONE));
        let other = Executor::start(log.clone(), Streams::new(log.clone()));
        other.execute(asked(*mary, Order::Incident(ONE, Command::Restrict {}))).await.unwrap();
        (before, began)
    }

    /// What is folded was read before the entry, and held after this node had taken the entry in. Whoever was not
    /// invited went on seeing the incident until its next entry.
    #[tokio::test]
    async fn a_state_that_the_logs_tail_has_passed_by_is_not_held() {
        let begun = begun().await;
        let (before, began) = restricted_elsewhere(&begun).await;
        let Begun { log, streams, .. } = begun;
        streams.advance(ONE, &log.read_stream(stream_of(ONE), 1, 10).await.unwrap());
        streams.hold(ONE, before, began);
        let held = streams.incident(ONE).await.unwrap().unwrap();
        assert_eq!((held.incident.restricted, held.tip.seq), (true, 2));
    }

    /// The same for the board, which reads the log by itself and may be ahead of what this node has taken in.
    #[tokio::test]
    async fn a_state_that_the_board_has_passed_by_is_not_held() {
        let begun = begun().await;
        let (before, began) = restricted_elsewhere(&begun).await;
        let streams = begun.streams;
        assert!(streams.incident_up_to(ONE, 2).await.unwrap().unwrap().incident.restricted);
        streams.forget(stream_of(ONE));
        streams.hold(ONE, before, began);
        assert!(streams.incident(ONE).await.unwrap().unwrap().incident.restricted);
    }

    #[tokio::test]
    async fn a_state_that_was_passed_by_long_ago_is_not_held() {
        let begun = begun().await;
        let (before, began) = restricted_elsewhere(&begun).await;
        let Begun { log, streams, .. } = begun;
        let tail = log.read_stream(stream_of(ONE), 1, 10).await.unwrap();
        for number in 1..=u32::try_from(REACHES_KEPT).unwrap() + 1 {
            streams.advance(Number(number), &tail);
        }
        assert!(streams.lock().reached.len() <= REACHES_KEPT, "what is remembered is bounded");
        streams.hold(ONE, before, began);
        assert!(streams.incident(ONE).await.unwrap().unwrap().incident.restricted);
    }

    #[tokio::test]
    async fn a_stream_set_aside_while_a_command_on_it_is_written_stays_set_aside() {
        let Begun { folder, streams, executor, mary, .. } = begun().await;
        let rival = rusqlite::Connection::open(folder.path().join("wardroom.db")).unwrap();
        rival.execute_batch("BEGIN IMMEDIATE").unwrap();
        let note = Command::Note { text: "under way".parse().unwrap(), happened_at: None, pin: false };
        let mut under_way = std::pin::pin!(executor.execute(asked(mary, Order::Incident(ONE, note))));
        assert!(under_way.as_mut().now_or_never().is_none());
        // What no longer waits has been decided, on the sound state; the rival keeps it from being written.
        while executor.waiting() > 0 {
            tokio::task::yield_now().await;
        }
        streams.quarantine(BTreeMap::from([(stream_of(ONE), "its record is damaged".to_owned())]));
        rival.execute_batch("COMMIT").unwrap();
        let written = under_way.await;
        let next = Command::SetSeverity { severity: wardroom_core::incident::Severity::Sev1, reason: None };
        let answer = executor.execute(asked(mary, Order::Incident(ONE, next))).await;
        let Err(NotDone::Refused(refusal)) = answer else { panic!("{written:?}, and then {answer:?}") };
        assert_eq!(refusal.code, Code::ReadOnly);
        let held = streams.incident(ONE).await.unwrap().unwrap();
        assert_eq!(held.incident.unreadable.as_deref(), Some("its record is damaged"));
    }

    #[tokio::test]
    async fn a_directory_that_was_set_aside_stays_so() {
        let Begun { streams, executor, .. } = begun().await;
        let under_way = streams.directory();
        let why = "its record is damaged";
        streams.quarantine(BTreeMap::from([(DIRECTORY, why.to_owned())]));
        assert_eq!(streams.directory().directory.unreadable.as_deref(), Some(why));
        streams.hold_directory(under_way);
        assert_eq!(streams.directory().directory.unreadable.as_deref(), Some(why), "what was begun before is marked");
        streams.forget(DIRECTORY);
        let anew = streams.refresh_directory().await.unwrap();
        assert_eq!(anew.directory.unreadable.as_deref(), Some(why), "what is folded anew is marked");
        let robin: DirectoryCommand =
            serde_json::from_value(serde_json::json!({"command": "add_person", "handle": "robin", "name": "Robin"}))
                .unwrap();
        let answer = executor.execute(asked(Actor::Console, Order::Directory(robin))).await;
        let Err(NotDone::Refused(refusal)) = answer else { panic!("{answer:?}") };
        assert_eq!(refusal.code, Code::ReadOnly);
    }

    #[tokio::test]
    async fn words_forged_into_the_log_stop_their_incident_and_nothing_else() {
        let Begun { folder, log, executor, mary, .. } = begun().await;
        let rename = Command::SetTitle { title: "Search is out".parse().unwrap() };
        executor.execute(asked(mary, Order::Incident(ONE, rename))).await.unwrap();
        let rival = rusqlite::Connection::open(folder.path().join("wardroom.db")).unwrap();
        let forged = r#"UPDATE events SET body = '{"title":{"said":"forged"}}' WHERE stream = 1 AND seq = 2"#;
        assert_eq!(rival.execute(forged, []).unwrap(), 1);
        let streams = Streams::new(log);
        let held = streams.incident(ONE).await.unwrap().unwrap();
        assert_eq!(held.incident.title.words(), Some("hunter2 is out"));
        let why = held.incident.unreadable.as_deref().unwrap();
        assert!(why.contains("“title_set”") && why.contains("not sealed"), "{why}");
        assert!(crate::views::board::row(&held.incident).is_ok());
        // However such words got into a state, they are told and nobody panics.
        let mut incident = (*held.incident).clone();
        incident.title = wardroom_core::text::Text::said("forged");
        incident.unreadable = None;
        let row = crate::views::board::row(&incident);
        assert!(matches!(row, Err(LogError::Damaged { stream: Stream(1), .. })), "{row:?}");
        let mut odd = Held { incident: Arc::new(incident), ..held };
        let snapshot = streams.keep_snapshot(&mut odd).await;
        assert!(matches!(snapshot, Err(LogError::Damaged { stream: Stream(1), .. })), "{snapshot:?}");
    }

    /// Folding anew met the same event again on the second page, and began anew, for ever.
    #[tokio::test]
    async fn a_long_directory_that_forgot_somebody_is_folded() {
        let Begun { log, executor, .. } = begun().await;
        let people: String = (0..PAGE).map(|number| format!("person{number},Person {number}\n")).collect();
        let roster = Roster::from_csv(&format!("handle,name\n{people}")).unwrap();
        let forget = DirectoryCommand::ForgetPerson { person: Who::Handle("mary".parse().unwrap()) };
        for command in [DirectoryCommand::Import { roster }, forget] {
            executor.execute(asked(Actor::Console, Order::Directory(command))).await.unwrap();
        }
        let fresh = Streams::new(log);
        let folded = tokio::time::timeout(std::time::Duration::from_secs(60), fresh.refresh_directory()).await;
        let facts = &folded.expect("folding comes to an end").unwrap().directory.facts;
        assert_eq!(facts.people.len(), PAGE + 1);
        assert_eq!(facts.people.values().filter(|person| person.handle.words().is_none()).count(), 1);
    }
}
