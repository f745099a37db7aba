//! Programs that may be run to keep something: those that the settings name, and no others. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use wardroom_core::preserve::CaptureName;

/// How many captures there may be.
pub const CAPTURES_MAX: usize = 50;
/// How long one may be as it is written, in bytes.
const WRITTEN_MAX: usize = 2_000;

/// A program with its arguments, by a name that templates know it by: `pods=/usr/local/bin/pods --wide`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Capture {
    name: CaptureName,
    program: PathBuf,
    arguments: Vec<String>,
}

/// Its arguments may hold a secret.
impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Capture({})", self.name)
    }
}

impl FromStr for Capture {
    type Err = String;

    /// No shell reads it: words are parted by spaces, and nothing in them means more than it says.
    fn from_str(given: &str) -> Result<Self, String> {
        let form = "a capture is written NAME=PROGRAM, with an absolute path, such as pods=/usr/local/bin/pods --wide";
        if given.len() > WRITTEN_MAX || given.chars().any(char::is_control) {
            return Err(format!("a capture is one line of at most {WRITTEN_MAX} bytes"));
        }
        let (name, command) = given.split_once('=').ok_or(form)?;
        let name = name.trim().parse()?;
        let mut words = command.split_whitespace().map(str::to_owned);
        let program = words.next().map(PathBuf::from).filter(|program| program.is_absolute()).ok_or(form)?;
        Ok(Self { name, program, arguments: words.collect() })
    }
}

impl TryFrom<String> for Capture {
    type Error = String;
    fn try_from(given: String) -> Result<Self, String> {
        given.parse()
    }
}

impl From<Capture> for String {
    fn from(Capture { name, program, arguments }: Capture) -> String {
        let words: Vec<String> = [program.display().to_string()].into_iter().chain(arguments).collect();
        format!("{name}={}", words.join(" "))
    }
}

impl Capture {
    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &CaptureName {
        &self.name
    }

    pub(super) fn program(&self) -> &Path {
        &self.program
    }

    pub(super) fn arguments(&self) -> &[String] {
        &self.arguments
    }
}

/// Captures as they stand in one flag or variable: parted by semicolons, with nothing between some of them or none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Several(pub Vec<Capture>);

impl FromStr for Several {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        let each = given.split(';').map(str::trim).filter(|capture| !capture.is_empty());
        each.map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

/// All captures of a server.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Captures(BTreeMap<CaptureName, Capture>);

impl Captures {
    /// These.
    ///
    /// # Errors
    /// A sentence, for too many, or two of one name.
    pub fn of(all: Vec<Capture>) -> Result<Self, String> {
        if all.len() > CAPTURES_MAX {
            return Err(format!("at most {CAPTURES_MAX} captures can be named (--capture)"));
        }
        let mut known = BTreeMap::new();
        for capture in all {
            if let Some(twice) = known.insert(capture.name.clone(), capture) {
                return Err(format!("two captures are called {} (--capture); name each once", twice.name));
            }
        }
        Ok(Self(known))
    }

    /// The one of this name.
    #[must_use]
    pub fn get(&self, name: &CaptureName) -> Option<&Capture> {
        self.0.get(name)
    }

    /// What they are called.
    #[must_use]
    pub fn names(&self) -> BTreeSet<CaptureName> {
        self.0.keys().cloned().collect()
    }

    /// All of them, by their names.
    #[must_use]
    pub fn all(&self) -> Vec<Capture> {
        self.0.values().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capture_is_a_name_and_an_absolute_path_with_words() {
        let capture: Capture = "pods=/usr/bin/kubectl get pods -o=wide;$(x)".parse().unwrap();
        assert_eq!(capture.program(), Path::new("/usr/bin/kubectl"));
        assert_eq!(capture.arguments(), ["get", "pods", "-o=wide;$(x)"]);
        assert_eq!(String::from(capture), "pods=/usr/bin/kubectl get pods -o=wide;$(x)");
        for wrong in ["", "pods", "pods=", "pods= ", "pods=kubectl get pods", "Pods=/x", "=/x", "a b=/x", "pods=/x\n/y"]
        {
            assert!(wrong.parse::<Capture>().is_err(), "{wrong}");
        }
        let long = format!("pods=/{}", "x".repeat(WRITTEN_MAX));
        assert!(long.parse::<Capture>().is_err());
    }

    #[test]
    fn several_are_parted_by_semicolons_and_may_be_none() {
        let several = |given: &str| given.parse::<Several>().map(|Several(all)| all.len());
        assert_eq!(several("a=/x --y z; b=/y;"), Ok(2));
        assert_eq!((several(""), several(" ; ")), (Ok(0), Ok(0)));
        assert!(several("a=/x;b").is_err());
    }

    #[test]
    fn each_name_is_there_once() {
        let capture = |given: &str| given.parse::<Capture>().unwrap();
        assert!(
            Captures::of(vec![capture("a=/x"), capture("a=/y")]).unwrap_err().contains("two captures are called a")
        );
        let many = (0..=CAPTURES_MAX).map(|n| capture(&format!("a{n}=/x"))).collect();
        assert!(Captures::of(many).is_err());
        let known = Captures::of(vec![capture("b=/x"), capture("a=/y z")]).unwrap();
        assert_eq!(known.get(&"a".parse().unwrap()).map(Capture::program), Some(Path::new("/y")));
        assert!(!format!("{known:?}").contains('z'), "its arguments are not printed");
    }
}
