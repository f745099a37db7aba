//! Live streams: how soon each of many readers sees what was accepted, and how much can be delivered.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::fan_out::FanOut;
use crate::house::{House, Server};
use crate::http::find;
use crate::settings::Settings;
use crate::table::{Rounds, heading, line, quantile};
use crate::writes::NOTE;

/// Events a second: a busy incident, and what makes 100,000 deliveries a second to 500 readers.
const PACES: [(&str, f64); 2] = [("20 events/s", 20.0), ("200 events/s", 200.0)];
/// Writers among whom the pace is shared, so that one commit's wait does not slow it.
const WRITERS: u32 = 8;

/// Microseconds since 1970: the same clock in every process of this machine.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// Many open streams that note when they saw which number after `id: ….`.
struct Crowd {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<Vec<(u64, u64)>>>,
}

impl Crowd {
    fn gather(streams: Vec<TcpStream>) -> Self {
        let stop = watch::Sender::new(false);
        let tasks = streams.into_iter().map(|stream| tokio::spawn(look(stream, stop.subscribe()))).collect();
        Self { stop, tasks }
    }

    /// Ends it, and returns what everybody saw and when.
    async fn dismiss(self) -> anyhow::Result<Vec<(u64, u64)>> {
        self.stop.send_replace(true);
        let mut all = Vec::new();
        for task in self.tasks {
            all.extend(task.await?);
        }
        Ok(all)
    }
}

async fn look(mut stream: TcpStream, mut stop: watch::Receiver<bool>) -> Vec<(u64, u64)> {
    let (mut seen, mut received) = (Vec::new(), Vec::with_capacity(64 * 1024));
    loop {
        let read = tokio::select! {
            read = stream.read_buf(&mut received) => read,
            _ = stop.changed() => return seen,
        };
        if !matches!(read, Ok(1..)) {
            return seen;
        }
        let at = now();
        let mut rest = received.as_slice();
        while let Some(end) = find(rest, b"\n\n") {
            if let Some(number) = number_of(&rest[..end]) {
                seen.push((number, at));
            }
            rest = &rest[end + 2..];
        }
        let done = received.len() - rest.len();
        received.drain(..done);
    }
}

/// The number in a frame's `id: epoch.number` line.
fn number_of(frame: &[u8]) -> Option<u64> {
    let line = frame.split(|byte| *byte == b'\n').find(|line| line.starts_with(b"id: "))?;
    std::str::from_utf8(line).ok()?.rsplit('.').next()?.parse().ok()
}

/// Latencies in milliseconds, and deliveries a second.
struct Seen {
    latencies: Vec<f64>,
    deliveries: f64,
}

impl Seen {
    fn keep(&self, rounds: &mut Rounds, name: &str) {
        rounds.add(format!("{name} p50"), quantile(&self.latencies, 0.5));
        rounds.add(format!("{name} p99"), quantile(&self.latencies, 0.99));
        rounds.add(format!("{name} rate"), self.deliveries);
    }
}

/// The real server at a pace: from the moment its answer reached the writer to the moment a reader had read it.
async fn watched(server: &Server, settings: &Settings, pace: f64) -> anyhow::Result<Seen> {
    let incident = server.client().await?.declare().await?;
    let mut streams = Vec::with_capacity(settings.readers);
    for _ in 0..settings.readers {
        streams.push(server.client().await?.follow().await?);
    }
    let crowd = Crowd::gather(streams);
    let slice = settings.slice;
    let begun = tokio::time::Instant::now();
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let mut client = server.client().await?;
        let step = Duration::from_secs_f64(f64::from(WRITERS) / pace);
        let first = begun + step * writer / WRITERS;
        writers.push(tokio::spawn(async move {
            let mut accepted = Vec::new();
            let mut every = tokio::time::interval_at(first, step);
            while begun.elapsed() < slice {
                every.tick().await;
                let position = client.note(incident, NOTE).await?;
                accepted.push((position, now()));
            }
            anyhow::Ok(accepted)
        }));
    }
    let mut accepted = HashMap::new();
    for writer in writers {
        accepted.extend(writer.await??);
    }
    let took = begun.elapsed().as_secs_f64();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let seen = crowd.dismiss().await?;
    let latencies: Vec<f64> = seen
        .iter()
        .filter_map(|(position, at)| Some(at.saturating_sub(*accepted.get(position)?) as f64 / 1_000.0))
        .collect();
    let missing = accepted.len() * settings.readers - latencies.len();
    anyhow::ensure!(missing < accepted.len() * settings.readers / 2, "{missing} deliveries did not come");
    if missing > 0 {
        eprintln!("{missing} deliveries at {pace} events/s had not come 200 ms after the last");
    }
    Ok(Seen { deliveries: latencies.len() as f64 / took, latencies })
}

