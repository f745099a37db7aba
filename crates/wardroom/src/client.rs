//! Speaks to a server: one request id per command, tried again with the same id while the answer is lost.

mod answer;
mod evidence;
mod uploads;

use std::io::{BufReader, ErrorKind, Write};
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::{Value, json};
use ureq::http::{Response, StatusCode};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::typestate::WithBody;
use ureq::{Agent, Body, RequestBuilder};
use uuid::Uuid;
use wardroom_core::command::{Command, Opening};
use wardroom_core::id::Number;

use crate::live;
use crate::plain::plain;

use answer::{is_without_a_place, of, read};

pub use uploads::Sent;

/// How often a command is tried whose answer was lost, or that the server could not take just then.
const TRIES: u32 = 4;
/// The longest that one try may take. The server answers within 30 seconds, and be it that it has no answer: whoever
/// gave up before would not hear that it is in doubt.
const PATIENCE: Duration = Duration::from_secs(35);
/// How long a connection may bring nothing. A live stream says every 15 seconds that it is alive.
const SILENCE: Duration = Duration::from_secs(45);
/// For so long the gate's answer is waited for. Whether it is in doubt or never comes, nothing is decided.
const AT_THE_GATE: Duration = Duration::from_secs(10);
/// How long to wait before following again after a stream was lost.
const AGAIN: Duration = Duration::from_secs(1);

/// A server, and who asks.
#[derive(Clone, Debug)]
pub struct Client {
    agent: Agent,
    url: String,
    token: String,
    /// The longest that one request may take, from looking up the address to the last byte of the answer.
    within: Option<Duration>,
    tries: u32,
}

fn agent(answer: Duration, silence: Duration) -> ureq::config::ConfigBuilder<ureq::typestate::AgentScope> {
    Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(Duration::from_secs(5)))
        .timeout_recv_response(Some(answer))
        .timeout_per_read(Some(silence))
}

impl Client {
    /// A client of the server at `url`.
    pub fn new(url: &str, token: &str) -> Self {
        Self::as_patient_as(PATIENCE, SILENCE, url, token)
    }

