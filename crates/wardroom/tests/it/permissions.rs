//! Permission to change services: asked for and waited for by `run`, given or declined, and glass that is broken.

use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

use crate::house::{House, Server, WARDROOM};
use crate::staffed::{Scene, scene};
use crate::{on_both, wait};

on_both!(
    who_asks_waits_and_goes_on_once_they_are_let,
    who_is_told_no_runs_nothing,
    over_broken_glass_it_is_run_and_everybody_is_told,
);

fn view(server: &Server, token: &str, n: u64) -> Value {
    server.get(token, &format!("/api/v1/incidents/{n}")).1
}

/// A `wardroom run` that asks, on its way.
fn asking(server: &Server, token: &str, command: &[&str]) -> Child {
    let mut run = Command::new(WARDROOM);
    run.args(["run", "1", "--ask", "--"]).args(command).env("NO_COLOR", "1");
    run.env("WARDROOM_URL", &server.url).env("WARDROOM_TOKEN", token);
    run.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// How it ended, and what it said: a `run` that waits for ever is no answer.
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
