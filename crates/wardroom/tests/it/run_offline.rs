//! `wardroom run --offline`: where the server cannot be reached and somebody insists, it runs and is recorded later, once.

pub mod ground;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use self::ground::{Ground, said};
use crate::house::House;
use crate::{on_both, wait};

on_both!(
    without_the_server_it_runs_only_where_somebody_insists,
    what_is_kept_is_for_its_owner_alone_and_has_no_secret_in_it,
    what_ran_is_recorded_once,
    from_outside_operations_it_is_uncoordinated_and_opens_what_was_closed,
    being_offline_is_no_way_around_a_no,
    what_is_killed_is_told_as_one_whose_end_nobody_saw,
    a_delivery_that_is_killed_and_done_again_records_once,
    what_was_announced_as_the_server_was_lost_is_told_as_announced,
    a_no_keeps_it_and_says_what_to_do,
    what_is_broken_is_named_and_harms_no_other,
    a_few_are_recorded_by_themselves,
    where_the_clocks_differ_it_is_recorded_without_its_time,
);

/// Every file below a folder, with its mode.
pub fn files(folder: &Path, found: &mut Vec<(PathBuf, u32)>) {
    found.push((folder.to_owned(), fs::metadata(folder).unwrap().permissions().mode() & 0o777));
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push((path.clone(), fs::metadata(&path).unwrap().permissions().mode() & 0o777));
        }
    }
}

fn without_the_server_it_runs_only_where_somebody_insists(house: House) {
    let ground = Ground::of(&house);
    let sabrina = &ground.sabrina;
    ground.gate.shut();
    let file = house.folder().join("started");
    let touch = ["--", "touch", file.to_str().unwrap()];
    for arguments in [&["run", "1"][..], &["run"], &["run", "1", "--look"]] {
        let (code, _, errors) = ground.say(sabrina, &[arguments, &touch].concat());
        assert_eq!(code, Some(4), "{errors}");
        assert!(errors.contains("Nothing was run.") && errors.contains("--offline"), "{errors}");
    }
    for arguments in [&["run", "--offline", "--service", "search"][..], &["run", "1", "--offline"]] {
        let (code, _, errors) = ground.say(sabrina, &[arguments, &touch].concat());
        assert_eq!(code, Some(2), "{errors}");
        assert!(errors.contains("Name them: wardroom run N --offline --service NAME"), "{errors}");
    }
    let missing = ["run", "1", "--offline", "--look", "--", "no-such-command-here"];
    assert_eq!(ground.say(sabrina, &missing).0, Some(2));
    assert!(!file.exists() && ground.kept().is_empty(), "nothing was run");
    let (code, out, errors) = ground.say(sabrina, &["run", "1", "--offline", "--look", "--", "echo", "5 pods"]);
    assert_eq!((code, out.as_str(), ground.kept().len()), (Some(0), "5 pods\n", 1));
    assert!(errors.contains("The server cannot be reached. This runs unannounced and is recorded later."), "{errors}");
    assert!(errors.contains("wardroom run --deliver"), "{errors}");
}

/// Three that run without the server: a change, one that ends badly, and a look.
fn three(ground: &Ground) {
    let (mary, sabrina) = (&ground.mary, &ground.sabrina);
    ground.gate.shut();
    let offline = ["run", "1", "--offline", "--service", "search"];
    let script = "echo rolled back; echo password=hunter22; echo $WARDROOM_TOKEN; echo careful >&2";
    let told = ["--undo", "deploy v12", "--why", "v12 leaks", "--", "sh", "-c", script];
    let (code, out, errors) = ground.say(sabrina, &[&offline[..], &told].concat());
    assert_eq!((code, out), (Some(0), format!("rolled back\npassword=hunter22\n{sabrina}\n")));
    assert!(errors.contains("careful\n"), "{errors}");
    let told = ["--what", "drained eu-1", "--json", "--", "sh", "-c", "exit 7"];
    let (code, out, _) = ground.say(sabrina, &[&offline[..], &told].concat());
    assert_eq!((code, &serde_json::from_str::<Value>(&out).unwrap()["exit_code"]), (Some(7), &json!(7)));
    assert_eq!(ground.say(mary, &["run", "1", "--offline", "--look", "--", "echo", "5 pods"]).0, Some(0));
    assert_eq!(ground.kept().len(), 3);
}

