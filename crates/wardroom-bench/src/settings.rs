//! How much is measured: everything by default, `BENCH=quick` for a look, `BENCH_*` for each number.

use std::str::FromStr;
use std::time::Duration;

/// The sizes of a run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Interleaved rounds; medians are shown.
    pub rounds: usize,
    /// How long each rate is measured in each round.
    pub slice: Duration,
    /// Writers at once, for each line of the table of commands.
    pub writers: Vec<usize>,
    /// Which databases' commands: `SQLite`, `PostgreSQL`.
    pub stores: Vec<String>,
    /// Stream readers at once.
    pub readers: usize,
    /// Events in the long history.
    pub events: usize,
    /// Events in the long incident.
    pub long: usize,
    /// Edits behind the long document.
    pub edits: usize,
    /// Active incidents that hold a gate, each that of a service of its own.
    pub held: usize,
    /// Services of the directory.
    pub services: usize,
    /// Open incidents of a server that is left alone.
    pub open: usize,
    /// For how long it is watched then: several looks of its clock.
    pub alone: Duration,
    /// How long a server is left alone before its memory is read.
    pub settle: Duration,
}

/// Events of each incident in the long history.
pub const EVENTS_EACH: usize = 100;

impl Settings {
    /// From the environment.
    pub fn from_environment() -> anyhow::Result<Self> {
        let quick = match std::env::var("BENCH").as_deref() {
            Ok("quick") => true,
            Err(_) | Ok("" | "full") => false,
            Ok(other) => anyhow::bail!("BENCH is quick or full, not “{other}”"),
        };
        let pick = |full, short| if quick { short } else { full };
        Ok(Self {
            rounds: number("BENCH_ROUNDS", pick(5, 2))?.max(1),
            slice: Duration::from_secs_f64(number("BENCH_SECONDS", if quick { 1.0 } else { 3.0 })?),
            writers: numbers("BENCH_WRITERS", &[1, 16, 64])?,
            stores: stores()?,
            readers: number("BENCH_READERS", pick(500, 100))?.max(1),
            events: number("BENCH_EVENTS", pick(1_000_000, 20_000))?.max(EVENTS_EACH),
            long: number("BENCH_LONG", pick(100_000, 5_000))?.max(2_000),
            edits: number("BENCH_EDITS", pick(200_000, 5_000))?.max(1_000),
            held: number("BENCH_HELD", pick(1_000, 100))?.max(3),
            services: number("BENCH_SERVICES", pick(20_000, 2_000))?.max(1_001),
            open: number("BENCH_OPEN", pick(5_000, 1_000))?.max(10),
            alone: Duration::from_secs(pick(30, 10) as u64),
            settle: Duration::from_secs(pick(10, 2) as u64),
        })
    }
}

fn number<T: FromStr>(name: &str, otherwise: T) -> anyhow::Result<T> {
    match std::env::var(name) {
        Err(_) => Ok(otherwise),
        Ok(given) => given.parse().map_err(|_| anyhow::anyhow!("{name} is a number, not “{given}”")),
    }
}

fn numbers(name: &str, otherwise: &[usize]) -> anyhow::Result<Vec<usize>> {
    let Ok(given) = std::env::var(name) else { return Ok(otherwise.to_vec()) };
    let numbers = given.split_whitespace().map(|number| number.parse().ok().filter(|number| *number > 0));
    numbers.collect::<Option<_>>().ok_or_else(|| anyhow::anyhow!("{name} is numbers, not “{given}”"))
}

fn stores() -> anyhow::Result<Vec<String>> {
    let given = std::env::var("BENCH_STORES").unwrap_or_else(|_| "SQLite PostgreSQL".to_owned());
    let stores: Vec<String> = given.split_whitespace().map(str::to_owned).collect();
    let known = stores.iter().all(|store| ["SQLite", "PostgreSQL"].contains(&store.as_str()));
    anyhow::ensure!(known, "BENCH_STORES is of SQLite and PostgreSQL, not “{given}”");
    Ok(stores)
}
