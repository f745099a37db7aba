//! Checks an archive from front to back, with nothing else at hand, and names what is wrong with it.
//!
//! What it holds in memory is bounded by what an incident may have, whatever is in the file: a line, a manifest, the
//! pieces that events name, and of each text its seal.

use std::io::Read;

use sha2::{Digest, Sha256};
use wardroom_core::evidence::Fingerprint;
use wardroom_core::id::{Number, PersonId, Time};
use wardroom_core::seal::Seal;
use wardroom_core::text::repeated;

use super::tar::{Head, Reader, Unreadable};
use super::{EVENTS, End, FIXED, MANIFEST, MANIFEST_MAX, MEMBERS_MAX, Manifest, Member, member};

mod record;

use record::Record;

/// Findings that are told one by one.
const FINDINGS_MAX: usize = 50;

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checked {
    /// Whose archive it says that it is.
    pub incident: Option<Number>,
    /// When it says that it was made, and by whom.
    pub made: Option<(Time, PersonId)>,
    /// Where its events end, as far as they could be read.
    pub tip: End,
    /// How many events there are.
    pub events: u64,
    /// How many pieces of evidence there are.
    pub pieces: usize,
    /// Whether its last byte was reached, and everything before it could be read.
    pub whole: bool,
    /// Everything that is wrong, each in a sentence without a full stop; at most fifty, and why it could
    /// not be read on.
    pub wrong: Vec<String>,
    /// How many findings more there were.
    pub more: usize,
}

/// Checks an archive. With a hash that somebody wrote down, its events have to end with that one.
///
/// # Errors
/// When whoever has its bytes does not give them; what is wrong with them is no error.
pub fn check(archive: impl Read, known: Option<Seal>) -> std::io::Result<Checked> {
    let mut reader = Reader::new(archive);
    let mut check = Check { record: Record::new(known), ..Check::default() };
    loop {
        match check.next(&mut reader) {
            Ok(true) => {}
            Ok(false) => return Ok(check.finish(true)),
            Err(Unreadable::Archive(why)) => {
                // However much was found before, this is why nothing more was.
                check.wrong.told.push(repeated(&format!("the archive {why}")));
                return Ok(check.finish(false));
            }
            Err(Unreadable::Device(error)) => return Err(error),
        }
    }
}

/// What is wrong, as far as it is told.
#[derive(Default)]
struct Findings {
    told: Vec<String>,
    more: usize,
}

impl Findings {
    /// What repeats names out of the archive says them so that a terminal can show them.
    fn find(&mut self, what: impl AsRef<str>) {
        if self.told.len() < FINDINGS_MAX { self.told.push(repeated(what.as_ref())) } else { self.more += 1 }
    }
}

/// What a member is.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// One of those that every archive has, by its place among them.
    Fixed(usize),
    Piece,
    Manifest,
}

#[derive(Default)]
struct Check {
    incident: Option<Number>,
    /// When all of it was written, in seconds.
    at: Option<u64>,
    seen: Vec<Member>,
    last: Option<Place>,
    record: Record,
    manifest: Option<Manifest>,
    wrong: Findings,
}

impl Check {
    /// Checks the next member; false when there is none.
    fn next(&mut self, reader: &mut Reader<impl Read>) -> Result<bool, Unreadable> {
        let Some(head) = reader.next_head()? else { return Ok(false) };
        if self.seen.len() >= MEMBERS_MAX {
            return Err(Unreadable::Archive(format!("has more than {MEMBERS_MAX} members, which no export has")));
        }
        let incident = match self.incident {
            Some(incident) => incident,
            None => *self.incident.insert(of_which(&head)?),
        };
        if *self.at.get_or_insert(head.at) != head.at {
            self.wrong.find(format!("{} was not written together with the members before it", head.name));
        }
        let again = head.name == member(incident, MANIFEST) && self.last == Some(Place::Manifest);
        let twice = again || self.seen.iter().any(|member| member.name == head.name);
        let place = self.place(incident, &head).filter(|_| !twice);
        match place {
            None if twice => self.wrong.find(format!("{} is there twice", head.name)),
            None => self.unexpected(incident, &head.name),
            Some(place) => {
                if self.last.is_some_and(|last| place < last) {
                    self.wrong.find(format!("{} is not in its place", head.name));
                }
                self.last = self.last.max(Some(place));
            }
        }
        let sha256 = self.bytes(incident, place, &head, reader)?;
        match place {
            Some(Place::Piece) => self.record.has(&head.name, sha256, &mut self.wrong),
            Some(Place::Manifest) => return Ok(true),
            _ => {}
        }
        self.seen.push(Member { name: head.name, size: head.size, sha256 });
        Ok(true)
    }

    fn place(&self, incident: Number, head: &Head) -> Option<Place> {
        if head.name == member(incident, MANIFEST) {
            return Some(Place::Manifest);
        }
        let fixed = FIXED.iter().position(|name| head.name == member(incident, name)).map(Place::Fixed);
        fixed.or_else(|| self.record.names(&head.name).then_some(Place::Piece))
    }

