//! Permission to change services: asked for, given within bounds, ended, and taken by breaking the glass.

use serde_json::{Value, json};
use wardroom_core::call::About;
use wardroom_core::change::{ChangeState, NewChange};
use wardroom_core::command::Command;
use wardroom_core::event::Event;
use wardroom_core::id::PersonId;
use wardroom_core::next::Next;
use wardroom_core::refusal::{Code, Remedy};

use crate::cast::{IVAN, JOSEPHINE, MALCOLM, MARY, ROBIN, SABRINA, at, services};
use crate::change::{ROLLBACK, announce, announced, confirm, done, new, on, record, recorded, staffed, uncoordinated};
use crate::given::{Given, by};
use crate::words::{ask_for, closed, cmd, joined, text};

fn ask(what: &str) -> Command {
    cmd("ask_permission", json!({ "services": ["search"], "what": what }))
}

fn grant(fields: Value) -> Command {
    let mut fields = fields;
    fields["person"] = json!("robin");
    cmd("grant_permission", fields)
}

pub fn break_glass(reason: &str) -> Command {
    cmd("break_glass", json!({ "services": ["search"], "reason": reason }))
}

fn asked(by: PersonId) -> Event {
    Event::PermissionAsked { by, services: services(&["search"]), what: text("restart it") }
}

pub fn granted(person: PersonId, minutes: i64) -> Event {
    let services = services(&["search"]);
    Event::PermissionGranted { permission: 1, person, services, by: JOSEPHINE, until: at(minutes) }
}

pub fn broken(by: PersonId) -> Event {
    let services = services(&["search"]);
    Event::GlassBroken { permission: 1, by, services, until: at(30), reason: text("it burns") }
}

fn permission() -> Option<Remedy> {
    Some(Remedy::AskPermission { services: services(&["search"]) })
}

fn called(given: &Given) -> Vec<(PersonId, About)> {
    let calls = given.state().calls(&given.facts, given.now);
    calls.into_iter().map(|call| (call.person, call.about)).collect()
}

#[test]
fn who_asks_joins_and_whoever_has_operations_answers() {
    let waiting = staffed().when(MALCOLM, ask("restart it")).then([joined(MALCOLM), asked(MALCOLM)]);
    let entry = waiting.state().last_entry;
    let next = |given: &Given, who: PersonId| given.state().next(who, &given.facts, given.now);
    assert_eq!(next(&waiting, JOSEPHINE), Some(Next::Permit { by: MALCOLM, services: services(&["search"]) }));
    assert_eq!(next(&waiting, MARY), None);
    assert_eq!(called(&waiting), [(JOSEPHINE, About::Permit { ask: entry, by: MALCOLM })]);
    waiting.clone().when(MALCOLM, ask("restart it")).refused(Code::AlreadySo, &[], None);
    let anew = waiting.clone().when(MALCOLM, ask("restart all of it")).accepted();
    assert_eq!(anew.state().permission_asks.len(), 1, "one ask of one person");
    let give = cmd("grant_permission", json!({ "person": "malcolm" }));
    let given = waiting
        .clone()
        .when(MALCOLM, give.clone())
        .refused(Code::NotYours, &[JOSEPHINE], ask_for("operations"))
        .when(MARY, give.clone())
        .refused(Code::NotYours, &[JOSEPHINE], ask_for("operations"))
        .when(JOSEPHINE, give)
        .then([granted(MALCOLM, 30)]);
    assert_eq!((next(&given, JOSEPHINE), called(&given)), (None, Vec::new()));
    let decline = || cmd("decline_permission", json!({ "person": "malcolm", "reason": "not now" }));
    let no = Event::PermissionDeclined { person: MALCOLM, by: JOSEPHINE, reason: Some(text("not now")) };
    waiting
        .clone()
        .when(ROBIN, decline())
        .refused(Code::NotYours, &[JOSEPHINE], ask_for("operations"))
        .when(JOSEPHINE, decline())
        .then([no])
        .when(JOSEPHINE, decline())
        .refused(Code::NotThere, &[], None);
    let back = cmd("decline_permission", json!({ "person": "malcolm" }));
    waiting.when(MALCOLM, back).then([Event::PermissionDeclined { person: MALCOLM, by: MALCOLM, reason: None }]);
}

