//! The tree of roles: opening, closing, falling upward, members, span of control (rules 2, 3 and 9).

use serde_json::json;
use wardroom_core::command::Command;
use wardroom_core::event::Event;
use wardroom_core::refusal::{Code, Remedy};
use wardroom_core::role::{Fell, RolePath};

use crate::cast::{IVAN, JOSEPHINE, MALCOLM, MARY, NOBODY, ROBIN, SABRINA};
use crate::given::{Given, given};
use crate::words::{ask_for, cmd, fell, held, joined, lapsed, member, offer, offered, opened, role, role_opened};

fn on(name: &str, path: &str) -> Command {
    cmd(name, json!({"role": path}))
}

fn of(name: &str, path: &str, person: &str) -> Command {
    cmd(name, json!({"role": path, "person": person}))
}

/// Mary commands, Sabrina has operations, Josephine operations/database.
fn tree() -> Given {
    given([opened()])
        .and(held("operations", SABRINA))
        .and([role_opened("operations/database")])
        .and(held("operations/database", JOSEPHINE))
}

#[test]
fn paths_are_written_in_one_way_only() {
    for good in ["command", "operations", "operations/database", "command/night-shift", "planning/a/b/c/d/e/f"] {
        assert_eq!(role(good).as_str(), good);
    }
    for bad in ["", "Operations", "ops", "operations/", "/operations", "operations//x", "operations/-x", "planning/ä"]
    {
        assert!(bad.parse::<RolePath>().is_err(), "{bad}");
    }
    assert_eq!(role("operations").parent(), Some(role("command")));
    assert_eq!(role("operations/database").parent(), Some(role("operations")));
    assert_eq!(role("command").parent(), None);
}

#[test]
fn what_nobody_holds_is_with_the_nearest_above() {
    let state = tree().and([role_opened("operations/database/primary")]).state();
    assert_eq!(state.effective_holder(&role("planning")), Some(MARY));
    assert_eq!(state.effective_holder(&role("operations")), Some(SABRINA));
    assert_eq!(state.effective_holder(&role("operations/database/primary")), Some(JOSEPHINE));
    let through = |path| state.held_through(&role(path));
    assert_eq!(through("planning"), Some(role("command")));
    assert_eq!(through("operations"), Some(role("operations")));
    assert_eq!(through("operations/database/primary"), Some(role("operations/database")));
    let closed = tree().and([crate::words::closed(MARY)]).state();
    assert_eq!(closed.held_through(&role("planning")), None);
}

#[test]
fn a_holder_opens_roles_under_theirs_and_closes_them() {
    tree()
        .when(SABRINA, on("open_role", "operations/network"))
        .then([role_opened("operations/network")])
        .when(JOSEPHINE, on("close_role", "operations/network"))
        .refused(Code::NotYours, &[SABRINA, MARY], ask_for("operations/network"))
        .when(MARY, on("close_role", "operations/network"))
        .then([Event::RoleClosed { role: role("operations/network") }]);
}

#[test]
fn paths_are_in_the_order_of_the_tree() {
    let tree = [
        "command",
        "command/night-shift",
        "operations",
        "operations/db",
        "operations/db/cache",
        "operations/db-eu",
        "communications",
        "planning",
    ];
    let mut sorted: Vec<RolePath> = tree.iter().rev().map(|path| role(path)).collect();
    sorted.sort();
    assert_eq!(sorted, tree.map(role));
}

#[test]
fn roles_are_opened_where_there_is_something_to_hang_them_on() {
    tree()
        .when(MARY, on("open_role", "operations/database"))
        .refused(Code::AlreadySo, &[], None)
        .when(MARY, on("open_role", "command"))
        .refused(Code::AlreadySo, &[], None)
        .when(MARY, on("open_role", "operations/cables/undersea"))
        .says(
            "There is no role “operations/cables” here. There are: command, operations, operations/database, \
               communications, planning.",
        )
        .refused(Code::UnknownRole, &[], None);
}

#[test]
fn what_is_in_use_stays_open() {
    let database = || given([opened(), joined(SABRINA), role_opened("operations/database")]);
    let path = || role("operations/database");
    // One thing at a time, and each says which comes first.
    let unfinished = |given: Given, first: Remedy| {
        given.when(MARY, on("close_role", "operations/database")).refused(Code::Unfinished, &[], Some(first));
    };
    unfinished(tree(), Remedy::Release { role: path() });
    let member = member("operations/database", SABRINA);
    unfinished(database().and([member]), Remedy::ReleaseMember { role: path(), person: SABRINA });
    let below = role("operations/database/primary");
    unfinished(database().and([role_opened("operations/database/primary")]), Remedy::Close { role: below });
    let offered = offered("operations/database", SABRINA, MARY);
    unfinished(database().and([offered]), Remedy::Withdraw { role: path() });
    given([opened()]).when(MARY, on("close_role", "planning")).refused(Code::Invalid, &[], None);
}

