//! Who is here: joining, leaving, doing now.

use serde_json::json;
use wardroom_core::absence::Ended;
use wardroom_core::absence::Grounds;
use wardroom_core::command::Command;
use wardroom_core::event::Event;
use wardroom_core::id::Entry;
use wardroom_core::refusal::{Code, Remedy};
use wardroom_core::role::Fell;

use crate::cast::{IVAN, JOSEPHINE, MARY, ROBIN, SABRINA, at};
use crate::given::{by, given};
use crate::words::{cmd, fell, held, joined, member, noted, offered, opened, plain, role, role_opened, text};

fn doing(words: Option<&str>) -> Command {
    cmd("doing", json!({"text": words}))
}

fn does(words: Option<&str>) -> Event {
    Event::DoingSet { person: SABRINA, doing: words.map(text) }
}

#[test]
fn one_joins_once() {
    given([opened()])
        .when(SABRINA, plain("join"))
        .then([joined(SABRINA)])
        .when(SABRINA, plain("join"))
        .refused(Code::AlreadySo, &[], None)
        .when(IVAN, plain("join"))
        .refused(Code::NotActive, &[], Some(Remedy::AskAdmin));
}

#[test]
fn a_note_joins_and_reading_does_not() {
    let given = given([opened()]);
    assert!(!given.state().responders.contains_key(&SABRINA));
    given
        .when(SABRINA, cmd("note", json!({"text": "seen it before"})))
        .then([joined(SABRINA), Event::Noted { text: text("seen it before"), happened_at: None, pinned: false }]);
}

#[test]
fn leaving_lets_every_role_fall_and_ends_what_was_offered() {
    let declined = Event::OfferDeclined { role: role("planning"), offer: Entry(8), by: SABRINA, reason: None };
    let after = given([opened(), role_opened("operations/database")])
        .and(held("operations", SABRINA))
        .and(held("operations/database", SABRINA))
        .and([member("communications", SABRINA), offered("planning", SABRINA, MARY)])
        .when(SABRINA, plain("leave"))
        .then([
            declined,
            fell("operations", SABRINA, MARY, Fell::Departed),
            fell("operations/database", SABRINA, MARY, Fell::Departed),
            Event::Left { person: SABRINA },
        ]);
    let state = after.state();
    assert!(!state.responders.contains_key(&SABRINA) && state.offers.is_empty());
    assert!(state.roles.values().all(|role| role.members.is_empty()));
}

#[test]
fn what_falls_skips_the_one_who_leaves_and_not_those_between() {
    given([opened(), role_opened("operations/a")])
        .and(held("operations", JOSEPHINE))
        .and(held("operations/a", SABRINA))
        .when(SABRINA, plain("leave"))
        .then([fell("operations/a", SABRINA, JOSEPHINE, Fell::Departed), Event::Left { person: SABRINA }]);
}

#[test]
fn leaving_takes_back_what_one_asked_and_proposed() {
    let asked = Event::RoleAsked { role: role("planning"), by: SABRINA, note: None };
    let proposed =
        Event::AssumptionProposed { by: SABRINA, grounds: Grounds::Unfit, reason: text("ill"), lapses_at: at(10) };
    let after = given([opened(), joined(SABRINA), asked, proposed])
        .when(SABRINA, plain("leave"))
        .then([Event::AssumptionEnded { proposal: Entry(4), why: Ended::Dropped }, Event::Left { person: SABRINA }]);
    assert!(after.state().asks[&role("planning")].is_empty());
}

#[test]
fn the_commander_hands_over_before_leaving() {
    given([opened()])
        .when(MARY, plain("leave"))
        .says("You are the commander: offer command to somebody, and stay until they have taken it.")
        .refused(Code::CommandMustBeHanded, &[], Some(Remedy::Offer { role: role("command") }))
        .when(ROBIN, plain("leave"))
        .refused(Code::NotAResponder, &[], Some(Remedy::Join));
}

#[test]
fn doing_now_is_one_line_about_oneself() {
    let after = given([opened(), joined(SABRINA)])
        .when(SABRINA, doing(Some("reading graphs")))
        .then([does(Some("reading graphs"))])
        .when(SABRINA, doing(Some("reading graphs")))
        .refused(Code::AlreadySo, &[], None)
        .when(SABRINA, doing(None))
        .then([does(None)])
        .when(SABRINA, doing(None))
        .refused(Code::AlreadySo, &[], None)
        .when(ROBIN, doing(Some("helping")))
        .refused(Code::NotAResponder, &[], Some(Remedy::Join));
    assert_eq!(after.state().responders[&SABRINA].doing, None);
}

/// A briefing says what is new since then.
#[test]
fn the_log_knows_when_somebody_who_is_here_last_did_something() {
    let given = given([opened(), joined(SABRINA)]).and([by(SABRINA, noted("x")), by(MARY, noted("y"))]);
    let last = |person| given.state().last_acted(person);
    assert_eq!((last(MARY), last(SABRINA), last(JOSEPHINE)), (Some(Entry(4)), Some(Entry(3)), None));
    assert_eq!(crate::given::given([opened()]).state().last_acted(MARY), Some(Entry(1)));
}
