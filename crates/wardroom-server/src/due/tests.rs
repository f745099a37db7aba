//! The clock at work: outages, and absent commanders.

use jiff::SignedDuration;
use wardroom_core::directory::DirectoryCommand;
use wardroom_core::event::Event;
use wardroom_core::id::{Entry, PersonId};
use wardroom_core::incident::{Kind, Phase, Severity};
use wardroom_core::offer::Recipient;
use wardroom_core::role::RolePath;
use wardroom_core::text::Text;

use super::*;
use crate::log::{Append, Place, Request, Stream, Tip, Write};
use crate::stored::draft;
use crate::streams::stream_of;
use crate::views::board::row;

/// An incident of long ago, with an offer of command that lapses in half a minute.
async fn offered(log: &Log, number: Number, by: PersonId, now: Time) {
    let command = RolePath::command();
    let opened = Event::Opened {
        number,
        title: Text::said("Search is failing"),
        kind: Kind::Incident,
        phase: Phase::Active,
        severity: Severity::Sev2,
        services: Default::default(),
        unknown_services: Default::default(),
        began: None,
        restricted: false,
        by,
    };
    let lapses_at = now + SignedDuration::from_secs(30);
    let to = Recipient::Person(PersonId(Uuid::now_v7()));
    let offered = Event::RoleOffered { role: command, to, by, lapses_at, note: None };
    let at = lapses_at - SignedDuration::from_mins(10);
    let drafts = [opened, offered].map(|event| draft(&event, at, Actor::Person(by)).0).into();
    let write = Write { stream: stream_of(number), expected: Tip::default(), drafts, erase: Vec::new() };
    let request = Request { actor: by.to_string(), id: Uuid::now_v7(), digest: [0; 32] };
    log.append(vec![Append { request, writes: vec![write] }]).await.unwrap();
}

/// A node that has seen nobody for nine minutes, and an incident that Mary commands.
async fn node(folder: &std::path::Path, now: Time) -> (Due, PersonId) {
    let log = Log::open(&Place::Folder(folder.to_owned())).await.unwrap();
    let streams = Streams::new(log.clone());
    let executor = Executor::start(log.clone(), streams.clone());
    let add = DirectoryCommand::AddPerson {
        handle: "mary".parse().unwrap(),
        name: "Mary".parse().unwrap(),
        email: None,
        admin: false,
    };
    let asked = Asked { request: Uuid::now_v7(), actor: Actor::Console, order: Order::Directory(add) };
    executor.execute(asked).await.unwrap();
    let mary = *streams.refresh_directory().await.unwrap().directory.facts.people.keys().next().unwrap();
    offered(&log, Number::FIRST, mary, now).await;
    let presence = Presence::new(now - SignedDuration::from_mins(9));
    let due = Due {
        log,
        streams,
        executor,
        presence,
        prompted: Prompted::default(),
        node: Uuid::now_v7(),
        heard: Arc::default(),
        outage: Arc::default(),
    };
    sum_up(&due).await;
    (due, mary)
}

/// Brings the board up to what has happened.
async fn sum_up(due: &Due) {
    for number in 1..=due.log.highest_stream().await.unwrap().0 {
        let held = due.streams.incident(number.try_into().unwrap()).await.unwrap().unwrap();
        due.log.put_board(vec![row(&held.incident).unwrap()], 0).await.unwrap();
    }
}

async fn kinds(due: &Due) -> Vec<String> {
    let events = due.log.read_stream(Stream(1), 0, 10).await.unwrap();
    events.into_iter().map(|stored| stored.kind).collect()
}

/// A node that could not reach its store, or slept, never stopped; the time is nobody's all the same.
#[tokio::test]
async fn an_outage_that_the_node_lived_through_is_forgiven() {
    let (folder, now) = (tempfile::tempdir().unwrap(), clock::now());
    let (due, _) = node(folder.path(), now).await;
    due.log.beat(due.node, now - SignedDuration::from_secs(10)).await.unwrap();
    due.look(true).await.unwrap();
    assert_eq!(kinds(&due).await[2..], ["commander_absent"], "ten seconds are no outage");
    let folder = tempfile::tempdir().unwrap();
    let (due, mary) = node(folder.path(), now).await;
    due.log.beat(due.node, now - SignedDuration::from_mins(4)).await.unwrap();
    due.look(true).await.unwrap();
    assert_eq!(kinds(&due).await[2..], ["outage_ended"]);
    let held = due.streams.incident(Number::FIRST).await.unwrap().unwrap();
    let lapses = held.incident.pending_offer(&RolePath::command(), now).unwrap().lapses_at;
    assert!(lapses >= now + SignedDuration::from_secs(110), "two more minutes");
    assert!(due.presence.unseen_since(mary) >= now, "what nobody could see is not held against anybody");
    assert_eq!(held.incident.last_entry, Entry(3));
}

