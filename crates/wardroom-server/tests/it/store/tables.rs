//! The tables beside the log: the newest of everything wins, and what is disposable can be thrown away.

use wardroom_core::id::{PersonId, Time};
use wardroom_server::log::{BoardRow, Snapshot, Stream};

use uuid::Uuid;

use super::drafts::{assert_sound, draft, put};
use super::ground::Ground;

on_both! {
    the_newest_snapshot_of_each_fold_wins,
    the_board_shows_the_newest_row,
    whoever_was_seen_last_counts,
    what_is_dated_in_the_future_is_not_there,
    nodes_of_long_ago_are_forgotten,
    of_two_who_change_prompts_at_once_one_does,
    views_can_be_thrown_away,
}

fn at(micros: i64) -> Time {
    Time::from_microsecond(micros).unwrap()
}

fn snapshot(seq: u64) -> Snapshot {
    Snapshot { seq, hash: [7; 32], body: format!("{{\"seq\":{seq}}}") }
}

fn row(number: u32, seq: u64, open: bool, due: Option<i64>) -> BoardRow {
    BoardRow {
        number: number.try_into().unwrap(),
        seq,
        open,
        next_due: due.map(at),
        body: format!("{{\"seq\":{seq}}}"),
    }
}

async fn the_newest_snapshot_of_each_fold_wins(ground: &Ground) {
    let log = ground.open().await;
    assert_eq!(log.snapshot(Stream(1), 1).await.unwrap(), None);
    for seq in [5, 9, 7] {
        log.put_snapshot(Stream(1), 1, snapshot(seq)).await.unwrap();
    }
    log.put_snapshot(Stream(1), 2, snapshot(3)).await.unwrap();
    assert_eq!(log.snapshot(Stream(1), 1).await.unwrap(), Some(snapshot(9)));
    assert_eq!(log.snapshot(Stream(1), 2).await.unwrap(), Some(snapshot(3)));
    assert_eq!(log.snapshot(Stream(2), 1).await.unwrap(), None);
}

async fn the_board_shows_the_newest_row(ground: &Ground) {
    let log = ground.open().await;
    assert_eq!(log.board_cursor().await.unwrap(), 0);
    log.put_board(vec![row(2, 4, true, Some(50)), row(1, 3, true, None)], 8).await.unwrap();
    // A slower node comes along with what it knows.
    log.put_board(vec![row(2, 3, false, None), row(3, 1, true, Some(40))], 6).await.unwrap();
    assert_eq!(log.board_cursor().await.unwrap(), 8);
    let open = [row(3, 1, true, Some(40)), row(2, 4, true, Some(50)), row(1, 3, true, None)];
    assert_eq!(log.board_open().await.unwrap(), open);
    assert_eq!(log.board_due(at(39)).await.unwrap(), []);
    assert_eq!(log.board_due(at(40)).await.unwrap(), open[..1]);
    assert_eq!(log.board_due(at(50)).await.unwrap(), open[..2]);
    log.put_board(vec![row(1, 4, false, None), row(3, 2, false, None)], 9).await.unwrap();
    assert_eq!(log.board_open().await.unwrap(), open[1..2]);
    assert_eq!(log.board_ended(9, 10).await.unwrap(), [row(3, 2, false, None), row(1, 4, false, None)]);
    assert_eq!(log.board_ended(3, 10).await.unwrap(), [row(1, 4, false, None)]);
    assert_eq!(log.board_ended(9, 1).await.unwrap(), [row(3, 2, false, None)]);
}

async fn whoever_was_seen_last_counts(ground: &Ground) {
    let log = ground.open().await;
    let now = at(100);
    assert_eq!((log.seen(now).await.unwrap(), log.last_beat(now).await.unwrap()), (Vec::new(), None));
    let seen = |who: &str, when| (who.to_owned(), at(when));
    log.put_seen(Vec::new(), now).await.unwrap();
    log.put_seen(vec![seen("b", 20), seen("a", 30)], now).await.unwrap();
    log.put_seen(vec![seen("b", 10), seen("a", 40)], now).await.unwrap();
    let mut all = log.seen(now).await.unwrap();
    all.sort();
    assert_eq!(all, [seen("a", 40), seen("b", 20)]);
    let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
    log.beat(one, at(70)).await.unwrap();
    log.beat(other, at(60)).await.unwrap();
    assert_eq!(log.last_beat(now).await.unwrap(), Some(at(70)));
}

