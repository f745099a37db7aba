//! The state document and its store: what is away comes back, and what is damaged is set aside and named.

use std::fs::File;
use std::path::PathBuf;
use std::process::Command;

use serde_json::json;
use wardroom_core::document::Part;
use wardroom_server::document::judge::first_words;
use wardroom_server::document::wire;

use crate::house::{House, Server, WARDROOM};
use crate::peer::{self, Peer};
use crate::{on_both, wait};

on_both!(
    whoever_loses_the_right_while_the_store_is_away_has_written_nothing,
    a_document_that_is_damaged_is_set_aside_and_named,
    a_document_that_contradicts_itself_is_set_aside_at_once,
    a_document_of_which_nobody_can_tell_who_wrote_it_is_set_aside,
    what_waited_is_kept_when_somebody_else_brings_what_it_follows_on,
    what_there_is_no_room_for_is_said_and_kept_once_there_is,
    a_page_that_keeps_words_of_another_log_is_told_so,
);

/// A server whose log goes to a file.
fn serve(house: &House) -> (Server, PathBuf) {
    let logged = house.folder().join("log");
    let log = File::create(&logged).unwrap();
    (house.start(Command::new(WARDROOM).arg("serve").args(house.place()).stderr(log)), logged)
}

fn says(logged: &PathBuf, words: &str) -> bool {
    std::fs::read_to_string(logged).unwrap().contains(words)
}

fn notes_of(server: &Server, token: &str, n: u64) -> String {
    let mut fresh = Peer::join(server, token, n);
    fresh.until("it has the text", Peer::is_in_step);
    fresh.notes()
}

/// How many documents are damaged, as health says.
fn damaged(server: &Server) -> u64 {
    server.get("", "/readyz").1["documents_damaged"].as_u64().unwrap()
}

fn whoever_loses_the_right_while_the_store_is_away_has_written_nothing(house: House) {
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    let (server, logged) = serve(&house);
    let (_, answer) = server.post(&mary, "/api/v1/incidents", json!({ "title": "A leaked key", "restricted": true }));
    let n = answer["incident"].as_u64().unwrap();
    server.done(&mary, n, json!({ "command": "invite", "person": "robin" }));
    server.done(&robin, n, json!({ "command": "join" }));
    let (mut hers, mut his) = (Peer::join(&server, &mary, n), Peer::join(&server, &robin, n));
    hers.write_at_end("Down.");
    his.until("it comes", |peer| peer.notes() == "Down.");
    house.tamper("ALTER TABLE document_updates RENAME TO away");
    his.write_at_end(" It was Mary.");
    wait::until("it is tried", || says(&logged, "could not be kept yet").then_some(()));
    server.done(&robin, n, json!({ "command": "leave" }));
    server.done(&mary, n, json!({ "command": "uninvite", "person": "robin" }));
    assert_eq!(his.closed().0, 4403);
    house.tamper("ALTER TABLE away RENAME TO document_updates");
    hers.write_at_end(" Up.");
    hers.until("it is saved", Peer::is_saved);
    assert_eq!(notes_of(&server, &mary, n), "Down. Up.");
}

fn a_document_that_is_damaged_is_set_aside_and_named(house: House) {
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    let server = house.serve();
    let (n, other) = (server.declare(&mary, "Search is failing"), server.declare(&mary, "Another"));
    server.done(&robin, n, json!({ "command": "join" }));
    let mut hers = Peer::join(&server, &mary, n);
    hers.write_at_end("Down.");
    hers.until("it is saved", Peer::is_saved);
    let offer = json!({ "command": "offer_role", "role": "command", "to": { "person": "robin" } });
    server.done(&mary, n, offer.clone());
    server.kill();
    let whole = house.ask(&format!("SELECT {} FROM document_updates", hex(&house)));
    house.tamper(&format!("UPDATE document_updates SET body = {}", bytes(&house, "0102")));
    let (server, logged) = serve(&house);
    // It is as it was marked, so that it need not be read to mark it again.
    server.done(&mary, n, json!({ "command": "withdraw_offer", "role": "command" }));
    server.done(&mary, n, offer);
    assert!(!says(&logged, "cannot be marked"), "it was read");
    let (code, reason) = Peer::join(&server, &mary, n).closed();
    assert_eq!(code, 4500, "{reason}");
    assert!(says(&logged, "is damaged, and was set aside"));
    assert_eq!(damaged(&server), 1);
    let mut others = Peer::join(&server, &mary, other);
    others.write_at_end("The others go on.");
    others.until("it is saved", Peer::is_saved);
    house.tamper(&format!("UPDATE document_updates SET body = {} WHERE stream = {n}", bytes(&house, &whole)));
    assert_eq!(notes_of(&server, &mary, n), "Down.", "mended, it is had without a restart");
    assert_eq!(damaged(&server), 0);
}

