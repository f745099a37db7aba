//! The text itself, as this node holds it: the library (yrs) behind a judge, and behind a net for when it breaks.
//!
//! Whatever it cannot take in leaves it *broken*: it is thrown away and made anew from what is stored. Nothing is stored
//! or shown that did not come out of it whole.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use yrs::block::ClientID;
use yrs::updates::decoder::Decode;
use yrs::{
    Doc, GetString, Observable, OffsetKind, Options, ReadTxn, StateVector, Text, TextRef, Transact, TransactionMut,
    Update,
};

use wardroom_core::document::Part;

use super::judge::{self, Brings};
use super::limits::{PART_MAX, STATE_MAX};
use super::wire::{Clocks, Malformed};

/// Why an update is not taken in.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Refused {
    /// It is no update of such a document: what about it is wrong.
    Malformed(&'static str),
    /// It is itself larger than it may be: in what.
    TooLarge(&'static str),
    /// With it, a part or the document would be: why there is no room for it.
    Full(&'static str),
    /// It follows on something that is not there.
    Missing,
    /// The library broke over it. The text has to be made anew.
    Broken,
}

/// An update that says nothing.
const NOTHING: [u8; 2] = [0, 0];

/// What taking in an update came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taken {
    /// Exactly what it added and deleted, as an update of its own.
    pub update: Vec<u8>,
    /// Which parts look different now.
    pub parts: Vec<Part>,
}

/// A document's text.
pub struct Paper {
    doc: Doc,
    texts: [TextRef; 3],
    /// One bit for each part that the last update changed.
    changed: Arc<AtomicU8>,
    clocks: Clocks,
    /// What it weighs as it is stored, and what was added since that was known: never less than it is now.
    weight: usize,
}

impl std::fmt::Debug for Paper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Paper").field("clocks", &self.clocks).field("weight", &self.weight).finish_non_exhaustive()
    }
}

impl From<Malformed> for Refused {
    fn from(Malformed(what): Malformed) -> Self {
        Self::Malformed(what)
    }
}

impl Default for Paper {
    fn default() -> Self {
        Self::new()
    }
}

