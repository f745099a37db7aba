//! How roles change hands: offers, asking, taking, declining, withdrawing, lapsing (rules 3 and 5).

use serde_json::json;
use wardroom_core::command::Command;
use wardroom_core::event::Event;
use wardroom_core::id::Entry;
use wardroom_core::refusal::{Code, Remedy};

use crate::cast::{ADA, IVAN, JOSEPHINE, MALCOLM, MARY, ROBIN, SABRINA, at};
use crate::given::{Given, given};
use crate::words::{
    ask_for, cmd, held, joined, lapsed, offer, offer_to_team, offered, offered_at, offered_to_team, opened, role,
    role_opened, take, taken, text,
};

fn on(name: &str, path: &str) -> Command {
    cmd(name, json!({"role": path}))
}

/// Operations are offered to Sabrina, by entry 2.
fn on_offer() -> Given {
    given([opened(), offered("operations", SABRINA, MARY)])
}

fn superseded(path: &str, offer: u64) -> Event {
    Event::OfferSuperseded { role: role(path), offer: Entry(offer) }
}

fn withdrawn(path: &str, offer: u64) -> Event {
    Event::OfferWithdrawn { role: role(path), offer: Entry(offer), reason: None }
}

#[test]
fn an_offer_moves_nothing_until_it_is_taken() {
    let offered =
        given([opened()]).when(MARY, offer("operations", SABRINA)).then([offered("operations", SABRINA, MARY)]);
    assert_eq!(offered.state().effective_holder(&role("operations")), Some(MARY));
    let taken =
        offered.when(SABRINA, take("operations")).then([joined(SABRINA), taken("operations", 2, SABRINA, None)]);
    assert_eq!(taken.state().holder(&role("operations")), Some(SABRINA));
    assert!(taken.state().offers.is_empty());
}

#[test]
fn a_taken_role_passes_on_from_whoever_held_it() {
    given([opened()])
        .and(held("operations", SABRINA))
        .when(SABRINA, offer("operations", JOSEPHINE))
        .accepted()
        .when(JOSEPHINE, take("operations"))
        .then([joined(JOSEPHINE), taken("operations", 4, JOSEPHINE, Some(SABRINA))]);
}

#[test]
fn an_offer_goes_to_somebody_who_could_take_it() {
    given([opened()])
        .when(MARY, offer("operations", IVAN))
        .refused(Code::Inactive, &[], None)
        .when(MARY, cmd("offer_role", json!({"role": "operations", "to": {"person": "nobody"}})))
        .refused(Code::UnknownPerson, &[], None)
        .when(MARY, cmd("offer_role", json!({"role": "operations", "to": {"team": "nobody"}})))
        .refused(Code::UnknownTeam, &[], None)
        .when(MARY, offer("operations/x", SABRINA))
        .refused(Code::UnknownRole, &[], None)
        .when(MARY, offer("command", MARY))
        .says("Mary holds “command” already.")
        .refused(Code::AlreadySo, &[], None)
        .when(SABRINA, offer("operations", ROBIN))
        .refused(Code::NotYours, &[MARY], ask_for("operations"));
}

#[test]
fn a_team_needs_somebody_who_could_take_it() {
    given([opened()]).deactivated(SABRINA).deactivated(ROBIN).when(MARY, offer_to_team("operations")).refused(
        Code::Inactive,
        &[],
        None,
    );
}

#[test]
fn whoever_of_a_team_takes_first_has_it() {
    given([opened()])
        .when(MARY, offer_to_team("operations"))
        .then([offered_to_team("operations", MARY)])
        .when(JOSEPHINE, take("operations"))
        .refused(Code::NotOfferedToYou, &[], ask_for("operations"))
        .when(SABRINA, on("decline_offer", "operations"))
        .refused(Code::NotOfferedToYou, &[], None)
        .when(IVAN, take("operations"))
        .refused(Code::NotActive, &[], Some(Remedy::AskAdmin))
        .when(ROBIN, take("operations"))
        .then([joined(ROBIN), taken("operations", 2, ROBIN, None)])
        .when(SABRINA, take("operations"))
        .refused(Code::NotThere, &[], ask_for("operations"));
}

