//! Lines that fit a terminal. What is piped on is not broken: whoever reads it there may not be a person.

use std::borrow::Cow;

use comfy_table::Table;
use unicode_width::UnicodeWidthStr;

/// Narrower than this, breaking lines helps nobody.
const NARROWEST: usize = 20;
/// Lines that are wider are hard to read, however wide the terminal.
const WIDEST: usize = 110;

/// How wide a line may be, in columns; nothing where it does not matter.
pub fn width() -> Option<usize> {
    Table::new().width().map(|width| usize::from(width).clamp(NARROWEST, WIDEST))
}

/// A line in pieces of at most so many columns, where it has blanks to be broken at. What goes on is set in as far as
/// what it goes on from.
pub fn wrapped(line: &str, width: Option<usize>) -> Vec<Cow<'_, str>> {
    let Some(width) = width.filter(|width| line.width() > *width) else { return vec![line.into()] };
    let words = line.trim_start_matches([' ', '-', '*', '>', '#']);
    let set_in = " ".repeat((line.len() - words.len()).min(width / 2));
    let (mut pieces, mut piece) = (Vec::new(), line[..line.len() - words.len()].to_owned());
    let mut empty = true;
    for word in words.split(' ') {
        if !empty && piece.width() + 1 + word.width() > width {
            pieces.push(std::mem::replace(&mut piece, set_in.clone()).into());
            empty = true;
        }
        if !empty {
            piece.push(' ');
        }
        piece.push_str(word);
        empty = false;
    }
    pieces.push(piece.into());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_broken_at_blanks_and_set_in_as_it_began() {
        assert_eq!(wrapped("- one two three", Some(9)), ["- one two", "  three"]);
        assert_eq!(wrapped("  日本語 日本語", Some(9)), ["  日本語", "  日本語"], "wide letters count twice");
        assert_eq!(wrapped("https://example.org/a/long/one", Some(9)), ["https://example.org/a/long/one"]);
        assert_eq!(wrapped("one two three", None), ["one two three"]);
        assert_eq!(wrapped("", Some(9)), [""]);
    }
}
