//! Exit criteria and to-dos in every history: nothing is resolved over an open criterion, and what a surface shows
//! somebody as theirs to do is what deciding accepts.

use std::cell::RefCell;
use std::collections::BTreeSet;

use wardroom_core::command::Command;
use wardroom_core::criterion::{Criterion, CriterionAct};
use wardroom_core::event::Event;
use wardroom_core::id::{Actor, Entry, PersonId};
use wardroom_core::incident::{Asking, Decision, Incident, Kind, Phase};
use wardroom_core::refusal::{Code, Refusal};
use wardroom_core::said::{Aspect, LastSaid};
use wardroom_core::text::Line;
use wardroom_core::todo::{Todo, TodoAct};

use crate::harness::{person, words};
use crate::hold_on;
use crate::steps::{PEOPLE, listed};
use crate::world::{Answer, Moment, Verdict, Watch};

/// What was shown and found to be accepted: a property says nothing about what never happens.
#[derive(Default)]
struct Lists(BTreeSet<String>);

fn line(words: &str) -> Line {
    words.parse().expect("a good line")
}

/// What does it, by somebody who has read what stands there. Nobody has these words or this bug yet.
fn on_criterion(act: CriterionAct, known: &Criterion, other: PersonId) -> Command {
    let (criterion, said) = (known.id, |aspect| known.said.entry(aspect));
    match act {
        CriterionAct::Reword => {
            let replaces = said(Aspect::Text).expect("somebody said it");
            Command::RewordCriterion { criterion, text: line("never said"), replaces }
        }
        CriterionAct::Assign => {
            Command::AssignCriterion { criterion, person: Some(other.into()), replaces: said(Aspect::Owner) }
        }
        CriterionAct::Meet => Command::MeetCriterion { criterion },
        CriterionAct::Reopen => Command::ReopenCriterion { criterion, reason: None },
        CriterionAct::Waive => Command::WaiveCriterion { criterion, reason: words("never met") },
        CriterionAct::Link => {
            let bug = Some(line("https://never.example.org"));
            Command::LinkCriterion { criterion, bug, replaces: said(Aspect::Bug) }
        }
    }
}

fn on_todo(act: TodoAct, known: &Todo, who: PersonId, other: PersonId) -> Command {
    let (todo, said) = (known.id, |aspect| known.said.entry(aspect));
    match act {
        TodoAct::Reword => {
            let replaces = said(Aspect::Text).expect("somebody said it");
            Command::RewordTodo { todo, text: line("never said"), replaces }
        }
        TodoAct::Take => Command::AssignTodo { todo, person: Some(who.into()), replaces: said(Aspect::Owner) },
        TodoAct::Assign => Command::AssignTodo { todo, person: Some(other.into()), replaces: said(Aspect::Owner) },
        TodoAct::Finish => Command::FinishTodo { todo },
        TodoAct::Reopen => Command::ReopenTodo { todo },
        TodoAct::Link => {
            Command::LinkTodo { todo, bug: Some(line("https://never.example.org")), replaces: said(Aspect::Bug) }
        }
    }
}

impl Lists {
    fn holds(&mut self, incident: &Incident, ask: &Asking<'_>, act: &str, shown: bool, command: Command) -> Verdict {
        let answer = incident.decide(ask, command);
        // Whom one names can stand in the way, whoever asks.
        let named = act.ends_with("Assign");
        let of_the_named = |code| {
            matches!(code, Code::AlreadySo | Code::NotThere | Code::Inactive | Code::UnknownPerson | Code::NotForGuests)
        };
        match answer {
            Ok(_) if shown => {
                self.0.insert(act.to_owned());
                Ok(())
            }
            Err(refusal) if !shown || (named && of_the_named(refusal.code)) => Ok(()),
            answer => Err(format!("{act} is shown: {shown}, and is {answer:?}")),
        }
    }

    fn shown(&mut self, incident: &Incident, ask: &Asking<'_>, who: PersonId, other: PersonId) -> Verdict {
        for criterion in &incident.criteria {
            let may = incident.may_with_criterion(ask, criterion.id);
            for act in CriterionAct::ALL {
                let command = on_criterion(act, criterion, other);
                self.holds(incident, ask, &format!("criterion: {act:?}"), may.contains(&act), command)?;
            }
        }
        for todo in &incident.todos {
            let may = incident.may_with_todo(ask, todo.id);
            for act in TodoAct::ALL {
                let command = on_todo(act, todo, who, other);
                self.holds(incident, ask, &format!("to-do: {act:?}"), may.contains(&act), command)?;
            }
        }
        let add = Command::AddCriterion { text: line("never said") };
        self.holds(incident, ask, "criterion: add", incident.may_add_criterion(ask), add)?;
        let add = Command::AddTodo { text: line("never said"), person: None, bug: None };
        self.holds(incident, ask, "to-do: add", incident.may_add_todo(ask), add)
    }
}

impl Watch for Lists {
    fn entry(&mut self, moment: &Moment<'_>) -> Verdict {
        let ends = matches!(moment.recorded.event, Event::PhaseSet { to: Phase::Resolved, .. } | Event::Closed { .. });
        if ends && moment.before.criteria.iter().any(|criterion| criterion.is_open()) {
            return Err("an exit criterion was open".to_owned());
        }
        let nth = |n: u64| person(u8::try_from(n % u64::from(PEOPLE)).expect("there are few"));
        let entry = moment.recorded.entry.0;
        let (who, other) = (nth(entry), nth(entry + 1 + entry % 3));
        let (actor, now) = (Actor::Person(who), moment.recorded.at);
        let ask = Asking { actor, now, facts: moment.facts, cited: None, other: None, document: None };
        self.shown(moment.after, &ask, who, other)
    }
}

