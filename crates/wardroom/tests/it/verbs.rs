//! Every verb, as a person types it and as a script does: what it says, its exit code, and `--json`.

mod lines;

use std::collections::BTreeSet;
use std::process::Output;

use serde_json::Value;

use self::lines::INCIDENT;
use crate::house::{House, Server};
use crate::on_both;

on_both!(
    every_verb_says_what_it_did,
    every_verb_answers_scripts_with_json,
    every_no_has_its_exit_code,
    what_the_store_says_no_to_has_its_exit_code,
    a_timeline_is_followed
);

/// The verbs that work at the store itself. `FOLDER` is a story's own.
const STORE: &[(&str, &str)] = &[
    (
        "person|add|marty|--name|Marty|--email|marty@example.org",
        "Added marty. A link that lets them in: wardroom person link marty --data",
    ),
    ("person|change|marty|--name|Marty McFly|--admin|true", "Changed marty."),
    ("person|list", "marty|Marty McFly  (admin)"),
    ("person|link|marty", "Give this link to marty; it is good once, and for a day.|http://127.0.0.1:8080/welcome#wl_"),
    ("person|deactivate|marty", "Deactivated marty: their access has ended, their roles stay until they are assumed."),
    ("person|activate|marty", "Activated marty. They need a new link, or a new token."),
    ("person|forget|marty", "Forgotten: the name and address are gone from the record; the chain still verifies."),
    ("person|import|FOLDER/roster.csv", "Imported 2 people, 1 team and 0 services."),
    ("person|import|FOLDER/roster.toml", "Imported 1 person, 1 team and 1 service."),
    ("team|set|dispatch|lorraine|emmett", "Team dispatch has 2 members."),
    ("team|set|dispatch|lorraine", "Team dispatch has 1 member."),
    ("team|set|dispatch|lorraine|emmett", "Team dispatch has 2 members."),
    ("team|list", "dispatch|Emmett|Lorraine"),
    ("service|set|power|--owner|dispatch|--depends-on|weather", "The directory knows the service power."),
    ("service|gate|power|--enforce|sev1", "The gate of power stops people at these severities."),
    ("service|match|power|--namespace|power*|--label|app=power", "which objects of a cluster belong to power."),
    (
        "service|preserve|power|graph=https://graphs.example.org/power.png|pods=kubectl get pods",
        "what of power is worth keeping.",
    ),
    (
        "service|list",
        "power|owned by dispatch|search|needs weather|its gate stops at sev1|matches the namespaces power*\
         |matches the labels app=power|worth keeping: graph: https://graphs.example.org/power.png",
    ),
    ("service|gate|power|--observe", "The gate of power only observes."),
    ("service|match|power|--nothing", "which objects of a cluster belong to power."),
    ("service|preserve|power|--nothing", "what of power is worth keeping."),
    ("service|list", "power|owned by dispatch|search"),
    ("service|remove|power", "Removed the service power."),
    ("team|remove|dispatch", "Removed the team dispatch."),
    ("token|create|emmett|--scope|read|--label|phone|--days|30", "A token for emmett; it is shown this once: wr_"),
    ("token|list", "Emmett|read|until 2|phone"),
    ("token|revoke|TOKEN", "Revoked. Its open streams end within a second."),
    ("verify", "The record holds: "),
    ("backup|FOLDER/monday.backup", "The backup is in FOLDER/monday.backup, evidence included."),
];

/// Verbs that have stories of their own: see `settings.rs`, `demo.rs`, `evidence.rs`, `preserving.rs` and below.
const ELSEWHERE: &[&str] = &[
    "send-away",
    "serve",
    "demo",
    "help",
    "restore",
    "run",
    "gate",
    "good",
    "get",
    "fetch",
    "sighting",
    "sightings",
    "preserve",
];

fn words(line: &str) -> Vec<&str> {
    line.split('|').collect()
}

/// What is typed for a line: by a person, or with `--json` by a script.
fn typed(line: &str, json: bool) -> Vec<&str> {
    words(line).into_iter().chain(json.then_some("--json")).collect()
}

/// What came out of a verb.
struct Said {
    line: String,
    code: Option<i32>,
    /// To whoever uses it.
    told: String,
    /// What went wrong, for a person.
    errors: String,
}

impl Said {
    fn by(line: &str, output: Output) -> Self {
        let [told, errors] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        Self { line: line.to_owned(), code: output.status.code(), told, errors }
    }

    /// Ended with this code and without a word to whom it does not concern: errors of what went well, answers of what
    /// did not.
    fn ended(&self, code: i32) {
        let beside = if code == 0 { &self.errors } else { &self.told };
        assert_eq!((self.code, beside.as_str()), (Some(code), ""), "{}:\n{}{}", self.line, self.told, self.errors);
    }

    /// One document, or one per line for what can be followed.
    fn documents(&self) -> Vec<Value> {
        let Self { line, told, errors, .. } = self;
        let documents = serde_json::Deserializer::from_str(told).into_iter::<Value>().collect::<Result<Vec<_>, _>>();
        let documents = documents.unwrap_or_else(|error| panic!("{line} --json: {error} in:\n{told}{errors}"));
        assert!(documents.len() == 1 || line.starts_with("timeline"), "{line} --json: one document:\n{told}{errors}");
        documents
    }
}

