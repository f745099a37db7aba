//! The sheet: whatever people wrote, its sections are the sheet's own, and its HTML neither acts nor loads.

use pulldown_cmark::{Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd};
use wardroom_core::id::{Number, Time};
use wardroom_server::sheet::{Block, Extent, Form, Item, Place, Section, Sheet, Span, Timeline, Told, one_line};

const ORIGIN: &str = "https://wardroom.example.org";
const EVIDENCE: &str = "https://wardroom.example.org/api/v1/incidents/";
/// What a sheet in HTML consists of.
const TAGS: &[&str] = &[
    "a",
    "blockquote",
    "body",
    "br",
    "code",
    "del",
    "div",
    "em",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "hr",
    "html",
    "img",
    "li",
    "main",
    "meta",
    "ol",
    "p",
    "pre",
    "section",
    "strong",
    "style",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "title",
    "tr",
    "ul",
];
const ATTRIBUTES: &[&str] = &[
    "alt",
    "charset",
    "class",
    "colspan",
    "content",
    "href",
    "http-equiv",
    "lang",
    "name",
    "rel",
    "scope",
    "src",
    "start",
    "title",
];

/// Between what stands in the first written part and what stands in the second.
const NEXT: &str = "\n%%%\n";
/// How deep the tags of a sheet may stand in each other: 32 for what people wrote, and what it stands in.
const DEEPEST: usize = 40;

/// A sheet on which these words stand wherever people's words can stand: the first line in its title, the rest in each
/// other place. Two written parts get what stands before and after a line of `%%%`.
pub fn sheet(bytes: &[u8]) {
    let given = String::from_utf8_lossy(bytes);
    let (title, words) = given.split_once('\n').unwrap_or(("", &given));
    let (first, second) = words.split_once(NEXT).unwrap_or((words, words));
    let sheet = made(title, words, [first, second]);
    let at: Time = "2026-11-23T03:00:00Z".parse().expect("a moment");
    let told = Told { at, entry: 7, told: words.to_owned(), loud: false };
    let shown = |form| {
        let mut timeline = Timeline::new(form);
        let entries = timeline.entry(&told) + &timeline.entry(&Told { loud: true, ..told.clone() });
        sheet.head(form) + &entries + &sheet.end(form)
    };
    markdown(&shown(Form::Markdown), title, words);
    html(&shown(Form::Html));
}

fn made(title: &str, words: &str, written: [&str; 2]) -> Sheet {
    let at = "2026-11-23T03:00:00Z".parse().expect("a moment");
    let place = Place { number: Number::FIRST, origin: Some(ORIGIN.to_owned()), at, position: 9 };
    let line = || vec![Span::Plain(one_line(words)), Span::Strong(one_line(words))];
    let item = |depth| Item {
        depth,
        done: Some(depth == 0),
        line: vec![Span::Plain(one_line(words)), Span::Plain(" — open".into())],
    };
    let sections = vec![
        Section { title: "Summary", blocks: vec![Block::Age(line()), Block::Written(written[0].to_owned())] },
        Section { title: "Exit criteria", blocks: vec![Block::Items(vec![item(0)])] },
        Section { title: "Roles", blocks: vec![Block::Items(vec![item(0), item(1), item(2)])] },
        Section {
            title: "Links",
            blocks: vec![Block::Line(vec![Span::Link(one_line(words), one_line(words))]), Block::Line(line())],
        },
        Section { title: "Notes", blocks: vec![Block::Written(written[1].to_owned())] },
    ];
    Sheet { place, title: title.to_owned(), stands: vec![line()], sections, timeline: Extent { shown: 2, all: 7 } }
}

