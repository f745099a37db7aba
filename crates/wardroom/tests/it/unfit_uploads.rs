//! Evidence that comes in parts, and what is not let through: more than fits, more than was announced, what is not on the
//! disk, and what comes from whoever has no place in the incident any more.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::disk::Disk;
use crate::house::{House, Server, agent};
use crate::uploads::{MIB, announce, attached, begin, content, far, half, on_their_way, part, sha256};
use crate::{on_both, wait};

on_both!(
    a_part_is_on_the_disk_before_it_is_answered,
    more_than_was_announced_is_not_taken_whatever_its_head_says,
    so_much_of_one_person_is_on_its_way_and_no_more,
    whoever_has_no_place_any_more_cannot_go_on_nor_see_how_far_it_is,
    whoever_leaves_while_a_part_comes_does_not_attach_it,
);

/// The status of an answer, once all that was asked has come.
fn status(stream: &mut TcpStream) -> u16 {
    let mut head = [0; 12];
    stream.read_exact(&mut head).unwrap();
    std::str::from_utf8(&head[9..]).unwrap().parse().unwrap()
}

fn a_part_is_on_the_disk_before_it_is_answered(house: House) {
    let (mary, disk) = (house.person("mary"), Disk::of(&house));
    let server = disk.serve(&house);
    let n = server.declare(&mary, "Search is failing");
    let bytes = content(3 * MIB);
    let upload = begin(&server, &mary, n, &bytes);
    let mut sending = half(&server, &mary, &upload, 0, &bytes[..2 * MIB]);
    wait::until("half of it came", || far(&server, &mary, &upload).filter(|far| *far > MIB / 2));
    disk.breaks();
    sending.write_all(&bytes[MIB..2 * MIB]).unwrap();
    assert_eq!(status(&mut sending), 503, "what would not outlive a power cut is not called kept");
    disk.mended();
    let come = wait::until("it can go on", || far(&server, &mary, &upload));
    assert_eq!(part(&server, &mary, &upload, come, &bytes[come..]).0, 200);
    assert_eq!((attached(&server, &mary, n), house.verify()["holds"].clone()), (1, json!(true)));
}

fn more_than_was_announced_is_not_taken_whatever_its_head_says(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let bytes = content(2 * MIB);
    let upload = begin(&server, &mary, n, &bytes[..MIB]);
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let head = format!(
        "PATCH {upload} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {mary}\r\nupload-offset: 0\r\n\
         transfer-encoding: chunked\r\n\r\n{:x}\r\n",
        bytes.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&bytes).unwrap();
    stream.write_all(b"\r\n0\r\n\r\n").unwrap();
    assert_eq!(status(&mut stream), 413);
    let come = far(&server, &mary, &upload).expect("what came before is not lost");
    assert!(come <= MIB, "{come}");
    assert_eq!(part(&server, &mary, &upload, come, &bytes[come..MIB]).0, 200);
    assert_eq!((attached(&server, &mary, n), house.verify()["holds"].clone()), (1, json!(true)));
}

fn so_much_of_one_person_is_on_its_way_and_no_more(house: House) {
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    server.done(&robin, n, json!({ "command": "join" }));
    let all: Vec<Vec<u8>> = (0..5).map(|nth| vec![nth; 9]).collect();
    let uploads: Vec<String> = all[..4].iter().map(|bytes| begin(&server, &mary, n, bytes)).collect();
    let one_more = |token: &str| announce(&server, token, n, 9, &sha256(&all[4]));
    let (status, problem) = one_more(&mary);
    assert_eq!((status, &problem["code"]), (429, &json!("too_many_uploads")), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("stop it where it was begun"), "{problem}");
    assert_eq!(on_their_way(&house).len(), 4, "and none of the others makes way");
    assert_eq!(one_more(&robin).0, 201, "nobody else waits for it");
    assert_eq!(part(&server, &mary, &uploads[0], 0, &all[0]).0, 200);
    assert_eq!(one_more(&mary).0, 201, "one arrived");
    let (status, problem) = announce(&server, &mary, n, 2 << 30, &"1".repeat(64));
    assert_eq!((status, &problem["code"]), (429, &json!("too_many_uploads")), "{problem}");
}

fn let_go(server: &Server, token: &str, upload: &str) -> u16 {
    let request = agent().delete(format!("{}{upload}", server.url));
    request.header("authorization", format!("Bearer {token}")).call().unwrap().status().as_u16()
}

fn whoever_has_no_place_any_more_cannot_go_on_nor_see_how_far_it_is(house: House) {
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let bytes = content(MIB);
    server.done(&robin, n, json!({ "command": "join" }));
    let upload = begin(&server, &robin, n, &bytes);
    assert_eq!(part(&server, &robin, &upload, 0, &bytes[..9]).0, 204);
    server.done(&robin, n, json!({ "command": "leave" }));
    let (status, _, problem) = part(&server, &robin, &upload, 9, &bytes[9..]);
    assert_eq!((status, &problem["code"]), (403, &json!("not_a_responder")), "{problem}");
    assert_eq!(far(&server, &robin, &upload), Some(9), "nothing more of it came");
    // Of what only the invited know of, nobody else is told, whatever they brought before.
    let opening = json!({ "title": "A leaked key", "restricted": true });
    let secret = server.post(&mary, "/api/v1/incidents", opening).1["incident"].as_u64().unwrap();
    server.done(&mary, secret, json!({ "command": "invite", "person": "robin" }));
    server.done(&robin, secret, json!({ "command": "join" }));
    let upload = begin(&server, &robin, secret, &bytes);
    assert_eq!(part(&server, &robin, &upload, 0, &bytes[..9]).0, 204);
    server.done(&robin, secret, json!({ "command": "leave" }));
    server.done(&mary, secret, json!({ "command": "uninvite", "person": "robin" }));
    let (status, come, problem) = part(&server, &robin, &upload, 9, &bytes[9..]);
    assert_eq!((status, come, &problem["code"]), (404, None, &json!("no_such_incident")), "{problem}");
    assert_eq!((far(&server, &robin, &upload), let_go(&server, &robin, &upload)), (None, 404));
    assert_eq!(announce(&server, &robin, secret, MIB, &sha256(&bytes)).1["code"], "no_such_incident");
    assert_eq!((attached(&server, &mary, n), attached(&server, &mary, secret)), (0, 0));
}

fn whoever_leaves_while_a_part_comes_does_not_attach_it(house: House) {
    let ada = house.admin("ada");
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    server.done(&robin, n, json!({ "command": "join" }));
    let bytes = content(2 * MIB);
    let upload = begin(&server, &robin, n, &bytes);
    let mut sending = half(&server, &robin, &upload, 0, &bytes);
    wait::until("half of it came", || far(&server, &robin, &upload).filter(|far| *far > MIB / 2));
    let leaves = json!({ "command": "deactivate_person", "person": "robin" });
    assert_eq!(server.post(&ada, "/api/v1/directory/commands", leaves).0, 200);
    sending.write_all(&bytes[MIB..]).unwrap();
    assert_eq!((status(&mut sending), attached(&server, &mary, n)), (401, 0));
    assert_eq!(server.get(&mary, &format!("/api/v1/incidents/{n}/evidence")).1["evidence"], Value::Array(vec![]));
}
