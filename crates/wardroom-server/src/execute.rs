//! The only place that appends.
//!
//! Waiting commands are taken together. Each is decided against the state that the ones before it would
//! leave behind (tentative until the commit), all are appended in one transaction, and everybody is answered
//! after the commit. When another node appended first, everything tentative is thrown away and decided again.
//!
//! A command is remembered by its request id once it was accepted. A refusal is decided anew, and told only
//! after making sure that it was not decided on an outdated state.

mod asked;
mod deciding;
mod examples;
mod restored;
mod tentative;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{mpsc, oneshot};
use wardroom_core::event::Event;
use wardroom_core::id::{Actor, Number};
use wardroom_core::refusal::{Code, Refusal};

use crate::clock;
use crate::log::{Log, LogError, Stored, Tip};
use crate::stored::recorded;
use crate::streams::{DIRECTORY, Held, Streams, stream_of};
use asked::digest;
pub use asked::{Asked, Done, NotDone, Order};
use deciding::Verdict;
pub use restored::restore;
use tentative::Tentative;

/// Commands that wait; a further one is told to come back (503).
const QUEUE: usize = 1_024;
/// Commands that share a transaction.
const BATCH: usize = 256;
/// How often a batch is decided again because another node appended first.
const ATTEMPTS: usize = 8;
/// How long whoever asks waits for an answer: when the store stands still, those who asked before may each wait
/// for it in turn.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a refusal waits for a store that has just failed others.
const CHECK: Duration = Duration::from_secs(2);
/// How long a node pauses, at most, before deciding again: nodes that collide must not march in step.
const PAUSE_MAX_MS: u64 = 8;

type Answer = Result<Done, NotDone>;

struct Job {
    asked: Asked,
    digest: [u8; 32],
    answer: oneshot::Sender<Answer>,
}

/// Hands orders to the one place that appends. Cheap to clone; it stops when the last one is dropped.
#[derive(Clone, Debug)]
pub struct Executor {
    jobs: mpsc::Sender<Job>,
}

impl Executor {
    /// Starts it.
    #[must_use]
    pub fn start(log: Log, streams: Streams) -> Self {
        let (jobs, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(Worker { log, streams }.run(waiting));
        Self { jobs }
    }

    /// Has an order decided and, if it is accepted, recorded. Returns after the commit.
    ///
    /// Giving up waiting does not take the order back.
    ///
    /// # Errors
    /// [`NotDone`]; nothing was recorded then, unless the store's answer got lost: ask again with the same id.
    pub async fn execute(&self, asked: Asked) -> Answer {
        let (answer, answered) = oneshot::channel();
        let digest = digest(&asked.order);
        self.jobs.try_send(Job { asked, digest, answer }).map_err(|_| NotDone::Busy)?;
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(answer) => answer.unwrap_or(Err(NotDone::BrokeOff)),
            Err(_) => Err(LogError::InDoubt("it did not come to it in time".to_owned()).into()),
        }
    }

    /// One that decides nothing and answers everything so; without an answer, as when deciding breaks off.
    #[cfg(test)]
    pub(crate) fn answering(answer: impl Fn() -> Option<NotDone> + Send + 'static) -> Self {
        let (jobs, mut waiting) = mpsc::channel::<Job>(QUEUE);
        tokio::spawn(async move {
            while let Some(job) = waiting.recv().await {
                if let Some(error) = answer() {
                    let _ = job.answer.send(Err(error));
                }
            }
        });
        Self { jobs }
    }

    /// How many orders wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        QUEUE - self.jobs.capacity()
    }
}

/// Tells jobs that the store could not. One that failed somebody is not asked for everybody behind them: each
/// would wait for it anew.
fn fail(jobs: impl IntoIterator<Item = Job>, error: &LogError) {
    for job in jobs {
        let _ = job.answer.send(Err(error.clone().into()));
    }
}

/// What the asker was held back by, if that is what was recorded.
fn held_back_by(stored: &Stored) -> Option<Refusal> {
    let recorded = recorded::<Event>(stored).ok()?;
    recorded.event.as_refusal(recorded.entry)
}

/// Tells a job that the store could not, and those behind it too if it could not for anybody.
fn fail_with(job: Job, behind: impl IntoIterator<Item = Job>, error: LogError) {
    if matches!(error, LogError::Unavailable(_) | LogError::InDoubt(_)) {
        fail(behind, &error);
    }
    let _ = job.answer.send(Err(error.into()));
}

struct Worker {
    log: Log,
    streams: Streams,
}

impl Worker {
    async fn run(self, mut waiting: mpsc::Receiver<Job>) {
        let mut batch = Vec::with_capacity(BATCH);
        while waiting.recv_many(&mut batch, BATCH).await > 0 {
            let mut ids = HashSet::new();
            // The same request twice in one batch: the second is answered from what the first became.
            let (first, again): (Vec<Job>, Vec<Job>) =
                batch.drain(..).partition(|job| ids.insert((job.asked.actor, job.asked.request)));
            self.settle_whatever_happens(first).await;
            for job in again {
                self.settle_whatever_happens(vec![job]).await;
            }
        }
    }

