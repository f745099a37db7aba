//! Evidence beside the log: bytes before their event and never without, gone with its words, and in every backup.

use bytes::Bytes;
use sha2::{Digest, Sha256};
use wardroom_core::evidence::Fingerprint;
use wardroom_core::id::Time;
use wardroom_core::seal::commit;
use wardroom_server::log::{self, Draft, Hash, Log, LogError, Place, Stream, What, Words, Write};

use super::drafts::{append, assert_sound, draft, put, redacting, saying, write};
use super::ground::Ground;

on_both! {
    bytes_are_there_once_their_event_is,
    an_event_without_its_bytes_is_not_appended,
    bytes_that_no_event_took_are_swept_and_no_others,
    bytes_go_with_the_words_of_their_event,
    a_backup_has_the_evidence_and_nothing_that_waits,
    altered_and_removed_bytes_are_named,
    a_backup_from_before_there_was_evidence_is_restored,
}

const INCIDENT: Stream = Stream(1);

fn print(bytes: &[u8]) -> Fingerprint {
    Fingerprint::new(Sha256::digest(bytes).into())
}

fn at(micros: i64) -> Time {
    Time::from_microsecond(micros).unwrap()
}

async fn keep(log: &Log, bytes: &[u8], when: i64) {
    log.keep_bytes(INCIDENT, print(bytes), Bytes::copy_from_slice(bytes), at(when)).await.unwrap();
}

async fn kept(log: &Log, bytes: &[u8]) -> Option<Bytes> {
    log.evidence(INCIDENT, print(bytes)).await.unwrap()
}

/// The event that has these bytes, and what stands for their digest in the chain.
fn having(bytes: &[u8]) -> (Draft, Hash) {
    let (salt, words) = (*uuid::Uuid::now_v7().as_bytes(), print(bytes).to_string());
    let seal = commit(&salt, &words);
    let texts = vec![Words { commitment: seal.0, salt, words }];
    let body = format!(r#"{{"bytes":{},"sha256":{{"seal":"{seal}"}}}}"#, bytes.len());
    (Draft { kind: "evidence_attached".into(), texts, ..draft(&body) }, seal.0)
}

async fn bytes_are_there_once_their_event_is(ground: &Ground) {
    let log = ground.open().await;
    let large: Vec<u8> = (0..10 << 20).map(|n: u32| (n % 251) as u8).collect();
    for bytes in [&large[..], b"x"] {
        keep(&log, bytes, 1).await;
        keep(&log, bytes, 2).await;
        assert_eq!(kept(&log, bytes).await, None, "nothing is shown before its event");
        assert!(log.has_bytes(INCIDENT, print(bytes)).await.unwrap());
        put(&log, 1, vec![having(bytes).0]).await;
        assert_eq!(kept(&log, bytes).await.unwrap(), bytes);
        assert_eq!(log.evidence(Stream(2), print(bytes)).await.unwrap(), None, "it is another incident's");
    }
    assert_sound(&log).await;
}

async fn an_event_without_its_bytes_is_not_appended(ground: &Ground) {
    let log = ground.open().await;
    put(&log, 1, vec![draft("{}")]).await;
    keep(&log, b"others", 1).await;
    let tip = log.tip(INCIDENT).await.unwrap();
    let refused = log.append(vec![append(vec![write(1, tip, vec![having(b"missing").0])])]).await;
    assert!(matches!(refused, Err(LogError::Unavailable(_))), "{refused:?}");
    assert_eq!(log.tip(INCIDENT).await.unwrap(), tip);
    // What only looks like a digest asks for no bytes.
    put(&log, 1, vec![saying(&print(b"missing").to_string()).0]).await;
    assert_sound(&log).await;
}

async fn bytes_that_no_event_took_are_swept_and_no_others(ground: &Ground) {
    let log = ground.open().await;
    for bytes in [&b"taken"[..], b"forgotten", b"brought again"] {
        keep(&log, bytes, 10).await;
    }
    put(&log, 1, vec![having(b"taken").0]).await;
    keep(&log, b"brought again", 30).await;
    log.sweep_bytes(at(20)).await.unwrap();
    let has = async |bytes: &[u8]| log.has_bytes(INCIDENT, print(bytes)).await.unwrap();
    assert_eq!([has(b"taken").await, has(b"forgotten").await, has(b"brought again").await], [true, false, true]);
    assert_eq!(ground.raw().await.number("SELECT count(*) FROM evidence_bytes").await, 2);
    assert_sound(&log).await;
}

async fn bytes_go_with_the_words_of_their_event(ground: &Ground) {
    let log = ground.open().await;
    let secret = b"a password that was piped by mistake".repeat(3);
    keep(&log, &secret, 1).await;
    keep(&log, b"other", 1).await;
    let (event, seal) = having(&secret);
    put(&log, 1, vec![event, having(b"other").0]).await;
    let tip = log.tip(INCIDENT).await.unwrap();
    let redaction = Write { erase: vec![seal], ..write(1, tip, vec![redacting(seal)]) };
    log.append(vec![append(vec![redaction])]).await.unwrap();
    assert_eq!(kept(&log, &secret).await, None);
    assert!(!log.has_bytes(INCIDENT, print(&secret)).await.unwrap());
    assert_eq!(kept(&log, b"other").await.unwrap(), "other");
    assert_sound(&log).await;
    if let Place::Folder(folder) = &ground.place {
        for file in std::fs::read_dir(folder).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            assert!(!bytes.windows(20).any(|window| window == &secret[..20]), "it still stands in the files");
        }
    }
    // It may come again, and is another event's then.
    keep(&log, &secret, 2).await;
    put(&log, 1, vec![having(&secret).0]).await;
    assert_eq!(kept(&log, &secret).await.unwrap(), secret);
    assert_sound(&log).await;
}

