//! The live stream: resumed by cursor, filtered, cut off when a token ends.

use std::time::Instant;

use serde_json::json;

use crate::house::{House, raw};
use crate::{on_both, wait};

on_both!(
    a_stream_is_resumed_from_its_cursor,
    a_revoked_token_ends_its_streams,
    a_stream_can_be_of_one_incident,
    a_cursor_that_is_none_does_not_begin_from_now,
    one_person_does_not_hold_every_stream,
    long_notes_come_in_pages_and_pieces,
    drills_are_only_for_those_who_ask
);

fn a_stream_is_resumed_from_its_cursor(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let stream = server.follow(&mary, "");
    let mut cursors = Vec::new();
    for text in ["one", "two", "three"] {
        server.done(&mary, n, json!({ "command": "note", "text": text }));
        let entry = stream.next_note();
        assert_eq!(entry["told"], format!("Mary: {text}"));
        cursors.push(entry["cursor"].as_str().unwrap().to_owned());
    }
    let resumed = server.follow(&mary, &format!("?after={}", cursors[0]));
    assert_eq!(resumed.next()["body"]["text"], "two");
    assert_eq!(resumed.next()["body"]["text"], "three");
    // Also after a restart, when nothing is in memory any more.
    server.kill();
    let server = house.serve();
    let resumed = server.follow(&mary, &format!("?after={}", cursors[1]));
    assert_eq!(resumed.next()["body"]["text"], "three");
    server.done(&mary, n, json!({ "command": "note", "text": "four" }));
    assert_eq!(resumed.next()["body"]["text"], "four");
}

fn a_revoked_token_ends_its_streams(house: House) {
    let [mary, sabrina] = ["mary", "sabrina"].map(|handle| house.person(handle));
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let streams = [server.follow(&mary, ""), server.follow(&sabrina, "")];
    let listed = house.run(&["token", "list"]);
    let line = listed.lines().find(|line| line.contains("Sabrina")).unwrap();
    house.run(&["token", "revoke", line.split_whitespace().next().unwrap()]);
    let revoked = Instant::now();
    streams[1].end();
    wait::came_soon("the end of the stream", revoked);
    assert_eq!(server.get(&sabrina, "/api/v1/me").0, 401);
    server.done(&mary, n, json!({ "command": "note", "text": "still here" }));
    assert_eq!(streams[0].next_note()["told"], "Mary: still here");
    house.run(&["person", "deactivate", "mary"]);
    let deactivated = Instant::now();
    streams[0].end();
    wait::came_soon("the end of the stream", deactivated);
}

fn a_stream_can_be_of_one_incident(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let (one, two) = (server.declare(&mary, "One"), server.declare(&mary, "Two"));
    let stream = server.follow(&mary, &format!("?incident={two}"));
    server.done(&mary, one, json!({ "command": "note", "text": "elsewhere" }));
    server.done(&mary, two, json!({ "command": "note", "text": "here" }));
    assert_eq!(stream.next_note()["body"]["text"], "here");
    assert_eq!(wait::until("the missing one is told", || Some(server.get(&mary, "/api/v1/events?incident=99").0)), 404);
}

/// Whoever came back with a broken cursor was silently given what happened from then on.
fn a_cursor_that_is_none_does_not_begin_from_now(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    for broken in ["\u{e9}", "7", "\u{202e}"] {
        let ask = format!(
            "GET /api/v1/events HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {mary}\r\nlast-event-id: {broken}\r\n\r\n"
        );
        let answer = raw(&server.url, &ask);
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("\"malformed\""), "{broken:?}: {answer}");
    }
}

fn one_person_does_not_hold_every_stream(house: House) {
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    let other = house.token("mary", "read");
    let server = house.serve_in(&[("WARDROOM_MAX_STREAMS_PER_PERSON", "2")]);
    let held = [server.follow(&mary, ""), server.follow(&other, "")];
    let (status, problem) = server.get(&mary, "/api/v1/events");
    assert_eq!((status, &problem["code"]), (429, &json!("too_many_streams")), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("2 live streams"), "{problem}");
    let n = server.declare(&robin, "Search is failing");
    let stream = server.follow(&robin, "");
    server.done(&robin, n, json!({ "command": "note", "text": "the others go on" }));
    for stream in held.iter().chain([&stream]) {
        assert_eq!(stream.next_note()["body"]["text"], "the others go on");
    }
    // One that has ended makes room for another.
    let listed = house.run(&["token", "list"]);
    let line = listed.lines().find(|line| line.contains("Mary") && line.contains("read")).unwrap();
    house.run(&["token", "revoke", line.split_whitespace().next().unwrap()]);
    held[1].end();
    let again = server.follow(&mary, "");
    server.done(&robin, n, json!({ "command": "note", "text": "again" }));
    assert_eq!(again.notes(1), ["again"]);
}

