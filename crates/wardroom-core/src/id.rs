//! Names of things: people and tokens by opaque ids, incidents by numbers, entries by their place in a stream.
//!
//! Events name people by [`PersonId`] only, so that a person's name can be forgotten without touching the chain.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A moment in UTC, with microseconds. The core never asks for the time; it is told.
pub type Time = jiff::Timestamp;

/// A person, opaque on purpose: names live in the directory and can be forgotten.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PersonId(pub Uuid);

/// A personal token's public name; the secret itself is never stored.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TokenId(pub Uuid);

/// A session's public name; the secret in the browser's cookie is never stored.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SessionId(pub Uuid);

/// A one-time link's public name; the secret in it is never stored.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LinkId(pub Uuid);

/// A passkey's public name; the key itself is kept at the edge.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PasskeyId(pub Uuid);

/// A guest link's public name; the secret in it is never stored.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct InviteId(pub Uuid);

/// The number people call an incident by: 1, 2, 3, … in order of opening. There is no incident 0: stream 0 of the log
/// is the directory, and a command to it must not be sayable.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = u32, minimum = 1))]
pub struct Number(NonZeroU32);

impl Number {
    /// Of the first incident.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// The incident of this number; `None` for 0, which is none.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// As a plain number, from 1 on.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

impl TryFrom<u32> for Number {
    type Error = BadName;
    fn try_from(given: u32) -> Result<Self, BadName> {
        Self::new(given).ok_or_else(|| BadName("incidents are numbered from 1".to_owned()))
    }
}

impl From<Number> for u32 {
    fn from(number: Number) -> u32 {
        number.get()
    }
}

impl FromStr for Number {
    type Err = BadName;
    fn from_str(given: &str) -> Result<Self, BadName> {
        let number = given.parse::<u32>().map_err(|_| {
            BadName(format!(
                "an incident goes by its number, such as 465, and incidents are numbered from 1 to {}",
                u32::MAX
            ))
        })?;
        number.try_into()
    }
}

/// The place of an event in its incident's stream, counted from 1; 0 stands before the first. One that is read from
/// outside is at most [`Entry::LAST`], because no database counts further.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = i64, minimum = 0))]
pub struct Entry(pub u64);

impl Entry {
    /// The last one that a stream can have.
    pub const LAST: Self = Self(i64::MAX.unsigned_abs());
}

impl TryFrom<u64> for Entry {
    type Error = BadName;
    fn try_from(given: u64) -> Result<Self, BadName> {
        if given > Self::LAST.0 {
            return Err(BadName(format!(
                "no incident has an entry {given}; the last that it could have is {}",
                Self::LAST
            )));
        }
        Ok(Self(given))
    }
}

impl From<Entry> for u64 {
    fn from(entry: Entry) -> u64 {
        entry.0
    }
}

impl FromStr for Entry {
    type Err = BadName;
    fn from_str(given: &str) -> Result<Self, BadName> {
        let entry = given.parse::<u64>().map_err(|_| {
            BadName("an entry goes by its number in its incident, such as 12, as the timeline shows it".to_owned())
        })?;
        entry.try_into()
    }
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for PasskeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a name was not accepted, in a sentence.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadName(pub String);

/// Checks a slug: 1 to `max` characters of `a-z`, `0-9` and the marks given, starting with a letter or a digit.
fn slug(what: &str, given: &str, marks: &str, max: usize) -> Result<(), BadName> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || marks.contains(c);
    let starts = given.chars().next().is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if starts && given.len() <= max && given.chars().all(fits) {
        return Ok(());
    }
    let shown: String = given.chars().take(40).map(|c| if c.is_control() { '?' } else { c }).collect();
    Err(BadName(format!(
        "{what} is 1 to {max} lower-case letters, digits or any of {marks:?}, and starts with a letter or digit; {shown:?} is not"
    )))
}

macro_rules! slug_name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $marks:literal, $max:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = String))]
        pub struct $name(String);

        impl $name {
            /// The name as written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadName;
            fn try_from(given: String) -> Result<Self, BadName> {
                slug($what, &given, $marks, $max)?;
                Ok(Self(given))
            }
        }

        impl FromStr for $name {
            type Err = BadName;
            fn from_str(given: &str) -> Result<Self, BadName> {
                Self::try_from(given.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

slug_name!(
    /// What a person is called on the command line and in mentions, such as `marty`.
    Handle, "a handle", "._-", 32
);
slug_name!(
    /// A team of the directory, such as `search-sre`.
    TeamName, "a team's name", "._-", 64
);
slug_name!(
    /// A service of the directory, such as `search` or `eu/frontend`.
    ServiceName, "a service's name", "._-/", 100
);

/// A person as a command names one: by handle, or by id.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Who {
    /// By handle, as people do.
    Handle(Handle),
    /// By id, as programs do.
    Id(PersonId),
}

impl TryFrom<String> for Who {
    type Error = BadName;
    fn try_from(given: String) -> Result<Self, BadName> {
        if given.len() == 36
            && let Ok(id) = Uuid::parse_str(&given)
        {
            return Ok(Self::Id(PersonId(id)));
        }
        Handle::try_from(given.strip_prefix('@').map_or(given.clone(), str::to_owned)).map(Self::Handle)
    }
}

impl FromStr for Who {
    type Err = BadName;
    fn from_str(given: &str) -> Result<Self, BadName> {
        Self::try_from(given.to_owned())
    }
}

impl From<Who> for String {
    fn from(who: Who) -> String {
        who.to_string()
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handle(handle) => handle.fmt(f),
            Self::Id(id) => id.fmt(f),
        }
    }
}

impl From<PersonId> for Who {
    fn from(id: PersonId) -> Self {
        Self::Id(id)
    }
}

/// Whoever acts: a person, the clock, someone at the machine itself, another system that tells of something, or Wardroom
/// by itself.
///
/// What an actor may do is decided by the nouns; who an actor *is* was settled at the edge.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Actor {
    /// A signed-in person.
    Person(PersonId),
    /// Time passing: deadlines and absence.
    Clock,
    /// Somebody with a shell on the machine: adds the first admin, restores a backup.
    Console,
    /// Another system, which tells of changes.
    Source,
    /// Wardroom by itself: keeps what is worth keeping.
    Wardroom,
}

impl Actor {
    /// The person behind it, if a person acts.
    #[must_use]
    pub fn person(self) -> Option<PersonId> {
        match self {
            Self::Person(person) => Some(person),
            Self::Clock | Self::Console | Self::Source | Self::Wardroom => None,
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(person) => person.fmt(f),
            Self::Clock => f.write_str("clock"),
            Self::Console => f.write_str("console"),
            Self::Source => f.write_str("source"),
            Self::Wardroom => f.write_str("wardroom"),
        }
    }
}

impl FromStr for Actor {
    type Err = BadName;
    fn from_str(given: &str) -> Result<Self, BadName> {
        match given {
            "clock" => Ok(Self::Clock),
            "console" => Ok(Self::Console),
            "source" => Ok(Self::Source),
            "wardroom" => Ok(Self::Wardroom),
            id => Uuid::parse_str(id).map(|id| Self::Person(PersonId(id))).map_err(|_| {
                BadName("an actor is a person's id, \"clock\", \"console\", \"source\" or \"wardroom\"".to_owned())
            }),
        }
    }
}

impl TryFrom<String> for Actor {
    type Error = BadName;
    fn try_from(given: String) -> Result<Self, BadName> {
        given.parse()
    }
}

impl From<Actor> for String {
    fn from(actor: Actor) -> String {
        actor.to_string()
    }
}
