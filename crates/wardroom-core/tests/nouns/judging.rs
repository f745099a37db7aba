//! What was seen turns out to be something else than the change that it was taken for.

use serde_json::{Value, json};
use uuid::Uuid;
use wardroom_core::call::About;
use wardroom_core::change::{ChangeState, NewChange};
use wardroom_core::event::{Event, Recorded};
use wardroom_core::id::{Actor, Entry, PersonId};
use wardroom_core::incident::{Asking, Phase};
use wardroom_core::refusal::Code;
use wardroom_core::sighting::{Seen, Sighting, SightingAct, Stage};
use wardroom_core::telling::tell;

use crate::cast::{JOSEPHINE, MARY, ROBIN, at, facts};
use crate::change::{announced, confirm, done, new, on, recorded, staffed, step, uncoordinated};
use crate::given::{Given, by};
use crate::permission::broken;
use crate::sighting::{called, seen, sort};
use crate::words::cmd;

/// Josephine of operations announces a change of search after four minutes; a minute later it is told that one was made.
fn taken_for(seen: Seen) -> Given {
    staffed().after(4).and([by(JOSEPHINE, announced(1, JOSEPHINE))]).after(2).told(seen).accepted()
}

fn judged(was: Option<u32>, change: Option<u32>, uncoordinated: bool) -> Event {
    Event::SightingJudged { sighting: 1, was, change, uncoordinated }
}

#[track_caller]
fn only(given: &Given) -> Sighting {
    let [only] = &given.state().sightings[..] else { panic!("one was seen") };
    only.clone()
}

fn people_called(given: &Given) -> Vec<PersonId> {
    let seen = |(person, about): (PersonId, About)| matches!(about, About::Seen { .. }).then_some(person);
    called(given).into_iter().filter_map(seen).collect()
}

/// It hid behind that change for ever: nobody was called, and nobody could sort it.
#[test]
fn what_was_taken_for_a_change_that_was_not_made_is_to_be_sorted() {
    let taken = taken_for(seen(None, 5));
    assert_eq!((only(&taken).seen.change, people_called(&taken)), (Some(1), vec![]));
    let dropped = taken.when(JOSEPHINE, confirm("dropped"));
    let dropped = dropped.then([Event::ChangeDropped(step(JOSEPHINE)), judged(Some(1), None, true)]);
    assert!(only(&dropped).is_unsorted());
    assert_eq!(people_called(&dropped), [MARY, JOSEPHINE]);
    assert!(dropped.state().matters.contains(&dropped.state().last_entry), "it matters to whoever takes command");
    dropped.clone().when(JOSEPHINE, sort("take_in_sighting")).accepted();
    let resolved = dropped.and([Event::PhaseSet { from: Phase::Active, to: Phase::Resolved, reason: None }]);
    resolved.when(MARY, cmd("set_phase", json!({ "phase": "closed" }))).refused(Code::Unfinished, &[JOSEPHINE], None);

    let failed = taken_for(seen(None, 5)).when(JOSEPHINE, confirm("failed"));
    failed.then([Event::ChangeFailed(step(JOSEPHINE)), judged(Some(1), None, true)]);
}

#[test]
fn what_failed_is_what_was_seen_to_fail_and_not_what_was_seen_to_be_done() {
    let stage = |stage| Seen { stage, ..seen(None, 5) };
    taken_for(stage(Stage::Failed)).when(JOSEPHINE, confirm("failed")).then([Event::ChangeFailed(step(JOSEPHINE))]);
    let begun = taken_for(stage(Stage::Begun)).when(JOSEPHINE, confirm("failed"));
    let begun = begun.then([Event::ChangeFailed(step(JOSEPHINE))]);
    begun.clone().told(stage(Stage::Failed)).then([Event::SightingWent {
        sighting: 1,
        stage: Stage::Failed,
        at: at(5),
    }]);
    let went = Event::SightingWent { sighting: 1, stage: Stage::Done, at: at(5) };
    begun.clone().told(stage(Stage::Done)).then([went, judged(Some(1), None, true)]);
    let another = Seen { key: Uuid::from_u128(8), ..seen(None, 5) };
    let said = taken_for(stage(Stage::Failed)).when(JOSEPHINE, confirm("failed")).accepted();
    let told = said.told(another).accepted().state();
    assert_eq!(told.sightings[1].seen.change, None, "what changed nothing was not done");
}

