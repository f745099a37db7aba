//! Evidence: who attaches it, the same bytes once, the budget, and what redacting an entry takes.

use serde_json::json;
use wardroom_core::command::Command;
use wardroom_core::event::Event;
use wardroom_core::evidence::{
    Evidence, Fingerprint, INCIDENT_MAX, MediaType, PIECE_MAX, PIECES_MAX, Piece, Room, size,
};
use wardroom_core::id::{Entry, PersonId};
use wardroom_core::refusal::{Code, Remedy};
use wardroom_core::seal::{self, Seal};
use wardroom_core::text::Line;

use crate::cast::{JOSEPHINE, MARY, ROBIN, SABRINA};
use crate::given::{Given, by, given};
use crate::words::{closed, cmd, joined, opened, opened_restricted, text};

fn print(n: u64) -> Fingerprint {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    Fingerprint::new(bytes)
}

fn piece(n: u64, bytes: u64) -> Command {
    Command::Attach(Piece {
        fingerprint: print(n),
        name: line("pods.txt"),
        why: None,
        media_type: MediaType::Text,
        bytes,
        from: None,
    })
}

fn line(words: &str) -> Line {
    words.parse().expect("a line")
}

fn attached(n: u64, bytes: u64, by: PersonId) -> Event {
    let (sha256, name, by) = (text(&print(n).to_string()), text("pods.txt"), Some(by));
    Event::EvidenceAttached(Evidence { sha256, name, why: None, media_type: MediaType::Text, bytes, by, shows: None })
}

fn seals(given: &Given, entry: Entry) -> Vec<Seal> {
    let recorded = given.history.iter().find(|recorded| recorded.entry == entry).expect("an entry");
    seal::seals(&mut recorded.event.to_stored().1)
}

/// Mary's incident, which Sabrina joined; their evidence has the entries from 3 on.
fn two() -> Given {
    given([opened(), joined(SABRINA)])
}

#[test]
fn every_responder_attaches() {
    two()
        .when(SABRINA, piece(1, 34_567))
        .then([attached(1, 34_567, SABRINA)])
        .when(MARY, piece(2, 1))
        .then([attached(2, 1, MARY)])
        .when(ROBIN, piece(3, 1))
        .refused(Code::NotAResponder, &[], Some(Remedy::Join));
}

#[test]
fn why_it_is_kept_is_said_with_it_and_goes_with_it() {
    let Command::Attach(piece) = piece(1, 34_567) else { unreachable!("it attaches") };
    let Event::EvidenceAttached(plain) = attached(1, 34_567, SABRINA) else { unreachable!("it is attached") };
    let said = Event::EvidenceAttached(Evidence { why: Some(text("before the restart")), ..plain });
    let why = Some(line("before the restart"));
    let given = two().when(SABRINA, Command::Attach(Piece { why, ..piece })).then([said]);
    let seals = seals(&given, Entry(3));
    assert_eq!(seals.len(), 3, "the name, why, and the digest");
    let redact = cmd("redact", json!({ "entry": 3 }));
    given.when(SABRINA, redact).then([Event::Redacted { entry: Entry(3), seals, reason: None, also_in: None }]);
}

#[test]
fn a_closed_incident_takes_no_evidence() {
    two().and([closed(MARY)]).when(SABRINA, piece(1, 1)).refused(Code::WrongPhase, &[], Some(Remedy::Reopen));
}

#[test]
fn the_same_bytes_are_attached_once() {
    let given = two().and([by(SABRINA, attached(1, 34_567, SABRINA))]);
    assert_eq!(given.state().evidence_at(print(1)), Some(Entry(3)));
    assert_eq!(given.state().evidence_at(print(2)), None);
    given.when(MARY, piece(1, 34_567)).refused(Code::AlreadySo, &[], None);
}

