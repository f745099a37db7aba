//! What is worth keeping is kept by itself when an incident is declared: in the background, once, and where it cannot be,
//! one quiet line says so.

mod trouble;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex};

use serde_json::{Value, json};

use crate::house::{House, Server, WARDROOM};
use crate::{on_both, wait};

on_both!(
    what_is_worth_keeping_is_kept_when_an_incident_is_declared_on_its_service,
    what_cannot_be_kept_is_one_quiet_line,
    practice_keeps_nothing_and_shows_what_would_be_kept,
    what_somebody_keeps_by_hand_is_kept_for_everybody_and_not_again,
    what_kill_9_left_is_kept_after_a_restart_and_nothing_twice,
    a_place_that_answers_nothing_holds_up_nobody_else,
    the_team_that_owns_a_service_says_what_is_worth_keeping
);

/// What was asked of a place, and whether it answers what is held.
#[derive(Default)]
struct Asked {
    paths: BTreeMap<String, usize>,
    released: bool,
}

/// A place with graphs, on this machine. Each answer is another one; what begins with `/held` waits until it is released, and
/// what ends with `/nothing` is not there.
#[derive(Clone)]
struct Graphs {
    port: u16,
    asked: Arc<(Mutex<Asked>, Condvar)>,
}

impl Graphs {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let graphs = Self { port: listener.local_addr().unwrap().port(), asked: Arc::default() };
        let place = graphs.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (place, mut stream) = (place.clone(), stream.unwrap());
                std::thread::spawn(move || {
                    let mut head = [0; 4_096];
                    let read = stream.read(&mut head).unwrap_or_default();
                    let head = String::from_utf8_lossy(&head[..read]).into_owned();
                    // Whoever asked may be gone.
                    let _ = stream.write_all(&place.answer(head.split(' ').nth(1).unwrap_or_default()));
                });
            }
        });
        graphs
    }

    fn answer(&self, path: &str) -> Vec<u8> {
        let (asked, released) = &*self.asked;
        let mut asked = asked.lock().unwrap();
        *asked.paths.entry(path.to_owned()).or_default() += 1;
        let all: usize = asked.paths.values().sum();
        if path.starts_with("/held") {
            drop(released.wait_while(asked, |asked| !asked.released).unwrap());
        }
        if path.ends_with("/nothing") {
            return b"HTTP/1.1 404 Not Found\r\ncontent-length: 6\r\n\r\nsesame".to_vec();
        }
        let body = format!("graph {all}");
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
    }

    fn release(&self) {
        self.asked.0.lock().unwrap().released = true;
        self.asked.1.notify_all();
    }

    fn asked(&self, path: &str) -> usize {
        self.asked.0.lock().unwrap().paths.get(path).copied().unwrap_or_default()
    }

    fn at(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

/// A program of the house.
fn script(house: &House, name: &str, says: &str) -> String {
    let path = house.folder().join(name);
    std::fs::write(&path, says).unwrap();
    format!("{name}=/bin/sh {}", path.display())
}

/// A server that may fetch from these and run these.
fn serve(house: &House, from: &[&Graphs], captures: &[String]) -> Server {
    serve_at(house, &house.place(), from, captures)
}

/// The same, with the store by these flags.
fn serve_at(house: &House, place: &[String], from: &[&Graphs], captures: &[String]) -> Server {
    let from: Vec<String> = from.iter().map(|graphs| format!("127.0.0.1:{}", graphs.port)).collect();
    let mut wardroom = Command::new(WARDROOM);
    wardroom.arg("serve").args(place).args(["--fetch-from", &from.join(",")]);
    house.start(wardroom.args(captures.iter().flat_map(|capture| ["--capture", capture])))
}

fn worth(house: &House, service: &str, keep: &[&str]) {
    house.run(&["service", "set", service]);
    house.run(&[&["service", "preserve", service], keep].concat());
}

/// An incident on a service.
fn declare(server: &Server, token: &str, kind: &str, service: &str) -> u64 {
    let (status, made) = server.post(
        token,
        "/api/v1/incidents",
        json!({ "title": format!("{service} is failing"), "kind": kind, "services": [service] }),
    );
    assert_eq!(status, 201, "{made}");
    made["incident"].as_u64().unwrap()
}

fn pieces(server: &Server, token: &str, n: u64) -> Vec<Value> {
    server.get(token, &format!("/api/v1/incidents/{n}/evidence")).1["evidence"].as_array().unwrap().clone()
}

/// The evidence of an incident, once there are so many pieces.
fn kept(server: &Server, token: &str, n: u64, many: usize) -> Vec<Value> {
    wait::until("it is kept", || Some(pieces(server, token, n)).filter(|pieces| pieces.len() >= many))
}

/// How often something of this kind is told of an incident, and the last time in which words.
fn told(server: &Server, token: &str, n: u64, kind: &str) -> (usize, String) {
    let (_, page) = server.get(token, &format!("/api/v1/incidents/{n}/events"));
    let all: Vec<&Value> = page["entries"].as_array().unwrap().iter().filter(|entry| entry["kind"] == kind).collect();
    (all.len(), all.last().map(|entry| entry["told"].as_str().unwrap().to_owned()).unwrap_or_default())
}

/// What is worth keeping and is not kept: what, how it stands, and why.
fn left(server: &Server, token: &str, n: u64) -> Vec<(String, String, Value)> {
    let (_, view) = server.get(token, &format!("/api/v1/incidents/{n}"));
    let left = view["worth_keeping"].as_array().unwrap_or_else(|| panic!("{view}"));
    let word = |one: &Value| one.as_str().unwrap().to_owned();
    left.iter().map(|one| (word(&one["what"]), word(&one["stands"]), one["why"].clone())).collect()
}

fn what_is_worth_keeping_is_kept_when_an_incident_is_declared_on_its_service(house: House) {
    let mary = house.person("mary");
    let graphs = Graphs::new();
    let graph = format!("graphs={}", graphs.at("/render?token=hunter2"));
    worth(&house, "search", &[&graph, "pods=capture:pods", "logs=kubectl logs"]);
    worth(&house, "indexing", &[&format!("queue={}", graphs.at("/queue"))]);
    let pods = script(&house, "pods", "echo pods of $SERVICE in $INCIDENT; echo password=sesame");
    let server = serve(&house, &[&graphs], &[pods]);
    let n = declare(&server, &mary, "incident", "search");
    let mut pieces = kept(&server, &mary, n, 2);
    pieces.sort_by_key(|piece| piece["name"].to_string());
    let [graph, pods] = pieces.as_slice() else { panic!("{pieces:?}") };
    assert_eq!((&graph["name"], &pods["name"]), (&json!("graphs of search"), &json!("pods of search")));
    for piece in [graph, pods] {
        let why = piece["why"].as_str().unwrap();
        assert!(why.starts_with("kept by itself ") && why.ends_with(" after the declaration"), "{why}");
        assert_eq!(piece["by"], Value::Null);
    }
    let whole = house.folder().join("whole");
    server.say(&mary, &["evidence", "get", "1", pods["sha256"].as_str().unwrap(), "-o", whole.to_str().unwrap()]);
    let whole = std::fs::read_to_string(whole).unwrap();
    assert!(whole.starts_with("capture pods of search: exit code 0 after "), "{whole}");
    assert!(whole.ends_with("\n--- output ---\npods of search in 1\npassword=[masked]\n"), "{whole}");
    let (many, last) = told(&server, &mary, n, "evidence_attached");
    assert!(many == 2 && last.starts_with("Wardroom attached "), "{last}");
    assert!(server.say(&mary, &["evidence", "list", "1"]).contains("by Wardroom itself"));
    assert_eq!(left(&server, &mary, n), [("logs".to_owned(), "by_hand".to_owned(), Value::Null)]);
    // A service is added, and what is worth keeping of it is kept; what is there is not kept twice.
    server.done(&mary, n, json!({ "command": "set_services", "services": ["search", "indexing"] }));
    assert_eq!(kept(&server, &mary, n, 3)[2]["name"], "queue of indexing");
    assert_eq!((graphs.asked("/render?token=hunter2"), graphs.asked("/queue")), (1, 1));
    assert_eq!(told(&server, &mary, n, "not_kept").0, 0);
    let (_, page) = server.get(&mary, &format!("/api/v1/incidents/{n}/events"));
    assert!(!page.to_string().contains("hunter2"), "what stands behind the “?” is nowhere");
    assert_eq!(house.verify()["holds"], true);
}

fn what_cannot_be_kept_is_one_quiet_line(house: House) {
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    let [graphs, unlisted] = [Graphs::new(), Graphs::new()];
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let gone = Graphs { port: closed, asked: Arc::default() };
    let things = [
        format!("one={}", unlisted.at("/one")),
        format!("two={}", gone.at("/two")),
        format!("three={}", graphs.at("/nothing")),
        "four=capture:nobody-named-it".to_owned(),
        "five=capture:fails".to_owned(),
    ];
    worth(&house, "search", &things.each_ref().map(String::as_str));
    let fails = script(&house, "fails", "echo it is broken >&2; exit 1");
    let server = serve(&house, &[&graphs, &gone], &[fails]);
    let n = declare(&server, &mary, "incident", "search");
    let (_, line) = wait::until("it is told", || Some(told(&server, &mary, n, "not_kept")).filter(|told| told.0 > 0));
    assert!(line.starts_with("Worth keeping, and not kept by itself: ") && line.ends_with(" and 1 more"), "{line}");
    let (mut all, why) = (left(&server, &mary, n), |words: &str| json!(words));
    all.sort_by(|(one, ..), (other, ..)| one.cmp(other));
    assert_eq!(
        all.iter().map(|(what, stands, _)| (what.as_str(), stands.as_str())).collect::<Vec<_>>(),
        ["five", "four", "one", "three", "two"].map(|what| (what, "not_kept"))
    );
    let whys: Vec<Value> = all.into_iter().map(|(_, _, why)| why).collect();
    assert_eq!(
        whys,
        [
            why("its capture failed"),
            why("the settings name no such capture"),
            why("its host is not listed, --fetch-from"),
            why("its host answered something else"),
            why("its host was not reached"),
        ]
    );
    let shown = server.say(&mary, &["show", "1"]);
    let typed = format!("one of search: wardroom evidence fetch 1 '{}' (not kept by itself: ", unlisted.at("/one"));
    assert!(shown.contains(&typed), "{shown}");
    // Nobody is called, and whoever cannot do anything about it is not told.
    assert_eq!(house.ask("SELECT count(*) FROM calls"), "0");
    assert!(!server.next(&mary, n).contains("kept"));
    assert_eq!(left(&server, &robin, n).len(), 0);
    // It is over: whatever happens next, it is not tried again.
    server.done(&mary, n, json!({ "command": "note", "text": "on it" }));
    server.done(&mary, n, json!({ "command": "set_severity", "severity": "sev1" }));
    assert_eq!(
        (server.kinds(&mary, n), graphs.asked("/nothing"), unlisted.asked("/one")),
        (["opened", "not_kept", "noted", "severity_set"].map(str::to_owned).to_vec(), 1, 0)
    );
}

fn practice_keeps_nothing_and_shows_what_would_be_kept(house: House) {
    let mary = house.person("mary");
    let graphs = Graphs::new();
    worth(&house, "search", &[&format!("graphs={}", graphs.at("/render"))]);
    let server = serve(&house, &[&graphs], &[]);
    let drill = declare(&server, &mary, "drill", "search");
    assert_eq!(left(&server, &mary, drill), [("graphs".to_owned(), "only_shown".to_owned(), Value::Null)]);
    assert!(server.say(&mary, &["show", "1"]).contains("(in an incident, Wardroom would keep it)"));
    let looking = json!({ "title": "Search is odd", "investigate": true, "services": ["search"] });
    let (_, looking) = server.post(&mary, "/api/v1/incidents", looking);
    let looking = looking["incident"].as_u64().unwrap();
    assert_eq!(left(&server, &mary, looking), [("graphs".to_owned(), "when_declared".to_owned(), Value::Null)]);
    server.done(&mary, looking, json!({ "command": "declare" }));
    kept(&server, &mary, looking, 1);
    assert_eq!((graphs.asked("/render"), server.kinds(&mary, drill)), (1, vec!["opened".to_owned()]));
}

fn what_somebody_keeps_by_hand_is_kept_for_everybody_and_not_again(house: House) {
    let mary = house.person("mary");
    let graphs = Graphs::new();
    let url = graphs.at("/render");
    worth(&house, "search", &[&format!("graphs={url}"), "pods=echo two pods"]);
    let server = serve(&house, &[&graphs], &[]);
    let looking = json!({ "title": "Search is odd", "investigate": true, "services": ["search"] });
    let n = server.post(&mary, "/api/v1/incidents", looking).1["incident"].as_u64().unwrap();
    assert_eq!(left(&server, &mary, n).len(), 2);
    server.say(&mary, &["evidence", "fetch", "1", &url]);
    assert_eq!(left(&server, &mary, n), [("pods".to_owned(), "by_hand".to_owned(), Value::Null)]);
    server.say(&mary, &["run", "1", "--look", "--", "echo", "two", "pods"]);
    assert_eq!(left(&server, &mary, n).len(), 0);
    assert!(!server.say(&mary, &["show", "1"]).contains("WORTH KEEPING"));
    server.done(&mary, n, json!({ "command": "declare" }));
    let mail = graphs.at("/mail");
    worth(&house, "mail", &[&format!("graphs={mail}")]);
    server.done(&mary, n, json!({ "command": "set_services", "services": ["search", "mail"] }));
    wait::until("what is new is asked for", || (graphs.asked("/mail") == 1).then_some(()));
    assert_eq!(graphs.asked("/render"), 1, "what is there is not asked for");
}

fn what_kill_9_left_is_kept_after_a_restart_and_nothing_twice(house: House) {
    let mary = house.person("mary");
    let [graphs, slow] = [Graphs::new(), Graphs::new()];
    worth(&house, "search", &[&format!("one={}", graphs.at("/one")), &format!("two={}", slow.at("/held"))]);
    let server = serve(&house, &[&graphs, &slow], &[]);
    let n = declare(&server, &mary, "incident", "search");
    kept(&server, &mary, n, 1);
    wait::until("the other is asked for", || (slow.asked("/held") == 1).then_some(()));
    server.kill();
    slow.release();
    let server = serve(&house, &[&graphs, &slow], &[]);
    kept(&server, &mary, n, 2);
    assert_eq!((graphs.asked("/one"), slow.asked("/held")), (1, 2));
    drop(server);
    let server = serve(&house, &[&graphs, &slow], &[]);
    server.done(&mary, n, json!({ "command": "note", "text": "back" }));
    let kinds = ["opened", "evidence_attached", "evidence_attached", "noted"];
    assert_eq!(server.kinds(&mary, n), kinds);
    assert_eq!((graphs.asked("/one"), slow.asked("/held"), house.verify()["holds"] == true), (1, 2, true));
}

fn a_place_that_answers_nothing_holds_up_nobody_else(house: House) {
    let mary = house.person("mary");
    let [graphs, stuck] = [Graphs::new(), Graphs::new()];
    let held: Vec<String> = (0..10).map(|n| format!("graph {n}={}", stuck.at("/held"))).collect();
    worth(&house, "search", &held.iter().map(String::as_str).collect::<Vec<_>>());
    worth(&house, "indexing", &[&format!("queue={}", graphs.at("/queue"))]);
    let server = serve(&house, &[&graphs, &stuck], &[]);
    let search = declare(&server, &mary, "incident", "search");
    wait::until("it is asked for", || (stuck.asked("/held") == 1).then_some(()));
    let indexing = declare(&server, &mary, "incident", "indexing");
    kept(&server, &mary, indexing, 1);
    server.done(&mary, search, json!({ "command": "record_change", "what": "search: v11 again" }));
    assert_eq!(stuck.asked("/held"), 1, "one at a time is asked of it");
    assert!(left(&server, &mary, search).iter().all(|(_, stands, _)| stands == "under_way"));
    stuck.release();
    // They show ten different things, one after the other.
    kept(&server, &mary, search, 10);
}

fn the_team_that_owns_a_service_says_what_is_worth_keeping(house: House) {
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    house.run(&["team", "set", "searchers", "mary"]);
    house.run(&["service", "set", "search", "--owner", "searchers"]);
    let pods = script(&house, "pods", "echo two pods");
    let server = house.start(Command::new(WARDROOM).arg("serve").args(house.place()).args(["--capture", &pods]));
    let says = |token: &str, keep: &[&str]| server.verb(token, &[&["preserve", "search"], keep].concat()).status.code();
    let nope = server.verb(&mary, &["preserve", "search", "pods=capture:nope"]);
    let errors = String::from_utf8_lossy(&nope.stderr).into_owned();
    assert_eq!(nope.status.code(), Some(1), "{errors}");
    assert!(errors.contains("no capture “nope”: it has pods. Whoever runs the server can add one"), "{errors}");
    assert_eq!(says(&robin, &["graphs=https://graphs.example.org/search.png"]), Some(1));
    assert_eq!(says(&mary, &["graphs=https://graphs.example.org/search.png", "pods=capture:pods"]), Some(0));
    let (_, directory) = server.get(&robin, "/api/v1/directory");
    assert_eq!(directory["services"]["search"]["worth"][1]["how"], "capture:pods");
    let (status, no) = server.post(&robin, "/api/v1/services/search/preserve", json!({ "keep": [] }));
    assert_eq!((status, &no["code"], &no["who_could"][0]["name"]), (403, &json!("not_yours"), &json!("Mary")), "{no}");
    let (status, no) = server.post(&mary, "/api/v1/services/nothing/preserve", json!({ "keep": [] }));
    assert_eq!((status, &no["code"]), (422, &json!("unknown_service")));
    let wrong = json!({ "keep": [{ "what": "shell", "how": "capture:../bin/sh" }] });
    assert_eq!(server.post(&mary, "/api/v1/services/search/preserve", wrong).0, 422);
    assert_eq!(says(&mary, &["--nothing"]), Some(0));
}
