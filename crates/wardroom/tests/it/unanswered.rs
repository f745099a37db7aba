//! The gate's command where Wardroom gives no answer: nothing is decided, and nobody is kept waiting.

use std::io::{Read, Write};

use serde_json::{Value, json};

use crate::house::House;

/// Whoever answers in Wardroom's place, or with a mistake of Wardroom's own, has not decided anything.
#[test]
fn what_is_no_answer_to_what_was_asked_is_not_decided() {
    let answers = [(500, 4), (502, 4), (429, 4), (408, 4), (400, 2), (403, 2), (404, 2), (413, 2), (422, 2), (401, 3)];
    for (status, expected) in answers {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let told = json!({ "code": "x", "status": status, "detail": "told so" }).to_string();
        let answering = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            // As much as is there: what is asked fits into one piece.
            assert!(stream.read(&mut [0; 4_096]).unwrap() > 0);
            let head = format!("HTTP/1.1 {status} X\r\ncontent-type: application/problem+json\r\nconnection: close");
            write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{told}", told.len()).unwrap();
        });
        let asked = ["gate", "--service", "search", "--action", "deploy", "--on-failure", "open", "--json"];
        let ended = House::wardroom(&asked, &[("WARDROOM_URL", url.as_str()), ("WARDROOM_TOKEN", "wt_0")]);
        answering.join().unwrap();
        let open = if expected == 4 { 0 } else { expected };
        assert_eq!(ended.status.code(), Some(open), "{status}: {ended:?}");
        let said: Value = serde_json::from_slice(&ended.stdout).unwrap();
        assert_eq!(said["decision"] == "undecided", expected == 4, "{status}: {said}");
    }
}

/// A deployment stands still meanwhile: it is asked once, and not again for minutes.
#[test]
fn whoever_takes_a_question_and_never_answers_has_not_decided() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = ["gate", "--service", "search", "--action", "deploy"];
    let ended = House::wardroom(&asked, &[("WARDROOM_URL", url.as_str()), ("WARDROOM_TOKEN", "wt_0")]);
    assert_eq!(ended.status.code(), Some(4), "{ended:?}");
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.incoming().take_while(Result::is_ok).count(), 1);
}

/// Told to wait, it waits as long as it has; told to wait for longer, it does not.
#[test]
fn whoever_is_told_to_wait_does_so_while_there_is_the_time() {
    let decided = json!({ "decision": "allow", "reason": "Allowed." });
    let too_often = json!({ "code": "asked_too_often", "status": 429, "detail": "told so" });
    let waits = [(429, "1", &too_often), (200, "", &decided)];
    for (answers, expected) in [(&waits[..], 0), (&[(429, "10", &too_often)][..], 4)] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answers: Vec<String> = answers.iter().map(|(status, after, told)| answer(*status, after, told)).collect();
        let answering = std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                assert!(stream.read(&mut [0; 4_096]).unwrap() > 0);
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        let asked = ["gate", "--service", "search", "--action", "deploy"];
        let ended = House::wardroom(&asked, &[("WARDROOM_URL", url.as_str()), ("WARDROOM_TOKEN", "wt_0")]);
        assert_eq!(ended.status.code(), Some(expected), "{ended:?}");
        answering.join().unwrap();
    }
}

fn answer(status: u16, after: &str, told: &Value) -> String {
    let (told, after) = (told.to_string(), if after.is_empty() { "0" } else { after });
    let head = format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close");
    format!("{head}\r\nretry-after: {after}\r\ncontent-length: {}\r\n\r\n{told}", told.len())
}
