//! Changes: only operations announces them, whoever tells of one is heard, and nothing is closed while a service differs.

use serde_json::{Value, json};
use wardroom_core::change::{
    ChangeAct, ChangeCorrected, ChangeHandedOn, ChangeState, ChangeStep, Coordination, NewChange, WayBack,
};
use wardroom_core::command::Command;
use wardroom_core::event::Event;
use wardroom_core::evidence::{Evidence, Fingerprint, MediaType};
use wardroom_core::id::{Actor, Entry, PersonId};
use wardroom_core::incident::Asking;
use wardroom_core::refusal::{Code, Remedy};
use wardroom_core::text::Text;

use crate::cast::{JOSEPHINE, MALCOLM, MARY, ROBIN, SABRINA, at, service, services};
use crate::given::{Given, by, given};
use crate::words::{ask_for, cmd, held, joined, member, opened, text};

pub const ROLLBACK: &str = "rolled back to v11";

/// A change of operations.
pub fn new(change: u32, by: PersonId, state: ChangeState) -> NewChange {
    NewChange {
        change,
        service: service("search"),
        unknown_service: false,
        what: text(ROLLBACK),
        why: None,
        how: None,
        back: None,
        made_by: None,
        by,
        state,
        happened_at: None,
        uncoordinated: false,
        through: None,
        seen: None,
    }
}

pub fn recorded(new: NewChange) -> Event {
    Event::ChangeRecorded(Box::new(new))
}

pub fn announced(change: u32, by: PersonId) -> Event {
    recorded(new(change, by, ChangeState::Announced))
}

pub fn done(change: u32, by: PersonId) -> Event {
    recorded(new(change, by, ChangeState::Done))
}

pub fn uncoordinated(change: u32, by: PersonId) -> Event {
    recorded(NewChange { uncoordinated: true, ..new(change, by, ChangeState::Done) })
}

pub fn step(by: PersonId) -> ChangeStep {
    ChangeStep { change: 1, by, note: None, evidence: None, happened_at: None, seen: None }
}

fn noted(by: PersonId, note: &str) -> ChangeStep {
    ChangeStep { note: Some(text(note)), ..step(by) }
}

pub fn record(what: &str) -> Command {
    cmd("record_change", json!({ "what": what }))
}

pub fn announce(what: &str) -> Command {
    cmd("announce_change", json!({ "what": what }))
}

pub fn on(name: &str) -> Command {
    cmd(name, json!({ "change": 1 }))
}

pub fn with(name: &str, mut fields: Value) -> Command {
    fields["change"] = json!(1);
    cmd(name, fields)
}

pub fn confirm(outcome: &str) -> Command {
    with("confirm_change", json!({ "outcome": outcome }))
}

/// Josephine has operations, Sabrina planning; Robin is here.
pub fn staffed() -> Given {
    given([opened()]).and(held("operations", JOSEPHINE)).and(held("planning", SABRINA)).and([joined(ROBIN)])
}

fn permission() -> Option<Remedy> {
    Some(Remedy::AskPermission { services: services(&["search"]) })
}

fn may(given: &Given, who: PersonId) -> Vec<ChangeAct> {
    let (actor, now) = (Actor::Person(who), given.now);
    let ask = Asking { actor, now, facts: &given.facts, cited: None, other: None, document: None };
    let state = given.state();
    state.may_with_change(&ask, &state.changes[0])
}

fn stands(given: &Given) -> (ChangeState, Coordination) {
    let state = given.state();
    (state.changes[0].stands.state, state.changes[0].coordination)
}