/// Read back, it has the sheet's headings and no others of their kind, what is text is the same text, nothing is defined,
/// every picture is evidence, and what people wrote leads where it can be judged.
fn markdown(sheet: &str, title: &str, words: &str) {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let (mut depth, mut headings, mut open, mut items) = (0_usize, Vec::new(), None, Vec::new());
    let mut item: Option<String> = None;
    let parser = Parser::new_ext(sheet, options);
    assert_eq!(parser.reference_definitions().iter().count(), 0, "a definition in\n{sheet}");
    for event in parser {
        match event {
            Event::Start(Tag::Image { link_type, dest_url, .. }) => {
                assert_eq!(link_type, LinkType::Inline, "a picture in\n{sheet}");
                assert!(dest_url.starts_with(EVIDENCE), "a picture from {dest_url}");
                depth += 1;
            }
            Event::Start(Tag::Link { link_type, dest_url, .. }) => {
                // The section “Links” gets words for an address, which is a matter of its own.
                let written = headings.last().is_some_and(|last| last == "Summary" || last == "Notes");
                if written && link_type != LinkType::Email {
                    judged(&dest_url);
                }
                depth += 1;
            }
            Event::Start(Tag::HtmlBlock) | Event::InlineHtml(_) | Event::Html(_) => panic!("HTML in\n{sheet}"),
            Event::Start(Tag::Heading { level, .. }) => {
                if level <= HeadingLevel::H2 {
                    assert_eq!(depth, 0, "a heading within something in\n{sheet}");
                    open = Some(String::new());
                }
                depth += 1;
            }
            Event::End(TagEnd::Heading(_)) => {
                headings.extend(open.take());
                depth -= 1;
            }
            Event::Start(Tag::Item) if headings.last().is_some_and(|last| last == "Exit criteria") => {
                item = Some(String::new());
                depth += 1;
            }
            Event::End(TagEnd::Item) => {
                items.extend(item.take());
                depth -= 1;
            }
            Event::Start(_) => depth += 1,
            Event::End(_) => depth -= 1,
            Event::Text(text) | Event::Code(text) => {
                [&mut open, &mut item].into_iter().flatten().for_each(|open| open.push_str(&text));
            }
            _ => {}
        }
    }
    let first = format!("#1 {}", one_line(title));
    assert_eq!(
        headings,
        [first.trim(), "Summary", "Exit criteria", "Roles", "Links", "Notes", "Timeline"],
        "of\n{sheet}"
    );
    assert_eq!(items, [format!("{} — open", one_line(words)).trim()], "of\n{sheet}");
}

/// Every tag and attribute is one of the sheet's, pictures come from its own server, and links can be judged.
fn html(sheet: &str) {
    let mut rest = sheet.split_once("<html").expect("it begins").1;
    let (style, after) = rest.split_once("</style>").expect("it has a style");
    assert!(!style.contains("url("), "the style loads nothing");
    rest = after;
    let mut depth = 0_usize;
    while let Some(open) = rest.find('<') {
        rest = &rest[open + 1..];
        let name: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '/').collect();
        assert!(TAGS.contains(&name.trim_matches('/')), "<{name}> in\n{sheet}");
        rest = &rest[name.len()..];
        match name.strip_prefix('/') {
            // The head that is open here began before the style.
            Some(_) => depth = depth.saturating_sub(1),
            None if !matches!(&*name, "br" | "hr" | "img" | "meta") => depth += 1,
            None => {}
        }
        assert!(depth <= DEEPEST, "{depth} tags in each other");
        while !rest.starts_with('>') {
            rest = rest.trim_start_matches([' ', '/', '\n']);
            if rest.starts_with('>') {
                break;
            }
            let (attribute, value) = rest.split_once("=\"").unwrap_or_else(|| panic!("<{name} {rest}"));
            let (value, after) = value.split_once('"').expect("a value ends");
            attributed(attribute, value);
            rest = after;
        }
    }
    for (form, count) in [("<script", 0), ("<style", 1), ("<h1>", 1), ("<h2>", 6), ("</main>", 1)] {
        assert_eq!(sheet.matches(form).count(), count, "{form} in\n{sheet}");
    }
}

fn attributed(attribute: &str, value: &str) {
    assert!(ATTRIBUTES.contains(&attribute), "{attribute}=\"{value}\"");
    match attribute {
        "src" => assert!(value.starts_with(EVIDENCE), "a picture from {value}"),
        "href" => judged(value),
        _ => {}
    }
}

/// A link that readers can judge.
fn judged(to: &str) {
    let known = ["https:", "http:", "mailto:", "tel:"];
    assert!(known.iter().any(|known| to.to_ascii_lowercase().starts_with(known)), "a link to {to}");
}
