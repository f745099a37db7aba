//! Looking at the directory for somebody unknown: whoever brings names that nobody has does not make the store work for
//! each of them.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;
use wardroom_server::log::{Log, Place};
use wardroom_server::streams::Streams;

/// On a clock that stands still but for what is waited for.
#[tokio::test(start_paused = true)]
async fn looks_for_somebody_unknown_are_shared_and_apart() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::open(&Place::Folder(folder.path().to_owned())).await.unwrap();
    let streams = Streams::new(log);
    for round in 0..3 {
        // They ask after the last look has begun.
        tokio::time::advance(Duration::from_millis(1)).await;
        let began = Instant::now();
        let looked = join_all((0..100).map(|_| streams.look_again())).await;
        assert!(looked.iter().all(Result::is_ok));
        let least = if round == 0 { Duration::ZERO } else { Duration::from_millis(1) };
        let took = began.elapsed();
        assert!((least..Duration::from_secs(1)).contains(&took), "a hundred names, one look after a pause: {took:?}");
    }
}
