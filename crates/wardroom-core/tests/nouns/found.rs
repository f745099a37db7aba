//! What the gate finds after a clock ran ahead or a refusal, and what it tells of an incident that is not to be named.

use wardroom_core::command::Command;
use wardroom_core::gate::{Found, Full, Stop};
use wardroom_core::id::Number;
use wardroom_core::incident::Phase;
use wardroom_core::refusal::Code;

use crate::cast::{JOSEPHINE, MALCOLM, ROBIN, service};
use crate::change::{ROLLBACK, recorded, staffed};
use crate::gate::{enforcing, look, passes, passing, phase, through};
use crate::given::{Given, by};
use crate::permission::granted;
use crate::words::{joined, number};

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

#[test]
fn whoever_lost_what_let_them_through_is_stopped_as_anybody_else() {
    let ready = enforcing(staffed(), "search");
    let permitted = ready.clone().and([by(JOSEPHINE, granted(ROBIN, 30))]);
    let refused = |by_now: &Given| {
        let (mut found, state) = (look(&permitted, Some(ROBIN), "search"), by_now.state());
        assert_eq!(found.passes.len(), 1);
        found.refused(ROBIN, None, (&ready.facts, ready.now), |_| Some(&state));
        found
    };
    let outside = look(&ready, Some(ROBIN), "search");
    assert_eq!((outside.stops.len(), outside.is_stopped()), (1, true));
    assert_eq!(refused(&ready), outside, "it was taken from them");
    let all_the_same = refused(&permitted);
    assert_eq!((all_the_same.stops, all_the_same.passes.len()), (outside.stops, 0), "why, nobody can say");
    assert_eq!(refused(&ready.clone().and([phase(Phase::Resolved)])), Found::default(), "it holds nothing any more");
    let mut gone = look(&permitted, Some(ROBIN), "search");
    gone.refused(ROBIN, None, (&ready.facts, ready.now), |_| None);
    assert_eq!(gone, Found::default());
    // One of two incidents refused it: the other one stops nobody.
    let mut two = look(&permitted, Some(ROBIN), "search");
    two.passes.push((number(2), service("search")));
    let (here, there) = (ready.state(), permitted.state());
    let of = |one: Number| Some(if one == Number::FIRST { &here } else { &there });
    two.refused(ROBIN, None, (&ready.facts, ready.now), of);
    assert_eq!((two.stops.len(), two.passes.len()), (1, 1));
}

/// Others read along at the gate: to them it is as if what is not named were not there.
#[test]
fn what_is_not_named_is_told_of_only_where_it_alone_stops() {
    let stop = |enforced: bool, restricted: bool| {
        let (incident, service) = (number(if restricted { 2 } else { 1 }), service("search"));
        Stop { incident, service, enforced, restricted, reason: "Ask.".to_owned() }
    };
    let told = |stops: &[Stop]| Found { stops: stops.to_vec(), ..Found::default() }.told().stops;
    let (secret, seen) = (stop(true, true), stop(true, false));
    assert_eq!(told(std::slice::from_ref(&secret)), std::slice::from_ref(&secret));
    assert_eq!(told(&[secret.clone(), stop(false, false)]).len(), 2, "it alone stops them");
    assert_eq!(told(&[secret, seen.clone()]), std::slice::from_ref(&seen));
    assert_eq!(told(&[stop(false, true), seen.clone()]), [seen]);
    assert_eq!(told(&[stop(false, true)]), [] as [Stop; 0], "it only observes");
    let full = |incident: Option<Number>, enforced: bool| {
        let full = Full { incident, service: service("search"), enforced };
        Found { full: vec![full], ..Found::default() }.told().full.len()
    };
    assert_eq!([full(Some(number(1)), false), full(None, true), full(None, false)], [1, 1, 0]);
}
