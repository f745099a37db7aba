//! Rows that hold what Wardroom never writes: the others are read all the same, and nobody is told that the store is
//! not available.

use wardroom_server::log::{Log, LogError, Stream};

use super::drafts::{draft, put, saying};
use super::ground::Ground;

on_both! {
    what_lies_beyond_every_number_is_not_there,
    a_column_that_cannot_be_read_is_named_and_the_others_are_read,
    what_is_disposable_and_cannot_be_read_is_not_there,
    a_tip_that_cannot_be_read_is_damage,
}

const BEYOND: [u64; 4] = [i64::MAX as u64 - 1, i64::MAX as u64, 1 << 63, u64::MAX];

async fn what_lies_beyond_every_number_is_not_there(ground: &Ground) {
    let log = ground.open().await;
    put(&log, 1, vec![draft("{}")]).await;
    for beyond in BEYOND {
        assert_eq!(log.event(Stream(1), beyond).await.unwrap(), None);
        assert_eq!(log.events(Stream(1), &[beyond, 1]).await.unwrap().len(), 1);
        assert_eq!(log.read_stream(Stream(1), beyond, usize::MAX).await.unwrap(), []);
        assert_eq!(log.read_all(beyond, usize::MAX).await.unwrap(), []);
    }
    assert_eq!(log.board_ended(u32::MAX, usize::MAX).await.unwrap(), []);
}

/// Three events of incident 1, of which the second is tampered with, and one of incident 2.
async fn tampered_with(ground: &Ground, statement: &str) -> Log {
    let log = ground.open().await;
    for text in ["one", "two", "three"] {
        put(&log, 1, vec![saying(text).0]).await;
    }
    put(&log, 2, vec![draft("{}")]).await;
    ground.raw().await.run(statement).await;
    log
}

async fn a_column_that_cannot_be_read_is_named_and_the_others_are_read(ground: &Ground) {
    let mut odd = vec![
        ("at = 9223372036854775807", "at"),
        ("at = -9223372036854775808", "at"),
        ("hash = substr(hash, 1, 5)", "hash"),
        ("version = 70000", "version"),
    ];
    if !ground.is_postgres() {
        odd.extend([("kind = CAST(x'ff' AS TEXT)", "kind"), ("body = CAST(x'ff' AS TEXT)", "body")]);
    }
    for (set, column) in odd {
        let ground = if ground.is_postgres() { Ground::postgres() } else { Ground::sqlite() };
        let log = tampered_with(&ground, &format!("UPDATE events SET {set} WHERE stream = 1 AND seq = 2")).await;
        let read = [log.read_stream(Stream(1), 0, 10).await.unwrap(), log.read_all(0, 3).await.unwrap()];
        for events in read {
            assert_eq!(events.iter().map(|event| event.odd).collect::<Vec<_>>(), [None, Some(column), None], "{set}");
            assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 2, 3]);
            assert!(events.iter().all(|event| event.texts.len() == 1), "{set}");
        }
        assert_eq!(log.event(Stream(1), 2).await.unwrap().unwrap().odd, Some(column), "{set}");
        let report = log.verify(None, |_| ()).await.unwrap();
        assert_eq!(report.broken.first().map(|first| (first.stream, first.seq)), Some((Stream(1), 2)), "{set}");
    }
    // The words beside it are read as little.
    let ground = if ground.is_postgres() { Ground::postgres() } else { Ground::sqlite() };
    let log = tampered_with(&ground, "UPDATE texts SET commitment = substr(commitment, 1, 5) WHERE position = 2").await;
    let odd: Vec<_> = log.read_all(0, 10).await.unwrap().iter().map(|event| event.odd).collect();
    assert_eq!(odd, [None, Some("words"), None, None]);
}

async fn what_is_disposable_and_cannot_be_read_is_not_there(ground: &Ground) {
    let log = ground.open().await;
    put(&log, 1, vec![draft("{}")]).await;
    let raw = ground.raw().await;
    let open = if ground.is_postgres() { "true" } else { "1" };
    let five = raw.bytes(&[5; 5]);
    raw.run(&format!("INSERT INTO board VALUES (0, 1, {open}, NULL, '{{}}')")).await;
    raw.run(&format!("INSERT INTO board VALUES (4294967296, 1, {open}, NULL, '{{}}')")).await;
    raw.run(&format!("INSERT INTO board VALUES (7, 1, {open}, -9223372036854775808, '{{}}')")).await;
    raw.run(&format!("INSERT INTO snapshots VALUES (1, 1, 1, {five}, '{{}}')")).await;
    raw.run("INSERT INTO seen VALUES ('somebody', -9223372036854775808)").await;
    let rows = log.board_open().await.unwrap();
    assert_eq!(rows.iter().map(|row| (row.number.get(), row.next_due)).collect::<Vec<_>>(), [(7, None)]);
    assert_eq!(log.snapshot(Stream(1), 1).await.unwrap(), None);
    assert_eq!(log.seen(wardroom_server::clock::now()).await.unwrap(), []);
    raw.run("INSERT INTO tips SELECT 4294967296, seq, hash FROM tips WHERE stream = 1").await;
    assert_eq!(log.highest_stream().await.unwrap(), Stream(1), "what is no stream is nobody's");
}

async fn a_tip_that_cannot_be_read_is_damage(ground: &Ground) {
    let log = tampered_with(ground, "UPDATE tips SET hash = substr(hash, 1, 5) WHERE stream = 1").await;
    let told = log.tip(Stream(1)).await;
    assert!(matches!(told, Err(LogError::Damaged { stream: Stream(1), .. })), "{told:?}");
    assert_eq!(log.tip(Stream(2)).await.unwrap().seq, 1);
    let report = log.verify(None, |_| ()).await.unwrap();
    assert_eq!(report.broken.first().map(|first| first.stream), Some(Stream(1)));
}
