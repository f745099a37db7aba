//! To-dos: everybody here adds and takes them and looks after their own; those of others are planning's, and command's.

use serde_json::json;
use wardroom_core::command::Command;
use wardroom_core::event::Event;
use wardroom_core::id::{Actor, Entry, PersonId};
use wardroom_core::incident::Asking;
use wardroom_core::refusal::{Code, Remedy};
use wardroom_core::todo::TodoAct;

use crate::cast::{JOSEPHINE, MALCOLM, MARY, ROBIN, SABRINA};
use crate::given::{Given, by, given};
use crate::words::{ask_for, closed, cmd, held, joined, opened, text};

fn added(todo: u32, by: PersonId, owner: Option<PersonId>) -> Event {
    Event::TodoAdded { todo, text: text("warm the cache"), owner, bug: None, by }
}

fn assign(todo: u32, person: Option<&str>) -> Command {
    cmd("assign_todo", json!({"todo": todo, "person": person}))
}

fn on(name: &str, todo: u32) -> Command {
    cmd(name, json!({ "todo": todo }))
}

/// Sabrina has planning; Robin and Josephine are here.
fn planned() -> Given {
    given([opened(), joined(JOSEPHINE), joined(ROBIN)]).and(held("planning", SABRINA))
}

fn may(given: &Given, who: PersonId) -> Vec<TodoAct> {
    let ask = Asking {
        actor: Actor::Person(who),
        now: given.now,
        facts: &given.facts,
        cited: None,
        other: None,
        document: None,
    };
    given.state().may_with_todo(&ask, 1)
}

const WITH_A_PASSWORD: &str = "A link with a name or password in it would show them to everybody here. Leave out what stands \
                               before the “@”, and the “@”.";

#[test]
fn everybody_here_adds_one_for_somebody_who_is_here() {
    let add = |person: Option<&str>| cmd("add_todo", json!({"text": "warm the cache", "person": person}));
    let filed = |bug: &str| cmd("add_todo", json!({"text": "warm the cache", "bug": bug}));
    planned()
        .when(JOSEPHINE, add(None))
        .then([added(1, JOSEPHINE, None)])
        .when(JOSEPHINE, add(Some("robin")))
        .then([added(2, JOSEPHINE, Some(ROBIN))])
        .when(JOSEPHINE, add(Some("malcolm")))
        .refused(Code::NotThere, &[], None)
        .when(MALCOLM, add(None))
        .refused(Code::NotAResponder, &[], Some(Remedy::Join))
        .when(ROBIN, filed("ftp://bugs.example.org/7"))
        .refused(Code::Invalid, &[], None)
        .when(ROBIN, filed("https://"))
        .refused(Code::Invalid, &[], None)
        .when(ROBIN, filed("https://robin:secret@bugs.example.org/7"))
        .says(WITH_A_PASSWORD)
        .refused(Code::Invalid, &[], None)
        .when(ROBIN, cmd("add_todo", json!({ "text": "Fix it https://robin:secret@bugs.example.org/7" })))
        .says(WITH_A_PASSWORD)
        .refused(Code::Invalid, &[], None)
        .when(ROBIN, filed("https://bugs.example.org/7"))
        .then([Event::TodoAdded {
            todo: 3,
            text: text("warm the cache"),
            owner: None,
            bug: Some(text("https://bugs.example.org/7")),
            by: ROBIN,
        }])
        .and((4..=300).map(|todo| added(todo, MARY, None)))
        .when(JOSEPHINE, add(None))
        .refused(Code::TooMany, &[], None);
}

/// Typed as one line, wherever that is.
#[test]
fn a_link_at_a_lines_end_is_its_bug() {
    let (link, other) = ("https://bugs.example.org/7", "https://bugs.example.org/8");
    for (line, bug, said, tracked) in [
        ("Fix it  https://bugs.example.org/7", None, "Fix it", Some(link)),
        (link, None, link, None),
        ("it begins with https://", None, "it begins with https://", None),
        ("and then https:///", None, "and then https:///", None),
        ("see https://bugs.example.org/7 first", None, "see https://bugs.example.org/7 first", None),
        ("Fix it http://bugs.example.org/7", None, "Fix it http://bugs.example.org/7", None),
        ("Fix what https://bugs.example.org/7", Some(other), "Fix what https://bugs.example.org/7", Some(other)),
    ] {
        let bug = bug.map(str::to_owned);
        planned().when(JOSEPHINE, cmd("add_todo", json!({"text": line, "bug": bug}))).then([Event::TodoAdded {
            todo: 1,
            text: text(said),
            owner: None,
            bug: tracked.map(text),
            by: JOSEPHINE,
        }]);
    }
}

#[test]
fn one_that_nobody_has_is_taken_by_anybody() {
    planned()
        .and([added(1, MARY, None)])
        .when(JOSEPHINE, assign(1, Some("robin")))
        .refused(Code::NotYours, &[SABRINA, MARY], ask_for("planning"))
        .when(JOSEPHINE, assign(1, Some("josephine")))
        .then([Event::TodoAssigned { todo: 1, owner: Some(JOSEPHINE) }])
        .when(JOSEPHINE, assign(1, Some("josephine")))
        .refused(Code::AlreadySo, &[], None)
        .when(ROBIN, assign(1, Some("robin")))
        .refused(Code::NotYours, &[SABRINA, MARY], ask_for("planning"))
        .when(JOSEPHINE, assign(1, None))
        .then([Event::TodoAssigned { todo: 1, owner: None }]);
}

