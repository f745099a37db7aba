//! Opening, declaring, phases, closing, reopening, and what describes an incident (rule 1).

use std::collections::BTreeSet;

use serde_json::json;
use wardroom_core::command::Opening;
use wardroom_core::event::Event;
use wardroom_core::id::{Actor, Entry, Number, PersonId};
use wardroom_core::incident::{Asking, Kind, Phase, Post, Severity, open};
use wardroom_core::record::Unreadable;
use wardroom_core::refusal::{Code, Refusal, Remedy};

use crate::cast::{IVAN, MARY, ROBIN, SABRINA, at, facts, service, services, start};
use crate::given::{Given, given};
use crate::words::{closed, cmd, held, investigating, joined, opened, opened_as, plain, readable, role, text};

fn opening(title: &str) -> Opening {
    serde_json::from_value(json!({"title": title})).expect("an opening")
}

fn opens(person: PersonId, opening: Opening) -> Result<Vec<Event>, Refusal> {
    let facts = facts();
    let ask =
        Asking { actor: Actor::Person(person), now: start(), facts: &facts, cited: None, other: None, document: None };
    open(Number::FIRST, &ask, opening)
}

fn phase(phase: &str) -> wardroom_core::command::Command {
    cmd("set_phase", json!({"phase": phase}))
}

fn phase_set(from: Phase, to: Phase) -> Event {
    Event::PhaseSet { from, to, reason: None }
}

fn resolved() -> Given {
    given([opened(), phase_set(Phase::Active, Phase::Resolved)])
}

#[test]
fn a_title_is_enough_to_declare() {
    let Event::Opened { services, .. } = opened() else { unreachable!() };
    assert_eq!(opens(MARY, Opening { services, ..opening("Search is slow") }), Ok(vec![opened()]));
    let state = given([opened()]).state();
    assert_eq!((state.commander(), state.declared_at), (MARY, Some(start())));
    assert_eq!(state.word_for(&role("command")), "the commander");
}

#[test]
fn an_investigation_has_a_lead_and_becomes_an_incident() {
    let looking = Opening { investigate: true, ..opening("Odd") };
    let events = opens(MARY, looking).expect("anybody may look");
    assert!(matches!(events[..], [Event::Opened { phase: Phase::Investigating, by: MARY, .. }]));
    let before = given([investigating()]);
    assert_eq!(before.state().word_for(&role("command")), "the lead");
    let after =
        before.when(ROBIN, plain("declare")).then([joined(ROBIN), Event::Declared { by: ROBIN, commander: MARY }]);
    assert_eq!((after.state().phase, after.state().commander()), (Phase::Active, MARY));
    after.when(MARY, plain("declare")).says("It is declared already.").refused(Code::AlreadySo, &[], None);
}

#[test]
fn opening_refuses_what_cannot_be() {
    let code = |person, opening| {
        let refusal = opens(person, opening).expect_err("it cannot be");
        readable(&refusal.sentence);
        refusal.code
    };
    assert_eq!(code(IVAN, opening("x")), Code::NotActive);
    assert_eq!(code(MARY, Opening { began: Some(at(1)), ..opening("x") }), Code::Invalid);
    assert_eq!(code(MARY, Opening { investigate: true, kind: Kind::Drill, ..opening("x") }), Code::WrongKind);
    let services = (0..101).map(|n| service(&format!("s{n}"))).collect();
    assert_eq!(code(MARY, Opening { services, ..opening("x") }), Code::TooMany);
}

#[test]
fn unknown_services_are_used_and_marked() {
    let affected = services(&["search", "fax"]);
    let events = opens(MARY, Opening { services: affected.clone(), ..opening("x") }).expect("opened");
    let state = given(events).state();
    assert_eq!((state.services, state.unknown_services), (affected, services(&["fax"])));
}

