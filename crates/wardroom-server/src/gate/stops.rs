//! What the gate stopped, and what it would have stopped, beside the log: a team sees what enforcing would have meant before
//! it enforces, and an incident what is being held back.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, ToSpan};
use prometheus_client::metrics::counter::Counter;
use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;
use wardroom_core::id::{Number, PersonId, ServiceName, Time};
use wardroom_core::text::Line;

use crate::clock;
use crate::log::{Log, LogError};

/// For so many days it is kept.
pub const STOPS_KEPT_DAYS: i64 = 30;
/// So many are kept at the most, give or take what comes until they are counted again; the oldest go first.
pub const STOPS_KEPT: u32 = 100_000;
/// The same, asked again within so many minutes after the first, is counted with it.
pub const STOPS_SAME_MINUTES: i64 = 10;
/// Since when the same is counted with what is stopped at a time.
#[must_use]
pub fn same_since(at: Time) -> Time {
    at.checked_sub(STOPS_SAME_MINUTES.minutes()).unwrap_or(Time::MIN)
}

/// So many that differ wait to be kept; what comes beyond that while the store is gone is not counted, and that is told.
const ROOM: usize = 4_096;
/// How long to wait after the store could not keep some, and for more after it kept some: the same is written once then,
/// however often it is asked meanwhile.
const AGAIN: Duration = Duration::from_secs(2);
/// So many are kept together.
const BATCH: usize = 256;
/// How often what is too old or too much is forgotten, and after how many that were kept.
const SWEEP: Duration = Duration::from_secs(3_600);
const SWEEP_AFTER: usize = 10_000;
/// How often it is told that some could not be counted.
const TELL: Duration = Duration::from_secs(60);

/// Somebody was stopped at the gate, or would have been.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stopped {
    /// Which asking it was: who asks about several services, or is stopped by several incidents, asked once.
    pub ask: Uuid,
    /// When.
    pub at: Time,
    /// At which service.
    pub service: ServiceName,
    /// By which incident.
    pub incident: Number,
    /// Who, if anybody knows them.
    pub person: Option<PersonId>,
    /// Whether the gate enforced it; else it only observed.
    pub enforced: bool,
    /// What they would have done, in one line; nothing once it was taken out.
    pub what: Option<Line>,
    /// How often that was asked within ten minutes.
    pub times: u32,
}

/// Keeps them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stops {
    log: Log,
    waiting: Arc<Waiting>,
}

/// What tells one stop from another, as [`Stopped`] has it. The same again, within ten minutes, is counted with the first.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Same {
    pub(super) incident: Number,
    pub(super) service: ServiceName,
    pub(super) person: Option<PersonId>,
    pub(super) enforced: bool,
    pub(super) what: Option<Line>,
}

/// When the first of the same was asked, by which asking, and how often since.
#[derive(Debug)]
struct Often {
    ask: Uuid,
    at: Time,
    times: u32,
}

impl From<(Same, Often)> for Stopped {
    fn from((same, often): (Same, Often)) -> Self {
        let Same { incident, service, person, enforced, what } = same;
        let Often { ask, at, times } = often;
        Self { ask, at, service, incident, person, enforced, what, times }
    }
}

/// What waits to be kept, each once with how often.
#[derive(Debug)]
struct Waiting {
    counted: Mutex<Counted>,
    /// Told when there is something where nothing waited.
    news: Notify,
    /// What came when there was no room.
    lost: Counter,
}

#[derive(Debug, Default)]
struct Counted {
    /// What may be asked again.
    now: HashMap<Same, Often>,
    /// What came more than ten minutes before the same again.
    before: Vec<Stopped>,
}

impl Counted {
    fn count(&self) -> usize {
        self.now.len() + self.before.len()
    }

