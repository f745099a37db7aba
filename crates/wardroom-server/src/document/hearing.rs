//! What a room makes of what peers say, and what it tells each of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use wardroom_core::directory::Directory;
use wardroom_core::facts::Facts;
use wardroom_core::id::PersonId;
use wardroom_core::incident::Incident;

use super::close::Close;
use super::limits::{CLIENTS_MAX, MESSAGE_MAX};
use super::paper::{Refused, Taken};
use super::room::{Room, Round, Word};
use super::seat::{Guest, Seat};
use super::wire::{self, Malformed, Said};

/// By what it is decided who may write at this moment: the incident and the directory, if they can be read.
#[derive(Debug, Default)]
pub(super) struct Rights(Option<(Arc<Incident>, Arc<Directory>)>);

impl Rights {
    /// Whether they could be read.
    pub(super) fn are_known(&self) -> bool {
        self.0.is_some()
    }

    /// Whether somebody may write.
    pub(super) fn of(&self, guest: &Guest) -> Result<(), String> {
        if !guest.acts {
            return Err("You read with a token that does not allow to write.".to_owned());
        }
        let Some((incident, directory)) = &self.0 else {
            return Err("Whether you may write cannot be found out at the moment.".to_owned());
        };
        incident.may_write(guest.person, &directory.facts).map_err(|refusal| refusal.sentence)
    }
}

/// What somebody says that is to be kept.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Sort {
    /// Everything that they have and we had not.
    Answer,
    /// What they have just written.
    Update,
}

/// What came of something that was to be kept.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Outcome {
    /// It is stored, or will be with this round.
    Kept,
    /// It is not taken in.
    LeftOut,
}

impl Room {
    pub(super) async fn rights(&self) -> Rights {
        let held = self.streams.incident(self.number).await.ok().flatten();
        let directory = self.streams.directory().directory;
        Rights(held.map(|held| (held.incident, directory)))
    }

    /// Takes in one word.
    pub(super) async fn hear(&mut self, round: &mut Round, word: Word) {
        match word {
            Word::Joins(_, _, inbox) if self.damaged => inbox.close(Close::damaged()),
            Word::Joins(peer, guest, inbox) => {
                self.seats.insert(peer, Seat::new(guest, inbox));
                round.joined.push(peer);
            }
            Word::Leaves(peer) => self.leave(peer),
            Word::Says(peer, message, _weight) => {
                let open = |seat: &&mut Seat| !seat.inbox.is_closing();
                let Some(seat) = self.seats.get_mut(&peer).filter(open) else { return };
                match wire::read(&message) {
                    Err(Malformed(what)) => seat.inbox.close(Close::malformed(what)),
                    Ok(Said::Has(clocks)) => {
                        seat.has_asked = true;
                        round.asked.insert(peer, clocks);
                    }
                    Ok(Said::Answers(update)) => self.kept(round, peer, update, Sort::Answer).await,
                    Ok(Said::Writes(update)) => self.kept(round, peer, update, Sort::Update).await,
                    Ok(Said::Present(presences)) => {
                        let person = seat.guest.person;
                        let allowed = |client| self.clients.get(&client).is_none_or(|owner| *owner == person);
                        round.present.extend(self.presences.say((peer, person), presences, allowed));
                    }
                    Ok(Said::WhoIsThere) => {
                        seat.inbox.send(wire::present(self.presences.all().iter()).into());
                    }
                    Ok(Said::Nothing) => {}
                }
            }
        }
    }

    /// Takes in something to keep, and counts how far that peer's messages are.
    async fn kept(&mut self, round: &mut Round, peer: u64, update: &[u8], sort: Sort) {
        let Some(seat) = self.seats.get_mut(&peer) else { return };
        seat.came += 1;
        let came = seat.came;
        if let Some((_, changed)) = &mut seat.full {
            *changed |= sort == Sort::Update;
        }
        if sort == Sort::Update && update.len() > MESSAGE_MAX {
            return seat.inbox.close(Close::too_large("This change is larger than 1 MiB."));
        }
        match self.take(round, peer, update, sort) {
            Ok(Outcome::LeftOut) => {}
            Ok(Outcome::Kept) => {
                let Some(seat) = self.seats.get_mut(&peer) else { return };
                if sort == Sort::Answer {
                    // It is everything that they have: what waited is in it, and so is whatever was not taken in.
                    (seat.answered, seat.gap, seat.left_out, seat.full) = (true, false, false, None);
                    seat.waiting.take();
                }
                if !seat.gap {
                    round.kept.insert(peer, came);
                }
            }
            Err(Refused::Missing) => self.missing(peer, update, sort),
            Err(why) => self.refused(round, peer, why).await,
        }
    }

