//! What looks like a secret is masked before it leaves the machine on which a command ran. Pure.
//!
//! This is a net and no wall: it catches what passwords and tokens usually look like, and what somebody says that they look
//! like here. What got through is redacted in the incident.
//!
//! Programs print in colours, and not only whole words: what is looked for is looked for as people read it, with the
//! terminal's escapes left out (`escapes.rs`), and taken out of what was printed with whatever stands in it.

mod escapes;

use std::ops::Range;

use regex::bytes::{Captures, Regex};

use self::escapes::Plain;

/// What stands in the place of a secret.
const MASKED: &str = "[masked]";

/// What a secret is called, with what stands around it: `PGPASSWORD`, `client_secret`, `--api-key`.
const NAMED: &str =
    r"(?:pass(?:word|wd|phrase)|[_-](?:pass|pwd)\b|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)[a-z0-9_-]*";

/// A value in escaped quotes (JSON within JSON), in double quotes, or in single ones (where a shell writes a single one as
/// `'\''`). What opens it is a group, of three of which one takes part; one that is not closed ends with its line.
const QUOTED: &str = r#"(?:(\\")[^\n]*?(?:\\"|$)|(")(?:[^"\\\n]|\\.)*(?:"|$)|(')[^'\n]*(?:'\\''[^'\n]*)*(?:'|$))"#;

/// The same, or a bare one of three characters or more: `secrets: 3` is none.
const VALUE: &str = r#"(?:QUOTED|(?:[^\s'"\\]|\\.){3,})"#;

/// What stands in its place: what it is called stays, and so do its quotes.
const VALUE_MASKED: &str = "${1}${2}${3}${4}[masked]${2}${3}${4}";

