//! What is made while services are taken for restored, and the gate keeps nobody, is not uncoordinated once it goes on again.

use serde_json::json;
use uuid::Uuid;
use wardroom_core::call::About;
use wardroom_core::event::Event;
use wardroom_core::id::PersonId;
use wardroom_core::incident::Phase;
use wardroom_core::sighting::Seen;

use crate::cast::{JOSEPHINE, MARY, ROBIN, at};
use crate::change::{announced, confirm, staffed};
use crate::gate::look;
use crate::given::{Given, by};
use crate::sighting::{called, seen};
use crate::words::{closed, cmd, held};

fn phase(from: Phase, to: Phase) -> Event {
    Event::PhaseSet { from, to, reason: None }
}

fn resolved() -> Given {
    staffed().after(10).and([phase(Phase::Active, Phase::Resolved)])
}

/// Resolved after ten minutes and closed after twenty, it is reopened after an hour.
fn reopened() -> Given {
    let over = resolved().after(10).and([closed(MARY)]).after(40);
    over.and([Event::Reopened { by: MARY, reason: None }]).and(held("operations", JOSEPHINE)).after(60)
}

/// Whether what that person made in a minute is to be sorted, as a pipeline tells of it.
#[track_caller]
fn calls(given: &Given, who: Option<PersonId>, minute: i64) -> bool {
    let told = given.clone().told(Seen { key: Uuid::from_u128(9), ..seen(who, minute) }).accepted();
    let unsorted = told.state().sightings.last().expect("it is shown").is_unsorted();
    let is_called = called(&told).iter().any(|(_, about)| matches!(about, About::Seen { .. }));
    assert_eq!(is_called, unsorted);
    unsorted
}

/// Robin deployed, and the gate said that no incident kept him; reopened, it called the commander for that.
#[test]
fn what_was_made_while_no_gate_was_held_is_shown_and_calls_nobody() {
    assert!(look(&resolved(), Some(ROBIN), "search").stops.is_empty(), "nobody was kept from it");
    for (given, until) in [
        (reopened(), 60),
        (resolved().after(50).and([phase(Phase::Resolved, Phase::Active)]).after(60), 60),
        (resolved().after(20).and([phase(Phase::Resolved, Phase::Mitigated)]).after(90), 30),
    ] {
        for who in [Some(ROBIN), Some(JOSEPHINE), None] {
            let others = who != Some(JOSEPHINE);
            assert!(!calls(&given, who, 10) && !calls(&given, who, until - 1), "{who:?}, until {until}");
            assert_eq!((calls(&given, who, 9), calls(&given, who, until)), (others, others), "{who:?}, until {until}");
        }
        let told = given.told(seen(Some(ROBIN), 20)).accepted();
        let again = told.and([phase(Phase::Active, Phase::Resolved)]);
        again.when(MARY, cmd("set_phase", json!({ "phase": "closed" }))).accepted();
    }
}

#[test]
fn each_such_time_counts_and_the_last_as_long_as_it_lasts() {
    let twice = reopened().and([phase(Phase::Active, Phase::Resolved)]).after(10);
    let twice = twice.and([phase(Phase::Resolved, Phase::Active)]).after(10);
    let calling = |minute| calls(&twice, Some(ROBIN), minute);
    assert_eq!([5, 30, 70, 119, 120, 129, 130].map(calling), [true, false, true, true, false, false, true]);
    // Closed by mistake and sent back by a late record, it was restored all the while until it went on.
    let back = resolved().after(10).and([closed(MARY)]).after(10);
    let back = back.when(ROBIN, crate::change::record("restarted")).accepted().after(10);
    let on = back.and([phase(Phase::Resolved, Phase::Active)]).after(10);
    assert_eq!([9, 15, 25, 39, 40].map(|minute| calls(&on, None, minute)), [true, false, false, false, true]);
}

#[test]
fn what_it_was_taken_for_and_is_not_calls_nobody_either() {
    let announcing = resolved().after(5).and([by(JOSEPHINE, announced(1, JOSEPHINE))]).after(5);
    let on = announcing.and([phase(Phase::Resolved, Phase::Active)]).after(5);
    let taken = on.told(seen(None, 16)).accepted();
    assert_eq!(taken.state().sightings[0].seen.change, Some(1));
    let dropped = taken.when(JOSEPHINE, confirm("dropped")).accepted();
    let known = dropped.state().sightings.remove(0);
    assert_eq!((known.seen.change, known.is_unsorted()), (None, false));
}

/// It is their own word that it is of this incident, whose services differ by it: somebody of operations looks at that.
#[test]
fn what_somebody_says_to_have_made_then_is_sorted_all_the_same() {
    let told = |minute| {
        let command = cmd("record_change", json!({ "what": "restarted", "happened_at": at(minute).to_string() }));
        let state = reopened().when(ROBIN, command).accepted().state();
        (state.changes[0].is_unsorted(), state.differing().len())
    };
    assert_eq!([5, 30, 70].map(told), [(true, 1); 3]);
}

/// The oldest of very many go, and what was made then is to be sorted.
#[test]
fn it_is_bounded() {
    let mut given = staffed();
    for _ in 0..101 {
        given = given.after(1).and([phase(Phase::Active, Phase::Resolved)]);
        given = given.after(1).and([phase(Phase::Resolved, Phase::Active)]);
    }
    assert_eq!(given.state().restored.len(), 100);
    assert_eq!([1, 3, 201].map(|minute| calls(&given, None, minute)), [true, false, false]);
}
