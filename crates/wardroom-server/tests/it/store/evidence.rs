//! Evidence beside the log: bytes before their event and never without, one object for all who have the same, gone with
//! the words of the last, and in every backup.

use std::path::PathBuf;

use bytes::Bytes;
use futures_util::TryStreamExt;
use sha2::{Digest, Sha256};
use wardroom_core::evidence::Fingerprint;
use wardroom_core::id::Time;
use wardroom_core::seal::commit;
use wardroom_server::evidence::{Keep, KeptAt};
use wardroom_server::log::{self, Draft, Hash, Log, LogError, Place, Stream, What, Words, Write};

use super::drafts::{append, assert_sound, draft, put, redacting, saying, write};
use super::ground::Ground;

on_both! {
    bytes_are_there_once_their_event_is,
    an_event_without_its_bytes_is_not_appended,
    bytes_that_no_event_took_are_swept_and_no_others,
    an_object_goes_with_the_words_of_the_last_event_that_has_it,
    the_same_at_the_same_moment_is_one_object_in_the_end,
    what_somebody_took_out_of_the_store_is_made_whole_by_whoever_brings_it,
    a_backup_has_the_evidence_and_nothing_that_waits,
    altered_and_removed_bytes_are_named,
    a_store_of_somebody_elses_is_not_touched,
    a_backup_from_before_there_was_evidence_is_restored,
}

const INCIDENT: Stream = Stream(1);
const OTHER: Stream = Stream(2);

fn print(bytes: &[u8]) -> Fingerprint {
    Fingerprint::new(Sha256::digest(bytes).into())
}

fn at(micros: i64) -> Time {
    Time::from_microsecond(micros).unwrap()
}

/// A log with the store of its evidence.
struct Kept {
    log: Log,
    keep: Keep,
    at: KeptAt,
    folder: PathBuf,
}

impl Kept {
    async fn on(ground: &Ground) -> Self {
        Self::of(ground.open().await, ground.file("evidence"))
    }

    fn of(log: Log, folder: PathBuf) -> Self {
        let at = KeptAt::Folder(folder.clone());
        Self { keep: Keep::of(&log, &at), log, at, folder }
    }

    async fn keep(&self, stream: Stream, bytes: &[u8], when: i64) {
        self.keep.keep(stream, print(bytes), Bytes::copy_from_slice(bytes), at(when)).await.unwrap();
    }

    /// The bytes of an event that has them.
    async fn read(&self, stream: Stream, bytes: &[u8]) -> Option<Vec<u8>> {
        let object = self.log.object_of(stream, print(bytes)).await.unwrap()?;
        let (size, flow) = self.keep.read(&object).await.unwrap()?;
        let read: Vec<Bytes> = flow.try_collect().await.unwrap();
        let read = read.concat();
        assert_eq!(read.len() as u64, size);
        Some(read)
    }

    /// Takes out of the store what nobody has any more, as the server does in the background.
    async fn tidy(&self) {
        self.keep.take_out_what_goes(&self.log).await.unwrap();
    }

    /// The files in which evidence lies.
    fn files(&self) -> Vec<PathBuf> {
        let folders = std::fs::read_dir(self.folder.join("evidence")).into_iter().flatten();
        let files = folders.flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap());
        files.map(|file| file.unwrap().path()).collect()
    }

    async fn redact(&self, stream: Stream, seal: Hash) {
        let tip = self.log.tip(stream).await.unwrap();
        let redaction = Write { erase: vec![seal], ..write(stream.0, tip, vec![redacting(seal)]) };
        self.log.append(vec![append(vec![redaction])]).await.unwrap();
    }

    /// What a verification of everything finds.
    async fn found(&self) -> Vec<(u64, What)> {
        let report = self.log.verify(Some(&self.keep), |_| {}).await.unwrap();
        report.broken.iter().map(|broken| (broken.seq, broken.what)).collect()
    }
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
    let kept = Kept::on(ground).await;
    let large: Vec<u8> = (0..10 << 20).map(|n: u32| (n % 251) as u8).collect();
    for bytes in [&large[..], b"x"] {
        kept.keep(INCIDENT, bytes, 1).await;
        kept.keep(INCIDENT, bytes, 2).await;
        assert_eq!(kept.read(INCIDENT, bytes).await, None, "nothing is shown before its event");
        assert!(kept.log.has_bytes(INCIDENT, print(bytes)).await.unwrap());
        put(&kept.log, 1, vec![having(bytes).0]).await;
        assert!(kept.read(INCIDENT, bytes).await.unwrap() == bytes);
        assert_eq!(kept.read(OTHER, bytes).await, None, "it is another incident's");
    }
    assert_eq!((kept.files().len(), kept.found().await), (2, vec![]));
    assert_sound(&kept.log).await;
}

