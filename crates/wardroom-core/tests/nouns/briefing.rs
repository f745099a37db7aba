//! Taking command briefed: what matters, refused once, and by voice (rule 4).

use serde_json::json;
use wardroom_core::briefing::Briefed;
use wardroom_core::event::Event;
use wardroom_core::id::{Entry, PersonId};
use wardroom_core::incident::{Kind, Phase, Severity};
use wardroom_core::refusal::{Code, Remedy};
use wardroom_core::role::Fell;

use crate::cast::{JOSEPHINE, MARY, ROBIN, SABRINA, at};
use crate::given::{Given, given};
use crate::words::{
    cmd, command_taken, fell, joined, member, noted, offered, offered_to_team, opened, readable, role, role_opened,
    take, take_command, taken, text,
};

/// Command is offered to Sabrina, who is here, by entry 3.
fn on_offer() -> Given {
    given([opened(), joined(SABRINA), offered("command", SABRINA, MARY)])
}

fn severity(to: Severity) -> Event {
    Event::SeveritySet { from: Severity::Sev2, to, reason: None }
}

fn held_back(offer: u64, by: PersonId, briefed_to: u64, unseen: &[u64]) -> Event {
    let unseen = unseen.iter().map(|entry| Entry(*entry)).collect();
    Event::TakingHeldBack { role: role("command"), offer: Entry(offer), by, briefed_to: Entry(briefed_to), unseen }
}

#[test]
fn command_is_taken_briefed() {
    on_offer()
        .when(SABRINA, take("command"))
        .refused(Code::BriefingNeeded, &[], Some(Remedy::Brief { to: Entry(3) }))
        .when(SABRINA, take_command(4))
        .refused(Code::FromTheFuture, &[], Some(Remedy::Brief { to: Entry(3) }))
        .when(SABRINA, take_command(1))
        .then([command_taken(3, SABRINA, MARY, Briefed::To(Entry(1)), &[])]);
}

#[test]
fn by_voice_is_recorded_as_such() {
    on_offer()
        .and([severity(Severity::Sev1)])
        .when(SABRINA, cmd("take_role", json!({"role": "command", "briefed": "by_voice"})))
        .then([command_taken(3, SABRINA, MARY, Briefed::ByVoice, &[])]);
}

#[test]
fn what_matters_holds_back_once_and_what_is_unseen_is_recorded() {
    on_offer()
        .and([noted("still slow"), severity(Severity::Sev1)])
        .when(SABRINA, take_command(3))
        .then([held_back(3, SABRINA, 3, &[5])])
        .and([severity(Severity::Sev3)])
        .when(SABRINA, take_command(3))
        .then([command_taken(3, SABRINA, MARY, Briefed::To(Entry(3)), &[7])]);
}

#[test]
fn being_held_back_counts_as_having_been_shown() {
    on_offer()
        .and([severity(Severity::Sev1)])
        .when(SABRINA, take_command(3))
        .then([held_back(3, SABRINA, 3, &[4])])
        .when(SABRINA, take("command"))
        .refused(Code::BriefingNeeded, &[], Some(Remedy::Brief { to: Entry(5) }))
        .when(SABRINA, take_command(3))
        .then([command_taken(3, SABRINA, MARY, Briefed::To(Entry(3)), &[])]);
}

#[test]
fn each_of_a_team_is_held_back_for_themselves_and_each_offer_anew() {
    given([opened(), joined(SABRINA), joined(ROBIN), offered_to_team("command", MARY), severity(Severity::Sev1)])
        .when(SABRINA, take_command(4))
        .then([held_back(4, SABRINA, 4, &[5])])
        .when(ROBIN, take_command(4))
        .then([held_back(4, ROBIN, 4, &[5])])
        .when(MARY, cmd("withdraw_offer", json!({"role": "command"})))
        .accepted()
        .and([offered("command", SABRINA, MARY)])
        .when(SABRINA, take_command(4))
        .then([held_back(9, SABRINA, 4, &[5])]);
}

