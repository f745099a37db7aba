//! Which server the client verbs speak to, and as whom. What cannot be either is wrong usage, and told before anything
//! is sent.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use ureq::http::Uri;

/// Which server the client verbs speak to.
#[derive(Args, Debug, Clone)]
pub struct Remote {
    /// The server
    #[arg(long, env = "WARDROOM_URL", default_value = "http://127.0.0.1:8080", global = true)]
    pub url: ServerUrl,
    /// Your token
    #[arg(
        long,
        env = "WARDROOM_TOKEN",
        default_value = "",
        hide_env_values = true,
        hide_default_value = true,
        global = true
    )]
    pub token: Secret,
    /// Certificates, in PEM, of the authorities to trust over https; left out, those that the web trusts
    #[arg(long, env = "WARDROOM_CA", value_name = "FILE", global = true)]
    pub ca: Option<PathBuf>,
    /// Print what the API answered, and nothing else; a refusal too is on stdout then
    #[arg(long, global = true)]
    pub json: bool,
}

/// Where a server is, without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerUrl(String);

impl ServerUrl {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ServerUrl {
    type Err = &'static str;
    fn from_str(given: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "a server's address begins with http:// or https://, such as http://127.0.0.1:8080";
        let given = given.trim().trim_end_matches('/');
        let uri: Uri = given.parse().map_err(|_| WRONG)?;
        let spoken = matches!(uri.scheme_str(), Some("http" | "https"));
        let named = uri.host().is_some_and(|host| !host.is_empty());
        (spoken && named && uri.query().is_none()).then(|| Self(given.to_owned())).ok_or(WRONG)
    }
}

/// What stands for a token on the command line or in the variable. It is never shown, and looked at only when it is
/// needed: complaining of it, the parser of the command line would repeat it.
#[derive(Clone, Default)]
pub struct Secret(String);

impl Secret {
    /// The token to send; empty where none was given.
    ///
    /// # Errors
    /// A sentence when it cannot be one.
    pub fn token(&self) -> Result<&str, &'static str> {
        // A line break at the end is the file's that it was read from.
        let given = self.0.trim();
        if given.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(given);
        }
        Err(
            "the token (--token or WARDROOM_TOKEN) is one word, and this one has a blank, a line break or a letter in it \
             that no token has",
        )
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl From<&str> for Secret {
    fn from(given: &str) -> Self {
        Self(given.to_owned())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test that cannot go on says where.

    use super::*;

    #[test]
    fn a_server_is_named_by_an_address_that_can_be_spoken_to() {
        for (given, read) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("https://wardroom.example.org/", "https://wardroom.example.org"),
            (" http://[::1]:8080/behind/a/proxy/\n", "http://[::1]:8080/behind/a/proxy"),
        ] {
            assert_eq!(given.parse::<ServerUrl>().unwrap().as_str(), read);
        }
        for given in
            ["", "127.0.0.1:8080", "wardroom.example.org", "ftp://host", "http://", "http://a b", "http://a?b=c"]
        {
            assert!(given.parse::<ServerUrl>().is_err(), "{given:?}");
        }
    }

    #[test]
    fn a_token_is_one_word_and_is_never_shown() {
        let secret = Secret::from("wt_abc\n");
        assert_eq!((secret.token(), format!("{secret:?}").as_str()), (Ok("wt_abc"), "…"));
        for given in ["wt_a\nwt_b", "wt_a wt_b", "wt_é", "wt_\u{7}"] {
            let told = Secret::from(given).token().unwrap_err();
            assert!(told.contains("one word") && !told.contains("wt_"), "{told}");
        }
    }
}
