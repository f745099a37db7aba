//! The gate against freelancing: who is stopped, what is recorded of who is not, and what it says when it cannot decide.

use std::process::Command;

use serde_json::{Value, json};

use crate::gate::Gate;
use crate::house::{House, Server, WARDROOM, agent};
use crate::staffed::{Scene, ask, changes, decided, declare, knowing, scene};
use crate::{on_both, wait};

on_both!(
    a_new_gate_observes_and_counts_what_it_would_have_stopped,
    whoever_is_of_operations_comes_through_and_stands_in_the_ledger_once,
    a_pipeline_asks_on_somebodys_behalf_and_does_nothing_else,
    owners_go_back_to_the_last_known_good_version,
    a_drill_and_what_only_the_invited_know_of_stop_nobody_else,
    the_command_ends_as_the_gate_says,
    what_was_asked_is_told_until_it_is_taken_out,
);

/// The row of a service in what the gate reports.
pub fn row(server: &Server, token: &str, service: &str) -> Value {
    let (status, report) = server.get(token, "/api/v1/gate");
    assert_eq!(status, 200, "{report}");
    report["services"].as_array().unwrap().iter().find(|row| row["service"] == service).cloned().unwrap_or_default()
}

fn a_new_gate_observes_and_counts_what_it_would_have_stopped(house: House) {
    let (house, [mary, sabrina, robin]) = knowing(house);
    let server = house.serve();
    let free = decided(&server, &robin, "deploy v12");
    assert_eq!(
        (&free["decision"], &free["reason"], &free["observed"]),
        (&json!("allow"), &json!("Allowed: no incident keeps you from changing search."), &json!(false))
    );
    let n = declare(&server, &mary, &json!({}));
    // What this node has acknowledged, it goes by.
    let observed = decided(&server, &robin, "deploy v12");
    assert_eq!((&observed["decision"], &observed["observed"]), (&json!("allow"), &json!(true)), "{observed}");
    let reason = observed["reason"].as_str().unwrap();
    let allowed = "Allowed. It would have been denied: Incident #1 is active on search.";
    assert!(reason.starts_with(allowed) && reason.ends_with(" The gate of search only observes."), "{reason}");
    assert_eq!(changes(&server, &mary, n), [] as [Value; 0], "nothing is recorded of it");
    decided(&server, &sabrina, "restart it");
    // One of them changed something after all, and said so.
    server.done(&robin, n, json!({ "command": "record_change", "what": "search: deployed v12" }));
    let seen = wait::until("both are counted", || {
        Some(row(&server, &mary, "search")).filter(|row| row["observed"] == 2 && row["uncoordinated"] == 1)
    });
    assert_eq!((&seen["stopped"], &seen["held_by"], &seen["enforced"]), (&json!(0), &json!([n]), &json!([])));
    let one = |stop: &Value| (stop["person"]["name"].clone(), stop["incident"].clone(), stop["uncoordinated"].clone());
    let last: Vec<_> = seen["last"].as_array().unwrap().iter().map(one).collect();
    assert!(last.contains(&(json!("Robin"), json!(n), json!(true))), "{seen}");
    // Restarted, it knows both what is held and what it has counted.
    server.kill();
    house.run(&["service", "gate", "search", "--enforce", "sev2"]);
    let server = house.serve();
    let denied = wait::until("the gate has read what there is", || {
        let (status, answer) = ask(&server, &robin, json!({ "services": ["search"], "what": "deploy v13" }));
        assert!(status == 200 || answer["code"] == "cannot_decide", "{answer}");
        (status == 200).then_some(answer)
    });
    assert_eq!((&denied["decision"], &denied["stops"][0]["enforced"]), (&json!("deny"), &json!(true)), "{denied}");
    wait::until("it is counted", || Some(row(&server, &mary, "search")).filter(|row| row["stopped"] == 1));
    // What search needs is held with it, and only observes.
    let (_, needed) = ask(&server, &robin, json!({ "services": ["indexing"], "what": "reindex" }));
    assert_eq!((&needed["decision"], &needed["observed"]), (&json!("allow"), &json!(true)), "{needed}");
    assert!(needed["reason"].as_str().unwrap().contains("active on search, which needs indexing"), "{needed}");
    // It holds until the incident is resolved.
    server.done(&mary, n, json!({ "command": "set_phase", "phase": "resolved" }));
    assert_eq!(
        decided(&server, &robin, "deploy v13")["reason"],
        "Allowed: no incident keeps you from changing search."
    );
}

