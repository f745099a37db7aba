//! An incident's archive: it leaves whole, proves itself with nothing else at hand, and tells on whoever touches it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use wardroom_core::document::Part;
use wardroom_server::archive::sha256;

use crate::browser::Browser;
use crate::house::{House, Server, WARDROOM};
use crate::on_both;
use crate::peer::Peer;
use crate::unpacked::{Member, members, packed};

on_both!(
    an_incident_leaves_whole_and_proves_itself,
    whatever_is_done_to_an_archive_is_found_and_named,
    what_a_manifest_hides_the_record_tells,
    whoever_may_not_see_an_incident_gets_no_archive_of_it,
    what_is_there_is_kept_and_what_breaks_off_leaves_nothing,
    a_record_that_was_tampered_with_leaves_as_it_is_and_says_so,
    what_changes_while_it_leaves_breaks_it_off
);

/// Checks the chain and the seals of an archive as its own README says that it is done, and prints the last hash.
const BY_OTHER_MEANS: &str = r#"
import datetime, hashlib, json, struct, sys, tarfile
tar = tarfile.open(sys.argv[1])
number = int(tar.getnames()[0].split("/")[0].removeprefix("incident-"))
before = bytes(32)
for line in tar.extractfile(f"incident-{number}/events.jsonl"):
    event = json.loads(line)
    since = datetime.datetime.fromisoformat(event["at"].replace("Z", "+00:00")) - datetime.datetime.fromtimestamp(0, datetime.timezone.utc)
    micros = since // datetime.timedelta(microseconds=1)
    chain = hashlib.sha256(b"wardroom event 1\0" + before)
    chain.update(struct.pack(">IQqH", number, event["entry"], micros, event["version"]))
    for part in (event["kind"], event["actor"], event["body"]):
        chain.update(struct.pack(">Q", len(part.encode())) + part.encode())
    before = chain.digest()
    assert before.hex() == event["hash"], event
    for text in event["texts"]:
        assert text["seal"] in event["body"], event
        if "salt" in text:
            sealed = b"wardroom text 1\0" + bytes.fromhex(text["salt"]) + text["words"].encode()
            assert hashlib.sha256(sealed).hexdigest() == text["seal"], event
print(before.hex())
"#;

const PNG: &[u8] = b"\x89PNG\r\n\x1A\nnot quite a picture";

fn attach(server: &Server, token: &str, n: u64, name: &str, bytes: &[u8]) -> Value {
    let request = uuid::Uuid::now_v7();
    let path = format!("/api/v1/incidents/{n}/evidence?name={name}&request_id={request}");
    let (status, answer) = server.send(token, &path, bytes).unwrap();
    assert_eq!(status, 200, "{answer}");
    answer
}

/// An incident with some of everything, of which two entries were redacted.
fn an_incident(house: &House, server: &Server, mary: &str, robin: &str) -> u64 {
    house.run(&["service", "set", "search"]);
    let n = server.declare(mary, "Search is failing");
    server.done(robin, n, json!({ "command": "join" }));
    let noted = server.done(robin, n, json!({ "command": "note", "text": "the password is hunter2" }));
    server.done(mary, n, json!({ "command": "note", "text": "First cluster is \"warm\"\n\u{1F600}", "pin": true }));
    attach(server, mary, n, "..%2Fpods%20f%C3%BCr%20eu.txt", b"NAME READY\nindex 0/1\n");
    let gone = attach(server, robin, n, "sesame.txt", b"the password is sesame");
    attach(server, robin, n, "graph.png", PNG);
    server.done(mary, n, json!({ "command": "record_change", "what": "search: v11 again", "back": "deploy v12" }));
    for entry in [&noted["last_entry"], &gone["entry"]] {
        server.done(mary, n, json!({ "command": "redact", "entry": entry, "reason": "a password" }));
    }
    let mut peer = Peer::join(server, mary, n);
    peer.until("it has the text", Peer::is_in_step);
    peer.write_in(Part::Summary, "Half of all searches fail.");
    peer.until("it is saved", Peer::is_saved);
    n
}

