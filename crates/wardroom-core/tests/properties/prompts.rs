//! The budget of prompts, whatever surfaces ask of it; and that it hides from nobody what is to be done.

use std::cell::RefCell;

use jiff::ToSpan;
use proptest::prelude::*;
use wardroom_core::id::{Entry, Number, Time};
use wardroom_core::incident::Kind;
use wardroom_core::next::Next;
use wardroom_core::prompt::{Bring, PUT_OFF, Prompts, REST};

use crate::harness::{at, person, role};
use crate::steps::{PEOPLE, crowded};
use crate::world::{Moment, Verdict, Watch};
use crate::{cases, hold_on};

/// What a person's surfaces do, one after the other; the numbers say about which nudge.
#[derive(Clone, Debug)]
enum Do {
    Wait(i64),
    Prompt(usize),
    PutOff(usize),
}

/// Eight nudges: four in each of two incidents.
fn nudges() -> Vec<(Number, Next)> {
    let clock = |entry| Next::Clock { clock: Entry(entry), due_at: at(0) };
    let span = Next::Delegate { role: role("operations"), reports: 8 };
    let all = [Next::OfferOperations { to: vec![person(1)] }, span, clock(3), clock(4)];
    let number = |n: u32| n.try_into().expect("a number");
    [1, 2].into_iter().flat_map(|n| all.clone().map(|next| (number(n), next))).collect()
}

fn doing() -> impl Strategy<Value = Vec<Do>> {
    let one = prop_oneof![
        (1..400_i64).prop_map(Do::Wait),
        (0..8_usize).prop_map(Do::Prompt),
        (0..8_usize).prop_map(Do::PutOff),
    ];
    prop::collection::vec(one, 1..80)
}

proptest! {
    #![proptest_config(cases(512))]

    /// Prompts of one person lie ten minutes apart, nothing is prompted while it is put off, and nothing is held back
    /// for longer than both.
    #[test]
    fn prompts_lie_ten_minutes_apart_and_come_then(doing in doing()) {
        let all = nudges();
        let (mut prompts, mut now) = (Prompts::default(), at(0));
        let (mut last, mut put_off): (Option<Time>, Vec<(usize, Time)>) = (None, Vec::new());
        for one in doing {
            match one {
                Do::Wait(seconds) => now += seconds.seconds(),
                Do::PutOff(n) => {
                    let nudge = all[n].1.nudge().expect("a nudge");
                    let until = prompts.put_off(all[n].0, nudge, now);
                    prop_assert_eq!(until, now + PUT_OFF);
                    put_off.retain(|(known, _)| *known != n);
                    put_off.push((n, until));
                }
                Do::Prompt(n) => {
                    let rested = last.is_none_or(|last| now.duration_since(last) >= REST);
                    let wanted = !put_off.iter().any(|(known, until)| *known == n && *until > now);
                    let prompted = prompts.prompt(all[n].0, &all[n].1, now);
                    prop_assert_eq!(prompted, rested && wanted);
                    if prompted {
                        last = Some(now);
                    }
                }
            }
        }
    }
}

/// Everybody puts off whatever they are nudged about, and was prompted a moment ago.
#[derive(Default)]
struct Spent {
    put_off: usize,
    behind: usize,
    waited_for: usize,
}

impl Watch for Spent {
    fn entry(&mut self, moment: &Moment<'_>) -> Verdict {
        let (incident, now) = (moment.after, moment.recorded.at);
        for who in (0..PEOPLE).map(person) {
            let Some(next) = incident.next(who, moment.facts, now) else { continue };
            let mut prompts = Prompts::default();
            for (number, nudge) in nudges() {
                prompts.prompt(number, &nudge, now);
            }
            let nudge = next.nudge();
            if let Some(nudge) = nudge.clone() {
                prompts.put_off(incident.number, nudge, now);
            }
            let Some(brought) = incident.brought(who, moment.facts, now, &prompts) else {
                return Err(format!("{who} is to do {next:?}, and has nothing before their eyes"));
            };
            match (&nudge, &brought.prompt) {
                (None, Bring::AtOnce {}) if brought.next == next => self.waited_for += 1,
                // It stands there alone, or something else went before it.
                (Some(_), prompt @ Bring::Quietly { .. }) if brought.next == next && prompt.is_put_off() => {
                    self.put_off += 1;
                }
                (Some(_), Bring::Quietly { put_off: false, .. } | Bring::AtOnce {}) if brought.next != next => {
                    self.behind += 1;
                }
                _ => return Err(format!("{who} is to do {next:?}, and is brought {brought:?}")),
            }
        }
        Ok(())
    }
}

#[test]
fn a_spent_budget_hides_nothing_and_holds_up_nobody() {
    let watch = RefCell::new(Spent::default());
    hold_on([Kind::Incident, Kind::Planned], crowded(), &watch);
    let Spent { put_off, behind, waited_for } = watch.into_inner();
    assert!([put_off, behind, waited_for].iter().all(|met| *met > 20), "{put_off} {behind} {waited_for}");
}