fn whoever_is_of_operations_comes_through_and_stands_in_the_ledger_once(house: House) {
    let Scene { server, mary, sabrina, robin, n, house: _house } = scene(house);
    let denied = decided(&server, &robin, "deploy v12");
    assert_eq!(
        (&denied["decision"], &denied["reason"]),
        (
            &json!("deny"),
            &json!(
                "Incident #1 is active on search. Only operations may change search; the operations lead is Sabrina. Ask in its war room."
            )
        )
    );
    assert_eq!(denied["stops"][0]["ask"], "/incidents/1?permission=search");
    assert_eq!(decided(&server, &mary, "deploy v12")["decision"], "deny", "the commander gave operations away");
    let (_, dry) = ask(&server, &sabrina, json!({ "services": ["search"], "what": "back to v11", "dry_run": true }));
    assert_eq!((&dry["decision"], &dry["changes"]), (&json!("allow"), &json!([])), "{dry}");
    assert_eq!(changes(&server, &mary, n), [] as [Value; 0], "a dry run is not recorded");
    for _ in 0..3 {
        let passed = decided(&server, &sabrina, "back to v11");
        let stands = json!([{ "incident": n, "service": "search", "change": 1 }]);
        assert_eq!((&passed["decision"], &passed["changes"]), (&json!("allow"), &stands), "{passed}");
    }
    let all = changes(&server, &mary, n);
    assert_eq!((all.len(), &all[0]["state"], &all[0]["by"]["name"]), (1, &json!("announced"), &json!("Sabrina")));
    assert_eq!(
        (&all[0]["through"], &all[0]["coordination"]),
        (&json!("the gate, command line"), &json!("by_operations"))
    );
    // Many who ask at once are recorded once.
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(decided(&server, &sabrina, "drain eu-1")["changes"][0]["change"], 2));
        }
    });
    assert_eq!(changes(&server, &mary, n).len(), 2);
    // Whom operations let comes through for as long as they said.
    server.done(&robin, n, json!({ "command": "ask_permission", "services": ["search"], "what": "flush the cache" }));
    server.done(&sabrina, n, json!({ "command": "grant_permission", "person": "robin", "minutes": 10 }));
    assert_eq!(decided(&server, &robin, "flush the cache")["decision"], "allow");
    server.done(&sabrina, n, json!({ "command": "end_permission", "permission": 1 }));
    assert_eq!(decided(&server, &robin, "flush it again")["decision"], "deny");
    server.done(&robin, n, json!({ "command": "break_glass", "services": ["search"], "reason": "the disk fills" }));
    assert_eq!(decided(&server, &robin, "flush it again")["decision"], "allow");
    assert_eq!(changes(&server, &mary, n)[3]["coordination"], "uncoordinated");
    // With several incidents on one service it takes operations in each.
    let other = declare(&server, &mary, &json!({}));
    let denied = decided(&server, &sabrina, "drain eu-2");
    assert_eq!((&denied["decision"], &denied["stops"][0]["incident"]), (&json!("deny"), &json!(other)), "{denied}");
    assert_eq!(changes(&server, &mary, n).len(), 4, "nothing of it is recorded");
}

