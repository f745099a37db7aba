//! `wardroom demo`: the book's managed incident (Site Reliability Engineering, chapter 14), with scripted
//! responders who act through the same API as anyone. Within a minute they offer you command. The record is
//! thrown away, unless a place to keep it is named: then it is one to look around in, and what stories begin with.

use std::io::{BufRead, IsTerminal, Write};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use wardroom_core::briefing::Briefed;
use wardroom_core::command::{Command, OfferTo, Opening};
use wardroom_core::directory::DirectoryCommand;
use wardroom_core::example;
use wardroom_core::id::{Entry, Handle, Number, Who};
use wardroom_core::incident::{Phase, Severity};
use wardroom_core::role::RolePath;
use wardroom_core::token::Scope;
use wardroom_server::config::StoreArgs;

use super::store;
use crate::args;
use crate::args::Remote;
use crate::client::Client;
use crate::exit::Failure;
use crate::show;

/// Between two acts of the script, so that a person can read along.
const BEAT: Duration = Duration::from_millis(1_800);
/// How long the script waits for a person to take command before it goes on without.
const YOUR_TURN: Duration = Duration::from_secs(600);

/// The person at the terminal, beside the example's cast.
const YOU: (&str, &str) = ("you", "Jennifer (you)");

/// The people of the book's story, and you.
fn people() -> impl Iterator<Item = (&'static str, &'static str)> {
    example::Part::ALL.into_iter().map(|part| (part.handle(), part.name())).chain([YOU])
}

struct Stage {
    url: String,
    number: Number,
    tokens: Vec<(&'static str, String)>,
    beat: Duration,
    /// The script takes the person's part.
    by_script: bool,
    /// Nobody reads along: a script wants the end alone.
    silent: bool,
}

/// Plays it.
pub fn demo(arguments: args::Demo, json: bool) -> anyhow::Result<()> {
    let alone = json || !std::io::stdin().is_terminal();
    let mut place = StoreArgs { data: arguments.data, database: arguments.database, evidence: arguments.evidence };
    let kept = place.data.is_some() || place.database.is_some();
    let folder = if kept { None } else { Some(tempfile::tempdir()?) };
    if let Some(folder) = &folder {
        place.data = Some(folder.path().to_owned());
    } else if !store::is_empty(&place)? {
        anyhow::bail!("this place holds a record already; the demo plays only where there is none");
    }
    let tokens = cast(&place)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let listener = runtime.block_on(tokio::net::TcpListener::bind(("127.0.0.1", 0)))?;
    let url = format!("http://{}", listener.local_addr()?);
    let config = wardroom_server::config::Config {
        place: place.place(),
        evidence: place.kept_at()?,
        listen: listener.local_addr()?,
        log_format: wardroom_server::config::LogFormat::Human,
        log: String::new(),
        limits: wardroom_server::config::Limits::default(),
        public_url: None,
        tls: None,
        exempt: Default::default(),
        gate_exempt: None,
        github_secrets: Vec::new(),
        fetch_from: Default::default(),
        captures: Default::default(),
        shown: Vec::new(),
        outside: wardroom_server::reach::Outside::default(),
    };
    let config = config.claim()?;
    let serving = runtime.spawn(wardroom_server::server::run(config, listener, drop, async { drop(stopped.await) }));
    let beat = if alone || arguments.quick { Duration::ZERO } else { BEAT };
    let by_script = alone || arguments.watch;
    let mut stage = Stage { url, number: Number::FIRST, tokens, beat, by_script, silent: json };
    let played = stage.play();
    let _ = stop.send(());
    runtime.block_on(serving)??;
    played?;
    if json {
        super::print_json(
            &json!({ "incident": stage.number, "people": people().map(|(handle, _)| handle).collect::<Vec<_>>() }),
        );
        return Ok(());
    }
    println!("\nThe server has stopped. Does the record hold? (wardroom verify)");
    store::verify(&place, false)?;
    if kept {
        let flag = store::flag(&place);
        println!("\nThat was Wardroom. The record is kept; to look around in it:");
        println!("  wardroom serve{flag}");
        println!("  export WARDROOM_TOKEN=$(wardroom token create mary{flag} | awk '{{print $NF}}')");
        println!("  wardroom show {}", stage.number.get());
    } else {
        println!("\nThat was Wardroom. To run your own: wardroom serve");
    }
    folder.map_or(Ok(()), TempDir::close)?;
    Ok(())
}

/// Adds the people and draws their tokens.
fn cast(place: &StoreArgs) -> anyhow::Result<Vec<(&'static str, String)>> {
    let mut tokens = Vec::new();
    for (handle, name) in people() {
        let handle: Handle = handle.parse()?;
        let add = DirectoryCommand::AddPerson { handle, name: name.parse()?, email: None, admin: false };
        store::change_quietly(place, add)?;
    }
    for (handle, _) in people() {
        let who = Who::Handle(handle.parse()?);
        tokens.push((handle, store::create_token(place, &who, Scope::Respond, "demo".parse()?, None)?));
    }
    Ok(tokens)
}

fn role(path: &str) -> RolePath {
    path.parse().expect("the script names roles that there are")
}

fn words<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("the script's lines are well formed")
}

