//! Why a document's socket is closed: a number that pages act on, and a sentence for people.

/// Why, as the socket's close frame says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Close {
    /// The number: 1001, 1013, or after the status that HTTP would answer: 4400 and more where connecting again would
    /// end the same way, 4500 and more where it helps. So clients of y-websocket take it.
    pub code: u16,
    /// The sentence; at most 123 bytes of it are sent.
    pub reason: String,
}

impl Close {
    fn new(code: u16, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }

    /// The server stops.
    #[must_use]
    pub fn stopping() -> Self {
        Self::new(1001, "Wardroom is stopping. Come back in a moment.")
    }

    /// Whether they may see this incident cannot be found out.
    #[must_use]
    pub fn not_known() -> Self {
        Self::new(1013, "Whether you may see this incident cannot be found out at the moment. Connect again.")
    }

    /// What let them in has ended.
    #[must_use]
    pub fn signed_out() -> Self {
        Self::new(4401, "You are signed out. Sign in again.")
    }

    /// What they kept is of another log.
    #[must_use]
    pub fn restored() -> Self {
        Self::new(4410, "The log was restored from a backup. Begin anew, and keep apart what you wrote.")
    }

    /// The client means somebody else than who is signed in by its cookie or token.
    #[must_use]
    pub fn somebody_else() -> Self {
        Self::new(4412, "Somebody else is signed in here by now. Load the page anew.")
    }

    /// They may not see this incident, or write although they may not.
    #[must_use]
    pub fn not_yours() -> Self {
        Self::new(4403, "You may not see this incident any more.")
    }

    /// They go on writing although they may not.
    #[must_use]
    pub fn may_not_write() -> Self {
        Self::new(4403, "You may not write in this document.")
    }

    /// They take what is sent too slowly.
    #[must_use]
    pub fn too_slow() -> Self {
        Self::new(4508, "Too much waits to be sent to you. Connect again.")
    }

    /// They write as a client that is somebody else's.
    #[must_use]
    pub fn foreign_client() -> Self {
        Self::new(4409, "This client id belongs to somebody else. Draw a new one.")
    }

    /// What they sent is too large, or would make something so.
    #[must_use]
    pub fn too_large(what: &str) -> Self {
        Self::new(4413, what)
    }

    /// What they sent is not of this protocol.
    #[must_use]
    pub fn malformed(what: &str) -> Self {
        Self::new(4422, format!("This message cannot be read: {what}."))
    }

    /// What they sent follows on something that is missing, again.
    #[must_use]
    pub fn missing() -> Self {
        Self::new(4524, "Your changes follow on some that are missing. Connect again.")
    }

    /// They have as many sockets as they may.
    #[must_use]
    pub fn too_many() -> Self {
        Self::new(4529, "You have this document open in as many places as one may. Close one.")
    }

    /// What is stored of the document contradicts itself.
    #[must_use]
    pub fn damaged() -> Self {
        Self::new(4500, "This document is damaged and was set aside. Tell whoever runs Wardroom.")
    }
}
