//! What the gate stopped, on SQLite.

use rusqlite::{Row, TransactionBehavior, params};
use uuid::Uuid;
use wardroom_core::id::{Number, PersonId, Time};
use wardroom_core::text::Line;

use super::Store;
use super::read::{text, time};
use crate::gate::{STOPS_KEPT, Stopped, same_since};
use crate::log::LogError;
use crate::log::gate::STOPS_TOLD;

/// A stop; `None` for a row that Wardroom never wrote.
fn stopped(row: &Row<'_>) -> rusqlite::Result<Option<Stopped>> {
    let (at, service) = (time(row, "at")?, text(row, "service")?.and_then(|name| name.parse().ok()));
    let incident = u32::try_from(row.get::<_, i64>("incident")?).ok().and_then(Number::new);
    let person = text(row, "person")?.and_then(|id| Uuid::parse_str(&id).ok()).map(PersonId);
    let ask = text(row, "ask")?.and_then(|id| Uuid::parse_str(&id).ok());
    let (Some(ask), Some(at), Some(service), Some(incident)) = (ask, at, service, incident) else { return Ok(None) };
    let what = text(row, "what")?.and_then(|what| what.parse().ok());
    let (enforced, times) = (row.get("enforced")?, row.get("times")?);
    Ok(Some(Stopped { ask, at, service, incident, person, enforced, what, times }))
}

impl Store {
    pub(in crate::log) async fn keep_gate_stops(
        &self,
        all: Vec<Stopped>,
        forget: Option<Time>,
    ) -> Result<(), LogError> {
        self.write(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for one in &all {
                let (at, since) = (one.at.as_microsecond(), same_since(one.at).as_microsecond());
                let (service, incident) = (one.service.as_str(), one.incident.get());
                let (person, what) = (one.person.map(|id| id.to_string()), one.what.as_ref().map(Line::as_str));
                let same = transaction.execute(
                    "UPDATE gate_stops SET times = times + ?1 WHERE rowid = (
                         SELECT rowid FROM gate_stops WHERE incident = ?2 AND at > ?3 AND service = ?4 AND person IS ?5
                         AND enforced = ?6 AND what IS ?7 ORDER BY at DESC LIMIT 1)",
                    params![one.times, incident, since, service, person, one.enforced, what],
                )?;
                if same == 0 {
                    transaction.execute(
                        "INSERT INTO gate_stops VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                        params![one.ask.to_string(), at, service, incident, person, one.enforced, what, one.times],
                    )?;
                }
            }
            if let Some(before) = forget {
                let before = before.as_microsecond();
                transaction.execute(
                    "DELETE FROM gate_stops
                     WHERE at < max(?1, coalesce((SELECT at FROM gate_stops ORDER BY at DESC LIMIT 1 OFFSET ?2), ?1))",
                    params![before, STOPS_KEPT],
                )?;
            }
            Ok(transaction.commit()?)
        })
        .await
    }

    pub(in crate::log) async fn gate_stops(
        &self,
        since: Time,
        incident: Option<Number>,
    ) -> Result<Vec<Stopped>, LogError> {
        self.read(move |connection| {
            let mut all = connection.prepare_cached(
                "SELECT * FROM gate_stops WHERE at >= ?1 AND (?2 IS NULL OR incident = ?2) ORDER BY at DESC LIMIT ?3",
            )?;
            let rows =
                all.query_map(params![since.as_microsecond(), incident.map(Number::get), STOPS_TOLD], stopped)?;
            Ok(rows.filter_map(Result::transpose).collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(in crate::log) async fn take_gate_words(&self, ask: Uuid) -> Result<(), LogError> {
        self.write(move |connection| {
            connection.execute("UPDATE gate_stops SET what = NULL WHERE ask = ?1", [ask.to_string()])?;
            Ok(())
        })
        .await
    }
}
