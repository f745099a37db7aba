//! Getting in through the page: links, passwords, sessions, and what a browser must not be talked into.

use std::time::Instant;

use serde_json::{Value, json};

use crate::browser::{Browser, PASSWORD, link, secret_in};
use crate::house::{House, Server};
use crate::{on_both, wait};

on_both!(
    the_first_admin_comes_by_the_link_that_serve_prints,
    a_link_expires,
    an_admin_lets_people_in,
    signing_in_and_out,
    another_persons_session_cannot_be_ended,
    an_ended_session_ends_its_stream,
    a_new_password_ends_the_other_sessions,
    whoever_is_deactivated_is_out,
    guessing_is_slowed_and_locks_nobody_out,
    another_page_cannot_act_for_somebody,
    the_cookie_is_out_of_reach_of_scripts,
    the_page_is_handed_out,
    a_restart_keeps_sessions,
    a_backup_lets_nobody_in
);

fn the_first_admin_comes_by_the_link_that_serve_prints(house: House) {
    let mut server = house.serve();
    let said = server.said_to_begin_with();
    for words in [
        "wardroom person add mary",
        "wardroom person link mary",
        "WARDROOM_TOKEN=",
        "wardroom declare",
        "wardroom demo",
    ] {
        assert!(said.contains(words), "it says how to go on, also with {words}: {said}");
    }
    let secret = secret_in(&said);
    let mut browser = Browser::new(&server);
    let looked = browser.post("/api/v1/welcome/look", json!({ "secret": secret }));
    assert_eq!(
        (looked.status, &looked.body["kind"], &looked.body["person"]),
        (200, &json!("first_admin"), &Value::Null)
    );
    let wrong = format!("wl_{}", "0".repeat(64));
    for no_link in ["", "wl_short", &wrong, &secret.to_uppercase()] {
        assert_eq!(browser.post("/api/v1/welcome/look", json!({ "secret": no_link })).said(), (404, "no_such_link"));
        assert_eq!(browser.come_in(no_link, json!({})).said(), (404, "no_such_link"));
    }
    // What is not accepted does not use it up.
    let sabrina = json!({ "handle": "sabrina", "name": "Sabrina" });
    let short = browser.come_in(&secret, json!({ "handle": "sabrina", "name": "Sabrina", "password": "short" }));
    assert_eq!(short.said(), (422, "password_not_accepted"));
    assert_eq!(browser.come_in(&secret, json!({})).said(), (422, "invalid"), "a name is missing");
    assert_eq!(browser.come_in(&secret, json!({ "handle": "A B", "name": "A" })).said(), (400, "malformed"));
    assert_eq!(browser.come_in(&secret, json!({ "colour": "blue" })).said(), (400, "malformed"));
    assert_eq!(browser.come_in(&secret, sabrina.clone()).status, 204);
    let me = browser.get("/api/v1/me").body;
    assert_eq!((&me["person"]["name"], &me["admin"], &me["scope"]), (&json!("Sabrina"), &json!(true), &json!("admin")));
    assert!(me["session"]["id"].is_string() && me["session"]["opened_at"].is_string(), "{me}");
    let mut other = Browser::new(&server);
    assert_eq!(other.come_in(&secret, sabrina).said(), (410, "link_used"));
    assert_eq!(other.post("/api/v1/welcome/look", json!({ "secret": secret })).said(), (410, "link_used"));
    // From now on there is an admin.
    server.kill();
    let mut server = house.serve();
    assert!(!server.said_to_begin_with().contains("/welcome#"));
    assert_eq!(house.verify()["holds"], true);
}

fn a_link_expires(house: House) {
    house.run(&["person", "add", "marty", "--name", "Marty"]);
    let two_days_ago = house.console_at("-2d", &["person", "link", "marty"]);
    let server = house.serve();
    let mut browser = Browser::new(&server);
    let secret = secret_in(&two_days_ago);
    assert_eq!(browser.post("/api/v1/welcome/look", json!({ "secret": secret })).said(), (410, "link_expired"));
    let told = browser.come_in(&secret, json!({}));
    assert_eq!(told.said(), (410, "link_expired"));
    assert!(told.body["detail"].as_str().unwrap().contains("Ask an admin"), "{}", told.body);
}

