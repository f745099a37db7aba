//! Changes of which another system tells, and many of them: who is called, how they are sorted together, which change of the
//! ledger each is, and where its words stand.

use std::collections::BTreeSet;

use serde_json::json;
use uuid::Uuid;
use wardroom_core::call::{About, Call};
use wardroom_core::change::{ChangeState, ChangeStep, Maker};
use wardroom_core::command::Command;
use wardroom_core::event::{Event, Recorded};
use wardroom_core::id::{Actor, Entry, PersonId};
use wardroom_core::incident::Phase;
use wardroom_core::next::Next;
use wardroom_core::refusal::Code;
use wardroom_core::sighting::{NewSighting, SIGHTINGS_MAX, Seen, Stage};
use wardroom_core::telling::tell;
use wardroom_core::text::Text;

use crate::cast::{JOSEPHINE, MALCOLM, MARY, ROBIN, SABRINA, at, facts, service, services};
use crate::change::{announced, confirm, done, staffed, step, with};
use crate::given::{Given, by};
use crate::sighting::{called, event, freelanced, seen, sighted, sort};
use crate::words::{ask_for, closed, cmd, number, opened_as};

/// Several freelancers' changes, numbered from 1.
fn many(makers: &[Option<PersonId>]) -> Given {
    let one = |(sighting, maker): (u32, &Option<PersonId>)| {
        let key = Uuid::from_u128(100 + u128::from(sighting));
        event(NewSighting { sighting, key, ..sighted(&seen(*maker, 5), true, None) })
    };
    staffed().after(10).and((1..).zip(makers).map(one))
}

fn dismiss(sightings: &[u32]) -> Command {
    cmd("dismiss_sightings", json!({ "sightings": sightings }))
}

fn calls_of(given: &Given, who: PersonId) -> Vec<Call> {
    let calls = given.state().calls(&given.facts, given.now);
    calls.into_iter().filter(|call| call.person == who && matches!(call.about, About::Seen { .. })).collect()
}

#[test]
fn however_many_wait_there_is_one_call_and_it_stays_the_same_until_all_are_sorted() {
    let three = many(&[Some(ROBIN), None, Some(JOSEPHINE)]);
    let about = |more| About::Seen { since: 1, sighting: 1, service: service("search"), by: Some(ROBIN), more };
    // Nobody is told of what they made themselves.
    assert_eq!(called(&three), [(MARY, about(2)), (JOSEPHINE, about(1))]);
    let words = calls_of(&three, MARY)[0].words(&three.state(), &three.facts);
    assert!(words.line.contains("of search by Robin was seen that was not coordinated, and 2 more, in"), "{words:?}");
    let first = three.clone().when(JOSEPHINE, sort("dismiss_sighting")).accepted();
    assert_eq!(calls_of(&first, MARY)[0].id(), calls_of(&three, MARY)[0].id());
    let none = first.when(JOSEPHINE, dismiss(&[2, 3])).accepted();
    assert_eq!(calls_of(&none, MARY), []);
    let again = Seen { key: Uuid::from_u128(9), ..seen(Some(ROBIN), 6) };
    let anew = none.told(again).accepted();
    assert_eq!(calls_of(&anew, MARY)[0].id(), "1.seen.4");
}

#[test]
fn several_are_dismissed_at_once_as_far_as_nobody_sorted_them() {
    let four = many(&[Some(ROBIN), None, None, None]);
    let sorted = four
        .clone()
        .when(ROBIN, dismiss(&[1, 2]))
        .refused(Code::NotYours, &[JOSEPHINE], ask_for("operations"))
        .when(JOSEPHINE, dismiss(&[2, 5]))
        .refused(Code::NotThere, &[], None)
        .when(JOSEPHINE, sort("take_in_sighting"))
        .accepted()
        .when(JOSEPHINE, dismiss(&[1, 2, 4]))
        .then([Event::SightingsDismissed { sightings: vec![2, 4], by: JOSEPHINE, reason: None }]);
    assert!(sorted.state().sightings[2].is_unsorted());
    let last = Event::SightingDismissed { sighting: 3, by: JOSEPHINE, reason: None };
    let all = sorted.when(JOSEPHINE, dismiss(&[2, 3])).then([last]);
    all.clone().when(JOSEPHINE, dismiss(&[2, 3])).refused(Code::AlreadySo, &[], None);
    all.when(JOSEPHINE, dismiss(&[])).refused(Code::AlreadySo, &[], None);
}

