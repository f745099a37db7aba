//! Deadlines: offers lapsing, clocks ringing, lateness, and outages that count against nobody.

use std::num::NonZeroU32;

use jiff::SignedDuration;
use serde_json::json;
use wardroom_core::absence::{Ended, Grounds};
use wardroom_core::command::{Command, Tick};
use wardroom_core::event::Event;
use wardroom_core::id::{Entry, Time};
use wardroom_core::refusal::Code;

use crate::cast::{MARY, ROBIN, SABRINA, at, start};
use crate::given::{Given, given};
use crate::words::{absent, ask_for, cmd, joined, lapsed, offered, opened, role, take, text};

fn set(minutes: u32, repeat: bool) -> Command {
    cmd("set_clock", json!({"label": "alternatives?", "in_minutes": minutes, "repeat": repeat}))
}

fn clock(every_minutes: Option<u32>) -> Event {
    Event::ClockSet {
        label: text("alternatives?"),
        due_at: at(15),
        every_minutes: every_minutes.and_then(NonZeroU32::new),
    }
}

fn rang(clock: u64, due: i64, next: Option<i64>, late: bool) -> Event {
    Event::ClockRang { clock: Entry(clock), due_at: at(due), next_due_at: next.map(at), late }
}

fn was_down(from: i64, to: i64) -> Tick {
    Tick::WasDown { from: at(from), to: at(to) }
}

fn outage(from: i64, to: i64, offers: &[(&str, Time)], unseen_since: Option<Time>) -> Event {
    let offers = offers.iter().map(|(path, until)| (role(path), *until)).collect();
    Event::OutageEnded { from: at(from), to: at(to), offers, unseen_since }
}

fn on_offer() -> Given {
    given([opened(), offered("operations", SABRINA, MARY)])
}

#[test]
fn the_clock_records_what_has_passed_once() {
    on_offer()
        .after(9)
        .tick(Tick::Deadlines)
        .refused(Code::AlreadySo, &[], None)
        .after(1)
        .tick(Tick::Deadlines)
        .then([lapsed("operations", 2, false)])
        .tick(Tick::Deadlines)
        .refused(Code::AlreadySo, &[], None);
}

#[test]
fn what_is_recorded_more_than_a_minute_later_is_late() {
    on_offer().after(11).tick(Tick::Deadlines).then([lapsed("operations", 2, false)]);
    on_offer().after(11).after_seconds(1).tick(Tick::Deadlines).then([lapsed("operations", 2, true)]);
}

#[test]
fn deadlines_are_recorded_in_the_order_in_which_they_passed() {
    let proposed =
        Event::AssumptionProposed { by: SABRINA, grounds: Grounds::Unfit, reason: text("x"), lapses_at: at(5) };
    let given = given([opened(), clock(None), offered("operations", SABRINA, MARY), proposed]);
    assert_eq!(given.state().next_deadline(), Some(at(5)));
    let after = given.after(15).tick(Tick::Deadlines).then([
        Event::AssumptionEnded { proposal: Entry(4), why: Ended::Lapsed },
        lapsed("operations", 3, true),
        rang(2, 15, None, false),
    ]);
    assert_eq!(after.state().next_deadline(), None);
}

#[test]
fn command_sets_and_stops_clocks() {
    let stop = |entry: u64| cmd("stop_clock", json!({"clock": entry}));
    given([opened(), joined(SABRINA)])
        .when(SABRINA, set(15, false))
        .refused(Code::NotYours, &[MARY], ask_for("command"))
        .when(MARY, set(0, false))
        .refused(Code::Invalid, &[], None)
        .when(MARY, set(7 * 24 * 60 + 1, false))
        .refused(Code::Invalid, &[], None)
        .when(MARY, set(15, true))
        .then([clock(Some(15))])
        .when(MARY, stop(2))
        .refused(Code::NotThere, &[], None)
        .when(MARY, stop(3))
        .then([Event::ClockStopped { clock: Entry(3) }])
        .and((0..20).map(|_| clock(None)))
        .when(MARY, set(1, false))
        .refused(Code::TooMany, &[], None);
}

#[test]
fn a_clock_rings_once_or_again_and_again() {
    given([opened(), clock(None)])
        .after(15)
        .tick(Tick::Deadlines)
        .then([rang(2, 15, None, false)])
        .after(15)
        .tick(Tick::Deadlines)
        .refused(Code::AlreadySo, &[], None);
    given([opened(), clock(Some(15))])
        .after(15)
        .tick(Tick::Deadlines)
        .then([rang(2, 15, Some(30), false)])
        .after(15)
        .tick(Tick::Deadlines)
        .then([rang(2, 30, Some(45), false)]);
}

