//! Verification: every way of tampering that leaves a trace is found, and what was touched first is named.

use wardroom_server::log::{Broken, Log, LogError, Stream, Tip, Verification, What, Write};

use super::drafts::{after, append, assert_sound, draft, put, redacting, saying, write};
use super::ground::{Ground, Raw};

on_both! {
    an_altered_event_is_named,
    a_removed_event_is_named,
    events_in_another_order_are_named,
    a_log_cut_off_is_named,
    altered_and_removed_words_are_named,
    a_start_notices_ends_that_do_not_agree,
    words_erased_during_verification_are_not_missed,
}

const TABLES: [&str; 4] = ["events", "texts", "tips", "head"];

/// A log of two incidents, one event of which had its words erased:
///
/// | position   | 1    | 2   | 3   | 4    | 5   | 6   | 7   | 8      | 9   | 10  |
/// |------------|------|-----|-----|------|-----|-----|-----|--------|-----|-----|
/// | incident 1 | 1, a | 2   |     | 3, b |     |     | 4   | 5, -a  |     | 6   |
/// | incident 2 |      |     | 1   |      | 2   | 3   |     |        | 4   |     |
///
/// Positions 1 and 2 are one append, and so are 4 and 5.
async fn build(ground: &Ground) -> (Log, Raw) {
    let log = ground.open().await;
    let (first, erased) = saying("a");
    put(&log, 1, vec![first, draft("{}")]).await;
    put(&log, 2, vec![draft("{}")]).await;
    let (left, right) = (log.tip(Stream(1)).await.unwrap(), log.tip(Stream(2)).await.unwrap());
    let both = vec![write(1, left, vec![saying("b").0]), write(2, right, vec![draft("{}")])];
    log.append(vec![append(both)]).await.unwrap();
    put(&log, 2, vec![draft("{}")]).await;
    put(&log, 1, vec![draft("{}")]).await;
    let tip = log.tip(Stream(1)).await.unwrap();
    let redaction = Write { erase: vec![erased], ..write(1, tip, vec![redacting(erased)]) };
    log.append(vec![append(vec![redaction])]).await.unwrap();
    put(&log, 2, vec![draft("{}")]).await;
    put(&log, 1, vec![draft("{}")]).await;
    assert_sound(&log).await;
    let raw = ground.raw().await;
    for table in TABLES {
        raw.run(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}")).await;
    }
    (log, raw)
}

/// Tampers, says what verification has to name first, and puts everything back.
async fn expect(log: &Log, raw: &Raw, tampering: &str, stream: u32, seq: u64, position: u64, what: What) {
    raw.run(tampering).await;
    let report = log.verify(None, |_| {}).await.unwrap();
    let first = Broken { stream: Stream(stream), seq, position, what };
    assert_eq!(report.broken.first(), Some(&first), "{tampering}: {:?}", report.broken);
    for table in TABLES {
        raw.run(&format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table}")).await;
    }
}

async fn an_altered_event_is_named(ground: &Ground) {
    let (log, raw) = build(ground).await;
    let other = raw.bytes(&[5; 32]);
    for column in ["kind = 'x'", "version = 2", "at = at + 1", "actor = 'x'", "body = '{} '"] {
        let tampering = format!("UPDATE events SET {column} WHERE position = 5");
        expect(&log, &raw, &tampering, 2, 2, 5, What::Altered).await;
    }
    for hash in [&other, &raw.bytes(b"short")] {
        let tampering = format!("UPDATE events SET hash = {hash} WHERE position = 5");
        expect(&log, &raw, &tampering, 2, 2, 5, What::Altered).await;
        let tampering = format!("UPDATE events SET link = {hash} WHERE position = 5");
        expect(&log, &raw, &tampering, 2, 2, 5, What::Reordered).await;
        let tampering = format!("UPDATE tips SET hash = {hash} WHERE stream = 2");
        if hash == &other {
            expect(&log, &raw, &tampering, 2, 4, 9, What::Altered).await;
        }
    }
    expect(&log, &raw, "DELETE FROM tips WHERE stream = 2", 2, 4, 9, What::Altered).await;
    // Moved into an incident that does not exist, where it would have to be the first.
    expect(&log, &raw, "UPDATE events SET stream = 9 WHERE position = 5", 9, 1, 5, What::Reordered).await;
    assert_sound(&log).await;
}

async fn a_removed_event_is_named(ground: &Ground) {
    let (log, raw) = build(ground).await;
    for (position, stream, seq) in [(1, 1, 1), (3, 2, 1), (4, 1, 3), (5, 2, 2), (7, 1, 4), (9, 2, 4)] {
        let tampering = format!("DELETE FROM events WHERE position = {position}");
        expect(&log, &raw, &tampering, stream, seq, position, What::Removed).await;
    }
    let two = "DELETE FROM events WHERE position IN (3, 4)";
    expect(&log, &raw, two, 2, 1, 3, What::Removed).await;
    // A whole incident, and with it all that said whose the positions were.
    let whole = "DELETE FROM events WHERE stream = 2; DELETE FROM tips WHERE stream = 2";
    expect(&log, &raw, whole, 0, 0, 3, What::Removed).await;
    assert_sound(&log).await;
}

