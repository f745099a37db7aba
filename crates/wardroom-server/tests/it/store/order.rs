//! Order without gaps: whoever follows the log sees every position, once, in order, whatever happens meanwhile.

use std::collections::BTreeSet;

use tokio::sync::watch;
use wardroom_server::log::{Log, LogError, Place, Span, Stream, Tip};

use super::drafts::{append, assert_sound, draft, may_pass, saying, write};
use super::ground::{Ground, Raw};

on_both! { eight_writers_leave_no_gap, an_append_of_another_node_wakes }

const WRITERS: u32 = 8;
const STREAMS: u32 = 5;
/// Commands of each writer.
const COMMANDS: u32 = 24;

/// Appends one command to one or two contended streams, until it is in. What was acknowledged is returned.
async fn command(log: &Log, writer: u32, number: u32) -> Vec<Span> {
    let stream = (writer + number) % STREAMS + 1;
    let mut wanted = append(Vec::new());
    loop {
        let tip = log.tip(Stream(stream)).await.unwrap();
        let mut drafts = vec![saying("said").0];
        drafts.extend((0..number % 3).map(|_| draft("{}")));
        wanted.writes = vec![write(stream, tip, drafts)];
        if number.is_multiple_of(5) {
            let other = STREAMS + stream;
            wanted.writes.push(write(other, log.tip(Stream(other)).await.unwrap(), vec![draft("{}")]));
        }
        match log.append(vec![wanted.clone()]).await {
            Ok(mut spans) => return spans.remove(0),
            // Nobody else uses this id: an attempt of which the answer was an error was accepted all the same.
            Err(LogError::Duplicate) => {
                let request = &wanted.request;
                return log.remembered(&request.actor, request.id).await.unwrap().unwrap().spans;
            }
            Err(error) => assert!(may_pass(&error), "{error}"),
        }
    }
}

/// A command that fails in its second stream, when its first was written already.
async fn fail(log: &Log, writer: u32) {
    let own = 100 + writer;
    let nowhere = Tip { seq: 1_000_000, hash: [1; 32] };
    let writes = vec![write(own, Tip::default(), vec![saying("never").0]), write(1, nowhere, vec![draft("{}")])];
    let answer = log.append(vec![append(writes)]).await;
    assert!(answer.is_err(), "{answer:?}");
}

async fn writer(place: Place, writer: u32, progress: watch::Sender<u64>) -> Vec<Span> {
    let log = Log::open(&place).await.unwrap();
    let mut acknowledged = Vec::new();
    for number in 0..COMMANDS {
        if number.is_multiple_of(4) {
            fail(&log, writer).await;
        }
        acknowledged.extend(command(&log, writer, number).await);
        progress.send_modify(|commands| *commands += 1);
    }
    acknowledged
}

/// Takes the right to write, writes where the next append would, and takes it back; as often as there is progress.
async fn rival(place: Place, mut progress: watch::Receiver<u64>) {
    let raw = Raw::of(&place).await;
    if let Raw::Sqlite(connection) = &raw {
        connection.busy_timeout(std::time::Duration::from_secs(60)).unwrap();
    }
    while progress.changed().await.is_ok() && *progress.borrow_and_update() < u64::from(WRITERS * COMMANDS) {
        raw.begin_writing().await;
        raw.run(
            "INSERT INTO events (position, stream, seq, kind, version, at, actor, body, hash)
             SELECT position + 1, 999, 1, 'never', 1, 1, 'nobody', '{}', link FROM head;
             UPDATE head SET position = position + 1",
        )
        .await;
        raw.run("ROLLBACK").await;
    }
}

/// Follows the log to a position that it is told in the end; returns the events' streams and numbers.
async fn tail(log: Log, mut end: watch::Receiver<Option<u64>>) -> Vec<(Stream, u64)> {
    let mut seen = Vec::new();
    while *end.borrow_and_update() != Some(seen.len() as u64) {
        log.wait_after(seen.len() as u64).await.unwrap();
        for event in log.read_all(seen.len() as u64, 7).await.unwrap() {
            assert_eq!(event.position, seen.len() as u64 + 1, "every position once, in order");
            seen.push((event.stream, event.seq));
        }
    }
    seen
}

async fn eight_writers_leave_no_gap(ground: &Ground) {
    let log = ground.open().await;
    let (told, end) = watch::channel(None);
    let tailing = tokio::spawn(tail(ground.open().await, end));
    let (progress, watched) = watch::channel(0);
    let (place, handle) = (ground.place.clone(), tokio::runtime::Handle::current());
    let rival = tokio::task::spawn_blocking(move || handle.block_on(rival(place, watched)));
    let writers: Vec<_> =
        (0..WRITERS).map(|n| tokio::spawn(writer(ground.place.clone(), n, progress.clone()))).collect();
    drop(progress);
    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    rival.await.unwrap();
    let events: u64 = acknowledged.iter().map(|span| span.last - span.first + 1).sum();
    assert_eq!(log.head().await.unwrap().position, events);
    told.send(Some(events)).unwrap();
    let seen = tailing.await.unwrap();
    for span in &acknowledged {
        assert_eq!(seen[span.position as usize - 1], (span.stream, span.last));
    }
    let numbers = acknowledged.iter().flat_map(|span| (span.first..=span.last).map(|seq| (span.stream, seq)));
    assert_eq!(numbers.collect::<BTreeSet<_>>(), seen.into_iter().collect());
    assert_sound(&log).await;
}

async fn an_append_of_another_node_wakes(ground: &Ground) {
    let (log, other) = (ground.open().await, ground.open().await);
    let waiting = tokio::spawn(async move {
        while log.read_all(0, 1).await.unwrap().is_empty() {
            log.wait_after(0).await.unwrap();
        }
    });
    other.append(vec![append(vec![write(1, Tip::default(), vec![draft("{}")])])]).await.unwrap();
    waiting.await.unwrap();
}
