//! The clock: notices deadlines and absence, and has ordinary commands record them.
//!
//! With several nodes each tries, and the position check lets one win. After an outage every open incident is
//! told first how long Wardroom was down, before anything that passed meanwhile is recorded.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch as signal;
use uuid::Uuid;
use wardroom_core::absence::absent_after;
use wardroom_core::command::Tick;
use wardroom_core::deadline::DOWN_AFTER;
use wardroom_core::id::{Actor, Number, Time};
use wardroom_core::refusal::Code;

use crate::clock;
use crate::execute::{Asked, Executor, NotDone, Order};
use crate::log::{Log, LogError};
use crate::presence::Presence;
use crate::prompts::Prompted;
use crate::streams::Streams;
use crate::views::board::Command;

/// How often the clock looks.
const EVERY: Duration = Duration::from_secs(1);
/// Of how many looks one also exchanges who was seen and looks for absent commanders, which reads the row of every
/// open incident.
const ABSENCE_EVERY: u32 = 5;
/// How old the newest sign of life may get before it is renewed.
const BEAT_EVERY: jiff::SignedDuration = jiff::SignedDuration::from_secs(5);
/// How often an incident at which deciding broke off is asked again. What broke it off is a mistake of Wardroom's, and
/// may have been another incident's that was decided together with it.
const BREAKS: u32 = 3;
/// Of how many looks one also sweeps bytes away that no event took.
const SWEEP_EVERY: u32 = 600;
/// How long bytes wait for their event: much longer than a command can.
const BYTES_WAIT: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

/// What the clock needs.
#[derive(Clone, Debug)]
pub struct Due {
    log: Log,
    streams: Streams,
    executor: Executor,
    presence: Presence,
    prompted: Prompted,
    node: Uuid,
    /// When this node last knew that some node was alive.
    heard: Arc<Mutex<Option<Time>>>,
    outage: Arc<Mutex<Outage>>,
}

/// The last outage that this node noticed, and the incidents that could not be told of it yet.
#[derive(Debug, Default)]
struct Outage {
    /// The sign of life that was the last one then.
    since: Option<Time>,
    untold: BTreeMap<Number, Untold>,
    /// Whether some incident could be told.
    told: bool,
}

/// From when to when Wardroom was down for an incident, and the request id by which it is told: should an answer get
/// lost, it is not told twice.
#[derive(Copy, Clone, Debug)]
struct Untold {
    since: Time,
    /// The last look at which no node had left another sign of life. Where several nodes tell, the others may have
    /// told long ago when it comes to be told here, and Wardroom was up since.
    until: Time,
    request: Uuid,
    broke_off: u32,
}

impl Due {
    /// Starts looking, after forgiving an outage, if there was one. Turns true when that is done, or the store could not
    /// take it: then it is tried again at every look, and what can be read is served all the same.
    pub fn start(
        log: Log,
        streams: Streams,
        executor: Executor,
        presence: Presence,
        prompted: Prompted,
    ) -> signal::Receiver<bool> {
        let due = Self {
            log,
            streams,
            executor,
            presence,
            prompted,
            node: Uuid::now_v7(),
            heard: Arc::default(),
            outage: Arc::default(),
        };
        let (told, tell) = signal::channel(false);
        tokio::spawn(due.run(told));
        tell
    }

