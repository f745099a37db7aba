//! What was told is heard, whatever happens between keeping it and passing it on.

use std::io::Write;
use std::net::TcpStream;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::house::{House, Server, raw};
use crate::sightings::{EVENT, declare, deployment, event, heard, knowing, sightings, signed, tell, webhook};
use crate::tellers::BATCH;
use crate::{on_both, wait};

on_both!(
    whoever_hangs_up_is_heard_all_the_same,
    whoever_hangs_up_in_the_middle_is_not_heard_and_takes_no_room,
    what_is_told_while_a_service_comes_to_be_needed_is_heard_once,
    what_was_kept_and_not_passed_on_is_heard_without_a_restart,
    an_incident_that_cannot_be_read_holds_up_no_other,
    a_service_that_comes_to_be_needed_is_heard_of,
    what_was_redacted_stays_without_words_when_it_is_told_again,
    what_is_under_way_ends_without_words_where_they_were_redacted,
    what_a_merge_brought_is_redacted_beside_the_log_too,
    whoever_is_forgotten_is_forgotten_beside_the_log_too,
);

/// As a node keeps it, behind the back of whoever passes it on.
fn kept(house: &House, key: u32, what: &str) {
    kept_at(house, key, "search", what, Timestamp::now());
}

/// The same, for a service and a time.
fn kept_at(house: &House, key: u32, service: &str, what: &str, at: Timestamp) {
    let at = at.as_microsecond();
    let body = json!({ "what": what, "who": null, "person": null, "source": "ci", "link": null, "environment": null });
    house.tamper(&format!(
        "INSERT INTO sightings (key, service, stage, at, received, body)
         VALUES ('00000000-0000-0000-0000-{key:012x}', '{service}', 3, {at}, {at}, '{body}')"
    ));
}

fn whats(server: &Server, token: &str, n: u64) -> Vec<Value> {
    sightings(server, token, n).iter().map(|one| one["what"].clone()).collect()
}