fn what_is_kept_is_for_its_owner_alone_and_has_no_secret_in_it(house: House) {
    let ground = Ground::of(&house);
    let (mary, sabrina) = (&ground.mary, &ground.sabrina);
    three(&ground);
    let mut all = Vec::new();
    files(&ground.state, &mut all);
    for (path, mode) in all {
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
        let text = if path.is_dir() { String::new() } else { fs::read_to_string(&path).unwrap() };
        assert!(!text.contains("hunter22") && !text.contains(&**sabrina) && !text.contains(&**mary), "{text}");
    }
    let (code, out, errors) = ground.deliver(sabrina);
    assert_eq!((code, ground.kept().len()), (Some(4), 3), "{errors}");
    assert!(out.starts_with("Left: 3\n") && out.contains("`echo '5 pods'`, which ran "), "{out}");
}

fn what_ran_is_recorded_once(house: House) {
    let ground = Ground::of(&house);
    let (mary, sabrina) = (&ground.mary, &ground.sabrina);
    three(&ground);
    ground.gate.open();
    // Whoever ran it tells it; what somebody else ran with another token is left.
    let (code, out, errors) = ground.say(sabrina, &["next"]);
    assert_eq!(code, Some(0));
    assert!(!out.is_empty() && !out.contains("recorded"), "{out}");
    assert_eq!(errors.lines().count(), 2, "{errors}");
    assert!(errors.contains("change 1 is recorded") && errors.contains("change 2 is recorded"), "{errors}");
    assert!(errors.lines().nth(1).unwrap().contains("operations say so: wardroom change 1 failed 2."), "{errors}");
    assert_eq!(ground.kept().len(), 1);
    let (code, _, errors) = ground.say(mary, &["show", "1"]);
    assert_eq!((code, errors.contains("kept as evidence"), ground.kept().len()), (Some(0), true, 0), "{errors}");
    assert_eq!(ground.say(sabrina, &["next"]).2, "", "it is recorded once");
    assert_eq!(ground.deliver(sabrina), (Some(0), "Nothing waits to be recorded.\n".to_owned(), String::new()));
    stands_in_the_ledger(&ground);
    is_kept_as_evidence(&ground);
}

/// The change, and the one that ended badly.
fn stands_in_the_ledger(ground: &Ground) {
    let changes = ground.changes();
    let [done, broke_off] = changes.as_slice() else { panic!("{changes:?}") };
    for change in [done, broke_off] {
        assert_eq!((&change["coordination"], &change["service"]), (&json!("by_operations"), &json!("search")));
    }
    assert_eq!((&done["state"], &done["back"]), (&json!("done"), &json!("deploy v12")));
    assert!(done["why"].as_str().unwrap().starts_with("v12 leaks (recorded later: it ran without the server until 2"));
    assert!(done["why"].as_str().unwrap().contains("exit code 0 after "), "{done}");
    assert!(done["what"].as_str().unwrap().contains("password=[masked]"), "{done}");
    let [made, told] = ["done_at", "at"].map(|name| done[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap());
    assert!(made < told, "when it was made is not when it is told: {done}");
    assert!(done["why"].as_str().unwrap().ends_with(" s)"), "nothing is in doubt about it: {done}");
    assert_eq!((&broke_off["state"], &broke_off["what"]), (&json!("done"), &json!("drained eu-1")));
    let why = broke_off["why"].as_str().unwrap();
    assert!(why.starts_with("Recorded later: ") && why.contains(", exit code 7 after "), "{broke_off}");
    assert!(why.ends_with(", and may have changed something"), "{broke_off}");
}

/// What all three said.
fn is_kept_as_evidence(ground: &Ground) {
    let (mary, sabrina) = (&ground.mary, &ground.sabrina);
    let evidence = ground.evidence();
    let names: Vec<&str> = evidence.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["change-1-recorded-later.txt", "change-2-recorded-later.txt", "look-recorded-later.txt"],
        "{evidence:?}"
    );
    let words = &evidence[0].1;
    assert!(words.starts_with("Recorded later: it ran without the server, from 2"), "{words}");
    assert!(words.contains("--- output ---\nrolled back\npassword=[masked]\n[masked]\n"), "{words}");
    assert!(words.contains("--- errors ---\ncareful\n") && !words.contains("hunter22"), "{words}");
    assert!(evidence[2].1.contains("$ echo '5 pods'\nexit code 0 after "), "{evidence:?}");
    let all = ground.server.get(mary, "/api/v1/incidents/1/events").1.to_string();
    assert!(!all.contains("hunter22") && !all.contains(&**sabrina), "{all}");
}