#[test]
fn what_somebody_asks_for_besides_stands_beside_what_they_wait_for() {
    let asks = |names: &[&str], what: &str| cmd("ask_permission", json!({ "services": names, "what": what }));
    let asked =
        |names: &[&str], what: &str| Event::PermissionAsked { by: ROBIN, services: services(names), what: text(what) };
    let waiting = staffed().when(ROBIN, asks(&["search"], "restart it")).then([asked(&["search"], "restart it")]);
    let both = waiting
        .clone()
        .when(ROBIN, asks(&["indexing"], "pause it"))
        .then([asked(&["indexing", "search"], "restart it; pause it")]);
    // What is asked for already, in the same words, is there; in other words it is said anew.
    for (name, what) in [("search", "restart it"), ("indexing", "pause it")] {
        both.clone().when(ROBIN, asks(&[name], what)).refused(Code::AlreadySo, &[], None);
    }
    both.clone()
        .when(ROBIN, asks(&["indexing", "search"], "restart both"))
        .then([asked(&["indexing", "search"], "restart both")]);
    // What they may change by now is not asked for again, and words that do not fit into a line make room.
    let long = "x".repeat(195);
    waiting.clone().when(ROBIN, asks(&["indexing"], &long)).then([asked(&["indexing", "search"], &long)]);
    let given = both.when(JOSEPHINE, grant(json!({}))).accepted();
    assert!(given.state().waiting(given.now).is_empty(), "one answer is for all of it");
    let of_permission = waiting.and([by(JOSEPHINE, granted(ROBIN, 30))]);
    of_permission.when(ROBIN, asks(&["indexing"], "pause it")).then([asked(&["indexing"], "pause it")]);
}

#[test]
fn within_its_bounds_a_change_is_one_of_operations() {
    let permitted = staffed().and([by(JOSEPHINE, granted(ROBIN, 30))]);
    permitted.clone().when(ROBIN, announce(ROLLBACK)).then([announced(1, ROBIN)]);
    permitted.clone().when(ROBIN, record(ROLLBACK)).then([done(1, ROBIN)]);
    assert!(permitted.state().may_change_services(ROBIN, permitted.now));
    let other = Some(Remedy::AskPermission { services: services(&["indexing"]) });
    permitted
        .clone()
        .when(ROBIN, announce("indexing: paused it"))
        .says("Only operations change indexing now: that is Josephine. Ask them for permission, or for the role.")
        .refused(Code::NotYours, &[JOSEPHINE], other);
    // What they announced is theirs to tell, after the permission too.
    let over = permitted.when(ROBIN, announce(ROLLBACK)).accepted().after(30);
    assert!(!over.state().may_change_services(ROBIN, over.now));
    let over = over
        .when(ROBIN, announce("restart it"))
        .refused(Code::NotYours, &[JOSEPHINE], permission())
        .when(ROBIN, confirm("done"))
        .accepted();
    // So is what they did within it, told of a little later; what they did after it is not.
    let told =
        |minutes: i64| cmd("record_change", json!({ "what": "restarted", "happened_at": at(minutes).to_string() }));
    let change = |minutes: i64, uncoordinated: bool| {
        let what = text("restarted");
        recorded(NewChange { what, happened_at: Some(at(minutes)), uncoordinated, ..new(2, ROBIN, ChangeState::Done) })
    };
    over.clone().when(ROBIN, told(29)).then([change(29, false)]);
    over.when(ROBIN, told(30)).then([change(30, true)]);
}

