//! What came through the gates of two incidents is one act where these become one, also where it is a line there.

use serde_json::json;
use wardroom_core::change::{Change, ChangeState, ChangeStep, NewChange};
use wardroom_core::command::Command;
use wardroom_core::event::Event;
use wardroom_core::gate::Passing;
use wardroom_core::incident::{Kind, Phase};

use crate::cast::{JOSEPHINE, MARY, at, services};
use crate::change::{announced, confirm, new, on, recorded, staffed, step};
use crate::given::{Given, by, given};
use crate::words::{cmd, held, opened_as, text};

const UPDATE: &str = "update Deployment production/search-api";

/// As the cluster asks, or a pipeline, which only announces it.
fn pass(given: Given, what: &str, done: bool) -> Given {
    let (what, through) = (what.parse().expect("a line"), "the cluster".parse().expect("a line"));
    let passing = Passing { services: services(&["search"]), what, back_to: None, through, done };
    given.when(JOSEPHINE, Command::PassGate(passing)).accepted()
}

/// Number 2, where Josephine has operations as well, and runs a command that she announced there.
fn running() -> Given {
    let second = given([opened_as(2, Kind::Incident, Phase::Active)]).and(held("operations", JOSEPHINE));
    second.and([by(JOSEPHINE, announced(1, JOSEPHINE))])
}

/// What goes along, and what else is said there, where one goes on as another.
fn merged(from: &Given, into: &Given) -> (Vec<Change>, Vec<Event>) {
    let merge = cmd("merge", json!({ "into": into.state().number }));
    let got = std::cell::RefCell::default();
    from.clone().beside(into).when(MARY, merge).accepted_with(|decision| match &decision.there[..] {
        [Event::Absorbed(absorbed), rest @ ..] => *got.borrow_mut() = (absorbed.changes.clone(), rest.to_vec()),
        other => panic!("{other:?}"),
    });
    got.into_inner()
}

fn goes_along(from: &Given, into: &Given) -> usize {
    let (along, rest) = merged(from, into);
    assert_eq!(rest, [], "nothing else is said there");
    along.len()
}

/// `wardroom run 2 -- kubectl …`, which the cluster asks about: a line there, and a change of its own in the other.
#[test]
fn what_is_a_line_there_does_not_come_along() {
    let own = pass(staffed(), UPDATE, true);
    assert_eq!(goes_along(&own, &pass(running(), UPDATE, true)), 0);
    assert_eq!(goes_along(&own, &pass(running(), "scale it", true)), 1, "in other words it is another one");
    assert_eq!(goes_along(&own, &pass(running().after(9), UPDATE, true)), 0);
    assert_eq!(goes_along(&own, &pass(running().after(10), UPDATE, true)), 1, "so much later it is another one");
    let after = |how: Command| pass(running(), UPDATE, true).after(30).when(JOSEPHINE, how).accepted();
    assert_eq!(goes_along(&own, &after(confirm("done"))), 0, "and is undone with that");
    assert_eq!(
        goes_along(&own, &after(confirm("failed"))),
        0,
        "what that left is it, whenever it was said to have failed"
    );
    let reverted = after(confirm("done")).when(JOSEPHINE, on("revert_change")).accepted();
    assert_eq!(goes_along(&own, &reverted), 1, "there it is undone, and here it is not");
    // What a pipeline was let through with may not be made yet.
    let asked = || pass(running(), "deploy v12", false);
    let announcing = pass(staffed(), "deploy v12", false);
    assert_eq!(goes_along(&announcing, &asked()), 0);
    let done = announcing.when(JOSEPHINE, confirm("done")).accepted();
    assert_eq!(goes_along(&done, &asked()), 1, "it is known there only to be announced");
    assert_eq!(goes_along(&done, &asked().when(JOSEPHINE, confirm("done")).accepted()), 0);
}

/// The other way round it is the same: what was announced by hand has its maker's words, and may be more than the gate saw.
#[test]
fn what_comes_along_with_its_line_is_what_stands_there() {
    let (from, into) = (pass(running(), UPDATE, true), pass(staffed(), UPDATE, true));
    let (along, rest) = merged(&from, &into);
    let part = ChangeStep { note: Some(text("it is part of change 2, which came along")), ..step(MARY) };
    assert_eq!((along.len(), &rest[..]), (1, &[Event::ChangeDismissed(part)][..]));
    let merge = || cmd("merge", json!({ "into": 1 }));
    from.clone().beside(&into).when(MARY, merge()).accepted_with(|decision| {
        let there = || into.clone().and(decision.there.clone());
        let open = |given: &Given| given.state().changes.iter().filter(|change| change.is_open()).count();
        assert_eq!(open(&there()), 1, "it is undone once");
        let how = |outcome: &str| cmd("confirm_change", json!({ "change": 2, "outcome": outcome }));
        let done = there().when(JOSEPHINE, how("done")).accepted();
        assert_eq!((open(&done), done.state().differing()[0].changes[0].id), (1, 2));
        // What the cluster let through is not lost with it.
        let left = NewChange {
            what: text(UPDATE),
            through: Some(text("the cluster")),
            happened_at: Some(at(0)),
            ..new(3, JOSEPHINE, ChangeState::Done)
        };
        let failed = Event::ChangeFailed(ChangeStep { change: 2, ..step(JOSEPHINE) });
        there().when(JOSEPHINE, how("failed")).then([failed, recorded(left)]);
    });
    // What is settled there, or is another act, stays as it is.
    let others = [
        into.clone().when(JOSEPHINE, on("revert_change")).accepted(),
        pass(staffed(), "scale it", true),
        pass(staffed().after(10), UPDATE, true),
    ];
    assert_eq!(others.map(|into| goes_along(&from, &into)), [1; 3]);
}
