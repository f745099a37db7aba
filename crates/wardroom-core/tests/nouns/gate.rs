//! The gate: whom an incident stops at which services, who comes through, and what is recorded of it.

use wardroom_core::change::{ChangeState, NewChange};
use wardroom_core::command::Command;
use wardroom_core::directory::DirectoryEvent;
use wardroom_core::event::{Event, Unreadable};
use wardroom_core::facts::{EARLIER_KEPT, GOODS_KEPT, Standing};
use wardroom_core::gate::{Circle, Doubt, Found, Full, Passing, Unread, severities};
use wardroom_core::id::PersonId;
use wardroom_core::incident::{Kind, Phase, Severity};
use wardroom_core::refusal::Code;

use crate::cast::{IVAN, JOSEPHINE, MALCOLM, MARY, ROBIN, SABRINA, service, services};
use crate::change::{ROLLBACK, new, recorded, staffed};
use crate::given::{Given, by, given};
use crate::permission::{broken, granted};
use crate::words::{number, opened_as, opened_restricted, text};

/// So many changes fit into a ledger.
const CHANGES_MAX: u32 = 2_000;

pub fn look(given: &Given, who: Option<PersonId>, name: &str) -> Found {
    let mut found = Found::default();
    given.state().look(who, &service(name), None, &given.facts, given.now, &mut found);
    found
}

pub fn passes(given: &Given, who: PersonId) -> bool {
    let found = look(given, Some(who), "search");
    assert!(found.passes.is_empty() || found.stops.is_empty());
    !found.passes.is_empty()
}

pub fn enforcing(given: Given, name: &str) -> Given {
    given.knowing(vec![DirectoryEvent::ServiceGateSet { service: service(name), enforced: severities() }])
}

pub fn phase(to: Phase) -> Event {
    Event::PhaseSet { from: Phase::Active, to, reason: None }
}

pub fn passing(what: &str) -> Passing {
    Passing {
        services: services(&["search"]),
        what: what.parse().expect("a line"),
        back_to: None,
        through: "the deploy pipeline".parse().expect("a line"),
        done: false,
    }
}

pub fn through(change: u32, by: PersonId, what: &str) -> NewChange {
    let (what, through) = (text(what), Some(text("the deploy pipeline")));
    NewChange { what, through, ..new(change, by, ChangeState::Announced) }
}

#[test]
fn it_holds_from_the_declaration_until_it_is_resolved() {
    let stops = |given: &Given| !look(given, Some(ROBIN), "search").stops.is_empty();
    assert!(!stops(&given([opened_as(1, Kind::Incident, Phase::Investigating)])));
    assert!(stops(&staffed()));
    assert!(stops(&staffed().and([phase(Phase::Mitigated)])));
    assert!(!stops(&staffed().and([phase(Phase::Resolved)])));
    assert!(!stops(&given([opened_as(1, Kind::Drill, Phase::Active)])), "a drill never does");
}

#[test]
fn it_holds_its_services_and_what_they_need_and_a_planned_operation_its_own() {
    let held = |given: &Given| given.state().held_services(&given.facts);
    assert_eq!(held(&staffed()), services(&["indexing", "search"]));
    assert_eq!(held(&given([opened_as(1, Kind::Planned, Phase::Active)])), services(&["search"]));
    assert_eq!(held(&given([opened_as(1, Kind::Drill, Phase::Active)])), services(&[]));
    let planned = look(&given([opened_as(1, Kind::Planned, Phase::Active)]), Some(ROBIN), "search").stops.remove(0);
    assert!(planned.reason.starts_with("Planned operation #1 is active on search. Only"), "{}", planned.reason);
    let reason = |name: &str| look(&staffed(), Some(ROBIN), name).stops.remove(0).reason;
    assert_eq!(
        reason("search"),
        "Incident #1 is active on search. Only operations may change search; the operations lead is Josephine. Ask in its war room."
    );
    assert_eq!(
        reason("indexing"),
        "Incident #1 is active on search, which needs indexing. Only operations may change indexing; the operations lead is Josephine. Ask in its war room."
    );
}

#[test]
fn it_observes_until_it_is_said_to_enforce_at_that_severity() {
    let stopped = |given: &Given| look(given, Some(ROBIN), "search").is_stopped();
    assert!(!stopped(&staffed()), "a new gate only observes");
    let enforced = enforcing(staffed(), "search");
    assert!(stopped(&enforced));
    let lower = Event::SeveritySet { from: Severity::Sev2, to: Severity::Sev3, reason: None };
    assert!(!stopped(&enforced.and([lower])), "by default at sev1 and sev2");
    let other = enforcing(staffed(), "indexing");
    assert!(!stopped(&other));
}

