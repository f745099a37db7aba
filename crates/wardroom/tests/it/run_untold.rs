//! What ran and could not be told, or not all of it: nothing of it is lost.

use std::fs;

use serde_json::{Value, json};

use crate::house::House;
use crate::run_offline::files;
use crate::run_offline::ground::{Ground, said};
use crate::staffed::{fill, narrow};
use crate::{on_both, wait};

on_both!(without_room_for_what_it_said_it_is_recorded_how_it_went, what_ran_while_the_server_went_is_told_later,);

fn without_room_for_what_it_said_it_is_recorded_how_it_went(house: House) {
    let ground = Ground::of_server(&house, narrow(&house));
    fill(&house, &ground.server, &ground.sabrina);
    ground.gate.shut();
    assert_eq!(ground.offline(&ground.sabrina, "echo no quota; exit 7").0, Some(7));
    ground.gate.open();
    let (code, out, errors) = ground.deliver(&ground.sabrina);
    assert_eq!((code, ground.kept().len()), (Some(0), 0), "{out}{errors}");
    let change = &ground.changes()[0];
    assert_eq!((&change["state"], &change["evidence"]), (&json!("failed"), &Value::Null), "{change}");
    let file = out.split_once(", it is in ").unwrap().1.split_once(": ").unwrap().0;
    assert!(fs::read_to_string(file).unwrap().ends_with("\nno quota\n"), "{out}");
    let mut all = Vec::new();
    files(&ground.state, &mut all);
    assert!(all.iter().all(|(path, mode)| *mode == if path.is_dir() { 0o700 } else { 0o600 }), "{all:?}");
}

fn what_ran_while_the_server_went_is_told_later(house: House) {
    let ground = Ground::of(&house);
    let [begun, go] = ["begun", "go"].map(|name| house.folder().join(name));
    let script = format!(
        "touch {}; while [ ! -e {} ]; do sleep 0.05; done; echo it went; exit 7",
        begun.display(),
        go.display()
    );
    let running = ground.begun(&ground.sabrina, &["run", "1", "--", "sh", "-c", &script]);
    wait::until("it runs", || begun.exists().then_some(()));
    ground.gate.shut();
    fs::write(&go, "").unwrap();
    let (code, out, errors) = said(&running.wait_with_output().unwrap());
    assert_eq!((code, out.as_str()), (Some(7), "it went\n"), "{errors}");
    assert!(errors.contains("could not be told") && errors.contains("wardroom run --deliver"), "{errors}");
    assert_eq!(ground.changes()[0]["state"], "announced");
    ground.gate.open();
    let (code, out, errors) = ground.deliver(&ground.sabrina);
    assert_eq!((code, ground.kept().len()), (Some(0), 0), "{out}{errors}");
    let changes = ground.changes();
    assert_eq!((changes.len(), &changes[0]["state"]), (1, &json!("failed")), "{changes:?}");
    let evidence = ground.evidence();
    assert!(evidence[0].0 == "change-1.txt" && evidence[0].1.ends_with("\nit went\n"), "{evidence:?}");
    assert!(evidence[0].1.starts_with("$ sh -c "), "it did not run without the server: {evidence:?}");
}
