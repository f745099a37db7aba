//! `wardroom run` and the signals that ask for an end: the command has them once, and what came of it is told.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::house::{House, WARDROOM};
use crate::run_offline::ground::{Ground, said};
use crate::typed::Terminal;
use crate::wait;

/// Starts a program that has no terminal, and ignores these signals.
const APART: &str = r#"
import os, signal, sys
for each in "HUP", "INT", "QUIT", "TERM":
    ignored = each in sys.argv[1].split()
    signal.signal(getattr(signal, "SIG" + each), signal.SIG_IGN if ignored else signal.SIG_DFL)
os.setsid()
os.execvp(sys.argv[2], sys.argv[2:])
"#;

/// Runs a script without a terminal.
fn apart(ground: &Ground, script: &str) -> Child {
    apart_with(ground, "", &["--", "sh", "-c", script])
}

/// The same, with more said of the run, and where these signals are ignored.
fn apart_with(ground: &Ground, ignored: &str, run: &[&str]) -> Child {
    let mut command = Command::new("python3");
    command.args(["-c", APART, ignored, WARDROOM, "run", "1"]).args(run);
    command.env("WARDROOM_URL", &ground.gate.url).env("WARDROOM_TOKEN", &ground.sabrina).env("NO_COLOR", "1");
    command.env("WARDROOM_STATE", &ground.state).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn send(signal: &str, to: impl ToString) {
    let sent = Command::new("kill").args([&format!("-{signal}"), "--", &to.to_string()]).status().unwrap();
    assert!(sent.success(), "{signal}");
}

fn words(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

/// The files of a story, by these names.
fn files<const N: usize>(house: &House, names: [&str; N]) -> [PathBuf; N] {
    names.map(|name| house.folder().join(name))
}

/// The record of the only run that is kept.
fn record(ground: &Ground) -> Option<Value> {
    let kept = ground.kept();
    let [folder] = kept.as_slice() else { return None };
    serde_json::from_str(&words(&folder.join("record.json"))).ok()
}

fn sole<T: std::fmt::Debug>(all: Vec<T>) -> T {
    let [one] = <[T; 1]>::try_from(all).unwrap();
    one
}

#[test]
fn what_comes_to_wardroom_alone_ends_all_that_the_command_started() {
    let house = House::on_sqlite();
    let ground = Ground::of(&house);
    for (round, (signal, number)) in [("TERM", 15), ("HUP", 1), ("INT", 2), ("QUIT", 3)].into_iter().enumerate() {
        let [begun] = files(&house, [signal]);
        let script = format!("sh -c ': > {}; exec sleep 600'; true", begun.display());
        let running = apart(&ground, &script);
        wait::until("it runs", || begun.exists().then_some(()));
        send(signal, running.id());
        let (code, _, errors) = said(&running.wait_with_output().unwrap());
        assert_eq!(code, Some(128 + number), "{signal}: {errors}");
        assert!(errors.contains("It may have changed something."), "{errors}");
        assert_eq!((&ground.changes()[round]["state"], ground.kept().len()), (&json!("done"), 0), "{signal}");
        let told = ground.evidence().pop().unwrap().1;
        assert!(told.contains(&format!("ended by signal {number} ")), "{told}");
        assert!(!told.contains("something that it left running"), "{told}");
    }
}

/// As `nohup` leaves hang-ups, and a shell without job control the keys' signals to what it starts with `&`.
#[test]
fn what_is_started_with_signals_ignored_ends_of_none_of_them() {
    let house = House::on_sqlite();
    let ground = Ground::of(&house);
    for (round, ignored) in ["HUP", "INT QUIT", "TERM"].into_iter().enumerate() {
        let [begun, go] = files(&house, [&format!("begun-{round}"), &format!("go-{round}")]);
        let script =
            format!("echo $$ > {begun}; while [ ! -e {} ]; do sleep 0.05; done", go.display(), begun = begun.display());
        let running = apart_with(&ground, ignored, &["--", "sh", "-c", &script]);
        let command = wait::until("it runs", || words(&begun).strip_suffix('\n').map(str::to_owned));
        for signal in ignored.split(' ') {
            send(signal, running.id());
            send(signal, &command);
        }
        fs::write(&go, "").unwrap();
        let (code, _, errors) = said(&running.wait_with_output().unwrap());
        assert_eq!((code, &ground.changes()[round]["state"]), (Some(0), &json!("done")), "{ignored}: {errors}");
        assert!(ground.evidence().pop().unwrap().1.contains("\nexit code 0 "), "{ignored}");
    }
}

/// Of what is to be delivered there is something to say, too, and nobody hears it.
#[test]
fn where_nobody_hears_what_is_said_it_ends_as_the_command_did() {
    let house = House::on_sqlite();
    let ground = Ground::of(&house);
    let robin = house.person("robin");
    for (round, json) in [false, true].into_iter().enumerate() {
        ground.gate.shut();
        assert_eq!(ground.offline(&ground.sabrina, "true").0, Some(0));
        assert_eq!(ground.say(&robin, &["run", "1", "--offline", "--look", "--", "true"]).0, Some(0));
        let [begun, go] = files(&house, [&format!("begun-{round}"), &format!("go-{round}")]);
        let script = format!(": > {}; while [ ! -e {} ]; do sleep 0.05; done; exit 7", begun.display(), go.display());
        ground.gate.open();
        let more: &[&str] = if json { &["--json"] } else { &[] };
        let mut running = apart_with(&ground, "", &[more, &["--", "sh", "-c", &script]].concat());
        wait::until("it runs", || begun.exists().then_some(()));
        drop((running.stdout.take(), running.stderr.take()));
        fs::write(&go, "").unwrap();
        assert_eq!(running.wait().unwrap().code(), Some(7), "{json}");
        // What is Robin's is left.
        assert_eq!((ground.changes().len(), ground.kept().len()), (2 * (round + 1), round + 1));
    }
    // So does what is refused, and runs nothing.
    let mut refused = ground.typed(&robin, &["run", "1", "--json", "--", "true"]).spawn().unwrap();
    drop((refused.stdout.take(), refused.stderr.take()));
    assert_eq!(refused.wait().unwrap().code(), Some(1));
}

/// A command in a terminal, which tells of each signal in a file, and reads a line there before.
fn in_a_terminal(house: &House, ground: &Ground) -> (Terminal, PathBuf, String) {
    let [heard, parent] = files(house, ["heard", "parent"]);
    let (tells, from) = (heard.display(), parent.display());
    let script = format!(
        "echo $PPID > {from}; trap 'echo int >> {tells}' INT; trap 'echo term >> {tells}; kill $pid; exit 3' TERM; \
         printf 'Password: ' > /dev/tty; read word < /dev/tty; echo $word > {tells}; \
         sleep 600 & pid=$!; while :; do wait $pid; done"
    );
    let state = ground.state.display().to_string();
    let variables =
        [("WARDROOM_URL", &*ground.gate.url), ("WARDROOM_TOKEN", &ground.sabrina), ("WARDROOM_STATE", &state)];
    let mut terminal = Terminal::open(&["run", "1", "--", "sh", "-c", &script], &variables);
    terminal.see("Password: ");
    terminal.line("hunter22");
    wait::until("it reads", || words(&heard).ends_with('\n').then_some(()));
    (terminal, heard, words(&parent).trim().to_owned())
}

#[test]
fn in_a_terminal_it_reads_there_and_has_what_is_typed_once() {
    let house = House::on_sqlite();
    let ground = Ground::of(&house);
    let (mut terminal, heard, wardroom) = in_a_terminal(&house, &ground);
    terminal.press("\u{3}");
    wait::until("it hears of it", || words(&heard).contains("int\n").then_some(()));
    send("TERM", wardroom);
    let (code, shown) = terminal.end();
    assert_eq!((code, words(&heard).as_str()), (3, "hunter22\nint\nterm\n"), "{shown}");
    assert!(shown.contains("It may have changed something."), "{shown}");
    assert!(sole(ground.evidence()).1.contains("was interrupted: exit code 3"));
}

#[test]
fn what_was_hung_up_is_told() {
    let house = House::on_sqlite();
    let ground = Ground::of(&house);
    let (terminal, ..) = in_a_terminal(&house, &ground);
    drop(terminal);
    // Whether it is kept meanwhile depends on what is heard of first, the signal or the command's end. This is told last.
    wait::until("it is told", || (sole(ground.changes())["state"] == "done").then_some(()));
    let told = sole(ground.evidence());
    assert!(told.1.contains("ended by signal 1 "), "{told:?}");
    wait::until("nothing is left", || ground.kept().is_empty().then_some(()));
}

#[test]
fn whoever_asks_for_an_end_twice_loses_nothing() {
    let house = House::on_sqlite();
    let ground = Ground::of(&house);
    let [begun] = files(&house, ["begun"]);
    let running = apart(&ground, &format!("echo halfway; : > {}; exec sleep 600", begun.display()));
    wait::until("it runs", || begun.exists().then_some(()));
    ground.gate.fall_silent();
    send("TERM", running.id());
    wait::until("its end is kept", || record(&ground).filter(|record| record["ended"]["code"] == 143));
    send("TERM", running.id());
    let (code, _, errors) = said(&running.wait_with_output().unwrap());
    assert_eq!((code, ground.kept().len()), (Some(143), 1), "{errors}");
    assert!(errors.contains("kept on this machine") && errors.contains("wardroom run --deliver"), "{errors}");
    ground.gate.open();
    let (code, out, errors) = ground.deliver(&ground.sabrina);
    assert_eq!((code, ground.kept().len()), (Some(0), 0), "{out}{errors}");
    let change = sole(ground.changes());
    assert_eq!(change["state"], "done");
    assert!(change["note"].as_str().unwrap().starts_with("ended by signal 15 "), "{change}");
    let (name, told) = sole(ground.evidence());
    assert!(name == "change-1.txt" && told.contains("ended by signal 15 ") && told.contains("halfway"), "{told}");
}

#[test]
fn whoever_asks_for_an_end_while_it_is_told_waits_for_nothing_and_it_is_told_once() {
    let house = House::on_sqlite();
    let ground = Ground::of(&house);
    for (round, step) in ["/evidence?", "confirm_change"].into_iter().enumerate() {
        ground.gate.hold_back_the_answer_to(step);
        let running = apart(&ground, &format!("echo rolled back {round}"));
        // The server has it, and nobody will hear so.
        ground.gate.holds_back();
        send("TERM", running.id());
        let (code, _, errors) = said(&running.wait_with_output().unwrap());
        assert_eq!((code, ground.kept().len()), (Some(0), 1), "{errors}");
        ground.gate.open();
        let (code, out, errors) = ground.deliver(&ground.sabrina);
        assert_eq!((code, ground.kept().len()), (Some(0), 0), "{out}{errors}");
        let changes = ground.changes();
        assert_eq!((changes.len(), ground.evidence().len()), (round + 1, round + 1), "{step}");
        let change = &changes[round];
        assert_eq!((&change["state"], change["evidence"].is_u64()), (&json!("done"), true), "{step}: {change}");
    }
}

/// As whatever stops a service does with what does not end when it is asked to.
#[test]
fn what_is_killed_after_it_was_asked_for_an_end_is_told_as_one_whose_end_nobody_saw() {
    let house = House::on_sqlite();
    let ground = Ground::of(&house);
    let [begun] = files(&house, ["begun"]);
    let script =
        format!("trap '' TERM; : > {begun}; while [ -e {begun} ]; do sleep 0.05; done", begun = begun.display());
    let mut running = apart(&ground, &script);
    wait::until("it runs", || begun.exists().then_some(()));
    send("TERM", running.id());
    wait::until("it is kept", || record(&ground));
    running.kill().unwrap();
    running.wait().unwrap();
    fs::remove_file(&begun).unwrap();
    let (code, out, errors) = ground.deliver(&ground.sabrina);
    assert_eq!((code, ground.kept().len()), (Some(0), 0), "{out}{errors}");
    assert!(out.contains("Say how far it came"), "{out}");
    assert_eq!(sole(ground.changes())["state"], "announced");
    let told = sole(ground.evidence()).1;
    assert!(told.starts_with("$ sh -c ") && told.ends_with("nobody saw its end\n"), "{told}");
}
