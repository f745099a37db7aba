//! Changes in every history: what differs from normal is booked a second time from the events alone, nothing is closed
//! over it, whoever tells of a change is heard, and what a surface shows somebody as theirs to do is what deciding accepts.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use wardroom_core::change::{Change, ChangeAct, ChangePassed, ChangeState, NewChange, Outcome, SentBack};
use wardroom_core::command::Command;
use wardroom_core::event::{Event, Recorded};
use wardroom_core::gate::PASSES_MAX;
use wardroom_core::id::{Actor, Number, PersonId, Time};
use wardroom_core::incident::{Asking, Incident, Kind, Phase};
use wardroom_core::merge::Absorbed;
use wardroom_core::refusal::Code;
use wardroom_core::said::Aspect;

use crate::hands::Hands;
use crate::harness::{person, words};
use crate::hold_on;
use crate::steps::{PEOPLE, changed};
use crate::world::{Answer, Moment, Verdict, Watch};

/// What differs, and what operations have to sort, by the events alone.
#[derive(Default)]
struct Book {
    differs: BTreeSet<u32>,
    announced: BTreeSet<u32>,
    unsorted: BTreeSet<u32>,
    permissions: Vec<Permitted>,
    hands: Hands,
}

/// A permission, by the events alone: all of these are for the one service that there is.
struct Permitted {
    id: u32,
    person: PersonId,
    since: Time,
    until: Time,
    glass: bool,
}

/// A book for each incident, and what was seen to happen: a property says nothing about what never does.
#[derive(Default)]
struct Changes {
    books: BTreeMap<Number, Book>,
    seen: BTreeSet<String>,
}

impl Book {
    fn permit(&mut self, recorded: &Recorded) {
        let since = recorded.at;
        match &recorded.event {
            Event::PermissionGranted { permission, person, until, .. } => {
                self.permissions.push(Permitted {
                    id: *permission,
                    person: *person,
                    since,
                    until: *until,
                    glass: false,
                });
            }
            Event::GlassBroken { permission, by, until, .. } => {
                self.permissions.push(Permitted { id: *permission, person: *by, since, until: *until, glass: true });
            }
            Event::PermissionEnded { permission, .. } => {
                let ended = self.permissions.iter_mut().filter(|known| known.id == *permission);
                ended.for_each(|known| known.until = since);
            }
            Event::Left { person } | Event::GuestGone { person, .. } => {
                let theirs = self.permissions.iter_mut().filter(|known| known.person == *person);
                theirs.for_each(|known| known.until = known.until.min(since));
            }
            Event::Closed { .. } => {
                self.permissions.iter_mut().for_each(|known| known.until = known.until.min(since));
            }
            _ => {}
        }
    }

    fn permits(&self, person: PersonId, at: Time, glass: bool) -> bool {
        let theirs = |known: &&Permitted| known.person == person && known.since <= at && at < known.until;
        self.permissions.iter().filter(theirs).any(|known| known.glass == glass)
    }

    fn take(&mut self, event: &Event) {
        match event {
            Event::ChangeRecorded(new) => {
                let into = if new.state == ChangeState::Announced { &mut self.announced } else { &mut self.differs };
                into.insert(new.change);
                if new.uncoordinated {
                    self.unsorted.insert(new.change);
                }
            }
            Event::Absorbed(Absorbed { changes, .. }) => {
                for change in changes {
                    let into = if change.is_announced() { &mut self.announced } else { &mut self.differs };
                    into.insert(change.id);
                    if change.is_unsorted() {
                        self.unsorted.insert(change.id);
                    }
                }
            }
            // What was announced over broken glass is still to be sorted once it is done.
            Event::ChangeDone(step) | Event::ChangeDiffersAgain(step) => {
                self.announced.remove(&step.change);
                self.differs.insert(step.change);
            }
            Event::ChangeFailed(step)
            | Event::ChangeDropped(step)
            | Event::ChangeReverted(step)
            | Event::ChangeAdopted(step)
            | Event::ChangeDismissed(step) => self.settle(step.change),
            Event::ChangeHandedOn(told) => self.settle(told.change),
            Event::ChangeTakenIn(step) => {
                self.unsorted.remove(&step.change);
            }
            Event::MergedInto { .. } => *self = Self { hands: std::mem::take(&mut self.hands), ..Self::default() },
            _ => {}
        }
    }

