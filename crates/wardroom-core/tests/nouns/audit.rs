//! The directory's stream as an admin reads it: one sentence per kind of event, and an import told before it is done.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use uuid::Uuid;
use wardroom_core::audit::{Topic, tell};
use wardroom_core::directory::{DirectoryAsking, DirectoryCommand, DirectoryEvent, DirectoryRecorded};
use wardroom_core::event::VERSION;
use wardroom_core::id::{Actor, Entry, TokenId};
use wardroom_core::refusal::Code;
use wardroom_core::roster::Roster;
use wardroom_core::token::{Digest, Scope};

use crate::cast::{ADA, MARY, at, facts, start};
use crate::directory::{ada_and_mary, change};
use crate::words::{readable, text};

fn recorded(actor: Actor, event: DirectoryEvent) -> DirectoryRecorded {
    DirectoryRecorded { entry: Entry(2), at: at(0), actor, event }
}

fn told(actor: Actor, event: DirectoryEvent) -> String {
    tell(&recorded(actor, event), None, &facts())
}

/// Every golden event, with the words put back.
fn goldens() -> Vec<(String, DirectoryEvent)> {
    let read = |line: &str| {
        let mut parts = line.splitn(3, ' ');
        let kind = parts.next().expect("a kind").to_owned();
        let mut body: Value = serde_json::from_str(parts.nth(1).expect("a body")).expect("JSON");
        crate::telling::say(&mut body);
        let event = DirectoryEvent::from_stored(&kind, VERSION, body).expect("a golden event");
        (kind, event)
    };
    include_str!("../golden/directory.txt").lines().map(read).collect()
}

#[test]
fn every_kind_of_event_is_told_in_a_sentence_without_its_digests() {
    let mut kinds = BTreeSet::new();
    for (kind, event) in goldens() {
        for actor in [Actor::Person(MARY), Actor::Clock, Actor::Console] {
            let sentence = told(actor, event.clone());
            readable(&sentence);
            assert!(sentence.split(' ').count() > 2, "{kind} is told as: {sentence}");
            assert!(!sentence.contains('_') && !sentence.contains("abab"), "{kind} is told as: {sentence}");
        }
        kinds.insert(kind);
    }
    assert_eq!(kinds.len(), DirectoryEvent::KINDS.len());
}

#[test]
fn what_ended_is_told_with_what_it_was() {
    let token = TokenId(Uuid::from_u128(9));
    let issued = DirectoryEvent::TokenIssued {
        token,
        person: MARY,
        scope: Scope::Read,
        label: text("the wall"),
        expires_at: None,
        digest: Digest::new([1; 32]),
    };
    let revoked = DirectoryEvent::TokenRevoked { token };
    assert_eq!(issued.begins(), revoked.refers_to());
    assert_eq!((issued.topic(), issued.about()), (Topic::Tokens, BTreeSet::from([MARY])));
    assert_eq!(
        told(Actor::Person(MARY), issued.clone()),
        "Mary made the token “the wall”, to read, until it is revoked"
    );
    let by = |actor| tell(&recorded(actor, revoked.clone()), Some(&issued), &facts());
    assert_eq!(by(Actor::Console), "Somebody at the machine revoked the token “the wall”, of Mary");
    assert_eq!(by(Actor::Person(MARY)), "Mary revoked the token “the wall”, their own");
    assert_eq!(told(Actor::Console, revoked), "Somebody at the machine revoked a token");
}

#[test]
fn a_long_team_is_counted() {
    let members = (1..=40).map(|n| wardroom_core::id::PersonId(Uuid::from_u128(n))).collect();
    let team = "crowd".parse().expect("a team");
    let sentence = told(Actor::Console, DirectoryEvent::TeamSet { team, members });
    assert!(sentence.ends_with("and 28 more"), "{sentence}");
}

fn roster() -> Roster {
    let file = "[[people]]\nhandle = \"mary\"\nname = \"Mary Lou\"\n[[people]]\nhandle = \"ivan\"\nname = \"Ivan\"\n\
                [[teams]]\nname = \"sre\"\nmembers = [\"ivan\", \"mary\"]\n[[services]]\nname = \"search\"\nowner = \"sre\"\n";
    Roster::from_toml(file).expect("a roster")
}

#[test]
fn an_import_is_foretold_as_it_is_then_told_and_nothing_is_recorded() {
    let book = ada_and_mary();
    let ask = DirectoryAsking { actor: Actor::Person(ADA), now: start() };
    let mut fresh = (100..).map(Uuid::from_u128);
    let foretold = book.directory.foretell(ask, roster(), &mut || fresh.next().expect("another")).expect("it fits");
    assert_eq!(
        foretold,
        [
            "Ada changed Mary Lou: the name is Mary Lou now",
            "Ada added Ivan (ivan)",
            "Ada set the team sre: Mary Lou and Ivan",
            "Ada set the service search: it is owned by sre"
        ]
    );
    let events =
        book.directory.decide(ask, DirectoryCommand::Import { roster: roster() }, &mut || Uuid::from_u128(100));
    assert_eq!(events.expect("it fits").len(), foretold.len());
    let book = book.when(ADA, roster().into()).accepted();
    let again = book.directory.foretell(ask, roster(), &mut Uuid::nil);
    assert_eq!(again, Ok(Vec::new()), "the directory says all of it already");
    let bad = Roster::from_toml("[[teams]]\nname = \"sre\"\nmembers = [\"nobody\"]\n").expect("a roster");
    let refused = book.directory.foretell(ask, bad, &mut Uuid::nil).expect_err("nobody is called so");
    assert_eq!(refused.code, Code::UnknownPerson);
    let mary = DirectoryAsking { actor: Actor::Person(MARY), now: start() };
    let refused = book.directory.foretell(mary, roster(), &mut Uuid::nil).expect_err("she is no admin");
    assert_eq!(refused.code, Code::AdminsOnly);
}

#[test]
fn everybody_makes_tokens_for_themselves_within_what_they_may() {
    let issue = |person, scope| DirectoryCommand::IssueToken {
        token: TokenId(Uuid::from_u128(9)),
        person,
        scope,
        label: "laptop".parse().expect("a line"),
        expires_at: None,
        digest: Digest::new([2; 32]),
    };
    ada_and_mary()
        .when(MARY, issue(ADA.into(), Scope::Read))
        .refused(Code::AdminsOnly)
        .when(MARY, issue(MARY.into(), Scope::Admin))
        .refused(Code::AdminsOnly)
        .when(MARY, issue(MARY.into(), Scope::Respond))
        .accepted()
        .when(ADA, issue(ADA.into(), Scope::Admin))
        .accepted();
}

#[test]
fn signing_somebody_out_everywhere_ends_their_sessions_alone() {
    ada_and_mary()
        .when(ADA, change("end_sessions", json!({"person": "mary"})))
        .refused(Code::AlreadySo)
        .when(MARY, change("end_sessions", json!({"person": "ada"})))
        .refused(Code::AdminsOnly);
}
