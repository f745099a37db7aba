//! Every verb, as a person types it and as a script does: what it says, its exit code, and `--json`.

use std::collections::BTreeSet;
use std::process::Output;

use serde_json::Value;

use crate::house::{House, Server};
use crate::on_both;

on_both!(
    every_verb_says_what_it_did,
    every_verb_answers_scripts_with_json,
    every_no_has_its_exit_code,
    what_the_store_says_no_to_has_its_exit_code,
    a_timeline_is_followed
);

/// Who types what, the words between bars, and what a person reads then. Entries are counted from the declaration.
const INCIDENT: &[(&str, &str, &str)] = &[
    (
        "mary",
        "declare|Search is failing|--severity|sev1|--service|search",
        "Incident #1 is declared and you have command",
    ),
    ("sabrina", "join|1", "Sabrina is here"),
    ("robin", "join|1", "Robin is here"),
    ("mary", "note|1|First cluster is wamr|--at|2026-01-01T00:00:00Z", "Mary (00:00 UTC back-dated): First cluster"),
    ("mary", "pin|1|4", "Mary pinned entry 4"),
    ("mary", "unpin|1|4", "Mary unpinned entry 4"),
    ("mary", "correct|1|4|First cluster is warm", "Mary corrected entry 4: First cluster is warm"),
    ("sabrina", "note|1|the key is hunter2|--pin", "Sabrina: the key is hunter2"),
    ("sabrina", "redact|1|8|--reason|a password", "Sabrina redacted the words of entry 8: a password"),
    ("mary", "clock|1|Consider alternatives|--in|15|--repeat", ", then every 15 min: Consider alternatives"),
    (
        "mary",
        "show|1",
        "Next: #1: you are doing both, command and operations: wardroom offer 1 operations|10. Consider alternatives in |commander Mary|affects search|with Mary",
    ),
    ("mary", "stop-clock|1|10", "Mary stopped clock 10"),
    ("sabrina", "ask|1|operations|--note|I know it", "Sabrina asks for operations: I know it"),
    ("mary", "next", "#1: sabrina asks for operations: wardroom offer 1 operations sabrina"),
    ("mary", "decline-ask|1|operations|sabrina|--reason|later", "Mary said no to Sabrina asking for operations: later"),
    ("sabrina", "ask|1|operations", "Sabrina asks for operations"),
    ("sabrina", "take-back-ask|1|operations", "Sabrina no longer asks for operations"),
    ("mary", "offer|1|operations|--team|search-sre", "Mary offers operations to the team search-sre"),
    ("mary", "withdraw|1|operations|--reason|one of you", "Mary withdrew the offer of operations: one of you"),
    ("mary", "offer|1|operations|sabrina|--note|go ahead", "Mary offers operations to Sabrina"),
    ("sabrina", "decline|1|operations|--reason|at lunch", "Sabrina declined operations: at lunch"),
    ("mary", "offer|1|operations|sabrina", "Mary offers operations to Sabrina"),
    ("sabrina", "next", "#1: mary offers you operations, which lapses in |: wardroom take 1 operations"),
    ("sabrina", "take|1|operations", "Sabrina took operations"),
    ("sabrina", "doing|1|draining traffic", "Sabrina is doing: draining traffic"),
    ("sabrina", "doing|1", "Sabrina is done with that"),
    ("sabrina", "open-role|1|operations/database", "Sabrina opened the role operations/database"),
    ("sabrina", "member|1|operations/database|robin", "Robin works in operations/database now"),
    ("sabrina", "member|1|operations/database|robin|--release", "Robin works in operations/database no more"),
    ("sabrina", "close-role|1|operations/database", "Sabrina closed the role operations/database"),
    ("sabrina", "roadblock|1|The quota is used up|--role|operations", "Sabrina raised roadblock 1 for operations"),
    ("mary", "next", "#1: clear roadblock 1 of sabrina: wardroom clear 1 1"),
    ("mary", "clear|1|1|they raised it", "Mary cleared roadblock 1: they raised it"),
    ("mary", "criterion|1|add|Errors below 0.1 %", "Mary added exit criterion 1: Errors below 0.1 %"),
    ("mary", "criterion|1|reword|1|Errors are gone", "Mary reworded exit criterion 1: Errors are gone"),
    ("mary", "criterion|1|assign|1|sabrina", "Mary gave exit criterion 1 to Sabrina"),
    ("mary", "criterion|1|link|1|https://bugs.example.org/1", "exit criterion 1 to a bug: https://bugs.example.org/1"),
    ("mary", "criterion|1|meet|1", "Mary says that exit criterion 1 is met"),
    ("mary", "criterion|1|reopen|1|--reason|not in eu", "Mary reopened exit criterion 1: not in eu"),
    ("mary", "criterion|1|waive|1|--reason|eu is drained", "Mary waived exit criterion 1: eu is drained"),
    ("robin", "todo|1|add|Warm the cache|--for|sabrina", "Robin added to-do 1 for Sabrina: Warm the cache"),
    ("robin", "todo|1|reword|1|Warm both caches", "Robin reworded to-do 1: Warm both caches"),
    ("robin", "todo|1|assign|1", "Robin says that to-do 1 is nobody's"),
    ("sabrina", "todo|1|assign|1|sabrina", "Sabrina took to-do 1"),
    ("sabrina", "todo|1|link|1|https://bugs.example.org/2", "to-do 1 to a bug: https://bugs.example.org/2"),
    ("sabrina", "todo|1|finish|1", "Sabrina says that to-do 1 is done"),
    ("sabrina", "todo|1|reopen|1", "Sabrina reopened to-do 1"),
    (
        "sabrina",
        "change|1|announce|search: roll back to v11|--why|v12 leaks",
        "Sabrina is about to change search (1): roll",
    ),
    ("sabrina", "next", "#1: you announced change 1 |ago; say how it went: wardroom change 1 done 1"),
    ("sabrina", "change|1|done|1|it took a minute", "Sabrina says that change 1 is done: it took a minute"),
    ("sabrina", "change|1|failed|1", "Sabrina says that change 1 failed and changed nothing"),
    ("sabrina", "change|1|done|1", "Sabrina says that change 1 is done"),
    (
        "sabrina",
        "change|1|correct|1|rolled back to v11",
        "change 1: search: rolled back to v11|  before: roll back to v11",
    ),
    ("sabrina", "change|1|way-back|1|deploy v12", "Sabrina says how change 1 is undone: deploy v12"),
    ("robin", "change|1|record|frontend: I restarted it|--how|systemctl restart", "uncoordinated change 2 of frontend"),
    (
        "sabrina",
        "next",
        "#1: robin tells of an uncoordinated change: wardroom change 1 take-in 2, revert 2 or dismiss 2",
    ),
    ("sabrina", "change|1|take-in|2", "Sabrina took change 2 into the ledger of operations"),
    (
        "sabrina",
        "change|1|record|search: cache off|--at|2026-01-01T00:00:00Z",
        "Sabrina changed search (3), made at 00:00 UTC",
    ),
    ("sabrina", "change|1|announce|search: drain eu-1", "Sabrina is about to change search (4)"),
    ("sabrina", "change|1|drop|4", "Sabrina says that change 4 is not made after all"),
    (
        "mary",
        "changes|1",
        "DIFFERS FROM NORMAL|frontend  unknown to the directory|2. I restarted it|4. search: drain eu-1  dropped",
    ),
    ("mary", "undo|1", "1. frontend: I restarted it|nobody has said how|2. search: rolled back|to undo it: deploy v12"),
    ("sabrina", "change|1|revert|1|v12.1 is out", "Sabrina says that change 1 is reverted: v12.1 is out"),
    ("mary", "change|1|adopt|3|it is not needed", "Mary says that change 3 stays for good: it is not needed"),
    ("sabrina", "change|1|differs-again|1|v12.1 is slow", "Sabrina says that change 1 differs from normal after all"),
    (
        "mary",
        "change|1|hand-on|1|https://bugs.example.org/9",
        "Mary handed change 1 to a bug: https://bugs.example.org/9",
    ),
    ("robin", "change|1|record|search: nothing, really", "Robin tells of uncoordinated change 5 of search"),
    ("sabrina", "change|1|dismiss|5|it was a drill", "change 5 is no change of this incident: it was a drill"),
    (
        "mary",
        "show|1",
        "DIFFERS FROM NORMAL|frontend|EXIT CRITERIA|1. Errors are gone|waived: eu is drained|TO-DO LIST AND BUGS FILED|1. Warm both caches",
    ),
    (
        "mary",
        "document|1",
        "# \\#1 |## Summary|## Differs from normal|## Exit criteria|waived by Mary|## To-do list and bugs filed|Warm both caches",
    ),
    ("mary", "still-true|1|summary", "Mary says that this is still true: summary"),
    ("mary", "still-true|1", "Mary says that this is still true: summary, detailed status, working notes"),
    (
        "mary",
        "evidence|1|Cargo.toml|--name|manifest.toml",
        "manifest.toml is kept as evidence, with entry |: /api/v1/incidents/1/evidence/",
    ),
    ("mary", "offer|1|communications|robin", "Mary offers communications to Robin"),
    ("robin", "take|1|communications", "Robin took communications"),
    ("mary", "offer|1|planning|robin", "Mary offers planning to Robin"),
    ("robin", "take|1|planning", "Robin took planning"),
    ("mary", "take-back|1|planning", "Mary took planning back from Robin; it is with Mary now"),
    ("sabrina", "assume|1|--reason|she fell asleep|--unfit", "because the commander cannot go on: she fell asleep"),
    ("robin", "next", "#1: sabrina would assume command: wardroom confirm 1"),
    ("sabrina", "drop|1", "The proposal to assume command was taken back"),
    ("sabrina", "assume|1|--reason|she did|--unfit", "Sabrina proposes to assume command"),
    ("robin", "confirm|1", "Sabrina ASSUMED COMMAND from Mary, confirmed by Robin"),
    ("sabrina", "offer|1|command|mary", "Sabrina offers command to Mary"),
    ("mary", "take|1|command|--yes", "Briefing, up to entry|Mary has command from Sabrina, briefed up to entry"),
    ("sabrina", "release|1|operations", "Sabrina released operations; it is with Mary now"),
    ("robin", "leave|1", "Robin left communications|Robin left"),
    ("mary", "severity|1|SEV2|--reason|one region", "Mary changed the severity from sev1 to sev2: one region"),
    ("mary", "title|1|Search is slow", "Mary changed the title: Search is slow"),
    ("mary", "services|1|search|frontend", "Mary says that this affects frontend, search"),
    ("mary", "began|1|2026-01-01T00:00:00Z", "Mary says that impact began at 2026-01-01 00:00 UTC"),
    (
        "mary",
        "post|1|#inc-1|https://chat.example.org/1",
        "Mary opened a command post: #inc-1 (https://chat.example.org/1)",
    ),
    ("mary", "remove-post|1|1", "Mary closed command post 1"),
    ("mary", "phase|1|mitigated|--reason|errors are gone", "Mary says that this is mitigated: errors are gone"),
    ("mary", "phase|1|resolved", "Mary says that this is resolved"),
    ("mary", "change|1|revert|2", "Mary says that change 2 is reverted"),
    ("mary", "phase|1|closed", "Mary closed the incident"),
    ("mary", "list", "Nothing is open. To declare early: wardroom declare"),
    ("mary", "list|--all", "#1|closed|Search is slow"),
    ("mary", "reopen|1|--reason|it is back", "Mary reopened the incident and has command: it is back"),
    ("mary", "investigate|Indexing feels slow|--restricted", "Investigation #2 is open and you lead it. To declare it"),
    ("mary", "declare-investigation|2", "Mary declared the incident; Mary is the commander"),
    ("mary", "invite|2|robin", "Mary invited Robin"),
    ("mary", "uninvite|2|robin", "Mary took back the invitation of Robin"),
    ("mary", "unrestrict|2", "Mary opened this incident to everybody who is signed in"),
    ("mary", "restrict|2", "Mary restricted this incident to the invited"),
    ("mary", "unrestrict|2", "Mary opened this incident to everybody who is signed in"),
    ("mary", "merge|2|1", "Mary merged this incident into #1"),
    ("mary", "declare|Moving the racks|--kind|planned", "Incident #3 is declared"),
    ("mary", "kind|3|incident|--reason|one fell", "Mary made this an actual incident: one fell"),
    ("mary", "declare|Fire drill|--kind|drill", "Incident #4 is declared"),
    ("mary", "list|--drills", "#1|#3|#4|Fire drill"),
    (
        "mary",
        "timeline|1",
        "Mary declared a sev1 incident and has command|   8  Sabrina: (redacted)|Mary merged incident #2",
    ),
    ("mary", "briefing|1", "Briefing, up to entry|WHAT MATTERS, SO FAR|PINNED|sev2 #1 Search is slow|COMMAND|HERE"),
    ("ada", "audit|--topic|teams", "times in UTC|Somebody at the machine set the team search-sre: Sabrina and Robin"),
    ("mary", "completions|bash", "complete -F _wardroom"),
];

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
    ("person|import|FOLDER/roster.csv", "Imported 2 people, 1 teams and 0 services."),
    ("person|import|FOLDER/roster.toml", "Imported 1 people, 1 teams and 1 services."),
    ("team|set|dispatch|lorraine|emmett", "Team dispatch has 2 members."),
    ("team|list", "dispatch|Emmett|Lorraine"),
    ("service|set|power|--owner|dispatch|--depends-on|weather", "The directory knows the service power."),
    ("service|list", "power|owned by dispatch|search"),
    ("service|remove|power", "Removed the service power."),
    ("team|remove|dispatch", "Removed the team dispatch."),
    ("token|create|emmett|--scope|read|--label|phone|--days|30", "A token for emmett; it is shown this once: wr_"),
    ("token|list", "Emmett|read|until 2|phone"),
    ("token|revoke|TOKEN", "Revoked. Its open streams end within a second."),
    ("verify", "The record holds: "),
    ("backup|FOLDER/monday.backup", "The backup is in FOLDER/monday.backup."),
];

/// Verbs that have stories of their own: see `settings.rs`, `demo.rs` and below.
const ELSEWHERE: &[&str] = &["send-away", "serve", "demo", "help", "restore"];

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
    for (who, line, said) in INCIDENT {
        let (_, token) = people.iter().find(|(handle, _)| handle == who).unwrap();
        look(said, &Said::by(line, server.verb(token, &typed(line, json))));
    }
    let folder = house.folder().display().to_string();
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
        ("token|create|mary|--scope|god", "expected one of `read`, `respond`, `admin`"),
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
    for group in ["", "person", "team", "service", "token"] {
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
