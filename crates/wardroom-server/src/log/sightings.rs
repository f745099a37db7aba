//! Changes of which other systems told, for a while and in no backup: what an incident heard of stands in its log.

use std::collections::BTreeSet;

use uuid::Uuid;
use wardroom_core::id::{ServiceName, Time};
use wardroom_core::sighting::Seen;

use super::{Log, LogError};
use crate::sightings::Kept;

impl Log {
    /// Keeps these, all or none, and forgets what came before a time; returns those that were new, or further than they
    /// were.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when none was kept, [`LogError::InDoubt`] when that is not known.
    pub async fn keep_sightings(&self, kept: Vec<Kept>, forget_before: Time) -> Result<BTreeSet<Uuid>, LogError> {
        on_either!(self, store => store.keep_sightings(kept, forget_before))
    }

    /// What was told of these services and made since a time: the newest, so many at the most, in the order in which they
    /// were made.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn sightings(
        &self,
        services: BTreeSet<ServiceName>,
        since: Time,
        at_most: i64,
    ) -> Result<Vec<Seen>, LogError> {
        let rows: Result<Vec<Kept>, LogError> = on_either!(self, store => store.sightings(services, since, at_most));
        Ok(rows?.into_iter().rev().filter_map(Kept::seen).collect())
    }

    /// What was received after a row, in the order in which it was: so many rows at the most, and the last of them where
    /// there may be more.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn sightings_received(
        &self,
        after: (Time, Uuid),
        at_most: usize,
    ) -> Result<(Vec<Seen>, Option<(Time, Uuid)>), LogError> {
        let limit = i64::try_from(at_most).unwrap_or(i64::MAX);
        let rows: Result<Vec<Kept>, LogError> = on_either!(self, store => store.sightings_received(after, limit));
        let rows = rows?;
        let next = rows.last().filter(|_| rows.len() == at_most).map(|last| (last.received, last.key));
        Ok((rows.into_iter().filter_map(Kept::seen).collect(), next))
    }

    /// Takes the words of one away: they were redacted. That it was told stays known for as long as everything is, or it
    /// would come back with its words when it is told again.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn silence_sighting(&self, silenced: Kept) -> Result<(), LogError> {
        on_either!(self, store => store.silence_sighting(silenced))
    }
}
