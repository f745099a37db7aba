//! What people wrote in Markdown, so that it can stand in a sheet of Markdown and stays inside its section.
//!
//! Their words stay as they are wherever they can. Headings are lowered below the sheet's own, HTML becomes text, a fence
//! that was left open is closed, and pictures from elsewhere become links. What came out is read again in the midst of
//! two headings; if anything of it still reached beyond its place, all of it is shown as it was typed, in a fence.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, LinkType, Parser, Tag, TagEnd};

use super::{LOWERED, LOWEST, OPTIONS, Place, plain};

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
    let mended = without_html(words).map(|text| lowered(&linked(&text, place)));
    mended.and_then(closed).unwrap_or_else(|| fenced(words))
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

/// With links to this server that can be followed from elsewhere, and links in place of pictures from elsewhere.
fn linked(text: &str, place: &Place) -> String {
    let mut edits: Vec<Edit> = Vec::new();
    for (event, range) in Parser::new_ext(text, OPTIONS).into_offset_iter() {
        let Event::Start(Tag::Link { link_type, dest_url, .. } | Tag::Image { link_type, dest_url, .. }) = &event
        else {
            continue;
        };
        let image = matches!(event, Event::Start(Tag::Image { .. }));
        let at = range.start;
        if image && (place.evidence(dest_url).is_none() || *link_type != LinkType::Inline) {
            edits.push((at..at + 1, String::new()));
        }
        let shown = place.absolute(dest_url);
        if let (LinkType::Inline, Some(before)) = (link_type, shown.strip_suffix(&**dest_url).filter(|b| !b.is_empty()))
            && let Some(to) = text[range].rfind(&format!("]({dest_url}"))
        {
            edits.push((at + to + 2..at + to + 2, before.to_owned()));
        }
    }
    edited(text, edits)
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
fn closed(text: String) -> Option<String> {
    if stays(&text) {
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
    stays(&closed).then_some(closed)
}

/// Whether a text between two headings of the sheet leaves them what they are, and has none that could be taken for one.
fn stays(text: &str) -> bool {
    let sheet = format!("## before\n\n{text}\n\n## after\n");
    let (mut depth, mut ours) = (0_usize, 0);
    for (event, range) in Parser::new_ext(&sheet, OPTIONS).into_offset_iter() {
        match event {
            Event::Start(Tag::HtmlBlock) | Event::InlineHtml(_) => return false,
            Event::Start(Tag::Image { link_type, .. }) if link_type != LinkType::Inline => return false,
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
