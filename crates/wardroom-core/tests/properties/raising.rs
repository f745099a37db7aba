//! Who is called for a change that was seen, in every history, a second time and from the events alone: every one that was
//! made after the declaration, at a service that the incident holds, by nobody of operations or with their permission, and
//! that is none of the ledger. And no other: not what was made while the incident was resolved, and held nothing.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use jiff::ToSpan;
use uuid::Uuid;
use wardroom_core::change::{Change, ChangeState, Coordination, NewChange};
use wardroom_core::event::{Event, Recorded};
use wardroom_core::id::{Number, PersonId, ServiceName, Time};
use wardroom_core::incident::{Incident, Kind, Phase};
use wardroom_core::merge::Absorbed;
use wardroom_core::sighting::{Seen, Stage};

use crate::changes::of_operations;
use crate::hands::Hands;
use crate::hold_on;
use crate::sightings::sighted;
use crate::world::{Moment, Told, Verdict, Watch};

/// A change of the ledger.
struct Made {
    service: ServiceName,
    /// Who made it, if that is known.
    maker: Option<PersonId>,
    /// Whether it is one of operations, which a robot may have made.
    robots: bool,
    told: Time,
    over: Option<Time>,
    /// It was not made after all, or is none of this incident.
    nothing: bool,
    /// It changed nothing, so that what was done is another.
    failed: bool,
    /// What was made after that is another.
    undone: Option<Time>,
    seen: bool,
}

/// A permission that operations gave.
struct Permitted {
    person: PersonId,
    services: BTreeSet<ServiceName>,
    since: Time,
    until: Time,
}

/// One incident, as far as this needs it.
#[derive(Default)]
struct Book {
    declared: Option<Time>,
    open: bool,
    resolved: Option<Time>,
    /// Times at which it was resolved, and that are over.
    restored: Vec<Range<Time>>,
    services: BTreeSet<ServiceName>,
    ledger: BTreeMap<u32, Made>,
    permissions: BTreeMap<u32, Permitted>,
    known: BTreeSet<Uuid>,
    hands: Hands,
}

#[derive(Default)]
struct Raising {
    books: BTreeMap<Number, Book>,
    happened: BTreeSet<&'static str>,
}

/// Who was told of what does not change what was made.
fn from_new(new: &NewChange, at: Time) -> Made {
    let over = (new.state == ChangeState::Done).then(|| new.happened_at.unwrap_or(at));
    let (service, maker) = (new.service.clone(), new.seen.map_or(Some(new.made_by.unwrap_or(new.by)), |seen| seen.by));
    Made {
        service,
        maker,
        robots: !new.uncoordinated && new.seen.is_none(),
        told: at,
        over,
        nothing: false,
        failed: false,
        undone: None,
        seen: false,
    }
}

fn from_other(change: &Change) -> Made {
    let over = change.done_at;
    let (service, maker) = (
        change.service.clone(),
        change.maker.as_ref().map_or(Some(change.made_by.unwrap_or(change.by)), |maker| maker.person),
    );
    let robots = change.coordination == Coordination::ByOperations && change.maker.is_none();
    let failed = change.stands.state == ChangeState::Failed;
    let undone = (change.stands.state == ChangeState::Reverted).then_some(change.stands.at);
    Made { service, maker, robots, told: change.at, over, nothing: false, failed, undone, seen: false }
}

impl Book {
    fn take(&mut self, recorded: &Recorded) {
        let at = recorded.at;
        match &recorded.event {
            Event::Opened { phase, services, .. } => {
                self.phase(*phase, at);
                self.services.clone_from(services);
            }
            Event::Declared { .. } => self.phase(Phase::Active, at),
            Event::PhaseSet { to, .. } => self.phase(*to, at),
            Event::Reopened { .. } => self.phase(Phase::Active, at),
            Event::Closed { .. } => {
                self.open = false;
                self.resolved.get_or_insert(at);
                self.permissions.values_mut().for_each(|known| known.until = known.until.min(at));
            }
            Event::SentBack(_) => {
                self.open = true;
                self.declared.get_or_insert(at);
            }
            Event::MergedInto { .. } => self.open = false,
            Event::ServicesSet { services, .. } => self.services.clone_from(services),
            Event::Absorbed(Absorbed { services, changes, sightings, .. }) => {
                self.services.extend(services.iter().cloned());
                self.ledger.extend(changes.iter().map(|change| (change.id, from_other(change))));
                self.known.extend(sightings.iter().map(|seen| seen.key));
            }
            Event::PermissionGranted { permission, person, services, until, .. } => {
                let (services, until) = (services.clone(), *until);
                self.permissions.insert(*permission, Permitted { person: *person, services, since: at, until });
            }
            Event::PermissionEnded { permission, .. } => {
                self.permissions.get_mut(permission).into_iter().for_each(|known| known.until = at);
            }
            Event::Left { person } | Event::GuestGone { person, .. } => {
                let theirs = self.permissions.values_mut().filter(|known| known.person == *person);
                theirs.for_each(|known| known.until = known.until.min(at));
            }
            Event::ChangeSeen(seen) => {
                self.known.insert(seen.key);
                self.with(seen.change, |made| made.seen = true);
            }
            Event::SightingTakenIn { change, .. } => self.with(Some(*change), |made| made.seen = true),
            Event::SightingJudged { was, change, .. } => {
                self.with(*was, |made| made.seen = false);
                self.with(*change, |made| made.seen = true);
            }
            event => self.change(event, at),
        }
    }

    fn phase(&mut self, phase: Phase, at: Time) {
        self.open = true;
        if phase == Phase::Resolved {
            self.resolved = Some(at);
        } else {
            self.restored.extend(self.resolved.take().map(|since| since..at));
        }
        if phase != Phase::Investigating {
            self.declared.get_or_insert(at);
        }
    }

