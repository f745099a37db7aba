//! The parts that people write.

/// One of the texts that a state document consists of.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Part {
    /// What it is about, for whoever has a minute.
    Summary,
    /// What is known in detail.
    Status,
    /// Whatever somebody wants to keep while working.
    Notes,
}

impl Part {
    /// All of them, in the order in which they stand.
    pub const ALL: [Self; 3] = [Self::Summary, Self::Status, Self::Notes];

    /// What its text is called in the document.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Summary => "summary",
            Self::Status => "status",
            Self::Notes => "notes",
        }
    }

    /// The part of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }
}