#[test]
fn operations_and_whoever_they_let_come_through() {
    let ready = staffed();
    assert!(passes(&ready, JOSEPHINE));
    for outside in [MARY, SABRINA, ROBIN, MALCOLM] {
        assert!(!passes(&ready, outside));
    }
    assert!(!look(&ready, None, "search").stops.is_empty(), "who is not known is nobody of operations");
    assert!(passes(&ready.clone().and([by(JOSEPHINE, granted(ROBIN, 30))]), ROBIN));
    assert!(passes(&ready.clone().and([by(ROBIN, broken(ROBIN))]), ROBIN));
    assert!(!passes(&ready.clone().and([by(JOSEPHINE, granted(ROBIN, 30))]).after(30), ROBIN));
    assert!(!passes(&ready.deactivated(JOSEPHINE), JOSEPHINE));
    assert!(
        passes(&given([opened_as(1, Kind::Incident, Phase::Active)]), MARY),
        "the commander while nobody else has it"
    );
}

/// A refusal would tell of it.
#[test]
fn of_a_restricted_incident_it_knows_for_the_invited_alone() {
    let secret = given([opened_restricted()]).and([Event::Invited { person: SABRINA }]);
    let stops = |who: Option<PersonId>| look(&secret, who, "search").stops.len();
    assert_eq!((stops(Some(SABRINA)), stops(Some(ROBIN)), stops(None)), (1, 0, 0));
}

/// A guest knows of one incident alone, and is no freer than anybody else for it.
#[test]
fn a_guest_of_another_incident_is_stopped_and_not_told_by_which() {
    let mut given = staffed();
    let people = std::sync::Arc::make_mut(&mut given.facts.people);
    people.get_mut(&MALCOLM).expect("of the cast").standing = Standing::Guest(number(9));
    let found = look(&given, Some(MALCOLM), "search");
    assert_eq!((found.stops.len(), found.passes.len()), (1, 0));
    assert!(found.stops[0].restricted, "it is not named to them");
    assert_eq!(found.stops[0].reason, "Only operations may change search now. Ask in Wardroom.");
}

#[test]
fn owners_go_back_to_the_version_that_was_good_before_it_began() {
    let good = |given: Given, version: &str| {
        given.knowing(vec![DirectoryEvent::ServiceGoodSet { service: service("search"), version: text(version) }])
    };
    let known = good(staffed(), "v11");
    let back = |given: &Given, who: PersonId, to: &str| {
        let mut found = Found::default();
        given.state().look(Some(who), &service("search"), Some(to), &given.facts, given.now, &mut found);
        !found.passes.is_empty()
    };
    assert!(back(&known, ROBIN, "v11"), "Robin is of the team that owns it");
    assert!(!back(&known, ROBIN, "v12") && !back(&known, MALCOLM, "v11") && !back(&known, IVAN, "v11"));
    assert!(!back(&good(staffed().after(5), "v12"), ROBIN, "v12"), "said after it began, it proves nothing");
    let newer = good(known.clone().after(5), "v12");
    assert!(back(&newer, ROBIN, "v11"), "nor does it take anything from what was said before");
    let two = good(good(staffed(), "v10"), "v11");
    assert!(back(&two, ROBIN, "v11") && !back(&two, ROBIN, "v10"), "the last one, when it began");
    let many = (13..30).fold(newer, |given, version| good(given, &format!("v{version}")));
    assert_eq!(many.facts.services[&service("search")].good.len(), GOODS_KEPT);
    // Each stands there once, and that it was good before is not forgotten.
    let again = good(good(good(staffed(), "v11").after(1), "v12").after(2), "v11");
    let [last, before] = again.facts.services[&service("search")].good.as_slice() else { panic!("two versions") };
    assert_eq!((last.version.words(), before.version.words()), (Some("v11"), Some("v12")));
    assert!(back(&again, ROBIN, "v11") && !back(&again, ROBIN, "v12"), "v11 was good when it began");
    let flapping = (0..40).fold(staffed(), |given, n| good(given.after(1), if n % 2 == 0 { "v11" } else { "v12" }));
    let kept = &flapping.facts.services[&service("search")].good;
    assert!(kept.len() == 2 && kept.iter().all(|good| good.earlier.len() == EARLIER_KEPT));
    let mut rollback = passing("back to v11");
    rollback.back_to = Some("v11".parse().expect("a line"));
    let told = through(1, ROBIN, "back to v11");
    known.clone().when(ROBIN, Command::PassGate(rollback.clone())).then([recorded(told.clone())]);
    let told = NewChange { by: SABRINA, ..told };
    known.when(SABRINA, Command::PassGate(rollback)).then([recorded(told)]);
}

