//! Merging two incidents: command of both, and what goes along.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use wardroom_core::change::{Change, ChangeState};
use wardroom_core::command::Command;
use wardroom_core::criterion::{Criterion, CriterionState};
use wardroom_core::event::Event;
use wardroom_core::id::Number;
use wardroom_core::incident::{Kind, Phase, Post};
use wardroom_core::merge::Absorbed;
use wardroom_core::refusal::{Code, Remedy};
use wardroom_core::roadblock::Roadblock;
use wardroom_core::said::LastSaid;
use wardroom_core::todo::Todo;

use crate::cast::{JOSEPHINE, MARY, ROBIN, SABRINA, at, service, services, start};
use crate::change::{ROLLBACK, new, recorded};
use crate::gate::passing;
use crate::given::{Given, given};
use crate::words::{
    ask_for, cmd, held, joined, member, number, offered, opened, opened_as, opened_restricted, role, role_opened,
    take_command, text,
};

fn merge() -> Command {
    cmd("merge", json!({"into": 2}))
}

/// Number 2, which Mary commands as well.
fn second() -> Given {
    given([opened_as(2, Kind::Incident, Phase::Active)])
}

fn gone() -> Event {
    Event::MergedInto { into: number(2), commander: MARY }
}

/// What an incident without anything but Mary and its service brings along.
fn bare() -> Event {
    Event::Absorbed(Absorbed {
        from: Number::FIRST,
        began: None,
        responders: [MARY].into(),
        members: BTreeMap::new(),
        roadblocks: Vec::new(),
        services: services(&["search"]),
        unknown_services: BTreeSet::new(),
        posts: Vec::new(),
        criteria: Vec::new(),
        todos: Vec::new(),
        changes: Vec::new(),
        sightings: Vec::new(),
    })
}

fn post(id: u32, label: &str) -> Post {
    Post { id, label: text(label), link: Some(text("https://meet.example/1")) }
}

fn block(id: u32, path: &str) -> Roadblock {
    Roadblock { id, role: role(path), text: text("no key"), by: SABRINA, at: start() }
}

#[test]
fn it_is_one_append_to_both() {
    let after = given([opened()]).beside(&second()).when(MARY, merge()).then_there([gone()], [bare()]);
    let state = after.state();
    assert_eq!((state.phase, state.merged_into, state.commander()), (Phase::Merged, Number::new(2), MARY));
    after.when(MARY, cmd("note", json!({"text": "x"}))).says("Incident #1 goes on as #2. Go there.").refused(
        Code::WrongPhase,
        &[],
        Some(Remedy::See { incident: number(2) }),
    );
}

#[test]
fn people_roadblocks_services_and_posts_go_along() {
    let raised = |roadblock| Event::RoadblockRaised {
        roadblock,
        role: role("operations/dns"),
        text: text("no key"),
        by: SABRINA,
    };
    let other = second().and(held("operations", JOSEPHINE)).and([
        Event::PostAdded { post: post(1, "call") },
        raised(1),
        Event::BeganSet { began: at(-5) },
    ]);
    let affected = Event::ServicesSet { services: services(&["fax"]), unknown_services: services(&["fax"]) };
    let here = given([opened(), affected, role_opened("operations/dns"), Event::BeganSet { began: at(-9) }])
        .and(held("operations", SABRINA))
        .and(held("operations/dns", JOSEPHINE))
        .and([joined(ROBIN), member("planning", ROBIN), member("command", ROBIN), raised(1)])
        .and([Event::PostAdded { post: post(1, "call") }, Event::PostAdded { post: post(2, "room") }]);
    let absorbed = Event::Absorbed(Absorbed {
        from: Number::FIRST,
        began: Some(at(-9)),
        responders: [MARY, SABRINA, JOSEPHINE, ROBIN].into(),
        members: [(role("operations"), [SABRINA].into()), (role("planning"), [ROBIN].into())].into(),
        roadblocks: vec![block(2, "operations")],
        services: services(&["fax"]),
        unknown_services: services(&["fax"]),
        posts: vec![post(2, "room")],
        criteria: Vec::new(),
        todos: Vec::new(),
        changes: Vec::new(),
        sightings: Vec::new(),
    });
    here.beside(&other).when(MARY, merge()).then_there([gone()], [absorbed.clone()]);
    let state = other.and([absorbed]).state();
    assert_eq!(state.holder(&role("operations")), Some(JOSEPHINE), "no holder is displaced");
    assert_eq!(state.began, Some(at(-9)), "the earlier");
    assert_eq!(state.unknown_services, services(&["fax"]));
    assert_eq!((state.posts.len(), state.roadblocks.len(), state.roadblocks_raised), (2, 2, 2));
    assert!(state.responders.contains_key(&ROBIN));
}

