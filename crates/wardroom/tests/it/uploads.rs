//! Evidence that comes in parts: it goes on where it broke off, is attached only if it is what was announced, and takes
//! neither memory nor the log's room.

use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::disk::{self, Disk};
use crate::evidence::files;
use crate::house::{House, Server, WARDROOM, agent};
use crate::{on_both, wait};

on_both!(
    it_goes_on_where_it_was_after_kill_9,
    what_is_not_what_was_announced_is_refused_and_does_not_stay,
    a_part_follows_on_what_came_and_two_at_once_are_one,
    the_same_content_is_sent_and_kept_once,
    whoever_did_not_begin_it_or_may_not_any_more_cannot_go_on,
    what_nobody_goes_on_with_is_swept,
    a_full_disk_ends_an_upload_and_nothing_else,
    memory_stays_while_a_large_file_comes_and_goes,
    the_command_line_goes_on_where_it_was,
    what_comes_by_a_pipe_goes_in_parts_and_leaves_nothing_behind,
);

pub const MIB: usize = 1 << 20;

/// So many bytes that are always the same ones, of which no piece is like another.
pub fn content(bytes: usize) -> Vec<u8> {
    (0..bytes as u64 / 8).flat_map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes()).collect()
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn announce(server: &Server, token: &str, n: u64, bytes: usize, sha256: &str) -> (u16, Value) {
    let said = json!({ "name": "heap.bin", "bytes": bytes, "sha256": sha256 });
    let path = format!("/api/v1/incidents/{n}/evidence/uploads");
    server.send(token, &path, said.to_string().as_bytes()).unwrap()
}

/// Announces some bytes, and says where they go.
pub fn begin(server: &Server, token: &str, n: u64, bytes: &[u8]) -> String {
    let (status, answer) = announce(server, token, n, bytes.len(), &sha256(bytes));
    assert_eq!(status, 201, "{answer}");
    answer["upload"].as_str().unwrap().to_owned()
}

/// What a part is answered with: status, how far it is, and the rest.
pub fn part(server: &Server, token: &str, upload: &str, offset: usize, bytes: &[u8]) -> (u16, Option<usize>, Value) {
    let request = agent().patch(format!("{}{upload}", server.url)).header("authorization", format!("Bearer {token}"));
    let request = request.header("upload-offset", offset.to_string()).content_type("application/partial-upload");
    let mut answer = request.send(bytes).unwrap();
    let far = answer.headers().get("upload-offset").map(|far| far.to_str().unwrap().parse().unwrap());
    let text = answer.body_mut().read_to_string().unwrap();
    (answer.status().as_u16(), far, serde_json::from_str(&text).unwrap_or_default())
}

/// How many bytes have come, if there is such an upload.
pub fn far(server: &Server, token: &str, upload: &str) -> Option<usize> {
    let request = agent().head(format!("{}{upload}", server.url)).header("authorization", format!("Bearer {token}"));
    let answer = request.call().unwrap();
    let field = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    assert!(matches!(answer.status().as_u16(), 204 | 401 | 404), "{answer:?}");
    if answer.status() == 204 {
        assert_eq!(field("cache-control").as_deref(), Some("no-store"));
        assert_eq!(field("upload-complete").as_deref(), Some("?0"));
    }
    field("upload-offset").map(|far| far.parse().unwrap())
}

