//! The timeline as a person reads it: one sentence per kind of event.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wardroom_core::event::{Event, Recorded, VERSION};
use wardroom_core::evidence::{Evidence, MediaType};
use wardroom_core::id::{Actor, Entry};
use wardroom_core::seal::Seal;
use wardroom_core::telling::tell;
use wardroom_core::text::Text;

use crate::cast::{JOSEPHINE, MARY, SABRINA, at, facts};
use crate::words::{command_taken, fell, noted, offered, opened, readable, taken, text};

fn told(actor: Actor, event: Event) -> String {
    tell(&Recorded { entry: Entry(2), at: at(0), actor, event }, &facts())
}

#[track_caller]
fn says(event: Event, sentence: &str) {
    assert_eq!(told(Actor::Person(MARY), event), sentence);
}

/// Every golden event, with the words put back.
fn goldens() -> Vec<(String, Event)> {
    let read = |line: &str| {
        let mut parts = line.splitn(3, ' ');
        let kind = parts.next().expect("a kind").to_owned();
        let mut body: Value = serde_json::from_str(parts.nth(1).expect("a body")).expect("JSON");
        say(&mut body);
        let event = Event::from_stored(&kind, VERSION, body).expect("a golden event");
        (kind, event)
    };
    include_str!("../golden/incident.txt").lines().map(read).collect()
}

pub fn say(tree: &mut Value) {
    match tree {
        Value::Object(object) if object.contains_key("seal") => *tree = json!({"said": "words"}),
        Value::Object(object) => object.values_mut().for_each(say),
        Value::Array(items) => items.iter_mut().for_each(say),
        _ => {}
    }
}

#[test]
fn every_kind_of_event_is_told_in_a_sentence() {
    let mut kinds = BTreeSet::new();
    for (kind, event) in goldens() {
        for actor in [Actor::Person(MARY), Actor::Clock, Actor::Console, Actor::Wardroom] {
            let sentence = told(actor, event.clone());
            readable(&sentence);
            assert!(sentence.split(' ').count() > 1, "{kind} is told as: {sentence}");
            assert!(!sentence.contains(&kind) || !kind.contains('_'), "{kind} is told as: {sentence}");
        }
        kinds.insert(kind);
    }
    assert_eq!(kinds.len(), Event::KINDS.len());
}

#[test]
fn the_words_that_were_said_are_told() {
    let silent = ["redacted", "restricted", "document_marked"];
    for (kind, event) in goldens() {
        let (_, body) = event.to_stored();
        if body.to_string().contains("\"said\"") && kind != "absorbed" && !silent.contains(&kind.as_str()) {
            let sentence = told(Actor::Person(MARY), event);
            assert!(sentence.contains("words"), "{kind} is told as: {sentence}");
        }
    }
}

#[test]
fn evidence_is_told_by_its_name_and_size_and_once_it_is_redacted_by_its_size() {
    let evidence = |name, why| {
        let (sha256, media_type, by) = (text("00"), MediaType::Png, Some(SABRINA));
        Event::EvidenceAttached(Evidence { sha256, name, why, media_type, bytes: 34_567, by, shows: None })
    };
    says(evidence(text("graph.png"), None), "Sabrina attached graph.png (34 KB)");
    let why = Some(text("errors as they began"));
    says(evidence(text("graph.png"), why), "Sabrina attached graph.png (34 KB): errors as they began");
    let seal = Seal([7; 32]);
    let gone = || Text::Redacted { seal };
    says(evidence(gone(), Some(gone())), "Sabrina attached 34 KB of evidence, which were redacted");
}

#[test]
fn the_great_moments_read_well() {
    says(opened(), "Mary declared a sev2 incident and has command: Search is slow");
    says(offered("command", SABRINA, MARY), "Mary offers command to Sabrina, until 03:10 UTC");
    says(
        command_taken(3, SABRINA, MARY, wardroom_core::briefing::Briefed::ByVoice, &[]),
        "Sabrina has command from Mary, briefed by voice",
    );
    says(
        command_taken(3, SABRINA, MARY, wardroom_core::briefing::Briefed::To(Entry(3)), &[5]),
        "Sabrina has command from Mary, briefed up to entry 3 with 1 newer thing unseen",
    );
    says(taken("operations", 2, SABRINA, Some(JOSEPHINE)), "Sabrina took operations over from Josephine");
    says(
        fell("operations", SABRINA, MARY, wardroom_core::role::Fell::Departed),
        "Sabrina left operations; it is with Mary now",
    );
    says(noted("found it"), "Mary: found it");
    says(
        Event::Noted { text: text("first alert"), happened_at: Some(at(-5)), pinned: false },
        "Mary (02:55 UTC back-dated): first alert",
    );
    let before = Event::Noted { text: text("first alert"), happened_at: Some(at(-5 - 24 * 60)), pinned: false };
    says(before, "Mary (2026-01-04 02:55 UTC back-dated): first alert");
}

#[test]
fn redacted_words_leave_a_tombstone() {
    let seal = wardroom_core::seal::commit(&[0; 16], "hunter2");
    let gone = Event::Noted { text: wardroom_core::text::Text::Redacted { seal }, happened_at: None, pinned: false };
    says(gone, "Mary: (redacted)");
}
