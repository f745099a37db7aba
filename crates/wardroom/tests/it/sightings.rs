//! Freelancing, seen after the fact: other systems tell of changes, and the incidents hear of them.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::house::{Answer, House, Server, agent};
use crate::{on_both, wait};

on_both!(
    a_change_from_outside_operations_is_seen_and_sorted,
    an_incident_hears_of_the_hour_before_it_began,
    what_may_have_begun_it_is_not_hidden_by_what_came_later_and_more_is_not_kept,
    github_shows_itself_by_its_signature,
    what_cannot_be_heard_is_told_why_and_nothing_of_it_is_kept,
    what_is_redacted_is_gone_from_the_ledger_too,
    whoever_tells_learns_of_no_incident,
    what_was_told_is_heard_after_a_crash,
    whoever_made_it_is_asked_in,
);

pub const EVENT: &str = "application/cloudevents+json";
const SECRET: &str = "a secret that both sides share";

/// Mary commands, and Sabrina has operations.
struct Scene {
    house: House,
    server: Server,
    mary: String,
    sabrina: String,
    robin: String,
    pipeline: String,
    n: u64,
}

pub fn knowing(house: House) -> (House, [String; 4]) {
    let [mary, sabrina, robin] = ["mary", "sabrina", "robin"].map(|handle| house.person(handle));
    house.run(&["service", "set", "indexing"]);
    house.run(&["service", "set", "search", "--depends-on", "indexing"]);
    let pipeline = house.token("mary", "gate");
    (house, [mary, sabrina, robin, pipeline])
}

pub fn declare(server: &Server, token: &str, restricted: bool) -> u64 {
    let opening = json!({ "title": "Search is failing", "services": ["search"], "restricted": restricted });
    let (status, answer) = server.post(token, "/api/v1/incidents", opening);
    assert_eq!(status, 201, "{answer}");
    answer["incident"].as_u64().unwrap()
}

fn scene(house: House) -> Scene {
    let (house, [mary, sabrina, robin, pipeline]) = knowing(house);
    let server = house.serve();
    let n = declare(&server, &mary, false);
    server.done(&sabrina, n, json!({ "command": "join" }));
    server.done(&mary, n, json!({ "command": "offer_role", "role": "operations", "to": { "person": "sabrina" } }));
    server.done(&sabrina, n, json!({ "command": "take_role", "role": "operations" }));
    Scene { house, server, mary, sabrina, robin, pipeline, n }
}

pub fn event(id: &str, service: &str, who: &str) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "https://ci.example.org/search", "type": "org.example.deployed",
        "data": {
            "service": service, "what": format!("deploy {id}"), "who": who,
            "link": "https://ci.example.org/search/812", "environment": "production",
        },
    })
}

fn minutes_ago(mut event: Value, minutes: i64) -> Value {
    event["time"] = json!((Timestamp::now() - SignedDuration::from_mins(minutes)).to_string());
    event
}

