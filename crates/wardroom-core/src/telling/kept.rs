//! What was kept, and what was not, in sentences.

use super::{Teller, because};
use crate::evidence::{Evidence, size};
use crate::preserve::{NotKept, Why};

impl Teller<'_> {
    pub(super) fn attached(&self, evidence: &Evidence) -> String {
        let (who, size) = (evidence.by.map_or(self.who, |by| self.name(by)), size(evidence.bytes));
        match evidence.name.words() {
            Some(name) => format!("{who} attached {name} ({size}){}", because(evidence.why.as_ref())),
            None => format!("{who} attached {size} of evidence, which were redacted"),
        }
    }
}

/// So many are named, at the most.
const NAMED: usize = 4;

fn listed(names: &[String]) -> String {
    match names.split_at_checked(NAMED) {
        Some((named, more @ [_, ..])) => format!("{} and {} more", named.join(", "), more.len()),
        _ => names.join(", "),
    }
}

/// One line, however many they are.
pub(super) fn not_kept(things: &[NotKept]) -> String {
    let named = |one: &NotKept| format!("{} of {}", one.what, one.service);
    let (here, missed): (Vec<&NotKept>, Vec<&NotKept>) = things.iter().partition(|one| one.why == Why::Here);
    let here: Vec<String> = here.into_iter().map(named).collect();
    let missed: Vec<String> = missed.into_iter().map(|one| format!("{} ({})", named(one), one.why.words())).collect();
    match (missed.is_empty(), here.is_empty()) {
        (true, _) => format!("Here already, as evidence: {}", listed(&here)),
        (false, true) => format!("Worth keeping, and not kept by itself: {}", listed(&missed)),
        (false, false) => {
            let (missed, here) = (listed(&missed), listed(&here));
            format!("Worth keeping, and not kept by itself: {missed}. Here already: {here}")
        }
    }
}