async fn events_in_another_order_are_named(ground: &Ground) {
    let (log, raw) = build(ground).await;
    let swap = |column: &str, one: i64, other: i64, only: &str| {
        format!(
            "UPDATE events SET {column} = 1000 WHERE {column} = {one} {only};
             UPDATE events SET {column} = {one} WHERE {column} = {other} {only};
             UPDATE events SET {column} = {other} WHERE {column} = 1000 {only}"
        )
    };
    // Two events of one incident, by position and by number.
    expect(&log, &raw, &swap("position", 5, 6, ""), 2, 2, 5, What::Reordered).await;
    expect(&log, &raw, &swap("seq", 2, 3, "AND stream = 2"), 2, 2, 5, What::Reordered).await;
    // Across incidents each one's own chain is sound, and only the links tell.
    expect(&log, &raw, &swap("position", 6, 7, ""), 1, 4, 6, What::Reordered).await;
    assert_sound(&log).await;
}

async fn a_log_cut_off_is_named(ground: &Ground) {
    let (log, raw) = build(ground).await;
    let cut = "DELETE FROM events WHERE position > 8";
    // Both incidents lost their end, and either may have been the one at position 9.
    expect(&log, &raw, cut, 1, 6, 9, What::Truncated).await;
    let tips = "DELETE FROM tips; INSERT INTO tips SELECT stream, seq, hash FROM events WHERE position IN (6, 8)";
    expect(&log, &raw, &format!("{cut}; {tips}"), 0, 0, 9, What::Truncated).await;
    let counter = "UPDATE head SET position = 8";
    expect(&log, &raw, &format!("{cut}; {counter}"), 1, 6, 9, What::Truncated).await;
    expect(&log, &raw, &format!("{cut}; {tips}; {counter}"), 0, 0, 9, What::Truncated).await;
    expect(&log, &raw, "DELETE FROM events", 1, 1, 1, What::Truncated).await;
    expect(&log, &raw, "DELETE FROM events; DELETE FROM tips", 0, 0, 1, What::Truncated).await;
    assert_sound(&log).await;
}

async fn altered_and_removed_words_are_named(ground: &Ground) {
    let (log, raw) = build(ground).await;
    let salt = raw.bytes(&[1; 16]);
    for change in ["words = 'c'".to_owned(), format!("salt = {salt}")] {
        let tampering = format!("UPDATE texts SET {change} WHERE position = 4");
        expect(&log, &raw, &tampering, 1, 3, 4, What::WordsAltered).await;
    }
    // A redaction on record counts for the words that it names and for no others.
    for change in ["words = NULL", "salt = NULL", "words = NULL, salt = NULL, erased_by = 8", "position = 2"] {
        let tampering = format!("UPDATE texts SET {change} WHERE position = 4");
        expect(&log, &raw, &tampering, 1, 3, 4, What::WordsRemoved).await;
    }
    expect(&log, &raw, "DELETE FROM texts WHERE position = 4", 1, 3, 4, What::WordsRemoved).await;
    // A redaction has words of its own: why it was.
    expect(&log, &raw, "UPDATE texts SET words = 'c' WHERE position = 8", 1, 5, 8, What::WordsAltered).await;
    expect(&log, &raw, "DELETE FROM texts WHERE position = 8", 1, 5, 8, What::WordsRemoved).await;
    let brought_back = format!("UPDATE texts SET words = 'a', salt = {salt} WHERE position = 1");
    expect(&log, &raw, &brought_back, 1, 1, 1, What::WordsAltered).await;
    assert_sound(&log).await;
}

async fn a_start_notices_ends_that_do_not_agree(ground: &Ground) {
    let log = ground.open().await;
    log.check_heads().await.unwrap();
    let first = write(1, Tip::default(), vec![draft("{}")]);
    let second = write(1, after(&first), vec![draft("{}")]);
    log.append(vec![append(vec![first]), append(vec![second])]).await.unwrap();
    let raw = ground.raw().await;
    for (there, and_back) in [
        ("UPDATE head SET position = 1", "UPDATE head SET position = 2"),
        ("UPDATE head SET position = 3", "UPDATE head SET position = 2"),
        ("UPDATE tips SET seq = 1", "UPDATE tips SET seq = 2"),
    ] {
        raw.run(there).await;
        let answer = log.check_heads().await;
        assert!(matches!(answer, Err(LogError::Damaged { .. })), "{there}: {answer:?}");
        raw.run(and_back).await;
    }
    assert_sound(&log).await;
}

/// A redaction that came while the log was being walked was taken for words that somebody had removed, and the
/// incident was set aside.
async fn words_erased_during_verification_are_not_missed(ground: &Ground) {
    let log = ground.open().await;
    let [(first, one), (second, two)] = [saying("one"), saying("two")];
    put(&log, 1, vec![first, second]).await;
    let raw = ground.raw().await;
    // It has asked where the log ends, and not come to the events.
    let mut under_way = Verification::default();
    raw.run("ALTER TABLE events RENAME TO away").await;
    let failed = log.verify_on(&mut under_way, None, |_| {}).await;
    assert!(matches!(failed, Err(LogError::Unavailable(_))), "{failed:?}");
    raw.run("ALTER TABLE away RENAME TO events").await;
    let tip = log.tip(Stream(1)).await.unwrap();
    let redaction = Write { erase: vec![one], ..write(1, tip, vec![redacting(one)]) };
    log.append(vec![append(vec![redaction])]).await.unwrap();
    // The same claim for the other words is a lie: that redaction does not name them.
    let forged = raw.bytes(&two);
    let erase = format!("UPDATE texts SET words = NULL, salt = NULL, erased_by = 3 WHERE commitment = {forged}");
    raw.run(&erase).await;
    let report = log.verify_on(&mut under_way, None, |_| {}).await.unwrap();
    let what = What::WordsRemoved;
    assert_eq!(report.broken, [Broken { stream: Stream(1), seq: 2, position: 2, what }]);
}
