//! Guests: people who come by a link of a responder into one incident, and see nothing else.
//!
//! An invite is a link that several people may use until it ends. Whoever uses it becomes a person of the
//! directory who is bound to this incident ([`Standing::Guest`]), and is signed in until the invite's stated
//! time. Closing, merging, being sent away and that time end it: the account is deactivated, which ends
//! sessions and streams, and what they did keeps their name. What changes here and what changes in the
//! directory is one append.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use serde::{Deserialize, Serialize};

use crate::authority::Act;
use crate::command::Command;
use crate::directory::{Directory, DirectoryEvent};
use crate::event::{Event, Recorded};
use crate::facts::Facts;
use crate::id::{Handle, InviteId, Number, PersonId, SessionId, Time, Who};
use crate::incident::{Asking, Decision, Incident, Phase};
use crate::refusal::{Code, Refusal, Remedy};
use crate::responder::Responder;
use crate::role::RolePath;
use crate::text::{Line, Prose, Text};
use crate::token::Digest;

/// The longest an invite lasts, in hours: three days.
pub const HOURS_MAX: u8 = 72;
/// How many people one invite lets in.
pub const USES_MAX: u32 = 50;
/// Live invites of one incident.
const INVITES_MAX: usize = 20;
/// Invites that an incident remembers, ended ones too, so that they can be told so.
const REMEMBERED: usize = 60;
/// Guests who are in one incident at once.
const GUESTS_MAX: usize = 200;
/// The longest name of a guest, in characters: a name and its mark fit every line.
const NAME_MAX: usize = 40;
/// What follows a guest's name wherever it stands: on the page, in the terminal, in every sentence.
const MARK: &str = " (guest)";
/// Invites that the directory remembers; with one more the oldest are forgotten.
const KEPT_MAX: usize = 1_000;

/// An invite of an incident.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Invite {
    /// Who made it.
    pub by: PersonId,
    /// When.
    pub at: Time,
    /// Until when it lets people in, and how long whoever came by it may stay.
    pub expires_at: Time,
    /// How many came by it.
    pub used: u32,
    /// Whether it was taken back.
    pub revoked: bool,
}

/// Where an invite's secret leads: all that the directory keeps of it.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Door {
    /// Into which incident.
    pub incident: Number,
    /// SHA-256 of the secret.
    pub digest: Digest,
    /// Until when.
    pub expires_at: Time,
}

/// Somebody who comes by an invite. Ids are drawn at the edge.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Arrival {
    /// By which invite.
    pub invite: InviteId,
    /// Who they are from now on.
    pub person: PersonId,
    /// What they call themselves.
    pub name: Line,
    /// Their session.
    pub session: SessionId,
}

/// Why a guest is not in it any more.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gone {
    /// The invite's stated time has passed.
    TimeUp,
    /// Command, or an admin, sent them away.
    SentAway,
}

impl Invite {
    /// Whether somebody can still come by it.
    #[must_use]
    pub fn live(&self, now: Time) -> bool {
        !self.revoked && now < self.expires_at && self.used < USES_MAX
    }
}

/// A guest's name with its mark: one line of plain words.
fn marked(name: &Line) -> Result<String, Refusal> {
    let plain = name.as_str().split_whitespace().collect::<Vec<_>>().join(" ");
    let len = plain.chars().count();
    if len > NAME_MAX {
        return Err(Refusal::new(
            Code::Invalid,
            format!("A guest's name has at most {NAME_MAX} characters, not {len}."),
        ));
    }
    Ok(format!("{plain}{MARK}"))
}

/// A handle that nobody has: `guest-`, and of the name what a handle can hold.
fn free_handle(facts: &Facts, name: &Line) -> Handle {
    let letters = name.as_str().to_lowercase();
    let words = letters.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut base = words.fold("guest".to_owned(), |base, word| format!("{base}-{word}"));
    base.truncate(24); // It is plain ASCII.
    facts.free_handle(base.trim_end_matches('-'))
}

