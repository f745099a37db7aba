//! One history of one document, and what has to hold at its end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::dice::Dice;
use super::ground::{Ground, PEOPLE};
use super::page::{Page, Words};
use crate::wait::PATIENCE;

/// Steps of one history.
const STEPS: u32 = 24;
/// A server is killed once in so many steps of all histories.
const KILLED_ONCE_IN: u64 = 1_000;

/// What a history came to.
pub struct Ended {
    pub seed: u64,
    pub number: u64,
    pub words: Words,
    /// Under which numbers who wrote.
    pub writers: BTreeMap<u64, String>,
}

struct History<'a> {
    ground: &'a Ground,
    dice: Dice,
    number: u64,
    pages: Vec<Page>,
    /// Clients that pages have had.
    clients: u64,
    /// What was written, less what was deleted.
    stands: BTreeSet<char>,
    writers: BTreeMap<u64, String>,
}

/// Plays one; fails when pages differ in the end, when anything is lost or there twice, or when a page was closed that
/// did nothing wrong.
pub fn play(ground: &Ground, seed: u64) -> Ended {
    let mut history = History::new(ground, seed);
    for step in 0..STEPS {
        history.step(step);
    }
    let words = history.settle(seed);
    Ended { seed, number: history.number, words, writers: history.writers }
}

impl<'a> History<'a> {
    fn new(ground: &'a Ground, seed: u64) -> Self {
        let (dice, number) = (Dice::new(seed), ground.incident());
        let mut history = Self {
            ground,
            dice,
            number,
            pages: Vec::new(),
            clients: 0,
            stands: BTreeSet::new(),
            writers: BTreeMap::new(),
        };
        // One of them has it open twice.
        for person in [0, 1, 2, 0] {
            let page = Page::new(person, history.client());
            history.pages.push(page);
        }
        history
    }

    /// A client that nobody has been.
    fn client(&mut self) -> u64 {
        self.clients += 1;
        (self.dice.below(1 << 20) << 12) + self.clients
    }

    fn step(&mut self, step: u32) {
        if self.dice.once_in(KILLED_ONCE_IN) {
            let node = self.dice.index(self.ground.nodes());
            self.ground.kill(node);
        }
        let at = self.dice.index(self.pages.len());
        match self.dice.below(16) {
            0..=4 => self.write(at, step),
            5 => self.delete(at),
            6 => self.pages[at].break_off(),
            7 => self.load_anew(at),
            8 if self.dice.once_in(4) => self.pages.iter_mut().for_each(Page::break_off),
            9 => {
                // Everybody hears what there is; one of them hears nothing for a while.
                let asleep = self.dice.index(self.pages.len());
                let awake = self.pages.iter_mut().enumerate().filter(|(page, _)| *page != asleep);
                awake.for_each(|(_, page)| page.hear());
            }
            _ => {
                let node = self.dice.index(self.ground.nodes());
                self.pages[at].join(self.ground, node, self.number);
                self.pages[at].deliver_somehow(&mut self.dice);
                self.pages[at].hear();
            }
        }
    }

    /// Somebody writes up to three letters that stand nowhere else, some of two units.
    fn write(&mut self, at: usize, step: u32) {
        let letters = 1 + u32::try_from(self.dice.below(3)).unwrap();
        let block = if self.dice.once_in(3) { 0x2_0000 } else { 0x4e00 };
        let words: String = (0..letters).map(|letter| char::from_u32(block + step * 4 + letter).unwrap()).collect();
        self.pages[at].write(&mut self.dice, &words);
        self.stands.extend(words.chars());
        let page = &self.pages[at];
        self.writers.insert(page.client(), PEOPLE[page.person].to_owned());
    }

    fn delete(&mut self, at: usize) {
        for letter in self.pages[at].delete(&mut self.dice).chars() {
            self.stands.remove(&letter);
        }
    }

    /// A page is loaded anew, with what the browser kept. If all that it wrote is said to be saved, the browser may as
    /// well have lost it.
    fn load_anew(&mut self, at: usize) {
        let client = self.client();
        let page = &self.pages[at];
        let fresh = Page::new(page.person, client);
        if !page.is_saved() {
            fresh.take(&page.everything());
        }
        self.pages[at] = fresh;
    }

    /// The network is whole again: everybody comes back, somebody new joins them, and soon they have the same.
    fn settle(&mut self, seed: u64) -> Words {
        self.pages.iter_mut().for_each(Page::break_off);
        let newcomer = Page::new(1, self.client());
        self.pages.push(newcomer);
        let began = Instant::now();
        while !self.is_settled() {
            for (count, page) in self.pages.iter_mut().enumerate() {
                page.join(self.ground, count % self.ground.nodes(), self.number);
                page.deliver();
                page.hear();
            }
            let all: Vec<Words> = self.pages.iter().map(Page::words).collect();
            assert!(began.elapsed() < PATIENCE, "history {seed}: {:?} became {all:#?}", self.stands);
        }
        self.pages[0].words()
    }

    fn is_settled(&self) -> bool {
        let words = self.pages[0].words();
        let mut letters: Vec<char> = words.iter().flat_map(|part| part.chars()).collect();
        letters.sort_unstable();
        self.pages.iter().all(|page| page.is_in_step() && page.is_saved() && page.words() == words)
            && letters.iter().eq(self.stands.iter())
    }
}
