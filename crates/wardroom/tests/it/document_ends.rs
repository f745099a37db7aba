//! Whose part in an incident ends, their socket of its document ends with it, whether they take what is sent or not.

use std::time::Instant;

use serde_json::{Value, json};
use wardroom_server::document::wire::{self, Presence};

use crate::browser::Browser;
use crate::house::{House, Server};
use crate::peer::{self, Peer};
use crate::{on_both, wait};

on_both!(
    whoever_loses_access_is_closed_within_a_second,
    whoever_floods_is_closed_as_soon,
    whoever_takes_too_little_is_told_and_closed,
    a_stop_does_not_wait_for_whoever_takes_nothing,
    a_document_that_is_closed_can_be_read_and_goes_on_when_it_is_opened_again,
    a_guest_whose_part_is_over_is_closed,
    a_page_of_somebody_else_opens_no_socket,
);

/// What is asked for by somebody who takes nothing: more than the kernel holds for them.
const ASKS: usize = 300;

/// Two sockets of somebody: over one they read, and over the other they take nothing.
struct Two {
    reads: Peer,
    deaf: Peer,
}

impl Two {
    fn by(server: &Server, headers: &[(&'static str, &str)], n: u64) -> Self {
        let [reads, deaf] = [(); 2].map(|()| Peer::over(peer::try_connect(server, headers, n).unwrap()));
        Self { reads, deaf }
    }

    fn by_token(server: &Server, token: &str, n: u64) -> Self {
        Self::by(server, &[("authorization", &format!("Bearer {token}"))], n)
    }

    /// Both end soon, by this number.
    fn end(&mut self, what: &str, code: u16, end: impl FnOnce()) {
        let began = Instant::now();
        end();
        self.deaf.cut_off();
        wait::came_soon(what, began);
        let (closed, reason) = self.reads.closed();
        assert_eq!(closed, code, "{what}: {reason}");
        wait::came_soon(what, began);
    }
}

/// A restricted incident, with these people in it.
fn restricted(server: &Server, mary: &str, others: &[&str]) -> u64 {
    let (_, answer) = server.post(mary, "/api/v1/incidents", json!({ "title": "A leaked key", "restricted": true }));
    let n = answer["incident"].as_u64().unwrap();
    others.iter().for_each(|other| drop(server.done(mary, n, json!({ "command": "invite", "person": other }))));
    n
}

/// Somebody says of themselves as much as one may: whoever asks who is there is told 32 KiB.
fn crowd(peer: &mut Peer) {
    let state = json!({ "user": "x".repeat(4_000) }).to_string();
    let presences: Vec<Presence> = (1..=8).map(|client| Presence { client, clock: 1, state: state.clone() }).collect();
    peer.send(&wire::present(presences.iter()));
    peer.write_at_end("Search fails.");
    peer.until("it is saved", Peer::is_saved);
}

fn whoever_loses_access_is_closed_within_a_second(house: House) {
    let (ada, mary) = (house.admin("ada"), house.person("mary"));
    let [robin, sabrina, tom] = ["robin", "sabrina", "tom"].map(|handle| house.person(handle));
    let server = house.serve();
    let mut lisa = Browser::of(&house, &server, "lisa");
    let n = restricted(&server, &mary, &["robin", "sabrina", "tom", "lisa"]);
    let mut hers = Peer::join(&server, &mary, n);
    let [mut revoked, mut deactivated, mut uninvited] =
        [&robin, &sabrina, &tom].map(|token| Two::by_token(&server, token, n));
    let mut signed_out = Two::by(&server, &[("cookie", &lisa.cookie), ("origin", &server.url)], n);
    crowd(&mut hers);
    for two in [&mut revoked, &mut deactivated, &mut uninvited, &mut signed_out] {
        two.reads.until("it is in step", Peer::is_in_step);
        (0..ASKS).for_each(|_| two.deaf.send(&[3]));
    }
    hers.until("it is saved", Peer::is_saved);
    let listed: Value = serde_json::from_str(&house.run(&["token", "list", "--json"])).unwrap();
    let token = listed.as_array().unwrap().iter().find(|token| token["person"] == "Robin").unwrap()["id"].clone();
    revoked.end("the end of a token", 4401, || {
        let (status, answer) =
            server.post(&ada, "/api/v1/directory/commands", json!({ "command": "revoke_token", "token": token }));
        assert_eq!(status, 200, "{answer}");
    });
    signed_out.end("the end of a session", 4401, || assert_eq!(lisa.delete("/api/v1/session").status, 204));
    deactivated.end("the end of an account", 4401, || drop(house.run(&["person", "deactivate", "sabrina"])));
    uninvited.end("the end of an invitation", 4403, || {
        drop(server.done(&mary, n, json!({ "command": "uninvite", "person": "tom" })));
    });
    hers.write_at_end(" The others go on.");
    hers.until("it is saved", Peer::is_saved);
}

/// What is heard without end leaves no time for anything else, unless that is seen to.
fn whoever_floods_is_closed_as_soon(house: House) {
    let [mary, robin, sabrina] = ["mary", "robin", "sabrina"].map(|handle| house.person(handle));
    let server = house.serve();
    for (frame, handle, token) in [(0x9, "robin", robin), (0xA, "sabrina", sabrina)] {
        let n = restricted(&server, &mary, &[handle]);
        let mut floods = Peer::join(&server, &token, n);
        floods.until("it is in step", Peer::is_in_step);
        let flood = floods.flood_with(frame);
        let began = Instant::now();
        drop(server.done(&mary, n, json!({ "command": "uninvite", "person": handle })));
        let code = floods.closed().0;
        // Whoever takes none of the answers to their pings has no room for a reason either.
        assert!(code == 4403 || (frame == 0x9 && code == 1006), "{frame}: {code}");
        wait::came_soon("the end of somebody who floods", began);
        flood.join().unwrap();
    }
}

fn whoever_takes_too_little_is_told_and_closed(house: House) {
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let (mut hers, mut deaf) = (Peer::join(&server, &mary, n), Peer::join(&server, &robin, n));
    crowd(&mut hers);
    let began = Instant::now();
    (0..4 * ASKS).for_each(|_| deaf.send(&[3]));
    deaf.cut_off();
    wait::came_soon("the end of somebody who takes too little", began);
    hers.write_at_end(" The others go on.");
    hers.until("it is saved", Peer::is_saved);
}

fn a_stop_does_not_wait_for_whoever_takes_nothing(house: House) {
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    let mut server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let (mut hers, mut deaf) = (Peer::join(&server, &mary, n), Peer::join(&server, &robin, n));
    crowd(&mut hers);
    (0..ASKS).for_each(|_| deaf.send(&[3]));
    hers.until("it is saved", Peer::is_saved);
    let began = Instant::now();
    server.signal("-TERM");
    assert_eq!(hers.closed().0, 1001);
    assert_eq!(server.ended(), 0);
    wait::came_soon("the end of the server", began);
}

fn a_document_that_is_closed_can_be_read_and_goes_on_when_it_is_opened_again(house: House) {
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    server.done(&robin, n, json!({ "command": "join" }));
    let (mut hers, mut his) = (Peer::join(&server, &mary, n), Peer::join(&server, &robin, n));
    hers.write_at_end("Down.");
    hers.until("it is saved", Peer::is_saved);
    for phase in ["mitigated", "resolved", "closed"] {
        server.done(&mary, n, json!({ "command": "set_phase", "phase": phase }));
    }
    his.until("he is told", |peer| peer.may == Some(false));
    his.write_at_end(" Too late?");
    let mut fresh = Peer::join(&server, &mary, n);
    fresh.until("it has the text", Peer::is_in_step);
    assert_eq!((fresh.notes().as_str(), fresh.may), ("Down.", Some(false)));
    server.done(&mary, n, json!({ "command": "reopen", "reason": "It is back." }));
    his.until("he may again", |peer| peer.may == Some(true));
    his.until("what he wrote meanwhile is asked for, and kept", Peer::is_saved);
    for peer in [&mut hers, &mut fresh] {
        peer.until("it comes", |peer| peer.notes() == "Down. Too late?" && peer.may == Some(true));
    }
}

fn a_guest_whose_part_is_over_is_closed(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let body = json!({ "request_id": uuid::Uuid::now_v7(), "hours": 1 });
    let (_, made) = server.post(&mary, &format!("/api/v1/incidents/{n}/invites"), body);
    let mut marty = Browser::new(&server);
    let came = marty.post("/api/v1/guest", json!({ "secret": made["secret"], "name": "Marty" }));
    assert_eq!(came.status, 201, "{}", came.body);
    let mut two = Two::by(&server, &[("cookie", &marty.cookie), ("origin", &server.url)], n);
    let mut hers = Peer::join(&server, &mary, n);
    two.reads.write_at_end("The pump is dry.");
    two.reads.until("it is saved", Peer::is_saved);
    hers.until("it comes", |peer| peer.notes() == "The pump is dry.");
    crowd(&mut hers);
    (0..ASKS).for_each(|_| two.deaf.send(&[3]));
    hers.until("it is saved", Peer::is_saved);
    let elsewhere = server.declare(&mary, "Another");
    let headers = [("cookie", marty.cookie.as_str()), ("origin", server.url.as_str())];
    assert_eq!(peer::try_connect(&server, &headers, elsewhere).err(), Some(404));
    let person = came.body["person"]["handle"].as_str().unwrap().to_owned();
    two.end("the end of a guest's part", 4401, || {
        drop(server.done(&mary, n, json!({ "command": "send_away", "person": person, "reason": "thank you" })));
    });
}

/// A browser sends its cookie whoever's page asks, and lets any page read what a socket says.
fn a_page_of_somebody_else_opens_no_socket(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let lisa = Browser::of(&house, &server, "lisa");
    let n = server.declare(&mary, "Search is failing");
    let cookie = ("cookie", lisa.cookie.as_str());
    for foreign in ["https://elsewhere.example.net", "null", ""] {
        assert_eq!(peer::try_connect(&server, &[cookie, ("origin", foreign)], n).err(), Some(403), "{foreign}");
    }
    assert_eq!(peer::try_connect(&server, &[cookie], n).err(), Some(403), "a browser always says");
    assert_eq!(peer::try_connect(&server, &[("origin", &server.url)], n).err(), Some(401));
    assert!(peer::try_connect(&server, &[cookie, ("origin", &server.url)], n).is_ok());
    // A token is nothing that a browser sends by itself.
    let bearer = format!("Bearer {mary}");
    let token = [("authorization", bearer.as_str()), ("origin", "https://elsewhere.example.net")];
    assert!(peer::try_connect(&server, &token, n).is_ok());
}
