//! Short names for the things that tests are made of: events, commands and the texts in them.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wardroom_core::absence::Grounds;
use wardroom_core::briefing::Briefed;
use wardroom_core::command::{Command, OfferTo};
use wardroom_core::event::Event;
use wardroom_core::id::{Entry, Number, PersonId, Time};
use wardroom_core::incident::{Kind, Phase, Severity};
use wardroom_core::offer::Recipient;
use wardroom_core::refusal::Remedy;
use wardroom_core::role::{Fell, RolePath};
use wardroom_core::text::{Prose, Text};

use crate::cast::{MARY, TEAM, services, start};

/// A role by its path.
pub fn role(path: &str) -> RolePath {
    path.parse().expect("a role")
}

/// The number of an incident.
#[track_caller]
pub fn number(number: u32) -> Number {
    Number::new(number).expect("incidents are numbered from 1")
}

/// Some lines.
pub fn prose(words: &str) -> Prose {
    words.parse().expect("prose")
}

/// A text as a decision holds it.
pub fn text(words: &str) -> Text {
    Text::said(words)
}

/// A command as the API takes it: its name and fields.
#[track_caller]
pub fn cmd(name: &str, mut fields: Value) -> Command {
    fields["command"] = json!(name);
    serde_json::from_value(fields).expect("a command")
}

/// A command without fields.
#[track_caller]
pub fn plain(name: &str) -> Command {
    cmd(name, json!({}))
}

/// A sentence for people: no empty one, nothing that only a programmer reads.
#[track_caller]
pub fn readable(sentence: &str) {
    assert!(!sentence.trim().is_empty(), "nothing was said");
    assert!(sentence.chars().count() < 240, "too long for 03:00: {sentence}");
    for odd in ["Some(", "None", "{", "}", "::", "Said", "Kept", "PersonId", "\"", "00000000-", "somebody unknown"] {
        assert!(!sentence.contains(odd), "{odd} in: {sentence}");
    }
}

/// Mary opens the incident and has command.
pub fn opened() -> Event {
    opened_as(1, Kind::Incident, Phase::Active)
}

/// Mary looks into something that is not declared.
pub fn investigating() -> Event {
    opened_as(1, Kind::Incident, Phase::Investigating)
}

/// Mary opens an incident with this number, kind and phase.
pub fn opened_as(number: u32, kind: Kind, phase: Phase) -> Event {
    Event::Opened {
        number: self::number(number),
        title: text("Search is slow"),
        kind,
        phase,
        severity: Severity::Sev2,
        services: services(&["search"]),
        unknown_services: BTreeSet::new(),
        began: None,
        restricted: false,
        by: MARY,
    }
}

/// The opening of an incident that only Mary knows of.
pub fn opened_restricted() -> Event {
    let mut event = opened();
    if let Event::Opened { restricted, .. } = &mut event {
        *restricted = true;
    }
    event
}

pub fn joined(person: PersonId) -> Event {
    Event::Joined { person }
}

/// An offer made at the start.
pub fn offered(path: &str, to: PersonId, by: PersonId) -> Event {
    offered_at(path, to, by, start())
}

/// An offer made at this time.
pub fn offered_at(path: &str, to: PersonId, by: PersonId, now: Time) -> Event {
    let lapses_at = now + jiff::ToSpan::minutes(10);
    Event::RoleOffered { role: role(path), to: Recipient::Person(to), by, lapses_at, note: None }
}

/// An offer to the team, made at the start.
pub fn offered_to_team(path: &str, by: PersonId) -> Event {
    let to = Recipient::Team(TEAM.parse().expect("a team's name"));
    let lapses_at = start() + jiff::ToSpan::minutes(10);
    Event::RoleOffered { role: role(path), to, by, lapses_at, note: None }
}

/// A role below command is taken.
pub fn taken(path: &str, offer: u64, by: PersonId, from: Option<PersonId>) -> Event {
    Event::RoleTaken { role: role(path), offer: Entry(offer), by, from, briefed: None, unseen: Vec::new() }
}

/// Command is taken.
pub fn command_taken(offer: u64, by: PersonId, from: PersonId, briefed: Briefed, unseen: &[u64]) -> Event {
    let unseen = unseen.iter().map(|entry| Entry(*entry)).collect();
    Event::RoleTaken {
        role: role("command"),
        offer: Entry(offer),
        by,
        from: Some(from),
        briefed: Some(briefed),
        unseen,
    }
}

/// A role falls upward.
pub fn fell(path: &str, from: PersonId, to: PersonId, how: Fell) -> Event {
    Event::RoleFell { role: role(path), from, to, how }
}

pub fn member(path: &str, person: PersonId) -> Event {
    Event::MemberAdded { role: role(path), person }
}

pub fn role_opened(path: &str) -> Event {
    Event::RoleOpened { role: role(path) }
}

/// Somebody holds a role, by an offer that nobody asks about.
pub fn held(path: &str, by: PersonId) -> [Event; 2] {
    [joined(by), taken(path, 0, by, None)]
}

pub fn noted(words: &str) -> Event {
    Event::Noted { text: text(words), happened_at: None, pinned: false }
}

pub fn closed(last_commander: PersonId) -> Event {
    Event::Closed { from: Phase::Resolved, last_commander, reason: None }
}

pub fn lapsed(path: &str, offer: u64, late: bool) -> Event {
    Event::OfferLapsed { role: role(path), offer: Entry(offer), late }
}

pub fn absent(person: PersonId, unseen_since: Time) -> Event {
    Event::CommanderAbsent { person, unseen_since, deactivated: false }
}

/// Command offered to a person.
pub fn offer(path: &str, to: PersonId) -> Command {
    Command::OfferRole { role: role(path), to: OfferTo::Person(to.into()), note: None }
}

pub fn offer_to_team(path: &str) -> Command {
    let to = OfferTo::Team(TEAM.parse().expect("a team's name"));
    Command::OfferRole { role: role(path), to, note: None }
}

pub fn take(path: &str) -> Command {
    Command::TakeRole { role: role(path), briefed: None }
}

/// Command taken by somebody who read the briefing up to this entry.
pub fn take_command(entry: u64) -> Command {
    Command::TakeRole { role: role("command"), briefed: Some(Briefed::To(Entry(entry))) }
}

pub fn assume(grounds: Grounds) -> Command {
    Command::AssumeCommand { grounds, reason: prose("it burns") }
}

/// The remedy of most refusals: ask for the role.
pub fn ask_for(path: &str) -> Option<Remedy> {
    Some(Remedy::Ask { role: role(path) })
}