impl Stage {
    fn client(&self, handle: &str) -> Client {
        let token = self.tokens.iter().find(|(known, _)| *known == handle).map(|(_, token)| token.as_str());
        Client::new(&self.url, token.unwrap_or_default())
    }

    /// Somebody of the cast does something, and everybody reads it in the timeline.
    fn act(&self, who: &str, command: &Command) -> anyhow::Result<()> {
        let client = self.client(who);
        let answer = client.command(self.number, command)?;
        let (first, last) = (answer["first_entry"].as_u64().unwrap_or(0), answer["last_entry"].as_u64().unwrap_or(0));
        for entry in show::entries(&client, self.number, first, last)? {
            self.say(&show::line(&entry));
        }
        std::thread::sleep(self.beat);
        Ok(())
    }

    /// To whoever reads along.
    fn say(&self, text: &str) {
        if !self.silent {
            println!("{text}");
        }
    }

    fn note(&self, who: &str, text: &str) -> anyhow::Result<()> {
        self.act(who, &Command::Note { text: words(text), happened_at: None, pin: false })
    }

    fn offer(&self, from: &str, what: &str, to: &str) -> anyhow::Result<()> {
        let to = OfferTo::Person(Who::Handle(words(to)));
        self.act(from, &Command::OfferRole { role: role(what), to, note: None })
    }

    fn play(&mut self) -> anyhow::Result<()> {
        self.wait_until_it_serves()?;
        self.say("A Friday afternoon. This is the timeline as everybody sees it, live (times in UTC).\n");
        let opening = Opening {
            title: words(example::TITLE),
            investigate: true,
            kind: wardroom_core::incident::Kind::Incident,
            severity: Severity::Sev2,
            services: example::SERVICES.map(words).into(),
            began: None,
            restricted: false,
        };
        let answer = self.client("mary").open(&opening)?;
        self.number = serde_json::from_value(answer["incident"].clone())?;
        for entry in show::entries(&self.client("mary"), self.number, 1, 1)? {
            self.say(&show::line(&entry));
        }
        self.before_you()?;
        self.your_turn()?;
        self.after_you()
    }