    /// Says that this node is alive, after forgiving the time during which no node was: none ran, or none
    /// reached the store, or the machine slept. Where the store could take none of it, no sign of life is left, and the
    /// next look goes on with those that were not told. A single incident that cannot be told holds nobody up but
    /// itself.
    async fn alive(&self, now: Time) -> Result<(), LogError> {
        let last = self.log.last_beat(now).await?;
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner).replace(now);
        if heard.is_some_and(|heard| now.duration_since(heard) > DOWN_AFTER) {
            // Also where another node was up again first and has left a fresh sign of life: this one could see
            // nobody meanwhile, and what it believes about them is as old as the outage.
            self.presence.up_again(now);
        }
        if let Some(last) = last
            && now.duration_since(last) > DOWN_AFTER
        {
            self.presence.up_again(now);
            self.notice_outage(last, now).await?;
        }
        self.tell_outage().await?;
        // Asked anew, because telling so many may have taken longer than what counts as an outage.
        let now = clock::now();
        if last.is_some_and(|last| now.duration_since(last) < BEAT_EVERY) {
            return Ok(()); // Some node has said so: an idle Wardroom writes no more than it has to.
        }
        self.log.beat(self.node, now).await
    }

    /// From now on every open incident is to be told, unless it was told of this outage already. Those that still
    /// have to be are told that it went on until now.
    async fn notice_outage(&self, since: Time, now: Time) -> Result<(), LogError> {
        if self.outage().since == Some(since) {
            self.outage().untold.values_mut().for_each(|untold| untold.until = now);
            return Ok(());
        }
        tracing::info!(down_since = %since, "Wardroom was down; that time counts against nobody");
        let open = self.log.board_open().await?;
        let mut outage = self.outage();
        (outage.since, outage.told) = (Some(since), false);
        for row in open {
            let untold = Untold { since, until: now, request: Uuid::now_v7(), broke_off: 0 };
            // One that still has to be told of an outage before is told of both as one.
            outage.untold.entry(row.number).and_modify(|known| known.until = now).or_insert(untold);
        }
        Ok(())
    }

    /// Tells those incidents of the outage that do not know of it.
    async fn tell_outage(&self) -> Result<(), LogError> {
        let untold = self.outage().untold.clone();
        let mut trouble = None;
        for (number, Untold { since, until, request, broke_off }) in untold {
            match self.tell(number, Tick::WasDown { from: since, to: until }, request).await {
                // As busy as another node, or its own damaged end, keeps it: the next look tries again.
                Err(NotDone::Busy) => {}
                Err(NotDone::Store(error @ LogError::InDoubt(_))) => return Err(error), // It stands still for all.
                Err(NotDone::Store(error @ LogError::Unavailable(_))) => {
                    self.log.head().await?;
                    trouble = Some(error);
                }
                Err(NotDone::BrokeOff) if broke_off + 1 < BREAKS => {
                    if let Some(untold) = self.outage().untold.get_mut(&number) {
                        untold.broke_off += 1;
                    }
                }
                Ok(()) | Err(_) => {
                    let mut outage = self.outage();
                    outage.untold.remove(&number);
                    outage.told = true;
                }
            }
        }
        match trouble {
            Some(error) if !self.outage().told => Err(error),
            _ => Ok(()),
        }
    }

    fn outage(&self) -> MutexGuard<'_, Outage> {
        self.outage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an incident still has to be told of an outage: nothing else is recorded there before.
    fn is_untold(&self, number: Number) -> bool {
        self.outage().untold.contains_key(&number)
    }

    async fn run(self, told: signal::Sender<bool>) {
        if let Err(error) = self.alive(clock::now()).await {
            tracing::warn!(%error, "the clock could not look back at the time before the start; trying again");
        }
        let _ = told.send(true);
        let mut every = tokio::time::interval(EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut looks = 0_u32;
        loop {
            every.tick().await;
            looks = looks.wrapping_add(1);
            if let Err(error) = self.look(looks.is_multiple_of(ABSENCE_EVERY)).await {
                tracing::warn!(%error, "the clock could not look at the deadlines; trying again");
            }
            if looks.is_multiple_of(SWEEP_EVERY)
                && let Err(error) = self.log.sweep_bytes(clock::now() - BYTES_WAIT).await
            {
                tracing::warn!(%error, "bytes that became no evidence could not be swept; trying again");
            }
        }
    }

    async fn look(&self, absence: bool) -> Result<(), LogError> {
        let now = clock::now();
        self.alive(now).await?;
        for row in self.log.board_due(now).await? {
            if !self.is_untold(row.number) {
                let _ = self.tell(row.number, Tick::Deadlines, Uuid::now_v7()).await;
            }
        }
        if !absence {
            return Ok(());
        }
        self.presence.exchange(&self.log).await?;
        self.prompted.learn(&self.log).await?;
        for row in self.log.board_open().await? {
            let number = row.number;
            // Folding them all would be far too much where many are open, and hardly any has news.
            let news = Command::on(&row).is_none_or(|command| self.news_of(command, now).is_some());
            if news && !self.is_untold(number) {
                self.look_for_commander(number, now).await?;
            }
        }
        Ok(())
    }

    async fn look_for_commander(&self, number: Number, now: Time) -> Result<(), LogError> {
        let held = match self.streams.incident(number).await {
            Ok(Some(held)) => held,
            Ok(None) | Err(LogError::Damaged { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        if let Some(tick) = Command::of(&held.incident).and_then(|command| self.news_of(command, now)) {
            let _ = self.tell(number, tick, Uuid::now_v7()).await;
        }
        Ok(())
    }

    /// What there is to record about a commander's absence, if anything.
    fn news_of(&self, command: Command, now: Time) -> Option<Tick> {
        let Command { person, since, severity, unseen_since } = command;
        match unseen_since {
            None => {
                let since = self.presence.unseen_since(person).max(since);
                let gone = !self.streams.directory().directory.facts.active(person);
                let absent = gone || now.duration_since(since) >= absent_after(severity);
                absent.then_some(Tick::Unseen { person, since })
            }
            // Only something that they did after their absence was recorded says that they are back.
            Some(since) => {
                let back = self.presence.seen_at(person).is_some_and(|seen| seen > since);
                back.then_some(Tick::Seen { person })
            }
        }
    }

    /// Has an incident record what is due. What kept it from that is in the server's own log.
    async fn tell(&self, number: Number, tick: Tick, request: Uuid) -> Result<(), NotDone> {
        let asked = Asked { request, actor: Actor::Clock, order: Order::Tick(number, tick) };
        let Err(error) = self.executor.execute(asked).await else { return Ok(()) };
        match &error {
            // Another node, or a person, was faster; or the incident is read-only here.
            NotDone::Refused(refusal) if matches!(refusal.code, Code::AlreadySo | Code::ReadOnly) => Ok(()),
            // It was recorded by this request, whose answer got lost, with the end that was known then.
            NotDone::RequestReused => Ok(()),
            _ => {
                tracing::warn!(%number, %error, "the clock could not record what is due");
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests;