fn an_admin_lets_people_in(house: House) {
    let (ada, mary) = (house.admin("ada"), house.person("mary"));
    let mut server = house.serve();
    assert!(!server.said_to_begin_with().contains("/welcome#"), "an admin has a token");
    assert_eq!(server.post(&mary, "/api/v1/people/mary/link", json!({})).0, 403);
    assert_eq!(server.post(&ada, "/api/v1/people/nobody/link", json!({})).1["code"], "unknown_person");
    let (status, made) = server.post(&ada, "/api/v1/people/mary/link", json!({}));
    assert_eq!(status, 201, "{made}");
    let secret = made["secret"].as_str().unwrap();
    assert_eq!(made["path"], format!("/welcome#{secret}"));
    let mut browser = Browser::new(&server);
    let looked = browser.post("/api/v1/welcome/look", json!({ "secret": secret })).body;
    assert_eq!((&looked["kind"], &looked["person"]["handle"]), (&json!("person"), &json!("mary")), "{looked}");
    assert_eq!(browser.come_in(secret, json!({ "handle": "m", "name": "M" })).said(), (422, "invalid"));
    assert_eq!(browser.come_in(secret, json!({})).status, 204);
    let me = browser.get("/api/v1/me").body;
    assert_eq!((&me["person"]["handle"], &me["scope"]), (&json!("mary"), &json!("respond")));
    assert_eq!(browser.post("/api/v1/people/mary/link", json!({})).said(), (403, "admins_only"));
    // What an admin may do in the browser follows what they are, at once.
    let add =
        json!({ "request_id": uuid::Uuid::now_v7(), "command": "add_person", "handle": "robin", "name": "Robin" });
    assert_eq!(browser.post("/api/v1/directory/commands", add.clone()).said(), (403, "admins_only"));
    house.run(&["person", "change", "mary", "--admin", "true"]);
    wait::until("Mary is an admin", || (browser.get("/api/v1/me").body["scope"] == "admin").then_some(()));
    assert_eq!(browser.post("/api/v1/directory/commands", add).status, 200);
}

fn signing_in_and_out(house: House) {
    let server = house.serve();
    let mut phone = Browser::of(&house, &server, "mary");
    let mut laptop = Browser::new(&server);
    for (handle, password) in [("mary", "wrong horse battery"), ("nobody", PASSWORD), ("", ""), ("A B\n", PASSWORD)] {
        let told = laptop.sign_in(handle, password);
        assert_eq!(told.said(), (401, "wrong_password"), "{handle}");
    }
    assert_eq!(laptop.sign_in("mary", &"x".repeat(100_000)).said(), (401, "wrong_password"));
    assert_eq!(laptop.sign_in(" Mary ", PASSWORD).status, 204, "nobody thinks of capital letters at night");
    let sessions = laptop.get("/api/v1/sessions").body["sessions"].as_array().unwrap().clone();
    assert_eq!(sessions.len(), 2);
    assert_eq!(sessions.iter().filter(|session| session["current"] == true).count(), 1);
    assert!(sessions.iter().all(|session| session["device"] == "Firefox on Linux"), "{sessions:?}");
    assert!(sessions.iter().all(|session| session["last_seen_at"].is_string() && session["opened_at"].is_string()));
    // A session acts like a token.
    let declare = json!({ "request_id": uuid::Uuid::now_v7(), "title": "Search is failing" });
    assert_eq!(laptop.post("/api/v1/incidents", declare).status, 201);
    let mut copy = Browser::new(&server).holding(&laptop.cookie);
    assert!(copy.is_in());
    assert_eq!(laptop.delete("/api/v1/session").status, 204);
    assert!(laptop.cookie.is_empty(), "the cookie is taken away");
    assert!(!copy.is_in(), "and a copy of it is worth nothing");
    assert_eq!(laptop.delete("/api/v1/session").status, 204, "once more does no harm");
    assert!(phone.is_in());
}