    /// Counts it, if there is room. What is the first of its kind is of an asking, which is drawn for that.
    fn add(&mut self, same: Same, at: Time, ask: impl FnOnce() -> Uuid) -> bool {
        let full = self.count() >= ROOM;
        let first = || Often { ask: ask(), at, times: 1 };
        match self.now.entry(same) {
            Entry::Occupied(mut same) if same.get().at > same_since(at) => {
                same.get_mut().times = same.get().times.saturating_add(1);
            }
            _ if full => return false,
            Entry::Occupied(mut same) => {
                let before = (same.key().clone(), same.insert(first()));
                self.before.push(before.into());
            }
            Entry::Vacant(new) => drop(new.insert(first())),
        }
        true
    }
}

impl Waiting {
    fn new(lost: Counter) -> Self {
        Self { counted: Mutex::default(), news: Notify::new(), lost }
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts what one asking was stopped by. Counting is no reason to answer later, or not at all.
    fn note(&self, at: Time, stops: impl IntoIterator<Item = Same>) {
        let (mut ask, mut counted) = (None, self.counted());
        let nothing_waited = counted.count() == 0;
        for same in stops {
            if !counted.add(same, at, || *ask.get_or_insert_with(Uuid::now_v7)) {
                self.lost.inc();
            }
        }
        if nothing_waited && counted.count() > 0 {
            self.news.notify_one();
        }
    }

    /// Everything that waits, the oldest first.
    fn take(&self) -> Vec<Stopped> {
        let Counted { now, before } = std::mem::take(&mut *self.counted());
        let mut all: Vec<_> = before.into_iter().chain(now.into_iter().map(Stopped::from)).collect();
        all.sort_by_key(|stopped| stopped.at);
        all
    }
}

impl Stops {
    pub(super) fn start(log: Log, lost: Counter) -> Self {
        let waiting = Arc::new(Waiting::new(lost));
        let kept = log.clone();
        let store = move |batch, forget| {
            let log = kept.clone();
            async move { log.keep_gate_stops(batch, forget).await }
        };
        tokio::spawn(keep(Arc::clone(&waiting), store));
        Self { log, waiting }
    }

    /// Has kept by what one asking was stopped, in the background: whoever was stopped waits for nothing more.
    pub(super) fn note(&self, at: Time, stops: impl IntoIterator<Item = Same>) {
        self.waiting.note(at, stops);
    }

    /// What was kept since a time, of one incident or of all, the newest first, as far as there is a reasonable number of them.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn since(&self, since: Time, incident: Option<Number>) -> Result<Vec<Stopped>, LogError> {
        self.log.gate_stops(since, incident).await
    }

    /// Takes out what somebody asked.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn take_words(&self, ask: Uuid) -> Result<(), LogError> {
        self.log.take_gate_words(ask).await
    }
}

/// What could not be kept, because too much waited.
#[derive(Clone, Debug)]
struct Lost {
    all: Counter,
    /// How much of it was told of, and when.
    told: u64,
    at: Option<Instant>,
}

impl Lost {
    /// Says how much more was lost, once in a while.
    fn tell(&mut self) {
        let more = self.all.get() - self.told;
        if more > 0 && self.at.is_none_or(|at| at.elapsed() >= TELL) {
            tracing::warn!(stops = more, "the gate stopped more than could be kept: these are not counted");
            (self.told, self.at) = (self.all.get(), Some(Instant::now()));
        }
    }
}

