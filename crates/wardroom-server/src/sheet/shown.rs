//! What people wrote in Markdown, as HTML: what they meant, without anything that acts or loads.
//!
//! It is read event by event. A tag is text, a heading stands below the sheet's own, a picture is shown if it is evidence
//! that is kept here and is a link otherwise, and a link leads to an address that a reader can judge. Behind that stands a
//! list of what may be there at all (`ammonia`).

use std::sync::LazyLock;

use ammonia::Builder;
use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, Parser, Tag, TagEnd, html};

use super::tamed::below;
use super::{DEEPEST, OPTIONS, Place, plain};

/// Addresses that a link may lead to.
const SCHEMES: [&str; 4] = ["https", "http", "mailto", "tel"];

static ALLOWED: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut allowed = Builder::empty();
    allowed
        .tags(
            [
                "a",
                "blockquote",
                "br",
                "code",
                "del",
                "em",
                "h3",
                "h4",
                "h5",
                "h6",
                "hr",
                "img",
                "li",
                "ol",
                "p",
                "pre",
                "strong",
                "table",
                "tbody",
                "td",
                "th",
                "thead",
                "tr",
                "ul",
            ]
            .into(),
        )
        .tag_attributes(
            [("a", ["href", "title"].into()), ("img", ["src", "alt", "title"].into()), ("ol", ["start"].into())].into(),
        )
        .url_schemes(SCHEMES.into())
        .link_rel(Some("noopener noreferrer"));
    allowed
});

/// The words as HTML that may stand in a section of the sheet.
pub(super) fn shown(words: &str, place: &Place) -> String {
    let words = plain(words);
    let mut taming = Taming { place, depth: 0, links: Vec::new(), leading: 0 };
    let events = Parser::new_ext(&words, OPTIONS).filter_map(|event| taming.bounded(event));
    let mut out = String::with_capacity(words.len() * 2);
    html::push_html(&mut out, events);
    ALLOWED.clean(&out).to_string()
}

/// What is meant by a link or picture that is open.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Open {
    /// A link, also in place of a picture.
    Link,
    /// A picture.
    Picture,
    /// Its words alone.
    Words,
}

struct Taming<'a> {
    place: &'a Place,
    /// In how much of what was written this stands.
    depth: usize,
    links: Vec<Open>,
    /// How many of the links are not their words alone.
    leading: usize,
}

impl Taming<'_> {
    /// An event as it may be shown, where that is not too deep: below, there are words alone.
    fn bounded<'e>(&mut self, event: Event<'e>) -> Option<Event<'e>> {
        let deep = self.depth >= DEEPEST;
        match &event {
            Event::Start(_) => {
                self.depth += 1;
                if deep { Some(Event::SoftBreak) } else { self.event(event) }
            }
            Event::End(_) => {
                self.depth -= 1;
                if self.depth >= DEEPEST { None } else { self.event(event) }
            }
            // What would be a line or a mark by itself is nothing among words.
            Event::Rule | Event::TaskListMarker(_) if deep => None,
            _ => self.event(event),
        }
    }

    /// An event as it may be shown.
    fn event<'e>(&mut self, event: Event<'e>) -> Option<Event<'e>> {
        Some(match event {
            Event::Html(words) | Event::InlineHtml(words) => Event::Text(words),
            Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
            Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
            Event::TaskListMarker(done) => Event::Text(if done { "☑ " } else { "☐ " }.into()),
            Event::Start(Tag::Heading { level, .. }) => {
                Event::Start(Tag::Heading { level: lower(level), id: None, classes: Vec::new(), attrs: Vec::new() })
            }
            Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(lower(level))),
            Event::Start(Tag::CodeBlock(_)) => Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)),
            Event::Start(Tag::Table(columns)) => {
                Event::Start(Tag::Table(vec![pulldown_cmark::Alignment::None; columns.len()]))
            }
            Event::Start(Tag::Link { dest_url, title, .. }) => return self.link(&dest_url, title),
            Event::Start(Tag::Image { dest_url, title, .. }) => match self.place.evidence(&dest_url) {
                Some(kept) => {
                    self.opened(Open::Picture);
                    let (link_type, id) = (pulldown_cmark::LinkType::Inline, "".into());
                    Event::Start(Tag::Image { link_type, dest_url: kept.into(), title, id })
                }
                None => return self.link(&dest_url, title),
            },
            Event::End(TagEnd::Link | TagEnd::Image) => {
                let open = self.links.pop()?;
                self.leading -= usize::from(open != Open::Words);
                match open {
                    Open::Link => Event::End(TagEnd::Link),
                    Open::Picture => Event::End(TagEnd::Image),
                    Open::Words => return None,
                }
            }
            other => other,
        })
    }

    fn opened(&mut self, open: Open) {
        self.leading += usize::from(open != Open::Words);
        self.links.push(open);
    }

    /// The beginning of a link, if it leads somewhere and does not stand in another.
    fn link<'e>(&mut self, to: &str, title: CowStr<'e>) -> Option<Event<'e>> {
        if !leads_somewhere(to) || self.leading > 0 {
            self.opened(Open::Words);
            return None;
        }
        self.opened(Open::Link);
        let (link_type, id) = (pulldown_cmark::LinkType::Inline, "".into());
        Some(Event::Start(Tag::Link { link_type, dest_url: self.place.absolute(to).into(), title, id }))
    }
}

fn lower(level: HeadingLevel) -> HeadingLevel {
    HeadingLevel::try_from(usize::from(below(level))).unwrap_or(HeadingLevel::H6)
}

/// Whether an address is one of this server or says how to get there: from paper and mail, nothing else leads anywhere.
pub(super) fn leads_somewhere(to: &str) -> bool {
    let ours = to.starts_with('/') && !to.starts_with("//") && !to.starts_with("/\\");
    let scheme = to.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    ours || scheme.is_some_and(|scheme| SCHEMES.contains(&scheme.as_str()))
}