#[test]
fn an_offer_that_lapsed_does_not_keep_a_role_open() {
    let path = "operations/database";
    given([opened(), role_opened(path), offered(path, SABRINA, MARY)])
        .after(10)
        .when(MARY, on("close_role", path))
        .then([lapsed(path, 3, false), Event::RoleClosed { role: role(path) }]);
}

#[test]
fn a_released_role_falls_to_the_nearest_above() {
    tree()
        .when(JOSEPHINE, on("release_role", "operations/database"))
        .then([fell("operations/database", JOSEPHINE, SABRINA, Fell::Released)])
        .when(SABRINA, on("release_role", "operations"))
        .then([fell("operations", SABRINA, MARY, Fell::Released)])
        .when(SABRINA, on("release_role", "operations"))
        .refused(Code::NotYours, &[], ask_for("operations"));
    let take_back = Some(Remedy::Release { role: role("operations") });
    tree().when(MARY, on("release_role", "operations")).refused(Code::NotYours, &[SABRINA], take_back);
}

#[test]
fn command_is_never_released_or_taken_back() {
    let hand_over = Some(Remedy::Offer { role: role("command") });
    tree()
        .when(MARY, on("release_role", "command"))
        .refused(Code::CommandMustBeHanded, &[], hand_over)
        .when(MARY, on("take_back_role", "command"))
        .refused(Code::Invalid, &[], None);
}

#[test]
fn an_ancestor_takes_a_role_back_and_the_holder_does_not() {
    tree()
        .when(JOSEPHINE, on("take_back_role", "operations/database"))
        .refused(Code::NotYours, &[SABRINA, MARY], ask_for("operations"))
        .when(MARY, on("take_back_role", "operations/database"))
        .then([fell("operations/database", JOSEPHINE, SABRINA, Fell::TakenBack)])
        .when(MARY, on("take_back_role", "operations/database"))
        .refused(Code::AlreadySo, &[], None)
        .when(SABRINA, on("take_back_role", "operations"))
        .refused(Code::NotYours, &[MARY], ask_for("command"));
}

#[test]
fn members_are_added_and_released() {
    tree()
        .and([joined(ROBIN)])
        .when(SABRINA, of("add_member", "operations", "robin"))
        .then([member("operations", ROBIN)])
        .when(SABRINA, of("add_member", "operations", "robin"))
        .refused(Code::AlreadySo, &[], None)
        .when(JOSEPHINE, of("release_member", "operations", "robin"))
        .refused(Code::NotYours, &[SABRINA, MARY], ask_for("operations"))
        .when(ROBIN, of("release_member", "operations", "robin"))
        .then([Event::MemberReleased { role: role("operations"), person: ROBIN }])
        .when(SABRINA, of("release_member", "operations", "robin"))
        .refused(Code::NotThere, &[], None);
}

#[test]
fn a_member_is_somebody_who_is_here() {
    let invite = Some(Remedy::Offer { role: role("operations") });
    tree()
        .when(SABRINA, of("add_member", "operations", "malcolm"))
        .refused(Code::NotThere, &[], invite)
        .when(SABRINA, of("add_member", "operations", "ivan"))
        .refused(Code::Inactive, &[], None)
        .when(SABRINA, of("add_member", "operations", "nobody"))
        .refused(Code::UnknownPerson, &[], None)
        .when(SABRINA, of("add_member", "operations", "sabrina"))
        .refused(Code::AlreadySo, &[], None);
    assert_eq!(tree().state().responders.get(&MALCOLM).or(tree().state().responders.get(&IVAN)), None);
}

#[test]
fn who_takes_a_role_is_no_member_of_it_any_more() {
    let state =
        given([opened(), joined(SABRINA), member("operations", SABRINA)]).and(held("operations", SABRINA)).state();
    assert!(state.roles[&role("operations")].members.is_empty());
}

#[test]
fn more_than_seven_reports_are_a_hint() {
    let six = [MARY, SABRINA, JOSEPHINE, ROBIN, MALCOLM, NOBODY].map(|person| member("operations", person));
    let given = given([opened(), role_opened("operations/a"), role_opened("operations/b")]).and(six);
    let seven = given.and(held("operations/a", SABRINA));
    assert_eq!(seven.state().wide_spans(), []);
    let eight = seven.and(held("operations/b", JOSEPHINE));
    assert_eq!(eight.state().wide_spans(), [(role("operations"), 8)]);
}

#[test]
fn there_is_an_end_to_roles() {
    let many = (0..196).map(|n| role_opened(&format!("operations/r{n}")));
    given([opened()])
        .and(many)
        .when(MARY, on("open_role", "operations/one-more"))
        .refused(Code::TooMany, &[], None)
        .when(MARY, offer("operations", SABRINA))
        .accepted();
}
