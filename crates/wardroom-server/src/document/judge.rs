//! What of an update may be applied at all: read strictly before the library sees it. Pure.
//!
//! The library (yrs) takes whatever decodes, and keeps what it cannot apply as pending for ever: one frame of 14 bytes
//! makes every later answer of it panic. So an update is read here first, and only what a document of three plain texts
//! consists of goes on: texts that were written and numbers of units that were deleted, in one of the three roots, next
//! to what is there already. What follows on something that is missing is told from what is no update at all.

use std::cmp::Reverse;
use std::collections::binary_heap::PeekMut;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::ops::Range;

use wardroom_core::document::Part;

use super::wire::{Bytes, Clocks, Malformed, put_bytes, put_number};

/// Where something stands: the client that wrote it, and its number among what that client wrote.
type Id = (u64, u32);

/// Bits of the byte before each struct.
const HAS_LEFT: u8 = 0x80;
const HAS_RIGHT: u8 = 0x40;
const HAS_KEY: u8 = 0x20;
/// The kinds of struct that there are here.
const DELETED: u8 = 1;
const TEXT: u8 = 4;
const SKIP: u8 = 10;

/// One thing that was written.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Struct<'a> {
    /// How many units it stands for.
    len: u32,
    /// What it stands beside.
    beside: [Option<Id>; 2],
    /// Whether it only says that something is left out.
    skipped: bool,
    /// Units of text in it that are not deleted.
    units: u32,
    bytes: &'a [u8],
}

/// What one client wrote, one after the other.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Run<'a> {
    first: u32,
    end: u32,
    structs: Vec<Struct<'a>>,
}

/// An update that is nothing but what a document of ours consists of.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Update<'a> {
    runs: BTreeMap<u64, Run<'a>>,
    deleted: BTreeMap<u64, Vec<Range<u32>>>,
}

/// What an update that can be applied brings.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Brings {
    /// What each client wrote that was not known: everything below this number is known from now on.
    pub clients: Clocks,
    /// Units of text that were not known.
    pub units: u64,
    /// Whether anything is said to be deleted; it may have been before.
    pub deletes: bool,
}

/// It follows on something that is not there.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Missing;

/// Reads an update.
///
/// # Errors
/// What about it is not of such a document.
pub fn read(update: &[u8]) -> Result<Update<'_>, Malformed> {
    let mut bytes = Bytes::new(update);
    let mut runs = BTreeMap::new();
    for _ in 0..bytes.number()? {
        let (count, client) = (bytes.number()?, bytes.number()?);
        let run = run(&mut bytes, count)?;
        if count > 0 && runs.insert(client, run).is_some() {
            return Err(Malformed("it names a client twice"));
        }
    }
    let mut deleted = BTreeMap::new();
    for _ in 0..bytes.number()? {
        let client = bytes.number()?;
        let mut ranges = Vec::new();
        for _ in 0..bytes.number()? {
            let (start, length) = (bytes.clock()?, bytes.clock()?);
            ranges.push(start..counted(start, length)?);
        }
        if deleted.insert(client, ranges).is_some() {
            return Err(Malformed("it names a client twice"));
        }
    }
    bytes.end().map(|()| Update { runs, deleted })
}

fn counted(from: u32, length: u32) -> Result<u32, Malformed> {
    from.checked_add(length).filter(|end| *end <= i32::MAX as u32).ok_or(Malformed("it counts too far"))
}

fn run<'a>(bytes: &mut Bytes<'a>, count: u64) -> Result<Run<'a>, Malformed> {
    let first = bytes.clock()?;
    let (mut end, mut structs) = (first, Vec::new());
    for _ in 0..count {
        let one = one(bytes)?;
        end = counted(end, one.len)?;
        structs.push(one);
    }
    Ok(Run { first, end, structs })
}

