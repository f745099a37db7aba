//! Evidence: kept byte for byte, for those who may see the incident, and never taken for a page.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::house::{House, Server, agent};
use crate::{on_both, wait};

on_both!(
    what_is_attached_is_read_back_byte_for_byte,
    the_command_line_keeps_what_a_command_printed,
    what_is_listed_can_be_held_against_its_digest,
    nobody_else_sees_or_attaches_it,
    what_is_too_much_is_not_taken,
    nothing_but_a_picture_is_shown,
    what_was_acknowledged_is_there_after_kill_9_and_in_a_backup,
    redacting_the_entry_takes_the_bytes
);

const PNG: &[u8] = b"\x89PNG\r\n\x1A\nnot quite a picture";

/// The files in which pieces of evidence lie whose digests begin so.
pub fn files(house: &House, sha256: &str) -> Vec<std::path::PathBuf> {
    let beside = if house.is_postgres() { house.folder().to_owned() } else { house.data() };
    let folders = std::fs::read_dir(beside.join("evidence/evidence")).into_iter().flatten();
    let files = folders.flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap());
    let files = files.map(|file| file.unwrap().path());
    files.filter(|file| file.file_name().unwrap().to_str().unwrap().starts_with(sha256)).collect()
}

/// Attaches something under a name, as it stands in an address.
fn attach(server: &Server, token: &str, n: u64, name: &str, bytes: &[u8]) -> (u16, Value) {
    let request = Uuid::now_v7();
    let path = format!("/api/v1/incidents/{n}/evidence?name={name}&request_id={request}");
    server.send(token, &path, bytes).expect("it answers")
}

struct Read {
    status: u16,
    body: Vec<u8>,
    fields: Vec<(String, String)>,
}

impl Read {
    fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }
}

fn read(server: &Server, token: &str, path: &str, known: &str) -> Read {
    let request = agent().get(format!("{}{path}", server.url)).header("authorization", format!("Bearer {token}"));
    let request = if known.is_empty() { request } else { request.header("if-none-match", known) };
    let mut answer = request.call().unwrap();
    let fields = answer.headers().iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let fields = fields.collect();
    Read { status: answer.status().as_u16(), body: answer.body_mut().read_to_vec().unwrap(), fields }
}

fn address(answer: &Value) -> &str {
    answer["address"].as_str().unwrap_or_else(|| panic!("{answer}"))
}

fn what_is_attached_is_read_back_byte_for_byte(house: House) {
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let follower = server.follow(&robin, &format!("?incident={n}"));
    let bytes: Vec<u8> = (0..300_000_u32).flat_map(u32::to_be_bytes).collect();
    let (status, answer) = attach(&server, &mary, n, "heap%20%C3%BC.bin", &bytes);
    assert_eq!((status, &answer["bytes"]), (200, &json!(bytes.len())), "{answer}");
    let read = |token: &str, known: &str| read(&server, token, address(&answer), known);
    let got = read(&robin, "");
    assert_eq!((got.status, got.body == bytes), (200, true));
    assert_eq!(got.field("cache-control"), "private, no-cache");
    assert_eq!(read(&robin, got.field("etag")).status, 304);
    let entry = follower.next_of("evidence_attached");
    assert_eq!(entry["told"], "Mary attached heap ü.bin (1.2 MB)");
    assert_eq!((&entry["body"]["sha256"], &entry["entry"]), (&answer["sha256"], &answer["entry"]));
    // The same bytes, under whatever name and whoever brings them, are what is there.
    server.done(&robin, n, json!({ "command": "join" }));
    let (status, mut again) = attach(&server, &robin, n, "other", &bytes);
    assert_eq!((&again["already"].take(), &answer["already"]), (&json!(true), &json!(false)));
    again["already"] = json!(false);
    assert_eq!((status, &again), (200, &answer), "under the name that it has");
    assert_eq!(server.kinds(&mary, n).iter().filter(|kind| *kind == "evidence_attached").count(), 1);
    // Asked twice because the answer got lost, it is there once.
    let path = format!("/api/v1/incidents/{n}/evidence?name=x&why=it%20is%20odd&request_id={}", Uuid::now_v7());
    let first = server.send(&mary, &path, b"once").unwrap();
    assert_eq!((server.send(&mary, &path, b"once").unwrap(), first.0), (first, 200));
    assert_eq!(follower.next_of("evidence_attached")["told"], "Mary attached x (4 bytes): it is odd");
    assert_eq!(house.verify()["holds"], true);
}

