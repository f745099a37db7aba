//! How people choose to be told: each for themselves, and only by what there is.

use std::collections::BTreeSet;

use serde_json::json;
use wardroom_core::directory::{DirectoryCommand, DirectoryEvent};
use wardroom_core::id::{Actor, PersonId};
use wardroom_core::reach::{Channel, QuietHours, Reach, TimeOfDay, ZoneName};
use wardroom_core::refusal::Code;

use crate::cast::{ADA, MARY};
use crate::directory::{ada_and_mary, change};

fn reach(channels: &[Channel], quiet: Option<QuietHours>) -> Reach {
    Reach { channels: channels.iter().copied().collect(), quiet }
}

fn set(person: PersonId, reach: Reach) -> DirectoryCommand {
    DirectoryCommand::SetReach { person, reach }
}

fn quiet(from: &str, to: &str) -> QuietHours {
    serde_json::from_value(json!({ "from": from, "to": to, "zone": "Europe/Berlin" })).expect("quiet hours")
}

fn at(time: &str) -> TimeOfDay {
    TimeOfDay::try_from(time.to_owned()).expect("a time of day")
}

#[test]
fn everybody_chooses_for_themselves() {
    let pager = || reach(&[Channel::Pager, Channel::Push], Some(quiet("22:00", "07:00")));
    let chosen = DirectoryEvent::ReachSet {
        person: MARY,
        channels: BTreeSet::from([Channel::Push, Channel::Pager]),
        quiet: Some(quiet("22:00", "07:00")),
    };
    ada_and_mary().when(ADA, set(MARY, pager())).refused(Code::AdminsOnly);
    let book = ada_and_mary().when(MARY, set(MARY, pager())).then([chosen]);
    assert_eq!(book.directory.reach_of(MARY), pager());
    assert_eq!(book.directory.reach_of(ADA), Reach::default());
    let book = book.when(MARY, set(MARY, pager())).refused(Code::AlreadySo);
    let none = DirectoryEvent::ReachSet { person: MARY, channels: BTreeSet::new(), quiet: None };
    book.when(MARY, set(MARY, Reach::default())).then([none]);
}

#[test]
fn mail_needs_an_address() {
    let book = ada_and_mary().when(MARY, set(MARY, reach(&[Channel::Mail], None)));
    let book =
        book.says("The directory has no mail address of yours. Ask an admin to add it first.").refused(Code::Invalid);
    let address = change("change_person", json!({ "person": "mary", "email": "mary@example.org" }));
    let book = book.when(ADA, address).accepted();
    book.when(MARY, set(MARY, reach(&[Channel::Mail], None))).accepted();
}

#[test]
fn whoever_is_gone_is_told_nothing_and_chooses_anew() {
    let book = ada_and_mary().when(MARY, set(MARY, reach(&[Channel::Pager], None))).accepted();
    let book = book.when(ADA, change("deactivate_person", json!({ "person": "mary" }))).accepted();
    assert_eq!(book.directory.reach_of(MARY), Reach::default());
    let book = book.when(ADA, change("activate_person", json!({ "person": "mary" }))).accepted();
    assert_eq!(book.directory.reach_of(MARY), Reach::default());
    let book = book.when(MARY, set(MARY, reach(&[Channel::Pager], None))).accepted();
    let book = book.when(Actor::Console, change("forget_person", json!({ "person": "mary" }))).accepted();
    assert_eq!(book.directory.reach_of(MARY), Reach::default());
}

#[test]
fn quiet_hours_go_past_midnight() {
    let night = quiet("22:00", "07:00");
    for (time, holds) in [("21:59", false), ("22:00", true), ("00:00", true), ("06:59", true), ("07:00", false)] {
        assert_eq!(night.hold(at(time)), holds, "{time}");
    }
    assert_eq!((night.left(at("22:00")), night.left(at("06:59"))), (9 * 60, 1));
    let noon = quiet("12:00", "13:00");
    assert!(noon.hold(at("12:30")) && !noon.hold(at("13:00")) && !noon.hold(at("11:59")));
    let never = reach(&[], Some(quiet("07:00", "07:00")));
    ada_and_mary().when(MARY, set(MARY, never)).refused(Code::Invalid);
}

#[test]
fn times_and_zones_are_what_they_look_like() {
    for odd in ["24:00", "7:00", "07:60", "07-00", "+7:00", "07:00 ", "", "07:000"] {
        assert!(TimeOfDay::try_from(odd.to_owned()).is_err(), "{odd:?}");
    }
    assert_eq!(String::from(at("07:05")), "07:05");
    for odd in ["", "/etc/passwd", "Europe Berlin", "a\nb", &"x".repeat(65)] {
        assert!(ZoneName::try_from(odd.to_owned()).is_err(), "{odd:?}");
    }
}

/// Keys and addresses come with it, and those the edge has to settle first.
#[test]
fn it_does_not_come_over_the_wire_of_the_directory() {
    let told = json!({ "command": "set_reach", "person": MARY, "reach": { "channels": [], "quiet": null } });
    assert!(serde_json::from_value::<DirectoryCommand>(told).is_err());
}
