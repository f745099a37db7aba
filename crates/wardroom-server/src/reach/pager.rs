//! Somebody's own pager, by version 2 of PagerDuty's Events API: triggered, acknowledged when it is seen, resolved when
//! it is done. What is sent is put together by a pure function.

use serde_json::{Value, json};
use wardroom_core::incident::{Incident, Severity};

use super::one_line;
use super::outward::{Outward, Post, Refused, endpoint};

/// The longest summary that a pager takes.
const SUMMARY_MAX: usize = 1_024;
/// The longest routing key; PagerDuty's have 32 characters.
const KEY_MAX: usize = 100;

/// Where somebody's pager listens, and the key by which it knows them. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Pager {
    /// Its endpoint.
    pub url: String,
    /// Its routing key.
    pub key: String,
}

impl std::fmt::Debug for Pager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pager(…)")
    }
}

impl Pager {
    /// A pager, if it can be one.
    ///
    /// # Errors
    /// A sentence; it does not repeat the key.
    pub fn new(url: String, key: String, private: bool) -> Result<Self, &'static str> {
        endpoint(&url, private)?;
        if key.is_empty() || key.len() > KEY_MAX || !key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err("a routing key is one word of letters and digits, as the pager shows it");
        }
        Ok(Self { url, key })
    }
}

/// What a pager is told.
#[derive(Copy, Clone, Debug)]
pub enum Action<'a> {
    /// Something waits.
    Trigger {
        /// In a line.
        line: &'a str,
        /// What to do.
        help: &'a str,
        /// How bad it is.
        severity: &'static str,
    },
    /// It was seen.
    Acknowledge,
    /// It is done.
    Resolve,
}

/// How bad an incident is, in a pager's words.
#[must_use]
pub fn severity(incident: &Incident) -> &'static str {
    match incident.severity {
        Severity::Sev1 => "critical",
        Severity::Sev2 => "error",
        Severity::Sev3 => "warning",
        Severity::Sev4 => "info",
    }
}

/// The event, as the API has it.
#[must_use]
pub fn event(key: &str, id: &str, action: Action<'_>, link: Option<&str>) -> Value {
    let plain = |words: &str| one_line(words, SUMMARY_MAX);
    match action {
        Action::Acknowledge => json!({ "routing_key": key, "event_action": "acknowledge", "dedup_key": id }),
        Action::Resolve => json!({ "routing_key": key, "event_action": "resolve", "dedup_key": id }),
        Action::Trigger { line, help, severity } => {
            let mut event = json!({
                "routing_key": key, "event_action": "trigger", "dedup_key": id, "client": "Wardroom",
                "payload": {
                    "summary": plain(line), "source": "wardroom", "severity": severity,
                    "custom_details": { "what to do": plain(help) },
                },
            });
            if let Some(link) = link {
                event["client_url"] = json!(link);
                event["links"] = json!([{ "href": link, "text": "Open it in Wardroom" }]);
            }
            event
        }
    }
}

/// Sends an event.
///
/// # Errors
/// What stood in the way, in a few words.
pub async fn send(outward: &Outward, pager: &Pager, event: &Value) -> Result<(), Refused> {
    let uri = endpoint(&pager.url, outward.private)?;
    let fields = vec![("content-type", "application/json".to_owned())];
    match outward.post(Post { uri, fields, body: event.to_string().into_bytes() }).await {
        Ok(answer) if (200..=299).contains(&answer.status) => Ok(()),
        Ok(answer) => {
            let why = format!("the pager's endpoint answered {}", answer.status);
            Err(Refused { why, again_in: answer.again_in })
        }
        Err(why) => Err(format!("the pager's endpoint {why}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pager_is_told_in_its_own_words() {
        let trigger = Action::Trigger { line: "Mary offers you command\n in it", help: "Take it", severity: "error" };
        let told = event("k", "w.1", trigger, Some("https://w.example.org/incidents/1"));
        assert_eq!(told["payload"]["summary"], "Mary offers you command  in it");
        assert_eq!((&told["event_action"], &told["dedup_key"]), (&json!("trigger"), &json!("w.1")));
        assert_eq!(told["links"][0]["href"], "https://w.example.org/incidents/1");
        let long = event("k", "w.1", Action::Trigger { line: &"é".repeat(5_000), help: "", severity: "error" }, None);
        assert_eq!(long["payload"]["summary"].as_str().unwrap().chars().count(), SUMMARY_MAX);
        assert_eq!(event("k", "w.1", Action::Resolve, None)["event_action"], "resolve");
    }

    #[test]
    fn a_key_is_one_word() {
        let pager = |key: &str| Pager::new("https://events.pagerduty.com/v2/enqueue".to_owned(), key.to_owned(), false);
        assert!(pager("0123456789abcdef0123456789abcdef").is_ok());
        for wrong in ["", "a b", "a\nb", &"x".repeat(101)] {
            assert!(pager(wrong).is_err(), "{wrong}");
        }
        assert!(!format!("{:?}", pager("hunter2")).contains("hunter2"));
    }
}
