//! How that went with which somebody came through the gate, as the pipeline tells that asked for them.

use std::process::Command;

use serde_json::{Value, json};

use crate::house::{House, Server, WARDROOM};
use crate::on_both;
use crate::staffed::{Scene, changes, scene, staffed};

on_both!(
    a_pipeline_tells_how_it_went_and_nobody_is_asked,
    it_tells_of_nothing_but_what_it_asked_for,
    what_nobody_knows_is_said,
    one_that_only_the_invited_may_know_of_is_not_named,
    a_server_that_has_just_started_knows_what_waits,
    one_that_takes_nothing_more_keeps_no_other_from_hearing_it,
);

const NOTHING: &str = "Heard. Nothing that you may know of waits for this.";

/// What a pipeline asks for somebody, or tells, where that goes well.
fn gate(server: &Server, token: &str, behalf: &str, more: &[&str]) -> String {
    let words = ["gate", "--service", "search", "--action", "deploy v12", "--on-behalf-of", behalf];
    server.say(token, &[&words[..], more].concat()).trim_end().to_owned()
}

/// How its changes stand.
fn states(server: &Server, token: &str, n: u64) -> Vec<String> {
    let all = changes(server, token, n);
    all.iter().map(|change| change["state"].as_str().unwrap().to_owned()).collect()
}

/// The last entry: of what kind, and with what note.
fn last(server: &Server, token: &str, n: u64) -> (String, String) {
    let (_, page) = server.get(token, &format!("/api/v1/incidents/{n}/events"));
    let entry = page["entries"].as_array().unwrap().last().unwrap().clone();
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (word(&entry["kind"]), word(&entry["body"]["note"]))
}

fn a_pipeline_tells_how_it_went_and_nobody_is_asked(house: House) {
    let Scene { house, server, sabrina, n, .. } = scene(house);
    let pipeline = house.token("mary", "gate");
    let mut change = 0;
    for (how, state, kind, note) in [
        ("done", "done", "change_done", "told by the gate"),
        ("success", "done", "change_done", "told by the gate"),
        ("failure", "done", "change_done", "it failed, told by the gate"),
        ("cancelled", "done", "change_done", "it failed, told by the gate"),
        ("skipped", "dropped", "change_dropped", "told by the gate"),
    ] {
        change += 1;
        let what = format!("deploy v{change}");
        let words = ["gate", "--service", "search", "--action", &what, "--on-behalf-of", "sabrina"];
        server.say(&pipeline, &words);
        assert_eq!(states(&server, &sabrina, n).last().unwrap(), "announced", "{how}");
        let told = server.say(&pipeline, &[&words[..], &["--ended", how]].concat());
        assert_eq!(told, format!("Heard: change {change} of incident #{n}.\n"), "{how}");
        assert_eq!(states(&server, &sabrina, n).last().unwrap(), state, "{how}");
        let (last, said) = last(&server, &sabrina, n);
        assert!(last == kind && said.starts_with(note), "{how}: {last}, {said}");
        assert_eq!(said.ends_with(", and may have changed something"), note.contains("failed"), "{how}: {said}");
        // Told again, as by a job that is run again, it changes nothing.
        let entries = server.kinds(&sabrina, n).len();
        let again = server.say(&pipeline, &[&words[..], &["--ended", "failed"]].concat());
        assert_eq!((again.trim_end(), server.kinds(&sabrina, n).len()), (NOTHING, entries));
    }
    let json: Value = serde_json::from_str(&gate(&server, &pipeline, "sabrina", &["--json"])).unwrap();
    assert_eq!(json["decision"], "allow");
    let told: Value =
        serde_json::from_str(&gate(&server, &pipeline, "sabrina", &["--ended", "done", "--json"])).unwrap();
    assert_eq!(told["changes"], json!([{ "incident": n, "service": "search", "change": 6 }]));
}