async fn an_event_without_its_bytes_is_not_appended(ground: &Ground) {
    let kept = Kept::on(ground).await;
    put(&kept.log, 1, vec![draft("{}")]).await;
    kept.keep(INCIDENT, b"others", 1).await;
    kept.keep(OTHER, b"another incident's", 1).await;
    let fresh = "claimed, and still on its way".to_owned();
    kept.log.claim_bytes(INCIDENT, print(b"on their way"), fresh, at(1)).await.unwrap();
    let tip = kept.log.tip(INCIDENT).await.unwrap();
    for bytes in [&b"missing"[..], b"another incident's", b"on their way"] {
        let refused = kept.log.append(vec![append(vec![write(1, tip, vec![having(bytes).0])])]).await;
        assert!(matches!(refused, Err(LogError::Unavailable(_))), "{refused:?}");
    }
    assert_eq!(kept.log.tip(INCIDENT).await.unwrap(), tip);
    // What only looks like a digest asks for no bytes.
    put(&kept.log, 1, vec![saying(&print(b"missing").to_string()).0]).await;
    assert_sound(&kept.log).await;
}

async fn bytes_that_no_event_took_are_swept_and_no_others(ground: &Ground) {
    let kept = Kept::on(ground).await;
    for bytes in [&b"taken"[..], b"forgotten", b"brought again"] {
        kept.keep(INCIDENT, bytes, 10).await;
    }
    // Somebody else waits with the same bytes as somebody who has them, and as somebody who forgot them.
    kept.keep(OTHER, b"taken", 10).await;
    put(&kept.log, 1, vec![having(b"taken").0]).await;
    kept.keep(INCIDENT, b"brought again", 30).await;
    kept.log.sweep_bytes(at(20)).await.unwrap();
    kept.tidy().await;
    let has = async |stream, bytes: &[u8]| kept.log.has_bytes(stream, print(bytes)).await.unwrap();
    assert!(has(INCIDENT, b"taken").await && has(INCIDENT, b"brought again").await);
    assert!(!has(INCIDENT, b"forgotten").await && !has(OTHER, b"taken").await);
    assert_eq!((kept.files().len(), kept.read(INCIDENT, b"taken").await.unwrap()), (2, b"taken".to_vec()));
    assert_sound(&kept.log).await;
}