#[test]
fn what_is_under_way_comes_to_its_end_wherever_the_incident_is_by_then() {
    let begun = || {
        let seen = Seen { stage: Stage::Begun, ..seen(Some(JOSEPHINE), 5) };
        staffed().after(10).told(seen).accepted()
    };
    let over = Seen { stage: Stage::Failed, ..seen(Some(JOSEPHINE), 12) };
    let ended = |given: Given| {
        let given = given.after(5).told(over.clone()).accepted();
        assert_eq!(given.state().sightings[0].seen.stage, Stage::Failed);
    };
    ended(begun());
    let elsewhere = services(&["mail"]);
    ended(begun().and([Event::ServicesSet { services: elsewhere, unknown_services: BTreeSet::new() }]));
    let resolved = begun().and([Event::PhaseSet { from: Phase::Active, to: Phase::Resolved, reason: None }]);
    ended(resolved.clone());
    ended(resolved.and([closed(MARY)]));
    let merged = begun().and([Event::MergedInto { into: number(2), commander: MARY }]);
    merged.told(over.clone()).refused(Code::AlreadySo, &[], None);
}

/// Robin's deployment is told of as under way five minutes after the declaration, or nobody's, and operations take it in.
fn taken_in_under_way(who: Option<PersonId>) -> Given {
    let begun = Seen { stage: Stage::Begun, ..seen(who, 5) };
    let taken = staffed().after(10).told(begun).accepted().when(JOSEPHINE, sort("take_in_sighting")).accepted();
    assert!(taken.state().changes[0].is_announced(), "it is under way");
    taken.after(5)
}

/// It stood announced for good, and operations were asked how it went, though the pipeline had told.
#[test]
fn what_was_taken_in_while_it_was_under_way_is_over_once_that_is_told() {
    let over = |stage, who, minute| Seen { stage, ..seen(who, minute) };
    let went = |stage, minute| Event::SightingWent { sighting: 1, stage, at: at(minute) };
    let ended = |by, minute| Event::ChangeDone(ChangeStep { happened_at: Some(at(minute)), seen: Some(1), ..step(by) });
    let robins = || taken_in_under_way(Some(ROBIN));
    let done = robins().told(over(Stage::Done, Some(ROBIN), 12)).then([went(Stage::Done, 12), ended(ROBIN, 12)]);
    let change = done.state().changes.remove(0);
    assert_eq!((change.stands.state, change.done_at), (ChangeState::Done, Some(at(12))));
    let asked = |given: Given| given.state().next(JOSEPHINE, &given.facts, given.now);
    assert!(matches!(asked(robins()), Some(Next::ConfirmChange { change: 1, .. })));
    assert_eq!(asked(done), None, "nobody is asked how it went");
    // It may have been over before it was taken in, and nobody here may be called that.
    let late = robins().told(over(Stage::Done, Some(ROBIN), 8));
    late.then([went(Stage::Done, 8), ended(ROBIN, 8)]);
    let nobodys = taken_in_under_way(None).told(over(Stage::Done, None, 12));
    nobodys.then([went(Stage::Done, 12), ended(JOSEPHINE, 12)]);
    // What a person has said stands, and so does what they dismissed.
    let dropped = robins().when(JOSEPHINE, confirm("dropped")).accepted();
    dropped.told(over(Stage::Done, Some(ROBIN), 12)).then([went(Stage::Done, 12)]);
    let begun = staffed().after(10).told(over(Stage::Begun, Some(ROBIN), 5)).accepted();
    let dismissed = begun.when(JOSEPHINE, sort("dismiss_sighting")).accepted().after(5);
    dismissed.told(over(Stage::Done, Some(ROBIN), 12)).then([went(Stage::Done, 12)]);
}