#[test]
fn operations_announce_and_say_how_it_went() {
    let ready = staffed()
        .when(JOSEPHINE, announce(ROLLBACK))
        .then([announced(1, JOSEPHINE)])
        .when(ROBIN, announce(ROLLBACK))
        .refused(Code::NotYours, &[JOSEPHINE], permission())
        .when(MARY, announce(ROLLBACK))
        .refused(Code::NotYours, &[JOSEPHINE], permission())
        .when(MALCOLM, announce(ROLLBACK))
        .refused(Code::NotYours, &[JOSEPHINE], permission());
    assert_eq!(ready.state().differing(), [], "nothing differs by what is only announced");
    for (outcome, event, differs) in [
        ("done", Event::ChangeDone(step(JOSEPHINE)), 1),
        ("failed", Event::ChangeFailed(step(JOSEPHINE)), 0),
        ("dropped", Event::ChangeDropped(step(JOSEPHINE)), 0),
    ] {
        let said = ready.clone().after(3).when(JOSEPHINE, confirm(outcome)).then([event]);
        assert_eq!(said.state().differing().len(), differs, "{outcome}");
        said.when(JOSEPHINE, confirm("dropped")).refused(Code::AlreadySo, &[], None);
    }
    // What was taken for failed was not, and the other way round.
    ready
        .when(JOSEPHINE, confirm("failed"))
        .accepted()
        .when(JOSEPHINE, confirm("done"))
        .then([Event::ChangeDone(step(JOSEPHINE))])
        .when(ROBIN, confirm("failed"))
        .refused(Code::NotYours, &[JOSEPHINE], ask_for("operations"))
        .when(JOSEPHINE, confirm("failed"))
        .then([Event::ChangeFailed(step(JOSEPHINE))]);
}

/// Members of operations and of the roles under it, and the commander while nobody else has operations.
#[test]
fn who_works_in_operations_changes_services() {
    let given = staffed().and([member("operations/database", ROBIN)]);
    given
        .when(ROBIN, record(ROLLBACK))
        .then([done(1, ROBIN)])
        .when(SABRINA, record(ROLLBACK))
        .then([uncoordinated(2, SABRINA)])
        .when(MARY, record(ROLLBACK))
        .then([uncoordinated(3, MARY)])
        .when(ROBIN, cmd("record_change", json!({ "what": ROLLBACK, "outside": true })))
        .then([uncoordinated(4, ROBIN)]);
    crate::given::given([opened()]).when(MARY, announce(ROLLBACK)).then([announced(1, MARY)]);
}

#[test]
fn whoever_tells_of_a_change_is_heard_and_joins() {
    let told = staffed().when(MALCOLM, record(ROLLBACK)).then([joined(MALCOLM), uncoordinated(1, MALCOLM)]);
    assert_eq!(stands(&told), (ChangeState::Done, Coordination::Uncoordinated));
    assert_eq!(told.state().differing().len(), 1, "it happened, so the service differs");
    let sort = |name: &str, event: Event| {
        let sorted = told.clone().when(MALCOLM, on(name)).refused(Code::NotYours, &[JOSEPHINE], ask_for("operations"));
        let sorted = sorted.when(JOSEPHINE, on(name)).then([event]);
        sorted.clone().when(JOSEPHINE, on("take_in_change")).refused(Code::AlreadySo, &[], None);
        stands(&sorted)
    };
    let taken_in = sort("take_in_change", Event::ChangeTakenIn(step(JOSEPHINE)));
    assert_eq!(taken_in, (ChangeState::Done, Coordination::Sorted));
    let reverted = sort("revert_change", Event::ChangeReverted(step(JOSEPHINE)));
    assert_eq!(reverted, (ChangeState::Reverted, Coordination::Sorted));
    let dismissed = sort("dismiss_change", Event::ChangeDismissed(step(JOSEPHINE)));
    assert_eq!(dismissed, (ChangeState::Dismissed, Coordination::Sorted));
    // Nor is it kept before it is sorted; and once it is, whoever told of it still does not say that it changed nothing.
    told.clone()
        .when(SABRINA, with("adopt_change", json!({"reason": "v11 is better"})))
        .says("Change 1 is uncoordinated. Operations sort it first: they take it in, or not.")
        .refused(Code::Unfinished, &[], None)
        .when(JOSEPHINE, on("take_in_change"))
        .accepted()
        .when(MALCOLM, confirm("failed"))
        .refused(Code::NotYours, &[JOSEPHINE], ask_for("operations"));
    // Whoever told of it cannot make it undone, nor say that it changed nothing: operations do.
    told.clone().when(MALCOLM, confirm("failed")).refused(Code::NotYours, &[JOSEPHINE], ask_for("operations"));
    staffed()
        .and([done(1, JOSEPHINE)])
        .when(JOSEPHINE, on("dismiss_change"))
        .says("Change 1 is one of operations: there is nothing to sort.")
        .refused(Code::AlreadySo, &[], None);
}

