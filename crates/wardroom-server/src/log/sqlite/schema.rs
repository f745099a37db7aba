//! The embedded database's tables, as a numbered list of migrations.

use rusqlite::Connection;

use crate::log::LogError;

/// Each runs once, in its own transaction; `user_version` counts them. Never edit one that was released.
pub(super) const MIGRATIONS: &[&str] = &["
CREATE TABLE head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch BLOB NOT NULL, position INTEGER NOT NULL, link BLOB NOT NULL
) STRICT;
INSERT INTO head VALUES (1, randomblob(16), 0, zeroblob(32));

CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL, seq INTEGER NOT NULL,
    kind TEXT NOT NULL, version INTEGER NOT NULL, at INTEGER NOT NULL, actor TEXT NOT NULL, body TEXT NOT NULL,
    hash BLOB NOT NULL,
    link BLOB, -- of the append, on its last event
    UNIQUE (stream, seq)
) STRICT;

CREATE TABLE tips (
    stream INTEGER PRIMARY KEY, seq INTEGER NOT NULL, hash BLOB NOT NULL
) STRICT;

CREATE TABLE texts (
    stream INTEGER NOT NULL, commitment BLOB NOT NULL, position INTEGER NOT NULL,
    salt BLOB, words TEXT, -- NULL once erased
    erased_by INTEGER,
    PRIMARY KEY (stream, commitment)
) STRICT, WITHOUT ROWID;
CREATE INDEX texts_position ON texts (position);

