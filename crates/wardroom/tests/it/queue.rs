//! More than there is room for: commands that wait for a store that stands still, and connections.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::house::{House, Server};
use crate::{on_both, wait};

on_both!(
    waiting_commands_share_a_transaction,
    too_many_waiting_commands_are_put_off_and_none_is_lost,
    connections_beyond_the_limit_wait
);

/// How many transactions have been recorded: each leaves one link.
const LINKS: &str = "SELECT count(*) FROM events WHERE link IS NOT NULL";
const EVENTS: &str = "SELECT count(*) FROM events";

/// Somebody else holds what every append needs, until this is dropped.
struct Standstill(Child);

impl Standstill {
    fn of(house: &House) -> Self {
        let mut program = if house.is_postgres() {
            let mut psql = Command::new("psql");
            psql.args(["-qAtX", &house.url()]);
            psql
        } else {
            let mut python = Command::new("python3");
            let hold = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)\n\
                        c.execute('BEGIN IMMEDIATE'); print('held', flush=True); sys.stdin.read()";
            python.args(["-c", hold]).arg(house.data().join("wardroom.db"));
            python
        };
        let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        if house.is_postgres() {
            let hold = b"BEGIN; SELECT 'held' FROM head FOR UPDATE;\n";
            child.stdin.as_mut().unwrap().write_all(hold).unwrap();
        }
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "held");
        Self(child)
    }
}

impl Drop for Standstill {
    fn drop(&mut self) {
        drop(self.0.stdin.take()); // Its end ends the program, and with it what it holds.
        let _ = self.0.wait();
    }
}

/// A command that was sent and may not be answered yet.
struct Sent {
    body: Value,
    stream: TcpStream,
    answer: Vec<u8>,
    ended: bool,
}

impl Sent {
    fn to(server: &Server, token: &str, path: &str, body: Value) -> Self {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        let text = body.to_string();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: wardroom\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{text}",
            text.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.set_nonblocking(true).unwrap();
        Self { body, stream, answer: Vec::new(), ended: false }
    }