fn it_tells_of_nothing_but_what_it_asked_for(house: House) {
    let Scene { house, server, mary, sabrina, robin, n } = scene(house);
    let pipeline = house.token("mary", "gate");
    gate(&server, &pipeline, "sabrina", &[]);
    server.done(&sabrina, n, json!({ "command": "announce_change", "what": "search: deploy v13" }));
    let entries = server.kinds(&sabrina, n).len();
    assert_eq!(gate(&server, &pipeline, "robin", &["--ended", "done"]), NOTHING);
    let other = ["gate", "--service", "search", "--action", "deploy v13", "--on-behalf-of", "sabrina"];
    assert_eq!(server.say(&pipeline, &[&other[..], &["--ended", "done"]].concat()).trim_end(), NOTHING);
    assert_eq!(server.kinds(&sabrina, n).len(), entries);
    // A pipeline is nobody; and whoever has a token of their own tells for themselves.
    let words = ["gate", "--service", "search", "--action", "deploy v12", "--ended", "done"];
    for (token, more, refused) in [
        (&pipeline, &[][..], "A pipeline is nobody"),
        (&robin, &["--on-behalf-of", "sabrina"], "With this token you ask for yourself"),
    ] {
        let output = server.verb(token, &[&words[..], more].concat());
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) || output.status.code() == Some(3), "{:?} {errors}", output.status);
        assert!(errors.contains(refused), "{errors}");
    }
    // Resolved meanwhile, it is heard all the same.
    server.done(&mary, n, json!({ "command": "set_phase", "phase": "resolved" }));
    assert_eq!(gate(&server, &pipeline, "sabrina", &["--ended", "done"]), format!("Heard: change 1 of incident #{n}."));
    assert_eq!(states(&server, &sabrina, n), ["done", "announced"]);
}

/// Nothing was said of it, and what was meant waited for ever.
fn what_nobody_knows_is_said(house: House) {
    let Scene { house, server, sabrina, n, .. } = scene(house);
    let pipeline = house.token("mary", "gate");
    gate(&server, &pipeline, "sabrina", &[]);
    assert_eq!(
        gate(&server, &pipeline, "sabrna", &["--ended", "done"]),
        format!("{NOTHING} Nobody here is called “sabrna”. An admin can add people to the directory.")
    );
    let mistyped =
        ["gate", "--service", "serach", "--action", "deploy v12", "--on-behalf-of", "sabrina", "--ended", "done"];
    let told = server.say(&pipeline, &mistyped);
    assert!(told.starts_with(NOTHING) && told.contains("Nobody here knows a service “serach”"), "{told}");
    assert_eq!(states(&server, &sabrina, n), ["announced"]);
}

fn one_that_only_the_invited_may_know_of_is_not_named(house: House) {
    let Scene { house, server, mary, sabrina, n, .. } = scene(house);
    let pipeline = house.token("mary", "gate");
    server.done(&mary, n, json!({ "command": "restrict" }));
    gate(&server, &pipeline, "sabrina", &[]);
    assert_eq!(states(&server, &sabrina, n), ["announced"]);
    assert_eq!(gate(&server, &pipeline, "sabrina", &["--ended", "done"]), NOTHING);
    assert_eq!(states(&server, &sabrina, n), ["done"]);
}

fn a_server_that_has_just_started_knows_what_waits(house: House) {
    let Scene { house, server, mary, sabrina, n, .. } = scene(house);
    let pipeline = house.token("mary", "gate");
    let second = staffed(&server, &mary, &sabrina, &json!({ "title": "Search is slow too" }));
    gate(&server, &pipeline, "sabrina", &[]);
    server.done(&mary, n, json!({ "command": "set_phase", "phase": "resolved" }));
    server.kill();
    let server = house.serve();
    let told = gate(&server, &pipeline, "sabrina", &["--ended", "done"]);
    assert_eq!(told, format!("Heard: change 1 of incident #{n}, change 1 of incident #{second}."));
    for number in [n, second] {
        assert_eq!(states(&server, &sabrina, number), ["done"]);
    }
}

