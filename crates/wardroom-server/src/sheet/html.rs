//! The sheet as a page of its own: no script, its style in it, nothing loaded but pictures that are kept here.
//!
//! It says in its own head what it may do, and so does the server: whoever saves it and opens it again has the same page.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::shown::{leads_somewhere, shown};
use super::{Block, Item, Line, Place, Section, Sheet, Span, Told, one_line, plain};

/// How it looks on a screen and on paper.
const STYLE: &str = include_str!("sheet.css");

/// Everything down to the timeline's first entry.
pub(super) fn head(sheet: &Sheet) -> String {
    let title = text(&one_line(&format!("{} {}", sheet.place.number, sheet.title)));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"content-security-policy\" \
         content=\"{policy}\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"referrer\" \
         content=\"no-referrer\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <style>{style}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n",
        policy = text(&policy(&sheet.place)),
        style = style(&sheet.place),
    );
    for stands in &sheet.stands {
        let _ = writeln!(out, "<p>{}</p>", line(stands));
    }
    for section in &sheet.sections {
        self::section(&mut out, section, sheet);
    }
    let _ = write!(
        out,
        "<section>\n<h2>Timeline</h2>\n<p class=\"age\">{}</p>\n<table class=\"timeline\">\n",
        line(&sheet.extent())
    );
    out
}

/// An entry of the timeline, under its day if that is a new one.
pub(super) fn entry(told: &Told, day: Option<&str>) -> String {
    let day = day.map(|day| format!("<tr><th colspan=\"3\" scope=\"rowgroup\">{day}</th></tr>\n")).unwrap_or_default();
    let lines: Vec<String> = plain(&told.told).lines().map(str::trim).filter(|l| !l.is_empty()).map(text).collect();
    let words = lines.join("<br>");
    let words = if told.loud { format!("<strong>{words}</strong>") } else { words };
    let (at, entry) = (told.at.strftime("%H:%M:%S"), told.entry);
    format!("{day}<tr><td>{at}</td><td>{entry}</td><td>{words}</td></tr>\n")
}

/// What stands below the timeline's last entry.
pub(super) fn end(sheet: &Sheet) -> String {
    let foot = text(&foot(&sheet.place));
    format!("</table>\n</section>\n</main>\n<footer>{foot}</footer>\n</body>\n</html>\n")
}

/// What a sheet may do, for the server to say as well: nothing but look as it does and show pictures that are kept here.
#[must_use]
pub fn policy(place: &Place) -> String {
    let hash = STANDARD.encode(Sha256::digest(style(place)));
    let from = place.origin.as_ref().map(|origin| format!(" {origin}")).unwrap_or_default();
    format!("default-src 'none'; style-src 'sha256-{hash}'; img-src 'self'{from}; base-uri 'none'; form-action 'none'")
}

/// The style, with the line that stands at the foot of each printed page.
fn style(place: &Place) -> String {
    // Of its signs, none means anything in a style: an incident's number and a time.
    format!("{STYLE}@page {{ @bottom-left {{ content: \"{}\"; }} }}\n", foot(place))
}

fn foot(place: &Place) -> String {
    format!("Incident {} · as of {}", place.number, place.at.strftime("%Y-%m-%d %H:%M UTC"))
}

fn section(out: &mut String, section: &Section, sheet: &Sheet) {
    let _ = writeln!(out, "<section>\n<h2>{}</h2>", section.title);
    for block in &section.blocks {
        let _ = match block {
            Block::Line(words) => writeln!(out, "<p>{}</p>", line(words)),
            Block::Age(words) => writeln!(out, "<p class=\"age\">{}</p>", line(words)),
            Block::Items(all) => {
                items(out, all);
                Ok(())
            }
            Block::Written(words) => writeln!(out, "<div class=\"written\">\n{}</div>", shown(words, &sheet.place)),
        };
    }
    out.push_str("</section>\n");
}

/// A list. What is deeper stands in a list within the item above it, which is how a screen reader tells it.
fn items(out: &mut String, items: &[Item]) {
    let mut open = 0;
    for item in items {
        if item.depth >= open {
            out.push_str(if open == 0 { "<ul>\n" } else { "\n<ul>\n" });
            open += 1;
        } else {
            out.push_str("</li>\n");
            (item.depth + 1..open).for_each(|_| out.push_str("</ul>\n</li>\n"));
            open = item.depth + 1;
        }
        let (class, tick) = match item.done {
            None => ("", ""),
            Some(false) => (" class=\"tick\"", "☐ "),
            Some(true) => (" class=\"tick\"", "☑ "),
        };
        let _ = write!(out, "<li{class}>{tick}{}", line(&item.line));
    }
    (0..open).for_each(|_| out.push_str("</li>\n</ul>\n"));
}

fn line(line: &Line) -> String {
    line.iter().map(span).collect()
}

fn span(span: &Span) -> String {
    match span {
        Span::Plain(words) => text(&plain(words)),
        Span::Strong(words) => format!("<strong>{}</strong>", text(&plain(words))),
        Span::Link(words, to) if leads_somewhere(to) => {
            // On paper, an address stands beside what it is called, unless it is called so itself.
            let bare = if words == to { " class=\"bare\"" } else { "" };
            format!("<a href=\"{}\"{bare} rel=\"noopener noreferrer\">{}</a>", text(&one_line(to)), text(&plain(words)))
        }
        Span::Link(words, _) => text(&plain(words)),
    }
}

/// Text in which nothing is a sign.
fn text(words: &str) -> String {
    let mut out = String::with_capacity(words.len() + 8);
    for c in words.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
