//! Getting in through the page: who has a password, who is signed in where, and one-time links.
//!
//! The secrets themselves (a password's hash, the digests of cookies and links) are kept at the edge, beside the
//! log. What stands here decides: a session or a link that the directory does not know (any more) opens nothing.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::directory::{Directory, DirectoryAsking, DirectoryCommand, DirectoryEvent, DirectoryRecorded};
use crate::id::{Handle, LinkId, PersonId, SessionId, Time, Who};
use crate::passkey::Proof;
use crate::refusal::{Code, Refusal};
use crate::text::Line;
use crate::token::Scope;

/// A browser that somebody signed in with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Session {
    /// Its public name.
    pub id: SessionId,
    /// Whose it is.
    pub person: PersonId,
    /// Since when.
    pub opened_at: Time,
    /// Until when.
    pub expires_at: Time,
    /// When whoever sits there last showed who they are.
    pub proven_at: Time,
}

/// A link that lets somebody set a password, once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Link {
    /// Its public name.
    pub id: LinkId,
    /// Whom it is for; nobody yet when it makes the first admin.
    pub person: Option<PersonId>,
    /// Until when.
    pub expires_at: Time,
    /// Whether it was used.
    pub used: bool,
}

/// A name that a newcomer gives.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Newcomer {
    /// What they are called in commands.
    pub handle: Handle,
    /// What they are called on screen.
    pub name: Line,
}

/// A session that is about to be opened.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NewSession {
    /// Its public name, drawn at the edge.
    pub id: SessionId,
    /// Until when.
    pub expires_at: Time,
}

/// Sessions of one person; one more ends the oldest.
const SESSIONS_MAX: usize = 50;
/// Links that are remembered; with one more the oldest are forgotten, used or not.
const LINKS_MAX: usize = 1_000;

fn link_is_no_good(why: &str) -> Refusal {
    Refusal::new(Code::NotThere, format!("{why} Ask an admin for a new link."))
}

impl Directory {
    /// Whether a session (still) lets its browser in.
    #[must_use]
    pub fn session(&self, id: SessionId, now: Time) -> Option<&Session> {
        self.sessions.get(&id).filter(|session| now < session.expires_at && self.facts.active(session.person))
    }

    /// What a session allows at the most: whoever is an admin acts as one.
    #[must_use]
    pub fn scope_of_sessions(&self, person: PersonId) -> Scope {
        if self.facts.admin(person) { Scope::Admin } else { Scope::Respond }
    }

    /// Whether some admin can get in, with a password, a passkey or a token.
    #[must_use]
    pub fn an_admin_can_get_in(&self, now: Time) -> bool {
        let administers = |person: PersonId| self.facts.admin(person) && self.facts.active(person);
        self.passwords.iter().any(|person| administers(*person))
            || self.passkeys.values().any(|passkey| administers(passkey.person))
            || self.tokens.values().any(|token| administers(token.person) && self.live(token, now))
    }

    /// Whose own way in a command is about, if it is about one that they look after themselves.
    pub(crate) fn whose(&self, command: &DirectoryCommand) -> Option<PersonId> {
        match command {
            DirectoryCommand::RevokeToken { token } => self.tokens.get(token).map(|token| token.person),
            DirectoryCommand::IssueToken { person, .. } | DirectoryCommand::EndSessions { person } => {
                self.facts.find(person).ok()
            }
            DirectoryCommand::EndSession { session } => self.sessions.get(session).map(|session| session.person),
            DirectoryCommand::Welcome { link, .. } => self.links.get(link).and_then(|link| link.person),
            DirectoryCommand::ProveSession { session, .. } => self.sessions.get(session).map(|session| session.person),
            DirectoryCommand::RemovePasskey { passkey } => self.passkeys.get(passkey).map(|passkey| passkey.person),
            DirectoryCommand::SignIn { person, .. }
            | DirectoryCommand::SetPassword { person, .. }
            | DirectoryCommand::AddPasskey { person, .. }
            | DirectoryCommand::SetReach { person, .. } => Some(*person),
            _ => None,
        }
    }

    pub(crate) fn make_link(
        &self,
        ask: DirectoryAsking,
        link: LinkId,
        person: Option<&Who>,
        expires_at: Time,
    ) -> Result<Vec<DirectoryEvent>, Refusal> {
        if expires_at <= ask.now {
            return Err(Refusal::new(Code::Invalid, "A link expires in the future."));
        }
        let person = person.map(|who| self.find_member(who)).transpose()?;
        Ok(vec![DirectoryEvent::LinkMade { link, person, expires_at }])
    }

    /// Whoever comes through a link sets a password and is signed in.
    pub(crate) fn welcome(
        &self,
        ask: DirectoryAsking,
        link: LinkId,
        newcomer: Option<Newcomer>,
        session: NewSession,
        fresh: &mut dyn FnMut() -> Uuid,
    ) -> Result<Vec<DirectoryEvent>, Refusal> {
        let known = self.links.get(&link).ok_or_else(|| link_is_no_good("This link is not known any more."))?;
        if known.used {
            return Err(link_is_no_good("This link was used already."));
        }
        if known.expires_at <= ask.now {
            return Err(link_is_no_good("This link has expired."));
        }
        let (mut events, person) = match (known.person, newcomer) {
            (Some(person), None) => (Vec::new(), self.facts.find_active(&person.into())?),
            (None, Some(_)) if self.an_admin_can_get_in(ask.now) => {
                return Err(link_is_no_good("Somebody else became the first admin meanwhile."));
            }
            (None, Some(newcomer)) => self.first_admin(newcomer, fresh)?,
            (Some(_), Some(_)) => {
                return Err(Refusal::new(Code::Invalid, "This link is for somebody who has a name already."));
            }
            (None, None) => {
                return Err(Refusal::new(Code::Invalid, "Say what you are called: a name and a handle."));
            }
        };
        events.push(DirectoryEvent::LinkUsed { link });
        // Whoever had a way in before does not keep it beside the new password.
        events.extend(self.set_password(person, None));
        events.extend(self.remove_passkeys_of(person));
        events.push(Self::opened(person, session));
        Ok(events)
    }

