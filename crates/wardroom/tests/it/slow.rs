//! Bodies that are too large are refused before they have arrived, however slowly they come.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use crate::house::{House, Server};
use crate::on_both;

on_both!(a_body_that_says_it_is_too_large_is_not_waited_for, a_body_that_becomes_too_large_is_not_read_to_its_end);

/// Sends the head of a command, and no more.
fn begin(server: &Server, token: &str, n: u64, length: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let head = format!(
        "POST /api/v1/incidents/{n}/commands HTTP/1.1\r\nhost: wardroom\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\n{length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    // Shorter than the server's patience with a body, which would end it too.
    stream.set_read_timeout(Some(Duration::from_secs(25))).unwrap();
    stream
}

/// The answer comes although the request has not ended.
fn is_refused(mut stream: TcpStream) {
    let mut answer = Vec::new();
    while !answer.windows(9).any(|part| part == b"too_large") {
        let mut bytes = [0; 1_024];
        let read = stream.read(&mut bytes).expect("the answer does not wait for the body");
        assert_ne!(read, 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&bytes[..read]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 413 "));
}

fn a_body_that_says_it_is_too_large_is_not_waited_for(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let mut stream = begin(&server, &mary, n, "content-length: 10000000");
    stream.write_all(b"{").unwrap();
    is_refused(stream);
    server.done(&mary, n, json!({ "command": "note", "text": "the others go on" }));
}

fn a_body_that_becomes_too_large_is_not_read_to_its_end(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let mut stream = begin(&server, &mary, n, "transfer-encoding: chunked");
    for _ in 0..129 {
        stream.write_all(format!("400\r\n{}\r\n", " ".repeat(1_024)).as_bytes()).unwrap();
    }
    is_refused(stream);
    server.done(&mary, n, json!({ "command": "note", "text": "the others go on" }));
}