/// `wardroom verify` on a machine on which there is nothing else: no server, no store.
fn verify(file: &Path, more: &[&str]) -> Output {
    let mut wardroom = Command::new(WARDROOM);
    wardroom.arg("verify").arg(file).args(more).env_clear().env("NO_COLOR", "1").env("WARDROOM_DATA", "/nowhere");
    wardroom.env("WARDROOM_URL", "http://127.0.0.1:1").output().unwrap()
}

fn told(output: &Output) -> (Option<i32>, String) {
    let [said, errors] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    (output.status.code(), said + &errors)
}

/// What is found wrong with these bytes.
fn broken(house: &House, archive: &[u8]) -> Vec<String> {
    let file = house.folder().join("altered.tar");
    std::fs::write(&file, archive).unwrap();
    let output = verify(&file, &["--json"]);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let broken: Vec<String> = serde_json::from_value(found["broken"].clone()).unwrap();
    assert_eq!((output.status.code(), broken.is_empty(), &found["holds"]), (Some(5), false, &json!(false)), "{found}");
    broken
}

/// Exports an incident, and reads the file.
fn exported(house: &House, server: &Server, token: &str, n: u64) -> (PathBuf, Vec<u8>) {
    let file = house.folder().join(format!("{n}.tar"));
    server.say(token, &["export", &n.to_string(), "-o", file.to_str().unwrap(), "--force"]);
    let bytes = std::fs::read(&file).unwrap();
    (file, bytes)
}

fn an_incident_leaves_whole_and_proves_itself(house: House) {
    let [mary, robin, sabrina] = ["mary", "robin", "sabrina"].map(|handle| house.person(handle));
    let server = house.serve();
    let n = an_incident(&house, &server, &mary, &robin);
    let (status, invite) = server.post(&mary, &format!("/api/v1/incidents/{n}/invites"), json!({ "hours": 1 }));
    assert_eq!(status, 201, "{invite}");
    let (file, bytes) = exported(&house, &server, &sabrina, n);
    drop(server);
    let hex = if house.is_postgres() { "encode(hash, 'hex')" } else { "lower(hex(hash))" };
    let tip = house.ask(&format!("SELECT {hex} FROM tips WHERE stream = {n}"));
    let said = format!("The archive of incident {n} holds: 11 events, 2 pieces of evidence, head {tip}\n");
    assert_eq!(told(&verify(&file, &["--head", &tip])), (Some(0), said));
    let other = verify(&file, &["--head", &"5".repeat(64)]);
    assert!(other.status.code() == Some(5) && told(&other).1.contains("no entry here has that hash"));
    let found: Value = serde_json::from_slice(&verify(&file, &["--json"]).stdout).unwrap();
    assert_eq!(
        (&found["tip"]["hash"], &found["tip"]["entry"], &found["holds"]),
        (&json!(tip), &json!(11), &json!(true))
    );
    let checked = Command::new("python3").args(["-c", BY_OTHER_MEANS]).arg(&file).output().unwrap();
    assert_eq!(told(&checked), (Some(0), format!("{tip}\n")));
    // What is in it, to other programs too.
    let listed = Command::new("tar").arg("-tf").arg(&file).output().unwrap();
    let names: Vec<String> = String::from_utf8(listed.stdout).unwrap().lines().map(str::to_owned).collect();
    let [pods, graph] = [&b"NAME READY\nindex 0/1\n"[..], PNG].map(sha256);
    let expected = [
        "README.txt".to_owned(),
        "events.jsonl".to_owned(),
        "document.md".to_owned(),
        "document.html".to_owned(),
        "directory.json".to_owned(),
        format!("evidence/{pods}-_pods_f_r_eu.txt"),
        format!("evidence/{graph}-graph.png"),
        "manifest.json".to_owned(),
    ];
    assert_eq!(names, expected.map(|name| format!("incident-{n}/{name}")));
    let members = members(&bytes);
    let text = |index: usize| String::from_utf8(members[index].bytes.clone()).unwrap();
    assert!(text(0).contains(&format!("wardroom verify incident-{n}.tar --head HASH")));
    assert_eq!(text(1).lines().count(), 11);
    for document in [text(2), text(3)] {
        assert!(document.contains("Half of all searches fail.") && document.contains("First cluster is"));
    }
    let directory: Value = serde_json::from_str(&text(4)).unwrap();
    let people = directory["people"].as_object().unwrap().values();
    let mut handles: Vec<&str> = people.map(|person| person["handle"].as_str().unwrap()).collect();
    handles.sort_unstable();
    assert_eq!(handles, ["mary", "robin", "sabrina"], "whom events name, and who took it along");
    assert_eq!((&members[5].bytes[..], &members[6].bytes[..]), (&b"NAME READY\nindex 0/1\n"[..], PNG));
    let whole = String::from_utf8_lossy(&bytes);
    let invite = invite["secret"].as_str().unwrap();
    for secret in ["hunter2", "sesame", &mary, &sabrina, invite, &sha256(invite.as_bytes()).to_string()] {
        assert!(!whole.contains(secret), "{secret} is in it");
    }
}

