//! What somebody has to be told, on PostgreSQL. Each statement is one transaction and touches the rows of one matter,
//! so that nodes do not wait for each other in a circle.

use tokio_postgres::Row;
use wardroom_core::id::{Number, PersonId, Time};
use wardroom_core::reach::Channel;

use super::Store;
use super::read::{time, unsigned};
use crate::log::calls::{State, Written, channel};
use crate::log::row::bigint;
use crate::log::{CallRow, DeliveryRow, LogError, Outcome};
use crate::reach::pager::Pager;

fn number(row: &Row) -> Option<Number> {
    u32::try_from(row.get::<_, i64>("incident")).ok().and_then(Number::new)
}

/// A matter, and when it was seen; `None` for a row that Wardroom never wrote.
fn call_row(row: &Row) -> Option<(CallRow, Option<Time>)> {
    let call = CallRow {
        call: row.get("call"),
        person: PersonId(row.get("person")),
        incident: number(row)?,
        entry: unsigned(row, "entry"),
        made_at: time(row.get("made_at"))?,
    };
    Some((call, row.get::<_, Option<i64>>("seen_at").and_then(time)))
}

fn delivery_row(row: &Row) -> Option<DeliveryRow> {
    Some(DeliveryRow {
        call: row.get("call"),
        person: PersonId(row.get("person")),
        incident: number(row)?,
        channel: channel(row.get("channel"))?,
        browser: Some(row.get("browser")).filter(|id: &String| !id.is_empty()),
        state: State::of(row.get("state"))?,
        at: time(row.get("at"))?,
        attempts: u32::try_from(row.get::<_, i32>("attempts")).ok()?,
        accepted_at: row.get::<_, Option<i64>>("accepted_at").and_then(time),
        why: row.get("why"),
    })
}

impl Store {
    pub(in crate::log) async fn put_call(&self, row: CallRow, channels: Vec<Channel>) -> Result<(), LogError> {
        let (at, incident) = (row.made_at.as_microsecond(), i64::from(row.incident.get()));
        self.do_it(
            "INSERT INTO calls VALUES ($1, $2, $3, $4, $5, NULL, NULL) ON CONFLICT DO NOTHING",
            &[&row.call, &row.person.0, &incident, &bigint(row.entry), &at],
        )
        .await?;
        for channel in channels {
            self.do_it(
                "INSERT INTO deliveries
                 SELECT call, calls.person, incident, $3, 'due', $4, 0, $4, 0, NULL, NULL, place.browser
                 FROM calls, (SELECT id AS browser FROM browsers WHERE person = $2 AND $3 = 'push'
                              UNION ALL SELECT '' WHERE $3 <> 'push') AS place
                 WHERE call = $1 AND calls.person = $2 AND seen_at IS NULL AND ended_at IS NULL
                 ON CONFLICT DO NOTHING",
                &[&row.call, &row.person.0, &channel.word(), &at],
            )
            .await?;
        }
        Ok(())
    }

    pub(in crate::log) async fn open_calls(&self) -> Result<Vec<CallRow>, LogError> {
        let client = self.client().await?;
        let query = client.prepare_cached("SELECT * FROM calls WHERE ended_at IS NULL").await?;
        let rows = client.query(&query, &[]).await?;
        Ok(rows.iter().filter_map(call_row).map(|(call, _)| call).collect())
    }