    fn settle(&mut self, change: u32) {
        self.differs.remove(&change);
        self.announced.remove(&change);
        self.unsorted.remove(&change);
    }

    fn compare(&self, incident: &Incident) -> Verdict {
        let those = |is: fn(&Change) -> bool| -> BTreeSet<u32> {
            incident.changes.iter().filter(|change| is(change)).map(|change| change.id).collect()
        };
        let differing: BTreeSet<u32> =
            incident.differing().iter().flat_map(|one| one.changes.iter().map(|change| change.id)).collect();
        let right = those(Change::differs) == self.differs
            && those(Change::is_announced) == self.announced
            && those(Change::is_unsorted) == self.unsorted
            && differing == self.differs;
        if right { Ok(()) } else { Err("the ledger of changes says otherwise".to_owned()) }
    }
}

/// Whether somebody holds operations or works in it or under it, or has it because nobody else does.
pub fn of_operations(incident: &Incident, who: PersonId) -> bool {
    let at_work = incident.roles.iter().any(|(path, role)| {
        (path.to_string() == "operations" || path.to_string().starts_with("operations/"))
            && (role.members.contains(&who) || incident.holder(path) == Some(who))
    });
    let root = |name: &str| incident.holder(&name.parse().expect("a role"));
    at_work || root("operations").or_else(|| root("command")) == Some(who)
}

/// Whether somebody is believed who made a change that they write down: of operations, of planning, and command.
fn is_believed(incident: &Incident, who: PersonId) -> bool {
    let root = |name: &str| incident.holder(&name.parse().expect("a role"));
    let plans = incident.roles.iter().any(|(path, role)| {
        path.to_string().starts_with("planning") && (role.members.contains(&who) || incident.holder(path) == Some(who))
    });
    plans || of_operations(incident, who) || root("command") == Some(who)
}

/// What does it, by somebody who has read what stands there.
fn on_change(act: ChangeAct, known: &Change) -> Command {
    let (change, said) = (known.id, |aspect| known.said.entry(aspect));
    let confirm = |outcome| Command::ConfirmChange { change, outcome, note: None, evidence: None, happened_at: None };
    match act {
        ChangeAct::Done => confirm(Outcome::Done),
        ChangeAct::Failed => confirm(Outcome::Failed),
        ChangeAct::Drop => confirm(Outcome::Dropped),
        ChangeAct::Correct => {
            let what = Some("never said".parse().expect("a good line"));
            let replaces = said(Aspect::Text).expect("somebody said it");
            Command::CorrectChange { change, service: None, what, why: None, how: None, replaces }
        }
        ChangeAct::SayWayBack => {
            Command::SayWayBack { change, back: Some(words("never said")), replaces: said(Aspect::WayBack) }
        }
        ChangeAct::Revert => Command::RevertChange { change, note: None, evidence: None, happened_at: None },
        ChangeAct::Adopt => Command::AdoptChange { change, reason: words("it is better so") },
        ChangeAct::HandOn => {
            Command::HandOnChange { change, bug: "https://never.example.org".parse().expect("a good line") }
        }
        ChangeAct::DiffersAgain => Command::DiffersAgain { change, reason: None },
        ChangeAct::TakeIn => Command::TakeInChange { change },
        ChangeAct::Dismiss => Command::DismissChange { change, reason: None },
    }
}

