//! How that ended which somebody ran, or with which they came through the gate, as what they did it by tells.

use serde_json::json;
use wardroom_core::change::{ChangeState, ChangeStep, NewChange};
use wardroom_core::command::Command;
use wardroom_core::event::Event;
use wardroom_core::gate::{Ended, Ending, Passing};
use wardroom_core::id::{Actor, PersonId};
use wardroom_core::incident::Phase;
use wardroom_core::refusal::{Code, Remedy};

use crate::cast::{JOSEPHINE, MARY, ROBIN, at, service, services};
use crate::change::{announced, confirm, new, on, recorded, staffed, step, with};
use crate::given::{Given, by, given};
use crate::permission::granted;
use crate::sighting::seen;
use crate::words::{absent, ask_for, number, opened, text};

const DEPLOY: &str = "deploy v12";

fn pass_at(names: &[&str]) -> Command {
    Command::PassGate(Passing {
        services: services(names),
        what: DEPLOY.parse().expect("a line"),
        back_to: None,
        through: "the gate, deploys".parse().expect("a line"),
        done: false,
    })
}

/// Josephine came through with a deployment of search.
fn passed() -> Given {
    staffed().when(JOSEPHINE, pass_at(&["search"])).accepted()
}

fn ending(ended: Ended) -> Ending {
    Ending {
        services: services(&["search"]),
        what: DEPLOY.parse().expect("a line"),
        through: "the gate, deploys".parse().expect("a line"),
        ended,
    }
}

fn end(ended: Ended) -> Command {
    Command::EndPassing(ending(ended))
}

fn told(by: PersonId, note: &str) -> ChangeStep {
    ChangeStep { note: Some(text(note)), ..step(by) }
}

#[test]
fn what_came_through_ends_as_it_is_told() {
    let failed = "it failed, told by the gate, deploys, and may have changed something";
    for (ended, event, differs) in [
        (Ended::Done, Event::ChangeDone(told(JOSEPHINE, "told by the gate, deploys")), 1),
        // What it left behind is not known: it is looked at, and not taken for normal.
        (Ended::Failed, Event::ChangeDone(told(JOSEPHINE, failed)), 1),
        (Ended::Dropped, Event::ChangeDropped(told(JOSEPHINE, "told by the gate, deploys")), 0),
    ] {
        let over = passed().after(7).when(JOSEPHINE, end(ended)).then([event]);
        assert_eq!(over.state().differing().len(), differs, "{ended:?}");
        assert!(!over.state().has_passes_under_way());
        over.when(JOSEPHINE, end(ended)).refused(Code::AlreadySo, &[], None);
    }
}

#[test]
fn it_ends_everywhere_it_came_through_at_once() {
    let both = staffed().when(JOSEPHINE, pass_at(&["search", "indexing"])).accepted();
    let all = Ending { services: services(&["search", "indexing"]), ..ending(Ended::Done) };
    let done = |change| Event::ChangeDone(ChangeStep { change, ..told(JOSEPHINE, "told by the gate, deploys") });
    both.when(JOSEPHINE, Command::EndPassing(all)).then([done(1), done(2)]);
}

#[test]
fn nothing_ends_but_what_came_through_in_that_name_and_in_these_words() {
    let nothing = |given: Given, who: PersonId, ending: Ending| {
        given.when(who, Command::EndPassing(ending)).refused(Code::AlreadySo, &[], None);
    };
    nothing(passed().and([by(JOSEPHINE, granted(ROBIN, 30))]), ROBIN, ending(Ended::Done));
    nothing(passed(), JOSEPHINE, Ending { what: "deploy v13".parse().expect("a line"), ..ending(Ended::Done) });
    nothing(passed(), JOSEPHINE, Ending { services: services(&["indexing"]), ..ending(Ended::Done) });
    // Whoever announced it says how it went.
    let by_hand = NewChange { what: text(DEPLOY), ..new(1, JOSEPHINE, ChangeState::Announced) };
    nothing(staffed().and([by(JOSEPHINE, recorded(by_hand))]), JOSEPHINE, ending(Ended::Done));
    // Said already by somebody.
    for outcome in ["done", "failed", "dropped"] {
        nothing(passed().when(JOSEPHINE, confirm(outcome)).accepted(), JOSEPHINE, ending(Ended::Failed));
    }
}

/// What was seen meanwhile was something else, and waits to be sorted.
#[test]
fn what_was_not_begun_hides_nothing_that_was_seen() {
    let seen = passed().after(2).told(seen(None, 1)).accepted();
    let dropped = Event::ChangeDropped(told(JOSEPHINE, "told by the gate, deploys"));
    let judged = Event::SightingJudged { sighting: 1, was: Some(1), change: None, uncoordinated: true };
    seen.when(JOSEPHINE, end(Ended::Dropped)).then([dropped, judged]);
}

