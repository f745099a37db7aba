//! Keeps what there is to tell beside the log: reads the log's tail behind a durable cursor, asks the core what each
//! incident in which something happened has to tell, and puts or ends that.
//!
//! A node that dies between a commit and here leaves its cursor behind: whoever starts next reads from there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::Notify;
use tokio::time::Instant;
use wardroom_core::facts::Facts;
use wardroom_core::id::{Number, PersonId};
use wardroom_core::reach::{Channel, Reach as Chosen};

use crate::clock;
use crate::log::{CallRow, Log, LogError};
use crate::streams::{DIRECTORY, Streams};
use crate::views::board::{Board, Command};
use crate::watch::{After, Watch};

/// How often the cursor is kept, and everything that is not over is looked at again.
const SWEEP: Duration = Duration::from_secs(5);
/// How long to wait after the store could not.
const AGAIN: Duration = Duration::from_secs(1);
/// Entries looked at at once.
const PAGE: usize = 500;
/// How long what is over is remembered.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

type Put = BTreeMap<(String, PersonId), BTreeSet<Channel>>;

/// What keeping them needs.
pub(super) struct Matters {
    log: Log,
    streams: Streams,
    watch: Watch,
    board: Board,
    put: Arc<Notify>,
    /// Up to where this node has looked.
    position: Option<u64>,
    /// Up to where that is kept.
    kept: u64,
    /// Who may be told and how, when that was last looked at.
    told_so: Option<(Facts, Arc<BTreeMap<PersonId, Chosen>>)>,
    /// What this node last put, by incident; nothing where there is nothing to tell.
    known: BTreeMap<Number, Put>,
    swept_at: Option<Instant>,
}

impl Matters {
    pub(super) fn start(log: Log, streams: Streams, watch: Watch, board: Board, put: Arc<Notify>) {
        let known = BTreeMap::new();
        let matters =
            Self { log, streams, watch, board, put, position: None, kept: 0, told_so: None, known, swept_at: None };
        tokio::spawn(matters.keep());
    }

    async fn keep(mut self) {
        let mut news = self.watch.subscribe();
        loop {
            match self.look().await {
                Ok(()) => {
                    let sweep = self.swept_at.map_or_else(Instant::now, |at| at + SWEEP);
                    let waited = tokio::time::timeout_at(sweep, news.changed()).await;
                    if matches!(waited, Ok(Err(_))) {
                        return;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "what there is to tell could not be kept; trying again");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    async fn look(&mut self) -> Result<(), LogError> {
        let mut position = match self.position {
            Some(position) => position,
            None => self.log.cursor("reach").await?,
        };
        let mut touched = BTreeSet::new();
        let mut directory = false;
        loop {
            let (streams, last): (Vec<_>, Option<u64>) = match self.watch.after(position, PAGE) {
                After::Entries(entries) => {
                    (entries.iter().map(|entry| entry.stream).collect(), entries.last().map(|last| last.position))
                }
                After::Behind => {
                    let entries = self.log.read_all(position, PAGE).await?;
                    (entries.iter().map(|entry| entry.stream).collect(), entries.last().map(|last| last.position))
                }
            };
            let Some(last) = last else { break };
            position = last;
            directory |= streams.contains(&DIRECTORY);
            touched.extend(streams.into_iter().filter_map(|stream| stream.incident()));
        }
        if directory && self.is_told_otherwise() {
            // Who may be told, or how, has changed, and that may be so anywhere.
            touched.extend(self.known.keys().copied());
            touched.extend(self.with_something_due().await?);
        }
        for number in touched {
            self.settle(number).await?;
        }
        self.position = Some(position);
        if self.swept_at.is_none_or(|at| at.elapsed() >= SWEEP) {
            self.sweep().await?;
            if position > self.kept {
                self.log.put_cursor("reach", position).await?;
                self.kept = position;
            }
            self.swept_at = Some(Instant::now());
        }
        Ok(())
    }

    /// Whether it has changed who may be told and how. Most entries of the directory are of people who sign in.
    fn is_told_otherwise(&mut self) -> bool {
        let directory = self.streams.directory().directory;
        let now = Some((directory.facts.clone(), Arc::clone(&directory.reach)));
        let otherwise = self.told_so != now;
        self.told_so = now;
        otherwise
    }

    /// Open incidents in which there may be something to tell.
    async fn with_something_due(&self) -> Result<Vec<Number>, LogError> {
        self.board.catch_up().await?;
        let gone = |row: &crate::log::BoardRow| {
            Command::on(row).is_some_and(|command| {
                command.unseen_since.is_some() || !self.streams.directory().directory.facts.active(command.person)
            })
        };
        let open = self.log.board_open().await?;
        Ok(open.into_iter().filter(|row| row.next_due.is_some() || gone(row)).map(|row| row.number).collect())
    }

    /// Ends what is over although nobody said so here: another node put it, and died.
    async fn sweep(&mut self) -> Result<(), LogError> {
        let open = self.log.open_calls().await?;
        let incidents: BTreeSet<Number> = open.iter().map(|row| row.incident).collect();
        for number in incidents {
            self.settle(number).await?;
            let Some(held) = self.held(number).await? else { continue };
            let still = self.known.get(&number);
            for row in open.iter().filter(|row| row.incident == number) {
                if !still.is_some_and(|put| put.contains_key(&(row.call.clone(), row.person))) {
                    self.log.end_call(row, held, clock::now()).await?;
                    self.put.notify_one();
                }
            }
        }
        self.log.forget_calls(clock::now() - KEPT).await
    }

    /// Up to which entry an incident is folded here; nothing for one that cannot be.
    async fn held(&self, number: Number) -> Result<Option<u64>, LogError> {
        match self.streams.incident(number).await {
            Ok(held) => Ok(held.map(|held| held.tip.seq)),
            Err(LogError::Damaged { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Puts what an incident has to tell now, and ends what it told before and has not to any more.
    async fn settle(&mut self, number: Number) -> Result<(), LogError> {
        let held = match self.streams.incident(number).await {
            Ok(Some(held)) => held,
            // One broken incident tells nothing; the others go on.
            Ok(None) | Err(LogError::Damaged { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        let (directory, now) = (self.streams.directory().directory, clock::now());
        let entry = held.tip.seq;
        let calls = held.incident.calls(&directory.facts, now);
        let tell: Put =
            calls.iter().map(|call| ((call.id(), call.person), directory.reach_of(call.person).channels)).collect();
        let known = self.known.get(&number).cloned().unwrap_or_default();
        if tell == known {
            return Ok(());
        }
        let row = |(call, person): &(String, PersonId)| CallRow {
            call: call.clone(),
            person: *person,
            incident: number,
            entry,
            made_at: now,
        };
        for (key, channels) in tell.iter().filter(|(key, channels)| known.get(*key) != Some(*channels)) {
            self.log.put_call(row(key), channels.iter().copied().collect()).await?;
        }
        for key in known.keys().filter(|key| !tell.contains_key(*key)) {
            self.log.end_call(&row(key), entry, now).await?;
        }
        if tell.is_empty() {
            self.known.remove(&number);
        } else {
            self.known.insert(number, tell);
        }
        self.put.notify_one();
        Ok(())
    }
}