#[test]
fn phases_go_forth_and_back() {
    use Phase::{Active, Mitigated, Resolved};
    given([opened()])
        .when(MARY, phase("mitigated"))
        .then([phase_set(Active, Mitigated)])
        .when(MARY, phase("resolved"))
        .then([phase_set(Mitigated, Resolved)])
        .when(MARY, phase("active"))
        .then([phase_set(Resolved, Active)])
        .when(MARY, phase("active"))
        .says("It is “active” already.")
        .refused(Code::AlreadySo, &[], None)
        .when(MARY, phase("investigating"))
        .refused(Code::WrongPhase, &[], None)
        .when(MARY, phase("merged"))
        .refused(Code::WrongPhase, &[], None);
}

#[test]
fn what_is_not_declared_is_declared_first() {
    given([investigating()])
        .when(MARY, phase("mitigated"))
        .refused(Code::WrongPhase, &[], Some(Remedy::Declare))
        .when(MARY, phase("investigating"))
        .says("It is “not declared” already.")
        .refused(Code::AlreadySo, &[], None);
}

#[test]
fn closing_comes_after_resolving() {
    let remedy = Some(Remedy::Phase { phase: Phase::Resolved });
    given([opened()]).when(MARY, phase("closed")).refused(Code::WrongPhase, &[], remedy);
    let after = resolved().when(MARY, phase("closed")).then([closed(MARY)]);
    assert_eq!(after.state().commander(), MARY, "who was last");
}

#[test]
fn an_investigation_that_found_nothing_closes_directly() {
    let reason = Some(text("nothing"));
    given([investigating()])
        .when(MARY, cmd("set_phase", json!({"phase": "closed", "reason": "nothing"})))
        .then([Event::Closed { from: Phase::Investigating, last_commander: MARY, reason }]);
}

#[test]
fn closing_ends_every_tenure_offer_and_clock() {
    let given = given([opened()]).and(held("operations", SABRINA)).and([closed(MARY)]);
    let state = given.state();
    assert!(state.roles.values().all(|role| role.holder.is_none() && role.members.is_empty()));
    assert!(state.offers.is_empty() && state.asks.is_empty() && state.clocks.is_empty());
}

#[test]
fn whoever_reopens_takes_command() {
    let after = given([opened(), closed(MARY)])
        .when(ROBIN, cmd("reopen", json!({"reason": "it is back"})))
        .then([joined(ROBIN), Event::Reopened { by: ROBIN, reason: Some(text("it is back")) }]);
    assert_eq!((after.state().phase, after.state().commander()), (Phase::Active, ROBIN));
    after.when(ROBIN, plain("reopen")).refused(Code::AlreadySo, &[], None);
}

#[test]
fn a_reopened_investigation_is_declared() {
    let after = given([investigating(), closed(MARY)]).when(ROBIN, plain("reopen")).accepted();
    assert!(after.state().declared_at.is_some());
}

#[test]
fn after_closing_one_may_look_back_and_nothing_else() {
    let given = given([opened(), closed(MARY)]);
    given
        .when(MARY, cmd("set_severity", json!({"severity": "sev1"})))
        .refused(Code::WrongPhase, &[], Some(Remedy::Reopen))
        .when(SABRINA, plain("leave"))
        .refused(Code::WrongPhase, &[], Some(Remedy::Reopen))
        .when(SABRINA, cmd("note", json!({"text": "it was DNS"})))
        .accepted();
}

#[test]
fn severity_goes_either_way() {
    let set = |severity: &str| cmd("set_severity", json!({"severity": severity, "reason": "wide"}));
    let reason = Some(text("wide"));
    given([opened()])
        .when(MARY, set("sev1"))
        .then([Event::SeveritySet { from: Severity::Sev2, to: Severity::Sev1, reason }])
        .when(MARY, set("sev1"))
        .refused(Code::AlreadySo, &[], None)
        .when(MARY, set("sev4"))
        .accepted();
}

#[test]
fn only_a_planned_operation_becomes_an_incident() {
    let set = |kind: &str| cmd("set_kind", json!({"kind": kind}));
    let (from, to, reason) = (Kind::Planned, Kind::Incident, None);
    given([opened_as(1, from, Phase::Active)])
        .when(MARY, set("drill"))
        .refused(Code::WrongKind, &[], None)
        .when(MARY, set("incident"))
        .then([Event::KindSet { from, to, reason }])
        .when(MARY, set("planned"))
        .refused(Code::WrongKind, &[], None)
        .when(MARY, set("incident"))
        .refused(Code::AlreadySo, &[], None);
    given([opened_as(1, Kind::Drill, Phase::Active)]).when(MARY, set("incident")).refused(Code::WrongKind, &[], None);
}

