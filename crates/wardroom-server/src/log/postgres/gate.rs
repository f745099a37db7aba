//! What the gate stopped, on PostgreSQL.

use tokio_postgres::Row;
use wardroom_core::id::{Number, PersonId, Time};
use wardroom_core::text::Line;

use super::Store;
use super::read::time;
use crate::gate::Stopped;
use crate::log::LogError;
use crate::log::gate::STOPS_TOLD;

/// A stop; `None` for a row that Wardroom never wrote.
fn stopped(row: &Row) -> Option<Stopped> {
    Some(Stopped {
        ask: row.get("ask"),
        at: time(row.get("at"))?,
        service: row.get::<_, &str>("service").parse().ok()?,
        incident: u32::try_from(row.get::<_, i64>("incident")).ok().and_then(Number::new)?,
        person: row.get::<_, Option<_>>("person").map(PersonId),
        enforced: row.get("enforced"),
        what: row.get::<_, Option<&str>>("what").and_then(|what| what.parse().ok()),
    })
}

impl Store {
    pub(in crate::log) async fn keep_gate_stops(&self, all: Vec<Stopped>, forget_before: Time) -> Result<(), LogError> {
        self.do_it("DELETE FROM gate_stops WHERE at < $1", &[&forget_before.as_microsecond()]).await?;
        let asks: Vec<uuid::Uuid> = all.iter().map(|one| one.ask).collect();
        let at: Vec<i64> = all.iter().map(|one| one.at.as_microsecond()).collect();
        let services: Vec<&str> = all.iter().map(|one| one.service.as_str()).collect();
        let incidents: Vec<i64> = all.iter().map(|one| one.incident.get().into()).collect();
        let people: Vec<Option<uuid::Uuid>> = all.iter().map(|one| one.person.map(|person| person.0)).collect();
        let enforced: Vec<bool> = all.iter().map(|one| one.enforced).collect();
        let what: Vec<Option<&str>> = all.iter().map(|one| one.what.as_ref().map(Line::as_str)).collect();
        self.do_it(
            "INSERT INTO gate_stops
             SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::bigint[], $5::uuid[], $6::boolean[], $7::text[])",
            &[&asks, &at, &services, &incidents, &people, &enforced, &what],
        )
        .await
        .map(drop)
    }

    pub(in crate::log) async fn take_gate_words(&self, ask: uuid::Uuid) -> Result<(), LogError> {
        self.do_it("UPDATE gate_stops SET what = NULL WHERE ask = $1", &[&ask]).await.map(drop)
    }

    pub(in crate::log) async fn gate_stops(
        &self,
        since: Time,
        incident: Option<Number>,
    ) -> Result<Vec<Stopped>, LogError> {
        let incident = incident.map(|number| i64::from(number.get()));
        let client = self.client().await?;
        let rows = client
            .query(
                "SELECT * FROM gate_stops WHERE at >= $1 AND ($2::bigint IS NULL OR incident = $2)
                 ORDER BY at DESC LIMIT $3",
                &[&since.as_microsecond(), &incident, &STOPS_TOLD],
            )
            .await?;
        Ok(rows.iter().filter_map(stopped).collect())
    }
}
