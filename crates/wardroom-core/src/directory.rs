//! The directory: people, teams, services, tokens and accounts as an audited stream of the same log.
//!
//! [`Directory::decide`] and [`Directory::evolve`] follow the same shape as the incident's. What deciding
//! about incidents needs of it is [`Facts`]; who is asking is settled at the edge from its tokens.

mod event;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::account::{Link, NewSession, Newcomer, Session};
use crate::facts::Facts;
use crate::guest::Door;
use crate::id::{
    Actor, Entry, Handle, InviteId, LinkId, PasskeyId, PersonId, ServiceName, SessionId, TeamName, Time, TokenId, Who,
};
use crate::incident::Severity;
use crate::matching::Matching;
use crate::passkey::{Passkey, Proof};
use crate::person::Email;
use crate::preserve::Template;
use crate::reach::Reach;
use crate::record::Unreadable;
use crate::refusal::{Code, Refusal};
use crate::roster::Roster;
use crate::seal::Seal;
use crate::text::Line;
use crate::token::{Digest, Scope, Token, Tokens};

pub use event::{DirectoryEvent, DirectoryRecorded};

/// A change to the directory that somebody wants.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[allow(missing_docs)] // The fields say what they are; each command says what it does.
pub enum DirectoryCommand {
    AddPerson {
        handle: Handle,
        name: Line,
        email: Option<Email>,
        #[serde(default)]
        admin: bool,
    },
    /// Whatever is left out stays.
    ChangePerson {
        person: Who,
        handle: Option<Handle>,
        name: Option<Line>,
        email: Option<Email>,
        admin: Option<bool>,
    },
    /// Ends the access, not the tenure: roles stay until they are assumed or taken back.
    DeactivatePerson {
        person: Who,
    },
    ActivatePerson {
        person: Who,
    },
    /// Takes a person's name, handle and address out for ever, and deactivates them.
    ForgetPerson {
        person: Who,
    },
    /// Adds a team or replaces its members.
    SetTeam {
        team: TeamName,
        members: Vec<Who>,
    },
    RemoveTeam {
        team: TeamName,
    },
    /// Adds a service or replaces what is known of it.
    SetService {
        service: ServiceName,
        owner: Option<TeamName>,
        #[serde(default)]
        depends_on: BTreeSet<ServiceName>,
    },
    RemoveService {
        service: ServiceName,
    },
    /// At which severities a service's gate stops people; at none it only observes.
    SetGate {
        service: ServiceName,
        enforce: BTreeSet<Severity>,
    },
    /// Which objects of a cluster belong to a service; none takes it back.
    MatchService {
        service: ServiceName,
        matching: Option<Matching>,
    },
    /// Which version of a service is good: its owners say so, and may go back to it during an incident.
    SetGood {
        service: ServiceName,
        version: Line,
    },
    /// What is worth keeping when something is wrong with a service, at most ten things; none takes all of it back.
    PreserveService {
        service: ServiceName,
        keep: Vec<Template>,
    },
    /// Adds and changes whatever a roster names; what it does not name stays.
    Import {
        roster: Roster,
    },
    RevokeToken {
        token: TokenId,
    },
    /// Signs a person out everywhere; their tokens stay.
    EndSessions {
        person: Who,
    },
    /// Issued at the edge, which drew the secret and passes on only its digest.
    #[serde(skip)]
    IssueToken {
        token: TokenId,
        person: Who,
        scope: Scope,
        label: Line,
        expires_at: Option<Time>,
        digest: Digest,
    },
    /// After restoring a backup: what was revoked since then must not live again.
    #[serde(skip)]
    RevokeAllTokens {},
    /// Made at the edge, which drew the secret. Without a person it makes the first admin.
    #[serde(skip)]
    MakeLink {
        link: LinkId,
        person: Option<Who>,
        expires_at: Time,
    },
    /// Somebody came through a link and chose a password, which the edge keeps.
    #[serde(skip)]
    Welcome {
        link: LinkId,
        newcomer: Option<Newcomer>,
        session: NewSession,
    },
    /// Somebody gave the right password, as the edge has settled it.
    #[serde(skip)]
    SignIn {
        person: PersonId,
        session: NewSession,
        by: Proof,
    },
    /// The same, from a session that is open: it has been proven anew who sits there.
    #[serde(skip)]
    ProveSession {
        session: SessionId,
        by: Proof,
    },
    /// The edge keeps its key.
    #[serde(skip)]
    AddPasskey {
        passkey: PasskeyId,
        person: PersonId,
        label: Line,
    },
    #[serde(skip)]
    RemovePasskey {
        passkey: PasskeyId,
    },
    #[serde(skip)]
    EndSession {
        session: SessionId,
    },
    /// The edge keeps it; every session but this one ends.
    #[serde(skip)]
    SetPassword {
        person: PersonId,
        keep: Option<SessionId>,
    },
    /// How somebody wants to be told, by themselves; the edge knows the zone, and keeps keys and addresses.
    #[serde(skip)]
    SetReach {
        person: PersonId,
        reach: Reach,
    },
    /// After restoring a backup, which holds no password, passkey, session or link.
    #[serde(skip)]
    SignEverybodyOut {},
}

