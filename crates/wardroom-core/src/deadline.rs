//! Deadlines: computed from the state, recorded by the clock as an ordinary actor.
//!
//! Timers are not a second truth. Every noun treats a passed deadline as passed whether it was recorded or
//! not; recording it only tells people. Time during which Wardroom itself was down counts against nobody:
//! pending offers get two more minutes and an absence is shortened by the outage.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use jiff::{SignedDuration, ToSpan};
use serde::{Deserialize, Serialize};

use crate::authority::Act;
use crate::event::{Event, Recorded};
use crate::id::{Entry, PersonId, Time};
use crate::incident::{Asking, Decision, Incident};
use crate::refusal::{Code, Refusal};
use crate::role::RolePath;
use crate::text::{Line, Text};

/// More clocks than this would all be ignored.
const CLOCKS_MAX: usize = 20;
/// The longest a clock runs: a week.
const CLOCK_MINUTES_MAX: u32 = 7 * 24 * 60;
/// What pending offers get after an outage.
const GRACE_MINUTES: i64 = 2;
/// A deadline recorded later than this was missed by Wardroom, and is marked late.
const LATE_AFTER: SignedDuration = SignedDuration::from_mins(1);

/// Without a sign of life of Wardroom for longer than this, it was down. What is shorter is forgiven to nobody: what
/// is left of an outage that was forgiven a moment ago is no other one.
pub const DOWN_AFTER: SignedDuration = SignedDuration::from_secs(15);

/// Whether recording now what was due at `at` is late.
pub(crate) fn is_late(now: Time, at: Time) -> bool {
    now.duration_since(at) > LATE_AFTER
}

/// A clock that the commander set: "consider alternatives, every 15 minutes".
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Clock {
    /// The entry that set it.
    pub id: Entry,
    /// What it is for.
    pub label: Text,
    /// When it rings next.
    pub due_at: Time,
    /// How long after ringing it rings again.
    pub every_minutes: Option<NonZeroU32>,
    /// When it rang last, if nothing has been set since.
    pub rang_at: Option<Time>,
}

/// What is due.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Due {
    /// An offer lapses.
    Offer(RolePath),
    /// A clock rings.
    Clock(Entry),
    /// A proposal to assume command lapses.
    Proposal,
    /// A guest's time is up.
    Guest(PersonId),
    /// Nobody goes on with the example.
    Example,
}

