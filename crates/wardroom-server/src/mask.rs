//! What looks like a secret is masked before it leaves the machine on which a command ran. Pure.
//!
//! This is a net and no wall: it catches what passwords and tokens usually look like, and what somebody says that they look
//! like here. What got through is redacted in the incident.

use regex::bytes::Regex;

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
        let mut masked = said.to_vec();
        for (look, instead) in &self.looks {
            masked = look.replace_all(&masked, instead.as_bytes()).into_owned();
        }
        masked
    }

    /// The same, of a text.
    #[must_use]
    pub fn text(&self, said: &str) -> String {
        String::from_utf8_lossy(&self.bytes(said.as_bytes())).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(said: &str) -> String {
        Mask::new(&["corp-[0-9]+".to_owned()], "wr_t0ken.x").unwrap().text(said)
    }

    #[test]
    fn what_looks_like_a_secret_is_masked_and_keeps_its_name() {
        for (said, shown) in [
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
        ] {
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