    fn unexpected(&mut self, incident: Number, name: &str) {
        let outward = name.starts_with('/') || name.split(['/', '\\']).any(|part| part == ".." || part == ".");
        self.wrong.find(if outward {
            format!("{name} leads out of the archive")
        } else if name.starts_with(&member(incident, "evidence/")) {
            format!("{name} is evidence that no event names")
        } else {
            format!("{name} does not belong into this archive")
        });
    }

    /// Takes a member's bytes, and reads those that are read.
    fn bytes(
        &mut self,
        incident: Number,
        place: Option<Place>,
        head: &Head,
        reader: &mut Reader<impl Read>,
    ) -> Result<Fingerprint, Unreadable> {
        let mut digest = Sha256::new();
        let events = place.is_some() && head.name == member(incident, EVENTS);
        let (record, wrong) = (&mut self.record, &mut self.wrong);
        let mut manifest = Vec::new();
        let keep = place == Some(Place::Manifest) && head.size <= MANIFEST_MAX;
        reader.take(head, |piece| {
            digest.update(piece);
            if events {
                record.read(incident, piece, wrong);
            } else if keep {
                manifest.extend_from_slice(piece);
            }
        })?;
        if events {
            self.record.end(&mut self.wrong);
        }
        if place == Some(Place::Manifest) {
            match Manifest::read(&manifest) {
                Ok(manifest) => self.manifest = Some(manifest),
                Err(why) => self.wrong.find(format!("{} {why}", head.name)),
            }
        }
        Ok(Fingerprint::new(digest.finalize().into()))
    }

    fn finish(mut self, whole: bool) -> Checked {
        let made = self.manifest.as_ref().map(|manifest| (manifest.made_at, manifest.made_by));
        if let Some(incident) = self.incident
            && whole
        {
            self.missing(incident);
        }
        if let Some(manifest) = self.manifest.take() {
            self.agrees(&manifest);
        }
        let (tip, events, pieces) = (self.record.tip(), self.record.events(), self.record.pieces());
        self.record.finish(whole, &mut self.wrong);
        if whole && self.incident.is_none() {
            self.wrong.find("the archive has nothing in it");
        }
        let Self { incident, wrong: Findings { told: wrong, more }, .. } = self;
        Checked { incident, made, tip, events, pieces, whole, wrong, more }
    }

    /// What every archive has, and this one has not.
    fn missing(&mut self, incident: Number) {
        for name in FIXED {
            let name = member(incident, name);
            if !self.seen.iter().any(|member| member.name == name) {
                self.wrong.find(format!("{name} is missing"));
            }
        }
        if self.last != Some(Place::Manifest) {
            self.wrong.find(format!("{} is missing", member(incident, MANIFEST)));
        }
    }

    /// Holds what was seen against the manifest.
    fn agrees(&mut self, manifest: &Manifest) {
        if Some(manifest.incident) != self.incident {
            self.wrong.find(format!("the manifest is that of incident {}", manifest.incident.get()));
        }
        if u64::try_from(manifest.made_at.as_second()).ok() != self.at {
            self.wrong.find("the manifest is of another time than the members");
        }
        for seen in &self.seen {
            match manifest.members.iter().find(|member| member.name == seen.name) {
                None => self.wrong.find(format!("{} is not in the manifest", seen.name)),
                Some(member) if member.size != seen.size => {
                    self.wrong.find(format!("{} has {} bytes, and had {}", seen.name, seen.size, member.size));
                }
                Some(member) if member.sha256 != seen.sha256 => {
                    self.wrong.find(format!("{} was altered: its SHA-256 is not the manifest's", seen.name));
                }
                Some(_) => {}
            }
        }
        for member in &manifest.members {
            if !self.seen.iter().any(|seen| seen.name == member.name) {
                self.wrong.find(format!("{} is in the manifest, and not in the archive", member.name));
            }
        }
        let in_order = manifest.members.iter().map(|member| &member.name).eq(self.seen.iter().map(|seen| &seen.name));
        if !in_order && self.wrong.told.is_empty() {
            self.wrong.find("the members are not in the order in which the manifest has them");
        }
        if self.record.is_read() && manifest.tip != self.record.tip() {
            let said = manifest.tip;
            let ends = self.record.tip().entry;
            self.wrong.find(format!(
                "the manifest says that the events end with entry {} and hash {}, and they end with entry {ends}",
                said.entry, said.hash
            ));
        }
    }
}

/// Whose archive begins with this member.
fn of_which(first: &Head) -> Result<Number, Unreadable> {
    let number = first.name.strip_prefix("incident-").and_then(|rest| rest.split_once('/'));
    let number = number.and_then(|(number, _)| number.parse::<Number>().ok());
    // Written in another way, it would not be in front of the others.
    number.filter(|number| first.name.starts_with(&member(*number, ""))).ok_or_else(|| {
        let name = &first.name;
        Unreadable::Archive(format!(
            "is no export of an incident: it begins with {name}, and not with incident-N/README.txt"
        ))
    })
}

#[cfg(test)]
mod tests;
