//! How that went with which somebody came through the gate is heard whatever became of them meanwhile.

use serde_json::json;

use crate::house::House;
use crate::on_both;
use crate::staffed::{Scene, changes, scene};

on_both!(a_rollout_ends_that_outlives_the_account_of_whoever_asked_for_it,);

fn a_rollout_ends_that_outlives_the_account_of_whoever_asked_for_it(house: House) {
    let Scene { house, server, mary, sabrina, n, .. } = scene(house);
    let pipeline = house.token("mary", "gate");
    let gate = |what: &str, more: &[&str]| {
        let words = ["gate", "--service", "search", "--action", what, "--on-behalf-of", "sabrina"];
        server.say(&pipeline, &[&words[..], more].concat())
    };
    let states = || {
        let all = changes(&server, &mary, n);
        all.iter().map(|change| change["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    gate("deploy v12", &[]);
    gate("deploy v13", &[]);
    assert_eq!(states(), ["announced", "announced"]);
    // She may not know of it any more; and then she has no account.
    server.done(&mary, n, json!({ "command": "restrict" }));
    server.done(&sabrina, n, json!({ "command": "leave" }));
    server.done(&mary, n, json!({ "command": "uninvite", "person": "sabrina" }));
    gate("deploy v12", &["--ended", "done"]);
    assert_eq!(states(), ["done", "announced"]);
    house.run(&["person", "deactivate", "sabrina"]);
    gate("deploy v13", &["--ended", "skipped"]);
    assert_eq!(states(), ["done", "dropped"]);
}