fn a_pipeline_asks_on_somebodys_behalf_and_does_nothing_else(house: House) {
    let Scene { house, server, mary, sabrina, robin, n } = scene(house);
    let pipeline = house.token("mary", "gate");
    let behalf = |who: &str| {
        let asked = json!({ "services": ["search"], "what": "back to v11", "on_behalf_of": who });
        ask(&server, &pipeline, asked)
    };
    let (status, no) = ask(&server, &pipeline, json!({ "services": ["search"], "what": "deploy" }));
    assert_eq!((status, &no["code"]), (422, &json!("on_whose_behalf")), "a pipeline is nobody");
    assert_eq!(behalf("robin").1["decision"], "deny");
    let (_, stranger) = behalf("a.stranger@example.org");
    assert_eq!(stranger["decision"], "deny", "whom nobody knows is of no operations");
    let reason = stranger["reason"].as_str().unwrap();
    let nobody = "Nobody here is called “a.stranger@example.org”. An admin can add people to the directory.";
    assert!(reason.starts_with("Incident #1 is active on search.") && reason.ends_with(nobody), "{reason}");
    let (_, passed) = behalf("Sabrina");
    assert_eq!((&passed["decision"], &passed["changes"][0]["change"]), (&json!("allow"), &json!(1)), "{passed}");
    assert_eq!(changes(&server, &mary, n)[0]["by"]["name"], "Sabrina");
    // An address that two have is nobody's: which of them it means, nobody can tell. Whoever left has none any more.
    let shared = "oncall@example.org";
    house.run(&["person", "add", "sam", "--name", "Sam", "--email", "OnCall@example.org"]);
    house.run(&["person", "deactivate", "sam"]);
    house.run(&["person", "change", "sabrina", "--email", shared]);
    wait::until("the gate knows the address", || (behalf(shared).1["decision"] == "allow").then_some(()));
    house.run(&["person", "activate", "sam"]);
    wait::until("it is nobody's", || (behalf(shared).1["decision"] == "deny").then_some(()));
    assert_eq!(behalf("sabrina").1["decision"], "allow", "her handle is hers alone");
    house.run(&["person", "deactivate", "sam"]);
    wait::until("it is hers again", || (behalf(shared).1["decision"] == "allow").then_some(()));
    // Who has a token of their own asks for themselves: nobody borrows another's hands.
    let asked = json!({ "services": ["search"], "what": "deploy", "on_behalf_of": "sabrina" });
    let (status, no) = ask(&server, &robin, asked.clone());
    assert_eq!((status, &no["code"]), (403, &json!("not_on_their_behalf")), "{no}");
    assert_eq!(ask(&server, &sabrina, asked).1["decision"], "allow");
    for path in ["/api/v1/me", "/api/v1/incidents", &format!("/api/v1/incidents/{n}"), "/api/v1/gate"] {
        let (status, no) = server.get(&pipeline, path);
        assert_eq!((status, &no["code"]), (403, &json!("token_scope")), "{path}");
    }
    let (status, no) = server.command(&pipeline, n, json!({ "command": "note", "text": "hello" }));
    assert_eq!((status, &no["code"]), (403, &json!("token_scope")));
    // What nobody knows is no free pass.
    let (status, no) = ask(&server, &robin, json!({ "services": ["serach"], "what": "deploy" }));
    assert_eq!((status, &no["code"]), (422, &json!("unknown_service")), "{no}");
    for bad in [json!({ "services": [], "what": "x" }), json!({ "services": ["search"], "what": "x", "force": true })] {
        assert_eq!(ask(&server, &robin, bad).0, 400);
    }
    assert_eq!(ask(&server, "wt_0", json!({ "services": ["search"], "what": "x" })).0, 401);
}

