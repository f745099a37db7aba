
-- Evidence lies in a store of its own, and here is only which object of it has a piece (decision 0029). The same bytes are
-- one object, however many incidents have them; one that nobody has any more is named until it is gone. No Wardroom that
-- kept bytes in its database was released: one that has some is not opened, rather than lose them.
CREATE TABLE unmoved (
    many INTEGER NOT NULL,
    CONSTRAINT "this store has evidence in its tables, from before the first release: use the Wardroom that made it"
    CHECK (many = 0)
) STRICT;
INSERT INTO unmoved SELECT count(*) FROM evidence_bytes;
DROP TABLE unmoved;
DROP TRIGGER evidence_attached;
DROP TRIGGER evidence_erased;
DROP TABLE evidence_bytes;
DROP TABLE evidence;

CREATE TABLE evidence (
    stream INTEGER NOT NULL, sha256 TEXT NOT NULL, at INTEGER NOT NULL,
    position INTEGER, -- of the event that has it; NULL while it waits for one
    object TEXT NOT NULL, -- that has its bytes
    here INTEGER NOT NULL, -- 1 once it has all of them
    PRIMARY KEY (stream, sha256)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX evidence_position ON evidence (position) WHERE position IS NOT NULL;
CREATE INDEX evidence_waiting ON evidence (at) WHERE position IS NULL;
CREATE INDEX evidence_same ON evidence (sha256);
CREATE INDEX evidence_object ON evidence (object);
CREATE TABLE evidence_going (object TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
-- By which the store of the bytes is known, and whether it was told.
CREATE TABLE evidence_home (one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL, known INTEGER NOT NULL) STRICT;

CREATE TRIGGER evidence_attached AFTER INSERT ON texts
    WHEN length(new.words) = 64 AND EXISTS (
        SELECT 1 FROM events WHERE position = new.position AND stream <> 0 AND kind = 'evidence_attached'
          AND body ->> '$.sha256.seal' = lower(hex(new.commitment))) BEGIN
    UPDATE evidence SET position = new.position WHERE stream = new.stream AND sha256 = new.words AND here = 1;
    SELECT RAISE(ABORT, 'the bytes of this evidence are not here')
    WHERE NOT EXISTS (SELECT 1 FROM evidence WHERE position = new.position);
END;
CREATE TRIGGER evidence_erased AFTER UPDATE OF erased_by ON texts WHEN new.erased_by IS NOT NULL BEGIN
    DELETE FROM evidence WHERE position = new.position;
END;
CREATE TRIGGER evidence_gone AFTER DELETE ON evidence
    WHEN NOT EXISTS (SELECT 1 FROM evidence WHERE object = old.object) BEGIN
    INSERT INTO evidence_going VALUES (old.object) ON CONFLICT DO NOTHING;
END;
