//! The budget of prompts: nobody is nudged more than once in ten minutes, however many incidents they are in and wherever
//! they look.
//!
//! What is [`next`](crate::next) stands on every surface, for whoever looks. A *prompt* is a surface that draws somebody's
//! attention to it by itself. What somebody else waits for is brought at once and counts for nothing here: an offer, a
//! roadblock, an ask, command that nobody exercises. What is left are *nudges*: reminders of what is a person's own to do,
//! and which nobody waits for. They share one budget per person, and each can be put off. That somebody is typing or
//! reading only the surface knows, which holds a nudge back meanwhile; everything else is decided here.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::change;
use crate::facts::Facts;
use crate::id::{Entry, Number, PersonId, Time};
use crate::incident::Incident;
use crate::next::Next;
use crate::role::RolePath;

/// The least time between two prompts of one person.
pub const REST: SignedDuration = SignedDuration::from_mins(10);
/// For how long a nudge is put off.
pub const PUT_OFF: SignedDuration = SignedDuration::from_mins(10);
/// What is dated further ahead than this was written by a clock that stood wrong, and counts for nothing.
const AHEAD: SignedDuration = SignedDuration::from_secs(5);
/// So many things are put off at once, at the most; the one whose time is up first makes room.
const PUT_OFF_MAX: usize = 50;

/// A nudge by what it is about: the same for as long as it is about the same.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Nudge {
    /// Commanding and doing operations too.
    DoingBoth {},
    /// A clock that rang, or is to ring.
    Clock {
        /// Which.
        clock: Entry,
        /// When it is or was due: a clock that rings again is another nudge.
        #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
        due_at: Time,
    },
    /// Whether the state document is still true.
    StillTrue {
        /// When it was to be asked: a new stamp makes it another nudge.
        #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
        due_at: Time,
    },
    /// How a change went that was announced a while ago.
    Unconfirmed {
        /// Which.
        change: u32,
        /// When it was to be asked.
        #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
        due_at: Time,
    },
    /// How a change is undone.
    WayBack {
        /// Which.
        change: u32,
        /// When it was to be asked.
        #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
        due_at: Time,
    },
    /// More people report to one than can be led.
    Span {
        /// In which role.
        role: RolePath,
    },
}

/// How a next step comes before somebody's eyes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "how", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Bring {
    /// Somebody else waits for it: whatever was brought before, and whatever the person does.
    AtOnce {},
    /// As soon as the person neither types nor reads: their budget has a prompt left. Whoever prompts says so first.
    WhenFree {
        /// Which nudge it is.
        nudge: Nudge,
    },
    /// It stands there for whoever looks, and draws nobody's attention before then.
    Quietly {
        /// Which nudge it is.
        nudge: Nudge,
        /// Until when, as it stands now: for what was put off, until when it was.
        #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
        until: Time,
        /// Whether the person put it off themselves. Then everything else goes before it.
        put_off: bool,
    },
}

/// A next step, and how it comes before somebody's eyes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Brought {
    /// What.
    pub next: Next,
    /// How.
    pub prompt: Bring,
}

/// What one person was prompted of and what they put off: all that the budget has to remember. It is volatile.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prompts {
    /// When they were prompted last.
    prompted_at: Option<Time>,
    /// What they put off.
    put_off: Vec<PutOff>,
}

/// A nudge that somebody put off.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct PutOff {
    incident: Number,
    nudge: Nudge,
    until: Time,
}

impl Next {
    /// Which nudge this is, if nobody else waits for it.
    #[must_use]
    pub fn nudge(&self) -> Option<Nudge> {
        match self {
            Self::OfferOperations { .. } => Some(Nudge::DoingBoth {}),
            Self::Clock { clock, due_at } => Some(Nudge::Clock { clock: *clock, due_at: *due_at }),
            Self::StillTrue { due_at } => Some(Nudge::StillTrue { due_at: *due_at }),
            Self::ConfirmChange { change, announced_at } => {
                Some(Nudge::Unconfirmed { change: *change, due_at: change::asked_after(*announced_at) })
            }
            Self::SayWayBack { change, due_at } => Some(Nudge::WayBack { change: *change, due_at: *due_at }),
            Self::Delegate { role, .. } => Some(Nudge::Span { role: role.clone() }),
            Self::Take { .. }
            | Self::Confirm { .. }
            | Self::StillWithUs { .. }
            | Self::Clear { .. }
            | Self::SortChange { .. }
            | Self::SortSighting { .. }
            | Self::SeeSorted { .. }
            | Self::ComeIn { .. }
            | Self::Permit { .. }
            | Self::Assume { .. }
            | Self::Answer { .. } => None,
        }
    }
}