impl Changes {
    /// What came through the gate stands as a line of what whoever came announced by hand there and has under way, and only
    /// there: outside operations only of what was announced so.
    fn passed(&mut self, before: &Incident, told: &ChangePassed, at: Time) -> Verdict {
        let book = &self.books[&before.number];
        let outside = !of_operations(before, told.by) && !book.permits(told.by, at, false);
        let known = before.changes.iter().find(|change| change.id == told.change).expect("it is in the ledger");
        let right = known.by == told.by && known.through.is_none() && book.announced.contains(&told.change);
        let once = known.passed.iter().all(|line| line.what.words() != told.what.words());
        self.seen.insert(format!("a line, uncoordinated: {outside}"));
        if right && once && outside == book.unsorted.contains(&told.change) && known.passed.len() < PASSES_MAX {
            return Ok(());
        }
        Err(format!("outside: {outside}, and it is a line of {known:?}"))
    }

    /// What a cluster let through as part of a change that is said to have changed nothing.
    fn left(&mut self, before: &Incident, new: &NewChange) -> Verdict {
        let is_line = |known: &&Change| {
            let line = known.passed.iter().find(|line| line.what.words() == new.what.words());
            known.by == new.by && line.is_some_and(|line| line.done && Some(line.at) == new.happened_at)
        };
        // Said to be none of this incident it was only announced by then; which of the two it was is not known any more.
        let nothing = |known: &&Change| {
            matches!(known.stands.state, ChangeState::Failed | ChangeState::Dropped | ChangeState::Dismissed)
        };
        self.seen.insert("left by what failed".to_owned());
        let right = before.changes.iter().filter(nothing).any(|known| is_line(&known));
        if right { Ok(()) } else { Err(format!("left by nothing: {new:?}")) }
    }

    fn recorded(&mut self, before: &Incident, new: &NewChange, at: Time) -> Verdict {
        if new.through.is_some() && new.happened_at.is_some() {
            return self.left(before, new);
        }
        let book = &self.books[&before.number];
        // What was seen is taken in by whoever has operations now; of all else it counts who had them then.
        let late = new.happened_at.filter(|_| new.seen.is_none());
        let at = late.unwrap_or(at);
        let maker = new.made_by.unwrap_or(new.by);
        let of_operations = book.hands.were(before, maker, at);
        let believed = new.made_by.is_none() || is_believed(before, new.by);
        let outside = !believed || (!of_operations && !book.permits(maker, at, false));
        if new.made_by.is_some() {
            self.seen.insert(format!("for another, believed: {believed}, uncoordinated: {outside}"));
        }
        if late.is_some() {
            let now = crate::changes::of_operations(before, maker);
            self.seen.insert(format!("told late, of operations then: {of_operations}, now: {now}"));
        }
        let glass = book.permits(new.by, at, true);
        let permitted = !outside && !of_operations;
        if permitted || new.through.is_some() {
            self.seen.insert(format!("permitted: {permitted}, through the gate: {}", new.through.is_some()));
        }
        self.seen.insert(format!("recorded, uncoordinated: {outside}"));
        if new.uncoordinated != outside {
            return Err(format!("uncoordinated: {}, from outside operations: {outside}", new.uncoordinated));
        }
        if outside && new.state == ChangeState::Announced {
            self.seen.insert("announced over broken glass".to_owned());
        }
        if outside && !glass && (new.state == ChangeState::Announced || new.through.is_some()) {
            return Err("announced, or through the gate, from outside operations".to_owned());
        }
        Ok(())
    }

    fn shown(&mut self, moment: &Moment<'_>) -> Verdict {
        let who = person(u8::try_from(moment.recorded.entry.0 % u64::from(PEOPLE)).expect("there are few"));
        let (actor, now) = (Actor::Person(who), moment.recorded.at);
        let ask = Asking { actor, now, facts: moment.facts, cited: None, other: None, document: None };
        for change in &moment.after.changes {
            let may = moment.after.may_with_change(&ask, change);
            for act in ChangeAct::ALL {
                let answer = moment.after.decide(&ask, on_change(act, change));
                if answer.is_ok() != may.contains(&act) {
                    return Err(format!("{act:?} of {change:?} is shown: {}, and is {answer:?}", may.contains(&act)));
                }
                if answer.is_ok() {
                    self.seen.insert(format!("{act:?}"));
                }
            }
        }
        Ok(())
    }
}

