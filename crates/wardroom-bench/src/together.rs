//! A document that many write at once, beside the stock server from npm, which keeps nothing on disk; and how soon a
//! document is there that has been written for long.

use std::collections::HashMap;
use std::process::Child;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::house::{House, Server};
use crate::page::{Pace, Seen, join, write};
use crate::process::{busy, memory};
use crate::settings::Settings;
use crate::stock::Stock;
use crate::table::{Rounds, heading, line, quantile};
use crate::typed;

/// Who writes in one document.
const WRITERS: usize = 50;
/// Pages of one person.
const PAGES: usize = 10;
/// Letters a second of each.
const LETTERS: u32 = 10;
/// How long the last letters may take until everybody has them.
const LAST: Duration = Duration::from_secs(2);

/// Where a document is, and as whom its pages come.
struct Place<'a> {
    child: &'a Child,
    address: &'a str,
    path: String,
    tokens: &'a [String],
}

/// One slice of writing: latencies to the last page that saw a letter, the processor's time for it, and messages.
struct Slice {
    latencies: Vec<f64>,
    micros: f64,
    messages: f64,
}

impl Slice {
    fn keep(&self, rounds: &mut Rounds, name: &str) {
        rounds.add(format!("{name} p50"), quantile(&self.latencies, 0.5));
        rounds.add(format!("{name} p99"), quantile(&self.latencies, 0.99));
        rounds.add(format!("{name} processor"), self.micros);
        rounds.add(format!("{name} messages"), self.messages);
    }
}

async fn slice(place: &Place<'_>, during: Duration) -> anyhow::Result<Slice> {
    let mut sockets = Vec::with_capacity(WRITERS);
    for page in 0..WRITERS {
        let token = place.tokens.get(page / PAGES).map(String::as_str);
        sockets.push(join(place.address, &place.path, token).await?);
    }
    let step = Duration::from_secs(1) / LETTERS;
    let letters = (during.as_secs_f64() * f64::from(LETTERS)).ceil() as usize;
    let stop = watch::Sender::new(false);
    let (before, begun) = (busy(place.child)?, Instant::now());
    let mut pages = Vec::with_capacity(WRITERS);
    for (page, socket) in sockets.into_iter().enumerate() {
        let first = begun + step * page as u32 / WRITERS as u32;
        let pace = Pace { begun, first, step, letters };
        pages.push(tokio::spawn(write(socket, page as u64 + 1, pace, stop.subscribe())));
    }
    tokio::time::sleep_until(begun + step * letters as u32 + LAST).await;
    let spent = busy(place.child)? - before;
    stop.send_replace(true);
    let mut seen = Vec::with_capacity(WRITERS);
    for page in pages {
        seen.push(page.await??);
    }
    let deliveries = (letters * WRITERS * (WRITERS - 1)) as f64;
    let messages: usize = seen.iter().map(|page| page.messages).sum();
    Ok(Slice {
        latencies: latencies(&seen)?,
        micros: spent.as_secs_f64() * 1e6 / deliveries,
        messages: messages as f64 / deliveries,
    })
}

/// From each letter's writing to the moment at which the last of the other pages had it, in milliseconds.
fn latencies(pages: &[Seen]) -> anyhow::Result<Vec<f64>> {
    let mut last: HashMap<(u64, usize), Duration> = HashMap::new();
    for page in pages {
        let mut had: HashMap<u64, usize> = HashMap::new();
        for sight in page.sights.iter().filter(|sight| sight.client != page.client) {
            let had = had.entry(sight.client).or_default();
            for letter in *had..sight.up_to as usize {
                let last = last.entry((sight.client, letter)).or_default();
                *last = (*last).max(sight.at);
            }
            *had = (*had).max(sight.up_to as usize);
        }
        let missing = pages
            .iter()
            .filter(|other| other.client != page.client)
            .any(|other| had.get(&other.client).copied().unwrap_or_default() < other.written.len());
        anyhow::ensure!(!missing, "not every page has all letters {} s after the last", LAST.as_secs());
    }
    let each =
        pages.iter().flat_map(|page| page.written.iter().enumerate().map(|(letter, at)| ((page.client, letter), *at)));
    Ok(each.filter_map(|(letter, at)| Some((*last.get(&letter)? - at).as_secs_f64() * 1_000.0)).collect())
}

/// An incident in which all of them respond.
async fn incident(server: &Server, tokens: &[String]) -> anyhow::Result<u64> {
    let incident = server.client().await?.declare().await?;
    for token in tokens {
        server.client_of(token).await?.note(incident, "Here.").await?;
    }
    Ok(incident)
}

/// Measures and prints the table.
pub async fn measure(settings: &Settings) -> anyhow::Result<()> {
    let house = House::on_sqlite()?;
    let tokens = (0..WRITERS / PAGES).map(|person| house.person(&format!("writer{person}")));
    let tokens: Vec<String> = tokens.collect::<anyhow::Result<_>>()?;
    let (server, stock) = (house.serve().await?, Stock::start().await?);
    let mut rounds = Rounds::default();
    for round in 1..=settings.rounds {
        eprintln!("document: round {round} of {}", settings.rounds);
        let (child, address, path) = (&stock.child, stock.address.as_str(), format!("/{round}"));
        slice(&Place { child, address, path, tokens: &[] }, settings.slice).await?.keep(&mut rounds, "stock");
        rounds.add("stock memory", memory(child, "VmRSS")?);
        rounds.add("stock own memory", memory(child, "RssAnon")?);
        let path = format!("/api/v1/incidents/{}/document", incident(&server, &tokens).await?);
        let (child, address) = (server.child(), server.address.as_str());
        slice(&Place { child, address, path, tokens: &tokens }, settings.slice).await?.keep(&mut rounds, "ours");
        rounds.add("ours memory", memory(child, "VmRSS")?);
        rounds.add("ours own memory", memory(child, "RssAnon")?);
    }
    drop((server, stock));
    heading(&format!("A document with {WRITERS} writers at {LETTERS} letters/s, on SQLite"));
    for (what, name, aim) in [
        ("written to seen by all, p50 ms", "p50", ""),
        ("written to seen by all, p99 ms", "p99", "; ≤ 15 ms"),
        ("server's processor per letter and page, µs", "processor", "; ≤ 0.25"),
        ("messages per letter and page", "messages", ""),
        ("memory, MB", "memory", "; ≤ 0.33"),
        ("of this, what no file gives back, MB", "own memory", ""),
    ] {
        let limit = Some(rounds.median(&format!("stock {name}")));
        let note = format!("the stock server, which keeps nothing on disk{aim}");
        line(what, rounds.median(&format!("ours {name}")), limit, &note);
    }
    typed::measure(settings).await
}