#[test]
fn a_piece_and_an_incident_have_their_bounds() {
    two().when(SABRINA, piece(1, 0)).refused(Code::Invalid, &[], None);
    two().when(SABRINA, piece(1, PIECE_MAX)).then([attached(1, PIECE_MAX, SABRINA)]);
    two().when(SABRINA, piece(1, PIECE_MAX + 1)).refused(Code::Invalid, &[], None);
    let full = two().and((1..=INCIDENT_MAX / PIECE_MAX).map(|n| attached(n, PIECE_MAX, SABRINA)));
    let given = full.when(SABRINA, piece(999, 1)).refused(Code::TooMany, &[], Some(Remedy::Note));
    let many = two().and((1..=PIECES_MAX as u64).map(|n| attached(n, 1, SABRINA)));
    many.when(SABRINA, piece(PIECES_MAX as u64 + 1, 1)).refused(Code::TooMany, &[], None);
    // Whoever runs the server may say that there is less room.
    let mut small = two();
    small.facts.room = Room(1_000);
    let small = small.when(SABRINA, piece(1, 1_001)).refused(Code::TooMany, &[], Some(Remedy::Note));
    small.when(SABRINA, piece(1, 1_000)).then([attached(1, 1_000, SABRINA)]);
    // What is redacted makes room.
    let seals = seals(&given, Entry(3));
    let given = given.and([Event::Redacted { entry: Entry(3), seals, reason: None, also_in: None }]);
    given.when(SABRINA, piece(999, PIECE_MAX)).then([attached(999, PIECE_MAX, SABRINA)]);
}

#[test]
fn whoever_may_redact_an_entry_takes_its_evidence_away_and_it_can_come_again() {
    let given = two().and([by(SABRINA, attached(1, 34_567, SABRINA)), joined(JOSEPHINE).into()]);
    let redact = || cmd("redact", json!({ "entry": 3, "reason": "it has a password" }));
    let given = given.when(JOSEPHINE, redact()).refused(Code::NotYours, &[SABRINA, MARY], Some(Remedy::AskAdmin));
    let seals = seals(&given, Entry(3));
    assert_eq!(seals.len(), 2, "the name and the digest");
    let given = given.when(SABRINA, redact()).then([Event::Redacted {
        entry: Entry(3),
        seals,
        reason: Some(text("it has a password")),
        also_in: None,
    }]);
    assert_eq!(given.state().evidence_at(print(1)), None);
    given.when(MARY, piece(1, 34_567)).then([attached(1, 34_567, MARY)]);
}

#[test]
fn nobody_is_asked_for_bytes_that_would_not_be_kept() {
    let may = |given: &Given, who, bytes| given.state().may_attach(who, &given.facts, bytes).map_err(|no| no.code);
    let given = two();
    assert_eq!(may(&given, SABRINA, PIECE_MAX), Ok(()));
    assert_eq!(may(&given, SABRINA, PIECE_MAX + 1), Err(Code::Invalid));
    assert_eq!(may(&given, ROBIN, 1), Err(Code::NotAResponder));
    assert_eq!(may(&given.and([closed(MARY)]), SABRINA, 1), Err(Code::WrongPhase));
    assert_eq!(may(&self::given([opened_restricted()]), ROBIN, 1), Err(Code::NoSuchIncident));
}

#[test]
fn bytes_are_what_they_begin_with_whatever_they_are_called() {
    let is = |bytes: &[u8], kind| assert_eq!(MediaType::of(bytes), kind, "{bytes:?}");
    is(b"\x89PNG\r\n\x1A\n", MediaType::Png);
    is(b"\xFF\xD8\xFF\xE0", MediaType::Jpeg);
    is(b"GIF89a", MediaType::Gif);
    is(b"RIFF\0\0\0\0WEBPVP8 ", MediaType::Webp);
    is(b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script/></svg>", MediaType::Text);
    is(b"<html><script>alert(1)</script>", MediaType::Text);
    is(b"", MediaType::Text);
    // What is large is what it begins with, and the cut may go through a letter.
    let long = format!("x{}", "ü".repeat(MediaType::LOOKED_AT));
    assert_eq!(MediaType::of(long.as_bytes()), MediaType::Text);
    let mut cut = long.into_bytes();
    cut[MediaType::LOOKED_AT - 2] = 0xFF;
    assert_eq!(MediaType::of(&cut), MediaType::Other);
    cut.truncate(MediaType::LOOKED_AT - 2);
    cut.push(0xC3);
    assert_eq!(MediaType::of(&cut), MediaType::Other, "it ends in half a letter");
    is("NAME\tREADY\r\n\u{1B}[31mü\u{1B}[0m\n".as_bytes(), MediaType::Text);
    is(b"\x89PNG\n", MediaType::Other);
    is(b"%PDF-1.7\0", MediaType::Other);
    is(b"\xFF\xFE<\0h\0", MediaType::Other);
}

#[test]
fn sizes_are_told_to_people() {
    let told = [1, 999, 1_024, 34_567, (1 << 20) - 1, 1 << 20, 10 << 20].map(size);
    assert_eq!(told, ["1 byte", "999 bytes", "1 KB", "34 KB", "1024 KB", "1.0 MB", "10.0 MB"]);
}