    pub(in crate::log) async fn end_call(&self, call: CallRow, entry: u64, now: Time) -> Result<(), LogError> {
        self.do_it(
            "WITH over AS (
               UPDATE calls SET ended_at = $3
               WHERE call = $1 AND person = $2 AND ended_at IS NULL AND entry <= $4 RETURNING call, person)
             UPDATE deliveries AS d SET at = $3,
               state = CASE WHEN accepted_at IS NULL AND (attempts = 0 OR state = 'failed') THEN 'ended' ELSE 'ending' END,
               next_at = CASE WHEN accepted_at IS NULL AND (attempts = 0 OR state = 'failed') THEN NULL ELSE $3 END,
               attempts = 0
             FROM over WHERE d.call = over.call AND d.person = over.person",
            &[&call.call, &call.person.0, &now.as_microsecond(), &bigint(entry)],
        )
        .await
    }

    pub(in crate::log) async fn saw_call(&self, call: String, person: PersonId, now: Time) -> Result<(), LogError> {
        self.do_it(
            "WITH saw AS (
               UPDATE calls SET seen_at = $3 WHERE call = $1 AND person = $2 AND seen_at IS NULL)
             UPDATE deliveries SET at = $3,
               state = CASE WHEN state = 'accepted' THEN 'seeing' ELSE 'spared' END,
               next_at = CASE WHEN state = 'accepted' THEN $3::bigint END
             WHERE call = $1 AND person = $2
               AND (state IN ('due', 'quiet', 'refused') OR (channel = 'pager' AND state = 'accepted'))",
            &[&call, &person.0, &now.as_microsecond()],
        )
        .await
    }

    pub(in crate::log) async fn take_up(
        &self,
        channel: Channel,
        now: Time,
        lease: Time,
        limit: usize,
    ) -> Result<Vec<DeliveryRow>, LogError> {
        let client = self.client().await?;
        let query = client
            .prepare_cached(
                "UPDATE deliveries SET lease = $2, attempts = attempts + 1
                 WHERE (call, person, channel, browser) IN
                   (SELECT call, person, channel, browser FROM deliveries WHERE next_at <= $1 AND lease <= $1 AND channel = $4
                    ORDER BY attempts > 0, next_at LIMIT $3 FOR UPDATE SKIP LOCKED)
                 RETURNING *",
            )
            .await?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows =
            client.query(&query, &[&now.as_microsecond(), &lease.as_microsecond(), &limit, &channel.word()]).await?;
        Ok(rows.iter().filter_map(delivery_row).collect())
    }

    pub(in crate::log) async fn put_outcome(
        &self,
        row: DeliveryRow,
        outcome: Outcome,
        now: Time,
    ) -> Result<(), LogError> {
        let written = Written::of(outcome, row.state, now);
        // What was seen, or done elsewhere, while it was being sent goes on from there.
        self.do_it(
            "UPDATE deliveries SET lease = 0, attempts = attempts - $9,
               accepted_at = coalesce($8, accepted_at), why = $7,
               at = CASE WHEN state = $4 THEN $5 ELSE at END,
               next_at = CASE WHEN state = $4 THEN $6 ELSE next_at END,
               state = CASE WHEN state = $4 THEN $10 ELSE state END
             WHERE call = $1 AND person = $2 AND channel = $3 AND browser = $11",
            &[
                &row.call,
                &row.person.0,
                &row.channel.word(),
                &row.state.word(),
                &now.as_microsecond(),
                &written.next_at,
                &written.why,
                &written.accepted_at,
                &written.uncounted,
                &written.state,
                &row.browser.unwrap_or_default(),
            ],
        )
        .await
    }

    pub(in crate::log) async fn told_in(
        &self,
        incident: Number,
    ) -> Result<(Vec<(CallRow, Option<Time>)>, Vec<DeliveryRow>), LogError> {
        let client = self.client().await?;
        let incident = i64::from(incident.get());
        let query = client
            .prepare_cached("SELECT * FROM calls WHERE incident = $1 AND ended_at IS NULL ORDER BY call, person")
            .await?;
        let calls = client.query(&query, &[&incident]).await?.iter().filter_map(call_row).collect();
        let query = client
            .prepare_cached(
                "SELECT * FROM deliveries WHERE incident = $1 AND state NOT IN ('ending', 'ended') ORDER BY channel",
            )
            .await?;
        let deliveries = client.query(&query, &[&incident]).await?.iter().filter_map(delivery_row).collect();
        Ok((calls, deliveries))
    }

    pub(in crate::log) async fn pager(&self, person: PersonId) -> Result<Option<Pager>, LogError> {
        let client = self.client().await?;
        let query = client.prepare_cached("SELECT url, key FROM pagers WHERE person = $1").await?;
        let found = client.query_opt(&query, &[&person.0]).await?;
        Ok(found.map(|row| Pager { url: row.get("url"), key: row.get("key") }))
    }

    pub(in crate::log) async fn put_pager(&self, person: PersonId, pager: Option<Pager>) -> Result<(), LogError> {
        match pager {
            None => self.do_it("DELETE FROM pagers WHERE person = $1", &[&person.0]).await,
            Some(Pager { url, key }) => {
                self.do_it(
                    "INSERT INTO pagers VALUES ($1, $2, $3)
                     ON CONFLICT (person) DO UPDATE SET url = excluded.url, key = excluded.key",
                    &[&person.0, &url, &key],
                )
                .await
            }
        }
    }

    pub(in crate::log) async fn cursor(&self, reader: &'static str) -> Result<u64, LogError> {
        let client = self.client().await?;
        let row = client.query_opt("SELECT position FROM cursors WHERE name = $1", &[&reader]).await?;
        Ok(row.map_or(0, |row| unsigned(&row, "position")))
    }

    pub(in crate::log) async fn put_cursor(&self, reader: &'static str, position: u64) -> Result<(), LogError> {
        self.do_it(
            "INSERT INTO cursors AS c VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET position = greatest(c.position, excluded.position)",
            &[&reader, &bigint(position)],
        )
        .await
    }

    pub(in crate::log) async fn forget_calls(&self, before: Time) -> Result<(), LogError> {
        let before = before.as_microsecond();
        self.do_it(
            "DELETE FROM deliveries AS d USING calls AS c
             WHERE d.call = c.call AND d.person = c.person AND c.ended_at < $1",
            &[&before],
        )
        .await?;
        self.do_it("DELETE FROM calls WHERE ended_at < $1", &[&before]).await
    }
}
