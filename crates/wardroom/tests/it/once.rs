//! One act stands in the ledger once: what somebody runs, and what the gate sees of it.

use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

use crate::admission::{asked, recorded};
use crate::house::{House, Server};
use crate::staffed::{changes, decided, knowing, staffed};
use crate::{on_both, wait};

on_both!(
    what_is_run_and_comes_through_the_gate_stands_once,
    what_the_cluster_let_through_is_not_lost_with_a_run_that_ended_badly,
);

/// What the cluster calls what it was asked in `update.json`.
const UPDATE: &str = "update Deployment production/search-api";

struct Scene {
    house: House,
    server: Server,
    cluster: String,
    sabrina: String,
    n: u64,
}

/// Sabrina has operations of an incident on search, whose objects are in a cluster that asks.
fn scene(house: House) -> Scene {
    let (house, [mary, sabrina, _]) = knowing(house);
    house.run(&["service", "match", "search", "--namespace", "production", "--name", "search-*"]);
    house.run(&["service", "gate", "search", "--enforce"]);
    let cluster = house.token("mary", "gate");
    let server = house.serve();
    let n = staffed(&server, &mary, &sabrina, &json!({}));
    Scene { house, server, cluster, sabrina, n }
}

/// Runs what calls itself kubectl: it begins, waits until it may go on, and ends with this code.
fn run(scene: &Scene, code: u8) -> Child {
    let [begun, go] = ["begun", "go"].map(|name| scene.house.folder().join(name));
    for left in [&begun, &go] {
        drop(std::fs::remove_file(left));
    }
    let kubectl = scene.house.folder().join("kubectl");
    let [first, second] = [&begun, &go].map(|path| path.display());
    let script = format!("#!/bin/sh\n: > '{first}'\nwhile [ ! -e '{second}' ]; do sleep 0.05; done\nexit {code}\n");
    std::fs::write(&kubectl, script).unwrap();
    std::fs::set_permissions(&kubectl, PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", scene.house.folder().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(env!("CARGO_BIN_EXE_wardroom"));
    command.args(["run", &scene.n.to_string(), "--service", "search", "--"]);
    command.args(["kubectl", "rollout", "undo", "deployment/search"]);
    command.env("WARDROOM_URL", &scene.server.url).env("WARDROOM_TOKEN", &scene.sabrina);
    command.env("NO_COLOR", "1").env("PATH", path).stdin(Stdio::null());
    let running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait::until("it runs", || begun.exists().then_some(()));
    running
}

fn over(scene: &Scene, running: Child) -> Output {
    std::fs::write(scene.house.folder().join("go"), "").unwrap();
    running.wait_with_output().unwrap()
}

/// The cluster asks, because Sabrina changes something there.
fn review(scene: &Scene, name: &str) {
    let mut review: Value = serde_json::from_slice(&recorded(name)).unwrap();
    review["request"]["userInfo"]["username"] = json!("sabrina");
    let (status, answer) = asked(&scene.server, &scene.cluster, review.to_string().as_bytes());
    assert_eq!((status, &answer["response"]["allowed"]), (200, &json!(true)), "{answer}");
}

fn stood(scene: &Scene) -> Vec<Value> {
    changes(&scene.server, &scene.sabrina, scene.n)
}

/// Its lines: what, and by what.
fn lines(change: &Value) -> Vec<(&str, &str)> {
    let all = change["passed"].as_array().unwrap().iter();
    all.map(|one| (one["what"].as_str().unwrap_or("gone"), one["through"].as_str().unwrap_or("gone"))).collect()
}

fn what_is_run_and_comes_through_the_gate_stands_once(house: House) {
    let scene = scene(house);
    let Scene { house, server, sabrina, n, .. } = &scene;
    let running = run(&scene, 0);
    for _ in 0..2 {
        review(&scene, "update.json");
    }
    let answer = decided(server, sabrina, "deploy v11");
    assert!(answer["reason"].as_str().unwrap().ends_with("It stands there as change 1 of incident #1."), "{answer}");
    let under_way = stood(&scene);
    let through = under_way[0]["passed"][1]["through"].as_str().unwrap();
    assert_eq!((under_way.len(), &under_way[0]["state"]), (1, &json!("announced")));
    assert_eq!(lines(&under_way[0]), [(UPDATE, "the cluster"), ("deploy v11", through)]);
    assert_eq!(over(&scene, running).status.code(), Some(0));
    // One act differs from normal, once, and is undone once.
    let done = stood(&scene);
    assert_eq!((done.len(), &done[0]["state"]), (1, &json!("done")), "{done:?}");
    let number = n.to_string();
    let undo = server.say(sabrina, &["undo", &number]);
    assert!(undo.contains("\n1. ") && !undo.contains("\n2. "), "{undo}");
    let passed = format!("passed the gate as: {UPDATE}, by the cluster");
    let told = format!("Change 1 of Sabrina {passed}");
    for (verb, words) in [("changes", &passed), ("show", &passed), ("timeline", &told)] {
        let shown = server.say(sabrina, &[verb, &number]);
        assert!(shown.contains(words.as_str()), "{verb}: {shown}");
    }
    let (_, sheet) = server.get(sabrina, &format!("/api/v1/incidents/{n}/document.md"));
    assert!(sheet.as_str().unwrap_or_default().contains(&passed), "{sheet}");
    // Its words go where they are taken out, and everything still verifies, here and in an archive.
    let (_, events) = server.get(sabrina, &format!("/api/v1/incidents/{n}/events"));
    let entries = events["entries"].as_array().unwrap();
    let entry = entries.iter().find(|one| one["kind"] == "change_passed").unwrap()["entry"].as_u64().unwrap();
    server.done(sabrina, *n, json!({ "command": "redact", "entry": entry }));
    assert_eq!(lines(&stood(&scene)[0]), [("gone", "gone"), ("deploy v11", through)]);
    assert!(!server.say(sabrina, &["timeline", &number]).contains(UPDATE));
    let archive = house.folder().join("exported.tar");
    server.say(sabrina, &["export", &number, "-o", archive.to_str().unwrap()]);
    server.say(sabrina, &["verify", archive.to_str().unwrap()]);
    house.run(&["verify"]);
    server.done(sabrina, *n, json!({ "command": "revert_change", "change": 1, "note": null, "evidence": null }));
    assert_eq!(server.say(sabrina, &["undo", &number]).trim(), "Nothing differs from normal.");
}

fn what_the_cluster_let_through_is_not_lost_with_a_run_that_ended_badly(house: House) {
    let scene = scene(house);
    let running = run(&scene, 7);
    review(&scene, "update.json");
    assert_eq!(over(&scene, running).status.code(), Some(7));
    let told = stood(&scene);
    assert_eq!((told.len(), &told[0]["state"]), (1, &json!("done")), "it may have changed something: {told:?}");
    assert_eq!(lines(&told[0]), [(UPDATE, "the cluster")]);
    scene.server.say(&scene.sabrina, &["change", &scene.n.to_string(), "failed", "1"]);
    let told = stood(&scene);
    let states: Vec<_> = told.iter().map(|change| (&change["state"], &change["through"])).collect();
    assert_eq!(states, [(&json!("failed"), &json!(null)), (&json!("done"), &json!("the cluster"))], "{told:?}");
    assert_eq!((&told[1]["what"], lines(&told[0])), (&json!(UPDATE), vec![(UPDATE, "the cluster")]));
    // What comes after it is one of its own.
    review(&scene, "delete.json");
    assert_eq!(stood(&scene).len(), 3);
}
