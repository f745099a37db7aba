//! What happened in the directory, as it is stored for ever.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::example::Part;
use crate::id::{InviteId, LinkId, Number, PasskeyId, PersonId, ServiceName, SessionId, TeamName, Time, TokenId};
use crate::incident::Severity;
use crate::matching::Matching;
use crate::preserve::Worth;
use crate::reach::{Channel, QuietHours};
use crate::record::{Recorded, Unreadable, from_stored, to_stored};
use crate::seal::Seal;
use crate::text::Text;
use crate::token::{Digest, Scope};

/// Something that happened in the directory, as it is stored for ever.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", content = "body", rename_all = "snake_case")]
#[allow(missing_docs)] // The fields say what they are.
pub enum DirectoryEvent {
    PersonAdded {
        person: PersonId,
        handle: Text,
        name: Text,
        email: Option<Text>,
        admin: bool,
    },
    /// Somebody who came by an invite, bound to one incident.
    GuestAdded {
        person: PersonId,
        handle: Text,
        name: Text,
        incident: Number,
    },
    /// Somebody of the example incident's cast.
    ScriptedAdded {
        person: PersonId,
        handle: Text,
        name: Text,
        part: Part,
    },
    PersonChanged {
        person: PersonId,
        handle: Option<Text>,
        name: Option<Text>,
        email: Option<Text>,
        admin: Option<bool>,
    },
    PersonDeactivated {
        person: PersonId,
    },
    PersonActivated {
        person: PersonId,
    },
    /// The words behind these seals are gone for ever.
    PersonForgotten {
        person: PersonId,
        seals: Vec<Seal>,
    },
    TeamSet {
        team: TeamName,
        members: BTreeSet<PersonId>,
    },
    TeamRemoved {
        team: TeamName,
    },
    ServiceSet {
        service: ServiceName,
        owner: Option<TeamName>,
        depends_on: BTreeSet<ServiceName>,
    },
    ServiceRemoved {
        service: ServiceName,
    },
    /// At which severities its gate stops people.
    ServiceGateSet {
        service: ServiceName,
        enforced: BTreeSet<Severity>,
    },
    /// Which objects of a cluster belong to it.
    ServiceMatched {
        service: ServiceName,
        matching: Option<Matching>,
    },
    /// The version of it that is good.
    ServiceGoodSet {
        service: ServiceName,
        version: Text,
    },
    /// What of it is worth keeping.
    ServicePreserveSet {
        service: ServiceName,
        worth: Vec<Worth>,
    },
    TokenIssued {
        token: TokenId,
        person: PersonId,
        scope: Scope,
        label: Text,
        expires_at: Option<Time>,
        digest: Digest,
    },
    TokenRevoked {
        token: TokenId,
    },
    AllTokensRevoked {},
    /// A link that lets this person set a password, or, without one, makes the first admin.
    LinkMade {
        link: LinkId,
        person: Option<PersonId>,
        expires_at: Time,
    },
    LinkUsed {
        link: LinkId,
    },
    PasswordSet {
        person: PersonId,
    },
    SessionOpened {
        session: SessionId,
        person: PersonId,
        expires_at: Time,
    },
    SessionEnded {
        session: SessionId,
    },
    /// Somebody showed anew, from an open session, who they are.
    SessionProven {
        session: SessionId,
    },
    PasskeyAdded {
        passkey: PasskeyId,
        person: PersonId,
        label: Text,
    },
    PasskeyRemoved {
        passkey: PasskeyId,
    },
    /// A link that lets guests into an incident, where the invite itself stands.
    InviteMade {
        invite: InviteId,
        incident: Number,
        digest: Digest,
        expires_at: Time,
    },
    /// How somebody is told from now on; with which keys and to which addresses stands beside the log.
    ReachSet {
        person: PersonId,
        channels: BTreeSet<Channel>,
        quiet: Option<QuietHours>,
    },
    /// Passwords, passkeys, sessions and links are all gone: they are in no backup.
    EverybodySignedOut {},
}

/// A directory event with the circumstances under which it was recorded.
pub type DirectoryRecorded = Recorded<DirectoryEvent>;

impl DirectoryEvent {
    /// Every kind, as stored.
    pub const KINDS: &[&str] = &[
        "person_added",
        "guest_added",
        "scripted_added",
        "person_changed",
        "person_deactivated",
        "person_activated",
        "person_forgotten",
        "team_set",
        "team_removed",
        "service_set",
        "service_removed",
        "service_gate_set",
        "service_matched",
        "service_good_set",
        "service_preserve_set",
        "token_issued",
        "token_revoked",
        "all_tokens_revoked",
        "link_made",
        "link_used",
        "password_set",
        "session_opened",
        "session_ended",
        "session_proven",
        "passkey_added",
        "passkey_removed",
        "invite_made",
        "reach_set",
        "everybody_signed_out",
    ];

    /// The stored kind and body; texts in the body are in their unsealed form.
    #[must_use]
    pub fn to_stored(&self) -> (String, Value) {
        to_stored(self)
    }

    /// Reads a stored event back.
    ///
    /// # Errors
    /// [`Unreadable`], as for incidents.
    pub fn from_stored(kind: &str, version: u16, body: Value) -> Result<Self, Unreadable> {
        from_stored(kind, version, body, |kind| Self::KINDS.contains(&kind))
    }
}