async fn an_object_goes_with_the_words_of_the_last_event_that_has_it(ground: &Ground) {
    let kept = Kept::on(ground).await;
    let secret = b"a password that was piped by mistake".repeat(3);
    let mut seals = Vec::new();
    for stream in [INCIDENT, OTHER] {
        kept.keep(stream, &secret, 1).await;
        let (event, seal) = having(&secret);
        put(&kept.log, stream.0, vec![event]).await;
        seals.push((stream, seal));
    }
    kept.keep(INCIDENT, b"other", 1).await;
    put(&kept.log, 1, vec![having(b"other").0]).await;
    assert_eq!(kept.files().len(), 2, "the same bytes are one object");
    let [(first, one), (second, two)] = seals[..] else { unreachable!() };
    kept.redact(first, one).await;
    kept.tidy().await;
    assert_eq!(kept.read(first, &secret).await, None);
    assert!(!kept.log.has_bytes(first, print(&secret)).await.unwrap());
    assert_eq!((kept.read(second, &secret).await.unwrap(), kept.found().await), (secret.clone(), vec![]));
    kept.redact(second, two).await;
    // A server that is killed here leaves it for the next one.
    assert_eq!(kept.log.objects_going(9).await.unwrap().len(), 1);
    kept.tidy().await;
    assert!(kept.log.objects_going(9).await.unwrap().is_empty());
    assert_eq!((kept.files().len(), kept.read(INCIDENT, b"other").await.unwrap()), (1, b"other".to_vec()));
    // It may come again, and is another event's then.
    kept.keep(INCIDENT, &secret, 2).await;
    put(&kept.log, 1, vec![having(&secret).0]).await;
    kept.tidy().await;
    assert_eq!((kept.read(INCIDENT, &secret).await.unwrap(), kept.found().await), (secret, vec![]));
}

async fn the_same_at_the_same_moment_is_one_object_in_the_end(ground: &Ground) {
    let kept = Kept::on(ground).await;
    for round in 0..20_u8 {
        let bytes = [round; 1_000];
        let both = [INCIDENT, OTHER, INCIDENT].map(|stream| kept.keep(stream, &bytes, 1));
        futures_util::future::join_all(both).await;
        for stream in [INCIDENT, OTHER] {
            put(&kept.log, stream.0, vec![having(&bytes).0]).await;
        }
        kept.tidy().await;
        assert_eq!(kept.files().len(), usize::from(round) + 1);
    }
    assert_eq!(kept.found().await, []);
}

async fn what_somebody_took_out_of_the_store_is_made_whole_by_whoever_brings_it(ground: &Ground) {
    let kept = Kept::on(ground).await;
    kept.keep(INCIDENT, b"once more", 1).await;
    put(&kept.log, 1, vec![having(b"once more").0]).await;
    for harm in [&|file: &PathBuf| std::fs::remove_file(file), &|file: &PathBuf| std::fs::write(file, b"once")]
        as [&dyn Fn(&PathBuf) -> std::io::Result<()>; 2]
    {
        harm(&kept.files()[0]).unwrap();
        assert_eq!(kept.found().await.len(), 1);
        kept.keep(OTHER, b"once more", 2).await;
        assert_eq!((kept.files().len(), kept.found().await), (1, vec![]));
    }
}

async fn a_backup_has_the_evidence_and_nothing_that_waits(ground: &Ground) {
    let kept = Kept::on(ground).await;
    let mut pieces: Vec<Vec<u8>> = (0..10_u8).map(|n| vec![n; 100_000]).collect();
    pieces.push((0..(11 << 20) + 5).map(|n: u32| (n % 251) as u8).collect());
    pieces.push(vec![7; 8 << 20]);
    for piece in &pieces {
        kept.keep(INCIDENT, piece, 1).await;
        put(&kept.log, 1, vec![having(piece).0]).await;
    }
    kept.keep(INCIDENT, b"waits", 1).await;
    let file = ground.file("backup");
    kept.log.backup_to(&file, &kept.keep).await.unwrap();
    let elsewhere = if ground.is_postgres() { Ground::sqlite() } else { Ground::postgres() };
    let again = if ground.is_postgres() { Ground::postgres() } else { Ground::sqlite() };
    for ground in [&elsewhere, &again] {
        let at = KeptAt::Folder(ground.file("evidence"));
        let nowhere = log::restore(&file, &ground.place, &KeptAt::Nowhere, |_| Ok(Vec::new())).await;
        assert!(matches!(nowhere, Err(LogError::NoStore(why)) if why.contains("--evidence")));
        let restored = log::restore(&file, &ground.place, &at, |_| Ok(Vec::new())).await.unwrap();
        let restored = Kept::of(restored, ground.file("evidence"));
        for piece in &pieces {
            assert!(restored.read(INCIDENT, piece).await.unwrap() == *piece);
        }
        assert!(!restored.log.has_bytes(INCIDENT, print(b"waits")).await.unwrap());
        assert_eq!((restored.files().len(), restored.found().await), (pieces.len(), vec![]));
        assert_sound(&restored.log).await;
    }
    let missing = kept.log.backup_to(&ground.file("other"), &Keep::of(&kept.log, &KeptAt::Nowhere)).await;
    assert!(matches!(missing, Err(LogError::NoStore(_))), "a backup without its evidence is none");
}

