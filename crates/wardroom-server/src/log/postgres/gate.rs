//! What the gate stopped, on PostgreSQL.

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use wardroom_core::id::{Number, PersonId, Time};
use wardroom_core::text::Line;

use super::Store;
use super::read::time;
use crate::gate::{STOPS_KEPT, Stopped, same_since};
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
        times: u32::try_from(row.get::<_, i64>("times")).unwrap_or(u32::MAX),
    })
}

impl Store {
    pub(in crate::log) async fn keep_gate_stops(
        &self,
        all: Vec<Stopped>,
        forget: Option<Time>,
    ) -> Result<(), LogError> {
        let mut client = self.client().await?;
        let transaction = client.transaction().await?;
        let same = transaction
            .prepare_cached(
                "UPDATE gate_stops SET times = times + $1 WHERE ctid = (
                     SELECT ctid FROM gate_stops WHERE incident = $2 AND at > $3 AND service = $4
                     AND person IS NOT DISTINCT FROM $5 AND enforced = $6 AND what IS NOT DISTINCT FROM $7
                     ORDER BY at DESC LIMIT 1)",
            )
            .await?;
        let new = transaction.prepare_cached("INSERT INTO gate_stops VALUES ($1, $2, $3, $4, $5, $6, $7, $8)").await?;
        for one in &all {
            let (at, since) = (one.at.as_microsecond(), same_since(one.at).as_microsecond());
            let (service, incident) = (one.service.as_str(), i64::from(one.incident.get()));
            let (person, what) = (one.person.map(|person| person.0), one.what.as_ref().map(Line::as_str));
            let times = i64::from(one.times);
            let known = [&times as &(dyn ToSql + Sync), &incident, &since, &service, &person, &one.enforced, &what];
            if transaction.execute(&same, &known).await? == 0 {
                let row =
                    [&one.ask as &(dyn ToSql + Sync), &at, &service, &incident, &person, &one.enforced, &what, &times];
                transaction.execute(&new, &row).await?;
            }
        }
        if let Some(before) = forget {
            let (before, most) = (before.as_microsecond(), i64::from(STOPS_KEPT));
            let sweep = "DELETE FROM gate_stops
                 WHERE at < greatest($1, (SELECT at FROM gate_stops ORDER BY at DESC LIMIT 1 OFFSET $2))";
            transaction.execute(sweep, &[&before, &most]).await?;
        }
        Ok(transaction.commit().await?)
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
