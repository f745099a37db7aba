//! What a terminal is told between the letters, in colours mostly: people read on over it, and so does whoever looks for
//! secrets. Pure.

use std::ops::Range;

const ESC: u8 = 0x1B;
const BEL: u8 = 0x07;

/// Whether a terminal's escape may begin with this. Shifts to another set of letters (SO, SI) are whole ones.
fn begins(byte: u8) -> bool {
    matches!(byte, ESC | 0x0E | 0x0F)
}

/// How long the escape is that these bytes begin with, and where in it stands what is no command but words, as a title or a
/// link. What does not come to its end is no more than its first byte: nothing is read over that a person reads.
fn escape(bytes: &[u8]) -> (usize, Option<Range<usize>>) {
    let run = |from: usize, of: fn(&u8) -> bool| from + bytes[from..].iter().take_while(|byte| of(byte)).count();
    let ends = |at: usize, last: fn(&u8) -> bool| if bytes.get(at).is_some_and(last) { at + 1 } else { 1 };
    let intermediate: fn(&u8) -> bool = |byte| matches!(byte, 0x20..=0x2F);
    match bytes {
        // A sequence with numbers: colours, and where to write.
        [ESC, b'[', ..] => {
            let end = run(run(2, |byte| matches!(byte, 0x30..=0x3F)), intermediate);
            (ends(end, |byte| matches!(byte, 0x40..=0x7E)), None)
        }
        // A string, up to its end.
        [ESC, b']' | b'P' | b'X' | b'^' | b'_', ..] => {
            let end = run(2, |byte| *byte >= 0x20 && *byte != 0x7F);
            match &bytes[end..] {
                [BEL, ..] => (end + 1, Some(2..end)),
                [ESC, b'\\', ..] => (end + 2, Some(2..end)),
                _ => (1, None),
            }
        }
        [ESC, ..] => (ends(run(1, intermediate), |byte| matches!(byte, 0x30..=0x7E)), None),
        _ => (1, None),
    }
}

/// Some bytes as people read them, and where each of them stands.
pub struct Plain {
    bytes: Vec<u8>,
    /// Where each piece between two escapes begins: here, and in what it was read from.
    pieces: Vec<(usize, usize)>,
}

impl Plain {
    pub fn of(said: &[u8]) -> Self {
        let (mut bytes, mut pieces, mut at) = (Vec::with_capacity(said.len()), Vec::new(), 0);
        while at < said.len() {
            let end = said[at..].iter().position(|byte| begins(*byte)).map_or(said.len(), |next| at + next);
            if end > at {
                pieces.push((bytes.len(), at));
                bytes.extend_from_slice(&said[at..end]);
            }
            at = end;
            if at < said.len() {
                at += escape(&said[at..]).0;
            }
        }
        Self { bytes, pieces }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where a byte stands in what was read.
    fn stands(&self, at: usize) -> usize {
        let piece = self.pieces.partition_point(|(begins, _)| *begins <= at).saturating_sub(1);
        self.pieces.get(piece).map_or(at, |(begins, from)| from + at - begins)
    }

    /// Where some of these bytes stand in what was read, with what stands between them, and nothing before or after it.
    pub fn range(&self, of: Range<usize>) -> Range<usize> {
        let last = |at: usize| self.stands(at - 1) + 1;
        match of.start == of.end {
            true if of.end == 0 => 0..0,
            true => last(of.end)..last(of.end),
            false => self.stands(of.start)..last(of.end),
        }
    }
}

/// Whether there are any.
pub fn are_in(said: &[u8]) -> bool {
    said.iter().any(|byte| begins(*byte))
}

/// The same, with the words in escapes (where a link goes, a title) put in other ones.
pub fn reworded(said: &[u8], mut words: impl FnMut(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let (mut reworded, mut at) = (Vec::with_capacity(said.len()), 0);
    while at < said.len() {
        let (long, inside) = if begins(said[at]) { escape(&said[at..]) } else { (1, None) };
        let whole = &said[at..at + long];
        match inside {
            Some(inside) => {
                reworded.extend_from_slice(&whole[..inside.start]);
                reworded.extend(words(&whole[inside.clone()]));
                reworded.extend_from_slice(&whole[inside.end..]);
            }
            None => reworded.extend_from_slice(whole),
        }
        at += long;
    }
    reworded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(said: &str) -> String {
        String::from_utf8(Plain::of(said.as_bytes()).bytes).unwrap()
    }

    #[test]
    fn what_a_terminal_is_told_is_read_over() {
        for (said, read) in [
            ("\u{1b}[1;31mred\u{1b}[0m", "red"),
            ("a\u{1b}[38;2;1;2;3mb\u{1b}[?25lc\u{1b}[2 qd", "abcd"),
            ("\u{1b}(B\u{1b}[mreset\u{f}", "reset"),
            ("\u{1b}7saved\u{1b}8", "saved"),
            ("\u{1b}]0;a title\u{7}x\u{1b}]8;;https://a.example\u{1b}\\link\u{1b}]8;;\u{1b}\\", "xlink"),
            ("\u{1b}Pq#0\u{1b}\\picture", "picture"),
        ] {
            assert_eq!(plain(said), read, "{said:?}");
        }
    }

    /// Nothing is hidden by what is no escape.
    #[test]
    fn what_does_not_come_to_its_end_hides_nothing() {
        for (said, read) in [
            ("\u{1b}]0;no end of it\npassword", "]0;no end of it\npassword"),
            ("\u{1b}[12", "[12"),
            ("\u{1b}[1\npassword", "[1\npassword"),
            ("\u{1b}", ""),
            ("\u{1b}\u{1b}[mx", "x"),
            ("\u{1b}]0;a\u{1b}[mb", "]0;ab"),
        ] {
            assert_eq!(plain(said), read, "{said:?}");
        }
    }

    #[test]
    fn every_byte_is_found_where_it_stands() {
        let said = "\u{1b}[1mab\u{1b}[0mc\u{1b}]0;t\u{7}".as_bytes();
        let plain = Plain::of(said);
        for (at, byte) in plain.bytes().iter().enumerate() {
            assert_eq!(said[plain.stands(at)], *byte);
        }
        assert_eq!(&said[plain.range(0..3)], "ab\u{1b}[0mc".as_bytes());
        assert_eq!((plain.range(0..0), plain.range(2..2)), (0..0, 6..6));
        assert_eq!(Plain::of(b"\x1b[m").range(0..0), 0..0);
    }

    #[test]
    fn words_in_escapes_are_put_in_others() {
        let said = "a\u{1b}]8;;https://x\u{1b}\\b\u{1b}[1m\u{1b}]0;no end";
        let louder = reworded(said.as_bytes(), |words| words.to_ascii_uppercase());
        assert_eq!(String::from_utf8(louder).unwrap(), "a\u{1b}]8;;HTTPS://X\u{1b}\\b\u{1b}[1m\u{1b}]0;no end");
    }
}
