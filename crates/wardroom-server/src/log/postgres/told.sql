-- What others told of changes (sightings.rs) has words that go with whoever made them, or told of them. That it was told stays.
CREATE FUNCTION wardroom_forget_told_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE sightings SET body = '' WHERE strpos(body, new.body::json ->> 'person') > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER told_words_forgotten AFTER INSERT ON events
    FOR EACH ROW WHEN (new.stream = 0 AND new.kind = 'person_forgotten') EXECUTE FUNCTION wardroom_forget_told_words();
