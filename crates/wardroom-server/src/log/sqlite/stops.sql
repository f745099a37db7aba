-- What the gate stopped, with what was asked (gate.rs): words that can be taken out, and go with whoever said them.
ALTER TABLE gate_stops RENAME TO gate_stops_before;
CREATE TABLE gate_stops (
    ask TEXT NOT NULL, at INTEGER NOT NULL, service TEXT NOT NULL, incident INTEGER NOT NULL, person TEXT,
    enforced INTEGER NOT NULL, what TEXT
) STRICT;
INSERT INTO gate_stops SELECT lower(hex(randomblob(16))), at, service, incident, person, enforced, NULL
FROM gate_stops_before;
DROP TABLE gate_stops_before;
CREATE INDEX gate_stops_at ON gate_stops (at);
CREATE INDEX gate_stops_incident ON gate_stops (incident, at);
CREATE INDEX gate_stops_ask ON gate_stops (ask);
CREATE TRIGGER gate_words_forgotten AFTER INSERT ON events WHEN new.stream = 0 AND new.kind = 'person_forgotten' BEGIN
    UPDATE gate_stops SET what = NULL WHERE person = new.body ->> 'person';
END;
