//! What ran and could not be told, or not all of it: nothing of it is lost, and it is told as what it was.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::house::House;
use crate::run_offline::files;
use crate::run_offline::ground::{Ground, said};
use crate::staffed::{fill, narrow};
use crate::{on_both, wait};

on_both!(
    without_room_for_what_it_said_it_is_recorded_how_it_went,
    what_ran_while_the_server_went_is_told_later,
    what_can_be_neither_told_nor_kept_ends_as_the_command_did,
    what_could_not_be_kept_to_its_end_ends_as_the_command_did,
    whoever_delivers_it_it_is_told_as_what_it_was,
    what_was_told_with_a_token_that_is_replaced_is_told_once,
);

fn without_room_for_what_it_said_it_is_recorded_how_it_went(house: House) {
    let ground = Ground::of_server(&house, narrow(&house));
    fill(&house, &ground.server, &ground.sabrina);
    ground.gate.shut();
    assert_eq!(ground.offline(&ground.sabrina, "echo no quota; exit 7").0, Some(7));
    ground.gate.open();
    let (code, out, errors) = ground.deliver(&ground.sabrina);
    assert_eq!((code, ground.kept().len()), (Some(0), 0), "{out}{errors}");
    let change = &ground.changes()[0];
    assert_eq!((&change["state"], &change["evidence"]), (&json!("done"), &Value::Null), "{change}");
    assert!(change["why"].as_str().unwrap().ends_with(", and may have changed something"), "{change}");
    let file = out.split_once(", it is in ").unwrap().1.split_once(": ").unwrap().0;
    assert!(fs::read_to_string(file).unwrap().ends_with("\nno quota\n"), "{out}");
    let mut all = Vec::new();
    files(&ground.state, &mut all);
    assert!(all.iter().all(|(path, mode)| *mode == if path.is_dir() { 0o700 } else { 0o600 }), "{all:?}");
}

/// What a command says that ends with 7, while the server goes.
fn the_server_goes(house: &House, ground: &Ground, run: &[&str], state: &Path) -> (Option<i32>, String, String) {
    let [begun, go] = ["begun", "go"].map(|name| house.folder().join(name));
    for left in [&begun, &go] {
        drop(fs::remove_file(left));
    }
    let script = format!(
        "touch {}; while [ ! -e {} ]; do sleep 0.05; done; echo it went; exit 7",
        begun.display(),
        go.display()
    );
    let mut typed = ground.typed(&ground.sabrina, &[run, &["--", "sh", "-c", &script]].concat());
    let running = typed.env("WARDROOM_STATE", state).spawn().unwrap();
    wait::until("it runs", || begun.exists().then_some(()));
    ground.gate.shut();
    fs::write(&go, "").unwrap();
    said(&running.wait_with_output().unwrap())
}

/// A script that goes on by its exit code is not told that the server is away.
fn what_can_be_neither_told_nor_kept_ends_as_the_command_did(house: House) {
    let ground = Ground::of(&house);
    let nowhere = Path::new("/dev/null/state");
    let (code, out, errors) = the_server_goes(&house, &ground, &["run", "1"], nowhere);
    assert_eq!((code, out.as_str()), (Some(7), "it went\n"), "{errors}");
    assert!(
        errors.contains("could not be told") && errors.contains("nor could it be kept on this machine"),
        "{errors}"
    );
    assert!(
        errors.contains("Once the server is back, say it: wardroom change 1 done 1 \"exit code 7 after "),
        "{errors}"
    );
    assert!(errors.contains("or, if it changed nothing, wardroom change 1 failed 1"), "{errors}");
    ground.gate.open();
    let (code, out, errors) = the_server_goes(&house, &ground, &["run", "1", "--look", "--json"], nowhere);
    let answer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &answer["exit_code"], &answer["evidence"]), (Some(7), &json!(7), &Value::Null), "{errors}");
    assert!(answer["not_kept"]["why"].is_string() && answer["recorded_later"].is_null(), "{answer}");
    assert!(errors.contains("wardroom note 1 \"what you saw\""), "{errors}");
}

fn what_could_not_be_kept_to_its_end_ends_as_the_command_did(house: House) {
    let ground = Ground::of(&house);
    ground.gate.shut();
    let away = house.folder().join("away");
    let (code, _, errors) =
        ground.offline(&ground.sabrina, &format!("mv \"$WARDROOM_STATE\" {}; exit 7", away.display()));
    assert_eq!(code, Some(7), "{errors}");
    assert!(
        errors.contains("that could not be kept in ") && errors.contains("wardroom note 1 \"exit code 7 "),
        "{errors}"
    );
    fs::rename(&away, &ground.state).unwrap();
    ground.gate.open();
    let (code, out, errors) = ground.deliver(&ground.sabrina);
    assert_eq!((code, ground.kept().len()), (Some(0), 0), "{out}{errors}");
    assert!(ground.changes()[0]["why"].as_str().unwrap().ends_with("and nobody saw its end"), "{out}");
}

