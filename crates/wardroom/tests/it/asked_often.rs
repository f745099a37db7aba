//! A pipeline that asks the gate in a loop is told so, and keeps nobody else waiting.

use serde_json::{Value, json};

use crate::house::{House, agent};
use crate::on_both;
use crate::staffed::{decided, knowing, staffed};

on_both!(whoever_asks_in_a_loop_is_told_so_and_nobody_else_waits);

fn whoever_asks_in_a_loop_is_told_so_and_nobody_else_waits(house: House) {
    let (house, [mary, sabrina, robin]) = knowing(house);
    house.run(&["service", "gate", "search", "--enforce"]);
    let server = house.serve_in(&[("WARDROOM_MAX_GATE_ASKS_PER_SECOND", "5")]);
    staffed(&server, &mary, &sabrina, &json!({}));
    decided(&server, &robin, "the gate has read what there is");
    let pipeline = house.token("mary", "gate");
    let agent = agent();
    let asked = json!({ "services": ["search"], "what": "loop", "on_behalf_of": "robin", "dry_run": true }).to_string();
    let ask = || {
        let asking = agent.post(format!("{}/api/v1/gate", server.url)).header("content-type", "application/json");
        asking.header("authorization", format!("Bearer {pipeline}")).send(asked.as_bytes()).unwrap()
    };
    let mut answered = 0;
    let mut refused = loop {
        let answer = ask();
        if answer.status().as_u16() != 200 {
            break answer;
        }
        answered += 1;
        assert!(answered < 20_000, "nobody stops it");
    };
    assert!(answered >= 300, "{answered}");
    assert_eq!(refused.status().as_u16(), 429);
    assert_eq!(refused.headers()["retry-after"], "1");
    let problem: Value = serde_json::from_str(&refused.body_mut().read_to_string().unwrap()).unwrap();
    assert_eq!(problem["code"], "asked_too_often", "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("Nothing was decided. Look for a loop"), "{problem}");
    assert_eq!(decided(&server, &robin, "deploy v12")["decision"], "deny", "others are answered as ever");
    // The same goes for what tells how something went.
    while ask().status().as_u16() == 200 {}
    let told = server.verb(
        &pipeline,
        &["gate", "--service", "search", "--action", "x", "--on-behalf-of", "robin", "--ended", "done"],
    );
    assert_eq!(told.status.code(), Some(0), "it waits for its turn: {told:?}");
    // What asks by the command waits for its turn.
    while ask().status().as_u16() == 200 {}
    let typed = ["gate", "--service", "search", "--action", "deploy v12", "--on-behalf-of", "sabrina", "--dry-run"];
    let ended = server.verb(&pipeline, &typed);
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
}
