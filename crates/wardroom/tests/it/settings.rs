//! Settings: a flag goes before a `WARDROOM_*` variable, and that before the TOML file; log lines; and mistakes.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::house::House;
use crate::typed::Terminal;

const WARDROOM: &str = env!("CARGO_BIN_EXE_wardroom");

/// A folder with a file of settings in it.
fn folder(settings: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wardroom.toml");
    std::fs::write(&file, settings.replace("FOLDER", &folder.path().display().to_string())).unwrap();
    (folder, file)
}

/// Serves with these flags and variables in a folder until it listens, then has it stop; where it listened, and
/// what it logged.
fn served(folder: &Path, flags: &[&str], variables: &[(&str, &str)]) -> (String, String) {
    let here = folder.display().to_string();
    let mut child = Command::new(WARDROOM)
        .args(["serve", "--json"])
        .args(flags.iter().map(|flag| flag.replace("FOLDER", &here)))
        .envs(variables.iter().map(|(name, value)| (name, value.replace("FOLDER", &here))))
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let mut answer = String::new();
    while serde_json::from_str::<Value>(&answer).is_err() {
        let count = said.read_line(&mut answer).unwrap();
        assert!(count > 0, "it says where it listens: {answer}");
    }
    let url = serde_json::from_str::<Value>(&answer).unwrap()["url"].as_str().unwrap().to_owned();
    // Told to stop while it is still starting, it ended in the middle of that.
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    let mut logged = String::new();
    child.stderr.take().unwrap().read_to_string(&mut logged).unwrap();
    assert!(child.wait().unwrap().success(), "{logged}");
    (url, logged)
}

fn ready(url: &str) -> bool {
    ureq::get(format!("{url}/readyz")).call().is_ok()
}

const FILE: &str = "data = 'FOLDER/from-file'\nlisten = '127.0.0.2:0'\nlog_format = 'json'\nlog = 'info'\n";
const VARIABLES: [(&str, &str); 4] = [
    ("WARDROOM_DATA", "FOLDER/from-variable"),
    ("WARDROOM_LISTEN", "127.0.0.3:0"),
    ("WARDROOM_LOG_FORMAT", "human"),
    ("WARDROOM_LOG", "error"),
];
const FLAGS: [&str; 8] = [
    "--data",
    "FOLDER/from-flag",
    "--listen",
    "127.0.0.4:0",
    "--log-format",
    "json",
    "--log",
    "warn,wardroom_server=info",
];

/// The places below a folder that have a store now.
fn stores(folder: &Path) -> Vec<String> {
    let mut stores: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().join("wardroom.db").exists())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    stores.sort();
    stores
}

#[test]
fn a_flag_goes_before_a_variable_and_a_variable_before_the_file() {
    let (folder, file) = folder(FILE);
    let config = ["--config", file.to_str().unwrap()];
    let (url, logged) = served(folder.path(), &config, &[]);
    assert!(url.starts_with("http://127.0.0.2:") && logged.starts_with('{'), "{url} {logged}");
    assert_eq!(stores(folder.path()), ["from-file"]);
    let (url, logged) = served(folder.path(), &config, &VARIABLES);
    assert!(url.starts_with("http://127.0.0.3:") && logged.is_empty(), "{url} {logged}");
    assert_eq!(stores(folder.path()), ["from-file", "from-variable"]);
    let (url, logged) = served(folder.path(), &[&config[..], &FLAGS].concat(), &VARIABLES);
    assert!(url.starts_with("http://127.0.0.4:") && logged.starts_with('{'), "{url} {logged}");
    assert_eq!(stores(folder.path()), ["from-file", "from-flag", "from-variable"]);
    // The file itself can be named by a variable.
    let (url, _) = served(folder.path(), &[], &[("WARDROOM_CONFIG", file.to_str().unwrap())]);
    assert!(url.starts_with("http://127.0.0.2:"), "{url}");
    // With nothing said, ./data on port 8080; that port may be taken here.
    served(folder.path(), &["--listen", "127.0.0.1:0"], &[]);
    assert_eq!(stores(folder.path()), ["data", "from-file", "from-flag", "from-variable"]);
}

/// Both name the store, so a flag was refused where the other one's variable happened to be set.
#[test]
fn a_folder_that_is_typed_goes_before_a_database_in_a_variable() {
    let (folder, file) = folder("database = 'postgres://nobody@127.0.0.1:1/from-file'\n");
    let variable = [("WARDROOM_DATABASE", "postgres://nobody:hunter2@127.0.0.1:1/from-variable")];
    let flags = ["--data", "FOLDER/from-flag", "--listen", "127.0.0.1:0", "--config", file.to_str().unwrap()];
    served(folder.path(), &flags, &variable);
    served(
        folder.path(),
        &["--config", file.to_str().unwrap(), "--listen", "127.0.0.1:0"],
        &[("WARDROOM_DATA", "FOLDER/v")],
    );
    assert_eq!(stores(folder.path()), ["from-flag", "v"]);
    let data = folder.path().join("from-flag");
    let listed = House::wardroom(&["person", "list", "--json", "--data", data.to_str().unwrap()], &variable);
    assert_eq!(String::from_utf8(listed.stdout).unwrap().trim(), "[]");
    let both = House::wardroom(&["person", "list", "--data", "x", "--database", "postgres://y/z"], &[]);
    assert_eq!(both.status.code(), Some(2));
    let both = House::wardroom(&["person", "list"], &[("WARDROOM_DATA", "x"), variable[0]]);
    let said = String::from_utf8(both.stderr).unwrap();
    assert!(both.status.code() == Some(2) && said.contains("name one of them") && !said.contains("hunter2"), "{said}");
}