impl Watch for Changes {
    fn entry(&mut self, moment: &Moment<'_>) -> Verdict {
        let (before, after) = (moment.before, moment.after);
        if moment.recorded.entry.0 == 2 {
            self.books.insert(after.number, Book { hands: Hands::of(before), ..Book::default() });
        }
        match &moment.recorded.event {
            Event::ChangeRecorded(new) => self.recorded(before, new, moment.recorded.at)?,
            Event::ChangePassed(told) => self.passed(before, told, moment.recorded.at)?,
            Event::Closed { .. } if before.changes.iter().any(Change::is_open) => {
                return Err("closed over what differs from normal".to_owned());
            }
            Event::SentBack(SentBack { commander, .. }) => {
                let last = before.last_commander.filter(|last| before.responders.contains_key(last));
                let last = last.filter(|last| moment.facts.active(*last));
                let right = before.phase == Phase::Closed && after.phase == Phase::Resolved;
                if !right || last.is_some_and(|last| last != *commander) {
                    return Err("sent back to somebody else".to_owned());
                }
                self.seen.insert("sent back".to_owned());
            }
            _ => {}
        }
        let book = self.books.entry(after.number).or_default();
        book.take(&moment.recorded.event);
        book.permit(moment.recorded);
        book.hands.note(moment.recorded, after);
        book.compare(after)?;
        self.shown(moment)
    }

    /// The truth is never refused: not by phase, not by role, not to whoever has not joined.
    fn answer(&mut self, Answer { incident, ask, command, answer }: &Answer<'_>) -> Verdict {
        let Command::RecordChange { .. } = command else { return Ok(()) };
        match answer {
            Ok(decision) => {
                let sent_back = decision.here.iter().any(|event| matches!(event, Event::SentBack(_)));
                let right = sent_back == (incident.phase == Phase::Closed);
                if right { Ok(()) } else { Err(format!("sent back: {sent_back}")) }
            }
            Err(refusal) => {
                let gone = incident.phase == Phase::Merged && refusal.code == Code::WrongPhase;
                let unseen = matches!(refusal.code, Code::NoSuchIncident | Code::NotActive);
                self.seen.insert(format!("{:?}", refusal.code));
                if gone || unseen { Ok(()) } else { Err(format!("{:?} was not heard: {refusal}", ask.actor)) }
            }
        }
    }
}

#[test]
fn what_differs_is_what_was_done_and_nothing_is_closed_over_it() {
    let changes = RefCell::new(Changes::default());
    hold_on([Kind::Incident, Kind::Planned], changed(), &changes);
    let seen = &changes.borrow().seen;
    let acts = ChangeAct::ALL.map(|act| format!("{act:?}"));
    let rest = [
        "recorded, uncoordinated: true",
        "recorded, uncoordinated: false",
        "permitted: true, through the gate: false",
        "permitted: true, through the gate: true",
        "permitted: false, through the gate: true",
        "announced over broken glass",
        "a line, uncoordinated: true",
        "a line, uncoordinated: false",
        "left by what failed",
        "told late, of operations then: true, now: true",
        "told late, of operations then: true, now: false",
        "told late, of operations then: false, now: true",
        "told late, of operations then: false, now: false",
        "sent back",
        "for another, believed: true, uncoordinated: false",
        "for another, believed: true, uncoordinated: true",
        "for another, believed: false, uncoordinated: true",
    ];
    let rest = rest.map(str::to_owned);
    let missing: Vec<_> = acts.iter().chain(&rest).filter(|one| !seen.contains(*one)).collect();
    assert!(missing.is_empty(), "never happened: {missing:?}");
}
