-- What the gate stopped, with what was asked (gate.rs): words that can be taken out, and go with whoever said them.
DROP INDEX gate_stops_at;
ALTER TABLE gate_stops RENAME TO gate_stops_before;
CREATE TABLE gate_stops (
    ask uuid NOT NULL, at bigint NOT NULL, service text NOT NULL, incident bigint NOT NULL, person uuid,
    enforced boolean NOT NULL, what text
);
INSERT INTO gate_stops SELECT gen_random_uuid(), at, service, incident, person, enforced, NULL FROM gate_stops_before;
DROP TABLE gate_stops_before;
CREATE INDEX gate_stops_at ON gate_stops (at);
CREATE INDEX gate_stops_incident ON gate_stops (incident, at);
CREATE INDEX gate_stops_ask ON gate_stops (ask);
CREATE FUNCTION wardroom_forget_gate_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE gate_stops SET what = NULL WHERE person = (new.body::json ->> 'person')::uuid;
    RETURN NULL;
END $$;
CREATE TRIGGER gate_words_forgotten AFTER INSERT ON events
    FOR EACH ROW WHEN (new.stream = 0 AND new.kind = 'person_forgotten') EXECUTE FUNCTION wardroom_forget_gate_words();