#[test]
fn whoever_announced_it_as_one_of_operations_was_of_operations() {
    let announcing = || taken_for(Seen { stage: Stage::Begun, ..seen(Some(JOSEPHINE), 5) });
    let dropped = announcing().when(JOSEPHINE, confirm("dropped"));
    let dropped = dropped.then([Event::ChangeDropped(step(JOSEPHINE)), judged(Some(1), None, false)]);
    assert_eq!(people_called(&dropped), []);
    let state = dropped.state();
    let ask = Asking {
        actor: Actor::Person(JOSEPHINE),
        now: dropped.now,
        facts: &dropped.facts,
        cited: None,
        other: None,
        document: None,
    };
    assert_eq!(state.may_with_sighting(&ask, &state.sightings[0]), [SightingAct::TakeIn], "it can be taken in");

    // Over broken glass nobody coordinated it.
    let over_glass = new(1, ROBIN, ChangeState::Announced);
    let over_glass = recorded(NewChange { uncoordinated: true, ..over_glass });
    let glass = staffed().after(4).and([by(ROBIN, broken(ROBIN)), by(ROBIN, over_glass)]).after(2);
    let begun = glass.told(Seen { stage: Stage::Begun, ..seen(Some(ROBIN), 5) }).accepted();
    let dropped = begun.when(JOSEPHINE, confirm("dropped"));
    dropped.then([Event::ChangeDropped(step(JOSEPHINE)), judged(Some(1), None, true)]);
}

#[test]
fn it_may_be_another_change_of_the_ledger_instead() {
    let two = staffed().after(4).and([by(JOSEPHINE, announced(1, JOSEPHINE)), by(JOSEPHINE, announced(2, JOSEPHINE))]);
    let taken = two.after(2).told(seen(None, 5)).accepted();
    assert_eq!(only(&taken).seen.change, Some(2), "of several the last one is meant");
    let drop = cmd("confirm_change", json!({ "change": 2, "outcome": "dropped", "note": null, "evidence": null }));
    let dropped = taken.when(JOSEPHINE, drop).accepted();
    assert_eq!((only(&dropped).seen.change, only(&dropped).is_unsorted()), (Some(1), false));
}

#[test]
fn said_to_be_done_after_all_it_is_that_change_again() {
    let dropped = taken_for(seen(None, 5)).when(JOSEPHINE, confirm("dropped")).accepted();
    let done = dropped.when(JOSEPHINE, confirm("done"));
    let done = done.then([Event::ChangeDone(step(JOSEPHINE)), judged(None, Some(1), false)]);
    assert_eq!(people_called(&done), []);
    let dismissed = taken_for(seen(None, 5)).when(JOSEPHINE, confirm("dropped")).accepted();
    let dismissed = dismissed.when(JOSEPHINE, sort("dismiss_sighting")).accepted();
    dismissed.when(JOSEPHINE, confirm("done")).then([Event::ChangeDone(step(JOSEPHINE))]);
}

#[test]
fn a_change_of_another_service_was_not_what_was_seen() {
    let taken = taken_for(seen(None, 5));
    let is_it = |known: &&Recorded| matches!(known.event, Event::ChangeRecorded(_));
    let entry = taken.history.iter().find(is_it).expect("it was announced").entry;
    let correct: Value = json!({ "change": 1, "service": "mail", "replaces": entry });
    let corrected = taken.when(JOSEPHINE, cmd("correct_change", correct)).accepted();
    assert!(only(&corrected).is_unsorted());
}

#[test]
fn what_hid_until_it_was_resolved_is_to_be_sorted_before_it_is_closed() {
    let resolved =
        taken_for(seen(None, 5)).and([Event::PhaseSet { from: Phase::Active, to: Phase::Resolved, reason: None }]);
    let dropped = resolved.after(3).when(JOSEPHINE, confirm("dropped")).accepted();
    assert!(only(&dropped).is_unsorted());
}

