//! Places that were mistyped, files that are no stores, backups that do not hold, and who may read them.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::house::{House, ask_file};
use crate::on_both;

on_both!(
    a_place_that_was_mistyped_is_not_made,
    a_backup_that_does_not_hold_is_not_restored,
    a_file_that_is_no_store_is_told_as_one
);

/// The exit code, and what was said to a person.
fn said(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// `verify` made an empty store and found that it holds; a backup of it held nothing.
fn a_place_that_was_mistyped_is_not_made(house: House) {
    let backup = house.folder().join("monday.backup").display().to_string();
    for typed in [
        "verify",
        "person list",
        "person link mary",
        "person change mary --admin true",
        "person deactivate mary",
        "person activate mary",
        "person forget mary",
        "team list",
        "team set sre mary",
        "team remove sre",
        "service list",
        "service set search",
        "service remove search",
        "token list",
        "token create mary",
        "token revoke 019ac1f0-8a4e-7c63-9d5b-3a1f0c2e4b77",
        &format!("backup {backup}"),
    ] {
        let arguments: Vec<&str> = typed.split(' ').collect();
        let (code, told) = said(&house.console(&arguments));
        assert!(code == Some(1) && told.contains("there is no Wardroom store in"), "{typed}: {code:?} {told}");
    }
    let told: Value = serde_json::from_slice(&house.console(&["verify", "--json"]).stdout).unwrap();
    assert_eq!(told["code"], "no_store");
    if house.is_postgres() {
        assert_eq!(house.ask("SELECT count(*) FROM pg_class WHERE relname IN ('events', 'migrations')"), "0");
    } else {
        assert!(!house.data().exists());
    }
    assert!(!Path::new(&backup).exists());
    house.run(&["person", "add", "ada", "--name", "Ada", "--admin"]);
    assert_eq!(house.verify()["holds"], true, "whoever is added first makes it");
}

/// It was restored, and the damage was found by whoever could not change an incident any more.
fn a_backup_that_does_not_hold_is_not_restored(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    server.done(&mary, n, json!({ "command": "set_severity", "severity": "sev1" }));
    server.done(&mary, n, json!({ "command": "note", "text": "afterwards" }));
    let [good, bad] = ["good.backup", "bad.backup"].map(|name| house.folder().join(name));
    house.run(&["backup", good.to_str().unwrap()]);
    let mode = std::fs::metadata(&good).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "nobody else reads a backup");
    std::fs::copy(&good, &bad).unwrap();
    ask_file(&bad, "UPDATE events SET body = replace(body, 'sev1', 'sev4') WHERE kind = 'severity_set'");
    let other = if house.is_postgres() { House::on_postgres() } else { House::on_sqlite() };
    let refused = other.console(&["restore", bad.to_str().unwrap()]);
    let (code, told) = said(&refused);
    assert_eq!(code, Some(5), "{told}");
    assert!(told.contains("incident 1, entry 2") && told.contains("was altered"), "{told}");
    assert_eq!(said(&other.console(&["verify"])).0, Some(1), "nothing is left behind");
    // The good one is as good as before, and can be restored from a medium that cannot be written to.
    std::fs::set_permissions(&good, std::fs::Permissions::from_mode(0o400)).unwrap();
    other.run(&["restore", good.to_str().unwrap(), "--keep-tokens"]);
    assert_eq!(other.verify()["holds"], true);
    let server = other.serve();
    assert_eq!(server.notes(&mary, n), ["afterwards"]);
}

fn a_file_that_is_no_store_is_told_as_one(house: House) {
    let [garbage, empty, gone] = ["garbage", "empty", "gone"].map(|name| house.folder().join(name));
    std::fs::write(&garbage, "no database at all, however long it is ".repeat(100)).unwrap();
    std::fs::write(&empty, "").unwrap();
    for file in [&garbage, &empty, &gone] {
        let (code, told) = said(&house.console(&["restore", file.to_str().unwrap()]));
        assert_eq!(code, Some(1), "{}: {told}", file.display());
    }
    if house.is_postgres() {
        return;
    }
    std::fs::create_dir(house.data()).unwrap();
    std::fs::copy(&garbage, house.data().join("wardroom.db")).unwrap();
    for typed in [&["verify"][..], &["person", "list"], &["person", "add", "ada", "--name", "Ada"], &["serve"]] {
        let (code, told) = said(&house.console(typed));
        assert!(code == Some(1) && told.contains("no store of Wardroom's"), "{typed:?}: {code:?} {told}");
    }
}

#[test]
fn what_cannot_be_meant_is_wrong_usage() {
    let house = House::on_sqlite();
    for (typed, tells) in [
        ("serve --max-connections 9999999999999999999", "from 1 to 1000000"),
        ("serve --max-connections 0", "from 1 to 1000000"),
        ("serve --max-streams-per-person -1", ""),
    ] {
        let arguments: Vec<&str> = typed.split(' ').collect();
        let (code, told) = said(&house.console(&arguments));
        assert!(code == Some(2) && told.contains(tells) && !told.contains("panicked"), "{typed}: {code:?} {told}");
    }
    for (url, token, tells) in [
        ("ftp://127.0.0.1", "wt_x", "begins with http://"),
        ("127.0.0.1:8080", "wt_x", "begins with http://"),
        ("http://127.0.0.1:9", "wt_a\nwt_b", "is one word"),
    ] {
        let mut wardroom = std::process::Command::new(crate::house::WARDROOM);
        let output = wardroom.arg("next").env("WARDROOM_URL", url).env("WARDROOM_TOKEN", token).output().unwrap();
        let (code, told) = said(&output);
        assert!(code == Some(2) && told.contains(tells), "{url}: {code:?} {told}");
        assert!(!told.contains("wt_"), "a token is never shown: {told}");
    }
}

#[test]
fn whoever_finds_the_folder_taken_promises_nothing() {
    let house = House::on_sqlite();
    let _server = house.serve();
    let second = house.console(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(String::from_utf8_lossy(&second.stdout), "", "it does not listen");
    assert!(said(&second).1.contains("another `wardroom serve` runs on"));
}

/// A film, or a device that never ends, was read whole before anybody looked how long it was.
#[test]
fn what_is_far_too_large_is_not_read() {
    let house = House::on_sqlite();
    let film = house.folder().join("film.csv");
    std::fs::File::create(&film).unwrap().set_len(1 << 36).unwrap();
    let (code, told) = said(&house.console(&["person", "import", film.to_str().unwrap()]));
    assert!(code == Some(1) && told.contains("larger than"), "{code:?} {told}");
    let (code, told) = said(&house.console(&["serve", "--config", film.to_str().unwrap()]));
    assert!(code == Some(1) && told.contains("larger than"), "{code:?} {told}");
}
