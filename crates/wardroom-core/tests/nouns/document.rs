//! The state document: who writes, what is still true and who is asked, and its marks in the log.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::json;
use wardroom_core::command::Command;
use wardroom_core::document::{Part, PartMarked, PartWritten, Stamp, Standing, Written};
use wardroom_core::event::Event;
use wardroom_core::id::{Entry, PersonId};
use wardroom_core::incident::{Phase, Severity};
use wardroom_core::next::Next;
use wardroom_core::prompt::{Bring, Nudge, Prompts};
use wardroom_core::refusal::{Code, Remedy};

use crate::cast::{ADA, JOSEPHINE, MARY, SABRINA, at, start};
use crate::given::{Given, given};
use crate::words::{
    ask_for, assume, closed, cmd, held, investigating, joined, noted, offer, offered, opened, opened_restricted, plain,
    take_command, text,
};

fn still(parts: &[&str]) -> Command {
    cmd("still_true", json!({ "parts": parts, "version": 0 }))
}

fn stamped(parts: &[Part], by: PersonId) -> Event {
    Event::StillTrue { parts: parts.iter().copied().collect(), by }
}

fn severity(to: Severity) -> Event {
    Event::SeveritySet { from: Severity::Sev2, to, reason: None }
}

fn phase(to: Phase) -> Event {
    Event::PhaseSet { from: Phase::Active, to, reason: None }
}

/// Sabrina has communications.
fn communicated() -> Given {
    given([opened(), joined(JOSEPHINE)]).and(held("communications", SABRINA))
}

fn written(version: u64, parts: &[(Part, u64, &str)]) -> Written {
    let part = |(part, changed, words): &(Part, u64, &str)| {
        (*part, PartWritten { changed: *changed, by: Some((MARY, at(1))), words: (*words).to_owned() })
    };
    Written { version, parts: parts.iter().map(part).collect() }
}

fn marked(version: u64, parts: &[(Part, u64, Option<&str>)]) -> Event {
    let part = |(part, changed, words): &(Part, u64, Option<&str>)| {
        (*part, PartMarked { changed: *changed, text: words.map(text) })
    };
    Event::DocumentMarked { version, parts: parts.iter().map(part).collect() }
}

#[test]
fn communications_and_command_say_what_is_still_true() {
    let given = communicated()
        .when(SABRINA, still(&["summary", "status"]))
        .then([stamped(&[Part::Summary, Part::Status], SABRINA)])
        .after(3)
        .when(MARY, still(&["status"]))
        .then([stamped(&[Part::Status], MARY)])
        .when(MARY, still(&[]))
        .refused(Code::Invalid, &[], None)
        .when(JOSEPHINE, still(&["status"]))
        .refused(Code::NotYours, &[SABRINA, MARY], ask_for("communications"));
    let stamps = given.state().document.stamps;
    let expected = [(Part::Summary, Stamp { by: SABRINA, at: start() }), (Part::Status, Stamp { by: MARY, at: at(3) })];
    assert_eq!(stamps, BTreeMap::from(expected));
}

#[test]
fn nobody_says_that_words_are_still_true_which_others_changed_unseen() {
    assert!(serde_json::from_value::<Command>(json!({"command": "still_true", "parts": ["summary"]})).is_err());
    let read = |parts: &[&str], version: u64| cmd("still_true", json!({ "parts": parts, "version": version }));
    let document = || written(7, &[(Part::Summary, 5, "it burns"), (Part::Status, 7, "in eu")]);
    assert!(read(&["summary"], 0).needs_document(), "the executor brings it");
    communicated()
        .written(document())
        .when(SABRINA, read(&["summary", "status"], 6))
        .says("Mary changed the detailed status at 03:01 UTC, after what you have read. Read it, and say it again.")
        .refused(Code::ChangedMeanwhile, &[], None)
        // Of the part that she has read as it is, she may say so, and of both once she has read on.
        .when(SABRINA, read(&["summary"], 6))
        .then([stamped(&[Part::Summary], SABRINA)])
        .when(SABRINA, read(&["summary", "status"], 7))
        .then([stamped(&[Part::Summary, Part::Status], SABRINA)])
        // One knows what one wrote oneself, and in the notes nobody wrote.
        .when(MARY, read(&["summary", "status", "notes"], 0))
        .then([stamped(&[Part::Summary, Part::Status, Part::Notes], MARY)]);
}

#[test]
fn it_is_asked_the_sooner_the_worse_it_is() {
    for (level, minutes) in [(Severity::Sev1, 20), (Severity::Sev2, 30), (Severity::Sev3, 60), (Severity::Sev4, 120)] {
        assert_eq!(given([opened(), severity(level)]).state().document_due(), Some(at(minutes)), "{level:?}");
    }
}

