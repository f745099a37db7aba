//! What a server has to know to reach people outside of it.

use wardroom_core::person::Email;

use crate::public_url::PublicUrl;

/// Where people open the page, and by which relay mail goes out.
#[derive(Clone, Default)]
pub struct Outside {
    /// Where people open the page: `https://wardroom.example.org`, without a slash at its end.
    pub public_url: Option<String>,
    /// The mail relay and the address that mail is from.
    pub mail: Option<Relay>,
    /// Whether people's pagers and push services may be on this machine or in its private networks.
    pub private_endpoints: bool,
}

/// A mail relay. Its URL may hold a password and is never printed.
#[derive(Clone)]
pub struct Relay {
    /// `smtps://user:password@host`, `smtp://host:25`.
    pub url: String,
    /// Who mail is from.
    pub from: Email,
}

impl std::fmt::Debug for Outside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Outside(…)")
    }
}

/// Whether a relay's URL sends a password where everybody on the way can read it.
fn bares_a_password(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("smtp://") else { return false };
    let (before, behind) = rest.split_once(['/', '?']).unwrap_or((rest, ""));
    let Some((_, host)) = before.rsplit_once('@') else { return false };
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    let here = ["127.0.0.1", "localhost", "[::1]"].contains(&name.map_or(host, |(name, _)| name));
    !here && !behind.split(['?', '&']).any(|asked| asked == "tls=required")
}

impl Outside {
    /// Whom a push service can ask about this server (RFC 8292, 2.1): the page's address, or that of its mail.
    #[must_use]
    pub fn contact(&self) -> Option<String> {
        let page = self.public_url.clone().filter(|url| url.starts_with("https://"));
        let mail = || Some(format!("mailto:{}", String::from(self.mail.as_ref()?.from.clone())));
        page.or_else(mail)
    }

    /// Settles what was given.
    ///
    /// # Errors
    /// A sentence, without repeating the relay's URL.
    pub fn settle(
        public_url: Option<&PublicUrl>,
        smtp_url: Option<String>,
        mail_from: Option<String>,
        private_endpoints: bool,
    ) -> anyhow::Result<Self> {
        let public_url = public_url.map(|url| url.origin().to_owned());
        let mail = match (smtp_url, mail_from) {
            (None, None) => None,
            (Some(url), Some(from)) => {
                if public_url.is_none() {
                    anyhow::bail!("mail leads people to the page: say where that is with --public-url");
                }
                if bares_a_password(&url) {
                    anyhow::bail!(
                        "--smtp-url would send a password in the clear: use smtps://, or end it with ?tls=required"
                    );
                }
                let from = from.parse().map_err(|why| anyhow::anyhow!("--mail-from: {why}"))?;
                Some(Relay { url, from })
            }
            _ => anyhow::bail!("mail takes both a relay (--smtp-url) and who it is from (--mail-from); name both"),
        };
        Ok(Self { public_url, mail, private_endpoints })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(public: Option<&str>, smtp: Option<&str>, from: Option<&str>) -> Result<Outside, String> {
        let own = |given: Option<&str>| given.map(str::to_owned);
        let public: Option<PublicUrl> = public.map(|url| url.parse().unwrap());
        Outside::settle(public.as_ref(), own(smtp), own(from), false).map_err(|why| why.to_string())
    }

    #[test]
    fn mail_takes_a_relay_a_sender_and_a_page() {
        let (page, relay, from) =
            (Some("https://w.example.org/"), Some("smtps://relay.example.org"), Some("w@example.org"));
        assert_eq!(settle(page, relay, from).unwrap().public_url.as_deref(), Some("https://w.example.org"));
        assert!(settle(None, None, None).unwrap().mail.is_none());
        for (page, relay, from) in
            [(page, relay, None), (page, None, from), (None, relay, from), (page, relay, Some("w"))]
        {
            assert!(settle(page, relay, from).is_err());
        }
    }

    #[test]
    fn a_relays_password_is_neither_sent_nor_said_in_the_clear() {
        let (page, from) = (Some("https://w.example.org"), Some("w@example.org"));
        for bare in [
            "smtp://ada:hunter2@relay.example.org",
            "smtp://ada:hunter2@localhost.example.org",
            "smtp://ada:hunter2@127.0.0.1.example.org:25",
            "smtp://ada:hunter2tls=required@relay.example.org",
        ] {
            let why = settle(page, Some(bare), from).unwrap_err();
            assert!(why.contains("in the clear") && !why.contains("hunter2"), "{why}");
        }
        for fine in [
            "smtp://ada:hunter2@relay.example.org:587?tls=required",
            "smtps://ada:hunter2@relay.example.org",
            "smtp://relay.example.org:25",
            "smtp://ada:hunter2@127.0.0.1:2525",
        ] {
            let settled = settle(page, Some(fine), from).unwrap();
            assert!(!format!("{settled:?}").contains("hunter2"));
        }
    }
}