#[test]
fn the_service_is_named_by_the_line_or_is_the_only_one() {
    let recorded = |given: Given, what: &str| {
        let state = given.when(MARY, record(what)).accepted().state();
        let change = &state.changes[0];
        (change.service.to_string(), change.what.to_string(), change.unknown_service)
    };
    let told = |service: &str, what: &str, unknown| (service.to_owned(), what.to_owned(), unknown);
    assert_eq!(recorded(given([opened()]), ROLLBACK), told("search", ROLLBACK, false), "the only one affected");
    assert_eq!(recorded(given([opened()]), "Indexing: paused it"), told("indexing", "paused it", false));
    assert_eq!(
        recorded(given([opened()]), "fax: unplugged it"),
        told("fax", "unplugged it", true),
        "seen to be unknown"
    );
    // It may be anything, and names are not sealed: what does not read like a name stays with the words.
    for secret in ["hunter2", "akia7qx2plmz", "abcdefghijklmnopqrstuvwxyzabcde"] {
        let line = format!("{secret}: changed it");
        assert_eq!(recorded(given([opened()]), &line), told("search", &line, false));
    }
    assert_eq!(recorded(given([opened()]), "v 11: it is back"), told("search", "v 11: it is back", false), "no name");
    let none = || Event::ServicesSet { services: services(&[]), unknown_services: services(&[]) };
    let unsaid = given([opened(), none()]).when(MARY, record("unplugged it")).refused(Code::Invalid, &[], None);
    let fax = Some(Remedy::NameService { service: service("fax-2") });
    unsaid
        .when(MARY, record("fax-2: unplugged it"))
        .says("Nobody here knows a service “fax-2”. If it is one, say so: name it as the service.")
        .refused(Code::UnknownService, &[], fax)
        .when(MARY, cmd("record_change", json!({"what": "unplugged it", "service": "fax-2"})))
        .accepted();
    let named = cmd("record_change", json!({"what": "indexing: paused", "service": "fax"}));
    let state = given([opened()]).when(MARY, named).accepted().state();
    assert_eq!(
        (state.changes[0].service.as_str(), state.changes[0].what.to_string()),
        ("fax", "indexing: paused".into())
    );
}

#[test]
fn all_that_is_known_is_said_in_one() {
    let command = cmd(
        "record_change",
        json!({
            "service": "search", "what": ROLLBACK, "why": "it leaks", "how": "deploy search v11", "back": "deploy v12",
            "happened_at": at(-5).to_string(),
        }),
    );
    let expected = NewChange {
        why: Some(text("it leaks")),
        how: Some(text("deploy search v11")),
        back: Some(text("deploy v12")),
        happened_at: Some(at(-5)),
        ..new(1, JOSEPHINE, ChangeState::Done)
    };
    let told = staffed().when(JOSEPHINE, command).then([recorded(expected)]);
    assert_eq!(told.state().changes[0].done_at, Some(at(-5)));
    let tomorrow = cmd("record_change", json!({"what": "x", "happened_at": at(1440).to_string()}));
    told.when(JOSEPHINE, tomorrow).refused(Code::Invalid, &[], None);
}