/// The bare server at a pace: from a frame's making to the moment a reader had read it.
async fn bare(settings: &Settings, bytes: usize, pace: f64) -> anyhow::Result<Seen> {
    let fan_out = FanOut::start(settings.readers, bytes, pace)?;
    let mut streams = Vec::with_capacity(settings.readers);
    for _ in 0..settings.readers {
        streams.push(fan_out.follow().await?);
    }
    let crowd = Crowd::gather(streams);
    tokio::time::sleep(settings.slice).await;
    let seen = crowd.dismiss().await?;
    let latencies: Vec<f64> = seen.iter().map(|(made, at)| at.saturating_sub(*made) as f64 / 1_000.0).collect();
    Ok(Seen { deliveries: seen.len() as f64 / settings.slice.as_secs_f64(), latencies })
}

/// How many bytes a note's frame has on the wire.
async fn bytes_of_a_frame(server: &Server) -> anyhow::Result<usize> {
    let mut client = server.client().await?;
    let incident = client.declare().await?;
    let mut stream = server.client().await?.follow().await?;
    let position = client.note(incident, NOTE).await?.to_string();
    let mut received = Vec::new();
    loop {
        stream.read_buf(&mut received).await?;
        if let Some(start) = find(&received, format!(".{position}\n").as_bytes())
            && let Some(end) = find(&received[start..], b"\n\n")
        {
            return Ok(end + 40);
        }
    }
}

/// Measures and prints the whole table.
pub async fn measure(settings: &Settings) -> anyhow::Result<()> {
    let house = House::on_sqlite()?;
    let server = house.serve().await?;
    let bytes = bytes_of_a_frame(&server).await?;
    let mut rounds = Rounds::default();
    // Far more than can be sent: how much the machine delivers at the most.
    const FLAT_OUT: f64 = 1_000.0;
    for round in 1..=settings.rounds {
        eprintln!("streams: round {round} of {}", settings.rounds);
        for (name, pace) in PACES {
            bare(settings, bytes, pace).await?.keep(&mut rounds, &format!("bare {name}"));
            watched(&server, settings, pace).await?.keep(&mut rounds, name);
        }
        bare(settings, bytes, FLAT_OUT).await?.keep(&mut rounds, "bare flat out");
        watched(&server, settings, FLAT_OUT).await?.keep(&mut rounds, "flat out");
    }
    heading(&format!("Live streams: {} readers, on SQLite", settings.readers));
    for (name, aim) in [("20 events/s", "; p99 ≤ 10 ms"), ("200 events/s", "; p99 ≤ 25 ms"), ("flat out", "")] {
        for part in ["p50", "p99"] {
            let note = if part == "p99" { aim } else { "" };
            let limit = Some(rounds.median(&format!("bare {name} {part}")));
            let what = format!("accepted to seen, {name}, {part} ms");
            line(
                &what,
                rounds.median(&format!("{name} {part}")),
                limit,
                &format!("bare frames of {bytes} bytes{note}"),
            );
        }
        let aim = if name == "20 events/s" { "" } else { "; ≥ 100,000 to 500 readers" };
        let limit = Some(rounds.median(&format!("bare {name} rate")));
        let what = format!("deliveries/s, {name}");
        line(&what, rounds.median(&format!("{name} rate")), limit, &format!("bare frames of {bytes} bytes{aim}"));
    }
    Ok(())
}
