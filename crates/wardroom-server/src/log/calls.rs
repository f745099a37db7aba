//! What somebody has to be told, and how far telling them is: ids and times, beside the log, and no words. In no backup:
//! what still has to be told follows from the log.
//!
//! A row of `calls` is a matter that one person has to hear of, and one of `deliveries` a way by which they do. Any
//! number of nodes put the same rows; whoever takes a delivery up has it for a while (a lease), and should they die over
//! it, another takes it up again.

use wardroom_core::id::{Number, PersonId, Time};
use wardroom_core::reach::Channel;

use super::{Log, LogError};
use crate::reach::pager::Pager;

/// A matter that somebody has to hear of.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CallRow {
    /// Its stable id.
    pub call: String,
    /// Who.
    pub person: PersonId,
    /// In which incident.
    pub incident: Number,
    /// The incident's newest entry when it was put.
    pub entry: u64,
    /// Since when.
    pub made_at: Time,
}

/// How far a delivery is.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum State {
    /// To be sent.
    Due,
    /// To be sent when quiet hours are over.
    Quiet,
    /// It could not be sent, and is tried again.
    Refused,
    /// It will not be taken, however often it is tried.
    Failed,
    /// Whoever carries it has it.
    Accepted,
    /// It was seen, and the pager is to be told so.
    Seeing,
    /// It was seen before it was sent.
    Spared,
    /// It was done elsewhere, and those who heard of it are to be told so.
    Ending,
    /// There is nothing left to tell.
    Ended,
}

impl State {
    const ALL: [Self; 9] = [
        Self::Due,
        Self::Quiet,
        Self::Refused,
        Self::Failed,
        Self::Accepted,
        Self::Seeing,
        Self::Spared,
        Self::Ending,
        Self::Ended,
    ];

    /// As it is stored.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Quiet => "quiet",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Accepted => "accepted",
            Self::Seeing => "seeing",
            Self::Spared => "spared",
            Self::Ending => "ending",
            Self::Ended => "ended",
        }
    }

    pub(super) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

pub(super) fn channel(word: &str) -> Option<Channel> {
    Channel::ALL.into_iter().find(|channel| channel.word() == word)
}

/// One delivery.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeliveryRow {
    /// Of which matter.
    pub call: String,
    /// To whom.
    pub person: PersonId,
    /// In which incident.
    pub incident: Number,
    /// By which way.
    pub channel: Channel,
    /// In which of their browsers, where it is told to browsers.
    pub browser: Option<String>,
    /// How far it is.
    pub state: State,
    /// Since when.
    pub at: Time,
    /// How often it was tried.
    pub attempts: u32,
    /// When whoever carries it took it.
    pub accepted_at: Option<Time>,
    /// What stood in the way last.
    pub why: Option<String>,
}

/// A matter that is not over, with what became of telling it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// The matter.
    pub call: CallRow,
    /// When they saw it.
    pub seen_at: Option<Time>,
    /// The ways.
    pub deliveries: Vec<DeliveryRow>,
}

/// What came of taking a delivery up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Whoever carries it has it.
    Accepted,
    /// It is tried again then.
    Refused {
        /// When.
        again: Time,
        /// What stood in the way, in a few words of ours.
        why: String,
    },
    /// It is not tried again.
    Failed {
        /// What stands in the way, in a few words of ours.
        why: String,
    },
    /// They are left alone until then.
    Quiet {
        /// Until when.
        until: Time,
    },
    /// There is nothing left to tell.
    Ended,
}

impl Log {
    /// Puts a matter, unless it is there, and a delivery for each of these ways, unless it is there, over or seen; of
    /// push, one for each of their browsers.
    ///
    /// # Errors
    /// [`LogError::Unavailable`], as for every method here.
    pub async fn put_call(&self, call: CallRow, channels: Vec<Channel>) -> Result<(), LogError> {
        on_either!(self, store => store.put_call(call, channels))
    }