#[test]
fn it_counts_from_the_oldest_stamp_of_what_is_asked_about() {
    let due = |given: &Given| given.state().document_due();
    let given = communicated().after(10).and([stamped(&[Part::Summary, Part::Notes], SABRINA)]);
    assert_eq!(due(&given), Some(at(30)), "the status has no stamp yet");
    let given = given.after(5).and([stamped(&[Part::Status], SABRINA)]);
    assert_eq!(due(&given), Some(at(40)), "the summary's is the oldest, and notes are not asked about");
    let each = BTreeMap::from([(Part::Summary, at(40)), (Part::Status, at(45))]);
    assert_eq!(given.state().parts_due(), each);
}

#[test]
fn a_part_stands_as_far_as_somebody_said_so_and_it_was_left_alone() {
    let given = communicated().after(10).and([stamped(&[Part::Summary], SABRINA)]);
    let standing = |changed, now| {
        let Standing { stamp, changed_since, late_since } =
            given.state().part_standing(Part::Summary, Some(at(changed)), at(now));
        assert_eq!(stamp, Some(Stamp { by: SABRINA, at: at(10) }));
        (changed_since, late_since)
    };
    assert_eq!(standing(10, 39), (false, None));
    assert_eq!(standing(11, 39), (true, None));
    assert_eq!(standing(9, 40), (false, Some(at(40))));
    let status = given.state().part_standing(Part::Status, Some(at(11)), at(30));
    assert_eq!(status, Standing { stamp: None, changed_since: false, late_since: Some(at(30)) });
    let notes = given.state().part_standing(Part::Notes, None, at(300));
    assert_eq!(notes, Standing { stamp: None, changed_since: false, late_since: None });
}

#[test]
fn nobody_is_asked_before_the_declaration_and_once_it_is_resolved() {
    assert_eq!(given([investigating()]).state().document_due(), None);
    let declared = given([investigating()]).after(7).and([Event::Declared { by: MARY, commander: MARY }]);
    assert_eq!(declared.state().document_due(), Some(at(37)));
    assert_eq!(given([opened(), phase(Phase::Mitigated)]).state().document_due(), Some(at(30)));
    assert_eq!(given([opened(), phase(Phase::Resolved)]).state().document_due(), None);
}

#[test]
fn communications_is_asked_first_and_the_commander_five_minutes_later() {
    let nudge = Nudge::StillTrue { due_at: at(30) };
    let asks = |given: &Given, who| given.state().nudged(who, &given.facts, given.now, &nudge);
    let asked = Some(Next::StillTrue { due_at: at(30) });
    let before = communicated().after_seconds(30 * 60 - 1);
    assert_eq!(asks(&before, SABRINA), None);
    let due = before.after_seconds(1);
    assert_eq!((asks(&due, SABRINA), asks(&due, JOSEPHINE)), (asked.clone(), None));
    let late = due.after_seconds(5 * 60 - 1);
    assert_eq!(asks(&late, MARY), None);
    let late = late.after_seconds(1);
    assert_eq!((asks(&late, MARY), asks(&late, SABRINA)), (asked.clone(), asked.clone()));
    let answered = late.and([stamped(&[Part::Summary, Part::Status], SABRINA)]);
    assert_eq!((asks(&answered, MARY), asks(&answered, SABRINA)), (None, None));
    let alone = given([opened()]).after(30);
    assert_eq!(asks(&alone, MARY), asked, "who commands alone has communications, too");
}

#[test]
fn it_is_a_clock_that_can_be_put_off() {
    let next = Next::StillTrue { due_at: at(30) };
    let nudge = Nudge::StillTrue { due_at: at(30) };
    assert_eq!(next.nudge(), Some(nudge.clone()));
    let mut prompts = Prompts::default();
    let number = given([opened()]).state().number;
    assert_eq!(prompts.bring(number, &next, at(31)), Bring::WhenFree { nudge: nudge.clone() });
    let until = prompts.put_off(number, nudge, at(31));
    assert_eq!(until.duration_since(at(31)), SignedDuration::from_mins(10));
    assert!(prompts.bring(number, &next, at(32)).is_put_off());
    let stamped_since = Next::StillTrue { due_at: at(33) };
    assert!(!prompts.bring(number, &stamped_since, at(33)).is_put_off(), "after a new stamp it is another one");
}

