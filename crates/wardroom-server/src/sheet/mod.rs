//! The sheet: an incident's whole state document on paper, to be mailed, pasted or put on a wall.
//!
//! [`known`] puts it together from the folded state and what people wrote, as blocks that know nothing of how they look;
//! [`markdown`] and [`html`] show the same blocks in the same order. Everything here is pure. What people wrote in
//! Markdown stays inside its own section whatever it says ([`tamed`] in Markdown, [`shown`] in HTML), and everything else
//! of theirs, a title or a name, is text and nothing but text.

pub mod html;
pub mod known;
pub mod markdown;
mod shown;
mod tamed;

use pulldown_cmark::Options;
use wardroom_core::id::{Number, Time};
use wardroom_core::text::misleads;

/// Entries of the timeline on a sheet, unless more or less is asked for: some pages of paper.
pub const TIMELINE: u64 = 200;

/// How the people's Markdown is read: as the page reads it.
const OPTIONS: Options = Options::ENABLE_TABLES.union(Options::ENABLE_STRIKETHROUGH).union(Options::ENABLE_TASKLISTS);
/// Headings of people stand this much below where they put them: the sheet's own sections are of the second level.
const LOWERED: u8 = 2;
/// There are no lower headings.
const LOWEST: u8 = 6;
/// How deep lists, quotes and whatever else may stand in each other. Programs that read a sheet take the longer the deeper
/// it is, for each sign of it: people write five levels, and 200,000 `>` are no quote.
const DEEPEST: usize = 32;

/// How it is shown.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Form {
    /// As text that programs and people read.
    Markdown,
    /// As a page of its own, with its style in it.
    Html,
}

/// An incident's state document at one moment, but for its timeline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sheet {
    /// Of which incident, where and when.
    pub place: Place,
    /// What the incident is called.
    pub title: String,
    /// Where it stands, in a few lines.
    pub stands: Vec<Line>,
    /// Its sections, in the order of the page.
    pub sections: Vec<Section>,
    /// How much of the timeline is on it.
    pub timeline: Extent,
}

/// Where and when a sheet was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Of which incident.
    pub number: Number,
    /// Where people find the server, such as `https://wardroom.example.org`; nothing if nobody said so.
    pub origin: Option<String>,
    /// When it was made.
    pub at: Time,
    /// With the log up to this position.
    pub position: u64,
}

/// How much of a timeline is shown.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Extent {
    /// Entries on the sheet, the newest.
    pub shown: u64,
    /// Entries that there are.
    pub all: u64,
}

/// A section under a heading of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Section {
    /// Its heading.
    pub title: &'static str,
    /// What it says, from above.
    pub blocks: Vec<Block>,
}

/// A piece of a section.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Block {
    /// A line by itself.
    Line(Line),
    /// What is said of the section, softly: its age.
    Age(Line),
    /// A list.
    Items(Vec<Item>),
    /// What people wrote, in Markdown.
    Written(String),
}

/// A line of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// How far it is set in; 0 for the outermost.
    pub depth: usize,
    /// Whether it is ticked off; nothing for what cannot be.
    pub done: Option<bool>,
    /// What it says.
    pub line: Line,
}

/// What stands in a line.
pub type Line = Vec<Span>;

/// A piece of a line. All of it is text, whatever signs are in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Span {
    /// As it is.
    Plain(String),
    /// What the eye should find.
    Strong(String),
    /// Where something is: an address that somebody gave, and what it is called.
    Link(String, String),
}

/// An entry of the timeline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// When.
    pub at: Time,
    /// Its number.
    pub entry: u64,
    /// In a sentence; a note has as many lines as it has.
    pub told: String,
    /// Whether it stands out.
    pub loud: bool,
}

impl Place {
    /// Where the incident is on this server.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}/incidents/{}", self.origin.as_deref().unwrap_or_default(), self.number.get())
    }

    /// The address of evidence that is kept here, with or without the server's; nothing for any other address.
    fn evidence(&self, address: &str) -> Option<String> {
        let origin = self.origin.as_deref().unwrap_or_default();
        let path = address.strip_prefix(origin).unwrap_or(address);
        let rest = path.strip_prefix("/api/v1/incidents/")?;
        let (number, hash) = rest.split_once("/evidence/")?;
        let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let hex = !hash.is_empty() && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        (digits && hex).then(|| self.absolute(address))
    }

    /// An address of this server, so that it can be followed from paper and mail if people told where the server is.
    fn absolute(&self, address: &str) -> String {
        let ours = address.starts_with('/') && !address.starts_with("//") && !address.starts_with("/\\");
        let origin = self.origin.as_deref().filter(|_| ours).unwrap_or_default();
        format!("{origin}{address}")
    }
}

impl Sheet {
    /// Everything down to the timeline's first entry.
    #[must_use]
    pub fn head(&self, form: Form) -> String {
        match form {
            Form::Markdown => markdown::head(self),
            Form::Html => html::head(self),
        }
    }

    /// What stands below the timeline's last entry.
    #[must_use]
    pub fn end(&self, form: Form) -> String {
        match form {
            Form::Markdown => String::new(),
            Form::Html => html::end(self),
        }
    }

    /// What is said of how much of the timeline is there.
    fn extent(&self) -> Line {
        let Extent { shown, all } = self.timeline;
        let mut line = vec![Span::Plain(match shown {
            _ if shown >= all => format!("All {all} entries, the newest first. Times are in UTC."),
            0 => format!("None of its {all} entries is on this sheet."),
            _ => format!("The newest {shown} of {all} entries, the newest first. Times are in UTC."),
        })];
        if shown < all {
            line.push(Span::Plain(" All of them: ask for ".to_owned()));
            line.push(Span::Strong("?timeline=all".to_owned()));
            line.push(Span::Plain(".".to_owned()));
        }
        line
    }
}

/// The entries of a timeline, one after the other: it remembers of which day the one before was.
#[derive(Clone, Debug)]
pub struct Timeline {
    form: Form,
    day: Option<String>,
}

impl Timeline {
    /// None yet.
    #[must_use]
    pub fn new(form: Form) -> Self {
        Self { form, day: None }
    }

    /// The next entry.
    #[must_use]
    pub fn entry(&mut self, told: &Told) -> String {
        let day = told.at.strftime("%Y-%m-%d").to_string();
        let new = self.day.as_ref() != Some(&day);
        let shown = match self.form {
            Form::Markdown => markdown::entry(told, new.then_some(day.as_str())),
            Form::Html => html::entry(told, new.then_some(day.as_str())),
        };
        self.day = Some(day);
        shown
    }

    /// Says that the rest cannot be read: what was promised above is not there.
    #[must_use]
    pub fn broken(&self) -> String {
        let sentence = "What is older could not be read just now. Ask for this sheet again.";
        match self.form {
            Form::Markdown => format!("\n**{sentence}**\n"),
            Form::Html => format!("<tr><td colspan=\"3\"><strong>{sentence}</strong></td></tr>\n"),
        }
    }
}

/// A text without characters that move, hide or disguise what stands around them. Its lines are ended by `\n`.
fn plain(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.chars()
        .map(|c| if misleads(c) && !matches!(c, '\n' | '\t') { char::REPLACEMENT_CHARACTER } else { c })
        .collect()
}

/// The same in one line, which is what becomes of a title or a name.
#[must_use]
pub fn one_line(text: &str) -> String {
    plain(text).split_whitespace().collect::<Vec<_>>().join(" ")
}