/// Whoever says it late says when it was: so long it differed, and so long not.
#[test]
fn what_is_told_late_stands_at_the_time_at_which_it_was() {
    let ran = staffed().and([announced(1, JOSEPHINE)]).after(60);
    let at_minute = |name: &str, mut fields: Value, minute: i64| {
        fields["happened_at"] = json!(at(minute).to_string());
        with(name, fields)
    };
    let told = |outcome: &str, minute: i64| at_minute("confirm_change", json!({ "outcome": outcome }), minute);
    let then = |minute: i64| ChangeStep { happened_at: Some(at(minute)), ..step(JOSEPHINE) };
    let failed = ran.clone().when(JOSEPHINE, told("failed", 20)).then([Event::ChangeFailed(then(20))]).state();
    assert_eq!((failed.changes[0].stands.at, failed.changes[0].done_at), (at(20), None));
    ran.clone()
        .when(JOSEPHINE, told("done", -1))
        .says(
            "2026-01-05T02:59:00Z is too early: change 1 was announced at 2026-01-05 03:00:00 UTC. Name a later time, or none \
             if it was just now.",
        )
        .refused(Code::Invalid, &[], None)
        .when(JOSEPHINE, told("done", 61))
        .refused(Code::Invalid, &[], None);
    let done = ran.when(JOSEPHINE, told("done", 20)).then([Event::ChangeDone(then(20))]);
    assert_eq!((done.state().changes[0].done_at, done.state().changes[0].stands.at), (Some(at(20)), at(20)));
    // What was done in between is undone first.
    let two =
        done.clone().and([recorded(NewChange { happened_at: Some(at(30)), ..new(2, JOSEPHINE, ChangeState::Done) })]);
    assert_eq!(two.state().differing()[0].changes.iter().map(|change| change.id).collect::<Vec<_>>(), [2, 1]);
    let reverted = |minute: i64| at_minute("revert_change", json!({}), minute);
    done.clone()
        .when(JOSEPHINE, reverted(19))
        .says(
            "2026-01-05T03:19:00Z is too early: change 1 was done at 2026-01-05 03:20:00 UTC. Name a later time, or none if it \
             was just now.",
        )
        .refused(Code::Invalid, &[], None);
    let undone = done.when(JOSEPHINE, reverted(40)).then([Event::ChangeReverted(then(40))]).state();
    assert_eq!((undone.changes[0].stands.at, undone.changes[0].done_at), (at(40), Some(at(20))));
}

#[test]
fn it_differs_until_it_is_reverted_adopted_or_handed_to_a_bug() {
    let given = staffed().and([done(1, JOSEPHINE)]);
    let adopt = || with("adopt_change", json!({"reason": "v11 is better"}));
    let hand_on = |bug: &str| with("hand_on_change", json!({ "bug": bug }));
    given.clone().when(ROBIN, on("revert_change")).refused(Code::NotYours, &[JOSEPHINE], ask_for("operations"));
    given.clone().when(SABRINA, on("revert_change")).refused(Code::NotYours, &[JOSEPHINE], ask_for("operations"));
    let planning = [SABRINA, MARY];
    given.clone().when(JOSEPHINE, adopt()).refused(Code::NotYours, &planning, ask_for("planning"));
    let bug = "https://bugs.example.org/7";
    given.clone().when(JOSEPHINE, hand_on(bug)).refused(Code::NotYours, &planning, ask_for("planning"));
    given.clone().when(SABRINA, hand_on("bugs/7")).refused(Code::Invalid, &[], None);
    let handed_on = ChangeHandedOn { change: 1, by: MARY, bug: text(bug) };
    let ends = [
        given.clone().when(JOSEPHINE, on("revert_change")).then([Event::ChangeReverted(step(JOSEPHINE))]),
        given.clone().when(SABRINA, adopt()).then([Event::ChangeAdopted(noted(SABRINA, "v11 is better"))]),
        given.clone().when(MARY, hand_on(bug)).then([Event::ChangeHandedOn(handed_on)]),
    ];
    for end in ends {
        assert_eq!(end.state().differing(), [], "{:?}", end.state().changes);
        end.clone()
            .when(ROBIN, on("differs_again"))
            .refused(Code::NotYours, &planning, ask_for("planning"))
            .when(JOSEPHINE, on("differs_again"))
            .then([Event::ChangeDiffersAgain(step(JOSEPHINE))])
            .when(JOSEPHINE, on("differs_again"))
            .refused(Code::AlreadySo, &[], None);
    }
    let only_announced = staffed().and([announced(1, JOSEPHINE)]);
    only_announced
        .when(JOSEPHINE, on("revert_change"))
        .says("Change 1 is only announced. Say first whether it was done.")
        .refused(Code::AlreadySo, &[], None)
        .when(JOSEPHINE, on("differs_again"))
        .refused(Code::AlreadySo, &[], None)
        .when(JOSEPHINE, with("revert_change", json!({"change": 9})))
        .refused(Code::AlreadySo, &[], None)
        .when(JOSEPHINE, cmd("revert_change", json!({"change": 9})))
        .refused(Code::NotThere, &[], None);
}