async fn a_backup_has_the_evidence_and_nothing_that_waits(ground: &Ground) {
    let log = ground.open().await;
    let pieces: Vec<Vec<u8>> = (0..10_u8).map(|n| vec![n; 100_000]).collect();
    for piece in &pieces {
        keep(&log, piece, 1).await;
        put(&log, 1, vec![having(piece).0]).await;
    }
    keep(&log, b"waits", 1).await;
    let file = ground.file("backup");
    log.backup_to(&file).await.unwrap();
    let elsewhere = if ground.is_postgres() { Ground::sqlite() } else { Ground::postgres() };
    let again = if ground.is_postgres() { Ground::postgres() } else { Ground::sqlite() };
    for ground in [&elsewhere, &again] {
        let restored = log::restore(&file, &ground.place, |_| Ok(Vec::new())).await.unwrap();
        for piece in &pieces {
            assert_eq!(kept(&restored, piece).await.unwrap(), *piece);
        }
        assert!(!restored.has_bytes(INCIDENT, print(b"waits")).await.unwrap());
        assert_sound(&restored).await;
    }
}

async fn altered_and_removed_bytes_are_named(ground: &Ground) {
    let log = ground.open().await;
    for bytes in [&b"first"[..], b"second"] {
        keep(&log, bytes, 1).await;
        put(&log, 1, vec![having(bytes).0]).await;
    }
    let raw = ground.raw().await;
    let found = async || {
        let report = log.verify(|_| {}).await.unwrap();
        report.broken.iter().map(|broken| (broken.seq, broken.what)).collect::<Vec<_>>()
    };
    let (first, second) = (print(b"first"), raw.bytes(b"altered"));
    raw.run(&format!("UPDATE evidence_bytes SET body = {second} WHERE sha256 <> '{first}'")).await;
    assert_eq!(found().await, [(2, What::EvidenceAltered)]);
    raw.run(&format!("DELETE FROM evidence_bytes WHERE sha256 = '{first}'")).await;
    assert_eq!(found().await, [(1, What::EvidenceRemoved), (2, What::EvidenceAltered)]);
    raw.run("DELETE FROM evidence").await;
    assert_eq!(found().await, [(1, What::EvidenceRemoved), (2, What::EvidenceRemoved)]);
    let file = ground.file("backup");
    log.backup_to(&file).await.unwrap();
    let refused = log::restore(&file, &Place::Folder(ground.file("restored")), |_| Ok(Vec::new())).await;
    assert!(matches!(refused, Err(LogError::DoesNotHold(why)) if why.contains("evidence")));
}

async fn a_backup_from_before_there_was_evidence_is_restored(ground: &Ground) {
    let log = ground.open().await;
    put(&log, 1, vec![saying("hello").0]).await;
    let file = ground.file("backup");
    log.backup_to(&file).await.unwrap();
    let backup = rusqlite::Connection::open(&file).unwrap();
    let version: u32 = backup.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    let drop = "DROP TABLE evidence; DROP TABLE evidence_bytes; DROP TRIGGER evidence_attached;
                DROP TRIGGER evidence_erased";
    backup.execute_batch(drop).unwrap();
    backup.pragma_update(None, "user_version", version - 1).unwrap();
    std::mem::drop(backup);
    for ground in [Ground::sqlite(), Ground::postgres()] {
        let restored = log::restore(&file, &ground.place, |_| Ok(Vec::new())).await.unwrap();
        assert_eq!(restored.read_all(0, 9).await.unwrap(), log.read_all(0, 9).await.unwrap());
    }
}
