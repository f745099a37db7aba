//! What only the embedded database can suffer: a disk that is full.

use std::process::Command;

use wardroom_server::log::{Log, LogError, Place, Stream};

use super::drafts::{append, assert_sound, draft, put, saying, write};
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