#[test]
fn every_responder_writes_while_it_is_open() {
    let may = |given: &Given, who| {
        given.state().may_write(who, &given.facts).map_err(|refusal| (refusal.code, refusal.remedy))
    };
    let open = communicated();
    for who in [MARY, SABRINA, JOSEPHINE] {
        assert_eq!(may(&open, who), Ok(()));
    }
    assert_eq!(may(&open, ADA), Err((Code::NotAResponder, Some(Remedy::Join))));
    assert_eq!(may(&open.clone().deactivated(JOSEPHINE), JOSEPHINE), Err((Code::NotActive, Some(Remedy::AskAdmin))));
    let ended = open.and([phase(Phase::Resolved), closed(MARY)]);
    assert_eq!(may(&ended, MARY), Err((Code::WrongPhase, Some(Remedy::Reopen))));
    let reopened = ended.and([Event::Reopened { by: MARY, reason: None }]);
    assert_eq!(may(&reopened, SABRINA), Ok(()));
    let secret = given([opened_restricted()]);
    assert_eq!(may(&secret, SABRINA), Err((Code::NoSuchIncident, None)));
}

#[test]
fn an_offer_and_a_taking_of_command_and_every_change_of_phase_mark_it() {
    let document = || written(7, &[(Part::Summary, 5, "it burns"), (Part::Status, 7, "in eu")]);
    let mark = || marked(7, &[(Part::Summary, 5, Some("it burns")), (Part::Status, 7, Some("in eu"))]);
    let marks = |given: Given, who, command: Command| {
        assert!(command.marks_document(), "the executor is told by {command:?}");
        let marked = given.written(document()).when(who, command);
        marked.accepted_with(|decision| assert_eq!(decision.here.last(), Some(&mark())))
    };
    let set = |phase: &str| cmd("set_phase", json!({ "phase": phase }));
    let offered = || given([opened(), joined(SABRINA), offered("command", SABRINA, MARY)]);
    marks(given([investigating()]), MARY, plain("declare"));
    marks(given([opened(), joined(SABRINA)]), MARY, offer("command", SABRINA));
    marks(offered(), SABRINA, take_command(3));
    marks(given([opened()]), MARY, set("mitigated"));
    marks(given([opened(), phase(Phase::Resolved)]), MARY, set("closed"));
    marks(given([opened(), phase(Phase::Resolved), closed(MARY)]), SABRINA, plain("reopen"));
    let gone = given([opened(), joined(SABRINA)]).deactivated(MARY);
    marks(gone, SABRINA, assume(wardroom_core::absence::Grounds::Unseen));
}

#[test]
fn nothing_else_marks_it() {
    let document = || written(7, &[(Part::Summary, 5, "it burns")]);
    let others = [
        offer("operations", SABRINA),
        cmd("note", json!({"text": "x"})),
        cmd("set_severity", json!({"severity": "sev1"})),
        still(&["summary"]),
    ];
    for command in others {
        assert!(!command.marks_document(), "{command:?}");
        let asked = given([opened(), joined(SABRINA)]).written(document()).when(MARY, command);
        asked.accepted_with(|decision| assert_eq!(decision.here.len(), 1, "{decision:?}"));
    }
    // Being held back moves nothing: the mark comes with the taking.
    given([opened(), joined(SABRINA), offered("command", SABRINA, MARY), severity(Severity::Sev1)])
        .written(document())
        .when(SABRINA, take_command(3))
        .accepted_with(|decision| assert!(matches!(decision.here[..], [Event::TakingHeldBack { .. }])));
}

#[test]
fn a_mark_keeps_the_words_of_what_is_new_and_points_at_the_others() {
    let set = |phase: &str| cmd("set_phase", json!({ "phase": phase }));
    let mark = |given: Given, written: Written, to: &str| given.written(written).when(MARY, set(to)).accepted();
    let given = mark(given([opened()]), written(3, &[(Part::Summary, 3, "it burns")]), "mitigated");
    assert_eq!(given.history.len(), 3);
    let given = mark(given, written(3, &[(Part::Summary, 3, "it burns")]), "active");
    assert_eq!(given.history.len(), 4, "nothing was written since: the mark before stands");
    let given = given.and([noted("x")]);
    let now = written(9, &[(Part::Summary, 3, "it burns"), (Part::Status, 9, "in eu")]);
    let given = mark(given, now, "mitigated");
    let last = given.history.last().map(|recorded| recorded.event.to_stored().1);
    let body = last.expect("a mark");
    assert_eq!(body["parts"]["summary"], json!({"changed": 3}));
    assert_eq!(body["parts"]["status"]["text"]["words"], "in eu");
    let document = given.state().document;
    let words_in = |entry| document.as_of(Entry(entry)).map(|mark| (mark.entry.0, mark.words_in.clone()));
    assert_eq!(words_in(2), None);
    assert_eq!(words_in(5), Some((3, [(Part::Summary, Entry(3))].into())));
    assert_eq!(words_in(7), Some((7, [(Part::Summary, Entry(3)), (Part::Status, Entry(7))].into())));
}

#[test]
fn what_was_never_written_is_not_marked() {
    given([opened()])
        .written(Written::default())
        .when(MARY, cmd("set_phase", json!({"phase": "mitigated"})))
        .then([Event::PhaseSet { from: Phase::Active, to: Phase::Mitigated, reason: None }]);
}