fn hex(house: &House) -> &'static str {
    if house.is_postgres() { "encode(body, 'hex')" } else { "hex(body)" }
}

fn bytes(house: &House, hex: &str) -> String {
    if house.is_postgres() { format!("'\\x{hex}'") } else { format!("X'{hex}'") }
}

fn a_document_that_contradicts_itself_is_set_aside_at_once(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let mut hers = Peer::join(&server, &mary, n);
    hers.write_at_end("Down.");
    hers.until("it is saved", Peer::is_saved);
    house.tamper("UPDATE documents SET version = 0");
    hers.write_at_end(" Up.");
    assert_eq!(hers.closed().0, 4500);
    assert_eq!(damaged(&server), 1);
}

/// Whoever writes next must not be taken for whoever wrote before.
fn a_document_of_which_nobody_can_tell_who_wrote_it_is_set_aside(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let mut hers = Peer::join(&server, &mary, n);
    hers.write_at_end("Down.");
    hers.until("it is saved", Peer::is_saved);
    server.kill();
    for table in ["document_clients", "document_parts"] {
        let whole = house.ask(&format!("SELECT person FROM {table}"));
        house.tamper(&format!("UPDATE {table} SET person = 'somebody'"));
        let server = house.serve();
        assert_eq!(Peer::join(&server, &mary, n).closed().0, 4500, "{table}");
        house.tamper(&format!("UPDATE {table} SET person = '{whole}'"));
        assert_eq!(notes_of(&server, &mary, n), "Down.");
        server.kill();
    }
    for (table, column) in [("document_clients", "client"), ("document_parts", "version")] {
        house.tamper(&format!("UPDATE {table} SET {column} = -{column}"));
        let server = house.serve();
        assert_eq!(Peer::join(&server, &mary, n).closed().0, 4500, "a negative {column}");
        house.tamper(&format!("UPDATE {table} SET {column} = -{column}"));
        assert_eq!(notes_of(&server, &mary, n), "Down.");
        server.kill();
    }
}

/// A page types before it has said what else it has, and its other window brings that.
fn what_waited_is_kept_when_somebody_else_brings_what_it_follows_on(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let [mut types, mut brings, mut watches] = [(); 3].map(|()| Peer::join(&server, &mary, n));
    watches.until("it is in step", Peer::is_in_step);
    // What it types follows on five units that nobody has yet; it listens to nothing, and so answers nothing.
    types.send(&Peer::goes_on_as(9, "fire"));
    brings.send(&wire::writes(&first_words(9, Part::Notes, "Misty")));
    watches.until("both are there", |peer| peer.notes() == "Mistyfire");
    assert_eq!(notes_of(&server, &mary, n), "Mistyfire");
}

/// Words of before are told from what the backup brought back.
fn a_page_that_keeps_words_of_another_log_is_told_so(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let (_, view) = server.get(&mary, &format!("/api/v1/incidents/{n}"));
    let epoch = view["cursor"].as_str().unwrap().split('.').next().unwrap().to_owned();
    let mut same = Peer::over(peer::connect_at(&server, &mary, &format!("{n}/document?epoch={epoch}")));
    same.until("it is in step", Peer::is_in_step);
    let other = epoch.replace(|digit| digit != '0', "0");
    let mut before = Peer::over(peer::connect_at(&server, &mary, &format!("{n}/document?epoch={other}")));
    assert_eq!(before.closed().0, 4410);
}

fn what_there_is_no_room_for_is_said_and_kept_once_there_is(house: House) {
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    server.done(&robin, n, json!({ "command": "join" }));
    let (mut hers, mut his) = (Peer::join(&server, &mary, n), Peer::join(&server, &robin, n));
    hers.write_at_end(&"x".repeat(200_000));
    hers.until("it is saved", Peer::is_saved);
    his.until("it comes", |peer| peer.notes().len() == 200_000);
    his.write_at_end("y");
    his.until("he is told that there is no room", |peer| peer.full);
    his.write_at_end("z");
    hers.take_out(100_000);
    hers.until("it is saved", Peer::is_saved);
    his.until("what he wrote is asked for, and kept", Peer::is_saved);
    hers.until("it comes", |peer| peer.notes().ends_with("xyz"));
    assert_eq!(notes_of(&server, &mary, n), hers.notes());
}
