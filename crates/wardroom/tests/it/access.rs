//! Getting in: tokens, scopes, admins, the page that is not for everybody, and the description of the API.

use serde_json::json;

use crate::house::House;
use crate::{on_both, wait};

on_both!(
    scopes_are_kept,
    admins_change_the_directory,
    the_description_names_every_route,
    a_second_server_on_the_same_folder_is_refused,
    a_forgotten_name_is_gone
);

fn scopes_are_kept(house: House) {
    let mary = house.person("mary");
    let reader = house.token("mary", "read");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    assert_eq!(server.get(&reader, &format!("/api/v1/incidents/{n}")).0, 200);
    let (status, problem) = server.command(&reader, n, json!({ "command": "note", "text": "x" }));
    assert_eq!((status, &problem["code"]), (403, &json!("token_scope")));
    for bad in ["", "wr_short", &format!("wr_{}", "0".repeat(64))] {
        assert_eq!(server.get(bad, "/api/v1/incidents").0, 401);
    }
    // The page itself says nothing to anybody; what it shows it asks for.
    for token in ["", &mary] {
        let (status, page) = server.get(token, "/");
        assert!(status == 200 && !page.to_string().contains("Search is failing"));
    }
}

fn admins_change_the_directory(house: House) {
    let (ada, mary) = (house.admin("ada"), house.person("mary"));
    let server = house.serve();
    let add = json!({ "command": "add_person", "handle": "robin", "name": "Robin" });
    // It takes an admin, and a token that goes so far: neither alone.
    for (token, code) in [
        (mary.clone(), "token_scope"),
        (house.token("ada", "respond"), "token_scope"),
        (house.token("mary", "admin"), "admins_only"),
    ] {
        let (status, problem) = server.post(&token, "/api/v1/directory/commands", add.clone());
        assert_eq!((status, problem["code"].as_str()), (403, Some(code)), "{problem}");
    }
    assert_eq!(server.post(&ada, "/api/v1/directory/commands", add.clone()).0, 200);
    let (status, problem) = server.post(&ada, "/api/v1/directory/commands", add);
    assert_eq!((status, &problem["code"]), (409, &json!("taken")));
    let (_, directory) = server.get(&mary, "/api/v1/directory");
    assert_eq!(directory["people"].as_array().unwrap().len(), 3);
    let last = json!({ "command": "deactivate_person", "person": "ada" });
    assert_eq!(
        server.post(&ada, "/api/v1/directory/commands", last).1["code"],
        "unfinished",
        "somebody stays an admin"
    );
    // A person added on the machine itself, beside the running server, can come in at once.
    let late = house.person("malcolm");
    wait::until("the server knows Malcolm", || (server.get(&late, "/api/v1/me").0 == 200).then_some(()));
}

fn the_description_names_every_route(house: House) {
    let (mary, ada) = (house.person("mary"), house.admin("ada"));
    let gate = house.token("ada", "gate");
    let server = house.serve_in(&[("WARDROOM_PUBLIC_URL", "https://wardroom.example.org")]);
    let n = server.declare(&mary, "Search is failing");
    let attaching = format!("/api/v1/incidents/{n}/evidence?name=x&request_id={}", uuid::Uuid::now_v7());
    let (_, evidence) = server.send(&mary, &attaching, b"evidence").unwrap();
    let kept = evidence["sha256"].as_str().unwrap();
    let (_, api) = server.get("", "/api/v1/openapi.json");
    assert_eq!(api["info"]["title"], "Wardroom");
    let paths = api["paths"].as_object().unwrap();
    assert!(paths.len() > 10);
    for (path, methods) in paths.iter().filter(|(path, _)| *path != "/api/v1/events") {
        let real = path.replace("{number}", &n.to_string()).replace("{sha256}", kept).replace("{token}", &gate);
        if methods.get("get").is_some() {
            // What speaks WebSockets says so to whoever does not.
            let answer = if methods["get"]["responses"].get("101").is_some() { 426 } else { 200 };
            assert_eq!(server.get(&ada, &real).0, answer, "GET {path}");
        }
        if methods.get("post").is_some() {
            let (status, problem) = server.send(&mary, &real, b"{").unwrap();
            assert!(matches!(status, 200 | 204 | 400 | 403 | 415), "POST {path}: {status} {problem}");
        }
    }
    assert_eq!(server.get(&mary, "/nowhere").1["code"], "no_such_page");
    let (status, problem) = server.send(&mary, "/api/v1/next", b"{}").unwrap();
    assert_eq!((status, &problem["code"]), (405, &json!("method_not_allowed")));
    let (_, metrics) = server.get("", "/metrics");
    assert!(metrics.to_string().contains("wardroom_commands_total"), "{metrics}");
}

fn a_second_server_on_the_same_folder_is_refused(house: House) {
    let _server = house.serve();
    if house.is_postgres() {
        return drop(house.serve()); // Several nodes are what PostgreSQL is for.
    }
    let second = house.console(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(!second.status.success());
    assert!(String::from_utf8_lossy(&second.stderr).contains("another `wardroom serve` runs on"));
}

fn a_forgotten_name_is_gone(house: House) {
    let [mary, sabrina] = ["mary", "sabrina"].map(|handle| house.person(handle));
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    server.done(&sabrina, n, json!({ "command": "note", "text": "my password is hunter2" }));
    server.done(&sabrina, n, json!({ "command": "redact", "entry": 3 }));
    house.run(&["person", "forget", "sabrina"]);
    wait::until("the name is gone", || {
        let (_, page) = server.get(&mary, &format!("/api/v1/incidents/{n}/events"));
        let page = page.to_string();
        (page.contains("a forgotten person") && !page.contains("Sabrina") && !page.contains("hunter2")).then_some(())
    });
    assert_eq!(house.verify()["holds"], true, "the chain still verifies");
    let (_, state) = server.get(&mary, &format!("/api/v1/incidents/{n}/events"));
    assert_eq!(state["entries"][2]["body"]["text"], json!(null), "a tombstone stays");
}