#[test]
fn an_offer_is_declined_by_whom_it_is_for() {
    let declined =
        Event::OfferDeclined { role: role("operations"), offer: Entry(2), by: SABRINA, reason: Some(text("asleep")) };
    on_offer()
        .when(ROBIN, on("decline_offer", "operations"))
        .refused(Code::NotOfferedToYou, &[], ask_for("operations"))
        .when(SABRINA, cmd("decline_offer", json!({"role": "operations", "reason": "asleep"})))
        .then([declined])
        .when(SABRINA, on("decline_offer", "operations"))
        .refused(Code::NotThere, &[], ask_for("operations"));
}

#[test]
fn an_offer_lapses_after_ten_minutes_recorded_or_not() {
    on_offer().after(9).after_seconds(59).when(SABRINA, take("operations")).accepted();
    for act in ["take_role", "decline_offer", "withdraw_offer"] {
        let by = if act == "withdraw_offer" { MARY } else { SABRINA };
        on_offer()
            .after(10)
            .when(by, on(act, "operations"))
            .says("The offer of “operations” lapsed at 03:10:00 UTC. Ask for it again.")
            .refused(Code::OfferLapsed, &[MARY], ask_for("operations"));
    }
}

#[test]
fn a_lapsed_offer_makes_way_and_is_marked_late_if_it_is() {
    let again = |minutes| offered_at("operations", ROBIN, MARY, at(minutes));
    on_offer().after(11).when(MARY, offer("operations", ROBIN)).then([lapsed("operations", 2, false), again(11)]);
    on_offer().after(30).when(MARY, offer("operations", ROBIN)).then([lapsed("operations", 2, true), again(30)]);
}

#[test]
fn one_offer_at_a_time() {
    on_offer()
        .when(MARY, offer("operations", ROBIN))
        .says("“operations” is offered to Sabrina until 03:10:00 UTC. Withdraw that offer first.")
        .refused(Code::OfferPending, &[], Some(Remedy::Withdraw { role: role("operations") }))
        .when(MARY, on("withdraw_offer", "operations"))
        .then([withdrawn("operations", 2)])
        .when(MARY, offer("operations", ROBIN))
        .accepted();
    given([opened(), offered_to_team("operations", MARY)])
        .when(MARY, offer("operations", ROBIN))
        .says("“operations” is offered to the team search-sre until 03:10:00 UTC. Withdraw that offer first.")
        .refused(Code::OfferPending, &[], Some(Remedy::Withdraw { role: role("operations") }));
}

#[test]
fn an_ancestors_offer_supersedes_and_not_the_other_way_round() {
    let sabrinas = || {
        given([opened()])
            .and(held("operations", SABRINA))
            .and([role_opened("operations/database"), offered("operations/database", ROBIN, SABRINA)])
    };
    let new = offered("operations/database", JOSEPHINE, MARY);
    sabrinas()
        .when(MARY, offer("operations/database", JOSEPHINE))
        .then([superseded("operations/database", 5), new])
        .when(SABRINA, offer("operations/database", ROBIN))
        .refused(Code::OfferPending, &[], Some(Remedy::Withdraw { role: role("operations/database") }));
}

/// An offer outlives a change of commander, and was superseded then as if its maker had never stood above.
#[test]
fn an_offer_keeps_the_height_from_which_it_was_made() {
    let handed_over = crate::words::command_taken(6, ROBIN, MARY, wardroom_core::briefing::Briefed::ByVoice, &[]);
    given([opened()])
        .and(held("operations", SABRINA))
        .and([
            role_opened("operations/database"),
            offered("operations/database", JOSEPHINE, MARY),
            offered("command", ROBIN, MARY),
            handed_over,
        ])
        .when(SABRINA, offer("operations/database", MALCOLM))
        .refused(Code::OfferPending, &[], Some(Remedy::Withdraw { role: role("operations/database") }))
        .when(ROBIN, offer("operations/database", MALCOLM))
        .refused(Code::OfferPending, &[], Some(Remedy::Withdraw { role: role("operations/database") }))
        .when(ROBIN, on("withdraw_offer", "operations/database"))
        .then([withdrawn("operations/database", 5)]);
}