/// Begins to send a part, and stops in the middle of it.
pub fn half(server: &Server, token: &str, upload: &str, offset: usize, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let length = bytes.len();
    let head = format!(
        "PATCH {upload} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nupload-offset: {offset}\r\n\
         content-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&bytes[..length / 2]).unwrap();
    stream
}

pub fn attached(server: &Server, token: &str, n: u64) -> usize {
    server.kinds(token, n).iter().filter(|kind| *kind == "evidence_attached").count()
}

/// What lies where pieces on their way lie.
pub fn on_their_way(house: &House) -> Vec<PathBuf> {
    let beside = if house.is_postgres() { house.folder().to_owned() } else { house.data() };
    let files = std::fs::read_dir(beside.join("evidence/arriving")).into_iter().flatten();
    files.map(|file| file.unwrap().path()).collect()
}

fn it_goes_on_where_it_was_after_kill_9(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let bytes = content(5 * MIB);
    let upload = begin(&server, &mary, n, &bytes);
    assert_eq!(part(&server, &mary, &upload, 0, &bytes[..MIB]), (204, Some(MIB), Value::Null));
    let _broken = half(&server, &mary, &upload, MIB, &bytes[MIB..3 * MIB]);
    wait::until("some of it came", || far(&server, &mary, &upload).filter(|far| *far > MIB));
    server.kill();
    let server = house.serve();
    // Whoever announces the same again is told where it is, and how far.
    let (status, again) = announce(&server, &mary, n, bytes.len(), &sha256(&bytes));
    assert_eq!((status, &again["upload"]), (201, &json!(upload)));
    let come = far(&server, &mary, &upload).unwrap();
    assert!((MIB + 1..=2 * MIB).contains(&come), "{come}");
    assert_eq!(again["offset"], come);
    let (status, _, answer) = part(&server, &mary, &upload, come, &bytes[come..]);
    assert_eq!((status, &answer["bytes"]), (200, &json!(bytes.len())), "{answer}");
    let mut got = agent()
        .get(format!("{}{}", server.url, answer["address"].as_str().unwrap()))
        .header("authorization", format!("Bearer {mary}"))
        .call()
        .unwrap();
    assert!(got.body_mut().with_config().limit(u64::MAX).read_to_vec().unwrap() == bytes);
    assert_eq!((far(&server, &mary, &upload), on_their_way(&house).len()), (None, 0));
    assert_eq!((attached(&server, &mary, n), house.verify()["holds"].clone()), (1, json!(true)));
}

fn what_is_not_what_was_announced_is_refused_and_does_not_stay(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let bytes = content(MIB);
    let (_, answer) = announce(&server, &mary, n, bytes.len(), &"0".repeat(64));
    let upload = answer["upload"].as_str().unwrap();
    let (status, _, problem) = part(&server, &mary, upload, 0, &bytes);
    assert_eq!((status, &problem["code"]), (422, &json!("wrong_sha256")), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains(&sha256(&bytes)), "{problem}");
    assert_eq!((far(&server, &mary, upload), attached(&server, &mary, n), on_their_way(&house).len()), (None, 0, 0));
    assert!(files(&house, "").is_empty(), "nothing of it stays");
    // More than was announced is not taken, and what came before is not lost.
    let upload = begin(&server, &mary, n, &bytes[..MIB / 2]);
    let (status, _, problem) = part(&server, &mary, &upload, 0, &bytes);
    assert_eq!((status, &problem["code"]), (413, &json!("too_large")), "{problem}");
    assert_eq!(part(&server, &mary, &upload, 0, &bytes[..9]).1, Some(9));
    let (status, _, _) = part(&server, &mary, &upload, 9, &bytes[9..MIB / 2]);
    assert_eq!((status, attached(&server, &mary, n)), (200, 1));
    for (bytes, sha, code) in [
        ((2_usize << 30) + 1, "1".repeat(64), "invalid"),
        (11 << 30, "1".repeat(64), "invalid"),
        (0, "1".repeat(64), "invalid"),
        (1, "1".repeat(63), "malformed"),
    ] {
        let (status, problem) = announce(&server, &mary, n, bytes, &sha);
        assert_eq!((status >= 400, &problem["code"]), (true, &json!(code)), "{problem}");
    }
}

fn a_part_follows_on_what_came_and_two_at_once_are_one(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let bytes = content(4 * MIB);
    let upload = begin(&server, &mary, n, &bytes);
    let (status, come, problem) = part(&server, &mary, &upload, 7, &bytes[7..9]);
    assert_eq!((status, come, &problem["code"]), (409, Some(0), &json!("wrong_offset")));
    let mut first = half(&server, &mary, &upload, 0, &bytes[..2 * MIB]);
    // What waits in memory is less than 256 KiB, and nothing more comes for now.
    let come = wait::until("half of it came", || far(&server, &mary, &upload).filter(|far| *far > MIB - (256 << 10)));
    for offset in [0, come] {
        let (status, _, problem) = part(&server, &mary, &upload, offset, &bytes[offset..][..9]);
        assert_eq!((status, &problem["code"]), (409, &json!("wrong_offset")), "{problem}");
        assert!(problem["detail"].as_str().unwrap().starts_with("Another part of this is being taken."), "{problem}");
    }
    first.write_all(&bytes[MIB..2 * MIB]).unwrap();
    wait::until("all of it came", || far(&server, &mary, &upload).filter(|far| *far == 2 * MIB));
    drop(first);
    wait::until("it can go on", || {
        (part(&server, &mary, &upload, 2 * MIB, &bytes[2 * MIB..3 * MIB]).0 == 204).then_some(())
    });
    let answers = std::thread::scope(|scope| {
        let send = || part(&server, &mary, &upload, 3 * MIB, &bytes[3 * MIB..]).0;
        [scope.spawn(send), scope.spawn(send)].map(|sent| sent.join().unwrap())
    });
    assert!(answers.contains(&200) && answers.iter().all(|status| matches!(status, 200 | 404 | 409)), "{answers:?}");
    assert_eq!((attached(&server, &mary, n), house.verify()["holds"].clone()), (1, json!(true)));
}

fn the_same_content_is_sent_and_kept_once(house: House) {
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let other = server.declare(&robin, "Another");
    server.done(&robin, n, json!({ "command": "join" }));
    let (bytes, sha) = (content(3 * MIB), sha256(&content(3 * MIB)));
    let begun = begin(&server, &robin, n, &bytes);
    let sent = part(&server, &mary, &begin(&server, &mary, n, &bytes), 0, &bytes);
    assert_eq!(sent.0, 200);
    let mut there = sent.2;
    assert_eq!(there["already"].take(), json!(false));
    there["already"] = json!(true);
    assert_eq!(part(&server, &robin, &begun, 0, &bytes).2, there, "what somebody else brought meanwhile is there once");
    assert_eq!((attached(&server, &mary, n), on_their_way(&house).len()), (1, 0));
    assert_eq!(announce(&server, &robin, n, bytes.len(), &sha), (200, there), "not a byte is asked for");
    // Whoever has no more than a digest gets nothing of another incident by it: they have to bring the bytes.
    let upload = begin(&server, &robin, other, &bytes);
    assert_eq!((far(&server, &robin, &upload), attached(&server, &robin, other)), (Some(0), 0));
    assert_eq!(part(&server, &robin, &upload, 0, &bytes).0, 200);
    assert_eq!((files(&house, &sha).len(), on_their_way(&house).len()), (1, 0));
    assert_eq!(house.verify()["holds"], true);
}

fn whoever_did_not_begin_it_or_may_not_any_more_cannot_go_on(house: House) {
    let ada = house.admin("ada");
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let other = server.declare(&mary, "Another");
    let bytes = content(MIB);
    let sha = sha256(&bytes);
    assert_eq!(announce(&server, &robin, n, MIB, &sha).1["code"], "not_a_responder");
    server.done(&robin, n, json!({ "command": "join" }));
    let upload = begin(&server, &robin, n, &bytes);
    assert_eq!(part(&server, &robin, &upload, 0, &bytes[..9]).0, 204);
    let id = upload.rsplit('/').next().unwrap();
    let elsewhere = format!("/api/v1/incidents/{other}/evidence/uploads/{id}");
    let none = |token: &str, upload: &str| part(&server, token, upload, 9, &bytes[9..]);
    for (token, upload) in [(&mary, &upload), (&robin, &elsewhere), (&mary, &elsewhere)] {
        let (status, _, problem) = none(token, upload);
        assert_eq!((status, &problem["code"]), (404, &json!("no_such_upload")), "{problem}");
        assert_eq!(far(&server, token, upload), None);
        let request = agent().delete(format!("{}{upload}", server.url));
        assert_eq!(request.header("authorization", format!("Bearer {token}")).call().unwrap().status(), 404);
    }
    assert_eq!(far(&server, &robin, &upload), Some(9), "and it is not gone");
    // The one incident is closed, and the other's rest comes from somebody who has left.
    let late = begin(&server, &mary, other, &bytes);
    server.done(&mary, other, json!({ "command": "set_phase", "phase": "resolved" }));
    server.done(&mary, other, json!({ "command": "set_phase", "phase": "closed" }));
    assert_eq!(part(&server, &mary, &late, 0, &bytes).2["code"], "wrong_phase");
    let leaves = json!({ "command": "deactivate_person", "person": "robin" });
    assert_eq!(server.post(&ada, "/api/v1/directory/commands", leaves).0, 200);
    assert_eq!(none(&robin, &upload).0, 401);
    assert_eq!((attached(&server, &mary, n), attached(&server, &mary, other)), (0, 0));
    let request = agent().delete(format!("{}{late}", server.url)).header("authorization", format!("Bearer {mary}"));
    assert_eq!((request.call().unwrap().status().as_u16(), far(&server, &mary, &late)), (204, None));
}

fn what_nobody_goes_on_with_is_swept(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let bytes = content(MIB);
    let upload = begin(&server, &mary, n, &bytes);
    assert_eq!(part(&server, &mary, &upload, 0, &bytes[..MIB / 2]).0, 204);
    let kept = begin(&server, &mary, n, b"goes on");
    let id = upload.rsplit('/').next().unwrap().to_owned();
    server.kill();
    let left = on_their_way(&house)[0].parent().unwrap().parent().unwrap().join("evidence/ab");
    std::fs::create_dir_all(&left).unwrap();
    let left = left.join("abc#1");
    std::fs::write(&left, "half of something").unwrap();
    let old =
        on_their_way(&house).into_iter().filter(|file| file.to_str().unwrap().contains(&id)).chain([left.clone()]);
    for file in old {
        let file = std::fs::File::options().write(true).open(file).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(25 * 60 * 60)).unwrap();
    }
    let server = house.serve();
    wait::until("it is swept", || (!left.exists() && far(&server, &mary, &upload).is_none()).then_some(()));
    assert_eq!((far(&server, &mary, &kept), on_their_way(&house).len()), (Some(0), 1));
}

