//! Exactly once: a request whose answer got lost is asked again, and has happened once.

use std::collections::BTreeMap;

use wardroom_server::log::{Append, Log, LogError, Stream, Write};

use super::drafts::{append, assert_sound, draft, may_pass, put, redacting, request, saying, write};
use super::ground::{Ground, Raw, run};

on_both! {
    a_lost_answer_is_asked_for_again,
    what_was_asked_cannot_be_guessed_once_it_is_erased,
    what_was_asked_of_two_incidents_is_forgotten_with_the_words_of_either,
}

const REQUESTS: usize = 48;

/// One try: on the streams as they are now.
async fn attempt(log: &Log, wanted: &Append) -> Result<(), LogError> {
    let mut again = wanted.clone();
    for write in &mut again.writes {
        write.expected = log.tip(write.stream).await?;
    }
    log.append(vec![again]).await.map(drop)
}

/// Asks until the answer says that it is in.
async fn insist(log: &Log, wanted: &Append) {
    loop {
        match attempt(log, wanted).await {
            Ok(()) | Err(LogError::Duplicate) => return,
            Err(error) => assert!(may_pass(&error), "{error}"),
        }
    }
}

/// Cuts the log's own connections, where it has some.
async fn cut(raw: &Raw) {
    if let Raw::Postgres(client) = raw {
        let all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE application_name = 'wardroom' AND datname = current_database()";
        client.query(all, &[]).await.unwrap();
    }
}

async fn a_lost_answer_is_asked_for_again(ground: &Ground) {
    let (log, raw) = (ground.open().await, ground.raw().await);
    let mut wanted: Vec<Append> = Vec::new();
    for number in 0..REQUESTS {
        let body = format!("{{\"number\":{number}}}");
        let writes: Vec<Write> =
            [1, 2].map(|stream| write(stream, Default::default(), vec![draft(&body), draft("{}")])).into();
        wanted.push(Append { request: request(), writes });
        let asking = tokio::spawn({
            let (log, wanted) = (log.clone(), wanted[number].clone());
            async move { attempt(&log, &wanted).await }
        });
        // Whoever asked goes away after so many steps of the others, or the connection does.
        for _ in 0..number * 3 {
            tokio::task::yield_now().await;
        }
        if number % 8 == 7 {
            cut(&raw).await;
        }
        asking.abort();
        if number % 2 == 0 {
            insist(&log, &wanted[number]).await;
        }
    }
    for wanted in &wanted {
        insist(&log, wanted).await;
    }
    // Connections die some time after they were told to, so what is in is looked at through others.
    let log = ground.open().await;
    let mut bodies = BTreeMap::new();
    for event in log.read_all(0, 10_000).await.unwrap() {
        *bodies.entry((event.stream, event.body)).or_insert(0) += 1;
    }
    for stream in [Stream(1), Stream(2)] {
        assert_eq!(bodies.remove(&(stream, "{}".to_owned())), Some(REQUESTS));
    }
    assert!(bodies.len() == 2 * REQUESTS && bodies.values().all(|times| *times == 1), "{bodies:?}");
    for wanted in &wanted {
        let remembered = log.remembered(&wanted.request.actor, wanted.request.id).await.unwrap().unwrap();
        assert_eq!(remembered.spans.len(), 2);
        let last = log.event(Stream(1), remembered.spans[0].last).await.unwrap().unwrap();
        let first = log.event(Stream(1), remembered.spans[0].first).await.unwrap().unwrap();
        assert_eq!(
            (first.body, last.position),
            (wanted.writes[0].drafts[0].body.clone(), remembered.spans[0].position)
        );
    }
    assert_sound(&log).await;
}

/// A digest of a short password is as good as the password.
async fn what_was_asked_cannot_be_guessed_once_it_is_erased(ground: &Ground) {
    let log = ground.open().await;
    put(&log, 1, vec![draft("{}")]).await;
    let (secret, seal) = saying("hunter2");
    let tip = log.tip(Stream(1)).await.unwrap();
    let asked = append(vec![write(1, tip, vec![draft("{}"), secret, draft("{}")])]);
    let others = [append(vec![write(2, Default::default(), vec![saying("kept").0])])];
    log.append(vec![asked.clone()]).await.unwrap();
    log.append(others.to_vec()).await.unwrap();
    let before = log.remembered("somebody", asked.request.id).await.unwrap().unwrap();
    assert_eq!(before.digest, asked.request.digest);
    let tip = log.tip(Stream(1)).await.unwrap();
    let redaction = append(vec![Write { erase: vec![seal], ..write(1, tip, vec![redacting(seal)]) }]);
    log.append(vec![redaction.clone()]).await.unwrap();
    let after = log.remembered("somebody", asked.request.id).await.unwrap().unwrap();
    assert_ne!(after.digest, asked.request.digest);
    assert_eq!(after.spans, before.spans, "that it happened, and where, is still known");
    for other in [&others[0], &redaction] {
        let kept = log.remembered("somebody", other.request.id).await.unwrap().unwrap();
        assert_eq!(kept.digest, other.request.digest);
    }
    assert_sound(&log).await;
}

/// A command that merges incidents writes to both, and either may have to forget.
async fn what_was_asked_of_two_incidents_is_forgotten_with_the_words_of_either(ground: &Ground) {
    let log = ground.open().await;
    for stream in [1, 2] {
        put(&log, stream, vec![draft("{}")]).await;
    }
    for stream in [1, 2] {
        let ((here, one), (there, two)) = (saying("hunter2"), saying("hunter2"));
        let tips = [log.tip(Stream(1)).await.unwrap(), log.tip(Stream(2)).await.unwrap()];
        let both = append(vec![write(1, tips[0], vec![here]), write(2, tips[1], vec![there])]);
        log.append(vec![both.clone()]).await.unwrap();
        let mut others = Vec::new();
        for stream in [1, 2] {
            let tip = log.tip(Stream(stream)).await.unwrap();
            let other = append(vec![write(stream, tip, vec![draft("{}")])]);
            log.append(vec![other.clone()]).await.unwrap();
            others.push(other);
        }
        let (tip, seal) = (log.tip(Stream(stream)).await.unwrap(), if stream == 1 { one } else { two });
        let redaction = append(vec![Write { erase: vec![seal], ..write(stream, tip, vec![redacting(seal)]) }]);
        log.append(vec![redaction]).await.unwrap();
        let forgotten = log.remembered("somebody", both.request.id).await.unwrap().unwrap();
        assert_ne!(forgotten.digest, both.request.digest, "of incident {stream}");
        for other in others {
            let kept = log.remembered("somebody", other.request.id).await.unwrap().unwrap();
            assert_eq!(kept.digest, other.request.digest);
        }
    }
}

/// Every request that its asker had ever made was taken apart, while all writers waited.
#[test]
fn an_erasure_looks_at_no_request_but_its_own() {
    run(Ground::postgres(), async |ground: &Ground| {
        let log = ground.open().await;
        put(&log, 1, vec![draft("{}")]).await;
        let (secret, seal) = saying("hunter2");
        put(&log, 1, vec![secret]).await;
        // Whoever looked into these would fail.
        let odd = r#"UPDATE requests SET spans = '[{"stream":1,"first":"never looked at","last":1}]'
                     WHERE spans::jsonb #>> '{0,last}' = '1'"#;
        ground.raw().await.run(odd).await;
        let tip = log.tip(Stream(1)).await.unwrap();
        let redaction = Write { erase: vec![seal], ..write(1, tip, vec![redacting(seal)]) };
        log.append(vec![append(vec![redaction])]).await.unwrap();
        assert_sound(&log).await;
    });
}
