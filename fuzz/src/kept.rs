//! What is read back from where Wardroom keeps things: settings, tables beside the log, backups.

use std::sync::OnceLock;

use serde_json::json;
use uuid::Uuid;
use wardroom_core::directory::DirectoryCommand;
use wardroom_core::id::{Actor, Number};
use wardroom_server::config::Settings;
use wardroom_server::evidence::{Keep, KeptAt};
use wardroom_server::execute::{Asked, Executor, Order};
use wardroom_server::log::{self, BoardRow, Log, Place, Remembered};
use wardroom_server::streams::{Streams, snapshot};
use wardroom_server::views::board::{Command, Summary};

use super::can_be_shown;

/// Stands for a password that somebody has written into a settings file.
const PASSWORD: &str = "hunter2";

/// The settings file: what does not fit is named, and no value of it is repeated.
pub fn settings(bytes: &[u8]) {
    let Ok(file) = str::from_utf8(bytes) else { return };
    match Settings::from_toml(file) {
        Ok(settings) => {
            let written = toml::to_string(&settings).expect("settings are plain data");
            assert!(Settings::from_toml(&written) == Ok(settings.clone()), "{file:?} is not the same again");
            assert!(!format!("{settings:?}").contains(PASSWORD));
        }
        Err(why) => {
            can_be_shown(&why);
            // The name of a key may be repeated, and nobody is kept from calling one like their password.
            let is_value = |line: &str| {
                let begins = line.find(" = \"").filter(|_| line.starts_with(char::is_lowercase));
                begins.is_some_and(|begins| line.find(PASSWORD) > Some(begins))
            };
            let value = file.lines().filter(|line| line.contains(PASSWORD)).all(is_value);
            assert!(!value || !why.contains(PASSWORD), "{why}");
        }
    }
}

/// A folded state, kept: what is taken for one can be shown and decided on, and kept again.
pub fn state(bytes: &[u8]) {
    let Ok(body) = str::from_utf8(bytes) else { return };
    let Some(tree) = snapshot::read(body) else { return };
    assert!(!wardroom_core::seal::holds_words(&tree), "a snapshot holds no words");
    let Some(incident) = snapshot::state(tree, Number::FIRST) else { return };
    assert_eq!(incident.number, Number::FIRST);
    let summary = Summary::of(&incident);
    assert_eq!(summary.commander, incident.commander());
    assert!(incident.next_deadline() <= summary.next_due || summary.next_due.is_none());
    let again = serde_json::to_string(&incident).expect("a state is plain data");
    let again = snapshot::read(&again).and_then(|tree| snapshot::state(tree, Number::FIRST));
    assert_eq!(again, Some(incident));
}

/// A row of the board: what a list shows of it is the same when it is kept again.
pub fn board_row(bytes: &[u8]) {
    let Ok(body) = str::from_utf8(bytes) else { return };
    let body = body.to_owned();
    let row = BoardRow { number: Number::FIRST, seq: 1, open: true, next_due: None, body };
    let command = Command::on(&row);
    let Ok(summary) = serde_json::from_str::<Summary>(&row.body) else { return };
    if let Some(command) = command {
        assert_eq!(command.person, summary.commander);
    }
    let again = serde_json::to_string(&summary).expect("a summary is plain data");
    assert_eq!(serde_json::from_str::<Summary>(&again).ok(), Some(summary));
}

/// What is remembered of a request: something was done, or it cannot be read.
pub fn remembered(bytes: &[u8]) {
    let Ok(spans) = str::from_utf8(bytes) else { return };
    let Ok(remembered) = Remembered::read(Some([7; 32]), Some(spans)) else { return };
    assert!(!remembered.spans.is_empty());
    let again = serde_json::to_string(&remembered.spans).expect("spans are plain data");
    assert_eq!(Remembered::read(Some([7; 32]), Some(&again)).ok(), Some(remembered));
}

/// A backup that somebody has written into: a real one, with bytes replaced, four of ours for one of its: where, in
/// three, and with what. Bytes that begin as a database file does are taken as they are.
///
/// It is refused, or what was restored verifies and can be folded.
pub fn backup(bytes: &[u8]) {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().expect("a runtime")
    });
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("given.backup");
    std::fs::write(&file, written_into(bytes, || runtime.block_on(good()))).expect("a file can be written");
    runtime.block_on(async {
        let place = Place::Folder(folder.path().join("restored"));
        let at = KeptAt::Folder(folder.path().join("evidence"));
        match log::restore(&file, &place, &at, |_| Ok(Vec::new())).await {
            Ok(log) => {
                let report =
                    log.verify(Some(&Keep::of(&log, &at)), |_| ()).await.expect("what was restored can be read");
                assert!(report.broken.is_empty(), "{}", report.broken[0]);
                log.check_heads().await.expect("its ends agree");
                let _ = Streams::new(log).incident(Number::FIRST).await;
            }
            Err(error) => {
                can_be_shown(&error.to_string());
                let left = match Log::open(&place).await {
                    Ok(log) => log.head().await.expect("a new log can be read").position,
                    Err(_) => 0,
                };
                assert_eq!(left, 0, "what is refused leaves nothing behind");
            }
        }
    });
}

fn written_into(bytes: &[u8], good: impl FnOnce() -> Vec<u8>) -> Vec<u8> {
    static GOOD: OnceLock<Vec<u8>> = OnceLock::new();
    if bytes.starts_with(b"SQLite format 3\0") {
        return bytes.to_vec();
    }
    let mut file = GOOD.get_or_init(good).clone();
    for patch in bytes.chunks_exact(4) {
        let at = usize::from(patch[0]) << 16 | usize::from(patch[1]) << 8 | usize::from(patch[2]);
        let at = at % file.len();
        file[at] = patch[3];
    }
    file
}

/// The backup of a log with two people, an incident and words in it.
async fn good() -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let log = Log::open(&Place::Folder(folder.path().join("data"))).await.expect("a store");
    let streams = Streams::new(log.clone());
    let executor = Executor::start(log.clone(), streams.clone());
    let ask = async |actor, order| {
        executor.execute(Asked { request: Uuid::now_v7(), actor, order }).await.expect("it is done");
    };
    for (handle, name) in [("mary", "Mary"), ("sabrina", "Sabrina")] {
        let (handle, name) = (handle.parse().expect("a handle"), name.parse().expect("a name"));
        let add = DirectoryCommand::AddPerson { handle, name, email: None, admin: false };
        ask(Actor::Console, Order::Directory(add)).await;
    }
    let mary = streams.directory().directory.facts.people.keys().next().copied().expect("somebody is there");
    let opening = serde_json::from_value(json!({ "title": "Search is failing" })).expect("an opening");
    ask(Actor::Person(mary), Order::Open(opening)).await;
    let file = folder.path().join("good.backup");
    log.backup_to(&file, &Keep::of(&log, &KeptAt::Nowhere)).await.expect("a backup");
    std::fs::read(file).expect("a file")
}