    /// Reads what has come of the answer: its status, its head and its body, once it is whole.
    fn look(&mut self) -> Option<(u16, String, Value)> {
        let mut bytes = [0; 4_096];
        while !self.ended {
            match self.stream.read(&mut bytes) {
                Ok(read) => {
                    self.answer.extend_from_slice(&bytes[..read]);
                    self.ended = read == 0;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
                Err(error) => panic!("{error}"),
            }
        }
        let text = String::from_utf8_lossy(&self.answer);
        let (head, body) = text.split_once("\r\n\r\n").expect("an answer has a head");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Some((status, head.to_lowercase(), serde_json::from_str(body).unwrap()))
    }
}

fn waiting(server: &Server) -> usize {
    let (_, metrics) = server.get("", "/metrics");
    let line = metrics.as_str().unwrap().lines().find_map(|line| line.strip_prefix("wardroom_commands_waiting "));
    line.unwrap().parse().unwrap()
}

/// Sends commands at a store that stands still, each once the one before waits behind the first, which is being
/// recorded; lets the store go on, and returns in how many transactions they were recorded. `None` when it stood still
/// for longer than they are made to wait: then some were put off, and it says nothing.
fn transactions(house: &House, server: &Server, token: &str, numbers: &[u64]) -> Option<usize> {
    let before = (house.ask(LINKS), house.ask(EVENTS));
    let standstill = Standstill::of(house);
    let mut sent: Vec<Sent> = Vec::new();
    for n in numbers {
        let behind = waiting(server);
        let body = json!({ "request_id": Uuid::now_v7(), "command": "note", "text": "all together" });
        sent.push(Sent::to(server, token, &format!("/api/v1/incidents/{n}/commands"), body));
        wait::until("it waits, or the first is put off", || {
            let waits = sent.len() == 1 || waiting(server) > behind;
            (waits || sent[0].look().is_some()).then_some(())
        });
    }
    drop(standstill);
    let answers = sent.iter_mut().map(|sent| wait::until("each is answered", || sent.look()).0);
    if answers.filter(|status| *status != 200).count() > 0 {
        return None;
    }
    let more = |query: &str, before: &str| {
        let [now, before] = [&house.ask(query), before].map(|count| count.parse::<usize>().unwrap());
        now - before
    };
    assert_eq!(more(EVENTS, &before.1), numbers.len(), "each is recorded once");
    Some(more(LINKS, &before.0))
}

/// What makes many writers cost little more than one, and what no answer shows.
fn waiting_commands_share_a_transaction(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let [search, checkout] = ["Search is failing", "Checkout is slow"].map(|title| server.declare(&mary, title));
    // Alone, each is one: a link is known to stand for a transaction.
    let before: usize = house.ask(LINKS).parse().unwrap();
    for _ in 0..3 {
        server.done(&mary, search, json!({ "command": "note", "text": "alone" }));
    }
    assert_eq!(house.ask(LINKS).parse(), Ok(before + 3));
    // The first is on its way alone; all others go together, in one incident or across two.
    let numbers: Vec<u64> = [search, checkout].into_iter().cycle().take(40).collect();
    let shared = wait::until("the store went on in time", || transactions(&house, &server, &mary, &numbers));
    assert_eq!(shared, 2, "transactions for {} commands", numbers.len());
    assert_eq!(house.verify()["holds"], true);
}

fn too_many_waiting_commands_are_put_off_and_none_is_lost(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let path = format!("/api/v1/incidents/{n}/commands");
    let standstill = Standstill::of(&house);
    let mut sent: Vec<Sent> = Vec::new();
    let busy = |sent: &mut Sent| sent.look().is_some_and(|(_, _, answer)| answer["code"] == "busy");
    while !sent.iter_mut().any(busy) {
        assert!(sent.len() < 3_000, "the queue has no end");
        for _ in 0..50 {
            let text = format!("note {:04}", sent.len());
            let body = json!({ "request_id": Uuid::now_v7(), "command": "note", "text": text });
            sent.push(Sent::to(&server, &mary, &path, body));
        }
    }
    assert!(sent.len() > 1_024, "only {} were sent", sent.len());
    drop(standstill);
    let mut put_off = Vec::new();
    for sent in &mut sent {
        let (status, head, answer) = wait::until("each is answered", || sent.look());
        if status != 200 {
            assert_eq!(status, 503, "{answer}");
            assert!(head.contains("\r\nretry-after: "), "{head}");
            assert!(answer["code"] == "busy" || answer["code"] == "store_unavailable", "{answer}");
            put_off.push(&sent.body);
        }
    }
    assert!(!put_off.is_empty());
    for body in put_off {
        server.insist(&mary, &path, body);
    }
    let mut notes = server.notes(&mary, n);
    notes.sort();
    let expected: Vec<_> = sent.iter().map(|sent| sent.body["text"].as_str().unwrap()).collect();
    assert_eq!(notes, expected, "each once");
    assert_eq!(server.status("/readyz"), Some(200));
    let (_, metrics) = server.get(&mary, "/metrics");
    assert!(metrics.as_str().unwrap().contains("wardroom_commands_waiting 0\n"), "{metrics}");
    assert_eq!(house.verify()["holds"], true);
}

/// Asks whether the server is alive on a connection that stays open.
fn asks(connection: &mut TcpStream) {
    connection.write_all(b"GET /healthz HTTP/1.1\r\nhost: wardroom\r\n\r\n").unwrap();
}

fn is_answered(connection: &mut TcpStream) {
    connection.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"ok\n") {
        let mut bytes = [0; 512];
        let read = connection.read(&mut bytes).expect("an answer comes");
        assert_ne!(read, 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&bytes[..read]);
    }
}

fn connections_beyond_the_limit_wait(house: House) {
    let server = house.serve_in(&[("WARDROOM_MAX_CONNECTIONS", "4")]);
    let connect = || TcpStream::connect(server.address()).unwrap();
    let mut holders = [(); 4].map(|()| connect());
    for holder in &mut holders {
        asks(holder);
        is_answered(holder);
    }
    let mut fifth = connect();
    asks(&mut fifth);
    // Those who are in are served as ever, many times, while the fifth waits.
    for _ in 0..50 {
        for holder in &mut holders {
            asks(holder);
            is_answered(holder);
        }
    }
    fifth.set_nonblocking(true).unwrap();
    let answered = fifth.peek(&mut [0]).map_err(|error| error.kind());
    assert_eq!(answered, Err(ErrorKind::WouldBlock), "there is no room for a fifth");
    fifth.set_nonblocking(false).unwrap();
    let [first, ..] = holders;
    drop(first);
    is_answered(&mut fifth);
}