fn the_command_line_keeps_what_a_command_printed(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    server.declare(&mary, "Search is failing");
    let run = |script: &str| {
        let output = std::process::Command::new("sh")
            .args(["-c", script])
            .envs([("WARDROOM_URL", server.url.as_str()), ("WARDROOM_TOKEN", &mary), ("W", crate::house::WARDROOM)])
            .current_dir(house.folder())
            .output()
            .unwrap();
        (output.status.code(), [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()))
    };
    let (code, [told, errors]) = run("printf 'NAME READY\\nindex 0/1\\n' | $W evidence add 1 - --name pods.txt");
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{told}");
    assert!(told.starts_with("pods.txt is kept as evidence, with entry 2: /api/v1/incidents/1/evidence/"), "{told}");
    let sha256 = told.trim().rsplit('/').next().unwrap();
    assert_eq!(run(&format!("$W evidence get 1 {sha256} | cat")).1[0], "NAME READY\nindex 0/1\n");
    assert_eq!(run(&format!("$W evidence get 1 {} -o got && cat got", &sha256[..6])).1[0], "NAME READY\nindex 0/1\n");
    // What is there is not written over, unless somebody says so.
    let get = format!("echo mine > got; $W evidence get 1 {sha256} -o got");
    let (code, [_, errors]) = run(&get);
    assert_eq!((code, run("cat got").1[0].as_str()), (Some(1), "mine\n"), "{errors}");
    assert!(errors.contains("got is there already. Name another file with -o, or add --force."), "{errors}");
    assert_eq!(run(&format!("{get} --force && cat got")).1[0], "NAME READY\nindex 0/1\n");
    assert_eq!(run(&format!("$W evidence get 1 {sha256} -o /dev/stdout | cat")).1[0], "NAME READY\nindex 0/1\n");
    assert_eq!(run("ls -A").1[0].matches(".tmp").count(), 0);
    // What is there under another name is not kept under this one.
    let (code, [told, errors]) = run("printf 'NAME READY\\nindex 0/1\\n' | $W evidence add 1 - --name again.txt");
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{told}");
    assert!(told.starts_with("again.txt was kept already, as entry 2 (pods.txt): /api/v1/incidents/1/"), "{told}");
    assert_eq!(told.trim().rsplit('/').next().unwrap(), sha256);
    // What is larger than one request takes goes in parts.
    let (code, [told, errors]) = run("head -c 10485761 /dev/zero | $W evidence add 1 -");
    assert!(code == Some(0) && told.contains(" is kept as evidence, with entry 3: "), "{told}{errors}");
    let (code, [_, errors]) = run("$W evidence add 1 - </dev/null");
    assert!(code == Some(1) && errors.contains("nothing in it"), "{errors}");
    for none in ["0".repeat(64), "0".repeat(8)] {
        let (code, [_, errors]) = run(&format!("$W evidence get 1 {none}"));
        assert!(code == Some(1) && (errors.contains("no such evidence") || errors.contains("No evidence here begins")));
    }
}