/// Rule 11: a drill is in no stream, no list and on nobody's way, unless they asked for drills, opened it or joined it.
fn drills_are_only_for_those_who_ask(house: House) {
    let [mary, sabrina] = ["mary", "sabrina"].map(|handle| house.person(handle));
    let server = house.serve();
    let (all, most) = (server.follow(&mary, "?drills=true"), server.follow(&mary, ""));
    let (_, answer) = server.post(&mary, "/api/v1/incidents", json!({ "title": "Practice", "kind": "drill" }));
    let drill = answer["incident"].as_u64().unwrap();
    let offer = json!({ "command": "offer_role", "role": "operations", "to": { "person": "sabrina" } });
    server.done(&mary, drill, offer.clone());
    let next = |token: &str| server.get(token, "/api/v1/next").1["next"].as_array().unwrap().clone();
    assert_eq!(next(&sabrina), [json!(null); 0], "she did not join it");
    assert_eq!(server.next(&sabrina, drill), "take", "whoever opens it finds the offer");
    server.done(&sabrina, drill, json!({ "command": "take_role", "role": "operations" }));
    server.done(&mary, drill, json!({ "command": "take_back_role", "role": "operations" }));
    server.done(&mary, drill, offer);
    assert_eq!(next(&sabrina)[0]["incident"], drill, "she is in it now");
    let real = server.declare(&mary, "Search is failing");
    assert_eq!(all.next()["body"]["kind"], "drill");
    assert_eq!(most.next()["body"]["title"], "Search is failing");
    server.done(&mary, drill, json!({ "command": "note", "text": "in the drill" }));
    server.done(&mary, real, json!({ "command": "note", "text": "for real" }));
    assert_eq!(
        (all.notes(2), most.notes(1)),
        (vec!["in the drill".to_owned(), "for real".to_owned()], vec!["for real".to_owned()])
    );
    let listed = |query: &str| -> Vec<u64> {
        let (_, listed) = server.get(&mary, &format!("/api/v1/incidents{query}"));
        let incidents = listed["incidents"].as_array().unwrap().iter();
        let mut numbers: Vec<u64> = incidents.map(|one| one["number"].as_u64().unwrap()).collect();
        numbers.sort_unstable();
        numbers
    };
    assert_eq!((listed(""), listed("?drills=true")), (vec![real], vec![drill, real]));
    for (number, phase) in [(drill, "resolved"), (drill, "closed"), (real, "resolved"), (real, "closed")] {
        server.done(&mary, number, json!({ "command": "set_phase", "phase": phase }));
    }
    assert_eq!((listed("?ended_below=99"), listed("?ended_below=99&drills=true")), (vec![real], vec![drill, real]));
}

fn long_notes_come_in_pages_and_pieces(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let (_, state) = server.get(&mary, &format!("/api/v1/incidents/{n}"));
    for number in 0..150 {
        server.done(&mary, n, json!({ "command": "note", "text": format!("{number} {}", "🚒".repeat(19_000)) }));
    }
    let (mut read, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let (_, page) = server.get(&mary, &format!("/api/v1/incidents/{n}/events{cursor}"));
        let entries = page["entries"].as_array().unwrap();
        read.extend(entries.iter().map(|entry| entry["entry"].as_u64().unwrap()));
        cursor = format!("?after={}", entries.last().unwrap()["cursor"].as_str().unwrap());
        pages += 1;
        if page["more"] == false {
            break;
        }
    }
    assert_eq!(read, (1..=151).collect::<Vec<_>>());
    assert!(pages > 1, "a page is bounded in bytes too");
    let resumed = server.follow(&mary, &format!("?after={}", state["cursor"].as_str().unwrap()));
    for number in 0..150 {
        assert!(resumed.next_note()["body"]["text"].as_str().unwrap().starts_with(&format!("{number} ")));
    }
}
