//! What the gate finds after a clock ran ahead.

use wardroom_core::command::Command;
use wardroom_core::refusal::Code;

use crate::cast::{JOSEPHINE, MALCOLM, ROBIN, service};
use crate::change::{ROLLBACK, recorded, staffed};
use crate::gate::{passes, passing, through};
use crate::given::{Given, by};
use crate::permission::granted;
use crate::words::joined;

/// After a node's clock ran ahead and was set right, the incident's last event is later than any clock: the gate goes by that,
/// as whatever is decided does.
#[test]
fn it_goes_by_the_incidents_last_event_where_the_clock_is_behind_that() {
    let permitted = staffed().after(60).and([by(JOSEPHINE, granted(ROBIN, 90))]).after(-60);
    assert!(passes(&permitted, ROBIN), "what was given by the clock that ran ahead holds");
    permitted.when(ROBIN, Command::PassGate(passing(ROLLBACK))).then([recorded(through(1, ROBIN, ROLLBACK))]);
    let over = staffed().and([by(JOSEPHINE, granted(ROBIN, 30))]).after(60).and([joined(MALCOLM)]).after(-60);
    assert!(!passes(&over, ROBIN), "what is over by the incident's own time is over");
    over.when(ROBIN, Command::PassGate(passing(ROLLBACK))).refused(Code::NotYours, &[JOSEPHINE], None);
    // What came through is found again, and what came through long before the last event is not.
    let again = |given: &Given| given.state().passed_already(JOSEPHINE, &service("search"), ROLLBACK, given.now);
    let passed = staffed().after(60).and([by(JOSEPHINE, recorded(through(1, JOSEPHINE, ROLLBACK)))]);
    assert_eq!(again(&passed.clone().after(-60)), Some(1));
    assert_eq!(again(&passed.after(20).and([joined(MALCOLM)]).after(-75)), None);
}
