//! What looks like a secret is masked before it leaves the machine on which a command ran. Pure.
//!
//! This is a net and no wall: it catches what passwords and tokens usually look like, and what somebody says that they look
//! like here. What got through is redacted in the incident.

use regex::bytes::Regex;

/// What stands in the place of a secret.
const MASKED: &str = "[masked]";

/// What secrets look like; what is put in their place keeps what they were called.
const SECRETS: [(&str, &str); 7] = [
    // Blocks of keys come first: nothing of them is to be left.
    (r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)", "[masked]"),
    (r"(?i)(authorization\s*[:=]\s*(?:bearer|basic|token)?\s*)[^\s'\x22,]+", "${1}[masked]"),
    (r"(?i)\b(bearer\s+)[a-z0-9._~+/=-]{8,}", "${1}[masked]"),
    (
        r"(?i)((?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)[a-z0-9_-]*[\x22']?\s*(?:[:=]\s*|\s+)[\x22']?)[^\s\x22',;&]{3,}",
        "${1}[masked]",
    ),
    (r"(?i)\b([a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+@", "${1}[masked]@"),
    (r"\b(?:(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,}|xox[abprs]-[A-Za-z0-9-]{10,})", "[masked]"),
    (r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*", "[masked]"),
];

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
        let known = |look: &str| Regex::new(look).expect("it is written here, and tested");
        let mut looks = Vec::new();
        if !token.is_empty() {
            // Of whoever runs it: a command may print it with its variables.
            looks.push((known(&regex::escape(token)), MASKED));
        }
        for (look, instead) in SECRETS {
            looks.push((known(look), instead));
        }
        for look in here.iter().filter(|look| !look.is_empty()) {
            let read = Regex::new(look);
            let read = read.map_err(|why| format!("--mask {look} is no regular expression: {why}"))?;
            looks.push((read, MASKED));
        }
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
            ("it is corp-4711", "it is [masked]"),
            ("WARDROOM_TOKEN is wr_t0ken.x", "WARDROOM_TOKEN is [masked]"),
            ("wr_t0kenAx", "wr_t0kenAx"),
        ] {
            assert_eq!(masked(said), shown);
        }
        let key = "-----BEGIN RSA PRIVATE KEY-----\nabc\ndef\n-----END RSA PRIVATE KEY-----\nafter";
        assert_eq!(masked(key), "[masked]\nafter");
        assert_eq!(masked("-----BEGIN PRIVATE KEY-----\ncut off"), "[masked]");
    }

    #[test]
    fn what_is_none_stays_as_it_is() {
        for said in
            ["5 pods are ready", "https://search.example.org:8080/a@b", "secrets: 3", "the tokenizer is slow", ""]
        {
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
