//! Sightings in every history: what operations have to sort is booked a second time from the events alone, nothing is
//! closed over it, what is told twice is recorded once, and what a surface shows somebody as theirs to do is what deciding
//! accepts.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use uuid::Uuid;
use wardroom_core::change::{Change, ChangeState, Outcome};
use wardroom_core::command::Command;
use wardroom_core::event::Event;
use wardroom_core::id::{Actor, Number, PersonId, Time, Who};
use wardroom_core::incident::{Asking, Incident, Kind, Phase};
use wardroom_core::merge::Absorbed;
use wardroom_core::sighting::{Seen, Sighting, SightingAct, Stage};

use crate::harness::{person, role};
use crate::hold_on;
use crate::steps::{PEOPLE, Speaker, Step, changes, step};
use crate::world::{Moment, Verdict, Watch};

/// The n-th change of one of two services, as another system tells of it.
pub fn seen(nth: u8, stage: Stage, person: Option<PersonId>, at: Time) -> Seen {
    let service = if nth.is_multiple_of(3) { "other" } else { "search" };
    Seen {
        key: Uuid::from_u128(u128::from(nth)),
        service: service.parse().expect("a good name"),
        what: "deploy v12".parse().expect("a good line"),
        who: Some("a robot".parse().expect("a good line")),
        person,
        told_by: None,
        share_used: false,
        source: "a pipeline".parse().expect("a good line"),
        link: None,
        environment: None,
        stage,
        at,
    }
}

/// What another system tells of the second incident, which is declared.
fn told() -> impl Strategy<Value = Step> {
    let stage = prop::sample::select(vec![Stage::Begun, Stage::Failed, Stage::Done]);
    let minutes = prop_oneof![3 => Just(0_i64), 1 => 0..90_i64];
    let all = (0..6_u8, stage, prop::option::of(0..PEOPLE), minutes);
    all.prop_map(|(nth, stage, who, minutes)| Step::Told { stream: 1, nth, stage, who, minutes })
}

/// What is done with what was told, and what it may turn out to be.
fn sorting() -> impl Strategy<Value = Command> {
    let sighting = || 1..7_u32;
    let outcomes = prop::sample::select(vec![Outcome::Done, Outcome::Failed, Outcome::Dropped]);
    let confirm =
        |(change, outcome)| Command::ConfirmChange { change, outcome, note: None, evidence: None, happened_at: None };
    let ends = prop::sample::select(vec![Phase::Mitigated, Phase::Active, Phase::Resolved, Phase::Closed]);
    prop_oneof![
        2 => sighting().prop_map(|sighting| Command::TakeInSighting { sighting }),
        3 => sighting().prop_map(|sighting| Command::DismissSighting { sighting, reason: None }),
        3 => sighting().prop_map(|sighting| Command::AskIn { sighting }),
        3 => prop::collection::btree_set(sighting(), 1..4)
            .prop_map(|sightings| Command::DismissSightings { sightings, reason: None }),
        3 => changes(),
        2 => (1..4_u32, outcomes).prop_map(confirm),
        2 => ends.prop_map(|phase| Command::SetPhase { phase, reason: None }),
    ]
}

/// Somebody comes to operations or goes, and a little later another system tells of what they did a little before.
fn late() -> impl Strategy<Value = Vec<Step>> {
    let all = (0..PEOPLE, 12..24_u8, any::<bool>(), 1..10_i64);
    all.prop_map(|(who, nth, goes, minutes)| {
        let say = |who, command| Step::Say { who, stream: 1, node: 0, behind: 0, command };
        let (role, someone) = (role("operations"), Who::Id(person(who)));
        let (comes, leaves) = (
            Command::AddMember { role: role.clone(), person: someone.clone() },
            Command::ReleaseMember { role, person: someone },
        );
        let (first, then) = if goes { (comes, leaves) } else { (leaves, comes) };
        vec![
            say(Speaker::Person(who), Command::Join {}),
            say(Speaker::Commander, first),
            Step::Advance(300),
            say(Speaker::Commander, then),
            Step::Advance(60),
            Step::Told { stream: 1, nth, stage: Stage::Done, who: Some(who), minutes },
        ]
    })
}

/// A history in which another system tells of changes, and which is closed now and then.
pub fn sighted() -> impl Strategy<Value = Vec<Step>> {
    let who = prop_oneof![4 => Just(Speaker::Commander), 1 => (0..PEOPLE).prop_map(Speaker::Person)];
    let say = (who, sorting()).prop_map(|(who, command)| Step::Say { who, stream: 1, node: 0, behind: 0, command });
    let settled = Just(Step::Say {
        who: Speaker::Commander,
        stream: 1,
        node: 0,
        behind: 0,
        command: Command::SetServices { services: BTreeSet::from(["search".parse().expect("a good name")]) },
    });
    let some = prop_oneof![
        3 => told().prop_map(|step| vec![step]),
        4 => say.prop_map(|step| vec![step]),
        1 => step().prop_map(|step| vec![step]),
        1 => late(),
    ];
    let steps = prop::collection::vec(some, 20..80).prop_map(|steps| steps.concat());
    (settled, steps).prop_map(|(first, steps)| std::iter::once(first).chain(steps).collect())
}

