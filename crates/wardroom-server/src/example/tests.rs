//! The example, played to its end without a pause, by one server and by several.

use serde_json::json;
use wardroom_core::command::Command;
use wardroom_core::directory::DirectoryCommand;
use wardroom_core::id::PersonId;
use wardroom_core::incident::Phase;
use wardroom_core::refusal::{Code, Remedy};
use wardroom_core::role::RolePath;

use super::*;
use crate::log::Place;
use crate::streams::stream_of;
use crate::views::board::Board;
use crate::watch::Watch;

/// A store with Jennifer in its directory.
struct House {
    log: Log,
    jennifer: PersonId,
    _folder: tempfile::TempDir,
}

/// A node of it that plays without pauses.
struct Node {
    streams: Streams,
    executor: Executor,
    examples: Examples,
    watch: Watch,
}

impl House {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::open(&Place::Folder(folder.path().to_owned())).await.unwrap();
        let streams = Streams::new(log.clone());
        let executor = Executor::start(log.clone(), streams.clone());
        let [handle, name] = ["jennifer", "Jennifer"];
        let (handle, name) = (handle.parse().unwrap(), name.parse().unwrap());
        let add = Order::Directory(DirectoryCommand::AddPerson { handle, name, email: None, admin: false });
        executor.execute(Asked { request: Uuid::now_v7(), actor: Actor::Console, order: add }).await.unwrap();
        let jennifer = *streams.directory().directory.facts.people.keys().next().unwrap();
        Self { log, jennifer, _folder: folder }
    }

    /// A node that plays what it finds.
    async fn node(&self) -> Node {
        let (log, streams) = (self.log.clone(), Streams::new(self.log.clone()));
        let watch = Watch::start(log.clone(), streams.clone()).await.unwrap();
        let executor = Executor::start(log.clone(), streams.clone());
        let board = Board::start(log.clone(), streams.clone(), watch.clone());
        board.catch_up().await.unwrap();
        let (_tell, told) = signal::channel(true);
        let presence = Presence::new(clock::now());
        let examples = Examples::start(log, streams.clone(), executor.clone(), presence, SignedDuration::ZERO, told);
        Node { streams, executor, examples, watch }
    }

    /// What happened, and who did it.
    async fn entries(&self, number: Number) -> Vec<String> {
        let entries = self.log.read_stream(stream_of(number), 0, 1_000).await.unwrap();
        entries.into_iter().map(|stored| format!("{} by {}", stored.kind, stored.actor)).collect()
    }
}

impl Node {
    async fn asks(&self, person: PersonId, order: Order) -> Number {
        let asked = Asked { request: Uuid::now_v7(), actor: Actor::Person(person), order };
        let done = self.executor.execute(asked).await.unwrap();
        done.in_incident().unwrap().stream.incident().unwrap()
    }

    async fn begins(&self, player: PersonId) -> Number {
        let number = self.asks(player, Order::Example).await;
        self.examples.play(number);
        number
    }

    async fn until(&self, number: Number, so: impl Fn(&Incident) -> bool) -> Arc<Incident> {
        let mut news = self.watch.subscribe();
        loop {
            let incident = self.streams.incident(number).await.unwrap().unwrap().incident;
            if so(&incident) {
                return incident;
            }
            news.changed().await.unwrap();
        }
    }

    fn commands(number: Number, command: serde_json::Value) -> Order {
        Order::Incident(number, serde_json::from_value::<Command>(command).unwrap())
    }
}

fn offered(player: PersonId) -> impl Fn(&Incident) -> bool {
    use wardroom_core::offer::Recipient;
    move |incident| {
        let offer = incident.offers.get(&RolePath::command());
        offer.is_some_and(|offer| offer.to == Recipient::Person(player))
    }
}

#[tokio::test]
async fn it_is_played_to_its_end() {
    let house = House::new().await;
    let node = house.node().await;
    let number = node.begins(house.jennifer).await;
    node.until(number, offered(house.jennifer)).await;
    let take = json!({ "command": "take_role", "role": "command", "briefed": "by_voice" });
    node.asks(house.jennifer, Node::commands(number, take)).await;
    let offer = json!({ "command": "offer_role", "role": "command", "to": { "person": "example-robin" } });
    node.asks(house.jennifer, Node::commands(number, offer)).await;
    let ended = node.until(number, |incident| incident.phase == Phase::Closed).await;
    let facts = node.streams.directory().directory.facts.clone();
    assert_eq!(facts.name(ended.last_commander.unwrap()), "Robin");
    assert_ne!(node.begins(house.jennifer).await, number, "it is played anew");
}

/// Two nodes, and one that starts later, say nothing twice.
#[tokio::test]
async fn whoever_plays_it_nothing_is_said_twice() {
    let house = House::new().await;
    let alone = house.node().await;
    let number = alone.begins(house.jennifer).await;
    alone.until(number, offered(house.jennifer)).await;
    let told_by_one = house.entries(number).await;
    let other_house = House::new().await;
    let (first, second) = (other_house.node().await, other_house.node().await);
    let number = first.begins(other_house.jennifer).await;
    second.examples.play(number);
    first.until(number, offered(other_house.jennifer)).await;
    // It finds the example on the board, and in the log how far it is.
    let later = other_house.node().await;
    let lines = wardroom_core::example::lines();
    while later.examples.running().get(&number).and_then(|play| play.said).is_none_or(|said| said + 3 < lines) {
        tokio::task::yield_now().await;
    }
    later.until(number, offered(other_house.jennifer)).await;
    let kinds = |lines: &[String]| -> Vec<String> {
        lines.iter().map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect()
    };
    let told_by_three = other_house.entries(number).await;
    assert_eq!(kinds(&told_by_three), kinds(&told_by_one));
}

/// Another node's example was known within half a minute, and until then the same person began a second one.
#[tokio::test]
async fn one_plays_one_at_a_time_whichever_node_they_ask() {
    let house = House::new().await;
    let nodes = [house.node().await, house.node().await];
    let ask = |node: &Node| {
        let (executor, person) = (node.executor.clone(), house.jennifer);
        let asked = Asked { request: Uuid::now_v7(), actor: Actor::Person(person), order: Order::Example };
        tokio::spawn(async move { executor.execute(asked).await })
    };
    // Two at each of them, so that some share a batch.
    let asked: Vec<_> = [&nodes[0], &nodes[1], &nodes[0], &nodes[1]].into_iter().map(ask).collect();
    let (mut begun, mut refused) = (Vec::new(), Vec::new());
    for answer in asked {
        match answer.await.unwrap() {
            Ok(done) => begun.extend(done.in_incident().and_then(|span| span.stream.incident())),
            Err(NotDone::Refused(refusal)) => refused.push((refusal.code, refusal.remedy)),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(begun.len(), 1, "{begun:?}");
    assert_eq!(refused, vec![(Code::AlreadySo, Some(Remedy::See { incident: begun[0] })); 3]);
    // What the board knows of counts as much as what it does not know of yet.
    let board = Board::start(house.log.clone(), nodes[0].streams.clone(), nodes[0].watch.clone());
    board.catch_up().await.unwrap();
    let again = ask(&nodes[1]).await.unwrap();
    assert!(matches!(again, Err(NotDone::Refused(refusal)) if refusal.code == Code::AlreadySo));
}
