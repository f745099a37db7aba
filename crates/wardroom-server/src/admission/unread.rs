//! Why a cluster's question was not read. None of these is ever an allow: whoever asked is told that nothing was decided.

use std::fmt::Display;

use super::{DEPTH_MAX, REVIEW_MAX};
use crate::intake::words;

/// How much of what was sent is repeated, in characters.
const WHY_MAX: usize = 120;

/// Why a cluster's question was not read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unread {
    /// There are more bytes than are read.
    #[error("This review is too large: at most {} MiB are read.", REVIEW_MAX >> 20)]
    TooLarge,
    /// It lies deeper in itself than is read.
    #[error("This review is nested too deep: at most {DEPTH_MAX} levels are read.")]
    TooDeep,
    /// It is no JSON, or not of a review's form.
    #[error("This review cannot be read: {0}.")]
    Malformed(String),
    /// It is of another version, or something else altogether.
    #[error(
        "This is {0}. What is read is AdmissionReview of admission.k8s.io/v1: set admissionReviewVersions: [\"v1\"] in the webhook."
    )]
    OtherVersion(String),
    /// Something in it does not fit.
    #[error("This review does not fit: {0}.")]
    Unfit(String),
}

impl Unread {
    pub(super) fn malformed(why: impl Display) -> Self {
        Self::Malformed(plain(&why.to_string()))
    }

    pub(super) fn other_version(kind: Option<&str>, version: Option<&str>) -> Self {
        let (kind, version) = (kind.unwrap_or("something"), version.unwrap_or("no version"));
        Self::OtherVersion(words::one_line(&format!("{kind} of {version}"), WHY_MAX / 2))
    }

    pub(super) fn unfit(why: impl Display) -> Self {
        Self::Unfit(plain(&why.to_string()))
    }
}

fn plain(why: &str) -> String {
    words::one_line(why, WHY_MAX)
}
