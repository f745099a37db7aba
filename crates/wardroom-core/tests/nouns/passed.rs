//! What comes through the gate belongs to a change that is under way already, so that one act stands in the ledger once.

use serde_json::json;
use wardroom_core::change::{Change, ChangePassed, ChangeState, Coordination, NewChange};
use wardroom_core::command::Command;
use wardroom_core::directory::DirectoryEvent;
use wardroom_core::event::Event;
use wardroom_core::gate::{PASSES_MAX, Passing};
use wardroom_core::id::PersonId;
use wardroom_core::incident::{Kind, Phase};
use wardroom_core::refusal::Code;

use crate::cast::{JOSEPHINE, MARY, ROBIN, at, service, services};
use crate::change::{announce, announced, confirm, done, new, on, recorded, staffed, step};
use crate::given::{Given, by, given};
use crate::permission::{broken, granted};
use crate::words::{cmd, opened_as, text};

const UPDATE: &str = "update Deployment production/search-api";

/// As the cluster asks: it only waits for the gate's word.
fn passing(what: &str) -> Passing {
    Passing {
        services: services(&["search"]),
        what: what.parse().expect("a line"),
        back_to: None,
        through: "the cluster".parse().expect("a line"),
        done: true,
    }
}

fn pass(what: &str) -> Command {
    Command::PassGate(passing(what))
}

fn line(change: u32, by: PersonId, what: &str) -> Event {
    Event::ChangePassed(ChangePassed { change, what: text(what), through: text("the cluster"), done: true, by })
}

/// One of its own.
fn own(change: u32, by: PersonId, what: &str) -> NewChange {
    NewChange { what: text(what), through: Some(text("the cluster")), ..new(change, by, ChangeState::Done) }
}

fn under_way() -> Given {
    staffed().and([by(JOSEPHINE, announced(1, JOSEPHINE))])
}

fn lines(change: &Change) -> Vec<&str> {
    change.passed.iter().map(|line| line.what.words().unwrap_or("gone")).collect()
}

#[test]
fn what_somebody_announced_and_makes_stands_in_the_ledger_once() {
    let passed = under_way().after(1).when(JOSEPHINE, pass(UPDATE)).then([line(1, JOSEPHINE, UPDATE)]);
    let already = |given: &Given| given.state().passed_already(JOSEPHINE, &service("search"), UPDATE, given.now);
    assert_eq!(already(&passed), Some(1));
    passed.clone().when(JOSEPHINE, pass(UPDATE)).refused(Code::AlreadySo, &[], None);
    passed.clone().after(30).when(JOSEPHINE, pass(UPDATE)).refused(Code::AlreadySo, &[], None);
    let two = passed.when(JOSEPHINE, pass("scale it")).then([line(1, JOSEPHINE, "scale it")]);
    let done = two.when(JOSEPHINE, confirm("done")).then([Event::ChangeDone(step(JOSEPHINE))]);
    let state = done.state();
    assert_eq!((state.changes.len(), state.differing()[0].changes.len()), (1, 1), "and is reverted once");
    assert_eq!(lines(&state.changes[0]), [UPDATE, "scale it"]);
    // The gate's ten minutes hold for it as for any other.
    assert_eq!(already(&done), Some(1));
    let later = done.after(10);
    assert_eq!(already(&later), None);
    later.when(JOSEPHINE, pass(UPDATE)).then([recorded(own(2, JOSEPHINE, UPDATE))]);
}

