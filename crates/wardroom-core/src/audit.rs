//! The directory's stream, told to an admin: one sentence per event. And what an import would do, told before it does.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::directory::{Directory, DirectoryAsking, DirectoryCommand, DirectoryEvent, DirectoryRecorded};
use crate::facts::Facts;
use crate::id::{Actor, PersonId, ServiceName, Time};
use crate::refusal::{Code, Refusal};
use crate::roster::Roster;
use crate::telling::severity;
use crate::text::Text;
use crate::token::Scope;

/// What an event of the directory is about, to look for.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Topic {
    /// Who belongs here.
    People,
    /// Teams and services.
    Teams,
    /// Personal tokens.
    Tokens,
    /// Passwords, links and sessions.
    Access,
    /// Guests and their invites.
    Guests,
}

/// More names than this are counted and not told.
const NAMES_MAX: usize = 12;

impl DirectoryEvent {
    /// What it is about.
    #[must_use]
    pub fn topic(&self) -> Topic {
        match self {
            Self::PersonAdded { .. }
            | Self::PersonChanged { .. }
            | Self::PersonDeactivated { .. }
            | Self::PersonActivated { .. }
            | Self::ScriptedAdded { .. }
            | Self::PersonForgotten { .. } => Topic::People,
            Self::TeamSet { .. }
            | Self::TeamRemoved { .. }
            | Self::ServiceSet { .. }
            | Self::ServiceRemoved { .. }
            | Self::ServiceGateSet { .. }
            | Self::ServiceMatched { .. }
            | Self::ServiceGoodSet { .. }
            | Self::ServicePreserveSet { .. } => Topic::Teams,
            Self::TokenIssued { .. } | Self::TokenRevoked { .. } | Self::AllTokensRevoked {} => Topic::Tokens,
            Self::LinkMade { .. }
            | Self::LinkUsed { .. }
            | Self::PasswordSet { .. }
            | Self::ReachSet { .. }
            | Self::SessionOpened { .. }
            | Self::SessionEnded { .. }
            | Self::SessionProven { .. }
            | Self::PasskeyAdded { .. }
            | Self::PasskeyRemoved { .. }
            | Self::EverybodySignedOut {} => Topic::Access,
            Self::GuestAdded { .. } | Self::InviteMade { .. } => Topic::Guests,
        }
    }

    /// The token, session, link or passkey that begins with this event.
    #[must_use]
    pub fn begins(&self) -> Option<Uuid> {
        match self {
            Self::TokenIssued { token, .. } => Some(token.0),
            Self::SessionOpened { session, .. } => Some(session.0),
            Self::LinkMade { link, .. } => Some(link.0),
            Self::PasskeyAdded { passkey, .. } => Some(passkey.0),
            _ => None,
        }
    }

    /// The token, session, link or passkey that this event names and an earlier one began.
    #[must_use]
    pub fn refers_to(&self) -> Option<Uuid> {
        match self {
            Self::TokenRevoked { token } => Some(token.0),
            Self::SessionEnded { session } | Self::SessionProven { session } => Some(session.0),
            Self::PasskeyRemoved { passkey } => Some(passkey.0),
            Self::LinkUsed { link } => Some(link.0),
            _ => None,
        }
    }

    /// Whom it is about, as far as it says so itself.
    #[must_use]
    pub fn about(&self) -> BTreeSet<PersonId> {
        match self {
            Self::PersonAdded { person, .. }
            | Self::GuestAdded { person, .. }
            | Self::ScriptedAdded { person, .. }
            | Self::PersonChanged { person, .. }
            | Self::PersonDeactivated { person }
            | Self::PersonActivated { person }
            | Self::PersonForgotten { person, .. }
            | Self::TokenIssued { person, .. }
            | Self::PasswordSet { person }
            | Self::ReachSet { person, .. }
            | Self::PasskeyAdded { person, .. }
            | Self::SessionOpened { person, .. } => BTreeSet::from([*person]),
            Self::LinkMade { person, .. } => person.iter().copied().collect(),
            Self::TeamSet { members, .. } => members.clone(),
            Self::TeamRemoved { .. }
            | Self::ServiceSet { .. }
            | Self::ServiceRemoved { .. }
            | Self::ServiceGateSet { .. }
            | Self::ServiceMatched { .. }
            | Self::ServiceGoodSet { .. }
            | Self::ServicePreserveSet { .. }
            | Self::TokenRevoked { .. }
            | Self::AllTokensRevoked {}
            | Self::LinkUsed { .. }
            | Self::SessionEnded { .. }
            | Self::SessionProven { .. }
            | Self::PasskeyRemoved { .. }
            | Self::InviteMade { .. }
            | Self::EverybodySignedOut {} => BTreeSet::new(),
        }
    }
}