#[test]
fn the_answer_to_being_held_back_is_a_refusal_with_just_those_entries() {
    let refusal = held_back(3, SABRINA, 3, &[5]).as_refusal(Entry(6)).expect("a refusal");
    assert_eq!((refusal.code, &refusal.unseen), (Code::BriefingStale, &vec![Entry(5)]));
    assert_eq!(refusal.remedy, Some(Remedy::Brief { to: Entry(6) }));
    assert!(refusal.sentence.starts_with("One thing that matters happened"), "{refusal}");
    let several = held_back(3, SABRINA, 3, &[5, 6]).as_refusal(Entry(7)).expect("a refusal");
    assert!(several.sentence.starts_with("2 things that matter happened"), "{several}");
    readable(&several.sentence);
    assert_eq!(noted("x").as_refusal(Entry(1)), None);
}

#[test]
fn what_matters_is_a_closed_list() {
    let raised = Event::RoadblockRaised { roadblock: 1, role: role("operations"), text: text("no key"), by: ROBIN };
    let matters = [
        severity(Severity::Sev1),
        Event::PhaseSet { from: Phase::Active, to: Phase::Mitigated, reason: None },
        Event::KindSet { from: Kind::Planned, to: Kind::Incident, reason: None },
        Event::Declared { by: MARY, commander: MARY },
        taken("operations", 0, ROBIN, None),
        fell("operations", ROBIN, MARY, Fell::Departed),
        raised,
        Event::RoadblockCleared { roadblock: 1, how: None },
        Event::CriterionAdded { criterion: 1, text: text("errors gone"), by: MARY },
        Event::CriterionReopened { criterion: 1, reason: None },
        Event::CriterionWaived { criterion: 1, by: MARY, reason: text("it never was") },
    ];
    let rest = [
        noted("x"),
        joined(ROBIN),
        Event::Left { person: ROBIN },
        Event::TitleSet { title: text("y") },
        Event::DoingSet { person: ROBIN, doing: Some(text("z")) },
        role_opened("operations/x"),
        member("operations", ROBIN),
        offered("operations", ROBIN, MARY),
        Event::ClockSet { label: text("tea"), due_at: at(5), every_minutes: None },
        Event::NoteCorrected { entry: Entry(2), text: text("x") },
        Event::CriterionMet { criterion: 1, by: MARY },
        Event::TodoAdded { todo: 1, text: text("x"), owner: None, bug: None, by: MARY },
    ];
    for event in &matters {
        assert!(event.stands_out(), "{event:?}");
    }
    for event in &rest {
        assert!(!event.stands_out(), "{event:?}");
    }
    for event in matters {
        on_offer().and([event]).when(SABRINA, take_command(3)).then([held_back(3, SABRINA, 3, &[4])]);
    }
    for event in rest {
        let taken = command_taken(3, SABRINA, MARY, Briefed::To(Entry(3)), &[]);
        on_offer().and([event]).when(SABRINA, take_command(3)).then([taken]);
    }
}

#[test]
fn that_the_commander_is_gone_stands_out_and_holds_nobody_back() {
    let absent = crate::words::absent(MARY, crate::cast::start());
    assert!(absent.stands_out() && !absent.matters());
    let merged = Event::MergedInto { into: crate::words::number(2), commander: MARY };
    assert!(merged.stands_out() && !merged.matters());
}

#[test]
fn other_roles_need_no_briefing() {
    given([opened(), joined(JOSEPHINE), offered("operations", JOSEPHINE, MARY), severity(Severity::Sev1)])
        .when(JOSEPHINE, take("operations"))
        .then([taken("operations", 3, JOSEPHINE, None)]);
}

#[test]
fn until_it_is_taken_the_outgoing_commander_stays_responsible() {
    let given = on_offer();
    assert_eq!(given.state().commander(), MARY);
    let given = given.when(MARY, cmd("set_severity", json!({"severity": "sev1"}))).accepted();
    assert_eq!(given.when(SABRINA, take_command(4)).accepted().state().commander(), SABRINA);
}