fn a_full_disk_ends_an_upload_and_nothing_else(house: House) {
    let (mary, disk) = (house.person("mary"), Disk::of(&house));
    let server = disk.serve(&house);
    let n = server.declare(&mary, "Search is failing");
    let bytes = content(8 * MIB);
    let upload = begin(&server, &mary, n, &bytes);
    assert_eq!(part(&server, &mary, &upload, 0, &bytes[..3 * MIB]).0, 204);
    disk::fill_beyond(&server, 4 * MIB);
    let (status, _, problem) = part(&server, &mary, &upload, 3 * MIB, &bytes[3 * MIB..]);
    assert_eq!((status, &problem["code"]), (507, &json!("no_room")), "{problem}");
    // What had come makes room for the log, which goes on.
    assert_eq!((far(&server, &mary, &upload), on_their_way(&house).len()), (None, 0));
    server.done(&mary, n, json!({ "command": "note", "text": "the disk is full" }));
    assert_eq!((attached(&server, &mary, n), files(&house, "").len()), (0, 0));
    disk::make_room(&server);
    let upload = begin(&server, &mary, n, &bytes);
    assert_eq!(part(&server, &mary, &upload, 0, &bytes).0, 200);
    assert_eq!((attached(&server, &mary, n), house.verify()["holds"].clone()), (1, json!(true)));
}

