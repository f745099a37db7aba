//! A history of changes to services.

use std::collections::BTreeSet;

use proptest::prelude::*;
use wardroom_core::command::Command;
use wardroom_core::gate::{Ended, Ending, Passing};
use wardroom_core::incident::Phase;

use super::{PEOPLE, Speaker, Step, WORD, changes, line, step};
use crate::harness::{role, words};

/// A history in which changes are what most is told of, and which is closed now and then.
pub fn changed() -> impl Strategy<Value = Vec<Step>> {
    let who = || {
        prop_oneof![
            4 => Just(Speaker::Commander),
            1 => (0..3_usize).prop_map(Speaker::Holder),
            2 => (0..PEOPLE).prop_map(Speaker::Person),
        ]
    };
    let ends = prop::sample::select(vec![Phase::Resolved, Phase::Closed]);
    let end = ends.prop_map(|phase| Command::SetPhase { phase, reason: None });
    let operations =
        (who(), super::who()).prop_map(|(by, person)| (by, Command::AddMember { role: role("operations"), person }));
    let said = prop_oneof![
        8 => (who(), changes()),
        2 => (Just(Speaker::Commander), end),
        1 => operations,
    ];
    let say = |who, command| Step::Say { who, stream: 0, node: 0, behind: 0, command };
    // One act, in the order in which somebody outside comes by it.
    let over_glass = (0..PEOPLE, any::<bool>()).prop_map(move |(who, done)| {
        let services = BTreeSet::from(["search".parse().expect("a good name")]);
        let (back_to, what) = (None, line());
        let announced = Command::AnnounceChange { service: None, what: line(), why: None, how: None, back: None };
        let passing = Passing { services: services.clone(), what, back_to, through: line(), done };
        let broken = Command::BreakGlass { services, reason: words(WORD) };
        [broken, announced, Command::PassGate(passing)].map(|command| say(Speaker::Person(who), command)).to_vec()
    });
    // What a pipeline asks for somebody, and how it went.
    let ends = prop::sample::select(vec![Ended::Done, Ended::Failed, Ended::Dropped]);
    let through = (0..PEOPLE, ends, any::<bool>()).prop_map(move |(who, ended, told)| {
        let services = BTreeSet::from(["search".parse().expect("a good name")]);
        let (back_to, what, through) = (None, line(), line());
        let ending = Ending { services: services.clone(), what: what.clone(), through: through.clone(), ended };
        let passing = Command::PassGate(Passing { services, what, back_to, through, done: false });
        let told = told.then_some(Command::EndPassing(ending));
        [passing].into_iter().chain(told).map(|command| say(Speaker::Person(who), command)).collect::<Vec<_>>()
    });
    let one = prop_oneof![6 => said.prop_map(move |(who, command)| say(who, command)), 1 => step()];
    let some = prop_oneof![20 => one.prop_map(|step| vec![step]), 1 => over_glass, 1 => through];
    prop::collection::vec(some, 20..100).prop_map(|steps| steps.concat())
}
