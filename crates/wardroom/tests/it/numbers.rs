//! Numbers that mean nothing: whoever sends one is told so, and nobody else notices.

use serde_json::json;

use crate::house::House;
use crate::on_both;

on_both!(an_incident_without_a_number_harms_nobody, an_entry_that_no_incident_can_have_harms_nobody);

/// Stream 0 of the log is the directory. A command to "incident 0" was taken for outdated, and the directory that the
/// node held was thrown away with it: everybody was signed out.
fn an_incident_without_a_number_harms_nobody(house: House) {
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    let server = house.serve();
    let number = server.declare(&mary, "Search is failing");
    let stream = server.follow(&robin, "");
    let (status, problem) = server.command(&mary, 0, json!({ "command": "join" }));
    assert_eq!((status, &problem["code"]), (404, &json!("no_such_incident")), "{problem}");
    let (status, problem) = server.command(&mary, number, json!({ "command": "merge", "into": 0 }));
    assert_eq!((status, &problem["code"]), (400, &json!("malformed")), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("numbered from 1"), "{problem}");
    for path in ["", "/events", "/briefing"] {
        let (status, problem) = server.get(&mary, &format!("/api/v1/incidents/0{path}"));
        assert_eq!((status, &problem["code"]), (404, &json!("no_such_incident")), "{path}: {problem}");
    }
    assert_eq!(server.get(&mary, "/api/v1/events?incident=0").0, 400);
    for arguments in [&["join", "0"][..], &["show", "0"], &["merge", "1", "0"]] {
        let refused = server.verb(&mary, arguments);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}");
        assert!(String::from_utf8(refused.stderr).unwrap().contains("numbered from 1"));
    }
    // Robin has noticed nothing: the same stream goes on, and so does everything else.
    server.done(&mary, number, json!({ "command": "note", "text": "the others go on" }));
    assert_eq!(stream.next_note()["body"]["text"], "the others go on");
    server.done(&robin, number, json!({ "command": "join" }));
}

/// What SQLite cannot count up to was told as a store that is not available, to everybody who asked at the same moment.
fn an_entry_that_no_incident_can_have_harms_nobody(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let number = server.declare(&mary, "Search is failing");
    for entry in [0, 7, i64::MAX as u64] {
        for command in ["pin_note", "unpin_note", "redact"] {
            let (status, problem) = server.command(&mary, number, json!({ "command": command, "entry": entry }));
            assert_eq!((status, &problem["code"]), (409, &json!("not_there")), "{command} {entry}: {problem}");
        }
    }
    for entry in [1 << 63, u64::MAX] {
        for command in [
            json!({ "command": "pin_note", "entry": entry }),
            json!({ "command": "unpin_note", "entry": entry }),
            json!({ "command": "correct_note", "entry": entry, "text": "x" }),
            json!({ "command": "redact", "entry": entry }),
            json!({ "command": "stop_clock", "clock": entry }),
            json!({ "command": "take_role", "role": "command", "briefed": { "to": entry } }),
        ] {
            let (status, problem) = server.command(&mary, number, command.clone());
            assert_eq!((status, &problem["code"]), (400, &json!("malformed")), "{command}: {problem}");
        }
        for query in [format!("events?after_entry={entry}"), format!("briefing?since={entry}")] {
            let (status, problem) = server.get(&mary, &format!("/api/v1/incidents/{number}/{query}"));
            assert_eq!((status, &problem["code"]), (400, &json!("malformed")), "{query}: {problem}");
        }
    }
    let beyond = format!("/api/v1/incidents/{number}/events?after_entry={}", i64::MAX);
    assert_eq!(server.get(&mary, &beyond), (200, json!({ "entries": [], "more": false })));
    assert_eq!(server.kinds(&mary, number), ["opened"], "nothing of it was recorded");
}