fn whatever_is_done_to_an_archive_is_found_and_named(house: House) {
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    let server = house.serve();
    let n = an_incident(&house, &server, &mary, &robin);
    let (_, whole) = exported(&house, &server, &mary, n);
    drop(server);
    let all = members(&whole);
    let finds = |archive: &[u8], what: &str| {
        let broken = broken(&house, archive);
        assert!(broken.iter().any(|broken| broken.contains(what)), "“{what}” is not in {broken:#?}");
    };
    for (index, member) in all.iter().enumerate() {
        let middle = member.at + 512 + member.bytes.len() / 2;
        let mut altered = whole.clone();
        altered[middle] ^= 1;
        finds(&altered, &member.name);
        altered[middle] ^= 1;
        altered[member.at + 10] ^= 1;
        finds(&altered, &format!("no head at byte {}", member.at));
        finds(&whole[..middle], &format!("breaks off at byte {middle}"));
        let mut fewer = all.clone();
        fewer.remove(index);
        finds(&packed(&whole, fewer, false), if index == 0 { "README.txt is missing" } else { &member.name });
        let mut outward = all.clone();
        outward[index].name = format!("incident-{n}/../../{index}");
        finds(&packed(&whole, outward, false), &format!("incident-{n}/../../{index} leads out of the archive"));
        let mut twice = all.clone();
        twice.insert(index, member.clone());
        finds(&packed(&whole, twice, false), &format!("{} is there twice", member.name));
    }
    let mut more = all.clone();
    let name = format!("incident-{n}/evidence/{}-x", "0".repeat(64));
    more.insert(7, Member { at: 0, name: name.clone(), bytes: b"x".to_vec() });
    finds(&packed(&whole, more, false), &format!("{name} is evidence that no event names"));
    finds(&[&whole[..], b"x"].concat(), "has something behind its end");
    finds(b"", "breaks off at byte 0");
    // A script is told it as a problem, a person in sentences.
    let file = house.folder().join("altered.tar");
    let (code, said) = told(&verify(&file, &[]));
    assert_eq!((code, said.as_str()), (Some(5), "wardroom: It does not hold: the archive breaks off at byte 0\n"));
    assert_eq!(verify(&house.folder().join("nothing"), &[]).status.code(), Some(2));
    assert_eq!(verify(&file, &["--data", "x"]).status.code(), Some(2));
}

