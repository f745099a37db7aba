//! A quarter of an hour in half a minute: the stories in which time passes, side by side on one server, and an
//! outage at its end.

use jiff::SignedDuration;

use crate::house::{House, Server};
use crate::{absence, deadlines, expiry, on_both, outage};

on_both!(a_quarter_of_an_hour_and_an_outage);

type Story = fn(&House, &Server);

/// They wait more than they work, so one server and one clock do for all. None knows of another.
const STORIES: [(&str, Story); 6] = [
    ("an absent commander is succeeded", absence::an_absent_commander_is_succeeded),
    ("a commander who returns keeps command", absence::a_commander_who_returns_keeps_command),
    ("a quarter of an hour makes a reason enough", absence::a_quarter_of_an_hour_makes_a_reason_enough),
    ("an offer that nobody takes lapses", deadlines::an_offer_that_nobody_takes_lapses),
    ("clocks ring", deadlines::clocks_ring),
    ("a token expires", expiry::a_token_expires),
];

fn a_quarter_of_an_hour_and_an_outage(house: House) {
    // A token lives for whole days: this server stands near the end of the first.
    let server = house.serve_fast(SignedDuration::from_hours(24) - expiry::LEFT);
    let gone = outage::a_commander_who_goes(&house, &server);
    let (place, running) = (&house, &server);
    std::thread::scope(|scope| {
        for (name, story) in STORIES {
            let told = move || story(place, running);
            std::thread::Builder::new().name(name.to_owned()).spawn_scoped(scope, told).unwrap();
        }
    });
    outage::an_outage_counts_against_nobody(&house, server, &gone);
    assert_eq!(house.verify()["holds"], true);
}
