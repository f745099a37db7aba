//! What a room has stored, and what it reads: between the text in memory and the store.
//!
//! A store that is away, busy or full is tried until it is back; nobody is told meanwhile that anything is kept. What is
//! *damaged* stays so however often it is tried: then the document is set aside, and everybody is told.

use std::collections::BTreeMap;

use bytes::Bytes;
use tokio::time::sleep;
use wardroom_core::id::PersonId;

use super::close::Close;
use super::judge::merged;
use super::paper::Paper;
use super::room::{AGAIN, COMPACT_AFTER, COMPACT_BYTES, Room, Round};
use super::wire;
use crate::clock;
use crate::log::{DocumentRow, DocumentWrite, LogError, PartChange};
use crate::streams::stream_of;

impl Room {
    /// Has a round's updates stored, however long that takes, and shows them. False when a client turned out to be
    /// somebody else's, on another node: nothing of the round is there then.
    pub(super) async fn write(&mut self, round: &mut Round) -> bool {
        let Some(update) = merged(&round.updates) else {
            tracing::error!(number = %self.number, "updates do not follow on each other; this is a bug");
            self.begin_anew(round).await;
            return false;
        };
        let (clients, parts) = (round.clients.clone(), round.parts.clone());
        let write = DocumentWrite { update: update.clone(), at: clock::now(), clients, parts };
        let stream = stream_of(self.number);
        let version = loop {
            match self.log.write_document(stream, write.clone()).await {
                Ok(Some(version)) => break version,
                Ok(None) => {
                    self.begin_anew(round).await;
                    return false;
                }
                Err(error @ LogError::Damaged { .. }) => {
                    self.set_aside(&error);
                    return false;
                }
                Err(error) => {
                    // Nobody is told that it is kept. Written twice it does no harm.
                    tracing::warn!(number = %self.number, %error, "what was written could not be kept yet");
                    if !self.may_still_write(round).await {
                        self.begin_anew(round).await;
                        return false;
                    }
                }
            }
        };
        self.loose = (self.loose.0 + 1, self.loose.1 + update.len());
        let message = Bytes::from(wire::writes(&update));
        let only = if round.writers.len() == 1 { round.writers.keys().next().copied() } else { None };
        for (_, seat) in self.seats.iter().filter(|(peer, _)| Some(**peer) != only) {
            seat.inbox.send(message.clone());
        }
        self.seats.values_mut().filter_map(|seat| seat.full.as_mut()).for_each(|(_, changed)| *changed = true);
        let authors = self.authors_of(&round.clients);
        self.clients.append(&mut round.clients);
        if let Some(authors) = authors {
            self.seats.values().for_each(|seat| seat.tell(|| wire::authors(&authors)));
        }
        for (part, by) in &round.parts {
            self.parts.insert(*part, PartChange { version, at: write.at, by: *by });
        }
        self.clock_stale = true;
        if version == self.version + 1 {
            self.version = version;
        } else {
            self.catch_up().await;
        }
        self.compact(COMPACT_AFTER).await;
        true
    }

    /// Waits a moment for the store, and asks again whether everybody may write who did: while it was away, a right may
    /// have ended. Where that cannot be found out, the store is not back.
    async fn may_still_write(&mut self, round: &mut Round) -> bool {
        loop {
            sleep(AGAIN).await;
            round.rights = self.rights().await;
            if round.rights.are_known() {
                return round.writers.values().all(|guest| round.rights.of(guest).is_ok());
            }
        }
    }

    /// What is stored contradicts itself: everybody is told, and nothing more is taken in.
    fn set_aside(&mut self, why: &LogError) {
        tracing::error!(number = %self.number, %why, "a state document is damaged, and was set aside");
        self.damaged = true;
        self.aside.set(self.number, true);
        self.seats.values().for_each(|seat| seat.inbox.close(Close::damaged()));
    }

    /// Throws away what could not be kept. Whoever wrote it is asked for everything again.
    pub(super) async fn begin_anew(&mut self, round: &mut Round) {
        self.read_anew().await;
        for peer in round.writers.keys() {
            let Some(seat) = self.seats.get_mut(peer) else { continue };
            seat.gap = true;
            seat.inbox.send(wire::has(self.paper.clocks()).into());
        }
        round.updates.clear();
        for (client, by) in std::mem::take(&mut round.clients) {
            if self.clients.get(&client).is_none_or(|owner| *owner == by) {
                continue;
            }
            let writers =
                self.seats.iter().filter(|(peer, seat)| seat.guest.person == by && round.writers.contains_key(peer));
            writers.for_each(|(_, seat)| seat.inbox.close(Close::foreign_client()));
        }
    }