    /// What comes of something that is not taken in, and does not just come too early.
    async fn refused(&mut self, round: &mut Round, peer: u64, why: Refused) {
        match why {
            Refused::Malformed(what) => self.close(peer, Close::malformed(what)),
            Refused::TooLarge(what) => self.close(peer, Close::too_large(what)),
            Refused::Full(why) => self.seats.get_mut(&peer).into_iter().for_each(|seat| seat.is_full(why)),
            Refused::Broken => self.broke(round, peer).await,
            Refused::Missing => self.missing_still(peer),
        }
    }

    fn close(&self, peer: u64, why: Close) {
        if let Some(seat) = self.seats.get(&peer) {
            seat.inbox.close(why);
        }
    }

    /// Takes in what may be. What somebody says who may not write is left out, and they are told.
    fn take(&mut self, round: &mut Round, peer: u64, update: &[u8], sort: Sort) -> Result<Outcome, Refused> {
        let Some(seat) = self.seats.get_mut(&peer) else { return Ok(Outcome::LeftOut) };
        let (guest, person) = (seat.guest.clone(), seat.guest.person);
        let may = round.rights.of(&seat.guest);
        let brings = match self.paper.judge(update) {
            Err(Refused::Missing) if seat.left_out && sort == Sort::Update => return Ok(Outcome::LeftOut),
            Err(Refused::Missing) if may.is_err() => None, // Nothing of theirs waits.
            judged => Some(judged?),
        };
        if brings.as_ref().is_some_and(|brings| brings.clients.is_empty() && !brings.deletes) {
            return Ok(Outcome::Kept); // It says nothing that is not stored.
        }
        let new = brings.as_ref().is_none_or(|brings| !brings.clients.is_empty());
        let brings = match (may, brings) {
            (Ok(()), Some(brings)) => brings,
            (may, _) => {
                (seat.gap, seat.left_out) = (true, true);
                // An answer repeats all that was ever deleted, and may bring nothing.
                if new || sort == Sort::Update {
                    seat.refuse(may.err().unwrap_or_default());
                }
                return Ok(Outcome::LeftOut);
            }
        };
        let owner = |client| self.clients.get(client).or_else(|| round.clients.get(client));
        if brings.clients.keys().any(|client| owner(client).is_some_and(|owner| *owner != person)) {
            seat.inbox.close(Close::foreign_client());
            return Ok(Outcome::LeftOut);
        }
        if brings.clients.keys().filter(|client| owner(client).is_none()).count() > CLIENTS_MAX {
            return Err(Refused::TooLarge("It is written by more than 64 clients that nobody knew."));
        }
        let Some(Taken { update, parts }) = self.paper.accept(update, &brings)? else { return Ok(Outcome::Kept) };
        let new = brings.clients.into_keys().filter(|client| !self.clients.contains_key(client));
        round.clients.extend(new.map(|client| (client, person)));
        round.parts.extend(parts.into_iter().map(|part| (part, person)));
        round.updates.push(update);
        round.writers.insert(peer, guest);
        Ok(Outcome::Kept)
    }

    /// Something follows on what is not there. Before they have answered what they were asked, that is to be expected;
    /// after that they are asked once more, and then closed.
    fn missing(&mut self, peer: u64, update: &[u8], sort: Sort) {
        let Some(seat) = self.seats.get_mut(&peer) else { return };
        seat.gap = true;
        let may_wait = sort == Sort::Update && !seat.answered && !seat.asked_again;
        if !(may_wait && seat.waiting.push(update)) {
            self.missing_still(peer);
        }
    }

    /// What has waited too long for an answer is looked at as it is: by now somebody else may have brought what it
    /// follows on.
    pub(super) async fn take_what_waits(&mut self) {
        let may_fit = self.seats.iter_mut().filter_map(|(peer, seat)| seat.may_fit().then_some(*peer));
        may_fit.collect::<Vec<u64>>().into_iter().for_each(|peer| self.ask(peer));
        let over = self.seats.iter().filter(|(_, seat)| seat.waiting.is_over());
        let peers: Vec<u64> = over.map(|(peer, _)| *peer).collect();
        if peers.is_empty() {
            return;
        }
        let mut round = Round { rights: self.rights().await, ..Round::default() };
        for peer in peers {
            let Some(seat) = self.seats.get_mut(&peer) else { continue };
            let mut fits = true;
            for update in seat.waiting.take() {
                match self.take(&mut round, peer, &update, Sort::Update) {
                    Ok(_) => {}
                    Err(Refused::Missing) => fits = false,
                    Err(why) => self.refused(&mut round, peer, why).await,
                }
            }
            if fits {
                // Which of their messages are kept is only known of a whole answer.
                self.ask(peer);
            } else {
                self.missing_still(peer);
            }
        }
        self.end_round(round).await;
    }

