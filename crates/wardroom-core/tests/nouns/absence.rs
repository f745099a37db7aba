//! When the commander is unseen, or here and unfit: assuming command (rule 6).

use wardroom_core::absence::{Ended, Grounds};
use wardroom_core::briefing::Briefed;
use wardroom_core::command::{Command, Tick};
use wardroom_core::event::Event;
use wardroom_core::id::{Entry, PersonId};
use wardroom_core::incident::Severity;
use wardroom_core::refusal::{Code, Remedy};

use crate::cast::{ADA, JOSEPHINE, MALCOLM, MARY, ROBIN, SABRINA, at, start};
use crate::given::{Given, given};
use crate::words::{absent, ask_for, assume, held, joined, noted, offered, offered_at, opened, plain, role, text};

/// Sabrina and Josephine are here, and so is Mary, until she is not.
fn here() -> Given {
    given([opened(), joined(SABRINA), joined(JOSEPHINE)])
}

/// It was recorded at once that Mary has not been seen since the start; so many minutes have passed.
fn unseen_for(minutes: i64) -> Given {
    here().and([absent(MARY, start())]).after(minutes)
}

fn unseen() -> Tick {
    Tick::Unseen { person: MARY, since: start() }
}

fn assumed(by: PersonId, grounds: Grounds, confirmed: Option<(u64, PersonId)>) -> Event {
    let (proposal, confirmed_by) = confirmed.map(|(entry, person)| (Entry(entry), person)).unzip();
    let reason = confirmed_by.is_none().then(|| text("it burns"));
    Event::CommandAssumed { by, from: MARY, grounds, reason, proposal, confirmed_by }
}

fn proposed(by: PersonId, grounds: Grounds, minutes: i64) -> Event {
    Event::AssumptionProposed { by, grounds, reason: text("it burns"), lapses_at: at(minutes + 10) }
}

fn ended(proposal: u64, why: Ended) -> Event {
    Event::AssumptionEnded { proposal: Entry(proposal), why }
}

fn confirm() -> Command {
    plain("confirm_assumption")
}

#[test]
fn five_minutes_unseen_are_an_absence_and_fifteen_below_sev2() {
    here().after(4).tick(unseen()).refused(Code::AlreadySo, &[], None);
    here().after(5).tick(unseen()).then([absent(MARY, start())]).tick(unseen()).refused(Code::AlreadySo, &[], None);
    let sev3 = || here().and([Event::SeveritySet { from: Severity::Sev2, to: Severity::Sev3, reason: None }]);
    sev3().after(14).tick(unseen()).refused(Code::AlreadySo, &[], None);
    sev3().after(15).tick(unseen()).then([absent(MARY, start())]);
    let other = Tick::Unseen { person: SABRINA, since: start() };
    here().after(60).tick(other).refused(Code::AlreadySo, &[], None);
}