/// Tells the server something, with these fields.
fn send(server: &Server, fields: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut request = agent().post(format!("{}/api/v1/changes", server.url));
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let mut answer = request.send(body).unwrap();
    let text = answer.body_mut().read_to_string().unwrap();
    (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

pub fn with_token(server: &Server, token: &str, sort: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {token}");
    send(server, &[("authorization", &bearer), ("content-type", sort)], body.to_string().as_bytes())
}

/// Tells of something that is heard, and how much of it is news.
pub fn tell(server: &Server, token: &str, body: &Value) -> u64 {
    let (status, answer) = with_token(server, token, EVENT, body);
    assert_eq!((status, &answer["heard"]), (200, &json!(1)), "{answer}");
    answer["news"].as_u64().unwrap()
}

pub fn sightings(server: &Server, token: &str, n: u64) -> Vec<Value> {
    let (status, answer) = server.get(token, &format!("/api/v1/incidents/{n}/sightings"));
    assert_eq!(status, 200, "{answer}");
    answer["sightings"].as_array().unwrap().clone()
}

pub fn heard(server: &Server, token: &str, n: u64, many: usize) -> Vec<Value> {
    wait::until("the incident hears of it", || Some(sightings(server, token, n)).filter(|all| all.len() == many))
}

fn a_change_from_outside_operations_is_seen_and_sorted(house: House) {
    let Scene { house: _house, server, mary, sabrina, pipeline, n, .. } = scene(house);
    assert_eq!(tell(&server, &pipeline, &event("v12", "Acme/Search", "Robin")), 1);
    let seen = heard(&server, &mary, n, 1).remove(0);
    assert_eq!((&seen["unsorted"], &seen["service"], &seen["stage"]), (&json!(true), &json!("search"), &json!("done")));
    assert_eq!((&seen["person"]["name"], &seen["environment"]), (&json!("Robin"), &json!("production")), "{seen}");
    assert_eq!(tell(&server, &pipeline, &event("v12", "search", "robin")), 0, "a repeat is no news");
    let (_, view) = server.get(&sabrina, &format!("/api/v1/incidents/{n}"));
    assert_eq!((&view["next"]["do"], &view["next"]["sighting"]), (&json!("sort_sighting"), &json!(1)), "{view}");
    assert_eq!(view["sightings"][0]["may"], json!(["take_in", "dismiss", "ask_in"]));
    let next = server.say(&sabrina, &["next"]);
    assert!(next.contains("wardroom sighting 1 take-in 1, or dismiss 1"), "{next}");
    let shown = server.say(&mary, &["show", "1"]);
    assert!(
        shown.contains("SEEN FROM OUTSIDE") && shown.contains("search: deploy v12 by Robin in production"),
        "{shown}"
    );
    let told = server.say(&sabrina, &["sighting", "1", "take-in", "1"]);
    assert!(told.contains("took what was seen as 1 into the ledger, as change 1"), "{told}");
    let ledger = server.say(&mary, &["changes", "1"]);
    assert!(ledger.contains("search: deploy v12") && ledger.contains("made by Robin, taken in by Sabrina"), "{ledger}");
    let all = server.say(&mary, &["sightings", "1"]);
    assert!(all.contains("change 1 of the ledger") && all.contains("https://ci.example.org/search/812"), "{all}");
    // What operations do is seen, and nobody is asked to sort it.
    tell(&server, &pipeline, &event("v13", "indexing", "sabrina"));
    assert_eq!(heard(&server, &mary, n, 2)[1]["unsorted"], json!(false));
    // One by nobody who is known is, and is dismissed.
    tell(&server, &pipeline, &event("v14", "search", "a robot"));
    let robot = heard(&server, &mary, n, 3).remove(2);
    assert_eq!((&robot["unsorted"], &robot["who"], &robot["person"]), (&json!(true), &json!("a robot"), &Value::Null));
    let shown = server.say(&mary, &["show", "1"]);
    assert!(shown.contains("by “a robot” (nobody here is called that), with a token of Mary in production"), "{shown}");
    let told = server.say(&sabrina, &["sighting", "1", "dismiss", "3", "--reason", "another region"]);
    assert!(told.contains("has nothing to do with this: another region"), "{told}");
    // So are several at once.
    for id in ["v15", "v16", "v17"] {
        tell(&server, &pipeline, &event(id, "search", "a robot"));
    }
    heard(&server, &mary, n, 6);
    let shown = server.say(&mary, &["show", "1"]);
    assert!(shown.contains("several at once: wardroom sighting 1 dismiss 5 6"), "{shown}");
    let told = server.say(&sabrina, &["sighting", "1", "dismiss", "4", "5", "6"]);
    assert!(told.contains("Sabrina says that what was seen as 4, 5 and 6 has nothing to do with this"), "{told}");
}

fn an_incident_hears_of_the_hour_before_it_began(house: House) {
    let (house, [mary, _, _, pipeline]) = knowing(house);
    let server = house.serve();
    for (id, minutes) in [("v9", 200), ("v10", 50), ("v11", 20), ("v12", 10)] {
        assert_eq!(tell(&server, &pipeline, &minutes_ago(event(id, "search", "robin"), minutes)), 1);
    }
    tell(&server, &pipeline, &minutes_ago(event("v1", "mail", "robin"), 5));
    let n = declare(&server, &mary, false);
    let seen = heard(&server, &mary, n, 3);
    assert!(seen.iter().all(|one| one["before_impact"] == true && one["unsorted"] == false), "{seen:?}");
    // The last of them may be passed on before it looks back.
    let what: BTreeSet<&str> = seen.iter().filter_map(|one| one["what"].as_str()).collect();
    assert_eq!(what, BTreeSet::from(["deploy v10", "deploy v11", "deploy v12"]));
    let shown = server.say(&mary, &["show", "1"]);
    assert!(shown.contains("3 changes in the hour before impact began: wardroom sightings 1"), "{shown}");
    // It turns out to have begun earlier: what was made before that may have broken it.
    let began = (Timestamp::now() - SignedDuration::from_mins(180)).to_string();
    server.done(&mary, n, json!({ "command": "set_began", "began": began }));
    let seen = heard(&server, &mary, n, 4);
    assert_eq!((&seen[3]["what"], &seen[3]["before_impact"]), (&json!("deploy v9"), &json!(true)));
    // So it is with services that turn out to be affected.
    server.done(&mary, n, json!({ "command": "set_services", "services": ["search", "mail"] }));
    assert_eq!(heard(&server, &mary, n, 5)[4]["service"], json!("mail"));
}

fn what_may_have_begun_it_is_not_hidden_by_what_came_later_and_more_is_not_kept(house: House) {
    let (house, [mary, _, _, pipeline]) = knowing(house);
    let server = house.serve();
    tell(&server, &pipeline, &minutes_ago(event("v11", "search", "robin"), 20));
    let n = declare(&server, &mary, false);
    heard(&server, &mary, n, 1);
    // Mary has operations too: nobody is asked to sort it.
    // No one teller fills it alone.
    let another = house.token("mary", "gate");
    for (hundred, teller) in (0..6).zip([&pipeline, &another].into_iter().cycle()) {
        let all: Vec<Value> = (0..100).map(|nth| event(&format!("h{hundred}n{nth}"), "search", "mary")).collect();
        let (status, answer) = with_token(&server, teller, "application/cloudevents-batch+json", &Value::from(all));
        assert_eq!((status, &answer["heard"]), (200, &json!(100)), "{answer}");
    }
    let view = || server.get(&mary, &format!("/api/v1/incidents/{n}")).1;
    let full = wait::until("it is full", || Some(view()).filter(|view| view["sightings_full"] == true));
    let shown = full["sightings"].as_array().unwrap();
    assert_eq!((shown.len(), &shown[0]["what"], &full["sightings_seen"]), (21, &json!("deploy v11"), &json!(500)));
    let more = "500 changes were heard of; more are not kept here";
    assert!(server.say(&mary, &["sightings", "1"]).ends_with(&format!("{more}.\n")));
    assert!(server.say(&mary, &["show", "1"]).contains(more));
    assert_eq!(server.say(&mary, &["timeline", "1"]).matches(more).count(), 1);
    let cut = full["sightings_cut"].as_array().unwrap();
    assert_eq!((cut.len(), &cut[0]["heard"], &cut[0]["told_by"]["name"]), (1, &json!(250), &json!("Mary")), "{cut:?}");
    assert_eq!(server.get(&mary, &format!("/api/v1/incidents/{n}/sightings")).1["cut"], full["sightings_cut"]);
    let source = cut[0]["source"].as_str().unwrap();
    let share =
        format!("250 changes told by {source} were heard of; more of these are kept only to be sorted, up to 375");
    for verb in ["show", "sightings"] {
        assert!(server.say(&mary, &[verb, "1"]).contains(&share), "{verb}");
    }
    let told = server.say(&mary, &["timeline", "1"]);
    assert_eq!(told.matches("250 changes that it told of were heard of").count(), 2, "once for each token: {told}");
}

pub fn signed(body: &str, secret: &str) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
    let tag = ring::hmac::sign(&key, body.as_bytes());
    tag.as_ref().iter().fold("sha256=".to_owned(), |digits, byte| format!("{digits}{byte:02x}"))
}

/// As GitHub sends it: signed, or not.
pub fn webhook(server: &Server, sort: &str, body: &str, signature: Option<&str>) -> Answer {
    let mut fields = vec![("content-type", "application/json"), ("x-github-event", sort)];
    fields.extend(signature.map(|signature| ("x-hub-signature-256", signature)));
    send(server, &fields, body.as_bytes())
}

pub fn deployment(state: &str) -> String {
    json!({
        "action": "created",
        "deployment": {
            "id": 145_988_746, "ref": "main", "sha": "f95f852bd8fca8fcc58a9a2d6c842781e32a215e", "task": "deploy",
            "environment": "production", "payload": {}, "creator": { "login": "Robin" },
        },
        "deployment_status": { "state": state, "environment": "production" },
        "repository": { "full_name": "Acme/Search", "html_url": "https://github.com/Acme/Search" },
    })
    .to_string()
}

fn github_shows_itself_by_its_signature(house: House) {
    let (house, [mary, _, _, _]) = knowing(house);
    let ada = house.admin("ada");
    let both = format!("the-one-until-now {}", SECRET.replace(' ', "-"));
    let secret = SECRET.replace(' ', "-");
    let server = house.serve_in(&[("WARDROOM_GITHUB_SECRET", both.as_str())]);
    let n = declare(&server, &mary, false);
    let begun = deployment("in_progress");
    for (what, signature) in [
        ("unsigned", None),
        ("by somebody else", Some(signed(&begun, "another secret entirely"))),
        ("of something else", Some(signed("{}", &secret))),
        ("no signature", Some("sha256=00".to_owned())),
    ] {
        let (status, answer) = webhook(&server, "deployment_status", &begun, signature.as_deref());
        assert_eq!((status, &answer["code"]), (401, &json!("bad_signature")), "{what}: {answer}");
    }
    let send = |body: &str, secret: &str| webhook(&server, "deployment_status", body, Some(&signed(body, secret)));
    let news = |answer: Answer| (answer.0, answer.1["news"].as_u64());
    assert_eq!(news(send(&deployment("queued"), &secret)), (200, Some(0)), "it has changed nothing yet");
    assert_eq!(news(send(&begun, &secret)), (200, Some(1)));
    let seen = heard(&server, &mary, n, 1).remove(0);
    assert_eq!((&seen["stage"], &seen["person"]["name"]), (&json!("begun"), &json!("Robin")), "{seen}");
    assert_eq!((&seen["told_by"], &seen["told_by_github"]), (&Value::Null, &json!(true)), "{seen}");
    assert!(server.say(&mary, &["sightings", "1"]).contains(", told by GitHub"));
    assert_eq!(news(send(&begun, "the-one-until-now")), (200, Some(0)), "replayed, it is known");
    assert_eq!(news(send(&deployment("success"), "the-one-until-now")), (200, Some(1)));
    wait::until("it is done", || (sightings(&server, &mary, n)[0]["stage"] == "done").then_some(()));
    assert_eq!(news(send(&begun, &secret)), (200, Some(0)), "nor does it go back");
    let ping = webhook(&server, "ping", "{}", Some(&signed("{}", &secret)));
    assert_eq!((ping.0, &ping.1["ignored"]), (200, &json!(1)));
    // Nobody is shown the secret.
    let (_, settings) = server.get(&ada, "/api/v1/settings");
    assert!(settings.to_string().contains("github_secret") && !settings.to_string().contains(&secret), "{settings}");
    server.kill();
    let server = house.serve();
    let (status, answer) = webhook(&server, "deployment_status", &begun, Some(&signed(&begun, "")));
    assert_eq!((status, &answer["code"]), (401, &json!("bad_signature")), "without a secret nobody is heard");
}

fn what_cannot_be_heard_is_told_why_and_nothing_of_it_is_kept(house: House) {
    let Scene { house, server, mary, pipeline, n, .. } = scene(house);
    let good = event("v12", "search", "robin");
    let told = |token: &str, sort: &str, body: &Value| {
        let (status, answer) = with_token(&server, token, sort, body);
        (status, answer["code"].as_str().unwrap_or_default().to_owned())
    };
    let no = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(told("wr_nobody", EVENT, &good), no(401, "not_signed_in"));
    assert_eq!(told(&house.token("mary", "read"), EVENT, &good), no(403, "token_scope"));
    assert_eq!(told(&pipeline, "text/csv", &good), no(415, "unknown_sort"));
    assert_eq!(told(&pipeline, EVENT, &json!("v12")), no(400, "malformed"));
    let mut misspelt = good.clone();
    misspelt["data"]["servce"] = json!("search");
    assert_eq!(told(&pipeline, EVENT, &misspelt), no(422, "invalid"));
    let batch = json!([good, misspelt]);
    assert_eq!(told(&pipeline, "application/cloudevents-batch+json", &batch), no(422, "invalid"));
    let many = Value::from(vec![good.clone(); 101]);
    assert_eq!(told(&pipeline, "application/cloudevents-batch+json", &many), no(413, "too_large"));
    let mut large = good.clone();
    large["data"]["what"] = json!("x".repeat(1 << 20));
    assert_eq!(told(&pipeline, EVENT, &large), no(413, "too_large"));
    assert_eq!(house.ask("SELECT count(*) FROM sightings"), "0");
    // A service that nobody knows is said so, and kept: an incident may come to be on it.
    let (status, answer) = with_token(&server, &pipeline, EVENT, &event("v12", "serach", "robin"));
    assert_eq!((status, &answer["unknown_services"]), (200, &json!(["serach"])), "{answer}");
    server.done(&mary, n, json!({ "command": "set_services", "services": ["search", "serach"] }));
    assert_eq!(heard(&server, &mary, n, 1)[0]["service"], json!("serach"));
    // Its words are taken out where they stand beside the log, too.
    let entry = sightings(&server, &mary, n)[0]["entry"].clone();
    server.done(&mary, n, json!({ "command": "redact", "entry": entry }));
    assert_eq!(sightings(&server, &mary, n)[0]["what"], Value::Null);
    assert_eq!(house.ask("SELECT count(*) FROM sightings WHERE body <> ''"), "0");
}

/// The words of what was taken in stand where it was seen, and nowhere else.
fn what_is_redacted_is_gone_from_the_ledger_too(house: House) {
    let Scene { house, server, mary, sabrina, pipeline, n, .. } = scene(house);
    tell(&server, &pipeline, &event("hunter2", "search", "robin"));
    let entry = heard(&server, &mary, n, 1)[0]["entry"].clone();
    server.done(&sabrina, n, json!({ "command": "take_in_sighting", "sighting": 1 }));
    // In other words of operations, it keeps what it does not say anew.
    server.done(&sabrina, n, json!({ "command": "announce_change", "service": "search", "what": "restart it" }));
    let ledger = |server: &Server| server.get(&mary, &format!("/api/v1/incidents/{n}/changes")).1["changes"].clone();
    let said = ledger(&server)[1]["what_entry"].clone();
    let correct = json!({ "command": "correct_change", "change": 2, "service": "indexing", "replaces": said });
    server.done(&sabrina, n, correct);
    assert_eq!(ledger(&server)[0]["what"], json!("deploy hunter2"));
    server.kill();
    let server = house.serve();
    assert_eq!(
        (&ledger(&server)[0]["what"], &ledger(&server)[1]["what"]),
        (&json!("deploy hunter2"), &json!("restart it"))
    );
    let recorded = ledger(&server)[0]["what_entry"].clone();
    let (status, refused) = server.command(&mary, n, json!({ "command": "redact", "entry": recorded }));
    assert_eq!((status, &refused["code"]), (422, &json!("invalid")), "{refused}");
    server.done(&mary, n, json!({ "command": "redact", "entry": entry }));
    assert_eq!(ledger(&server)[0]["what"], Value::Null);
    let (_, events) = server.get(&mary, &format!("/api/v1/incidents/{n}/events"));
    assert!(!events.to_string().contains("hunter2"), "{events}");
    server.kill();
    assert!(house.run(&["verify"]).contains("The record holds"));
}

fn whoever_tells_learns_of_no_incident(house: House) {
    let (house, [mary, _, robin, pipeline]) = knowing(house);
    let server = house.serve();
    let tells = |id: &str, service: &str| with_token(&server, &pipeline, EVENT, &event(id, service, "robin")).1;
    let before = tells("v12", "secret-thing");
    let opening = json!({ "title": "A leaked key", "services": ["secret-thing", "search"], "restricted": true });
    let n = server.post(&mary, "/api/v1/incidents", opening).1["incident"].as_u64().unwrap();
    assert_eq!(heard(&server, &mary, n, 1)[0]["service"], json!("secret-thing"));
    assert_eq!(tells("v13", "secret-thing"), before);
    heard(&server, &mary, n, 2);
    assert_eq!(server.get(&robin, &format!("/api/v1/incidents/{n}/sightings")).0, 404);
    // Whoever it was may not know of it, and so is not asked in.
    let (status, refused) = server.command(&mary, n, json!({ "command": "ask_in", "sighting": 2 }));
    assert_eq!((status, &refused["remedy"]["do"]), (403, &json!("invite")), "{refused}");
}

fn what_was_told_is_heard_after_a_crash(house: House) {
    let Scene { house, server, mary, pipeline, n, .. } = scene(house);
    // As if it had ended between keeping it and passing it on.
    tell(&server, &pipeline, &event("v12", "search", "robin"));
    heard(&server, &mary, n, 1);
    server.kill();
    let at = Timestamp::now().as_microsecond();
    let body = r#"{"what":"deploy v13","who":null,"person":null,"source":"ci","link":null,"environment":null}"#;
    let key = "00000000-0000-0000-0000-0000000000aa";
    house.tamper(&format!("INSERT INTO sightings (key, service, stage, at, received, body) VALUES ('{key}', 'search', 3, {at}, {at}, '{body}')"));
    let server = house.serve();
    assert_eq!(heard(&server, &mary, n, 2)[1]["what"], json!("deploy v13"));
    assert_eq!(tell(&server, &pipeline, &event("v12", "search", "robin")), 0);
}

fn whoever_made_it_is_asked_in(house: House) {
    let Scene { house: _house, server, mary, robin, n, .. } = scene(house);
    // With a token of their own, people speak for themselves, whomever they name: Sabrina has operations, and Robin does not.
    tell(&server, &robin, &event("v12", "search", "sabrina"));
    let named = heard(&server, &mary, n, 1).remove(0);
    assert_eq!((&named["person"]["name"], &named["told_by"]["name"]), (&json!("Robin"), &json!("Robin")), "{named}");
    assert_eq!((&named["who"], &named["unsorted"]), (&json!("sabrina"), &json!(true)));
    let all = server.say(&mary, &["sightings", "1"]);
    assert!(all.contains("search: deploy v12 by Robin, who names “sabrina” in production"), "{all}");
    let mut own = event("v13", "search", "robin");
    own["data"].as_object_mut().unwrap().remove("who");
    tell(&server, &robin, &own);
    assert_eq!(heard(&server, &mary, n, 2)[1]["person"]["name"], json!("Robin"));
    let told = server.say(&mary, &["sighting", "1", "ask-in", "2"]);
    assert!(told.contains("Mary asks Robin in about what was seen as 2"), "{told}");
    let next = server.say(&robin, &["next"]);
    assert!(next.contains("#1: mary asks you to come in, about a change of search by you that was seen"), "{next}");
    server.done(&robin, n, json!({ "command": "join" }));
    let (status, refused) = server.command(&mary, n, json!({ "command": "ask_in", "sighting": 2 }));
    assert_eq!((status, &refused["code"]), (409, &json!("already_so")), "{refused}");
}