CREATE TABLE requests (
    actor TEXT NOT NULL, id BLOB NOT NULL, digest BLOB NOT NULL, spans TEXT NOT NULL,
    PRIMARY KEY (actor, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshots (
    stream INTEGER NOT NULL, fold_version INTEGER NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (stream, fold_version)
) STRICT;

CREATE TABLE board (
    number INTEGER PRIMARY KEY, seq INTEGER NOT NULL, open INTEGER NOT NULL, next_due INTEGER, body TEXT NOT NULL
) STRICT;
CREATE INDEX board_open ON board (number) WHERE open = 1;
CREATE INDEX board_due ON board (next_due) WHERE next_due IS NOT NULL;

CREATE TABLE cursors (name TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT;
CREATE TABLE seen (person TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT;
CREATE TABLE beats (node BLOB PRIMARY KEY, at INTEGER NOT NULL) STRICT;
", "
-- A digest of what was asked lets erased words be guessed: it goes with them, and only the answer is remembered.
CREATE TRIGGER texts_erased AFTER UPDATE OF erased_by ON texts WHEN new.erased_by IS NOT NULL BEGIN
    UPDATE requests SET digest = randomblob(32)
    WHERE actor = (SELECT actor FROM events WHERE position = new.position)
      AND EXISTS (
        SELECT 1 FROM json_each(requests.spans) AS span
        WHERE span.value ->> 'stream' = new.stream
          AND (SELECT seq FROM events WHERE position = new.position)
              BETWEEN span.value ->> 'first' AND span.value ->> 'last');
END;
", "
-- Secrets that let people in. What they open stands in the directory's stream; they are in no backup.
CREATE TABLE passwords (person TEXT PRIMARY KEY, hash TEXT NOT NULL) STRICT;
CREATE TABLE sessions (
    digest BLOB PRIMARY KEY, id TEXT NOT NULL UNIQUE, person TEXT NOT NULL, device TEXT NOT NULL,
    address TEXT NOT NULL, opened_at INTEGER NOT NULL, last_seen_at INTEGER NOT NULL, expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_person ON sessions (person);
CREATE TABLE links (
    digest BLOB PRIMARY KEY, id TEXT NOT NULL, person TEXT, expires_at INTEGER NOT NULL
) STRICT;

-- A secret goes with what it opened, in the same transaction.
CREATE TRIGGER session_ended AFTER INSERT ON events WHEN new.stream = 0 AND new.kind = 'session_ended' BEGIN
    DELETE FROM sessions WHERE id = new.body ->> 'session';
END;
CREATE TRIGGER person_gone AFTER INSERT ON events
    WHEN new.stream = 0 AND new.kind IN ('person_deactivated', 'person_forgotten') BEGIN
    DELETE FROM passwords WHERE person = new.body ->> 'person';
    DELETE FROM sessions WHERE person = new.body ->> 'person';
    DELETE FROM links WHERE person = new.body ->> 'person';
END;
CREATE TRIGGER everybody_signed_out AFTER INSERT ON events
    WHEN new.stream = 0 AND new.kind = 'everybody_signed_out' BEGIN
    DELETE FROM passwords;
    DELETE FROM sessions;
    DELETE FROM links;
END;
", "
-- Passkeys, what challenges are sealed with, and the challenges that were used.
CREATE TABLE passkeys (
    credential BLOB PRIMARY KEY, id TEXT NOT NULL UNIQUE, person TEXT NOT NULL, key BLOB NOT NULL,
    host TEXT NOT NULL, count INTEGER NOT NULL, used_at INTEGER
) STRICT;
CREATE INDEX passkeys_person ON passkeys (person);
CREATE TABLE challenge_key (one INTEGER PRIMARY KEY CHECK (one = 1), key BLOB NOT NULL) STRICT;
INSERT INTO challenge_key VALUES (1, randomblob(32));
CREATE TABLE used_challenges (digest BLOB PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TRIGGER passkey_removed AFTER INSERT ON events WHEN new.stream = 0 AND new.kind = 'passkey_removed' BEGIN
    DELETE FROM passkeys WHERE id = new.body ->> 'passkey';
END;
CREATE TRIGGER passkeys_gone AFTER INSERT ON events
    WHEN new.stream = 0 AND new.kind IN ('person_deactivated', 'person_forgotten') BEGIN
    DELETE FROM passkeys WHERE person = new.body ->> 'person';
END;
CREATE TRIGGER all_passkeys_gone AFTER INSERT ON events
    WHEN new.stream = 0 AND new.kind = 'everybody_signed_out' BEGIN
    DELETE FROM passkeys;
END;
", "
-- What somebody has to be told, and how far telling them is (calls.rs): ids and times, and no words.
CREATE TABLE calls (
    call TEXT NOT NULL, person TEXT NOT NULL, incident INTEGER NOT NULL, entry INTEGER NOT NULL,
    made_at INTEGER NOT NULL, seen_at INTEGER, ended_at INTEGER,
    PRIMARY KEY (call, person)
) STRICT;
CREATE INDEX calls_open ON calls (incident) WHERE ended_at IS NULL;
CREATE TABLE deliveries (
    call TEXT NOT NULL, person TEXT NOT NULL, incident INTEGER NOT NULL, channel TEXT NOT NULL,
    state TEXT NOT NULL, at INTEGER NOT NULL, attempts INTEGER NOT NULL,
    next_at INTEGER, lease INTEGER NOT NULL, accepted_at INTEGER, why TEXT,
    PRIMARY KEY (call, person, channel)
) STRICT;
CREATE INDEX deliveries_next ON deliveries (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX deliveries_incident ON deliveries (incident);

-- Where somebody's pager is, and the key by which it knows them: they go with the account.
CREATE TABLE pagers (person TEXT PRIMARY KEY, url TEXT NOT NULL, key TEXT NOT NULL) STRICT;
CREATE TRIGGER pager_gone AFTER INSERT ON events
    WHEN new.stream = 0 AND new.kind IN ('person_deactivated', 'person_forgotten') BEGIN
    DELETE FROM pagers WHERE person = new.body ->> 'person';
END;
", "
-- The key by which push services know this server, and the browsers in which people turned push on (browsers.rs). A
-- browser goes with the session in which it was turned on, and with the account.
CREATE TABLE push_key (one INTEGER PRIMARY KEY CHECK (one = 1), key BLOB NOT NULL) STRICT;
CREATE TABLE browsers (
    id TEXT PRIMARY KEY, person TEXT NOT NULL, session TEXT, device TEXT NOT NULL,
    endpoint TEXT NOT NULL, key BLOB NOT NULL, secret BLOB NOT NULL, added_at INTEGER NOT NULL
) STRICT;
CREATE INDEX browsers_person ON browsers (person);
CREATE TRIGGER browser_signed_out AFTER INSERT ON events WHEN new.stream = 0 AND new.kind = 'session_ended' BEGIN
    DELETE FROM browsers WHERE session = new.body ->> 'session';
END;
CREATE TRIGGER browsers_gone AFTER INSERT ON events
    WHEN new.stream = 0 AND new.kind IN ('person_deactivated', 'person_forgotten') BEGIN
    DELETE FROM browsers WHERE person = new.body ->> 'person';
END;
CREATE TRIGGER all_browsers_gone AFTER INSERT ON events
    WHEN new.stream = 0 AND new.kind = 'everybody_signed_out' BEGIN
    DELETE FROM browsers;
END;

-- Each browser is told by itself; where a way leads to one place alone, there is no name of it.
ALTER TABLE deliveries RENAME TO deliveries_before;
CREATE TABLE deliveries (
    call TEXT NOT NULL, person TEXT NOT NULL, incident INTEGER NOT NULL, channel TEXT NOT NULL,
    state TEXT NOT NULL, at INTEGER NOT NULL, attempts INTEGER NOT NULL,
    next_at INTEGER, lease INTEGER NOT NULL, accepted_at INTEGER, why TEXT, browser TEXT NOT NULL,
    PRIMARY KEY (call, person, channel, browser)
) STRICT;
INSERT INTO deliveries SELECT *, '' FROM deliveries_before;
DROP TABLE deliveries_before;
CREATE INDEX deliveries_next ON deliveries (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX deliveries_incident ON deliveries (incident);
", "
-- What people were prompted of and put off (prompts.rs): volatile, ids and times, and no words.
CREATE TABLE prompts (person TEXT PRIMARY KEY, at INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
", "
-- What people write together (documents.rs): how many updates, each of them, a snapshot in place of the oldest, whose
-- each client is, and when each part last changed.
CREATE TABLE documents (stream INTEGER PRIMARY KEY, version INTEGER NOT NULL) STRICT;
CREATE TABLE document_updates (
    stream INTEGER NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (stream, version)
) STRICT;
CREATE TABLE document_snapshots (stream INTEGER PRIMARY KEY, version INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TABLE document_clients (
    stream INTEGER NOT NULL, client INTEGER NOT NULL, person TEXT NOT NULL,
    PRIMARY KEY (stream, client)
) STRICT, WITHOUT ROWID;
CREATE TABLE document_parts (
    stream INTEGER NOT NULL, part TEXT NOT NULL, version INTEGER NOT NULL, at INTEGER NOT NULL, person TEXT NOT NULL,
    PRIMARY KEY (stream, part)
) STRICT, WITHOUT ROWID;
", "
-- Evidence (evidence.rs): what is known of a piece, and apart from it the bytes, with a salt by which stale copies of
-- them are found. Bytes wait for the event that has them, and go with its words.
CREATE TABLE evidence (
    stream INTEGER NOT NULL, sha256 TEXT NOT NULL, at INTEGER NOT NULL,
    position INTEGER, -- of the event that has it; NULL while it waits for one
    PRIMARY KEY (stream, sha256)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX evidence_position ON evidence (position) WHERE position IS NOT NULL;
CREATE INDEX evidence_waiting ON evidence (at) WHERE position IS NULL;
CREATE TABLE evidence_bytes (
    stream INTEGER NOT NULL, sha256 TEXT NOT NULL, salt BLOB NOT NULL DEFAULT (randomblob(16)), body BLOB NOT NULL,
    UNIQUE (stream, sha256)
) STRICT;

CREATE TRIGGER evidence_attached AFTER INSERT ON texts
    WHEN length(new.words) = 64 AND EXISTS (
        SELECT 1 FROM events WHERE position = new.position AND stream <> 0 AND kind = 'evidence_attached'
          AND body ->> '$.sha256.seal' = lower(hex(new.commitment))) BEGIN
    UPDATE evidence SET position = new.position
    WHERE stream = new.stream AND sha256 = new.words
      AND EXISTS (SELECT 1 FROM evidence_bytes AS b WHERE b.stream = new.stream AND b.sha256 = new.words);
    SELECT RAISE(ABORT, 'the bytes of this evidence are not here')
    WHERE NOT EXISTS (SELECT 1 FROM evidence WHERE position = new.position);
END;
CREATE TRIGGER evidence_erased AFTER UPDATE OF erased_by ON texts WHEN new.erased_by IS NOT NULL BEGIN
    DELETE FROM evidence WHERE position = new.position;
END;
CREATE TRIGGER evidence_gone AFTER DELETE ON evidence BEGIN
    DELETE FROM evidence_bytes WHERE stream = old.stream AND sha256 = old.sha256;
END;
", "
-- What the gate stopped or would have stopped (gate.rs): ids and times, and no words.
CREATE TABLE gate_stops (
    at INTEGER NOT NULL, service TEXT NOT NULL, incident INTEGER NOT NULL, person TEXT, enforced INTEGER NOT NULL
) STRICT;
CREATE INDEX gate_stops_at ON gate_stops (at);
", "
-- Changes of which other systems told (sightings.rs), for a week: what an incident heard of stands in its log.
CREATE TABLE sightings (
    key TEXT PRIMARY KEY, service TEXT NOT NULL, stage INTEGER NOT NULL, at INTEGER NOT NULL, received INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX sightings_service ON sightings (service, at);
CREATE INDEX sightings_received ON sightings (received);
", include_str!("kept.sql"), include_str!("stops.sql"), "
-- Who told of a change: what one of them tells is bounded together. What was redacted has no words, and stays known.
ALTER TABLE sightings ADD COLUMN teller TEXT NOT NULL DEFAULT '';
CREATE INDEX sightings_teller ON sightings (teller, received);
", include_str!("told.sql"), "
-- What one teller tells is counted by change, of however many services each is.
ALTER TABLE sightings ADD COLUMN change TEXT;
-- The same of the same person soon after is counted with the first.
ALTER TABLE gate_stops ADD COLUMN times INTEGER NOT NULL DEFAULT 1;
", include_str!("asked.sql")];

/// Refuses a database that a newer Wardroom has changed, or that none has made.
pub(super) fn check(connection: &Connection) -> Result<(), LogError> {
    match seen(connection)? {
        0 => Err(LogError::NoStore("this file is no store of Wardroom's: its tables are not there".to_owned())),
        _ => Ok(()),
    }
}

fn seen(connection: &Connection) -> Result<usize, LogError> {
    let seen: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let seen = seen as usize;
    if seen > MIGRATIONS.len() {
        return Err(LogError::unavailable("a newer Wardroom has changed this store; use that one"));
    }
    Ok(seen)
}

/// Brings a database up to this Wardroom's tables; refuses one that a newer Wardroom has changed.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), LogError> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let done = seen(&transaction)?;
    for migration in &MIGRATIONS[done..] {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", MIGRATIONS.len() as u32)?;
    transaction.commit()?;
    Ok(())
}