#[test]
fn roadblocks_that_come_along_matter_to_who_takes_command() {
    let mut absorbed = bare();
    let briefed = |absorbed: Event| {
        let offered = second().and([joined(SABRINA), offered("command", SABRINA, MARY), absorbed]);
        offered.when(SABRINA, take_command(3)).accepted().state().commander()
    };
    assert_eq!(briefed(absorbed.clone()), SABRINA);
    if let Event::Absorbed(Absorbed { roadblocks, .. }) = &mut absorbed {
        roadblocks.push(block(1, "operations"));
    }
    assert_eq!(briefed(absorbed), MARY, "held back");
    let mut absorbed = bare();
    if let Event::Absorbed(Absorbed { criteria, .. }) = &mut absorbed {
        let (owner, bug, at, state) = (None, None, start(), CriterionState::Open);
        criteria.push(Criterion {
            id: 1,
            text: text("open"),
            owner,
            bug,
            by: SABRINA,
            at,
            said: LastSaid::default(),
            state,
        });
    }
    assert_eq!(briefed(absorbed), MARY, "held back");
}

#[test]
fn what_is_open_of_the_lists_goes_along_and_what_is_settled_stays() {
    let criterion = |criterion, words: &str| Event::CriterionAdded { criterion, text: text(words), by: SABRINA };
    let todo = |todo, words: &str| Event::TodoAdded { todo, text: text(words), owner: Some(MARY), bug: None, by: MARY };
    let there = second().and([criterion(1, "theirs"), todo(1, "theirs")]);
    let met = Event::CriterionMet { criterion: 1, by: MARY };
    let here = given([opened(), criterion(1, "met"), criterion(2, "open"), met]).and([
        todo(1, "done"),
        todo(2, "to do"),
        Event::TodoFinished { todo: 1, by: MARY },
    ]);
    let mut absorbed = bare();
    if let Event::Absorbed(Absorbed { criteria, todos, .. }) = &mut absorbed {
        let (owner, bug, at) = (None, None, start());
        let state = CriterionState::Open;
        criteria.push(Criterion {
            id: 2,
            text: text("open"),
            owner,
            bug: bug.clone(),
            by: SABRINA,
            at,
            said: LastSaid::default(),
            state,
        });
        todos.push(Todo {
            id: 2,
            text: text("to do"),
            owner: Some(MARY),
            bug,
            by: MARY,
            at,
            said: LastSaid::default(),
            done: None,
        });
    }
    let after = here.beside(&there).when(MARY, merge()).then_there([gone()], [absorbed.clone()]).state();
    assert_eq!((after.criteria.len(), after.todos.len()), (1, 1), "they are in the other one now");
    let state = there.and([absorbed]).state();
    assert_eq!((state.criteria.len(), state.criteria_added), (2, 2));
    assert_eq!((state.todos.len(), state.todos_added), (2, 2));
}

#[test]
fn it_takes_command_of_both() {
    let others = second().and([joined(SABRINA), crate::words::taken("command", 0, SABRINA, Some(MARY))]);
    given([opened(), joined(SABRINA)])
        .beside(&others)
        .when(SABRINA, merge())
        .refused(Code::NotYours, &[MARY], ask_for("command"))
        .when(MARY, merge())
        .says("Merging takes command of both. Sabrina commands #2: offer them command of this one, or ask for theirs.")
        .refused(Code::NotYours, &[SABRINA], Some(Remedy::Offer { role: role("command") }));
}

#[test]
fn not_every_two_can_be_merged() {
    let into = |other: &Given| given([opened()]).beside(other).when(MARY, merge());
    let of = |kind, phase| given([opened_as(2, kind, phase)]);
    into(&of(Kind::Drill, Phase::Active)).refused(Code::WrongKind, &[], None);
    into(&of(Kind::Incident, Phase::Investigating))
        .says("Incident #2 is not declared; merge into one that is declared and open.")
        .refused(Code::WrongPhase, &[], None);
    into(&second().and([crate::words::closed(MARY)])).refused(Code::WrongPhase, &[], None);
    given([opened()]).when(MARY, merge()).refused(Code::NoSuchIncident, &[], None);
    given([opened()]).when(MARY, cmd("merge", json!({"into": 1}))).refused(Code::Invalid, &[], None);
    given([opened_restricted()]).beside(&second()).when(MARY, merge()).refused(Code::Invalid, &[], None);
}