fn from_outside_operations_it_is_uncoordinated_and_opens_what_was_closed(house: House) {
    let ground = Ground::of(&house);
    let robin = house.person("robin");
    ground.gate.shut();
    let glass =
        ["run", "1", "--offline", "--service", "search", "--break-glass", "it burns", "--", "sh", "-c", "exit 7"];
    assert_eq!(ground.say(&robin, &glass).0, Some(7));
    let interrupted = ground.offline(&ground.mary, "kill -TERM $$");
    assert_eq!(interrupted.0, Some(143), "{interrupted:?}");
    ground.gate.open();
    for phase in ["resolved", "closed"] {
        ground.server.done(&ground.mary, 1, json!({ "command": "set_phase", "phase": phase }));
    }
    // Robin has not joined, and nobody takes evidence any more: telling of a change sees to both.
    let (code, out, errors) = ground.deliver(&robin);
    assert_eq!(code, Some(0), "{out}{errors}");
    for change in 1..=2 {
        assert!(out.contains(&format!("operations say so: wardroom change 1 failed {change}.")), "{out}");
    }
    let changes = ground.changes();
    for change in &changes {
        assert_eq!((&change["state"], &change["coordination"]), (&json!("done"), &json!("uncoordinated")), "{change}");
    }
    let why = changes[0]["why"].as_str().unwrap();
    assert!(why.starts_with("Over broken glass: it burns (recorded later: ") && why.contains("exit code 7"), "{why}");
    assert!(changes[1]["why"].as_str().unwrap().contains("ended by signal 15"), "{changes:?}");
    assert_eq!((ground.evidence().len(), ground.kept().len()), (2, 0));
    assert_eq!(ground.server.get(&robin, "/api/v1/incidents/1").1["phase"], "resolved");
}

fn being_offline_is_no_way_around_a_no(house: House) {
    let ground = Ground::of(&house);
    let file = house.folder().join("started");
    let script = format!("touch {}", file.display());
    let (code, _, errors) = ground.offline(&ground.mary, &script);
    assert_eq!(code, Some(1), "{errors}");
    assert!(errors.contains("who could: sabrina"), "{errors}");
    assert_eq!(ground.offline("wr_nobody", &script).0, Some(3));
    assert_eq!(ground.say(&ground.mary, &["run", "9", "--offline", "--look", "--", "sh", "-c", &script]).0, Some(1));
    assert!(!file.exists() && ground.kept().is_empty());
    // With the server there, all goes as ever.
    let (code, _, errors) = ground.offline(&ground.sabrina, &script);
    assert_eq!(code, Some(0), "{errors}");
    assert!(errors.contains("change 1 of incident #1 is announced") && ground.kept().is_empty(), "{errors}");
    assert_eq!(ground.changes()[0]["state"], "done");
    // A server that takes everything and says nothing is none.
    ground.gate.fall_silent();
    let (code, _, errors) = ground.offline(&ground.sabrina, "true");
    assert_eq!((code, ground.kept().len()), (Some(0), 1), "{errors}");
    ground.gate.open();
}

