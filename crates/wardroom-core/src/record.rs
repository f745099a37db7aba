//! An event as it stands in the log: with its circumstances, and split into a stored kind and body.

use serde::Serialize;
use serde_json::Value;

use crate::event::Event;
use crate::id::{Actor, Entry, Time};

/// An event with the circumstances under which it was recorded: an incident's, unless said otherwise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recorded<E = Event> {
    /// Its place in its stream.
    pub entry: Entry,
    /// When it was recorded.
    pub at: Time,
    /// Who did it.
    pub actor: Actor,
    /// What happened; an unknown kind is one from a newer Wardroom.
    pub event: E,
}

/// Why a stored event could not be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unreadable {
    /// A kind or a version that this Wardroom does not know: a newer one wrote it.
    #[error(
        "a newer Wardroom wrote an event of kind “{kind}” (version {version}), which this one does not know; use the newer one"
    )]
    Unknown {
        /// The stored kind.
        kind: String,
        /// The stored version.
        version: u16,
    },
    /// A known kind whose body does not fit.
    #[error("the body of an event of kind “{kind}” does not fit: {why}")]
    Malformed {
        /// The stored kind.
        kind: String,
        /// What the parser said.
        why: String,
    },
}

/// Version of the stored form, the same for every kind so far.
pub const VERSION: u16 = 1;

/// Splits any tagged event into its stored kind and body.
pub(crate) fn to_stored(event: &impl Serialize) -> (String, Value) {
    let tagged = serde_json::to_value(event).expect("events are plain data, which always serialises");
    match tagged {
        Value::Object(mut object) => match object.remove("kind") {
            Some(Value::String(kind)) => (kind, object.remove("body").unwrap_or(Value::Null)),
            _ => unreachable!("events are tagged with their kind"),
        },
        _ => unreachable!("events are objects"),
    }
}

/// Reads a stored kind and body back.
pub(crate) fn from_stored<E: serde::de::DeserializeOwned>(
    kind: &str,
    version: u16,
    body: Value,
    known: impl Fn(&str) -> bool,
) -> Result<E, Unreadable> {
    if version != VERSION || !known(kind) {
        return Err(Unreadable::Unknown { kind: kind.to_owned(), version });
    }
    let tagged = Value::Object(
        [("kind".to_owned(), Value::String(kind.to_owned())), ("body".to_owned(), body)].into_iter().collect(),
    );
    serde_json::from_value(tagged)
        .map_err(|error| Unreadable::Malformed { kind: kind.to_owned(), why: error.to_string() })
}
