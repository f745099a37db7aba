//! Exit criteria and to-dos: what others said is not replaced unread, however close together two come.

use serde_json::{Value, json};

use crate::house::{House, Server};
use crate::on_both;

on_both!(
    of_two_who_reword_one_at_once_the_later_is_shown_what_the_earlier_wrote,
    the_command_line_says_what_it_replaces_and_who_was_quicker,
);

fn view(server: &Server, token: &str, n: u64) -> Value {
    let (status, view) = server.get(token, &format!("/api/v1/incidents/{n}"));
    assert_eq!(status, 200, "{view}");
    view
}

/// What a verb that has to succeed says.
fn says(server: &Server, token: &str, arguments: &[&str]) -> String {
    let output = server.verb(token, arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn reword(words: &str, replaces: &Value) -> Value {
    json!({ "command": "reword_criterion", "criterion": 1, "text": words, "replaces": replaces })
}

fn of_two_who_reword_one_at_once_the_later_is_shown_what_the_earlier_wrote(house: House) {
    let [mary, sabrina] = ["mary", "sabrina"].map(|handle| house.person(handle));
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    server.done(&sabrina, n, json!({ "command": "join" }));
    server.done(&mary, n, json!({ "command": "offer_role", "role": "planning", "to": { "person": "sabrina" } }));
    server.done(&sabrina, n, json!({ "command": "take_role", "role": "planning" }));
    server.done(&mary, n, json!({ "command": "add_criterion", "text": "Errors are gone" }));

    // Both have read the same words.
    let read = view(&server, &mary, n)["criteria"][0]["text_entry"].clone();
    let said = [(&mary, "Mary", "Errors are gone for an hour"), (&sabrina, "Sabrina", "Errors are below 0.1 %")];
    let ask = |(token, _, words): (&String, &str, &str)| server.command(token, n, reword(words, &read));
    let answers: Vec<(u16, Value)> = std::thread::scope(|scope| {
        let asked: Vec<_> = said.iter().map(|one| scope.spawn(|| ask(*one))).collect();
        asked.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let first = answers.iter().position(|(status, _)| *status == 200).expect("one was accepted");
    let (status, no) = &answers[1 - first];
    assert_eq!((*status, &no["code"]), (409, &json!("changed_meanwhile")), "{no}");
    let detail = no["detail"].as_str().unwrap();
    assert!(
        detail.starts_with(&format!("{} wrote “{}” as exit criterion 1", said[first].1, said[first].2)),
        "{detail}"
    );
    let now = view(&server, &mary, n)["criteria"][0].clone();
    assert_eq!((&now["text"], &now["text_entry"]), (&json!(said[first].2), &no["remedy"]["entry"]));

    // Said again on what stands there now, it stands.
    let (token, _, words) = said[1 - first];
    server.done(token, n, reword(words, &no["remedy"]["entry"]));
    // What replaces nothing that it names cannot be read at all.
    let without = json!({ "command": "reword_criterion", "criterion": 1, "text": "Anything" });
    assert!((400..500).contains(&server.command(&mary, n, without).0));
    assert_eq!(view(&server, &mary, n)["criteria"][0]["text"], words);
}

fn the_command_line_says_what_it_replaces_and_who_was_quicker(house: House) {
    let [mary, sabrina] = ["mary", "sabrina"].map(|handle| house.person(handle));
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    server.done(&sabrina, n, json!({ "command": "join" }));
    server.done(&sabrina, n, json!({ "command": "add_todo", "text": "Warm the cache" }));
    let read = view(&server, &mary, n)["todos"][0]["text_entry"].to_string();

    let told = says(&server, &mary, &["todo", "1", "reword", "1", "Warm both caches"]);
    assert!(told.contains("Mary reworded to-do 1: Warm both caches\n  before: Warm the cache\n"), "{told}");
    let told = says(&server, &mary, &["todo", "1", "assign", "1", "mary"]);
    assert!(!told.contains("before"), "it was nobody's: {told}");

    // Sabrina names what she read before.
    let no = server.verb(&sabrina, &["todo", "1", "reword", "1", "Cool it", "--replaces", &read]);
    assert_eq!(no.status.code(), Some(1));
    let said = String::from_utf8(no.stderr).unwrap();
    let entry = view(&server, &mary, n)["todos"][0]["text_entry"].clone();
    for words in ["Mary wrote “Warm both caches” as to-do 1 meanwhile", &format!("the same with --replaces {entry}")]
    {
        assert!(said.contains(words), "“{words}” is missing in {said}");
    }
    says(&server, &sabrina, &["todo", "1", "reword", "1", "Cool it", "--replaces", &entry.to_string()]);
    assert_eq!(view(&server, &mary, n)["todos"][0]["text"], "Cool it");
}