fn what_is_killed_is_told_as_one_whose_end_nobody_saw(house: House) {
    let ground = Ground::of(&house);
    ground.gate.shut();
    let begun = house.folder().join("begun");
    let script = format!("touch {begun}; while [ -e {begun} ]; do sleep 0.05; done", begun = begun.display());
    let arguments = ["run", "1", "--offline", "--service", "search", "--", "sh", "-c", &script];
    let mut running = ground.begun(&ground.sabrina, &arguments);
    wait::until("it runs", || begun.exists().then_some(()));
    ground.gate.open();
    // What runs still is not told.
    assert_eq!(ground.say(&ground.sabrina, &["next"]).2, "");
    let (code, out, _) = ground.deliver(&ground.sabrina);
    assert_eq!((code, out.contains("it runs still"), ground.changes().len()), (Some(0), true, 0), "{out}");
    running.kill().unwrap();
    running.wait().unwrap();
    assert_eq!(ground.kept().len(), 1);
    let (code, out, errors) = ground.deliver(&ground.sabrina);
    fs::remove_file(&begun).unwrap();
    assert_eq!((code, ground.kept().len()), (Some(0), 0), "{out}{errors}");
    assert!(out.contains("It may have changed something."), "{out}");
    let change = &ground.changes()[0];
    assert_eq!(change["state"], "done", "it may have changed something");
    assert!(change["why"].as_str().unwrap().ends_with("and nobody saw its end"), "{change}");
    assert!(ground.evidence()[0].1.contains("did not end here"), "{:?}", ground.evidence());
}

fn a_delivery_that_is_killed_and_done_again_records_once(house: House) {
    let ground = Ground::of(&house);
    for (round, words) in ["record_change", "/evidence?"].into_iter().enumerate() {
        ground.gate.shut();
        assert_eq!(ground.offline(&ground.sabrina, "echo no quota; exit 7").0, Some(7));
        ground.gate.hold_back_the_answer_to(words);
        let mut delivering = ground.begun(&ground.sabrina, &["run", "--deliver"]);
        // The server has done it, and nobody will hear so.
        ground.gate.holds_back();
        // One delivers, and who comes meanwhile waits for nothing.
        let (code, _, errors) = ground.deliver(&ground.sabrina);
        assert_eq!((code, errors.contains("Another delivery is under way")), (Some(4), true), "{errors}");
        delivering.kill().unwrap();
        delivering.wait().unwrap();
        ground.gate.open();
        let (code, out, errors) = ground.deliver(&ground.sabrina);
        assert_eq!((code, ground.kept().len()), (Some(0), 0), "{out}{errors}");
        let changes = ground.changes();
        assert_eq!((changes.len(), ground.evidence().len()), (round + 1, round + 1), "{words}");
        assert_eq!(changes[round]["state"], "done", "{words}: {changes:?}");
    }
}

fn what_was_announced_as_the_server_was_lost_is_told_as_announced(house: House) {
    let ground = Ground::of(&house);
    ground.gate.lose_the_answer_to("announce_change");
    let (code, _, errors) = ground.offline(&ground.sabrina, "echo rolled back");
    assert_eq!((code, ground.kept().len()), (Some(0), 1), "{errors}");
    assert!(errors.contains("is recorded later"), "{errors}");
    assert_eq!(ground.changes()[0]["state"], "announced");
    ground.gate.open();
    let (code, out, errors) = ground.deliver(&ground.sabrina);
    assert_eq!((code, ground.kept().len()), (Some(0), 0), "{out}{errors}");
    let changes = ground.changes();
    let [change] = changes.as_slice() else { panic!("it is told twice: {changes:?}") };
    assert_eq!((&change["state"], change["evidence"].is_u64()), (&json!("done"), true), "{change}");
}