    /// A panic while deciding is a bug, and must not keep everybody else from commanding: its jobs are told that
    /// it is in doubt whether they were recorded, and the next batch is decided as ever.
    async fn settle_whatever_happens(&self, jobs: Vec<Job>) {
        if AssertUnwindSafe(self.settle(jobs)).catch_unwind().await.is_err() {
            tracing::error!("deciding panicked; this is a bug. The commands of this batch are in doubt");
        }
    }

    /// Answers every job of a batch.
    async fn settle(&self, mut jobs: Vec<Job>) {
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                let [noise] = crate::stored::random::<1>();
                tokio::time::sleep(Duration::from_millis(u64::from(noise) % PAUSE_MAX_MS)).await;
            }
            jobs = self.attempt(jobs).await;
            if jobs.is_empty() {
                return;
            }
            if attempt == ATTEMPTS / 2 {
                self.set_aside_what_is_torn(&jobs).await;
            }
        }
        for job in jobs {
            let _ = job.answer.send(Err(NotDone::Busy));
        }
    }

    /// Decides and appends once; returns the jobs that have to be decided again.
    async fn attempt(&self, jobs: Vec<Job>) -> Vec<Job> {
        let mut tentative = Tentative {
            now: clock::now(),
            began: self.streams.age(),
            incidents: HashMap::new(),
            directory: (self.streams.directory(), false),
            highest: None,
            erased: HashSet::new(),
        };
        let (mut accepted, mut appends, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        let mut jobs = jobs.into_iter();
        while let Some(job) = jobs.next() {
            match self.decide(&mut tentative, &job).await {
                Verdict::Accepted(append, held_back) => {
                    appends.push(append);
                    accepted.push((job, held_back));
                }
                Verdict::Refused(refusal) => refused.push((job, refusal)),
                Verdict::Failed(error) => fail_with(job, jobs.by_ref(), error),
            }
        }
        let committed = if appends.is_empty() { Ok(Vec::new()) } else { self.log.append(appends).await };
        match committed {
            Ok(spans) => {
                self.hold(tentative).await;
                for ((job, held_back), spans) in accepted.into_iter().zip(spans) {
                    let _ = job.answer.send(Ok(Done { spans, held_back }));
                }
                self.refuse(refused).await
            }
            Err(error) => {
                if matches!(error, LogError::Conflict | LogError::Duplicate) {
                    // What is held is outdated. After any other failure it is as true as before, and all that can be
                    // read while the store is gone.
                    tentative.incidents.keys().for_each(|number| self.streams.forget(*number));
                }
                self.after_failure(error, accepted.into_iter().map(|(job, _)| job).collect(), refused).await
            }
        }
    }

    /// What a failed append means for its jobs, and for those that were refused beside them: try again, or say that it
    /// could not be done.
    async fn after_failure(&self, error: LogError, mut accepted: Vec<Job>, refused: Vec<(Job, Refusal)>) -> Vec<Job> {
        if let LogError::Damaged { stream, why } = &error
            && let Some(number) = stream.incident()
        {
            // The others go on without it.
            tracing::error!(%error, "an incident is set aside");
            self.streams.quarantine_also(number, why.clone());
            accepted.extend(refused.into_iter().map(|(job, _)| job));
            return accepted;
        }
        if !matches!(error, LogError::Conflict | LogError::Duplicate) {
            tracing::error!(%error, "the store could not append");
            fail(accepted, &error);
            return self.refuse_in_time(refused).await;
        }
        accepted.extend(refused.into_iter().map(|(job, _)| job));
        if matches!(error, LogError::Duplicate) {
            return self.answer_remembered(accepted).await;
        }
        // Whichever stream it was; should this fail, the next attempt says so.
        let _ = self.streams.refresh_directory().await;
        accepted
    }

    /// Tells refusals after the store failed others. They were no part of what may have been recorded; where they cannot
    /// be made sure of soon, that is said, because whoever asked has waited for the store once already.
    async fn refuse_in_time(&self, refused: Vec<(Job, Refusal)>) -> Vec<Job> {
        if refused.is_empty() {
            return Vec::new();
        }
        let unsure = match tokio::time::timeout(CHECK, self.log.head()).await {
            Ok(Ok(_)) => return self.refuse(refused).await,
            Ok(Err(error)) => error,
            Err(_) => LogError::unavailable("it does not answer"),
        };
        fail(refused.into_iter().map(|(job, _)| job), &unsure);
        Vec::new()
    }

    /// A stream that says of itself that it ends where its entries do not is damaged. Whatever is decided about it would
    /// meet a conflict for ever, and so would everything that shares a batch with it.
    async fn set_aside_what_is_torn(&self, jobs: &[Job]) {
        let numbers: BTreeSet<Number> = jobs.iter().flat_map(|job| job.asked.order.incidents()).collect();
        for number in numbers {
            let before = self.log.tip(stream_of(number)).await;
            self.streams.forget(number);
            let (folded, after) = (self.folded_tip(number).await, self.log.tip(stream_of(number)).await);
            let why = match (before, folded, after) {
                (Ok(before), Ok(folded), Ok(after)) if before == after && folded != after => {
                    "its tip does not agree with its last event".to_owned()
                }
                (Err(LogError::Damaged { why, .. }), ..) => why,
                _ => continue, // Somebody appends to it, or the store cannot tell.
            };
            tracing::error!(%number, why, "an incident is set aside");
            self.streams.quarantine_also(number, why);
        }
    }

    /// Answers those jobs whose request is remembered; returns the others.
    async fn answer_remembered(&self, jobs: Vec<Job>) -> Vec<Job> {
        let mut others = Vec::new();
        let mut jobs = jobs.into_iter();
        while let Some(job) = jobs.next() {
            match self.remembered(&job).await {
                Ok(Some(answer)) => drop(job.answer.send(answer)),
                Ok(None) => others.push(job),
                Err(error) => fail_with(job, jobs.by_ref(), error),
            }
        }
        others
    }

    /// The answer of a request that was accepted before. Who may not know any more of the incident that it was about is
    /// told what anybody is told of an incident that is not there.
    async fn remembered(&self, job: &Job) -> Result<Option<Answer>, LogError> {
        let actor = job.asked.actor.to_string();
        let Some(remembered) = self.log.remembered(&actor, job.asked.request).await? else { return Ok(None) };
        if remembered.digest != job.digest {
            return Ok(Some(Err(NotDone::RequestReused)));
        }
        let mut held_back = None;
        let span = remembered.spans.iter().find(|span| span.stream != DIRECTORY);
        if let Some(span) = span
            && let Some(number) = span.stream.incident()
        {
            if !self.may_know(job.asked.actor, number).await? {
                return Ok(Some(Err(Refusal::no_such_incident(number).into())));
            }
            let stored = self.log.event(span.stream, span.last).await?;
            held_back = stored.and_then(|stored| held_back_by(&stored));
        }
        Ok(Some(Ok(Done { spans: remembered.spans, held_back })))
    }

    async fn may_know(&self, actor: Actor, number: Number) -> Result<bool, LogError> {
        let Some(person) = actor.person() else { return Ok(true) };
        let facts = self.streams.directory().directory.facts.clone();
        Ok(self.streams.incident(number).await?.is_some_and(|held| held.incident.visible_to(person, &facts)))
    }

    /// Tells refusals, each after making sure that it is not a retry and was not decided on an outdated state.
    async fn refuse(&self, refused: Vec<(Job, Refusal)>) -> Vec<Job> {
        let mut again = Vec::new();
        let mut refused = refused.into_iter();
        while let Some((job, refusal)) = refused.next() {
            match self.remembered(&job).await {
                Ok(Some(answer)) => drop(job.answer.send(answer)),
                // What was set aside stays so, and its tip may be the very thing that is wrong.
                Ok(None) if refusal.code == Code::ReadOnly => drop(job.answer.send(Err(refusal.into()))),
                Ok(None) => match self.outdated(&job.asked.order).await {
                    Ok(true) => again.push(job),
                    Ok(false) => drop(job.answer.send(Err(refusal.into()))),
                    Err(error) => drop(job.answer.send(Err(error.into()))),
                },
                Err(error) => fail_with(job, refused.by_ref().map(|(job, _)| job), error),
            }
        }
        again
    }

    /// Whether what an order was decided on is not the newest; then it is folded again. Where folding again comes to
    /// the same, deciding again would too, whatever the log says about where the stream ends.
    async fn outdated(&self, order: &Order) -> Result<bool, LogError> {
        let known = self.streams.directory().tip;
        let mut outdated =
            self.log.tip(DIRECTORY).await? != known && self.streams.refresh_directory().await?.tip != known;
        for number in order.incidents() {
            let known = self.folded_tip(number).await?;
            if self.log.tip(stream_of(number)).await? != known {
                self.streams.forget(number);
                outdated |= self.folded_tip(number).await? != known;
            }
        }
        Ok(outdated)
    }

    async fn folded_tip(&self, number: Number) -> Result<Tip, LogError> {
        Ok(self.streams.incident(number).await?.map(|held| held.tip).unwrap_or_default())
    }

    /// After the commit: what was tentative is how it is.
    async fn hold(&self, tentative: Tentative) {
        let (erased, kept): (Vec<_>, Vec<_>) =
            tentative.incidents.into_iter().partition(|(number, _)| tentative.erased.contains(&stream_of(*number)));
        for (number, (before, incident, tip)) in kept {
            if before.as_ref().is_none_or(|held| held.tip != tip) {
                self.streams.hold(number, Held::new(incident, tip, before.as_ref()), tentative.began);
            }
        }
        // These states may hold words that are gone.
        erased.into_iter().for_each(|(number, _)| self.streams.erased(number));
        if tentative.erased.contains(&DIRECTORY) {
            // Folded anew, without the words that are gone; should that fail now, the log's tail does it.
            let _ = self.streams.refresh_directory().await;
        } else if tentative.directory.1 {
            self.streams.hold_directory(tentative.directory.0);
        }
    }
}

#[cfg(test)]
mod tests;