async fn altered_and_removed_bytes_are_named(ground: &Ground) {
    let kept = Kept::on(ground).await;
    for bytes in [&b"first"[..], b"second"] {
        kept.keep(INCIDENT, bytes, 1).await;
        put(&kept.log, 1, vec![having(bytes).0]).await;
    }
    let of = |bytes: &[u8]| {
        let begins = print(bytes).to_string();
        let named = |file: &PathBuf| file.file_name().unwrap().to_str().unwrap().starts_with(&begins);
        kept.files().into_iter().find(named).unwrap()
    };
    std::fs::write(of(b"second"), b"altere").unwrap();
    assert_eq!(kept.found().await, [(2, What::EvidenceAltered)]);
    std::fs::remove_file(of(b"first")).unwrap();
    assert_eq!(kept.found().await, [(1, What::EvidenceRemoved), (2, What::EvidenceAltered)]);
    ground.raw().await.run("DELETE FROM evidence").await;
    assert_eq!(kept.found().await, [(1, What::EvidenceRemoved), (2, What::EvidenceRemoved)]);
    let file = ground.file("backup");
    kept.log.backup_to(&file, &kept.keep).await.unwrap();
    let into = Place::Folder(ground.file("restored"));
    let refused = log::restore(&file, &into, &kept.at, |_| Ok(Vec::new())).await;
    assert!(matches!(refused, Err(LogError::DoesNotHold(why)) if why.contains("evidence")));
}

async fn a_store_of_somebody_elses_is_not_touched(ground: &Ground) {
    let kept = Kept::on(ground).await;
    kept.keep(INCIDENT, b"mine", 1).await;
    put(&kept.log, 1, vec![having(b"mine").0]).await;
    let other = Ground::sqlite();
    let thief = Kept::of(other.open().await, kept.folder.clone());
    let refused = thief.keep.keep(INCIDENT, print(b"mine"), Bytes::from_static(b"mine"), at(1)).await;
    assert!(matches!(refused, Err(LogError::NoStore(why)) if why.contains("another")));
    // An empty folder in its place is a disk that is not mounted, and not a loss.
    let empty = Kept::of(kept.log.clone(), ground.file("empty"));
    let refused = empty.log.verify(Some(&empty.keep), |_| {}).await;
    assert!(matches!(refused, Err(LogError::NoStore(why)) if why.contains("mounted")));
    assert_eq!(kept.found().await, []);
}

async fn a_backup_from_before_there_was_evidence_is_restored(ground: &Ground) {
    let log = ground.open().await;
    put(&log, 1, vec![saying("hello").0]).await;
    let file = ground.file("backup");
    log.backup_to(&file, &Keep::of(&log, &KeptAt::Nowhere)).await.unwrap();
    let backup = rusqlite::Connection::open(&file).unwrap();
    let version: u32 = backup.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    let drop = "DROP TABLE evidence; DROP TABLE evidence_parts; DROP TRIGGER evidence_attached;
                DROP TRIGGER evidence_erased";
    backup.execute_batch(drop).unwrap();
    backup.pragma_update(None, "user_version", version - 1).unwrap();
    std::mem::drop(backup);
    for ground in [Ground::sqlite(), Ground::postgres()] {
        let restored = log::restore(&file, &ground.place, &KeptAt::Nowhere, |_| Ok(Vec::new())).await.unwrap();
        assert_eq!(restored.read_all(0, 9).await.unwrap(), log.read_all(0, 9).await.unwrap());
    }
}
