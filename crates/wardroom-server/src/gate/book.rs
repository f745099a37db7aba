//! The book of the gate: every incident that holds a service, by the services.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Notify;
use wardroom_core::change::Change;
use wardroom_core::facts::Facts;
use wardroom_core::gate::{Ending, Found, Unread};
use wardroom_core::id::{Number, PersonId, ServiceName, Time};
use wardroom_core::incident::Incident;
use wardroom_core::matching::{Matching, Object};

use crate::streams::Held;

/// Nothing was read yet.
const NEVER: i64 = i64::MIN;

/// What the gate decides by.
#[derive(Debug)]
pub struct Book {
    pages: RwLock<Pages>,
    /// When it was last known to be all that the log has, in microseconds.
    confirmed_at: AtomicI64,
    /// Told whenever that is so anew.
    confirmed: Notify,
    /// Told when somebody waits for that.
    wanted: Notify,
}

#[derive(Debug, Default)]
struct Pages {
    known: BTreeMap<Number, Known>,
    by_service: HashMap<ServiceName, BTreeSet<Number>>,
    facts: Facts,
    /// Which objects of a cluster belong to which service.
    matching: Vec<(ServiceName, Matching)>,
    /// People by their handle, and by their address in lower case. Two who have the same address are nobody by it.
    people: HashMap<String, PersonId>,
    /// Incidents in which something came through the gate, and nobody has said how it went.
    under_way: BTreeSet<Number>,
    /// Incidents that cannot be read, as far as anything is known of them.
    unread: BTreeMap<Number, Unread>,
}

/// An incident as far as the log was read.
#[derive(Debug)]
struct Known {
    seq: u64,
    /// Whether it could not be read since: it goes on as it was, and takes nothing more.
    broken: bool,
    /// While it holds something, or something came through the gate and nobody has said how it went.
    incident: Option<Arc<Incident>>,
    holds: BTreeSet<ServiceName>,
}

/// A change that came through the gate, and nobody has said how it went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnderWay {
    /// In which incident it stands.
    pub incident: Number,
    /// Whether only the invited may know of that incident: where others read along, it is not named.
    pub restricted: bool,
    /// Of which service it is.
    pub service: ServiceName,
    /// Its number there.
    pub change: u32,
}

/// Who would change what.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// Who, if anybody knows them.
    pub person: Option<PersonId>,
    /// Which services.
    pub services: &'a BTreeSet<ServiceName>,
    /// What they would do.
    pub what: &'a str,
    /// To which version they go back, if it is a rollback.
    pub back_to: Option<&'a str>,
    /// When.
    pub now: Time,
}

/// What the book says.
#[derive(Debug, Default)]
pub struct Look {
    /// What stops it, where it is to be recorded, and where nothing can be decided.
    pub found: Found,
    /// Services that nobody knows: not the directory, and no incident.
    pub unknown: Vec<ServiceName>,
    /// Changes as which it came through a moment ago already.
    pub already: Vec<(Number, ServiceName, u32)>,
}

impl Default for Book {
    fn default() -> Self {
        Self {
            pages: RwLock::default(),
            confirmed_at: AtomicI64::new(NEVER),
            confirmed: Notify::new(),
            wanted: Notify::new(),
        }
    }
}

