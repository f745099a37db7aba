//! Names of things: people and tokens by opaque ids, incidents by numbers, entries by their place in a stream.
//!
//! Events name people by [`PersonId`] only, so that a person's name can be forgotten without touching the chain.

use std::fmt;
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

/// A guest link's public name; the secret in it is never stored.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct InviteId(pub Uuid);

/// The number people call an incident by: 1, 2, 3, … in order of opening.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Number(pub u32);

/// The place of an event in its incident's stream, counted from 1; 0 stands before the first.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Entry(pub u64);

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

/// Whoever acts: a person, the clock, or someone at the machine itself.
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
}

impl Actor {
    /// The person behind it, if a person acts.
    #[must_use]
    pub fn person(self) -> Option<PersonId> {
        match self {
            Self::Person(person) => Some(person),
            Self::Clock | Self::Console => None,
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(person) => person.fmt(f),
            Self::Clock => f.write_str("clock"),
            Self::Console => f.write_str("console"),
        }
    }
}

impl FromStr for Actor {
    type Err = BadName;
    fn from_str(given: &str) -> Result<Self, BadName> {
        match given {
            "clock" => Ok(Self::Clock),
            "console" => Ok(Self::Console),
            id => Uuid::parse_str(id)
                .map(|id| Self::Person(PersonId(id)))
                .map_err(|_| BadName("an actor is a person's id, \"clock\" or \"console\"".to_owned())),
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
