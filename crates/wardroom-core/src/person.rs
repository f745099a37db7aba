//! People of the directory: adding, changing, deactivating, forgetting.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::directory::{Directory, DirectoryAsking, DirectoryEvent, DirectoryRecorded};
use crate::facts::{Person, Standing};
use crate::id::{Actor, Handle, PersonId, Who};
use crate::refusal::{Code, Refusal};
use crate::text::{Line, Text, misleads};

/// A mail address: one `@`, no white space, and nothing that a mail header or a reader could mistake.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = String, format = Email))]
pub struct Email(String);

/// The longest address that mail can carry (RFC 5321, section 4.5.3.1.3, less its brackets).
const EMAIL_MAX: usize = 254;

impl TryFrom<String> for Email {
    type Error = &'static str;
    fn try_from(given: String) -> Result<Self, Self::Error> {
        let forbidden = |c: char| misleads(c) || c.is_whitespace() || "<>()[],;:\\\"".contains(c);
        let well_formed = match given.split_once('@') {
            Some((local, domain)) => {
                !local.is_empty()
                    && !domain.contains('@')
                    && domain.contains('.')
                    && !domain.starts_with('.')
                    && !domain.ends_with('.')
            }
            None => false,
        };
        if well_formed && given.len() <= EMAIL_MAX && !given.contains(forbidden) {
            return Ok(Self(given));
        }
        Err("a mail address looks like name@example.org")
    }
}

impl std::str::FromStr for Email {
    type Err = &'static str;
    fn from_str(given: &str) -> Result<Self, Self::Err> {
        Self::try_from(given.to_owned())
    }
}

impl From<Email> for String {
    fn from(email: Email) -> String {
        email.0
    }
}

impl From<Email> for Text {
    fn from(email: Email) -> Text {
        Text::said(email.0)
    }
}

/// `Some` only where the new words differ from the known ones.
fn changed(known: Option<&Text>, new: Option<impl Into<Text>>) -> Option<Text> {
    let new: Text = new?.into();
    (known.and_then(Text::words) != new.words()).then_some(new)
}

/// Who has which address of mail. Each person has one of their own: who is told, and who may change what, cannot hang on one
/// that two have. Whoever left keeps nobody from theirs, and may come back with it: that is nobody's to refuse, and it names
/// neither of them then. Those who had the same before keep it as long as nobody sets another. Whoever gets another lets go of
/// theirs.
pub(crate) struct Addresses {
    /// Who has each.
    holders: BTreeMap<String, BTreeSet<PersonId>>,
    /// Which each person has.
    theirs: BTreeMap<PersonId, String>,
    /// What everybody is called.
    names: BTreeMap<PersonId, Text>,
}

impl Addresses {
    pub fn of(directory: &Directory) -> Self {
        let people = || directory.facts.people.values();
        let names = people().map(|person| (person.id, person.name.clone())).collect();
        let mut all = Self { holders: BTreeMap::new(), theirs: BTreeMap::new(), names };
        for person in people().filter(|person| person.active) {
            if let Some(address) = person.email.as_ref().and_then(Text::words) {
                all.give(person.id, address.to_lowercase());
            }
        }
        all
    }

    fn give(&mut self, person: PersonId, address: String) {
        let before = self.theirs.insert(person, address.clone());
        if let Some(holders) = before.and_then(|before| self.holders.get_mut(&before)) {
            holders.remove(&person);
        }
        self.holders.entry(address).or_default().insert(person);
    }

    /// Gives out what these events give.
    ///
    /// # Errors
    /// [`Code::Taken`] for an address that somebody else has.
    pub fn take(&mut self, events: &[DirectoryEvent]) -> Result<(), Refusal> {
        for event in events {
            let (id, name, email) = match event {
                DirectoryEvent::PersonAdded { person, name, email, .. } => (*person, Some(name), email),
                DirectoryEvent::PersonChanged { person, name, email, .. } => (*person, name.as_ref(), email),
                _ => continue,
            };
            self.names.extend(name.map(|name| (id, name.clone())));
            let Some(words) = email.as_ref().and_then(Text::words) else { continue };
            let address = words.to_lowercase();
            let other = self.holders.get(&address).into_iter().flatten().find(|holder| **holder != id);
            if let Some(other) = other {
                let sentence = format!(
                    "The address {words} belongs to {}. Give each person one of their own: by one that two have, nobody \
                     can be told apart.",
                    self.names.get(other).and_then(Text::words).unwrap_or("somebody")
                );
                return Err(Refusal::new(Code::Taken, sentence));
            }
            self.give(id, address);
        }
        Ok(())
    }
}