/// Whoever called a version good at last, and came to go back to it, was told nothing but that operations alone may change it.
#[test]
fn whoever_is_stopped_on_their_way_back_is_told_why_that_does_not_count() {
    let good = |given: Given, version: &str| {
        given.knowing(vec![DirectoryEvent::ServiceGoodSet { service: service("search"), version: text(version) }])
    };
    let why = |given: &Given, who: PersonId, to: &str| {
        let mut found = Found::default();
        given.state().look(Some(who), &service("search"), Some(to), &given.facts, given.now, &mut found);
        found.stops.remove(0).reason
    };
    let known = good(good(good(staffed(), "v9"), "v10").after(5), "v11");
    let late = why(&known, ROBIN, "v11");
    let begins = "Incident #1 is active on search. Only operations may change search;";
    assert!(late.starts_with(begins), "{late}");
    assert!(
        late.ends_with("“v11” was called good only after #1 began; the last known good version is “v10”."),
        "{late}"
    );
    let ends = |to: &str, with: &str| assert!(why(&known, ROBIN, to).ends_with(with), "{}", why(&known, ROBIN, to));
    ends("v9", " “v9” was good before that; the last known good version is “v10”.");
    ends("v8", " Nobody called “v8” good; the last known good version is “v10”.");
    let none = why(&good(staffed().after(5), "v11"), ROBIN, "v11");
    assert!(none.ends_with("only after #1 began; no version of search was called good before."), "{none}");
    let other = why(&known, MALCOLM, "v10");
    assert!(other.ends_with(" may go back to “v10” without them.") && other.contains("who own search"), "{other}");
    // Of one that is not to be named, nothing is said of when it began.
    let secret = given([opened_restricted()]).and([Event::Invited { person: ROBIN }]);
    assert!(!why(&good(secret.after(5), "v11"), ROBIN, "v11").contains("good"));
}

#[test]
fn what_comes_through_stands_in_the_ledger_once() {
    let ready = staffed();
    let first = recorded(through(1, JOSEPHINE, ROLLBACK));
    let passed = ready
        .when(ROBIN, Command::PassGate(passing(ROLLBACK)))
        .refused(Code::NotYours, &[JOSEPHINE], None)
        .when(JOSEPHINE, Command::PassGate(passing(ROLLBACK)))
        .then([first]);
    let again = |given: &Given| given.state().passed_already(JOSEPHINE, &service("search"), ROLLBACK, given.now);
    assert_eq!(again(&passed), Some(1));
    let within = passed.after(9);
    assert_eq!(again(&within), Some(1));
    let other = recorded(through(2, JOSEPHINE, "restart it"));
    let after = within
        .when(JOSEPHINE, Command::PassGate(passing(ROLLBACK)))
        .refused(Code::AlreadySo, &[], None)
        .when(JOSEPHINE, Command::PassGate(passing("restart it")))
        .then([other])
        .after(1);
    assert_eq!(again(&after), None, "ten minutes later it is another one");
    after.when(JOSEPHINE, Command::PassGate(passing(ROLLBACK))).then([recorded(through(3, JOSEPHINE, ROLLBACK))]);
}

#[test]
fn all_of_it_comes_through_or_nothing() {
    let both = Passing { services: services(&["indexing", "search"]), ..passing("restart both") };
    let permitted = staffed().and([by(JOSEPHINE, granted(ROBIN, 30))]);
    permitted.when(ROBIN, Command::PassGate(both.clone())).refused(Code::NotYours, &[JOSEPHINE], None);
    let told = |change: u32, name: &str| {
        recorded(NewChange { service: service(name), ..through(change, JOSEPHINE, "restart both") })
    };
    staffed().when(JOSEPHINE, Command::PassGate(both)).then([told(1, "indexing"), told(2, "search")]);
    // Over broken glass it is uncoordinated, and what a cluster only waits for is as good as done.
    let glass = staffed().and([by(ROBIN, broken(ROBIN))]);
    let done = Passing { done: true, ..passing(ROLLBACK) };
    let told = NewChange { uncoordinated: true, state: ChangeState::Done, ..through(1, ROBIN, ROLLBACK) };
    glass.when(ROBIN, Command::PassGate(done)).then([recorded(told)]);
}

