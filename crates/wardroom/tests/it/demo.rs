//! The demo plays from end to end, in a terminal and without one, and its record holds.

use std::process::{Command, Stdio};

use crate::house::House;
use crate::typed::Terminal;

#[test]
fn the_demo_plays_to_its_end() {
    let output = Command::new(env!("CARGO_BIN_EXE_wardroom")).arg("demo").stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    for line in [
        "Mary declared the incident; Mary is the commander",
        "Sabrina has command from Mary, briefed by voice",
        "Mary took operations",
        "Sabrina offers command to Jennifer (you)",
        "sabrina offers you command",
        "Jennifer (you) has command from Sabrina, briefed up to entry",
        "mary is held back once",
        "Mary has command from Jennifer (you)",
        "Mary closed the incident",
        "The record holds",
    ] {
        assert!(said.contains(line), "“{line}” is missing in:\n{said}");
    }
}

#[test]
fn the_demo_hands_command_to_whoever_is_at_the_terminal() {
    let mut terminal = Terminal::open(&["demo", "--quick"], &[("NO_COLOR", "1")]);
    terminal.see("Sabrina offers command to Jennifer (you)");
    terminal.see("sabrina offers you command");
    let briefing = terminal.see("Say “I have command” to take it");
    assert!(
        briefing.contains("Briefing, up to entry") && briefing.contains("the capacity desk raised it"),
        "{briefing}"
    );
    terminal.line("I have command");
    terminal.see("Jennifer (you) has command from Sabrina, briefed up to entry");
    terminal.see("You have command. Sabrina can go home.");
    terminal.see("To whom? mary, josephine, robin or malcolm [mary]:");
    terminal.line("Robin");
    terminal.see("Jennifer (you) offers command to Robin");
    terminal.see("robin is held back once");
    terminal.see("Robin has command from Jennifer (you)");
    terminal.see("The record holds");
    assert_eq!(terminal.end().0, 0);
}

/// What the README promises, at the pace at which people read along; told by what the record itself says, from the
/// first of the cast to the offer.
#[test]
fn within_a_minute_the_demo_offers_command_to_whoever_is_at_the_terminal() {
    let house = House::on_sqlite();
    let data = house.data();
    let mut terminal = Terminal::open(&["demo", "--data", data.to_str().unwrap()], &[("NO_COLOR", "1")]);
    terminal.see("sabrina offers you command");
    terminal.see("Say “I have command” to take it");
    let recorded = |event: &str| {
        let micros: i64 = house.ask(&format!("SELECT {event}")).parse().unwrap();
        jiff::Timestamp::from_microsecond(micros).unwrap()
    };
    let begun = recorded("min(at) FROM events");
    let offered = recorded("max(at) FROM events WHERE kind = 'role_offered'");
    assert_eq!(offered, recorded("max(at) FROM events"), "the offer is what happened last");
    let after = offered.duration_since(begun);
    assert!(after <= jiff::SignedDuration::from_mins(1), "it took {after:#}");
    terminal.line("I have command");
    terminal.see("Jennifer (you) has command from Sabrina, briefed up to entry");
}

#[test]
fn the_demo_goes_on_when_command_is_left_at_first() {
    let mut terminal = Terminal::open(&["demo", "--quick"], &[]);
    terminal.see("Say “I have command” to take it");
    terminal.line("not yet");
    terminal.see("You left it with Sabrina.");
    terminal.see("Press Enter to take it now");
    terminal.line("");
    terminal.see("Jennifer (you) has command from Sabrina, briefed by voice");
    terminal.see("To whom?");
    terminal.line("");
    terminal.see("Mary has command from Jennifer (you)");
    terminal.see("The record holds");
    assert_eq!(terminal.end().0, 0);
}

/// The variables name somebody's own store, which is not to be played in.
#[test]
fn the_demo_stays_out_of_the_store_that_the_variables_name() {
    let folder = tempfile::tempdir().unwrap();
    let (own, kept) = (folder.path().join("own"), folder.path().join("kept"));
    let variables = [("WARDROOM_DATA", own.to_str().unwrap())];
    let played = House::wardroom(&["demo", "--json", "--data", kept.to_str().unwrap()], &variables);
    let answer: serde_json::Value = serde_json::from_slice(&played.stdout).unwrap();
    assert_eq!((played.status.code(), &answer["incident"]), (Some(0), &1.into()));
    assert!(House::wardroom(&["demo"], &variables).status.success());
    assert!(kept.join("wardroom.db").exists() && !own.exists());
}