/// An event of the directory in one sentence, with the names as the directory has them now. `begun` is the event that
/// began what this one refers to, if that can be read.
#[must_use]
pub fn tell(recorded: &DirectoryRecorded, begun: Option<&DirectoryEvent>, facts: &Facts) -> String {
    let who = match recorded.actor {
        Actor::Person(person) => facts.name(person),
        Actor::Clock => "The clock",
        Actor::Source => "Another system",
        Actor::Wardroom => "Wardroom",
        Actor::Console => "Somebody at the machine",
    };
    Teller { facts, who, actor: recorded.actor, begun }.tell(&recorded.event)
}

struct Teller<'a> {
    facts: &'a Facts,
    who: &'a str,
    actor: Actor,
    begun: Option<&'a DirectoryEvent>,
}

fn time(at: Time) -> String {
    at.strftime("%F %H:%M UTC").to_string()
}

fn listed(names: &[&str]) -> String {
    match names {
        [] => "nobody".to_owned(),
        [one] => (*one).to_owned(),
        names if names.len() > NAMES_MAX => {
            format!("{} and {} more", names[..NAMES_MAX].join(", "), names.len() - NAMES_MAX)
        }
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn may(scope: Scope) -> &'static str {
    match scope {
        Scope::Gate => "ask the gate, and say what is good, on anybody's behalf",
        Scope::Read => "read",
        Scope::Respond => "respond",
        Scope::Admin => "administer",
    }
}

impl Teller<'_> {
    fn name(&self, person: PersonId) -> &str {
        self.facts.name(person)
    }

    /// Of somebody else, or their own.
    fn whose(&self, person: PersonId) -> String {
        if self.actor == Actor::Person(person) { "their own".to_owned() } else { format!("of {}", self.name(person)) }
    }

    fn tell(&self, event: &DirectoryEvent) -> String {
        let who = self.who;
        match event {
            DirectoryEvent::PersonAdded { handle, name, email, admin, .. } => {
                let email = email.as_ref().map(|email| format!(", {email}")).unwrap_or_default();
                format!("{who} added {name} ({handle}{email}){}", if *admin { " as an admin" } else { "" })
            }
            DirectoryEvent::GuestAdded { name, .. } => format!("{name} came in by an invite, as a guest"),
            DirectoryEvent::ScriptedAdded { name, .. } => {
                format!("{name} was added, who is scripted and plays in the example incident")
            }
            DirectoryEvent::PersonChanged { person, handle, name, email, admin } => {
                self.changed(*person, [("handle", handle), ("name", name), ("address", email)], *admin)
            }
            DirectoryEvent::PersonDeactivated { person } if self.facts.guest_of(*person).is_some() => {
                format!("The part of {} as a guest ended, and their access with it", self.name(*person))
            }
            DirectoryEvent::PersonDeactivated { person } => {
                format!("{who} deactivated {}: their access has ended", self.name(*person))
            }
            DirectoryEvent::PersonActivated { person } => format!("{who} let {} in again", self.name(*person)),
            DirectoryEvent::PersonForgotten { .. } => {
                format!("{who} had a person forgotten: their name and address are gone for ever")
            }
            DirectoryEvent::TeamSet { team, members } => {
                let names: Vec<&str> = members.iter().map(|person| self.name(*person)).collect();
                format!("{who} set the team {team}: {}", listed(&names))
            }
            DirectoryEvent::TeamRemoved { team } => format!("{who} removed the team {team}"),
            DirectoryEvent::ServiceSet { service, owner, depends_on } => {
                let owner = owner.as_ref().map_or("owned by nobody yet".to_owned(), |team| format!("owned by {team}"));
                let needs: Vec<&str> = depends_on.iter().map(ServiceName::as_str).collect();
                let needs = if needs.is_empty() { String::new() } else { format!(", and needs {}", listed(&needs)) };
                format!("{who} set the service {service}: it is {owner}{needs}")
            }
            DirectoryEvent::ServiceGateSet { service, enforced } if enforced.is_empty() => {
                format!("{who} had the gate of {service} only observe")
            }
            DirectoryEvent::ServiceGateSet { service, enforced } => {
                let at: Vec<&str> = enforced.iter().map(|at| severity(*at)).collect();
                format!("{who} had the gate of {service} enforce at {}", listed(&at))
            }
            DirectoryEvent::ServiceMatched { service, matching: None } => {
                format!("{who} said that no object of a cluster belongs to {service}")
            }
            DirectoryEvent::ServiceMatched { service, .. } => {
                format!("{who} said which objects of a cluster belong to {service}")
            }
            DirectoryEvent::ServiceGoodSet { service, version } => {
                format!("{who} said that version {version} of {service} is good")
            }
            DirectoryEvent::ServicePreserveSet { service, worth } if worth.is_empty() => {
                format!("{who} said that nothing of {service} is worth keeping beforehand")
            }
            DirectoryEvent::ServicePreserveSet { service, worth } => {
                let named: Vec<String> = worth.iter().map(|worth| worth.what.to_string()).collect();
                let named: Vec<&str> = named.iter().map(String::as_str).collect();
                format!("{who} said what of {service} is worth keeping: {}", listed(&named))
            }
            DirectoryEvent::ServiceRemoved { service } => format!("{who} removed the service {service}"),
            _ => self.access(event),
        }
    }

    fn changed(&self, person: PersonId, words: [(&str, &Option<Text>); 3], admin: Option<bool>) -> String {
        let words = words.into_iter().filter_map(|(what, now)| Some(format!("the {what} is {} now", now.as_ref()?)));
        let admin = admin.map(|admin| if admin { "an admin from now on" } else { "no admin any more" }.to_owned());
        let parts: Vec<String> = words.chain(admin).collect();
        let what = if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") };
        format!("{} changed {}: {what}", self.who, self.name(person))
    }

    fn access(&self, event: &DirectoryEvent) -> String {
        let who = self.who;
        match event {
            DirectoryEvent::TokenIssued { person, scope, label, expires_at, .. } => {
                let until = expires_at.map_or("until it is revoked".to_owned(), |at| format!("until {}", time(at)));
                let whom = if self.actor == Actor::Person(*person) {
                    String::new()
                } else {
                    format!(" for {}", self.name(*person))
                };
                format!("{who} made the token “{label}”{whom}, to {}, {until}", may(*scope))
            }
            DirectoryEvent::TokenRevoked { .. } => match self.begun {
                Some(DirectoryEvent::TokenIssued { person, label, .. }) => {
                    format!("{who} revoked the token “{label}”, {}", self.whose(*person))
                }
                _ => format!("{who} revoked a token"),
            },
            DirectoryEvent::AllTokensRevoked {} => format!("{who} revoked every token, after a restore"),
            DirectoryEvent::LinkMade { person: Some(person), expires_at, .. } => {
                format!("{who} made a sign-in link for {}, until {}", self.name(*person), time(*expires_at))
            }
            DirectoryEvent::LinkMade { person: None, expires_at, .. } => {
                format!("A link for the first admin was made, until {}", time(*expires_at))
            }
            DirectoryEvent::LinkUsed { .. } => match self.begun {
                Some(DirectoryEvent::LinkMade { person: Some(person), .. }) => {
                    format!("{} came in by a sign-in link", self.name(*person))
                }
                Some(DirectoryEvent::LinkMade { person: None, .. }) => {
                    "The first admin came in by the link for them".to_owned()
                }
                _ => "Somebody came in by a link".to_owned(),
            },
            _ => self.signing_in(event),
        }
    }

    fn signing_in(&self, event: &DirectoryEvent) -> String {
        let who = self.who;
        match event {
            DirectoryEvent::PasswordSet { person } => format!("{} set a password", self.name(*person)),
            DirectoryEvent::ReachSet { person, .. } => {
                format!("{} chose how to be told of offers and calls", self.name(*person))
            }
            DirectoryEvent::SessionOpened { person, .. } => format!("{} signed in", self.name(*person)),
            DirectoryEvent::SessionEnded { .. } => match self.begun {
                Some(DirectoryEvent::SessionOpened { person, .. }) => {
                    format!("{who} ended a session, {}", self.whose(*person))
                }
                _ => format!("{who} ended a session"),
            },
            DirectoryEvent::SessionProven { .. } => match self.begun {
                Some(DirectoryEvent::SessionOpened { person, .. }) => {
                    format!("{} showed anew who they are", self.name(*person))
                }
                _ => format!("{who} showed anew who they are"),
            },
            DirectoryEvent::PasskeyAdded { person, label, .. } => {
                format!("{} added the passkey “{label}”", self.name(*person))
            }
            DirectoryEvent::PasskeyRemoved { .. } => match self.begun {
                Some(DirectoryEvent::PasskeyAdded { person, label, .. }) => {
                    format!("{who} removed the passkey “{label}”, {}", self.whose(*person))
                }
                _ => format!("{who} removed a passkey"),
            },
            DirectoryEvent::InviteMade { expires_at, .. } => {
                format!("{who} made an invite for guests, until {}", time(*expires_at))
            }
            DirectoryEvent::EverybodySignedOut {} => {
                format!("{who} signed everybody out, after a restore: passwords, sessions and links are gone")
            }
            // Named one by one, so that a new kind is not forgotten here.
            DirectoryEvent::PersonAdded { .. }
            | DirectoryEvent::GuestAdded { .. }
            | DirectoryEvent::ScriptedAdded { .. }
            | DirectoryEvent::PersonChanged { .. }
            | DirectoryEvent::PersonDeactivated { .. }
            | DirectoryEvent::PersonActivated { .. }
            | DirectoryEvent::PersonForgotten { .. }
            | DirectoryEvent::TeamSet { .. }
            | DirectoryEvent::TeamRemoved { .. }
            | DirectoryEvent::ServiceSet { .. }
            | DirectoryEvent::ServiceRemoved { .. }
            | DirectoryEvent::ServiceGateSet { .. }
            | DirectoryEvent::ServiceMatched { .. }
            | DirectoryEvent::ServiceGoodSet { .. }
            | DirectoryEvent::ServicePreserveSet { .. }
            | DirectoryEvent::TokenIssued { .. }
            | DirectoryEvent::TokenRevoked { .. }
            | DirectoryEvent::AllTokensRevoked {}
            | DirectoryEvent::LinkMade { .. }
            | DirectoryEvent::LinkUsed { .. } => unreachable!("these are told above"),
        }
    }
}

impl Directory {
    /// What importing a roster would change, told as the audit will tell it: the same deciding, and nothing recorded.
    /// Nothing when the directory says all of it already.
    ///
    /// # Errors
    /// Whatever refuses the import itself.
    pub fn foretell(
        &self,
        ask: DirectoryAsking,
        roster: Roster,
        fresh: &mut dyn FnMut() -> Uuid,
    ) -> Result<Vec<String>, Refusal> {
        let events = match self.decide(ask, DirectoryCommand::Import { roster }, fresh) {
            Err(refusal) if refusal.code == Code::AlreadySo => Vec::new(),
            decided => decided?,
        };
        let (mut after, mut entry) = (self.clone(), self.last_entry);
        let mut recorded = Vec::new();
        for event in events {
            entry.0 += 1;
            recorded.push(DirectoryRecorded { entry, at: ask.now, actor: ask.actor, event });
        }
        recorded.iter().for_each(|recorded| after.evolve(recorded));
        Ok(recorded.iter().map(|recorded| tell(recorded, None, &after.facts)).collect())
    }
}
