//! Which objects of a cluster belong to a service: by their names, their namespaces and their labels.
//!
//! The directory keeps one [`Matching`] for a service that is known elsewhere under other names. Patterns are exact, or
//! have `*` for any characters; there is no other magic in them, and how long matching takes is bounded by the length of
//! what is looked at.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest pattern, and the longest rule for a label, in characters. What stands in the log as it is has to be short.
pub const PATTERN_MAX: usize = 200;
/// The most patterns of one sort.
pub const PATTERNS_MAX: usize = 50;

/// Why a rule was not accepted, in a sentence.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadMatching {
    /// A pattern with nothing in it.
    #[error("a pattern is empty; “*” stands for any characters")]
    Empty,
    /// A pattern of more characters than fit.
    #[error("a pattern has {0} characters; at most {PATTERN_MAX} fit here")]
    TooLong(usize),
    /// Spaces, control characters, or letters that no name of a cluster has.
    #[error("a pattern is plain letters, digits and marks, without spaces, such as search-*")]
    Letters,
    /// A rule for a label that is none.
    #[error("a rule for a label is its name, “=” and a pattern, such as app=search-*")]
    Label,
    /// More patterns of one sort than fit.
    #[error("there are {0} patterns of one sort; at most {PATTERNS_MAX} fit")]
    TooMany(usize),
    /// Nothing is asked, so everything would belong to the service.
    #[error("nothing is asked of an object: give names, namespaces or labels")]
    AsksNothing,
}

fn plain(given: &str) -> Result<(), BadMatching> {
    if given.is_empty() {
        return Err(BadMatching::Empty);
    }
    if !given.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(BadMatching::Letters);
    }
    if given.len() > PATTERN_MAX {
        return Err(BadMatching::TooLong(given.len()));
    }
    Ok(())
}

/// A text that stands for itself, or for many where it has `*`: any characters, or none.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = String))]
pub struct Pattern(String);

impl Pattern {
    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a text is one of those that this stands for. Upper and lower case differ, as they do in a cluster.
    ///
    /// Each part between two stars is looked for once, from where the one before it ended: taking the first place where
    /// it fits leaves the most room for the rest, so nothing is ever tried a second time.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        let Some((first, rest)) = self.0.split_once('*') else { return self.0 == text };
        let Some(text) = text.strip_prefix(first) else { return false };
        let (between, last) = rest.rsplit_once('*').unwrap_or(("", rest));
        let Some(mut text) = text.strip_suffix(last) else { return false };
        for part in between.split('*') {
            let Some(at) = text.find(part) else { return false };
            text = &text[at + part.len()..];
        }
        true
    }
}

impl TryFrom<String> for Pattern {
    type Error = BadMatching;
    fn try_from(given: String) -> Result<Self, BadMatching> {
        plain(&given)?;
        Ok(Self(given))
    }
}

impl FromStr for Pattern {
    type Err = BadMatching;
    fn from_str(given: &str) -> Result<Self, BadMatching> {
        Self::try_from(given.to_owned())
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> String {
        pattern.0
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A label that an object has to carry: `NAME=PATTERN`. The name stands for itself.
///
/// It is written as one text and not as a pair under a name: what is called by people never becomes a key of the log.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Label {
    name: String,
    value: Pattern,
}

impl Label {
    /// The label's name, such as `app` or `app.kubernetes.io/name`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its value has to fit.
    #[must_use]
    pub fn value(&self) -> &Pattern {
        &self.value
    }
}

impl TryFrom<String> for Label {
    type Error = BadMatching;
    fn try_from(given: String) -> Result<Self, BadMatching> {
        plain(&given)?;
        let (name, value) = given.split_once('=').ok_or(BadMatching::Label)?;
        if name.is_empty() || name.contains('*') || value.is_empty() {
            return Err(BadMatching::Label);
        }
        Ok(Self { name: name.to_owned(), value: value.parse()? })
    }
}

impl FromStr for Label {
    type Err = BadMatching;
    fn from_str(given: &str) -> Result<Self, BadMatching> {
        Self::try_from(given.to_owned())
    }
}

impl From<Label> for String {
    fn from(label: Label) -> String {
        label.to_string()
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.value)
    }
}

/// What is known of an object when it is asked whose it is.
#[derive(Copy, Clone, Debug)]
pub struct Object<'a> {
    /// Its name, or how it begins where the cluster will draw the rest.
    pub name: &'a str,
    /// The namespace that it is in, if it is in any.
    pub namespace: Option<&'a str>,
    /// Its labels.
    pub labels: &'a BTreeMap<String, String>,
}

/// Which objects belong to a service. A list that is empty asks nothing, and at least one is not.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Lists", into = "Lists")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Matching {
    names: Vec<Pattern>,
    namespaces: Vec<Pattern>,
    labels: Vec<Label>,
}

/// A [`Matching`] as it is written down, before anybody has looked whether it asks anything.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lists {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    names: Vec<Pattern>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    namespaces: Vec<Pattern>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    labels: Vec<Label>,
}

impl Matching {
    /// Rules out of their three lists, each of at most [`PATTERNS_MAX`] patterns.
    ///
    /// # Errors
    /// When a list is longer, or all are empty.
    pub fn new(names: Vec<Pattern>, namespaces: Vec<Pattern>, labels: Vec<Label>) -> Result<Self, BadMatching> {
        let most = names.len().max(namespaces.len()).max(labels.len());
        match most {
            0 => Err(BadMatching::AsksNothing),
            1..=PATTERNS_MAX => Ok(Self { names, namespaces, labels }),
            _ => Err(BadMatching::TooMany(most)),
        }
    }

    /// The names that objects of the service have: one of them has to fit.
    #[must_use]
    pub fn names(&self) -> &[Pattern] {
        &self.names
    }

    /// The namespaces that they are in: one of them has to fit.
    #[must_use]
    pub fn namespaces(&self) -> &[Pattern] {
        &self.namespaces
    }

    /// The labels that they carry: each name that stands here has to be there, with a value that fits one of its
    /// patterns.
    #[must_use]
    pub fn labels(&self) -> &[Label] {
        &self.labels
    }

    /// Whether an object belongs to the service: everything that is asked has to be so.
    #[must_use]
    pub fn fits(&self, object: &Object<'_>) -> bool {
        let any = |patterns: &[Pattern], text: &str| patterns.iter().any(|pattern| pattern.fits(text));
        let named = self.names.is_empty() || any(&self.names, object.name);
        let within = self.namespaces.is_empty() || object.namespace.is_some_and(|space| any(&self.namespaces, space));
        named && within && self.labels.iter().all(|label| self.carries(object.labels, &label.name))
    }

    /// Whether objects of the service are known to be in a namespace: what becomes of that becomes of them.
    #[must_use]
    pub fn is_within(&self, namespace: &str) -> bool {
        self.namespaces.iter().any(|pattern| pattern.fits(namespace))
    }

    fn carries(&self, labels: &BTreeMap<String, String>, name: &str) -> bool {
        let mut asked = self.labels.iter().filter(|label| label.name == name);
        labels.get(name).is_some_and(|value| asked.any(|label| label.value.fits(value)))
    }
}

impl TryFrom<Lists> for Matching {
    type Error = BadMatching;
    fn try_from(Lists { names, namespaces, labels }: Lists) -> Result<Self, BadMatching> {
        Self::new(names, namespaces, labels)
    }
}

impl From<Matching> for Lists {
    fn from(Matching { names, namespaces, labels }: Matching) -> Self {
        Self { names, namespaces, labels }
    }
}