/// Everything folded from the directory's stream. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Directory {
    /// People, teams and services.
    pub facts: Facts,
    /// Tokens that were issued and not revoked.
    pub tokens: std::sync::Arc<Tokens>,
    /// Who has a password.
    #[serde(default)]
    pub passwords: std::sync::Arc<BTreeSet<PersonId>>,
    /// Sessions that were opened and not ended.
    #[serde(default)]
    pub sessions: std::sync::Arc<BTreeMap<SessionId, Session>>,
    /// Passkeys that were added and not removed.
    #[serde(default)]
    pub passkeys: std::sync::Arc<BTreeMap<PasskeyId, Passkey>>,
    /// One-time links, used ones too, so that they can be told so.
    #[serde(default)]
    pub links: std::sync::Arc<BTreeMap<LinkId, Link>>,
    /// Where the secrets of guest links lead.
    #[serde(default)]
    pub invites: std::sync::Arc<BTreeMap<InviteId, Door>>,
    /// How people have chosen to be told.
    #[serde(default)]
    pub reach: std::sync::Arc<BTreeMap<PersonId, Reach>>,
    /// Every seal of a person's words, past ones too, so that forgetting reaches them all.
    pub seals: std::sync::Arc<BTreeMap<PersonId, Vec<Seal>>>,
    /// The newest entry folded in.
    pub last_entry: Entry,
    /// When it was recorded.
    pub last_at: Option<Time>,
    /// The first event that this Wardroom cannot read: from there on the directory is read-only here.
    pub unreadable: Option<String>,
}

/// Who wants the directory changed, and when.
#[derive(Copy, Clone, Debug)]
pub struct DirectoryAsking {
    /// Who acts.
    pub actor: Actor,
    /// The time.
    pub now: Time,
}

impl Directory {
    /// Decides a change. `Ok` is never empty. `fresh` draws ids for new people.
    ///
    /// # Errors
    /// A [`Refusal`]; nothing is recorded then.
    pub fn decide(
        &self,
        ask: DirectoryAsking,
        command: DirectoryCommand,
        fresh: &mut dyn FnMut() -> Uuid,
    ) -> Result<Vec<DirectoryEvent>, Refusal> {
        if let Some(why) = &self.unreadable {
            return Err(Refusal::new(
                Code::ReadOnly,
                format!("The directory can be read but not changed here: {why}."),
            ));
        }
        self.may_change(ask, &command)?;
        let events = self.dispatch(ask, command, fresh)?;
        if events.is_empty() {
            return Err(Refusal::new(Code::AlreadySo, "The directory says that already."));
        }
        self.keeps_an_admin(ask, &events)?;
        Ok(events)
    }

    /// Admins and the console change the directory; everybody looks after their own tokens and sessions.
    fn may_change(&self, ask: DirectoryAsking, command: &DirectoryCommand) -> Result<(), Refusal> {
        let allowed = match ask.actor {
            Actor::Console => true,
            Actor::Clock | Actor::Source | Actor::Wardroom => false,
            Actor::Person(person) => match command {
                DirectoryCommand::Welcome { .. }
                | DirectoryCommand::SignIn { .. }
                | DirectoryCommand::ProveSession { .. }
                | DirectoryCommand::AddPasskey { .. }
                | DirectoryCommand::SetReach { .. }
                | DirectoryCommand::SetPassword { .. } => self.whose(command) == Some(person),
                DirectoryCommand::SetGood { service, .. } | DirectoryCommand::PreserveService { service, .. } => {
                    self.facts.admin(person) || self.facts.owns(service, person)
                }
                _ => self.facts.admin(person) || self.whose(command) == Some(person),
            },
        };
        if allowed {
            return Ok(());
        }
        if let DirectoryCommand::SetGood { service, .. } | DirectoryCommand::PreserveService { service, .. } = command {
            return Err(self.owners_only(service));
        }
        Err(self.facts.admins_only("Only an admin can change the directory."))
    }