fn one<'a>(bytes: &mut Bytes<'a>) -> Result<Struct<'a>, Malformed> {
    let begin = bytes.rest();
    let info = bytes.byte()?;
    let mut id = |has| if info & has == 0 { Ok(None) } else { Ok(Some((bytes.number()?, bytes.clock()?))) };
    let (mut beside, mut units) = ([None, None], 0);
    let kind = info & 0x1f;
    if kind == SKIP {
        if info != SKIP {
            return Err(Malformed("something left out in it stands beside something"));
        }
    } else {
        beside = [id(HAS_LEFT)?, id(HAS_RIGHT)?];
        if info & HAS_KEY != 0 {
            return Err(Malformed("it writes under a key, and the parts are plain text"));
        }
        if beside == [None, None] {
            if bytes.number()? != 1 {
                return Err(Malformed("it writes into something that is not one of the parts"));
            }
            Part::named(bytes.text()?).ok_or(Malformed("it writes elsewhere than in summary, status and notes"))?;
        }
    }
    let len = match kind {
        DELETED | SKIP => bytes.clock()?,
        TEXT => {
            let text = bytes.text()?;
            units = u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX);
            units
        }
        _ => return Err(Malformed("it writes something else than plain text")),
    };
    if len == 0 {
        return Err(Malformed("something in it is empty"));
    }
    let length = begin.len() - bytes.rest().len();
    Ok(Struct { len, beside, skipped: kind == SKIP, units, bytes: &begin[..length] })
}

/// How far applying an update has come: each client's next struct, and who waits for whom.
struct Progress<'u, 'a> {
    update: &'u Update<'a>,
    known: &'u Clocks,
    /// Per client of the update: its next struct, and that one's number.
    next: HashMap<u64, (usize, u32)>,
    /// Per client: who waits until it has come to which number, the lowest first.
    waiting: HashMap<u64, BinaryHeap<Reverse<(u32, u64)>>>,
    /// How often something was looked at.
    looks: usize,
}

impl Progress<'_, '_> {
    fn reached(&self, client: u64) -> u32 {
        let known = self.known.get(&client).copied().unwrap_or_default();
        self.next.get(&client).map_or(known, |(_, clock)| known.max(*clock))
    }

    /// Goes on with a client as far as it gets. False when it waits for one that will not come.
    fn go_on(&mut self, client: u64, brings: &mut Brings) -> bool {
        let known = self.known.get(&client).copied().unwrap_or_default();
        let run = &self.update.runs[&client];
        let (mut index, mut clock) = self.next[&client];
        let may_come = loop {
            self.looks += 1;
            let Some(one) = run.structs.get(index) else { break true };
            let end = clock + one.len;
            if end > known {
                if one.skipped || run.first > known {
                    break false;
                }
                let missing = |(of, number): &&Id| *number >= self.reached_by(*of, client, clock);
                if let Some((of, number)) = one.beside.iter().flatten().find(missing) {
                    self.waiting.entry(*of).or_default().push(Reverse((*number, client)));
                    break *of != client && self.update.runs.contains_key(of);
                }
                brings.units += u64::from(one.units);
            }
            (index, clock) = (index + 1, end);
        };
        self.next.insert(client, (index, clock));
        if run.first <= known && clock > known {
            brings.clients.insert(client, clock);
        }
        may_come
    }

    /// What somebody may stand beside: of the same client only what came before.
    fn reached_by(&self, of: u64, client: u64, clock: u32) -> u32 {
        if of == client { clock.max(self.known.get(&of).copied().unwrap_or_default()) } else { self.reached(of) }
    }
}

impl Update<'_> {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.deleted.is_empty()
    }

    /// What it brings to whoever has everything below these numbers.
    ///
    /// # Errors
    /// When it follows on something that they have not, and that it does not bring either.
    pub fn fits(&self, known: &Clocks) -> Result<Brings, Missing> {
        self.looked_through(known).0
    }

    /// Whether it fits, and how many looks that took: each struct is looked at once, and once more for each of its two
    /// neighbours that come later, however hostile the order.
    fn looked_through(&self, known: &Clocks) -> (Result<Brings, Missing>, usize) {
        let mut brings = Brings { deletes: !self.deleted.is_empty(), ..Brings::default() };
        let next = self.runs.iter().map(|(client, run)| (*client, (0, run.first))).collect();
        let mut progress = Progress { update: self, known, next, waiting: HashMap::new(), looks: 0 };
        let mut turn: Vec<u64> = self.runs.keys().copied().collect();
        while let Some(client) = turn.pop() {
            if !progress.go_on(client, &mut brings) {
                return (Err(Missing), progress.looks);
            }
            let reached = progress.reached(client);
            let Some(waiting) = progress.waiting.get_mut(&client) else { continue };
            while let Some(first) = waiting.peek_mut().filter(|first| first.0.0 < reached) {
                progress.looks += 1;
                turn.push(PeekMut::pop(first).0.1);
            }
        }
        let done = self.runs.iter().all(|(client, run)| progress.next[client].0 == run.structs.len());
        let mut deleted = self.deleted.iter().flat_map(|(client, ranges)| ranges.iter().map(move |r| (*client, r.end)));
        if !done || deleted.any(|(client, end)| end > progress.reached(client)) {
            return (Err(Missing), progress.looks);
        }
        (Ok(brings), progress.looks)
    }
}

