//! Links that people give. Each is shown to whoever reads along, and opened by one tired click: so it goes only where a
//! browser or a phone can safely go, and carries nobody's password.

use crate::refusal::{Code, Refusal};

/// Why something is no link to give.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum NoLink {
    /// It does not begin as it has to, names no host, or has spaces.
    Wrong,
    /// It has a name or a password before its host.
    Credentials,
}

impl NoLink {
    /// As whoever gave it is told; `wrong` says what a link looks like there.
    pub(crate) fn refusal(self, wrong: &str) -> Refusal {
        let sentence = match self {
            Self::Wrong => wrong,
            Self::Credentials => {
                "A link with a name or password in it would show them to everybody here. Leave out what stands before \
                 the “@”, and the “@”."
            }
        };
        Refusal::new(Code::Invalid, sentence)
    }
}

/// Whether this begins with one of these schemes, such as `https://` or `tel:`, and can safely be opened. Where a host
/// follows, it is there, and nothing stands before it.
///
/// # Errors
/// [`NoLink`] for what is not to be given as a link.
pub fn check(link: &str, schemes: &[&str]) -> Result<(), NoLink> {
    let scheme = schemes.iter().find(|scheme| link.starts_with(**scheme)).ok_or(NoLink::Wrong)?;
    // Browsers take a backslash for a slash, others do not: where it leads is anybody's guess.
    if link.contains(|c: char| c.is_whitespace() || c == '\\') {
        return Err(NoLink::Wrong);
    }
    if scheme.ends_with("://") {
        let host = link[scheme.len()..].split(['/', '?', '#']).next().unwrap_or_default();
        if host.contains('@') {
            return Err(NoLink::Credentials);
        }
        if !host.starts_with(|c: char| c.is_alphanumeric() || c == '[') {
            return Err(NoLink::Wrong);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_a_host_and_carries_nobodys_password() {
        let schemes = ["https://", "tel:", "mailto:"];
        for good in [
            "https://bugs.example.org/7?by=a@b#c",
            "https://bugs.example.org/@ada",
            "https://[2001:db8::1]/",
            "https://bücher.example",
            "tel:+4930123",
            "mailto:ada@example.org",
        ] {
            assert_eq!(check(good, &schemes), Ok(()), "{good}");
        }
        for bad in [
            "",
            "https://",
            "https:///x",
            "http://x",
            "javascript:alert(1)",
            "https://x /y",
            "https://x\\@y",
            "tel:1 2",
        ] {
            assert_eq!(check(bad, &schemes), Err(NoLink::Wrong), "{bad}");
        }
        for told in ["https://ada:secret@x/7", "https://ada@x", "https://:secret@x", "https://ada:s@e@x?y"] {
            assert_eq!(check(told, &schemes), Err(NoLink::Credentials), "{told}");
        }
    }
}
