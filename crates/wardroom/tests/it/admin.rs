//! What admins look after: who sees it, what the audit tells, rosters told before they are imported, people's own
//! tokens, and the settings. Nothing of it shows a secret.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::browser::{Browser, PASSWORD, link};
use crate::house::{House, Server, agent};
use crate::on_both;

on_both!(
    admins_alone_see_what_is_for_admins,
    the_audit_tells_everything_and_no_secret,
    an_import_does_what_its_preview_said,
    people_look_after_their_own_tokens,
    the_settings_say_where_they_come_from,
);

const FOR_ADMINS: [&str; 4] = ["/api/v1/people", "/api/v1/audit", "/api/v1/settings", "/api/v1/tokens?all=true"];

fn told(server: &Server, token: &str, query: &str) -> Vec<String> {
    let (status, page) = server.get(token, &format!("/api/v1/audit{query}"));
    assert_eq!(status, 200, "{page}");
    page["entries"].as_array().unwrap().iter().map(|entry| entry["told"].as_str().unwrap().to_owned()).collect()
}

fn change(server: &Server, token: &str, command: Value) -> (u16, Value) {
    server.post(token, "/api/v1/directory/commands", command)
}

/// Posts a body without a request id.
fn post_plain(server: &Server, token: &str, path: &str, body: &Value) -> (u16, Value) {
    server.send(token, path, body.to_string().as_bytes()).expect("the server answers")
}

fn delete(server: &Server, token: &str, path: &str) -> u16 {
    let asked = agent().delete(format!("{}{path}", server.url)).header("authorization", format!("Bearer {token}"));
    asked.call().unwrap().status().as_u16()
}

/// Makes an invite and comes in by it.
fn guest<'a>(server: &'a Server, mary: &str) -> Browser<'a> {
    let n = server.declare(mary, "Search is failing");
    let (status, made) = server.post(mary, &format!("/api/v1/incidents/{n}/invites"), json!({ "hours": 1 }));
    assert_eq!(status, 201, "{made}");
    let mut guest = Browser::new(server);
    let told = guest.post("/api/v1/guest", json!({ "secret": made["secret"], "name": "Marty" }));
    assert!(matches!(told.status, 200 | 201), "{}", told.body);
    guest
}

fn admins_alone_see_what_is_for_admins(house: House) {
    let (ada, mary) = (house.admin("ada"), house.person("mary"));
    let (reads, only_responds) = (house.token("mary", "read"), house.token("ada", "respond"));
    let server = house.serve();
    let mut guest = guest(&server, &mary);
    for path in FOR_ADMINS {
        assert_eq!(server.get(&ada, path).0, 200, "{path}");
        for token in [&mary, &reads] {
            let (status, problem) = server.get(token, path);
            assert_eq!((status, &problem["code"]), (403, &json!("admins_only")), "{path}");
            assert_eq!(problem["who_could"][0]["handle"], "ada", "it says who can help: {problem}");
        }
        let (status, problem) = server.get(&only_responds, path);
        assert_eq!((status, &problem["code"]), (403, &json!("token_scope")), "{path}");
        assert_eq!(guest.get(path).said(), (403, "not_for_guests"), "{path}");
    }
    let preview = json!({ "format": "csv", "file": "handle,name\nivan,Ivan\n" });
    assert_eq!(guest.post("/api/v1/directory/preview", preview.clone()).said(), (403, "admins_only"));
    let (status, problem) = server.post(&mary, "/api/v1/directory/preview", preview);
    assert_eq!(status, 403, "{problem}");
    assert_eq!(guest.get("/api/v1/tokens").said(), (403, "not_for_guests"));
    let asked = guest.post("/api/v1/tokens", json!({ "label": "mine", "scope": "read" }));
    assert_eq!(asked.said(), (403, "not_for_guests"));
}

