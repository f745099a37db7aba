//! Backups: one file beside a running server, and from it the same log on either database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use wardroom_server::evidence::{Keep, KeptAt};
use wardroom_server::log::{self, Log, LogError, Place, Snapshot, Stream, Write};

use super::drafts::{append, assert_sound, draft, put, redacting, saying, write};
use super::ground::Ground;

on_both! {
    a_backup_beside_writers_has_everything_acknowledged,
    a_restored_log_is_the_same_under_a_new_epoch,
    a_backup_goes_into_the_other_database,
    nothing_is_overwritten,
    what_is_appended_with_a_restored_log_is_there_with_it_or_nothing_is,
    what_is_no_backup_is_refused,
}

/// Restores a backup as it is.
async fn restore(file: &std::path::Path, into: &Place) -> Result<Log, LogError> {
    log::restore(file, into, &KeptAt::Nowhere, |_| Ok(Vec::new())).await
}

/// The names of the files of a case, but for its database.
fn files(ground: &Ground) -> Vec<String> {
    let entries = std::fs::read_dir(ground.folder.path()).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != "data" && name != "restored");
    names.sort();
    names
}

async fn a_backup_beside_writers_has_everything_acknowledged(ground: &Ground) {
    let log = ground.open().await;
    for stream in 1..=4 {
        put(&log, stream, vec![draft("{}")]).await;
    }
    let done = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (1..=4)
        .map(|stream| {
            let (log, done) = (log.clone(), Arc::clone(&done));
            tokio::spawn(async move {
                while !done.load(Ordering::SeqCst) {
                    put(&log, stream, vec![saying("said").0, draft("{}")]).await;
                }
            })
        })
        .collect();
    for number in 0..3 {
        let acknowledged = put(&log, 9, vec![draft("{}")]).await.position;
        let file = ground.file(&format!("{number}.backup"));
        log.backup_to(&file, &Keep::of(&log, &KeptAt::Nowhere)).await.unwrap();
        let after = log.head().await.unwrap().position;
        let restored = restore(&file, &Place::Folder(ground.file("restored").join(number.to_string()))).await.unwrap();
        let head = restored.head().await.unwrap().position;
        assert!((acknowledged..=after).contains(&head), "{acknowledged} {head} {after}");
        assert_eq!(restored.read_all(0, 100_000).await.unwrap(), log.read_all(0, head as usize).await.unwrap());
        assert_sound(&restored).await;
    }
    done.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(files(ground), ["0.backup", "1.backup", "2.backup"]);
    assert_sound(&log).await;
}

/// Fills a log with all that a backup has to bring along, backs it up and restores it.
async fn there_and_back(ground: &Ground, into: &Place) {
    let log = ground.open().await;
    let (secret, seal) = saying("a secret");
    let first = append(vec![write(1, Default::default(), vec![secret, saying("🚒").0, draft("{ \"é\":1}")])]);
    log.append(vec![first.clone()]).await.unwrap();
    let tip = log.tip(Stream(1)).await.unwrap();
    let redaction = Write { erase: vec![seal], ..write(1, tip, vec![redacting(seal)]) };
    log.append(vec![append(vec![redaction])]).await.unwrap();
    put(&log, 7, vec![draft("{}"), draft("{}")]).await;
    let snapshot = Snapshot { seq: 1, hash: [7; 32], body: "{}".to_owned() };
    log.put_snapshot(Stream(1), 1, snapshot).await.unwrap();
    log.put_board(Vec::new(), 5).await.unwrap();
    let file = ground.file("one.backup");
    log.backup_to(&file, &Keep::of(&log, &KeptAt::Nowhere)).await.unwrap();
    assert_eq!(files(ground), ["one.backup"]);

    let restored = restore(&file, into).await.unwrap();
    let (old, new) = (log.head().await.unwrap(), restored.head().await.unwrap());
    assert_ne!(old.epoch, new.epoch);
    assert_eq!((old.position, old.link), (new.position, new.link));
    assert_eq!(restored.read_all(0, 100).await.unwrap(), log.read_all(0, 100).await.unwrap());
    for stream in [Stream(1), Stream(7)] {
        assert_eq!(restored.tip(stream).await.unwrap(), log.tip(stream).await.unwrap());
    }
    let (actor, id) = (&first.request.actor, first.request.id);
    assert_eq!(restored.remembered(actor, id).await.unwrap(), log.remembered(actor, id).await.unwrap());
    assert_eq!(restored.words(Stream(1), &[seal]).await.unwrap()[0].words, None);
    assert_eq!(restored.snapshot(Stream(1), 1).await.unwrap(), None);
    assert_eq!(restored.board_cursor().await.unwrap(), 0);
    assert_sound(&restored).await;
    // It goes on where it ended, and what was asked before is still known.
    assert!(matches!(
        restored.append(vec![wardroom_server::log::Append { writes: Vec::new(), ..first }]).await,
        Err(LogError::Duplicate)
    ));
    assert_eq!(put(&restored, 1, vec![draft("{}")]).await.position, 7);
    assert_sound(&restored).await;
}

