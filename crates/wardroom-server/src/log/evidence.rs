//! Evidence: which object of the store beside the log has the bytes of which event.
//!
//! Bytes come first and wait for the event that has them; an event without bytes cannot be appended, and bytes that no
//! event took are swept away. When the words of an event are erased, its object is named as going in the same transaction,
//! unless another event has it; `evidence/` takes it out of the store then.

use uuid::Uuid;
use wardroom_core::evidence::Fingerprint;
use wardroom_core::id::Time;

use super::proof::{Walked, What, digest_said};
use super::{Log, LogError, Stream};
use crate::evidence::Keep;

/// Which object is to have some bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// Its name in the store.
    pub object: String,
    /// Whether it has them already.
    pub here: bool,
}

impl Log {
    /// Says which object is to have these bytes: one that has them already, or the fresh one. What was claimed waits for
    /// an event until it is swept; claiming again has it wait anew.
    ///
    /// # Errors
    /// [`LogError::Unavailable`]; [`LogError::InDoubt`] is harmless, claim again.
    pub async fn claim_bytes(
        &self,
        stream: Stream,
        fingerprint: Fingerprint,
        fresh: String,
        at: Time,
    ) -> Result<Claim, LogError> {
        on_either!(self, store => store.claim_bytes(stream, fingerprint, fresh, at))
    }

    /// The object has all of the bytes, and keeps them over a power cut. False when they waited too long and were swept:
    /// then all of it is done again.
    ///
    /// # Errors
    /// [`LogError::Unavailable`]; [`LogError::InDoubt`] is harmless, say it again.
    pub async fn bytes_arrived(
        &self,
        stream: Stream,
        fingerprint: Fingerprint,
        object: &str,
    ) -> Result<bool, LogError> {
        on_either!(self, store => store.bytes_arrived(stream, fingerprint, object.to_owned()))
    }

    /// Whether bytes are here, with an event or waiting for one.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn has_bytes(&self, stream: Stream, fingerprint: Fingerprint) -> Result<bool, LogError> {
        on_either!(self, store => store.has_bytes(stream, fingerprint))
    }

    /// The object of a piece of evidence that an event has.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn object_of(&self, stream: Stream, fingerprint: Fingerprint) -> Result<Option<String>, LogError> {
        on_either!(self, store => store.object_of(stream, fingerprint))
    }

    /// Whether anybody has an object.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn has_object(&self, object: &str) -> Result<bool, LogError> {
        on_either!(self, store => store.has_object(object.to_owned()))
    }

    /// Lets go of bytes that no event took and that came before a time.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn sweep_bytes(&self, before: Time) -> Result<(), LogError> {
        on_either!(self, store => store.sweep_bytes(before))
    }

    /// At most `limit` objects that nobody has any more, and that are still in the store.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn objects_going(&self, limit: u16) -> Result<Vec<String>, LogError> {
        on_either!(self, store => store.objects_going(limit))
    }

    /// An object is not in the store any more.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn object_gone(&self, object: &str) -> Result<(), LogError> {
        on_either!(self, store => store.object_gone(object.to_owned()))
    }

    /// The id by which the store of the bytes knows this log, and whether it was told; a log that has none takes this one.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn evidence_home(&self, fresh: Uuid) -> Result<(Uuid, bool), LogError> {
        let (id, known) = on_either!(self, store => store.evidence_home(fresh.to_string()))?;
        Ok((id.parse().map_err(|_| LogError::unavailable("the id of the store of evidence cannot be read"))?, known))
    }

    /// The store of the bytes was told by which id it knows this log.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn evidence_is_at_home(&self) -> Result<(), LogError> {
        on_either!(self, store => store.evidence_is_at_home())
    }

    /// What is wrong with the bytes of an event that has evidence, if anything.
    pub(super) async fn wrong_evidence(&self, event: &Walked, keep: &Keep) -> Result<Option<What>, LogError> {
        let Some(said) = digest_said(event) else { return Ok(None) };
        let object = on_either!(self, store => store.object_at(event.position))?;
        let kept = match &object {
            Some(object) => keep.digest(object).await?,
            None => None,
        };
        match kept {
            Some(kept) if kept.to_string() == said => Ok(None),
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
