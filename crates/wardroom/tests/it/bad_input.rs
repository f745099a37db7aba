//! Bad input: a clear 4xx each, and nothing half done.

use serde_json::{Value, json};

use crate::house::{House, Server, raw};
use crate::on_both;

on_both!(each_kind_of_bad_input_is_refused_clearly);

fn each_kind_of_bad_input_is_refused_clearly(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let path = format!("/api/v1/incidents/{n}/commands");
    for (what, body, status, code) in bad_bodies().into_iter().chain(bad_meanings()) {
        // A body that is refused by its size may be refused while it is still being sent.
        let Some((got, problem)) = server.send(&mary, &path, body.as_bytes()) else {
            assert_eq!(status, 413, "{what}: no answer");
            continue;
        };
        assert_eq!((got, problem["code"].as_str()), (status, Some(code)), "{what}: {problem}");
        assert!(problem["detail"].as_str().is_some_and(|said| said.len() > 10 && !said.contains("panicked")), "{what}");
    }
    bad_cursors_and_numbers(&server, &mary, n);
    bad_addresses(&server, &mary, n);
    bad_heads(&server, &mary);
    let form = "POST /api/v1/incidents HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\nconnection: close\r\nauthorization: Bearer ";
    assert!(raw(&server.url, &format!("{form}{mary}\r\n\r\na")).starts_with("HTTP/1.1 415"));
    assert_eq!(server.kinds(&mary, n), ["opened"], "nothing of it was recorded");
}

fn bad_cursors_and_numbers(server: &Server, mary: &str, n: u64) {
    for cursor in ["x", "7", "00000000000000000000000000000000.5.5", "..", "%00"] {
        let (status, problem) = server.get(mary, &format!("/api/v1/incidents/{n}/events?after={cursor}"));
        assert_eq!((status, &problem["code"]), (400, &json!("malformed")), "{cursor}");
    }
    let (_, state) = server.get(mary, &format!("/api/v1/incidents/{n}"));
    let (epoch, _) = state["cursor"].as_str().unwrap().split_once('.').unwrap();
    assert_eq!(server.get(mary, &format!("/api/v1/events?after={epoch}.999999")).0, 400, "a cursor ahead of the log");
    assert_eq!(server.get(mary, &format!("/api/v1/events?after={}.1", "f".repeat(32))).0, 410, "a foreign cursor");
    for number in ["0", "4294967296", "-1", "x"] {
        let (status, problem) = server.get(mary, &format!("/api/v1/incidents/{number}"));
        assert!(status == 404 || status == 400, "{number}: {status}");
        assert!(problem["code"].is_string(), "{number}: {problem}");
    }
}

/// Told in words of ours, which repeat nothing that misleads.
fn bad_addresses(server: &Server, mary: &str, n: u64) {
    let incident = format!("/api/v1/incidents/{n}");
    for (path, tells) in [
        ("/api/v1/incidents/-1".to_owned(), "goes by its number"),
        ("/api/v1/incidents/%E2%80%AE465".to_owned(), "goes by its number"),
        ("/api/v1/incidents/%FF".to_owned(), "UTF-8"),
        ("/api/v1/incidents?drills=perhaps".to_owned(), "behind the “?”"),
        ("/api/v1/incidents?ended_below=-1".to_owned(), "behind the “?”"),
        ("/api/v1/incidents?colour=blue".to_owned(), "unknown field `colour`"),
        ("/api/v1/incidents?drills=true&drills=false".to_owned(), "duplicate field"),
        (format!("{incident}/events?limit=all"), "behind the “?”"),
        (format!("{incident}/events?%E2%80%AE=1"), "unknown field `\u{fffd}`"),
        (format!("{incident}/briefing?since=-1"), "behind the “?”"),
        ("/api/v1/events?incident=0".to_owned(), "numbered from 1"),
    ] {
        let (status, problem) = server.get(mary, &path);
        assert_eq!((status, &problem["code"]), (400, &json!("malformed")), "{path}: {problem}");
        let told = problem["detail"].as_str().unwrap();
        assert!(told.contains(tells), "{path}: {told}");
        assert!(!told.contains('\u{202e}') && !told.contains("eserialize") && !told.contains("Invalid URL"), "{told}");
    }
    for number in ["0", "4294967296", "99999999999999999999999999"] {
        let (status, problem) = server.get(mary, &format!("/api/v1/incidents/{number}"));
        assert_eq!((status, &problem["code"]), (404, &json!("no_such_incident")), "{number}: {problem}");
    }
}

