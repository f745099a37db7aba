//! What is kept as evidence.

use std::path::PathBuf;

use clap::Subcommand;
use wardroom_core::evidence::Fingerprint;
use wardroom_core::id::Number;
use wardroom_core::text::Line;

#[derive(Subcommand, Debug)]
pub enum Evidence {
    /// Attach a file, or what a command printed by piping it in: wardroom evidence add 465 - --name pods.txt; a large file
    /// goes in parts, and after a break the same again goes on where it was
    Add {
        number: Number,
        /// Which; - for the standard input
        file: PathBuf,
        /// What it is called; the file's own name unless it is said
        #[arg(long)]
        name: Option<Line>,
        /// Why it is worth keeping, in one line
        #[arg(long)]
        why: Option<Line>,
    },
    /// Have the server fetch what a URL shows, and keep it: wardroom evidence fetch 465 https://graphs.example.org/a.png
    Fetch {
        number: Number,
        /// On a host that whoever runs the server listed (--fetch-from)
        #[arg(value_name = "URL")]
        from: String,
        /// What it is called; its host and path unless it is said
        #[arg(long)]
        name: Option<Line>,
        /// Why it is worth keeping, in one line
        #[arg(long)]
        why: Option<Line>,
    },
    /// List what is attached, by whom and when: wardroom evidence list 465
    List { number: Number },
    /// Write out the bytes of a piece, by its SHA-256 or how that begins: wardroom evidence get 465 9f86d081 -o pods.txt
    Get {
        number: Number,
        sha256: Beginning,
        /// Into this file
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Also over a file that is there
        #[arg(long, requires = "output")]
        force: bool,
    },
    /// Read every piece, or one, and hold it against its SHA-256: wardroom evidence verify 465
    Verify { number: Number, sha256: Option<Beginning> },
}

/// A SHA-256, or enough of its beginning to tell it from the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beginning(String);

impl Beginning {
    /// Whether this one is meant.
    pub fn begins(&self, sha256: &str) -> bool {
        sha256.starts_with(&self.0)
    }

    /// The whole of it, if it is.
    pub fn whole(&self) -> Option<Fingerprint> {
        self.0.parse().ok()
    }

    /// As it was typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Beginning {
    type Err = &'static str;
    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let given = given.to_lowercase();
        let fits = (6..=64).contains(&given.len()) && given.bytes().all(|byte| byte.is_ascii_hexdigit());
        fits.then_some(Self(given)).ok_or(
            "evidence is named by its SHA-256, 64 digits of 0-9 and a-f, or by the first six or more of them; \
             `wardroom evidence list` shows it",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_named_by_how_its_digest_begins() {
        let whole = "9F86D081".repeat(8);
        let meant: Beginning = "9F86D0".parse().unwrap_or_else(|why| panic!("{why}"));
        assert!(meant.begins(&whole.to_lowercase()) && meant.whole().is_none());
        assert!(whole.parse::<Beginning>().is_ok_and(|meant| meant.whole().is_some()));
        for given in ["", "9f86d", "9f86dx", "é86d081", &"0".repeat(65)] {
            assert!(given.parse::<Beginning>().is_err(), "{given}");
        }
    }
}
