//! People are reached by the ways that they chose: told at least once, whatever fails, and told when it is done.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::house::{House, Server};
use crate::outside::Outside;
use crate::push_service::PushService;
use crate::{on_both, push, wait};

on_both!(
    an_offer_goes_out_as_mail_and_its_end_follows,
    a_pager_is_triggered_acknowledged_and_resolved,
    what_was_committed_before_a_kill_is_told_after_it,
    a_relay_that_refuses_is_tried_again_and_said_so,
    quiet_hours_hold_back_all_but_command,
    whoever_chose_nothing_or_cannot_be_reached_is_told_so,
    of_a_choice_that_is_refused_nothing_is_kept,
    keys_come_in_and_never_go_out,
    a_drill_reaches_nobody_who_did_not_join,
    push_services_that_do_not_answer_keep_no_pager_waiting,
);

const KEY: &str = "0123456789abcdef0123456789abcdef";

/// Mary, who declares, and Sabrina, who can be reached by mail.
struct Cast {
    mary: String,
    sabrina: String,
}

impl Cast {
    fn of(house: &House) -> Self {
        let mary = house.person("mary");
        house.run(&["person", "add", "sabrina", "--name", "Sabrina", "--email", "sabrina@example.org"]);
        Self { mary, sabrina: house.token("sabrina", "respond") }
    }
}

fn choose(server: &Server, token: &str, choice: Value) {
    let (status, answer) = server.post(token, "/api/v1/me/reach", choice);
    assert_eq!(status, 204, "{answer}");
}

fn by_mail(server: &Server, token: &str) {
    choose(server, token, json!({ "channels": ["mail"], "quiet": null }));
}

fn by_pager(server: &Server, token: &str, outside: &Outside) {
    let pager = json!({ "url": outside.pager_url(), "key": KEY });
    choose(server, token, json!({ "channels": ["pager"], "quiet": null, "pager": pager }));
}

fn offer(server: &Server, cast: &Cast, n: u64, role: &str) {
    let to = json!({ "person": "sabrina" });
    server.done(&cast.mary, n, json!({ "command": "offer_role", "role": role, "to": to }));
}

fn take(server: &Server, cast: &Cast, n: u64, role: &str) {
    let take = json!({ "command": "take_role", "role": role, "briefed": "by_voice" });
    server.done(&cast.sabrina, n, take);
}

/// What Mary is shown of telling Sabrina of the offer of a role.
fn told(server: &Server, cast: &Cast, n: u64, role: &str) -> Value {
    let (_, state) = server.get(&cast.mary, &format!("/api/v1/incidents/{n}"));
    let roles = state["roles"].as_array().cloned().unwrap_or_default();
    let of = roles.into_iter().find(|one| one["role"] == role).unwrap();
    of["offer"]["told"][0].clone()
}

/// Waits until a way is so far.
fn is_so_far(server: &Server, cast: &Cast, n: u64, role: &str, state: &str) -> Value {
    wait::until(state, || {
        let told = told(server, cast, n, role);
        (told["ways"][0]["state"] == state).then_some(told)
    })
}