/// What is wrong before a body comes.
fn bad_heads(server: &Server, mary: &str) {
    let form = |path: &str, more: &str| {
        format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {mary}\r\n{more}\r\n")
    };
    let long = "x".repeat(9_000);
    for (ask, status, code) in [
        (form(&format!("/api/v1/next?{long}"), ""), 414, "address_too_long"),
        (form("/api/v1/next", &format!("x-long: {long}\r\n").repeat(4)), 431, "header_too_large"),
        (form("/api/v1/next", &"x-many: 1\r\n".repeat(70)), 431, "header_too_large"),
        (form("/api/v1/sessions", "").replace("GET", "BREW"), 405, "method_not_allowed"),
    ] {
        let answer = raw(&server.url, &ask);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")) && head.contains("application/problem+json"), "{head}");
        let problem: Value = serde_json::from_str(body).unwrap();
        assert_eq!(problem["code"], code, "{problem}");
    }
    // What is no HTTP at all is answered by the library that reads it, without a body, and ends the connection.
    for garbage in ["\u{16}\u{3}\u{1}\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /\u{0} HTTP/1.1\r\nhost: x\r\n\r\n"] {
        let answer = raw(&server.url, garbage);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{garbage:?}: {answer}");
    }
}

fn id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// A body with these fields, as they are written.
fn written(fields: &str) -> String {
    format!(r#"{{"request_id":"{}",{fields}}}"#, id())
}

/// A body with this command.
fn with(command: Value) -> String {
    let mut body = command;
    body["request_id"] = json!(id());
    body.to_string()
}

/// What is wrong with each body, and the status and code that it is answered with.
fn bad_bodies() -> Vec<(&'static str, String, u16, &'static str)> {
    vec![
        ("malformed JSON", "{\"request_id\":".to_owned(), 400, "malformed"),
        ("not an object", "[]".to_owned(), 400, "malformed"),
        ("no request id", r#"{"command":"join"}"#.to_owned(), 400, "malformed"),
        ("a request id that is none", r#"{"request_id":"1","command":"join"}"#.to_owned(), 400, "malformed"),
        ("an unknown command", with(json!({ "command": "fly" })), 400, "malformed"),
        ("an unknown field", with(json!({ "command": "note", "text": "a", "loud": true })), 400, "malformed"),
        ("a wrong type", with(json!({ "command": "note", "text": 7 })), 400, "malformed"),
        ("a control character", with(json!({ "command": "note", "text": "a\u{7}" })), 400, "malformed"),
        ("an empty note", with(json!({ "command": "note", "text": "  " })), 400, "malformed"),
        (
            "a note of 20,001 characters",
            with(json!({ "command": "note", "text": "a".repeat(20_001) })),
            400,
            "malformed",
        ),
        (
            "a note of 200,000 characters",
            with(json!({ "command": "note", "text": "a".repeat(200_000) })),
            413,
            "too_large",
        ),
        ("a body of 10 MB", "a".repeat(10 << 20), 413, "too_large"),
        ("a role that is none", with(json!({ "command": "ask_role", "role": "../etc" })), 400, "malformed"),
        ("two texts", written(r#""command":"note","text":"a","text":"b""#), 400, "malformed"),
        ("two request ids", written(&format!(r#""request_id":"{}","command":"join""#, id())), 400, "malformed"),
        (
            "two keys deep inside",
            written(r#""command":"offer_role","role":"operations","to":{"person":"mary","person":"robin"}"#),
            400,
            "malformed",
        ),
        ("no minutes", with(json!({ "command": "set_clock", "label": "x", "in_minutes": -1 })), 400, "malformed"),
        (
            "too many minutes",
            with(json!({ "command": "set_clock", "label": "x", "in_minutes": 1_u64 << 32 })),
            400,
            "malformed",
        ),
        ("a merge into none", with(json!({ "command": "merge", "into": 0 })), 400, "malformed"),
        ("a number that no machine has", written(r#""command":"pin_note","entry":1e400"#), 400, "malformed"),
        ("deep nesting", format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000)), 400, "malformed"),
    ]
}

/// What can be read and is refused all the same.
fn bad_meanings() -> Vec<(&'static str, String, u16, &'static str)> {
    vec![
        ("an unknown role", with(json!({ "command": "ask_role", "role": "operations/tea" })), 422, "unknown_role"),
        (
            "an unknown person",
            with(json!({ "command": "add_member", "role": "operations", "person": "nobody" })),
            422,
            "unknown_person",
        ),
        (
            "a note from the future",
            with(json!({ "command": "note", "text": "a", "happened_at": "2999-01-01T00:00:00Z" })),
            422,
            "invalid",
        ),
        (
            "a dangerous link",
            with(json!({ "command": "add_post", "label": "x", "link": "javascript:alert(1)" })),
            422,
            "invalid",
        ),
    ]
}
