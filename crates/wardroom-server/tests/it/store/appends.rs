//! What an append does, and what a failed one leaves behind: nothing.

use wardroom_server::log::{LogError, Span, StoredText, Stream, Tip, Write};

use super::drafts::{after, append, assert_sound, draft, put, redacting, saying, write};
use super::ground::Ground;

on_both! {
    comes_back_as_it_went_in,
    a_conflict_leaves_nothing,
    a_duplicate_leaves_nothing,
    one_batch_may_append_to_a_stream_several_times,
    two_streams_change_together_or_not_at_all,
    a_request_without_writes_is_taken_once,
    erasing_takes_the_words_and_keeps_the_chain,
    erasing_what_is_not_there_changes_nothing,
}

async fn comes_back_as_it_went_in(ground: &Ground) {
    let log = ground.open().await;
    assert_eq!((log.head().await.unwrap().position, log.highest_stream().await.unwrap()), (0, Stream(0)));
    // Spaces, order and escapes are part of what was hashed: a store that tidied JSON would break the chain.
    let body = "{ \"b\" : 1.0, \"a\":\"\\u00e9 \\\\ 🚒\", \"a\":null}\n";
    let (said, seal) = saying("the database is on fire");
    let span = put(&log, 465, vec![draft(body), said.clone()]).await;
    assert_eq!(span, Span { stream: Stream(465), first: 1, last: 2, position: 2 });
    let events = log.read_stream(Stream(465), 0, 10).await.unwrap();
    assert_eq!(events, log.read_all(0, 10).await.unwrap());
    assert_eq!(events[0].body, body);
    assert_eq!((events[1].at, &events[1].actor, events[1].version), (said.at, &said.actor, said.version));
    assert_eq!(events[1].texts, [StoredText { commitment: seal, words: Some("the database is on fire".to_owned()) }]);
    assert_eq!(log.event(Stream(465), 2).await.unwrap().as_ref(), Some(&events[1]));
    assert_eq!(log.event(Stream(465), 3).await.unwrap(), None);
    assert_eq!(log.read_stream(Stream(465), 1, 10).await.unwrap(), events[1..]);
    assert_eq!(log.events(Stream(465), &[2, 7, 1]).await.unwrap(), events);
    assert_eq!(log.events(Stream(465), &[2]).await.unwrap(), events[1..]);
    assert_eq!(log.events(Stream(464), &[1, 2]).await.unwrap(), []);
    assert_eq!(log.read_all(0, 1).await.unwrap(), events[..1]);
    assert_eq!(log.tip(Stream(465)).await.unwrap(), Tip { seq: 2, hash: events[1].hash });
    assert_eq!(log.highest_stream().await.unwrap(), Stream(465));
    drop(log);
    let again = ground.open().await;
    assert_eq!(again.read_all(0, 10).await.unwrap(), events);
    assert_sound(&again).await;
}

async fn a_conflict_leaves_nothing(ground: &Ground) {
    let log = ground.open().await;
    put(&log, 1, vec![draft("{}")]).await;
    let (raw, tip) = (ground.raw().await, log.tip(Stream(1)).await.unwrap());
    let (head, rows) = (log.head().await.unwrap(), raw.rows().await);
    let another_history = Tip { hash: [9; 32], ..tip };
    for wrong in [Tip::default(), Tip { seq: 2, ..tip }, another_history] {
        let (said, _) = saying("too late");
        let late = append(vec![write(1, wrong, vec![said])]);
        let answer = log.append(vec![append(vec![write(2, Tip::default(), vec![draft("{}")])]), late.clone()]).await;
        assert!(matches!(answer, Err(LogError::Conflict)), "{answer:?}");
        assert_eq!(log.remembered(&late.request.actor, late.request.id).await.unwrap(), None);
    }
    assert_eq!((log.head().await.unwrap(), raw.rows().await), (head, rows));
    // No position was used up either.
    assert_eq!(put(&log, 1, vec![draft("{}")]).await.position, 2);
    assert_sound(&log).await;
}

async fn a_duplicate_leaves_nothing(ground: &Ground) {
    let log = ground.open().await;
    let first = append(vec![write(1, Tip::default(), vec![draft("{}")])]);
    let spans = log.append(vec![first.clone()]).await.unwrap();
    let (raw, tip) = (ground.raw().await, log.tip(Stream(1)).await.unwrap());
    let (head, rows) = (log.head().await.unwrap(), raw.rows().await);
    let again = wardroom_server::log::Append {
        request: first.request.clone(),
        writes: vec![write(1, tip, vec![saying("once more").0])],
    };
    let beside = append(vec![write(2, Tip::default(), vec![draft("{}")])]);
    let answer = log.append(vec![beside, again]).await;
    assert!(matches!(answer, Err(LogError::Duplicate)), "{answer:?}");
    assert_eq!((log.head().await.unwrap(), raw.rows().await), (head, rows));
    let remembered = log.remembered(&first.request.actor, first.request.id).await.unwrap().unwrap();
    assert_eq!((remembered.digest, &remembered.spans), (first.request.digest, &spans[0]));
    // The same id from somebody else is another request.
    let mut theirs = append(vec![write(1, tip, vec![draft("{}")])]);
    theirs.request = wardroom_server::log::Request { actor: "somebody else".to_owned(), ..first.request };
    log.append(vec![theirs]).await.unwrap();
    assert_sound(&log).await;
}