fn ended(why: &str) -> Refusal {
    Refusal::new(Code::InviteEnded, format!("{why} Ask whoever sent you the link for a new one."))
}

impl Incident {
    /// What is wrong with an invite, if anything.
    ///
    /// # Errors
    /// [`Code::InviteEnded`], with what to do.
    pub fn good_invite(&self, invite: InviteId, facts: &Facts, now: Time) -> Result<&Invite, Refusal> {
        match self.phase {
            Phase::Merged => return Err(ended("The incident that this link led to goes on as another one.")),
            Phase::Closed => return Err(ended("The incident that this link led to is closed.")),
            _ => {}
        }
        let Some(known) = self.invites.get(&invite) else { return Err(ended("This link is not good any more.")) };
        if known.revoked || !facts.active(known.by) {
            return Err(ended("This link was taken back."));
        }
        if now >= known.expires_at {
            return Err(ended("This link has expired."));
        }
        if known.used >= USES_MAX {
            return Err(ended(&format!("This link let {USES_MAX} people in, which is as many as it could.")));
        }
        Ok(known)
    }

    pub(crate) fn make_invite(
        &self,
        ask: &Asking<'_>,
        invite: InviteId,
        digest: Digest,
        hours: u8,
    ) -> Result<Decision, Refusal> {
        let by = self.require(ask, &Act::Respond)?;
        if !(1..=HOURS_MAX).contains(&hours) {
            return Err(Refusal::new(Code::Invalid, format!("An invite lasts for 1 to {HOURS_MAX} hours.")));
        }
        if self.invites.values().filter(|known| known.live(ask.now)).count() >= INVITES_MAX {
            return Err(Refusal::new(
                Code::TooMany,
                format!("{INVITES_MAX} invites are live here. Share one of them, or take one back first."),
            ));
        }
        let expires_at = ask.now + i64::from(hours).hours();
        Ok(Decision {
            here: vec![Event::GuestsInvited { invite, by, expires_at }],
            directory: vec![DirectoryEvent::InviteMade { invite, incident: self.number, digest, expires_at }],
            ..Decision::default()
        })
    }

    /// Whether the asker can invite guests here, or could once they are here or took an invite back. Deciding itself is
    /// asked, so that nothing is offered that is refused then.
    #[must_use]
    pub fn may_invite_guests(&self, ask: &Asking<'_>) -> bool {
        let (invite, digest) = (InviteId(uuid::Uuid::nil()), Digest::new([0; 32]));
        match self.decide(ask, Command::MakeInvite { invite, digest, hours: 1 }) {
            Ok(_) => true,
            Err(refusal) => matches!(refusal.code, Code::NotAResponder | Code::TooMany),
        }
    }

    /// Whoever made it takes it back, or command, or an admin. Those who came by it stay.
    pub(crate) fn revoke_invite(&self, ask: &Asking<'_>, invite: InviteId) -> Result<Decision, Refusal> {
        let person = ask.active_person()?;
        let known = self.invites.get(&invite).filter(|known| known.live(ask.now)).ok_or_else(|| {
            Refusal::new(Code::NotThere, "No such invite is live here: it was taken back, is used up, or has expired.")
        })?;
        if known.by != person && !ask.facts.admin(person) {
            self.require(ask, &Act::Command)?;
        }
        Ok(Event::GuestInviteRevoked { invite }.into())
    }

    /// Somebody comes by an invite: they are known, here, and signed in, in one step.
    pub(crate) fn arrive(&self, ask: &Asking<'_>, arrival: Arrival) -> Result<Decision, Refusal> {
        let Arrival { invite, person, name, session } = arrival;
        let known = self.good_invite(invite, ask.facts, ask.now)?;
        if self.guests.len() >= GUESTS_MAX {
            return Err(Refusal::new(
                Code::TooMany,
                format!("{GUESTS_MAX} guests are in this incident, and no more fit. Call whoever sent you the link."),
            ));
        }
        let (expires_at, incident) = (known.expires_at, self.number);
        let handle = Text::said(free_handle(ask.facts, &name));
        let name = Text::said(marked(&name)?);
        Ok(Decision {
            here: vec![Event::GuestJoined { person, invite, invited_by: known.by, until: expires_at }],
            directory: vec![
                DirectoryEvent::GuestAdded { person, handle, name, incident },
                DirectoryEvent::SessionOpened { session, person, expires_at },
            ],
            ..Decision::default()
        })
    }