fn an_offer_goes_out_as_mail_and_its_end_follows(house: House) {
    let (cast, outside) = (Cast::of(&house), Outside::start(house.folder()));
    let server = house.serve_in(&outside.settings());
    by_mail(&server, &cast.sabrina);
    let n = server.declare(&cast.mary, "Search <b>is</b> failing");
    offer(&server, &cast, n, "command");
    let letter = outside.letters_come(1).remove(0);
    assert_eq!((&letter["to"][0], &letter["from"]), (&json!("sabrina@example.org"), &json!("wardroom@example.org")));
    let line = "Mary offers you command in incident #1 “Search <b>is</b> failing” (sev2)";
    assert_eq!(letter["heads"]["subject"], line);
    assert_eq!(letter["heads"]["auto-submitted"], "auto-generated");
    let (text, html) = (letter["text"].as_str().unwrap(), letter["html"].as_str().unwrap());
    assert!(
        text.contains("Take it or decline it by") && text.contains("https://wardroom.example.org/incidents/1"),
        "{text}"
    );
    assert!(html.contains("href=\"https://wardroom.example.org/incidents/1\"") && !html.contains("<b>is"), "{html}");
    let seen = is_so_far(&server, &cast, n, "command", "accepted");
    assert_eq!((&seen["person"]["handle"], &seen["seen_at"]), (&json!("sabrina"), &Value::Null));
    server.get(&cast.sabrina, &format!("/api/v1/incidents/{n}"));
    assert_eq!(server.post(&cast.sabrina, "/api/v1/presence", json!({})).0, 204);
    assert!(told(&server, &cast, n, "command")["seen_at"].is_string());
    take(&server, &cast, n, "command");
    let letters = outside.letters_come(2);
    assert_eq!(letters[1]["heads"]["in-reply-to"], letter["heads"]["message-id"]);
    assert!(letters[1]["text"].as_str().unwrap().contains("Sabrina has command"), "{}", letters[1]);
    // Once each: what follows is told after all that came before.
    offer_back_and_forth(&server, &cast, n);
    assert_eq!(outside.letters_come(3).len(), 3, "{:#?}", outside.letters());
}

/// Another offer to Sabrina, of another role.
fn offer_back_and_forth(server: &Server, cast: &Cast, n: u64) {
    let to = json!({ "person": "mary" });
    server.done(&cast.sabrina, n, json!({ "command": "offer_role", "role": "operations", "to": to }));
    server.done(&cast.mary, n, json!({ "command": "take_role", "role": "operations" }));
    server.done(&cast.mary, n, json!({ "command": "open_role", "role": "operations/database" }));
    offer(server, cast, n, "operations/database");
}