/// What is to be sorted and how far each is, by the events alone.
#[derive(Default)]
struct Book {
    resolved: Option<Time>,
    /// From when to when it was resolved, where it went on again.
    restored: Vec<(Time, Time)>,
    unsorted: BTreeSet<u32>,
    stages: BTreeMap<u32, Stage>,
}

#[derive(Default)]
struct Sightings {
    books: BTreeMap<Number, Book>,
    seen: BTreeSet<String>,
}

impl Book {
    fn take(&mut self, event: &Event) -> Verdict {
        match event {
            Event::ChangeSeen(seen) => {
                if seen.uncoordinated {
                    self.unsorted.insert(seen.sighting);
                }
                if self.stages.insert(seen.sighting, seen.stage).is_some() {
                    return Err("seen twice under one number".to_owned());
                }
            }
            Event::Absorbed(Absorbed { sightings, .. }) => {
                self.unsorted.extend(sightings.iter().map(|seen| seen.sighting));
                self.stages.extend(sightings.iter().map(|seen| (seen.sighting, seen.stage)));
            }
            Event::SightingWent { sighting, stage, .. } => {
                let before = self.stages.insert(*sighting, *stage);
                return if before < Some(*stage) { Ok(()) } else { Err("went back".to_owned()) };
            }
            Event::SightingJudged { sighting, was, change, uncoordinated } => {
                match uncoordinated {
                    true => self.unsorted.insert(*sighting),
                    false => self.unsorted.remove(sighting),
                };
                return if was != change && (change.is_none() || !uncoordinated) {
                    Ok(())
                } else {
                    Err("judged anew as what it was taken for, or as two things".to_owned())
                };
            }
            Event::SightingTakenIn { sighting, .. } | Event::SightingDismissed { sighting, .. } => {
                self.unsorted.remove(sighting);
            }
            Event::SightingsDismissed { sightings, .. } => {
                let all = sightings.len() > 1 && sightings.iter().all(|sighting| self.unsorted.remove(sighting));
                return if all {
                    Ok(())
                } else {
                    Err("dismissed what nobody had to sort, or one as several".to_owned())
                };
            }
            Event::MergedInto { .. } => self.unsorted.clear(),
            _ => {}
        }
        Ok(())
    }

    fn was_restored(&self, at: Time) -> bool {
        self.restored.iter().any(|(since, until)| *since <= at && at < *until)
    }

    fn compare(&self, incident: &Incident) -> Verdict {
        let unsorted = incident.sightings.iter().filter(|known| known.is_unsorted());
        let unsorted: BTreeSet<u32> = unsorted.map(|known| known.seen.sighting).collect();
        let keys: BTreeSet<_> = incident.sightings.iter().map(|known| known.seen.key).collect();
        if unsorted.is_empty() != incident.unsorted_since.is_none() {
            return Err(format!("to sort: {unsorted:?}, since {:?}", incident.unsorted_since));
        }
        if unsorted != self.unsorted {
            return Err(format!("to sort: {unsorted:?}, by the events {:?}", self.unsorted));
        }
        if keys.len() == incident.sightings.len() { Ok(()) } else { Err("one change was seen as two".to_owned()) }
    }
}

/// Nothing hides behind a change that was not made after all. What is said of a change, and what then becomes of what was
/// seen, are entries of one append: it is looked at once the next one begins.
fn nothing_hides(before: &Incident, event: &Event) -> Verdict {
    if matches!(event, Event::SightingJudged { .. } | Event::ChangeRecorded(_) | Event::ChangeDropped(_)) {
        return Ok(());
    }
    let dropped = |change: &Change| change.stands.state == ChangeState::Dropped;
    let hidden = |known: &&Sighting| {
        let change = before.changes.iter().find(|change| known.seen.change == Some(change.id));
        known.sorted.is_none() && change.is_some_and(dropped)
    };
    match before.sightings.iter().find(hidden) {
        Some(known) => Err(format!("taken for what was not made after all: {known:?}")),
        None => Ok(()),
    }
}

