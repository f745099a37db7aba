//! An incident as the stories of permissions and of the gate find it, and what they ask there.

use serde_json::{Value, json};

use crate::house::{Answer, House, Server};
use crate::wait;

/// Mary commands and Sabrina has operations of an incident on search, whose gate enforces; Robin is of search's owners, and
/// outside.
pub struct Scene {
    pub house: House,
    pub server: Server,
    pub mary: String,
    pub sabrina: String,
    pub robin: String,
    pub n: u64,
}

/// A house that knows search and what it needs, and Mary, Sabrina and Robin.
pub fn knowing(house: House) -> (House, [String; 3]) {
    let people = ["mary", "sabrina", "robin"].map(|handle| house.person(handle));
    house.run(&["team", "set", "search-sre", "robin"]);
    house.run(&["service", "set", "indexing"]);
    house.run(&["service", "set", "search", "--owner", "search-sre", "--depends-on", "indexing"]);
    (house, people)
}

pub fn scene(house: House) -> Scene {
    let (house, [mary, sabrina, robin]) = knowing(house);
    house.run(&["service", "gate", "search", "--enforce"]); // At sev1 and sev2, as nobody says otherwise.
    let server = house.serve();
    let n = staffed(&server, &mary, &sabrina, &json!({}));
    Scene { house, server, mary, sabrina, robin, n }
}

/// Declares an incident, on search unless more is said.
pub fn declare(server: &Server, token: &str, more: &Value) -> u64 {
    let mut opening = json!({ "title": "Search is failing", "services": ["search"] });
    opening.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let (status, answer) = server.post(token, "/api/v1/incidents", opening);
    assert_eq!(status, 201, "{answer}");
    answer["incident"].as_u64().unwrap()
}

/// The same, and Sabrina takes its operations.
pub fn staffed(server: &Server, mary: &str, sabrina: &str, more: &Value) -> u64 {
    let n = declare(server, mary, more);
    server.done(sabrina, n, json!({ "command": "join" }));
    server.done(mary, n, json!({ "command": "offer_role", "role": "operations", "to": { "person": "sabrina" } }));
    server.done(sabrina, n, json!({ "command": "take_role", "role": "operations" }));
    n
}

/// Asks the gate, once it has read which incidents there are: until then it says that it has just started.
pub fn ask(server: &Server, token: &str, asked: Value) -> Answer {
    let asked = asked.to_string();
    wait::until("the gate has read what there is", || {
        let (status, answer) = server.send(token, "/api/v1/gate", asked.as_bytes()).expect("the server answers");
        let starts = answer["detail"].as_str().is_some_and(|detail| detail.contains("has just started"));
        (status != 503 || !starts).then_some((status, answer))
    })
}

/// What the gate decides about search.
pub fn decided(server: &Server, token: &str, what: &str) -> Value {
    let (status, answer) = ask(server, token, json!({ "services": ["search"], "what": what }));
    assert_eq!(status, 200, "{answer}");
    answer
}

pub fn changes(server: &Server, token: &str, n: u64) -> Vec<Value> {
    server.get(token, &format!("/api/v1/incidents/{n}/changes")).1["changes"].as_array().unwrap().clone()
}

/// A server whose incidents hold one MiB of evidence.
pub fn narrow(house: &House) -> Server {
    house.serve_in(&[("WARDROOM_MAX_EVIDENCE_PER_INCIDENT", "1")])
}

/// Leaves no room for evidence in the first incident of such a server.
pub fn fill(house: &House, server: &Server, token: &str) {
    let file = house.folder().join("heap.bin");
    std::fs::write(&file, vec![7; 1 << 20]).unwrap();
    server.say(token, &["evidence", "add", "1", file.to_str().unwrap()]);
}
