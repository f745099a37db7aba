//! Taking command in a real terminal: the briefing is read, and the acknowledgement is typed.

use crate::house::{House, Server};
use crate::on_both;

const QUESTION: &str = "Say “I have command” to take it";

on_both!(
    the_acknowledgement_takes_command,
    anything_else_leaves_it,
    what_happened_meanwhile_is_shown_before_it_is_asked_again,
    briefed_by_voice_is_not_asked,
    without_a_terminal_nobody_acknowledges
);

/// Mary commands and offers it to Sabrina.
fn offered(house: &House) -> (Server, String, String) {
    let [mary, sabrina] = ["mary", "sabrina"].map(|handle| house.person(handle));
    let server = house.serve();
    server.say(&mary, &["declare", "Search is failing"]);
    server.say(&mary, &["offer", "1", "command", "sabrina"]);
    (server, mary, sabrina)
}

fn the_acknowledgement_takes_command(house: House) {
    let (server, mary, sabrina) = offered(&house);
    for (said, taker, from, to) in
        [("I have command", &sabrina, "Mary", "Sabrina"), ("“i have command.”", &mary, "Sabrina", "Mary")]
    {
        let mut terminal = server.terminal(taker, &["take", "1", "command"], &[]);
        let briefing = terminal.see(QUESTION);
        assert!(briefing.contains("WHAT MATTERS, SO FAR") && briefing.contains("Search is failing"), "{briefing}");
        assert_eq!(server.commander(&mary, 1), from.to_lowercase(), "an offer that is read moves nothing");
        terminal.line(said);
        let (code, shown) = terminal.end();
        assert!(code == 0 && shown.contains(&format!("{to} has command from {from}, briefed up to entry")), "{shown}");
        assert_eq!(server.commander(&mary, 1), to.to_lowercase());
        if to == "Sabrina" {
            server.say(&sabrina, &["offer", "1", "command", "mary"]);
        }
    }
}

fn anything_else_leaves_it(house: House) {
    let (server, mary, sabrina) = offered(&house);
    for keys in ["no\n", "\n", "I do not have command\n", "\u{4}"] {
        let mut terminal = server.terminal(&sabrina, &["take", "1", "command"], &[]);
        terminal.see(QUESTION);
        terminal.press(keys);
        let (code, shown) = terminal.end();
        assert!(code == 0 && shown.contains("Command stays where it is."), "{keys:?}: {shown}");
        assert!(shown.contains("wardroom decline 1 command"), "{keys:?}: {shown}");
        assert_eq!(server.commander(&mary, 1), "mary");
    }
    assert_eq!(server.kinds(&mary, 1), ["opened", "role_offered"], "nothing of it is an event");
}

fn what_happened_meanwhile_is_shown_before_it_is_asked_again(house: House) {
    let (server, mary, sabrina) = offered(&house);
    let mut terminal = server.terminal(&sabrina, &["take", "1", "command"], &[("NO_COLOR", "1")]);
    terminal.see(QUESTION);
    server.say(&mary, &["note", "1", "a note does not matter to a commander"]);
    server.say(&mary, &["severity", "1", "sev1", "--reason", "all users"]);
    terminal.line("I have command");
    terminal.see("One thing that matters happened since your briefing.");
    let new = terminal.see(QUESTION);
    assert!(new.contains("4  Mary changed the severity from sev2 to sev1: all users"), "{new}");
    assert_eq!(new.matches(" Mary ").count(), 1, "exactly what is new:\n{new}");
    assert_eq!(server.commander(&mary, 1), "mary", "held back until it was seen");
    // She is not held back again, and what she has still not seen stands first.
    server.say(&mary, &["severity", "1", "sev3", "--reason", "hardly anybody"]);
    terminal.line("yes");
    let (code, shown) = terminal.end();
    assert!(code == 0 && shown.contains("Sabrina has command from Mary"), "{shown}");
    let (_, first) = shown.split_once("Look at this first.").unwrap_or_else(|| panic!("nothing comes first: {shown}"));
    assert!(first.contains("Mary changed the severity from sev1 to sev3: hardly anybody"), "{first}");
    assert_eq!(first.matches(" Mary ").count(), 1, "exactly what she had not seen:\n{first}");
    assert_eq!(server.commander(&mary, 1), "sabrina");
}

fn briefed_by_voice_is_not_asked(house: House) {
    let (server, mary, sabrina) = offered(&house);
    let (code, shown) = server.terminal(&sabrina, &["take", "1", "command", "--briefed-by-voice"], &[]).end();
    assert_eq!(code, 0, "{shown}");
    assert!(
        shown.contains("Sabrina has command from Mary, briefed by voice") && !shown.contains("Briefing"),
        "{shown}"
    );
    assert_eq!(server.commander(&mary, 1), "sabrina");
}

fn without_a_terminal_nobody_acknowledges(house: House) {
    let (server, mary, sabrina) = offered(&house);
    for flags in [&[][..], &["--json"]] {
        let output = server.verb(&sabrina, &[&["take", "1", "command"], flags].concat());
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(told.contains("use --yes or --briefed-by-voice"), "{told}");
    }
    assert_eq!(server.commander(&mary, 1), "mary");
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let house = House::on_sqlite();
    let mary = house.person("mary");
    let server = house.serve();
    server.say(&mary, &["declare", "Search is failing"]);
    for (variables, coloured) in [(&[][..], true), (&[("NO_COLOR", "")], true), (&[("NO_COLOR", "1")], false)] {
        for verb in ["show", "timeline", "briefing"] {
            let (code, shown) = server.terminal(&mary, &[verb, "1"], variables).end();
            assert!(code == 0 && shown.contains("Search is failing"), "{shown}");
            assert_eq!(shown.contains("\u{1b}["), coloured, "{verb} with {variables:?}: {shown:?}");
        }
    }
    for arguments in [&["show", "1"][..], &["timeline", "1"], &["briefing", "1"], &["--help"], &["sing"]] {
        let variables = [("WARDROOM_URL", server.url.as_str()), ("WARDROOM_TOKEN", &mary)];
        let piped = House::wardroom(arguments, &variables);
        let said = [piped.stdout, piped.stderr].concat();
        assert!(!said.is_empty() && !said.contains(&0x1b), "{arguments:?}: {}", String::from_utf8_lossy(&said));
    }
}
