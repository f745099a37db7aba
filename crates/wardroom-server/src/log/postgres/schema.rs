//! The scaled-out database's tables and the one function that appends, as a numbered list of migrations.
//!
//! `wardroom_append` is one statement in autocommit: a node that is stopped or cut off after sending it holds
//! no lock, because the server finishes the statement and commits by itself. Its first act is to lock the
//! counter row, so appends are ordered and positions have no gaps.

use tokio_postgres::Client;

use crate::log::LogError;

/// Any number that is ours: the key of the advisory lock under which nodes migrate.
const LOCK: i64 = 0x5741_5244;

/// Each runs once, in its own transaction. Never edit one that was released.
const MIGRATIONS: &[&str] = &[
    "
CREATE TABLE head (
    one int PRIMARY KEY CHECK (one = 1),
    epoch uuid NOT NULL, position bigint NOT NULL, link bytea NOT NULL
);
INSERT INTO head VALUES (1, gen_random_uuid(), 0, decode(repeat('00', 32), 'hex'));

CREATE TABLE events (
    position bigint PRIMARY KEY,
    stream bigint NOT NULL, seq bigint NOT NULL,
    kind text NOT NULL, version int NOT NULL, at bigint NOT NULL, actor text NOT NULL, body text NOT NULL,
    hash bytea NOT NULL,
    link bytea, -- of the append, on its last event
    UNIQUE (stream, seq)
);

CREATE TABLE tips (stream bigint PRIMARY KEY, seq bigint NOT NULL, hash bytea NOT NULL);

CREATE TABLE texts (
    stream bigint NOT NULL, commitment bytea NOT NULL, position bigint NOT NULL,
    salt bytea, words text, -- NULL once erased
    erased_by bigint,
    PRIMARY KEY (stream, commitment)
);
CREATE INDEX texts_position ON texts (position);

CREATE TABLE requests (
    actor text NOT NULL, id uuid NOT NULL, digest bytea NOT NULL, spans text NOT NULL,
    CONSTRAINT requests_pkey PRIMARY KEY (actor, id)
);

CREATE TABLE snapshots (
    stream bigint NOT NULL, fold_version bigint NOT NULL, seq bigint NOT NULL, hash bytea NOT NULL, body text NOT NULL,
    PRIMARY KEY (stream, fold_version)
);

CREATE TABLE board (
    number bigint PRIMARY KEY, seq bigint NOT NULL, open boolean NOT NULL, next_due bigint, body text NOT NULL
);
CREATE INDEX board_open ON board (number) WHERE open;
CREATE INDEX board_due ON board (next_due) WHERE next_due IS NOT NULL;

CREATE TABLE cursors (name text PRIMARY KEY, position bigint NOT NULL);
CREATE TABLE seen (person text PRIMARY KEY, at bigint NOT NULL);
CREATE TABLE beats (node uuid PRIMARY KEY, at bigint NOT NULL);

-- One batch, all of it or nothing. Streams come with the tip that they have to have and the tip they will
-- have; events, texts, requests and erasures are parallel arrays. Offsets count from 1 within the batch.
-- Answers the position before the batch.
CREATE FUNCTION wardroom_append(
    streams bigint[], expected_seqs bigint[], expected_hashes bytea[], new_seqs bigint[], new_hashes bytea[],
    event_streams bigint[], event_seqs bigint[], kinds text[], versions int[], ats bigint[], actors text[],
    bodies text[], hashes bytea[],
    text_streams bigint[], commitments bytea[], text_offsets bigint[], salts bytea[], words_ text[],
    erase_streams bigint[], erase_commitments bytea[], erase_offsets bigint[],
    request_actors text[], request_ids uuid[], request_digests bytea[], request_spans text[],
    batch_digest bytea
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint := cardinality(hashes);
    before bigint;
    link_after bytea;
    moved bigint;
    begun bigint := 0;
BEGIN
    -- A link that no event carries would look like a log cut off: without events it stays as it is.
    UPDATE head SET position = position + n,
        link = CASE WHEN n = 0 THEN link ELSE sha256(link || int8send(position + 1) || batch_digest) END
        RETURNING position - n, link INTO before, link_after;
    UPDATE tips SET seq = e.new_seq, hash = e.new_hash
        FROM unnest(streams, expected_seqs, expected_hashes, new_seqs, new_hashes) AS e (stream, seq, hash, new_seq, new_hash)
        WHERE tips.stream = e.stream AND tips.seq = e.seq AND tips.hash = e.hash;
    GET DIAGNOSTICS moved = ROW_COUNT;
    IF moved < cardinality(streams) THEN
        INSERT INTO tips
            SELECT e.stream, e.new_seq, e.new_hash
            FROM unnest(streams, expected_seqs, new_seqs, new_hashes) AS e (stream, seq, new_seq, new_hash)
            WHERE e.seq = 0
            ON CONFLICT DO NOTHING;
        GET DIAGNOSTICS begun = ROW_COUNT;
    END IF;
    IF moved + begun <> cardinality(streams) THEN
        RAISE EXCEPTION 'a stream is not where it was expected' USING ERRCODE = 'WR001';
    END IF;
    INSERT INTO requests
        SELECT * FROM unnest(request_actors, request_ids, request_digests, request_spans);
    INSERT INTO events
        SELECT before + o, stream, seq, kind, version, at, actor, body, hash, CASE WHEN o = n THEN link_after END
        FROM unnest(event_streams, event_seqs, kinds, versions, ats, actors, bodies, hashes)
            WITH ORDINALITY AS e (stream, seq, kind, version, at, actor, body, hash, o);
    INSERT INTO texts
        SELECT stream, commitment, before + o, salt, words, NULL
        FROM unnest(text_streams, commitments, text_offsets, salts, words_) AS t (stream, commitment, o, salt, words);
    IF cardinality(erase_streams) > 0 THEN
        UPDATE texts SET words = NULL, salt = NULL, erased_by = before + e.o
            FROM unnest(erase_streams, erase_commitments, erase_offsets) AS e (stream, commitment, o)
            WHERE texts.stream = e.stream AND texts.commitment = e.commitment AND texts.erased_by IS NULL;
    END IF;
    IF n > 0 THEN
        PERFORM pg_notify('wardroom', '');
    END IF;
    RETURN before;
END $$;
",
    "
-- A digest of what was asked lets erased words be guessed: it goes with them, and only the answer is remembered.
-- Writers wait meanwhile, so the request is looked up: a stream's spans follow each other, and the one that an
-- event lies in is the next to end. A request writes to one stream, or to two when it merges incidents.
CREATE INDEX requests_first_span ON requests
    (((spans::jsonb #>> '{0,stream}')::bigint), ((spans::jsonb #>> '{0,last}')::bigint));
CREATE INDEX requests_second_span ON requests
    (((spans::jsonb #>> '{1,stream}')::bigint), ((spans::jsonb #>> '{1,last}')::bigint))
    WHERE (spans::jsonb #>> '{1,stream}')::bigint IS NOT NULL;
CREATE FUNCTION wardroom_forget_digest() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    entry bigint := (SELECT seq FROM events WHERE position = new.position);
    request requests;
BEGIN
    FOR request IN
        (SELECT * FROM requests
         WHERE (spans::jsonb #>> '{0,stream}')::bigint = new.stream AND (spans::jsonb #>> '{0,last}')::bigint >= entry
         ORDER BY (spans::jsonb #>> '{0,stream}')::bigint, (spans::jsonb #>> '{0,last}')::bigint LIMIT 1)
        UNION ALL
        (SELECT * FROM requests
         WHERE (spans::jsonb #>> '{1,stream}')::bigint = new.stream AND (spans::jsonb #>> '{1,last}')::bigint >= entry
         ORDER BY (spans::jsonb #>> '{1,stream}')::bigint, (spans::jsonb #>> '{1,last}')::bigint LIMIT 1)
    LOOP
        UPDATE requests SET digest = sha256(uuid_send(gen_random_uuid()))
            WHERE actor = request.actor AND id = request.id AND EXISTS (
                SELECT FROM jsonb_array_elements(spans::jsonb) AS span
                WHERE (span->>'stream')::bigint = new.stream
                  AND entry BETWEEN (span->>'first')::bigint AND (span->>'last')::bigint);
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER texts_erased AFTER UPDATE OF erased_by ON texts
    FOR EACH ROW WHEN (new.erased_by IS NOT NULL) EXECUTE FUNCTION wardroom_forget_digest();
",
    "
-- Secrets that let people in. What they open stands in the directory's stream; they are in no backup.
CREATE TABLE passwords (person uuid PRIMARY KEY, hash text NOT NULL);
CREATE TABLE sessions (
    digest bytea PRIMARY KEY, id uuid NOT NULL UNIQUE, person uuid NOT NULL, device text NOT NULL,
    address text NOT NULL, opened_at bigint NOT NULL, last_seen_at bigint NOT NULL, expires_at bigint NOT NULL
);
CREATE INDEX sessions_person ON sessions (person);
CREATE TABLE links (digest bytea PRIMARY KEY, id uuid NOT NULL, person uuid, expires_at bigint NOT NULL);

-- A secret goes with what it opened, in the same transaction.
CREATE FUNCTION wardroom_forget_secrets() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    whose uuid := (new.body::json ->> 'person')::uuid;
BEGIN
    IF new.kind = 'session_ended' THEN
        DELETE FROM sessions WHERE id = (new.body::json ->> 'session')::uuid;
    ELSIF new.kind = 'everybody_signed_out' THEN
        DELETE FROM passwords;
        DELETE FROM sessions;
        DELETE FROM links;
    ELSE
        DELETE FROM passwords WHERE person = whose;
        DELETE FROM sessions WHERE person = whose;
        DELETE FROM links WHERE person = whose;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER secrets_go AFTER INSERT ON events
    FOR EACH ROW
    WHEN (new.stream = 0
        AND new.kind IN ('session_ended', 'person_deactivated', 'person_forgotten', 'everybody_signed_out'))
    EXECUTE FUNCTION wardroom_forget_secrets();
",
    "
-- Passkeys, what challenges are sealed with, and the challenges that were used.
CREATE TABLE passkeys (
    credential bytea PRIMARY KEY, id uuid NOT NULL UNIQUE, person uuid NOT NULL, key bytea NOT NULL,
    host text NOT NULL, count bigint NOT NULL, used_at bigint
);
CREATE INDEX passkeys_person ON passkeys (person);
CREATE TABLE challenge_key (one int PRIMARY KEY CHECK (one = 1), key bytea NOT NULL);
INSERT INTO challenge_key VALUES (1, sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));
CREATE TABLE used_challenges (digest bytea PRIMARY KEY, expires_at bigint NOT NULL);

CREATE FUNCTION wardroom_forget_passkeys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.kind = 'passkey_removed' THEN
        DELETE FROM passkeys WHERE id = (new.body::json ->> 'passkey')::uuid;
    ELSIF new.kind = 'everybody_signed_out' THEN
        DELETE FROM passkeys;
    ELSE
        DELETE FROM passkeys WHERE person = (new.body::json ->> 'person')::uuid;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER passkeys_go AFTER INSERT ON events
    FOR EACH ROW
    WHEN (new.stream = 0
        AND new.kind IN ('passkey_removed', 'person_deactivated', 'person_forgotten', 'everybody_signed_out'))
    EXECUTE FUNCTION wardroom_forget_passkeys();
",
    "
-- What somebody has to be told, and how far telling them is (calls.rs): ids and times, and no words.
CREATE TABLE calls (
    call text NOT NULL, person uuid NOT NULL, incident bigint NOT NULL, entry bigint NOT NULL,
    made_at bigint NOT NULL, seen_at bigint, ended_at bigint,
    PRIMARY KEY (call, person)
);
CREATE INDEX calls_open ON calls (incident) WHERE ended_at IS NULL;
CREATE TABLE deliveries (
    call text NOT NULL, person uuid NOT NULL, incident bigint NOT NULL, channel text NOT NULL,
    state text NOT NULL, at bigint NOT NULL, attempts int NOT NULL,
    next_at bigint, lease bigint NOT NULL, accepted_at bigint, why text,
    PRIMARY KEY (call, person, channel)
);
CREATE INDEX deliveries_next ON deliveries (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX deliveries_incident ON deliveries (incident);

-- Where somebody's pager is, and the key by which it knows them: they go with the account.
CREATE TABLE pagers (person uuid PRIMARY KEY, url text NOT NULL, key text NOT NULL);
CREATE FUNCTION wardroom_forget_pager() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM pagers WHERE person = (new.body::json ->> 'person')::uuid;
    RETURN NULL;
END $$;
CREATE TRIGGER pagers_go AFTER INSERT ON events
    FOR EACH ROW WHEN (new.stream = 0 AND new.kind IN ('person_deactivated', 'person_forgotten'))
    EXECUTE FUNCTION wardroom_forget_pager();
",
    "
-- The key by which push services know this server, and the browsers in which people turned push on (browsers.rs). A
-- browser goes with the session in which it was turned on, and with the account.
CREATE TABLE push_key (one int PRIMARY KEY CHECK (one = 1), key bytea NOT NULL);
CREATE TABLE browsers (
    id text PRIMARY KEY, person uuid NOT NULL, session uuid, device text NOT NULL,
    endpoint text NOT NULL, key bytea NOT NULL, secret bytea NOT NULL, added_at bigint NOT NULL
);
CREATE INDEX browsers_person ON browsers (person);
CREATE FUNCTION wardroom_forget_browsers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.kind = 'session_ended' THEN
        DELETE FROM browsers WHERE session = (new.body::json ->> 'session')::uuid;
    ELSIF new.kind = 'everybody_signed_out' THEN
        DELETE FROM browsers;
    ELSE
        DELETE FROM browsers WHERE person = (new.body::json ->> 'person')::uuid;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER browsers_go AFTER INSERT ON events
    FOR EACH ROW
    WHEN (new.stream = 0
        AND new.kind IN ('session_ended', 'person_deactivated', 'person_forgotten', 'everybody_signed_out'))
    EXECUTE FUNCTION wardroom_forget_browsers();

-- Each browser is told by itself; where a way leads to one place alone, there is no name of it.
ALTER TABLE deliveries ADD COLUMN browser text NOT NULL DEFAULT '';
ALTER TABLE deliveries ALTER COLUMN browser DROP DEFAULT;
ALTER TABLE deliveries DROP CONSTRAINT deliveries_pkey, ADD PRIMARY KEY (call, person, channel, browser);
",
    "
-- What people were prompted of and put off (prompts.rs): volatile, ids and times, and no words.
CREATE TABLE prompts (person uuid PRIMARY KEY, at bigint NOT NULL, body text NOT NULL);
",
    "
-- What people write together (documents.rs): how many updates, each of them, a snapshot in place of the oldest, whose
-- each client is, and when each part last changed.
CREATE TABLE documents (stream bigint PRIMARY KEY, version bigint NOT NULL);
CREATE TABLE document_updates (
    stream bigint NOT NULL, version bigint NOT NULL, body bytea NOT NULL,
    PRIMARY KEY (stream, version)
);
CREATE TABLE document_snapshots (stream bigint PRIMARY KEY, version bigint NOT NULL, body bytea NOT NULL);
CREATE TABLE document_clients (
    stream bigint NOT NULL, client bigint NOT NULL, person text NOT NULL,
    PRIMARY KEY (stream, client)
);
CREATE TABLE document_parts (
    stream bigint NOT NULL, part text NOT NULL, version bigint NOT NULL, at bigint NOT NULL, person text NOT NULL,
    PRIMARY KEY (stream, part)
);

-- One update. Its first act is to lock the document's row, so that updates are ordered and their numbers have no gaps.
-- NULL, with nothing written, when a client is somebody else's.
CREATE FUNCTION wardroom_write(
    stream_ bigint, body_ bytea, at_ bigint, clients bigint[], owners text[], parts text[], writers text[]
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    newest bigint;
BEGIN
    INSERT INTO documents VALUES (stream_, 0) ON CONFLICT DO NOTHING;
    PERFORM FROM documents WHERE stream = stream_ FOR UPDATE;
    IF EXISTS (
        SELECT FROM document_clients d JOIN unnest(clients, owners) AS c (client, owner) ON d.client = c.client
        WHERE d.stream = stream_ AND d.person <> c.owner
    ) THEN
        RETURN NULL;
    END IF;
    UPDATE documents SET version = version + 1 WHERE stream = stream_ RETURNING version INTO newest;
    INSERT INTO document_clients SELECT stream_, c, o FROM unnest(clients, owners) AS u (c, o) ON CONFLICT DO NOTHING;
    INSERT INTO document_updates VALUES (stream_, newest, body_);
    INSERT INTO document_parts SELECT stream_, p, newest, at_, w FROM unnest(parts, writers) AS u (p, w)
        ON CONFLICT (stream, part)
        DO UPDATE SET version = excluded.version, at = excluded.at, person = excluded.person;
    PERFORM pg_notify('wardroom_documents', stream_ || ' ' || newest);
    RETURN newest;
END $$;
",
    "
-- Evidence (evidence.rs): what is known of a piece, and apart from it the bytes. Bytes wait for the event that has them,
-- and go with its words.
CREATE TABLE evidence (
    stream bigint NOT NULL, sha256 text NOT NULL, at bigint NOT NULL,
    position bigint UNIQUE, -- of the event that has it; NULL while it waits for one
    PRIMARY KEY (stream, sha256)
);
CREATE INDEX evidence_waiting ON evidence (at) WHERE position IS NULL;
CREATE TABLE evidence_bytes (
    stream bigint NOT NULL, sha256 text NOT NULL, body bytea NOT NULL, PRIMARY KEY (stream, sha256)
);
-- Pictures and archives are packed already.
ALTER TABLE evidence_bytes ALTER COLUMN body SET STORAGE EXTERNAL;

CREATE FUNCTION wardroom_attach_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM events WHERE position = new.position AND stream <> 0 AND kind = 'evidence_attached'
          AND body::jsonb #>> '{sha256,seal}' = encode(new.commitment, 'hex')
    ) THEN
        UPDATE evidence SET position = new.position
        WHERE stream = new.stream AND sha256 = new.words
          AND EXISTS (SELECT FROM evidence_bytes AS b WHERE b.stream = new.stream AND b.sha256 = new.words);
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the bytes of this evidence are not here';
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER evidence_attached AFTER INSERT ON texts
    FOR EACH ROW WHEN (length(new.words) = 64) EXECUTE FUNCTION wardroom_attach_evidence();

CREATE FUNCTION wardroom_erase_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM evidence WHERE position = new.position;
    RETURN NULL;
END $$;
CREATE TRIGGER evidence_erased AFTER UPDATE OF erased_by ON texts
    FOR EACH ROW WHEN (new.erased_by IS NOT NULL) EXECUTE FUNCTION wardroom_erase_evidence();

CREATE FUNCTION wardroom_forget_bytes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM evidence_bytes WHERE stream = old.stream AND sha256 = old.sha256;
    RETURN NULL;
END $$;
CREATE TRIGGER evidence_gone AFTER DELETE ON evidence FOR EACH ROW EXECUTE FUNCTION wardroom_forget_bytes();
",
    "
-- What the gate stopped or would have stopped (gate.rs): ids and times, and no words.
CREATE TABLE gate_stops (
    at bigint NOT NULL, service text NOT NULL, incident bigint NOT NULL, person uuid, enforced boolean NOT NULL
);
CREATE INDEX gate_stops_at ON gate_stops (at);
",
    "
-- Changes of which other systems told (sightings.rs), for a week: what an incident heard of stands in its log.
CREATE TABLE sightings (
    key uuid PRIMARY KEY, service text NOT NULL, stage smallint NOT NULL, at bigint NOT NULL, received bigint NOT NULL,
    body text NOT NULL
);
CREATE INDEX sightings_service ON sightings (service, at);
CREATE INDEX sightings_received ON sightings (received);
",
    include_str!("kept.sql"),
    include_str!("stops.sql"),
    "
-- Who told of a change: what one of them tells is bounded together. What was redacted has no words, and stays known.
ALTER TABLE sightings ADD COLUMN teller text NOT NULL DEFAULT '';
CREATE INDEX sightings_teller ON sightings (teller, received);
",
    include_str!("told.sql"),
    "
-- What one teller tells is counted by change, of however many services each is.
ALTER TABLE sightings ADD COLUMN change uuid;
-- The same of the same person soon after is counted with the first.
ALTER TABLE gate_stops ADD COLUMN times bigint NOT NULL DEFAULT 1;
",
    include_str!("asked.sql"),
];

/// Brings a database up to this Wardroom's tables; refuses one that a newer Wardroom has changed.
pub(super) async fn migrate(client: &mut Client) -> Result<(), LogError> {
    let transaction = client.transaction().await?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    transaction.batch_execute("CREATE TABLE IF NOT EXISTS migrations (done int NOT NULL)").await?;
    let row = transaction.query_opt("SELECT max(done) FROM migrations", &[]).await?;
    let done: Option<i32> = row.and_then(|row| row.get(0));
    let done = usize::try_from(done.unwrap_or(0)).unwrap_or(0);
    if done > MIGRATIONS.len() {
        return Err(LogError::unavailable("a newer Wardroom has changed this database; use that one"));
    }
    for (n, migration) in MIGRATIONS.iter().enumerate().skip(done) {
        transaction.batch_execute(migration).await?;
        let number = i32::try_from(n + 1).expect("there are few migrations");
        transaction.execute("INSERT INTO migrations VALUES ($1)", &[&number]).await?;
    }
    Ok(transaction.commit().await?)
}