    /// The same, and over https it trusts the authorities in this text and no others.
    ///
    /// # Errors
    /// A text without certificates.
    pub fn trusting(self, pem: &str) -> Result<Self, &'static str> {
        const WRONG: &str = "holds no certificates in PEM";
        let items: Vec<PemItem> = parse_pem(pem.as_bytes()).collect::<Result<_, _>>().map_err(|_| WRONG)?;
        let certificates = items.into_iter().filter_map(|item| match item {
            PemItem::Certificate(certificate) => Some(certificate),
            _ => None,
        });
        let certificates: Vec<_> = certificates.collect();
        if certificates.is_empty() {
            return Err(WRONG);
        }
        let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&certificates)).build();
        Ok(Self { agent: agent(PATIENCE, SILENCE).tls_config(tls).build().into(), ..self })
    }

    fn as_patient_as(answer: Duration, silence: Duration, url: &str, token: &str) -> Self {
        let agent = agent(answer, silence).build().into();
        let (url, token) = (url.trim_end_matches('/').to_owned(), token.to_owned());
        Self { agent, url, token, within: None, tries: TRIES }
    }

    /// The same, for who has no time: each request is tried once, and ends within this.
    pub fn within(&self, most: Duration) -> Self {
        Self { within: Some(most), tries: 1, ..self.clone() }
    }

    /// The same, for who waits for one answer and cannot wait long: each request ends within this, and what took so long is
    /// not tried again.
    fn each_within(&self, most: Duration) -> Self {
        Self { within: Some(most), ..self.clone() }
    }

    fn timed<Any>(&self, request: RequestBuilder<Any>) -> RequestBuilder<Any> {
        request.config().timeout_global(self.within).build()
    }

    /// Reads something.
    pub fn get(&self, path: &str) -> anyhow::Result<Value> {
        read(self.ask(path)?)
    }

    /// Reads a text, however long, piece by piece into this.
    pub fn copy(&self, path: &str, into: &mut impl Write) -> anyhow::Result<()> {
        let answer = self.ask(path)?;
        if !answer.status().is_success() {
            return read(answer).map(drop);
        }
        std::io::copy(&mut answer.into_body().into_reader(), into).context("the answer broke off")?;
        Ok(())
    }

    fn ask(&self, path: &str) -> anyhow::Result<Response<Body>> {
        self.timed(self.agent.get(format!("{}{path}", self.url)))
            .header("authorization", format!("Bearer {}", self.token))
            .call()
            .map_err(|error| self.unreachable(&error))
    }

    /// Has something done, once: the same request id goes with every try.
    pub fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        self.post_as(Uuid::now_v7(), path, body)
    }

    fn post_as(&self, id: Uuid, path: &str, mut body: Value) -> anyhow::Result<Value> {
        body["request_id"] = json!(id);
        self.insist(path, |request| request.send_json(&body))
    }

    /// Posts something until it is answered, or will not be.
    fn insist(
        &self,
        path: &str,
        send: impl Fn(RequestBuilder<WithBody>) -> Result<Response<Body>, ureq::Error>,
    ) -> anyhow::Result<Value> {
        let (mut tried, began) = (1, Instant::now());
        loop {
            let request = self.timed(self.agent.post(format!("{}{path}", self.url)));
            let answer = send(request.header("authorization", format!("Bearer {}", self.token)));
            match answer {
                Ok(answer) if answer.status() == StatusCode::SERVICE_UNAVAILABLE && tried < self.tries => {
                    let told = read(answer);
                    // Nobody names a place for evidence while this waits.
                    if told.as_ref().is_err_and(is_without_a_place) {
                        return told;
                    }
                }
                Ok(answer) => match self.may_wait(&answer, began) {
                    Some(wait) => {
                        std::thread::sleep(wait);
                        continue;
                    }
                    None => return read(answer),
                },
                Err(error) if tried >= self.tries => return Err(self.unreachable(&error)),
                Err(error @ ureq::Error::Timeout(_)) if self.within.is_some() => return Err(self.unreachable(&error)),
                Err(_) => {}
            }
            std::thread::sleep(Duration::from_millis(250) * 2_u32.pow(tried));
            tried += 1;
        }
    }

    /// For how long somebody waits who asked too often, where one answer is waited for and there is the time for that.
    fn may_wait(&self, answer: &Response<Body>, began: Instant) -> Option<Duration> {
        let most = self.within.filter(|_| self.tries > 1 && answer.status() == StatusCode::TOO_MANY_REQUESTS)?;
        let seconds: u64 = answer.headers().get("retry-after")?.to_str().ok()?.parse().ok()?;
        let wait = Duration::from_secs(seconds.max(1));
        (began.elapsed().checked_add(wait)? < most).then_some(wait)
    }

    /// Opens an incident.
    pub fn open(&self, opening: &Opening) -> anyhow::Result<Value> {
        self.post("/api/v1/incidents", serde_json::to_value(opening)?)
    }

    /// Does something in an incident.
    pub fn command(&self, number: Number, command: &Command) -> anyhow::Result<Value> {
        self.command_as(Uuid::now_v7(), number, command)
    }

    /// The same, under a request id that was drawn before: asked again with it, it is done once.
    pub fn command_as(&self, id: Uuid, number: Number, command: &Command) -> anyhow::Result<Value> {
        let path = format!("/api/v1/incidents/{n}/commands", n = number.get());
        let answer = self.post_as(id, &path, serde_json::to_value(command)?);
        answer.map_err(|error| of(number, error))
    }

    /// Asks the gate. Nothing of it is done twice: what is recorded is the same change for ten minutes. A deployment stands
    /// still meanwhile, so whoever gives no answer for a while gives none, nor is waited for longer who says to wait.
    pub fn gate(&self, asked: &Value) -> anyhow::Result<Value> {
        self.each_within(AT_THE_GATE).insist("/api/v1/gate", |request| request.send_json(asked))
    }

    /// Tells the gate how that went with which somebody came through it.
    pub fn gate_ended(&self, told: &Value) -> anyhow::Result<Value> {
        self.each_within(AT_THE_GATE).insist("/api/v1/gate/ended", |request| request.send_json(told))
    }

    /// Makes a link for guests.
    pub fn invite(&self, number: u32, hours: u8) -> anyhow::Result<Value> {
        self.post(&format!("/api/v1/incidents/{number}/invites"), json!({ "hours": hours }))
    }

    /// Says that somebody is active here. Nothing depends on it, so a failure is none.
    pub fn present(&self) {
        let _ = self
            .agent
            .post(format!("{}/api/v1/presence", self.url))
            .header("authorization", format!("Bearer {}", self.token))
            .send_empty();
    }

    /// Follows an incident's entries after a cursor, for as long as `each` says to go on; connects again by
    /// itself when the connection is lost, and says that it waits for that where it takes more than one try.
    pub fn follow(
        &self,
        number: Number,
        cursor: &str,
        mut each: impl FnMut(&Value) -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        let (mut cursor, mut away) = (cursor.to_owned(), false);
        loop {
            let answer = self
                .agent
                .get(format!("{}/api/v1/events?incident={}&drills=true&after={cursor}", self.url, number.get()))
                .header("authorization", format!("Bearer {}", self.token))
                .call();
            let answer = match answer {
                Ok(answer) if answer.status().is_success() => answer,
                Ok(answer) if answer.status() != StatusCode::SERVICE_UNAVAILABLE => return read(answer).map(drop),
                Ok(_) | Err(_) => {
                    if !away {
                        eprintln!("wardroom: Wardroom cannot be reached; this goes on once it can, Ctrl+C to give up");
                    }
                    away = true;
                    std::thread::sleep(AGAIN);
                    continue;
                }
            };
            away = false;
            let mut stream = BufReader::new(answer.into_body().into_reader());
            loop {
                let mut entry = match live::next_entry(&mut stream) {
                    Ok(Some(entry)) => entry,
                    Err(error) if error.kind() == ErrorKind::InvalidData => {
                        return Err(error).context("the live stream could not be read");
                    }
                    Ok(None) | Err(_) => break,
                };
                plain(&mut entry);
                cursor = entry["cursor"].as_str().unwrap_or(&cursor).to_owned();
                if !each(&entry)? {
                    return Ok(());
                }
            }
            std::thread::sleep(AGAIN); // It ended; a server that is stopping would end it again at once.
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test that cannot go on says where.

    use std::io::Read;
    use std::net::{TcpListener, TcpStream};

    use super::*;
    use crate::exit::Failure;

    const SOON: Duration = Duration::from_millis(100);
    const LATE: Duration = Duration::from_secs(120);

    /// Answers each connection with the next of these pieces, in the end with the last, and closes none of them.
    fn server(answers: &'static [&'static str]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let mut open: Vec<TcpStream> = Vec::new();
            let last = std::iter::repeat(answers.last().unwrap());
            for (answer, stream) in answers.iter().chain(last).zip(listener.incoming()) {
                let mut stream = stream.unwrap();
                // Whoever asked may have given up already.
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(answer.as_bytes());
                open.push(stream);
            }
        });
        url
    }

    /// It said that there is no Wardroom where there was one, and in which the command may have been recorded.
    #[test]
    fn a_server_that_does_not_answer_in_time_is_told_from_none() {
        let silent = server(&[""]);
        let told = Client::as_patient_as(SOON, LATE, &silent, "").get("/").unwrap_err();
        let Some(Failure::Unreachable(problem)) = told.downcast_ref() else { panic!("{told}") };
        assert_eq!(problem["code"], "timed_out");
        assert!(told.to_string().contains("may have been recorded"), "{told}");
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let told = Client::as_patient_as(LATE, LATE, &format!("http://{nobody}"), "").get("/").unwrap_err();
        assert!(told.to_string().contains("there is no Wardroom at"), "{told}");
    }

    /// A proxy says that nobody is behind it in words of its own.
    #[test]
    fn what_a_proxy_says_is_told_from_what_wardroom_says() {
        let asked = |answers| Client::new(&server(answers), "").get("/").unwrap_err();
        for answer in [
            &["HTTP/1.1 502 Bad Gateway\r\ncontent-length: 6\r\n\r\n<html>"],
            &["HTTP/1.1 503 Service Unavailable\r\ncontent-length: 18\r\n\r\n{\"message\":\"gone\"}"],
            &["HTTP/1.1 504 Gateway Timeout\r\ncontent-length: 0\r\n\r\n"],
        ] {
            let told = asked(answer);
            assert!(matches!(told.downcast_ref(), Some(Failure::Unreachable(_))), "{told}");
            assert!(told.to_string().contains("what stands before it answers"), "{told}");
        }
        let told = asked(&["HTTP/1.1 500 No\r\ncontent-length: 20\r\n\r\n{\"code\":\"broke_off\"}"]);
        assert!(matches!(told.downcast_ref(), Some(Failure::Refused(_))), "{told}");
    }

    #[test]
    fn who_has_no_time_is_not_kept_waiting() {
        let hurried = Client::new(&server(&[""]), "").within(SOON);
        for told in [hurried.get("/"), hurried.post("/", json!({}))] {
            let told = told.unwrap_err();
            assert!(matches!(told.downcast_ref(), Some(Failure::Unreachable(_))), "{told}");
        }
    }

    /// A cable that is pulled closes nothing: it was followed for ever.
    #[test]
    fn a_stream_that_falls_silent_is_followed_anew() {
        const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n: connected\n\n";
        const ENTRY: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n: connected\n\ndata: \
                             {\"entry\":7,\"cursor\":\"c\"}\n\n";
        let url = server(&[HEAD, ENTRY]);
        let mut entries = Vec::new();
        let client = Client::as_patient_as(LATE, SOON, &url, "");
        client
            .follow(Number::FIRST, "b", |entry| {
                entries.push(entry["entry"].as_u64());
                Ok(false)
            })
            .unwrap();
        assert_eq!(entries, [Some(7)]);
    }
}