/// Where only some could be told, the sign of life that was left all the same made the others lose that time.
#[tokio::test]
async fn an_outage_that_could_not_be_recorded_is_recorded_later() {
    let (folder, now) = (tempfile::tempdir().unwrap(), clock::now());
    let (due, _) = node(folder.path(), now).await;
    let down = now - SignedDuration::from_mins(4);
    due.log.beat(due.node, down).await.unwrap();
    let raw = rusqlite::Connection::open(folder.path().join("wardroom.db")).unwrap();
    let full = "CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'full'); END";
    raw.execute_batch(full).unwrap();
    due.look(true).await.unwrap_err();
    assert_eq!(due.log.last_beat(clock::now()).await.unwrap(), Some(down), "as long as it is not recorded, it lasts");
    raw.execute_batch("DROP TRIGGER full").unwrap();
    due.look(true).await.unwrap();
    assert_eq!(kinds(&due).await[2..], ["outage_ended"]);
    assert!(due.log.last_beat(clock::now()).await.unwrap() >= Some(now));
}

/// One wrong reading of a clock left a sign of life that stayed the newest: no outage was ever noticed again.
#[tokio::test]
async fn a_sign_of_life_from_the_future_hides_no_outage() {
    let (folder, now) = (tempfile::tempdir().unwrap(), clock::now());
    let (due, _) = node(folder.path(), now).await;
    due.log.beat(due.node, now - SignedDuration::from_mins(4)).await.unwrap();
    due.log.beat(Uuid::now_v7(), now + SignedDuration::from_hours(12)).await.unwrap();
    due.look(true).await.unwrap();
    assert_eq!(kinds(&due).await[2..], ["outage_ended"]);
    let last = due.log.last_beat(clock::now()).await.unwrap();
    assert!(last >= Some(now) && last <= Some(clock::now()), "{last:?}");
}

/// One whose end is damaged is never recorded in, and took the clock away from all the others.
#[tokio::test]
async fn an_incident_that_cannot_be_told_holds_nobody_up() {
    let (folder, now) = (tempfile::tempdir().unwrap(), clock::now());
    let (due, mary) = node(folder.path(), now).await;
    offered(&due.log, Number::new(2).unwrap(), mary, now).await;
    sum_up(&due).await;
    due.log.beat(due.node, now - SignedDuration::from_mins(4)).await.unwrap();
    let raw = rusqlite::Connection::open(folder.path().join("wardroom.db")).unwrap();
    raw.execute_batch("UPDATE tips SET seq = seq + 1 WHERE stream = 2").unwrap();
    due.look(true).await.unwrap();
    assert_eq!(kinds(&due).await[2..], ["outage_ended"]);
    assert!(due.log.last_beat(clock::now()).await.unwrap() >= Some(now), "the outage is over");
    let torn = due.streams.incident(Number::new(2).unwrap()).await.unwrap().unwrap();
    assert!(torn.incident.unreadable.is_some(), "it is set aside, until somebody mends it and starts anew");
    due.look(true).await.unwrap();
    assert_eq!(kinds(&due).await.len(), 3, "and nobody is told twice");
    assert!(due.outage().untold.is_empty());
}

/// What may have been recorded, or not, counted as told.
#[tokio::test]
async fn an_outage_that_was_told_in_doubt_is_told_again() {
    let (folder, now) = (tempfile::tempdir().unwrap(), clock::now());
    let (mut due, _) = node(folder.path(), now).await;
    let down = now - SignedDuration::from_mins(4);
    due.log.beat(due.node, down).await.unwrap();
    let in_doubt = || Some(LogError::InDoubt("the answer got lost".to_owned()).into());
    let executor = std::mem::replace(&mut due.executor, Executor::answering(in_doubt));
    due.look(true).await.unwrap_err();
    assert_eq!(due.log.last_beat(clock::now()).await.unwrap(), Some(down));
    due.executor = executor;
    due.look(true).await.unwrap();
    assert_eq!(kinds(&due).await[2..], ["outage_ended"]);
}