#[test]
fn who_is_seen_again_has_returned() {
    unseen_for(5)
        .tick(Tick::Seen { person: SABRINA })
        .refused(Code::AlreadySo, &[], None)
        .tick(Tick::Seen { person: MARY })
        .then([Event::CommanderReturned { person: MARY }])
        .tick(Tick::Seen { person: MARY })
        .refused(Code::AlreadySo, &[], None);
    unseen_for(5)
        .when(MARY, serde_json::from_str(r#"{"command":"note","text":"back"}"#).expect("a command"))
        .then([Event::CommanderReturned { person: MARY }, noted("back")]);
}

/// What "still with us?" proposes was refused, because she had joined long ago.
#[test]
fn who_is_asked_whether_they_are_still_here_may_say_so() {
    unseen_for(5)
        .when(MARY, plain("join"))
        .then([Event::CommanderReturned { person: MARY }])
        .when(MARY, plain("join"))
        .refused(Code::AlreadySo, &[], None)
        .when(SABRINA, plain("join"))
        .refused(Code::AlreadySo, &[], None);
    unseen_for(5).when(SABRINA, plain("join")).refused(Code::AlreadySo, &[], None);
}

#[test]
fn a_commander_who_is_here_is_asked_and_not_replaced() {
    here()
        .when(SABRINA, assume(Grounds::Unseen))
        .says("Mary was seen within the last minutes. Ask for command; or, if Mary cannot go on, say “unfit”.")
        .refused(Code::CommanderIsHere, &[MARY], ask_for("command"))
        .when(MARY, assume(Grounds::Unseen))
        .refused(Code::AlreadySo, &[], None);
}

#[test]
fn unseen_for_five_minutes_it_takes_two() {
    let after = unseen_for(5)
        .when(SABRINA, assume(Grounds::Unseen))
        .then([proposed(SABRINA, Grounds::Unseen, 5)])
        .when(SABRINA, confirm())
        .refused(Code::NeedsAnother, &[JOSEPHINE], None)
        .when(MALCOLM, confirm())
        .refused(Code::NotYours, &[JOSEPHINE], Some(Remedy::Join))
        .when(JOSEPHINE, assume(Grounds::Unseen))
        .refused(Code::AlreadySo, &[SABRINA], Some(Remedy::Confirm))
        .when(SABRINA, assume(Grounds::Unseen))
        .refused(Code::AlreadySo, &[JOSEPHINE], None)
        .when(JOSEPHINE, confirm())
        .then([assumed(SABRINA, Grounds::Unseen, Some((5, JOSEPHINE)))]);
    assert_eq!(after.state().commander(), SABRINA);
    assert_eq!(after.state().absence, wardroom_core::absence::Absence::default());
}

#[test]
fn unseen_for_fifteen_minutes_a_reason_is_enough() {
    unseen_for(14).when(SABRINA, assume(Grounds::Unseen)).then([proposed(SABRINA, Grounds::Unseen, 14)]);
    unseen_for(15)
        .when(MALCOLM, assume(Grounds::Unseen))
        .refused(Code::NotAResponder, &[], Some(Remedy::Join))
        .when(SABRINA, assume(Grounds::Unseen))
        .then([assumed(SABRINA, Grounds::Unseen, None)]);
}

#[test]
fn a_severity_lowered_meanwhile_makes_the_wait_longer() {
    unseen_for(6)
        .and([Event::SeveritySet { from: Severity::Sev2, to: Severity::Sev3, reason: None }])
        .when(SABRINA, assume(Grounds::Unseen))
        .refused(Code::CommanderIsHere, &[MARY], ask_for("command"));
}

#[test]
fn whoever_assumes_voids_a_pending_offer_of_command() {
    let superseded = Event::OfferSuperseded { role: role("command"), offer: Entry(5) };
    unseen_for(0)
        .and([offered_at("command", JOSEPHINE, MARY, at(10))])
        .after(15)
        .when(SABRINA, assume(Grounds::Unseen))
        .then([superseded, assumed(SABRINA, Grounds::Unseen, None)]);
}

#[test]
fn a_return_ends_the_proposal() {
    let given = unseen_for(5).and([proposed(SABRINA, Grounds::Unseen, 5)]);
    given
        .clone()
        .tick(Tick::Seen { person: MARY })
        .then([Event::CommanderReturned { person: MARY }])
        .when(JOSEPHINE, confirm())
        .refused(Code::NotThere, &[], Some(Remedy::Assume));
    given
        .when(MARY, plain("drop_assumption"))
        .then([Event::CommanderReturned { person: MARY }, ended(5, Ended::Returned)]);
}

#[test]
fn a_proposal_lapses_and_is_taken_back() {
    let given = unseen_for(5).and([proposed(SABRINA, Grounds::Unseen, 5)]);
    given.clone().after(10).when(JOSEPHINE, confirm()).refused(Code::NotThere, &[], Some(Remedy::Assume));
    given.clone().after(10).tick(Tick::Deadlines).then([ended(5, Ended::Lapsed)]);
    given
        .when(JOSEPHINE, plain("drop_assumption"))
        .refused(Code::NotYours, &[SABRINA], None)
        .when(SABRINA, plain("drop_assumption"))
        .then([ended(5, Ended::Dropped)])
        .when(SABRINA, plain("drop_assumption"))
        .refused(Code::NotThere, &[], None);
}

#[test]
fn a_lapsed_proposal_makes_way_for_another() {
    unseen_for(0)
        .and([proposed(SABRINA, Grounds::Unseen, -5)])
        .after(6)
        .when(JOSEPHINE, assume(Grounds::Unseen))
        .then([ended(5, Ended::Lapsed), proposed(JOSEPHINE, Grounds::Unseen, 6)]);
}

#[test]
fn unfit_takes_two_other_holders_of_roles() {
    let given = here().and(held("operations", SABRINA)).and(held("planning", ROBIN));
    given
        .when(SABRINA, assume(Grounds::Unfit))
        .then([proposed(SABRINA, Grounds::Unfit, 0)])
        .when(MARY, confirm())
        .refused(Code::NeedsAnother, &[ROBIN, ADA], None)
        .when(JOSEPHINE, confirm())
        .refused(Code::NotYours, &[ROBIN, ADA], Some(Remedy::AskAdmin))
        .when(ROBIN, confirm())
        .then([assumed(SABRINA, Grounds::Unfit, Some((8, ROBIN)))]);
}

#[test]
fn unfit_takes_an_admin_and_a_responder() {
    here()
        .when(SABRINA, assume(Grounds::Unfit))
        .then([proposed(SABRINA, Grounds::Unfit, 0)])
        .when(JOSEPHINE, confirm())
        .refused(Code::NotYours, &[ADA], Some(Remedy::AskAdmin))
        .when(ADA, confirm())
        .then([assumed(SABRINA, Grounds::Unfit, Some((4, ADA)))]);
    here()
        .when(ADA, assume(Grounds::Unfit))
        .then([proposed(ADA, Grounds::Unfit, 0)])
        .when(MALCOLM, confirm())
        .refused(Code::NotYours, &[SABRINA, JOSEPHINE], Some(Remedy::Join))
        .when(JOSEPHINE, confirm())
        .then([joined(ADA), assumed(ADA, Grounds::Unfit, Some((4, JOSEPHINE)))]);
}

#[test]
fn a_commander_cannot_set_aside_being_called_unfit() {
    here().and([proposed(SABRINA, Grounds::Unfit, 0)]).when(MARY, plain("drop_assumption")).refused(
        Code::NotYours,
        &[SABRINA],
        None,
    );
}

#[test]
fn a_deactivated_commander_is_absent_at_once() {
    let given = here().deactivated(MARY);
    assert_eq!(given.state().commander(), MARY, "the tenure does not end");
    for grounds in [Grounds::Unseen, Grounds::Unfit] {
        given.clone().when(ADA, assume(grounds)).refused(Code::NotAResponder, &[], Some(Remedy::Join));
    }
    given.clone().when(SABRINA, assume(Grounds::Unseen)).then([assumed(SABRINA, Grounds::Unseen, None)]);
    // Everybody is told, without waiting for minutes to pass; once.
    let told = Event::CommanderAbsent { person: MARY, unseen_since: start(), deactivated: true };
    given.tick(unseen()).then([told]).tick(unseen()).refused(Code::AlreadySo, &[], None);
}

/// Confirming said "assume", and assuming said "confirm".
#[test]
fn a_proposer_whose_account_is_gone_is_not_confirmed_and_holds_nobody_up() {
    unseen_for(5)
        .and([proposed(SABRINA, Grounds::Unseen, 5)])
        .deactivated(SABRINA)
        .when(JOSEPHINE, confirm())
        .refused(Code::Inactive, &[], Some(Remedy::Assume))
        .when(JOSEPHINE, assume(Grounds::Unseen))
        .then([ended(5, Ended::Overtaken), proposed(JOSEPHINE, Grounds::Unseen, 5)]);
}

/// Whoever had joined could block everybody else by proposing first, again and again.
#[test]
fn a_proposal_gives_way_to_one_that_reaches_further() {
    let given = here().and(held("operations", SABRINA)).and(held("planning", ROBIN)).and([joined(MALCOLM)]);
    // Malcolm holds no role, so that only an admin could confirm it.
    let after = given
        .clone()
        .when(MALCOLM, assume(Grounds::Unfit))
        .then([proposed(MALCOLM, Grounds::Unfit, 0)])
        .when(SABRINA, assume(Grounds::Unfit))
        .then([ended(9, Ended::Overtaken), proposed(SABRINA, Grounds::Unfit, 0)])
        .when(MALCOLM, assume(Grounds::Unfit))
        .refused(Code::AlreadySo, &[SABRINA], None)
        .when(ROBIN, assume(Grounds::Unfit))
        .refused(Code::AlreadySo, &[SABRINA], Some(Remedy::Confirm))
        .when(ROBIN, confirm())
        .then([assumed(SABRINA, Grounds::Unfit, Some((11, ROBIN)))]);
    assert_eq!(after.state().commander(), SABRINA);
    // Any two can replace a commander who is not here, whoever called them unfit before.
    given
        .and([absent(MARY, start())])
        .after(5)
        .and([proposed(SABRINA, Grounds::Unfit, 5)])
        .when(MALCOLM, assume(Grounds::Unseen))
        .then([ended(10, Ended::Overtaken), proposed(MALCOLM, Grounds::Unseen, 5)])
        .when(SABRINA, assume(Grounds::Unfit))
        .refused(Code::AlreadySo, &[MALCOLM], Some(Remedy::Confirm));
}

#[test]
fn taking_command_the_ordinary_way_ends_the_absence() {
    let after = unseen_for(5)
        .and([proposed(SABRINA, Grounds::Unseen, 5), offered("command", JOSEPHINE, MARY)])
        .when(JOSEPHINE, crate::words::take_command(6))
        .accepted();
    assert_eq!(after.state().absence, wardroom_core::absence::Absence::default());
}

#[test]
fn a_handoff_ends_a_proposal_and_says_so() {
    let overtaken = Event::AssumptionEnded { proposal: Entry(5), why: Ended::Overtaken };
    unseen_for(5)
        .and([proposed(SABRINA, Grounds::Unseen, 5), offered("command", JOSEPHINE, MARY)])
        .when(JOSEPHINE, crate::words::take_command(6))
        .then([overtaken, crate::words::command_taken(6, JOSEPHINE, MARY, Briefed::To(Entry(6)), &[])]);
}

#[test]
fn whoever_just_took_command_is_not_absent_whatever_a_node_still_believes() {
    let taken = crate::words::command_taken(4, SABRINA, MARY, Briefed::ByVoice, &[]);
    let stale = Tick::Unseen { person: SABRINA, since: start() };
    here().and([offered("command", SABRINA, MARY)]).after(8).and([taken]).tick(stale).refused(
        Code::AlreadySo,
        &[],
        None,
    );
}