#[test]
fn it_is_a_change_of_its_own_where_it_is_not_what_they_are_at() {
    let alone = |given: Given, who: PersonId, change: u32| {
        let told = recorded(own(change, who, UPDATE));
        given.when(who, pass(UPDATE)).then([told]);
    };
    alone(staffed(), JOSEPHINE, 1);
    alone(under_way().after(60), JOSEPHINE, 2);
    let in_time = under_way().after(59);
    in_time.when(JOSEPHINE, pass(UPDATE)).then([line(1, JOSEPHINE, UPDATE)]);
    for outcome in ["done", "failed", "dropped"] {
        alone(under_way().when(JOSEPHINE, confirm(outcome)).accepted(), JOSEPHINE, 2);
    }
    alone(under_way().and([granted(ROBIN, 30)]), ROBIN, 2);
    let elsewhere = NewChange { service: service("indexing"), ..new(1, JOSEPHINE, ChangeState::Announced) };
    alone(staffed().and([by(JOSEPHINE, recorded(elsewhere))]), JOSEPHINE, 2);
    // What came to the gate before it is not announced by hand.
    let gate = NewChange { state: ChangeState::Announced, ..own(1, JOSEPHINE, "deploy v12") };
    alone(staffed().and([by(JOSEPHINE, recorded(gate))]), JOSEPHINE, 2);
    // Of several the last one is what they are at.
    let second = under_way().after(5).when(JOSEPHINE, announce("search: restarting it")).accepted();
    second.when(JOSEPHINE, pass(UPDATE)).then([line(2, JOSEPHINE, UPDATE)]);
}

#[test]
fn what_comes_over_broken_glass_hides_in_nothing_coordinated_nor_the_other_way_round() {
    let over_glass = NewChange { uncoordinated: true, ..new(1, ROBIN, ChangeState::Announced) };
    let glass = || staffed().and([by(ROBIN, broken(ROBIN)), by(ROBIN, recorded(over_glass.clone()))]);
    let passed = glass().when(ROBIN, pass(UPDATE)).then([line(1, ROBIN, UPDATE)]);
    assert_eq!(passed.state().changes[0].coordination, Coordination::Uncoordinated);
    let permitted = glass().and([by(JOSEPHINE, granted(ROBIN, 30))]);
    permitted.when(ROBIN, pass(UPDATE)).then([recorded(own(2, ROBIN, UPDATE))]);
    // Sorted, it is one that operations looked at: what comes after that they did not see.
    let sorted = glass().when(JOSEPHINE, on("take_in_change")).accepted();
    let alone = NewChange { uncoordinated: true, ..own(2, ROBIN, UPDATE) };
    sorted.when(ROBIN, pass(UPDATE)).then([recorded(alone.clone())]);
    // Announced within a permission that is over by now.
    let ended = Event::PermissionEnded { permission: 1, by: JOSEPHINE };
    let before = [by(JOSEPHINE, granted(ROBIN, 30)), by(ROBIN, announced(1, ROBIN)), by(JOSEPHINE, ended)];
    let coordinated = staffed().and(before).and([by(ROBIN, broken(ROBIN))]);
    coordinated.when(ROBIN, pass(UPDATE)).then([recorded(alone)]);
}

/// Whoever owns it needs nobody's permission to go back, and announced nothing by that.
#[test]
fn a_rollback_of_its_owners_is_one_of_its_own() {
    let ended = Event::PermissionEnded { permission: 1, by: JOSEPHINE };
    let before = [by(JOSEPHINE, granted(ROBIN, 30)), by(ROBIN, announced(1, ROBIN)), by(JOSEPHINE, ended)];
    let good = DirectoryEvent::ServiceGoodSet { service: service("search"), version: text("v11") };
    let back = Passing { back_to: Some("v11".parse().expect("a line")), ..passing("back to v11") };
    let told = recorded(own(2, ROBIN, "back to v11"));
    staffed().knowing(vec![good]).and(before).when(ROBIN, Command::PassGate(back)).then([told]);
}

#[test]
fn a_change_takes_so_many_lines_and_what_is_more_is_one_of_its_own() {
    let many =
        (0..PASSES_MAX).fold(under_way(), |given, n| given.when(JOSEPHINE, pass(&format!("update {n}"))).accepted());
    assert_eq!((many.state().changes.len(), many.state().changes[0].passed.len()), (1, PASSES_MAX));
    many.when(JOSEPHINE, pass(UPDATE)).then([recorded(own(2, JOSEPHINE, UPDATE))]);
}

/// A full ledger stops nobody who stands in it.
#[test]
fn a_line_needs_no_room_in_the_ledger() {
    let full =
        (1..2_000).fold(staffed(), |given, change| given.and([by(JOSEPHINE, recorded(own(change, JOSEPHINE, "x")))]));
    // What happened is recorded beyond that, and leaves no room for what is only asked for.
    let full = full.and([by(JOSEPHINE, announced(2_000, JOSEPHINE)), by(MARY, done(2_001, MARY))]);
    assert!(full.state().has_it_under_way(JOSEPHINE, &service("search"), full.now));
    assert!(!full.state().has_it_under_way(MARY, &service("search"), full.now));
    full.clone().when(JOSEPHINE, pass(UPDATE)).then([line(2_000, JOSEPHINE, UPDATE)]);
}

