//! Changes that somebody writes down for whoever made them: planning keeps the ledger too.

use serde_json::{Value, json};
use wardroom_core::change::{ChangeState, NewChange};
use wardroom_core::command::Command;
use wardroom_core::event::Event;
use wardroom_core::id::PersonId;
use wardroom_core::refusal::Code;
use wardroom_core::telling::tell;

use crate::cast::{IVAN, JOSEPHINE, MALCOLM, MARY, ROBIN, SABRINA, at};
use crate::change::{ROLLBACK, new, recorded, staffed, uncoordinated};
use crate::given::{Given, by};
use crate::permission::{broken, granted};
use crate::sighting::seen;
use crate::words::{cmd, joined, member, taken};

fn record_for(maker: &str, mut fields: Value) -> Command {
    fields["what"] = json!(ROLLBACK);
    fields["made_by"] = json!(maker);
    cmd("record_change", fields)
}

fn for_another(by: PersonId, maker: PersonId, uncoordinated: bool) -> Event {
    recorded(NewChange { made_by: Some(maker), uncoordinated, ..new(1, by, ChangeState::Done) })
}

/// The last that happened, as the timeline has it.
fn line(given: &Given) -> String {
    tell(given.history.last().expect("something happened"), &given.facts)
}

#[test]
fn planning_command_and_operations_write_down_what_operations_did() {
    for teller in [SABRINA, MARY] {
        let told = staffed().when(teller, record_for("josephine", json!({})));
        let state = told.then([for_another(teller, JOSEPHINE, false)]).state();
        assert_eq!((state.changes[0].made_by, state.changes[0].by), (Some(JOSEPHINE), teller));
        assert!(!state.changes[0].is_unsorted());
    }
    let working =
        || staffed().and([joined(MALCOLM), member("operations/database", ROBIN), member("planning", MALCOLM)]);
    working().when(ROBIN, record_for("josephine", json!({}))).then([for_another(ROBIN, JOSEPHINE, false)]);
    working().when(MALCOLM, record_for("robin", json!({}))).then([for_another(MALCOLM, ROBIN, false)]);
    // Whoever names themselves tells of their own.
    staffed().when(JOSEPHINE, record_for("josephine", json!({}))).then([recorded(new(
        1,
        JOSEPHINE,
        ChangeState::Done,
    ))]);
    staffed().when(SABRINA, record_for("sabrina", json!({}))).then([uncoordinated(1, SABRINA)]);
}

#[test]
fn what_somebody_outside_operations_made_is_theirs_whoever_writes_it_down() {
    for teller in [SABRINA, JOSEPHINE, MARY] {
        let told = staffed().when(teller, record_for("malcolm", json!({})));
        told.then([for_another(teller, MALCOLM, true)]);
    }
    // Nobody asks whether they are here, or still have an account.
    staffed().when(SABRINA, record_for("ivan", json!({}))).then([for_another(SABRINA, IVAN, true)]);
    staffed().when(SABRINA, record_for("nobody", json!({}))).refused(Code::UnknownPerson, &[], None);
    let outside = record_for("josephine", json!({ "outside": true }));
    staffed().when(SABRINA, outside).then([for_another(SABRINA, JOSEPHINE, true)]);
    let permitted = staffed().and([by(JOSEPHINE, granted(ROBIN, 30))]);
    permitted.when(SABRINA, record_for("robin", json!({}))).then([for_another(SABRINA, ROBIN, false)]);
    let glass = staffed().and([by(ROBIN, broken(ROBIN))]);
    glass.when(SABRINA, record_for("robin", json!({}))).then([for_another(SABRINA, ROBIN, true)]);
}

/// Whoever freelanced would say that somebody of operations did it.
#[test]
fn whom_somebody_else_names_is_shown_and_makes_it_nobodys_but_theirs_to_sort() {
    let told = staffed().when(ROBIN, record_for("josephine", json!({}))).then([for_another(ROBIN, JOSEPHINE, true)]);
    assert!(told.state().changes[0].is_unsorted());
    staffed()
        .when(MALCOLM, record_for("josephine", json!({})))
        .then([joined(MALCOLM), for_another(MALCOLM, JOSEPHINE, true)]);
    // A permission makes nobody a witness.
    let permitted = staffed().and([by(JOSEPHINE, granted(ROBIN, 30))]);
    permitted.when(ROBIN, record_for("josephine", json!({}))).then([for_another(ROBIN, JOSEPHINE, true)]);
}

#[test]
fn it_counts_who_had_operations_when_it_was_made() {
    let over = staffed().after(10).and([by(ROBIN, taken("operations", 0, ROBIN, Some(JOSEPHINE)))]).after(10);
    let is_unsorted = |maker: &str, minute: i64| {
        let command = record_for(maker, json!({ "happened_at": at(minute).to_string() }));
        over.clone().when(SABRINA, command).accepted().state().changes[0].is_unsorted()
    };
    assert_eq!([is_unsorted("josephine", 5), is_unsorted("josephine", 15)], [false, true]);
    assert_eq!([is_unsorted("robin", 5), is_unsorted("robin", 15)], [true, false]);
}

/// A pipeline tells of it as well, and names who made it.
#[test]
fn it_is_known_as_its_makers_where_another_system_tells_of_it() {
    let written = || staffed().after(5).and([by(SABRINA, for_another(SABRINA, JOSEPHINE, false))]).after(5);
    let known = |who: PersonId| written().told(seen(Some(who), 5)).accepted().state().sightings[0].seen.change;
    assert_eq!((known(JOSEPHINE), known(SABRINA), known(ROBIN)), (Some(1), None, None));
}

#[test]
fn the_timeline_names_who_made_it_and_who_wrote_it_down() {
    let written = staffed().and([by(SABRINA, for_another(SABRINA, JOSEPHINE, false))]);
    assert_eq!(line(&written), "Josephine, written down by Sabrina, changed search (1): rolled back to v11");
    let outside = staffed().and([by(ROBIN, for_another(ROBIN, JOSEPHINE, true))]);
    assert_eq!(line(&outside), "Robin tells of uncoordinated change 1 by Josephine of search: rolled back to v11");
}
