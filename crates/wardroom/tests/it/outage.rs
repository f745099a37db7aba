//! Wardroom itself is down for a while: that time counts against nobody, and what it missed is recorded once.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::faster::{between, minutes, time};
use crate::house::{House, Server};
use crate::wait;

/// An incident whose commander is gone for good, and somebody who responds in it.
pub struct Gone {
    n: u64,
    rita: String,
}

/// Has somebody declare who is never seen again, so that the absence is on record when the outage comes.
pub fn a_commander_who_goes(house: &House, server: &Server) -> Gone {
    let [gerald, rita] = ["gerald", "rita"].map(|handle| house.person(handle));
    let n = server.declare_as(&gerald, "Login fails", "sev1");
    server.done(&rita, n, json!({ "command": "join" }));
    Gone { n, rita }
}

fn unseen_since(server: &Server, gone: &Gone) -> Value {
    server.get(&gone.rita, &format!("/api/v1/incidents/{}", gone.n)).1["commander_unseen_since"].clone()
}

/// A sev1 in which two roles are on offer and two clocks run when the lights go out. Also the cursor after that.
fn busy(server: &Server, olivia: &str) -> (u64, String) {
    let n = server.declare_as(olivia, "Search is failing", "sev1");
    for (role, to) in [("command", "oscar"), ("operations", "pia")] {
        server.done(olivia, n, json!({ "command": "offer_role", "role": role, "to": { "person": to } }));
    }
    let [_, last] = [false, true].map(|repeat| {
        let clock = json!({ "command": "set_clock", "label": "Look again", "in_minutes": 5, "repeat": repeat });
        server.done(olivia, n, clock)
    });
    (n, last["cursor"].as_str().unwrap().to_owned())
}

/// kill -9, twenty minutes of nothing, and up again.
pub fn an_outage_counts_against_nobody(house: &House, server: Server, gone: &Gone) {
    let [olivia, oscar, _pia, quinn] = ["olivia", "oscar", "pia", "quinn"].map(|handle| house.person(handle));
    let absent_since = unseen_since(&server, gone);
    assert!(absent_since.is_string(), "the absence is on record by now");
    let quiet = server.declare_as(&quinn, "Mail is late", "sev1");
    let seen = server.time();
    let (n, cursor) = busy(&server, &olivia);
    // Every five seconds nodes keep in the store whom they saw: the one that comes after this one shall know.
    let kept = || (server.time().duration_since(seen) > SignedDuration::from_secs(10)).then_some(());
    wait::until("it is kept when Quinn was seen", kept);
    let down = server.time();
    server.kill();
    let server = house.serve_fast_from(down + minutes(20));
    // The offer would have lapsed ten minutes ago, and can be taken all the same.
    server.done(&oscar, n, json!({ "command": "take_role", "role": "command", "briefed": "by_voice" }));
    let stream = server.follow(&oscar, &format!("?incident={n}&after={cursor}"));
    let ended = stream.next();
    assert_eq!(ended["kind"], "outage_ended", "the outage is recorded before all that it delayed");
    let (from, to) = (&ended["body"]["from"], &ended["body"]["to"]);
    assert!(between(from, to) >= minutes(19), "{ended}");
    assert!(time(to) <= time(&ended["at"]), "{ended}");
    let until = json!((time(&ended["at"]) + minutes(2)).to_string());
    assert_eq!(ended["body"]["offers"], json!({ "command": until, "operations": until }), "two more minutes each");
    missed_clocks_ring_once(&server, &oscar, n);
    let lapsed = stream.next_of("offer_lapsed");
    assert_eq!((&lapsed["body"]["role"], &lapsed["body"]["late"]), (&json!("operations"), &json!(false)));
    assert!(time(&lapsed["at"]) >= time(&until), "{lapsed}");
    // Two minutes after the outage of twenty: Quinn was away for two, and not for twenty-two.
    let kinds = server.kinds(&oscar, quiet);
    assert!(!kinds.iter().any(|kind| kind == "commander_absent"), "{kinds:?}");
    // And who was gone before is gone still, for as long as before: an outage is no sign of life.
    let kinds = server.kinds(&gone.rita, gone.n);
    assert!(!kinds.iter().any(|kind| kind == "commander_returned"), "{kinds:?}");
    let shifted = between(&absent_since, &unseen_since(&server, gone));
    assert!(shifted >= between(from, to) - minutes(1), "the absence is shortened by the outage, not by {shifted:#}");
    assert_eq!(server.next(&gone.rita, gone.n), "assume");
}

/// Both clocks were due during the outage, one of them four times.
fn missed_clocks_ring_once(server: &Server, token: &str, n: u64) {
    let (_, page) = wait::until("both clocks rang", || {
        let page = server.get(token, &format!("/api/v1/incidents/{n}/events"));
        let rang = |entry: &&Value| entry["kind"] == "clock_rang";
        (page.1["entries"].as_array().unwrap().iter().filter(rang).count() >= 2).then_some(page)
    });
    let mut rings: BTreeMap<u64, Vec<&Value>> = BTreeMap::new();
    for entry in page["entries"].as_array().unwrap().iter().filter(|entry| entry["kind"] == "clock_rang") {
        rings.entry(entry["body"]["clock"].as_u64().unwrap()).or_default().push(entry);
    }
    assert_eq!(rings.values().map(Vec::len).collect::<Vec<_>>(), [1, 1], "{rings:?}");
    for entry in rings.into_values().flatten() {
        assert_eq!(entry["body"]["late"], true, "{entry}");
        let next = &entry["body"]["next_due_at"];
        assert!(next.is_null() || time(next) > time(&entry["at"]), "{entry}");
    }
}