    /// A new admin; or one who is known and has no way in, perhaps after a restore, under the old name.
    fn first_admin(
        &self,
        Newcomer { handle, name }: Newcomer,
        fresh: &mut dyn FnMut() -> Uuid,
    ) -> Result<(Vec<DirectoryEvent>, PersonId), Refusal> {
        if let Some(known) = self.facts.by_handle(&handle).filter(|person| person.admin && person.active) {
            return Ok((Vec::new(), known.id));
        }
        let added = self.add_person(handle, name, None, true, fresh)?;
        let [DirectoryEvent::PersonAdded { person, .. }] = added[..] else {
            unreachable!("adding a person is one event")
        };
        Ok((added, person))
    }

    pub(crate) fn sign_in(
        &self,
        now: Time,
        person: PersonId,
        session: NewSession,
        by: Proof,
    ) -> Result<Vec<DirectoryEvent>, Refusal> {
        self.facts.find_active(&person.into())?;
        self.can_prove(person, by)?;
        let mut live: Vec<&Session> =
            self.sessions.values().filter(|known| known.person == person && now < known.expires_at).collect();
        live.sort_by_key(|known| (known.opened_at, known.id));
        let too_many = (live.len() + 1).saturating_sub(SESSIONS_MAX);
        let mut events: Vec<DirectoryEvent> =
            live[..too_many].iter().map(|oldest| DirectoryEvent::SessionEnded { session: oldest.id }).collect();
        events.push(Self::opened(person, session));
        Ok(events)
    }

    fn opened(person: PersonId, session: NewSession) -> DirectoryEvent {
        DirectoryEvent::SessionOpened { session: session.id, person, expires_at: session.expires_at }
    }

    pub(crate) fn end_session(&self, session: SessionId) -> Result<Vec<DirectoryEvent>, Refusal> {
        if self.sessions.contains_key(&session) {
            return Ok(vec![DirectoryEvent::SessionEnded { session }]);
        }
        Err(Refusal::new(Code::NotThere, "No such session is open: it has ended, or never was."))
    }

    /// Signs somebody out everywhere.
    pub(crate) fn end_sessions(&self, who: &Who) -> Result<Vec<DirectoryEvent>, Refusal> {
        let person = self.facts.find(who)?;
        let theirs = self.sessions.values().filter(|session| session.person == person);
        Ok(theirs.map(|session| DirectoryEvent::SessionEnded { session: session.id }).collect())
    }

    /// A new password ends every other session: who knew the old one is out.
    pub(crate) fn set_password(&self, person: PersonId, keep: Option<SessionId>) -> Vec<DirectoryEvent> {
        let others = self.sessions.values().filter(|session| session.person == person && Some(session.id) != keep);
        let ended = others.map(|session| DirectoryEvent::SessionEnded { session: session.id });
        std::iter::once(DirectoryEvent::PasswordSet { person }).chain(ended).collect()
    }

    pub(crate) fn sign_everybody_out(&self) -> Vec<DirectoryEvent> {
        let nobody =
            self.sessions.is_empty() && self.passwords.is_empty() && self.links.is_empty() && self.invites.is_empty();
        if nobody && self.passkeys.is_empty() { Vec::new() } else { vec![DirectoryEvent::EverybodySignedOut {}] }
    }

    pub(crate) fn evolve_accounts(&mut self, recorded: &DirectoryRecorded) {
        match &recorded.event {
            DirectoryEvent::PasswordSet { person } => {
                Arc::make_mut(&mut self.passwords).insert(*person);
            }
            DirectoryEvent::SessionOpened { session, person, expires_at } => {
                let sessions = Arc::make_mut(&mut self.sessions);
                sessions.retain(|_, known| recorded.at < known.expires_at);
                let (opened_at, proven_at) = (recorded.at, recorded.at);
                let (id, person, expires_at) = (*session, *person, *expires_at);
                let opened = Session { id, person, opened_at, expires_at, proven_at };
                sessions.insert(*session, opened);
            }
            DirectoryEvent::SessionEnded { session } => {
                Arc::make_mut(&mut self.sessions).remove(session);
            }
            DirectoryEvent::LinkMade { link, person, expires_at } => {
                let links = Arc::make_mut(&mut self.links);
                while links.len() >= LINKS_MAX {
                    links.pop_first(); // Their ids are in the order in which they were made.
                }
                links.insert(*link, Link { id: *link, person: *person, expires_at: *expires_at, used: false });
            }
            DirectoryEvent::LinkUsed { link } => {
                if let Some(known) = Arc::make_mut(&mut self.links).get_mut(link) {
                    known.used = true;
                }
            }
            DirectoryEvent::EverybodySignedOut {} => {
                self.passwords = Arc::default();
                self.sessions = Arc::default();
                self.links = Arc::default();
            }
            DirectoryEvent::PersonDeactivated { person } | DirectoryEvent::PersonForgotten { person, .. } => {
                Arc::make_mut(&mut self.passwords).remove(person);
                Arc::make_mut(&mut self.sessions).retain(|_, session| session.person != *person);
                Arc::make_mut(&mut self.links).retain(|_, link| link.person != Some(*person));
            }
            _ => {}
        }
    }
}