    /// Asks a peer for everything that is not here.
    fn ask(&self, peer: u64) {
        if let Some(seat) = self.seats.get(&peer) {
            seat.inbox.send(wire::has(self.paper.clocks()).into());
        }
    }

    fn missing_still(&mut self, peer: u64) {
        let Some(seat) = self.seats.get_mut(&peer) else { return };
        if std::mem::replace(&mut seat.asked_again, true) {
            seat.inbox.close(Close::missing());
        } else {
            self.ask(peer);
        }
    }

    /// The library broke over an update: whoever sent it is closed, and the text is made anew, with what else came.
    async fn broke(&mut self, round: &mut Round, peer: u64) {
        tracing::error!(number = %self.number, "an update broke the text, which is made anew");
        self.close(peer, Close::malformed("it cannot be applied"));
        self.read_anew().await;
        round.rights = self.rights().await; // That may have taken a while.
        if !round.updates.iter().all(|update| self.paper.take_in(update).is_ok()) {
            tracing::error!(number = %self.number, "and what came with it does not fit any more");
            // Nothing of the round is written or said to be kept; its writers are asked for it again.
            let writers = &round.writers;
            round.kept.retain(|peer, _| !writers.contains_key(peer));
            self.begin_anew(round).await;
        }
    }

    /// Tells somebody who joined what there is, and asks what they have.
    pub(super) fn greet(&mut self, peer: u64, rights: &Rights) {
        let Some(seat) = self.seats.get_mut(&peer) else { return };
        let may = rights.of(&seat.guest);
        let told = may.clone();
        seat.may = Some(may);
        let seat = &self.seats[&peer];
        seat.tell(|| wire::may(told.is_ok(), told.as_ref().err().map_or("", String::as_str)));
        seat.inbox.send(wire::has(self.paper.clocks()).into());
        let present = self.presences.all();
        if !present.is_empty() {
            seat.inbox.send(wire::present(present.iter()).into());
        }
        let (authors, clock) = (self.authors_of(&self.clients), self.clock());
        seat.tell(|| wire::authors(authors.as_deref().unwrap_or("{}")));
        seat.tell(|| wire::clock(self.version, &clock));
    }

    /// Tells everybody for whom it has changed whether they may write. Whoever may again is asked for what was left out.
    pub(super) async fn tell_rights(&mut self) {
        if self.seats.is_empty() {
            return;
        }
        let rights = self.rights().await;
        for seat in self.seats.values_mut() {
            let may = rights.of(&seat.guest);
            if seat.may.as_ref() == Some(&may) {
                continue;
            }
            seat.tell(|| wire::may(may.is_ok(), may.as_ref().err().map_or("", String::as_str)));
            if may.is_ok() && seat.gap {
                seat.inbox.send(wire::has(self.paper.clocks()).into());
            }
            seat.may = Some(may);
        }
    }

    /// Which client is whose, as JSON; `None` for none.
    pub(super) fn authors_of(&self, clients: &BTreeMap<u64, PersonId>) -> Option<String> {
        if clients.is_empty() {
            return None;
        }
        let directory = self.streams.directory().directory;
        let authors: serde_json::Map<String, Value> =
            clients.iter().map(|(client, person)| (client.to_string(), who(&directory.facts, *person))).collect();
        Some(Value::Object(authors).to_string())
    }

    /// When each part last changed, and by whom, as JSON.
    pub(super) fn clock(&self) -> String {
        let directory = self.streams.directory().directory;
        let parts: serde_json::Map<String, Value> = self
            .parts
            .iter()
            .map(|(part, change)| {
                let by = who(&directory.facts, change.by);
                (part.name().to_owned(), json!({ "at": change.at, "version": change.version, "by": by }))
            })
            .collect();
        Value::Object(parts).to_string()
    }
}

/// Somebody, as pages are told of them.
fn who(facts: &Facts, person: PersonId) -> Value {
    let handle = facts.people.get(&person).and_then(|person| person.handle.words());
    json!({ "id": person, "handle": handle, "name": facts.name(person) })
}
