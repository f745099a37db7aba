//! State documents beside the log: numbered without gaps, compacted without loss, and in every backup.

use std::collections::BTreeMap;

use uuid::Uuid;
use wardroom_core::document::Part;
use wardroom_core::id::{PersonId, Time};
use wardroom_server::evidence::{Keep, KeptAt};
use wardroom_server::log::{self, DocumentRow, DocumentWrite, Log, PartChange, Place, Stream};

use super::drafts::{draft, put};
use super::ground::Ground;

on_both! {
    updates_are_numbered_without_gaps,
    a_client_is_whose_it_was_first,
    compacting_takes_the_place_of_what_it_holds,
    other_nodes_hear_of_what_is_written,
    a_backup_has_the_documents_too,
}

const INCIDENT: Stream = Stream(1);

fn person(number: u128) -> PersonId {
    PersonId(Uuid::from_u128(number))
}

fn written(words: &str, client: u64, by: PersonId) -> DocumentWrite {
    DocumentWrite {
        update: words.as_bytes().to_vec(),
        at: Time::from_microsecond(7).unwrap(),
        clients: BTreeMap::from([(client, by)]),
        parts: BTreeMap::from([(Part::Notes, by)]),
    }
}

async fn all(log: &Log) -> DocumentRow {
    log.document(INCIDENT, 0).await.unwrap()
}

fn numbers(row: &DocumentRow) -> Vec<u64> {
    row.updates.iter().map(|(version, _)| *version).collect()
}

async fn updates_are_numbered_without_gaps(ground: &Ground) {
    let log = ground.open().await;
    assert_eq!(all(&log).await, DocumentRow::default());
    log.write_document(INCIDENT, written("before", 1, person(1))).await.unwrap();
    let writers: Vec<_> = (2..6)
        .map(|client| {
            let log = log.clone();
            tokio::spawn(async move {
                for _ in 0..10 {
                    assert!(log.write_document(INCIDENT, written("x", client, person(1))).await.unwrap().is_some());
                    // What is refused takes no number.
                    assert_eq!(log.write_document(INCIDENT, written("y", 1, person(2))).await.unwrap(), None);
                    log.write_document(Stream(2), written("z", client, person(2))).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let row = all(&log).await;
    assert_eq!(numbers(&row), (1..=41).collect::<Vec<_>>());
    assert_eq!(row.version, 41);
    assert_eq!(log.document_version(Stream(2)).await.unwrap(), 40);
}

async fn a_client_is_whose_it_was_first(ground: &Ground) {
    let log = ground.open().await;
    let [mary, robin] = [person(1), person(2)];
    assert_eq!(log.write_document(INCIDENT, written("a", 1 << 52, mary)).await.unwrap(), Some(1));
    // All of it or nothing: his own client comes to nothing with hers.
    let mut both = written("b", 9, robin);
    both.clients.insert(1 << 52, robin);
    assert_eq!(log.write_document(INCIDENT, both).await.unwrap(), None);
    assert_eq!(log.write_document(INCIDENT, written("c", 1 << 52, mary)).await.unwrap(), Some(2));
    assert_eq!(log.write_document(Stream(2), written("d", 1 << 52, robin)).await.unwrap(), Some(1), "elsewhere");
    let row = all(&log).await;
    assert_eq!(row.clients, BTreeMap::from([(1 << 52, mary)]));
    let changed = PartChange { version: 2, at: Time::from_microsecond(7).unwrap(), by: mary };
    assert_eq!(row.parts, BTreeMap::from([(Part::Notes, changed)]));
}

async fn compacting_takes_the_place_of_what_it_holds(ground: &Ground) {
    let log = ground.open().await;
    for words in ["a", "b", "c", "d"] {
        log.write_document(INCIDENT, written(words, 1, person(1))).await.unwrap();
    }
    log.compact_document(INCIDENT, 3, b"abc".to_vec()).await.unwrap();
    log.compact_document(INCIDENT, 2, b"ab".to_vec()).await.unwrap(); // A slower node comes along.
    let row = all(&log).await;
    assert_eq!((row.version, &row.snapshot), (4, &Some((3, b"abc".to_vec()))));
    assert_eq!(row.updates, [(4, b"d".to_vec())]);
    assert_eq!(row.clients.len(), 1, "whose it is stays known");
    // Whoever has all of the snapshot is not given it again; whoever lacks some of it is.
    let later = log.document(INCIDENT, 3).await.unwrap();
    assert_eq!((later.snapshot, numbers(&DocumentRow { updates: later.updates, ..row.clone() })), (None, vec![4]));
    assert_eq!(log.document(INCIDENT, 2).await.unwrap().snapshot, row.snapshot);
    assert_eq!(log.write_document(INCIDENT, written("e", 1, person(1))).await.unwrap(), Some(5));
}

async fn other_nodes_hear_of_what_is_written(ground: &Ground) {
    let (log, other) = (ground.open().await, ground.open().await);
    let Some(mut news) = other.document_news() else { return assert!(!ground.is_postgres()) };
    // Whoever has only just begun to listen may have missed the first.
    let heard = async {
        loop {
            log.write_document(INCIDENT, written("a", 1, person(1))).await.unwrap();
            if let Ok(heard) = tokio::time::timeout(std::time::Duration::from_millis(200), news.recv()).await {
                return heard.unwrap();
            }
        }
    };
    let (stream, version) = heard.await;
    assert_eq!(stream, INCIDENT);
    assert!((1..=log.document_version(INCIDENT).await.unwrap()).contains(&version));
}

async fn a_backup_has_the_documents_too(ground: &Ground) {
    let log = ground.open().await;
    put(&log, 1, vec![draft("{}")]).await;
    for words in ["a", "b", "c"] {
        log.write_document(INCIDENT, written(words, 1 << 52, person(1))).await.unwrap();
    }
    log.compact_document(INCIDENT, 2, b"ab".to_vec()).await.unwrap();
    let file = ground.file("backup");
    log.backup_to(&file, &Keep::of(&log, &KeptAt::Nowhere)).await.unwrap();
    let elsewhere = if ground.is_postgres() { Ground::sqlite() } else { Ground::postgres() };
    for place in [&Place::Folder(ground.file("restored")), &elsewhere.place] {
        let restored = log::restore(&file, place, &KeptAt::Nowhere, |_| Ok(Vec::new())).await.unwrap();
        assert_eq!(all(&restored).await, all(&log).await);
        assert_eq!(restored.write_document(INCIDENT, written("d", 1, person(1))).await.unwrap(), Some(4));
    }
}