/// Plays every verb of an incident and at the store; `look` gets what to read for each line, and what came out.
fn play(house: &House, json: bool, look: &dyn Fn(&str, &Said)) -> Server {
    let token = |handle| (handle, house.person(handle));
    let [mary, sabrina, robin] = ["mary", "sabrina", "robin"].map(token);
    let people = [mary, sabrina, robin, ("ada", house.admin("ada"))];
    house.run(&["team", "set", "search-sre", "sabrina", "robin"]);
    let server = house.serve();
    let folder = house.folder().display().to_string();
    for (who, line, said) in INCIDENT {
        let (_, token) = people.iter().find(|(handle, _)| handle == who).unwrap();
        let [line, said] = [line, said].map(|words| words.replace("FOLDER", &folder));
        look(&said, &Said::by(&line, server.verb(token, &typed(&line, json))));
    }
    std::fs::write(house.folder().join("roster.csv"), "handle,name,teams\nlorraine,Lorraine,town\nemmett,Emmett,\n")
        .unwrap();
    let toml = "[[people]]\nhandle = \"biff\"\nname = \"Biff\"\n[[teams]]\nname = \"town\"\nmembers = [\"biff\"]\n";
    std::fs::write(house.folder().join("roster.toml"), format!("{toml}[[services]]\nname = \"search\"\n")).unwrap();
    for (line, said) in STORE {
        let line = line.replace("FOLDER", &folder).replace("TOKEN", &phone(house));
        let said = said.replace("FOLDER", &folder);
        let said = if house.is_postgres() { said.replace("--data", "--database …") } else { said };
        look(&said, &Said::by(&line, house.console(&typed(&line, json))));
    }
    server
}

/// The id of the token with the label “phone”, once there is one.
fn phone(house: &House) -> String {
    let tokens: Value = serde_json::from_str(&house.run(&["token", "list", "--json"])).unwrap();
    let phone = tokens.as_array().unwrap().iter().find(|token| token["label"] == "phone");
    phone.and_then(|token| token["id"].as_str()).unwrap_or_default().to_owned()
}

fn every_verb_says_what_it_did(house: House) {
    let _server = play(&house, false, &|expected, said| {
        said.ended(0);
        let Said { line, told, .. } = said;
        for part in words(expected) {
            assert!(told.contains(part), "{line}: “{part}” is missing in:\n{told}");
        }
        // `show` named nobody in what is next, where everybody it could name is on the page.
        assert!(!told.contains("somebody"), "{line}: who?\n{told}");
    });
}

fn every_verb_answers_scripts_with_json(house: House) {
    let server = play(&house, true, &|_, said| {
        said.ended(0);
        let lists = ["person|list", "token|list"].contains(&said.line.as_str());
        let fits = |document: &Value| document.is_array() == lists && !document.is_null();
        assert!(said.documents().iter().all(fits), "{}", said.line);
    });
    // A backup's tokens are revoked when it is restored.
    drop(server);
    let (backup, other) = (house.folder().join("monday.backup"), house.folder().join("other"));
    let restore = ["restore", backup.to_str().unwrap(), "--data", other.to_str().unwrap(), "--json"];
    let bare = Said::by("restore", House::wardroom(&restore, &[]));
    assert_eq!(bare.documents()[0]["tokens_revoked"], true);
    let again = Said::by("restore", House::wardroom(&restore, &[]));
    assert_eq!(again.code, Some(1), "the place is not empty any more");
    assert!(again.documents()[0]["detail"].is_string());
}

fn every_no_has_its_exit_code(house: House) {
    let [mary, sabrina] = ["mary", "sabrina"].map(|handle| house.person(handle));
    let server = house.serve();
    server.say(&mary, &["declare", "Search is failing"]);
    let nobody = String::new();
    for (token, line, exit, code, said) in [
        (&mary, "show|99", 1, "no_such_incident", "There is no incident #99 that you can see."),
        (&sabrina, "severity|1|sev3", 1, "not_yours", "who could: mary\n  try: wardroom ask 1 command"),
        (&mary, "take|1|operations", 1, "not_there", "operations"),
        (&sabrina, "assume|1|--reason|bored", 1, "not_a_responder", "try: wardroom join 1"),
        (&nobody, "next", 3, "not_signed_in", "wardroom token create HANDLE"),
        (&mary, "next|--url|http://127.0.0.1:1", 4, "unreachable", "there is no Wardroom at http://127.0.0.1:1"),
    ] {
        let told = Said::by(line, server.verb(token, &typed(line, false)));
        told.ended(exit);
        let sentence = told.errors;
        assert!(sentence.starts_with("wardroom: ") && sentence.contains(said), "{line}: {sentence}");
        let answered = Said::by(line, server.verb(token, &typed(line, true)));
        assert_eq!((answered.code, &answered.errors), (Some(exit), &sentence), "{line} --json");
        let problem = &answered.documents()[0];
        assert_eq!(problem["code"], code, "{line}: {problem}");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{line}: {problem}");
    }
    for (line, said) in [
        ("severity|1|loud", "expected one of `sev1`, `sev2`, `sev3`, `sev4`"),
        ("phase|1|done", "expected one of `investigating`, `active`"),
        ("declare|x|--kind|party", "expected one of `incident`, `planned`, `drill`"),
        ("declare|\u{200b}", "the text has no character that can be seen"),
        ("note|1|  ", "the text is empty"),
        ("offer|1|operations", "<PERSON>"),
        ("assume|1", "--reason <REASON>"),
        ("token|create|mary|--scope|god", "expected one of `gate`, `read`, `respond`, `admin`"),
        ("sing", "unrecognized subcommand"),
        ("demo|--url|http://127.0.0.1:1", "the demo starts a server of its own"),
    ] {
        let usage = Said::by(line, server.verb(&mary, &typed(line, false)));
        usage.ended(2);
        assert!(usage.errors.contains(said), "{line}: {}", usage.errors);
    }
    house.tamper("UPDATE events SET at = at + 1 WHERE position = 1");
    let broken = Said::by("verify", house.console(&["verify", "--json"]));
    let report = &broken.documents()[0];
    assert_eq!((broken.code, &report["holds"], report["code"].as_str()), (Some(5), &false.into(), Some("broken")));
}