fn what_is_listed_can_be_held_against_its_digest(house: House) {
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    assert!(server.say(&mary, &["evidence", "list", "1"]).starts_with("Nothing is kept as evidence."));
    let (_, one) = attach(&server, &mary, n, "pods.txt", b"NAME READY");
    let (_, two) = attach(&server, &mary, n, "graph.png", PNG);
    let (_, gone) = attach(&server, &mary, n, "sesame", b"the password is sesame");
    server.done(&mary, n, json!({ "command": "redact", "entry": gone["entry"] }));
    let (status, list) = server.get(&robin, &format!("/api/v1/incidents/{n}/evidence"));
    assert_eq!((status, &list["incident"]), (200, &json!(n)));
    let said = |piece: &Value| json!([piece["entry"], piece["sha256"], piece["address"], piece["media_type"]]);
    let pieces = list["evidence"].as_array().unwrap();
    assert_eq!(pieces.iter().map(said).collect::<Vec<_>>(), [said(&one), said(&two)]);
    assert_eq!((&pieces[0]["name"], &pieces[0]["by"]["handle"]), (&json!("pods.txt"), &json!("mary")));
    let told = server.say(&robin, &["evidence", "list", "1"]);
    assert!(told.contains("   2  pods.txt  10 bytes, text/plain, by Mary, 2"), "{told}");
    assert!(told.contains(two["sha256"].as_str().unwrap()) && !told.contains("sesame"), "{told}");
    let holds = server.say(&robin, &["evidence", "verify", "1"]);
    assert_eq!(holds, "The evidence holds: 2 pieces of incident 1.\n");
    let digest = one["sha256"].as_str().unwrap();
    std::fs::write(&files(&house, digest)[0], "no").unwrap();
    let verified = server.verb(&robin, &["evidence", "verify", "1", "--json"]);
    let found: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!((verified.status.code(), &found["broken"]), (Some(5), &json!([format!("{digest} was altered")])));
    assert_eq!(server.verb(&robin, &["evidence", "verify", "1", &digest[..8]]).status.code(), Some(5));
    assert_eq!(server.verb(&robin, &["evidence", "get", "1", digest]).status.code(), Some(5));
    let (whole, other) = (server.verb(&robin, &["evidence", "verify", "1", two["sha256"].as_str().unwrap()]), n + 40);
    assert!(whole.status.success(), "the other one holds");
    server.done(&mary, n, json!({ "command": "restrict" }));
    let none = |number: u64| server.get(&robin, &format!("/api/v1/incidents/{number}/evidence"));
    assert_eq!(none(n).0, 404);
    assert_eq!(none(n).1.to_string(), none(other).1.to_string().replace(&format!("#{other}"), &format!("#{n}")));
}

fn nobody_else_sees_or_attaches_it(house: House) {
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    let server = house.serve();
    let n = server.declare(&mary, "A leaked secret");
    assert_eq!(attach(&server, &robin, n, "x", b"x").1["code"], "not_a_responder");
    let reader = house.token("mary", "read");
    wait::until("the token is known", || (server.get(&reader, "/api/v1/me").0 == 200).then_some(()));
    assert_eq!(attach(&server, &reader, n, "x", b"x").1["code"], "token_scope");
    assert_eq!(attach(&server, "", n, "x", b"x").0, 401);
    let (_, answer) = attach(&server, &mary, n, "x", PNG);
    let got = read(&server, &robin, address(&answer), "");
    assert_eq!(got.status, 200);
    server.done(&mary, n, json!({ "command": "restrict" }));
    // What the browser kept is not good any more, and nothing tells the incident from one that is not there.
    let none = |path: &str, known: &str| {
        let Read { status, body, .. } = read(&server, &robin, path, known);
        (status, String::from_utf8(body).unwrap().replace(&format!("#{}", n + 40), &format!("#{n}")))
    };
    let there = none(address(&answer), got.field("etag"));
    assert_eq!(there.0, 404);
    assert_eq!(there, none(&format!("/api/v1/incidents/{}/evidence/{}", n + 40, "0".repeat(64)), ""));
    assert_eq!(there, none(&format!("/api/v1/incidents/{n}/evidence/nonsense"), ""));
    assert_eq!(there.1, attach(&server, &robin, n, "x", b"x").1.to_string());
    assert_eq!(read(&server, &mary, &format!("/api/v1/incidents/{n}/evidence/nonsense"), "").status, 404);
    server.done(&mary, n, json!({ "command": "set_phase", "phase": "resolved" }));
    server.done(&mary, n, json!({ "command": "set_phase", "phase": "closed" }));
    assert_eq!(attach(&server, &mary, n, "x", b"late").1["code"], "wrong_phase");
    assert_eq!(read(&server, &mary, address(&answer), "").body, PNG, "it can still be read");
}

fn what_is_too_much_is_not_taken(house: House) {
    let mary = house.person("mary");
    let server = house.serve_in(&[("WARDROOM_MAX_EVIDENCE_PER_INCIDENT", "20")]);
    let n = server.declare(&mary, "Search is failing");
    let whole = |fill: u8| vec![fill; 10 << 20];
    for n_th in 0..2 {
        assert_eq!(attach(&server, &mary, n, "x", &whole(n_th)).0, 200);
    }
    let (status, answer) = attach(&server, &mary, n, "x", b"one more");
    assert_eq!((status == 200, &answer["code"]), (false, &json!("too_many")), "{answer}");
    assert!(answer["detail"].as_str().unwrap().contains("at most 20.0 MB do"), "{answer}");
    let other = server.declare(&mary, "Another");
    // One that says how large it is need not be sent; one that does not say is cut off.
    let head = |more: &str| {
        let path = format!("/api/v1/incidents/{other}/evidence?name=x&request_id={}", Uuid::now_v7());
        format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {mary}\r\n{more}\r\n")
    };
    let answer = crate::house::raw(&server.url, &head(&format!("content-length: {}\r\n", (10 << 20) + 1)));
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("too_large"), "{answer}");
    let body = format!("{:x}\r\n{}\r\n0\r\n\r\n", (10 << 20) + 1, "x".repeat((10 << 20) + 1));
    let answer = crate::house::raw(&server.url, &(head("transfer-encoding: chunked\r\n") + &body));
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("too_large"), "{answer}");
    assert!(!server.kinds(&mary, other).contains(&"evidence_attached".to_owned()));
    for (name, bytes, code) in [("", &b"x"[..], "malformed"), ("x%00", b"x", "malformed"), ("x", b"", "invalid")] {
        assert_eq!(attach(&server, &mary, other, name, bytes).1["code"], code, "{name}");
    }
}

