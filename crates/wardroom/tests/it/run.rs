//! `wardroom run`: refused before it starts, or announced, seen, kept and told.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use serde_json::{Value, json};

use crate::house::{House, Server};
use crate::staffed::{fill, narrow};
use crate::{on_both, wait};

on_both!(
    a_command_of_operations_is_announced_seen_kept_and_told,
    whoever_is_not_of_operations_runs_nothing_and_may_look,
    how_it_ended_is_told_as_it_was,
    what_is_interrupted_may_have_changed_something,
    what_it_says_is_seen_while_it_runs,
    nobody_looks_who_could_not_keep_what_they_see,
    what_is_said_beside_a_command_leaves_without_secrets,
    whoever_waits_for_permission_goes_on_once_operations_are_theirs,
    without_room_for_what_it_said_it_is_told_how_it_went,
);

/// Mary commands, Sabrina has operations.
fn staffed(house: &House) -> (Server, String, String, u64) {
    staffed_by(house, House::serve)
}

/// The same, of a server that is started so.
fn staffed_by(house: &House, serve: impl FnOnce(&House) -> Server) -> (Server, String, String, u64) {
    let [mary, sabrina] = ["mary", "sabrina"].map(|handle| house.person(handle));
    let server = serve(house);
    let declared = json!({ "title": "Search is failing", "services": ["search"] });
    let (_, answer) = server.post(&mary, "/api/v1/incidents", declared);
    let n = answer["incident"].as_u64().unwrap();
    server.done(&sabrina, n, json!({ "command": "join" }));
    server.done(&mary, n, json!({ "command": "offer_role", "role": "operations", "to": { "person": "sabrina" } }));
    server.done(&sabrina, n, json!({ "command": "take_role", "role": "operations" }));
    (server, mary, sabrina, n)
}

fn changes(server: &Server, token: &str, n: u64) -> Vec<Value> {
    let (status, ledger) = server.get(token, &format!("/api/v1/incidents/{n}/changes"));
    assert_eq!(status, 200, "{ledger}");
    ledger["changes"].as_array().unwrap().clone()
}

/// The words of the evidence that was attached last.
fn transcript(server: &Server, token: &str, n: u64) -> String {
    let (_, events) = server.get(token, &format!("/api/v1/incidents/{n}/events"));
    let attached =
        events["entries"].as_array().unwrap().iter().rfind(|one| one["kind"] == "evidence_attached").cloned();
    let sha256 = attached.unwrap()["body"]["sha256"].as_str().unwrap().to_owned();
    let bytes = server.verb(token, &["evidence", "get", &n.to_string(), &sha256]).stdout;
    String::from_utf8(bytes).unwrap()
}

fn told(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

fn a_command_of_operations_is_announced_seen_kept_and_told(house: House) {
    let (server, _, sabrina, n) = staffed(&house);
    let script = "echo rolled back; echo password=hunter22; echo careful >&2; echo $WARDROOM_TOKEN";
    let ran = server.verb(&sabrina, &["run", "--undo", "deploy v12", "--why", "v12 leaks", "--", "sh", "-c", script]);
    let (out, errors) = told(&ran);
    assert_eq!(ran.status.code(), Some(0), "{errors}");
    // Whoever runs it sees all of it, as it is.
    assert_eq!(out, format!("rolled back\npassword=hunter22\n{sabrina}\n"));
    assert!(errors.contains("change 1 of incident #1 is announced") && errors.contains("careful\n"), "{errors}");
    let change = &changes(&server, &sabrina, n)[0];
    assert_eq!(
        (&change["state"], &change["service"], &change["back"]),
        (&json!("done"), &json!("search"), &json!("deploy v12"))
    );
    assert!(
        change["what"].as_str().unwrap().starts_with("sh -c 'echo rolled back; echo password=[masked]"),
        "{change}"
    );
    assert!(change["note"].as_str().unwrap().starts_with("exit code 0 after "), "{change}");
    // Who said how it went, and what shows it, stands wherever the ledger is read.
    let shown = format!(" (evidence: entry {})", change["evidence"].as_u64().unwrap());
    let ledger = server.say(&sabrina, &["changes", "1"]);
    assert!(ledger.contains("done, says Sabrina, ") && ledger.contains(&shown), "{ledger}");
    let (_, sheet) = server.get(&sabrina, &format!("/api/v1/incidents/{n}/document.md"));
    let sheet = sheet.as_str().unwrap_or_default();
    assert!(sheet.contains("done, says Sabrina, ") && sheet.contains(&shown), "{sheet}");
    // What leaves the machine has no secret in it.
    let kept = transcript(&server, &sabrina, n);
    assert!(kept.contains("--- output ---\nrolled back\npassword=[masked]\n[masked]\n"), "{kept}");
    assert!(kept.contains("--- errors ---\ncareful\n"), "{kept}");
    let all = server.get(&sabrina, &format!("/api/v1/incidents/{n}/events")).1.to_string();
    assert!(!all.contains("hunter22") && !all.contains(&sabrina), "{all}");

    let arguments = ["run", "1", "--what", "drained eu-1", "--service", "frontend", "--mask", "cell-[0-9]+", "--json"];
    let ran = server.verb(&sabrina, &[&arguments[..], &["--", "echo", "cell-7"]].concat());
    let (out, errors) = told(&ran);
    let answer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&answer["change"], &answer["outcome"], &answer["exit_code"]), (&json!(2), &json!("done"), &json!(0)));
    assert!(errors.contains("cell-7"), "{errors}");
    let change = &changes(&server, &sabrina, n)[1];
    assert_eq!((&change["what"], &change["how"]), (&json!("drained eu-1"), &json!("echo [masked]")));
    assert_eq!(change["service"], "frontend");
}