/// The first one ended it, and what came after was never told, however often.
fn one_that_takes_nothing_more_keeps_no_other_from_hearing_it(house: House) {
    let Scene { house, server, mary, sabrina, n, .. } = scene(house);
    let pipeline = house.token("mary", "gate");
    let second = staffed(&server, &mary, &sabrina, &json!({ "title": "Search is slow too" }));
    gate(&server, &pipeline, "sabrina", &[]);
    let noted = server.done(&mary, n, json!({ "command": "note", "text": "it is slow" }));
    server.done(&mary, n, json!({ "command": "restrict" }));
    server.kill();
    let entry = &noted["last_entry"];
    house.tamper(&format!("UPDATE events SET body = 'null' WHERE stream = {n} AND seq = {entry}"));
    house.tamper("DELETE FROM snapshots");
    let server = house.serve();
    let what = json!({ "services": ["search"], "what": "deploy v12", "on_behalf_of": "sabrina", "ended": "done" });
    let tell = || server.send(&pipeline, "/api/v1/gate/ended", what.to_string().as_bytes()).unwrap();
    // Others read along where a pipeline runs: which one it is, and why, is for those who are invited.
    let again = "it could not be recorded. Tell it again, or tell the incident how it went.";
    let (status, told) = tell();
    let elsewhere = format!("Heard: change 1 of incident #{second}; elsewhere {again}");
    assert_eq!((status, &told["code"], &told["detail"]), (503, &json!("not_recorded"), &json!(elsewhere)));
    assert_eq!(
        tell().1["detail"],
        "How this went could not be recorded. Tell it again, or tell the incident how it went."
    );
    assert_eq!(states(&server, &sabrina, second), ["done"]);
}

/// A pipeline is answered by whichever node it reaches.
#[test]
fn another_node_than_the_one_that_let_it_through_hears_how_it_went() {
    let Scene { house, server, sabrina, n, .. } = scene(House::on_postgres());
    let (pipeline, other) = (house.token("mary", "gate"), house.serve());
    for round in 1..4 {
        let what = format!("deploy v{round}");
        let words = ["gate", "--service", "search", "--action", &what, "--on-behalf-of", "sabrina"];
        server.say(&pipeline, &words);
        let told = other.say(&pipeline, &[&words[..], &["--ended", "done"]].concat());
        assert_eq!(told, format!("Heard: change {round} of incident #{n}.\n"));
    }
    // Asked of the node that heard it: the first one reads the log a moment later.
    assert_eq!(states(&other, &sabrina, n), ["done"; 3]);
}

/// Telling fails a pipeline only where somebody wants that, whatever kept it from being heard.
#[test]
fn what_could_not_be_told_is_said() {
    let Scene { house, server, sabrina, n, .. } = scene(House::on_sqlite());
    let pipeline = house.token("mary", "gate");
    gate(&server, &pipeline, "sabrina", &[]);
    let behalf = ["--on-behalf-of", "sabrina"];
    let tell = |url: &str, token: &str, more: &[&str], on_failure: &str, how: &str| {
        let words =
            ["gate", "--service", "search", "--action", "deploy v12", "--ended", how, "--on-failure", on_failure];
        let mut telling = Command::new(WARDROOM);
        telling.args(words).args(more).env("WARDROOM_TOKEN", token).env("WARDROOM_URL", url);
        let told = telling.output().unwrap();
        (told.status.code(), String::from_utf8_lossy(&told.stderr).into_owned())
    };
    for (url, token, more, closed) in [
        // Nobody listens on the discard port.
        ("http://127.0.0.1:9", &*pipeline, &behalf[..], 4),
        // A token that ended during the rollout, and what is wrong with what is told.
        (&server.url, "wr_nobodys", &behalf, 3),
        (&server.url, &pipeline, &[], 2),
    ] {
        for (on_failure, ends) in [("open", 0), ("closed", closed)] {
            let (code, errors) = tell(url, token, more, on_failure, "done");
            assert_eq!(code, Some(ends), "{on_failure}: {errors}");
            assert!(errors.contains("how it went could not be told: "), "{errors}");
            let asked = "whoever it was for is asked how it went (--on-failure open)";
            assert_eq!(errors.contains(asked), ends == 0, "{errors}");
        }
    }
    assert_eq!(states(&server, &sabrina, n), ["announced"]);
    // What cannot be meant is a mistake in the pipeline itself, which whoever writes it is to see.
    let (code, errors) = tell(&server.url, &pipeline, &behalf, "open", "perhaps");
    assert!(code == Some(2) && errors.contains("perhaps"), "{code:?} {errors}");
}
