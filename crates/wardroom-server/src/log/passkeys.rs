//! What passkeys are held against: public keys and counters, the key that challenges are sealed with, and the challenges
//! that were used. Beside the log like other credentials (`credentials.rs`), and in no backup.

use wardroom_core::id::{PasskeyId, PersonId, Time};

use super::{Hash, Log, LogError};

/// What is kept of a passkey.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PasskeyRow {
    /// What its authenticator calls it.
    pub credential: Vec<u8>,
    /// Its public name.
    pub id: PasskeyId,
    /// Whose it is.
    pub person: PersonId,
    /// Its public key, in COSE.
    pub key: Vec<u8>,
    /// For which host it was made.
    pub host: String,
    /// How often it has signed, as it says itself; 0 for those that do not count.
    pub count: u32,
    /// When it was last used.
    pub used_at: Option<Time>,
}

impl Log {
    /// The passkey that an authenticator calls so.
    ///
    /// # Errors
    /// [`LogError::Unavailable`], as for every method here.
    pub async fn passkey(&self, credential: &[u8]) -> Result<Option<PasskeyRow>, LogError> {
        on_either!(self, store => store.passkey(credential))
    }

    /// A person's passkeys.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn passkeys_of(&self, person: PersonId) -> Result<Vec<PasskeyRow>, LogError> {
        on_either!(self, store => store.passkeys_of(person))
    }

    /// Keeps a passkey; false when its authenticator's name for it is kept already.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn put_passkey(&self, row: PasskeyRow) -> Result<bool, LogError> {
        on_either!(self, store => store.put_passkey(row))
    }

    /// Throws away a passkey that opens nothing.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn drop_passkey(&self, id: PasskeyId) -> Result<(), LogError> {
        on_either!(self, store => store.drop_passkey(id))
    }

    /// A passkey was used, and counts so far now; false when that is no further than before: two may count with one key.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn used_passkey(&self, id: PasskeyId, count: u32, at: Time) -> Result<bool, LogError> {
        on_either!(self, store => store.used_passkey(id, count, at))
    }

    /// What challenges are sealed with, on every node of this store.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn challenge_key(&self) -> Result<Hash, LogError> {
        on_either!(self, store => store.challenge_key())
    }

    /// Uses a challenge up; false when it was used before. Those that have expired are forgotten.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn use_challenge(&self, digest: Hash, expires_at: Time, now: Time) -> Result<bool, LogError> {
        on_either!(self, store => store.use_challenge(digest, expires_at, now))
    }
}