fn whoever_is_not_of_operations_runs_nothing_and_may_look(house: House) {
    let (server, mary, sabrina, n) = staffed(&house);
    let file = house.folder().join("started");
    let touch = ["--", "touch", file.to_str().unwrap()];
    let ran = server.verb(&mary, &[&["run", "1"][..], &touch].concat());
    let (_, errors) = told(&ran);
    assert_eq!(ran.status.code(), Some(1), "{errors}");
    assert!(
        errors.contains("who could: sabrina")
            && errors.contains("run it with --ask, or, if it cannot wait, with --break-glass"),
        "{errors}"
    );
    assert!(!file.exists(), "it was run");
    assert_eq!(changes(&server, &mary, n), Vec::<Value>::new());
    // Looking changes nothing, and is kept.
    let looked = server.verb(&mary, &["run", "--look", "--", "echo", "5 pods"]);
    assert_eq!(told(&looked).0, "5 pods\n");
    assert!(transcript(&server, &mary, n).starts_with("$ echo '5 pods'\nexit code 0 after "));
    // Whoever sees the same has seen it themselves.
    server.say(&sabrina, &["run", "--look", "--", "echo", "5 pods"]);
    let kept = server.say(&mary, &["evidence", "list", "1"]);
    assert!(kept.contains("by Mary") && kept.contains("by Sabrina"), "{kept}");
    assert_eq!(changes(&server, &mary, n), Vec::<Value>::new());
    // Whoever names none where several are open is told which there are, and nothing is run.
    server.declare(&sabrina, "Another");
    let ran = server.verb(&sabrina, &[&["run"][..], &touch].concat());
    assert_eq!(ran.status.code(), Some(2));
    assert!(told(&ran).1.contains("#2 Another"), "{}", told(&ran).1);
    assert!(!file.exists(), "it was run");
}

