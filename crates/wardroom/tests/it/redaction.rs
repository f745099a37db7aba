//! Redaction leaves nothing: not on any page, list or stream, on no node, in no file and no backup; but a tombstone.

use serde_json::{Value, json};

use crate::house::{House, Server};
use crate::{on_both, wait};

on_both!(redacted_words_are_nowhere);

/// Every secret begins so.
const SECRET: &str = "sesame";
/// Said beside, and never redacted: whoever looks for words can find some.
const KEPT: &str = "a word that stays";

/// Whether a page shows the secret.
fn shows(page: &Value) -> bool {
    page.to_string().contains(SECRET)
}

/// Everything that can be read of an incident, each by its name; the stream from an early cursor to its last entry.
fn everything(server: &Server, token: &str, n: u64, cursor: &str) -> Vec<(String, Value)> {
    let incident = format!("/api/v1/incidents/{n}");
    let paths = [
        incident.clone(),
        format!("{incident}/events?after_entry=250"),
        format!("{incident}/events?limit=20"),
        format!("{incident}/briefing"),
        "/api/v1/incidents".to_owned(),
        "/api/v1/next".to_owned(),
        "/".to_owned(),
    ];
    let read = |path: String| {
        let (status, page) = server.get(token, &path);
        assert_eq!(status, 200, "{path}: {page}");
        (path, page)
    };
    let mut all: Vec<(String, Value)> = paths.into_iter().map(read).collect();
    let last = all[0].1["last_entry"].clone();
    let stream = server.follow(token, &format!("?after={cursor}&incident={n}"));
    loop {
        let entry = stream.next();
        let ends = entry["entry"] == last;
        all.push((format!("the stream's entry {}", entry["entry"]), entry));
        if ends {
            return all;
        }
    }
}

/// Says secrets wherever there is room for words; returns the entries that hold them.
fn say_secrets(server: &Server, mary: &str, n: u64) -> Vec<Value> {
    let mut entries = vec![json!(1)];
    for command in [
        json!({ "command": "note", "text": format!("{SECRET} note") }),
        json!({ "command": "note", "text": format!("{SECRET} pinned note"), "pin": true }),
        json!({ "command": "doing", "text": format!("{SECRET} doing") }),
        json!({ "command": "raise_roadblock", "text": format!("{SECRET} roadblock") }),
        json!({ "command": "add_post", "label": format!("{SECRET} post") }),
        json!({ "command": "set_severity", "severity": "sev1", "reason": format!("{SECRET} reason") }),
        json!({ "command": "offer_role", "role": "operations", "to": { "person": "sabrina" },
            "note": format!("{SECRET} offer") }),
    ] {
        entries.push(server.done(mary, n, command)["first_entry"].clone());
    }
    entries
}

/// Which of the files in a folder have these words in them.
fn files_with(folder: &std::path::Path, words: &str) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).filter(|path| path.is_file());
    let has = |path: &std::path::PathBuf| {
        std::fs::read(path).unwrap().windows(words.len()).any(|part| part == words.as_bytes())
    };
    files.filter(has).map(|path| path.display().to_string()).collect()
}

/// Nothing of it is left in the store itself.
fn is_erased_from_the_store(house: &House) {
    if house.is_postgres() {
        for table in ["events", "texts", "requests", "snapshots", "board", "tips"] {
            let found =
                |words: &str| house.ask(&format!("SELECT count(*) FROM {table} t WHERE t::text LIKE '%{words}%'"));
            assert_eq!(found(SECRET), "0", "{table}");
            assert!(table != "texts" || found(KEPT) != "0");
        }
        return;
    }
    // Somebody may have been reading the journal; then it is emptied with the next sign of life.
    wait::until("the files have forgotten", || files_with(&house.data(), SECRET).is_empty().then_some(()));
    assert_ne!(files_with(&house.data(), KEPT), Vec::<String>::new());
}

fn redacted_words_are_nowhere(house: House) {
    let [mary, _] = ["mary", "sabrina"].map(|handle| house.person(handle));
    let server = house.serve();
    let second = house.is_postgres().then(|| house.serve());
    let n = server.declare(&mary, &format!("{SECRET} title"));
    let cursor = server.get(&mary, &format!("/api/v1/incidents/{n}")).1["cursor"].as_str().unwrap().to_owned();
    let secrets = say_secrets(&server, &mary, n);
    // Enough for a snapshot.
    for _ in 0..260 {
        server.done(&mary, n, json!({ "command": "note", "text": KEPT }));
    }
    let watching = server.follow(&mary, &format!("?incident={n}"));
    let last = secrets.last().unwrap().clone();
    for node in [Some(&server), second.as_ref()].into_iter().flatten() {
        wait::until("the node has it", || {
            let (status, state) = node.get(&mary, &format!("/api/v1/incidents/{n}"));
            (status == 200 && state["last_entry"].as_u64() >= last.as_u64().map(|last| last + 260)).then_some(())
        });
        let shown = everything(node, &mary, n, &cursor);
        assert!(
            shown.iter().filter(|(_, page)| shows(page)).count() > secrets.len(),
            "the words are everywhere at first"
        );
    }
    for entry in &secrets {
        server.done(&mary, n, json!({ "command": "redact", "entry": entry, "reason": "a pasted password" }));
        let told = std::iter::repeat_with(|| watching.next()).find(|told| told["kind"] == "redacted").unwrap();
        assert!(told["told"].as_str().unwrap().contains(&format!("redacted the words of entry {entry}")), "{told}");
    }
    let is_clean = |node: &Server| {
        for (name, page) in everything(node, &mary, n, &cursor) {
            assert!(!shows(&page), "{name}: {page}");
        }
        let (_, page) = node.get(&mary, &format!("/api/v1/incidents/{n}/events?limit=20"));
        assert_eq!(page["entries"][0]["kind"], "opened", "the entry itself stays");
        assert_eq!(page["entries"][0]["body"]["title"], Value::Null, "as a tombstone");
        assert!(page.to_string().contains(KEPT));
    };
    is_clean(&server);
    is_erased_from_the_store(&house);
    if let Some(second) = second {
        wait::until("the second node has read of it", || {
            let (_, state) = second.get(&mary, &format!("/api/v1/incidents/{n}"));
            let expected = server.get(&mary, &format!("/api/v1/incidents/{n}")).1["last_entry"].clone();
            (state["last_entry"] == expected).then_some(())
        });
        is_clean(&second);
    }
    let backups = house.folder().join("backups");
    std::fs::create_dir(&backups).unwrap();
    house.run(&["backup", backups.join("monday.backup").to_str().unwrap()]);
    assert_eq!(files_with(&backups, SECRET), Vec::<String>::new());
    assert_eq!(files_with(&backups, KEPT).len(), 1);
    server.kill();
    let server = house.serve();
    is_clean(&server);
    is_erased_from_the_store(&house);
    assert_eq!(house.verify()["holds"], true);
}
