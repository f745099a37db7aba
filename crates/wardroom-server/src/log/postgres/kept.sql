
-- Evidence lies in a store of its own, and here is only which object of it has a piece (decision 0029). The same bytes are
-- one object, however many incidents have them; one that nobody has any more is named until it is gone. No Wardroom that
-- kept bytes in its database was released: one that has some is not opened, rather than lose them.
DO $$ BEGIN
    IF EXISTS (SELECT FROM evidence_bytes) THEN
        RAISE EXCEPTION
            'this store has evidence in its tables, from before the first release: use the Wardroom that made it';
    END IF;
END $$;
DROP TRIGGER evidence_attached ON texts;
DROP TRIGGER evidence_erased ON texts;
DROP TABLE evidence_bytes, evidence;
DROP FUNCTION wardroom_attach_evidence, wardroom_erase_evidence, wardroom_forget_bytes;

CREATE TABLE evidence (
    stream bigint NOT NULL, sha256 text NOT NULL, at bigint NOT NULL,
    position bigint UNIQUE, -- of the event that has it; NULL while it waits for one
    object text NOT NULL, -- that has its bytes
    here int NOT NULL, -- 1 once it has all of them
    PRIMARY KEY (stream, sha256)
);
CREATE INDEX evidence_waiting ON evidence (at) WHERE position IS NULL;
CREATE INDEX evidence_same ON evidence (sha256);
CREATE INDEX evidence_object ON evidence (object);
CREATE TABLE evidence_going (object text PRIMARY KEY);
-- By which the store of the bytes is known, and whether it was told.
CREATE TABLE evidence_home (one int PRIMARY KEY CHECK (one = 1), id text NOT NULL, known int NOT NULL);

-- Whoever finds that somebody has an object, and whoever finds that nobody has, do so one after the other. It is taken
-- before any row of evidence is, so that nobody waits for it with what another waits for.
CREATE FUNCTION wardroom_alone_with_evidence() RETURNS void LANGUAGE sql AS 'SELECT pg_advisory_xact_lock(1463895382)';

-- Which object is to have these bytes, and whether it has them: one that is here, or a fresh one.
CREATE FUNCTION wardroom_claim(
    stream_ bigint, sha256_ text, at_ bigint, fresh text, OUT object_ text, OUT here_ int
) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM wardroom_alone_with_evidence();
    SELECT object INTO object_ FROM evidence WHERE sha256 = sha256_ AND here = 1 LIMIT 1;
    INSERT INTO evidence AS e (stream, sha256, at, object, here)
        VALUES (stream_, sha256_, at_, coalesce(object_, fresh), (object_ IS NOT NULL)::int)
        ON CONFLICT (stream, sha256) DO UPDATE SET at = greatest(e.at, excluded.at) WHERE e.position IS NULL;
    SELECT object, here INTO object_, here_ FROM evidence WHERE stream = stream_ AND sha256 = sha256_;
END $$;

-- The object has all of them. Where another came with the same at the same moment, one of the two is enough.
CREATE FUNCTION wardroom_arrived(stream_ bigint, sha256_ text, object_ text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    there text;
BEGIN
    PERFORM wardroom_alone_with_evidence();
    SELECT object INTO there FROM evidence WHERE sha256 = sha256_ AND here = 1 AND object <> object_ LIMIT 1;
    UPDATE evidence SET here = 1, object = coalesce(there, object_)
        WHERE stream = stream_ AND sha256 = sha256_ AND object = object_;
    IF NOT EXISTS (SELECT FROM evidence WHERE object = object_) THEN
        INSERT INTO evidence_going VALUES (object_) ON CONFLICT DO NOTHING;
    END IF;
    RETURN EXISTS (SELECT FROM evidence WHERE stream = stream_ AND sha256 = sha256_ AND here = 1);
END $$;

CREATE FUNCTION wardroom_sweep(before bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM wardroom_alone_with_evidence();
    DELETE FROM evidence WHERE position IS NULL AND at < before;
END $$;

CREATE FUNCTION wardroom_attach_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM events WHERE position = new.position AND stream <> 0 AND kind = 'evidence_attached'
          AND body::jsonb #>> '{sha256,seal}' = encode(new.commitment, 'hex')
    ) THEN
        PERFORM wardroom_alone_with_evidence();
        UPDATE evidence SET position = new.position
        WHERE stream = new.stream AND sha256 = new.words AND here = 1;
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
    IF EXISTS (SELECT FROM evidence WHERE position = new.position) THEN
        PERFORM wardroom_alone_with_evidence();
        DELETE FROM evidence WHERE position = new.position;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER evidence_erased AFTER UPDATE OF erased_by ON texts
    FOR EACH ROW WHEN (new.erased_by IS NOT NULL) EXECUTE FUNCTION wardroom_erase_evidence();

CREATE FUNCTION wardroom_let_go() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM evidence WHERE object = old.object) THEN
        INSERT INTO evidence_going VALUES (old.object) ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER evidence_gone AFTER DELETE ON evidence FOR EACH ROW EXECUTE FUNCTION wardroom_let_go();
