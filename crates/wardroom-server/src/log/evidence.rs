//! Evidence: the bytes beside the log, and in every backup.
//!
//! Bytes come first and wait for the event that has them; an event without bytes cannot be appended, and bytes that no
//! event took are swept away. They go when the words of their event are erased, in the same transaction.

use bytes::Bytes;
use wardroom_core::evidence::Fingerprint;
use wardroom_core::id::Time;

use super::proof::{Walked, What, digest_said};
use super::{Log, LogError, Stream};

impl Log {
    /// Keeps bytes until an event takes them, or they are swept; bringing them again has them wait anew.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when they were not kept, [`LogError::InDoubt`] when that is not known. Keeping them
    /// again does no harm then.
    pub async fn keep_bytes(
        &self,
        stream: Stream,
        fingerprint: Fingerprint,
        bytes: Bytes,
        at: Time,
    ) -> Result<(), LogError> {
        on_either!(self, store => store.keep_bytes(stream, fingerprint, bytes, at))
    }

    /// Whether bytes are kept, with an event or waiting for one.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn has_bytes(&self, stream: Stream, fingerprint: Fingerprint) -> Result<bool, LogError> {
        on_either!(self, store => store.has_bytes(stream, fingerprint))
    }

    /// The bytes of a piece of evidence that an event has.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn evidence(&self, stream: Stream, fingerprint: Fingerprint) -> Result<Option<Bytes>, LogError> {
        on_either!(self, store => store.evidence(stream, fingerprint))
    }

    /// Throws away bytes that no event took and that came before a time.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn sweep_bytes(&self, before: Time) -> Result<(), LogError> {
        on_either!(self, store => store.sweep_bytes(before))
    }

    /// What is wrong with the bytes of an event that has evidence, if anything.
    pub(super) async fn wrong_evidence(&self, event: &Walked) -> Result<Option<What>, LogError> {
        let Some(said) = digest_said(event) else { return Ok(None) };
        let kept = on_either!(self, store => store.evidence_digest(event.position))?;
        match kept {
            Some(kept) if kept == said => Ok(None),
            Some(_) => Ok(Some(What::EvidenceAltered)),
            None => {
                // It may have been redacted since it was walked.
                let now = on_either!(self, store => store.walk(event.position - 1, 1))?;
                let still = now.iter().any(|now| now.position == event.position && digest_said(now).is_some());
                Ok(still.then_some(What::EvidenceRemoved))
            }
        }
    }
}
