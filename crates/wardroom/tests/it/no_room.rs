//! Evidence that the disk has no room for, by whichever way it comes: that is said, and nothing of it is half recorded.

use std::process::Command;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::disk::{self, Disk};
use crate::evidence::files;
use crate::fetching::{Graphs, LARGE};
use crate::house::{House, Server, WARDROOM};
use crate::uploads::{attached, content, on_their_way};
use crate::{on_both, wait};

on_both!(what_comes_at_once_is_kept_whole_or_not_at_all, what_is_fetched_is_kept_whole_or_not_at_all);

/// Has something kept on a full disk, and again when there is room: `keeps` sends it, the same each time.
fn without_room(house: &House, server: &Server, mary: &str, keeps: impl Fn() -> (u16, Value)) {
    let n = server.declare(mary, "Search is failing");
    // The place of evidence is made by whoever needs it first.
    let first = format!("/api/v1/incidents/{n}/evidence?name=first&request_id={}", Uuid::now_v7());
    assert_eq!(server.send(mary, &first, b"small").unwrap().0, 200);
    disk::fill_beyond(server, LARGE - 1);
    for _ in 0..2 {
        let (status, problem) = keeps();
        assert_eq!((status, &problem["code"]), (507, &json!("no_room")), "{problem}");
    }
    assert_eq!((attached(server, mary, n), files(house, "").len(), on_their_way(house).len()), (1, 1, 0));
    // The log has room, and goes on.
    server.done(mary, n, json!({ "command": "note", "text": "the disk is full" }));
    assert_eq!(server.get(mary, &format!("/api/v1/incidents/{n}/evidence")).1["evidence"].as_array().unwrap().len(), 1);
    assert_eq!(house.verify()["holds"], true);
    disk::make_room(server);
    // Whoever was told so sends the same again, as one that was lost on its way.
    let (status, kept) = keeps();
    assert_eq!((status, &kept["bytes"]), (200, &json!(LARGE)), "{kept}");
    assert_eq!(keeps(), (200, kept));
    assert_eq!((attached(server, mary, n), house.verify()["holds"].clone()), (2, json!(true)));
    wait::until("nothing else is left", || (files(house, "").len() == 2).then_some(()));
}

fn what_comes_at_once_is_kept_whole_or_not_at_all(house: House) {
    let (mary, disk) = (house.person("mary"), Disk::of(&house));
    let server = disk.serve(&house);
    let (bytes, request) = (content(LARGE), Uuid::now_v7());
    let path = format!("/api/v1/incidents/1/evidence?name=heap.bin&request_id={request}");
    without_room(&house, &server, &mary, || server.send(&mary, &path, &bytes).unwrap());
    // It is told at a terminal, too.
    let file = house.folder().join("other.bin");
    std::fs::write(&file, content(LARGE + 8)).unwrap();
    disk::fill_beyond(&server, LARGE - 1);
    let typed = server.verb(&mary, &["evidence", "add", "1", file.to_str().unwrap()]);
    let said = String::from_utf8(typed.stderr).unwrap();
    assert!(typed.status.code() == Some(1) && said.contains("The disk on which evidence is kept is full."), "{said}");
}

fn what_is_fetched_is_kept_whole_or_not_at_all(house: House) {
    let (mary, disk, graphs) = (house.person("mary"), Disk::of(&house), Graphs::new());
    let mut serve = Command::new(WARDROOM);
    let server = disk.start(&house, serve.arg("serve").args(house.place()).envs(graphs.listed()));
    let asked = json!({ "request_id": Uuid::now_v7(), "url": graphs.at("/large") });
    without_room(&house, &server, &mary, || server.post(&mary, "/api/v1/incidents/1/evidence/fetch", asked.clone()));
}
