//! What lets people in through the page: hashes of passwords, digests of cookies and links. Never in the log,
//! never in a backup.
//!
//! These rows hold secrets and nothing that decides: whether a session or a link (still) opens anything stands in
//! the directory, whose events take the rows along when they end (a trigger on both databases).

use wardroom_core::id::{LinkId, PersonId, SessionId, Time};

use super::{Hash, Log, LogError};

/// Microseconds for which links are recognised after the newest one's end, so that they can be told why they open
/// nothing: 30 days.
pub(super) const LINKS_KEPT: i64 = 30 * 86_400 * 1_000_000;

/// A session's secret side.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionRow {
    /// Its public name.
    pub id: SessionId,
    /// SHA-256 of the cookie's secret.
    pub digest: Hash,
    /// Whose it is.
    pub person: PersonId,
    /// What the browser says that it is, in a few words.
    pub device: String,
    /// From where it was opened.
    pub address: String,
    /// When it was opened.
    pub opened_at: Time,
    /// When it last asked for something, to the minute.
    pub last_seen_at: Time,
    /// Until when it is good.
    pub expires_at: Time,
}

/// A one-time link's secret side.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkRow {
    /// Its public name.
    pub id: LinkId,
    /// SHA-256 of its secret.
    pub digest: Hash,
    /// Whom it is for; nobody yet when it makes the first admin.
    pub person: Option<PersonId>,
    /// Until when it is good.
    pub expires_at: Time,
}

impl Log {
    /// A password's hash, as a PHC string.
    ///
    /// # Errors
    /// [`LogError::Unavailable`], as for every method here.
    pub async fn password(&self, person: PersonId) -> Result<Option<String>, LogError> {
        on_either!(self, store => store.password(person))
    }

    /// Keeps a password's hash in place of the one before.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn put_password(&self, person: PersonId, hash: String) -> Result<(), LogError> {
        on_either!(self, store => store.put_password(person, hash))
    }

    /// Keeps a session, and throws expired ones away.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn put_session(&self, row: SessionRow) -> Result<(), LogError> {
        on_either!(self, store => store.put_session(row))
    }

    /// The session behind a digest.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn session(&self, digest: Hash) -> Result<Option<SessionRow>, LogError> {
        on_either!(self, store => store.session(digest))
    }

    /// A person's sessions.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn sessions_of(&self, person: PersonId) -> Result<Vec<SessionRow>, LogError> {
        on_either!(self, store => store.sessions_of(person))
    }

    /// A session was used.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn saw_session(&self, id: SessionId, at: Time) -> Result<(), LogError> {
        on_either!(self, store => store.saw_session(id, at))
    }

    /// Keeps a link, and throws away those that expired long ago.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn put_link(&self, row: LinkRow) -> Result<(), LogError> {
        on_either!(self, store => store.put_link(row))
    }

    /// The link behind a digest.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn link(&self, digest: Hash) -> Result<Option<LinkRow>, LogError> {
        on_either!(self, store => store.link(digest))
    }
}
