//! What other systems tell of changes, apart from HTTP and from the store: CloudEvents, CDEvents and GitHub's deployments,
//! read into one [`Told`]. Pure: bytes go in, what was heard comes out. Who may tell anything is settled at the edge,
//! except where the bytes themselves are signed.

mod attribute;
pub mod cdevents;
pub mod cloudevents;
#[cfg(test)]
mod documented;
pub mod github;
mod ours;
mod unheard;
pub(crate) mod words;

use wardroom_core::id::{ServiceName, Time};
use wardroom_core::text::Line;

pub use unheard::Unheard;

/// The largest body that is read, in bytes. A deployment at GitHub has some ten thousand, and its payload.
pub const BODY_MAX: usize = 1 << 20;
/// The most events of one batch.
pub const BATCH_MAX: usize = 100;
/// The longest id of an event, in characters.
pub const ID_MAX: usize = 200;
/// The longest name of where an event came from, in characters.
pub const SOURCE_MAX: usize = 500;
/// The longest link, in characters.
pub const LINK_MAX: usize = 1_000;
/// The most services that one change may name.
pub const SERVICES_MAX: usize = 20;
/// The most names under which a service is looked for.
const SPELLINGS_MAX: usize = 8;

/// A change to services, as another system tells of it.
///
/// `source`, `id` and `stage` together tell a repeat from news: one change may be told of as it is intended, begun and over,
/// each time under the same `source` and `id`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// Where it came from, as the other system calls itself: at most [`SOURCE_MAX`] characters.
    pub source: String,
    /// What it is called there: at most [`ID_MAX`] characters.
    pub id: String,
    /// How far it is.
    pub stage: Stage,
    /// The services, named as they came, each once and at most [`SERVICES_MAX`]: see [`spellings`]. None where what
    /// changed is an environment as a whole.
    pub services: Vec<Line>,
    /// What was done.
    pub what: Line,
    /// By whom, as the other system calls them: a login, a mail address, a robot's name. Nobody of the directory yet.
    pub who: Option<Line>,
    /// When, as the other system says.
    pub at: Option<Time>,
    /// Where more of it stands: an https link of at most [`LINK_MAX`] characters, without a password in it.
    pub link: Option<String>,
    /// Where it was done, such as `production`.
    pub environment: Option<Line>,
}

/// How far a change is, in the order in which that goes.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stage {
    /// It is meant to be made: it may still wait for somebody, and has changed nothing.
    Intended,
    /// It is being made.
    Begun,
    /// It did not end well. What it left behind is not known.
    Failed,
    /// It was made.
    Done,
}

/// What came of what was sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Heard {
    /// A change.
    Change(Box<Told>),
    /// Somebody looks whether anybody is here.
    Ping,
    /// Something that is not about a change, by the name of its sort: at most 200 characters. It is no mistake to send it,
    /// and nothing is done with it.
    Other(Line),
}

impl Heard {
    fn other(sort: &str) -> Self {
        Self::Other(words::line(sort).unwrap_or_else(|| "?".parse().expect("it can be seen")))
    }
}

/// Under which names of the directory a service is looked for, in this order: the name as a whole in lower case, then
/// what stands behind its slashes. `Acme/Search` may be known as `acme/search` or as `search`.
#[must_use]
pub fn spellings(name: &str) -> Vec<ServiceName> {
    let lower = name.to_lowercase();
    let behind = lower.match_indices('/').map(|(at, _)| &lower[at + 1..]);
    let names = std::iter::once(lower.as_str()).chain(behind).filter_map(|name| name.parse().ok());
    names.take(SPELLINGS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_looked_for_by_its_whole_name_and_by_what_stands_behind_its_slashes() {
        let found = |name| spellings(name).into_iter().map(String::from).collect::<Vec<_>>();
        assert_eq!(found("search"), ["search"]);
        assert_eq!(found("Acme/Search"), ["acme/search", "search"]);
        assert_eq!(found("daemonset/eu/search"), ["daemonset/eu/search", "eu/search", "search"]);
        assert_eq!(found("/apps/search/"), ["apps/search/", "search/"], "no name begins with a slash");
        assert!(found("not a name").is_empty());
        assert_eq!(found(&"a/".repeat(30)).len(), SPELLINGS_MAX);
    }
}