/// The most memory that a server ever had, in KiB.
fn most(server: &Server) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    most.trim().trim_end_matches(" kB").parse().unwrap()
}

fn memory_stays_while_a_large_file_comes_and_goes(house: House) {
    const WHOLE: usize = 200 * MIB;
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let before = most(&server);
    let chunk = content(8 * MIB);
    let mut digest = Sha256::new();
    (0..WHOLE / chunk.len()).for_each(|_| digest.update(&chunk));
    let sha: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let (_, begun) = announce(&server, &mary, n, WHOLE, &sha);
    let upload = begun["upload"].as_str().unwrap();
    let mut last = Value::Null;
    for offset in (0..WHOLE).step_by(chunk.len()) {
        let (status, _, answer) = part(&server, &mary, upload, offset, &chunk);
        assert!(matches!(status, 200 | 204), "{answer}");
        last = answer;
    }
    let got = agent()
        .get(format!("{}{}", server.url, last["address"].as_str().unwrap()))
        .header("authorization", format!("Bearer {mary}"))
        .call()
        .unwrap();
    let bytes = std::io::copy(&mut got.into_body().into_reader(), &mut std::io::sink()).unwrap();
    assert_eq!(bytes, WHOLE as u64);
    let grown = most(&server) - before;
    assert!(grown < 64 << 10, "it took {grown} KiB more for {} KiB", WHOLE >> 10);
}

