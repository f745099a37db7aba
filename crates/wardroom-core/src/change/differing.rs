//! What differs from normal right now, in which order it is undone, and that nothing is closed over it (rule 10).

use super::{Change, Maker, Passed};
use crate::id::{ServiceName, Time};
use crate::incident::Incident;
use crate::refusal::{Code, Refusal, Remedy};
use crate::said::LastSaid;
use crate::text::{Text, shortened};

/// So many changes a refusal tells of in their own words, and how many characters of each. Of more it says how many there are
/// of each service.
const NAMED: (usize, usize) = (2, 30);

/// A service that differs from normal, and by what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Differing<'a> {
    /// Which service.
    pub service: &'a ServiceName,
    /// Whether the directory did not know it.
    pub unknown: bool,
    /// By what, the newest first: in this order it is undone.
    pub changes: Vec<&'a Change>,
}

impl Incident {
    /// What differs from normal: the service that was changed last comes first, and what was done to it last. It is the
    /// order in which everything would be undone, service by service.
    #[must_use]
    pub fn differing(&self) -> Vec<Differing<'_>> {
        let mut newest: Vec<&Change> = self.changes.iter().filter(|change| change.differs()).collect();
        newest.sort_by_key(|change| std::cmp::Reverse((change.done_at.unwrap_or(Time::MIN), change.id)));
        let mut differing: Vec<Differing<'_>> = Vec::new();
        for change in newest {
            match differing.iter_mut().find(|known| *known.service == change.service) {
                Some(known) => known.changes.push(change),
                None => differing.push(Differing {
                    service: &change.service,
                    unknown: change.unknown_service,
                    changes: vec![change],
                }),
            }
        }
        differing
    }

    /// Nothing is closed while a service differs from normal, or while nobody knows whether it does.
    pub(crate) fn nothing_differs(&self) -> Result<(), Refusal> {
        let open: Vec<&Change> = self.changes.iter().filter(|change| change.is_open()).collect();
        if open.is_empty() {
            return Ok(());
        }
        let named = |change: &&Change| {
            let what = shortened(&change.what.to_string(), NAMED.1);
            let how = if change.is_announced() { " (only announced)" } else { "" };
            format!("{}: {} “{what}”{how}", change.service, change.id)
        };
        let names: Vec<String> =
            if open.len() > NAMED.0 { by_service(&open) } else { open.iter().map(named).collect() };
        let sentence = format!("Not back to normal: {}. Revert each, adopt it, or hand it to a bug.", names.join(", "));
        let changes = open.iter().map(|change| change.id).collect();
        Err(Refusal::new(Code::DiffersFromNormal, sentence).remedy(Remedy::SettleChanges { changes }))
    }

    /// What still has to be seen to, as it goes along into another incident, numbered as there: but for what came through the
    /// gate for both, and stands there already.
    pub(crate) fn open_changes(&self, other: &Self) -> Vec<Change> {
        let anew = |(id, change): (u32, &Change)| {
            let text = |text: &Option<Text>| text.as_ref().map(Text::anew);
            let mut stands = change.stands.clone();
            // The evidence stays with the incident that has it.
            (stands.note, stands.evidence) = (text(&stands.note), None);
            Change {
                id,
                what: change.what.anew(),
                why: text(&change.why),
                how: text(&change.how),
                back: text(&change.back),
                through: text(&change.through),
                passed: change.passed.iter().map(Passed::anew).collect(),
                maker: change.maker.as_ref().map(|maker| Maker { who: text(&maker.who), ..maker.clone() }),
                said: LastSaid::default(),
                stands,
                ..change.clone()
            }
        };
        let goes_along = |change: &&Change| change.is_open() && !other.passed_here_too(change);
        (other.changes_recorded + 1..).zip(self.changes.iter().filter(goes_along)).map(anew).collect()
    }
}

/// Every service, and how many changes of it there are: the one that was changed first comes first.
fn by_service(open: &[&Change]) -> Vec<String> {
    let mut services: Vec<(&ServiceName, usize, usize)> = Vec::new();
    for change in open {
        let announced = usize::from(change.is_announced());
        match services.iter_mut().find(|(service, ..)| *service == &change.service) {
            Some((_, many, only)) => (*many, *only) = (*many + 1, *only + announced),
            None => services.push((&change.service, 1, announced)),
        }
    }
    let said = |(service, many, only): (&ServiceName, usize, usize)| {
        let changes = if many == 1 { "1 change".to_owned() } else { format!("{many} changes") };
        match only {
            0 => format!("{service} ({changes})"),
            only if only == many => format!("{service} ({changes}, only announced)"),
            only => format!("{service} ({changes}, {only} of them only announced)"),
        }
    };
    services.into_iter().map(said).collect()
}

impl Passed {
    fn anew(&self) -> Self {
        Self { what: self.what.anew(), through: self.through.anew(), ..self.clone() }
    }
}
