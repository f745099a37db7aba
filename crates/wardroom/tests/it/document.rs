//! The state document: whatever peers do to each other and the network to them, all have the same, and what was said to
//! be saved is there.

use std::time::Instant;

use serde_json::json;
use wardroom_core::document::Part;
use wardroom_server::document::judge::{first_words, merged};
use wardroom_server::document::wire;

use crate::house::{House, Server};
use crate::peer::Peer;
use crate::{on_both, wait};

on_both!(
    what_is_said_to_be_saved_survives_kill_9,
    who_may_write_is_asked_for_each_message,
    whoever_takes_command_can_be_shown_what_was_written_then,
    whoever_is_signed_out_is_closed,
    what_is_hostile_is_closed_with_a_reason_and_changes_nothing,
    what_follows_on_something_missing_is_asked_for_once,
    a_stop_keeps_what_came_and_says_goodbye,
);

/// The notes of an incident's document, as somebody who has just come sees them.
fn notes_of(server: &Server, token: &str, n: u64) -> String {
    let mut fresh = Peer::join(server, token, n);
    fresh.until("it has the text", Peer::is_in_step);
    fresh.notes()
}

fn everybody_has(peers: &mut [&mut Peer], notes: &str) {
    for peer in peers {
        peer.until("the others' words come", |peer| peer.notes() == notes);
    }
}

fn what_is_said_to_be_saved_survives_kill_9(house: House) {
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    server.done(&robin, n, json!({ "command": "note", "text": "here" }));
    let (mut hers, mut his) = (Peer::join(&server, &mary, n), Peer::join(&server, &robin, n));
    let mut so_far = String::new();
    for (count, word) in ["Disk ", "full ", "on ", "db3 \u{1f600}"].into_iter().enumerate() {
        let writer = if count % 2 == 0 { &mut hers } else { &mut his };
        writer.write_at_end(word);
        so_far.push_str(word);
        everybody_has(&mut [&mut hers, &mut his], &so_far);
    }
    hers.until("it is saved", Peer::is_saved);
    his.until("it is saved", Peer::is_saved);
    // Both type on while the server dies; what one of them is told of is never lost.
    for key in 0..50 {
        hers.write_at_end(&format!("h{key}."));
        his.write_at_end(&format!("r{key}."));
    }
    hers.until("some of it is saved", |peer| peer.saved > 20);
    server.kill();
    let server = house.serve();
    let stored = notes_of(&server, &mary, n);
    assert!(stored.contains("Disk full on db3 \u{1f600}") && stored.contains("h10."), "{stored}");
    // Back again, both bring what was not saved: every keystroke is there, with everybody.
    hers.rejoin(&server, &mary, n);
    his.rejoin(&server, &robin, n);
    hers.until("everything is saved", Peer::is_saved);
    his.until("everything is saved", Peer::is_saved);
    let all = notes_of(&server, &mary, n);
    for key in 0..50 {
        assert!(all.contains(&format!("h{key}.")) && all.contains(&format!("r{key}.")), "{key}: {all}");
    }
    everybody_has(&mut [&mut hers, &mut his], &all);
    assert_eq!(house.verify()["holds"], true);
}

fn who_may_write_is_asked_for_each_message(house: House) {
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    let reads = house.token("mary", "read");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let (mut hers, mut his) = (Peer::join(&server, &mary, n), Peer::join(&server, &robin, n));
    let mut reading = Peer::join(&server, &reads, n);
    // His answer at the beginning says nothing that is not kept.
    his.until("he is told", |peer| peer.may == Some(false) && peer.saved == 1);
    reading.until("she is told", |peer| peer.may == Some(false));
    his.write_at_end("I think ");
    reading.write_at_end("by a token that reads");
    hers.write_at_end("Down.");
    everybody_has(&mut [&mut hers], "Down.");
    hers.until("it is saved", Peer::is_saved);
    assert_eq!(notes_of(&server, &robin, n), "Down.", "nothing else reached anybody");
    assert_eq!(his.saved, 1, "what he wrote is not saved");
    // He joins: what he wrote before is asked for, and kept.
    server.done(&robin, n, json!({ "command": "note", "text": "here" }));
    his.until("he may write", |peer| peer.may == Some(true));
    his.until("it is saved", Peer::is_saved);
    hers.until("it comes", |peer| peer.notes().contains("I think "));
    // Over, it stays as it is; reopened, it goes on.
    for phase in ["mitigated", "resolved", "closed"] {
        server.done(&mary, n, json!({ "command": "set_phase", "phase": phase }));
    }
    his.until("he is told", |peer| peer.may == Some(false));
    let before = notes_of(&server, &mary, n);
    his.write_at_end(" too late");
    his.until("he is told", |peer| peer.may == Some(false));
    assert_eq!(notes_of(&server, &mary, n), before);
}