#[test]
fn it_is_bounded_and_ends_before_its_time_if_somebody_says_so() {
    let ready = staffed();
    let until = |minutes: i64| granted(ROBIN, minutes);
    ready.clone().when(JOSEPHINE, grant(json!({ "services": ["search"], "minutes": 240 }))).then([until(240)]);
    for minutes in [0, 241] {
        let command = grant(json!({ "services": ["search"], "minutes": minutes }));
        ready.clone().when(JOSEPHINE, command).refused(Code::Invalid, &[], None);
    }
    ready
        .clone()
        .when(JOSEPHINE, grant(json!({})))
        .says("Name the services that it is for.")
        .refused(Code::Invalid, &[], None)
        .when(JOSEPHINE, grant(json!({ "services": ["serach"] })))
        .says("Nobody here knows a service “serach”. An admin can add it to the directory.")
        .refused(Code::UnknownService, &[], None)
        .when(JOSEPHINE, cmd("grant_permission", json!({ "person": "malcolm", "services": ["search"] })))
        .refused(Code::NotThere, &[], None)
        .when(JOSEPHINE, cmd("grant_permission", json!({ "person": "josephine", "services": ["search"] })))
        .refused(Code::AlreadySo, &[], None);
    let end = || cmd("end_permission", json!({ "permission": 1 }));
    let permitted = ready.and([by(JOSEPHINE, granted(ROBIN, 30))]).after(1);
    let ended = |by: PersonId| Event::PermissionEnded { permission: 1, by };
    permitted.clone().when(ROBIN, end()).then([ended(ROBIN)]);
    permitted
        .clone()
        .when(SABRINA, end())
        .refused(Code::NotYours, &[JOSEPHINE], ask_for("operations"))
        .when(JOSEPHINE, end())
        .then([ended(JOSEPHINE)])
        .when(ROBIN, announce(ROLLBACK))
        .refused(Code::NotYours, &[JOSEPHINE], permission())
        .when(JOSEPHINE, end())
        .refused(Code::NotThere, &[], None);
    // Who goes leaves it behind, and it ends with the incident.
    let gone = permitted.clone().and([by(ROBIN, Event::Left { person: ROBIN }), by(ROBIN, joined(ROBIN))]);
    gone.when(ROBIN, announce(ROLLBACK)).refused(Code::NotYours, &[JOSEPHINE], permission());
    let over = permitted.and([closed(MARY)]);
    assert_eq!(over.state().live_permissions(over.now).count(), 0);
}

/// Whoever asks stands there until they have their answer; what was changed is changed already.
#[test]
fn who_waits_for_a_permission_goes_before_what_is_to_be_sorted() {
    let both =
        staffed().and([by(MALCOLM, joined(MALCOLM)), by(ROBIN, uncoordinated(1, ROBIN)), by(MALCOLM, asked(MALCOLM))]);
    let next = both.state().next(JOSEPHINE, &both.facts, both.now);
    assert_eq!(next, Some(Next::Permit { by: MALCOLM, services: services(&["search"]) }));
}

#[test]
fn whoever_breaks_the_glass_is_heard_as_loudly_as_a_change_of_command() {
    let given = staffed().when(MALCOLM, break_glass("it burns")).then([joined(MALCOLM), broken(MALCOLM)]);
    assert!(broken(MALCOLM).matters() && broken(MALCOLM).stands_out());
    let about = About::Glass { permission: 1, by: MALCOLM, until: at(30) };
    assert_eq!(called(&given), [(MARY, about.clone()), (JOSEPHINE, about)]);
    let calls = given.state().calls(&given.facts, given.now);
    assert!(calls[0].is_of_command(), "it goes past quiet hours");
    let words = calls[0].words(&given.state(), &given.facts);
    assert_eq!(words.line, "Malcolm broke the glass in incident #1 “Search is slow” (sev2)");
    // What is changed then is uncoordinated until operations sort it, which they are asked to at once.
    let glass = recorded(NewChange { uncoordinated: true, ..new(1, MALCOLM, ChangeState::Announced) });
    let changing = given.clone().when(MALCOLM, announce(ROLLBACK)).then([glass]);
    let next = changing.state().next(JOSEPHINE, &changing.facts, changing.now);
    assert_eq!(next, Some(Next::SortChange { change: 1, by: MALCOLM }));
    let taken_in = changing.clone().when(JOSEPHINE, on("take_in_change")).accepted();
    assert_eq!(taken_in.state().changes[0].stands.state, ChangeState::Announced);
    let made = changing.when(MALCOLM, confirm("done")).accepted();
    assert!(made.state().changes[0].is_unsorted() && made.state().changes[0].differs());
    given
        .clone()
        .when(MALCOLM, break_glass("again"))
        .refused(Code::AlreadySo, &[], None)
        .when(JOSEPHINE, break_glass("it burns"))
        .refused(Code::AlreadySo, &[], None);
    let over = given.after(30);
    assert_eq!(called(&over), []);
    over.when(MALCOLM, announce(ROLLBACK)).refused(Code::NotYours, &[JOSEPHINE], permission());
    staffed().when(IVAN, break_glass("it burns")).refused(Code::NotActive, &[], Some(Remedy::AskAdmin));
}