    fn wait_until_it_serves(&self) -> anyhow::Result<()> {
        let mary = self.client("mary");
        for _ in 0..200 {
            if mary.get("/api/v1/me").is_ok() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        anyhow::bail!("the demo's server did not start")
    }

    /// Mary declares early and Sabrina takes command; the roles are separated.
    fn before_you(&self) -> anyhow::Result<()> {
        for (part, command) in example::first_act(|part| Who::Handle(words(part.handle()))) {
            self.act(part.handle(), &command)?;
        }
        self.act("you", &Command::Join {})?;
        self.say("\nSabrina's day ends. She offers command to you, and stays until you have it.\n");
        self.offer("sabrina", "command", "you")
    }

    /// The person at the terminal reads the briefing and takes command; or the script does.
    fn your_turn(&self) -> anyhow::Result<()> {
        let you = self.client("you");
        self.say("\nWhat must you do next? (wardroom next)");
        self.say(&format!("  {}\n", show::next(&you.get("/api/v1/next")?)));
        if self.silent {
            let briefed = Some(self.briefed("you")?);
            self.act("you", &Command::TakeRole { role: role("command"), briefed })?;
        } else {
            let remote = Remote {
                url: self.url.parse().map_err(anyhow::Error::msg)?,
                token: crate::args::Secret::default(),
                ca: None,
                json: false,
            };
            super::take::take(&you, &remote, self.number, role("command"), false, self.by_script)?;
            if self.commander()? != "you" {
                println!(
                    "\nYou left it with Sabrina. Somebody has to have it, so she keeps it until you say otherwise."
                );
                drop(ask("Press Enter to take it now, briefed by voice: ", YOUR_TURN)?);
                super::take::take(&you, &remote, self.number, role("command"), true, true)?;
            }
        }
        self.say("\nYou have command. Sabrina can go home.\n");
        std::thread::sleep(self.beat);
        let state = you.get(&format!("/api/v1/incidents/{}", self.number.get()))?;
        self.say(&format!("{}\n", show::incident(&state)));
        Ok(())
    }

    /// Somebody has read the briefing, up to here.
    fn briefed(&self, who: &str) -> anyhow::Result<Briefed> {
        let briefing = self.client(who).get(&format!("/api/v1/incidents/{}/briefing", self.number.get()))?;
        Ok(Briefed::To(Entry(briefing["briefed_to"].as_u64().unwrap_or(0))))
    }

    fn commander(&self) -> anyhow::Result<String> {
        let state = self.client("you").get(&format!("/api/v1/incidents/{}", self.number.get()))?;
        Ok(state["commander"]["handle"].as_str().unwrap_or_default().to_owned())
    }

    /// You offer command on, and the incident comes to its end.
    fn after_you(&self) -> anyhow::Result<()> {
        self.note("josephine", "Load is balanced again; both data centres serve.")?;
        self.act(
            "you",
            &Command::SetPhase { phase: Phase::Mitigated, reason: Some(words("error rate is back to normal")) },
        )?;
        self.say("\nIt is late for you too. Offer command on.");
        let to = if self.by_script {
            String::new()
        } else {
            ask("To whom? mary, josephine, robin or malcolm [mary]: ", YOUR_TURN)?
        };
        let heir = ["josephine", "robin", "malcolm"].into_iter().find(|name| *name == to).unwrap_or("mary");
        self.offer("you", "command", heir)?;
        self.held_back_once(heir)?;
        self.act(heir, &Command::SetPhase { phase: Phase::Resolved, reason: None })?;
        self.act(
            heir,
            &Command::SetPhase { phase: Phase::Closed, reason: Some(words("nothing differs from normal any more")) },
        )
    }

    /// Something that matters happens while the heir reads: the taking is held back once, with just that.
    fn held_back_once(&self, heir: &str) -> anyhow::Result<()> {
        let briefed = Some(self.briefed(heir)?);
        let severity =
            Command::SetSeverity { severity: Severity::Sev2, reason: Some(words("no user is affected now")) };
        self.act("you", &severity)?;
        let take = Command::TakeRole { role: role("command"), briefed };
        match self.act(heir, &take) {
            Ok(()) => anyhow::bail!("the taking should have been held back once"),
            Err(error) => match error.downcast_ref::<Failure>() {
                Some(Failure::Refused(problem)) if problem["code"] == "briefing_stale" => {
                    self.say(&format!("  ({heir} is held back once, and shown:)\n{}", unseen(problem)));
                    std::thread::sleep(self.beat);
                }
                _ => return Err(error),
            },
        }
        self.act(heir, &take)
    }
}

fn unseen(problem: &Value) -> String {
    let entries = problem["unseen_entries"].as_array().cloned().unwrap_or_default();
    entries.iter().map(|entry| format!("  {}", show::line(entry))).collect::<Vec<_>>().join("\n")
}

/// Asks for a line, and goes on without one after a while.
fn ask(question: &str, patience: Duration) -> anyhow::Result<String> {
    print!("{question}");
    std::io::stdout().flush()?;
    let (line, read) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut typed = String::new();
        let _ = std::io::stdin().lock().read_line(&mut typed);
        let _ = line.send(typed.trim().to_lowercase());
    });
    Ok(read.recv_timeout(patience).unwrap_or_default())
}