/// As what is taken in once it has failed: it stands as done until somebody has looked.
#[test]
fn what_was_taken_in_and_failed_may_have_changed_something() {
    let over = |stage, minute| Seen { stage, ..seen(Some(ROBIN), minute) };
    let failed = taken_in_under_way(Some(ROBIN)).told(over(Stage::Failed, 12)).accepted();
    let change = failed.state().changes.remove(0);
    let note = "it ended badly, and may have changed something";
    assert_eq!(change.stands.state, ChangeState::Done);
    assert_eq!(change.stands.note.as_ref().and_then(Text::words), Some(note));
    let line = tell(failed.history.last().expect("it was told"), &failed.facts);
    let words = format!("Change 1 of Robin is done since {}, as was seen as 1: {note}", at(12).strftime("%H:%M UTC"));
    assert_eq!(line, words);
    let again = Event::SightingWent { sighting: 1, stage: Stage::Done, at: at(14) };
    failed.told(over(Stage::Done, 14)).then([again]);
}

#[test]
fn what_failed_was_told_of_late_or_announced_a_moment_later_is_of_operations() {
    let staged = |given: Given, minutes: i64, stage: Stage| {
        let told = given.told(Seen { stage, ..seen(None, minutes) }).accepted().state();
        told.sightings[0].seen.change
    };
    let known = |given: Given, minutes: i64| staged(given, minutes, Stage::Done);
    let announcing = || staffed().after(14).and([by(JOSEPHINE, announced(1, JOSEPHINE))]).after(26);
    assert_eq!(known(announcing(), 5), Some(1), "whoever starts a pipeline announces it a moment later");
    assert_eq!(known(announcing(), 3), None);
    let ended = |outcome: Event| announcing().and([by(JOSEPHINE, outcome)]).after(60);
    let one = || step(JOSEPHINE);
    let failed = Event::ChangeFailed(one());
    let fails = |minutes| staged(ended(failed.clone()), minutes, Stage::Failed);
    assert_eq!(fails(38), Some(1), "it was announced at 14 and failed at 40");
    assert_eq!(fails(51), None, "long after it had failed");
    assert_eq!(known(ended(Event::ChangeDone(one())), 20), Some(1), "it was begun then, and done at 40");
    assert_eq!(known(ended(Event::ChangeDropped(one())), 20), None, "nobody made it");
    let reverted = ended(Event::ChangeDone(one())).and([by(JOSEPHINE, Event::ChangeReverted(one()))]);
    assert_eq!(known(reverted, 38), Some(1), "it is undone by now");
    let made = || staffed().after(30).and([by(JOSEPHINE, done(1, JOSEPHINE))]).after(30);
    assert_eq!(known(made(), 19), None, "it was not announced before");
}

#[test]
fn whoever_is_asked_in_has_a_line_of_their_own_until_they_come() {
    let outside = staffed().after(10).and([event(sighted(&seen(Some(MALCOLM), 5), true, None))]);
    let asked = outside.when(MARY, sort("ask_in")).accepted();
    let next = |given: &Given| given.state().next(MALCOLM, &given.facts, given.now);
    assert_eq!(next(&asked), Some(Next::ComeIn { by: MARY, sighting: 1, service: service("search") }));
    assert_eq!(next(&asked.clone().after(61)), None, "not for ever");
    assert_eq!(next(&asked.when(MALCOLM, cmd("join", json!({}))).accepted()), None);
}

/// The first sighting is told in entry `entry`.
fn entry_of(given: &Given) -> Entry {
    given.state().sightings[0].entry
}

fn redact(entry: Entry) -> Command {
    cmd("redact", json!({ "entry": entry.0 }))
}

#[test]
fn what_is_taken_in_says_who_made_it_and_has_its_words_where_it_was_seen() {
    let taken = freelanced().when(JOSEPHINE, sort("take_in_sighting")).accepted();
    let change = taken.state().changes[0].clone();
    assert_eq!((change.what.words(), change.by), (seen(None, 5).what.as_str().into(), JOSEPHINE));
    let maker = Maker { person: Some(ROBIN), who: taken.state().sightings[0].seen.who.clone() };
    assert_eq!(change.maker, Some(maker));
    // Nobody takes the words out of the one and leaves them in the other.
    let recorded = Entry(taken.state().last_entry.0 - 1);
    let sentence = format!(
        "The words of change 1 stand in entry {}, where it was seen. Redact that one: they go from both.",
        entry_of(&taken)
    );
    let told = taken.clone().when(MARY, redact(recorded)).says(&sentence).refused(Code::Invalid, &[], None);
    let gone = told.when(MARY, redact(entry_of(&taken))).accepted().state();
    assert_eq!(gone.changes[0].what.words(), None);
    assert_eq!(gone.changes[0].maker.clone().and_then(|maker| maker.who?.words().map(str::to_owned)), None);
    // It says so in words of its own afterwards, which are no sighting's.
    let corrected = taken.when(JOSEPHINE, with("correct_change", json!({ "service": "mail", "replaces": recorded.0 })));
    let corrected = corrected.accepted();
    assert_eq!(corrected.state().changes[0].what.words(), Some(seen(None, 5).what.as_str()));
}