async fn one_batch_may_append_to_a_stream_several_times(ground: &Ground) {
    let log = ground.open().await;
    let (said, seal) = saying("taken back at once");
    let first = write(1, Tip::default(), vec![draft("1"), said]);
    let second = Write { erase: vec![seal], ..write(1, after(&first), vec![redacting(seal)]) };
    let third = write(1, after(&second), vec![draft("2")]);
    let other = write(2, Tip::default(), vec![draft("3")]);
    let batch = vec![append(vec![first.clone()]), append(vec![other, second]), append(vec![third])];
    let spans = log.append(batch.clone()).await.unwrap();
    let span = |stream, first, last, position| Span { stream: Stream(stream), first, last, position };
    assert_eq!(spans, [vec![span(1, 1, 2, 2)], vec![span(2, 1, 1, 3), span(1, 3, 3, 4)], vec![span(1, 4, 4, 5)]]);
    for (append, spans) in batch.iter().zip(&spans) {
        let remembered = log.remembered(&append.request.actor, append.request.id).await.unwrap().unwrap();
        assert_eq!(&remembered.spans, spans);
    }
    assert_eq!(log.words(Stream(1), &[seal]).await.unwrap(), [StoredText { commitment: seal, words: None }]);
    // A batch that does not agree with itself is a conflict like any other.
    let tip = log.tip(Stream(1)).await.unwrap();
    let twice = vec![append(vec![write(1, tip, vec![draft("4")])]), append(vec![write(1, tip, vec![draft("5")])])];
    assert!(matches!(log.append(twice).await, Err(LogError::Conflict)));
    assert_eq!(log.head().await.unwrap().position, 5);
    assert_sound(&log).await;
}

async fn two_streams_change_together_or_not_at_all(ground: &Ground) {
    let log = ground.open().await;
    let writes = |left, right| vec![write(1, left, vec![draft("{}")]), write(2, right, vec![draft("{}"), draft("{}")])];
    let spans = log.append(vec![append(writes(Tip::default(), Tip::default()))]).await.unwrap();
    assert_eq!(spans[0].iter().map(|span| span.position).collect::<Vec<_>>(), [1, 3]);
    let (left, right) = (log.tip(Stream(1)).await.unwrap(), log.tip(Stream(2)).await.unwrap());
    for (left, right) in [(left, Tip::default()), (Tip::default(), right)] {
        let answer = log.append(vec![append(writes(left, right))]).await;
        assert!(matches!(answer, Err(LogError::Conflict)), "{answer:?}");
    }
    assert_eq!((log.tip(Stream(1)).await.unwrap(), log.tip(Stream(2)).await.unwrap()), (left, right));
    assert_eq!(log.read_all(0, 10).await.unwrap().len(), 3);
    assert_sound(&log).await;
}

async fn a_request_without_writes_is_taken_once(ground: &Ground) {
    let log = ground.open().await;
    assert_eq!(log.append(Vec::new()).await.unwrap(), Vec::<Vec<Span>>::new());
    put(&log, 1, vec![draft("{}")]).await;
    let head = log.head().await.unwrap();
    let nothing = append(Vec::new());
    assert_eq!(log.append(vec![nothing.clone()]).await.unwrap(), [vec![]]);
    // Nothing that is decided does nothing: whoever is remembered for it was not by Wardroom.
    let remembered = log.remembered(&nothing.request.actor, nothing.request.id).await;
    assert!(matches!(remembered, Err(LogError::Damaged { .. })), "{remembered:?}");
    assert!(matches!(log.append(vec![nothing]).await, Err(LogError::Duplicate)));
    assert_eq!(log.head().await.unwrap(), head);
    assert_sound(&log).await;
}

async fn erasing_takes_the_words_and_keeps_the_chain(ground: &Ground) {
    let log = ground.open().await;
    let (secret, seal) = saying("the password is xyzzy-plugh");
    let (other, kept) = saying("stays");
    put(&log, 1, vec![secret, other]).await;
    let tip = log.tip(Stream(1)).await.unwrap();
    let erase = Write { erase: vec![seal], ..write(1, tip, vec![redacting(seal)]) };
    log.append(vec![append(vec![erase])]).await.unwrap();
    let texts = log.words(Stream(1), &[seal, kept]).await.unwrap();
    let words = |wanted| texts.iter().find(|text| text.commitment == wanted).and_then(|text| text.words.as_deref());
    assert_eq!((words(seal), words(kept)), (None, Some("stays")));
    assert_eq!(log.event(Stream(1), 1).await.unwrap().unwrap().texts, [StoredText { commitment: seal, words: None }]);
    let raw = ground.raw().await;
    assert_eq!(raw.number("SELECT count(*) FROM texts WHERE salt IS NULL AND erased_by = 3").await, 1);
    assert_sound(&log).await;
    if !ground.is_postgres() {
        // What was erased does not linger in the file or in its journal.
        for entry in std::fs::read_dir(ground.file("data")).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(!bytes.windows(11).any(|window| window == b"xyzzy-plugh"));
        }
    }
}

async fn erasing_what_is_not_there_changes_nothing(ground: &Ground) {
    let log = ground.open().await;
    let (said, seal) = saying("of another incident");
    put(&log, 1, vec![said]).await;
    let elsewhere = Write { erase: vec![seal, [3; 32]], ..write(2, Tip::default(), vec![redacting(seal)]) };
    log.append(vec![append(vec![elsewhere])]).await.unwrap();
    assert!(log.words(Stream(1), &[seal]).await.unwrap()[0].words.is_some());
    assert_sound(&log).await;
}