fn doubt(unread: &Unread, who: Option<PersonId>, name: &str, given: &Given) -> Option<Doubt> {
    unread.look(who, &service(name), &given.facts)
}

/// What is known of an incident of which only these entries can be read.
fn remains<const N: usize>(events: [Event; N]) -> Unread {
    let mut unread = Unread::unknown(number(1));
    events.iter().for_each(|event| unread.evolve(event));
    unread
}

#[test]
fn what_is_not_known_of_an_incident_that_cannot_be_read_may_hold_anything() {
    let given = enforcing(staffed(), "search");
    let nothing = Unread::unknown(number(1));
    let expected = Doubt { incident: None, service: service("search"), enforced: true, partly: false };
    assert_eq!(doubt(&nothing, Some(ROBIN), "search", &given), Some(expected.clone()));
    assert_eq!(doubt(&nothing, None, "search", &given), Some(expected));
    let other = doubt(&nothing, Some(JOSEPHINE), "indexing", &given).expect("it may be on that too");
    assert!(!other.enforced, "whose gate only observes lets everybody through");
    let over = [Event::PhaseSet { from: Phase::Active, to: Phase::Resolved, reason: None }];
    assert_eq!(doubt(&remains(over), Some(ROBIN), "search", &given), None);
    let sev4 = [Event::SeveritySet { from: Severity::Sev2, to: Severity::Sev4, reason: None }];
    assert!(!doubt(&remains(sev4), Some(ROBIN), "search", &given).expect("it may hold it").enforced);
    let on = |name: &str| [Event::ServicesSet { services: services(&[name]), unknown_services: services(&[]) }];
    assert_eq!(doubt(&remains(on("indexing")), Some(ROBIN), "search", &given), None);
    assert!(doubt(&remains(on("search")), Some(ROBIN), "indexing", &given).is_some(), "what it needs, too");
}

/// A damaged note shuts no gate, and services that nobody can read shut each that enforces.
#[test]
fn what_an_entry_that_cannot_be_read_may_have_changed_is_not_known_any_more() {
    let given = enforcing(staffed(), "search");
    let wrong = |kind: &str| Unreadable::Malformed { kind: kind.to_owned(), why: "it is null".to_owned() };
    let on = |name: &str| Event::ServicesSet { services: services(&[name]), unknown_services: services(&[]) };
    let unsure = |unread: &Unread| doubt(unread, Some(JOSEPHINE), "search", &given).map(|doubt| doubt.enforced);
    let known = remains([opened_as(1, Kind::Incident, Phase::Active), on("indexing")]);
    let after = |why: &Unreadable| {
        let mut unread = known.clone();
        unread.evolve_unreadable(why);
        unread
    };
    assert_eq!(after(&wrong("noted")), known);
    for kind in ["services_set", "absorbed", "opened"] {
        let mut unread = after(&wrong(kind));
        assert_eq!((unread.is_certain(), unsure(&unread)), (false, Some(true)), "{kind}");
        unread.evolve(&on("indexing"));
        assert_eq!(unsure(&unread), None, "{kind}: they were said anew");
    }
    let newer = after(&Unreadable::Unknown { kind: "unheard_of".to_owned(), version: 1 });
    assert_eq!((newer.clone(), unsure(&newer)), (Unread::unknown(number(1)), Some(true)));
    // What is known holds search, at a severity that its gate does not enforce, and is over.
    let sev4 = Event::SeveritySet { from: Severity::Sev2, to: Severity::Sev4, reason: None };
    let mut calm = remains([opened_as(1, Kind::Incident, Phase::Active), sev4]);
    assert_eq!(unsure(&calm), Some(false));
    calm.evolve_unreadable(&wrong("severity_set"));
    assert_eq!(unsure(&calm), Some(true));
    calm.evolve(&phase(Phase::Resolved));
    assert_eq!(unsure(&calm), None);
    calm.evolve_unreadable(&wrong("reopened"));
    assert_eq!(unsure(&calm), Some(true));
    // Whether somebody may know of it is not known either.
    let closed = after(&wrong("restricted"));
    assert_eq!(closed.circle, Circle::Unknown);
}