fn another_persons_session_cannot_be_ended(house: House) {
    let server = house.serve();
    let (mut mary, mut marty) = (Browser::of(&house, &server, "mary"), Browser::of(&house, &server, "marty"));
    let id = mary.get("/api/v1/me").body["session"]["id"].as_str().unwrap().to_owned();
    assert_eq!(marty.delete(&format!("/api/v1/sessions/{id}")).said(), (404, "no_such_session"));
    assert_eq!(marty.delete(&format!("/api/v1/sessions/{}", uuid::Uuid::now_v7())).said(), (404, "no_such_session"));
    assert_eq!(marty.delete("/api/v1/sessions/x").status, 400);
    assert!(mary.is_in());
    assert_eq!(marty.get("/api/v1/sessions").body["sessions"].as_array().unwrap().len(), 1);
}

fn an_ended_session_ends_its_stream(house: House) {
    let server = house.serve();
    let mut phone = Browser::of(&house, &server, "mary");
    let mut laptop = Browser::new(&server);
    assert_eq!(laptop.sign_in("mary", PASSWORD).status, 204);
    let streams = [phone.follow(), laptop.follow()];
    let id = phone.get("/api/v1/me").body["session"]["id"].as_str().unwrap().to_owned();
    let began = Instant::now();
    assert_eq!(laptop.delete(&format!("/api/v1/sessions/{id}")).status, 204);
    streams[0].end();
    wait::came_soon("the end of the stream", began);
    assert!(!phone.is_in());
    let declare = json!({ "request_id": uuid::Uuid::now_v7(), "title": "Search is failing" });
    assert_eq!(laptop.post("/api/v1/incidents", declare).status, 201);
    assert_eq!(streams[1].next_of("opened")["body"]["title"], "Search is failing");
    assert_eq!(laptop.delete("/api/v1/session").status, 204);
    streams[1].end();
}

