//! Permission to change services: asked for and waited for by `run`, given or declined, and glass that is broken.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;

use serde_json::{Value, json};

use crate::gate::Gate;
use crate::house::{House, Server, WARDROOM};
use crate::staffed::{Scene, scene};
use crate::{on_both, wait};

on_both!(
    who_asks_waits_and_goes_on_once_they_are_let,
    who_is_told_no_runs_nothing,
    over_broken_glass_it_is_run_and_everybody_is_told,
    a_permission_for_something_else_is_no_answer,
    a_no_that_comes_while_it_is_asked_is_heard,
    whoever_waits_while_the_server_is_away_is_told_so_and_loses_nothing,
);

fn view(server: &Server, token: &str, n: u64) -> Value {
    server.get(token, &format!("/api/v1/incidents/{n}")).1
}

/// A `wardroom run` that asks, on its way.
fn asking(server: &Server, token: &str, command: &[&str]) -> Child {
    asking_at(&server.url, token, command)
}

fn asking_at(url: &str, token: &str, command: &[&str]) -> Child {
    let mut run = Command::new(WARDROOM);
    run.args(["run", "1", "--ask", "--"]).args(command).env("NO_COLOR", "1");
    run.env("WARDROOM_URL", url).env("WARDROOM_TOKEN", token);
    run.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// How it ended, and what it said: a `run` that waits for ever is no answer. Of its errors, what nobody took before.
fn ended(mut run: Child) -> Output {
    wait::until("it ends", || run.try_wait().unwrap());
    run.wait_with_output().unwrap()
}

fn waits(server: &Server, sabrina: &str, n: u64) -> Value {
    wait::until("somebody asks", || {
        let asks = view(server, sabrina, n)["permission_asks"].clone();
        asks.as_array().filter(|asks| !asks.is_empty()).map(|asks| asks[0].clone())
    })
}

fn who_asks_waits_and_goes_on_once_they_are_let(house: House) {
    let Scene { server, mary, sabrina, robin, n, house: _house } = scene(house);
    let run = asking(&server, &robin, &["echo", "flushed"]);
    let asked = waits(&server, &sabrina, n);
    assert_eq!(
        (&asked["person"]["name"], &asked["what"], &asked["services"]),
        (&json!("Robin"), &json!("echo flushed"), &json!(["search"]))
    );
    assert_eq!((&asked["may_grant"], &view(&server, &mary, n)["may_grant_permission"]), (&json!(true), &json!(false)));
    assert_eq!(server.next(&sabrina, n), "permit", "whoever has operations is asked for it first");
    server.done(&sabrina, n, json!({ "command": "grant_permission", "person": "robin" }));
    let output = ended(run);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"flushed\n"[..]), "{errors}");
    assert!(errors.contains("operations are asked") && errors.contains("Sabrina lets Robin change search"), "{errors}");
    let seen = view(&server, &robin, n);
    assert_eq!(
        (&seen["changes"][0]["state"], &seen["changes"][0]["coordination"]),
        (&json!("done"), &json!("by_operations"))
    );
    assert_eq!((&seen["permissions"][0]["person"]["name"], &seen["may_announce"]), (&json!("Robin"), &json!(true)));
}

fn who_is_told_no_runs_nothing(house: House) {
    let Scene { house, server, sabrina, robin, n, .. } = scene(house);
    let file = house.folder().join("started");
    let touch = ["touch", file.to_str().unwrap()];
    let run = asking(&server, &robin, &touch);
    waits(&server, &sabrina, n);
    // Whoever gave up and asks again waits for the same answer.
    let again = asking(&server, &robin, &touch);
    server.done(&sabrina, n, json!({ "command": "decline_permission", "person": "robin", "reason": "not now" }));
    let output = ended(run);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("Sabrina does not give Robin permission: not now. Nothing was run."), "{errors}");
    // It may have come after the answer, and asked anew: then it waits.
    let mut again = again;
    wait::until("it is answered too", || {
        if let Some(ended) = again.try_wait().unwrap() {
            assert_eq!(ended.code(), Some(1));
            return Some(());
        }
        let _ = server.command(&sabrina, n, json!({ "command": "decline_permission", "person": "robin" }));
        None
    });
    assert!(!file.exists(), "it was run");
    assert_eq!(view(&server, &robin, n)["changes"], json!([]));
}