    /// Command sends a guest away, or an admin does.
    pub(crate) fn send_away(&self, ask: &Asking<'_>, who: &Who, reason: Option<Prose>) -> Result<Decision, Refusal> {
        let asker = ask.active_person()?;
        if !ask.facts.admin(asker) {
            self.require(ask, &Act::Command)?;
        }
        let person = ask.facts.find(who)?;
        if !self.guests.contains_key(&person) {
            let name = ask.facts.name(person);
            return Err(Refusal::new(Code::NotThere, format!("{name} is no guest here.")));
        }
        if self.holder(&RolePath::command()) == Some(person) {
            let name = ask.facts.name(person);
            return Err(Refusal::new(
                Code::CommandMustBeHanded,
                format!("{name} has command. Somebody takes it first: offered by them, or assumed with a reason."),
            )
            .remedy(Remedy::Assume));
        }
        let mut events = self.depart(person, ask.now);
        events.push(Event::GuestGone { person, why: Gone::SentAway, reason: reason.map(Into::into) });
        Ok(events.into())
    }

    /// A guest's time is up. Command does not fall: whoever has it keeps it until somebody takes or assumes it.
    pub(crate) fn time_is_up(&self, person: PersonId, now: Time) -> Vec<Event> {
        let mut events = self.depart(person, now);
        events.push(Event::GuestGone { person, why: Gone::TimeUp, reason: None });
        events
    }

    /// What a decision means for the accounts of guests.
    pub(crate) fn with_accounts(&self, facts: &Facts, mut decision: Decision) -> Decision {
        let gone = |event: &Event| match event {
            Event::GuestGone { person, .. } => vec![*person],
            Event::Closed { .. } | Event::MergedInto { .. } => self.guests.keys().copied().collect(),
            _ => Vec::new(),
        };
        let gone: BTreeSet<PersonId> = decision.here.iter().flat_map(gone).collect();
        let out = gone.into_iter().filter(|person| facts.active(*person));
        decision.directory.extend(out.map(|person| DirectoryEvent::PersonDeactivated { person }));
        decision
    }

    /// What a guest may not do at all: deciding who may look, declaring, and naming people who are not here.
    pub(crate) fn guests_may(&self, ask: &Asking<'_>, command: &Command) -> Result<(), Refusal> {
        let Some(person) = ask.actor.person().filter(|person| ask.facts.guest_of(*person).is_some()) else {
            return Ok(());
        };
        let members = || self.responders.keys().copied().filter(|other| ask.facts.guest_of(*other).is_none()).collect();
        let commands = self.holder(&RolePath::command()) == Some(person);
        match command {
            Command::Invite { .. }
            | Command::Uninvite { .. }
            | Command::Restrict {}
            | Command::Unrestrict {}
            | Command::MakeInvite { .. }
            | Command::RevokeInvite { .. }
            | Command::SendAway { .. }
            | Command::Reopen { .. }
            | Command::Merge { .. } => {
                let sentence = "You are a guest here. Who is let in is for people of the house to say.";
                Err(Refusal::new(Code::NotForGuests, sentence).who_could(members()))
            }
            Command::BreakGlass { .. } => {
                let sentence =
                    "You are a guest here. Somebody of the house can do this: ask operations for permission.";
                Err(Refusal::new(Code::NotForGuests, sentence).who_could(members()))
            }
            Command::Declare {} if !commands => {
                let sentence = "You are a guest here. Somebody of the house declares: tell them, or raise a roadblock.";
                Err(Refusal::new(Code::NotForGuests, sentence).who_could(members()))
            }
            _ => match command.names_person() {
                Some(who) if !self.is_here(ask.facts, who) => Err(Refusal::new(
                    Code::UnknownPerson,
                    format!("Nobody in this incident is called “{who}”. As a guest you can name those who are here."),
                )),
                _ if command.names_team() => {
                    let sentence = "You are a guest here, and cannot offer to a team. Offer to somebody who is here.";
                    Err(Refusal::new(Code::NotForGuests, sentence))
                }
                _ => Ok(()),
            },
        }
    }