fn the_audit_tells_everything_and_no_secret(house: House) {
    let (ada, mary) = (house.admin("ada"), house.person("mary"));
    let server = house.serve();
    let mut browser = Browser::of(&house, &server, "robin");
    assert_eq!(browser.sign_in("robin", PASSWORD).status, 204);
    let (_, link) = server.post(&ada, "/api/v1/people/mary/link", json!({}));
    let mut guest = guest(&server, &mary);
    assert_eq!(guest.get("/api/v1/me").status, 200);
    for command in [
        json!({ "command": "add_person", "handle": "ivan", "name": "Ivan", "email": "ivan@example.org" }),
        json!({ "command": "change_person", "person": "ivan", "name": "Ivan the First", "admin": true }),
        json!({ "command": "deactivate_person", "person": "ivan" }),
        json!({ "command": "activate_person", "person": "ivan" }),
        json!({ "command": "set_team", "team": "sre", "members": ["ivan", "mary"] }),
        json!({ "command": "set_service", "service": "search", "owner": "sre", "depends_on": ["index"] }),
        json!({ "command": "remove_service", "service": "search" }),
        json!({ "command": "remove_team", "team": "sre" }),
        json!({ "command": "end_sessions", "person": "robin" }),
    ] {
        let (status, answer) = change(&server, &ada, command.clone());
        assert_eq!(status, 200, "{command}: {answer}");
    }
    assert!(!browser.is_in(), "every session of Robin's has ended");
    let (_, listed) = server.get(&ada, "/api/v1/tokens?all=true");
    let hers = listed["tokens"].as_array().unwrap().iter().find(|token| token["person"]["handle"] == "mary").unwrap();
    let (status, _) = change(&server, &ada, json!({ "command": "revoke_token", "token": hers["id"] }));
    assert_eq!(status, 200);
    let all = told(&server, &ada, "?limit=200");
    for sentence in [
        "ada revoked the token “",
        "ada ended a session, of robin",
        "ada removed the team sre",
        "ada removed the service search",
        "ada set the service search: it is owned by sre, and needs index",
        "ada let Ivan the First in again",
        "ada deactivated Ivan the First: their access has ended",
        "ada changed Ivan the First: the name is Ivan the First now, an admin from now on",
        "ada added Ivan (ivan, ivan@example.org)",
        "came in by an invite, as a guest",
        "Mary made an invite for guests, until ",
        "ada made a sign-in link for Mary, until ",
        "robin signed in",
        "robin set a password",
        "robin came in by a sign-in link",
        "Somebody at the machine made the token “",
    ] {
        assert!(all.iter().any(|told| told.contains(sentence)), "“{sentence}” in {all:#?}");
    }
    let kinds = server.get(&ada, "/api/v1/audit?limit=200").1;
    let digest = house.ask("SELECT body FROM events WHERE stream = 0 AND kind = 'token_issued' ORDER BY seq LIMIT 1");
    let digest = serde_json::from_str::<Value>(&digest).unwrap()["digest"].as_str().unwrap().to_owned();
    for path in FOR_ADMINS {
        let answer = server.get(&ada, path).1.to_string();
        for secret in [digest.as_str(), &ada, link["secret"].as_str().unwrap()] {
            assert!(!answer.contains(secret), "{path}");
        }
    }
    pages_and_filters(&server, &ada, &kinds);
    // Whoever is forgotten is a tombstone there too.
    assert_eq!(change(&server, &ada, json!({ "command": "forget_person", "person": "ivan" })).0, 200);
    let all = told(&server, &ada, "?limit=200");
    assert!(all.iter().all(|told| !told.contains("Ivan") && !told.contains("ivan@")), "{all:#?}");
    assert!(all.iter().any(|told| told == "ada added (redacted) ((redacted), (redacted))"), "{all:#?}");
}

fn pages_and_filters(server: &Server, ada: &str, all: &Value) {
    let entries = |page: &Value| -> Vec<u64> {
        page["entries"].as_array().unwrap().iter().map(|entry| entry["entry"].as_u64().unwrap()).collect()
    };
    let (mut read, mut before) = (Vec::new(), String::new());
    loop {
        let (_, page) = server.get(ada, &format!("/api/v1/audit?limit=7{before}"));
        read.extend(entries(&page));
        if page["more"] != true {
            break;
        }
        before = format!("&before={}", read.last().unwrap());
    }
    assert_eq!(read, entries(all), "page by page it is the same");
    assert!(read.is_sorted_by(|newer, older| newer == &(older + 1)), "the newest first, without gaps: {read:?}");
    let topics: BTreeSet<&str> =
        all["entries"].as_array().unwrap().iter().map(|entry| entry["topic"].as_str().unwrap()).collect();
    assert_eq!(topics, BTreeSet::from(["access", "guests", "people", "teams", "tokens"]));
    for topic in topics {
        let (_, page) = server.get(ada, &format!("/api/v1/audit?limit=200&topic={topic}"));
        let same = |entry: &&Value| entry["topic"] == topic;
        assert!(page["entries"].as_array().unwrap().iter().all(|entry| same(&entry)));
        assert_eq!(
            page["entries"].as_array().unwrap().len(),
            all["entries"].as_array().unwrap().iter().filter(same).count()
        );
    }
    let robin = told(server, ada, "?person=robin&limit=200");
    assert!(robin.len() > 4 && robin.iter().all(|told| told.contains("robin")), "{robin:#?}");
    assert!(robin.iter().any(|told| told == "ada ended a session, of robin"), "{robin:#?}");
    assert_eq!(server.get(ada, "/api/v1/audit?person=nobody").0, 422);
}

const ROSTER: &str = "[[people]]\nhandle = \"mary\"\nname = \"Mary Lou\"\n[[people]]\nhandle = \"ivan\"\nname = \"Ivan\"\n\
                      [[teams]]\nname = \"sre\"\nmembers = [\"ivan\", \"mary\"]\n\
                      [[services]]\nname = \"search\"\nowner = \"sre\"\n";