fn what_ran_while_the_server_went_is_told_later(house: House) {
    let ground = Ground::of(&house);
    let (code, out, errors) = the_server_goes(&house, &ground, &["run", "1"], &ground.state);
    assert_eq!((code, out.as_str()), (Some(7), "it went\n"), "{errors}");
    assert!(errors.contains("could not be told") && errors.contains("wardroom run --deliver"), "{errors}");
    assert_eq!(ground.changes()[0]["state"], "announced");
    let record = fs::read_to_string(ground.kept()[0].join("record.json")).unwrap();
    let ended = serde_json::from_str::<Value>(&record).unwrap()["ended"]["at"].clone();
    ground.gate.open();
    let (code, out, errors) = ground.deliver(&ground.sabrina);
    assert_eq!((code, ground.kept().len()), (Some(0), 0), "{out}{errors}");
    let changes = ground.changes();
    assert_eq!((changes.len(), &changes[0]["state"]), (1, &json!("done")), "{changes:?}");
    assert!(changes[0]["note"].as_str().unwrap().ends_with(", and may have changed something"), "{changes:?}");
    assert!(out.contains("operations say so: wardroom change 1 failed 1."), "{out}");
    assert_eq!(changes[0]["state_at"], ended, "as of when it ended, and not of when that was told");
    let evidence = ground.evidence();
    assert!(evidence[0].0 == "change-1.txt" && evidence[0].1.ends_with("\nit went\n"), "{evidence:?}");
    assert!(evidence[0].1.starts_with("$ sh -c "), "it did not run without the server: {evidence:?}");
}

/// Operations may deliver it, and it is theirs no more than before: what was run over broken glass, or by somebody else.
fn whoever_delivers_it_it_is_told_as_what_it_was(house: House) {
    let ground = Ground::of(&house);
    let robin = house.person("robin");
    ground.gate.shut();
    let run = ["run", "1", "--offline", "--service", "search"];
    let glass = ["--break-glass", "it burns.", "--why", "v12 leaks"];
    for (token, more) in [(&ground.sabrina, &glass[..]), (&robin, &glass[..2]), (&robin, &[]), (&ground.sabrina, &[])] {
        assert_eq!(ground.say(token, &[&run[..], more, &["--", "true"]].concat()).0, Some(0));
    }
    ground.gate.open();
    let (code, out, errors) = ground.deliver(&ground.sabrina);
    assert_eq!((code, ground.kept().len()), (Some(0), 0), "{out}{errors}");
    let stands: Vec<[String; 2]> = ground
        .changes()
        .iter()
        .map(|change| ["coordination", "why"].map(|word| change[word].as_str().unwrap().to_owned()))
        .collect();
    for (told, coordination, why) in [
        (
            &stands[0],
            "uncoordinated",
            "Over broken glass: it burns. v12 leaks (recorded later: it ran without the server until ",
        ),
        (
            &stands[1],
            "uncoordinated",
            "Over broken glass: it burns (recorded later: it ran with another token without the ",
        ),
        (&stands[2], "uncoordinated", "Recorded later: it ran with another token without the server until "),
        (&stands[3], "by_operations", "Recorded later: it ran without the server until "),
    ] {
        assert!(told[0] == coordination && told[1].starts_with(why), "{told:?}");
    }
    assert_eq!(out.matches(" Operations sort it (wardroom change 1 take-in ").count(), 3, "{out}");
}

fn what_was_told_with_a_token_that_is_replaced_is_told_once(house: House) {
    let ground = Ground::of(&house);
    ground.gate.shut();
    assert_eq!(ground.offline(&ground.sabrina, "true").0, Some(0));
    ground.deliver_unheard();
    ground.gate.open();
    let (code, out, errors) = ground.deliver(&house.token("sabrina", "respond"));
    assert_eq!((code, ground.kept().len()), (Some(0), 0), "{out}{errors}");
    let changes = ground.changes();
    assert_eq!((changes.len(), &changes[0]["coordination"]), (1, &json!("by_operations")), "{changes:?}");
    assert!(!out.contains("Operations sort it"), "{out}");
}