/// Keeps what was stopped, by `store`, which is also told before when what was kept is to be forgotten, where that is due.
async fn keep<F>(waiting: Arc<Waiting>, store: impl Fn(Vec<Stopped>, Option<Time>) -> F)
where
    F: Future<Output = Result<(), LogError>>,
{
    let mut lost = Lost { all: waiting.lost.clone(), told: 0, at: None };
    let (mut swept, mut since) = (None::<Instant>, 0);
    loop {
        waiting.news.notified().await;
        for batch in waiting.take().chunks(BATCH) {
            let due = since >= SWEEP_AFTER || swept.is_none_or(|at| at.elapsed() >= SWEEP);
            let forget = due.then(|| clock::now() - SignedDuration::from_hours(24 * STOPS_KEPT_DAYS));
            // It may have been kept after all, and is counted twice then: it is a count for people to judge by.
            while let Err(error) = store(batch.to_vec(), forget).await {
                tracing::warn!(%error, "what the gate stopped could not be kept; trying again");
                lost.tell();
                tokio::time::sleep(AGAIN).await;
            }
            if due {
                (swept, since) = (Some(Instant::now()), 0);
            }
            since += batch.len();
        }
        lost.tell();
        // What comes soon after is kept together with it: others are asked for the store meanwhile.
        tokio::time::sleep(AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use super::*;

    const THEN: Time = Time::UNIX_EPOCH;

    fn stopped(what: usize) -> Same {
        let (service, incident) = ("search".parse().unwrap(), Number::new(1).unwrap());
        Same { service, incident, person: None, enforced: true, what: format!("deploy v{what}").parse().ok() }
    }

    /// The clock of this story stands still unless it is moved.
    #[tokio::test(start_paused = true)]
    async fn what_waits_is_kept_at_once_and_what_is_too_much_is_counted() {
        let (lost, kept, away) = (Counter::default(), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(true)));
        let (count, gone) = (Arc::clone(&kept), Arc::clone(&away));
        let store = move |batch: Vec<Stopped>, _| {
            let away = gone.load(Ordering::SeqCst);
            count.fetch_add(if away { 0 } else { batch.len() }, Ordering::SeqCst);
            async move { if away { Err(LogError::unavailable("it is away")) } else { Ok(()) } }
        };
        let waiting = Arc::new(Waiting::new(lost.clone()));
        (0..ROOM + 7).for_each(|n| waiting.note(THEN, [stopped(n)]));
        assert_eq!(lost.get(), 7);
        tokio::spawn(keep(waiting, store));
        tokio::task::yield_now().await;
        away.store(false, Ordering::SeqCst);
        // It tries again after a while, and then keeps all of it without another.
        tokio::time::advance(AGAIN + Duration::from_millis(1)).await;
        for _ in 0..ROOM {
            tokio::task::yield_now().await;
        }
        assert_eq!(kept.load(Ordering::SeqCst), ROOM);
    }

    #[test]
    fn the_same_waits_once_with_how_often_for_ten_minutes() {
        let waiting = Waiting::new(Counter::default());
        let (first, other, later) = (stopped(1), stopped(2), THEN + STOPS_SAME_MINUTES.minutes());
        (0..ROOM + 7).for_each(|_| waiting.note(THEN, [first.clone()]));
        waiting.note(THEN, [other.clone()]);
        (0..2).for_each(|_| waiting.note(later, [first.clone()]));
        let often = |stop: &Stopped| (stop.what.clone(), stop.at, stop.times);
        let mut kept: Vec<_> = waiting.take().iter().map(often).collect();
        kept.sort_by_key(|(_, at, times)| (*at, *times));
        let many = u32::try_from(ROOM + 7).unwrap();
        assert_eq!(kept, [(other.what, THEN, 1), (first.what.clone(), THEN, many), (first.what, later, 2)]);
        assert_eq!((waiting.take().len(), waiting.lost.get()), (0, 0));
    }
    #[test]
    fn what_stops_one_asking_is_told_as_one() {
        let waiting = Waiting::new(Counter::default());
        waiting.note(THEN, [stopped(1), stopped(2)]);
        waiting.note(THEN, [stopped(1), stopped(3)]);
        let asks: Vec<_> = waiting.take().into_iter().map(|stop| (stop.what, stop.ask)).collect();
        let of = |what: usize| asks.iter().find(|(known, _)| *known == stopped(what).what).unwrap().1;
        assert_eq!((asks.len(), of(1) == of(2), of(1) == of(3)), (3, true, false));
    }
}