#[test]
fn what_shows_it_is_evidence_that_is_there() {
    let evidence = Evidence {
        by: Some(JOSEPHINE),
        shows: None,
        sha256: text(&Fingerprint::new([7; 32]).to_string()),
        name: text("graph.png"),
        why: None,
        media_type: MediaType::Png,
        bytes: 9,
    };
    let given = staffed().and([done(1, JOSEPHINE), Event::EvidenceAttached(evidence)]);
    let shown = given.state().last_entry;
    let revert = |entry: Entry| with("revert_change", json!({ "evidence": entry, "note": "it is v12 again" }));
    given
        .when(JOSEPHINE, revert(Entry(2)))
        .says("Entry 2 attached no evidence. Attach it first.")
        .refused(Code::NotThere, &[], None)
        .when(JOSEPHINE, revert(shown))
        .then([Event::ChangeReverted(ChangeStep { evidence: Some(shown), ..noted(JOSEPHINE, "it is v12 again") })]);
}

#[test]
fn nobodys_words_about_a_change_are_replaced_unread() {
    let given = staffed().and([done(1, JOSEPHINE)]);
    let first = given.state().last_entry;
    let back = |replaces: Option<Entry>, words: Option<&str>| {
        with("say_way_back", json!({ "back": words, "replaces": replaces }))
    };
    let said = given
        .when(ROBIN, back(None, Some("deploy v12")))
        .refused(Code::NotYours, &[JOSEPHINE], ask_for("operations"))
        .when(SABRINA, back(None, Some("deploy v12")))
        .then([Event::WayBackSaid(WayBack { change: 1, back: Some(text("deploy v12")) })])
        .when(SABRINA, back(None, Some("deploy v12")))
        .refused(Code::AlreadySo, &[], None);
    // The harness has Mary do what is given, and Sabrina what she asked for.
    let second = said.state().last_entry;
    let said = said
        .when(JOSEPHINE, back(None, Some("flip the flag")))
        .says("Sabrina wrote “deploy v12” as the way back of change 1 meanwhile. Nothing was replaced: say yours again if it is to stand instead.")
        .refused(Code::ChangedMeanwhile, &[], Some(Remedy::Replace { entry: second }))
        .when(JOSEPHINE, back(Some(second), Some("flip the flag")))
        .accepted()
        .when(JOSEPHINE, back(None, None))
        .then([Event::WayBackSaid(WayBack { change: 1, back: None })]);
    let correct = |replaces: Entry, fields: Value| {
        let mut fields = fields;
        fields["replaces"] = json!(replaces);
        with("correct_change", fields)
    };
    // The same words, sealed with this entry: it is read by itself.
    let what = text(ROLLBACK);
    let corrected =
        ChangeCorrected { change: 1, service: service("fax"), unknown_service: true, what, why: None, how: None };
    let told_why = said.clone().when(SABRINA, correct(first, json!({"why": "it leaks", "how": "deploy v11"})));
    let state = told_why.accepted().state();
    let known = &state.changes[0];
    let words = |said: &Option<Text>| said.as_ref().and_then(|said| said.words().map(str::to_owned));
    assert_eq!((words(&known.why), words(&known.how)), (Some("it leaks".into()), Some("deploy v11".into())));
    said.when(JOSEPHINE, correct(first, json!({"what": ROLLBACK})))
        .refused(Code::AlreadySo, &[], None)
        .when(SABRINA, correct(first, json!({"service": "fax"})))
        .then([Event::ChangeCorrected(corrected)])
        .when(JOSEPHINE, correct(first, json!({"what": "rolled back to v10"})))
        .refused(Code::ChangedMeanwhile, &[], Some(Remedy::Replace { entry: Entry(first.0 + 4) }));
}

#[test]
fn a_surface_shows_what_its_reader_may_do() {
    use ChangeAct::{Adopt, Correct, Done, Drop, Failed, HandOn, Revert, SayWayBack};
    let ready = staffed().and([by(JOSEPHINE, announced(1, JOSEPHINE))]);
    assert_eq!(may(&ready, JOSEPHINE), [Done, Failed, Drop, Correct, SayWayBack]);
    assert_eq!(may(&ready, ROBIN), []);
    let made = ready.when(JOSEPHINE, confirm("done")).accepted();
    assert_eq!(may(&made, JOSEPHINE), [Failed, Correct, SayWayBack, Revert]);
    assert_eq!(may(&made, SABRINA), [Correct, SayWayBack, Adopt, HandOn]);
    let announces = |person: PersonId| made.state().may_change_services(person, made.now);
    assert!(announces(JOSEPHINE) && !announces(MARY));
}
