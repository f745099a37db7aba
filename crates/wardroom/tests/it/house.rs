//! The house that stories play in: a store, servers on it, people with tokens, and their commands.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc;

use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::Agent;
use wardroom_server::log::{Log, Place};

use crate::wait;

pub const WARDROOM: &str = env!("CARGO_BIN_EXE_wardroom");

/// One store of a story's own, thrown away with it.
pub struct House {
    folder: TempDir,
    database: Option<Database>,
}

/// A PostgreSQL database that is dropped with the story.
struct Database {
    server: String,
    name: String,
}

impl Drop for Database {
    fn drop(&mut self) {
        psql(&self.server, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

/// Runs a statement as the test server's superuser.
fn psql(url: &str, statement: &str) -> String {
    let output = Command::new("psql").args(["-qAtX", "-v", "ON_ERROR_STOP=1", url, "-c", statement]).output().unwrap();
    assert!(output.status.success(), "{statement}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

impl House {
    pub fn on_sqlite() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), database: None }
    }

    pub fn on_postgres() -> Self {
        let server =
            std::env::var("WARDROOM_TEST_POSTGRES").expect("run the tests with `make test`: it starts a PostgreSQL");
        let name = format!("story_{}", uuid::Uuid::now_v7().simple());
        psql(&server, &format!("CREATE DATABASE {name}"));
        Self { folder: tempfile::tempdir().unwrap(), database: Some(Database { server, name }) }
    }

    pub fn is_postgres(&self) -> bool {
        self.database.is_some()
    }

    /// A folder for a story's files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The flags that name the store.
    pub fn place(&self) -> Vec<String> {
        match &self.database {
            None => vec!["--data".to_owned(), self.data().display().to_string()],
            Some(_) => {
                vec!["--database".into(), self.url(), format!("--evidence={}/evidence", self.folder().display())]
            }
        }
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The database's URL, for a house on PostgreSQL.
    pub fn url(&self) -> String {
        let database = self.database.as_ref().expect("this house stands on PostgreSQL");
        let (head, _) = database.server.rsplit_once('/').unwrap();
        format!("{head}/{}", database.name)
    }

    /// Makes the store, with nothing in it: what a restore that was cut off leaves.
    pub fn make_tables(&self) {
        let place = if self.is_postgres() { Place::Postgres(self.url()) } else { Place::Folder(self.data()) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(Log::open(&place)).unwrap();
    }

    /// Tampers with the store behind Wardroom's back.
    pub fn tamper(&self, statement: &str) {
        self.ask(statement);
    }

    /// Asks the store behind Wardroom's back: the first column of what it answers, a row a line.
    pub fn ask(&self, query: &str) -> String {
        if self.is_postgres() {
            return psql(&self.url(), query);
        }
        ask_file(&self.data().join("wardroom.db"), query)
    }

    /// Plays the demo on the store, which is empty: the book's people and their incident, closed at the end.
    pub fn with_demo(&self) {
        let said = self.run(&["demo", "--quick", "--watch"]);
        assert!(said.contains("The record holds") && said.contains("The record is kept"), "{said}");
    }

    /// Runs `wardroom` on the store.
    pub fn console(&self, arguments: &[&str]) -> Output {
        Command::new(WARDROOM).args(arguments).args(self.place()).env("NO_COLOR", "1").output().unwrap()
    }

    /// Runs `wardroom` on the store with a clock that is off by so much; it has to succeed.
    pub fn console_at(&self, off: &str, arguments: &[&str]) -> String {
        let library =
            std::env::var_os("WARDROOM_TEST_FAKETIME").expect("run the tests with `make test`: it finds libfaketime");
        let mut wardroom = Command::new(WARDROOM);
        wardroom.args(arguments).args(self.place()).env("LD_PRELOAD", library).env("FAKETIME", off);
        let output = wardroom.env("FAKETIME_DISABLE_SHM", "1").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs `wardroom` on the store; it has to succeed.
    pub fn run(&self, arguments: &[&str]) -> String {
        let output = self.console(arguments);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "wardroom {}: {errors}", arguments.join(" "));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Adds a person and gives them a token.
    pub fn person(&self, handle: &str) -> String {
        let name = format!("{}{}", handle[..1].to_uppercase(), &handle[1..]);
        self.run(&["person", "add", handle, "--name", &name]);
        self.token(handle, "respond")
    }

    /// Adds an admin and gives them an admin's token.
    pub fn admin(&self, handle: &str) -> String {
        self.run(&["person", "add", handle, "--name", handle, "--admin"]);
        self.token(handle, "admin")
    }

    pub fn token(&self, handle: &str, scope: &str) -> String {
        let said = self.run(&["token", "create", handle, "--scope", scope]);
        said.split_whitespace().last().unwrap().to_owned()
    }

    /// Starts a server on the store and waits until it is ready.
    pub fn serve(&self) -> Server {
        self.serve_in::<&str>(&[])
    }

    /// Starts a server with these variables in its environment.
    pub fn serve_in<V: AsRef<OsStr>>(&self, environment: &[(&str, V)]) -> Server {
        let environment = environment.iter().map(|(name, value)| (name, value));
        self.start(Command::new(WARDROOM).arg("serve").args(self.place()).envs(environment))
    }

    /// Starts a server by a `wardroom serve` of the story's own.
    pub fn start(&self, wardroom: &mut Command) -> Server {
        if !wardroom.get_envs().any(|(name, _)| name == "WARDROOM_LOG") {
            wardroom.env("WARDROOM_LOG", "warn");
        }
        let mut child = wardroom.args(["--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let url = line.trim().rsplit(' ').next().unwrap_or_default().to_owned();
        let server = Server { child, url, said };
        wait::until("the server is ready", || server.status("/readyz").filter(|status| *status == 200));
        server
    }

    /// What `verify` says, as JSON.
    pub fn verify(&self) -> Value {
        serde_json::from_slice(&self.console(&["verify", "--json"]).stdout).unwrap()
    }
}

/// Asks an embedded store or a backup, or tampers with it: the first column of what it answers, a row a line.
pub fn ask_file(file: &Path, query: &str) -> String {
    let asking = "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); r=c.execute(sys.argv[2]).fetchall(); \
                  c.commit(); [print(row[0]) for row in r]";
    let output = Command::new("python3").args(["-c", asking]).arg(file).arg(query).output().unwrap();
    assert!(output.status.success(), "{query}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A running server.
pub struct Server {
    child: Child,
    pub url: String,
    said: BufReader<ChildStdout>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn agent() -> Agent {
    let config = Agent::config_builder().http_status_as_error(false).timeout_global(None).build();
    config.into()
}

/// An answer: its status and its body, JSON if it is any.
pub type Answer = (u16, Value);

impl Server {
    /// What it says at its start, to the last line.
    pub fn said_to_begin_with(&mut self) -> String {
        let mut said = String::new();
        while !said.contains("wardroom demo") {
            assert!(self.said.read_line(&mut said).unwrap() > 0, "it says what to do: {said}");
        }
        said
    }

    /// kill -9.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn signal(&self, signal: &str) {
        let killed = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
    }

    /// Waits for the process to end by itself.
    pub fn ended(&mut self) -> i32 {
        wait::until("the server ended", || self.child.try_wait().unwrap()).code().unwrap_or(-1)
    }

    /// The process, as the system knows it.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Where it listens, without the scheme.
    pub fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    pub fn status(&self, path: &str) -> Option<u16> {
        agent().get(format!("{}{path}", self.url)).call().ok().map(|answer| answer.status().as_u16())
    }

    pub fn get(&self, token: &str, path: &str) -> Answer {
        let mut answer = agent()
            .get(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {token}"))
            .call()
            .unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// Posts a body as it is; `None` when the connection broke.
    pub fn send(&self, token: &str, path: &str, body: &[u8]) -> Option<Answer> {
        let mut answer = agent()
            .post(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .send(body)
            .ok()?;
        let text = answer.body_mut().read_to_string().ok()?;
        Some((answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    /// Posts a body that has to be refused for now (503), by a server that says so in its usual form; returns the
    /// problem.
    pub fn put_off(&self, token: &str, path: &str, body: &Value) -> Value {
        let mut answer = agent()
            .post(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .send(body.to_string().as_bytes())
            .unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        assert_eq!(answer.status().as_u16(), 503, "{text}");
        let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        assert_eq!(header("content-type"), "application/problem+json");
        assert!(header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0), "{text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Posts the same body until it is accepted.
    pub fn insist(&self, token: &str, path: &str, body: &Value) -> Value {
        wait::until("it is accepted", || {
            let (status, answer) = self.post(token, path, body.clone());
            assert!(matches!(status, 200 | 503), "{status}: {answer}");
            (status == 200).then_some(answer)
        })
    }

    /// Posts a command with a fresh request id.
    pub fn post(&self, token: &str, path: &str, mut body: Value) -> Answer {
        if body.get("request_id").is_none() {
            body["request_id"] = json!(uuid::Uuid::now_v7());
        }
        self.send(token, path, body.to_string().as_bytes()).expect("the server answers")
    }

    pub fn declare(&self, token: &str, title: &str) -> u64 {
        self.declare_as(token, title, "sev2")
    }

    pub fn declare_as(&self, token: &str, title: &str, severity: &str) -> u64 {
        let (status, answer) = self.post(token, "/api/v1/incidents", json!({ "title": title, "severity": severity }));
        assert_eq!(status, 201, "{answer}");
        answer["incident"].as_u64().unwrap()
    }

    pub fn command(&self, token: &str, number: u64, command: Value) -> Answer {
        self.post(token, &format!("/api/v1/incidents/{number}/commands"), command)
    }

    /// A command that has to be accepted.
    pub fn done(&self, token: &str, number: u64, command: Value) -> Value {
        let (status, answer) = self.command(token, number, command.clone());
        assert_eq!(status, 200, "{command}: {answer}");
        answer
    }

    /// What the notes of an incident say, in order: of those that are left.
    pub fn notes(&self, token: &str, number: u64) -> Vec<String> {
        let (mut notes, mut after) = (Vec::new(), 0);
        loop {
            let (status, page) = self.get(token, &format!("/api/v1/incidents/{number}/events?after_entry={after}"));
            assert_eq!(status, 200, "{page}");
            for entry in page["entries"].as_array().unwrap() {
                after = entry["entry"].as_u64().unwrap();
                notes.extend(entry["body"]["text"].as_str().filter(|_| entry["kind"] == "noted").map(str::to_owned));
            }
            if page["more"] != true {
                return notes;
            }
        }
    }

    /// The kinds of an incident's entries, in order.
    pub fn kinds(&self, token: &str, number: u64) -> Vec<String> {
        let (_, page) = self.get(token, &format!("/api/v1/incidents/{number}/events"));
        let entries = page["entries"].as_array().cloned().unwrap_or_default();
        entries.iter().map(|entry| entry["kind"].as_str().unwrap().to_owned()).collect()
    }

    pub fn commander(&self, token: &str, number: u64) -> String {
        let (_, state) = self.get(token, &format!("/api/v1/incidents/{number}"));
        state["commander"]["handle"].as_str().unwrap_or_default().to_owned()
    }

    /// What somebody should do next in an incident, by its short name.
    pub fn next(&self, token: &str, number: u64) -> String {
        let (_, state) = self.get(token, &format!("/api/v1/incidents/{number}"));
        state["next"]["do"].as_str().unwrap_or_default().to_owned()
    }

    /// Opens the live stream; returns once it is connected.
    pub fn follow(&self, token: &str, query: &str) -> Stream {
        let answer = agent()
            .get(format!("{}/api/v1/events{query}", self.url))
            .header("authorization", format!("Bearer {token}"))
            .call()
            .unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        let (entries, received) = mpsc::channel();
        let mut lines = BufReader::new(answer.into_body().into_reader()).lines();
        let hello = lines.next().unwrap().unwrap();
        assert_eq!(hello, ": connected");
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some(data) = line.strip_prefix("data: ")
                    && entries.send(serde_json::from_str(data).unwrap()).is_err()
                {
                    return;
                }
            }
        });
        Stream { received }
    }

    /// Runs a client verb against this server.
    pub fn verb(&self, token: &str, arguments: &[&str]) -> Output {
        Command::new(WARDROOM)
            .args(arguments)
            .env("WARDROOM_URL", &self.url)
            .env("WARDROOM_TOKEN", token)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Runs a client verb that has to succeed.
    pub fn say(&self, token: &str, arguments: &[&str]) -> String {
        let output = self.verb(token, arguments);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "wardroom {}: {errors}", arguments.join(" "));
        String::from_utf8(output.stdout).unwrap()
    }
}

/// A live stream that is being read.
pub struct Stream {
    pub received: mpsc::Receiver<Value>,
}

impl Stream {
    /// The next entry.
    pub fn next(&self) -> Value {
        self.received.recv_timeout(wait::PATIENCE).expect("an entry comes")
    }

    /// What the next notes say, so many.
    pub fn notes(&self, number: usize) -> Vec<String> {
        std::iter::repeat_with(|| self.next_note()["body"]["text"].as_str().unwrap().to_owned()).take(number).collect()
    }

    /// The next note. What came before the stream was opened may still be on its way.
    pub fn next_note(&self) -> Value {
        self.next_of("noted")
    }

    /// The next entry of a kind; others before it are passed over.
    pub fn next_of(&self, kind: &str) -> Value {
        std::iter::repeat_with(|| self.next()).find(|entry| entry["kind"] == kind).expect("it comes")
    }

    /// Waits for the stream's end.
    pub fn end(&self) {
        self.rest();
    }

    /// Whatever comes until the stream's end.
    pub fn rest(&self) -> Vec<Value> {
        let mut rest = Vec::new();
        loop {
            match self.received.recv_timeout(wait::PATIENCE) {
                Ok(entry) => rest.push(entry),
                Err(mpsc::RecvTimeoutError::Disconnected) => return rest,
                Err(mpsc::RecvTimeoutError::Timeout) => panic!("the stream does not end"),
            }
        }
    }
}

/// A raw connection's whole answer, for requests that no client would send.
pub fn raw(url: &str, request: &str) -> String {
    use std::io::Write;
    let mut stream = std::net::TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}
