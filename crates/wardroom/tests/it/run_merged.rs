//! What ran in an incident that was merged into another meanwhile is told there: as the change that came along, with what the
//! command said. And whoever left it meanwhile tells it all the same.

use std::fs;
use std::path::PathBuf;
use std::process::Child;

use serde_json::{Value, json};

use crate::house::House;
use crate::run_offline::ground::{Ground, said};
use crate::staffed::changes;
use crate::{on_both, wait};

on_both!(
    what_is_merged_while_it_runs_is_told_where_it_goes_on,
    whoever_leaves_while_it_runs_is_here_again_by_telling_how_it_went,
    what_waits_while_it_is_merged_follows_by_itself,
    of_what_was_settled_before_what_it_said_follows_alone,
    whoever_may_not_tell_it_there_is_told_what_to_do,
    what_was_recorded_later_and_merged_before_its_evidence_is_not_recorded_twice,
);

/// A command that runs until it may end.
struct Running {
    child: Child,
    go: PathBuf,
}

impl Running {
    fn of(house: &House, ground: &Ground, run: &[&str]) -> Self {
        let id = uuid::Uuid::now_v7();
        let [begun, go] = ["begun", "go"].map(|name| house.folder().join(format!("{name}-{id}")));
        let script = format!(
            ": > {}; while [ ! -e {} ]; do sleep 0.05; done; echo it went; exit 7",
            begun.display(),
            go.display()
        );
        let child = ground.begun(&ground.sabrina, &[run, &["--", "sh", "-c", &script]].concat());
        wait::until("it runs", || begun.exists().then_some(()));
        Self { child, go }
    }

    fn ends(self) -> (Option<i32>, String, String) {
        fs::write(&self.go, "").unwrap();
        said(&self.child.wait_with_output().unwrap())
    }
}

/// Another incident, in which there are so many changes already.
fn another(ground: &Ground, there: usize) -> u64 {
    let number = ground.server.declare(&ground.mary, "Everything is failing");
    for _ in 0..there {
        ground.server.done(
            &ground.mary,
            number,
            json!({ "command": "record_change", "what": "Restarted", "service": "search" }),
        );
    }
    number
}

fn merge(ground: &Ground, from: u64, into: u64) {
    ground.server.done(&ground.mary, from, json!({ "command": "merge", "into": into }));
}

fn whoever_leaves_while_it_runs_is_here_again_by_telling_how_it_went(house: House) {
    let ground = Ground::of(&house);
    let running = Running::of(&house, &ground, &["run", "1"]);
    ground.server.done(&ground.sabrina, 1, json!({ "command": "leave" }));
    let (code, _, errors) = running.ends();
    assert_eq!((code, ground.kept().len()), (Some(7), 0), "{errors}");
    let change = ground.changes().pop().unwrap();
    assert_eq!((&change["state"], ground.evidence().len()), (&json!("done"), 1), "{change}");
}

fn what_is_merged_while_it_runs_is_told_where_it_goes_on(house: House) {
    let ground = Ground::of(&house);
    let into = another(&ground, 2);
    ground.server.done(&ground.sabrina, 1, json!({ "command": "announce_change", "what": "search: drained eu-1" }));
    let running = Running::of(&house, &ground, &["run", "1"]);
    let looking = Running::of(&house, &ground, &["run", "1", "--look", "--json"]);
    merge(&ground, 1, into);
    let (code, out, errors) = looking.ends();
    let answer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (code, &answer["incident"], answer["evidence"].is_u64()),
        (Some(7), &json!(into), true),
        "{out}{errors}"
    );
    let (code, _, errors) = running.ends();
    assert_eq!((code, ground.kept().len()), (Some(7), 0), "{errors}");
    assert!(errors.contains(&format!("incident #1 goes on as #{into}, and its change 2 as change 4\n")), "{errors}");
    assert!(errors.contains("change 4 stands as done, with entry "), "{errors}");
    assert!(errors.contains(&format!("wardroom change {into} failed 4")), "{errors}");
    let all = changes(&ground.server, &ground.mary, into);
    let states: Vec<&Value> = all.iter().map(|change| &change["state"]).collect();
    assert_eq!(states, ["done", "done", "announced", "done"], "{all:?}");
    assert!(all[3]["evidence"].is_u64() && all[3]["note"].as_str().unwrap().starts_with("exit code 7 "), "{all:?}");
    let evidence = ground.evidence_of(into);
    let names: Vec<&str> = evidence.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["look.txt", "change-4.txt"]);
    assert!(evidence[1].1.ends_with("\nit went\n"), "{evidence:?}");
}

