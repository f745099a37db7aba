//! What is held of the streams, and what must not be: states that something has passed by, and what was set aside.

use futures_util::FutureExt;
use uuid::Uuid;
use wardroom_core::command::{Command, Opening};
use wardroom_core::directory::DirectoryCommand;
use wardroom_core::id::{Actor, PersonId, Who};
use wardroom_core::refusal::Code;
use wardroom_core::roster::Roster;

use super::*;
use crate::execute::{Asked, Executor, NotDone, Order};
use crate::log::Place;

const ONE: Number = Number::FIRST;

/// A log with Mary's incident in it.
struct Begun {
    folder: tempfile::TempDir,
    log: Log,
    streams: Streams,
    executor: Executor,
    mary: Actor,
}

fn asked(actor: Actor, order: Order) -> Asked {
    Asked { request: Uuid::now_v7(), actor, order }
}

fn mary() -> DirectoryCommand {
    let [handle, name] = ["mary", "Mary"];
    let (handle, name) = (handle.parse().unwrap(), name.parse().unwrap());
    DirectoryCommand::AddPerson { handle, name, email: None, admin: false }
}

async fn begun() -> Begun {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::open(&Place::Folder(folder.path().to_owned())).await.unwrap();
    let streams = Streams::new(log.clone());
    let executor = Executor::start(log.clone(), streams.clone());
    executor.execute(asked(Actor::Console, Order::Directory(mary()))).await.unwrap();
    let people: Vec<PersonId> = streams.directory().directory.facts.people.keys().copied().collect();
    let mary = Actor::Person(people[0]);
    let opening: Opening = serde_json::from_value(serde_json::json!({ "title": "hunter2 is out" })).unwrap();
    executor.execute(asked(mary, Order::Open(opening))).await.unwrap();
    Begun { folder, log, streams, executor, mary }
}

/// A read that is slow and an erasure that is quick meet.
#[tokio::test]
async fn a_state_that_was_begun_before_words_were_erased_is_not_held() {
    let Begun { streams, executor, mary, .. } = begun().await;
    let began = streams.age();
    let before = streams.incident(ONE).await.unwrap().unwrap();
    assert_eq!(before.incident.title.words(), Some("hunter2 is out"));
    let redact = Command::Redact { entry: Entry(1), reason: None };
    executor.execute(asked(mary, Order::Incident(ONE, redact))).await.unwrap();
    streams.hold(ONE, before, began);
    let held = streams.incident(ONE).await.unwrap().unwrap();
    assert_eq!(held.incident.title.words(), None);
    assert_eq!(held.tip.seq, 2);
}

/// The same when it was another node that erased them, and this one reads of it.
#[tokio::test]
async fn a_state_that_was_begun_before_an_erasure_was_read_is_not_held() {
    let Begun { log, streams, mary, .. } = begun().await;
    let began = streams.age();
    let before = streams.incident(ONE).await.unwrap().unwrap();
    let other = Executor::start(log.clone(), Streams::new(log.clone()));
    let redact = Command::Redact { entry: Entry(1), reason: None };
    other.execute(asked(mary, Order::Incident(ONE, redact))).await.unwrap();
    streams.advance(ONE, &log.read_stream(stream_of(ONE), 1, 10).await.unwrap());
    streams.hold(ONE, before, began);
    assert_eq!(streams.incident(ONE).await.unwrap().unwrap().incident.title.words(), None);
}

/// Another node restricts Mary's incident while this one folds it; answers the state from before, and when
/// this node began to fold it.
async fn restricted_elsewhere(begun: &Begun) -> (Held, Age) {
    let Begun { log, streams, mary, .. } = begun;
    streams.forget(ONE);
    let began = streams.age();
    let before = streams.incident(ONE).await.unwrap().unwrap();
    assert!(!before.incident.restricted);
    streams.forget(ONE);
    let other = Executor::start(log.clone(), Streams::new(log.clone()));
    other.execute(asked(*mary, Order::Incident(ONE, Command::Restrict {}))).await.unwrap();
    (before, began)
}

/// What is folded was read before the entry, and held after this node had taken the entry in. Whoever was not
/// invited went on seeing the incident until its next entry.
#[tokio::test]
async fn a_state_that_the_logs_tail_has_passed_by_is_not_held() {
    let begun = begun().await;
    let (before, began) = restricted_elsewhere(&begun).await;
    let Begun { log, streams, .. } = begun;
    streams.advance(ONE, &log.read_stream(stream_of(ONE), 1, 10).await.unwrap());
    streams.hold(ONE, before, began);
    let held = streams.incident(ONE).await.unwrap().unwrap();
    assert_eq!((held.incident.restricted, held.tip.seq), (true, 2));
}

/// The same for the board, which reads the log by itself and may be ahead of what this node has taken in.
#[tokio::test]
async fn a_state_that_the_board_has_passed_by_is_not_held() {
    let begun = begun().await;
    let (before, began) = restricted_elsewhere(&begun).await;
    let streams = begun.streams;
    assert!(streams.incident_up_to(ONE, 2).await.unwrap().unwrap().incident.restricted);
    streams.forget(ONE);
    streams.hold(ONE, before, began);
    assert!(streams.incident(ONE).await.unwrap().unwrap().incident.restricted);
}

#[tokio::test]
async fn a_state_that_was_passed_by_long_ago_is_not_held() {
    let begun = begun().await;
    let (before, began) = restricted_elsewhere(&begun).await;
    let Begun { log, streams, .. } = begun;
    let tail = log.read_stream(stream_of(ONE), 1, 10).await.unwrap();
    for number in 1..=u32::try_from(REACHES_KEPT).unwrap() + 1 {
        streams.advance(number.try_into().unwrap(), &tail);
    }
    assert!(streams.lock().reached.len() <= REACHES_KEPT, "what is remembered is bounded");
    streams.hold(ONE, before, began);
    assert!(streams.incident(ONE).await.unwrap().unwrap().incident.restricted);
}

