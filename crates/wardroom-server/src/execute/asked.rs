//! What the one place that appends is asked, and what it answers.

use sha2::{Digest, Sha256};
use uuid::Uuid;
use wardroom_core::command::{Command, Opening, Tick};
use wardroom_core::directory::DirectoryCommand;
use wardroom_core::gate::Passing;
use wardroom_core::id::{Actor, Number, Time};
use wardroom_core::preserve::Preserving;
use wardroom_core::refusal::Refusal;
use wardroom_core::sighting::{Seen, Stage};

use crate::log::{LogError, Span};
use crate::streams::DIRECTORY;

/// What somebody wants.
#[derive(Clone, Debug)]
pub enum Order {
    /// Open an incident.
    Open(Opening),
    /// Begin the example incident, for whoever asks.
    Example,
    /// Something in an incident.
    Incident(Number, Command),
    /// Time has passed for an incident.
    Tick(Number, Tick),
    /// Something comes through the gate of each of these incidents: recorded in all of them, or in none.
    Pass(Vec<(Number, Passing)>),
    /// Another system tells an incident of a change.
    See(Number, Box<Seen>),
    /// Another system tells an incident how far a change is that it knows by this key, and when it was made.
    SeeGoOn(Number, Uuid, Stage, Time),
    /// Wardroom tells an incident what it kept by itself, or could not.
    Preserve(Number, Preserving),
    /// Something in the directory.
    Directory(DirectoryCommand),
}

impl Order {
    /// The incidents that it is decided on.
    pub(super) fn incidents(&self) -> Vec<Number> {
        let both = match self {
            Self::Pass(passings) => return passings.iter().map(|(number, _)| *number).collect(),
            Self::Incident(number, command) => [Some(*number), command.other_incident()],
            Self::Tick(number, _) | Self::See(number, _) | Self::SeeGoOn(number, ..) | Self::Preserve(number, _) => {
                [Some(*number), None]
            }
            Self::Open(_) | Self::Example | Self::Directory(_) => [None, None],
        };
        both.into_iter().flatten().collect()
    }
}

/// An order with who wants it and the id that it is remembered by.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Drawn by whoever asks, so that a retry is recognised.
    pub request: Uuid,
    /// Who asks, as the edge has settled it.
    pub actor: Actor,
    /// What they want.
    pub order: Order,
}

/// An accepted order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Done {
    /// What it did: the directory, where an incident's decision changed it too, then the stream that was asked.
    pub spans: Vec<Span>,
    /// Set when what was recorded is that the asker was held back: the answer is this refusal.
    pub held_back: Option<Refusal>,
}

impl Done {
    /// What it did in the incident that was asked.
    #[must_use]
    pub fn in_incident(&self) -> Option<&Span> {
        self.spans.iter().find(|span| span.stream != DIRECTORY)
    }
}

/// Why an order was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    /// The rules refuse it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The request id was used for something else.
    #[error("this request id was used for another command")]
    RequestReused,
    /// Too many commands wait, or other nodes were always faster.
    #[error("too much is going on; try again in a moment")]
    Busy,
    /// Deciding it, or something beside it, broke off: a mistake of Wardroom's. Whether it was recorded is not known.
    #[error("deciding it broke off, which is a mistake in Wardroom; whether it was recorded is not known")]
    BrokeOff,
    /// The store could not. Nothing was recorded.
    #[error(transparent)]
    Store(#[from] LogError),
}

/// What was asked, as the same bytes whenever it is the same.
pub(super) fn digest(order: &Order) -> [u8; 32] {
    let told = match order {
        Order::Open(opening) => serde_json::to_vec(&("open", opening)),
        Order::Example => serde_json::to_vec(&["example"]),
        // What is made at the edge does not serialise, like much of what changes the directory.
        Order::Incident(number, command) => serde_json::to_vec(&("incident", number, command))
            .or_else(|_| serde_json::to_vec(&("incident", number, format!("{command:?}")))),
        Order::Tick(number, tick) => serde_json::to_vec(&("tick", number, format!("{tick:?}"))),
        Order::Pass(passings) => serde_json::to_vec(&("pass", format!("{passings:?}"))),
        Order::See(number, seen) => serde_json::to_vec(&("see", number, format!("{seen:?}"))),
        Order::SeeGoOn(number, key, stage, at) => serde_json::to_vec(&("see_go_on", number, key, stage, at)),
        Order::Preserve(number, told) => serde_json::to_vec(&("preserve", number, format!("{told:?}"))),
        // Some of these do not serialise, because nobody may send them; their debug form says all that they say.
        Order::Directory(command) => serde_json::to_vec(&("directory", format!("{command:?}"))),
    };
    Sha256::digest(told.expect("commands are plain data")).into()
}
