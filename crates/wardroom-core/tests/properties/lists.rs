//! Exit criteria and to-dos in every history: nothing is resolved over an open criterion, and what a surface shows
//! somebody as theirs to do is what deciding accepts.

use std::cell::RefCell;
use std::collections::BTreeSet;

use wardroom_core::command::Command;
use wardroom_core::criterion::CriterionAct;
use wardroom_core::event::Event;
use wardroom_core::id::{Actor, PersonId};
use wardroom_core::incident::{Asking, Incident, Kind, Phase};
use wardroom_core::refusal::Code;
use wardroom_core::text::Line;
use wardroom_core::todo::TodoAct;

use crate::harness::{person, words};
use crate::hold_on;
use crate::steps::{PEOPLE, listed};
use crate::world::{Moment, Verdict, Watch};

/// What was shown and found to be accepted: a property says nothing about what never happens.
#[derive(Default)]
struct Lists(BTreeSet<String>);

fn line(words: &str) -> Line {
    words.parse().expect("a good line")
}

/// What does it. Nobody has these words or this bug yet.
fn on_criterion(act: CriterionAct, criterion: u32, other: PersonId) -> Command {
    match act {
        CriterionAct::Reword => Command::RewordCriterion { criterion, text: line("never said") },
        CriterionAct::Assign => Command::AssignCriterion { criterion, person: Some(other.into()) },
        CriterionAct::Meet => Command::MeetCriterion { criterion },
        CriterionAct::Reopen => Command::ReopenCriterion { criterion, reason: None },
        CriterionAct::Waive => Command::WaiveCriterion { criterion, reason: words("never met") },
        CriterionAct::Link => Command::LinkCriterion { criterion, bug: Some(line("https://never.example.org")) },
    }
}

fn on_todo(act: TodoAct, todo: u32, who: PersonId, other: PersonId) -> Command {
    match act {
        TodoAct::Reword => Command::RewordTodo { todo, text: line("never said") },
        TodoAct::Take => Command::AssignTodo { todo, person: Some(who.into()) },
        TodoAct::Assign => Command::AssignTodo { todo, person: Some(other.into()) },
        TodoAct::Finish => Command::FinishTodo { todo },
        TodoAct::Reopen => Command::ReopenTodo { todo },
        TodoAct::Link => Command::LinkTodo { todo, bug: Some(line("https://never.example.org")) },
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
                let command = on_criterion(act, criterion.id, other);
                self.holds(incident, ask, &format!("criterion: {act:?}"), may.contains(&act), command)?;
            }
        }
        for todo in &incident.todos {
            let may = incident.may_with_todo(ask, todo.id);
            for act in TodoAct::ALL {
                let command = on_todo(act, todo.id, who, other);
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

#[test]
fn nothing_is_resolved_over_an_open_criterion_and_what_is_shown_is_accepted() {
    let lists = RefCell::new(Lists::default());
    hold_on([Kind::Incident, Kind::Planned], listed(), &lists);
    let acts = CriterionAct::ALL.len() + TodoAct::ALL.len() + 2;
    assert_eq!(lists.borrow().0.len(), acts, "some never happened: {:?}", lists.borrow().0);
}