    fn is_here(&self, facts: &Facts, who: &Who) -> bool {
        facts.find(who).is_ok_and(|person| self.responders.contains_key(&person))
    }

    /// A refusal as a guest may read it: it names nobody whom they do not see.
    pub(crate) fn for_guests(&self, ask: &Asking<'_>, mut refusal: Refusal) -> Refusal {
        if ask.actor.person().is_some_and(|person| ask.facts.guest_of(person).is_some()) {
            refusal.who_could.retain(|person| self.responders.contains_key(person));
        }
        refusal
    }

    pub(crate) fn evolve_guests(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::GuestsInvited { invite, by, expires_at } => {
                while self.invites.len() >= REMEMBERED {
                    self.invites.pop_first(); // Their ids are in the order in which they were made.
                }
                let new = Invite { by: *by, at: recorded.at, expires_at: *expires_at, used: 0, revoked: false };
                self.invites.insert(*invite, new);
            }
            Event::GuestInviteRevoked { invite } => {
                if let Some(known) = self.invites.get_mut(invite) {
                    known.revoked = true;
                }
            }
            Event::GuestJoined { person, invite, until, .. } => {
                if let Some(known) = self.invites.get_mut(invite) {
                    known.used += 1;
                }
                self.guests.insert(*person, *until);
                self.invited.insert(*person);
                self.responders.entry(*person).or_insert_with(|| Responder::new(recorded.at));
            }
            Event::GuestGone { person, .. } => {
                self.guests.remove(person);
                // Whoever has command stays its holder, absent, until it is taken or assumed (rule 6).
                if self.holder(&RolePath::command()) != Some(*person) {
                    self.forget_responder(*person, recorded.at);
                    self.invited.remove(person);
                }
            }
            Event::Closed { .. } | Event::MergedInto { .. } => {
                self.guests = BTreeMap::new();
                self.invites = BTreeMap::new();
            }
            _ => {}
        }
    }
}

impl Directory {
    /// Where a secret leads, whether or not it is still good.
    #[must_use]
    pub fn door(&self, digest: &Digest) -> Option<(InviteId, &Door)> {
        self.invites.iter().find(|(_, door)| door.digest == *digest).map(|(id, door)| (*id, door))
    }

    /// A guest's account is made by an invite and looked after by nobody else; like those of the example's cast.
    pub(crate) fn no_guest(&self, person: PersonId) -> Result<(), Refusal> {
        if self.facts.guest_of(person).is_none() {
            return self.no_cast(person);
        }
        let name = self.facts.name(person);
        Err(Refusal::new(
            Code::NotForGuests,
            format!("{name} came by an invite, for one incident. Add them as a person, or invite them anew."),
        ))
    }

    /// The active member of the house that a command names.
    pub(crate) fn find_member(&self, who: &Who) -> Result<PersonId, Refusal> {
        let person = self.facts.find_active(who)?;
        self.no_guest(person).map(|()| person)
    }

    pub(crate) fn evolve_invites(&mut self, event: &DirectoryEvent) {
        match event {
            DirectoryEvent::InviteMade { invite, incident, digest, expires_at } => {
                let invites = std::sync::Arc::make_mut(&mut self.invites);
                while invites.len() >= KEPT_MAX {
                    invites.pop_first(); // Their ids are in the order in which they were made.
                }
                let door = Door { incident: *incident, digest: *digest, expires_at: *expires_at };
                invites.insert(*invite, door);
            }
            DirectoryEvent::EverybodySignedOut {} => self.invites = std::sync::Arc::default(),
            _ => {}
        }
    }
}