    /// Every matter that is not over.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn open_calls(&self) -> Result<Vec<CallRow>, LogError> {
        on_either!(self, store => store.open_calls())
    }

    /// A matter is over, as far as somebody knows who knows the incident up to an entry; one that was put by somebody
    /// who knows more is left alone.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn end_call(&self, call: &CallRow, entry: u64, now: Time) -> Result<(), LogError> {
        on_either!(self, store => store.end_call(call.clone(), entry, now))
    }

    /// They saw it: what was not sent yet need not be.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn saw_call(&self, call: String, person: PersonId, now: Time) -> Result<(), LogError> {
        on_either!(self, store => store.saw_call(call, person, now))
    }

    /// Takes up deliveries of a way that are due, for as long as until `lease`.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn take_up(
        &self,
        channel: Channel,
        now: Time,
        lease: Time,
        limit: usize,
    ) -> Result<Vec<DeliveryRow>, LogError> {
        on_either!(self, store => store.take_up(channel, now, lease, limit))
    }

    /// What came of a delivery that was taken up.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn put_outcome(&self, row: &DeliveryRow, outcome: Outcome, now: Time) -> Result<(), LogError> {
        on_either!(self, store => store.put_outcome(row.clone(), outcome, now))
    }

    /// The matters of an incident that are not over, with what became of telling them.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn told_in(&self, incident: Number) -> Result<Vec<Told>, LogError> {
        let (calls, mut deliveries) = on_either!(self, store => store.told_in(incident))?;
        let with = |(call, seen_at): (CallRow, Option<Time>)| {
            let mine = deliveries.extract_if(.., |row| row.call == call.call && row.person == call.person);
            Told { deliveries: mine.collect(), call, seen_at }
        };
        Ok(calls.into_iter().map(with).collect())
    }

    /// Where somebody's pager is.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn pager(&self, person: PersonId) -> Result<Option<Pager>, LogError> {
        on_either!(self, store => store.pager(person))
    }

    /// Keeps where somebody's pager is, in place of the one before, or forgets it.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn put_pager(&self, person: PersonId, pager: Option<Pager>) -> Result<(), LogError> {
        on_either!(self, store => store.put_pager(person, pager))
    }

    /// How far a reader of the log has come.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn cursor(&self, reader: &'static str) -> Result<u64, LogError> {
        on_either!(self, store => store.cursor(reader))
    }

    /// Keeps how far a reader has come; one that is further stays.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn put_cursor(&self, reader: &'static str, position: u64) -> Result<(), LogError> {
        on_either!(self, store => store.put_cursor(reader, position))
    }

    /// Forgets matters that were over before then.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn forget_calls(&self, before: Time) -> Result<(), LogError> {
        on_either!(self, store => store.forget_calls(before))
    }
}

/// Columns of an outcome: state, at, next_at, why, accepted_at (kept when null), and by how much attempts are less.
pub(super) struct Written {
    pub state: &'static str,
    pub next_at: Option<i64>,
    pub why: Option<String>,
    pub accepted_at: Option<i64>,
    pub uncounted: i32,
}

impl Written {
    pub(super) fn of(outcome: Outcome, taken_up_as: State, now: Time) -> Self {
        let at = now.as_microsecond();
        let plain =
            |state: State| Self { state: state.word(), next_at: None, why: None, accepted_at: None, uncounted: 0 };
        match outcome {
            Outcome::Accepted => Self { accepted_at: Some(at), ..plain(State::Accepted) },
            // What is tried again stays what it is about: the sending, its being seen, its end.
            Outcome::Refused { again, why } => {
                let state = match taken_up_as {
                    State::Seeing | State::Ending => taken_up_as,
                    _ => State::Refused,
                };
                Self { next_at: Some(again.as_microsecond()), why: Some(why), ..plain(state) }
            }
            // That it is done will not be taken either.
            Outcome::Failed { .. } if taken_up_as == State::Ending => plain(State::Ended),
            Outcome::Failed { why } => Self { why: Some(why), ..plain(State::Failed) },
            Outcome::Quiet { until } => {
                Self { next_at: Some(until.as_microsecond()), uncounted: 1, ..plain(State::Quiet) }
            }
            Outcome::Ended => plain(State::Ended),
        }
    }
}