/// Nobody is kept from theirs by one who breaks it over and over.
#[test]
fn one_person_breaks_the_glass_a_few_times_at_once() {
    let one = |permission: u32| {
        let (services, until) = (services(&["indexing"]), at(30));
        by(MALCOLM, Event::GlassBroken { permission, by: MALCOLM, services, until, reason: text("it burns") })
    };
    let often = staffed().and([by(MALCOLM, joined(MALCOLM)), one(1), one(2), one(3)]);
    often
        .clone()
        .when(MALCOLM, break_glass("once more"))
        .refused(Code::TooMany, &[JOSEPHINE], None)
        .when(ROBIN, break_glass("it burns"))
        .accepted();
    often.after(30).when(MALCOLM, break_glass("it burns")).accepted();
}

/// Two hundred that are over are known at least, besides those that hold.
#[test]
fn how_many_are_known_is_bounded() {
    let one = |permission: u32| {
        let (services, until) = (services(&["search"]), at(i64::from(permission) + 1));
        by(JOSEPHINE, Event::PermissionGranted { permission, person: ROBIN, services, by: JOSEPHINE, until })
    };
    let last = |permission: u32| staffed().and((1..=permission).map(one)).state().permissions;
    assert_eq!((last(250).len(), last(250)[0].id), (250, 1));
    assert_eq!((last(251).len(), last(251)[0].id), (250, 2));
}

/// Whoever is of operations by now waits for nothing.
#[test]
fn who_needs_no_permission_any_more_is_nobodys_to_answer() {
    let waiting = staffed().and([by(ROBIN, asked(ROBIN))]);
    assert_eq!(called(&waiting).len(), 1);
    let member = waiting.and([crate::words::member("operations", ROBIN)]);
    let next = member.state().next(JOSEPHINE, &member.facts, member.now);
    assert_eq!((next, called(&member)), (None, Vec::new()));
}

#[test]
fn what_was_told_of_before_is_told_truly_when_it_is_over() {
    let done_of = |given: &Given, id: &str| wardroom_core::call::Call::done(id, &given.state(), &given.facts).line;
    let waiting = staffed().and([by(ROBIN, asked(ROBIN))]);
    let entry = waiting.state().last_entry;
    let place = "incident #1 “Search is slow” (sev2)";
    let id = format!("1.permit.{entry}");
    assert_eq!(
        done_of(&waiting, &id),
        format!("Done: who asks for permission in {place} is for somebody else to answer now")
    );
    let answered = waiting.and([by(JOSEPHINE, granted(ROBIN, 30))]);
    assert_eq!(done_of(&answered, &id), format!("Done: who asked for permission in {place} has their answer"));
    let told = staffed().and([uncoordinated(1, ROBIN)]);
    assert_eq!(done_of(&told, "1.change.1"), format!("Done: the change in {place} is for somebody else to sort now"));
    let sorted = told.when(JOSEPHINE, on("take_in_change")).accepted();
    assert_eq!(done_of(&sorted, "1.change.1"), format!("Done: the change in {place} is sorted"));
}

/// A late record gives command back to whoever had it last, who may be asleep.
#[test]
fn who_is_given_command_by_somebody_else_is_told() {
    let over = staffed().and([closed(MARY)]).after(60).when(ROBIN, record(ROLLBACK)).accepted();
    let entry = over.state().last_entry;
    let calls = over.state().calls(&over.facts, over.now);
    let of_command = calls.iter().find(|call| call.about == About::InCommand { entry, since: at(60) });
    let call = of_command.expect("Mary is told that she commands");
    assert!(call.person == MARY && call.is_of_command());
    assert_eq!(call.words(&over.state(), &over.facts).line, "You have command of incident #1 “Search is slow” (sev2)");
    let back = over.when(MARY, cmd("note", json!({ "text": "I am here" }))).accepted();
    let told = called(&back).into_iter().any(|(_, about)| matches!(about, About::InCommand { .. }));
    assert!(!told, "she has seen it");
    let opened = staffed();
    assert_eq!(called(&opened), [], "whoever opened it knows");
}

/// What is closed is not reopened by a correction of the past, and says what does it.
#[test]
fn what_turns_out_to_be_done_after_closing_is_recorded_anew() {
    let dropped = Event::ChangeDropped(crate::change::step(JOSEPHINE));
    let over = staffed().and([announced(1, JOSEPHINE), dropped, closed(MARY)]);
    over.when(JOSEPHINE, confirm("done"))
        .says("Incident #1 is closed. Record the change anew: that has it open again, as resolved.")
        .refused(Code::WrongPhase, &[], Some(Remedy::RecordChange));
}
