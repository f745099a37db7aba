//! A reader whose socket takes nothing is cut off. Nobody else notices, and with its cursor it misses nothing.

use std::io::{Read, Write};
use std::net::TcpStream;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::house::{House, Server};
use crate::{on_both, wait};

on_both!(a_stuck_reader_is_cut_off_and_misses_nothing);

/// Opens the live stream and reads nothing of it. HTTP/1.0, so that what comes is the stream and nothing else.
fn open_and_stop_reading(server: &Server, token: &str) -> TcpStream {
    let mut stuck = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).unwrap();
    let ask = format!("GET /api/v1/events HTTP/1.0\r\nauthorization: Bearer {token}\r\n\r\n");
    stuck.write_all(ask.as_bytes()).unwrap();
    stuck
}

/// How many live streams the server has open.
fn readers(server: &Server) -> u64 {
    let (_, metrics) = server.get("", "/metrics");
    let line = metrics.as_str().unwrap().lines().find_map(|line| line.strip_prefix("wardroom_stream_readers "));
    line.unwrap().parse().unwrap()
}

/// The entries that came in whole, with their cursors.
fn whole_entries(mut stuck: TcpStream) -> Vec<Value> {
    let mut taken = Vec::new();
    // However the server ended it: what came before that came.
    let _ = stuck.read_to_end(&mut taken);
    let text = String::from_utf8_lossy(&taken);
    let (whole, _) = text.rsplit_once("\n\n").expect("something came before it stopped");
    let data = whole.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data).unwrap()).collect()
}

fn a_stuck_reader_is_cut_off_and_misses_nothing(house: House) {
    let mary = house.person("mary");
    // Half a minute without taking anything is stuck: with this clock, a second.
    let server = house.serve_fast(SignedDuration::ZERO);
    let n = server.declare(&mary, "Search is failing");
    let healthy = server.follow(&mary, "");
    let stuck = open_and_stop_reading(&server, &mary);
    wait::until("both are connected", || (readers(&server) == 2).then_some(()));
    let mut written = 0;
    // What the kernel holds for a reader has to be full first.
    wait::until("the stuck one is cut off", || {
        let text = format!("{written} {}", "🚒".repeat(19_000));
        server.done(&mary, n, json!({ "command": "note", "text": text }));
        written += 1;
        (readers(&server) == 1).then_some(())
    });
    let number = |entry: &Value| entry["body"]["text"].as_str().unwrap().split(' ').next().unwrap().parse().unwrap();
    for expected in 0..written {
        assert_eq!(number(&healthy.next_note()), expected, "the healthy one gets everything, in order");
    }
    let before = whole_entries(stuck);
    let notes = before.iter().filter(|entry| entry["kind"] == "noted");
    let mut read: Vec<u64> = notes.map(number).collect();
    assert!((read.len() as u64) < written, "it did not get all of it before it was cut off");
    let cursor = before.last().expect("it got something")["cursor"].as_str().unwrap();
    let resumed = server.follow(&mary, &format!("?after={cursor}"));
    while (read.len() as u64) < written {
        read.push(number(&resumed.next_note()));
    }
    assert_eq!(read, (0..written).collect::<Vec<_>>());
}