async fn what_is_dated_in_the_future_is_not_there(ground: &Ground) {
    let log = ground.open().await;
    let (now, second) = (at(100), 1_000_000);
    let hour = at(3_600 * second);
    let seen = |who: &str, when| (who.to_owned(), when);
    log.put_seen(vec![seen("a", hour)], hour).await.unwrap();
    log.beat(Uuid::now_v7(), hour).await.unwrap();
    assert_eq!((log.seen(now).await.unwrap(), log.last_beat(now).await.unwrap()), (Vec::new(), None));
    // Clocks that agree are still not the same.
    log.put_seen(vec![seen("a", at(second))], now).await.unwrap();
    log.beat(Uuid::now_v7(), at(second)).await.unwrap();
    assert_eq!(log.seen(now).await.unwrap(), [seen("a", at(second))]);
    assert_eq!(log.last_beat(now).await.unwrap(), Some(at(second)));
}

async fn nodes_of_long_ago_are_forgotten(ground: &Ground) {
    let log = ground.open().await;
    let day = 24 * 60 * 60 * 1_000_000;
    let raw = ground.raw().await;
    let nodes = async || raw.number("SELECT count(*) FROM beats").await;
    for beat in [1, 2, day] {
        log.beat(Uuid::now_v7(), at(beat)).await.unwrap();
    }
    assert_eq!(nodes().await, 3, "not a day has passed");
    log.beat(Uuid::now_v7(), at(day + 2)).await.unwrap();
    assert_eq!(nodes().await, 3, "the first is forgotten");
    // A node whose clock is far behind: nothing is forgotten for it, and it is no newer for having beaten last.
    log.beat(Uuid::now_v7(), at(2)).await.unwrap();
    assert_eq!((nodes().await, log.last_beat(at(9 * day)).await.unwrap()), (4, Some(at(day + 2))));
    log.beat(Uuid::now_v7(), at(9 * day)).await.unwrap();
    assert_eq!((nodes().await, log.last_beat(at(9 * day)).await.unwrap()), (1, Some(at(9 * day))));
}

async fn of_two_who_change_prompts_at_once_one_does(ground: &Ground) {
    let log = ground.open().await;
    let (mary, robin) = (PersonId(Uuid::from_u128(1)), PersonId(Uuid::from_u128(2)));
    let hour = 60 * 60 * 1_000_000;
    let put = async |person, before: Option<&str>, after: &str, now| {
        log.put_prompts(person, before.map(str::to_owned), after.to_owned(), at(now)).await.unwrap()
    };
    assert_eq!(log.prompts_of(mary).await.unwrap(), None);
    assert!(put(mary, None, "first", 1).await);
    assert!(!put(mary, None, "at once with the first", 1).await);
    assert!(!put(mary, Some("never there"), "second", 2).await);
    assert!(put(mary, Some("first"), "second", 2).await);
    assert_eq!(log.prompts_of(mary).await.unwrap().as_deref(), Some("second"));
    assert!(put(robin, None, "other", hour).await);
    let all = async |now| {
        let mut all = log.prompts(at(now)).await.unwrap();
        all.sort();
        all
    };
    let (second, other) = ((mary, "second".to_owned()), (robin, "other".to_owned()));
    assert_eq!(all(hour + 2).await, [second, other.clone()]);
    assert_eq!(all(hour + 3).await, [other], "what is an hour old holds nothing back");
    assert!(put(robin, Some("other"), "newer", hour + 3).await);
    assert_eq!(log.prompts_of(mary).await.unwrap(), None, "and goes with the next that is kept");
}

async fn views_can_be_thrown_away(ground: &Ground) {
    let log = ground.open().await;
    put(&log, 1, vec![draft("{}")]).await;
    log.put_snapshot(Stream(1), 1, snapshot(1)).await.unwrap();
    log.put_board(vec![row(1, 1, true, None)], 1).await.unwrap();
    log.clear_views().await.unwrap();
    assert_eq!(log.snapshot(Stream(1), 1).await.unwrap(), None);
    assert_eq!((log.board_open().await.unwrap(), log.board_cursor().await.unwrap()), (Vec::new(), 0));
    // Older rows are welcome again, or a rebuilt board would stay empty.
    log.put_snapshot(Stream(1), 1, snapshot(1)).await.unwrap();
    assert_eq!(log.snapshot(Stream(1), 1).await.unwrap(), Some(snapshot(1)));
    assert_eq!(log.head().await.unwrap().position, 1);
    assert_sound(&log).await;
}
