//! What only PostgreSQL can suffer: a rival that stalls, an answer that got lost, readers that hog connections,
//! and notifications that are not ours.

use futures_util::FutureExt;
use futures_util::future::join_all;
use wardroom_server::log::{Log, LogError, Snapshot, Stream, Tip};

use super::drafts::{append, assert_sound, draft, put, write};
use super::ground::{Ground, Raw, run};
use super::proxy::{LOSE, Proxy};

/// Waits until a query about the server's sessions answers this number.
async fn until(raw: &Raw, query: &str, number: i64) {
    while raw.number(query).await != number {
        tokio::task::yield_now().await;
    }
}

#[test]
fn a_stalled_rival_costs_no_more_than_an_error() {
    run(Ground::postgres(), async |ground: &Ground| {
        let log = ground.open().await;
        put(&log, 1, vec![draft("{}")]).await;
        let rival = ground.raw().await;
        rival.begin_writing().await;
        let tip = log.tip(Stream(1)).await.unwrap();
        let wanted = append(vec![write(1, tip, vec![draft("{}")])]);
        let answer = log.append(vec![wanted.clone()]).await;
        assert!(matches!(answer, Err(LogError::Unavailable(_))), "{answer:?}");
        // Reading goes on beside it, and so does appending when it has gone.
        assert_eq!(log.read_all(0, 10).await.unwrap().len(), 1);
        drop(rival);
        while let Err(error) = log.append(vec![wanted.clone()]).await {
            assert!(matches!(error, LogError::Unavailable(_)), "{error}");
        }
        assert_eq!(log.head().await.unwrap().position, 2);
        assert_sound(&log).await;
    });
}

#[test]
fn a_lost_answer_leaves_it_in_doubt() {
    run(Ground::postgres(), async |ground: &Ground| {
        let proxy = Proxy::to(&ground.place).await;
        let log = Log::open(&proxy.place).await.unwrap();
        put(&log, 1, vec![draft("{}")]).await;
        let tip = log.tip(Stream(1)).await.unwrap();
        let wanted = append(vec![write(1, tip, vec![draft(LOSE)])]);
        let answer = log.append(vec![wanted.clone()]).await;
        assert!(matches!(answer, Err(LogError::InDoubt(_))), "{answer:?}");
        let direct = ground.open().await;
        let remembered = direct.remembered(&wanted.request.actor, wanted.request.id).await.unwrap();
        assert_eq!(remembered.unwrap().spans[0].position, 2);
        assert_sound(&direct).await;
    });
}

#[test]
fn a_cancelled_statement_is_not_in_doubt() {
    run(Ground::postgres(), async |ground: &Ground| {
        let log = ground.open().await;
        let (rival, raw) = (ground.raw().await, ground.raw().await);
        rival.begin_writing().await;
        let wanted = append(vec![write(1, Tip::default(), vec![draft("{}")])]);
        let asking = tokio::spawn({
            let (log, wanted) = (log.clone(), wanted.clone());
            async move { log.append(vec![wanted]).await }
        });
        let waiting = "FROM pg_stat_activity WHERE application_name = 'wardroom' AND wait_event_type = 'Lock'
                       AND datname = current_database()";
        until(&raw, &format!("SELECT count(*) {waiting}"), 1).await;
        raw.run(&format!("SELECT pg_cancel_backend(pid) {waiting}")).await;
        let answer = asking.await.unwrap();
        assert!(matches!(answer, Err(LogError::Unavailable(_))), "{answer:?}");
        assert_eq!(log.head().await.unwrap().position, 0);
    });
}

#[test]
fn appends_do_not_wait_behind_readers() {
    run(Ground::postgres(), async |ground: &Ground| {
        let log = ground.open().await;
        let raw = ground.raw().await;
        let kept = Snapshot { seq: 1, hash: [7; 32], body: "{}".to_owned() };
        log.put_snapshot(Stream(1), 1, kept.clone()).await.unwrap();
        // Every reader of snapshots stands at a gate. Its wait for the lock has no limit, unlike Wardroom's own.
        raw.run(
            "CREATE FUNCTION gate() RETURNS boolean LANGUAGE sql SET lock_timeout = 0
             AS 'SELECT pg_advisory_xact_lock_shared(7) IS NOT NULL';
             ALTER TABLE snapshots RENAME TO kept;
             CREATE VIEW snapshots AS SELECT kept.* FROM gate() AS open (yes), kept WHERE yes;
             SELECT pg_advisory_lock(7)",
        )
        .await;
        let readers: Vec<_> = (0..8)
            .map(|_| {
                let log = log.clone();
                tokio::spawn(async move { log.snapshot(Stream(1), 1).await })
            })
            .collect();
        let at_the_gate = "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database
                           WHERE datname = current_database() AND objid = 7 AND NOT granted";
        until(&raw, at_the_gate, 8).await;
        log.append(vec![append(vec![write(1, Tip::default(), vec![draft("{}")])])]).await.unwrap();
        assert!(readers.iter().all(|reader| !reader.is_finished()));
        raw.run("SELECT pg_advisory_unlock(7)").await;
        for read in join_all(readers).await {
            assert_eq!(read.unwrap().unwrap().as_ref(), Some(&kept));
        }
    });
}

#[test]
fn a_notification_is_not_trusted() {
    run(Ground::postgres(), async |ground: &Ground| {
        let log = ground.open().await;
        let span = put(&log, 1, vec![draft("{}")]).await;
        ground.raw().await.run("NOTIFY wardroom, '18446744073709551615'; NOTIFY wardroom, 'nonsense'").await;
        // Whatever is heard is heard meanwhile.
        log.wait_after(span.position).await.unwrap();
        // There is nothing more, and no notification makes it so: this has to ask the database, and to wait.
        assert!(log.wait_after(span.position).now_or_never().is_none());
        put(&log, 1, vec![draft("{}")]).await;
        log.wait_after(span.position).await.unwrap();
        assert_eq!(log.read_all(span.position, 10).await.unwrap().len(), 1);
    });
}