/// A failure would tell of it as well as a refusal.
#[test]
fn one_that_cannot_be_read_is_named_only_if_everybody_may_know_of_it() {
    let given = enforcing(staffed(), "search");
    let named = |unread: &Unread, who: PersonId| doubt(unread, Some(who), "search", &given).map(|doubt| doubt.incident);
    let open = remains([opened_as(1, Kind::Incident, Phase::Active)]);
    assert_eq!(named(&open, ROBIN), Some(Some(number(1))));
    let secret = remains([opened_restricted(), Event::Declared { by: MARY, commander: MARY }]);
    assert_eq!((named(&secret, MARY), named(&secret, ROBIN)), (Some(None), None));
    assert_eq!(doubt(&secret, None, "search", &given), None);
    let invited = remains([opened_restricted(), Event::Invited { person: ROBIN }, phase(Phase::Mitigated)]);
    assert_eq!((named(&invited, ROBIN), named(&invited, SABRINA)), (Some(None), None));
    assert_eq!(named(&Unread::unknown(number(1)), ROBIN), Some(None), "nobody can tell whether it is restricted");
    assert_eq!(invited.circle, Circle::Invited([MARY, ROBIN].into()));
}

/// Operations are not outside because there is no room to write down what they do.
#[test]
fn where_the_ledger_is_full_nothing_can_be_decided_for_operations() {
    let ready = enforcing(staffed(), "search");
    let of = |recorded: u32, who: PersonId, name: &str| {
        let (mut state, mut found) = (ready.state(), look(&ready, Some(who), name));
        state.changes_recorded = recorded;
        found.fill(|_, service, many| state.full(Some(who), service, &ready.facts, many));
        found
    };
    let room = of(CHANGES_MAX - 1, JOSEPHINE, "search");
    assert_eq!((room.passes.len(), room.unrecorded()), (1, None));
    let full = of(CHANGES_MAX, JOSEPHINE, "search");
    let expected = Full { incident: Some(number(1)), service: service("search"), enforced: true };
    assert_eq!((full.passes.len(), full.unrecorded()), (0, Some(&expected)));
    let observing = of(CHANGES_MAX, JOSEPHINE, "indexing");
    assert!(observing.unrecorded().is_none() && !observing.full[0].enforced, "what only observes lets through");
    assert!(of(CHANGES_MAX, ROBIN, "search").is_stopped(), "whoever is outside is stopped as ever");
    // What one incident would have to record is recorded whole, or not at all.
    let mut both =
        Found { passes: vec![(number(1), service("indexing")), (number(1), service("search"))], ..Found::default() };
    let mut state = ready.state();
    state.changes_recorded = CHANGES_MAX - 1;
    both.fill(|_, service, many| state.full(Some(JOSEPHINE), service, &ready.facts, many));
    assert_eq!((both.passes.len(), both.full.len()), (0, 2));
}

/// Whoever is outside is stopped as ever; what would come through cannot be recorded.
#[test]
fn one_that_can_be_read_in_part_lets_nobody_through_where_its_gate_enforces() {
    let ready = enforcing(staffed(), "search");
    let of = |given: &Given, who: PersonId, name: &str| {
        let (state, mut found) = (given.state(), look(given, Some(who), name));
        found.doubt(|_, service| state.doubt(Some(who), service, &given.facts, false));
        found
    };
    let whole = of(&ready, JOSEPHINE, "search");
    assert_eq!((whole.passes.len(), whole.doubts.len()), (1, 0));
    let mut state = ready.state();
    state.unreadable = Some("entry 9: of a newer Wardroom".to_owned());
    let mut partly = look(&ready, Some(JOSEPHINE), "search");
    partly.doubt(|_, service| state.doubt(Some(JOSEPHINE), service, &ready.facts, false));
    assert!(partly.passes.is_empty() && partly.undecided().is_some_and(|doubt| doubt.partly));
    let observing = state.doubt(Some(JOSEPHINE), &service("indexing"), &ready.facts, false);
    assert!(observing.is_some_and(|doubt| !doubt.enforced));
    let broken = ready.state().doubt(Some(JOSEPHINE), &service("search"), &ready.facts, true);
    assert!(broken.is_some_and(|doubt| doubt.enforced && !doubt.partly));
}