/// Operations had sorted it. Whoever then corrected a word of it called the commander, and nothing could be closed.
#[test]
fn what_was_taken_for_a_change_that_operations_dismissed_is_settled_with_it() {
    let reported = || staffed().after(4).and([by(ROBIN, uncoordinated(1, ROBIN))]).after(6);
    let told = |stage| reported().told(Seen { stage, ..seen(Some(ROBIN), 5) }).accepted();
    let dismiss = |given: Given| {
        assert_eq!(only(&given).seen.change, Some(1));
        given.when(JOSEPHINE, on("dismiss_change")).then([Event::ChangeDismissed(step(JOSEPHINE))])
    };
    let dismissed = || dismiss(told(Stage::Done));
    let is_it = |known: &&Recorded| matches!(known.event, Event::ChangeRecorded(_));
    let entry = dismissed().history.iter().find(is_it).expect("it was recorded").entry;
    let corrections = [
        json!({ "change": 1, "what": "rolled back to v10", "replaces": entry }),
        json!({ "change": 1, "service": "mail", "replaces": entry }),
    ];
    for correction in corrections {
        let corrected = dismissed().when(JOSEPHINE, cmd("correct_change", correction)).accepted();
        assert_eq!((only(&corrected).is_unsorted(), people_called(&corrected)), (false, vec![]));
        let resolved = corrected.and([Event::PhaseSet { from: Phase::Active, to: Phase::Resolved, reason: None }]);
        resolved.when(MARY, cmd("set_phase", json!({ "phase": "closed" }))).accepted();
    }
    // Nor does it call anybody that what was under way came to its end.
    let went = Event::SightingWent { sighting: 1, stage: Stage::Done, at: at(5) };
    dismiss(told(Stage::Begun)).told(seen(Some(ROBIN), 5)).then([went]);
    // Said to be a change of this incident after all, and then of another service, it is not what was seen.
    let again = dismissed().when(JOSEPHINE, on("differs_again")).accepted();
    let mail = json!({ "change": 1, "service": "mail", "replaces": entry });
    let corrected = again.when(JOSEPHINE, cmd("correct_change", mail)).accepted();
    assert!(only(&corrected).is_unsorted());
}

/// What was made after a change was undone was taken for that change, and hid.
#[test]
fn what_is_made_after_a_change_was_reverted_is_another() {
    let made = || staffed().after(30).and([by(JOSEPHINE, done(1, JOSEPHINE))]).after(3);
    let reverted = || made().and([by(JOSEPHINE, Event::ChangeReverted(step(JOSEPHINE)))]).after(5);
    let known = |given: Given, minute| only(&given.told(seen(None, minute)).accepted()).seen.change;
    assert_eq!(known(made().after(5), 36), Some(1), "about when it was done");
    assert_eq!(known(reverted(), 36), None, "it was undone by then");
    assert_eq!(known(reverted(), 32), Some(1));
    // Told before the revert was recorded, and made after it.
    let revert = json!({ "change": 1, "note": null, "evidence": null, "happened_at": at(33) });
    let taken = made().after(5).told(seen(None, 36)).accepted();
    let late = taken.when(JOSEPHINE, cmd("revert_change", revert)).accepted();
    assert!(only(&late).is_unsorted());
}

#[test]
fn the_timeline_says_what_it_is_not_and_what_it_is() {
    let told = |event| tell(&Recorded { entry: Entry(2), at: at(0), actor: Actor::Person(MARY), event }, &facts());
    let said = "What was seen as 1 was not change 3, and was not coordinated: operations take it in or dismiss it";
    assert_eq!(told(judged(Some(3), None, true)), said);
    assert_eq!(told(judged(Some(3), None, false)), "What was seen as 1 was not change 3");
    assert_eq!(told(judged(Some(3), Some(4), false)), "What was seen as 1 was not change 3, and is taken for change 4");
    assert_eq!(told(judged(None, Some(3), false)), "What was seen as 1 is taken for change 3 after all");
}