fn how_it_ended_is_told_as_it_was(house: House) {
    let (server, _, sabrina, n) = staffed(&house);
    let ran = server.verb(&sabrina, &["run", "1", "--", "sh", "-c", "echo no quota >&2; exit 7"]);
    assert_eq!(ran.status.code(), Some(7));
    let (_, errors) = told(&ran);
    // What it left behind nobody knows: the service may differ by it, until operations have looked.
    assert!(errors.contains("change 1 stands as done, with entry ") && errors.contains("exit code 7"), "{errors}");
    assert!(errors.contains("If it changed nothing, operations say so: wardroom change 1 failed 1."), "{errors}");
    let (_, view) = server.get(&sabrina, &format!("/api/v1/incidents/{n}"));
    assert_eq!(view["differing"][0]["changes"], json!([1]), "{view}");
    let change = &changes(&server, &sabrina, n)[0];
    let note = change["note"].as_str().unwrap();
    assert!(note.starts_with("exit code 7 after ") && note.ends_with(", and may have changed something"), "{change}");
    assert!(change["evidence"].is_u64(), "{change}");
    let told_as = server.verb(&sabrina, &["run", "1", "--json", "--", "sh", "-c", "exit 3"]);
    let answer: Value = serde_json::from_str(&told(&told_as).0).unwrap();
    assert_eq!((&answer["outcome"], &answer["exit_code"]), (&json!("broke_off"), &json!(3)), "{answer}");
    // What turns out to have changed nothing is said so.
    server.say(&sabrina, &["change", "1", "failed", "2", "it stopped at its first line"]);
    // What it leaves running holds nobody up.
    let began = Instant::now();
    let left = server.verb(&sabrina, &["run", "--look", "--", "sh", "-c", "sleep 600 & echo $!"]);
    wait::came_soon("its end", began);
    let (out, _) = told(&left);
    assert!(Command::new("kill").arg(out.trim()).status().unwrap().success());
    assert!(transcript(&server, &sabrina, n).contains("[something that it left running may say more]"));
    // What cannot be run has changed nothing, and nobody waits to hear how it went.
    let missing = server.verb(&sabrina, &["run", "1", "--", "no-such-command-here"]);
    assert_eq!(missing.status.code(), Some(2));
    let wrong = server.verb(&sabrina, &["run", "1", "--mask", "(", "--", "true"]);
    assert_eq!(wrong.status.code(), Some(2), "nothing runs under a mask that is none");
    let all = changes(&server, &sabrina, n);
    let states: Vec<&Value> = all.iter().map(|change| &change["state"]).collect();
    assert_eq!(states, ["done", "failed", "failed"]);
    assert!(all[2]["note"].as_str().unwrap().starts_with("no-such-command-here cannot be run: "), "{all:?}");
}

fn begun(server: &Server, token: &str, script: &str) -> std::process::Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wardroom"));
    command.args(["run", "1", "--", "sh", "-c", script]).process_group(0);
    command.env("WARDROOM_URL", &server.url).env("WARDROOM_TOKEN", token).env("NO_COLOR", "1");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn what_is_interrupted_may_have_changed_something(house: House) {
    let (server, _, sabrina, n) = staffed(&house);
    let file = house.folder().join("begun");
    // Nothing but the one program: a shell that waits for another while the signal comes may go on behind it.
    let running = begun(&server, &sabrina, &format!(": > {}; exec sleep 600", file.display()));
    wait::until("it runs", || file.exists().then_some(()));
    let group = format!("-{}", running.id());
    assert!(Command::new("kill").args(["-INT", "--", &group]).status().unwrap().success());
    let ran = running.wait_with_output().unwrap();
    let (_, errors) = told(&ran);
    assert_eq!(ran.status.code(), Some(130), "{errors}");
    assert!(errors.contains("If it changed nothing, operations say so: wardroom change 1 failed 1."), "{errors}");
    let stands = |change: usize| {
        let change = changes(&server, &sabrina, n).remove(change);
        let note = change["note"].as_str().unwrap().to_owned();
        assert!(change["state"] == "done" && note.ends_with(", and may have changed something"), "{change}");
        note
    };
    assert!(stands(0).starts_with("ended by signal 2 after "));
    assert!(transcript(&server, &sabrina, n).contains("ended by signal 2"));
    assert!(!server.next(&sabrina, n).contains("confirm_change"));
    // What catches the signal and ends with a code of its own was interrupted all the same.
    let file = house.folder().join("again");
    let script = format!("trap 'kill $!; exit 3' INT; sleep 600 & : > '{}'; wait", file.display());
    let running = begun(&server, &sabrina, &script);
    wait::until("it runs", || file.exists().then_some(()));
    assert!(Command::new("kill").args(["-INT", "--", &format!("-{}", running.id())]).status().unwrap().success());
    let ran = running.wait_with_output().unwrap();
    let (_, errors) = told(&ran);
    assert_eq!(ran.status.code(), Some(3), "{errors}");
    assert!(errors.contains("operations say so: wardroom change 1 failed 2."), "{errors}");
    assert!(stands(1).starts_with("was interrupted: exit code 3 after "));
}