fn whoever_takes_command_can_be_shown_what_was_written_then(house: House) {
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    server.done(&robin, n, json!({ "command": "join" }));
    let mut hers = Peer::join(&server, &mary, n);
    let mut writes = |words: &str| {
        hers.write_at_end(words);
        hers.until("it is saved", Peer::is_saved);
    };
    writes("The cache does not help.");
    let to = json!({ "person": "robin" });
    server.done(&mary, n, json!({ "command": "offer_role", "role": "command", "to": to }));
    let notes = |asked: &str| {
        let (_, answer) = server.get(&robin, &format!("/api/v1/incidents/{n}/{asked}"));
        let parts = answer["document"]["parts"].as_array().unwrap().clone();
        parts.iter().find(|part| part["part"] == "notes").unwrap()["text"].clone()
    };
    let changed_since = || {
        let (_, answer) = server.get(&robin, &format!("/api/v1/incidents/{n}/briefing"));
        answer["document"]["parts"].as_array().unwrap().iter().any(|part| part["changed_since"] == true)
    };
    assert_eq!(notes("briefing"), "The cache does not help.");
    assert!(!changed_since());
    writes(" It does.");
    assert_eq!(notes("briefing"), "The cache does not help.", "as it was marked");
    assert!(changed_since());
    server.done(&robin, n, json!({ "command": "take_role", "role": "command", "briefed": "by_voice" }));
    let (_, view) = server.get(&robin, &format!("/api/v1/incidents/{n}"));
    let taken = view["last_entry"].as_u64().unwrap();
    writes(" Nobody knows.");
    server.done(&robin, n, json!({ "command": "set_phase", "phase": "mitigated" }));
    assert_eq!(notes("mark"), "The cache does not help. It does. Nobody knows.");
    assert_eq!(notes(&format!("mark?at={taken}")), "The cache does not help. It does.", "what the new commander saw");
    let seen_by_mary = |asked: &str| {
        let (_, answer) = server.get(&mary, &format!("/api/v1/incidents/{n}/{asked}"));
        let part = answer["document"]["parts"][0].clone();
        (part["new"].as_bool().unwrap(), part["before"].as_str().map(str::to_owned))
    };
    assert_eq!(seen_by_mary("briefing"), (true, Some("The cache does not help.".to_owned())));
    let since = format!("briefing?since={taken}");
    let new = (true, Some("The cache does not help. It does.".to_owned()));
    assert_eq!(seen_by_mary(&since), new, "she saw that");
    server.done(&mary, n, json!({ "command": "note", "text": "On my way." }));
    assert_eq!(seen_by_mary(&since), new, "a note from a terminal is no look at the document");
    assert_eq!(seen_by_mary(&format!("briefing?since={}", taken + 9)), (false, None), "she saw everything");
}

fn whoever_is_signed_out_is_closed(house: House) {
    let mary = house.person("mary");
    let again = house.token("mary", "respond");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let mut peer = Peer::join(&server, &mary, n);
    let mut other = Peer::join(&server, &again, n);
    let ended = Instant::now();
    house.run(&["person", "deactivate", "mary"]);
    assert_eq!([peer.closed().0, other.closed().0], [4401, 4401]);
    wait::came_soon("the end", ended);
}