fn owners_go_back_to_the_last_known_good_version(house: House) {
    let (house, [mary, sabrina, robin]) = knowing(house);
    house.run(&["service", "gate", "search", "--enforce", "sev2"]);
    let server = house.serve();
    let good = |token: &str, version: &str| {
        server.post(token, "/api/v1/services/search/good", json!({ "version": version })).0
    };
    assert_eq!((good(&mary, "v11"), good(&robin, "v11")), (403, 200), "its owners say so");
    let (_, no) = server.post(&mary, "/api/v1/services/search/good", json!({ "version": "v11" }));
    let could: Vec<_> = no["who_could"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert!(no["detail"].as_str().unwrap().contains("who own search") && could.contains(&json!("Robin")), "{no}");
    let n = declare(&server, &mary, &json!({}));
    let back = |token: &str, to: &str| {
        let asked = json!({ "services": ["search"], "what": format!("back to {to}"), "back_to": to });
        ask(&server, token, asked).1["decision"].as_str().unwrap().to_owned()
    };
    assert_eq!((back(&sabrina, "v11").as_str(), back(&robin, "v10").as_str()), ("deny", "deny"));
    assert_eq!(back(&robin, "v11"), "allow");
    let told = &changes(&server, &mary, n)[0];
    assert_eq!((&told["what"], &told["state"]), (&json!("back to v11"), &json!("announced")), "it is announced");
    // What is called good only now proves nothing, and takes nothing from what was called so before.
    let (_, told) = server.post(&robin, "/api/v1/services/search/good", json!({ "version": "v12" }));
    assert_eq!(told["not_for"], json!([{ "incident": n, "good": "v11" }]), "{told}");
    assert_eq!(back(&robin, "v12"), "deny");
    let why = ask(&server, &robin, json!({ "services": ["search"], "what": "back to v12", "back_to": "v12" })).1;
    let late = "“v12” was called good only after #1 began; the last known good version is “v11”.";
    assert!(why["reason"].as_str().unwrap().ends_with(late), "{why}");
    assert_eq!((back(&robin, "v11").as_str(), back(&robin, "v10").as_str()), ("allow", "deny"));
    let known = server.get(&mary, "/api/v1/directory").1["services"]["search"]["good"].clone();
    assert_eq!((&known[0]["version"], &known[1]["version"], &known[2]), (&json!("v12"), &json!("v11"), &Value::Null));
    let listed = house.run(&["service", "list"]);
    assert!(listed.contains("good: v12, v11"), "{listed}");
    let said = server.say(&robin, &["good", "search", "v13"]);
    assert!(said.contains("It does not count for #1, which began before: there it is v11."), "{said}");
}

fn a_drill_and_what_only_the_invited_know_of_stop_nobody_else(house: House) {
    let (house, [mary, sabrina, robin]) = knowing(house);
    house.run(&["service", "gate", "search", "--enforce", "sev2"]);
    house.run(&["service", "gate", "indexing", "--enforce", "sev2"]);
    let server = house.serve();
    declare(&server, &mary, &json!({ "kind": "drill" }));
    assert_eq!(decided(&server, &robin, "deploy")["reason"], "Allowed: no incident keeps you from changing search.");
    let planned = declare(&server, &mary, &json!({ "kind": "planned" }));
    assert_eq!(decided(&server, &robin, "deploy")["decision"], "deny");
    let (_, needed) = ask(&server, &robin, json!({ "services": ["indexing"], "what": "reindex" }));
    assert_eq!(needed["decision"], "allow", "a planned operation holds its own services alone: {needed}");
    server.done(&mary, planned, json!({ "command": "set_phase", "phase": "resolved" }));
    // A refusal would tell of it, and so would a number.
    let secret = declare(&server, &mary, &json!({ "restricted": true, "services": ["indexing"] }));
    let indexing = |token: &str| ask(&server, token, json!({ "services": ["indexing"], "what": "reindex" })).1;
    assert_eq!(indexing(&robin)["reason"], "Allowed: no incident keeps you from changing indexing.");
    server.done(&mary, secret, json!({ "command": "invite", "person": "sabrina" }));
    let denied = indexing(&sabrina);
    assert_eq!((&denied["decision"], &denied["stops"][0]["incident"]), (&json!("deny"), &Value::Null), "{denied}");
    assert!(!denied["reason"].as_str().unwrap().contains(&secret.to_string()), "{denied}");
    let seen =
        wait::until("it is counted", || Some(row(&server, &sabrina, "indexing")).filter(|row| row["stopped"] == 1));
    assert_eq!(seen["held_by"], json!([secret]));
    // Nor does a name that only such an incident has tell of it.
    server.done(&mary, secret, json!({ "command": "set_services", "services": ["indexing", "vault"] }));
    let vault = |token: &str| ask(&server, token, json!({ "services": ["vault"], "what": "rotate", "dry_run": true }));
    assert_eq!((vault(&robin).0, vault(&robin).1["code"].as_str()), (422, Some("unknown_service")));
    assert_eq!(vault(&sabrina).0, 200);
    let unseen = row(&server, &robin, "indexing");
    assert_eq!((&unseen["stopped"], &unseen["held_by"]), (&json!(0), &json!([])), "{unseen}");
}

fn the_command_ends_as_the_gate_says(house: House) {
    let Scene { house, server, mary, sabrina, robin, .. } = scene(house);
    let pipeline = house.token("mary", "gate");
    let gate = |token: &str, more: &[&str]| {
        let typed = [&["gate", "--service", "search", "--action", "deploy v12"][..], more].concat();
        let ended = server.verb(token, &typed);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (ended.status.code().unwrap(), text(&ended.stdout), text(&ended.stderr))
    };
    let (code, out, _) = gate(&pipeline, &["--on-behalf-of", "sabrina"]);
    assert_eq!(code, 0);
    assert!(out.contains("It stands there as change 1 of incident #1."), "{out}");
    let (code, _, errors) = gate(&robin, &[]);
    assert_eq!(code, 1);
    assert!(
        errors.contains("denied. Incident #1")
            && errors.contains(&format!("{}/incidents/1?permission=search", server.url)),
        "{errors}"
    );
    let (code, out, _) = gate(&robin, &["--json"]);
    let answer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &answer["decision"]), (1, &json!("deny")));
    // Nobody there: it cannot be decided, and whoever asks has said what that means.
    let away = ["--url", "http://127.0.0.1:1"];
    let (code, _, errors) = gate(&sabrina, &away);
    assert_eq!(code, 4, "{errors}");
    assert!(errors.contains("the gate cannot decide"), "{errors}");
    let (code, _, errors) = gate(&sabrina, &[&away[..], &["--on-failure", "open"]].concat());
    assert_eq!(code, 0, "{errors}");
    assert!(errors.contains("it goes on all the same"), "{errors}");
    let (code, out, _) = gate(&sabrina, &[&away[..], &["--json"]].concat());
    let answer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &answer["decision"], &answer["open"]), (4, &json!("undecided"), &json!(false)), "{answer}");
    // What is wrong with what was asked is no failure of the gate: it is no free pass, whatever was said of failures.
    let wrong = [
        (&pipeline, &[][..], 2, "in a terminal --on-behalf-of"),
        (&robin, &["--on-behalf-of", "sabrina"], 2, "With this token you ask for yourself."),
        (&sabrina, &["--service", "serach"], 2, "knows a service “serach”"),
        (&sabrina, &["--token", "wt_0"], 3, "Nobody is signed in here"),
    ];
    for (token, more, expected, words) in wrong {
        for on_failure in ["closed", "open"] {
            let (code, _, errors) = gate(token, &[more, &["--on-failure", on_failure]].concat());
            assert_eq!(code, expected, "{more:?} {on_failure}: {errors}");
            assert!(errors.contains(words) && !errors.contains("cannot decide"), "{errors}");
        }
    }
    let shown = server.say(&mary, &["gates"]);
    assert!(shown.contains("enforces at sev1, sev2, held by #1"), "{shown}");
    assert!(!shown.contains("Robin: "), "{shown}");
    let last = |shown: String| shown.lines().find(|line| line.contains(" ago  Robin: ")).map(str::to_owned);
    let last = wait::until("it is counted", || last(server.say(&mary, &["gates", "--stops"])));
    assert!(last.contains("stopped by #1"), "{last}");
    let counted: Value = serde_json::from_str(&server.say(&mary, &["gates", "--json"])).unwrap();
    let search = counted["services"].as_array().unwrap().iter().find(|row| row["service"] == "search").unwrap();
    assert_eq!(search["last"][0]["person"]["name"], "Robin", "{counted}");
}