impl Nudge {
    /// Before this there is nothing to be prompted of: a clock that has not run out.
    fn not_before(&self) -> Option<Time> {
        match self {
            Self::Clock { due_at, .. }
            | Self::StillTrue { due_at }
            | Self::Unconfirmed { due_at, .. }
            | Self::WayBack { due_at, .. } => Some(*due_at),
            Self::DoingBoth {} | Self::Span { .. } => None,
        }
    }
}

impl Bring {
    /// Whether the person put it off themselves.
    #[must_use]
    pub fn is_put_off(&self) -> bool {
        matches!(self, Self::Quietly { put_off: true, .. })
    }
}

impl Prompts {
    /// How a next step in an incident comes before this person's eyes.
    #[must_use]
    pub fn bring(&self, incident: Number, next: &Next, now: Time) -> Bring {
        let Some(nudge) = next.nudge() else { return Bring::AtOnce {} };
        let put_off = self.put_off_until(incident, &nudge, now);
        if let Some(until) = put_off {
            // What else it waits for comes after, and is said then: nobody put it off for longer than they did.
            return Bring::Quietly { nudge, until, put_off: true };
        }
        let waits = [self.rests_until(now), nudge.not_before()];
        match waits.into_iter().flatten().filter(|until| *until > now).max() {
            Some(until) => Bring::Quietly { nudge, until, put_off: false },
            None => Bring::WhenFree { nudge },
        }
    }

    /// Whoever prompts says so first: whether the budget has this prompt, which is spent by that.
    pub fn prompt(&mut self, incident: Number, next: &Next, now: Time) -> bool {
        let free = matches!(self.bring(incident, next, now), Bring::WhenFree { .. });
        if free {
            self.prompted_at = Some(now);
        }
        free
    }

    /// The person puts a nudge off, and is told until when.
    pub fn put_off(&mut self, incident: Number, nudge: Nudge, now: Time) -> Time {
        let until = now + PUT_OFF;
        self.put_off.retain(|known| known.holds(now) && !(known.incident == incident && known.nudge == nudge));
        // In the order in which their time is up, as long as no clock is set back.
        let too_many = (self.put_off.len() + 1).saturating_sub(PUT_OFF_MAX);
        self.put_off.drain(..too_many);
        self.put_off.push(PutOff { incident, nudge, until });
        until
    }

    fn put_off_until(&self, incident: Number, nudge: &Nudge, now: Time) -> Option<Time> {
        let known = self.put_off.iter().find(|known| known.incident == incident && known.nudge == *nudge);
        known.filter(|known| known.holds(now)).map(|known| known.until)
    }

    fn rests_until(&self, now: Time) -> Option<Time> {
        self.prompted_at.filter(|at| *at <= now + AHEAD).map(|at| at + REST)
    }
}

impl PutOff {
    fn holds(&self, now: Time) -> bool {
        self.until > now && self.until <= now + PUT_OFF + AHEAD
    }
}

impl Incident {
    /// What this person should do next here, after all that they put off, and how it comes before their eyes.
    #[must_use]
    pub fn brought(&self, person: PersonId, facts: &Facts, now: Time, prompts: &Prompts) -> Option<Brought> {
        let bring = |next: Next| Brought { prompt: prompts.bring(self.number, &next, now), next };
        let all = self.steps(person, facts, now).into_iter().map(bring);
        all.min_by_key(|brought| (brought.prompt.is_put_off(), brought.next.rank(now)))
    }

    /// The step that a nudge of this person is about, if it still is there.
    #[must_use]
    pub fn nudged(&self, person: PersonId, facts: &Facts, now: Time, nudge: &Nudge) -> Option<Next> {
        self.steps(person, facts, now).into_iter().find(|next| next.nudge().as_ref() == Some(nudge))
    }
}