/// Whoever alters it makes a manifest that fits.
fn what_a_manifest_hides_the_record_tells(house: House) {
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    let server = house.serve();
    let n = an_incident(&house, &server, &mary, &robin);
    let (_, whole) = exported(&house, &server, &mary, n);
    drop(server);
    let events = String::from_utf8(members(&whole)[1].bytes.clone()).unwrap();
    let lines: Vec<&str> = events.lines().collect();
    let told = |altered: Vec<String>| {
        let mut all = members(&whole);
        all[1].bytes = altered.iter().flat_map(|line| [line, "\n"]).collect::<String>().into_bytes();
        broken(&house, &packed(&whole, all, true))
    };
    let with = |alter: &dyn Fn(&mut Vec<String>)| {
        let mut altered: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        alter(&mut altered);
        told(altered)
    };
    let first = |broken: Vec<String>, what: &str| assert!(broken[0].contains(what), "“{what}” is not in {broken:#?}");
    first(with(&|lines| lines.swap(1, 3)), "entry 2 (position");
    first(with(&|lines| lines[0] = lines[0].replace("sev2", "sev4")), "entry 1 (position");
    first(with(&|lines| drop(lines.remove(3))), "entry 4 (position");
    first(with(&|lines| lines[3] = lines[3].replace("First", "Last")), "entry 4 (position");
    // The note that was redacted, put back with words of somebody's own.
    let put_back = with(&|lines| {
        let mut line: Value = serde_json::from_str(&lines[2]).unwrap();
        assert!(line["texts"][0]["redacted_by"].is_number() && line["texts"][0].get("words").is_none(), "{line}");
        let seal = line["texts"][0]["seal"].clone();
        line["texts"][0] = json!({ "seal": seal, "salt": "0".repeat(32), "words": "the password is hunter3" });
        lines[2] = line.to_string();
    });
    first(put_back, "entry 3 (position");
    let unfounded = with(&|lines| {
        let mut line: Value = serde_json::from_str(&lines[3]).unwrap();
        line["texts"][0] = json!({ "seal": line["texts"][0]["seal"], "redacted_by": 1 });
        lines[3] = line.to_string();
    });
    assert!(unfounded[0].ends_with("has words that were removed without a redaction on record"), "{unfounded:?}");
    // A redaction's own words: its reason.
    let reason = with(&|lines| {
        let at = lines.iter().position(|line| line.contains("a password")).unwrap();
        lines[at] = lines[at].replace("a password", "a mistake!");
    });
    assert!(reason[0].ends_with("has words that were altered"), "{reason:?}");
    let mut evidence = members(&whole);
    evidence[6].bytes = b"another picture".to_vec();
    first(broken(&house, &packed(&whole, evidence, true)), "-graph.png was altered: it is not what was attached");
}

fn whoever_may_not_see_an_incident_gets_no_archive_of_it(house: House) {
    let [mary, sabrina] = ["mary", "sabrina"].map(|handle| house.person(handle));
    let server = house.serve();
    let (_, answer) = server.post(&mary, "/api/v1/incidents", json!({ "title": "A leaked key", "restricted": true }));
    let n = answer["incident"].as_u64().unwrap();
    let asked = |number: u64| {
        let (status, problem) = server.get(&sabrina, &format!("/api/v1/incidents/{number}/export"));
        (status, problem.to_string().replace(&format!("#{number} "), "#N "))
    };
    assert_eq!(asked(n).0, 404);
    assert_eq!(asked(n), asked(n + 40));
    let file = house.folder().join("none.tar");
    let refused = server.verb(&sabrina, &["export", &n.to_string(), "-o", file.to_str().unwrap()]);
    assert_eq!((refused.status.code(), file.exists()), (Some(1), false));
    assert_eq!(server.get("", &format!("/api/v1/incidents/{n}/export")).0, 401);
    exported(&house, &server, &mary, n);
    // A guest takes along what they see, and nothing else.
    let open = server.declare(&mary, "Search is failing");
    let (_, invite) = server.post(&mary, &format!("/api/v1/incidents/{open}/invites"), json!({ "hours": 1 }));
    let mut marty = Browser::new(&server);
    let came = marty.post("/api/v1/guest", json!({ "secret": invite["secret"], "name": "Marty" }));
    assert_eq!(came.status, 201, "{}", came.body);
    let other = server.declare(&mary, "Another");
    assert_eq!(marty.get(&format!("/api/v1/incidents/{open}/export")).status, 200);
    assert_eq!(marty.get(&format!("/api/v1/incidents/{other}/export")).status, 404);
}

/// Whoever speaks to it is told this, and then the connection ends.
fn says(answer: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(&answer);
        }
    });
    url
}