    fn change(&mut self, event: &Event, at: Time) {
        match event {
            Event::ChangeRecorded(new) => {
                self.ledger.insert(new.change, from_new(new, at));
            }
            Event::ChangeCorrected(told) => self.with(Some(told.change), |made| made.service.clone_from(&told.service)),
            Event::ChangeDone(step) | Event::ChangeDiffersAgain(step) | Event::ChangeFailed(step) => {
                self.with(Some(step.change), |made| {
                    (made.over, made.nothing) = (Some(step.happened_at.unwrap_or(at)), false);
                    (made.failed, made.undone) = (matches!(event, Event::ChangeFailed(_)), None);
                });
            }
            Event::ChangeReverted(step) => {
                self.with(Some(step.change), |made| made.undone = Some(step.happened_at.unwrap_or(at)));
            }
            Event::ChangeDropped(step) | Event::ChangeDismissed(step) => {
                self.with(Some(step.change), |made| made.nothing = true);
            }
            _ => {}
        }
    }

    fn with(&mut self, change: Option<u32>, then: impl FnOnce(&mut Made)) {
        if let Some(made) = change.and_then(|change| self.ledger.get_mut(&change)) {
            then(made);
        }
    }

    /// Whether commander and operations are to be called for it.
    fn raises(&self, incident: &Incident, seen: &Seen, now: Time) -> Result<(), &'static str> {
        let at = seen.at.min(now);
        if self.known.contains(&seen.key) {
            return Err("it is known");
        }
        if !self.open || !self.services.contains(&seen.service) {
            return Err("nobody holds its service");
        }
        if self.resolved.is_some_and(|resolved| resolved <= at) {
            return Err("made after it was resolved");
        }
        if self.declared.is_none_or(|declared| at < declared) {
            return Err("made before the declaration");
        }
        if self.restored.iter().any(|known| known.contains(&at)) {
            return Err("made while it was resolved, before it went on");
        }
        if seen.person.is_some_and(|person| self.hands.were(incident, person, at)) {
            let now = of_operations(incident, seen.person.expect("asked"));
            return Err(if now { "of operations" } else { "of operations then" });
        }
        let permits = |known: &Permitted| {
            seen.person == Some(known.person)
                && known.services.contains(&seen.service)
                && (known.since..known.until).contains(&at)
        };
        if self.permissions.values().any(permits) {
            return Err("permitted");
        }
        if self.ledger.values().any(|made| made.is(seen, at)) { Err("of the ledger") } else { Ok(()) }
    }
}

impl Made {
    fn is(&self, seen: &Seen, at: Time) -> bool {
        let ten = 10.minutes();
        let theirs = if seen.person.is_none() { self.robots } else { seen.person == self.maker };
        let soon = self.told - ten <= at && at <= self.told + 60.minutes();
        let when = match self.over {
            None => soon,
            Some(over) if over < self.told => over - ten <= at && at <= over + ten,
            Some(over) => at <= over + ten && (soon || over - ten <= at),
        };
        let other = self.failed && seen.stage == Stage::Done || self.undone.is_some_and(|undone| undone < at);
        self.service == seen.service && theirs && when && !other && !self.nothing && !self.seen
    }
}

impl Raising {
    /// The book of an incident. Nobody looks on at the first entry: it is as the state says then, in every history anew.
    fn book(&mut self, incident: &Incident) -> &mut Book {
        let book = self.books.entry(incident.number).or_default();
        if incident.last_entry.0 == 1 {
            *book = Book { services: incident.services.clone(), hands: Hands::of(incident), ..Book::default() };
            book.phase(incident.phase, incident.last_at);
        }
        book
    }
}

impl Watch for Raising {
    fn entry(&mut self, moment: &Moment<'_>) -> Verdict {
        let book = self.book(moment.before);
        book.take(moment.recorded);
        book.hands.note(moment.recorded, moment.after);
        Ok(())
    }

    fn told(&mut self, told: &Told<'_>) -> Verdict {
        let Told { incident, seen, answer, .. } = told;
        let now = told.now.max(incident.last_at);
        let decided = answer.as_ref().ok().and_then(|decision| decision.here.first());
        let raised = matches!(decided, Some(Event::ChangeSeen(seen)) if seen.uncoordinated);
        let expected = self.book(incident).raises(incident, seen, now);
        self.happened.insert(expected.err().unwrap_or("raised"));
        if expected.is_ok() && seen.person.is_some_and(|person| of_operations(incident, person)) {
            self.happened.insert("raised, and of operations by now");
        }
        if expected.is_ok() && incident.phase == Phase::Resolved {
            self.happened.insert("raised, though resolved by now");
        }
        match expected {
            Ok(()) if !raised => Err(format!("nobody is called for {seen:?}: {answer:?}")),
            Err(why) if raised => Err(format!("somebody is called for {seen:?}, which is not to be: {why}")),
            _ => Ok(()),
        }
    }
}

#[test]
fn whoever_has_to_sort_what_was_seen_is_called_for_it_and_for_nothing_else() {
    let raising = RefCell::new(Raising::default());
    hold_on([Kind::Incident, Kind::Incident], sighted(), &raising);
    let all = [
        "raised",
        "it is known",
        "nobody holds its service",
        "made before the declaration",
        "raised, and of operations by now",
        "raised, though resolved by now",
        "made after it was resolved",
        "made while it was resolved, before it went on",
        "of operations",
        "of operations then",
        "of the ledger",
    ];
    let happened = &raising.borrow().happened;
    let missing: Vec<_> = all.iter().filter(|one| !happened.contains(*one)).collect();
    assert!(missing.is_empty(), "never happened: {missing:?}, but {happened:?}");
}
