//! Rule 9: more than seven direct reports under one role is a hint to that holder. It is told to nobody else, and it
//! stops nobody.

use std::cell::RefCell;
use std::collections::BTreeMap;

use wardroom_core::command::Command;
use wardroom_core::incident::{Incident, Kind};
use wardroom_core::next::Next;
use wardroom_core::refusal::Code;
use wardroom_core::role::RolePath;

use crate::harness::person;
use crate::hold_on;
use crate::steps::{PEOPLE, crowded};
use crate::world::{Answer, Moment, Verdict, Watch};

/// What was met on the way: a property says nothing about what never happens.
#[derive(Default)]
struct Span {
    hints: usize,
    of_the_parent: usize,
    put_off: usize,
    narrowed: usize,
}

/// Who reports to each role, counted from below: each of its members, and each role right under it that is held.
fn reports(incident: &Incident) -> BTreeMap<RolePath, usize> {
    let mut reports: BTreeMap<RolePath, usize> = BTreeMap::new();
    for (path, role) in &incident.roles {
        *reports.entry(path.clone()).or_default() += role.members.len();
        if let Some(parent) = path.parent().filter(|_| role.holder.is_some()) {
            *reports.entry(parent).or_default() += 1;
        }
    }
    reports
}

impl Span {
    /// Every person is told of what is theirs to narrow, and of nothing else.
    fn hints_are_right(&mut self, incident: &Incident, moment: &Moment<'_>) -> Verdict {
        let at = moment.recorded.at;
        let wide: BTreeMap<RolePath, usize> = reports(incident).into_iter().filter(|(_, count)| *count > 7).collect();
        for n in 0..PEOPLE {
            let who = person(n);
            let theirs = |role: &RolePath| incident.effective_holder(role) == Some(who);
            let next = incident.next(who, moment.facts, at);
            match &next {
                Some(Next::Delegate { role, reports }) if wide.get(role) == Some(reports) && theirs(role) => {
                    self.hints += 1;
                    self.of_the_parent += usize::from(incident.holder(role).is_none());
                }
                Some(Next::Delegate { .. }) => {
                    return Err(format!("{who} is told {next:?}, and too wide are {wide:?}"));
                }
                // Whatever is more urgent goes before it.
                Some(_) => self.put_off += usize::from(wide.keys().any(theirs)),
                None if incident.phase.is_open()
                    && incident.visible_to(who, moment.facts)
                    && wide.keys().any(theirs) =>
                {
                    return Err(format!("{who} is told nothing, and too wide are {wide:?}"));
                }
                None => {}
            }
        }
        Ok(())
    }
}

impl Watch for Span {
    fn entry(&mut self, moment: &Moment<'_>) -> Verdict {
        let was_wide = |incident| reports(incident).values().any(|count| *count > 7);
        self.narrowed += usize::from(was_wide(moment.before) && !was_wide(moment.after));
        self.hints_are_right(moment.after, moment)
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Verdict {
        let widens =
            matches!(answer.command, Command::AddMember { .. } | Command::OpenRole { .. } | Command::TakeRole { .. });
        match answer.answer {
            Err(refusal) if widens && refusal.code == Code::TooMany => Err(format!("a hint stops nobody: {refusal}")),
            _ => Ok(()),
        }
    }
}

#[test]
fn too_wide_a_span_is_a_hint_to_its_holder_and_to_nobody_else() {
    let watch = RefCell::new(Span::default());
    hold_on([Kind::Incident, Kind::Planned], crowded(), &watch);
    let Span { hints, of_the_parent, put_off, narrowed } = watch.into_inner();
    assert!(
        [hints, of_the_parent, put_off, narrowed].iter().all(|met| *met > 20),
        "{hints} {of_the_parent} {put_off} {narrowed}"
    );
}
