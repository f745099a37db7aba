//! What somebody has to be told, on SQLite.

use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};
use uuid::Uuid;
use wardroom_core::id::{Number, PersonId, Time};
use wardroom_core::reach::Channel;

use super::Store;
use super::read::{integer, text, time};
use crate::log::calls::{State, Written, channel};
use crate::log::row::bigint;
use crate::log::{CallRow, DeliveryRow, LogError, Outcome};
use crate::reach::pager::Pager;

fn person(row: &Row<'_>) -> rusqlite::Result<Option<PersonId>> {
    Ok(text(row, "person")?.and_then(|id| Uuid::parse_str(&id).ok()).map(PersonId))
}

/// A matter, and when it was seen; `None` for a row that Wardroom never wrote.
fn call_row(row: &Row<'_>) -> rusqlite::Result<Option<(CallRow, Option<Time>)>> {
    let (call, person, incident) = (text(row, "call")?, person(row)?, integer(row, "incident")?.and_then(Number::new));
    let (entry, made_at, seen_at) = (integer(row, "entry")?, time(row, "made_at")?, time(row, "seen_at")?);
    let (Some(call), Some(person), Some(incident)) = (call, person, incident) else { return Ok(None) };
    let (Some(entry), Some(made_at)) = (entry, made_at) else { return Ok(None) };
    Ok(Some((CallRow { call, person, incident, entry, made_at }, seen_at)))
}

fn delivery_row(row: &Row<'_>) -> rusqlite::Result<Option<DeliveryRow>> {
    let (call, person, incident) = (text(row, "call")?, person(row)?, integer(row, "incident")?.and_then(Number::new));
    let channel = text(row, "channel")?.as_deref().and_then(channel);
    let state = text(row, "state")?.as_deref().and_then(State::of);
    let (at, attempts) = (time(row, "at")?, integer(row, "attempts")?);
    let (accepted_at, why) = (time(row, "accepted_at")?, text(row, "why")?);
    let browser = text(row, "browser")?.filter(|id| !id.is_empty());
    let (Some(call), Some(person), Some(incident)) = (call, person, incident) else { return Ok(None) };
    let (Some(channel), Some(state), Some(at), Some(attempts)) = (channel, state, at, attempts) else {
        return Ok(None);
    };
    Ok(Some(DeliveryRow { call, person, incident, channel, browser, state, at, attempts, accepted_at, why }))
}

/// Runs statements in one transaction.
fn together(connection: &mut Connection, all: &[(&str, &[&dyn rusqlite::ToSql])]) -> Result<(), LogError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for (statement, values) in all {
        transaction.prepare_cached(statement)?.execute(*values)?;
    }
    Ok(transaction.commit()?)
}