/// A mistake of Wardroom's is made again however often the same is asked.
#[tokio::test]
async fn an_incident_at_which_deciding_breaks_off_is_left_out() {
    let (folder, now) = (tempfile::tempdir().unwrap(), clock::now());
    let (mut due, _) = node(folder.path(), now).await;
    due.log.beat(due.node, now - SignedDuration::from_mins(4)).await.unwrap();
    due.executor = Executor::answering(|| None);
    for left in [1, 1, 0] {
        due.look(true).await.unwrap();
        assert_eq!(due.outage().untold.len(), left);
    }
    assert!(due.log.last_beat(clock::now()).await.unwrap() >= Some(now));
}

/// The store was away for both of two nodes. The first that is back forgives the outage and leaves a sign of
/// life; the second saw nobody for as long, and took that for the commander's absence.
#[tokio::test]
async fn the_second_node_that_is_back_holds_the_outage_against_nobody_either() {
    let (folder, now) = (tempfile::tempdir().unwrap(), clock::now());
    let (due, mary) = node(folder.path(), now).await;
    *due.heard.lock().unwrap() = Some(now - SignedDuration::from_mins(8));
    due.log.beat(Uuid::now_v7(), now).await.unwrap();
    due.look(true).await.unwrap();
    assert_eq!(kinds(&due).await.len(), 2, "nothing is recorded");
    assert!(due.presence.unseen_since(mary) >= now);
}

/// Two nodes told of one outage, the second twenty seconds after the first: those were taken off the absence too,
/// and offers lapsed later, although Wardroom was up.
#[tokio::test]
async fn the_second_node_that_tells_of_an_outage_forgives_nothing_more() {
    let (folder, now) = (tempfile::tempdir().unwrap(), clock::now());
    let (due, mary) = node(folder.path(), now).await;
    let (down, up) = (now - SignedDuration::from_mins(4), now - SignedDuration::from_secs(40));
    // Both find the same sign of life to be the last one; the other node tells at once.
    due.log.beat(due.node, down).await.unwrap();
    due.notice_outage(down, up).await.unwrap();
    let ended = Event::OutageEnded { from: down, to: up, offers: Default::default(), unseen_since: Some(up) };
    let at = up + SignedDuration::from_secs(1);
    let write = Write {
        stream: stream_of(Number::FIRST),
        expected: due.log.tip(stream_of(Number::FIRST)).await.unwrap(),
        drafts: vec![draft(&ended, at, Actor::Clock).0],
        erase: Vec::new(),
    };
    let request = Request { actor: mary.to_string(), id: Uuid::now_v7(), digest: [0; 32] };
    due.log.append(vec![Append { request, writes: vec![write] }]).await.unwrap();
    // Here it comes to it only now, because the store was slow, or many others had to be told first.
    due.tell_outage().await.unwrap();
    assert_eq!(kinds(&due).await[2..], ["outage_ended"], "it is forgiven once");
    assert!(due.outage().untold.is_empty());
}

/// Thousands may be open, and few of them fit into the cache.
#[tokio::test]
async fn looking_for_absent_commanders_folds_only_what_has_news() {
    let (folder, now) = (tempfile::tempdir().unwrap(), clock::now());
    let (due, mary) = node(folder.path(), now).await;
    // Whether a look folds it, and what there is on record then.
    let look = async || {
        sum_up(&due).await;
        due.streams.forget(Number::FIRST);
        due.look(true).await.unwrap();
        (due.streams.holds(Number::FIRST), kinds(&due).await.split_off(2))
    };
    let [absent, returned] = ["commander_absent", "commander_returned"].map(str::to_owned);
    assert_eq!(look().await, (true, vec![absent.clone()]));
    assert_eq!(look().await, (false, vec![absent.clone()]), "she is absent, and that is recorded");
    due.presence.saw(mary);
    assert_eq!(look().await, (true, vec![absent.clone(), returned.clone()]));
    assert_eq!(look().await, (false, vec![absent, returned]), "she was seen a moment ago");
}
