//! A record that was tampered with: verification names it, the incident is set aside, the others go on.

use serde_json::json;

use crate::house::House;
use crate::{on_both, wait};

on_both!(a_broken_incident_is_set_aside_and_named, an_incident_of_a_newer_wardroom_is_read_only);

fn a_broken_incident_is_set_aside_and_named(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let (one, two) = (server.declare(&mary, "One"), server.declare(&mary, "Two"));
    server.done(&mary, one, json!({ "command": "set_severity", "severity": "sev1" }));
    server.done(&mary, one, json!({ "command": "note", "text": "afterwards" }));
    server.kill();
    house.tamper("UPDATE events SET body = replace(body, 'sev1', 'sev4') WHERE kind = 'severity_set'");
    let verified = house.console(&["verify"]);
    assert_eq!(verified.status.code(), Some(5));
    let told = String::from_utf8(verified.stderr).unwrap();
    assert!(told.contains("incident 1, entry 2 (position 5), was altered"), "{told}");
    let server = house.serve();
    let refused = wait::until("the background check has found it", || {
        let (status, problem) = server.command(&mary, one, json!({ "command": "note", "text": "x" }));
        (status == 409).then_some(problem)
    });
    assert_eq!(refused["code"], "read_only");
    assert!(refused["detail"].as_str().unwrap().contains("entry 2"), "{refused}");
    let (status, state) = server.get(&mary, &format!("/api/v1/incidents/{one}"));
    assert!(status == 200 && state["read_only"].is_string(), "it can still be read");
    server.done(&mary, two, json!({ "command": "note", "text": "the others go on" }));
}

fn an_incident_of_a_newer_wardroom_is_read_only(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let (one, two) = (server.declare(&mary, "One"), server.declare(&mary, "Two"));
    server.done(&mary, one, json!({ "command": "note", "text": "from the future" }));
    server.kill();
    // Not what a newer Wardroom would do, but what this one would find.
    house.tamper("UPDATE events SET kind = 'telepathy' WHERE kind = 'noted'");
    let server = house.serve();
    let (status, problem) = server.command(&mary, one, json!({ "command": "join" }));
    assert_eq!((status, &problem["code"]), (409, &json!("read_only")));
    assert_eq!(server.get(&mary, &format!("/api/v1/incidents/{one}")).1["title"], "One");
    server.done(&mary, two, json!({ "command": "note", "text": "the others go on" }));
}
