//! What `make bench` runs: the real `wardroom serve` as a process, measured over HTTP beside the machine's
//! own limits of the same minutes.
//!
//! Nothing here passes or fails: a figure is for people to read. `BENCH=quick` is for trying it; names of
//! tables as arguments (`commands`, `streams`, `document`, `gate`, `history`, `alone`) measure only those.

mod alone;
mod deciding;
mod fan_out;
mod growth;
mod history;
mod house;
mod http;
mod limits;
mod page;
mod process;
mod readers;
mod settings;
mod stock;
mod table;
mod together;
mod typed;
mod writes;

use settings::Settings;

const TABLES: [&str; 6] = ["commands", "streams", "document", "gate", "history", "alone"];

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match words.split_first() {
        Some((word, rest)) if word == fan_out::WORD => runtime.block_on(fan_out::run(rest)),
        Some((word, rest)) if word == deciding::WORD => runtime.block_on(deciding::run(rest)),
        _ => runtime.block_on(measure(&words)),
    }
}

async fn measure(only: &[String]) -> anyhow::Result<()> {
    if let Some(unknown) = only.iter().find(|word| !TABLES.contains(&word.as_str())) {
        anyhow::bail!("there is no table “{unknown}”: {}", TABLES.join(", "));
    }
    let settings = Settings::from_environment()?;
    let cores = std::thread::available_parallelism()?;
    println!(
        "{cores} cores, shared by server and clients; medians of {} interleaved rounds of {:.1} s",
        settings.rounds,
        settings.slice.as_secs_f64()
    );
    let wanted = |name: &str| only.is_empty() || only.iter().any(|word| word == name);
    if wanted("commands") {
        writes::measure(&settings).await?;
    }
    if wanted("streams") {
        readers::measure(&settings).await?;
    }
    if wanted("document") {
        together::measure(&settings).await?;
    }
    if wanted("gate") {
        deciding::measure(&settings).await?;
    }
    if wanted("history") {
        growth::measure(&settings).await?;
    }
    if wanted("alone") {
        alone::measure(&settings).await?;
    }
    Ok(())
}
