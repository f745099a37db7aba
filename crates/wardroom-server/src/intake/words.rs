//! What other systems write, made fit to be kept and shown: short, on one line, and with nothing that misleads. Pure.

use wardroom_core::link;
use wardroom_core::text::{LINE_MAX, Line, misleads};

use super::LINK_MAX;
use super::unheard::Unheard;

/// From how many digits on a run of them is a digest that nobody reads, and how many of it are kept.
const DIGEST_MIN: usize = 32;
const DIGEST_KEPT: usize = 12;

/// Words of any length as one line of at most so many characters: white space and what misleads become one space, and
/// what does not fit is cut off. Empty where nothing is left.
pub(crate) fn one_line(words: &str, max: usize) -> String {
    let mut line = String::new();
    let mut len = 0;
    for word in words.split(|c: char| c.is_whitespace() || misleads(c)).filter(|word| !word.is_empty()) {
        if len > 0 {
            line.push(' ');
            len += 1;
        }
        for c in word.chars() {
            line.push(c);
            len += 1;
            if len > max {
                let end = line.char_indices().nth(max - 1).map_or(line.len(), |(at, _)| at);
                line.truncate(end);
                line.push('…');
                return line;
            }
        }
    }
    line
}

/// Words of any length as a line. `None` where nothing is left that can be seen.
pub(crate) fn line(words: &str) -> Option<Line> {
    one_line(words, LINE_MAX).parse().ok()
}

/// What names something for another program: as it came, and refused where it is not one plain line of so many characters.
pub(super) fn name(what: &str, given: &str, max: usize) -> Result<String, Unheard> {
    if given.trim().is_empty() {
        return Err(Unheard::unfit(format!("“{what}” is missing or empty")));
    }
    let mut chars = given.chars();
    if chars.by_ref().take(max).any(misleads) {
        return Err(Unheard::unfit(format!("“{what}” has a character that cannot be shown")));
    }
    if chars.next().is_some() {
        return Err(Unheard::unfit(format!("“{what}” is too long; at most {max} characters fit")));
    }
    Ok(given.to_owned())
}

/// A link that can be followed by one click: https, a host and nobody's password before it, in plain letters.
pub(super) fn link(given: &str) -> Option<String> {
    let plain = given.len() <= LINK_MAX && given.bytes().all(|byte| byte.is_ascii_graphic());
    (plain && link::check(given, &["https://"]).is_ok()).then(|| given.to_owned())
}

/// The same words with less of the digests in them: twelve digits tell two images apart.
pub(super) fn without_long_digests(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    let mut rest = words;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len());
        let kept = if digits >= DIGEST_MIN { DIGEST_KEPT } else { digits };
        out.push_str(&rest[..kept]);
        rest = &rest[digits..];
        let others = rest.find(|c: char| c.is_ascii_hexdigit()).unwrap_or(rest.len());
        out.push_str(&rest[..others]);
        rest = &rest[others..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_one_line_that_fits() {
        let line = |words: &str| line(words).map(String::from);
        assert_eq!(line(" Roll back\n\n  to v12\u{202E}\u{1b}[2J "), Some("Roll back to v12 [2J".to_owned()));
        assert_eq!(line("\n\t\u{202E}"), None);
        assert_eq!(line("\u{200B}"), None);
        assert_eq!(line(&"é".repeat(LINE_MAX)), Some("é".repeat(LINE_MAX)));
        let cut = format!("{}…", "é".repeat(LINE_MAX - 1));
        assert_eq!(line(&"é".repeat(LINE_MAX + 1)), Some(cut.clone()));
        assert_eq!(line(&"é".repeat(100_000)), Some(cut));
        assert_eq!(line(&"a ".repeat(100_000)).map(|line| line.chars().count()), Some(LINE_MAX));
    }

    #[test]
    fn a_link_leads_by_https_to_a_host_and_shows_where() {
        for good in ["https://ci.example.org/runs/7?x=a@b#c", "https://[2001:db8::1]:8443/", "https://x"] {
            assert_eq!(link(good).as_deref(), Some(good));
        }
        for bad in [
            "http://ci.example.org",
            "javascript:alert(1)",
            "https://",
            "https:///x",
            "https://ada:secret@ci.example.org/",
            "https://bank.example\\@evil.example/",
            "https://x /y",
            "https://x/é",
            "https://x/\n",
        ] {
            assert_eq!(link(bad), None, "{bad:?}");
        }
        assert_eq!(link(&format!("https://x/{}", "y".repeat(LINK_MAX))), None);
    }

    #[test]
    fn of_a_digest_as_much_is_shown_as_tells_two_apart() {
        let digest = "0b31b1c02ff458ad9b7b81cbdf8f028bd54699fa151f221d1e8de6817db93427";
        assert_eq!(
            without_long_digests(&format!("pkg:oci/app@sha256:{digest}, né")),
            "pkg:oci/app@sha256:0b31b1c02ff4, né"
        );
        assert_eq!(without_long_digests("deadbeef v12 é"), "deadbeef v12 é");
    }
}