#[test]
fn what_one_node_declares_the_other_holds() {
    let (house, [mary, _, robin]) = knowing(House::on_postgres());
    house.run(&["service", "gate", "search", "--enforce", "sev2"]);
    let (one, two) = (house.serve(), house.serve());
    wait::until("the second node has read what there is", || {
        (ask(&two, &robin, json!({ "services": ["search"], "what": "deploy" })).0 == 200).then_some(())
    });
    declare(&one, &mary, &json!({}));
    wait::until("the second node holds it", || (decided(&two, &robin, "deploy")["decision"] == "deny").then_some(()));
}

/// It answers from what it knew last where nothing has to be recorded, and says how old that is.
#[test]
fn without_its_database_it_says_how_old_its_word_is() {
    let (house, [mary, sabrina, robin]) = knowing(House::on_postgres());
    house.run(&["service", "gate", "search", "--enforce", "sev2"]);
    let gate = Gate::before(&house);
    let server = house.start(Command::new(WARDROOM).args(["serve", "--database", &gate.url]));
    let n = declare(&server, &mary, &json!({}));
    assert_eq!(decided(&server, &robin, "deploy")["decision"], "deny");
    gate.shut();
    assert_eq!(decided(&server, &robin, "deploy")["decision"], "deny", "it goes on");
    let old = wait::until("it is old", || {
        let denied = decided(&server, &robin, "deploy");
        denied["reason"].as_str().unwrap().contains("the store cannot be reached").then_some(denied)
    });
    assert_eq!(old["decision"], "deny");
    let (_, free) = ask(&server, &sabrina, json!({ "services": ["indexing"], "what": "reindex" }));
    assert_eq!((&free["decision"], &free["observed"]), (&json!("allow"), &json!(true)), "{free}");
    let (status, unsure) = ask(&server, &mary, json!({ "services": ["search"], "what": "back to v11" }));
    assert_eq!((status, &unsure["code"]), (503, &json!("cannot_decide")), "what must be recorded is not decided");
    gate.open();
    let passed = wait::until("it is recorded again", || {
        let (status, answer) = ask(&server, &mary, json!({ "services": ["search"], "what": "back to v11" }));
        (status == 200).then_some(answer)
    });
    assert_eq!(passed["decision"], "allow");
    let all = changes(&server, &mary, n);
    assert!(!all.is_empty() && all.iter().all(|change| change["what"] == "back to v11"), "{all:?}");
    wait::until("its word is fresh", || {
        let denied = decided(&server, &robin, "deploy");
        (!denied["reason"].as_str().unwrap().contains("cannot be reached")).then_some(())
    });
}

