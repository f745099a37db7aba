//! How Wardroom says no: a stable code, a sentence for a tired person, who could, and the remedy as data.

use serde::{Deserialize, Serialize};

use std::collections::BTreeSet;

use crate::id::{Entry, Number, PersonId, ServiceName};
use crate::role::RolePath;

/// Why a command was refused. The names are part of the API and never change their meaning.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Code {
    /// No such incident, or none that the asker may know of.
    NoSuchIncident,
    /// The asker's account is not active.
    NotActive,
    /// The asker has not joined.
    NotAResponder,
    /// The act belongs to somebody else; see `who_could`.
    NotYours,
    /// The act is for admins.
    AdminsOnly,
    /// The session has to show anew who sits there.
    StepUp,
    /// The act is for people of the house.
    NotForGuests,
    /// The guest link is not good any more.
    InviteEnded,
    /// Nobody is called so.
    UnknownPerson,
    /// The person named is not active.
    Inactive,
    /// No team is called so.
    UnknownTeam,
    /// No service is called so (where it has to exist).
    UnknownService,
    /// There is no such role here.
    UnknownRole,
    /// What the command refers to is not there (any more).
    NotThere,
    /// It is like that already.
    AlreadySo,
    /// Somebody else said anew what this would replace, after what the asker has read.
    ChangedMeanwhile,
    /// The name or number is taken by another.
    Taken,
    /// The phase does not allow it.
    WrongPhase,
    /// The kind does not allow it.
    WrongKind,
    /// An offer of this role is pending.
    OfferPending,
    /// The offer has lapsed.
    OfferLapsed,
    /// The offer is for somebody else.
    NotOfferedToYou,
    /// Command is taken briefed: say up to which entry, or by voice.
    BriefingNeeded,
    /// Something that matters happened after the entry named; refused once.
    BriefingStale,
    /// The entry named does not exist yet.
    FromTheFuture,
    /// The commander is not absent.
    CommanderIsHere,
    /// Somebody else has to confirm.
    NeedsAnother,
    /// The commander cannot go before command is taken by another.
    CommandMustBeHanded,
    /// Something is not finished that has to be.
    Unfinished,
    /// Exit criteria are open: they are met or waived before it is resolved or closed.
    CriteriaOpen,
    /// Services differ from normal: each change is reverted, adopted or handed to a bug before it is closed.
    DiffersFromNormal,
    /// There are too many of these.
    TooMany,
    /// The incident is read-only on this node.
    ReadOnly,
    /// The command's form is right and its content is not.
    Invalid,
}

/// What the asker can do instead, as data for a button or a hint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Remedy {
    /// Say "I'm here".
    Join,
    /// Ask for this role.
    Ask {
        /// Which.
        role: RolePath,
    },
    /// Offer this role to somebody.
    Offer {
        /// Which.
        role: RolePath,
    },
    /// Take the offer that is there.
    Take {
        /// Of which role.
        role: RolePath,
    },
    /// Withdraw the pending offer first.
    Withdraw {
        /// Of which role.
        role: RolePath,
    },
    /// Declare the investigation an incident.
    Declare,
    /// Reopen it first.
    Reopen,
    /// Set this phase first.
    Phase {
        /// Which.
        phase: crate::incident::Phase,
    },
    /// Look at another incident.
    See {
        /// Which.
        incident: Number,
    },
    /// Read the briefing again, up to here.
    Brief {
        /// The newest entry.
        to: Entry,
    },
    /// Assume command.
    Assume,
    /// Confirm that somebody else assumes command.
    Confirm,
    /// Let this person see the restricted incident first.
    Invite {
        /// Whom.
        person: PersonId,
    },
    /// Restrict this incident first.
    Restrict,
    /// Take this role back from its holder first.
    Release {
        /// Which.
        role: RolePath,
    },
    /// Release this member first.
    ReleaseMember {
        /// Of which role.
        role: RolePath,
        /// Whom.
        person: PersonId,
    },
    /// Close this role first.
    Close {
        /// Which.
        role: RolePath,
    },
    /// Meet these exit criteria first, or waive them with a reason.
    Settle {
        /// The open ones, by number.
        criteria: Vec<u32>,
    },
    /// Revert these changes first, adopt them for good, or hand them to a bug.
    SettleChanges {
        /// Those that differ or are only announced, by number.
        changes: Vec<u32>,
    },
    /// Ask operations to let you change these services for a while.
    AskPermission {
        /// Which.
        services: BTreeSet<ServiceName>,
    },
    /// Say the same again and name this service, if it is one: nobody here knows it.
    NameService {
        /// Which.
        service: ServiceName,
    },
    /// Record the change anew, as one that happened.
    RecordChange,
    /// Read what stands there now, and if it is to be replaced all the same, name this entry.
    Replace {
        /// The entry that said it.
        entry: Entry,
    },
    /// Write a note of your own.
    Note,
    /// Ask an admin.
    AskAdmin,
    /// Show by a password or a passkey who you are, and ask again.
    StepUp,
}

impl Remedy {
    /// Whom it is about, so that an edge can name them.
    #[must_use]
    pub fn person(&self) -> Option<PersonId> {
        match self {
            Self::Invite { person } | Self::ReleaseMember { person, .. } => Some(*person),
            _ => None,
        }
    }
}

/// A refusal: nothing was recorded, and this is why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{sentence}")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Refusal {
    /// The stable name of the reason.
    pub code: Code,
    /// What was wrong and who or what can help, in words.
    pub sentence: String,
    /// Who could do it, if anybody can.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub who_could: Vec<PersonId>,
    /// What the asker can do instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<Remedy>,
    /// The entries that the asker has not seen yet, for [`Code::BriefingStale`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unseen: Vec<Entry>,
}

impl Refusal {
    /// A refusal with nothing but its sentence.
    pub fn new(code: Code, sentence: impl Into<String>) -> Self {
        Self { code, sentence: sentence.into(), who_could: Vec::new(), remedy: None, unseen: Vec::new() }
    }

    /// Adds what the asker can do instead.
    #[must_use]
    pub fn remedy(self, remedy: Remedy) -> Self {
        Self { remedy: Some(remedy), ..self }
    }

    /// Adds who could do it.
    #[must_use]
    pub fn who_could(self, who_could: Vec<PersonId>) -> Self {
        Self { who_could, ..self }
    }

    /// An incident that is not there, and one that the asker may not know of, read the same.
    #[must_use]
    pub fn no_such_incident(number: Number) -> Self {
        Self::new(Code::NoSuchIncident, format!("There is no incident {number} that you can see."))
    }
}