/// What a cluster let through is not lost with what changed nothing besides.
#[test]
fn what_the_cluster_let_through_stands_for_itself_once_the_change_is_said_to_have_changed_nothing() {
    let asked = Passing { done: false, through: "the pipeline".parse().expect("a line"), ..passing("deploy v11") };
    let passed = under_way()
        .after(1)
        .when(JOSEPHINE, pass(UPDATE))
        .accepted()
        .when(JOSEPHINE, Command::PassGate(asked))
        .accepted()
        .after(1);
    let left = NewChange { happened_at: Some(at(1)), ..own(2, JOSEPHINE, UPDATE) };
    for (outcome, event) in
        [("failed", Event::ChangeFailed(step(JOSEPHINE))), ("dropped", Event::ChangeDropped(step(JOSEPHINE)))]
    {
        let over = passed.clone().when(JOSEPHINE, confirm(outcome)).then([event, recorded(left.clone())]);
        assert_eq!(over.state().differing()[0].changes[0].id, 2, "its service differs by that");
        assert_eq!(lines(&over.state().changes[0]), [UPDATE, "deploy v11"], "and what was seen is seen there still");
        // Taken for done, and for failed again, it left the same.
        let again = over.when(JOSEPHINE, confirm("done")).accepted();
        again.when(JOSEPHINE, confirm("failed")).then([Event::ChangeFailed(step(JOSEPHINE))]);
    }
    let over_glass = NewChange { uncoordinated: true, ..new(1, ROBIN, ChangeState::Announced) };
    let glass = || staffed().and([by(ROBIN, broken(ROBIN)), by(ROBIN, recorded(over_glass.clone()))]);
    let left = NewChange { happened_at: Some(at(0)), uncoordinated: true, ..own(2, ROBIN, UPDATE) };
    let failed = glass().when(ROBIN, pass(UPDATE)).accepted().when(ROBIN, confirm("failed"));
    failed.then([Event::ChangeFailed(step(ROBIN)), recorded(left.clone())]);
    // Nor with what was announced over broken glass, and operations say to be none of theirs.
    let passed = || glass().when(ROBIN, pass(UPDATE)).accepted();
    let dismissed = passed().when(JOSEPHINE, on("dismiss_change"));
    dismissed.then([Event::ChangeDismissed(step(JOSEPHINE)), recorded(left)]);
    // Once it is said to be done, its lines are what was done, and what they say of it holds for these.
    let done = passed().when(ROBIN, confirm("done")).accepted();
    done.when(JOSEPHINE, on("dismiss_change")).then([Event::ChangeDismissed(step(JOSEPHINE))]);
}

/// As every other word: taken out where it was said, it is gone where it is shown.
#[test]
fn the_words_of_a_line_go_like_any_other() {
    let passed = under_way().when(JOSEPHINE, pass(UPDATE)).accepted();
    let entry = passed.state().last_entry;
    let redacted = passed.when(MARY, cmd("redact", json!({ "entry": entry }))).accepted();
    let state = redacted.state();
    assert_eq!((lines(&state.changes[0]), state.changes[0].passed[0].through.words()), (vec!["gone"], None));
}

#[test]
fn its_lines_go_along_into_the_other_incident() {
    let other = given([opened_as(2, Kind::Incident, Phase::Active)]);
    let passed = under_way().when(JOSEPHINE, pass(UPDATE)).accepted();
    passed.beside(&other).when(MARY, cmd("merge", json!({ "into": 2 }))).accepted_with(|decision| {
        let there = other.clone().and(decision.there.clone());
        assert_eq!(lines(&there.state().changes[0]), [UPDATE]);
        let same = there.and(crate::words::held("operations", JOSEPHINE)).when(JOSEPHINE, pass(UPDATE));
        same.refused(Code::AlreadySo, &[], None);
    });
}
