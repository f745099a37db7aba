//! What open incidents cost a server that is left alone: the clock looks at all of them, over and over.

use std::time::{Duration, Instant};

use crate::history::{Wanted, write};
use crate::house::{House, Server};
use crate::settings::{EVENTS_EACH, Settings};
use crate::table::{heading, line};

/// More than the quarter of a minute without a sign of life that makes an outage.
const OUTAGE: Duration = Duration::from_secs(20);

/// Measures and prints the table.
pub async fn measure(settings: &Settings) -> anyhow::Result<()> {
    heading("A server that is left alone, on SQLite");
    let mut empty = None;
    for open in [0, settings.open / 10, settings.open] {
        let house = House::on_sqlite()?;
        let server = house.serve().await?;
        server.client().await?.declare().await?;
        drop(server);
        eprintln!("writing {open} open incidents");
        write(&house.data(), &vec![Wanted { events: EVENTS_EACH, open: true }; open]).await?;
        // The first start sums them up, and the check of the record is no part of being left alone.
        let server = house.serve().await?;
        server.client().await?.get("/api/v1/incidents").await?;
        settle(&server).await?;
        let busy = share(&server, settings.alone).await?;
        let what = format!("{open} open incidents of {EVENTS_EACH} events");
        println!("{what}");
        line("  of a core, %", busy, empty, "the same without open incidents");
        line("  memory, MB", server.memory("VmRSS")?, None, "");
        drop(server);
        tokio::time::sleep(OUTAGE).await;
        let begun = Instant::now();
        let _server = house.serve().await?;
        let ready = begun.elapsed().as_secs_f64() * 1_000.0;
        line("  start after an outage to ready, ms", ready, None, "every open incident is told of it");
        empty.get_or_insert(busy);
    }
    Ok(())
}

/// Waits until a server has nothing left to do from its start.
async fn settle(server: &Server) -> anyhow::Result<()> {
    let mut before = f64::MAX;
    loop {
        let busy = share(server, Duration::from_secs(5)).await?;
        if busy >= before * 0.8 {
            return Ok(());
        }
        before = busy;
    }
}

/// How much of a core a server takes in so long, in per cent.
async fn share(server: &Server, during: Duration) -> anyhow::Result<f64> {
    let (begun, before) = (Instant::now(), server.busy()?);
    tokio::time::sleep(during).await;
    Ok((server.busy()? - before).as_secs_f64() / begun.elapsed().as_secs_f64() * 100.0)
}