    /// Makes the text from what is stored, however long that takes, and shows all of it to whoever is here.
    pub(super) async fn read_anew(&mut self) {
        loop {
            match self.stored().await {
                Ok(()) if self.seats.is_empty() => return,
                Ok(()) => {
                    let Ok(state) = self.paper.state() else { return self.broke_off() };
                    let message = Bytes::from(wire::writes(&state));
                    return self.seats.values().for_each(|seat| seat.inbox.send(message.clone()));
                }
                Err(error @ LogError::Damaged { .. }) => return self.set_aside(&error),
                Err(error) => {
                    tracing::warn!(number = %self.number, %error, "a document could not be read");
                    sleep(AGAIN).await;
                }
            }
        }
    }

    async fn stored(&mut self) -> Result<(), LogError> {
        let stream = stream_of(self.number);
        let row = self.log.document(stream, 0).await?;
        self.paper = paper_of(&row).map_err(|why| LogError::damaged(stream, why))?;
        self.loose = (row.updates.len(), row.updates.iter().map(|(_, update)| update.len()).sum());
        (self.version, self.clients, self.parts) = (row.version, row.clients, row.parts);
        self.clock_stale = true;
        self.aside.set(self.number, false);
        Ok(())
    }

    /// The text as it is stored cannot be told: the library breaks over it.
    pub(super) fn broke_off(&mut self) {
        self.set_aside(&LogError::damaged(stream_of(self.number), "its document cannot be read"));
    }

    /// Takes in what other nodes wrote, and shows it.
    pub(super) async fn catch_up(&mut self) {
        let stream = stream_of(self.number);
        let found = match self.log.document_version(stream).await {
            Ok(version) if version <= self.version => return,
            Ok(_) => self.log.document(stream, self.version).await,
            Err(error) => Err(error),
        };
        let row = match found {
            Ok(row) => row,
            Err(error @ LogError::Damaged { .. }) => return self.set_aside(&error),
            Err(error) => return tracing::warn!(number = %self.number, %error, "a document could not be looked at"),
        };
        let mut taken = Vec::new();
        let snapshot = row.snapshot.iter().map(|(_, state)| state);
        for update in snapshot.chain(row.updates.iter().map(|(_, update)| update)) {
            match self.paper.take_in(update) {
                Ok(one) => taken.extend(one.map(|one| one.update)),
                Err(why) => {
                    tracing::error!(number = %self.number, ?why, "an update of another node does not fit");
                    return self.read_anew().await;
                }
            }
        }
        let news: BTreeMap<u64, PersonId> = row
            .clients
            .iter()
            .filter(|(client, _)| !self.clients.contains_key(client))
            .map(|(c, p)| (*c, *p))
            .collect();
        let authors = self.authors_of(&news);
        self.loose.0 += row.updates.len();
        (self.version, self.clients, self.parts) = (row.version, row.clients, row.parts);
        self.clock_stale = true;
        let together = merged(&taken).map(|update| vec![update]).unwrap_or(taken);
        for update in together.iter().filter(|update| **update != [0, 0]) {
            let message = Bytes::from(wire::writes(update));
            self.seats.values().for_each(|seat| seat.inbox.send(message.clone()));
        }
        if let Some(authors) = authors {
            self.seats.values().for_each(|seat| seat.tell(|| wire::authors(&authors)));
        }
        self.tell_clock();
    }

    /// Puts a snapshot in place of the updates, when there are so many or they weigh so much. What was deleted in the
    /// text leaves the store with them.
    pub(super) async fn compact(&mut self, after: usize) {
        let due = self.loose.0 > 0 && (self.loose.0 >= after || self.loose.1 >= COMPACT_BYTES);
        if self.damaged || !due {
            return;
        }
        let Ok(state) = self.paper.state() else { return self.broke_off() };
        match self.log.compact_document(stream_of(self.number), self.version, state).await {
            Ok(()) => self.loose = (0, 0),
            Err(error) => {
                // Nothing depends on it.
                tracing::warn!(number = %self.number, %error, "a document could not be put together");
                self.loose.1 = 0;
            }
        }
    }
}

/// The text of what is stored.
///
/// # Errors
/// What is wrong with it.
pub(super) fn paper_of(row: &DocumentRow) -> Result<Paper, &'static str> {
    let snapshot = row.snapshot.iter().map(|(_, state)| state.as_slice());
    let paper = Paper::of(snapshot.chain(row.updates.iter().map(|(_, update)| update.as_slice())));
    paper.map_err(|_| "an update of its document cannot be applied")
}
