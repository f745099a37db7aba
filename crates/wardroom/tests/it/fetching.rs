//! Evidence that is named by a URL: fetched from listed hosts alone, kept, and nothing of its secrets shown.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::browser::Browser;
use crate::house::{House, Server, WARDROOM};
use crate::on_both;

on_both!(
    what_a_url_shows_is_kept_and_its_secrets_are_nowhere,
    nothing_is_fetched_from_where_nobody_listed,
    what_does_not_come_whole_is_not_kept,
    who_may_not_attach_has_nothing_fetched
);

/// So many bytes one of its pages has.
pub const LARGE: usize = 5 << 20;

/// A place with graphs, on this machine. Each picture of `/render` is another one.
pub struct Graphs {
    port: u16,
    asked: Arc<AtomicUsize>,
}

impl Graphs {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, asked) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut head = [0; 4_096];
                let read = stream.read(&mut head).unwrap_or_default();
                let n = count.fetch_add(1, Ordering::SeqCst);
                let head = String::from_utf8_lossy(&head[..read]).into_owned();
                let answer = match head.split(' ').nth(1).unwrap_or_default() {
                    "/render/search.png?token=hunter2" => whole(format!("\u{89}PNG {n}").as_bytes()),
                    "/page" => whole(b"<html><script>alert(1)</script>"),
                    "/endless" => [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'x'; (10 << 20) + 1]].concat(),
                    "/empty" => whole(b""),
                    "/large" => whole(&vec![b'x'; LARGE]),
                    "/broken" => b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_vec(),
                    "/off" => {
                        b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest/\r\ncontent-length: 0\r\n\r\n"
                            .to_vec()
                    }
                    _ => b"HTTP/1.1 404 Not Found\r\ncontent-length: 6\r\n\r\nsesame".to_vec(),
                };
                // Whoever asked may have enough before the end.
                let _ = stream.write_all(&answer);
            }
        });
        Self { port, asked }
    }

    pub fn at(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn listed(&self) -> [(&'static str, String); 1] {
        [("WARDROOM_FETCH_FROM", format!("graphs.example.org,127.0.0.1:{}", self.port))]
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn whole(body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: image/svg+xml\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn fetch(server: &Server, token: &str, n: u64, url: &str) -> (u16, Value) {
    server.post(token, &format!("/api/v1/incidents/{n}/evidence/fetch"), json!({ "url": url }))
}

fn what_a_url_shows_is_kept_and_its_secrets_are_nowhere(house: House) {
    let mary = house.person("mary");
    let (graphs, log) = (Graphs::new(), house.folder().join("log"));
    let mut serve = Command::new(WARDROOM);
    let lines = std::fs::File::create(&log).unwrap();
    serve.arg("serve").args(house.place()).envs(graphs.listed()).env("WARDROOM_LOG", "trace").stderr(lines);
    let server = house.start(&mut serve);
    let n = server.declare(&mary, "Search is failing");
    let path = format!("/api/v1/incidents/{n}/evidence/fetch");
    let url = graphs.at("/render/search.png?token=hunter2");
    let asked = json!({ "request_id": Uuid::now_v7(), "url": url, "why": "errors as they began" });
    let (status, kept) = server.post(&mary, &path, asked.clone());
    assert_eq!(status, 200, "{kept}");
    assert_eq!(kept["bytes"], 7);
    // Asked twice because the answer got lost: what it shows by now is another picture.
    assert_eq!((server.post(&mary, &path, asked), graphs.asked()), ((200, kept.clone()), 1));
    let (_, list) = server.get(&mary, &format!("/api/v1/incidents/{n}/evidence"));
    let name = format!("127.0.0.1:{}/render/search.png", graphs.port);
    let piece = &list["evidence"][0];
    assert_eq!((&piece["name"], &piece["why"]), (&json!(name), &json!("errors as they began")));
    let (_, page) = server.get(&mary, &format!("/api/v1/incidents/{n}/events"));
    let told = format!("Mary attached {name} (7 bytes): errors as they began");
    assert_eq!(page["entries"][1]["told"], told);
    let other = server.verb(&mary, &["evidence", "fetch", "1", &graphs.at("/page"), "--name", "status"]);
    let said = String::from_utf8(other.stdout).unwrap();
    assert!(said.starts_with("It is kept as evidence, with entry 3: /api/v1/incidents/1/evidence/"), "{said}");
    let (_, list) = server.get(&mary, &format!("/api/v1/incidents/{n}/evidence"));
    assert_eq!(list["evidence"][1]["media_type"], "text/plain", "it is what its bytes are");
    assert_eq!(house.verify()["holds"], true);
    drop(server);
    let logged = std::fs::read_to_string(log).unwrap();
    assert!(logged.contains("/evidence/fetch") && !logged.contains("hunter2"), "a secret is logged");
    assert!(!page.to_string().contains("hunter2") && !list.to_string().contains("hunter2"));
}

fn nothing_is_fetched_from_where_nobody_listed(house: House) {
    let mary = house.person("mary");
    let graphs = Graphs::new();
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let (status, no) = fetch(&server, &mary, n, &graphs.at("/page"));
    assert_eq!((status, &no["code"]), (403, &json!("host_not_listed")));
    let place = format!("127.0.0.1:{}", graphs.port);
    let says = no["detail"].as_str().unwrap();
    assert!(says.contains(&place) && says.contains("--fetch-from"), "{says}");
    let typed = server.verb(&mary, &["evidence", "fetch", "1", &graphs.at("/page")]);
    assert_eq!(typed.status.code(), Some(1));
    drop(server);
    let port = graphs.port;
    let server = house.serve_in(&[("WARDROOM_FETCH_FROM", format!("localhost:{port},10.0.0.0/8"))]);
    // The name is listed; where it leads is not.
    for url in [format!("http://localhost:{port}/page"), graphs.at("/page"), format!("http://2130706433:{port}/page")] {
        let (status, no) = fetch(&server, &mary, n, &url);
        assert_eq!((status, &no["code"]), (403, &json!("host_not_listed")), "{url}");
    }
    assert_eq!(graphs.asked(), 0, "nobody came");
    drop(server);
    let server = house.serve_in(&[("WARDROOM_FETCH_FROM", format!("localhost:{port},127.0.0.0/8,::1"))]);
    assert_eq!(fetch(&server, &mary, n, &format!("http://localhost:{port}/page")).0, 200);
    drop(server);
    let server = house.serve_in(&graphs.listed());
    let (status, no) = fetch(&server, &mary, n, &graphs.at("/off"));
    assert_eq!((status, &no["code"]), (403, &json!("host_not_listed")), "a redirect leads off the list");
    for url in ["ftp://graphs.example.org/", "graphs.example.org", "https://ada:pw@graphs.example.org/", ""] {
        let (status, no) = fetch(&server, &mary, n, url);
        assert_eq!((status, &no["code"]), (422, &json!("not_a_url")), "{url}");
    }
    let refused = Command::new(WARDROOM).args(["serve", "--fetch-from", "*.example.org"]).output().unwrap();
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("no host"), "{refused:?}");
}

fn what_does_not_come_whole_is_not_kept(house: House) {
    let mary = house.person("mary");
    let graphs = Graphs::new();
    let server = house.serve_in(&graphs.listed());
    let n = server.declare(&mary, "Search is failing");
    for (path, status, code) in [
        ("/endless", 424, "too_large"),
        ("/broken", 424, "not_fetched"),
        ("/nothing", 424, "not_fetched"),
        ("/empty", 422, "invalid"),
    ] {
        let (got, no) = fetch(&server, &mary, n, &graphs.at(path));
        assert_eq!((got, &no["code"]), (status, &json!(code)), "{path}: {no}");
        assert!(!no.to_string().contains("sesame"), "nothing that it answered is repeated");
    }
    assert_eq!(server.kinds(&mary, n), ["opened"]);
}

fn who_may_not_attach_has_nothing_fetched(house: House) {
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    let graphs = Graphs::new();
    let server = house.serve_in(&graphs.listed());
    let n = server.declare(&mary, "Search is failing");
    let url = graphs.at("/page");
    assert_eq!(fetch(&server, &robin, n, &url).1["code"], "not_a_responder");
    assert_eq!(fetch(&server, &mary, n + 1, &url).0, 404);
    assert_eq!(fetch(&server, "", n, &url).0, 401);
    let body = json!({ "request_id": Uuid::now_v7(), "hours": 1 });
    let (_, made) = server.post(&mary, &format!("/api/v1/incidents/{n}/invites"), body);
    let mut guest = Browser::new(&server);
    assert_eq!(guest.post("/api/v1/guest", json!({ "secret": made["secret"], "name": "Vendor" })).status, 201);
    let asked = json!({ "request_id": Uuid::now_v7(), "url": url });
    let no = guest.post(&format!("/api/v1/incidents/{n}/evidence/fetch"), asked);
    assert_eq!((no.status, &no.body["code"]), (403, &json!("not_for_guests")));
    assert_eq!(graphs.asked(), 0, "nobody came");
}
