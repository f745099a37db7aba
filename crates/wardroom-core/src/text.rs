//! What people write: bounded on the way in, sealed on the way to the log.
//!
//! [`Line`] and [`Prose`] are what a command may carry. [`Text`] is what an event carries: in the chain
//! only a salted commitment stands for it (see `seal.rs`), so that the words can be redacted and the
//! chain still verifies.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::seal::Seal;

/// The longest [`Line`], in characters.
pub const LINE_MAX: usize = 200;
/// The longest [`Prose`], in characters.
pub const PROSE_MAX: usize = 20_000;

/// Why a text was not accepted, in a sentence.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadText {
    /// Nothing but white space.
    #[error("the text is empty")]
    Empty,
    /// Nothing but characters that leave no mark.
    #[error("the text has no character that can be seen")]
    Invisible,
    /// More characters than this kind of text may have.
    #[error("the text has {len} characters; at most {max} fit here")]
    TooLong {
        /// Characters given.
        len: usize,
        /// Characters that fit.
        max: usize,
    },
    /// A control character, or one that turns the direction of writing and so can disguise a text.
    #[error("the text has a control character (U+{0:04X}), which cannot be shown")]
    Control(u32),
}

/// Bidirectional overrides and isolates can make a text read as another one.
fn disguises(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Unicode's own line and paragraph separators, which are not among the control characters.
fn separates(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// Characters that are drawn as nothing: joiners and other marks within a text, fillers and selectors. Beside
/// letters they have their use (emoji and several scripts are joined by them); by themselves they are a blank
/// that is not white space.
fn leaves_no_mark(c: char) -> bool {
    matches!(
        c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

/// Whether a character moves, hides or disguises what stands around it, in a terminal or on a page.
#[must_use]
pub fn misleads(c: char) -> bool {
    c.is_control() || disguises(c) || separates(c)
}

/// The longest [`repeated`] sentence, in characters.
const REPEATED_MAX: usize = 1_500;

/// A sentence that repeats what somebody sent, such as a parser's: bounded, and with nothing that misleads.
/// Line breaks stay, for a parser may show the place.
#[must_use]
pub fn repeated(sentence: &str) -> String {
    let plain = |c: char| if misleads(c) && c != '\n' { char::REPLACEMENT_CHARACTER } else { c };
    let mut shown: String = sentence.chars().take(REPEATED_MAX).map(plain).collect();
    if sentence.chars().nth(REPEATED_MAX).is_some() {
        shown.push('…');
    }
    shown
}

/// What of a text is kept.
fn check<'a>(given: &'a str, max: usize, allowed: &[char]) -> Result<&'a str, BadText> {
    let text = given.trim();
    if text.is_empty() {
        return Err(BadText::Empty);
    }
    let len = text.chars().count();
    if len > max {
        return Err(BadText::TooLong { len, max });
    }
    let bad = |c: &char| misleads(*c) && !allowed.contains(c);
    match text.chars().find(bad) {
        Some(c) => Err(BadText::Control(c as u32)),
        None if text.chars().all(|c| c.is_whitespace() || leaves_no_mark(c)) => Err(BadText::Invisible),
        None => Ok(text),
    }
}

macro_rules! bounded_text {
    ($(#[$doc:meta])* $name:ident, $max:ident, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = String))]
        pub struct $name(String);

        impl $name {
            /// The words.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadText;
            fn try_from(given: String) -> Result<Self, BadText> {
                let kept = check(&given, $max, $allowed)?;
                let whole = kept.len() == given.len();
                Ok(Self(if whole { given } else { kept.to_owned() }))
            }
        }

        impl FromStr for $name {
            type Err = BadText;
            fn from_str(given: &str) -> Result<Self, BadText> {
                check(given, $max, $allowed).map(|kept| Self(kept.to_owned()))
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> String {
                text.0
            }
        }

        impl From<$name> for Text {
            fn from(text: $name) -> Text {
                Text::said(text.0)
            }
        }
    };
}

bounded_text!(
    /// One line of at most 200 characters, without control characters; outer white space is dropped.
    Line, LINE_MAX, &[]
);
bounded_text!(
    /// Text of at most 20,000 characters; line breaks and tabs are its only control characters.
    Prose, PROSE_MAX, &['\n', '\r', '\t', '\u{2028}', '\u{2029}']
);

/// Free text inside an event or a state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Text {
    /// Read back from the log, with its words beside.
    Kept {
        /// The commitment in the chain.
        seal: Seal,
        /// The words, from their own table.
        words: String,
    },
    /// The words were redacted; the commitment remains.
    Redacted {
        /// The commitment in the chain.
        seal: Seal,
    },
    /// Just decided, not yet sealed. An object of its own, so that `seal.rs` recognises it.
    Said {
        /// The words.
        said: String,
    },
}

impl Text {
    /// Words that were just said, to be sealed on their way to the log.
    pub fn said(words: impl Into<String>) -> Self {
        Self::Said { said: words.into() }
    }

    /// The words, unless they were redacted.
    #[must_use]
    pub fn words(&self) -> Option<&str> {
        match self {
            Self::Said { said: words } | Self::Kept { words, .. } => Some(words),
            Self::Redacted { .. } => None,
        }
    }

    /// The same words for another stream, where they are sealed anew.
    #[must_use]
    pub fn anew(&self) -> Self {
        self.words().map_or_else(|| self.clone(), Self::said)
    }

    /// The commitment in the chain, once there is one.
    #[must_use]
    pub fn seal(&self) -> Option<Seal> {
        match self {
            Self::Said { .. } => None,
            Self::Kept { seal, .. } | Self::Redacted { seal } => Some(*seal),
        }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words().unwrap_or("(redacted)"))
    }
}

/// As much of some words as fits into so many characters, and a sign that there is more.
#[must_use]
pub fn shortened(words: &str, most: usize) -> String {
    match words.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_trimmed_bounded_and_has_no_control_characters() {
        assert_eq!("  hello ".parse::<Line>().map(String::from), Ok("hello".to_owned()));
        assert_eq!(" \n ".parse::<Line>(), Err(BadText::Empty));
        assert_eq!("a\nb".parse::<Line>(), Err(BadText::Control(0x0A)));
        assert_eq!("a\u{202E}b".parse::<Line>(), Err(BadText::Control(0x202E)));
        assert_eq!("a\u{2028}b".parse::<Line>(), Err(BadText::Control(0x2028)), "it would be two lines");
        assert!("é".repeat(LINE_MAX).parse::<Line>().is_ok());
        assert_eq!("é".repeat(201).parse::<Line>(), Err(BadText::TooLong { len: 201, max: 200 }));
    }

    /// A bare string would pass the sealing by and stand in the chain for ever.
    #[test]
    fn what_was_said_is_sealed_and_what_is_kept_reads_back() {
        let mut tree = serde_json::to_value(Text::said("hunter2")).unwrap();
        assert_eq!(tree, serde_json::json!({"said": "hunter2"}));
        let taken = crate::seal::seal(&mut tree, &mut || [7; 16]);
        assert_eq!(taken.len(), 1);
        assert!(!tree.to_string().contains("hunter2"));
        let redacted: Text = serde_json::from_value(tree.clone()).unwrap();
        assert_eq!(redacted, Text::Redacted { seal: taken[0].seal });
        crate::seal::open(&mut tree, &|_| Some("hunter2".to_owned()));
        let kept: Text = serde_json::from_value(tree).unwrap();
        assert_eq!(kept, Text::Kept { seal: taken[0].seal, words: "hunter2".to_owned() });
    }

    #[test]
    fn what_is_repeated_is_bounded_and_plain() {
        assert_eq!(repeated("unknown field `\u{1b}[2J\u{202E}x`\n ^"), "unknown field `\u{FFFD}[2J\u{FFFD}x`\n ^");
        assert_eq!(repeated(&"é".repeat(REPEATED_MAX)), "é".repeat(REPEATED_MAX));
        assert_eq!(repeated(&"é".repeat(100_000)).chars().count(), REPEATED_MAX + 1);
    }

    /// Somebody could be called nothing at all, and an incident have a title that nobody could read.
    #[test]
    fn a_text_has_something_to_see() {
        for blank in ["\u{200B}", "\u{FEFF}\u{2060}", "\u{3164} \u{3164}", "\u{2800}", "\u{E0020}", "\u{FE0F}\u{200D}"]
        {
            assert_eq!(blank.parse::<Line>(), Err(BadText::Invisible), "{blank:?}");
            assert_eq!(blank.parse::<Prose>(), Err(BadText::Invisible), "{blank:?}");
        }
        assert_eq!("\u{200B}\u{202E}".parse::<Line>(), Err(BadText::Control(0x202E)));
        // A family is three people and two joiners; in Persian a non-joiner stands within words.
        for seen in ["👨\u{200D}👩\u{200D}👧", "می\u{200C}خواهم", "❤\u{FE0F}"] {
            assert_eq!(seen.parse::<Line>().map(String::from), Ok(seen.to_owned()));
        }
    }

    #[test]
    fn prose_keeps_its_line_breaks() {
        assert!("a\u{2028}b".parse::<Prose>().is_ok());
        assert!("a\n\tb".parse::<Prose>().is_ok());
        assert_eq!("a\0b".parse::<Prose>(), Err(BadText::Control(0)));
    }
}