impl Paper {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        let doc = Doc::with_options(Options { offset_kind: OffsetKind::Utf16, ..Options::default() });
        let texts = Part::ALL.map(|part| doc.get_or_insert_text(part.name()));
        let changed = Arc::new(AtomicU8::new(0));
        for (bit, text) in texts.iter().enumerate() {
            let changed = Arc::clone(&changed);
            text.observe("wardroom", move |_, _| {
                changed.fetch_or(1 << bit, Ordering::Relaxed);
            });
        }
        Self { doc, texts, changed, clocks: Clocks::new(), weight: 0 }
    }

    /// One of which so much is stored, in this order.
    ///
    /// # Errors
    /// [`Refused`] when what is stored is none of what is ever stored.
    pub fn of<'a>(stored: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, Refused> {
        let mut paper = Self::new();
        for update in stored {
            let brings = judge::read(update)?.fits(&paper.clocks).map_err(|judge::Missing| Refused::Missing)?;
            paper.apply(update, |_| ())?;
            paper.clocks.extend(brings.clients);
            paper.weight += update.len();
        }
        paper.changed.store(0, Ordering::Relaxed);
        Ok(paper)
    }

    /// What everybody has written here, by number.
    #[must_use]
    pub fn clocks(&self) -> &Clocks {
        &self.clocks
    }

    /// What an update would bring. Nothing is changed.
    ///
    /// # Errors
    /// [`Refused`], but not [`Refused::Broken`].
    pub fn judge(&self, update: &[u8]) -> Result<Brings, Refused> {
        let brings = judge::read(update)?.fits(&self.clocks).map_err(|judge::Missing| Refused::Missing)?;
        // Whose part it is is not known yet: it has to fit each of them, and they are far from full.
        if brings.units > 0 {
            let text = self.doc.transact();
            let longest = self.texts.iter().map(|part| part.len(&text)).max().unwrap_or_default();
            if u64::from(longest) + brings.units > u64::from(PART_MAX) {
                return Err(Refused::Full("A part of this document would be longer than 200,000 characters."));
            }
        }
        Ok(brings)
    }

    /// Takes in an update that may be; `None` when it says nothing that was not known.
    ///
    /// # Errors
    /// [`Refused`]; nothing has changed then, but for [`Refused::Broken`].
    pub fn offer(&mut self, update: &[u8]) -> Result<Option<Taken>, Refused> {
        let brings = self.judge(update)?;
        self.accept(update, &brings)
    }

    /// Takes in an update that was judged against what is here now; `None` when it says nothing that was not known.
    ///
    /// # Errors
    /// [`Refused`]; nothing has changed then, but for [`Refused::Broken`].
    pub fn accept(&mut self, update: &[u8], brings: &Brings) -> Result<Option<Taken>, Refused> {
        if brings.clients.is_empty() && !brings.deletes {
            return Ok(None);
        }
        if self.weight + update.len() > STATE_MAX {
            self.weight = self.state()?.len();
            if self.weight + update.len() > STATE_MAX {
                return Err(Refused::Full("This document would be larger than 8 MiB."));
            }
        }
        self.put(update, brings)
    }

    /// Takes in what is stored.
    ///
    /// # Errors
    /// [`Refused::Broken`], or that it is no update at all.
    pub fn take_in(&mut self, update: &[u8]) -> Result<Option<Taken>, Refused> {
        let brings = judge::read(update)?.fits(&self.clocks).map_err(|judge::Missing| Refused::Missing)?;
        self.put(update, &brings)
    }

    fn put(&mut self, update: &[u8], brings: &Brings) -> Result<Option<Taken>, Refused> {
        let own = self.apply(update, |text| text.encode_update_v1())?;
        let bits = self.changed.swap(0, Ordering::Relaxed);
        for (client, clock) in &brings.clients {
            self.clocks.insert(*client, *clock);
        }
        if own == NOTHING {
            return Ok(None);
        }
        self.weight += own.len();
        let parts = Part::ALL.into_iter().enumerate().filter(|(bit, _)| bits & (1 << bit) != 0);
        Ok(Some(Taken { update: own, parts: parts.map(|(_, part)| part).collect() }))
    }

    /// Has the library apply an update, and looks at what that came to before it is done.
    fn apply<T>(&self, update: &[u8], look: impl FnOnce(&TransactionMut<'_>) -> T) -> Result<T, Refused> {
        catch_unwind(AssertUnwindSafe(|| self.applied(update, look))).unwrap_or(Err(Refused::Broken))
    }

    fn applied<T>(&self, update: &[u8], look: impl FnOnce(&TransactionMut<'_>) -> T) -> Result<T, Refused> {
        let update = Update::decode_v1(update).map_err(|_| Refused::Malformed("the library cannot read it"))?;
        let mut transaction = self.doc.transact_mut();
        let applied = catch_unwind(AssertUnwindSafe(|| {
            let applied = transaction.apply_update(update).is_ok() && !transaction.has_missing_updates();
            applied.then(|| look(&transaction))
        }));
        let Ok(Some(seen)) = applied else {
            // Ending it would go on with what broke, and a second panic ends the process.
            std::mem::forget(transaction);
            return Err(Refused::Broken);
        };
        let ended = catch_unwind(AssertUnwindSafe(|| transaction.commit()));
        ended.map(|()| seen).map_err(|_| Refused::Broken)
    }

    /// Everything that whoever has these has not, as an update.
    ///
    /// # Errors
    /// [`Refused::Broken`].
    pub fn since(&self, known: &Clocks) -> Result<Vec<u8>, Refused> {
        // A client that is known further than it was ever heard of has nothing to be told.
        let known = known.iter().map(|(client, clock)| (ClientID::new(*client), *clock)).collect();
        looked(|| self.doc.transact().encode_diff_v1(&StateVector::new(known)))
    }

    /// Everything, as it is stored.
    ///
    /// # Errors
    /// [`Refused::Broken`].
    pub fn state(&self) -> Result<Vec<u8>, Refused> {
        self.since(&Clocks::new())
    }

    /// The words of a part.
    ///
    /// # Errors
    /// [`Refused::Broken`].
    pub fn words(&self, part: Part) -> Result<String, Refused> {
        looked(|| self.texts[part as usize].get_string(&self.doc.transact()))
    }

    /// The words of every part.
    ///
    /// # Errors
    /// [`Refused::Broken`].
    pub fn all_words(&self) -> Result<BTreeMap<Part, String>, Refused> {
        Part::ALL.into_iter().map(|part| Ok((part, self.words(part)?))).collect()
    }
}

/// Reads the text behind the net: what clients ask for reaches into the library, too.
fn looked<T>(look: impl FnOnce() -> T) -> Result<T, Refused> {
    catch_unwind(AssertUnwindSafe(look)).map_err(|_| Refused::Broken)
}

#[cfg(test)]
mod tests {
    use super::super::wire::{self, Bytes, Said};
    use super::judge::{first_words, merged};
    use super::*;

    fn recorded(name: &str) -> Vec<u8> {
        std::fs::read(format!("{}/../../fuzz/corpus/document/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    /// The updates in a message of a real client (Yjs 13.6), or in a series of them.
    fn updates(name: &str) -> Vec<Vec<u8>> {
        let file = recorded(name);
        let carried = |message: &[u8]| match wire::read(message) {
            Ok(Said::Writes(update) | Said::Answers(update)) => vec![update.to_vec()],
            other => panic!("{name}: {other:?}"),
        };
        if wire::read(&file).is_ok() {
            return carried(&file);
        }
        let (mut series, mut updates) = (Bytes::new(&file), Vec::new());
        while !series.rest().is_empty() {
            updates.extend(carried(series.bytes().unwrap()));
        }
        updates
    }

    fn offered(paper: &mut Paper, name: &str) -> Vec<Result<Option<Taken>, Refused>> {
        updates(name).iter().map(|update| paper.offer(update)).collect()
    }

    #[test]
    fn what_real_clients_write_is_taken_in() {
        let mut paper = Paper::new();
        let taken = offered(&mut paper, "deleting");
        assert!(taken.iter().all(|taken| matches!(taken, Ok(Some(Taken { parts, .. })) if *parts == [Part::Notes])));
        assert_eq!(paper.words(Part::Notes).unwrap(), "D# i\u{1f600}\n");
        let mut paper = Paper::new();
        assert!(offered(&mut paper, "two-writers").iter().all(Result::is_ok));
        let again = offered(&mut paper, "merged");
        assert_eq!(again, [Ok(None)], "nothing of it is new");
        assert!(paper.words(Part::Summary).unwrap().contains("(all of it)"));
        assert!(offered(&mut Paper::new(), "undo").iter().all(Result::is_ok));
    }

    #[test]
    fn what_follows_on_something_missing_is_told_from_what_is_no_update() {
        let mut paper = Paper::new();
        assert_eq!(offered(&mut paper, "missing"), [Err(Refused::Missing)]);
        assert_eq!(offered(&mut paper, "merged-with-a-hole"), [Err(Refused::Missing)]);
        assert_eq!(offered(&mut paper, "huge-delete"), [Err(Refused::Missing)]);
        let found = offered(&mut paper, "out-of-order");
        assert!(matches!(found[..], [Err(Refused::Missing), Err(Refused::Missing), Ok(Some(_))]), "{found:?}");
        for (name, why) in [
            ("formatted", "it writes something else than plain text"),
            ("embed", "it writes something else than plain text"),
            ("a-map", "it writes under a key, and the parts are plain text"),
            ("another-root", "it writes elsewhere than in summary, status and notes"),
            ("nested", "it writes something else than plain text"),
            ("poison", "it writes into something that is not one of the parts"),
        ] {
            assert_eq!(offered(&mut paper, name), [Err(Refused::Malformed(why))], "{name}");
        }
        assert!(
            paper.offer(&[6, 0xff, 0xff, 0xff, 0xff, 0x0f, 0]).is_err(),
            "as many clients as it says are not there"
        );
        assert_eq!(paper.words(Part::Summary).unwrap(), "Search is failing", "nothing else was changed");
    }

    /// Neither of two that each stand beside the other can come first, and the library would wait for both.
    #[test]
    fn what_waits_for_itself_is_missing_something() {
        let beside = |of: u8| [0x80 | 4, of, 0, 1, b'x'];
        let mut update = vec![2];
        for (client, of) in [(1, 2), (2, 1)] {
            update.extend_from_slice(&[1, client, 0]);
            update.extend_from_slice(&beside(of));
        }
        update.push(0);
        assert_eq!(Paper::new().offer(&update), Err(Refused::Missing));
        let itself = [&[1, 1, 1, 0][..], &beside(1), &[0]].concat();
        assert_eq!(Paper::new().offer(&itself), Err(Refused::Missing));
        // Whichever stands first in it, one that comes after the other is no riddle.
        for (first, second) in [(1, 2), (2, 1)] {
            let mut update = vec![2, 1, first, 0];
            update.extend_from_slice(&beside(second));
            update.extend_from_slice(&[1, second, 0, 4, 1, 5]);
            update.extend_from_slice(b"notes\x01y\0");
            let mut paper = Paper::new();
            assert!(paper.offer(&update).unwrap().is_some());
            assert_eq!(paper.words(Part::Notes).unwrap(), "yx");
        }
    }

    #[test]
    fn what_was_taken_in_is_told_exactly_and_together() {
        let (mut paper, mut other) = (Paper::new(), Paper::new());
        let taken: Vec<Vec<u8>> =
            offered(&mut paper, "two-writers").into_iter().map(|taken| taken.unwrap().unwrap().update).collect();
        other.take_in(&merged(&taken).unwrap()).unwrap();
        assert_eq!((other.all_words().unwrap(), other.clocks()), (paper.all_words().unwrap(), paper.clocks()));
        let again = Paper::of([paper.state().unwrap().as_slice()]).unwrap();
        assert_eq!(again.all_words().unwrap(), paper.all_words().unwrap());
        let backwards: Vec<_> = taken.iter().rev().cloned().collect();
        assert_eq!(merged(&backwards), None, "not in another order");
        // A whole answer of which all but a little is known is stored as that little.
        let mut more = Paper::of([paper.state().unwrap().as_slice()]).unwrap();
        more.take_in(&first_words(900, Part::Status, "Down")).unwrap();
        let taken = paper.offer(&more.state().unwrap()).unwrap().unwrap();
        assert_eq!(taken.update, first_words(900, Part::Status, "Down"));
        assert_eq!(taken.parts, [Part::Status]);
    }

    #[test]
    fn half_of_a_pair_is_split_as_clients_split_it() {
        let mut paper = Paper::new();
        assert!(offered(&mut paper, "half-of-a-pair").iter().all(Result::is_ok));
        assert_eq!(paper.words(Part::Status).unwrap(), "\u{fffd}\u{fffd}");
        assert_eq!(
            Paper::of([paper.state().unwrap().as_slice()]).unwrap().all_words().unwrap(),
            paper.all_words().unwrap()
        );
    }

    #[test]
    fn parts_have_a_bound() {
        let words = |length: usize| "x".repeat(length);
        let mut paper = Paper::new();
        assert!(paper.offer(&first_words(1, Part::Notes, &words(PART_MAX as usize))).is_ok());
        let more = paper.offer(&first_words(2, Part::Notes, "x"));
        assert!(matches!(more, Err(Refused::Full(_))), "{more:?}");
    }

    /// A state vector comes from outside: whatever it says is known, it is answered by an update.
    #[test]
    fn whatever_somebody_says_they_have_they_are_answered() {
        let mut paper = Paper::new();
        paper.take_in(&first_words(7, Part::Notes, "a\u{1f600}b")).unwrap();
        paper.take_in(&first_words(9, Part::Status, "Down")).unwrap();
        for (client, clock) in [(7, 0), (7, 1), (7, 2), (7, 3), (7, 4), (7, 5), (7, i32::MAX as u32), (8, 1), (9, 2)] {
            let asked = paper.since(&Clocks::from([(client, clock)])).unwrap();
            judge::read(&asked).unwrap();
        }
        assert_eq!(looked(|| -> u8 { panic!("as the library would") }), Err(Refused::Broken));
    }
}
