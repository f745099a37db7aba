//! What the gate stopped, on SQLite.

use rusqlite::{Row, TransactionBehavior, params};
use uuid::Uuid;
use wardroom_core::id::{Number, PersonId, Time};
use wardroom_core::text::Line;

use super::Store;
use super::read::{text, time};
use crate::gate::Stopped;
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
    Ok(Some(Stopped { ask, at, service, incident, person, enforced: row.get("enforced")?, what }))
}

impl Store {
    pub(in crate::log) async fn keep_gate_stops(&self, all: Vec<Stopped>, forget_before: Time) -> Result<(), LogError> {
        self.write(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            transaction.execute("DELETE FROM gate_stops WHERE at < ?1", [forget_before.as_microsecond()])?;
            for one in &all {
                transaction.execute(
                    "INSERT INTO gate_stops VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    params![
                        one.ask.to_string(),
                        one.at.as_microsecond(),
                        one.service.as_str(),
                        one.incident.get(),
                        one.person.map(|person| person.to_string()),
                        one.enforced,
                        one.what.as_ref().map(Line::as_str),
                    ],
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
