//! Browsers in which people turned push on, and the key by which push services know this server. Beside the log like
//! other secrets, and in no backup: whoever has a browser's address and keys can show something in it.

use wardroom_core::id::{PersonId, SessionId, Time};

use super::{Log, LogError};
use crate::reach::push::Browser;

/// Browsers of one person.
pub const BROWSERS_MAX: usize = 20;

/// What is kept of a browser.
#[derive(Clone, Debug)]
pub struct BrowserRow {
    /// Whose it is.
    pub person: PersonId,
    /// The session in which it was turned on, with which it goes; none for whoever came with a token.
    pub session: Option<SessionId>,
    /// What it says that it is, in a few words.
    pub device: String,
    /// How it is told.
    pub browser: Browser,
    /// Since when.
    pub added_at: Time,
}

impl Log {
    /// The key by which push services know this server, in PKCS #8: this one, unless one is kept.
    ///
    /// # Errors
    /// [`LogError::Unavailable`], as for every method here.
    pub async fn push_key(&self, fresh: Vec<u8>) -> Result<Vec<u8>, LogError> {
        on_either!(self, store => store.push_key(fresh))
    }

    /// Keeps a browser, in place of one that has its address and of another one of the same person, whose deliveries
    /// it takes over; false when they have as many as they may.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn put_browser(&self, row: BrowserRow, replaces: Option<String>) -> Result<bool, LogError> {
        on_either!(self, store => store.put_browser(row, replaces))
    }

    /// Puts what waits for a person, unseen, on its way to a browser that was kept: a call that was put before finds only
    /// the browsers that there were. `anew` is for one under another address: what its push service took for the
    /// address before may never have come.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn tell_browser(&self, person: PersonId, id: String, anew: bool, now: Time) -> Result<(), LogError> {
        on_either!(self, store => store.tell_browser(person, id, anew, now))
    }

    /// A person's browsers, the newest first.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn browsers_of(&self, person: PersonId) -> Result<Vec<BrowserRow>, LogError> {
        on_either!(self, store => store.browsers_of(person))
    }

    /// Forgets a browser of a person's; false when there is none of that name.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn drop_browser(&self, person: PersonId, id: String) -> Result<bool, LogError> {
        on_either!(self, store => store.drop_browser(person, id))
    }

    /// Forgets all of a person's browsers.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn drop_browsers(&self, person: PersonId) -> Result<(), LogError> {
        on_either!(self, store => store.drop_browsers(person))
    }

    /// Forgets those of a person's browsers in which push was turned on by a token, or in a session that is none of
    /// these: whoever was signed out everywhere is out, also where a session had run out before.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn keep_browsers_of(&self, person: PersonId, sessions: Vec<SessionId>) -> Result<(), LogError> {
        on_either!(self, store => store.keep_browsers_of(person, sessions))
    }
}