#[test]
fn a_clock_missed_for_long_rings_once_and_next_in_the_future() {
    let given = given([opened(), clock(Some(15))]).after(100);
    let after = given.tick(Tick::Deadlines).then([rang(2, 15, Some(105), true)]);
    after.tick(Tick::Deadlines).refused(Code::AlreadySo, &[], None);
}

#[test]
fn after_an_outage_pending_offers_get_two_more_minutes() {
    let until = at(62);
    on_offer()
        .after(60)
        .tick(was_down(5, 60))
        .then([outage(5, 60, &[("operations", until)], None)])
        .after(1)
        .when(SABRINA, take("operations"))
        .accepted();
    on_offer().after(60).tick(was_down(5, 60)).accepted().after(2).tick(Tick::Deadlines).then([lapsed(
        "operations",
        2,
        false,
    )]);
}

#[test]
fn an_offer_that_lapsed_before_the_outage_stays_lapsed_and_is_late() {
    on_offer()
        .after(60)
        .tick(was_down(20, 60))
        .refused(Code::AlreadySo, &[], None)
        .tick(Tick::Deadlines)
        .then([lapsed("operations", 2, true)]);
}

#[test]
fn a_short_outage_leaves_offers_that_have_time_enough() {
    on_offer().after(3).tick(was_down(1, 3)).refused(Code::AlreadySo, &[], None);
    let given = on_offer().after(9).tick(was_down(8, 9));
    given.then([outage(8, 9, &[("operations", at(11))], None)]);
}

#[test]
fn an_absence_is_shortened_by_the_outage() {
    given([opened(), joined(ROBIN)])
        .and([absent(MARY, at(-6))])
        .after(30)
        .tick(was_down(2, 30))
        .then([outage(2, 30, &[], Some(at(22)))])
        .tick(was_down(2, 30))
        .refused(Code::AlreadySo, &[], None)
        .when(ROBIN, crate::words::assume(Grounds::Unseen))
        .then([Event::AssumptionProposed {
            by: ROBIN,
            grounds: Grounds::Unseen,
            reason: text("it burns"),
            lapses_at: at(40),
        }]);
}

/// Two nodes come back together, or the answer got lost: each telling used to give two more minutes, and to take the
/// time in between off the absence, however long ago Wardroom was up again.
#[test]
fn an_outage_that_is_told_twice_is_forgiven_once() {
    let told = given([opened(), joined(ROBIN), offered("operations", SABRINA, MARY)])
        .and([absent(MARY, at(-6))])
        .after(60)
        .tick(was_down(5, 60))
        .then([outage(5, 60, &[("operations", at(62))], Some(at(49)))]);
    told.after_seconds(1)
        .tick(was_down(5, 60))
        .refused(Code::AlreadySo, &[], None)
        .after_seconds(14)
        .tick(Tick::WasDown { from: at(5), to: at(60) + SignedDuration::from_secs(15) })
        .refused(Code::AlreadySo, &[], None)
        .after(1)
        .tick(was_down(5, 60))
        .refused(Code::AlreadySo, &[], None);
}

/// Whoever told of it ended before it left a sign of life: what went on after that was an outage too.
#[test]
fn an_outage_that_went_on_after_it_was_told_is_forgiven_to_its_end() {
    given([opened(), offered("operations", SABRINA, MARY)])
        .and([absent(MARY, at(-6))])
        .after(60)
        .tick(was_down(5, 60))
        .accepted()
        .after(10)
        .tick(was_down(5, 70))
        .then([outage(60, 70, &[("operations", at(72))], Some(at(59)))]);
}

/// An incident that could be told only later: what Wardroom was up for counts, and nobody could take anything before.
#[test]
fn an_outage_that_is_told_late_ends_when_it_ended() {
    given([opened(), offered("operations", SABRINA, MARY)])
        .and([absent(MARY, at(-6))])
        .after(65)
        .tick(was_down(5, 60))
        .then([outage(5, 60, &[("operations", at(67))], Some(at(49)))]);
    on_offer().after(60).tick(was_down(5, 90)).then([outage(5, 60, &[("operations", at(62))], None)]);
}

#[test]
fn what_is_too_short_for_an_outage_is_forgiven_to_nobody() {
    let down = |seconds| Tick::WasDown { from: at(9), to: at(9) + SignedDuration::from_secs(seconds) };
    on_offer().after(9).after_seconds(16).tick(down(15)).refused(Code::AlreadySo, &[], None);
    on_offer().after(9).after_seconds(16).tick(down(16)).accepted();
}

#[test]
fn an_outage_begins_after_the_last_thing_that_happened() {
    let given = on_offer().after(60).tick(was_down(-60, 60));
    given.then([outage(0, 60, &[("operations", at(62))], None)]);
    assert_eq!(start(), at(0));
}