fn what_is_hostile_is_closed_with_a_reason_and_changes_nothing(house: House) {
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    server.done(&robin, n, json!({ "command": "note", "text": "here" }));
    let mut hers = Peer::join(&server, &mary, n);
    hers.write_at_end("Down.");
    hers.until("it is saved", Peer::is_saved);
    let foreign = Peer::goes_on_as(hers.client, "spoofed");
    let huge = vec![0; 100 << 20];
    let crowd: Vec<Vec<u8>> = (1..=65).map(|client| first_words(client, Part::Notes, "x")).collect();
    let crowd = wire::writes(&merged(&crowd).unwrap());
    for (frame, code) in [
        (&[0, 2, 0xb, 1, 1, 1, 0, 2, 4, 2, 0x6b, 0, 0, 0][..], 4422),
        (&[0, 2, 0xff, 0xff, 0xff, 0xff, 0x0f, 0], 4422),
        (&[0, 2, 6, 0xff, 0xff, 0xff, 0xff, 0x0f, 0], 4422),
        (&[7], 4422),
        (&[], 4422),
        (&huge, 4413),
        (&crowd, 4413),
        (&foreign, 4409),
    ] {
        let mut hostile = Peer::join(&server, &robin, n);
        hostile.send(frame);
        let (closed, reason) = hostile.closed();
        assert_eq!(closed, code, "{:?}: {reason}", &frame[..frame.len().min(20)]);
        assert!(reason.ends_with('.') && reason.len() <= 123, "{reason}");
    }
    assert_eq!(notes_of(&server, &mary, n), "Down.");
    hers.write_at_end(" Still.");
    hers.until("the others were not disturbed", Peer::is_saved);
    let mut many: Vec<Peer> = (0..16).map(|_| Peer::join(&server, &robin, n)).collect();
    many.iter_mut().for_each(|peer| peer.until("it is in step", Peer::is_in_step));
    assert_eq!(Peer::join(&server, &robin, n).closed().0, 4529);
}

fn what_follows_on_something_missing_is_asked_for_once(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let mut peer = Peer::join(&server, &mary, n);
    peer.until("it is in step", Peer::is_in_step);
    let asked = peer.asked;
    let missing = Peer::missing_something();
    peer.send(&missing);
    peer.until("it is asked for", |peer| peer.asked == asked + 1);
    peer.send(&missing);
    assert_eq!(peer.closed().0, 4524);
    assert_eq!(notes_of(&server, &mary, n), "");
}

fn a_stop_keeps_what_came_and_says_goodbye(house: House) {
    let mary = house.person("mary");
    let mut server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let mut peer = Peer::join(&server, &mary, n);
    peer.write_at_end("Down.");
    peer.until("it is saved", Peer::is_saved);
    server.signal("-TERM");
    assert_eq!(peer.closed().0, 1001);
    assert_eq!(server.ended(), 0);
    let server = house.serve();
    assert_eq!(notes_of(&server, &mary, n), "Down.");
}

#[test]
fn two_nodes_have_one_document() {
    let house = House::on_postgres();
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    let (one, two) = (house.serve(), house.serve());
    let n = one.declare(&mary, "Search is failing");
    two.done(&robin, n, json!({ "command": "note", "text": "here" }));
    let (mut hers, mut his) = (Peer::join(&one, &mary, n), Peer::join(&two, &robin, n));
    for key in 0..20 {
        hers.write_at_end(&format!("h{key}."));
        his.write_at_end(&format!("r{key}."));
    }
    hers.until("it is saved", Peer::is_saved);
    his.until("it is saved", Peer::is_saved);
    let length = (0..20).map(|key| format!("h{key}.r{key}.").len()).sum::<usize>();
    for peer in [&mut hers, &mut his] {
        peer.until("both have all of it", |peer| peer.notes().len() == length);
    }
    assert_eq!(hers.notes(), his.notes());
    one.kill();
    assert_eq!(notes_of(&two, &mary, n), his.notes());
}