#[test]
fn whoever_made_an_offer_or_stands_above_withdraws_it() {
    let sabrinas = || given([opened()]).and(held("operations", SABRINA)).and([offered("operations", ROBIN, SABRINA)]);
    sabrinas().when(SABRINA, on("withdraw_offer", "operations")).then([withdrawn("operations", 4)]);
    sabrinas().when(MARY, on("withdraw_offer", "operations")).then([withdrawn("operations", 4)]);
    sabrinas().when(JOSEPHINE, on("withdraw_offer", "operations")).refused(
        Code::NotYours,
        &[SABRINA, MARY],
        ask_for("operations"),
    );
}

#[test]
fn offers_outlive_a_change_of_commander_who_may_withdraw_them() {
    let handed = || {
        on_offer().and([
            offered("command", JOSEPHINE, MARY),
            joined(JOSEPHINE),
            taken("command", 3, JOSEPHINE, Some(MARY)),
        ])
    };
    handed().when(SABRINA, take("operations")).accepted();
    handed().when(JOSEPHINE, on("withdraw_offer", "operations")).then([withdrawn("operations", 2)]);
    handed().when(MARY, on("withdraw_offer", "operations")).then([withdrawn("operations", 2)]);
}

#[test]
fn taking_needs_an_offer_to_oneself() {
    on_offer()
        .when(MARY, take("planning"))
        .says("“planning” is not on offer. You can ask for it.")
        .refused(Code::NotThere, &[], ask_for("planning"))
        .when(ROBIN, take("operations"))
        .refused(Code::NotOfferedToYou, &[], ask_for("operations"))
        .when(MARY, take("command"))
        .refused(Code::AlreadySo, &[], None)
        .when(SABRINA, take("operations/x"))
        .refused(Code::UnknownRole, &[], None)
        .when(SABRINA, cmd("take_role", json!({"role": "operations", "briefed": {"to": 9}})))
        .refused(Code::FromTheFuture, &[], Some(Remedy::Brief { to: Entry(2) }));
}

#[test]
fn somebody_asks_and_the_holder_agrees_by_offering() {
    let asked = Event::RoleAsked { role: role("operations"), by: SABRINA, note: Some(text("I know it")) };
    let given = given([opened(), joined(SABRINA)])
        .when(SABRINA, cmd("ask_role", json!({"role": "operations", "note": "I know it"})))
        .then([asked])
        .when(SABRINA, on("ask_role", "operations"))
        .refused(Code::AlreadySo, &[MARY], None)
        .when(MARY, offer("operations", SABRINA))
        .then([offered("operations", SABRINA, MARY)]);
    assert!(given.state().asks[&role("operations")].is_empty(), "the offer answers");
    given.when(SABRINA, on("ask_role", "operations")).refused(
        Code::AlreadySo,
        &[],
        Some(Remedy::Take { role: role("operations") }),
    );
}

#[test]
fn an_ask_is_declined_or_taken_back() {
    let asks =
        || given([opened(), joined(SABRINA), Event::RoleAsked { role: role("planning"), by: SABRINA, note: None }]);
    let decline = || cmd("decline_ask", json!({"role": "planning", "person": "sabrina"}));
    let declined = Event::AskDeclined { role: role("planning"), person: SABRINA, reason: None };
    asks()
        .when(ADA, decline())
        .refused(Code::NotYours, &[MARY], ask_for("planning"))
        .when(MARY, decline())
        .then([declined])
        .when(MARY, decline())
        .refused(Code::NotThere, &[], None);
    asks()
        .when(SABRINA, on("take_back_ask", "planning"))
        .then([Event::AskTakenBack { role: role("planning"), person: SABRINA }])
        .when(SABRINA, on("take_back_ask", "planning"))
        .refused(Code::NotThere, &[], None);
}

#[test]
fn only_a_responder_asks_and_not_for_what_is_theirs() {
    given([opened()])
        .when(MALCOLM, on("ask_role", "operations"))
        .refused(Code::NotAResponder, &[], Some(Remedy::Join))
        .when(MARY, on("ask_role", "command"))
        .refused(Code::AlreadySo, &[], None);
}
