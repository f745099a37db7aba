//! What the model and the properties found in the core, each as the one story that shows it.

#![allow(clippy::unwrap_used)] // A broken fixture should stop the test right there.

#[allow(dead_code)] // Each test binary needs its part of what they share.
mod harness;

use std::collections::BTreeSet;

use harness::{asking, at, facts, opened, opening, person, record, role, set_active, words};
use wardroom_core::absence::Grounds;
use wardroom_core::command::{Command, OfferTo, Tick};
use wardroom_core::event::Event;
use wardroom_core::facts::Facts;
use wardroom_core::id::{Actor, Time, Who};
use wardroom_core::incident::{Incident, Kind};
use wardroom_core::next::Next;
use wardroom_core::refusal::Refusal;
use wardroom_core::seal;

/// An incident that the first person opened, and the directory of the four people around it.
struct Room {
    incident: Incident,
    facts: Facts,
}

impl Room {
    fn new() -> Self {
        let facts = facts(4);
        let first = opened(1, person(0), at(0), &facts, opening(Kind::Incident, false, false));
        Self { incident: Incident::fold(&first).unwrap(), facts }
    }

    fn says(&mut self, who: u8, now: Time, command: Command) -> Result<Vec<Event>, Refusal> {
        let actor = Actor::Person(person(who));
        let events = self.incident.decide(&asking(actor, now, &self.facts), command)?.here;
        self.fold(actor, now, events.clone());
        Ok(events)
    }

    fn fold(&mut self, actor: Actor, now: Time, events: Vec<Event>) {
        let recorded = record(self.incident.last_entry, self.incident.last_at, (actor, now), events);
        recorded.iter().for_each(|one| self.incident.evolve(one));
    }

    fn offers(&mut self, who: u8, now: Time, path: &str, to: u8) {
        let to = OfferTo::Person(Who::Id(person(to)));
        self.says(who, now, Command::OfferRole { role: role(path), to, note: None }).unwrap();
    }

    fn joins(&mut self, who: u8) {
        self.says(who, at(0), Command::Join {}).unwrap();
    }
}

fn is_lapse(event: &Event) -> bool {
    matches!(event, Event::OfferLapsed { .. })
}

#[test]
fn words_just_said_do_not_stay_in_the_chain() {
    let (_, mut body) = Event::Noted { text: words("hunter2").into(), happened_at: None, pinned: false }.to_stored();
    let taken = seal::seal(&mut body, &mut || [7; 16]);
    assert_eq!(taken.len(), 1, "the words are kept beside the chain");
    assert!(!body.to_string().contains("hunter2"), "and not in it: {body}");
}

#[test]
fn a_lapse_that_an_offer_finds_is_marked_late() {
    let mut room = Room::new();
    room.offers(0, at(0), "operations", 1);
    let to = OfferTo::Person(Who::Id(person(2)));
    let events = room.says(0, at(12), Command::OfferRole { role: role("operations"), to, note: None }).unwrap();
    assert!(matches!(events[0], Event::OfferLapsed { late: true, .. }), "{events:?}");
}

#[test]
fn leaving_declines_no_offer_that_has_lapsed() {
    let mut room = Room::new();
    room.joins(1);
    room.offers(0, at(0), "operations", 1);
    let events = room.says(1, at(10), Command::Leave {}).unwrap();
    assert!(!events.iter().any(|event| matches!(event, Event::OfferDeclined { .. })), "{events:?}");
}

#[test]
fn assuming_command_supersedes_no_offer_that_has_lapsed() {
    let mut room = Room::new();
    room.joins(1);
    room.offers(0, at(0), "command", 2);
    let clock = asking(Actor::Clock, at(20), &room.facts);
    let absent = room.incident.tick(&clock, Tick::Unseen { person: person(0), since: at(0) }).unwrap();
    room.fold(Actor::Clock, at(20), absent.here);
    let assume = Command::AssumeCommand { grounds: Grounds::Unseen, reason: words("nobody answers") };
    let events = room.says(1, at(20), assume).unwrap();
    assert!(is_lapse(&events[0]), "{events:?}");
    assert_eq!(room.incident.offers.len(), 0);
}

#[test]
fn a_lapsed_offer_keeps_no_role_open() {
    let mut room = Room::new();
    room.says(0, at(0), Command::OpenRole { role: role("operations/database") }).unwrap();
    room.offers(0, at(0), "operations/database", 1);
    let close = Command::CloseRole { role: role("operations/database") };
    assert!(room.says(0, at(9), close.clone()).is_err(), "it is still on offer");
    let events = room.says(0, at(10), close).unwrap();
    assert!(is_lapse(&events[0]), "{events:?}");
}

#[test]
fn a_lapsed_offer_keeps_no_invitation() {
    let mut room = Room::new();
    room.says(0, at(0), Command::Restrict {}).unwrap();
    room.says(0, at(0), Command::Invite { person: Who::Id(person(1)) }).unwrap();
    room.offers(0, at(0), "operations", 1);
    let uninvite = Command::Uninvite { person: Who::Id(person(1)) };
    assert!(room.says(0, at(9), uninvite.clone()).is_err(), "it is still on offer");
    assert!(room.says(0, at(10), uninvite).is_ok());
}

#[test]
fn a_deactivated_member_does_nothing_any_more() {
    let mut room = Room::new();
    room.joins(1);
    let (path, who) = (role("operations"), Who::Id(person(1)));
    room.says(0, at(0), Command::AddMember { role: path.clone(), person: who.clone() }).unwrap();
    set_active(&mut room.facts, person(1), false);
    assert!(room.says(1, at(1), Command::ReleaseMember { role: path, person: who }).is_err());
}

#[test]
fn whoever_proposes_to_assume_command_can_see_the_incident_that_they_get() {
    let mut room = Room::new();
    room.joins(1);
    let assume = Command::AssumeCommand { grounds: Grounds::Unfit, reason: words("has been up for thirty hours") };
    room.says(3, at(0), assume).unwrap();
    room.says(0, at(0), Command::Restrict {}).unwrap();
    assert!(room.says(0, at(0), Command::Uninvite { person: Who::Id(person(3)) }).is_err());
    room.says(1, at(0), Command::ConfirmAssumption {}).unwrap();
    assert_eq!(room.incident.commander(), person(3));
    assert!(room.incident.visible_to(person(3), &room.facts));
}

#[test]
fn leaving_drops_no_proposal_that_has_lapsed() {
    let mut room = Room::new();
    room.joins(1);
    let assume = Command::AssumeCommand { grounds: Grounds::Unfit, reason: words("has been up for thirty hours") };
    room.says(1, at(0), assume).unwrap();
    let events = room.says(1, at(10), Command::Leave {}).unwrap();
    assert!(!events.iter().any(|event| matches!(event, Event::AssumptionEnded { .. })), "{events:?}");
}

#[test]
fn nobody_is_sent_to_let_somebody_who_has_no_account_any_more() {
    let mut room = Room::new();
    let services = BTreeSet::from(["search".parse().unwrap()]);
    room.says(1, at(0), Command::AskPermission { services, what: "restart it".parse().unwrap() }).unwrap();
    let asked = |room: &Room| matches!(room.incident.next(person(0), &room.facts, at(0)), Some(Next::Permit { .. }));
    assert!(asked(&room));
    set_active(&mut room.facts, person(1), false);
    assert!(!asked(&room));
}
