//! The executor when the store fails it.

use serde_json::{Value, json};
use uuid::Uuid;
use wardroom_core::directory::DirectoryCommand;
use wardroom_core::gate::Passing;
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

/// What comes through the gate in several incidents is one append. Whoever loses operations in one of them while it is being
/// decided does not come through in the other.
#[tokio::test]
async fn who_loses_operations_in_one_incident_meanwhile_passes_in_none() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::open(&Place::Folder(folder.path().to_owned())).await.unwrap();
    let node = |streams: &Streams| Executor::start(log.clone(), streams.clone());
    let (here, there) = (Streams::new(log.clone()), Streams::new(log.clone()));
    let (gate, elsewhere) = (node(&here), node(&there));
    let done = async |executor: &Executor, actor: Actor, order: Order| {
        executor.execute(Asked { request: Uuid::now_v7(), actor, order }).await.unwrap();
    };
    for (handle, name) in [("mary", "Mary"), ("robin", "Robin")] {
        let (handle, name) = (handle.parse().unwrap(), name.parse().unwrap());
        let add = DirectoryCommand::AddPerson { handle, name, email: None, admin: false };
        done(&gate, Actor::Console, Order::Directory(add)).await;
    }
    there.refresh_directory().await.unwrap();
    let facts = here.directory().directory.facts.clone();
    let person = |handle: &str| Actor::Person(facts.by_handle(&handle.parse().unwrap()).unwrap().id);
    let (mary, robin) = (person("mary"), person("robin"));
    let opening = json!({ "title": "Search is failing", "services": ["search"] });
    let [one, two] = [1, 2].map(|number| Number::new(number).unwrap());
    for _ in [one, two] {
        done(&gate, mary, Order::Open(serde_json::from_value(opening.clone()).unwrap())).await;
    }
    let command = |number: Number, told: Value| Order::Incident(number, serde_json::from_value(told).unwrap());
    done(&elsewhere, robin, command(two, json!({ "command": "join" }))).await;
    let offer = json!({ "command": "offer_role", "role": "operations", "to": { "person": "robin" } });
    done(&elsewhere, mary, command(two, offer)).await;
    done(&elsewhere, robin, command(two, json!({ "command": "take_role", "role": "operations" }))).await;
    let known = here.incident(two).await.unwrap().unwrap().tip;
    assert_ne!(known, log.tip(stream_of(two)).await.unwrap(), "here it is still hers");
    let tips = [log.tip(stream_of(one)).await.unwrap(), log.tip(stream_of(two)).await.unwrap()];
    let passing = Passing {
        services: BTreeSet::from(["search".parse().unwrap()]),
        what: "deploy v12".parse().unwrap(),
        back_to: None,
        through: "the gate".parse().unwrap(),
        done: false,
    };
    let order = Order::Pass(vec![(one, passing.clone()), (two, passing.clone())]);
    let refused = gate.execute(Asked { request: Uuid::now_v7(), actor: mary, order }).await;
    assert!(matches!(&refused, Err(NotDone::Refused(refusal)) if refusal.code == Code::NotYours), "{refused:?}");
    assert_eq!([log.tip(stream_of(one)).await.unwrap(), log.tip(stream_of(two)).await.unwrap()], tips);
    done(&gate, mary, Order::Pass(vec![(one, passing)])).await;
}