/// Evidence in trouble leaves no change announced, and no exit code its own: what the command said is laid aside here.
fn without_room_for_what_it_said_it_is_told_how_it_went(house: House) {
    let (server, _, sabrina, n) = staffed_by(&house, narrow);
    fill(&house, &server, &sabrina);
    let state = house.folder().join("state");
    let typed = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wardroom"));
        command.args(arguments).env("WARDROOM_URL", &server.url).env("WARDROOM_TOKEN", &sabrina).env("NO_COLOR", "1");
        command.env("WARDROOM_STATE", &state).stdin(Stdio::null()).output().unwrap()
    };
    let laid_aside = |said: &str| {
        let file = said.split_once(", it is in ").unwrap().1.split_once(": ").unwrap().0.to_owned();
        std::fs::read_to_string(file).unwrap()
    };
    for (code, stands) in [(0, "is done, without evidence."), (7, "stands as done, without evidence: exit code 7")] {
        let script = format!("echo password=hunter22; exit {code}");
        let ran = typed(&["run", "1", "--", "sh", "-c", &script]);
        let (out, errors) = told(&ran);
        assert_eq!((ran.status.code(), out.as_str()), (Some(code), "password=hunter22\n"), "{errors}");
        assert!(errors.contains("of evidence, and ") && errors.contains(" more do not fit"), "{errors}");
        assert!(errors.contains(stands), "{errors}");
        assert!(laid_aside(&errors).contains("--- output ---\npassword=[masked]\n"), "{errors}");
        let change = changes(&server, &sabrina, n).pop().unwrap();
        assert_eq!((&change["state"], &change["evidence"]), (&json!("done"), &Value::Null));
        let note = change["note"].as_str().unwrap();
        assert!(note.contains(" (what it said is not kept as evidence)"), "{change}");
        assert_eq!(note.ends_with(", and may have changed something"), code != 0, "{change}");
    }
    let ran = typed(&["run", "1", "--look", "--json", "--", "echo", "5 pods"]);
    let answer: Value = serde_json::from_str(&told(&ran).0).unwrap();
    assert_eq!((ran.status.code(), &answer["evidence"], &answer["exit_code"]), (Some(0), &Value::Null, &json!(0)));
    let here = answer["not_kept"]["here"].as_str().unwrap();
    assert!(std::fs::read_to_string(here).unwrap().ends_with("\n5 pods\n"), "{answer}");
}

/// Without a place for evidence nothing is waited for: nobody names one meanwhile.
#[test]
fn without_a_place_for_evidence_it_is_told_how_it_went() {
    let house = House::on_postgres();
    let placeless = |house: &House| {
        house.start(Command::new(env!("CARGO_BIN_EXE_wardroom")).args(["serve", "--database", &house.url()]))
    };
    let (server, _, sabrina, n) = staffed_by(&house, placeless);
    let ran = server.verb(&sabrina, &["run", "1", "--", "sh", "-c", "exit 7"]);
    let (_, errors) = told(&ran);
    assert_eq!(ran.status.code(), Some(7), "{errors}");
    assert!(errors.contains("Evidence cannot be kept or read here just now"), "{errors}");
    let change = changes(&server, &sabrina, n).pop().unwrap();
    assert_eq!((&change["state"], &change["evidence"]), (&json!("done"), &Value::Null));
    assert!(change["note"].as_str().unwrap().ends_with(", and may have changed something"), "{change}");
}

fn what_it_says_is_seen_while_it_runs(house: House) {
    let (server, _, sabrina, _) = staffed(&house);
    let go = house.folder().join("go");
    let script = format!("echo one; echo two >&2; while [ ! -e {} ]; do sleep 0.05; done; echo three", go.display());
    let mut running = begun(&server, &sabrina, &script);
    let mut out = BufReader::new(running.stdout.take().unwrap()).lines();
    let mut errors = BufReader::new(running.stderr.take().unwrap()).lines();
    assert_eq!(out.next().unwrap().unwrap(), "one");
    assert!(errors.any(|line| line.unwrap() == "two"), "its errors, before it goes on");
    std::fs::write(&go, "").unwrap();
    assert_eq!(out.next().unwrap().unwrap(), "three");
    assert_eq!(running.wait().unwrap().code(), Some(0));
}