/// Whoever asked to be forgotten does not come back under the same id.
fn not_forgotten(person: &Person) -> Result<(), Refusal> {
    match person.handle.words() {
        Some(_) => Ok(()),
        None => Err(Refusal::new(Code::Inactive, "This person was forgotten. Add them anew.")),
    }
}

impl Directory {
    pub(crate) fn add_person(
        &self,
        handle: Handle,
        name: Line,
        email: Option<Email>,
        admin: bool,
        fresh: &mut dyn FnMut() -> Uuid,
    ) -> Result<Vec<DirectoryEvent>, Refusal> {
        self.handle_is_free(&handle)?;
        let events = vec![Self::added(PersonId(fresh()), handle, name, email, admin)];
        Addresses::of(self).take(&events)?;
        Ok(events)
    }

    /// Somebody new, under a handle that is known to be free.
    pub(crate) fn added(
        person: PersonId,
        handle: Handle,
        name: Line,
        email: Option<Email>,
        admin: bool,
    ) -> DirectoryEvent {
        let handle = Text::said(handle);
        DirectoryEvent::PersonAdded { person, handle, name: name.into(), email: email.map(Into::into), admin }
    }

    fn handle_is_free(&self, handle: &Handle) -> Result<(), Refusal> {
        match self.facts.by_handle(handle) {
            None => Ok(()),
            Some(person) => {
                let name = self.facts.name(person.id);
                Err(Refusal::new(Code::Taken, format!("The handle “{handle}” belongs to {name}. Choose another.")))
            }
        }
    }

    pub(crate) fn change_person(
        &self,
        who: &Who,
        handle: Option<Handle>,
        name: Option<Line>,
        email: Option<Email>,
        admin: Option<bool>,
    ) -> Result<Vec<DirectoryEvent>, Refusal> {
        let events = self.changes_of_person(who, handle, name, email, admin)?;
        Addresses::of(self).take(&events)?;
        Ok(events)
    }

    /// The same, with an address of which somebody else knows that it is free.
    pub(crate) fn changes_of_person(
        &self,
        who: &Who,
        handle: Option<Handle>,
        name: Option<Line>,
        email: Option<Email>,
        admin: Option<bool>,
    ) -> Result<Vec<DirectoryEvent>, Refusal> {
        let person = &self.facts.people[&self.facts.find(who)?];
        not_forgotten(person)?;
        self.no_guest(person.id)?;
        let handle = changed(Some(&person.handle), handle.map(Text::said));
        if let Some(handle) = handle.as_ref().and_then(Text::words) {
            self.handle_is_free(&handle.parse().expect("it was a handle a moment ago"))?;
        }
        let name = changed(Some(&person.name), name);
        let email = changed(person.email.as_ref(), email);
        let admin = admin.filter(|admin| *admin != person.admin);
        if handle.is_none() && name.is_none() && email.is_none() && admin.is_none() {
            return Ok(Vec::new());
        }
        Ok(vec![DirectoryEvent::PersonChanged { person: person.id, handle, name, email, admin }])
    }

    pub(crate) fn deactivate_person(&self, who: &Who) -> Result<Vec<DirectoryEvent>, Refusal> {
        let person = self.facts.find(who)?;
        self.no_cast(person)?;
        Ok(if self.facts.active(person) { vec![DirectoryEvent::PersonDeactivated { person }] } else { Vec::new() })
    }

    pub(crate) fn activate_person(&self, who: &Who) -> Result<Vec<DirectoryEvent>, Refusal> {
        let person = self.facts.find(who)?;
        not_forgotten(&self.facts.people[&person])?;
        self.no_guest(person)?;
        Ok(if self.facts.active(person) { Vec::new() } else { vec![DirectoryEvent::PersonActivated { person }] })
    }