#[test]
fn whoever_redacts_what_went_along_in_a_merge_is_told_where_it_went() {
    let second = crate::given::given([opened_as(2, wardroom_core::incident::Kind::Incident, Phase::Active)]);
    let also = |given: Given| {
        let entry = entry_of(&given);
        let merge = cmd("merge", json!({ "into": 2 }));
        let redacted = given.beside(&second).when(MARY, merge).accepted().when(MARY, redact(entry)).accepted();
        match &redacted.history.last().expect("it is redacted").event {
            Event::Redacted { also_in, .. } => *also_in,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(also(freelanced()), Some(number(2)));
    let taken = || freelanced().when(JOSEPHINE, sort("take_in_sighting")).accepted();
    assert_eq!(also(taken()), Some(number(2)), "the change went along");
    let reverted = taken().when(JOSEPHINE, with("revert_change", json!({ "note": null, "evidence": null }))).accepted();
    assert_eq!(also(reverted), None);
    assert_eq!(also(freelanced().when(JOSEPHINE, sort("dismiss_sighting")).accepted()), None);
}

fn told(event: Event) -> String {
    tell(&Recorded { entry: Entry(2), at: at(0), actor: Actor::Source, event }, &facts())
}

#[test]
fn the_timeline_says_who_is_known_who_told_and_what_is_only_taken_for_something() {
    let tells = |seen: &Seen, change: Option<u32>| told(event(sighted(seen, change.is_none(), change)));
    let robot = tells(&seen(None, 5), Some(3));
    assert!(robot.contains("by “robin@example.org” (nobody here is called that) in production"), "{robot}");
    assert!(robot.ends_with("told by https://ci.example.org, taken for change 3"), "{robot}");
    let robin = tells(&seen(Some(ROBIN), 5), Some(3));
    assert!(robin.contains("by Robin in production") && robin.ends_with(", which is change 3"), "{robin}");
    let what = |what: &str| tells(&Seen { what: what.parse().expect("a line"), ..seen(Some(ROBIN), 5) }, None);
    let twice = what("deploy v12 to production: the fix");
    assert!(twice.contains("to production: the fix by Robin, told by"), "where it was done is said once: {twice}");
    assert!(what("copy of preproduction").contains("by Robin in production, told by"), "these are other words");
    let with = |by| tells(&Seen { told_by: Some(by), ..seen(Some(ROBIN), 5) }, None);
    assert!(with(SABRINA).ends_with("told by https://ci.example.org (a token of Sabrina)"), "{}", with(SABRINA));
    assert!(with(ROBIN).ends_with("told by https://ci.example.org"), "whoever speaks for themselves is named already");
    let last_of_its = tells(&Seen { share_used: true, ..seen(Some(ROBIN), 5) }, None);
    let said = "ci.example.org. 250 changes that it told of were heard of; more of these are kept only to be sorted, up to 375";
    assert!(last_of_its.ends_with(said), "{last_of_its}");
    let dismissed = |sightings| told(Event::SightingsDismissed { sightings, by: JOSEPHINE, reason: None });
    assert_eq!(dismissed(vec![3, 4, 5]), "Josephine says that what was seen as 3, 4 and 5 has nothing to do with this");
    let hundred = dismissed((1..=100).collect());
    assert!(hundred.contains("as 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 90 more has"), "{hundred}");
}

#[test]
fn the_last_one_that_is_kept_says_so() {
    let last = |sighting| told(event(NewSighting { sighting, ..sighted(&seen(None, 5), true, None) }));
    let said = "500 changes were heard of; more are not kept here";
    assert!(last(SIGHTINGS_MAX).ends_with(said), "{}", last(SIGHTINGS_MAX));
    assert!(!last(SIGHTINGS_MAX - 1).contains(said));
}
