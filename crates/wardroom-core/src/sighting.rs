//! Sightings: changes of which another system tells, whoever made them (freelancing, seen after the fact).
//!
//! A pipeline, a forge or a cluster tells what it changed. What was seen says neither that operations knew of it nor that
//! its service differs by it: it stands beside the timeline, from an hour before impact began, because what broke it is
//! often there. One that was made while the incident held the service's gate, by somebody who is not of operations and has
//! no permission, is *uncoordinated*: commander and operations are told, and nothing is closed before operations took it
//! into the ledger or dismissed it. They may ask whoever made it in.
//!
//! Read on in `deciding.rs` (which are heard, and who may do what with them), `known.rs` (which change of the ledger it is),
//! `judging.rs` (and which it turns out to be) and `folding.rs`.

mod deciding;
mod folding;
mod judging;
mod known;

use jiff::ToSpan;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::id::{Entry, PersonId, ServiceName, Time};
use crate::text::{Line, Prose, Text};

/// How long before impact began a change may have been made and is still heard of, in minutes.
pub const BEFORE_MINUTES: i64 = 60;
/// So many sightings one incident holds: they are told by machines, and the state has them all.
pub const SIGHTINGS_MAX: u32 = 500;
/// So many of them are of one teller at the most, so that others are heard beside one that goes round in a loop.
pub const TELLER_MAX: u32 = SIGHTINGS_MAX / 2;
/// So many are of one teller at the very most, with those that somebody is to sort, of which it is heard beyond that.
pub const TELLER_SORTED_MAX: u32 = TELLER_MAX + TELLER_MAX / 2;

/// How far a change was when it was told of, in the order in which that goes.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Stage {
    /// It is being made.
    Begun,
    /// It did not end well. What it left behind is not known.
    Failed,
    /// It was made.
    Done,
}

impl Stage {
    /// As people say it, after "is".
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Begun => "under way",
            Self::Failed => "failed",
            Self::Done => "done",
        }
    }
}

/// A change to one service, as another system told of it and the edge understood it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    /// The same for as long as it is the same change of the same service, however often it is told of.
    pub key: Uuid,
    /// What was changed.
    pub service: ServiceName,
    /// What was done.
    pub what: Line,
    /// By whom, as the other system calls them.
    pub who: Option<Line>,
    /// Who that is, where the directory knows them.
    pub person: Option<PersonId>,
    /// Whose token told of it, where it was told with one.
    pub told_by: Option<PersonId>,
    /// Who tells of it, as the other system calls itself.
    pub source: Line,
    /// Where more of it stands: an https link.
    pub link: Option<Prose>,
    /// Where it was done, such as `production`.
    pub environment: Option<Line>,
    /// How far it is.
    pub stage: Stage,
    /// When it was made, as far as anybody says.
    pub at: Time,
    /// Whether it is the last that is heard of whoever told it, who told of [`TELLER_MAX`].
    pub share_used: bool,
}

/// A change that was seen, as an event tells of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NewSighting {
    /// Its number in this incident, counted from 1.
    pub sighting: u32,
    /// The same for as long as it is the same change.
    pub key: Uuid,
    /// What was changed.
    pub service: ServiceName,
    /// What was done.
    pub what: Text,
    /// By whom, as the other system calls them.
    pub who: Option<Text>,
    /// Who that is, where the directory knew them.
    pub person: Option<PersonId>,
    /// Whose token told of it, where it was told with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_by: Option<PersonId>,
    /// Who told of it.
    pub source: Text,
    /// Where more of it stands: an https link.
    pub link: Option<Text>,
    /// Where it was done.
    pub environment: Option<Text>,
    /// How far it was.
    pub stage: Stage,
    /// When it was made.
    pub at: Time,
    /// Whether it was made by somebody outside operations, while only they change this service.
    pub uncoordinated: bool,
    /// The change of the ledger that it is, as far as that could be told.
    pub change: Option<u32>,
    /// Whether no more is kept here of what its teller tells: it was the last of [`TELLER_MAX`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub share_used: bool,
}

impl NewSighting {
    /// Where it was done, unless what was done says so already, as “deploy v12 to production” does.
    #[must_use]
    pub fn place(&self) -> Option<&str> {
        let place = self.environment.as_ref()?.words()?;
        let said = self.what.words().is_some_and(|what| says(what, place));
        (!said).then_some(place)
    }
}

/// Whether these words are among those, as a whole: what was done may say where that was.
#[must_use]
pub fn says(words: &str, of: &str) -> bool {
    let parted = |letter: Option<char>| letter.is_none_or(|letter| !letter.is_alphanumeric());
    words.match_indices(of).any(|(at, _)| {
        let (before, after) = (words.get(..at).unwrap_or_default(), words.get(at + of.len()..).unwrap_or_default());
        parted(before.chars().next_back()) && parted(after.chars().next())
    })
}

/// A change that was seen, as it stands now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Sighting {
    /// What was seen.
    pub seen: NewSighting,
    /// The entry that told of it.
    pub entry: Entry,
    /// Who took it in or dismissed it, and when.
    pub sorted: Option<(PersonId, Time)>,
    /// Whether somebody asked its maker in.
    pub asked_in: Option<AskedIn>,
}

/// Somebody was asked to come and say what they changed.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AskedIn {
    /// The entry that did.
    pub entry: Entry,
    /// Who did.
    pub by: PersonId,
    /// When.
    pub at: Time,
}

/// What can be done with a sighting, for surfaces that show what their reader may do there.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum SightingAct {
    /// Taking it into the ledger of operations.
    TakeIn,
    /// Saying that it has nothing to do with this incident.
    Dismiss,
    /// Asking whoever made it to come.
    AskIn,
}

impl SightingAct {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::TakeIn, Self::Dismiss, Self::AskIn];
}

/// So many minutes later, or earlier. A log can tell of times at the very ends of what a time can be.
fn minutes(at: Time, minutes: i64) -> Time {
    at.checked_add(minutes.minutes()).unwrap_or(if minutes < 0 { Time::MIN } else { Time::MAX })
}

impl Sighting {
    /// Whether operations still have to sort it.
    #[must_use]
    pub fn is_unsorted(&self) -> bool {
        self.seen.uncoordinated && self.sorted.is_none()
    }

    /// As which change it was taken in, if it was: what was only taken for one is nobody's word.
    pub(crate) fn taken_in_as(&self) -> Option<u32> {
        self.seen.change.filter(|_| self.sorted.is_some())
    }
}
