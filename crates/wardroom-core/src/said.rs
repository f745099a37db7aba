//! Who said last what stands in a list, so that nobody's words are replaced unread.
//!
//! Exit criteria, to-dos and changes say what others may say anew: their words, whose they are, where their bug is tracked,
//! how they are undone. Whoever replaces one of these names the entry that said what they have read. When somebody else has said it anew since, they
//! are refused, told who and what, and decide: saying it again on what stands there now is accepted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::event::Recorded;
use crate::id::{Entry, PersonId};
use crate::incident::Asking;
use crate::refusal::{Code, Refusal, Remedy};
use crate::text::Text;

/// What can be said anew of something in a list. One does not get into the way of another.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aspect {
    /// Its words.
    Text,
    /// Whose it is.
    Owner,
    /// Where its bug is tracked.
    Bug,
    /// How it is undone.
    WayBack,
}

/// By whom something was said last, and in which entry.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Said {
    /// The entry.
    pub entry: Entry,
    /// Who.
    pub by: PersonId,
}

/// What of something in a list was said last where. Of what was never said, nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LastSaid(BTreeMap<Aspect, Said>);

impl LastSaid {
    /// What was said as something came into the list.
    pub(crate) fn at_first(recorded: &Recorded, by: PersonId, owner: Option<PersonId>, bug: Option<&Text>) -> Self {
        let mut said = Self::default();
        said.anew(Aspect::Text, recorded, by);
        if owner.is_some() {
            said.anew(Aspect::Owner, recorded, by);
        }
        if bug.is_some() {
            said.anew(Aspect::Bug, recorded, by);
        }
        said
    }

    /// It was said anew, by whoever acted; or by this one, if no person did.
    pub(crate) fn anew(&mut self, aspect: Aspect, recorded: &Recorded, or_by: PersonId) {
        let by = recorded.actor.person().unwrap_or(or_by);
        self.0.insert(aspect, Said { entry: recorded.entry, by });
    }

    /// Whether nothing is known of it: so an event carries what another incident brings along.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In which entry this was said last; what replaces it names that entry.
    #[must_use]
    pub fn entry(&self, aspect: Aspect) -> Option<Entry> {
        self.0.get(&aspect).map(|said| said.entry)
    }

    /// Who said it last.
    #[must_use]
    pub fn by(&self, aspect: Aspect) -> Option<PersonId> {
        self.0.get(&aspect).map(|said| said.by)
    }

    /// Whether the asker has read what they would replace, which is there and which `told` tells in half a sentence
    /// after a name. What one said oneself needs no reading.
    ///
    /// # Errors
    /// [`Code::ChangedMeanwhile`], with who said what, and the entry to name when it shall be replaced all the same.
    pub(crate) fn was_read(
        &self,
        ask: &Asking<'_>,
        aspect: Aspect,
        replaces: Option<Entry>,
        told: impl FnOnce(PersonId) -> String,
    ) -> Result<(), Refusal> {
        let Some(said) = self.0.get(&aspect) else { return Ok(()) };
        if replaces == Some(said.entry) || ask.actor.person() == Some(said.by) {
            return Ok(());
        }
        let (who, what) = (ask.facts.name(said.by), told(said.by));
        let sentence =
            format!("{who} {what} meanwhile. Nothing was replaced: say yours again if it is to stand instead.");
        Err(Refusal::new(Code::ChangedMeanwhile, sentence).remedy(Remedy::Replace { entry: said.entry }))
    }

    /// Whether the asker has read the words that they would replace.
    ///
    /// # Errors
    /// As [`Self::was_read`].
    pub(crate) fn words_were_read(
        &self,
        ask: &Asking<'_>,
        what: &str,
        words: &Text,
        replaces: Entry,
    ) -> Result<(), Refusal> {
        self.was_read(ask, Aspect::Text, Some(replaces), |_| format!("wrote “{words}” as {what}"))
    }

    /// Whether the asker knows from whom they would take it. From nobody, everybody may.
    ///
    /// # Errors
    /// As [`Self::was_read`].
    pub(crate) fn owner_was_read(
        &self,
        ask: &Asking<'_>,
        what: &str,
        owner: Option<PersonId>,
        replaces: Option<Entry>,
    ) -> Result<(), Refusal> {
        let Some(owner) = owner else { return Ok(()) };
        self.was_read(ask, Aspect::Owner, replaces, |by| {
            if by == owner { format!("took {what}") } else { format!("gave {what} to {}", ask.facts.name(owner)) }
        })
    }

    /// Whether the asker has read the way back that they would replace. Where none is said, there is nothing to read.
    ///
    /// # Errors
    /// As [`Self::was_read`].
    pub(crate) fn way_back_was_read(
        &self,
        ask: &Asking<'_>,
        what: &str,
        back: Option<&Text>,
        replaces: Option<Entry>,
    ) -> Result<(), Refusal> {
        let Some(back) = back else { return Ok(()) };
        self.was_read(ask, Aspect::WayBack, replaces, |_| format!("wrote “{back}” as the way back of {what}"))
    }

    /// Whether the asker has read the link that they would replace. Where none is, there is nothing to read.
    ///
    /// # Errors
    /// As [`Self::was_read`].
    pub(crate) fn bug_was_read(
        &self,
        ask: &Asking<'_>,
        what: &str,
        bug: Option<&Text>,
        replaces: Option<Entry>,
    ) -> Result<(), Refusal> {
        let Some(bug) = bug else { return Ok(()) };
        self.was_read(ask, Aspect::Bug, replaces, |_| format!("linked {what} to {bug}"))
    }
}
