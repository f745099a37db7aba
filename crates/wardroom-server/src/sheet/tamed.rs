//! What people wrote in Markdown, so that it can stand in a sheet of Markdown and stays inside its section.
//!
//! Their words stay as they are wherever they can. Headings are lowered below the sheet's own, HTML becomes text, a fence
//! that was left open is closed, pictures from elsewhere become links, and links that lead nowhere their words. What came out is read again in the midst of
//! two headings; if anything of it still reached beyond its place, all of it is shown as it was typed, in a fence.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, LinkType, Parser, Tag, TagEnd};

use super::shown::leads_somewhere;
use super::{DEEPEST, LOWERED, LOWEST, OPTIONS, Place, plain};

/// How often HTML is looked for: what stood in a block of it may be HTML by itself.
const ROUNDS: usize = 8;
/// What cannot be mended is shown in a fence of at least this length.
const FENCE: usize = 3;

/// A change of a text: these bytes give way to those.
type Edit = (Range<usize>, String);

/// The words so that they may stand between two headings of the sheet.
pub(super) fn tamed(words: &str, place: &Place) -> String {
    let words = plain(words);
    let words = words.trim_matches('\n').trim_end();
    let mended = without_html(words).and_then(|text| linked(&text, place)).map(|text| lowered(&text));
    // What was a heading and a paragraph may be one paragraph now, and a link across both.
    let mended = mended.and_then(|text| linked(&text, place));
    mended.and_then(|text| closed(text, place)).unwrap_or_else(|| fenced(words))
}

/// The text with these edits made. Of two that overlap the first is made.
fn edited(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    let (mut out, mut at) = (String::with_capacity(text.len() + edits.len() * 2), 0);
    for (range, by) in edits {
        if range.start >= at {
            out.push_str(&text[at..range.start]);
            out.push_str(&by);
            at = range.end;
        }
    }
    out.push_str(&text[at..]);
    out
}

/// With every tag as text; nothing when new ones come up again and again.
fn without_html(words: &str) -> Option<String> {
    let mut text = words.to_owned();
    for _ in 0..ROUNDS {
        let events = Parser::new_ext(&text, OPTIONS).into_offset_iter();
        let tags = events.filter(|(event, _)| matches!(event, Event::Start(Tag::HtmlBlock) | Event::InlineHtml(_)));
        let opens = tags.filter_map(|(_, range)| Some(range.start + text[range].find('<')?));
        let edits: Vec<Edit> = opens.map(|at| (at..at, "\\".to_owned())).collect();
        if edits.is_empty() {
            return Some(text);
        }
        text = edited(&text, edits);
    }
    None
}

/// A link or picture that is being read.
struct Open<'a> {
    image: bool,
    link_type: LinkType,
    to: CowStr<'a>,
    title: CowStr<'a>,
    start: usize,
    /// Where its words end, as far as they are read.
    words: usize,
}

/// With every link and picture whole in itself; nothing when new ones come up again and again.
///
/// What is defined in a part is defined in the whole sheet. So what refers to a definition says where it leads, and there
/// are no definitions any more. Links to this server can be followed from elsewhere, those that lead nowhere are their
/// words, and pictures from elsewhere are links.
fn linked(words: &str, place: &Place) -> Option<String> {
    let mut text = words.to_owned();
    for _ in 0..ROUNDS {
        let edits = links(&text, place);
        if edits.is_empty() {
            return Some(text);
        }
        text = edited(&text, edits);
    }
    None
}

fn links(text: &str, place: &Place) -> Vec<Edit> {
    let parser = Parser::new_ext(text, OPTIONS);
    let definitions = parser.reference_definitions().iter().map(|(_, definition)| definition.span.clone());
    let mut edits: Vec<Edit> = definitions.map(|span| (span, String::new())).collect();
    let mut open: Vec<Open<'_>> = Vec::new();
    for (event, range) in parser.into_offset_iter() {
        let image = matches!(event, Event::Start(Tag::Image { .. }));
        match event {
            Event::Start(
                Tag::Link { link_type, dest_url: to, title, .. } | Tag::Image { link_type, dest_url: to, title, .. },
            ) => {
                let words = range.start + if image { 2 } else { 1 };
                open.push(Open { image, link_type, to, title, start: range.start, words });
                continue;
            }
            Event::End(TagEnd::Link | TagEnd::Image) => {
                if let Some(link) = open.pop() {
                    link.mended(text, range.end, place, &mut edits);
                }
            }
            _ => {}
        }
        if let Some(around) = open.last_mut() {
            around.words = around.words.max(range.end);
        }
    }
    edits
}

