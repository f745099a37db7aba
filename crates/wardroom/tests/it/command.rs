//! A person runs an incident from the terminal: every line of the contract's shortest paths.

use crate::house::House;
use crate::on_both;

on_both!(an_incident_from_the_terminal, the_briefing_is_shown_before_command_is_taken);

fn an_incident_from_the_terminal(house: House) {
    let [mary, sabrina] = ["mary", "sabrina"].map(|handle| house.person(handle));
    let server = house.serve();
    let said = server.say(&mary, &["declare", "Search is failing", "--severity", "sev1", "--service", "search"]);
    assert!(said.contains("Incident #1 is declared and you have command"), "{said}");
    assert!(server.say(&sabrina, &["join", "1"]).contains("Sabrina is here"));
    server.say(&mary, &["offer", "1", "operations", "sabrina"]);
    let next = server.say(&sabrina, &["next"]);
    assert!(next.contains("mary offers you operations") && next.trim().lines().count() == 1, "{next}");
    assert!(server.say(&sabrina, &["take", "1", "operations"]).contains("Sabrina took operations"));
    server.say(&sabrina, &["doing", "1", "draining traffic"]);
    server.say(&sabrina, &["roadblock", "1", "The quota needs the capacity desk"]);
    assert!(server.say(&mary, &["next"]).contains("wardroom clear 1 1"));
    server.say(&mary, &["clear", "1", "1", "they raised it"]);
    server.say(&sabrina, &["note", "1", "First cluster is warm", "--at", "2026-01-01T00:00:00Z", "--pin"]);
    let shown = server.say(&mary, &["show", "1"]);
    for part in ["sev1 #1 Search is failing", "commander Mary", "affects search", "draining traffic", "with Mary"] {
        assert!(shown.contains(part), "“{part}” is missing in:\n{shown}");
    }
    let timeline = server.say(&mary, &["timeline", "1"]);
    assert!(timeline.contains("Sabrina (2026-01-01 00:00 UTC back-dated): First cluster is warm"), "{timeline}");
    assert!(server.say(&mary, &["list"]).contains("Search is failing"));
    let refused = server.verb(&sabrina, &["severity", "1", "sev3"]);
    let told = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(told.contains("who could: mary") && told.contains("try: wardroom ask 1 command"), "{told}");
    for phase in ["mitigated", "resolved", "closed"] {
        server.say(&mary, &["phase", "1", phase]);
    }
    assert!(server.say(&sabrina, &["reopen", "1"]).contains("Sabrina reopened the incident and has command"));
    assert_eq!(house.verify()["holds"], true);
}

fn the_briefing_is_shown_before_command_is_taken(house: House) {
    let [mary, sabrina] = ["mary", "sabrina"].map(|handle| house.person(handle));
    let server = house.serve();
    server.say(&mary, &["declare", "Search is failing"]);
    server.say(&mary, &["offer", "1", "command", "sabrina"]);
    let unasked = server.verb(&sabrina, &["take", "1", "command"]);
    assert_eq!(unasked.status.code(), Some(1), "without a terminal nobody acknowledges anything");
    assert_eq!(server.commander(&mary, 1), "mary");
    let said = server.say(&sabrina, &["take", "1", "command", "--yes"]);
    assert!(said.contains("Briefing, up to entry 2") && said.contains("Sabrina has command from Mary"), "{said}");
    server.say(&sabrina, &["offer", "1", "command", "mary"]);
    assert!(server.say(&mary, &["take", "1", "command", "--briefed-by-voice"]).contains("briefed by voice"));
}

#[test]
fn a_reader_that_stops_early_and_a_token_for_ever_are_no_crash() {
    let house = House::on_sqlite();
    house.person("mary");
    let refused = house.console(&["token", "create", "mary", "--days", "4294967295"]);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("1 to 3660 days") && said.lines().count() == 1, "{said}");
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_wardroom"))
        .arg("openapi")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}