#[test]
fn each_log_line_is_a_document_for_machines() {
    let (folder, _) = folder("");
    let listen = ["--listen", "127.0.0.1:0"];
    let (_, logged) =
        served(folder.path(), &listen, &[("WARDROOM_LOG_FORMAT", "json"), ("WARDROOM_LOG", "debug"), ("NO_COLOR", "")]);
    let lines: Vec<Value> = logged.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let stopping = lines.iter().find(|line| line["fields"]["message"] == "stopping: finishing what is under way");
    assert_eq!(stopping.expect(&logged)["level"], "INFO");
    let (_, logged) = served(folder.path(), &listen, &[("WARDROOM_LOG", "wardroom_server=error")]);
    assert_eq!(logged, "", "less is logged when less is asked for");
    let (_, logged) = served(folder.path(), &listen, &[]);
    assert!(logged.contains("stopping: finishing what is under way") && !logged.contains('\u{1b}'), "{logged:?}");
}

#[test]
fn a_server_in_a_terminal_is_coloured_and_stops_at_ctrl_c() {
    for (variables, coloured) in [(&[][..], true), (&[("NO_COLOR", "1")], false)] {
        let (folder, _) = folder("");
        let data = folder.path().join("data");
        let typed = ["serve", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()];
        let mut terminal = Terminal::open(&typed, variables);
        let shown = terminal.see("Wardroom listens on http://127.0.0.1:") + &terminal.see("wardroom demo");
        let url: String = shown.split("http://").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
        crate::wait::until("it is ready", || ready(&format!("http://{url}")).then_some(()));
        terminal.press("\u{3}");
        let (code, shown) = terminal.end();
        assert!(code == 0 && shown.contains("stopping: finishing what is under way"), "{shown}");
        assert_eq!(shown.contains("\u{1b}["), coloured, "{shown:?}");
    }
}

/// Where a variable is passed on that nobody set, it is there and empty.
#[test]
fn a_list_in_an_empty_variable_is_not_set() {
    let folder = tempfile::tempdir().unwrap();
    let lists = ["WARDROOM_GATE_EXEMPT", "WARDROOM_GITHUB_SECRET", "WARDROOM_FETCH_FROM", "WARDROOM_CAPTURE"];
    let (url, logged) = served(folder.path(), &["--listen", "127.0.0.1:0"], &lists.map(|name| (name, "")));
    assert!(url.starts_with("http://127.0.0.1:"), "{logged}");
}

#[test]
fn mistakes_in_settings_are_named() {
    for (settings, said) in [
        ("colour = 'blue'\n", "unknown field `colour`, expected one of `data`, `database`, `evidence`, `listen`"),
        ("data = 'a'\ndatabase = 'postgres://b/c'\n", "name either a data folder or a database, not both"),
        ("listen = 'everywhere'\n", "invalid socket address"),
        ("log_format = 'loud'\n", "expected is `human` or `json`"),
        ("log = 'wardroom=loud'\n", "the log filter “wardroom=loud” cannot be read"),
        ("listen = \n", "wardroom.toml do not fit"),
    ] {
        let (_folder, file) = folder(settings);
        let refused = House::wardroom(&["serve", "--config", file.to_str().unwrap()], &[]);
        let told = String::from_utf8(refused.stderr).unwrap();
        assert_eq!((refused.status.code(), refused.stdout.len()), (Some(1), 0), "{settings}");
        assert!(told.contains(said) && !told.contains("panicked"), "{settings}: {told}");
    }
    let missing = House::wardroom(&["serve", "--config", "/nowhere/wardroom.toml"], &[]);
    assert!(String::from_utf8(missing.stderr).unwrap().contains("/nowhere/wardroom.toml cannot be read"));
    for (name, value) in
        [("WARDROOM_LISTEN", "everywhere"), ("WARDROOM_MAX_CONNECTIONS", "many"), ("WARDROOM_LOG_FORMAT", "loud")]
    {
        let refused = House::wardroom(&["serve"], &[(name, value)]);
        let told = String::from_utf8(refused.stderr).unwrap();
        assert!(refused.status.code() == Some(2) && told.contains(value), "{name}: {told}");
    }
}

#[test]
fn the_clients_flags_go_before_their_variables() {
    let house = House::on_sqlite();
    let [mary, sabrina] = ["mary", "sabrina"].map(|handle| house.person(handle));
    let server = house.serve();
    server.say(&mary, &["declare", "Search is failing"]);
    let wrong = [("WARDROOM_URL", "http://127.0.0.1:1"), ("WARDROOM_TOKEN", mary.as_str())];
    let said = House::wardroom(&["join", "1", "--url", &server.url, "--token", &sabrina], &wrong);
    assert!(String::from_utf8(said.stdout).unwrap().contains("Sabrina is here"));
}
