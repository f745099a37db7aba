-- What others told of changes (sightings.rs) has words that go with whoever made them, or told of them. That it was told stays.
CREATE TRIGGER told_words_forgotten AFTER INSERT ON events WHEN new.stream = 0 AND new.kind = 'person_forgotten' BEGIN
    UPDATE sightings SET body = '' WHERE instr(body, new.body ->> 'person') > 0;
END;
