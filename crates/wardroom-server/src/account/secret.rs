//! Secrets that are drawn here: 32 random bytes, shown once, of which only the SHA-256 is kept.

use sha2::{Digest as _, Sha256};

use crate::log::Hash;

/// What a secret is for; it begins with this, so that scanners of leaked secrets can find it.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Sort {
    /// A personal token.
    Token,
    /// A browser's cookie.
    Session,
    /// A one-time link.
    Link,
    /// A link that lets guests in.
    Invite,
}

impl Sort {
    fn prefix(self) -> &'static str {
        match self {
            Self::Token => "wr_",
            Self::Session => "ws_",
            Self::Link => "wl_",
            Self::Invite => "wg_",
        }
    }

    /// Whether this has the form of such a secret.
    #[must_use]
    pub fn fits(self, given: &str) -> bool {
        let digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        given.strip_prefix(self.prefix()).is_some_and(|digits| digits.len() == 64 && digits.bytes().all(digit))
    }

    /// A new secret and its digest.
    #[must_use]
    pub fn draw(self) -> (String, Hash) {
        let bytes = crate::stored::random::<32>();
        let secret: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let secret = format!("{}{secret}", self.prefix());
        let digest = digest(&secret);
        (secret, digest)
    }
}

/// What is kept of a secret. It is too long to guess, so a slow hash would add nothing.
#[must_use]
pub fn digest(secret: &str) -> Hash {
    Sha256::digest(secret.as_bytes()).into()
}