type Answered = Result<Decision, Refusal>;

/// How often something was replaced that had been read, and something else was not.
#[derive(Default)]
struct Replaced {
    refused: u32,
    replaced: u32,
}

/// What a command would replace: whose, where it was said, and what the asker says that they have read.
fn replaces(incident: &Incident, command: &Command) -> Option<(LastSaid, Aspect, Option<Entry>, bool)> {
    let criterion = |id: &u32| incident.criteria.iter().find(|known| known.id == *id);
    let todo = |id: &u32| incident.todos.iter().find(|known| known.id == *id);
    Some(match command {
        Command::RewordCriterion { criterion: id, replaces, .. } => {
            (criterion(id)?.said.clone(), Aspect::Text, Some(*replaces), true)
        }
        Command::RewordTodo { todo: id, replaces, .. } => (todo(id)?.said.clone(), Aspect::Text, Some(*replaces), true),
        Command::AssignCriterion { criterion: id, replaces, .. } => {
            (criterion(id)?.said.clone(), Aspect::Owner, *replaces, criterion(id)?.owner.is_some())
        }
        Command::AssignTodo { todo: id, replaces, .. } => {
            (todo(id)?.said.clone(), Aspect::Owner, *replaces, todo(id)?.owner.is_some())
        }
        Command::LinkCriterion { criterion: id, replaces, .. } => {
            (criterion(id)?.said.clone(), Aspect::Bug, *replaces, criterion(id)?.bug.is_some())
        }
        Command::LinkTodo { todo: id, replaces, .. } => {
            (todo(id)?.said.clone(), Aspect::Bug, *replaces, todo(id)?.bug.is_some())
        }
        _ => return None,
    })
}

/// The same by somebody who has read nothing of the lists: the first entry opens the incident.
fn unread(mut command: Command) -> Command {
    match &mut command {
        Command::RewordCriterion { replaces, .. } | Command::RewordTodo { replaces, .. } => *replaces = Entry(1),
        Command::AssignCriterion { replaces, .. }
        | Command::AssignTodo { replaces, .. }
        | Command::LinkCriterion { replaces, .. }
        | Command::LinkTodo { replaces, .. } => *replaces = Some(Entry(1)),
        _ => {}
    }
    command
}

impl Replaced {
    fn holds(&mut self, incident: &Incident, ask: &Asking<'_>, command: &Command, answer: &Answered) -> Verdict {
        let Some((said, aspect, read, stands)) = replaces(incident, command) else { return Ok(()) };
        let unread = stands && said.entry(aspect) != read && said.by(aspect) != ask.actor.person();
        match answer {
            Ok(_) if unread => return Err(format!("{command:?} replaced what was not read")),
            Ok(_) => self.replaced += u32::from(stands),
            Err(refusal) if refusal.code == Code::ChangedMeanwhile && !unread => {
                return Err(format!("{command:?} was held back over nothing"));
            }
            Err(refusal) => self.refused += u32::from(refusal.code == Code::ChangedMeanwhile),
        }
        Ok(())
    }
}

impl Watch for Replaced {
    fn entry(&mut self, moment: &Moment<'_>) -> Verdict {
        let incident = moment.after;
        let nth = |n: u64| person(u8::try_from(n % u64::from(PEOPLE)).expect("there are few"));
        let (who, other) = (nth(moment.recorded.entry.0), nth(moment.recorded.entry.0 + 1));
        let (actor, now) = (Actor::Person(who), moment.recorded.at);
        let ask = Asking { actor, now, facts: moment.facts, cited: None, other: None, document: None };
        let criteria = incident.criteria.iter().flat_map(|known| {
            [CriterionAct::Reword, CriterionAct::Assign, CriterionAct::Link].map(|act| on_criterion(act, known, other))
        });
        let todos = incident.todos.iter().flat_map(|known| {
            let acts = [TodoAct::Reword, TodoAct::Take, TodoAct::Assign, TodoAct::Link];
            acts.map(|act| on_todo(act, known, who, other))
        });
        for command in criteria.chain(todos).map(unread) {
            let answer = incident.decide(&ask, command.clone());
            self.holds(incident, &ask, &command, &answer)?;
        }
        Ok(())
    }

    fn answer(&mut self, Answer { incident, ask, command, answer }: &Answer<'_>) -> Verdict {
        self.holds(incident, ask, command, answer)
    }
}

#[test]
fn nothing_of_others_is_replaced_unread() {
    let replaced = RefCell::new(Replaced::default());
    hold_on([Kind::Incident, Kind::Planned], listed(), &replaced);
    let Replaced { refused, replaced } = *replaced.borrow();
    assert!(refused > 20 && replaced > 20, "it hardly ever happened: {refused} refused, {replaced} replaced");
}

#[test]
fn nothing_is_resolved_over_an_open_criterion_and_what_is_shown_is_accepted() {
    let lists = RefCell::new(Lists::default());
    hold_on([Kind::Incident, Kind::Planned], listed(), &lists);
    let acts = CriterionAct::ALL.len() + TodoAct::ALL.len() + 2;
    assert_eq!(lists.borrow().0.len(), acts, "some never happened: {:?}", lists.borrow().0);
}