fn whoever_hangs_up_is_heard_all_the_same(house: House) {
    let (house, [mary, _, _, pipeline]) = knowing(house);
    let server = house.serve();
    let n = declare(&server, &mary, false);
    for round in 0..10 {
        let body = event(&format!("v{round}"), "search", "robin").to_string();
        let request = format!(
            "POST /api/v1/changes HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {pipeline}\r\ncontent-type: {EVENT}\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        // Gone as soon as it is kept, and before anybody answered.
        let kept = (round + 1).to_string();
        wait::until("it is kept", || (house.ask("SELECT count(*) FROM sightings") == kept).then_some(()));
    }
    heard(&server, &mary, n, 10);
}

fn what_was_kept_and_not_passed_on_is_heard_without_a_restart(house: House) {
    let (house, [mary, _, _, pipeline]) = knowing(house);
    let server = house.serve();
    let n = declare(&server, &mary, false);
    tell(&server, &pipeline, &event("v12", "search", "robin"));
    heard(&server, &mary, n, 1);
    kept(&house, 1, "deploy v13");
    assert_eq!(heard(&server, &mary, n, 2)[1]["what"], json!("deploy v13"));
}

#[test]
fn what_a_node_kept_before_it_ended_is_told_by_the_other() {
    let (house, [mary, _, _, pipeline]) = knowing(House::on_postgres());
    let (one, two) = (house.serve(), house.serve());
    let n = declare(&two, &mary, false);
    tell(&one, &pipeline, &event("v12", "search", "robin"));
    heard(&two, &mary, n, 1);
    one.kill();
    kept(&house, 1, "deploy v13");
    assert_eq!(heard(&two, &mary, n, 2)[1]["what"], json!("deploy v13"));
}

/// What was heard of a service, in the order of its names.
fn whats_of(server: &Server, token: &str, n: u64, service: &str) -> Vec<String> {
    let all = sightings(server, token, n);
    let of = all.iter().filter(|one| one["service"] == service);
    let mut whats: Vec<String> = of.map(|one| one["what"].as_str().unwrap().to_owned()).collect();
    whats.sort();
    whats
}

/// What so many events with this name say.
fn whats_called(name: &str, many: usize) -> Vec<String> {
    let mut whats: Vec<String> = (0..many).map(|nth| format!("deploy {name}{nth}")).collect();
    whats.sort();
    whats
}

#[test]
fn what_two_nodes_are_told_at_once_is_heard_once() {
    const MANY: usize = 40;
    let (house, [mary, _, _, pipeline]) = knowing(House::on_postgres());
    let nodes = [house.serve(), house.serve()];
    let n = declare(&nodes[0], &mary, false);
    let all_told =
        |node: &Server| (0..MANY).map(|nth| tell(node, &pipeline, &event(&format!("v{nth}"), "search", "robin"))).sum();
    let news: u64 = std::thread::scope(|scope| {
        let telling = nodes.each_ref().map(|node| scope.spawn(|| all_told(node)));
        telling.map(|told: std::thread::ScopedJoinHandle<'_, u64>| told.join().unwrap()).iter().sum()
    });
    assert_eq!(news, MANY as u64, "each of them is news to one of the nodes");
    for node in &nodes {
        heard(node, &mary, n, MANY);
        assert_eq!(whats_of(node, &mary, n, "search"), whats_called("v", MANY));
    }
    // A node that begins later looks at all of it anew.
    let [one, two] = nodes;
    one.kill();
    let one = house.serve();
    tell(&one, &pipeline, &event("last", "search", "robin"));
    heard(&two, &mary, n, MANY + 1);
    let kinds = two.kinds(&mary, n);
    assert_eq!(kinds.iter().filter(|kind| *kind == "change_seen").count(), MANY + 1);
    assert_eq!(house.verify()["holds"], true);
}

/// Sends the head of a request and half of its body, and is gone.
fn half(server: &Server, head: &str) {
    let mut stream = std::net::TcpStream::connect(server.address()).unwrap();
    let half = format!("POST /api/v1/changes HTTP/1.1\r\nhost: x\r\n{head}content-length: 1000000\r\n\r\n[");
    stream.write_all(half.as_bytes()).unwrap();
    stream.write_all(event("half", "search", "robin").to_string().as_bytes()).unwrap();
}

fn whoever_hangs_up_in_the_middle_is_not_heard_and_takes_no_room(house: House) {
    let (house, [mary, _, _, pipeline]) = knowing(house);
    let secret = "a-secret-that-both-sides-share";
    let server = house.serve_in(&[("WARDROOM_GITHUB_SECRET", secret)]);
    let n = declare(&server, &mary, false);
    // More of each than there is room for at once.
    for _ in 0..80 {
        half(&server, &format!("authorization: Bearer {pipeline}\r\ncontent-type: {BATCH}\r\n"));
    }
    let signature = format!("x-hub-signature-256: sha256={}\r\n", "0".repeat(64));
    for _ in 0..12 {
        half(&server, &format!("x-github-event: deployment\r\ncontent-type: application/json\r\n{signature}"));
    }
    // It takes as much room itself.
    let v12 = format!("{}{}", event("v12", "search", "robin"), " ".repeat(1_000_000));
    let told = raw(
        &server.url,
        &format!(
            "POST /api/v1/changes HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {pipeline}\r\ncontent-type: {EVENT}\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{v12}",
            v12.len()
        ),
    );
    assert!(told.starts_with("HTTP/1.1 200"), "{told}");
    assert_eq!(heard(&server, &mary, n, 1)[0]["what"], json!("deploy v12"));
    assert_eq!(house.ask("SELECT count(*) FROM sightings"), "1");
    let ping = "{}";
    let told = raw(
        &server.url,
        &format!(
            "POST /api/v1/changes HTTP/1.1\r\nhost: x\r\nx-github-event: ping\r\ncontent-type: application/json\r\n\
             x-hub-signature-256: {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{ping}",
            signed(ping, secret),
            ping.len()
        ),
    );
    assert!(told.starts_with("HTTP/1.1 200"), "{told}");
}

fn what_is_told_while_a_service_comes_to_be_needed_is_heard_once(house: House) {
    const MANY: usize = 60;
    let (house, [mary, _, _, pipeline]) = knowing(house);
    let ada = house.admin("ada");
    house.run(&["service", "set", "queue"]);
    let server = house.serve();
    let n = declare(&server, &mary, false);
    let needs = |services: &[&str]| {
        let set = json!({ "command": "set_service", "service": "search", "depends_on": services });
        assert_eq!(server.post(&ada, "/api/v1/directory/commands", set).0, 200);
    };
    std::thread::scope(|scope| {
        let telling = scope.spawn(|| {
            for nth in 0..MANY {
                for (name, service) in [("q", "queue"), ("s", "search")] {
                    assert_eq!(tell(&server, &pipeline, &event(&format!("{name}{nth}"), service, "robin")), 1);
                }
            }
        });
        wait::until("some of it was heard", || Some(()).filter(|()| sightings(&server, &mary, n).len() > MANY / 6));
        needs(&["indexing", "queue"]);
        telling.join().unwrap();
    });
    heard(&server, &mary, n, 2 * MANY);
    for (name, service) in [("q", "queue"), ("s", "search")] {
        assert_eq!(whats_of(&server, &mary, n, service), whats_called(name, MANY));
    }
    // What is not needed any more is not heard of from then on, and what was heard stays.
    needs(&["indexing"]);
    tell(&server, &pipeline, &event("late", "queue", "robin"));
    tell(&server, &pipeline, &event("last", "search", "robin"));
    let all = heard(&server, &mary, n, 2 * MANY + 1);
    assert_eq!(all[2 * MANY]["what"], json!("deploy last"));
}

fn an_incident_that_cannot_be_read_holds_up_no_other(house: House) {
    let (house, [mary, _, _, pipeline]) = knowing(house);
    let server = house.serve();
    let (broken, n) = (declare(&server, &mary, false), declare(&server, &mary, false));
    tell(&server, &pipeline, &event("v11", "search", "robin"));
    heard(&server, &mary, n, 1);
    heard(&server, &mary, broken, 1);
    server.kill();
    house.tamper(&format!("UPDATE events SET body = 'null' WHERE stream = {broken} AND seq = 1"));
    kept(&house, 1, "deploy v12");
    let server = house.serve();
    assert_eq!(heard(&server, &mary, n, 2)[1]["what"], json!("deploy v12"));
    tell(&server, &pipeline, &event("v13", "search", "robin"));
    assert_eq!(heard(&server, &mary, n, 3)[2]["what"], json!("deploy v13"));
}

/// Whatever the directory says anew, each incident looks again at what was told before: nobody else would.
fn a_service_that_comes_to_be_needed_is_heard_of(house: House) {
    let (house, [mary, _, robin, pipeline]) = knowing(house);
    house.run(&["service", "set", "queue"]);
    house.run(&["team", "set", "search-sre", "robin"]);
    let server = house.serve();
    let both = [declare(&server, &mary, false), declare(&server, &mary, false)];
    // So long ago that nobody looks at it again by themselves.
    kept_at(&house, 1, "queue", "deploy v11", Timestamp::now() - jiff::SignedDuration::from_mins(30));
    tell(&server, &pipeline, &event("v13", "search", "robin"));
    for n in both {
        assert_eq!(heard(&server, &mary, n, 1)[0]["service"], json!("search"));
    }
    house.run(&["service", "set", "search", "--depends-on", "indexing", "--depends-on", "queue"]);
    for n in both {
        heard(&server, &mary, n, 2);
        assert_eq!(whats_of(&server, &mary, n, "queue"), ["deploy v11"]);
    }
    // Who owns it and what belongs to it is no news of what was told.
    house.run(&["service", "match", "search", "--namespace", "production", "--name", "search-*"]);
    house.run(&["service", "set", "search", "--owner", "search-sre", "--depends-on", "queue"]);
    tell(&server, &robin, &event("v14", "queue", "robin"));
    for n in both {
        assert_eq!(heard(&server, &mary, n, 3)[2]["what"], json!("deploy v14"));
        assert_eq!(server.kinds(&mary, n).iter().filter(|kind| *kind == "change_seen").count(), 3);
    }
}

fn what_was_redacted_stays_without_words_when_it_is_told_again(house: House) {
    let (house, [mary, _, _, pipeline]) = knowing(house);
    let server = house.serve();
    let n = declare(&server, &mary, false);
    tell(&server, &pipeline, &event("hunter2", "search", "robin"));
    let entry = heard(&server, &mary, n, 1)[0]["entry"].clone();
    server.done(&mary, n, json!({ "command": "redact", "entry": entry }));
    assert_eq!(tell(&server, &pipeline, &event("hunter2", "search", "robin")), 0, "it is known");
    let words = "SELECT count(*) FROM sightings WHERE body LIKE '%hunter2%'";
    assert_eq!(house.ask(words), "0");
    // Nor does anybody hear of them who comes later.
    let later = declare(&server, &mary, false);
    tell(&server, &pipeline, &event("v13", "search", "robin"));
    heard(&server, &mary, later, 1);
    assert_eq!(whats(&server, &mary, later), [json!("deploy v13")]);
    assert_eq!(heard(&server, &mary, n, 2)[0]["what"], Value::Null);
    // Kept before it was redacted here, and forgotten since.
    house.tamper("DELETE FROM sightings");
    let entry = sightings(&server, &mary, n)[1]["entry"].clone();
    server.done(&mary, n, json!({ "command": "redact", "entry": entry }));
    assert_eq!(tell(&server, &pipeline, &event("v13", "search", "robin")), 0);
}

/// It stood there as under way for ever, and could not be told otherwise.
fn what_is_under_way_ends_without_words_where_they_were_redacted(house: House) {
    let (house, [mary, sabrina, _, _]) = knowing(house);
    let secret = "a-secret-that-both-sides-share";
    let server = house.serve_in(&[("WARDROOM_GITHUB_SECRET", secret)]);
    let n = declare(&server, &mary, false);
    let tells = |state: &str| {
        let body = deployment(state);
        let (status, answer) = webhook(&server, "deployment_status", &body, Some(&signed(&body, secret)));
        assert_eq!(status, 200, "{answer}");
        answer["news"].as_u64().unwrap()
    };
    assert_eq!(tells("in_progress"), 1);
    let seen = heard(&server, &mary, n, 1).remove(0);
    assert_eq!((&seen["stage"], seen["what"].is_string()), (&json!("begun"), true), "{seen}");
    server.done(&mary, n, json!({ "command": "redact", "entry": seen["entry"] }));
    assert_eq!((tells("in_progress"), tells("success"), tells("success")), (0, 1, 0));
    let over =
        wait::until("it is over", || Some(sightings(&server, &mary, n).remove(0)).filter(|one| one["stage"] == "done"));
    assert_eq!((&over["what"], &over["who"], &over["source"]), (&Value::Null, &Value::Null, &Value::Null), "{over}");
    assert_eq!((house.ask(WORDS), house.ask("SELECT stage FROM sightings")), ("0".to_owned(), "3".to_owned()));
    // Nor does anybody hear of it who comes later.
    let later = declare(&server, &mary, false);
    tell(&server, &sabrina, &event("v13", "search", "sabrina"));
    assert_eq!(heard(&server, &mary, later, 1)[0]["what"], json!("deploy v13"));
}

const WORDS: &str = "SELECT count(*) FROM sightings WHERE body <> ''";

fn what_a_merge_brought_is_redacted_beside_the_log_too(house: House) {
    let (house, [mary, _, _, pipeline]) = knowing(house);
    let server = house.serve();
    let n = declare(&server, &mary, false);
    for id in ["v12", "v13"] {
        tell(&server, &pipeline, &event(id, "search", "robin"));
    }
    heard(&server, &mary, n, 2);
    let opening = json!({ "title": "Indexing is slow", "services": ["indexing"] });
    let into = server.post(&mary, "/api/v1/incidents", opening).1["incident"].as_u64().unwrap();
    server.done(&mary, n, json!({ "command": "merge", "into": into }));
    let entry = heard(&server, &mary, into, 2)[0]["entry"].clone();
    assert_eq!(house.ask(WORDS), "2");
    server.done(&mary, into, json!({ "command": "redact", "entry": entry }));
    assert_eq!(whats(&server, &mary, into), [Value::Null, Value::Null]);
    assert_eq!(house.ask(WORDS), "0");
}

fn whoever_is_forgotten_is_forgotten_beside_the_log_too(house: House) {
    let (house, [_, _, robin, pipeline]) = knowing(house);
    let server = house.serve();
    tell(&server, &pipeline, &event("v12", "search", "robin"));
    tell(&server, &robin, &event("v13", "search", "a robot"));
    tell(&server, &pipeline, &event("v14", "search", "a robot"));
    house.run(&["person", "forget", "robin"]);
    assert_eq!(house.ask(WORDS), "1");
    assert_eq!(tell(&server, &pipeline, &event("v12", "search", "robin")), 0, "it is known");
}
