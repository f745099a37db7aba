//! Getting in through the page, apart from HTTP: secrets, passwords, passkeys, sessions, links, and guessing made slow.

pub mod device;
pub mod link;
pub mod passkey;
pub mod password;
pub mod secret;
pub mod throttle;

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use jiff::SignedDuration;
use lru::LruCache;
use tokio::sync::OnceCell;
use wardroom_core::account::Session;
use wardroom_core::id::{SessionId, Time};

use crate::clock;
use crate::log::{Hash, Log, LogError};
use crate::streams::Streams;
use password::Hasher;
use throttle::Throttle;

/// How long a session lasts.
pub const SESSION_LASTS: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How exactly it is kept when a session was last seen.
const SEEN_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// Sessions whose secrets this node recognises without asking the store.
const KNOWN: NonZeroUsize = NonZeroUsize::new(10_000).expect("it is not 0");

/// What a node remembers for letting people in.
#[derive(Debug)]
pub struct Accounts {
    /// Hashes passwords, a few at once.
    pub hasher: Hasher,
    /// Makes guessing slow.
    pub throttle: Mutex<Throttle>,
    /// Which session a secret's digest belongs to, for ever, and when that was last told to the store. Whether the
    /// session is still good is asked of the directory each time.
    known: Mutex<LruCache<Hash, (SessionId, Time)>>,
    /// What challenges are sealed with: the same for ever, and on every node.
    challenge_key: OnceCell<Hash>,
}

impl Default for Accounts {
    fn default() -> Self {
        Self {
            hasher: Hasher::default(),
            throttle: Mutex::default(),
            known: Mutex::new(LruCache::new(KNOWN)),
            challenge_key: OnceCell::new(),
        }
    }
}

impl Accounts {
    /// The session behind a cookie's secret, if it is good.
    ///
    /// # Errors
    /// Whatever kept the store from being read.
    pub async fn session(&self, log: &Log, streams: &Streams, given: &str) -> Result<Option<Session>, LogError> {
        let (digest, now) = (secret::digest(given), clock::now());
        let known = self.lock().get(&digest).copied();
        let (id, told_at) = match known {
            Some(known) => known,
            None => match log.session(digest).await? {
                None => return Ok(None),
                Some(row) => (row.id, row.last_seen_at),
            },
        };
        let mut session = streams.directory().directory.session(id, now).cloned();
        if session.is_none() && known.is_none() {
            // It may have been opened on another node a moment ago: look once whether the log has more.
            session = streams.refresh_directory().await?.directory.session(id, now).cloned();
        }
        if session.is_some() {
            let tell = now.duration_since(told_at) >= SEEN_EVERY;
            self.lock().put(digest, (id, if tell { now } else { told_at }));
            if tell {
                let log = log.clone();
                // Nothing depends on it, and nobody waits for it.
                tokio::spawn(async move { log.saw_session(id, now).await });
            }
        }
        Ok(session)
    }

    /// What challenges are sealed with.
    ///
    /// # Errors
    /// Whatever kept the store from being read.
    pub async fn challenge_key(&self, log: &Log) -> Result<&Hash, LogError> {
        self.challenge_key.get_or_try_init(|| log.challenge_key()).await
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LruCache<Hash, (SessionId, Time)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