fn what_was_asked_is_told_until_it_is_taken_out(house: House) {
    let Scene { house, server, mary, sabrina, robin, n } = scene(house);
    let pipeline = house.token("mary", "gate");
    let asked = |services: &[&str], what: &str, behalf: &str| {
        let asked = json!({ "services": services, "what": what, "on_behalf_of": behalf });
        assert_eq!(ask(&server, &pipeline, asked).0, 200);
    };
    asked(&["search", "indexing"], "deploy v12", "robin");
    asked(&["indexing"], "the password is sesame", "a.stranger@example.org");
    asked(&["search"], "flush the cache", "robin");
    ask(&server, &robin, json!({ "services": ["search"], "what": "only asking", "dry_run": true }));
    let told = |server: &Server, token: &str| server.get(token, &format!("/api/v1/incidents/{n}/stops")).1;
    let stops = wait::until("all are counted", || {
        let told = told(&server, &sabrina);
        (told["stopped"] == 2 && told["observed"] == 1).then_some(told)
    });
    let last = stops["last"].as_array().unwrap();
    let row = |row: &Value| json!([row["person"]["handle"], row["what"], row["services"], row["may_redact"]]);
    assert_eq!(
        last.iter().map(row).collect::<Vec<_>>(),
        [
            json!(["robin", "flush the cache", ["search"], false]),
            json!([null, "the password is sesame", ["indexing"], false]),
            json!(["robin", "deploy v12", ["indexing", "search"], false]),
        ]
    );
    let search = self::row(&server, &mary, "search");
    assert_eq!(search["last"][0]["what"], "flush the cache", "{search}");
    // Whoever asked may take it out, the commander may, and nobody else; asked about several services it is one.
    let take_out = |token: &str, stop: &Value| {
        let address = format!("{}/api/v1/incidents/{n}/stops/{}", server.url, stop["ask"].as_str().unwrap());
        let answer = agent().delete(address).header("authorization", format!("Bearer {token}")).call().unwrap();
        answer.status().as_u16()
    };
    assert_eq!((take_out(&sabrina, &last[1]), take_out(&robin, &last[1])), (403, 403));
    assert_eq!((take_out(&mary, &last[1]), take_out(&robin, &last[2])), (204, 204));
    assert_eq!(take_out(&mary, &json!({ "ask": uuid::Uuid::nil().to_string() })), 404);
    let words = |server: &Server| -> Vec<Value> {
        told(server, &sabrina)["last"].as_array().unwrap().iter().map(|row| row["what"].clone()).collect()
    };
    assert_eq!(words(&server), [json!("flush the cache"), Value::Null, Value::Null]);
    assert_eq!(
        house.ask("SELECT count(*) FROM gate_stops WHERE what LIKE '%sesame%' OR what = 'deploy v12'").trim(),
        "0"
    );
    // Whoever is forgotten is forgotten here too.
    house.run(&["person", "forget", "robin"]);
    assert_eq!(house.ask("SELECT count(*) FROM gate_stops WHERE what IS NOT NULL").trim(), "0");
    server.done(&mary, n, json!({ "command": "restrict" }));
    let emma = house.person("emma");
    let gone = || server.get(&emma, &format!("/api/v1/incidents/{n}/stops")).0;
    wait::until("nobody else sees it", || (gone() == 404).then_some(()));
}