#[test]
fn ones_own_are_those_that_one_added_or_has() {
    for who in [JOSEPHINE, ROBIN] {
        planned()
            .and([added(1, JOSEPHINE, Some(ROBIN))])
            .when(who, on("finish_todo", 1))
            .then([Event::TodoFinished { todo: 1, by: who }])
            .when(who, on("finish_todo", 1))
            .refused(Code::AlreadySo, &[], None)
            .when(who, cmd("reword_todo", json!({"todo": 1, "text": "cool it", "replaces": 6})))
            .refused(Code::AlreadySo, &[], None)
            .when(who, on("reopen_todo", 1))
            .then([Event::TodoReopened { todo: 1 }])
            .when(who, on("reopen_todo", 1))
            .refused(Code::AlreadySo, &[], None)
            .when(who, cmd("reword_todo", json!({"todo": 1, "text": "cool it", "replaces": 6})))
            .then([Event::TodoReworded { todo: 1, text: text("cool it") }])
            .when(who, cmd("link_todo", json!({"todo": 1, "bug": "https://bugs.example.org/7"})))
            .then([Event::TodoLinked { todo: 1, bug: Some(text("https://bugs.example.org/7")) }])
            .when(who, cmd("link_todo", json!({"todo": 1, "bug": "https://bugs.example.org/7"})))
            .refused(Code::AlreadySo, &[], None)
            .when(who, on("link_todo", 1))
            .then([Event::TodoLinked { todo: 1, bug: None }]);
    }
}

#[test]
fn those_of_others_are_plannings_and_commands() {
    let theirs = || planned().and([added(1, JOSEPHINE, Some(JOSEPHINE))]);
    let assign = |person: Option<&str>| cmd("assign_todo", json!({"todo": 1, "person": person, "replaces": 6}));
    for command in [on("finish_todo", 1), assign(None), assign(Some("robin"))] {
        theirs().when(ROBIN, command.clone()).refused(Code::NotYours, &[SABRINA, MARY], ask_for("planning"));
        theirs().when(SABRINA, command.clone()).accepted();
        theirs().when(MARY, command).accepted();
    }
    theirs().when(MARY, on("finish_todo", 2)).refused(Code::NotThere, &[], None);
}

#[test]
fn what_others_said_of_one_is_not_replaced_unread() {
    let replace = |entry| Some(Remedy::Replace { entry: Entry(entry) });
    let reword =
        |words: &str, replaces: u64| cmd("reword_todo", json!({"todo": 1, "text": words, "replaces": replaces}));
    let link = |replaces: Option<u64>| cmd("link_todo", json!({"todo": 1, "bug": null, "replaces": replaces}));
    let bug = Some(text("https://bugs.example.org/7"));
    planned()
        .and([added(1, JOSEPHINE, None)])
        .and([by(ROBIN, Event::TodoAssigned { todo: 1, owner: Some(ROBIN) })])
        .and([by(ROBIN, Event::TodoReworded { todo: 1, text: text("warm both caches") })])
        .and([by(ROBIN, Event::TodoLinked { todo: 1, bug })])
        // Josephine added it and may take it all the same, but not without knowing from whom.
        .when(JOSEPHINE, assign(1, Some("josephine")))
        .says("Robin took to-do 1 meanwhile. Nothing was replaced: say yours again if it is to stand instead.")
        .refused(Code::ChangedMeanwhile, &[], replace(7))
        .when(JOSEPHINE, reword("cool it", 6))
        .says("Robin wrote “warm both caches” as to-do 1 meanwhile. Nothing was replaced: say yours again if it is to stand instead.")
        .refused(Code::ChangedMeanwhile, &[], replace(8))
        .when(JOSEPHINE, link(None))
        .says("Robin linked to-do 1 to https://bugs.example.org/7 meanwhile. Nothing was replaced: say yours again if it is to stand instead.")
        .refused(Code::ChangedMeanwhile, &[], replace(9))
        .when(JOSEPHINE, reword("cool it", 8))
        .then([Event::TodoReworded { todo: 1, text: text("cool it") }])
        .when(JOSEPHINE, link(Some(9)))
        .then([Event::TodoLinked { todo: 1, bug: None }])
        .when(JOSEPHINE, cmd("assign_todo", json!({"todo": 1, "person": "josephine", "replaces": 7})))
        .then([Event::TodoAssigned { todo: 1, owner: Some(JOSEPHINE) }]);
}

#[test]
fn what_came_with_one_was_said_by_whoever_added_it() {
    let given = planned().and([by(JOSEPHINE, added(1, JOSEPHINE, Some(ROBIN)))]);
    given
        .when(MARY, assign(1, Some("mary")))
        .says("Josephine gave to-do 1 to Robin meanwhile. Nothing was replaced: say yours again if it is to stand instead.")
        .refused(Code::ChangedMeanwhile, &[], Some(Remedy::Replace { entry: Entry(6) }));
}

#[test]
fn what_is_shown_is_what_may_be_done() {
    use TodoAct::{Assign, Finish, Link, Reopen, Reword, Take};
    let free = planned().and([added(1, JOSEPHINE, None)]);
    assert_eq!(may(&free, JOSEPHINE), [Reword, Take, Assign, Finish, Link]);
    assert_eq!(may(&free, ROBIN), [Take]);
    assert_eq!(may(&free, MALCOLM), []);
    let done = free.and([Event::TodoFinished { todo: 1, by: JOSEPHINE }]);
    assert_eq!(may(&done, MARY), [Reopen, Link]);
    assert_eq!(may(&done.and([closed(MARY)]), MARY), []);
}

/// Nobody is kept from resolving by what there is to do besides.
#[test]
fn an_open_one_stands_in_no_phases_way() {
    given([opened(), added(1, MARY, None)])
        .when(MARY, cmd("set_phase", json!({"phase": "resolved"})))
        .accepted()
        .when(MARY, cmd("set_phase", json!({"phase": "closed"})))
        .accepted();
}
