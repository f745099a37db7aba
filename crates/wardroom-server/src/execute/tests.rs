//! The executor when the store fails it.

use uuid::Uuid;
use wardroom_core::directory::DirectoryCommand;
use wardroom_core::id::Actor;

use super::*;
use crate::log::Place;

fn asked() -> Asked {
    let order = Order::Directory(DirectoryCommand::RevokeAllTokens {});
    Asked { request: Uuid::now_v7(), actor: Actor::Console, order }
}

/// Whoever was refused beside somebody whose answer got lost was told that it may have been recorded.
#[tokio::test]
async fn what_was_refused_is_not_in_doubt_with_what_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::open(&Place::Folder(folder.path().to_owned())).await.unwrap();
    let worker = Worker { streams: Streams::new(log.clone()), log };
    let job = || {
        let (answer, answered) = oneshot::channel();
        let asked = asked();
        (Job { digest: digest(&asked.order), asked, answer }, answered)
    };
    let ((sent, in_doubt), (not_sent, refused)) = (job(), job());
    let refusal = Refusal::new(Code::AlreadySo, "There is nothing to revoke.");
    let lost = LogError::InDoubt("the answer got lost".to_owned());
    let again = worker.after_failure(lost, vec![sent], vec![(not_sent, refusal.clone())]).await;
    assert!(again.is_empty());
    assert!(matches!(in_doubt.await.unwrap(), Err(NotDone::Store(LogError::InDoubt(_)))));
    let refused = refused.await.unwrap();
    assert!(matches!(&refused, Err(NotDone::Refused(told)) if *told == refusal), "{refused:?}");
}

/// Nobody may wait for ever because somebody else's command is waiting for a store that stands still.
#[tokio::test(start_paused = true)]
async fn whoever_waits_too_long_is_told_that_it_is_in_doubt() {
    let (jobs, _waiting) = mpsc::channel(QUEUE);
    let executor = Executor { jobs };
    let answer = executor.execute(asked()).await;
    assert!(matches!(answer, Err(NotDone::Store(LogError::InDoubt(_)))), "{answer:?}");
    assert_eq!(executor.waiting(), 1, "giving up waiting does not take it back");
}
