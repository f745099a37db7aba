//! An incident in which there is some of everything, so that every answer has something in every field.

use serde_json::{Value, json};

use super::a_browser;
use crate::house::{House, Server, agent};
use crate::wait;

/// Another system tells of a change that Ada made, who is asked in about it before it is taken into the ledger.
pub fn told_of(house: &House, server: &Server, mary: &str, n: u64) -> Value {
    let event = json!({
        "specversion": "1.0", "id": "1", "source": "/nightly", "type": "org.example.deployed",
        "data": {
            "service": "search", "what": "deploy v12", "who": "ada", "environment": "production",
            "link": "https://ci.example.org/1",
        },
    });
    let mut answer = agent()
        .post(format!("{}/api/v1/changes", server.url))
        .header("authorization", format!("Bearer {}", house.token("mary", "gate")))
        .header("content-type", "application/cloudevents+json")
        .send(event.to_string().as_bytes())
        .unwrap();
    let told = answer.body_mut().read_to_string().unwrap();
    assert_eq!(answer.status(), 200, "{told}");
    let seen = || server.get(mary, &format!("/api/v1/incidents/{n}")).1["sightings_seen"] == 1;
    wait::until("the incident hears of it", || seen().then_some(()));
    for command in ["ask_in", "take_in_sighting"] {
        server.done(mary, n, json!({ "command": command, "sighting": 1 }));
    }
    serde_json::from_str(&told).unwrap()
}

/// Somebody comes to a gate and is counted there.
pub fn stopped(server: &Server, token: &str) {
    let asked = json!({ "services": ["search"], "what": "restart it" });
    assert_eq!(server.send(token, "/api/v1/gate", asked.to_string().as_bytes()).unwrap().0, 200);
    wait::until("it is counted", || {
        let (_, report) = server.get(token, "/api/v1/gate");
        let services = report["services"].as_array()?;
        services.iter().any(|row| row["last"].as_array().is_some_and(|last| !last.is_empty())).then_some(())
    });
}

/// An incident in which there is some of everything.
pub fn some_of_everything(house: &House, server: &Server, mary: &str, sabrina: &str) -> u64 {
    house.run(&["team", "set", "sre", "sabrina"]);
    house.run(&["service", "set", "search", "--owner", "sre", "--depends-on", "index"]);
    house.run(&["service", "gate", "search", "--enforce", "sev1"]);
    house.run(&["service", "match", "search", "--namespace", "search"]);
    house.run(&["service", "preserve", "search", "graphs=https://graphs.example.org/search.png"]);
    let n = server.declare(mary, "Search is failing");
    server.done(mary, n, json!({ "command": "set_services", "services": ["search", "nobody-knows"] }));
    // Nobody listed its host.
    wait::until("it is told that the graphs are not kept", || {
        let (_, view) = server.get(mary, &format!("/api/v1/incidents/{n}"));
        view["worth_keeping"][0]["why"].is_string().then_some(())
    });
    for command in [
        json!({ "command": "set_began", "began": "2026-01-01T00:00:00Z" }),
        json!({ "command": "add_post", "label": "the room", "link": "https://chat.example.org/room" }),
        json!({ "command": "note", "text": "kept at the top", "pin": true }),
        json!({ "command": "set_clock", "label": "Look again", "in_minutes": 15, "repeat": true }),
        json!({ "command": "add_criterion", "text": "Errors are gone" }),
        json!({ "command": "assign_criterion", "criterion": 1, "person": "mary" }),
        json!({ "command": "link_criterion", "criterion": 1, "bug": "https://bugs.example.org/1" }),
        json!({ "command": "waive_criterion", "criterion": 1, "reason": "eu is drained" }),
        json!({ "command": "still_true", "parts": ["summary"], "version": 0 }),
        json!({ "command": "announce_change", "what": "search: v11 again", "why": "v12 leaks", "how": "deploy v11" }),
        json!({ "command": "record_change", "what": "search: cache off", "back": "cache on" }),
        json!({ "command": "adopt_change", "change": 2, "reason": "it is not needed" }),
        json!({ "command": "open_role", "role": "operations/database" }),
        json!({ "command": "offer_role", "role": "planning", "to": { "team": "sre" }, "note": "please" }),
        json!({ "command": "offer_role", "role": "operations", "to": { "person": "sabrina" } }),
    ] {
        server.done(mary, n, command);
    }
    let good = server.post(sabrina, "/api/v1/services/search/good", json!({ "version": "v11" }));
    assert_eq!(good.0, 200, "{}", good.1);
    let piece = format!("/api/v1/incidents/{n}/evidence?name=pods.txt&why=before&request_id={}", uuid::Uuid::now_v7());
    assert_eq!(server.send(mary, &piece, b"NAME READY").unwrap().0, 200);
    assert_eq!(server.post(mary, "/api/v1/me/reach/browsers", a_browser("one")).0, 201);
    let (status, invite) = server.post(mary, &format!("/api/v1/incidents/{n}/invites"), json!({ "hours": 1 }));
    assert_eq!(status, 201, "{invite}");
    for command in [
        json!({ "command": "join" }),
        json!({ "command": "doing", "text": "reading" }),
        json!({ "command": "ask_role", "role": "communications" }),
        json!({ "command": "raise_roadblock", "text": "The quota is used up" }),
        json!({ "command": "add_todo", "text": "Warm the cache", "person": "sabrina", "bug": "https://bugs.example.org/1" }),
        json!({ "command": "finish_todo", "todo": 1 }),
        json!({ "command": "record_change", "what": "search: restarted it", "made_by": "mary" }),
        json!({ "command": "break_glass", "services": ["search"], "reason": "the disk fills" }),
    ] {
        server.done(sabrina, n, command);
    }
    n
}
