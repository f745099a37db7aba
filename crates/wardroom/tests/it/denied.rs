//! What whoever is stopped at the gate can do is named where they are told so.

use crate::house::House;
use crate::staffed::{Scene, scene};
use crate::{on_both, wait};

on_both!(a_denial_names_what_to_ask_for_and_nothing_else,);

/// One link asks for every service at which an incident stops it, once, and for none whose gate only observes.
fn a_denial_names_what_to_ask_for_and_nothing_else(house: House) {
    let Scene { house, server, robin, .. } = scene(house);
    let denied = || {
        let words = ["gate", "--service", "search", "--service", "indexing", "--action", "deploy v12"];
        let ended = server.verb(&robin, &words);
        assert_eq!(ended.status.code(), Some(1));
        String::from_utf8_lossy(&ended.stderr).into_owned()
    };
    let names = |errors: &str, services: &str, typed: &str| {
        let link = errors.contains(&format!("/incidents/1?permission={services}\n"));
        let ask = format!("  in a terminal: wardroom permission 1 ask \"…\" {typed}\n");
        let glass = format!("  if it cannot wait: wardroom break-glass 1 \"why\" {typed}\n");
        let once = errors.matches("to ask for permission: ").count() == 1;
        once && link && errors.contains(&ask) && errors.contains(&glass)
    };
    let errors = denied();
    assert!(names(&errors, "search", "--service search"), "{errors}");
    house.run(&["service", "gate", "indexing", "--enforce", "sev2"]);
    wait::until("both are enforced", || {
        names(&denied(), "indexing,search", "--service indexing --service search").then_some(())
    });
}