fn a_no_keeps_it_and_says_what_to_do(house: House) {
    let ground = Ground::of(&house);
    let robin = house.person("robin");
    ground.gate.shut();
    assert_eq!(ground.say(&robin, &["run", "1", "--offline", "--look", "--", "echo", "5 pods"]).0, Some(0));
    ground.gate.open();
    let (code, out, _) = ground.deliver(&robin);
    assert_eq!((code, ground.kept().len()), (Some(1), 1), "{out}");
    let folder = ground.kept()[0].display().to_string();
    assert!(out.contains("try: wardroom join 1") && out.contains(&format!("rm -r {folder}")), "{out}");
    // It is not tried again unasked, and not forgotten.
    let (code, _, errors) = ground.say(&robin, &["next"]);
    assert_eq!((code, errors.lines().count()), (Some(0), 1), "{errors}");
    assert!(errors.contains("to be seen to, 1") && errors.contains("wardroom run --deliver"), "{errors}");
    ground.server.done(&robin, 1, json!({ "command": "join" }));
    assert_eq!((ground.deliver(&robin).0, ground.kept().len()), (Some(0), 0));

    ground.gate.shut();
    assert_eq!(ground.offline(&ground.sabrina, "echo rolled back").0, Some(0));
    ground.gate.open();
    assert_eq!(ground.server.declare(&ground.mary, "The same"), 2);
    ground.server.done(&ground.mary, 1, json!({ "command": "merge", "into": 2 }));
    let (code, _, errors) = ground.say(&ground.sabrina, &["show", "2"]);
    assert_eq!((code, errors.contains("to be seen to, 1"), ground.kept().len()), (Some(0), true, 1), "{errors}");
    let (code, out, _) = ground.say(&ground.sabrina, &["run", "--deliver", "--json"]);
    let answer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &answer["delivered"], &answer["left"][0]["incident"]), (Some(1), &json!([]), &json!(1)), "{out}");
    let why = answer["left"][0]["why"].as_str().unwrap();
    assert!(why.contains("Incident #1 goes on as #2") && why.contains("wardroom run 2 --deliver"), "{why}");
    let (code, out, errors) = ground.say(&ground.sabrina, &["run", "2", "--deliver"]);
    assert_eq!((code, ground.kept().len()), (Some(0), 0), "{out}{errors}");
    let (_, ledger) = ground.server.get(&ground.mary, "/api/v1/incidents/2/changes");
    assert_eq!(ledger["changes"][0]["what"], "sh -c 'echo rolled back'", "{ledger}");
}

fn what_is_broken_is_named_and_harms_no_other(house: House) {
    let ground = Ground::of(&house);
    ground.gate.shut();
    for _ in 0..4 {
        assert_eq!(ground.offline(&ground.sabrina, "echo rolled back").0, Some(0));
    }
    let mut kept = ground.kept();
    kept.sort();
    fs::write(kept[0].join("record.json"), "{").unwrap();
    for huge in [kept[1].join("record.json"), kept[2].join("output.txt")] {
        fs::File::create(huge).unwrap().set_len(1 << 40).unwrap();
    }
    let pipe = ground.state.join("runs").join(uuid::Uuid::now_v7().to_string());
    fs::create_dir(&pipe).unwrap();
    assert!(Command::new("mkfifo").arg(pipe.join("record.json")).status().unwrap().success());
    fs::write(ground.state.join("runs/notes.txt"), "mine").unwrap();
    ground.gate.open();
    assert_eq!(ground.say(&ground.sabrina, &["next"]).0, Some(0));
    // Of one the change could be told, and of another all of it.
    assert_eq!((ground.changes().len(), ground.evidence().len(), ground.kept().len()), (2, 1, 5));
    let (code, out, _) = ground.deliver(&ground.sabrina);
    assert_eq!(code, Some(1), "{out}");
    for (path, why) in [
        (&kept[0], "cannot be read"),
        (&kept[1], "larger than 1024 KiB"),
        (&kept[2], "larger than evidence may be"),
        (&pipe, "is no file"),
        (&ground.state.join("runs/notes.txt"), "it is no run"),
    ] {
        assert!(out.contains(why) && out.contains(&path.display().to_string()), "{why}: {out}");
    }
    assert_eq!((ground.changes().len(), ground.kept().len()), (2, 5), "nothing is thrown away");
    // Nothing runs that could not be kept.
    ground.gate.shut();
    let file = house.folder().join("started");
    let mut nowhere = ground.typed(&ground.sabrina, &["run", "1", "--offline", "--look", "--", "touch"]);
    let (code, _, errors) = said(&nowhere.arg(&file).env("WARDROOM_STATE", "/dev/null/state").output().unwrap());
    assert_eq!((code, file.exists()), (Some(4), false), "{errors}");
    assert!(errors.contains("Nothing was run. Name another folder: WARDROOM_STATE=DIR"), "{errors}");
}