fn what_is_there_is_kept_and_what_breaks_off_leaves_nothing(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let folder = house.folder().join("taken");
    std::fs::create_dir(&folder).unwrap();
    let export = |url: &str, more: &[&str]| {
        let mut wardroom = Command::new(WARDROOM);
        wardroom.args(["export", "1"]).args(more).current_dir(&folder);
        wardroom.env("WARDROOM_URL", url).env("WARDROOM_TOKEN", &mary).output().unwrap()
    };
    let there = || {
        let names = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
        names.map(|name| name.to_string_lossy().into_owned()).collect::<Vec<_>>()
    };
    let path = format!("/api/v1/incidents/{n}/export");
    let raw = format!("GET {path} HTTP/1.0\r\nhost: x\r\nauthorization: Bearer {mary}\r\n\r\n");
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(raw.as_bytes()).unwrap();
    let mut whole = Vec::new();
    stream.read_to_end(&mut whole).unwrap();
    let body = whole.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let head =
        |kind: &str| format!("HTTP/1.1 200 OK\r\ncontent-type: application/x-tar\r\n{kind}\r\n\r\n").into_bytes();
    let length = whole.len() - body;
    let mut chunked = head("transfer-encoding: chunked");
    chunked.extend(format!("{length:x}\r\n").bytes().chain(whole[body..body + 2_000].iter().copied()));
    let mut counted = head(&format!("content-length: {length}"));
    counted.extend(&whole[body..whole.len() - 1]);
    let mut short = head(&format!("content-length: {}", length - 512));
    short.extend(&whole[body..whole.len() - 512]);
    let mut other = head("content-length: 5");
    other.extend(b"hello");
    for (what, answer) in [("chunks", chunked), ("a length", counted), ("a short one", short), ("another", other)] {
        let output = export(&says(answer), &[]);
        let (code, said) = told(&output);
        assert!(code == Some(4) && said.contains("try again"), "{what}: {code:?} {said}");
        assert_eq!(there(), [""; 0], "{what}");
    }
    let output = export(&server.url, &["--json"]);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&said["file"], &said["bytes"]), (&json!("incident-1.tar"), &json!(length)), "{said}");
    std::fs::write(folder.join("incident-1.tar"), "precious").unwrap();
    let (code, told) = told(&export(&server.url, &[]));
    assert!(code == Some(1) && told.contains("incident-1.tar is there already"), "{told}");
    assert_eq!(std::fs::read(folder.join("incident-1.tar")).unwrap(), b"precious");
    assert!(export(&server.url, &["--force"]).status.success());
    assert_eq!(there(), ["incident-1.tar"]);
    assert!(verify(&folder.join("incident-1.tar"), &[]).status.success());
}

fn a_record_that_was_tampered_with_leaves_as_it_is_and_says_so(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    server.done(&mary, n, json!({ "command": "set_severity", "severity": "sev1" }));
    house.tamper("UPDATE events SET body = replace(body, 'sev1', 'sev4') WHERE kind = 'severity_set'");
    let file = house.folder().join("damaged.tar");
    let output = server.verb(&mary, &["export", &n.to_string(), "-o", file.to_str().unwrap()]);
    let (code, said) = told(&output);
    assert!(code == Some(5) && said.contains("entry 2 (position") && said.contains("was altered"), "{said}");
    assert_eq!(verify(&file, &[]).status.code(), Some(5), "it was kept, as what it is");
}

/// What is on its way when words are redacted would still have them, and the next reader would have to guess why they do
/// not fit. Whoever may see the incident no more is sent no more of it.
fn what_changes_while_it_leaves_breaks_it_off(house: House) {
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    // More than what sockets take from one that nobody reads.
    let words = "\u{1F600}".repeat(20_000);
    let mut last = Value::Null;
    for _ in 0..300 {
        last = server.done(&mary, n, json!({ "command": "note", "text": words }));
    }
    let begun = |token: &str| {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        let path = format!("/api/v1/incidents/{n}/export");
        let ask =
            format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\r\n");
        stream.write_all(ask.as_bytes()).unwrap();
        stream.read_exact(&mut [0; 8192]).unwrap();
        stream
    };
    // The last chunk says that it is the last.
    let whole = |mut stream: TcpStream| {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        rest.ends_with(b"0\r\n\r\n")
    };
    assert!(whole(begun(&robin)), "what is left alone arrives");
    let stream = begun(&robin);
    server.done(&mary, n, json!({ "command": "redact", "entry": last["last_entry"] }));
    assert!(!whole(stream), "words were redacted");
    let stream = begun(&robin);
    server.done(&mary, n, json!({ "command": "restrict" }));
    assert!(!whole(stream), "it was restricted");
    assert!(whole(begun(&mary)));
}
