//! Whatever happens between pages, the network and the servers, all of them end with the same text: random histories of
//! writing and deleting, of lost, repeated and reordered messages, of broken connections, pages that are loaded anew or
//! lost, servers that are killed, and documents that are put together when everybody has left.
//!
//! `WARDROOM_HISTORIES` says how many histories there are on each database. `WARDROOM_SEED` has others; what each page
//! does follows from the seed, and how the processes interleave does not.

mod dice;
mod ground;
mod history;
mod page;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use self::ground::Ground;
use self::history::Ended;
use self::page::Page;
use crate::house::House;
use crate::wait;

/// Histories that are played at once.
const AT_ONCE: u64 = 16;

fn number_of(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |number| number.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// Plays them, and looks at every document once more after all servers were killed.
fn all_end_with_the_same(ground: Ground, histories: u64) {
    let (first, histories) = (number_of("WARDROOM_SEED", 1), number_of("WARDROOM_HISTORIES", histories));
    let (next, all) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let history = next.fetch_add(1, Ordering::Relaxed);
                    if history >= histories {
                        return;
                    }
                    let ended = history::play(&ground, first + history);
                    all.lock().unwrap().push(ended);
                }
            });
        }
    });
    let (all, killed) = (all.into_inner().unwrap(), ground.killed());
    assert_eq!(all.len() as u64, histories);
    assert!(killed > 0 || histories < 200, "servers were killed meanwhile");
    ground.kill_all();
    all.iter().for_each(|ended| is_still_so(&ground, ended));
    assert_eq!(ground.house.verify()["holds"], true);
    println!("{histories} histories, {killed} servers killed in the middle of them");
}

/// Somebody who has never seen a document finds what everybody had in the end, and who wrote it.
fn is_still_so(ground: &Ground, ended: &Ended) {
    let mut fresh = Page::new(0, u64::from(u32::MAX) + 1);
    wait::until("everything is there", || {
        fresh.join(ground, 0, ended.number);
        fresh.deliver();
        fresh.hear();
        (fresh.is_in_step() && fresh.words() == ended.words).then_some(())
    });
    for (client, writer) in &ended.writers {
        assert_eq!(fresh.authors.get(client), Some(writer), "history {}: who wrote as {client}", ended.seed);
    }
}

#[test]
fn a_thousand_histories_on_sqlite() {
    all_end_with_the_same(Ground::new(House::on_sqlite(), 1), 1_000);
}

#[test]
fn histories_over_two_nodes() {
    all_end_with_the_same(Ground::new(House::on_postgres(), 2), 250);
}
