//! What a long history costs: starting after kill -9, opening and acting, and memory.

use std::time::{Duration, Instant};

use crate::history::{Wanted, write};
use crate::house::{House, Server};
use crate::settings::{EVENTS_EACH, Settings};
use crate::table::{Rounds, heading, line};
use crate::writes::NOTE;

/// One incident in so many goes on; the others have ended.
const ONE_OPEN_IN: usize = 100;
/// How often a page is read for one round's figure.
const READS: usize = 20;

/// A store with a history, and a server on it.
struct Grown {
    name: String,
    house: House,
    server: Option<Server>,
    /// The incident that is read and written in.
    incident: u64,
}

impl Grown {
    async fn with(name: String, wanted: &[Wanted]) -> anyhow::Result<Self> {
        let house = House::on_sqlite()?;
        let server = house.serve().await?;
        let mut incident = server.client().await?.declare().await?;
        drop(server);
        if !wanted.is_empty() {
            eprintln!("writing {name}");
            incident = u64::from(write(&house.data(), wanted).await?);
        }
        let server = house.serve().await?;
        // The first start sums the history up once, for the list of incidents.
        server.client().await?.get("/api/v1/incidents").await?;
        Ok(Self { name, house, server: Some(server), incident })
    }

    /// kill -9 and start again: how long until a command was accepted, and the memory then.
    async fn restart(&mut self, rounds: &mut Rounds) -> anyhow::Result<()> {
        let begun = Instant::now();
        drop(self.server.take());
        let server = self.house.serve().await?;
        let ready = begun.elapsed();
        server.client().await?.note(self.incident, NOTE).await?;
        self.keep(rounds, "ready", ready);
        self.keep(rounds, "serving", begun.elapsed());
        rounds.add(format!("{} memory", self.name), server.memory("VmRSS")?);
        self.server = Some(server);
        Ok(())
    }

    fn keep(&self, rounds: &mut Rounds, what: &str, took: Duration) {
        rounds.add(format!("{} {what}", self.name), took.as_secs_f64() * 1_000.0);
    }

    /// Reads the incident right after a start and again, and acts in it.
    async fn open(&mut self, rounds: &mut Rounds) -> anyhow::Result<()> {
        drop(self.server.take());
        let server = self.house.serve().await?;
        let mut client = server.client().await?;
        let path = format!("/api/v1/incidents/{}", self.incident);
        let begun = Instant::now();
        let answer = client.get(&path).await?;
        anyhow::ensure!(answer.status == 200, "{path} was answered {}", answer.status);
        self.keep(rounds, "opened", begun.elapsed());
        for (what, path) in [("read", path.as_str()), ("page", "/healthz")] {
            let begun = Instant::now();
            for _ in 0..READS {
                client.get(path).await?;
            }
            self.keep(rounds, what, begun.elapsed() / READS as u32);
        }
        let begun = Instant::now();
        for _ in 0..READS {
            client.note(self.incident, NOTE).await?;
        }
        self.keep(rounds, "acted", begun.elapsed() / READS as u32);
        self.server = Some(server);
        Ok(())
    }
}

/// So many events in incidents of a hundred, of which one in a hundred goes on; the first does.
fn history(events: usize) -> Vec<Wanted> {
    let each = |index: usize| Wanted { events: EVENTS_EACH, open: index.is_multiple_of(ONE_OPEN_IN) };
    (0..events / EVENTS_EACH).map(each).collect()
}

/// Measures and prints the tables.
pub async fn measure(settings: &Settings) -> anyhow::Result<()> {
    starting(settings).await?;
    opening(settings).await
}

async fn starting(settings: &Settings) -> anyhow::Result<()> {
    let mut all = vec![Grown::with("an empty store".to_owned(), &[]).await?];
    for events in [settings.events / 10, settings.events] {
        let name = format!("{events} events in {} incidents", events / EVENTS_EACH);
        all.push(Grown::with(name, &history(events)).await?);
    }
    let mut rounds = Rounds::default();
    for round in 1..=settings.rounds {
        eprintln!("starts: round {round} of {}", settings.rounds);
        for grown in &mut all {
            grown.restart(&mut rounds).await?;
        }
    }
    tokio::time::sleep(settings.settle).await;
    heading("kill -9 to serving, and memory, on SQLite");
    let limit = |what: &str| Some(rounds.median(&format!("an empty store {what}")));
    for grown in &all {
        let figure = |what: &str| rounds.median(&format!("{} {what}", grown.name));
        println!("{}", grown.name);
        line("  kill -9 to ready, ms", figure("ready"), limit("ready"), "the same on an empty store");
        let note = "the same on an empty store; < 1000";
        line("  kill -9 to an accepted command, ms", figure("serving"), limit("serving"), note);
        let note = "the same on an empty store; < 200";
        line("  memory when it serves, MB", figure("memory"), limit("memory"), note);
        if let Some(server) = &grown.server {
            let after = settings.settle.as_secs();
            line(&format!("  memory {after} s later, MB"), server.memory("VmRSS")?, None, "idle: < 40");
            line("  memory at the most, MB", server.memory("VmHWM")?, None, "until then, the record being verified");
        }
    }
    Ok(())
}

async fn opening(settings: &Settings) -> anyhow::Result<()> {
    let mut all = Vec::new();
    for events in [100, settings.long / 10, settings.long] {
        all.push(Grown::with(format!("{events} events"), &[Wanted { events, open: true }]).await?);
    }
    let mut rounds = Rounds::default();
    for round in 1..=settings.rounds {
        eprintln!("incidents: round {round} of {}", settings.rounds);
        for grown in &mut all {
            grown.open(&mut rounds).await?;
        }
    }
    heading("An incident with a long history, on SQLite");
    for grown in &all {
        let figure = |what: &str| rounds.median(&format!("{} {what}", grown.name));
        let short = |what: &str| Some(rounds.median(&format!("100 events {what}")));
        println!("an incident with {}", grown.name);
        line("  opened first after a start, ms", figure("opened"), short("opened"), "the same with 100 events; flat");
        line("  read again, ms", figure("read"), Some(figure("page")), "a page that says only “ok”");
        line("  a command, ms", figure("acted"), short("acted"), "the same with 100 events; flat");
    }
    Ok(())
}