fn a_new_password_ends_the_other_sessions(house: House) {
    let server = house.serve();
    let mut phone = Browser::of(&house, &server, "mary");
    let mut laptop = Browser::new(&server);
    assert_eq!(laptop.sign_in("mary", PASSWORD).status, 204);
    let mut change = |current: &str, new: &str| {
        let told = laptop.post("/api/v1/me/password", json!({ "current": current, "new": new }));
        (told.status, told.body["code"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(change("not my password", "another horse"), (401, "wrong_password".to_owned()));
    assert_eq!(change(PASSWORD, "short"), (422, "password_not_accepted".to_owned()));
    assert_eq!(change(PASSWORD, &"x".repeat(201)), (422, "password_not_accepted".to_owned()));
    assert!(phone.is_in());
    assert_eq!(change(PASSWORD, "another horse").0, 204);
    assert!(laptop.is_in() && !phone.is_in());
    assert_eq!(phone.sign_in("mary", PASSWORD).said(), (401, "wrong_password"));
    assert_eq!(phone.sign_in("mary", "another horse").status, 204);
    // A link is for whoever forgot it, and ends what was open, too.
    assert_eq!(Browser::new(&server).come_in(&link(&house, "mary"), json!({})).status, 204);
    wait::until("the others are out", || (!phone.is_in() && !laptop.is_in()).then_some(()));
}

fn whoever_is_deactivated_is_out(house: House) {
    let server = house.serve();
    let mut mary = Browser::of(&house, &server, "mary");
    let (stream, unused) = (mary.follow(), link(&house, "mary"));
    house.run(&["person", "deactivate", "mary"]);
    stream.end();
    assert!(!mary.is_in());
    assert_eq!(mary.sign_in("mary", PASSWORD).said(), (401, "wrong_password"));
    assert!(house.console(&["person", "link", "mary"]).status.code() == Some(1), "there is no link for her");
    house.run(&["person", "activate", "mary"]);
    assert_eq!(mary.sign_in("mary", PASSWORD).said(), (401, "wrong_password"), "what she had does not come back");
    assert_eq!(mary.come_in(&unused, json!({})).said(), (404, "no_such_link"));
    assert_eq!(mary.come_in(&link(&house, "mary"), json!({})).status, 204);
}

fn guessing_is_slowed_and_locks_nobody_out(house: House) {
    let server = house.serve();
    // Her link was opened at home; from there she signs in later.
    drop(Browser::of(&house, &server, "mary"));
    let mut home = Browser::new(&server);
    let mut attacker = Browser::new(&server).at("203.0.113.9");
    let refused = |browser: &mut Browser, password: &str| {
        let told = browser.sign_in("mary", password);
        let after = told.header("retry-after").parse::<u64>().unwrap_or(0);
        (told.status, told.body["code"].as_str().unwrap_or_default().to_owned(), after)
    };
    let mut answers: Vec<(u16, String, u64)> =
        (0..8).map(|n| refused(&mut attacker, &format!("guess number {n}"))).collect();
    let (status, code, after) = answers.pop().unwrap();
    assert_eq!((status, code.as_str()), (429, "slow_down"), "{answers:?}");
    assert!(after >= 1);
    assert!(answers.iter().filter(|(status, ..)| *status == 401).count() >= 5, "{answers:?}");
    assert_eq!(attacker.sign_in("mary", PASSWORD).status, 429, "not even the right one, from there");
    assert_eq!(home.sign_in("mary", PASSWORD).status, 204, "she is not kept out");
    // Somebody guesses from her own office's address: she gets in there all the same, as she did before.
    for n in 0..8 {
        assert!(matches!(Browser::new(&server).sign_in("mary", &format!("guess number {n}")).status, 401 | 429));
    }
    assert_eq!(Browser::new(&server).sign_in("mary", "guess number 9").said(), (429, "slow_down"));
    assert_eq!(Browser::new(&server).sign_in("mary", PASSWORD).status, 204);
}

fn another_page_cannot_act_for_somebody(house: House) {
    let server = house.serve();
    let mary = Browser::of(&house, &server, "mary");
    let declare = || json!({ "request_id": uuid::Uuid::now_v7(), "title": "Planted" });
    for origin in [Some("https://evil.example"), Some("null"), Some("http://127.0.0.1:1"), None] {
        let mut foreign = Browser::new(&server).holding(&mary.cookie).on(origin);
        assert_eq!(foreign.post("/api/v1/incidents", declare()).said(), (403, "foreign_origin"), "{origin:?}");
        assert_eq!(foreign.delete("/api/v1/session").said(), (403, "foreign_origin"), "{origin:?}");
        assert_eq!(foreign.get("/api/v1/me").status, 200, "reading changes nothing, and no other page sees the answer");
    }
    let mut evil = Browser::new(&server).on(Some("https://evil.example"));
    assert_eq!(evil.sign_in("mary", PASSWORD).said(), (403, "foreign_origin"));
    let mut told = Browser::new(&server).holding(&mary.cookie).on(None);
    let json_body = ("content-type", "application/json");
    for (site, status) in [("cross-site", 403), ("same-site", 403), ("none", 403), ("same-origin", 201)] {
        let headers = [json_body, ("sec-fetch-site", site)];
        assert_eq!(told.ask("POST", "/api/v1/incidents", &headers, &declare().to_string()).status, status, "{site}");
    }
    // A token is sent by no browser on its own.
    let token = house.token("mary", "respond");
    assert_eq!(server.post(&token, "/api/v1/incidents", declare()).0, 201);
}

fn the_cookie_is_out_of_reach_of_scripts(house: House) {
    let server = house.serve();
    drop(Browser::of(&house, &server, "mary"));
    let plain = Browser::new(&server).sign_in("mary", PASSWORD);
    let cookie = plain.header("set-cookie");
    assert!(cookie.starts_with("wardroom=ws_") && !cookie.contains("Secure"), "{cookie}");
    for part in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Max-Age=2592000"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let host = server.address().to_owned();
    let mut browser = Browser::new(&server).on(Some(&format!("https://{host}")));
    let told = browser.sign_in("mary", PASSWORD);
    let cookie = told.header("set-cookie");
    assert!(cookie.starts_with("__Host-wardroom=ws_") && cookie.ends_with("; Secure"), "{cookie}");
    assert!(browser.is_in());
    assert_eq!(told.header("cache-control"), "no-store");
}

fn the_page_is_handed_out(house: House) {
    let server = house.serve();
    let mut browser = Browser::new(&server);
    let html = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
    let mut index = String::new();
    for path in ["/", "/sign-in", "/welcome", "/incidents/7", "/incidents/7?x=y"] {
        let told = browser.ask("GET", path, &html, "");
        assert_eq!((told.status, told.header("content-type")), (200, "text/html; charset=utf-8"), "{path}");
        let policy = told.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';") && !policy.contains("unsafe"), "{policy}");
        assert_eq!((told.header("cache-control"), told.header("x-content-type-options")), ("no-cache", "nosniff"));
        index = told.body.as_str().unwrap().to_owned();
    }
    assert_eq!(browser.get("/").status, 200, "also for those who do not ask for HTML");
    assert_eq!(browser.get("/nowhere").said(), (404, "no_such_page"));
    for nothing in ["/api/v1/nowhere", "/assets/gone.js", "/assets/../index.html", "/.env"] {
        assert_eq!(browser.ask("GET", nothing, &html, "").said(), (404, "no_such_page"), "{nothing}");
    }
    assert_eq!(browser.post("/sign-in", json!({})).said(), (404, "no_such_page"));
    // Without a built page, the index says how to build it; with one, it names files that never change.
    let Some((_, rest)) = index.split_once("src=\"/assets/") else {
        return assert!(index.contains("make build"), "{index}");
    };
    let script = format!("/assets/{}", rest.split('"').next().unwrap());
    let told = browser.get(&script);
    assert_eq!((told.status, told.header("content-type")), (200, "text/javascript; charset=utf-8"));
    assert_eq!(told.header("cache-control"), "public, max-age=31536000, immutable");
    let known = told.header("etag").to_owned();
    let again = browser.ask("GET", &script, &[("if-none-match", &known)], "");
    assert_eq!((again.status, again.header("etag")), (304, known.as_str()));
    let packed =
        crate::house::raw(&server.url, &format!("GET {script} HTTP/1.0\r\nhost: x\r\naccept-encoding: gzip\r\n\r\n"));
    assert!(packed.to_lowercase().contains("content-encoding: gzip") || packed.is_empty(), "{packed}");
}

fn a_restart_keeps_sessions(house: House) {
    let server = house.serve();
    let mary = Browser::of(&house, &server, "mary");
    let (cookie, sessions) = (mary.cookie.clone(), |browser: &mut Browser| browser.get("/api/v1/sessions").body);
    server.kill();
    let server = house.serve();
    let mut mary = Browser::new(&server).holding(&cookie);
    assert!(mary.is_in());
    let before = sessions(&mut mary);
    if house.is_postgres() {
        // Another node knows her too, and ends her session for both.
        let other = house.serve();
        let mut there = Browser::new(&other).holding(&cookie);
        assert_eq!(sessions(&mut there), before);
        let stream = mary.follow();
        assert_eq!(there.delete("/api/v1/session").status, 204);
        stream.end();
        assert!(!mary.is_in());
    }
}

fn a_backup_lets_nobody_in(house: House) {
    let server = house.serve();
    let mary = Browser::of(&house, &server, "mary");
    let (cookie, unused) = (mary.cookie.clone(), link(&house, "mary"));
    let file = house.folder().join("one.backup");
    house.run(&["backup", file.to_str().unwrap()]);
    let bytes = std::fs::read(&file).unwrap();
    let has = |what: &str| bytes.windows(what.len()).any(|window| window == what.as_bytes());
    assert!(has("password_set") && !has("$argon2id$"), "that she had a password is in it, and its hash is not");
    let restored = House::on_sqlite();
    restored.run(&["restore", file.to_str().unwrap()]);
    let mut server: Server = restored.serve();
    assert!(server.said_to_begin_with().contains("/welcome#"), "somebody has to be the first again");
    let mut mary = Browser::new(&server).holding(&cookie);
    assert!(!mary.is_in());
    assert_eq!(mary.sign_in("mary", PASSWORD).said(), (401, "wrong_password"));
    assert_eq!(mary.come_in(&unused, json!({})).said(), (404, "no_such_link"));
    assert_eq!(mary.come_in(&link(&restored, "mary"), json!({})).status, 204);
    assert_eq!(restored.verify()["holds"], true);
}
