//! Who is there, and where their cursors are: said by clients, passed on, and kept by nobody.

use std::collections::BTreeMap;

use wardroom_core::id::PersonId;

use super::limits::PRESENCES_MAX;
use super::wire::Presence;

/// Clients that one peer may speak of as its own: a page has one, and draws a new one when it begins anew.
const OWN_MAX: usize = 8;

/// A presence, and the peer that said it.
#[derive(Debug)]
struct Said {
    presence: Presence,
    peer: u64,
    person: PersonId,
}

/// The presences of a room.
#[derive(Debug, Default)]
pub struct Presences(BTreeMap<u64, Said>);

impl Presences {
    /// Takes in what a peer says; answers what of it is news. A client that somebody else speaks for is left as it is:
    /// clients repeat what they heard of others. Whoever comes back speaks for the client that they were.
    pub fn say(
        &mut self,
        (peer, person): (u64, PersonId),
        said: Vec<Presence>,
        allowed: impl Fn(u64) -> bool,
    ) -> Vec<Presence> {
        let mut news = Vec::new();
        for presence in said {
            let known = self.0.get(&presence.client);
            let gone = presence.state == "null";
            let newer = known.is_none_or(|known| {
                presence.clock > known.presence.clock || (presence.clock == known.presence.clock && gone)
            });
            let room = known.is_some_and(|known| known.peer == peer)
                || (self.of(peer).count() < OWN_MAX && self.0.len() < PRESENCES_MAX);
            if known.is_some_and(|known| known.person != person) || !newer || !room || !allowed(presence.client) {
                continue;
            }
            if gone && known.is_none() {
                continue; // Nobody was told that it was here.
            }
            if gone {
                self.0.remove(&presence.client);
            } else {
                self.0.insert(presence.client, Said { presence: presence.clone(), peer, person });
            }
            news.push(presence);
        }
        news
    }

    /// A peer goes; answers that its clients are gone.
    pub fn leave(&mut self, peer: u64) -> Vec<Presence> {
        let gone: Vec<(u64, u64)> = self.of(peer).map(|was| (was.client, was.clock)).collect();
        gone.into_iter()
            .map(|(client, clock)| {
                self.0.remove(&client);
                Presence { client, clock: clock + 1, state: "null".to_owned() }
            })
            .collect()
    }

    fn of(&self, peer: u64) -> impl Iterator<Item = &Presence> {
        self.0.values().filter(move |said| said.peer == peer).map(|said| &said.presence)
    }

    /// Everybody who is there.
    #[must_use]
    pub fn all(&self) -> Vec<Presence> {
        self.0.values().map(|said| said.presence.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn presence(client: u64, clock: u64, state: &str) -> Presence {
        Presence { client, clock, state: state.to_owned() }
    }

    #[test]
    fn a_client_is_spoken_for_by_one_person_until_it_goes() {
        let mut presences = Presences::default();
        let [mary, robin] = [1, 2].map(|peer| (peer, PersonId(uuid::Uuid::from_u128(peer.into()))));
        let here = presence(7, 1, "{}");
        assert_eq!(presences.say(mary, vec![here.clone()], |_| true), std::slice::from_ref(&here));
        assert_eq!(presences.say(mary, vec![here.clone()], |_| true), [], "it is no news");
        assert_eq!(presences.say(robin, vec![presence(7, 5, r#"{"user":"somebody else"}"#)], |_| true), []);
        assert_eq!(presences.say(robin, vec![presence(8, 1, "{}")], |client| client != 8), [], "not theirs");
        assert_eq!(presences.all(), [here]);
        // She came back before it was noticed that she had gone.
        assert_eq!(presences.say((3, mary.1), vec![presence(7, 2, "{}")], |_| true).len(), 1);
        assert_eq!(presences.leave(mary.0), []);
        assert_eq!(presences.leave(3), [presence(7, 3, "null")]);
        assert_eq!(presences.say(robin, vec![presence(7, 3, "{}")], |_| true).len(), 1);
        assert_eq!(presences.say(robin, vec![presence(7, 3, "null")], |_| true).len(), 1);
        assert!(presences.all().is_empty());
        let many = (0..100).map(|client| presence(client, 1, "{}")).collect();
        assert_eq!(presences.say(robin, many, |_| true).len(), OWN_MAX);
    }
}