impl Store {
    pub(in crate::log) async fn put_call(&self, row: CallRow, channels: Vec<Channel>) -> Result<(), LogError> {
        self.write(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let (person, at) = (row.person.to_string(), row.made_at.as_microsecond());
            transaction
                .prepare_cached("INSERT INTO calls VALUES (?1, ?2, ?3, ?4, ?5, NULL, NULL) ON CONFLICT DO NOTHING")?
                .execute(params![row.call, person, row.incident.get(), bigint(row.entry), at])?;
            for channel in channels {
                transaction
                    .prepare_cached(
                        "INSERT INTO deliveries
                         SELECT call, person, incident, ?3, 'due', ?4, 0, ?4, 0, NULL, NULL, place.browser
                         FROM calls, (SELECT id AS browser FROM browsers WHERE person = ?2 AND ?3 = 'push'
                                      UNION ALL SELECT '' WHERE ?3 <> 'push') AS place
                         WHERE call = ?1 AND person = ?2 AND seen_at IS NULL AND ended_at IS NULL
                         ON CONFLICT DO NOTHING",
                    )?
                    .execute(params![row.call, person, channel.word(), at])?;
            }
            Ok(transaction.commit()?)
        })
        .await
    }

    pub(in crate::log) async fn open_calls(&self) -> Result<Vec<CallRow>, LogError> {
        self.read(|connection| {
            let mut query = connection.prepare_cached("SELECT * FROM calls WHERE ended_at IS NULL")?;
            let rows = query.query_map([], call_row)?;
            let rows: Vec<_> = rows.collect::<Result<_, _>>()?;
            Ok(rows.into_iter().flatten().map(|(call, _)| call).collect())
        })
        .await
    }

    pub(in crate::log) async fn end_call(&self, call: CallRow, entry: u64, now: Time) -> Result<(), LogError> {
        self.write(move |connection| {
            let (person, now, entry) = (call.person.to_string(), now.as_microsecond(), bigint(entry));
            let known =
                "EXISTS (SELECT 1 FROM calls WHERE call = ?1 AND person = ?2 AND ended_at IS NULL AND entry <= ?4)";
            let ends = format!(
                "UPDATE deliveries SET at = ?3,
                   state = CASE WHEN accepted_at IS NULL AND (attempts = 0 OR state = 'failed') THEN 'ended' ELSE 'ending' END,
                   next_at = CASE WHEN accepted_at IS NULL AND (attempts = 0 OR state = 'failed') THEN NULL ELSE ?3 END,
                   attempts = 0
                 WHERE call = ?1 AND person = ?2 AND {known}"
            );
            let ended = "UPDATE calls SET ended_at = ?3
                         WHERE call = ?1 AND person = ?2 AND ended_at IS NULL AND entry <= ?4";
            let values = params![call.call, person, now, entry];
            together(connection, &[(&ends, values), (ended, values)])
        })
        .await
    }

    pub(in crate::log) async fn saw_call(&self, call: String, person: PersonId, now: Time) -> Result<(), LogError> {
        self.write(move |connection| {
            let (person, now) = (person.to_string(), now.as_microsecond());
            let values = params![call, person, now];
            let seen = "UPDATE calls SET seen_at = ?3 WHERE call = ?1 AND person = ?2 AND seen_at IS NULL";
            let pager = "UPDATE deliveries SET state = 'seeing', at = ?3, next_at = ?3
                         WHERE call = ?1 AND person = ?2 AND channel = 'pager' AND state = 'accepted'";
            let rest = "UPDATE deliveries SET state = 'spared', at = ?3, next_at = NULL
                        WHERE call = ?1 AND person = ?2 AND state IN ('due', 'quiet', 'refused')";
            together(connection, &[(seen, values), (pager, values), (rest, values)])
        })
        .await
    }

    pub(in crate::log) async fn take_up(
        &self,
        channel: Channel,
        now: Time,
        lease: Time,
        limit: usize,
    ) -> Result<Vec<DeliveryRow>, LogError> {
        let (now, lease) = (now.as_microsecond(), lease.as_microsecond());
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        // Looked for by a reader first: an idle Wardroom does not write every second.
        let any = self.read(move |connection| {
            let any = connection
                .prepare_cached(
                    "SELECT EXISTS (SELECT 1 FROM deliveries WHERE next_at <= ?1 AND lease <= ?1 AND channel = ?2)",
                )?
                .query_row(params![now, channel.word()], |row| row.get::<_, bool>(0))?;
            Ok(any)
        });
        if !any.await? {
            return Ok(Vec::new());
        }
        self.write(move |connection| {
            let mut query = connection.prepare_cached(
                "UPDATE deliveries SET lease = ?2, attempts = attempts + 1
                 WHERE rowid IN (SELECT rowid FROM deliveries WHERE next_at <= ?1 AND lease <= ?1 AND channel = ?4
                                 ORDER BY attempts > 0, next_at LIMIT ?3)
                 RETURNING *",
            )?;
            let rows = query.query_map(params![now, lease, limit, channel.word()], delivery_row)?;
            Ok(rows.filter_map(Result::transpose).collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(in crate::log) async fn put_outcome(
        &self,
        row: DeliveryRow,
        outcome: Outcome,
        now: Time,
    ) -> Result<(), LogError> {
        self.write(move |connection| {
            let written = Written::of(outcome, row.state, now);
            // What was seen, or done elsewhere, while it was being sent goes on from there.
            connection
                .prepare_cached(
                    "UPDATE deliveries SET lease = 0, attempts = attempts - ?9,
                       accepted_at = coalesce(?8, accepted_at), why = ?7,
                       at = CASE WHEN state = ?4 THEN ?5 ELSE at END,
                       next_at = CASE WHEN state = ?4 THEN ?6 ELSE next_at END,
                       state = CASE WHEN state = ?4 THEN ?10 ELSE state END
                     WHERE call = ?1 AND person = ?2 AND channel = ?3 AND browser = ?11",
                )?
                .execute(params![
                    row.call,
                    row.person.to_string(),
                    row.channel.word(),
                    row.state.word(),
                    now.as_microsecond(),
                    written.next_at,
                    written.why,
                    written.accepted_at,
                    written.uncounted,
                    written.state,
                    row.browser.unwrap_or_default(),
                ])?;
            Ok(())
        })
        .await
    }

    pub(in crate::log) async fn told_in(
        &self,
        incident: Number,
    ) -> Result<(Vec<(CallRow, Option<Time>)>, Vec<DeliveryRow>), LogError> {
        self.read(move |connection| {
            let mut query = connection
                .prepare_cached("SELECT * FROM calls WHERE incident = ?1 AND ended_at IS NULL ORDER BY call, person")?;
            let rows = query.query_map([incident.get()], call_row)?;
            let calls = rows.filter_map(Result::transpose).collect::<Result<_, _>>()?;
            let mut query = connection.prepare_cached(
                "SELECT * FROM deliveries WHERE incident = ?1 AND state NOT IN ('ending', 'ended') ORDER BY channel",
            )?;
            let rows = query.query_map([incident.get()], delivery_row)?;
            Ok((calls, rows.filter_map(Result::transpose).collect::<Result<_, _>>()?))
        })
        .await
    }

    pub(in crate::log) async fn pager(&self, person: PersonId) -> Result<Option<Pager>, LogError> {
        self.read(move |connection| {
            let pager = connection
                .prepare_cached("SELECT url, key FROM pagers WHERE person = ?1")?
                .query_row([person.to_string()], |row| Ok(text(row, "url")?.zip(text(row, "key")?)))
                .optional()?;
            Ok(pager.flatten().map(|(url, key)| Pager { url, key }))
        })
        .await
    }

    pub(in crate::log) async fn put_pager(&self, person: PersonId, pager: Option<Pager>) -> Result<(), LogError> {
        self.write(move |connection| {
            let person = person.to_string();
            match pager {
                None => connection.execute("DELETE FROM pagers WHERE person = ?1", [person])?,
                Some(Pager { url, key }) => connection.execute(
                    "INSERT INTO pagers VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET url = ?2, key = ?3",
                    params![person, url, key],
                )?,
            };
            Ok(())
        })
        .await
    }

    pub(in crate::log) async fn cursor(&self, reader: &'static str) -> Result<u64, LogError> {
        self.read(move |connection| {
            let position = connection
                .prepare_cached("SELECT position FROM cursors WHERE name = ?1")?
                .query_row([reader], |row| integer(row, "position"))
                .optional()?;
            Ok(position.flatten().unwrap_or(0))
        })
        .await
    }

    pub(in crate::log) async fn put_cursor(&self, reader: &'static str, position: u64) -> Result<(), LogError> {
        self.write(move |connection| {
            connection.execute(
                "INSERT INTO cursors VALUES (?1, ?2) ON CONFLICT DO UPDATE SET position = max(position, ?2)",
                params![reader, bigint(position)],
            )?;
            Ok(())
        })
        .await
    }

    pub(in crate::log) async fn forget_calls(&self, before: Time) -> Result<(), LogError> {
        let before = before.as_microsecond();
        let any = self.read(move |connection| {
            let any = connection
                .prepare_cached("SELECT EXISTS (SELECT 1 FROM calls WHERE ended_at < ?1)")?
                .query_row([before], |row| row.get::<_, bool>(0))?;
            Ok(any)
        });
        if !any.await? {
            return Ok(());
        }
        self.write(move |connection| {
            let values = params![before];
            let deliveries = "DELETE FROM deliveries WHERE (call, person) IN
                              (SELECT call, person FROM calls WHERE ended_at < ?1)";
            together(connection, &[(deliveries, values), ("DELETE FROM calls WHERE ended_at < ?1", values)])
        })
        .await
    }
}
