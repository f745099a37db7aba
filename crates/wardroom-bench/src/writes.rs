//! Durable commands a second over HTTP, beside bare commits.

use std::time::{Duration, Instant};

use crate::house::{House, Server};
use crate::limits::{Pgbench, bytes_of_a_note, sqlite_commits};
use crate::settings::Settings;
use crate::table::{Rounds, heading, line};

/// Measures and prints the whole table.
pub async fn measure(settings: &Settings) -> anyhow::Result<()> {
    let (embedded, scaled) = (House::on_sqlite()?, House::on_postgres()?);
    let servers = [("SQLite", embedded.serve().await?), ("PostgreSQL", scaled.serve().await?)];
    rate(&servers[0].1, 1, false, Duration::from_millis(200)).await?;
    let bytes = bytes_of_a_note(&embedded.data().join("wardroom.db"))?;
    let pgbench = Pgbench::prepare(bytes)?;
    let beside = tempfile::tempdir()?;
    let mut rounds = Rounds::default();
    for round in 1..=settings.rounds {
        eprintln!("commands: round {round} of {}", settings.rounds);
        if settings.stores.iter().any(|store| store == "SQLite") {
            rounds.add("bare SQLite", sqlite_commits(beside.path(), bytes, settings.slice)?);
        }
        for &writers in &settings.writers {
            if settings.stores.iter().any(|store| store == "PostgreSQL") {
                rounds.add(format!("pgbench {writers}"), pgbench.inserts(writers, settings.slice)?);
            }
            for (store, server) in servers.iter().filter(|(store, _)| settings.stores.iter().any(|s| s == store)) {
                for many in [false, true] {
                    let commands = rate(server, writers, many, settings.slice).await?;
                    rounds.add(name(store, writers, many), commands);
                }
            }
        }
    }
    print(&rounds, bytes, settings);
    Ok(())
}

fn name(store: &str, writers: usize, many: bool) -> String {
    let where_to = if many { "an incident each" } else { "one incident" };
    format!("{store}, {writers} writers, {where_to}")
}

fn print(rounds: &Rounds, bytes: usize, settings: &Settings) {
    heading("Durable commands a second over HTTP");
    for store in settings.stores.iter().map(String::as_str) {
        for &writers in &settings.writers {
            for many in [false, true] {
                let name = name(store, writers, many);
                let (limit, note) = if store == "SQLite" {
                    let aim = match writers {
                        1 => "; ≥ 0.5×",
                        64 => "; ≥ 2.5×",
                        _ => "",
                    };
                    (rounds.median("bare SQLite"), format!("bare commits of one row of {bytes} bytes, one writer{aim}"))
                } else {
                    let aim = if writers == 16 { "; ≥ 0.7×" } else { "" };
                    let limit = rounds.median(&format!("pgbench {writers}"));
                    (limit, format!("pgbench, bare inserts of {bytes} bytes, {writers} clients{aim}"))
                };
                line(&name, rounds.median(&name), Some(limit), &note);
            }
        }
    }
}

/// Accepted notes a second by so many writers, each on its own connection and waiting for each answer.
pub async fn rate(server: &Server, writers: usize, many: bool, slice: Duration) -> anyhow::Result<f64> {
    let mut first = server.client().await?;
    let mut incident = first.declare().await?;
    let mut ready = Vec::with_capacity(writers);
    for _ in 0..writers {
        if many {
            incident = first.declare().await?;
        }
        ready.push((server.client().await?, incident));
    }
    let begun = Instant::now();
    let tasks: Vec<_> = ready
        .into_iter()
        .map(|(mut client, incident)| {
            tokio::spawn(async move {
                let mut accepted = 0_u64;
                while begun.elapsed() < slice {
                    client.note(incident, NOTE).await?;
                    accepted += 1;
                }
                anyhow::Ok(accepted)
            })
        })
        .collect();
    let mut accepted = 0;
    for task in tasks {
        accepted += task.await??;
    }
    Ok(accepted as f64 / begun.elapsed().as_secs_f64())
}

/// As long as people write in an incident.
pub const NOTE: &str = "The replica in the second rack is catching up, 40 minutes of lag are left.";