#[test]
fn title_services_and_beginning_are_set_once_each() {
    let retitle = cmd("set_title", json!({"title": "Search is down"}));
    let affects = cmd("set_services", json!({"services": ["fax"]}));
    let began = cmd("set_began", json!({"began": "2026-01-05T02:10:00Z"}));
    let unknown_services: BTreeSet<_> = services(&["fax"]);
    given([opened()])
        .when(MARY, retitle.clone())
        .then([Event::TitleSet { title: text("Search is down") }])
        .when(MARY, retitle)
        .refused(Code::AlreadySo, &[], None)
        .when(MARY, affects.clone())
        .then([Event::ServicesSet { services: services(&["fax"]), unknown_services }])
        .when(MARY, affects)
        .refused(Code::AlreadySo, &[], None)
        .when(MARY, began.clone())
        .then([Event::BeganSet { began: at(-50) }])
        .when(MARY, began)
        .refused(Code::AlreadySo, &[], None)
        .when(MARY, cmd("set_began", json!({"began": "1026-01-05T02:10:00Z"})))
        .says("1026-01-05T02:10:00Z is more than ten years ago. Look at the year again.")
        .refused(Code::Invalid, &[], None)
        .when(MARY, cmd("set_began", json!({"began": "2026-01-05T03:01:00Z"})))
        .refused(Code::Invalid, &[], None);
}

#[test]
fn command_posts_lead_somewhere_safe() {
    let post = |label: &str, link: &str| cmd("add_post", json!({"label": label, "link": link}));
    let added = |id, link| Event::PostAdded { post: Post { id, label: text("call"), link: Some(text(link)) } };
    let mut given = given([opened()])
        .when(MARY, post("call", "https://meet.example/1"))
        .then([added(1, "https://meet.example/1")])
        .when(MARY, cmd("remove_post", json!({"post": 1})))
        .then([Event::PostRemoved { post: 1 }])
        .when(MARY, cmd("remove_post", json!({"post": 1})))
        .refused(Code::NotThere, &[], None)
        .when(MARY, post("call", "tel:+3531234"))
        .then([added(2, "tel:+3531234")]);
    for bad in [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://a b",
        "meet.example",
        "https://mary:secret@meet.example/1",
    ] {
        given = given.when(MARY, post("call", bad)).refused(Code::Invalid, &[], None);
    }
    for _ in 0..11 {
        given = given.when(MARY, cmd("add_post", json!({"label": "room"}))).accepted();
    }
    given.when(MARY, cmd("add_post", json!({"label": "room"}))).refused(Code::TooMany, &[], None);
}

#[test]
fn an_incident_with_an_unknown_event_is_read_only_here() {
    let unknown = Unreadable::Unknown { kind: "teleported".to_owned(), version: 3 };
    let mut state = given([opened()]).state();
    state.evolve_unreadable(Entry(2), at(1), &unknown);
    let facts = facts();
    let ask =
        Asking { actor: Actor::Person(MARY), now: at(2), facts: &facts, cited: None, other: None, document: None };
    let refusal = state.decide(&ask, cmd("note", json!({"text": "hm"}))).expect_err("read-only");
    assert_eq!(refusal.code, Code::ReadOnly);
    readable(&refusal.sentence);
    assert!(refusal.sentence.contains("teleported"), "{refusal}");
}

#[test]
fn now_never_runs_behind_the_last_event() {
    let given = given([opened()]).after(5).and([joined(SABRINA)]).after(-5);
    let set = cmd("set_clock", json!({"label": "look up", "in_minutes": 1}));
    given.when(MARY, set).then([Event::ClockSet { label: text("look up"), due_at: at(6), every_minutes: None }]);
}