fn what_the_store_says_no_to_has_its_exit_code(house: House) {
    house.person("mary");
    let backup = |name: &str| {
        let file = house.folder().join(name);
        let said = Said::by("backup", house.console(&["backup", file.to_str().unwrap(), "--json"]));
        (said.code, said.documents()[0]["code"].as_str().map(str::to_owned))
    };
    assert_eq!(backup("monday"), (Some(0), None));
    assert_eq!(backup("monday"), (Some(1), Some("there_already".to_owned())), "nothing is overwritten");
    house.tamper("UPDATE tips SET seq = seq + 1");
    assert_eq!(backup("tuesday"), (Some(5), Some("broken".to_owned())), "what is damaged is no backup");
    assert!(!house.folder().join("tuesday").exists());
}

/// A new verb is in the tables above, or has a story that is named there.
#[test]
fn no_verb_is_left_out() {
    let lines = INCIDENT.iter().map(|(_, line, _)| *line).chain(STORE.iter().map(|(line, _)| *line));
    let tried: BTreeSet<String> = lines
        .flat_map(|line| {
            let words = words(line);
            [words[0].to_owned(), words[..words.len().min(2)].join(" ")]
        })
        .collect();
    for group in ["", "person", "team", "service", "token", "evidence"] {
        let typed = [group, "--help"];
        let help = Said::by(group, House::wardroom(if group.is_empty() { &typed[1..] } else { &typed }, &[]));
        let (_, listed) = help.told.split_once("Commands:\n").unwrap();
        let verbs = listed.lines().take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("   "));
        for verb in verbs.filter_map(|line| line.split_whitespace().next()).filter(|verb| !ELSEWHERE.contains(verb)) {
            let whole = format!("{group} {verb}");
            assert!(tried.contains(whole.trim()), "no story types `wardroom {}`", whole.trim());
        }
    }
}

/// The shells' own opinion of the completions, where the shell is there.
#[test]
fn completions_are_scripts_that_shells_can_read() {
    for shell in ["bash", "zsh", "fish"] {
        let script = Said::by(shell, House::wardroom(&["completions", shell], &[]));
        script.ended(0);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &script.told).unwrap();
        assert!(script.told.contains("declare-investigation"), "{shell}");
        // `bash` is everywhere that the tests run.
        match std::process::Command::new(shell).arg("-n").arg(file.path()).output() {
            Ok(checked) => assert!(checked.status.success(), "{shell}: {}", String::from_utf8_lossy(&checked.stderr)),
            Err(missing) => assert_ne!(shell, "bash", "{missing}"),
        }
    }
}

fn a_timeline_is_followed(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    server.say(&mary, &["declare", "Search is failing"]);
    let [people, scripts] = [&["timeline", "1", "--follow"][..], &["timeline", "1", "--follow", "--json"]]
        .map(|typed| server.following(&mary, typed));
    let day = people.next();
    assert!(day.ends_with(", times in UTC") && day.get(..10) == opened_at(&server, &mary).get(..10), "{day}");
    assert!(people.next().contains("Mary declared a sev2 incident"));
    assert_eq!(serde_json::from_str::<Value>(&scripts.next()).unwrap()["kind"], "opened");
    server.say(&mary, &["note", "1", "First cluster is warm"]);
    assert!(people.next().ends_with("   2  Mary: First cluster is warm"));
    let entry: Value = serde_json::from_str(&scripts.next()).unwrap();
    assert_eq!((&entry["kind"], &entry["entry"]), (&"noted".into(), &2.into()));
}

/// When the incident was opened, as the API says it.
fn opened_at(server: &Server, token: &str) -> String {
    server.get(token, "/api/v1/incidents/1").1["opened_at"].as_str().unwrap().to_owned()
}
