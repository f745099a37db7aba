//! Mail: a short letter as plain text and as HTML, and the session with the relay. What is written is put together by a
//! pure function; whatever goes into a header is looked at here, whatever the library does.

use std::time::Duration;

use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::Error;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use wardroom_core::person::Email;

use super::one_line;
use super::settings::Relay;

/// How long the relay may take for one letter.
const PATIENCE: Duration = Duration::from_secs(20);
/// The longest subject, in characters.
const SUBJECT_MAX: usize = 400;

/// A letter.
#[derive(Clone, Debug)]
pub struct Letter<'a> {
    /// Who it is from.
    pub from: &'a str,
    /// Whom it is to.
    pub to: &'a str,
    /// In a line.
    pub line: &'a str,
    /// What to do.
    pub help: &'a str,
    /// Where to do it.
    pub link: &'a str,
    /// Its stable id, without brackets.
    pub id: &'a str,
    /// The id of the letter that this follows.
    pub follows: Option<&'a str>,
}

/// Says that a machine wrote this, so that nobody's machine answers (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }
    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }
    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// An address, looked at anew: it may have come from a store that somebody else wrote to.
fn address(given: &str) -> Result<Mailbox, String> {
    let email: Email = given.parse().map_err(str::to_owned)?;
    let address: Address = String::from(email).parse().map_err(|_| "this mail address cannot be written".to_owned())?;
    Ok(Mailbox::new(None, address))
}

/// An id as a header has it: of the few characters that an id of ours has.
fn id(given: &str) -> Result<String, String> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b".-@".contains(&b);
    if given.is_empty() || given.len() > 250 || !given.bytes().all(fits) {
        return Err("this id cannot be written".to_owned());
    }
    Ok(format!("<{given}>"))
}

fn html(words: &str) -> String {
    let escaped = words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    escaped.replace('"', "&quot;")
}

/// The letter as it is sent.
///
/// # Errors
/// What cannot be written, in a few words.
pub fn compose(letter: &Letter<'_>) -> Result<Message, String> {
    // A header holds one line, and nothing that moves or hides what stands around it.
    let [line, help, link] = [letter.line, letter.help, letter.link].map(|words| one_line(words, SUBJECT_MAX));
    let plain = format!("{line}.\r\n\r\n{help}\r\n\r\n{link}\r\n");
    let rich = format!(
        "<!doctype html><html lang=\"en\"><body style=\"font:16px/1.5 sans-serif\"><p><strong>{}</strong></p><p>{}</p>\
         <p><a href=\"{}\">Open it in Wardroom</a></p></body></html>",
        html(&line),
        html(&help),
        html(&link)
    );
    let mut message = Message::builder()
        .from(address(letter.from)?)
        .to(address(letter.to)?)
        .subject(line)
        .message_id(Some(id(letter.id)?))
        .header(AutoSubmitted);
    if let Some(before) = letter.follows {
        let before = id(before)?;
        message = message.in_reply_to(before.clone()).references(before);
    }
    let parts = MultiPart::alternative_plain_html(plain, rich);
    message.multipart(parts).map_err(|_| "this letter cannot be written".to_owned())
}

/// The way to the relay.
#[derive(Clone)]
pub struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    /// Who mail is from.
    pub from: String,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mail(…)")
    }
}

impl Mail {
    /// A way to this relay; nothing is connected yet.
    ///
    /// # Errors
    /// A sentence that does not repeat the URL.
    pub fn new(relay: Relay) -> anyhow::Result<Self> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&relay.url)
            .map_err(|_| anyhow::anyhow!("--smtp-url looks like smtps://user:password@host or smtp://host:25"))?
            .timeout(Some(PATIENCE / 2))
            .build();
        Ok(Self { transport, from: relay.from.into() })
    }

    /// The part of an id that says whose it is.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.from.rsplit_once('@').map_or("wardroom", |(_, domain)| domain)
    }

    /// Hands a letter to the relay; returns when the relay has taken it.
    ///
    /// # Errors
    /// What stood in the way, in words of ours: what a relay says may repeat addresses.
    pub async fn send(&self, message: Message) -> Result<(), String> {
        let sent = tokio::time::timeout(PATIENCE, self.transport.send(message)).await;
        match sent {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(why(&error)),
            Err(_) => Err("the mail relay does not answer".to_owned()),
        }
    }
}

fn why(error: &Error) -> String {
    if let Some(code) = error.status() {
        return format!("the mail relay answered {code}");
    }
    let what = if error.is_timeout() {
        "does not answer"
    } else if error.is_tls() {
        "has no certificate that can be trusted"
    } else {
        "cannot be reached"
    };
    format!("the mail relay {what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter<'a>() -> Letter<'a> {
        Letter {
            from: "wardroom@example.org",
            to: "mary@example.org",
            line: "Ada offers you command in incident #1 “Search is failing” (sev1)",
            help: "Take it by 03:10 UTC.",
            link: "https://w.example.org/incidents/1",
            id: "1.offer.2.x@example.org",
            follows: None,
        }
    }

    fn written(letter: &Letter<'_>) -> String {
        String::from_utf8(compose(letter).unwrap().formatted()).unwrap()
    }

    fn heads(letter: &Letter<'_>) -> Vec<String> {
        let all = written(letter);
        let (head, _) = all.split_once("\r\n\r\n").unwrap();
        let own = head.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
        own.map(|line| line.split(':').next().unwrap().to_lowercase()).collect()
    }

    const HEADS: [&str; 9] =
        ["from", "to", "subject", "message-id", "auto-submitted", "mime-version", "date", "content-type", ""];

    #[test]
    fn a_letter_says_what_to_do_twice_over() {
        let all = written(&letter());
        for part in
            ["text/plain", "text/html", "Message-ID: <1.offer.2.x@example.org>", "Auto-Submitted: auto-generated"]
        {
            assert!(all.contains(part), "{part} in {all}");
        }
        let done = Letter { id: "1.offer.2.x.done@example.org", follows: Some("1.offer.2.x@example.org"), ..letter() };
        assert!(written(&done).contains("In-Reply-To: <1.offer.2.x@example.org>"));
    }

    #[test]
    fn what_people_wrote_stays_within_its_header() {
        let line = "Search\r\nBcc: eve@example.org\0\u{202E}\r\n\r\n<script>alert(1)</script>";
        let odd = Letter { line, help: "x\r\n.\r\nMAIL FROM:<eve@example.org>", ..letter() };
        let heads = heads(&odd);
        assert!(heads.iter().all(|head| HEADS.contains(&head.as_str())), "{heads:?}");
        assert!(written(&odd).contains("&lt;script&gt;"));
    }

    #[test]
    fn an_address_or_an_id_with_a_line_break_is_not_written() {
        for to in
            ["mary@example.org\r\nBcc: eve@example.org", "mary\0@example.org", "mary@example.org,eve@example.org", ""]
        {
            assert!(compose(&Letter { to, ..letter() }).is_err(), "{to:?}");
            assert!(compose(&Letter { from: to, ..letter() }).is_err(), "{to:?}");
        }
        for id in ["1.offer.2>\r\nBcc: x", "", "a b", &"x".repeat(251)] {
            assert!(compose(&Letter { id, ..letter() }).is_err(), "{id:?}");
            assert!(compose(&Letter { follows: Some(id), ..letter() }).is_err(), "{id:?}");
        }
    }
}
