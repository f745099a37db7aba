//! Browsers that are told by push, on PostgreSQL.

use tokio_postgres::Row;
use wardroom_core::id::{PersonId, SessionId, Time};

use super::Store;
use super::read::time;
use crate::log::{BROWSERS_MAX, BrowserRow, LogError};
use crate::reach::push::Browser;

/// Any number that is ours: under it and a person, one browser is kept at a time.
const LOCK: i32 = 0x7075_7368;

/// A browser; `None` for a row that Wardroom never wrote.
fn browser_row(row: &Row) -> Option<BrowserRow> {
    Some(BrowserRow {
        person: PersonId(row.get("person")),
        session: row.get::<_, Option<_>>("session").map(SessionId),
        device: row.get("device"),
        browser: Browser::kept(row.get("endpoint"), row.get("key"), row.get("secret"))?,
        added_at: time(row.get("added_at"))?,
    })
}

impl Store {
    pub(in crate::log) async fn push_key(&self, fresh: Vec<u8>) -> Result<Vec<u8>, LogError> {
        self.do_it("INSERT INTO push_key VALUES (1, $1) ON CONFLICT DO NOTHING", &[&fresh]).await?;
        let client = self.client().await?;
        Ok(client.query_one("SELECT key FROM push_key", &[]).await?.get("key"))
    }

    pub(in crate::log) async fn put_browser(
        &self,
        row: BrowserRow,
        replaces: Option<String>,
    ) -> Result<bool, LogError> {
        let (id, person, replaces) = (row.browser.id(), row.person.0, replaces.unwrap_or_default());
        let mut client = self.client().await?;
        let transaction = client.transaction().await?;
        // One at a time for each person: two that are turned on at once would both find room for one.
        transaction.execute("SELECT pg_advisory_xact_lock($1, hashtext($2))", &[&LOCK, &person.to_string()]).await?;
        transaction
            .execute("DELETE FROM browsers WHERE id = $1 AND id <> $2 AND person = $3", &[&replaces, &id, &person])
            .await?;
        // Whoever has one in hand has it for the address before: what comes of that is not of this one.
        transaction
            .execute(
                "UPDATE deliveries AS d SET browser = $2, lease = 0
                 WHERE person = $3 AND browser = $1 AND $1 NOT IN ('', $2) AND NOT EXISTS
                   (SELECT 1 FROM deliveries WHERE (call, person, channel, browser) = (d.call, $3, d.channel, $2))",
                &[&replaces, &id, &person],
            )
            .await?;
        let put = transaction
            .execute(
                "INSERT INTO browsers AS b SELECT $1, $2, $3, $4, $5, $6, $7, $8
                 WHERE (SELECT count(*) FROM browsers WHERE person = $2 AND id <> $1) < $9
                 ON CONFLICT (id) DO UPDATE SET person = excluded.person, session = excluded.session,
                   device = excluded.device, key = excluded.key, secret = excluded.secret,
                   added_at = CASE WHEN b.person = excluded.person THEN b.added_at ELSE excluded.added_at END",
                &[
                    &id,
                    &person,
                    &row.session.map(|session| session.0),
                    &row.device,
                    &row.browser.endpoint,
                    &&row.browser.key[..],
                    &&row.browser.secret[..],
                    &Time::as_microsecond(row.added_at),
                    &(BROWSERS_MAX as i64),
                ],
            )
            .await?;
        if put == 1 {
            transaction.commit().await?;
        }
        Ok(put == 1)
    }

    pub(in crate::log) async fn tell_browser(
        &self,
        person: PersonId,
        id: String,
        anew: bool,
        now: Time,
    ) -> Result<(), LogError> {
        self.do_it(
            "INSERT INTO deliveries AS d
             SELECT call, person, incident, 'push', 'due', $4, 0, $4, 0, NULL, NULL, $2
             FROM calls WHERE person = $1 AND seen_at IS NULL AND ended_at IS NULL
               AND EXISTS (SELECT 1 FROM browsers WHERE id = $2 AND person = $1)
             ON CONFLICT (call, person, channel, browser) DO UPDATE
               SET state = 'due', at = $4, next_at = $4, lease = 0, attempts = least(d.attempts, 1)
               WHERE d.state IN ('ended', 'failed') OR ($3 AND d.state IN ('accepted', 'refused'))",
            &[&person.0, &id, &anew, &now.as_microsecond()],
        )
        .await
    }

    pub(in crate::log) async fn browsers_of(&self, person: PersonId) -> Result<Vec<BrowserRow>, LogError> {
        let client = self.client().await?;
        let query =
            client.prepare_cached("SELECT * FROM browsers WHERE person = $1 ORDER BY added_at DESC, id").await?;
        Ok(client.query(&query, &[&person.0]).await?.iter().filter_map(browser_row).collect())
    }

    pub(in crate::log) async fn drop_browser(&self, person: PersonId, id: String) -> Result<bool, LogError> {
        self.did("DELETE FROM browsers WHERE id = $1 AND person = $2", &[&id, &person.0]).await
    }

    pub(in crate::log) async fn drop_browsers(&self, person: PersonId) -> Result<(), LogError> {
        self.do_it("DELETE FROM browsers WHERE person = $1", &[&person.0]).await
    }

    pub(in crate::log) async fn keep_browsers_of(
        &self,
        person: PersonId,
        sessions: Vec<SessionId>,
    ) -> Result<(), LogError> {
        let sessions: Vec<_> = sessions.into_iter().map(|session| session.0).collect();
        let statement = "DELETE FROM browsers WHERE person = $1 AND (session IS NULL OR session <> ALL ($2))";
        self.do_it(statement, &[&person.0, &sessions]).await
    }
}