fn nothing_but_a_picture_is_shown(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    for (name, bytes, kind, shown) in [
        ("graph.html", PNG, "image/png", "inline; filename=\"graph.html\""),
        ("a.png", b"<html><script>alert(1)</script>", "text/plain", "attachment; filename=\"a.png\""),
        ("b.png", b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", "text/plain", "attachment; filename=\"b.png\""),
        ("c%22%3B.png", b"\0\x01", "application/octet-stream", "attachment; filename=\"c__.png\""),
    ] {
        let (_, answer) = attach(&server, &mary, n, name, bytes);
        let got = read(&server, &mary, address(&answer), "");
        assert_eq!((got.status, got.field("content-type")), (200, kind), "{name}");
        assert!(got.field("content-disposition").starts_with(shown), "{}", got.field("content-disposition"));
        assert_eq!(got.field("x-content-type-options"), "nosniff");
        assert!(got.field("content-security-policy").ends_with("sandbox"));
        assert_eq!(got.field("cross-origin-resource-policy"), "same-origin");
    }
}

fn what_was_acknowledged_is_there_after_kill_9_and_in_a_backup(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let mut kept = Vec::new();
    for n_th in 0..5_u8 {
        let bytes = vec![n_th; 1 << 20];
        let (status, answer) = attach(&server, &mary, n, "x", &bytes);
        assert_eq!(status, 200, "{answer}");
        kept.push((address(&answer).to_owned(), bytes));
    }
    server.kill();
    let server = house.serve();
    for (address, bytes) in &kept {
        assert!(read(&server, &mary, address, "").body == *bytes);
    }
    let file = house.folder().join("one.backup");
    house.run(&["backup", file.to_str().unwrap()]);
    let restored = House::on_sqlite();
    restored.run(&["restore", file.to_str().unwrap(), "--keep-tokens"]);
    assert_eq!(restored.verify()["holds"], true);
    let server = restored.serve();
    for (address, bytes) in &kept {
        assert!(read(&server, &mary, address, "").body == *bytes);
    }
    drop(server);
    std::fs::write(&files(&restored, "")[0], "no").unwrap();
    let found = restored.verify();
    assert_eq!(found["holds"], false, "{found}");
    assert!(found.to_string().contains("has evidence whose bytes were altered"), "{found}");
}

fn redacting_the_entry_takes_the_bytes(house: House) {
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    server.done(&robin, n, json!({ "command": "join" }));
    let (_, answer) = attach(&server, &mary, n, "sesame.txt", b"the password is sesame");
    let redact = json!({ "command": "redact", "entry": answer["entry"] });
    assert_eq!(server.command(&robin, n, redact.clone()).1["code"], "not_yours");
    server.done(&mary, n, redact);
    assert_eq!(read(&server, &mary, address(&answer), "").status, 404);
    let digest = answer["sha256"].as_str().unwrap();
    wait::until("its bytes are gone", || files(&house, digest).is_empty().then_some(()));
    let page = server.get(&robin, &format!("/api/v1/incidents/{n}/events")).1.to_string();
    assert!(!page.contains("sesame") && !page.contains(answer["sha256"].as_str().unwrap()), "{page}");
    assert!(page.contains("Mary attached 22 bytes of evidence, which were redacted"), "{page}");
    let (status, again) = attach(&server, &mary, n, "x", b"the password is sesame");
    assert_eq!(status, 200, "{again}");
    assert_ne!(again["entry"], answer["entry"]);
    assert_eq!(house.verify()["holds"], true);
}
