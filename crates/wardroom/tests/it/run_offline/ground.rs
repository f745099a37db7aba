//! The ground of stories in which the server cannot be reached.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

use crate::gate::Gate;
use crate::house::{House, Server, WARDROOM};

/// Mary commands and Sabrina has operations, behind a gate that can be shut; and a folder for what is recorded later.
pub struct Ground {
    pub gate: Gate,
    pub server: Server,
    pub state: PathBuf,
    pub mary: String,
    pub sabrina: String,
}

impl Ground {
    pub fn of(house: &House) -> Self {
        Self::of_server(house, house.serve())
    }

    pub fn of_server(house: &House, server: Server) -> Self {
        let [mary, sabrina] = ["mary", "sabrina"].map(|handle| house.person(handle));
        let declared = json!({ "title": "Search is failing", "services": ["search"] });
        assert_eq!(server.post(&mary, "/api/v1/incidents", declared).0, 201);
        server.done(&sabrina, 1, json!({ "command": "join" }));
        server.done(&mary, 1, json!({ "command": "offer_role", "role": "operations", "to": { "person": "sabrina" } }));
        server.done(&sabrina, 1, json!({ "command": "take_role", "role": "operations" }));
        let gate = Gate::before_server(&server);
        Self { gate, server, state: house.folder().join("state"), mary, sabrina }
    }

    pub fn typed(&self, token: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(WARDROOM);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env("WARDROOM_URL", &self.gate.url).env("WARDROOM_TOKEN", token).env("NO_COLOR", "1");
        command.env("WARDROOM_STATE", &self.state);
        command
    }

    /// What a verb says by way of the gate: its exit code, its output and its errors.
    pub fn say(&self, token: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
        said(&self.typed(token, arguments).output().unwrap())
    }

    /// Runs a script without the server, and says so.
    pub fn offline(&self, token: &str, script: &str) -> (Option<i32>, String, String) {
        self.say(token, &["run", "1", "--offline", "--service", "search", "--", "sh", "-c", script])
    }

    pub fn deliver(&self, token: &str) -> (Option<i32>, String, String) {
        self.say(token, &["run", "--deliver"])
    }

    pub fn begun(&self, token: &str, arguments: &[&str]) -> Child {
        self.typed(token, arguments).process_group(0).spawn().unwrap()
    }

    /// Delivers until the server has the change, and is killed before it hears so.
    pub fn deliver_unheard(&self) {
        self.gate.hold_back_the_answer_to("record_change");
        let mut delivering = self.begun(&self.sabrina, &["run", "--deliver"]);
        self.gate.holds_back();
        delivering.kill().unwrap();
        delivering.wait().unwrap();
    }

    pub fn kept(&self) -> Vec<PathBuf> {
        let found = fs::read_dir(self.state.join("runs")).into_iter().flatten();
        found.map(|entry| entry.unwrap().path()).collect()
    }

    pub fn changes(&self) -> Vec<Value> {
        let (status, ledger) = self.server.get(&self.mary, "/api/v1/incidents/1/changes");
        assert_eq!(status, 200, "{ledger}");
        ledger["changes"].as_array().unwrap().clone()
    }

    /// The evidence that was attached, with its words.
    pub fn evidence(&self) -> Vec<(String, String)> {
        self.evidence_of(1)
    }

    /// The same of another incident.
    pub fn evidence_of(&self, number: u64) -> Vec<(String, String)> {
        let (_, events) = self.server.get(&self.mary, &format!("/api/v1/incidents/{number}/events"));
        let all = events["entries"].as_array().unwrap().iter().filter(|entry| entry["kind"] == "evidence_attached");
        let named = all.map(|entry| {
            let word = |name: &str| entry["body"][name].as_str().unwrap().to_owned();
            let bytes = self.server.verb(&self.mary, &["evidence", "get", &number.to_string(), &word("sha256")]).stdout;
            (word("name"), String::from_utf8(bytes).unwrap())
        });
        named.collect()
    }
}

pub fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}
