//! Passkeys, and proving anew who one is: which keys somebody has, and which acts ask for a fresh proof.
//!
//! The keys themselves, like the hashes of passwords, are kept at the edge, which also holds signatures against them.

use std::sync::Arc;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::directory::{Directory, DirectoryCommand, DirectoryEvent, DirectoryRecorded};
use crate::id::{PasskeyId, PersonId, SessionId, Time};
use crate::refusal::{Code, Refusal, Remedy};
use crate::text::{Line, Text};

/// A key that somebody's device or key ring holds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Passkey {
    /// Its public name.
    pub id: PasskeyId,
    /// Whose it is.
    pub person: PersonId,
    /// What its owner calls it.
    pub label: Text,
    /// Since when.
    pub added_at: Time,
}

/// By what somebody showed who they are, as the edge has settled it.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Proof {
    /// The right password.
    Password,
    /// A signature by one of their passkeys.
    Passkey(PasskeyId),
}

/// Passkeys of one person.
const PASSKEYS_MAX: usize = 20;
/// How long a proof is fresh.
pub const PROOF_LASTS: SignedDuration = SignedDuration::from_mins(15);

impl Directory {
    /// Whether somebody can show who they are in this way.
    pub(crate) fn can_prove(&self, person: PersonId, by: Proof) -> Result<(), Refusal> {
        match by {
            Proof::Password if self.passwords.contains(&person) => Ok(()),
            Proof::Password => Err(Refusal::new(
                Code::NotThere,
                "There is no password to sign in with. Use a passkey, or ask an admin for a link.",
            )),
            Proof::Passkey(id) => {
                self.passkeys.get(&id).filter(|passkey| passkey.person == person).map(drop).ok_or_else(|| {
                    Refusal::new(Code::NotThere, "This passkey was removed here. Use another one, or your password.")
                })
            }
        }
    }

    pub(crate) fn add_passkey(
        &self,
        passkey: PasskeyId,
        person: PersonId,
        label: Line,
    ) -> Result<Vec<DirectoryEvent>, Refusal> {
        let person = self.find_member(&person.into())?;
        if self.passkeys.values().filter(|known| known.person == person).count() >= PASSKEYS_MAX {
            let sentence = format!("You have {PASSKEYS_MAX} passkeys already. Remove one that you do not use.");
            return Err(Refusal::new(Code::TooMany, sentence));
        }
        Ok(vec![DirectoryEvent::PasskeyAdded { passkey, person, label: label.into() }])
    }

    pub(crate) fn remove_passkey(&self, passkey: PasskeyId) -> Result<Vec<DirectoryEvent>, Refusal> {
        if self.passkeys.contains_key(&passkey) {
            return Ok(vec![DirectoryEvent::PasskeyRemoved { passkey }]);
        }
        Err(Refusal::new(Code::NotThere, "There is no such passkey: it was removed, or never added."))
    }

    /// All of somebody's passkeys end: whoever comes through a link may have lost what held them.
    pub(crate) fn remove_passkeys_of(&self, person: PersonId) -> impl Iterator<Item = DirectoryEvent> {
        let theirs = self.passkeys.values().filter(move |known| known.person == person);
        theirs.map(|known| DirectoryEvent::PasskeyRemoved { passkey: known.id })
    }

    pub(crate) fn prove_session(
        &self,
        now: Time,
        session: SessionId,
        by: Proof,
    ) -> Result<Vec<DirectoryEvent>, Refusal> {
        let ended = || Refusal::new(Code::NotThere, "This session has ended. Sign in again.");
        let known = self.session(session, now).ok_or_else(ended)?;
        self.can_prove(known.person, by)?;
        Ok(vec![DirectoryEvent::SessionProven { session }])
    }