    #[rustfmt::skip] // One line per command reads as the table that it is.
    fn dispatch(
        &self,
        ask: DirectoryAsking,
        command: DirectoryCommand,
        fresh: &mut dyn FnMut() -> Uuid,
    ) -> Result<Vec<DirectoryEvent>, Refusal> {
        match command {
            DirectoryCommand::AddPerson { handle, name, email, admin } => self.add_person(handle, name, email, admin, fresh),
            DirectoryCommand::ChangePerson { person, handle, name, email, admin } => self.change_person(&person, handle, name, email, admin),
            DirectoryCommand::DeactivatePerson { person } => self.deactivate_person(&person),
            DirectoryCommand::ActivatePerson { person } => self.activate_person(&person),
            DirectoryCommand::ForgetPerson { person } => self.forget_person(&person),
            DirectoryCommand::SetTeam { team, members } => self.set_team(team, &members),
            DirectoryCommand::RemoveTeam { team } => self.remove_team(team),
            DirectoryCommand::SetService { service, owner, depends_on } => self.set_service(service, owner, depends_on),
            DirectoryCommand::RemoveService { service } => self.remove_service(service),
            DirectoryCommand::SetGate { service, enforce } => self.set_gate(service, enforce),
            DirectoryCommand::MatchService { service, matching } => self.match_service(service, matching),
            DirectoryCommand::PreserveService { service, keep } => self.preserve_service(service, keep),
            DirectoryCommand::SetGood { service, version } => self.set_good(service, version),
            DirectoryCommand::Import { roster } => self.import(roster, fresh),
            DirectoryCommand::RevokeToken { token } => self.revoke_token(token),
            DirectoryCommand::IssueToken { token, person, scope, label, expires_at, digest } =>
                self.issue_token(ask, Token { id: token, person: self.find_member(&person)?, scope, label: label.into(), issued_at: ask.now, expires_at, digest }),
            DirectoryCommand::RevokeAllTokens {} => Ok(self.revoke_all_tokens()),
            DirectoryCommand::MakeLink { link, person, expires_at } => self.make_link(ask, link, person.as_ref(), expires_at),
            DirectoryCommand::Welcome { link, newcomer, session } => self.welcome(ask, link, newcomer, session, fresh),
            DirectoryCommand::SignIn { person, session, by } => self.sign_in(ask.now, person, session, by),
            DirectoryCommand::ProveSession { session, by } => self.prove_session(ask.now, session, by),
            DirectoryCommand::AddPasskey { passkey, person, label } => self.add_passkey(passkey, person, label),
            DirectoryCommand::RemovePasskey { passkey } => self.remove_passkey(passkey),
            DirectoryCommand::EndSessions { person } => self.end_sessions(&person),
            DirectoryCommand::EndSession { session } => self.end_session(session),
            DirectoryCommand::SetPassword { person, keep } => Ok(self.set_password(self.facts.find_active(&person.into())?, keep)),
            DirectoryCommand::SetReach { person, reach } => self.set_reach(person, reach),
            DirectoryCommand::SignEverybodyOut {} => Ok(self.sign_everybody_out()),
        }
    }

    /// Folds one more event in.
    pub fn evolve(&mut self, recorded: &DirectoryRecorded) {
        self.evolve_people(&recorded.event);
        self.evolve_teams(&recorded.event);
        self.evolve_services(recorded);
        self.evolve_tokens(recorded);
        self.evolve_accounts(recorded);
        self.evolve_passkeys(recorded);
        self.evolve_invites(&recorded.event);
        self.evolve_reach(&recorded.event);
        self.last_entry = recorded.entry;
        self.last_at = Some(self.last_at.map_or(recorded.at, |last| last.max(recorded.at)));
    }

    /// Notes that an event could not be read.
    pub fn evolve_unreadable(&mut self, entry: Entry, why: &Unreadable) {
        self.unreadable.get_or_insert_with(|| format!("entry {entry}: {why}"));
        self.last_entry = entry;
    }
}