fn nobody_looks_who_could_not_keep_what_they_see(house: House) {
    let (server, mary, _, n) = staffed(&house);
    let robin = house.person("robin");
    let file = house.folder().join("looked");
    let looks = |token: &str, incident: u64| {
        let ran =
            server.verb(token, &["run", &incident.to_string(), "--look", "--", "touch", &file.display().to_string()]);
        let (_, errors) = told(&ran);
        assert_eq!((ran.status.code(), file.exists()), (Some(1), false), "{errors}");
        errors
    };
    let said = |token: &str, incident: u64| {
        let view = server.get(token, &format!("/api/v1/incidents/{incident}")).1;
        (view["may_attach"].clone(), view["may_not_attach"]["code"].clone())
    };
    assert_eq!(said(&mary, n), (json!(true), Value::Null));
    assert_eq!(said(&robin, n), (json!(false), json!("not_a_responder")));
    let errors = looks(&robin, n);
    assert!(errors.contains("Nothing was run") && errors.contains("wardroom join 1"), "{errors}");
    let other = server.declare(&mary, "The same once more");
    server.done(&mary, other, json!({ "command": "merge", "into": n }));
    let errors = looks(&mary, other);
    assert!(errors.contains("goes on as #1") && errors.contains("wardroom show 1"), "{errors}");
    assert_eq!(said(&mary, other), (json!(false), json!("wrong_phase")));
    for phase in ["mitigated", "resolved", "closed"] {
        server.done(&mary, n, json!({ "command": "set_phase", "phase": phase }));
    }
    let errors = looks(&mary, n);
    assert!(errors.contains("Nothing was run") && errors.contains("wardroom reopen 1"), "{errors}");
}

fn what_is_said_beside_a_command_leaves_without_secrets(house: House) {
    let (server, _, sabrina, n) = staffed(&house);
    let typed = ["run", "1", "--what", "log in with --token abcdef1", "--why", "password=abcdef2", "--undo"];
    let ran = server.verb(&sabrina, &[&typed[..], &["deploy --token abcdef3", "--", "true"]].concat());
    assert_eq!(ran.status.code(), Some(0), "{}", told(&ran).1);
    let change = changes(&server, &sabrina, n).pop().unwrap();
    let words = ["what", "why", "back"].map(|word| change[word].as_str().unwrap().to_owned());
    assert_eq!(words, ["log in with --token [masked]", "password=[masked]", "deploy --token [masked]"]);
    // What nobody could read in a line is no reason not to run it.
    let ran = server.verb(&sabrina, &["run", "1", "--", "printf", "\u{1b}[0m%s", "\u{202e}x"]);
    assert_eq!(
        (ran.status.code(), ran.stdout.as_slice()),
        (Some(0), "\u{1b}[0m\u{202e}x".as_bytes()),
        "{}",
        told(&ran).1
    );
    let change = changes(&server, &sabrina, n).pop().unwrap();
    assert_eq!(change["what"], "printf '\u{FFFD}[0m%s' '\u{FFFD}x'");
}

/// Nobody has to answer any more whoever has come to hold operations meanwhile.
fn whoever_waits_for_permission_goes_on_once_operations_are_theirs(house: House) {
    let (server, mary, sabrina, n) = staffed(&house);
    let mut command = Command::new(env!("CARGO_BIN_EXE_wardroom"));
    command.args(["run", "1", "--ask", "--", "echo", "restarted"]).stdin(Stdio::null());
    command.env("WARDROOM_URL", &server.url).env("WARDROOM_TOKEN", &mary).env("NO_COLOR", "1");
    let mut waiting = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut errors = BufReader::new(waiting.stderr.take().unwrap()).lines();
    assert!(errors.any(|line| line.unwrap().contains("this waits for their answer")));
    server.done(&sabrina, n, json!({ "command": "release_role", "role": "operations" }));
    let said: Vec<String> = errors.map(Result::unwrap).collect();
    let ran = waiting.wait_with_output().unwrap();
    assert_eq!((ran.status.code(), told(&ran).0.as_str()), (Some(0), "restarted\n"), "{said:?}");
    assert_eq!(changes(&server, &mary, n)[0]["state"], "done");
}
