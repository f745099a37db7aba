//! Why something that was sent was not taken, as a sentence for whoever has to mend it.

use std::fmt::Display;

use super::{BATCH_MAX, BODY_MAX, words};

/// How much of a parser's own words is repeated, in characters.
const WHY_MAX: usize = 150;

/// Why something that was sent was not taken. The edge says each in its own protocol.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unheard {
    /// There are more bytes than are read.
    #[error("This is too large: at most {} KiB are read. Send less of it, or a link to it.", BODY_MAX >> 10)]
    TooLarge,
    /// There are more events in one batch than are read.
    #[error("There are {0} events in this batch; at most {BATCH_MAX} are read at once. Send it in parts.")]
    TooMany(usize),
    /// It is of a sort that is not read.
    #[error("{0}")]
    Sort(&'static str),
    /// It has to be signed, and is not.
    #[error(
        "This is not signed. Set the webhook's secret at GitHub to the one that is set here; X-Hub-Signature-256 is read."
    )]
    Unsigned,
    /// It is signed with something else than is known here, or was changed on its way.
    #[error("The signature does not fit what was sent. Look whether the webhook has the same secret as is set here.")]
    BadSignature,
    /// It cannot be read at all.
    #[error("This cannot be read: {0}.")]
    Malformed(String),
    /// It can be read, and something in it does not fit.
    #[error("This does not fit: {0}.")]
    Unfit(String),
    /// One event of a batch is not taken, and so none of them is.
    #[error("Event {nth} of the batch, and so none of it: {why}")]
    InBatch {
        /// Which one, counted from 1.
        nth: usize,
        /// Why it is not.
        why: Box<Unheard>,
    },
}

impl Unheard {
    /// What is wrong, wherever it stands.
    #[must_use]
    pub fn cause(&self) -> &Unheard {
        match self {
            Self::InBatch { why, .. } => why.cause(),
            cause => cause,
        }
    }

    pub(super) fn malformed(why: impl Display) -> Self {
        Self::Malformed(one_line(&why.to_string()))
    }

    pub(super) fn unfit(why: impl Display) -> Self {
        Self::Unfit(one_line(&why.to_string()))
    }
}

/// Words that may repeat what was sent: short, on one line, and with nothing that misleads.
fn one_line(why: &str) -> String {
    words::one_line(why.trim_end_matches('.'), WHY_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_short_whatever_was_sent() {
        let long = format!("\u{1b}[2J\n{}", "é".repeat(100_000));
        for why in [Unheard::malformed(&long), Unheard::unfit(&long)] {
            let why = Unheard::InBatch { nth: BATCH_MAX, why: Box::new(why) }.to_string();
            assert!(why.chars().count() < 240 && !why.contains(['\u{1b}', '\n']), "{why}");
        }
        for why in [Unheard::TooLarge, Unheard::TooMany(usize::MAX), Unheard::Unsigned, Unheard::BadSignature] {
            assert!(why.to_string().chars().count() < 240, "{why}");
        }
    }
}
