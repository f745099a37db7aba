//! A token expires: its open stream ends, and it lets nobody in any more. The person's other token goes on.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::faster::time;
use crate::house::{House, Server};

/// How much of a day is left for the token when the server starts.
pub const LEFT: SignedDuration = SignedDuration::from_mins(12);

/// On a server whose clock is a day ahead, but for what is left.
pub fn a_token_expires(house: &House, server: &Server) {
    let lasting = house.person("erin");
    let said = house.run(&["token", "create", "erin", "--days", "1", "--label", "for today"]);
    let brief = said.split_whitespace().last().unwrap();
    let listed: Value = serde_json::from_str(&house.run(&["token", "list", "--json"])).unwrap();
    let token = listed.as_array().unwrap().iter().find(|token| token["label"] == "for today").unwrap();
    let expires_at = time(&token["expires_at"]);
    let n = server.declare_as(&lasting, "Search is slow", "sev4");
    let streams = [brief, &lasting].map(|token| server.follow(token, &format!("?incident={n}")));
    server.done(brief, n, json!({ "command": "note", "text": "until tonight" }));
    for stream in &streams {
        assert_eq!(stream.next_note()["body"]["text"], "until tonight");
    }
    // Nothing happens in the incident that could wake the stream: it ends by itself.
    streams[0].end();
    assert!(server.time().as_second() >= expires_at.as_second(), "it was good until {expires_at}");
    for path in ["/api/v1/me", "/api/v1/incidents", "/api/v1/events"] {
        let (status, problem) = server.get(brief, path);
        assert_eq!((status, &problem["code"]), (401, &json!("not_signed_in")), "{path}: {problem}");
    }
    let (status, problem) = server.command(brief, n, json!({ "command": "note", "text": "one more" }));
    assert_eq!((status, &problem["code"]), (401, &json!("not_signed_in")), "{problem}");
    server.done(&lasting, n, json!({ "command": "note", "text": "still here" }));
    assert_eq!(streams[1].next_note()["body"]["text"], "still here");
}