/// Several updates as one, when each goes on where the ones before it ended, as those do that a document just took in;
/// `None` when they do not.
#[must_use]
pub fn merged(updates: &[Vec<u8>]) -> Option<Vec<u8>> {
    let mut runs: BTreeMap<u64, (u32, u32, u64, Vec<u8>)> = BTreeMap::new();
    let mut deleted: BTreeMap<u64, Vec<Range<u32>>> = BTreeMap::new();
    for update in updates {
        let update = read(update).ok()?;
        for (client, run) in update.runs {
            let (_, end, count, bytes) = runs.entry(client).or_insert((run.first, run.first, 0, Vec::new()));
            if *end != run.first {
                return None;
            }
            (*end, *count) = (run.end, *count + run.structs.len() as u64);
            run.structs.iter().for_each(|one| bytes.extend_from_slice(one.bytes));
        }
        for (client, ranges) in update.deleted {
            deleted.entry(client).or_default().extend(ranges);
        }
    }
    let mut into = Vec::new();
    put_number(&mut into, runs.len() as u64);
    for (client, (first, _, count, bytes)) in runs.iter().rev() {
        [*count, *client, u64::from(*first)].into_iter().for_each(|number| put_number(&mut into, number));
        into.extend_from_slice(bytes);
    }
    put_number(&mut into, deleted.len() as u64);
    for (client, ranges) in &deleted {
        put_number(&mut into, *client);
        put_number(&mut into, ranges.len() as u64);
        for range in ranges {
            put_number(&mut into, u64::from(range.start));
            put_number(&mut into, u64::from(range.end - range.start));
        }
    }
    Some(into)
}

/// An update in which a client writes a text at the beginning of a part, as it would as its first act.
#[must_use]
pub fn first_words(client: u64, part: Part, words: &str) -> Vec<u8> {
    let mut update = Vec::new();
    [1, 1, client, 0].into_iter().for_each(|number| put_number(&mut update, number));
    update.extend_from_slice(&[TEXT, 1]);
    put_bytes(&mut update, part.name().as_bytes());
    put_bytes(&mut update, words.as_bytes());
    update.push(0);
    update
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Clients 1 and 2 go on only in turns, each of whose steps is looked at by all the others, who wait for the last.
    fn in_turns(steps: u32, others: u64) -> Vec<u8> {
        let mut update = Vec::new();
        put_number(&mut update, 2 + others);
        for (client, other) in [(1, 2), (2, 1)] {
            [u64::from(steps), client, 0].into_iter().for_each(|number| put_number(&mut update, number));
            for step in 0..steps {
                if (client, step) == (1, 0) {
                    update.extend_from_slice(b"\x04\x01\x05notes\x01x");
                    continue;
                }
                update.push(TEXT | HAS_LEFT);
                put_number(&mut update, other);
                put_number(&mut update, u64::from(if client == 1 { step - 1 } else { step }));
                update.extend_from_slice(b"\x01x");
            }
        }
        for client in 0..others {
            [1, 3 + client, 0].into_iter().for_each(|number| put_number(&mut update, number));
            update.push(TEXT | HAS_LEFT);
            [1, u64::from(steps) - 1].into_iter().for_each(|number| put_number(&mut update, number));
            update.extend_from_slice(b"\x01x");
        }
        update.push(0);
        update
    }

    #[test]
    fn the_work_grows_with_what_is_sent_and_no_faster() {
        let bytes = in_turns(1_000, 1_000);
        let update = read(&bytes).unwrap();
        let (fits, looks) = update.looked_through(&Clocks::new());
        assert_eq!(fits.unwrap().units, 3_000);
        assert!(looks <= 5 * 3_000, "{looks} looks at 3,000 structs");
    }
}