/// The server goes while it runs, and comes back when the incident goes on as another one, and that as a third.
fn what_waits_while_it_is_merged_follows_by_itself(house: House) {
    let ground = Ground::of(&house);
    let [second, third] = [1, 2].map(|there| another(&ground, there));
    let running = Running::of(&house, &ground, &["run", "1"]);
    ground.gate.shut();
    let (code, _, errors) = running.ends();
    assert_eq!((code, ground.kept().len()), (Some(7), 1), "{errors}");
    merge(&ground, 1, second);
    merge(&ground, second, third);
    ground.gate.open();
    let (code, _, errors) = ground.say(&ground.sabrina, &["next"]);
    assert_eq!((code, errors.lines().count(), ground.kept().len()), (Some(0), 1, 0), "{errors}");
    // What there was came along before it.
    let came =
        format!("incident #1 goes on as #{third}, and its change 1 as change 4: change 4 is recorded, with entry ");
    assert!(errors.contains(&came), "{errors}");
    let change = changes(&ground.server, &ground.mary, third).pop().unwrap();
    assert_eq!((&change["id"], &change["state"], change["evidence"].is_u64()), (&json!(4), &json!("done"), true));
    assert_eq!(ground.evidence_of(third)[0].0, "change-4.txt");
    assert_eq!(ground.say(&ground.sabrina, &["next"]).2, "", "it is told once");
}

fn of_what_was_settled_before_what_it_said_follows_alone(house: House) {
    let ground = Ground::of(&house);
    let into = another(&ground, 0);
    let running = Running::of(&house, &ground, &["run", "1"]);
    ground.server.say(&ground.sabrina, &["change", "1", "failed", "1", "it never began"]);
    merge(&ground, 1, into);
    let (code, _, errors) = running.ends();
    assert_eq!((code, ground.kept().len()), (Some(7), 0), "{errors}");
    let came = format!("incident #1 goes on as #{into}; how its change 1 went had been said there\n");
    assert!(errors.contains(&came) && errors.contains("kept as evidence, with entry "), "{errors}");
    assert_eq!(changes(&ground.server, &ground.mary, into), Vec::<Value>::new());
    assert_eq!(ground.changes()[0]["state"], "failed");
    let evidence = ground.evidence_of(into);
    assert!(evidence[0].0 == "change-1-of-1.txt" && evidence[0].1.ends_with("\nit went\n"), "{evidence:?}");
}

fn whoever_may_not_tell_it_there_is_told_what_to_do(house: House) {
    let ground = Ground::of(&house);
    let into = another(&ground, 1);
    let running = Running::of(&house, &ground, &["run", "1"]);
    merge(&ground, 1, into);
    ground.server.done(&ground.sabrina, into, json!({ "command": "leave" }));
    ground.server.done(&ground.mary, into, json!({ "command": "restrict" }));
    let (code, _, errors) = running.ends();
    assert_eq!((code, ground.kept().len()), (Some(7), 1), "{errors}");
    let unseen = format!("There is no incident #{into} that you can see");
    assert!(errors.contains(&unseen), "{errors}");
    assert!(errors.contains("kept on this machine. See to that, and tell it then: wardroom run --deliver"), "{errors}");
    assert!(!errors.contains("records it"), "nothing does by itself: {errors}");
    let (_, _, errors) = ground.say(&ground.sabrina, &["next"]);
    assert!(errors.contains("to be seen to, 1: wardroom run --deliver"), "{errors}");
    let (code, out, _) = ground.deliver(&ground.sabrina);
    assert_eq!((code, ground.kept().len()), (Some(1), 1), "{out}");
    assert!(out.contains(&unseen), "{out}");
    ground.server.done(&ground.mary, into, json!({ "command": "invite", "person": "sabrina" }));
    ground.server.done(&ground.sabrina, into, json!({ "command": "join" }));
    let (code, out, errors) = ground.deliver(&ground.sabrina);
    assert_eq!((code, ground.kept().len()), (Some(0), 0), "{out}{errors}");
    let change = changes(&ground.server, &ground.mary, into).pop().unwrap();
    assert_eq!((&change["state"], change["evidence"].is_u64()), (&json!("done"), true), "{change}");
}

fn what_was_recorded_later_and_merged_before_its_evidence_is_not_recorded_twice(house: House) {
    let ground = Ground::of(&house);
    let into = another(&ground, 1);
    ground.gate.shut();
    assert_eq!(ground.offline(&ground.sabrina, "echo it went").0, Some(0));
    ground.deliver_unheard();
    merge(&ground, 1, into);
    ground.gate.open();
    let (code, out, errors) = ground.deliver(&ground.sabrina);
    assert_eq!((code, ground.kept().len()), (Some(0), 0), "{out}{errors}");
    assert!(out.contains(&format!("incident #1 goes on as #{into}, and its change 1 as change 2: ")), "{out}");
    assert_eq!(changes(&ground.server, &ground.mary, into).len(), 2);
    assert_eq!(ground.evidence_of(into)[0].0, "change-2-recorded-later.txt");
}