/// The keys of an object, and of those in it, in order.
fn shape(event: &Value) -> Vec<String> {
    let keys = |value: &Value| value.as_object().map(|all| all.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    let mut all = keys(event);
    all.extend(keys(&event["payload"]).into_iter().map(|key| format!("payload.{key}")));
    all
}

fn a_pager_is_triggered_acknowledged_and_resolved(house: House) {
    let (cast, outside) = (Cast::of(&house), Outside::start(house.folder()));
    let server = house.serve_in(&outside.settings());
    by_pager(&server, &cast.sabrina, &outside);
    let n = server.declare_as(&cast.mary, "Search is failing", "sev1");
    offer(&server, &cast, n, "command");
    let events = outside.pages_come(1);
    let event = &events[0]["event"];
    assert_eq!((&event["event_action"], &event["routing_key"]), (&json!("trigger"), &json!(KEY)));
    assert_eq!(event["payload"]["severity"], "critical");
    assert_eq!(event["links"][0]["href"], "https://wardroom.example.org/incidents/1");
    is_so_far(&server, &cast, n, "command", "accepted");
    server.get(&cast.sabrina, &format!("/api/v1/incidents/{n}/briefing"));
    server.post(&cast.sabrina, "/api/v1/presence", json!({}));
    let acknowledged = outside.pages_come(2)[1]["event"].clone();
    take(&server, &cast, n, "command");
    let resolved = outside.pages_come(3)[2]["event"].clone();
    assert_eq!([&acknowledged["event_action"], &resolved["event_action"]], ["acknowledge", "resolve"]);
    assert!([&acknowledged, &resolved].iter().all(|later| later["dedup_key"] == event["dedup_key"]));
    // PagerDuty's own client says the same, and no more.
    outside.as_pagerduty_does(KEY);
    let theirs = &outside.pages_come(6)[3..];
    assert_eq!(theirs[0]["path"], events[0]["path"]);
    for (ours, theirs) in [(event, &theirs[0]), (&acknowledged, &theirs[1]), (&resolved, &theirs[2])] {
        let theirs = &theirs["event"];
        assert_eq!(ours["event_action"], theirs["event_action"]);
        let ours_only = ["dedup_key", "client", "client_url"]; // A client of theirs leaves these to whoever uses it.
        let missing: Vec<_> = shape(theirs).into_iter().filter(|key| !shape(ours).contains(key)).collect();
        let more: Vec<_> = shape(ours)
            .into_iter()
            .filter(|key| !shape(theirs).contains(key) && !ours_only.contains(&key.as_str()))
            .collect();
        assert!(missing.is_empty() && more.is_empty(), "{missing:?} {more:?}: {theirs}");
    }
}

fn what_was_committed_before_a_kill_is_told_after_it(house: House) {
    let (cast, outside) = (Cast::of(&house), Outside::start(house.folder()));
    outside.refuse(true);
    let server = house.serve_in(&outside.settings());
    by_mail(&server, &cast.sabrina);
    let n = server.declare(&cast.mary, "Search is failing");
    offer(&server, &cast, n, "command");
    server.kill();
    outside.refuse(false);
    let server = house.serve_in(&outside.settings());
    let letter = outside.letters_come(1).remove(0);
    assert!(letter["heads"]["subject"].as_str().unwrap().contains("offers you command"), "{letter}");
    is_so_far(&server, &cast, n, "command", "accepted");
    server.kill();
    // It is over while nobody serves: whoever starts next tells that.
    let server = house.serve_in(&outside.settings());
    take(&server, &cast, n, "command");
    server.kill();
    let _server = house.serve_in(&outside.settings());
    let letters = outside.letters_come(2);
    assert_eq!(letters.last().unwrap()["heads"]["in-reply-to"], letter["heads"]["message-id"]);
}

fn a_relay_that_refuses_is_tried_again_and_said_so(house: House) {
    let (cast, outside) = (Cast::of(&house), Outside::start(house.folder()));
    outside.refuse(true);
    let server = house.serve_in(&outside.settings());
    by_mail(&server, &cast.sabrina);
    let n = server.declare(&cast.mary, "Search is failing");
    offer(&server, &cast, n, "command");
    let refused = is_so_far(&server, &cast, n, "command", "refused");
    assert_eq!(refused["ways"][0]["why"], "the mail relay answered 451");
    let shown = server.say(&cast.mary, &["show", "1"]);
    assert!(shown.contains("mail: the mail relay answered 451"), "{shown}");
    outside.refuse(false);
    let accepted = is_so_far(&server, &cast, n, "command", "accepted");
    assert!(accepted["ways"][0]["attempts"].as_u64().unwrap() > 1, "{accepted}");
    assert_eq!(outside.letters().len(), 1);
    let shown = server.say(&cast.mary, &["show", "1"]);
    assert!(shown.contains("mail: accepted by the relay") && shown.contains("not seen yet"), "{shown}");
}

fn quiet_hours_hold_back_all_but_command(house: House) {
    let (cast, outside) = (Cast::of(&house), Outside::start(house.folder()));
    let server = house.serve_in(&outside.settings());
    // From an hour ago until in three hours: by the clock of UTC, whatever time it is.
    let at = |hours| (Timestamp::now() + SignedDuration::from_hours(hours)).strftime("%H:%M").to_string();
    let quiet = json!({ "from": at(-1), "to": at(3), "zone": "Etc/UTC" });
    choose(&server, &cast.sabrina, json!({ "channels": ["mail"], "quiet": quiet }));
    let n = server.declare(&cast.mary, "Search is failing");
    offer(&server, &cast, n, "operations");
    is_so_far(&server, &cast, n, "operations", "quiet");
    offer(&server, &cast, n, "command");
    let letters = outside.letters_come(1);
    assert!(letters[0]["heads"]["subject"].as_str().unwrap().contains("command"), "{letters:?}");
    assert_eq!(told(&server, &cast, n, "operations")["ways"][0]["state"], "quiet");
    assert_eq!(letters.len(), 1);
}

fn whoever_chose_nothing_or_cannot_be_reached_is_told_so(house: House) {
    let (cast, outside) = (Cast::of(&house), Outside::start(house.folder()));
    let server = house.serve();
    let n = server.declare(&cast.mary, "Search is failing");
    offer(&server, &cast, n, "operations");
    let told = wait::until("it is known whom it is for", || {
        Some(told(&server, &cast, n, "operations")).filter(|t| !t.is_null())
    });
    assert_eq!((&told["ways"], &told["seen_at"]), (&json!([]), &Value::Null));
    let shown = server.say(&cast.mary, &["show", "1"]);
    assert!(shown.contains("Sabrina cannot be reached outside the page"), "{shown}");
    let wrong = |choice: Value, sentence: &str| {
        let (status, answer) = server.post(&cast.sabrina, "/api/v1/me/reach", choice);
        assert_eq!(status, 422, "{answer}");
        assert!(answer["detail"].as_str().unwrap().contains(sentence), "{answer}");
    };
    wrong(json!({ "channels": ["mail"], "quiet": null }), "no mail relay");
    wrong(json!({ "channels": ["pager"], "quiet": null }), "Say where your pager is");
    let inside = json!({ "url": outside.pager_url(), "key": KEY });
    wrong(json!({ "channels": ["pager"], "quiet": null, "pager": inside }), "https://");
    let nowhere = json!({ "from": "22:00", "to": "07:00", "zone": "Nowhere/Atall" });
    wrong(json!({ "channels": [], "quiet": nowhere }), "no time zone");
    // Somebody without an address, on a server that could.
    server.kill();
    let server = house.serve_in(&outside.settings());
    let (status, answer) = server.post(&cast.mary, "/api/v1/me/reach", json!({ "channels": ["mail"], "quiet": null }));
    assert_eq!(status, 422);
    assert!(answer["detail"].as_str().unwrap().contains("no mail address"), "{answer}");
}

/// The key was kept before the rest was refused.
fn of_a_choice_that_is_refused_nothing_is_kept(house: House) {
    let (cast, outside) = (Cast::of(&house), Outside::start(house.folder()));
    let server = house.serve_in(&outside.settings());
    let pager = json!({ "url": outside.pager_url(), "key": KEY });
    let choice = json!({ "channels": ["mail", "pager"], "quiet": null, "pager": pager });
    let (status, answer) = server.post(&cast.mary, "/api/v1/me/reach", choice);
    assert_eq!(status, 422);
    assert!(answer["detail"].as_str().unwrap().contains("no mail address"), "{answer}");
    assert_eq!(house.ask("SELECT count(*) FROM pagers"), "0");
}

fn keys_come_in_and_never_go_out(house: House) {
    let (cast, outside) = (Cast::of(&house), Outside::start(house.folder()));
    let ada = house.admin("ada");
    let server = house.serve_in(&outside.settings());
    by_pager(&server, &cast.sabrina, &outside);
    let (_, mine) = server.get(&cast.sabrina, "/api/v1/me/reach");
    assert_eq!((&mine["channels"], &mine["pager"]["host"]), (&json!(["pager"]), &json!("127.0.0.1")));
    let (status, tested) = server.post(&cast.sabrina, "/api/v1/me/reach/test", json!({}));
    assert_eq!(status, 400, "a test takes no request id: {tested}");
    let (status, tested) = server.send(&cast.sabrina, "/api/v1/me/reach/test", b"{}").unwrap();
    assert_eq!((status, &tested["results"]["pager"]["accepted"]), (200, &json!(true)), "{tested}");
    assert_eq!(server.send(&cast.sabrina, "/api/v1/me/reach/test", b"{}").unwrap().0, 429);
    let sent: Vec<_> = outside.pages_come(2).iter().map(|page| page["event"]["event_action"].clone()).collect();
    assert_eq!(sent, ["trigger", "resolve"]);
    let everything = [
        mine.to_string(),
        server.get(&ada, "/api/v1/directory").1.to_string(),
        house.ask("SELECT body FROM events"),
        house.ask("SELECT spans FROM requests"),
    ];
    assert!(everything.iter().all(|text| !text.contains(KEY)), "{everything:?}");
    assert_eq!(house.ask("SELECT key FROM pagers"), KEY);
    let backup = house.folder().join("backup.db");
    house.run(&["backup", &backup.display().to_string()]);
    assert_eq!(crate::house::ask_file(&backup, "SELECT count(*) FROM pagers"), "0");
    // It goes with its way, and with the account.
    choose(&server, &cast.sabrina, json!({ "channels": [], "quiet": null }));
    assert_eq!(house.ask("SELECT count(*) FROM pagers"), "0");
    by_pager(&server, &cast.sabrina, &outside);
    house.run(&["person", "deactivate", "sabrina"]);
    assert_eq!(house.ask("SELECT count(*) FROM pagers"), "0");
}

/// Rule 11.
fn a_drill_reaches_nobody_who_did_not_join(house: House) {
    let (cast, outside) = (Cast::of(&house), Outside::start(house.folder()));
    let server = house.serve_in(&outside.settings());
    by_mail(&server, &cast.sabrina);
    let drill = json!({ "title": "What if search failed", "kind": "drill" });
    assert_eq!(server.post(&cast.mary, "/api/v1/incidents", drill).0, 201);
    offer(&server, &cast, 1, "command");
    let n = server.declare(&cast.mary, "Search is failing");
    offer(&server, &cast, n, "command");
    let letters = outside.letters_come(1);
    assert!(letters[0]["heads"]["subject"].as_str().unwrap().contains("Search is failing"), "{letters:?}");
    server.done(&cast.sabrina, 1, json!({ "command": "join" }));
    let letters = outside.letters_come(2);
    assert!(letters[1]["heads"]["subject"].as_str().unwrap().contains("What if"), "{letters:?}");
}

/// 480 messages to browsers whose push service takes connections and answers nothing: by one bound for all ways, a
/// pager's turn would come when each of them was waited for.
fn push_services_that_do_not_answer_keep_no_pager_waiting(house: House) {
    let (cast, outside) = (Cast::of(&house), Outside::start(house.folder()));
    let (service, marty) = (PushService::start(house.folder(), 1), house.person("marty"));
    let server = house.serve_in(&outside.settings());
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for n in 0..20 {
        let mut browser = service.browser(0);
        browser["endpoint"] = json!(format!("http://{}/{n}", silent.local_addr().unwrap()));
        push::turn_on(&server, &cast.sabrina, browser);
    }
    by_pager(&server, &marty, &outside);
    for n in 1..=8 {
        assert_eq!(server.declare(&cast.mary, "Search is failing"), n);
        for role in ["operations", "communications", "planning"] {
            offer(&server, &cast, n, role);
        }
    }
    wait::until("they are put", || {
        (house.ask("SELECT count(*) FROM deliveries WHERE channel = 'push'") == "480").then_some(())
    });
    let n = server.declare(&cast.mary, "The site is down");
    let to = json!({ "person": "marty" });
    server.done(&cast.mary, n, json!({ "command": "offer_role", "role": "command", "to": to }));
    let event = outside.pages_come(1).remove(0);
    assert!(event["event"]["payload"]["summary"].as_str().unwrap().contains("offers you command"), "{event}");
    // Nor a test.
    let (status, tested) = server.send(&marty, "/api/v1/me/reach/test", b"{}").unwrap();
    assert_eq!((status, &tested["results"]["pager"]["accepted"]), (200, &json!(true)), "{tested}");
}