    pub(crate) fn forget_person(&self, who: &Who) -> Result<Vec<DirectoryEvent>, Refusal> {
        let person = self.facts.find(who)?;
        self.no_cast(person)?;
        if self.facts.people[&person].handle.words().is_none() {
            return Ok(Vec::new());
        }
        let seals = self.seals.get(&person).cloned().unwrap_or_default();
        Ok(vec![DirectoryEvent::PersonForgotten { person, seals }])
    }

    /// Somebody has to be left who can let people in; the console may do as it likes, for it always can.
    pub(crate) fn keeps_an_admin(&self, ask: DirectoryAsking, events: &[DirectoryEvent]) -> Result<(), Refusal> {
        let somebody = |directory: &Self| directory.facts.people.values().any(|person| person.admin && person.active);
        if ask.actor == Actor::Console || !somebody(self) {
            return Ok(());
        }
        let mut after = self.clone();
        for event in events {
            let recorded =
                DirectoryRecorded { entry: after.last_entry, at: ask.now, actor: ask.actor, event: event.clone() };
            after.evolve(&recorded);
        }
        if somebody(&after) {
            return Ok(());
        }
        Err(Refusal::new(
            Code::Unfinished,
            "This would leave nobody who is an admin. Make somebody else an admin first.",
        ))
    }

    pub(crate) fn evolve_people(&mut self, event: &DirectoryEvent) {
        let seals = Arc::make_mut(&mut self.seals);
        let mut keep = |person: PersonId, text: &Text| seals.entry(person).or_default().extend(text.seal());
        let people = Arc::make_mut(&mut self.facts.people);
        match event {
            DirectoryEvent::PersonAdded { person, handle, name, email, admin } => {
                [Some(handle), Some(name), email.as_ref()].into_iter().flatten().for_each(|text| keep(*person, text));
                people.insert(
                    *person,
                    Person {
                        id: *person,
                        handle: handle.clone(),
                        name: name.clone(),
                        email: email.clone(),
                        admin: *admin,
                        active: true,
                        standing: Standing::Member,
                    },
                );
            }
            DirectoryEvent::GuestAdded { person, handle, name, incident } => {
                [handle, name].into_iter().for_each(|text| keep(*person, text));
                let (handle, name, standing) = (handle.clone(), name.clone(), Standing::Guest(*incident));
                let guest = Person { id: *person, handle, name, email: None, admin: false, active: true, standing };
                people.insert(*person, guest);
            }
            DirectoryEvent::ScriptedAdded { person, handle, name, part } => {
                let (handle, name, standing) = (handle.clone(), name.clone(), Standing::Scripted(*part));
                let one = Person { id: *person, handle, name, email: None, admin: false, active: true, standing };
                people.insert(*person, one);
            }
            DirectoryEvent::PersonChanged { person, handle, name, email, admin } => {
                [handle, name, email].into_iter().flatten().for_each(|text| keep(*person, text));
                let Some(known) = people.get_mut(person) else { return };
                known.handle = handle.clone().unwrap_or_else(|| known.handle.clone());
                known.name = name.clone().unwrap_or_else(|| known.name.clone());
                known.email = email.clone().or_else(|| known.email.take());
                known.admin = admin.unwrap_or(known.admin);
            }
            DirectoryEvent::PersonDeactivated { person } | DirectoryEvent::PersonActivated { person } => {
                if let Some(known) = people.get_mut(person) {
                    known.active = matches!(event, DirectoryEvent::PersonActivated { .. });
                }
            }
            DirectoryEvent::PersonForgotten { person, .. } => {
                if let Some(known) = people.get_mut(person) {
                    let gone = |text: &Text| text.seal().map_or_else(|| text.clone(), |seal| Text::Redacted { seal });
                    known.handle = gone(&known.handle);
                    known.name = gone(&known.name);
                    known.email = known.email.as_ref().map(gone);
                    known.active = false;
                    known.admin = false;
                }
            }
            _ => {}
        }
    }
}