fn a_few_are_recorded_by_themselves(house: House) {
    let ground = Ground::of(&house);
    ground.gate.shut();
    for n in 0..6 {
        assert_eq!(ground.offline(&ground.sabrina, &format!("echo {n}")).0, Some(0));
    }
    ground.gate.open();
    // Another server is another server, and without its address they are left.
    let elsewhere = ground.server.verb(&ground.sabrina, &["next"]);
    assert_eq!((said(&elsewhere).2.as_str(), ground.changes().len()), ("", 0));
    let (code, out, errors) = ground.say(&ground.sabrina, &["run", "--look", "--", "echo", "5 pods"]);
    assert_eq!((code, out.as_str()), (Some(0), "5 pods\n"));
    assert!(errors.ends_with(" more wait. wardroom run --deliver\n"), "{errors}");
    // Five at the most, and fewer where the machine is slow: none is begun after ten seconds.
    let told = ground.changes().len();
    assert!((1..=5).contains(&told) && ground.kept().len() == 6 - told, "{told}: {errors}");
    let mut other = ground.typed(&ground.sabrina, &["run", "--deliver"]);
    let (code, out, _) = said(&other.env("WARDROOM_URL", &ground.server.url).output().unwrap());
    assert_eq!(code, Some(0));
    assert!(out.contains(&format!("wardroom run --deliver --url {}", ground.gate.url)), "{out}");
    assert_eq!((ground.deliver(&ground.sabrina).0, ground.changes().len()), (Some(0), 6));
    let told = |change: &Value| change["what"].as_str().unwrap().to_owned();
    let told: Vec<String> = ground.changes().iter().map(told).collect();
    let ran: Vec<String> = (0..6).map(|n| format!("sh -c 'echo {n}'")).collect();
    assert_eq!(told, ran, "in the order in which they ran");
}

fn where_the_clocks_differ_it_is_recorded_without_its_time(house: House) {
    let ground = Ground::of(&house);
    ground.gate.shut();
    let library = std::env::var_os("WARDROOM_TEST_FAKETIME").expect("run the tests with `make test`");
    let mut ahead = ground.typed(&ground.sabrina, &["run", "1", "--offline", "--service", "search", "--", "true"]);
    ahead.env("LD_PRELOAD", library).env("FAKETIME", "+3h").env("FAKETIME_DISABLE_SHM", "1");
    assert_eq!(said(&ahead.output().unwrap()).0, Some(0));
    ground.gate.open();
    let (code, out, errors) = ground.deliver(&ground.sabrina);
    assert_eq!((code, ground.kept().len()), (Some(0), 0), "{out}{errors}");
    assert!(out.contains("the clocks differ"), "{out}");
    let change = &ground.changes()[0];
    assert_eq!((&change["state"], &change["done_at"]), (&json!("done"), &change["at"]));
    assert!(
        change["why"].as_str().unwrap().starts_with("Recorded later: it ran without the server until 2"),
        "{change}"
    );
}