impl Book {
    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Pages> {
        self.pages.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Pages> {
        self.pages.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an incident in as it is now; one that is older than what is known changes nothing.
    pub fn take(&self, held: &Held) {
        self.write().take(held.incident.number, held.tip.seq, &held.incident, false);
    }

    /// Takes in that an incident cannot be read any more. Returns up to which entry it was read here, and what was known of it
    /// then, if it held something: then it goes on as it was. What came since may have it hold more, and one that held nothing
    /// may hold something by now.
    pub fn broke(&self, number: Number) -> Option<(u64, Unread)> {
        let mut pages = self.write();
        let known = pages.known.get_mut(&number)?;
        known.broken = true;
        Some((known.seq, known.incident.as_ref()?.unread()))
    }

    /// Takes in what is known of an incident that was never read here, and cannot be.
    pub fn cannot_read(&self, unread: Unread) {
        let mut pages = self.write();
        if unread.may_hold() {
            pages.unread.insert(unread.number, unread);
        } else {
            pages.unread.remove(&unread.number);
        }
    }

    /// Takes in what is known of an incident that can be read in part, beside what was read: nothing where everything is known
    /// that the gate goes by.
    pub fn reads_in_part(&self, unread: Unread) {
        if unread.is_certain() {
            self.write().unread.remove(&unread.number);
        } else {
            self.cannot_read(unread);
        }
    }

    /// Takes the directory in as it is now.
    pub fn directory(&self, facts: &Facts) {
        self.write().directory(facts);
    }

    /// That it was all that the log had, at a time.
    pub fn confirm(&self, now: Time) {
        self.confirmed_at.fetch_max(now.as_microsecond(), Ordering::Relaxed);
        self.confirmed.notify_waiters();
    }

    /// Waits until it is known to be all that the log had at a time.
    pub async fn confirmed_since(&self, time: Time) {
        loop {
            let confirmed = self.confirmed.notified();
            if self.confirmed_at().is_some_and(|at| at >= time) {
                return;
            }
            self.wanted.notify_one();
            confirmed.await;
        }
    }

    /// Waits until somebody waits for that.
    pub async fn wanted(&self) {
        self.wanted.notified().await;
    }

    /// When it was last known to be all that the log has; nothing before that was so once.
    #[must_use]
    pub fn confirmed_at(&self) -> Option<Time> {
        match self.confirmed_at.load(Ordering::Relaxed) {
            NEVER => None,
            at => Time::from_microsecond(at).ok(),
        }
    }

    /// Every incident that it has anything of.
    #[must_use]
    pub fn numbers(&self) -> Vec<Number> {
        self.read().known.iter().filter(|(_, known)| known.incident.is_some()).map(|(number, _)| *number).collect()
    }

    /// Who is called so, by their handle or their address.
    #[must_use]
    pub fn person(&self, called: &str) -> Option<PersonId> {
        self.read().people.get(&called.trim().to_lowercase()).copied()
    }

    /// An incident that holds something.
    #[must_use]
    pub fn incident(&self, number: Number) -> Option<Arc<Incident>> {
        self.read().known.get(&number)?.incident.clone()
    }

    /// The services that an object of a cluster belongs to, however it is looked at, and those of a namespace that goes with it.
    #[must_use]
    pub fn services_of(&self, seen: &[Object<'_>], gone: Option<&str>) -> BTreeSet<ServiceName> {
        let pages = self.read();
        let fits = |(_, matching): &&(ServiceName, Matching)| {
            seen.iter().any(|object| matching.fits(object)) || gone.is_some_and(|space| matching.is_within(space))
        };
        pages.matching.iter().filter(fits).map(|(name, _)| name.clone()).collect()
    }

    /// What somebody came through the gate with, in these words, and nobody has said how it went: whatever they may know of
    /// by now, it was theirs.
    #[must_use]
    pub fn passes_under_way(&self, person: PersonId, ending: &Ending) -> Vec<UnderWay> {
        let pages = self.read();
        let incidents = pages.under_way.iter().filter_map(|number| pages.known.get(number)?.incident.as_ref());
        let of = |incident: &Arc<Incident>| {
            let changes = incident.passes_under_way(person, &ending.services, ending.what.as_str());
            let under_way = |change: &Change| UnderWay {
                incident: incident.number,
                restricted: incident.restricted,
                service: change.service.clone(),
                change: change.id,
            };
            changes.map(under_way).collect::<Vec<_>>()
        };
        incidents.flat_map(of).collect()
    }

    /// The incidents that hold a service.
    #[must_use]
    pub fn holding(&self, service: &ServiceName) -> Vec<Arc<Incident>> {
        let pages = self.read();
        let numbers = pages.by_service.get(service).into_iter().flatten();
        numbers.filter_map(|number| pages.known.get(number)?.incident.clone()).collect()
    }

    /// Every service that is held.
    #[must_use]
    pub fn held(&self) -> Vec<ServiceName> {
        self.read().by_service.keys().cloned().collect()
    }

    /// Whether anybody knows a service whom somebody may know of.
    #[must_use]
    pub fn knows(&self, person: Option<PersonId>, service: &ServiceName) -> bool {
        self.read().knows(person, service)
    }

    /// Looks at somebody who would change something.
    #[must_use]
    pub fn look(&self, asking: Asking<'_>) -> Look {
        let Asking { person, services, what, back_to, now } = asking;
        let (pages, mut look) = (self.read(), Look::default());
        for service in services {
            let numbers = pages.by_service.get(service);
            if !pages.knows(person, service) {
                look.unknown.push(service.clone());
            }
            for number in numbers.into_iter().flatten() {
                let Some(incident) = pages.known.get(number).and_then(|known| known.incident.as_ref()) else {
                    continue;
                };
                incident.look(person, service, back_to, &pages.facts, now, &mut look.found);
            }
        }
        let Look { found, already, .. } = &mut look;
        let came = |number: &Number, service: &ServiceName| {
            pages.known.get(number)?.incident.as_ref()?.passed_already(person?, service, what, now)
        };
        found.passes.retain(|(number, service)| {
            let change = came(number, service);
            already.extend(change.map(|change| (*number, service.clone(), change)));
            change.is_none()
        });
        found.doubt(|number, service| {
            let known = pages.known.get(&number)?;
            known.incident.as_ref()?.doubt(person, service, &pages.facts, known.broken)
        });
        // After what is known: that can be named.
        let all = services.iter().flat_map(|service| pages.unread.values().map(move |unread| (unread, service)));
        found.doubts.extend(all.filter_map(|(unread, service)| unread.look(person, service, &pages.facts)));
        found.fill(|number, service, many| {
            let incident = pages.known.get(&number)?.incident.as_ref()?;
            // A line of what stands there needs no room.
            let stands = person.is_some_and(|person| incident.has_it_under_way(person, service, now));
            if stands { None } else { incident.full(person, service, &pages.facts, many) }
        });
        look
    }
}

/// By what people are called. Whoever left is called so as long as nobody else is.
fn called(facts: &Facts) -> HashMap<String, PersonId> {
    let mut by_address: HashMap<String, Option<PersonId>> = HashMap::new();
    let mut people: Vec<_> = facts.people.values().collect();
    people.sort_by_key(|person| !facts.active(person.id));
    for person in &people {
        let Some(address) = person.email.as_ref().and_then(|email| email.words()) else { continue };
        let known = by_address.entry(address.to_lowercase());
        known
            .and_modify(|first| {
                let both = first.is_none_or(|first| facts.active(first) == facts.active(person.id));
                *first = first.filter(|_| !both);
            })
            .or_insert(Some(person.id));
    }
    let by_handle = people.iter().filter_map(|person| Some((person.handle.words()?.to_lowercase(), person.id)));
    by_address.into_iter().filter_map(|(address, person)| Some((address, person?))).chain(by_handle).collect()
}

impl Pages {
    /// Whether the directory knows a service, or an incident of which somebody may know: another one is no reason to know a
    /// name.
    fn knows(&self, person: Option<PersonId>, service: &ServiceName) -> bool {
        let told = |number: &Number| {
            let incident = self.known.get(number).and_then(|known| known.incident.as_ref());
            incident.is_some_and(|incident| incident.gate_tells(person, &self.facts))
        };
        self.by_service.get(service).into_iter().flatten().any(told) || self.facts.services.contains_key(service)
    }

    fn take(&mut self, number: Number, seq: u64, incident: &Arc<Incident>, broken: bool) {
        if self.known.get(&number).is_some_and(|known| known.seq > seq) {
            return;
        }
        // What cannot be read of it is told by whoever keeps this.
        if incident.unreadable.is_none() {
            self.unread.remove(&number);
        }
        let holds = incident.held_services(&self.facts);
        let waits = incident.has_passes_under_way();
        match waits {
            true => self.under_way.insert(number),
            false => self.under_way.remove(&number),
        };
        let incident = (waits || !holds.is_empty()).then(|| Arc::clone(incident));
        let before = self.known.insert(number, Known { seq, broken, incident, holds: holds.clone() });
        let before = before.map(|known| known.holds).unwrap_or_default();
        for service in before.difference(&holds) {
            if let Some(numbers) = self.by_service.get_mut(service) {
                numbers.remove(&number);
                if numbers.is_empty() {
                    self.by_service.remove(service);
                }
            }
        }
        for service in holds.difference(&before) {
            self.by_service.entry(service.clone()).or_default().insert(number);
        }
    }

    fn directory(&mut self, facts: &Facts) {
        let people = !Arc::ptr_eq(&self.facts.people, &facts.people);
        let services = !Arc::ptr_eq(&self.facts.services, &facts.services);
        self.facts = facts.clone();
        if people {
            self.people = called(facts);
        }
        if services {
            let rules = facts.services.iter();
            self.matching = rules.filter_map(|(name, known)| Some((name.clone(), known.matching.clone()?))).collect();
            let known: Vec<_> = self
                .known
                .iter()
                .filter_map(|(number, known)| Some((*number, known.seq, known.incident.clone()?, known.broken)))
                .collect();
            known.iter().for_each(|(number, seq, incident, broken)| self.take(*number, *seq, incident, *broken));
        }
    }
}