fn an_import_does_what_its_preview_said(house: House) {
    let ada = house.admin("ada");
    house.person("mary");
    let server = house.serve();
    let preview = |format: &str, file: &str| {
        post_plain(&server, &ada, "/api/v1/directory/preview", &json!({ "format": format, "file": file }))
    };
    let before = told(&server, &ada, "?limit=200");
    let (status, foretold) = preview("toml", ROSTER);
    assert_eq!(status, 200, "{foretold}");
    assert_eq!(foretold["changes"].as_array().unwrap().len(), 4, "{foretold}");
    assert_eq!(told(&server, &ada, "?limit=200"), before, "nothing is recorded by looking");
    let (status, _) = change(&server, &ada, json!({ "command": "import", "roster": foretold["roster"] }));
    assert_eq!(status, 200);
    let mut now: Vec<String> = told(&server, &ada, "?limit=4");
    now.reverse();
    assert_eq!(json!(now), foretold["changes"], "the audit tells what the preview told");
    let (status, again) = preview("toml", ROSTER);
    assert_eq!((status, &again["changes"]), (200, &json!([])));
    let (status, csv) = preview("csv", "handle,name,teams\nemma,Emma,sre\n");
    assert_eq!((status, csv["changes"].as_array().map(Vec::len)), (200, Some(2)), "{csv}");
    for (format, file, code) in [
        ("toml", "[[people]]\nhandle = \"a b\"\nname = \"x\"\n", "bad_roster"),
        ("csv", "handle,colour\nx,blue\n", "bad_roster"),
        ("toml", "[[teams]]\nname = \"sre\"\nmembers = [\"nobody\"]\n", "unknown_person"),
    ] {
        let (status, problem) = preview(format, file);
        assert_eq!((status, &problem["code"]), (422, &json!(code)), "{problem}");
    }
}

fn people_look_after_their_own_tokens(house: House) {
    let ada = house.admin("ada");
    let server = house.serve();
    let mut robin = Browser::of(&house, &server, "robin");
    let ask = json!({ "label": "the wall", "scope": "read", "days": 30 });
    let made = robin.post("/api/v1/tokens", ask.clone());
    assert_eq!(made.status, 201, "{}", made.body);
    let secret = made.body["secret"].as_str().unwrap().to_owned();
    assert_eq!(server.get(&secret, "/api/v1/me").1["scope"], "read");
    let listed = robin.get("/api/v1/tokens").body;
    let hers = &listed["tokens"][0];
    assert_eq!((&hers["label"], &hers["scope"], &hers["id"]), (&json!("the wall"), &json!("read"), &made.body["id"]));
    assert!(!listed.to_string().contains(&secret) && hers["expires_at"].is_string());
    assert_eq!(server.get(&ada, "/api/v1/tokens").1["tokens"].as_array().unwrap().len(), 1, "her own alone");
    // Not by a token, not more than one may, and not for ever and a day.
    let (status, problem) = post_plain(&server, &ada, "/api/v1/tokens", &ask);
    assert_eq!((status, &problem["code"]), (403, &json!("not_by_token")));
    let more = robin.post("/api/v1/tokens", json!({ "label": "more", "scope": "admin" }));
    assert_eq!(more.said(), (403, "admins_only"));
    let for_ever_and_a_day = robin.post("/api/v1/tokens", json!({ "label": "long", "scope": "read", "days": 3_661 }));
    assert_eq!(for_ever_and_a_day.said(), (422, "invalid"));
    // A token that reads revokes nothing; nobody revokes another's; revoking ends its stream.
    let path = format!("/api/v1/tokens/{}", made.body["id"].as_str().unwrap());
    assert_eq!(delete(&server, &secret, &path), 403);
    let mut mary = Browser::of(&house, &server, "mary");
    assert_eq!(mary.delete(&path).said(), (404, "no_such_token"));
    let stream = server.follow(&secret, "");
    assert_eq!(robin.delete(&path).status, 204);
    stream.end();
    assert_eq!(server.get(&secret, "/api/v1/me").0, 401);
    assert_eq!(robin.delete(&path).said(), (404, "no_such_token"));
    // An admin revokes anybody's.
    let made = robin.post("/api/v1/tokens", json!({ "label": "another", "scope": "respond" })).body;
    let path = format!("/api/v1/tokens/{}", made["id"].as_str().unwrap());
    assert_eq!(delete(&server, &ada, &path), 204);
    assert_eq!(told(&server, &ada, "?limit=1"), ["ada revoked the token “another”, of robin"]);
    assert!(link(&house, "robin").starts_with("wl_"));
}

fn the_settings_say_where_they_come_from(house: House) {
    let ada = house.admin("ada");
    let server = house.serve_in(&[("WARDROOM_MAX_CONNECTIONS", "77")]);
    let (status, answer) = server.get(&ada, "/api/v1/settings");
    assert_eq!(status, 200, "{answer}");
    let setting = |name: &str| {
        let all = answer["settings"].as_array().unwrap();
        all.iter().find(|setting| setting["name"] == name).unwrap_or_else(|| panic!("{name} in {answer:#}")).clone()
    };
    assert_eq!(setting("listen")["from"], "flag");
    assert_eq!(setting("max_connections"), json!({ "name": "max_connections", "value": "77", "from": "variable" }));
    assert_eq!(setting("max_streams_per_person")["from"], "default");
    let (used, unused) = if house.is_postgres() { ("database", "data") } else { ("data", "database") };
    assert_eq!((&setting(used)["from"], &setting(unused)["value"]), (&json!("flag"), &Value::Null));
}