/// How it went is the truth, and the truth is never refused.
#[test]
fn it_is_heard_also_of_somebody_who_has_no_hands_any_more_and_after_it_was_resolved() {
    let permitted = staffed().and([by(JOSEPHINE, granted(ROBIN, 30))]).when(ROBIN, pass_at(&["search"])).accepted();
    let ended = permitted.and([by(JOSEPHINE, Event::PermissionEnded { permission: 1, by: JOSEPHINE })]);
    let resolved = Event::PhaseSet { from: Phase::Active, to: Phase::Resolved, reason: None };
    for late in [ended.clone().after(90), ended.and([resolved])] {
        let over = late.when(ROBIN, end(Ended::Done));
        over.then([Event::ChangeDone(told(ROBIN, "told by the gate, deploys"))]);
    }
}

/// A rollout goes on when the account of whoever asked for it ends, and stood announced for good.
#[test]
fn it_is_heard_whatever_became_of_whoever_came_through() {
    let note = "told by the gate, deploys";
    passed().deactivated(JOSEPHINE).when(JOSEPHINE, end(Ended::Done)).then([Event::ChangeDone(told(JOSEPHINE, note))]);
    // They left, and may not know of it any more.
    let permitted = staffed().and([by(JOSEPHINE, granted(ROBIN, 30))]).when(ROBIN, pass_at(&["search"])).accepted();
    let gone =
        [by(ROBIN, Event::Left { person: ROBIN }), Event::Restricted { invited: [MARY, JOSEPHINE].into() }.into()];
    let gone = permitted.and(gone);
    gone.clone().when(ROBIN, confirm("done")).refused(Code::NoSuchIncident, &[], None);
    gone.clone().when(ROBIN, end(Ended::Dropped)).then([Event::ChangeDropped(told(ROBIN, note))]);
    gone.ask(Actor::Clock, end(Ended::Done)).refused(Code::NotYours, &[], None);
    // Whoever is spoken for has not come back by it.
    let alone = given([opened()]).when(MARY, pass_at(&["search"])).accepted().after(20).and([absent(MARY, at(0))]);
    alone.when(MARY, end(Ended::Done)).then([Event::ChangeDone(told(MARY, note))]);
    // What was merged meanwhile goes on elsewhere.
    let merged = passed().and([Event::MergedInto { into: number(2), commander: MARY }]);
    merged.when(JOSEPHINE, end(Ended::Done)).refused(Code::WrongPhase, &[], Some(Remedy::See { incident: number(2) }));
}

#[test]
fn only_what_came_through_is_under_way_at_the_gate() {
    assert!(passed().state().has_passes_under_way());
    assert!(!staffed().and([by(JOSEPHINE, announced(1, JOSEPHINE))]).state().has_passes_under_way());
    let state = passed().state();
    let of = |who| {
        state.passes_under_way(who, &services(&["search"]), DEPLOY).map(|one| one.service.clone()).collect::<Vec<_>>()
    };
    assert_eq!((of(JOSEPHINE), of(ROBIN)), (vec![service("search")], vec![]));
}

/// What a command left behind that ended badly nobody knows: its service may differ, and operations look.
#[test]
fn what_ended_badly_stands_as_done_until_operations_say_that_it_changed_nothing() {
    let ended = |note: &str| with("confirm_change", json!({ "outcome": "broke_off", "note": note }));
    let ready = staffed().and([announced(1, JOSEPHINE)]);
    let event = Event::ChangeDone(told(JOSEPHINE, "exit code 7, and may have changed something"));
    let over = ready.clone().when(JOSEPHINE, ended("exit code 7.")).then([event]);
    assert_eq!(over.state().differing().len(), 1);
    let event = Event::ChangeDone(told(JOSEPHINE, "it ended badly, and may have changed something"));
    ready.clone().when(JOSEPHINE, confirm("broke_off")).then([event]);
    ready.clone().when(ROBIN, confirm("broke_off")).refused(Code::NotYours, &[JOSEPHINE], ask_for("operations"));
    over.clone().when(JOSEPHINE, confirm("failed")).then([Event::ChangeFailed(step(JOSEPHINE))]);
    over.when(JOSEPHINE, on("revert_change")).then([Event::ChangeReverted(step(JOSEPHINE))]);
    // Told late, it is no news to whoever has said meanwhile how it went.
    for outcome in ["done", "failed", "dropped"] {
        let said = ready.clone().when(JOSEPHINE, confirm(outcome)).accepted();
        said.when(JOSEPHINE, ended("exit code 7")).says(&format!("Change 1 is {outcome} already.")).refused(
            Code::AlreadySo,
            &[],
            None,
        );
    }
}
