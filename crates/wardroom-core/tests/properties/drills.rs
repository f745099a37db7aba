//! Rule 11, as far as the core has to do with it: a drill is one from birth to its end, never becomes a part of
//! something real, and calls on nobody who did not join it.

use std::cell::RefCell;

use wardroom_core::command::Command;
use wardroom_core::event::Event;
use wardroom_core::incident::{Incident, Kind};
use wardroom_core::refusal::Code;

use crate::harness::person;
use crate::hold_on;
use crate::steps::{PEOPLE, histories};
use crate::world::{Answer, Moment, Verdict, Watch};

/// What was met on the way: a property says nothing about what never happens.
#[derive(Default)]
struct Drills {
    joined: usize,
    outside: usize,
    kept_apart: usize,
    kept_a_drill: usize,
}

impl Drills {
    /// Whom it may ask for something where they have not opened it.
    fn calls_on_the_right_ones(&mut self, incident: &Incident, moment: &Moment<'_>) -> Verdict {
        for n in 0..PEOPLE {
            let who = person(n);
            let joined = incident.responders.contains_key(&who);
            if incident.calls_on(who) != (joined || incident.kind != Kind::Drill) {
                return Err(format!(
                    "{who} {} by a {:?}",
                    if joined { "is not called" } else { "is called" },
                    incident.kind
                ));
            }
            if incident.kind == Kind::Drill && incident.next(who, moment.facts, moment.recorded.at).is_some() {
                if joined { self.joined += 1 } else { self.outside += 1 }
            }
        }
        Ok(())
    }
}

impl Watch for Drills {
    fn entry(&mut self, moment: &Moment<'_>) -> Verdict {
        let (before, after) = (moment.before.kind == Kind::Drill, moment.after.kind == Kind::Drill);
        if before != after {
            return Err(format!("{:?} made or ended a drill", moment.recorded.event));
        }
        if matches!(moment.recorded.event, Event::MergedInto { .. } | Event::Absorbed(_)) {
            return Err("a drill and something real were merged".to_owned());
        }
        self.calls_on_the_right_ones(moment.after, moment)
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Verdict {
        if let Err(refusal) = answer.answer
            && refusal.code == Code::WrongKind
        {
            self.kept_apart += usize::from(matches!(answer.command, Command::Merge { .. }));
            self.kept_a_drill += usize::from(matches!(answer.command, Command::SetKind { .. }));
        }
        Ok(())
    }
}

#[test]
fn a_drill_stays_apart_and_calls_on_nobody_who_did_not_join_it() {
    for real in [Kind::Incident, Kind::Planned] {
        let watch = RefCell::new(Drills::default());
        hold_on([Kind::Drill, real], histories(), &watch);
        let Drills { joined, outside, kept_apart, kept_a_drill } = watch.into_inner();
        assert!(
            [joined, outside, kept_apart, kept_a_drill].iter().all(|met| *met > 5),
            "{joined} {outside} {kept_apart} {kept_a_drill}"
        );
    }
}
