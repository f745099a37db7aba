//! A record that was tampered with: verification names it, the incident is set aside, the others go on.

use serde_json::json;

use crate::house::House;
use crate::{on_both, wait};

on_both!(
    a_tip_that_is_torn_stops_its_incident_and_nothing_else,
    a_column_that_cannot_be_read_stops_its_incident_and_nothing_else,
    a_broken_incident_is_set_aside_and_named,
    an_incident_of_a_newer_wardroom_is_read_only,
    what_cannot_be_read_is_told_only_to_those_who_know_of_it,
    an_incident_that_lost_its_end_does_not_keep_the_others_from_starting
);

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
    assert!(told.contains("incident 1, entry 2 (position 6), was altered"), "{told}");
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

fn what_cannot_be_read_is_told_only_to_those_who_know_of_it(house: House) {
    let [mary, sabrina] = ["mary", "sabrina"].map(|handle| house.person(handle));
    let server = house.serve();
    let (_, answer) = server.post(&mary, "/api/v1/incidents", json!({ "title": "A leaked key", "restricted": true }));
    let (secret, open) = (answer["incident"].as_u64().unwrap(), server.declare(&mary, "Search is failing"));
    let cursor = server.get(&mary, &format!("/api/v1/incidents/{open}")).1["cursor"].clone();
    server.done(&mary, secret, json!({ "command": "note", "text": "hidden" }));
    wait::until("the board knows of both", || {
        let listed = server.get(&mary, "/api/v1/incidents").1["incidents"].as_array().cloned();
        listed.filter(|listed| listed.len() == 2)
    });
    server.kill();
    house.tamper(&format!("UPDATE events SET body = 'null' WHERE stream = {secret} AND seq = 1"));
    let server = house.serve();
    assert_eq!(server.get(&mary, &format!("/api/v1/incidents/{secret}")).1["code"], "damaged");
    for path in ["", "/events", "/briefing"] {
        let (status, problem) = server.get(&sabrina, &format!("/api/v1/incidents/{secret}{path}"));
        assert_eq!((status, &problem["code"]), (404, &json!("no_such_incident")), "{problem}");
    }
    let (status, problem) = server.command(&sabrina, secret, json!({ "command": "join" }));
    assert_eq!((status, &problem["code"]), (404, &json!("no_such_incident")), "{problem}");
    server.done(&sabrina, open, json!({ "command": "join" }));
    let (status, problem) = server.command(&sabrina, open, json!({ "command": "merge", "into": secret }));
    assert!(status != 500 && !problem.to_string().contains("damaged"), "{problem}");
    // The others go on, for those too who know of it.
    for token in [&mary, &sabrina] {
        assert_eq!(server.get(token, "/api/v1/next").0, 200);
        let stream = server.follow(token, &format!("?after={}", cursor.as_str().unwrap()));
        server.done(&mary, open, json!({ "command": "note", "text": "the others go on" }));
        assert_eq!(stream.next_note()["body"]["text"], "the others go on");
    }
}

fn an_incident_that_lost_its_end_does_not_keep_the_others_from_starting(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let (one, two) = (server.declare(&mary, "One"), server.declare(&mary, "Two"));
    server.done(&mary, one, json!({ "command": "note", "text": "afterwards" }));
    server.done(&mary, two, json!({ "command": "note", "text": "afterwards" }));
    server.kill();
    house.tamper(&format!("UPDATE tips SET seq = seq + 1 WHERE stream = {one}"));
    let server = house.serve();
    let refused = wait::until("the background check has found it", || {
        let (status, problem) = server.command(&mary, one, json!({ "command": "note", "text": "x" }));
        (status == 409).then_some(problem)
    });
    assert_eq!(refused["code"], "read_only");
    server.done(&mary, two, json!({ "command": "note", "text": "the others go on" }));
}

/// What could not be read of one row was told as a store that is not available: nobody was told what to do next, the
/// board was never made anew, and the commands of others failed with it.
fn a_column_that_cannot_be_read_stops_its_incident_and_nothing_else(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let two = server.declare(&mary, "Two");
    let mut broken = Vec::new();
    let mut odd =
        vec!["at = 9223372036854775807", "at = -9223372036854775808", "hash = substr(hash, 1, 5)", "version = 70000"];
    if !house.is_postgres() {
        odd.extend([
            "version = -1",
            "kind = CAST(x'ff' AS TEXT)",
            "actor = CAST(x'ff' AS TEXT)",
            "body = CAST(x'ff' AS TEXT)",
        ]);
    }
    for odd in odd {
        let number = server.declare(&mary, odd);
        server.done(&mary, number, json!({ "command": "set_severity", "severity": "sev1" }));
        server.done(&mary, number, json!({ "command": "note", "text": "afterwards" }));
        broken.push((number, odd));
    }
    server.kill();
    for (number, odd) in &broken {
        house.tamper(&format!("UPDATE events SET {odd} WHERE stream = {number} AND seq = 2"));
    }
    // The board has to be made from what there is, as after a restore.
    ["snapshots", "board", "cursors"].iter().for_each(|table| house.tamper(&format!("DELETE FROM {table}")));
    let server = house.serve();
    assert_eq!(server.get(&mary, "/api/v1/next").0, 200);
    for (number, odd) in &broken {
        let (status, state) = server.get(&mary, &format!("/api/v1/incidents/{number}"));
        assert!(status == 200 && state["read_only"].is_string(), "{odd}: {status} {state}");
        assert_eq!(server.kinds(&mary, *number).len(), 3, "{odd}");
        let (status, problem) = server.command(&mary, *number, json!({ "command": "join" }));
        assert_eq!((status, &problem["code"]), (409, &json!("read_only")), "{odd}: {problem}");
    }
    let stream = server.follow(&mary, "");
    server.done(&mary, two, json!({ "command": "note", "text": "the others go on" }));
    assert_eq!(stream.next_note()["body"]["text"], "the others go on");
    wait::until("the board is made anew, with everybody on it", || {
        let listed = server.get(&mary, "/api/v1/incidents").1["incidents"].as_array().cloned();
        listed.filter(|listed| listed.len() == broken.len() + 1)
    });
    let verified = house.console(&["verify", "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&verified.stdout).unwrap();
    for (number, odd) in &broken {
        let named =
            |said: &serde_json::Value| said.as_str().unwrap().starts_with(&format!("incident {number}, entry 2"));
        assert!(report["broken"].as_array().unwrap().iter().any(named), "{odd}: {report}");
    }
}

/// Every command met a conflict on it for ever, and so did all that were decided beside it.
fn a_tip_that_is_torn_stops_its_incident_and_nothing_else(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let two = server.declare(&mary, "Two");
    for torn in ["hash = substr(hash, 1, 5)", "seq = seq + 1"] {
        let one = server.declare(&mary, torn);
        house.tamper(&format!("UPDATE tips SET {torn} WHERE stream = {one}"));
        let (refused, accepted) = std::thread::scope(|scope| {
            let refused = scope.spawn(|| server.command(&mary, one, json!({ "command": "note", "text": "x" })));
            let accepted = server.command(&mary, two, json!({ "command": "note", "text": "the others go on" }));
            (refused.join().unwrap(), accepted)
        });
        assert_eq!((refused.0, &refused.1["code"]), (409, &json!("read_only")), "{torn}: {}", refused.1);
        assert_eq!(accepted.0, 200, "{torn}: {}", accepted.1);
        assert!(server.get(&mary, &format!("/api/v1/incidents/{one}")).1["read_only"].is_string());
    }
}