#[tokio::test]
async fn a_stream_set_aside_while_a_command_on_it_is_written_stays_set_aside() {
    let Begun { folder, streams, executor, mary, .. } = begun().await;
    let rival = rusqlite::Connection::open(folder.path().join("wardroom.db")).unwrap();
    rival.execute_batch("BEGIN IMMEDIATE").unwrap();
    let note = Command::Note { text: "under way".parse().unwrap(), happened_at: None, pin: false };
    let mut under_way = std::pin::pin!(executor.execute(asked(mary, Order::Incident(ONE, note))));
    assert!(under_way.as_mut().now_or_never().is_none());
    // What no longer waits has been decided, on the sound state; the rival keeps it from being written.
    while executor.waiting() > 0 {
        tokio::task::yield_now().await;
    }
    streams.quarantine(BTreeMap::from([(stream_of(ONE), "its record is damaged".to_owned())]));
    rival.execute_batch("COMMIT").unwrap();
    let written = under_way.await;
    let next = Command::SetSeverity { severity: wardroom_core::incident::Severity::Sev1, reason: None };
    let answer = executor.execute(asked(mary, Order::Incident(ONE, next))).await;
    let Err(NotDone::Refused(refusal)) = answer else { panic!("{written:?}, and then {answer:?}") };
    assert_eq!(refusal.code, Code::ReadOnly);
    let held = streams.incident(ONE).await.unwrap().unwrap();
    assert_eq!(held.incident.unreadable.as_deref(), Some("its record is damaged"));
}

#[tokio::test]
async fn a_directory_that_was_set_aside_stays_so() {
    let Begun { streams, executor, .. } = begun().await;
    let under_way = streams.directory();
    let why = "its record is damaged";
    streams.quarantine(BTreeMap::from([(DIRECTORY, why.to_owned())]));
    assert_eq!(streams.directory().directory.unreadable.as_deref(), Some(why));
    streams.hold_directory(under_way);
    assert_eq!(streams.directory().directory.unreadable.as_deref(), Some(why), "what was begun before is marked");
    *streams.directory.write().unwrap() = HeldDirectory::default();
    let anew = streams.refresh_directory().await.unwrap();
    assert_eq!(anew.directory.unreadable.as_deref(), Some(why), "what is folded anew is marked");
    let robin: DirectoryCommand =
        serde_json::from_value(serde_json::json!({"command": "add_person", "handle": "robin", "name": "Robin"}))
            .unwrap();
    let answer = executor.execute(asked(Actor::Console, Order::Directory(robin))).await;
    let Err(NotDone::Refused(refusal)) = answer else { panic!("{answer:?}") };
    assert_eq!(refusal.code, Code::ReadOnly);
}

#[tokio::test]
async fn words_forged_into_the_log_stop_their_incident_and_nothing_else() {
    let Begun { folder, log, executor, mary, .. } = begun().await;
    let rename = Command::SetTitle { title: "Search is out".parse().unwrap() };
    executor.execute(asked(mary, Order::Incident(ONE, rename))).await.unwrap();
    let rival = rusqlite::Connection::open(folder.path().join("wardroom.db")).unwrap();
    let forged = r#"UPDATE events SET body = '{"title":{"said":"forged"}}' WHERE stream = 1 AND seq = 2"#;
    assert_eq!(rival.execute(forged, []).unwrap(), 1);
    let streams = Streams::new(log);
    let held = streams.incident(ONE).await.unwrap().unwrap();
    assert_eq!(held.incident.title.words(), Some("hunter2 is out"));
    let why = held.incident.unreadable.as_deref().unwrap();
    assert!(why.contains("“title_set”") && why.contains("not sealed"), "{why}");
    assert!(crate::views::board::row(&held.incident).is_ok());
    // However such words got into a state, they are told and nobody panics.
    let mut incident = (*held.incident).clone();
    incident.title = wardroom_core::text::Text::said("forged");
    incident.unreadable = None;
    let row = crate::views::board::row(&incident);
    assert!(matches!(row, Err(LogError::Damaged { stream: Stream(1), .. })), "{row:?}");
    let mut odd = Held { incident: Arc::new(incident), ..held };
    let snapshot = streams.keep_snapshot(&mut odd).await;
    assert!(matches!(snapshot, Err(LogError::Damaged { stream: Stream(1), .. })), "{snapshot:?}");
}

/// Folding anew met the same event again on the second page, and began anew, for ever.
#[tokio::test]
async fn a_long_directory_that_forgot_somebody_is_folded() {
    let Begun { log, executor, .. } = begun().await;
    let people: String = (0..PAGE).map(|number| format!("person{number},Person {number}\n")).collect();
    let roster = Roster::from_csv(&format!("handle,name\n{people}")).unwrap();
    let forget = DirectoryCommand::ForgetPerson { person: Who::Handle("mary".parse().unwrap()) };
    for command in [DirectoryCommand::Import { roster }, forget] {
        executor.execute(asked(Actor::Console, Order::Directory(command))).await.unwrap();
    }
    let fresh = Streams::new(log);
    let folded = tokio::time::timeout(std::time::Duration::from_secs(60), fresh.refresh_directory()).await;
    let facts = &folded.expect("folding comes to an end").unwrap().directory.facts;
    assert_eq!(facts.people.len(), PAGE + 1);
    assert_eq!(facts.people.values().filter(|person| person.handle.words().is_none()).count(), 1);
}
