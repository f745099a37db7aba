//! Who was of operations when a change was made is what counts, whenever it is told of and whoever has operations by then.

use serde_json::json;
use wardroom_core::event::Event;
use wardroom_core::id::PersonId;
use wardroom_core::role::Fell;

use crate::cast::{JOSEPHINE, MARY, ROBIN, SABRINA, at};
use crate::change::staffed;
use crate::given::{Given, by, given};
use crate::permission::{broken, granted};
use crate::sighting::seen;
use crate::words::{closed, cmd, fell, held, member, opened, taken};

/// Whether a change of that minute is to be sorted, as its maker tells of it now.
#[track_caller]
fn told(given: &Given, who: PersonId, minute: i64) -> bool {
    let command = cmd("record_change", json!({ "what": "restarted", "happened_at": at(minute).to_string() }));
    let state = given.clone().when(who, command).accepted().state();
    state.changes.last().expect("it is recorded").is_unsorted()
}

/// The same, as a pipeline tells of it, which is told of no other change.
#[track_caller]
fn was_seen(given: &Given, who: PersonId, minute: i64) -> bool {
    let state = given.clone().told(seen(Some(who), minute)).accepted().state();
    state.sightings.last().expect("it was seen").is_unsorted()
}

#[track_caller]
fn is_of_operations(given: &Given, who: PersonId, minutes: &[(i64, bool)]) {
    for (minute, is) in minutes {
        assert_eq!((told(given, who, *minute), was_seen(given, who, *minute)), (!is, !is), "minute {minute}");
    }
}

#[test]
fn who_hands_operations_over_leaves_nothing_to_be_sorted_and_who_takes_them_inherits_nothing() {
    let over = staffed().after(10).and([by(ROBIN, taken("operations", 0, ROBIN, Some(JOSEPHINE)))]).after(10);
    is_of_operations(&over, JOSEPHINE, &[(5, true), (10, false), (15, false)]);
    is_of_operations(&over, ROBIN, &[(5, false), (9, false), (10, true), (15, true)]);
    let back = over.and([by(JOSEPHINE, taken("operations", 0, JOSEPHINE, Some(ROBIN)))]).after(10);
    is_of_operations(&back, JOSEPHINE, &[(5, true), (15, false), (20, true), (29, true)]);
    is_of_operations(&back, ROBIN, &[(5, false), (15, true), (20, false)]);
}

#[test]
fn the_commander_was_of_operations_as_long_as_nobody_else_had_them() {
    let given = given([opened()]).after(10).and(held("operations", JOSEPHINE)).after(10);
    is_of_operations(&given, MARY, &[(5, true), (15, false)]);
    let fallen = given.and([fell("operations", JOSEPHINE, MARY, Fell::Released)]).after(10);
    is_of_operations(&fallen, MARY, &[(5, true), (15, false), (25, true)]);
    is_of_operations(&fallen, JOSEPHINE, &[(5, false), (15, true), (25, false)]);
}

#[test]
fn so_was_who_worked_in_operations_until_they_went() {
    let working = || staffed().and([member("operations/database", ROBIN)]).after(10);
    let released = Event::MemberReleased { role: crate::words::role("operations/database"), person: ROBIN };
    for end in [released, by_leaving()] {
        let gone = working().and([by(ROBIN, end)]).after(10);
        is_of_operations(&gone, ROBIN, &[(5, true), (10, false), (15, false)]);
    }
}

fn by_leaving() -> Event {
    Event::Left { person: ROBIN }
}

#[test]
fn a_permission_counts_for_as_long_as_it_held_however_late_that_is_told() {
    let permitted = staffed().after(5).and([by(JOSEPHINE, granted(ROBIN, 30))]).after(15);
    let gone = permitted.clone().and([by(ROBIN, by_leaving())]).after(300);
    is_of_operations(&gone, ROBIN, &[(4, false), (5, true), (19, true), (20, false), (25, false)]);
    let over = permitted.after(300);
    is_of_operations(&over, ROBIN, &[(4, false), (29, true), (30, false)]);
    // What was made over broken glass is to be sorted, as it was then.
    let glass = staffed().and([by(ROBIN, broken(ROBIN))]).after(300);
    is_of_operations(&glass, ROBIN, &[(5, false)]);
}

#[test]
fn closing_ends_operations_and_not_what_was_made_before_it() {
    let permitted = staffed().and([by(JOSEPHINE, granted(ROBIN, 30))]).after(20);
    let over = permitted.and([closed(MARY)]).after(20);
    for (who, minute, sorted) in
        [(JOSEPHINE, 10, true), (ROBIN, 10, true), (SABRINA, 10, false), (JOSEPHINE, 20, false), (ROBIN, 20, false)]
    {
        assert_eq!(told(&over, who, minute), !sorted, "{who}, minute {minute}");
    }
}

/// There were no operations then: whoever has them now has seen to it by telling.
#[test]
fn of_what_was_made_before_it_was_opened_those_speak_who_have_operations_now() {
    let given = staffed().after(10);
    assert!(!told(&given, JOSEPHINE, -5));
    assert!(told(&given, MARY, -5) && told(&given, ROBIN, -5));
}

/// The oldest of very many go, and what was made then is to be sorted.
#[test]
fn it_is_bounded() {
    let mut given = staffed().and([member("operations", ROBIN)]);
    for _ in 0..501 {
        let end = Event::MemberReleased { role: crate::words::role("operations"), person: ROBIN };
        given = given.after(1).and([end]).after(1).and([member("operations", ROBIN)]);
    }
    let state = given.state();
    assert_eq!(state.stints.iter().filter(|known| known.until.is_some()).count(), 500);
    let was = |minute| state.was_of_operations(ROBIN, at(minute));
    assert_eq!((was(0), was(2), was(3), was(1002)), (false, true, false, true));
    assert!(state.was_of_operations(JOSEPHINE, at(0)), "who is at it is known");
}
