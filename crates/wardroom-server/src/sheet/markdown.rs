//! The sheet as Markdown: CommonMark with tables and task lists, as most programs read it.

use std::fmt::Write;

use super::tamed::tamed;
use super::{Block, Item, Line, Section, Sheet, Span, Told, one_line, plain};

/// Everything down to the timeline's first entry.
pub(super) fn head(sheet: &Sheet) -> String {
    let mut out = format!("# {}\n", text(&one_line(&format!("{} {}", sheet.place.number, sheet.title))));
    for stands in &sheet.stands {
        let _ = write!(out, "\n{}\n", line(stands));
    }
    for section in &sheet.sections {
        shown(&mut out, section, sheet);
    }
    let _ = write!(out, "\n## Timeline\n\n{}\n", line(&sheet.extent()));
    out
}

/// An entry of the timeline, under its day if that is a new one.
pub(super) fn entry(told: &Told, day: Option<&str>) -> String {
    let mut out = day.map(|day| format!("\n### {day}\n\n")).unwrap_or_default();
    let lines: Vec<String> = plain(&told.told).lines().map(str::trim).filter(|l| !l.is_empty()).map(text).collect();
    let words = match lines.len() {
        // A mark around what has signs of its own at its ends would be read as something else.
        1 if told.loud => format!("**{}**", lines[0]),
        _ => lines.join("\\\n  "),
    };
    let _ = writeln!(out, "- {} · {} · {words}", told.at.strftime("%H:%M:%S"), told.entry);
    out
}

fn shown(out: &mut String, section: &Section, sheet: &Sheet) {
    let _ = write!(out, "\n## {}\n", section.title);
    for block in &section.blocks {
        out.push('\n');
        out.push_str(&match block {
            Block::Line(words) => line(words),
            Block::Age(words) => format!("*{}*", line(words)),
            Block::Items(items) => items.iter().map(item).collect::<Vec<_>>().join("\n"),
            Block::Written(words) => tamed(words, &sheet.place),
        });
        out.push('\n');
    }
}

fn item(item: &Item) -> String {
    let tick = match item.done {
        None => "",
        Some(false) => "[ ] ",
        Some(true) => "[x] ",
    };
    format!("{:indent$}- {tick}{}", "", line(&item.line), indent = item.depth * 2)
}

fn line(line: &Line) -> String {
    line.iter().map(span).collect::<String>().trim().to_owned()
}

fn span(span: &Span) -> String {
    match span {
        Span::Plain(words) => text(words),
        Span::Strong(words) if one_line(words).is_empty() => String::new(),
        Span::Strong(words) => format!("**{}**", text(&one_line(words))),
        Span::Link(words, to) if words == to && by_itself(to) => format!("<{to}>"),
        Span::Link(words, to) => format!("[{}](<{}>)", text(&one_line(words)), address(to)),
    }
}

/// Whether an address is read as one without anything beside it.
fn by_itself(to: &str) -> bool {
    let plain = to.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'\\' | b'&'));
    plain && ["https://", "http://"].iter().any(|scheme| to.starts_with(scheme))
}

/// An address between angle brackets.
pub(super) fn address(to: &str) -> String {
    let mut out = String::new();
    for c in plain(to).chars() {
        match c {
            '<' => out.push_str("%3C"),
            '>' => out.push_str("%3E"),
            '\\' => out.push_str("%5C"),
            // In a table it would begin a new cell.
            '|' => out.push_str("%7C"),
            '&' => out.push_str("&amp;"),
            c if c.is_whitespace() => out.push_str("%20"),
            c => out.push(c),
        }
    }
    out
}

/// One line of text in which nothing is read as a sign: what Markdown would take for one is escaped, and no more, for
/// people read it as it is as well.
pub(super) fn text(words: &str) -> String {
    let words = plain(words).replace(['\n', '\t'], " ");
    let mut out = String::with_capacity(words.len() + 8);
    let mut before = ' ';
    let mut chars = words.chars().peekable();
    let mut digits = true; // Whether there was nothing but digits so far: a list might begin.
    while let Some(c) = chars.next() {
        let after = chars.peek().copied().unwrap_or(' ');
        let first = out.trim_start().is_empty();
        let sign = match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '$' => true,
            '_' => !(before.is_alphanumeric() && after.is_alphanumeric()),
            // At the beginning it makes a heading, and at the end of one it is left out.
            '#' => before == ' ' && (first || matches!(after, ' ' | '#')),
            '+' | '-' | '=' | ':' => first,
            '.' | ')' => digits && !first,
            '!' => after == '[',
            _ => false,
        };
        digits &= c.is_ascii_digit() || c == ' ';
        if sign {
            out.push('\\');
        }
        out.push(c);
        before = c;
    }
    out
}
