//! Access that ends at one node has ended at every other: open streams too, and before anything else is shown there.

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::house::{Answer, House, Server, Stream};
use crate::wait;

/// Asks a node by a method, a path and a body, as somebody.
type Asks<'a> = dyn FnMut(&str, &str, Value) -> Answer + 'a;

/// Sabrina on the second node, by whatever lets her in.
struct There<'a> {
    stream: Stream,
    ask: Box<Asks<'a>>,
}

impl<'a> There<'a> {
    fn by_token(node: &'a Server, token: String) -> Self {
        let stream = node.follow(&token, "");
        let ask = move |method: &str, path: &str, body: Value| match method {
            "GET" => node.get(&token, path),
            _ => node.post(&token, path, body),
        };
        Self { stream, ask: Box::new(ask) }
    }

    /// The same browser at the second node: its cookie is good at both.
    fn by_session(node: &'a Server, cookie: &str) -> Self {
        let mut browser = Browser::new(node).holding(cookie);
        let stream = browser.follow();
        let ask = move |method: &str, path: &str, mut body: Value| {
            body["request_id"] = json!(uuid::Uuid::now_v7());
            let told = match method {
                "GET" => browser.get(path),
                _ => browser.post(path, body),
            };
            (told.status, told.body)
        };
        Self { stream, ask: Box::new(ask) }
    }

    fn note(&mut self, n: u64, text: &str) -> u16 {
        let note = json!({ "command": "note", "text": text });
        (self.ask)("POST", &format!("/api/v1/incidents/{n}/commands"), note).0
    }
}

/// Ends Sabrina's access at the first node; at the second, where she reads and writes, it has ended with it.
fn ends_at_the_other_node_too(one: &Server, two: &Server, mary: &str, mut there: There<'_>, end: impl FnOnce()) {
    let n = one.declare(mary, "Search is failing");
    let marys = two.follow(mary, "");
    assert_eq!(there.stream.next_of("opened")["incident"], n);
    assert_eq!(there.note(n, "before"), 200);
    assert_eq!([&there.stream, &marys].map(|stream| stream.notes(1)), [["before"], ["before"]]);
    end();
    // Recorded after the end, and told at the second node as soon as it is read there.
    one.done(mary, n, json!({ "command": "note", "text": "after" }));
    assert_eq!(marys.notes(1), ["after"]);
    // The second node has read as far as that, and so it knows.
    let command = format!("/api/v1/incidents/{n}/commands");
    for (method, path) in [("GET", "/api/v1/me"), ("GET", "/api/v1/incidents"), ("POST", command.as_str())] {
        let (status, problem) = (there.ask)(method, path, json!({ "command": "note", "text": "no more" }));
        assert_eq!((status, &problem["code"]), (401, &json!("not_signed_in")), "{method} {path}: {problem}");
    }
    let shown: Vec<Value> = there.stream.rest();
    assert!(shown.iter().all(|entry| entry["body"]["text"] != "after"), "she is shown nothing from then on: {shown:?}");
    one.done(mary, n, json!({ "command": "note", "text": "others go on" }));
    assert_eq!(marys.notes(1), ["others go on"]);
}

/// Mary, and Sabrina by her handle, on two nodes.
fn scene() -> (House, String, [Server; 2]) {
    let house = House::on_postgres();
    let mary = house.person("mary");
    let nodes = [house.serve(), house.serve()];
    (house, mary, nodes)
}

#[test]
fn a_token_that_is_revoked_at_one_node_has_ended_at_the_other() {
    let (house, mary, [one, two]) = scene();
    let (ada, sabrina) = (house.admin("ada"), house.person("sabrina"));
    let listed: Value = serde_json::from_str(&house.run(&["token", "list", "--json"])).unwrap();
    let token = listed.as_array().unwrap().iter().find(|token| token["person"] == "Sabrina").unwrap()["id"].clone();
    wait::until("the second node knows her", || (two.get(&sabrina, "/api/v1/me").0 == 200).then_some(()));
    ends_at_the_other_node_too(&one, &two, &mary, There::by_token(&two, sabrina), || {
        let revoke = json!({ "command": "revoke_token", "token": token });
        let (status, answer) = one.post(&ada, "/api/v1/directory/commands", revoke);
        assert_eq!(status, 200, "{answer}");
    });
}

#[test]
fn a_session_that_is_ended_at_one_node_has_ended_at_the_other() {
    let (house, mary, [one, two]) = scene();
    let mut browser = Browser::of(&house, &one, "sabrina");
    let cookie = browser.cookie.clone();
    wait::until("the second node knows her", || Browser::new(&two).holding(&cookie).is_in().then_some(()));
    ends_at_the_other_node_too(&one, &two, &mary, There::by_session(&two, &cookie), || {
        assert_eq!(browser.delete("/api/v1/session").status, 204);
    });
}
