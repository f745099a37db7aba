//! Notes: pinning, correcting, back-dating; and taking words out for ever.

use serde_json::json;
use wardroom_core::command::Command;
use wardroom_core::event::Event;
use wardroom_core::id::{Actor, Entry};
use wardroom_core::refusal::{Code, Remedy};
use wardroom_core::seal;
use wardroom_core::text::Text;

use crate::cast::{ADA, JOSEPHINE, MARY, ROBIN, SABRINA, at};
use crate::given::{Given, by, given};
use crate::words::{closed, cmd, joined, noted, number, opened, role, text};

fn on(name: &str, entry: u64) -> Command {
    cmd(name, json!({"entry": entry}))
}

/// Sabrina's note is entry 3.
fn with_a_note() -> Given {
    given([opened(), joined(SABRINA)]).and([by(SABRINA, noted("the key is hunter2"))])
}

fn redacted(given: &Given, entry: u64) -> Event {
    let (_, mut body) = given.history[entry as usize - 1].event.to_stored();
    Event::Redacted { entry: Entry(entry), seals: seal::seals(&mut body), reason: None, also_in: None }
}

#[test]
fn a_note_may_be_back_dated_and_never_forward_dated() {
    let note = |at: &str| cmd("note", json!({"text": "first alert", "happened_at": at}));
    given([opened()])
        .when(MARY, note("2026-01-05T02:55:00Z"))
        .then([Event::Noted { text: text("first alert"), happened_at: Some(at(-5)), pinned: false }])
        .when(MARY, note("2026-01-05T03:01:00Z"))
        .refused(Code::Invalid, &[], None);
}

#[test]
fn notes_are_pinned_and_unpinned_by_those_who_are_here() {
    let given = with_a_note()
        .when(MARY, on("pin_note", 3))
        .then([Event::NotePinned { entry: Entry(3) }])
        .when(MARY, on("pin_note", 3))
        .refused(Code::AlreadySo, &[], None)
        .when(ROBIN, on("unpin_note", 3))
        .refused(Code::NotAResponder, &[], Some(Remedy::Join))
        .when(SABRINA, on("unpin_note", 3))
        .then([Event::NoteUnpinned { entry: Entry(3) }])
        .when(SABRINA, on("unpin_note", 3))
        .refused(Code::NotThere, &[], None)
        .when(MARY, on("pin_note", 2))
        .says("Entry 2 is not a note.")
        .refused(Code::Invalid, &[], None)
        .when(MARY, on("pin_note", 99))
        .says("There is no entry 99 here.")
        .refused(Code::NotThere, &[], None);
    let pin = cmd("note", json!({"text": "rollback is safe", "pin": true}));
    let state = given.when(MARY, pin).accepted().state();
    assert_eq!(state.pinned, [Entry(6)].into());
}

#[test]
fn fifty_pins_are_enough() {
    let pin = || cmd("note", json!({"text": "look", "pin": true}));
    let pins = (0..50).map(|_| Event::Noted { text: text("look"), happened_at: None, pinned: true });
    given([opened()]).and(pins).when(MARY, pin()).refused(Code::TooMany, &[], None);
}

#[test]
fn only_its_writer_corrects_a_note() {
    let correct = || cmd("correct_note", json!({"entry": 3, "text": "the key was rotated"}));
    with_a_note()
        .when(MARY, correct())
        .refused(Code::NotYours, &[SABRINA], Some(Remedy::Note))
        .when(SABRINA, correct())
        .then([Event::NoteCorrected { entry: Entry(3), text: text("the key was rotated") }])
        .and([closed(MARY)])
        .when(SABRINA, correct())
        .accepted();
}

#[test]
fn its_writer_command_an_admin_and_the_console_redact() {
    let given = with_a_note();
    for person in [SABRINA, MARY, ADA] {
        given.clone().when(person, on("redact", 3)).then([redacted(&given, 3)]);
    }
    given.clone().ask(Actor::Console, on("redact", 3)).then([redacted(&given, 3)]);
    given.clone().when(JOSEPHINE, on("redact", 3)).refused(Code::NotYours, &[SABRINA, MARY], Some(Remedy::AskAdmin));
    given.clone().when(JOSEPHINE, on("redact", 1)).refused(Code::NotYours, &[MARY], Some(Remedy::AskAdmin));
    given.ask(Actor::Clock, on("redact", 3)).refused(Code::NotYours, &[], None);
}

#[test]
fn what_has_no_words_is_not_redacted() {
    with_a_note()
        .when(MARY, on("redact", 2))
        .says("Entry 2 has no words that could be redacted.")
        .refused(Code::Invalid, &[], None)
        .when(MARY, on("redact", 9))
        .refused(Code::NotThere, &[], None);
}

#[test]
fn words_that_are_gone_are_not_redacted_again() {
    let seal = seal::commit(&[9; 16], "hunter2");
    let gone = Event::Noted { text: Text::Redacted { seal }, happened_at: None, pinned: false };
    given([opened(), gone]).when(MARY, on("redact", 2)).says("The words of entry 2 are gone already.").refused(
        Code::AlreadySo,
        &[],
        None,
    );
}

#[test]
fn words_are_redacted_after_closing_and_after_a_merge_too() {
    let given = with_a_note().and([closed(MARY)]);
    given.clone().when(SABRINA, on("redact", 3)).then([redacted(&given, 3)]);
    let merged = with_a_note().and([Event::MergedInto { into: number(2), commander: MARY }]);
    merged.clone().when(MARY, on("redact", 3)).then([redacted(&merged, 3)]);
}

#[test]
fn redacting_takes_the_words_out_of_the_state_as_well() {
    let raised = Event::RoadblockRaised { roadblock: 1, role: role("command"), text: text("hunter2"), by: SABRINA };
    let doing = Event::DoingSet { person: SABRINA, doing: Some(text("hunter2")) };
    let given = given([opened(), joined(SABRINA), raised, doing, Event::TitleSet { title: text("hunter2") }]);
    let after = [3, 4, 5].into_iter().fold(given, |given, entry| given.when(MARY, on("redact", entry)).accepted());
    let state = after.state();
    assert!(matches!(state.title, Text::Redacted { .. }));
    let kept = serde_json::to_string(&state).expect("a state");
    assert!(!kept.contains("hunter2"), "{kept}");
    assert_eq!(state.roadblocks[0].text.to_string(), "(redacted)");
}

#[test]
fn a_note_is_bounded_on_the_way_in() {
    let too_long = json!({"command": "note", "text": "x".repeat(200_000)});
    let error = serde_json::from_value::<Command>(too_long).expect_err("too long").to_string();
    assert!(error.contains("at most 20000"), "{error}");
    for bad in ["", " \n ", "bell\u{7}", "x\u{202E}y"] {
        assert!(serde_json::from_value::<Command>(json!({"command": "note", "text": bad})).is_err(), "{bad:?}");
    }
    let odd = json!({"command": "note", "text": "x", "colour": "red"});
    assert!(serde_json::from_value::<Command>(odd).is_err(), "unknown fields are refused");
}