fn the_command_line_goes_on_where_it_was(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let bytes = content(20 * MIB);
    let file = house.folder().join("heap.bin");
    std::fs::write(&file, &bytes).unwrap();
    let add = ["evidence", "add", "1", file.to_str().unwrap()];
    // The first part is there already, and is not what it was to be: whoever goes on from there meets the refusal.
    let upload = begin(&server, &mary, n, &bytes);
    assert_eq!(part(&server, &mary, &upload, 0, &vec![7; MIB]).1, Some(MIB));
    let refused = server.verb(&mary, &add);
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(1) && why.contains("has the SHA-256"), "{why}");
    assert_eq!(attached(&server, &mary, n), 0);
    // It is sent whole, and the same again needs no byte.
    let said = server.say(&mary, &add);
    assert!(said.starts_with("heap.bin is kept as evidence, with entry 2: /api/v1/incidents/1/evidence/"), "{said}");
    assert_eq!(server.say(&mary, &add), said);
    let got = house.folder().join("got.bin");
    server.say(&mary, &["evidence", "get", "1", &sha256(&bytes), "-o", got.to_str().unwrap()]);
    assert!(std::fs::read(&got).unwrap() == bytes);
    assert_eq!(attached(&server, &mary, n), 1);
    // What does not hold does not get its name.
    std::fs::write(&files(&house, "")[0], "no").unwrap();
    std::fs::remove_file(&got).unwrap();
    let altered = server.verb(&mary, &["evidence", "get", "1", &sha256(&bytes), "-o", got.to_str().unwrap()]);
    assert!(altered.status.code() == Some(5) && !got.exists());
}

/// `evidence add -`, with a folder for what is temporary.
fn piped(server: &Server, token: &str, temporary: &Path) -> Child {
    let mut add = Command::new(WARDROOM);
    add.args(["evidence", "add", "1", "-"]).env("WARDROOM_URL", &server.url).env("WARDROOM_TOKEN", token);
    add.env("TMPDIR", temporary).env("NO_COLOR", "1");
    add.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn what_comes_by_a_pipe_goes_in_parts_and_leaves_nothing_behind(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let (bytes, temporary) = (content(24 * MIB), house.folder().join("temporary"));
    std::fs::create_dir(&temporary).unwrap();
    let left = || std::fs::read_dir(&temporary).unwrap().count();
    // Ended in the middle: what had come has no name, and is nobody else's.
    let mut ended = piped(&server, &mary, &temporary);
    ended.stdin.as_ref().unwrap().write_all(&bytes[..12 * MIB]).unwrap();
    let spooled = wait::until("it lies in a file", || {
        let files = std::fs::read_dir(format!("/proc/{}/fd", ended.id())).unwrap().map(|file| file.unwrap().path());
        files.into_iter().find(|file| std::fs::read_link(file).is_ok_and(|to| to.starts_with(&temporary)))
    });
    assert_eq!((std::fs::metadata(spooled).unwrap().permissions().mode() & 0o777, left()), (0o600, 0));
    assert!(Command::new("kill").args(["-INT", &ended.id().to_string()]).status().unwrap().success());
    assert!(!ended.wait().unwrap().success());
    assert_eq!((left(), attached(&server, &mary, n)), (0, 0));
    // To its end, it goes in parts: from where it was, if some of it has come.
    let upload = begin(&server, &mary, n, &bytes);
    assert_eq!(part(&server, &mary, &upload, 0, &bytes[..9 * MIB]).0, 204);
    let mut whole = piped(&server, &mary, &temporary);
    whole.stdin.take().unwrap().write_all(&bytes).unwrap();
    let said = whole.wait_with_output().unwrap();
    let (told, why) = (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert!(told.starts_with("output.txt is kept as evidence, with entry 2:"), "{told}{why}");
    assert!(told.trim_end().ends_with(&sha256(&bytes)), "{told}");
    assert_eq!((left(), attached(&server, &mary, n), on_their_way(&house).len()), (0, 1, 0));
    // With no room for it, that is said, and how there is some.
    let mut nowhere = piped(&server, &mary, &temporary.join("nowhere"));
    let _ = nowhere.stdin.take().unwrap().write_all(&bytes);
    let said = nowhere.wait_with_output().unwrap();
    let why = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.status.code() == Some(2) && why.contains("Name another folder: TMPDIR=FOLDER"), "{why}");
}