impl Incident {
    /// Every deadline that the clock has to record, in no particular order.
    pub fn deadlines(&self) -> impl Iterator<Item = (Time, Due)> + '_ {
        let offers = self.offers.iter().map(|(role, offer)| (offer.lapses_at, Due::Offer(role.clone())));
        let rings = |clock: &&Clock| clock.rang_at.is_none() || clock.every_minutes.is_some();
        let clocks = self.clocks.iter().filter(rings).map(|clock| (clock.due_at, Due::Clock(clock.id)));
        let proposal = self.absence.proposal.iter().map(|proposal| (proposal.lapses_at, Due::Proposal));
        let guests = self.guests.iter().map(|(guest, until)| (*until, Due::Guest(*guest)));
        let example = self.example_ends_at().map(|at| (at, Due::Example));
        offers.chain(clocks).chain(proposal).chain(guests).chain(example)
    }

    /// When something is due next that people wait for: the end of a guest, or of the example, is none of it.
    #[must_use]
    pub fn next_due(&self) -> Option<Time> {
        self.deadlines().filter(|(_, due)| !matches!(due, Due::Guest(_) | Due::Example)).map(|(at, _)| at).min()
    }

    /// When the clock has to look at this incident next.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Time> {
        self.deadlines().map(|(at, _)| at).min()
    }

    /// Records each deadline that has passed, once.
    pub(crate) fn pass_deadlines(&self, ask: &Asking<'_>) -> Vec<Event> {
        let mut passed: Vec<(Time, Due)> = self.deadlines().filter(|(at, _)| *at <= ask.now).collect();
        passed.sort_by_key(|(at, _)| *at);
        passed.into_iter().flat_map(|(at, due)| self.pass(ask.now, at, due)).collect()
    }

    fn pass(&self, now: Time, at: Time, due: Due) -> Vec<Event> {
        let late = is_late(now, at);
        match due {
            Due::Offer(role) => self.lapse_offer(&role, now),
            Due::Guest(guest) => self.time_is_up(guest, now),
            Due::Example => self.end_example(),
            Due::Proposal => self.end_proposal(crate::absence::Ended::Lapsed),
            Due::Clock(id) => {
                let every = self.clocks.iter().find(|clock| clock.id == id).and_then(|clock| clock.every_minutes);
                // A repeating clock that was missed for long rings once, and next in the future.
                let next_due_at = every.map(|minutes| {
                    let period = SignedDuration::from_mins(i64::from(minutes.get()));
                    let missed = now.duration_since(at).as_secs() / period.as_secs();
                    at + period * (i32::try_from(missed).unwrap_or(i32::MAX - 1) + 1)
                });
                vec![Event::ClockRang { clock: id, due_at: at, next_due_at, late }]
            }
        }
    }

    /// Wardroom was down from `from` to `to`: offers get two more minutes from now on, an absence is shortened. Told
    /// again, by another node or because an answer got lost, it is forgiven already: `to` says how far, however long
    /// after it that is.
    pub(crate) fn forgive_outage(&self, ask: &Asking<'_>, from: Time, to: Time) -> Vec<Event> {
        let (from, to) = (from.max(self.last_at), to.min(ask.now));
        if to.duration_since(from) <= DOWN_AFTER {
            return Vec::new();
        }
        let grace = ask.now + GRACE_MINUTES.minutes();
        let hit = |at: Time| at > from && at < grace;
        let offers: BTreeMap<RolePath, Time> = self
            .offers
            .iter()
            .filter(|(_, offer)| hit(offer.lapses_at))
            .map(|(role, _)| (role.clone(), grace))
            .collect();
        let unseen_since = self.absence.unseen_since.map(|since| since + to.duration_since(from));
        if offers.is_empty() && unseen_since.is_none() && self.example_ends_at().is_none() {
            return Vec::new();
        }
        vec![Event::OutageEnded { from, to, offers, unseen_since }]
    }

    pub(crate) fn set_clock(
        &self,
        ask: &Asking<'_>,
        label: Line,
        in_minutes: u32,
        repeat: bool,
    ) -> Result<Decision, Refusal> {
        self.require(ask, &Act::Command)?;
        if !(1..=CLOCK_MINUTES_MAX).contains(&in_minutes) {
            return Err(Refusal::new(Code::Invalid, format!("A clock runs for 1 to {CLOCK_MINUTES_MAX} minutes.")));
        }
        if self.clocks.len() >= CLOCKS_MAX {
            return Err(Refusal::new(Code::TooMany, format!("{CLOCKS_MAX} clocks run already; stop one first.")));
        }
        let due_at = ask.now + i64::from(in_minutes).minutes();
        Ok(Event::ClockSet {
            label: label.into(),
            due_at,
            every_minutes: NonZeroU32::new(in_minutes).filter(|_| repeat),
        }
        .into())
    }

    pub(crate) fn stop_clock(&self, ask: &Asking<'_>, clock: Entry) -> Result<Decision, Refusal> {
        self.require(ask, &Act::Command)?;
        if !self.clocks.iter().any(|known| known.id == clock) {
            return Err(Refusal::new(Code::NotThere, format!("There is no clock {clock} here.")));
        }
        Ok(Event::ClockStopped { clock }.into())
    }

    pub(crate) fn evolve_clocks(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::ClockSet { label, due_at, every_minutes } => self.clocks.push(Clock {
                id: recorded.entry,
                label: label.clone(),
                due_at: *due_at,
                every_minutes: *every_minutes,
                rang_at: None,
            }),
            Event::ClockRang { clock, due_at, next_due_at, .. } => {
                if let Some(known) = self.clocks.iter_mut().find(|known| known.id == *clock) {
                    known.rang_at = Some(*due_at);
                    known.due_at = next_due_at.unwrap_or(*due_at);
                }
            }
            Event::ClockStopped { clock } => self.clocks.retain(|known| known.id != *clock),
            Event::OutageEnded { offers, unseen_since, .. } => {
                for (role, until) in offers {
                    if let Some(offer) = self.offers.get_mut(role) {
                        offer.lapses_at = *until;
                    }
                }
                if unseen_since.is_some() {
                    self.absence.unseen_since = *unseen_since;
                }
            }
            _ => {}
        }
    }
}
