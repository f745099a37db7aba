//! What only the embedded database can suffer: a disk that is full, and words that stay behind in its file.

use std::process::Command;

use wardroom_server::log::{Log, LogError, Place, Stream, Write};

use super::drafts::{append, assert_sound, draft, put, redacting, saying, write};
use super::ground::{Ground, run};

/// Tells the child that it is one, and where its log lies.
const CHILD: &str = "WARDROOM_TEST_FULL_DISK";
/// The file in which the child says how many events were acknowledged.
const TOLD: &str = "acknowledged";
const TEST: &str = "store::sqlite_trouble::a_full_disk_refuses_and_harms_nothing";

/// The disk is full for a child process only: the kernel lets it write files up to a size and no further.
#[test]
fn a_full_disk_refuses_and_harms_nothing() {
    if let Some(folder) = std::env::var_os(CHILD) {
        return run(Ground::at(folder.into()), fill);
    }
    run(Ground::sqlite(), async |ground: &Ground| {
        let Place::Folder(folder) = &ground.place else { unreachable!() };
        drop(ground.open().await);
        let program = std::env::current_exe().unwrap();
        // 512 KiB. A shell sets the limit and has the signal that comes with it ignored, so that writing fails.
        let child = Command::new("sh")
            .args(["-c", "trap '' XFSZ; ulimit -f 1024; exec \"$0\" \"$@\""])
            .arg(program)
            .args([TEST, "--exact"])
            .env(CHILD, folder)
            .output()
            .unwrap();
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
        let acknowledged: u64 = std::fs::read_to_string(folder.join(TOLD)).unwrap().parse().unwrap();
        // There is room again: what was acknowledged is there, nothing else is, and it goes on.
        let log = ground.open().await;
        assert_eq!(log.head().await.unwrap().position, acknowledged);
        assert_eq!(put(&log, 1, vec![draft("{}")]).await.position, acknowledged + 1);
        assert_sound(&log).await;
    });
}

async fn fill(ground: &Ground) {
    let log = ground.open().await;
    let acknowledged = until_full(&log).await;
    assert!(acknowledged > 0);
    // Reading goes on.
    assert_eq!(log.read_all(0, 10_000).await.unwrap().len() as u64, acknowledged);
    assert_sound(&log).await;
    let Place::Folder(folder) = &ground.place else { unreachable!() };
    std::fs::write(folder.join(TOLD), acknowledged.to_string()).unwrap();
}

/// Appends until it is refused, and again: how many events were acknowledged.
async fn until_full(log: &Log) -> u64 {
    let mut acknowledged = 0;
    let mut refused = 0;
    while refused < 3 {
        let tip = log.tip(Stream(1)).await.unwrap();
        let long = "words ".repeat(500);
        let wanted = append(vec![write(1, tip, vec![saying(&long).0])]);
        match log.append(vec![wanted.clone()]).await {
            Ok(spans) => acknowledged = spans[0][0].position,
            Err(LogError::Unavailable(_)) => {
                refused += 1;
                assert_eq!(log.remembered(&wanted.request.actor, wanted.request.id).await.unwrap(), None);
                assert_eq!(log.tip(Stream(1)).await.unwrap(), tip);
                assert_eq!(log.head().await.unwrap().position, acknowledged);
            }
            Err(error) => panic!("{error}"),
        }
    }
    acknowledged
}

/// Which of these words stand in the files of a data folder.
fn standing(folder: &std::path::Path, words: &[String]) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
    let files: Vec<Vec<u8>> = files.collect();
    let stands = |word: &&String| files.iter().any(|file| file.windows(word.len()).any(|part| part == word.as_bytes()));
    words.iter().filter(stands).cloned().collect()
}

/// Rows that SQLite moved between pages leave copies of themselves behind.
#[test]
fn erased_words_are_gone_from_the_files() {
    run(Ground::sqlite(), async |ground: &Ground| {
        let Place::Folder(folder) = &ground.place else { unreachable!() };
        let log = ground.open().await;
        let mut said = Vec::new();
        for number in 0..200 {
            let word = format!("PASSWORD-{number:04}");
            let (event, seal) = saying(&format!("{word} {}", "x".repeat(number * 37 % 900)));
            put(&log, 1, vec![event]).await;
            said.push((word, seal));
        }
        let (erased, kept): (Vec<_>, Vec<_>) = said.into_iter().enumerate().partition(|(number, _)| number % 4 > 0);
        // A reader of long ago keeps the journal from being emptied while the first words are erased.
        let reader = ground.raw().await;
        reader.run("BEGIN; SELECT count(*) FROM texts").await;
        for (number, (_, (_, seal))) in erased.iter().enumerate() {
            if number == 5 {
                reader.run("COMMIT").await;
            }
            let tip = log.tip(Stream(1)).await.unwrap();
            let redaction = Write { erase: vec![*seal], ..write(1, tip, vec![redacting(*seal)]) };
            log.append(vec![append(vec![redaction])]).await.unwrap();
        }
        let words = |said: Vec<(usize, (String, _))>| said.into_iter().map(|(_, (word, _))| word).collect::<Vec<_>>();
        assert_eq!(standing(folder, &words(erased)), Vec::<String>::new());
        let kept = words(kept);
        assert_eq!(standing(folder, &kept), kept);
        assert_sound(&log).await;
    });
}

#[test]
fn words_in_a_journal_that_somebody_reads_go_later() {
    run(Ground::sqlite(), async |ground: &Ground| {
        let Place::Folder(folder) = &ground.place else { unreachable!() };
        let log = ground.open().await;
        let (event, seal) = saying("hunter2 hunter2");
        put(&log, 1, vec![event]).await;
        let reader = ground.raw().await;
        reader.run("BEGIN; SELECT count(*) FROM texts").await;
        let tip = log.tip(Stream(1)).await.unwrap();
        let redaction = Write { erase: vec![seal], ..write(1, tip, vec![redacting(seal)]) };
        log.append(vec![append(vec![redaction])]).await.unwrap();
        reader.run("COMMIT").await;
        log.beat(uuid::Uuid::now_v7(), wardroom_core::id::Time::UNIX_EPOCH).await.unwrap();
        assert_eq!(standing(folder, &["hunter2".to_owned()]), Vec::<String>::new());
    });
}