fn over_broken_glass_it_is_run_and_everybody_is_told(house: House) {
    let Scene { server, mary, sabrina, robin, n, house: _house } = scene(house);
    let stream = server.follow(&mary, "");
    let ran = server.verb(&robin, &["run", "1", "--break-glass", "the disk fills", "--", "echo", "emptied"]);
    let errors = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(0), "{errors}");
    assert!(errors.contains("everybody in incident #1 is told"), "{errors}");
    let told = stream.next_of("glass_broken");
    assert_eq!((&told["matters"], &told["stands_out"]), (&json!(true), &json!(true)), "as a change of command is");
    assert!(told["told"].as_str().unwrap().starts_with("Robin broke the glass and changes search on their own until "));
    let change = &view(&server, &sabrina, n)["changes"][0];
    assert_eq!((&change["state"], &change["coordination"]), (&json!("done"), &json!("uncoordinated")));
    assert_eq!(server.next(&sabrina, n), "sort_change");
    let shown = server.say(&mary, &["show", "1"]);
    assert!(
        shown.contains("robin may change search, ends") || shown.contains("Robin may change search, ends"),
        "{shown}"
    );
}

/// What it says to whoever waits there, as it says it.
struct Said(mpsc::Receiver<String>);

impl Said {
    fn by(run: &mut Child) -> Self {
        let (lines, said) = (BufReader::new(run.stderr.take().unwrap()).lines(), mpsc::channel());
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| said.0.send(line)));
        Self(said.1)
    }

    /// Waits until it says this.
    fn until(&self, words: &str) {
        while !self.0.recv_timeout(wait::PATIENCE).expect(words).contains(words) {}
    }

    /// Everything else, to its end.
    fn rest(&self) -> Vec<String> {
        self.0.iter().collect()
    }
}

fn a_permission_for_something_else_is_no_answer(house: House) {
    let Scene { server, sabrina, robin, n, house: _house, .. } = scene(house);
    let mut run = asking(&server, &robin, &["echo", "flushed"]);
    let errors = Said::by(&mut run);
    errors.until("this waits for their answer");
    let other = json!({ "command": "grant_permission", "person": "robin", "services": ["indexing"] });
    server.done(&sabrina, n, other);
    let asked = wait::until("they are asked again", || {
        let times = server.kinds(&sabrina, n).iter().filter(|kind| *kind == "permission_asked").count();
        (times == 2).then(|| waits(&server, &sabrina, n))
    });
    assert_eq!((&asked["services"], &asked["what"]), (&json!(["search"]), &json!("echo flushed")));
    assert_eq!(view(&server, &robin, n)["changes"], json!([]), "nothing is run meanwhile");
    server.done(&sabrina, n, json!({ "command": "grant_permission", "person": "robin" }));
    let (output, said) = (ended(run), errors.rest());
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"flushed\n"[..]), "{said:?}");
    let again = "Sabrina lets Robin change indexing";
    assert!(said.iter().any(|line| line.contains(again) && line.contains("asked again")), "{said:?}");
    assert_eq!(view(&server, &robin, n)["changes"][0]["state"], "done");
}

/// Whoever asked for the same before, and was answered at the same moment, waited for ever.
fn a_no_that_comes_while_it_is_asked_is_heard(house: House) {
    let Scene { house, server, sabrina, robin, n, .. } = scene(house);
    let (gate, file) = (Gate::before_server(&server), house.folder().join("started"));
    let everybody = server.follow(&sabrina, "");
    let touch = ["touch", file.to_str().unwrap()];
    for asked_before in [false, true] {
        if asked_before {
            let mut gives_up = asking(&server, &robin, &touch);
            waits(&server, &sabrina, n);
            gives_up.kill().unwrap();
            gives_up.wait().unwrap();
        }
        gate.hold_back_the_answer_to("ask_permission");
        let run = asking_at(&gate.url, &robin, &touch);
        gate.holds_back();
        server.done(&sabrina, n, json!({ "command": "decline_permission", "person": "robin", "reason": "not now" }));
        drop(everybody.next_of("permission_declined"));
        gate.open();
        let output = ended(run);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(errors.contains("Sabrina does not give Robin permission: not now. Nothing was run."), "{errors}");
    }
    assert!(!file.exists(), "it was run");
    assert_eq!(view(&server, &robin, n)["changes"], json!([]));
}

fn whoever_waits_while_the_server_is_away_is_told_so_and_loses_nothing(house: House) {
    let Scene { server, sabrina, robin, n, house: _house, .. } = scene(house);
    let gate = Gate::before_server(&server);
    let mut run = asking_at(&gate.url, &robin, &["echo", "flushed"]);
    drop(waits(&server, &sabrina, n));
    let errors = Said::by(&mut run);
    errors.until("this waits for their answer");
    gate.shut();
    errors.until("cannot be reached; this goes on once it can");
    // What is decided meanwhile is heard when they are back, and what was asked for is run once.
    server.done(&sabrina, n, json!({ "command": "grant_permission", "person": "robin" }));
    gate.open();
    let (output, said) = (ended(run), errors.rest());
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"flushed\n"[..]), "{said:?}");
    assert!(!said.iter().any(|line| line.contains("cannot be reached")), "it is said once: {said:?}");
    let changes = view(&server, &robin, n)["changes"].clone();
    assert_eq!((changes.as_array().unwrap().len(), &changes[0]["state"]), (1, &json!("done")), "{changes}");
}
