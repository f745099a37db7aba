//! Plays the example incident: has its cast do, one after the other, what the core says that they do next.
//!
//! Every node plays every example that is open, from the board. A line of the script is remembered by a request id that
//! follows from the incident and the line, so that another node, or the same one after a restart, goes on where it was
//! left, and nothing is said twice.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;
use sha2::{Digest, Sha256};
use tokio::sync::watch as signal;
use tokio::time::Instant;
use uuid::Uuid;
use wardroom_core::example::{Cue, Example, lines};
use wardroom_core::id::{Actor, Number};
use wardroom_core::incident::Incident;

use crate::clock;
use crate::execute::{Asked, Executor, NotDone, Order};
use crate::log::{Log, LogError};
use crate::presence::Presence;
use crate::streams::Streams;
use crate::views::board;

/// Between two acts, so that a person can read along: twenty lines and an offer, within a minute.
pub const BEAT: SignedDuration = SignedDuration::from_millis(1_800);
/// How often the board is looked at for examples that another node began.
const LOOK: Duration = Duration::from_secs(30);

/// What is known here of an example that is open.
#[derive(Debug)]
struct Play {
    /// How many lines were said; not known yet after a start.
    said: Option<usize>,
    /// When it is looked at again after something could not be done.
    after: Instant,
}

/// Plays examples. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Examples {
    log: Log,
    streams: Streams,
    executor: Executor,
    presence: Presence,
    beat: SignedDuration,
    running: Arc<Mutex<BTreeMap<Number, Play>>>,
    begun: Arc<tokio::sync::Notify>,
}

/// The request id of a line: the same on every node and after every start.
fn request_of(number: Number, line: usize) -> Uuid {
    let hash = Sha256::digest(format!("example {number} line {line}"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

impl Examples {
    /// Starts playing, once `told` says that the incidents know of the time before the start.
    #[must_use]
    pub fn start(
        log: Log,
        streams: Streams,
        executor: Executor,
        presence: Presence,
        beat: SignedDuration,
        told: signal::Receiver<bool>,
    ) -> Self {
        let (running, begun) = Default::default();
        let examples = Self { log, streams, executor, presence, beat, running, begun };
        tokio::spawn(examples.clone().run(told));
        examples
    }

    /// Plays one that has begun.
    pub fn play(&self, number: Number) {
        self.running().entry(number).or_insert(Play { said: None, after: Instant::now() });
        self.begun.notify_one();
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<Number, Play>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(self, mut told: signal::Receiver<bool>) {
        if told.wait_for(|told| *told).await.is_err() {
            return;
        }
        let pause = self.beat.unsigned_abs().div_f32(4.0).max(Duration::from_millis(10));
        let mut looked: Option<Instant> = None;
        loop {
            if looked.is_none_or(|looked| looked.elapsed() >= LOOK) {
                looked = Some(Instant::now());
                if let Err(error) = self.look().await {
                    tracing::warn!(%error, "the board could not be looked at for examples; trying again");
                }
            }
            let numbers: Vec<Number> = self.running().keys().copied().collect();
            let rest = if numbers.is_empty() { LOOK } else { pause };
            for number in numbers {
                if let Err(error) = self.step(number).await {
                    tracing::warn!(%number, %error, "the example could not be gone on with; trying again");
                    self.rests(number);
                }
            }
            let _ = tokio::time::timeout(rest, self.begun.notified()).await;
        }
    }

    /// Finds the examples that are open.
    async fn look(&self) -> Result<(), LogError> {
        for row in self.log.board_open().await? {
            if board::is_example(&row) && self.open(row.number).await?.is_some() {
                self.play(row.number);
            }
        }
        Ok(())
    }

    async fn open(&self, number: Number) -> Result<Option<(Arc<Incident>, Example)>, LogError> {
        let held = match self.streams.incident(number).await {
            Err(LogError::Damaged { .. }) => None, // The others go on.
            held => held?,
        };
        let held = held.filter(|held| held.incident.phase.is_open() && held.incident.unreadable.is_none());
        Ok(held.and_then(|held| Some((held.incident.clone(), held.incident.example.clone()?))))
    }

    /// Does what is next in one of them, if its time has come.
    async fn step(&self, number: Number) -> Result<(), NotDone> {
        if self.running().get(&number).is_none_or(|play| Instant::now() < play.after) {
            return Ok(());
        }
        let Some((incident, example)) = self.open(number).await? else {
            self.running().remove(&number);
            return Ok(());
        };
        // They are there for as long as the player is: what is not scripted is that they go away.
        if example.plays(incident.commander()) {
            self.presence.saw(incident.commander());
        }
        let known = self.running().get(&number).and_then(|play| play.said);
        let said = match known {
            Some(said) => said,
            None => self.lines_said(number, &example).await?,
        };
        self.now_said(number, said);
        match incident.cue(said, clock::now(), self.beat) {
            Some(cue) => self.act(number, cue).await,
            None => Ok(()),
        }
    }

    /// How many lines of the script the log remembers.
    async fn lines_said(&self, number: Number, example: &Example) -> Result<usize, LogError> {
        let mut said = 0;
        // One that was refused, because of what the player did, is not remembered.
        for line in 0..lines() {
            if self.remembers(number, example, line).await? {
                said = line + 1;
            }
        }
        Ok(said)
    }

    async fn remembers(&self, number: Number, example: &Example, line: usize) -> Result<bool, LogError> {
        for person in example.cast.values() {
            let actor = Actor::Person(*person).to_string();
            if self.log.remembered(&actor, request_of(number, line)).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn now_said(&self, number: Number, said: usize) {
        if let Some(play) = self.running().get_mut(&number) {
            play.said = Some(said);
        }
    }

    /// After something could not be done it is left alone for a moment, and looked at anew.
    fn rests(&self, number: Number) {
        if let Some(play) = self.running().get_mut(&number) {
            play.after = Instant::now() + self.beat.unsigned_abs();
        }
    }

    async fn act(&self, number: Number, Cue { by, command, line }: Cue) -> Result<(), NotDone> {
        let request = line.map_or_else(Uuid::now_v7, |line| request_of(number, line));
        let asked = Asked { request, actor: Actor::Person(by), order: Order::Incident(number, command) };
        match self.executor.execute(asked).await {
            Ok(_) => {}
            // What the player did stands in the way of it, or another node was faster: the story goes on without.
            Err(NotDone::Refused(_) | NotDone::RequestReused) => self.rests(number),
            Err(error) => return Err(error),
        }
        if let Some(line) = line {
            self.now_said(number, line + 1);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