    /// Whether a change gives access, takes it from another, or would outlive the session that it is asked from. A
    /// browser that was left open for a moment shall not be enough for that.
    fn asks_for_a_proof(&self, by: PersonId, command: &DirectoryCommand) -> bool {
        match command {
            DirectoryCommand::AddPerson { admin, .. } => *admin,
            DirectoryCommand::ChangePerson { admin, .. } => admin.is_some(),
            DirectoryCommand::DeactivatePerson { .. }
            | DirectoryCommand::ActivatePerson { .. }
            | DirectoryCommand::ForgetPerson { .. }
            | DirectoryCommand::Import { .. }
            | DirectoryCommand::IssueToken { .. }
            | DirectoryCommand::RevokeAllTokens {}
            | DirectoryCommand::MakeLink { .. }
            | DirectoryCommand::AddPasskey { .. }
            | DirectoryCommand::RemovePasskey { .. }
            | DirectoryCommand::SignEverybodyOut {} => true,
            // What one had oneself may always be ended.
            DirectoryCommand::RevokeToken { .. }
            | DirectoryCommand::EndSession { .. }
            | DirectoryCommand::EndSessions { .. } => self.whose(command) != Some(by),
            DirectoryCommand::SetTeam { .. }
            | DirectoryCommand::RemoveTeam { .. }
            | DirectoryCommand::SetService { .. }
            | DirectoryCommand::RemoveService { .. }
            | DirectoryCommand::SetGate { .. }
            | DirectoryCommand::MatchService { .. }
            | DirectoryCommand::SetGood { .. }
            | DirectoryCommand::PreserveService { .. }
            | DirectoryCommand::Welcome { .. }
            | DirectoryCommand::SignIn { .. }
            | DirectoryCommand::ProveSession { .. }
            | DirectoryCommand::SetReach { .. }
            | DirectoryCommand::SetPassword { .. } => false,
        }
    }

    /// Whether a session may ask for this, or has to show first who sits there.
    ///
    /// # Errors
    /// [`Code::StepUp`], with the remedy.
    pub fn proven_enough(&self, session: SessionId, command: &DirectoryCommand, now: Time) -> Result<(), Refusal> {
        let asks = |by| self.asks_for_a_proof(by, command);
        match self.sessions.get(&session) {
            Some(known) if asks(known.person) => self.freshly_proven(session, now),
            _ => Ok(()),
        }
    }

    /// The same, of what always asks for a proof and is drawn only after it: a link that lets somebody in, a challenge
    /// for a new passkey.
    ///
    /// # Errors
    /// [`Code::StepUp`], with the remedy.
    pub fn freshly_proven(&self, session: SessionId, now: Time) -> Result<(), Refusal> {
        // One that has ended opens nothing any more.
        if !self.sessions.contains_key(&session) || self.proven(session, now) { Ok(()) } else { Err(step_up()) }
    }

    /// Whether whoever sits at a session showed a moment ago who they are.
    #[must_use]
    pub fn proven(&self, session: SessionId, now: Time) -> bool {
        self.sessions.get(&session).is_some_and(|known| now.duration_since(known.proven_at) < PROOF_LASTS)
    }

    pub(crate) fn evolve_passkeys(&mut self, recorded: &DirectoryRecorded) {
        match &recorded.event {
            DirectoryEvent::PasskeyAdded { passkey, person, label } => {
                let added = Passkey { id: *passkey, person: *person, label: label.clone(), added_at: recorded.at };
                Arc::make_mut(&mut self.seals).entry(*person).or_default().extend(label.seal());
                Arc::make_mut(&mut self.passkeys).insert(*passkey, added);
            }
            DirectoryEvent::PasskeyRemoved { passkey } => {
                Arc::make_mut(&mut self.passkeys).remove(passkey);
            }
            DirectoryEvent::SessionProven { session } => {
                if let Some(known) = Arc::make_mut(&mut self.sessions).get_mut(session) {
                    known.proven_at = recorded.at;
                }
            }
            DirectoryEvent::EverybodySignedOut {} => self.passkeys = Arc::default(),
            DirectoryEvent::PersonDeactivated { person } | DirectoryEvent::PersonForgotten { person, .. } => {
                Arc::make_mut(&mut self.passkeys).retain(|_, known| known.person != *person);
            }
            _ => {}
        }
    }
}

/// How somebody is asked to show anew who they are.
#[must_use]
pub fn step_up() -> Refusal {
    let sentence = "You signed in a while ago, and this changes who gets in. Show once more that it is you, by your \
                    password or a passkey; then it is done.";
    Refusal::new(Code::StepUp, sentence).remedy(Remedy::StepUp)
}
