//! The gate's decisions that record nothing in a ledger, beside a bare handler that returns the same JSON: dry runs, and what
//! is denied, which is counted behind the answer. The bare one is this same program under another name, so that it has a
//! process of its own as the server has.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::house::House;
use crate::http::Client;
use crate::settings::Settings;
use crate::table::{Rounds, heading, line, paired, quantile};

/// The word that makes this program the bare server.
pub const WORD: &str = "bare-gate";
/// Connections that ask at once.
const ASKING: usize = 8;

/// The two are asked in turns of about this length, each turn compared in itself: a machine whose speed comes and goes, as one
/// that is shared does, changes both alike.
const TURN: Duration = Duration::from_millis(250);

/// Measures and prints the table.
pub async fn measure(settings: &Settings) -> anyhow::Result<()> {
    let house = House::on_sqlite()?;
    let (incidents, services) = (settings.held, settings.services);
    house.import(&roster(services))?;
    let robin = house.person("robin")?;
    let shut = format!("service-{}", incidents / 2 + 1);
    house.enforce(&shut)?;
    let server = house.serve().await?;
    let mut declaring = server.client().await?;
    for n in 0..incidents {
        declaring.declare_on(&format!("service-{n}")).await?;
    }
    let held = format!("service-{}", incidents / 2);
    let free = format!("service-{}", services - 1);
    let turns = settings.slice.div_duration_f64(TURN).ceil() as usize;
    let mut rounds = Rounds::default();
    for round in 1..=settings.rounds {
        eprintln!("gate: round {round} of {}", settings.rounds);
        for (name, service) in [("free", &free), ("held", &held), ("denied", &shut)] {
            let counted = name == "denied";
            let body = json!({ "services": [service], "what": "deploy v12", "dry_run": !counted }).to_string();
            let answer: Value = {
                let answer = server.client_of(&robin).await?.send("POST", "/api/v1/gate", &body).await?;
                anyhow::ensure!(answer.status == 200, "the gate answered {}", answer.status);
                serde_json::from_slice(&answer.body)?
            };
            anyhow::ensure!(answer["decision"] == if counted { "deny" } else { "allow" }, "{name}: {answer}");
            let bare = Bare::start(&answer)?;
            let mut theirs = Asking::connect(&bare.address, &robin, &body, ASKING).await?;
            let mut ours = Asking::connect(&server.address, &robin, &body, ASKING).await?;
            for turn in 0..turns {
                // Whoever goes second may find the machine warmer.
                let ((limit, _), (decided, _)) = if turn % 2 == 0 {
                    let limit = theirs.rate(TURN).await?;
                    (limit, ours.rate(TURN).await?)
                } else {
                    let decided = ours.rate(TURN).await?;
                    (theirs.rate(TURN).await?, decided)
                };
                rounds.add(format!("{name}, bare"), limit);
                rounds.add(format!("{name}, decided"), decided);
                rounds.add(format!("{name}, ratio"), decided / limit);
            }
            let mut alone = Asking::connect(&server.address, &robin, &body, 1).await?;
            let (_, took) = alone.rate(settings.slice).await?;
            rounds.add(format!("{name}, p99"), quantile(&took, 0.99) * 1e6);
        }
    }
    heading(&format!("Decisions at the gate that record nothing: {incidents} active incidents, {services} services"));
    for (name, of) in [
        ("free", "a service that nothing holds"),
        ("held", "a service that is held, observed"),
        ("denied", "held, denied, not dry"),
    ] {
        let [bare, decided, ratio, p99] =
            ["bare", "decided", "ratio", "p99"].map(|what| rounds.median(&format!("{name}, {what}")));
        let [lower, upper] = [0.25, 0.75].map(|share| rounds.quantile(&format!("{name}, ratio"), share));
        let note = format!(
            "a bare axum handler that returns the same JSON, {ASKING} connections; ≥ 0.7× \
             (half of {} turns: {lower:.2} to {upper:.2})",
            settings.rounds * turns
        );
        paired(&format!("{of}, a second"), decided, bare, ratio, &note);
        line(&format!("{of}, p99 in µs"), p99, None, "with its way over one connection; < 1000 inside the server");
    }
    Ok(())
}

fn roster(services: usize) -> String {
    (0..services).map(|n| format!("[[services]]\nname = \"service-{n}\"\n")).collect()
}

/// Connections that ask the same again and again.
struct Asking {
    body: String,
    clients: Vec<Client>,
}

impl Asking {
    async fn connect(address: &str, token: &str, body: &str, connections: usize) -> anyhow::Result<Self> {
        let mut clients = Vec::with_capacity(connections);
        for _ in 0..connections {
            clients.push(Client::connect(address, token).await?);
        }
        Ok(Self { body: body.to_owned(), clients })
    }

    /// Answers a second while all ask for so long, and how long each took, in seconds.
    async fn rate(&mut self, so_long: Duration) -> anyhow::Result<(f64, Vec<f64>)> {
        let begun = Instant::now();
        let tasks: Vec<_> =
            self.clients.drain(..).map(|client| tokio::spawn(ask(client, self.body.clone(), begun, so_long))).collect();
        let mut all = Vec::new();
        for task in tasks {
            let (client, took) = task.await??;
            self.clients.push(client);
            all.extend(took);
        }
        Ok((all.len() as f64 / begun.elapsed().as_secs_f64(), all))
    }
}

/// Asks over one connection until the time is over.
async fn ask(
    mut client: Client,
    body: String,
    begun: Instant,
    so_long: Duration,
) -> anyhow::Result<(Client, Vec<f64>)> {
    let mut took = Vec::new();
    while begun.elapsed() < so_long {
        let asked = Instant::now();
        let answer = client.send("POST", "/api/v1/gate", &body).await?;
        anyhow::ensure!(answer.status == 200, "it answered {}", answer.status);
        took.push(asked.elapsed().as_secs_f64());
    }
    Ok((client, took))
}

/// A running bare server.
struct Bare {
    child: Child,
    address: String,
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Bare {
    fn start(answer: &Value) -> anyhow::Result<Self> {
        let mut child =
            Command::new(std::env::current_exe()?).args([WORD, &answer.to_string()]).stdout(Stdio::piped()).spawn()?;
        let mut address = String::new();
        BufReader::new(child.stdout.take().context("its words are piped")?).read_line(&mut address)?;
        Ok(Self { child, address: address.trim().to_owned() })
    }
}

/// What the process does: whatever is asked, this is the answer.
pub async fn run(words: &[String]) -> anyhow::Result<()> {
    let [answer] = words else { anyhow::bail!("{WORD} JSON") };
    let answer: Value = serde_json::from_str(answer)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let router = Router::new().route("/api/v1/gate", post(|Json(_): Json<Value>| async move { Json(answer) }));
    Ok(axum::serve(listener, router).await?)
}