#[test]
fn a_restricted_incident_lets_in_whom_it_absorbs() {
    let mut absorbed = bare();
    if let Event::Absorbed(Absorbed { responders, .. }) = &mut absorbed {
        responders.insert(ROBIN);
    }
    let given = given([opened_restricted(), absorbed]);
    let sees = |person| given.state().visible_to(person, &given.facts);
    assert!(sees(ROBIN) && !sees(SABRINA));
}

#[test]
fn a_public_incident_does_not_tell_of_a_restricted_one() {
    let restricted = || Event::Restricted { invited: [MARY].into() };
    given([opened()])
        .beside(&second().and([restricted()]))
        .when(MARY, merge())
        .says(
            "Incident #2 is restricted and this one is not; merging would tell everybody of it. Restrict this one first.",
        )
        .refused(Code::Invalid, &[], Some(Remedy::Restrict));
    given([opened(), restricted()]).beside(&second().and([restricted()])).when(MARY, merge()).accepted();
}

/// What one answer of the gate recorded in both is one change, and is undone once.
#[test]
fn what_came_through_the_gate_for_both_is_taken_once() {
    let passed = |given: Given, what: &str| {
        let asked = Command::PassGate(passing(what));
        given.when(MARY, asked).accepted()
    };
    let here = passed(given([opened()]), "back to v11");
    let goes_along = |here: &Given, other: &Given| {
        let along = std::cell::Cell::new(0);
        let asked = here.clone().beside(other).when(MARY, merge());
        asked.accepted_with(|decision| {
            let [Event::Absorbed(absorbed)] = decision.there.as_slice() else { panic!("it is absorbed") };
            along.set(absorbed.changes.len());
        });
        along.get()
    };
    assert_eq!(goes_along(&here, &second()), 1);
    assert_eq!(goes_along(&here, &passed(second(), "back to v11")), 0, "it stands there");
    assert_eq!(goes_along(&here, &passed(second(), "back to v10")), 1, "in other words it is another one");
    assert_eq!(goes_along(&here, &passed(second().after(9), "back to v11")), 0);
    assert_eq!(goes_along(&here, &passed(second().after(10), "back to v11")), 1, "so much later it is another one");
    let by_hand = second().and([recorded(new(1, MARY, ChangeState::Done))]);
    let rolled_back = passed(given([opened()]), ROLLBACK);
    assert_eq!(goes_along(&rolled_back, &by_hand), 1, "what was told by hand is not what came through");
    // Nothing that is known of it is lost.
    let ended = |given: Given, outcome: &str| {
        given.when(MARY, cmd("confirm_change", json!({"change": 1, "outcome": outcome}))).accepted()
    };
    let other = || passed(second(), "back to v11");
    assert_eq!(goes_along(&ended(here.clone(), "done"), &other()), 1, "it is known there only to be announced");
    assert_eq!(goes_along(&here, &ended(other(), "done")), 0);
    assert_eq!(goes_along(&here, &ended(other(), "dropped")), 1, "there it is over");
}

/// What a clock wrote that ran ahead is no moment ago.
#[test]
fn what_was_brought_along_from_the_future_is_not_the_same_as_now() {
    let ahead = given([opened()]).after(60).when(MARY, Command::PassGate(passing(ROLLBACK))).accepted();
    let mut absorbed = bare();
    if let Event::Absorbed(Absorbed { changes, .. }) = &mut absorbed {
        let anew = |change: &Change| Change { what: text(ROLLBACK), through: Some(text("the gate")), ..change.clone() };
        changes.extend(ahead.state().changes.iter().map(anew));
    }
    let again = |given: &Given| given.state().passed_already(MARY, &service("search"), ROLLBACK, given.now);
    let brought = second().and([absorbed]);
    assert_eq!(again(&brought), None);
    assert_eq!(again(&brought.clone().after(60)), Some(1));
    assert_eq!(again(&brought.after(70)), None);
}