/// What secrets look like, and what stands in their place. `^` and `$` are a line's; of what is written here in capitals,
/// see above. What a command printed may be no text, so bytes are looked at, and letters are ASCII's.
const SECRETS: [(&str, &str); 11] = [
    // Blocks of keys come first: nothing of them is to be left.
    (r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY[A-Z ]*-----.*?(?:-----END [A-Z ]*PRIVATE KEY[A-Z ]*-----|\z)", MASKED),
    // Of a header the next word is the secret; of Digest, AWS and the like the rest of the line.
    (
        r#"(?i)(authorization["']?\s*[:=]\s*["']?)(?:((?:bearer|basic|token)\s+)[^\s'",]+|((?:digest|negotiate|ntlm|hawk|oauth|aws4-hmac-sha256)\s+)[^'\n]+|[^\s'",]+)"#,
        "${1}${2}${3}[masked]",
    ),
    (r"(?i)\b(bearer\s+)[a-z0-9._~+/=-]{8,}", "${1}[masked]"),
    (r"(?i)\b((?:set-)?cookie:[ \t]*)[^'\n]+", "${1}[masked]"),
    (r#"(NAMED(?:\\?["'])?\s*[:=]\s*)VALUE"#, VALUE_MASKED),
    // The value of a flag is the next word. Elsewhere the word after a name is a word, as in "password authentication
    // failed", unless it is quoted, as in `ALTER USER mary PASSWORD 'x'`.
    (r#"((?:^|[\s'"])--?[a-z0-9_-]*NAMED(?:["'],\s*|\s+))VALUE"#, VALUE_MASKED),
    (r"(NAMED\s+|\blogin\s+\S+\s+password\s+)QUOTED", VALUE_MASKED),
    // Programs that are told a password in a way of their own, and .netrc.
    (
        r#"(\bcurl\b[^\n|;]*?\s(?:-u|--user|--proxy-user)[\s=]*)(?:('[^':\n]*:)[^'\n]*|("[^":\n]*:)[^"\n]*|([^\s:'"]+:)\S+)"#,
        "${1}${2}${3}${4}[masked]",
    ),
    (
        r"(?-i:(\b(?:mysql|mysqldump|mysqladmin|mariadb)\b[^\n|;]*?\s-p|\bsshpass\s+-p\s*|\bredis-cli\b[^\n|;]*?\s-a\s+|\blogin\s+\S+\s+password\s+))VALUE",
        VALUE_MASKED,
    ),
    (r#"\b([a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/'"]+@"#, "${1}[masked]@"),
    // Tokens that say themselves what they are, Wardroom's own among them.
    (
        r"(?-i:\b(?:(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|xox[abprs]-[A-Za-z0-9-]{10,}|hooks\.slack\.com/services/[A-Za-z0-9/]+|[sr]k_live_[A-Za-z0-9]{16,}|npm_[A-Za-z0-9]{30,}|AIza[A-Za-z0-9_-]{30,}|w[rslg]_[0-9a-f]{64}|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*))",
        MASKED,
    ),
];

/// One of these as it is looked for.
fn look(written: &str) -> Regex {
    let written = written.replace("VALUE", VALUE).replace("QUOTED", QUOTED).replace("NAMED", NAMED);
    Regex::new(&format!("(?im-u){written}")).expect("it is written here, and tested")
}

/// What is masked here.
#[derive(Debug)]
pub struct Mask {
    looks: Vec<(Regex, &'static str)>,
}

impl Mask {
    /// What usually looks like a secret, and what does here.
    ///
    /// # Errors
    /// A sentence, when one of `here` is no regular expression.
    pub fn new(here: &[String], token: &str) -> Result<Self, String> {
        let mut looks = Vec::new();
        if !token.is_empty() {
            // Of whoever runs it: a command may print it with its variables.
            let token = Regex::new(&regex::escape(token)).expect("what is escaped is one");
            looks.push((token, MASKED));
        }
        // What somebody names is known best, and comes before a guess could take a piece of it.
        for look in here.iter().filter(|look| !look.is_empty()) {
            let read = Regex::new(look);
            let read = read.map_err(|why| format!("--mask {look} is no regular expression: {why}"))?;
            looks.push((read, MASKED));
        }
        looks.extend(SECRETS.map(|(written, instead)| (look(written), instead)));
        Ok(Self { looks })
    }

    /// The same without secrets, as far as they are known.
    #[must_use]
    pub fn bytes(&self, said: &[u8]) -> Vec<u8> {
        let coloured = escapes::are_in(said);
        // A link's address is words, too.
        let mut masked = if coloured { escapes::reworded(said, |words| self.bytes(words)) } else { said.to_vec() };
        for (look, instead) in &self.looks {
            if coloured {
                masked = read_over(&masked, look, instead);
            }
            // What somebody names may have an escape in it. Of what has a name, the colour behind it would be taken, too.
            if !coloured || *instead == MASKED {
                masked = look.replace_all(&masked, instead.as_bytes()).into_owned();
            }
        }
        masked
    }

    /// The same, of a text.
    #[must_use]
    pub fn text(&self, said: &str) -> String {
        String::from_utf8_lossy(&self.bytes(said.as_bytes())).into_owned()
    }
}

/// The same, looked through as people read it: what stands in the place of a secret is all that changes.
fn read_over(said: &[u8], look: &Regex, instead: &str) -> Vec<u8> {
    let plain = Plain::of(said);
    let (mut masked, mut done) = (Vec::with_capacity(said.len()), 0);
    for found in look.captures_iter(plain.bytes()) {
        let (secret, shown) = secret(&found, instead);
        let stands = plain.range(secret);
        masked.extend_from_slice(&said[done..stands.start]);
        masked.extend(shown);
        done = stands.end;
    }
    masked.extend_from_slice(&said[done..]);
    masked
}

/// Where of what was found the secret stands, and what is shown there: what stays of it at both ends, as its name, is none.
fn secret(found: &Captures<'_>, instead: &str) -> (Range<usize>, Vec<u8>) {
    let (whole, mut shown) = (found.get_match(), Vec::new());
    found.expand(instead.as_bytes(), &mut shown);
    let same = |(one, other): &(&u8, &u8)| one == other;
    let before = whole.as_bytes().iter().zip(&shown).take_while(same).count();
    let (rest, left) = (&whole.as_bytes()[before..], &shown[before..]);
    let after = rest.iter().rev().zip(left.iter().rev()).take_while(same).count();
    let shown = left[..left.len() - after].to_vec();
    (whole.start() + before..whole.end() - after, shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask() -> Mask {
        Mask::new(&["corp-[0-9]+".to_owned()], "wr_t0ken.x").unwrap()
    }

    fn masked(said: &str) -> String {
        mask().text(said)
    }

    /// What is said, and what is shown of it.
    const LOOKS: [(&str, &str); 35] = [
        ("PGPASSWORD=hunter22 psql", "PGPASSWORD=[masked] psql"),
        ("deploy --token abcdef --to eu-1", "deploy --token [masked] --to eu-1"),
        ("deploy --api-key=abcdef", "deploy --api-key=[masked]"),
        (r#"{"client_secret": "abcdef", "a": 1}"#, r#"{"client_secret": "[masked]", "a": 1}"#),
        ("curl -H 'Authorization: Bearer abc.def'", "curl -H 'Authorization: Bearer [masked]'"),
        ("postgres://mary:hunter2@db/search", "postgres://mary:[masked]@db/search"),
        ("key AKIAABCDEFGHIJKLMNOP here", "key [masked] here"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123", "[masked]"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc", "[masked]"),
        (r#"{"passphrase": "correct horse battery staple"}"#, r#"{"passphrase": "[masked]"}"#),
        (r#"{"a": "{\"token\": \"correct horse\"}"}"#, r#"{"a": "{\"token\": \"[masked]\"}"}"#),
        (r#"{"password": "a\"b c"}"#, r#"{"password": "[masked]"}"#),
        ("deploy --password 'hun ter2 x' now", "deploy --password '[masked]' now"),
        (r"deploy --password 'it'\''s a secret' now", "deploy --password '[masked]' now"),
        (r"deploy --password hun\ ter2 now", "deploy --password [masked] now"),
        (r#"["deploy", "--token", "abc def"]"#, r#"["deploy", "--token", "[masked]"]"#),
        ("PGPASSWORD='p;q12345' psql", "PGPASSWORD='[masked]' psql"),
        ("password=ab&cdefgh", "password=[masked]"),
        ("MYSQL_PWD=hunter2", "MYSQL_PWD=[masked]"),
        ("password: \"not closed", "password: \"[masked]\""),
        ("ALTER USER mary PASSWORD 'hunter 2'", "ALTER USER mary PASSWORD '[masked]'"),
        ("machine db login mary password hunter2", "machine db login mary password [masked]"),
        ("curl -u mary:hunter2 https://db", "curl -u mary:[masked] https://db"),
        ("curl -s -u 'mary:hun ter2' https://db", "curl -s -u 'mary:[masked]' https://db"),
        ("mysql -u mary -phunter2 search", "mysql -u mary -p[masked] search"),
        ("sshpass -p hunter2 ssh db", "sshpass -p [masked] ssh db"),
        ("redis-cli -h db -a hunter2 ping", "redis-cli -h db -a [masked] ping"),
        (
            "Authorization: Digest username=\"mary\", response=\"abc\"\nAccept: a",
            "Authorization: Digest [masked]\nAccept: a",
        ),
        ("Set-Cookie: session=abc; Secure", "Set-Cookie: [masked]"),
        ("postgres://mary:hun@ter2@db/search", "postgres://mary:[masked]@db/search"),
        ("https://hooks.slack.com/services/T0/B0/abc", "https://[masked]"),
        ("it is corp-4711", "it is [masked]"),
        ("password=x,corp-4711 y;corp-12", "password=[masked] y;[masked]"),
        ("WARDROOM_TOKEN is wr_t0ken.x", "WARDROOM_TOKEN is [masked]"),
        ("wr_t0kenAx", "wr_t0kenAx"),
    ];

    #[test]
    fn what_looks_like_a_secret_is_masked_and_keeps_its_name() {
        for (said, shown) in LOOKS {
            assert_eq!(masked(said), shown);
        }
        let own = format!("wl_{}", "0a".repeat(32));
        assert_eq!(masked(&format!("/welcome#{own}")), "/welcome#[masked]");
        for key in ["", "RSA ", "OPENSSH "] {
            let key = format!("-----BEGIN {key}PRIVATE KEY-----\nabc\ndef\n-----END {key}PRIVATE KEY-----\nafter");
            assert_eq!(masked(&key), "[masked]\nafter");
        }
        let key = "-----BEGIN PGP PRIVATE KEY BLOCK-----\nabc\n-----END PGP PRIVATE KEY BLOCK-----\nafter";
        assert_eq!(masked(key), "[masked]\nafter");
        let no_text = Mask::new(&[], "").unwrap().bytes(b"token=ab\xFFcd\xFE e");
        assert_eq!(no_text, b"token=[masked] e");
        assert_eq!(masked("-----BEGIN PRIVATE KEY-----\ncut off"), "[masked]");
    }

    /// As a person reads it, who sees no escapes.
    #[test]
    fn no_colour_hides_a_secret() {
        for (said, shown) in [
            ("\u{1b}[31mpassword\u{1b}[0m=hunter22 ok", "\u{1b}[31mpassword\u{1b}[0m=[masked] ok"),
            ("pass\u{1b}[1mword=hunter22", "pass\u{1b}[1mword=[masked]"),
            ("password=hun\u{1b}]0;a title\u{7}ter22 ok", "password=[masked] ok"),
            ("\u{1b}[2mpassword=hunter22\u{1b}[0m ok", "\u{1b}[2mpassword=[masked]\u{1b}[0m ok"),
            (
                "\u{1b}[36m\"token\"\u{1b}[0m: \u{1b}[32m\"ab\u{1b}(Bcd\"\u{1b}[0m,",
                "\u{1b}[36m\"token\"\u{1b}[0m: \u{1b}[32m\"[masked]\"\u{1b}[0m,",
            ),
            ("token: \u{1b}[32m\"\"\u{1b}[0m", "token: \u{1b}[32m\"[masked]\"\u{1b}[0m"),
            ("corp-\u{1b}[1m47\u{1b}[0m11", "[masked]"),
            ("wr_t0\u{1b}[1mken.x", "[masked]"),
            (
                "\u{1b}]8;;https://mary:hunter22@db/\u{1b}\\the db\u{1b}]8;;\u{1b}\\",
                "\u{1b}]8;;https://mary:[masked]@db/\u{1b}\\the db\u{1b}]8;;\u{1b}\\",
            ),
            (
                "\u{1b}[31mFATAL\u{1b}[0m: password authentication failed",
                "\u{1b}[31mFATAL\u{1b}[0m: password authentication failed",
            ),
        ] {
            assert_eq!(masked(said), shown);
        }
        let named = Mask::new(&["\u{1b}\\[7m[^\u{1b}]+".to_owned()], "").unwrap();
        assert_eq!(
            named.text("a \u{1b}[7mblacked out\u{1b}[0m"),
            "a [masked]\u{1b}[0m",
            "what somebody names may have one"
        );
    }

    /// Wherever it is interrupted, the same is masked as if it were not.
    #[test]
    fn what_is_interrupted_at_every_letter_is_masked_as_ever() {
        let mask = mask();
        for escape in ["\u{1b}[0m", "\u{1b}[38;5;9m", "\u{1b}(B", "\u{f}", "\u{1b}]0;a title, of words\u{7}"] {
            for (said, shown) in LOOKS {
                let letters: Vec<String> = said.chars().map(String::from).collect();
                let interrupted = mask.text(&letters.join(escape));
                assert_eq!(interrupted.replace(escape, ""), shown, "{interrupted:?}");
            }
        }
    }

    #[test]
    fn what_is_none_stays_as_it_is() {
        for said in [
            "5 pods are ready",
            "https://search.example.org:8080/a@b",
            "secrets: 3",
            "the tokenizer is slow",
            "FATAL: password authentication failed for user mary",
            "the token expired, ask for another",
            "docker run -u 1000:1000 search",
            "mysql -P 3306 -h db",
            "",
        ] {
            assert_eq!(masked(said), said);
        }
        let bytes = [0xFF, 0x00, b'a'];
        assert_eq!(Mask::new(&[], "").unwrap().bytes(&bytes), bytes);
    }

    #[test]
    fn what_is_no_regular_expression_is_said() {
        let wrong = Mask::new(&["(".to_owned()], "").unwrap_err();
        assert!(wrong.starts_with("--mask ( is no regular expression"), "{wrong}");
    }
}
