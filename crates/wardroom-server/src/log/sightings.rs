//! Changes of which other systems told, for a while and in no backup: what an incident heard of stands in its log.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;
use wardroom_core::id::{ServiceName, Time};

use super::{Log, LogError};
use crate::sightings::{Bounds, Keeping, Kept, Told};

/// Of how many changes one teller told since a time, as far as they have words: `sightings_told` has those alone. A row from
/// before changes were known counts for itself.
pub(in crate::log) const TOLD: &str = "SELECT count(DISTINCT coalesce(change, key)) FROM sightings
    WHERE teller = $1 AND received >= $2 AND body <> ''";
/// How much has words: counted so, no words are looked at.
pub(in crate::log) const ALL: &str =
    "SELECT (SELECT count(*) FROM sightings) - (SELECT count(*) FROM sightings WHERE body = '')";
/// Forgets so many, the oldest, of whoever told of the most. What was redacted stays known.
pub(in crate::log) const NOISIEST: &str = "DELETE FROM sightings WHERE key IN (
    SELECT key FROM sightings WHERE body <> '' AND teller = (
        SELECT teller FROM sightings WHERE body <> '' GROUP BY teller ORDER BY count(*) DESC, teller LIMIT 1
    ) ORDER BY received, key LIMIT $1
)";

/// A row in the order in which it was received. One that Wardroom never wrote has its place in it, too.
pub(in crate::log) struct Received {
    pub place: Option<(Time, Uuid)>,
    pub kept: Option<Kept>,
}

impl Log {
    /// Keeps these of one teller, all or none, and forgets what came before the bounds or does not fit them.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when none was kept, [`LogError::InDoubt`] when that is not known.
    pub async fn keep_sightings(&self, kept: Vec<Kept>, bounds: Bounds) -> Result<Keeping, LogError> {
        on_either!(self, store => store.keep_sightings(kept, bounds))
    }

    /// What was told of these services and made since a time, and by whom, so many at the most: the newest of each teller, then
    /// the next one of each, and so on.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn sightings(
        &self,
        services: BTreeSet<ServiceName>,
        since: Time,
        at_most: i64,
    ) -> Result<Vec<Told>, LogError> {
        let rows: Result<Vec<Kept>, LogError> = on_either!(self, store => store.sightings(services, since, at_most));
        Ok(rows?.into_iter().filter_map(Kept::told).collect())
    }

    /// How many of these each teller told of, as far as it is kept.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn sightings_by_teller(&self, keys: Vec<Uuid>) -> Result<BTreeMap<String, i64>, LogError> {
        on_either!(self, store => store.sightings_by_teller(keys))
    }

    /// What was received after a row, and who told it, in the order in which it was: so many rows at the most, and the last of them where
    /// there may be more.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn sightings_received(
        &self,
        after: (Time, Uuid),
        at_most: usize,
    ) -> Result<(Vec<Told>, Option<(Time, Uuid)>), LogError> {
        let limit = i64::try_from(at_most).unwrap_or(i64::MAX);
        let rows: Result<Vec<Received>, LogError> = on_either!(self, store => store.sightings_received(after, limit));
        let rows = rows?;
        let next = match rows.len() == at_most {
            true => rows.iter().rev().find_map(|row| row.place),
            false => None,
        };
        Ok((rows.into_iter().filter_map(|row| row.kept?.told()).collect(), next))
    }

    /// Takes the words of one away: they were redacted. That it was told, and how far it went, stays known for as long as
    /// everything is, or it would come back with its words when it is told again.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn silence_sighting(&self, silenced: Kept) -> Result<(), LogError> {
        on_either!(self, store => store.silence_sighting(silenced))
    }
}