impl Sightings {
    fn shown(&mut self, moment: &Moment<'_>) -> Verdict {
        let who = person(u8::try_from(moment.recorded.entry.0 % u64::from(PEOPLE)).expect("there are few"));
        let (actor, now) = (Actor::Person(who), moment.recorded.at);
        let ask = Asking { actor, now, facts: moment.facts, cited: None, other: None, document: None };
        for known in &moment.after.sightings {
            let (sighting, may) = (known.seen.sighting, moment.after.may_with_sighting(&ask, known));
            for act in SightingAct::ALL {
                let command = match act {
                    SightingAct::TakeIn => Command::TakeInSighting { sighting },
                    SightingAct::Dismiss => Command::DismissSighting { sighting, reason: None },
                    SightingAct::AskIn => Command::AskIn { sighting },
                };
                let answer = moment.after.decide(&ask, command);
                if answer.is_ok() != may.contains(&act) {
                    return Err(format!("{act:?} of {known:?} is shown: {}, and is {answer:?}", may.contains(&act)));
                }
                if answer.is_ok() {
                    self.seen.insert(format!("{act:?}"));
                }
            }
        }
        Ok(())
    }
}

impl Watch for Sightings {
    fn entry(&mut self, moment: &Moment<'_>) -> Verdict {
        let (before, after) = (moment.before, moment.after);
        if moment.recorded.entry.0 == 2 {
            self.books.insert(after.number, Book::default());
        }
        match &moment.recorded.event {
            Event::Closed { .. } if before.sightings.iter().any(|known| known.is_unsorted()) => {
                return Err("closed over what was seen and not sorted".to_owned());
            }
            Event::ChangeSeen(seen) => {
                let kind = match (seen.uncoordinated, seen.change) {
                    (true, _) => "uncoordinated",
                    (false, Some(_)) => "of the ledger",
                    (false, None) => "of no matter",
                };
                self.seen.insert(kind.to_owned());
                let ended = self.books[&after.number].resolved.is_some_and(|resolved| resolved <= seen.at);
                if ended || !before.phase.is_open() {
                    return Err("heard of what was made after it was resolved".to_owned());
                }
                if self.books[&after.number].was_restored(seen.at) {
                    self.seen.insert("made while it was resolved".to_owned());
                    if seen.uncoordinated {
                        return Err("uncoordinated, and made while it held no gate".to_owned());
                    }
                }
                if seen.uncoordinated && before.declared_at.is_none_or(|declared| declared > seen.at) {
                    return Err("uncoordinated, and nothing was to be coordinated".to_owned());
                }
            }
            Event::SightingJudged { sighting, was: Some(_), uncoordinated, .. } => {
                let seen = before.sightings.iter().find(|known| known.seen.sighting == *sighting);
                if *uncoordinated && seen.is_some_and(|known| self.books[&after.number].was_restored(known.seen.at)) {
                    return Err("judged uncoordinated, and made while it held no gate".to_owned());
                }
                let kind = if *uncoordinated { "uncoordinated after all" } else { "something else" };
                self.seen.insert(kind.to_owned());
            }
            _ => {}
        }
        nothing_hides(before, &moment.recorded.event)?;
        let book = self.books.entry(after.number).or_default();
        match &moment.recorded.event {
            Event::PhaseSet { to: Phase::Resolved, .. } => book.resolved = Some(moment.recorded.at),
            Event::PhaseSet { .. } | Event::Reopened { .. } => {
                let since = book.resolved.take();
                book.restored.extend(since.map(|since| (since, moment.recorded.at)));
            }
            Event::Closed { .. } => drop(book.resolved.get_or_insert(moment.recorded.at)),
            _ => {}
        }
        book.take(&moment.recorded.event)?;
        book.compare(after)?;
        self.shown(moment)
    }
}

#[test]
fn what_was_seen_is_sorted_before_closing_and_known_once() {
    let sightings = RefCell::new(Sightings::default());
    hold_on([Kind::Incident, Kind::Incident], sighted(), &sightings);
    let seen = &sightings.borrow().seen;
    let acts = SightingAct::ALL.map(|act| format!("{act:?}"));
    let rest = [
        "uncoordinated",
        "of the ledger",
        "of no matter",
        "uncoordinated after all",
        "something else",
        "made while it was resolved",
    ]
    .map(str::to_owned);
    let missing: Vec<_> = acts.iter().chain(&rest).filter(|one| !seen.contains(*one)).collect();
    assert!(missing.is_empty(), "never happened: {missing:?}");
}

#[test]
fn a_drill_hears_of_nothing() {
    struct Nothing;
    impl Watch for Nothing {
        fn entry(&mut self, moment: &Moment<'_>) -> Verdict {
            let heard = matches!(moment.recorded.event, Event::ChangeSeen(_));
            if heard { Err("a drill heard of a real change".to_owned()) } else { Ok(()) }
        }
    }
    hold_on([Kind::Drill, Kind::Drill], sighted(), &RefCell::new(Nothing));
}
