//! The state document's marks in every history: each tells the whole document as it stood, by its own words and those of
//! marks before it.

use std::cell::RefCell;
use std::collections::BTreeMap;

use wardroom_core::document::{Part, PartWritten, Written};
use wardroom_core::event::Event;
use wardroom_core::id::{Entry, Number};
use wardroom_core::incident::Kind;

use crate::harness::{at, person};
use crate::hold_on;
use crate::steps::{WORD, histories};
use crate::world::{Moment, Verdict, Watch};

/// The document after so many updates: its parts change now and then.
pub fn written(version: u64) -> Written {
    let part = |(part, every): (Part, u64)| {
        let changed = version - version % every;
        let by = Some((person(u8::try_from(version % 3).expect("it is small")), at(0)));
        (part, PartWritten { changed, by, words: format!("{WORD} {changed}") })
    };
    let parts = Part::ALL.into_iter().zip([2, 3, 5]).map(part).filter(|(_, part)| part.changed > 0);
    Written { version, parts: parts.collect() }
}

/// The words of every mark, as readers would look them up.
#[derive(Default)]
struct Marks {
    texts: BTreeMap<(Number, Entry, Part), String>,
    /// How many marks had nothing to say of a part, because it stood in one before.
    pointing: usize,
}

impl Watch for Marks {
    fn entry(&mut self, moment: &Moment<'_>) -> Verdict {
        let (number, entry) = (moment.after.number, moment.recorded.entry);
        let Event::DocumentMarked { version, parts } = &moment.recorded.event else { return Ok(()) };
        for (part, marked) in parts {
            if let Some(words) = marked.text.as_ref().and_then(|text| text.words()) {
                self.texts.insert((number, entry, *part), words.to_owned());
            }
        }
        let mark = moment.after.document.as_of(entry).filter(|mark| mark.entry == entry).ok_or("no mark of its own")?;
        let told = |(part, entry): (&Part, &Entry)| Some((*part, self.texts.get(&(number, *entry, *part))?.clone()));
        let told: BTreeMap<Part, String> = mark.words_in.iter().filter_map(told).collect();
        let stood = written(*version).parts.into_iter().map(|(part, written)| (part, written.words));
        if told != stood.collect() {
            return Err(format!("version {version} is told as {told:?}"));
        }
        self.pointing += usize::from(parts.values().any(|marked| marked.text.is_none()));
        Ok(())
    }
}

#[test]
fn each_mark_tells_the_whole_document_as_it_stood() {
    let marks = RefCell::new(Marks::default());
    hold_on([Kind::Incident, Kind::Planned], histories(), &marks);
    let Marks { texts, pointing } = marks.into_inner();
    assert!(texts.len() > 20 && pointing > 10, "{} {pointing}", texts.len());
}
