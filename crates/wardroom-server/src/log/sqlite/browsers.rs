//! Browsers that are told by push, on SQLite.

use rusqlite::{Row, TransactionBehavior, params};
use uuid::Uuid;
use wardroom_core::id::{PersonId, SessionId, Time};

use super::Store;
use super::read::{text, time};
use crate::log::{BROWSERS_MAX, BrowserRow, LogError};
use crate::reach::push::Browser;

/// A browser; `None` for a row that Wardroom never wrote.
fn browser_row(row: &Row<'_>) -> rusqlite::Result<Option<BrowserRow>> {
    let id = |column| Ok::<_, rusqlite::Error>(text(row, column)?.and_then(|text| Uuid::parse_str(&text).ok()));
    let blob = |column| Ok::<_, rusqlite::Error>(row.get_ref(column)?.as_blob().ok().map(<[u8]>::to_vec));
    let (person, session) = (id("person")?.map(PersonId), id("session")?.map(SessionId));
    let (device, endpoint, added_at) = (text(row, "device")?, text(row, "endpoint")?, time(row, "added_at")?);
    let browser = match (endpoint, blob("key")?, blob("secret")?) {
        (Some(endpoint), Some(key), Some(secret)) => Browser::kept(endpoint, &key, &secret),
        _ => None,
    };
    let (Some(person), Some(device), Some((browser, added_at))) = (person, device, browser.zip(added_at)) else {
        return Ok(None);
    };
    Ok(Some(BrowserRow { person, session, device, browser, added_at }))
}

impl Store {
    pub(in crate::log) async fn push_key(&self, fresh: Vec<u8>) -> Result<Vec<u8>, LogError> {
        self.write(move |connection| {
            connection.execute("INSERT INTO push_key VALUES (1, ?1) ON CONFLICT DO NOTHING", [fresh])?;
            Ok(connection.query_row("SELECT key FROM push_key", [], |row| row.get(0))?)
        })
        .await
    }

    pub(in crate::log) async fn put_browser(
        &self,
        row: BrowserRow,
        replaces: Option<String>,
    ) -> Result<bool, LogError> {
        self.write(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let (id, person) = (row.browser.id(), row.person.to_string());
            if let Some(before) = replaces {
                transaction.execute(
                    "DELETE FROM browsers WHERE id = ?1 AND id <> ?3 AND person = ?2",
                    params![before, person, id],
                )?;
                // Whoever has one in hand has it for the address before: what comes of that is not of this one.
                transaction.execute(
                    "UPDATE OR IGNORE deliveries SET browser = ?3, lease = 0
                     WHERE person = ?2 AND browser = ?1 AND ?1 NOT IN ('', ?3)",
                    params![before, person, id],
                )?;
            }
            let put = transaction.execute(
                "INSERT INTO browsers SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8
                 WHERE (SELECT count(*) FROM browsers WHERE person = ?2 AND id <> ?1) < ?9
                 ON CONFLICT (id) DO UPDATE SET person = ?2, session = ?3, device = ?4, key = ?6, secret = ?7,
                   added_at = CASE WHEN person = ?2 THEN added_at ELSE ?8 END",
                params![
                    id,
                    person,
                    row.session.map(|session| session.to_string()),
                    row.device,
                    row.browser.endpoint,
                    &row.browser.key[..],
                    &row.browser.secret[..],
                    row.added_at.as_microsecond(),
                    BROWSERS_MAX as i64,
                ],
            )?;
            if put == 1 {
                transaction.commit()?;
            }
            Ok(put == 1)
        })
        .await
    }

    pub(in crate::log) async fn tell_browser(
        &self,
        person: PersonId,
        id: String,
        anew: bool,
        now: Time,
    ) -> Result<(), LogError> {
        self.write(move |connection| {
            let statement = "INSERT INTO deliveries AS d
                 SELECT call, person, incident, 'push', 'due', ?4, 0, ?4, 0, NULL, NULL, ?2
                 FROM calls WHERE person = ?1 AND seen_at IS NULL AND ended_at IS NULL
                   AND EXISTS (SELECT 1 FROM browsers WHERE id = ?2 AND person = ?1)
                 ON CONFLICT (call, person, channel, browser) DO UPDATE
                   SET state = 'due', at = ?4, next_at = ?4, lease = 0, attempts = min(d.attempts, 1)
                   WHERE d.state IN ('ended', 'failed') OR (?3 AND d.state IN ('accepted', 'refused'))";
            connection.execute(statement, params![person.to_string(), id, anew, now.as_microsecond()])?;
            Ok(())
        })
        .await
    }

    pub(in crate::log) async fn browsers_of(&self, person: PersonId) -> Result<Vec<BrowserRow>, LogError> {
        self.read(move |connection| {
            let mut query =
                connection.prepare_cached("SELECT * FROM browsers WHERE person = ?1 ORDER BY added_at DESC, id")?;
            let rows = query.query_map([person.to_string()], browser_row)?;
            Ok(rows.filter_map(Result::transpose).collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(in crate::log) async fn drop_browser(&self, person: PersonId, id: String) -> Result<bool, LogError> {
        self.write(move |connection| {
            let values = params![id, person.to_string()];
            Ok(connection.execute("DELETE FROM browsers WHERE id = ?1 AND person = ?2", values)? == 1)
        })
        .await
    }

    pub(in crate::log) async fn drop_browsers(&self, person: PersonId) -> Result<(), LogError> {
        self.write(move |connection| {
            connection.execute("DELETE FROM browsers WHERE person = ?1", [person.to_string()])?;
            Ok(())
        })
        .await
    }

    pub(in crate::log) async fn keep_browsers_of(
        &self,
        person: PersonId,
        sessions: Vec<SessionId>,
    ) -> Result<(), LogError> {
        let sessions = serde_json::to_string(&sessions).expect("ids are plain data");
        self.write(move |connection| {
            let statement = "DELETE FROM browsers WHERE person = ?1
                 AND (session IS NULL OR session NOT IN (SELECT value FROM json_each(?2)))";
            connection.execute(statement, params![person.to_string(), sessions])?;
            Ok(())
        })
        .await
    }
}
