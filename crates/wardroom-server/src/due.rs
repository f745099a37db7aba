//! The clock: notices deadlines and absence, and has ordinary commands record them.
//!
//! With several nodes each tries, and the position check lets one win. After an outage every open incident is
//! told first how long Wardroom was down, before anything that passed meanwhile is recorded.

use std::time::Duration;

use uuid::Uuid;
use wardroom_core::absence::absent_after;
use wardroom_core::command::Tick;
use wardroom_core::id::{Actor, Number, Time};
use wardroom_core::refusal::Code;
use wardroom_core::role::RolePath;

use crate::clock;
use crate::execute::{Asked, Executor, NotDone, Order};
use crate::log::{Log, LogError};
use crate::presence::Presence;
use crate::streams::Streams;

/// How often the clock looks.
const EVERY: Duration = Duration::from_secs(1);
/// Of how many looks one also says that this node is alive, exchanges who was seen, and looks for absent
/// commanders, which reads every open incident.
const ABSENCE_EVERY: u32 = 5;
/// Without a sign of life of any node for longer than this, Wardroom was down.
const DOWN_AFTER: jiff::SignedDuration = jiff::SignedDuration::from_secs(15);

/// What the clock needs.
#[derive(Clone, Debug)]
pub struct Due {
    log: Log,
    streams: Streams,
    executor: Executor,
    presence: Presence,
    node: Uuid,
}

impl Due {
    /// Forgives an outage, if there was one, and only then starts looking.
    ///
    /// # Errors
    /// [`LogError`] when the store cannot be read.
    pub async fn start(log: Log, streams: Streams, executor: Executor, presence: Presence) -> Result<(), LogError> {
        let due = Self { log, streams, executor, presence, node: Uuid::now_v7() };
        let now = clock::now();
        if let Some(last) = due.log.last_beat().await?
            && now.duration_since(last) > DOWN_AFTER
        {
            tracing::info!(down_since = %last, "Wardroom was down; that time counts against nobody");
            for row in due.log.board_open().await? {
                due.tell(Number(row.number), Tick::WasDown { from: last }).await;
            }
        }
        due.log.beat(due.node, now).await?;
        tokio::spawn(due.run());
        Ok(())
    }

    async fn run(self) {
        let mut every = tokio::time::interval(EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut looks = 0_u32;
        loop {
            every.tick().await;
            looks = looks.wrapping_add(1);
            if let Err(error) = self.look(looks.is_multiple_of(ABSENCE_EVERY)).await {
                tracing::warn!(%error, "the clock could not look at the deadlines; trying again");
            }
        }
    }

    async fn look(&self, absence: bool) -> Result<(), LogError> {
        let now = clock::now();
        for row in self.log.board_due(now).await? {
            self.tell(Number(row.number), Tick::Deadlines).await;
        }
        if !absence {
            return Ok(());
        }
        self.log.beat(self.node, now).await?;
        self.presence.exchange(&self.log).await?;
        for row in self.log.board_open().await? {
            self.look_for_commander(Number(row.number), now).await?;
        }
        Ok(())
    }

    async fn look_for_commander(&self, number: Number, now: Time) -> Result<(), LogError> {
        let held = match self.streams.incident(number).await {
            Ok(Some(held)) => held,
            Ok(None) | Err(LogError::Damaged { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        let incident = &held.incident;
        let Some(person) = incident.holder(&RolePath::command()) else { return Ok(()) };
        match incident.absence.unseen_since {
            None => {
                let since = self.presence.unseen_since(person).max(tenure_since(incident));
                if now.duration_since(since) >= absent_after(incident.severity) {
                    self.tell(number, Tick::Unseen { person, since }).await;
                }
            }
            // Only something that they did after their absence was recorded says that they are back.
            Some(since) => {
                if self.presence.seen_at(person).is_some_and(|seen| seen > since) {
                    self.tell(number, Tick::Seen { person }).await;
                }
            }
        }
        Ok(())
    }

    async fn tell(&self, number: Number, tick: Tick) {
        let asked = Asked { request: Uuid::now_v7(), actor: Actor::Clock, order: Order::Tick(number, tick) };
        match self.executor.execute(asked).await {
            Ok(_) => {}
            // Another node, or a person, was faster; or the incident is read-only here.
            Err(NotDone::Refused(refusal)) if matches!(refusal.code, Code::AlreadySo | Code::ReadOnly) => {}
            Err(error) => tracing::warn!(%number, %error, "the clock could not record what is due"),
        }
    }
}

/// Taking command is being seen.
fn tenure_since(incident: &wardroom_core::incident::Incident) -> Time {
    incident
        .roles
        .get(&RolePath::command())
        .and_then(|role| role.holder)
        .map_or(incident.opened_at, |tenure| tenure.since)
}