async fn a_restored_log_is_the_same_under_a_new_epoch(ground: &Ground) {
    let same = if ground.is_postgres() { Ground::postgres() } else { Ground::sqlite() };
    there_and_back(ground, &same.place).await;
}

async fn a_backup_goes_into_the_other_database(ground: &Ground) {
    let other = if ground.is_postgres() { Ground::sqlite() } else { Ground::postgres() };
    there_and_back(ground, &other.place).await;
}

async fn nothing_is_overwritten(ground: &Ground) {
    let log = ground.open().await;
    put(&log, 1, vec![draft("{}")]).await;
    let file = ground.file("one.backup");
    log.backup_to(&file, &Keep::of(&log, &KeptAt::Nowhere)).await.unwrap();
    let before = std::fs::read(&file).unwrap();
    put(&log, 1, vec![draft("{}")]).await;
    assert!(matches!(log.backup_to(&file, &Keep::of(&log, &KeptAt::Nowhere)).await, Err(LogError::Occupied(_))));
    assert_eq!(std::fs::read(&file).unwrap(), before);
    let head = log.head().await.unwrap();
    assert!(matches!(restore(&file, &ground.place).await, Err(LogError::Occupied(_))));
    assert_eq!(log.head().await.unwrap(), head);
    assert_sound(&log).await;
}

/// A cut in between left a log behind without what belongs to it.
async fn what_is_appended_with_a_restored_log_is_there_with_it_or_nothing_is(ground: &Ground) {
    let log = ground.open().await;
    put(&log, 0, vec![draft("{}")]).await;
    put(&log, 1, vec![draft("{}")]).await;
    let file = ground.file("one.backup");
    log.backup_to(&file, &Keep::of(&log, &KeptAt::Nowhere)).await.unwrap();
    let other = if ground.is_postgres() { Ground::postgres() } else { Ground::sqlite() };
    let tip = log.tip(Stream(0)).await.unwrap();
    // Expected elsewhere than where the backup's stream ends: it cannot be appended.
    let outdated = append(vec![write(0, Default::default(), vec![draft("{}")])]);
    let cut_off = log::restore(&file, &other.place, &KeptAt::Nowhere, |_| Ok(vec![outdated])).await;
    assert!(matches!(cut_off, Err(LogError::Conflict)), "{cut_off:?}");
    let empty = other.open().await;
    assert_eq!((empty.head().await.unwrap().position, empty.tip(Stream(1)).await.unwrap()), (0, Default::default()));
    drop(empty);
    let restored = log::restore(&file, &other.place, &KeptAt::Nowhere, |directory| {
        assert_eq!(directory.iter().map(|stored| stored.seq).collect::<Vec<_>>(), [1]);
        Ok(vec![append(vec![write(0, tip, vec![draft("{}")])])])
    });
    let restored = restored.await.unwrap();
    assert_eq!(restored.head().await.unwrap().position, 3);
    assert_eq!(restored.read_stream(Stream(0), 0, 10).await.unwrap().len(), 2);
    assert_sound(&restored).await;
    assert!(matches!(restore(&file, &other.place).await, Err(LogError::Occupied(_))));
}

async fn what_is_no_backup_is_refused(ground: &Ground) {
    let nothing = ground.file("nothing");
    assert!(restore(&nothing, &ground.place).await.is_err());
    let garbage = ground.file("garbage");
    std::fs::write(&garbage, "this is no database, whatever its name says".repeat(100)).unwrap();
    assert!(restore(&garbage, &ground.place).await.is_err());
    // The place is as fresh as it was.
    let log = ground.open().await;
    assert_eq!(log.head().await.unwrap().position, 0);
    put(&log, 1, vec![draft("{}")]).await;
    assert_sound(&log).await;
}