impl Open<'_> {
    /// What has to change of it, now that it is known where it ends.
    fn mended(&self, text: &str, end: usize, place: &Place, edits: &mut Vec<Edit>) {
        let here = self.start..end;
        if matches!(self.link_type, LinkType::Autolink | LinkType::Email) {
            if self.link_type == LinkType::Autolink && !leads_somewhere(&self.to) {
                edits.push((here.clone(), super::markdown::text(text[here].trim_matches(['<', '>']))));
            }
            return;
        }
        let kept = self.image && place.evidence(&self.to).is_some();
        let sign = usize::from(self.image && !kept);
        // Whatever its words are, the next bracket closes them.
        let Some(close) = text[self.words..end].find(']').map(|at| self.words + at) else { return };
        let tail = close + 1..end;
        if !kept && !leads_somewhere(&self.to) {
            edits.push((self.start..self.start + sign + 1, String::new()));
            edits.push((close..end, String::new()));
            return;
        }
        if sign > 0 {
            edits.push((self.start..self.start + sign, String::new()));
        }
        let to = place.absolute(&self.to);
        let inline = self.link_type == LinkType::Inline;
        match to.strip_suffix(&*self.to).filter(|_| inline) {
            Some("") => {}
            Some(before) if text[tail.clone()].starts_with(&format!("({}", self.to)) => {
                edits.push((tail.start + 1..tail.start + 1, before.to_owned()));
            }
            _ => {
                let title = match self.title.replace(['\n', '\t'], " ").replace('\\', "\\\\").replace('"', "\\\"") {
                    none if none.is_empty() => none,
                    title => {
                        format!(" \"{}\"", title.replace('&', "&amp;").replace('|', "&#124;").replace('<', "&lt;"))
                    }
                };
                edits.push((tail, format!("(<{}>{title})", super::markdown::address(&to))));
            }
        }
    }
}

/// With every heading below those of the sheet.
fn lowered(text: &str) -> String {
    let mut edits: Vec<Edit> = Vec::new();
    for (event, range) in Parser::new_ext(text, OPTIONS).into_offset_iter() {
        let Event::Start(Tag::Heading { level, .. }) = event else { continue };
        let heading = text[range.clone()].trim_end_matches('\n');
        let signs = "#".repeat(usize::from(below(level)));
        if heading.starts_with('#') {
            let had = heading.bytes().take_while(|byte| *byte == b'#').count();
            edits.push((range.start..range.start + had, signs));
        } else if let Some((line, _)) = heading.split_once('\n').filter(|(_, under)| !under.contains('\n')) {
            // Underlined, in one line: as a sign of this kind there are two levels only.
            edits.push((range.start..range.start + heading.len(), format!("{signs} {}", line.trim_end())));
        } else if let Some(under) = heading.rfind(['=', '-']) {
            let under = heading[..=under].rfind('\n').map_or(0, |line| line + 1);
            let sign = heading[under..].find(['=', '-']).unwrap_or_default();
            edits.push((range.start + under + sign..range.start + under + sign, "\\".to_owned()));
        }
    }
    edited(text, edits)
}

/// The level of a person's heading on the sheet.
pub(super) fn below(level: HeadingLevel) -> u8 {
    (level as u8 + LOWERED).min(LOWEST)
}

/// With its last fence closed, if that was left open; nothing when it does not stay in its place.
fn closed(text: String, place: &Place) -> Option<String> {
    if stays(&text, place) {
        return Some(text);
    }
    let mut open = None;
    for (event, range) in Parser::new_ext(&text, OPTIONS).into_offset_iter() {
        if let Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_))) = event {
            open = Some(range.start);
        }
    }
    let fence = &text[open?..];
    let sign = fence.chars().next().filter(|sign| matches!(sign, '`' | '~'))?;
    let length = fence.chars().take_while(|c| *c == sign).count();
    let closed = format!("{text}\n{}", sign.to_string().repeat(length));
    stays(&closed, place).then_some(closed)
}

/// Whether a text between two headings of the sheet leaves them what they are, has none that could be taken for one,
/// defines nothing, and neither shows nor leads to what a sheet should not, or cannot from where it is read.
fn stays(text: &str, place: &Place) -> bool {
    let sheet = format!("## before\n\n{text}\n\n## after\n");
    let (mut depth, mut ours) = (0_usize, 0);
    let parser = Parser::new_ext(&sheet, OPTIONS);
    if parser.reference_definitions().iter().next().is_some() {
        return false;
    }
    for (event, range) in parser.into_offset_iter() {
        if depth > DEEPEST {
            return false;
        }
        match event {
            Event::Start(Tag::HtmlBlock) | Event::InlineHtml(_) => return false,
            Event::Start(Tag::Image { ref dest_url, .. })
                if place.evidence(dest_url).is_none_or(|whole| *whole != **dest_url) =>
            {
                return false;
            }
            Event::Start(Tag::Link { link_type, ref dest_url, .. })
                if link_type != LinkType::Email
                    && (!leads_somewhere(dest_url) || place.absolute(dest_url) != **dest_url) =>
            {
                return false;
            }
            Event::Start(Tag::Heading { level, .. }) => {
                let one = depth == 0 && (range.start == 0 || sheet[range.start..] == *"## after\n");
                if !one && level as u8 <= LOWERED {
                    return false;
                }
                ours += usize::from(one);
                depth += 1;
            }
            Event::Start(_) => depth += 1,
            Event::End(TagEnd::HtmlBlock) => return false,
            Event::End(_) => depth -= 1,
            _ => {}
        }
    }
    ours == 2
}

/// As it was typed: a fence that is longer than any in it holds whatever it is.
fn fenced(words: &str) -> String {
    let runs = words.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(FENCE.max(runs + 1));
    format!("{fence}text\n{words}\n{fence}")
}
