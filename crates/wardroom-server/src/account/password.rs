//! Passwords: which are accepted, and how they are hashed: argon2id, away from everything that must not wait.

use std::sync::{Arc, LazyLock};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use serde::Deserialize;
use tokio::sync::Semaphore;

/// Characters that a password has at the least: length is what keeps it from being guessed.
const SHORTEST: usize = 10;
/// Characters that a password has at the most: whoever pastes a book must not keep the machine busy.
const LONGEST: usize = 200;
/// Passwords hashed at once: each takes 19 MiB and a core for a moment.
const AT_ONCE: usize = 2;
/// Passwords that wait to be hashed; a further one is told to come back.
const QUEUE: usize = 64;

/// A password as somebody typed it. It is never shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

impl Password {
    fn length(&self) -> usize {
        self.0.chars().take(LONGEST + 1).count()
    }

    /// Whether this may become somebody's password; any characters will do.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub fn check(&self) -> Result<(), String> {
        match self.length() {
            length if length < SHORTEST => Err(format!(
                "This password is too short. Take at least {SHORTEST} characters; a few unrelated words are easy to \
                 remember and hard to guess."
            )),
            length if length > LONGEST => Err(format!("This password is too long. Take at most {LONGEST} characters.")),
            _ => Ok(()),
        }
    }
}

/// Too many passwords wait to be hashed.
#[derive(Copy, Clone, Debug)]
pub struct Busy;

/// Hashes passwords, a few at once, on threads of their own.
#[derive(Clone, Debug)]
pub struct Hasher {
    queue: Arc<Semaphore>,
    permits: Arc<Semaphore>,
}

impl Default for Hasher {
    fn default() -> Self {
        Self { queue: Arc::new(Semaphore::new(QUEUE)), permits: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

/// What a password is held against when nobody is called so: the answer must take as long.
static NOBODYS: LazyLock<String> = LazyLock::new(|| {
    let (unguessable, _) = super::secret::Sort::Session.draw();
    hash(&unguessable)
});

fn hash(password: &str) -> String {
    let hashed = Argon2::default().hash_password(password.as_bytes());
    hashed.expect("the usual parameters and a fresh salt are always right").to_string()
}

fn fits(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

impl Hasher {
    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let _place = self.queue.try_acquire().map_err(|_| Busy)?;
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| Busy)?;
        // The permit goes along: whoever hangs up does not let another one begin before this one is done.
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        });
        done.await.map_err(|_| Busy)
    }

    /// A password's hash, as a PHC string with a salt of its own.
    ///
    /// # Errors
    /// [`Busy`].
    pub async fn hash(&self, password: Password) -> Result<String, Busy> {
        self.work(move || hash(&password.0)).await
    }

    /// Whether this is the password behind a hash. Without one, it is wrong, and takes as long to say so.
    ///
    /// # Errors
    /// [`Busy`].
    pub async fn verify(&self, password: Password, hash: Option<String>) -> Result<bool, Busy> {
        self.work(move || {
            let possible = password.length() <= LONGEST;
            let given = if possible { password.0.as_str() } else { "" };
            fits(given, hash.as_ref().unwrap_or(&NOBODYS)) && possible && hash.is_some()
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(given: impl Into<String>) -> Password {
        Password(given.into())
    }

    #[test]
    fn length_is_the_only_rule() {
        for good in ["ten digits".to_owned(), "🚒".repeat(10), "a".repeat(200), " ".repeat(10)] {
            assert_eq!(password(good).check(), Ok(()));
        }
        assert!(password("nine char").check().unwrap_err().contains("at least 10"));
        assert!(password("a".repeat(201)).check().unwrap_err().contains("at most 200"));
        assert!(password("a".repeat(10_000_000)).check().is_err());
    }

    #[tokio::test]
    async fn the_right_password_fits_and_no_other() {
        let hasher = Hasher::default();
        let kept = hasher.hash(password("correct horse")).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert_ne!(kept, hasher.hash(password("correct horse")).await.unwrap(), "each has its own salt");
        assert!(hasher.verify(password("correct horse"), Some(kept.clone())).await.unwrap());
        for wrong in ["correct hors", "", &"a".repeat(100_000)] {
            assert!(!hasher.verify(password(wrong), Some(kept.clone())).await.unwrap());
        }
        assert!(!hasher.verify(password("correct horse"), None).await.unwrap());
        assert!(!hasher.verify(password("correct horse"), Some("nonsense".to_owned())).await.unwrap());
    }

    #[test]
    fn a_password_is_never_printed() {
        assert_eq!(format!("{:?}", password("correct horse")), "Password(…)");
    }
}
