//! An incident's archive over HTTP: put together while it is sent, a page of events or a piece of evidence at a time.
//!
//! A tar says how large a member is before it comes. So the log is read twice: to measure it, and to send it. What was
//! redacted in between makes the two differ; then the answer breaks off, and whoever asked asks again. It breaks off as
//! well when the store fails, or when its reader may not see the incident any more: nobody takes a part for the whole.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use axum::BoxError;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;
use wardroom_core::evidence::{Fingerprint, PIECE_MAX};
use wardroom_core::id::{Number, PersonId, Time};

use super::answers;
use super::parse::InPath;
use super::problem::Problem;
use super::who::Reader;
use crate::archive::{self, DIRECTORY, EVENTS, FORMAT, HTML, MANIFEST, MARKDOWN, Manifest, Member, README, line, tar};
use crate::clock;
use crate::evidence::Flow;
use crate::log::Tip;
use crate::log::proof::{self, Walked};
use crate::server::Server;
use crate::sheet::Form;
use crate::streams::stream_of;

/// Events that are read and sent at once.
const PAGE: usize = 50;
/// Bytes that are handed on together.
const CHUNK: usize = 64 << 10;

/// Read everything of an incident as one archive that proves itself: its log, its document, its evidence, and a manifest
/// with their hashes. `wardroom verify FILE` checks it.
#[utoipa::path(
    get, path = "/api/v1/incidents/{number}/export",
    params(("number" = u32, Path, description = "The incident's number")),
    responses((status = 200, description = "A tar; one that breaks off is no archive", body = String, content_type = "application/x-tar"),
              (status = 404, body = answers::ProblemDocument)),
)]
pub(super) async fn export(
    State(server): State<Server>,
    reader: Reader,
    InPath(number): InPath,
) -> Result<Response, Problem> {
    server.visible(&reader, number).await?;
    let turn = server.evidence.to_leave().await?;
    let name = format!("attachment; filename=\"incident-{}.tar\"", number.get());
    let mut answer = Response::new(Body::from_stream(Export::new(server, reader, number, turn).stream()));
    let fields = answer.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-tar"));
    fields.insert(header::CONTENT_DISPOSITION, HeaderValue::from_str(&name).expect("it is written in plain letters"));
    Ok(answer)
}

/// What comes next.
enum Next {
    /// What this is, and how large the log is.
    Beginning,
    Events,
    Sheet(Form),
    Directory,
    /// The first piece behind this entry.
    PieceAfter(u64),
    Manifest,
    Nothing,
}

/// The log, as it was when it was measured.
struct Measured {
    size: u64,
    sha256: Fingerprint,
    tip: Tip,
}

/// A piece of evidence, as its event has it.
struct Piece {
    fingerprint: Fingerprint,
    /// Its name in the archive.
    name: String,
    bytes: u64,
}

/// A piece on its way out of the store.
struct Flowing {
    flow: Flow,
    name: String,
    /// How many bytes it has, and how many of them have not come.
    size: u64,
    left: u64,
    digest: Sha256,
}

/// An archive on its way.
struct Export {
    server: Server,
    reader: Reader,
    number: Number,
    made_at: Time,
    members: Vec<Member>,
    next: Next,
    /// What is handed on before that.
    ready: VecDeque<Bytes>,
    /// The piece whose bytes come behind what is ready.
    flowing: Option<Flowing>,
    measured: Measured,
    /// The log as it is sent: after which entry it goes on, and what it hashes to so far.
    after: u64,
    digest: Sha256,
    /// Everybody whom an event names.
    people: BTreeSet<PersonId>,
    /// By the entries that have them.
    pieces: BTreeMap<u64, Piece>,
    /// The piece that is on its way weighs.
    _weight: Option<OwnedSemaphorePermit>,
    _turn: OwnedSemaphorePermit,
}

impl Export {
    fn new(server: Server, reader: Reader, number: Number, turn: OwnedSemaphorePermit) -> Self {
        let people = BTreeSet::from([reader.person]);
        let measured = Measured { size: 0, sha256: archive::sha256(&[]), tip: Tip::default() };
        let (members, pieces, ready) = (Vec::new(), BTreeMap::new(), VecDeque::new());
        let (made_at, next, digest) = (clock::now(), Next::Beginning, Sha256::new());
        let (after, _weight, _turn) = (0, None, turn);
        Self {
            server,
            reader,
            number,
            made_at,
            members,
            next,
            ready,
            flowing: None,
            measured,
            after,
            digest,
            people,
            pieces,
            _weight,
            _turn,
        }
    }

    fn stream(self) -> impl Stream<Item = Result<Bytes, BoxError>> {
        stream::unfold(self, |mut export| async move {
            let chunk = export.chunk().await.transpose()?;
            if let Err(error) = &chunk {
                tracing::warn!(%error, incident = export.number.get(), "an archive broke off");
                (export.next, export.ready, export.flowing) = (Next::Nothing, VecDeque::new(), None);
            }
            Some((chunk, export))
        })
    }

    /// The next bytes; nothing behind the last.
    async fn chunk(&mut self) -> Result<Option<Bytes>, BoxError> {
        loop {
            match self.ready.front_mut() {
                Some(piece) if !piece.is_empty() => return Ok(Some(piece.split_to(piece.len().min(CHUNK)))),
                Some(_) => drop(self.ready.pop_front()),
                None if self.flowing.is_some() => self.flow().await?,
                None if matches!(self.next, Next::Nothing) => return Ok(None),
                None => self.go_on().await?,
            }
        }
    }

    /// Makes ready what comes next, for somebody who may still have it.
    async fn go_on(&mut self) -> Result<(), BoxError> {
        let directory = self.server.streams.directory().directory;
        if !self.reader.still_signed_in(&directory) {
            return Err("whoever asked for it is signed in no more".into());
        }
        let seen = self.server.visible(&self.reader, self.number).await;
        seen.map_err(|problem| problem.detail().to_owned())?;
        self.next = match std::mem::replace(&mut self.next, Next::Nothing) {
            Next::Beginning => {
                self.measure().await?;
                self.whole(README, archive::readme(self.number, self.made_at))?;
                self.head(archive::member(self.number, EVENTS), self.measured.size)?;
                Next::Events
            }
            Next::Events => self.events().await?,
            Next::Sheet(form) => {
                let sheet = self.server.whole_sheet(&self.reader, self.number, form).await?;
                let (name, next) = match form {
                    Form::Markdown => (MARKDOWN, Next::Sheet(Form::Html)),
                    Form::Html => (HTML, Next::Directory),
                };
                self.whole(name, sheet)?;
                next
            }
            Next::Directory => {
                self.whole(DIRECTORY, self.directory())?;
                Next::PieceAfter(0)
            }
            Next::PieceAfter(entry) => self.piece(entry).await?,
            Next::Manifest => {
                let manifest = Manifest {
                    format: FORMAT,
                    incident: self.number,
                    made_at: self.made_at,
                    made_by: self.reader.person,
                    tip: self.measured.tip.into(),
                    members: std::mem::take(&mut self.members),
                };
                self.whole(MANIFEST, manifest.text())?;
                self.ready.push_back(Bytes::from_static(&tar::END));
                Next::Nothing
            }
            Next::Nothing => Next::Nothing,
        };
        Ok(())
    }

    /// Puts the head of a member in front of its bytes.
    fn head(&mut self, name: String, size: u64) -> Result<(), BoxError> {
        let at = u64::try_from(self.made_at.as_second()).unwrap_or_default();
        let block = tar::Head { name, size, at }.block().ok_or("a member is larger than an archive can say")?;
        self.ready.push_back(Bytes::copy_from_slice(&block));
        Ok(())
    }

    /// What fills a member's last block, and its line in the manifest.
    fn end(&mut self, name: String, size: u64, sha256: Fingerprint) {
        self.ready.push_back(Bytes::from(vec![0; tar::padding(size)]));
        self.members.push(Member { name, size, sha256 });
    }

    /// A member that is in memory.
    fn whole(&mut self, name: &str, bytes: impl Into<Bytes>) -> Result<(), BoxError> {
        let (name, bytes) = (archive::member(self.number, name), bytes.into());
        let (size, sha256) = (bytes.len() as u64, archive::sha256(&bytes));
        self.head(name.clone(), size)?;
        self.ready.push_back(bytes);
        self.end(name, size, sha256);
        Ok(())
    }

    async fn page(&mut self, after: u64) -> Result<Vec<Walked>, BoxError> {
        Ok(self.server.log.walk_stream(stream_of(self.number), after, PAGE).await?)
    }

    /// Reads the log to its end, until there is nothing more: a redaction that took words which were not read any more
    /// comes behind them, and is among what is read.
    async fn measure(&mut self) -> Result<(), BoxError> {
        let (mut size, mut digest, mut tip) = (0, Sha256::new(), Tip::default());
        loop {
            let page = self.page(tip.seq).await?;
            let Some(last) = page.last() else { break };
            tip = Tip { seq: last.seq, hash: last.hash };
            for event in &page {
                let line = line::written(event)?;
                size += line.len() as u64;
                digest.update(&line);
                self.look(event);
            }
        }
        self.measured = Measured { size, sha256: Fingerprint::new(digest.finalize().into()), tip };
        Ok(())
    }

    /// Remembers whom an event names, and which evidence it has.
    fn look(&mut self, event: &Walked) {
        let body: Value = serde_json::from_str(&event.body).unwrap_or_default();
        let mut named = |id: &str| {
            let person = Uuid::parse_str(id).ok().map(PersonId);
            self.people.extend(person.filter(|person| self.reader.facts.people.contains_key(person)));
        };
        named(&event.actor);
        every_text(&body, &mut named);
        if let Some(fingerprint) = proof::digest_said(event).and_then(|digest| digest.parse::<Fingerprint>().ok()) {
            let called = proof::said(event, "name").unwrap_or_default();
            let name = archive::piece(self.number, &fingerprint.to_string(), called);
            let bytes = body["bytes"].as_u64().unwrap_or(PIECE_MAX);
            self.pieces.insert(event.seq, Piece { fingerprint, name, bytes });
        }
    }

    /// The next page of the log, as far as it was measured.
    async fn events(&mut self) -> Result<Next, BoxError> {
        let mut page = self.page(self.after).await?;
        page.retain(|event| event.seq <= self.measured.tip.seq);
        let mut lines = String::new();
        for event in &page {
            lines.push_str(&line::written(event)?);
        }
        self.digest.update(&lines);
        self.ready.push_back(Bytes::from(lines));
        if let Some(last) = page.last() {
            self.after = last.seq;
            return Ok(Next::Events);
        }
        let sha256 = Fingerprint::new(std::mem::take(&mut self.digest).finalize().into());
        if sha256 != self.measured.sha256 {
            return Err("something was redacted while it was made".into());
        }
        self.end(archive::member(self.number, EVENTS), self.measured.size, sha256);
        Ok(Next::Sheet(Form::Markdown))
    }

    /// Who is meant by the ids in the events, and nobody else.
    fn directory(&self) -> String {
        let facts = &self.reader.facts;
        let person = |person: &PersonId| {
            let handle = facts.people.get(person).and_then(|person| person.handle.words());
            (person.to_string(), json!({ "name": facts.name(*person), "handle": handle }))
        };
        let people: serde_json::Map<String, Value> = self.people.iter().map(person).collect();
        format!("{:#}\n", json!({ "people": people }))
    }

    /// Makes ready what comes next of the piece that is on its way.
    async fn flow(&mut self) -> Result<(), BoxError> {
        let Some(flowing) = &mut self.flowing else { return Ok(()) };
        if let Some(bytes) = flowing.flow.next().await.transpose()? {
            let left = flowing.left.checked_sub(bytes.len() as u64);
            flowing.left = left.ok_or("evidence is larger than its store said")?;
            flowing.digest.update(&bytes);
            self.ready.push_back(bytes);
            return Ok(());
        }
        let Some(Flowing { name, size, left: 0, digest, .. }) = self.flowing.take() else {
            return Err("evidence broke off".into());
        };
        self.end(name, size, Fingerprint::new(digest.finalize().into()));
        Ok(())
    }

    /// The first piece behind an entry.
    async fn piece(&mut self, after: u64) -> Result<Next, BoxError> {
        self._weight = None;
        let Some((&entry, _)) = self.pieces.range(after + 1..).next() else { return Ok(Next::Manifest) };
        let Some(Piece { fingerprint, name, bytes }) = self.pieces.remove(&entry) else { return Ok(Next::Manifest) };
        let weight = self.server.evidence.to_give(bytes).await;
        self._weight = Some(weight.map_err(|problem| problem.detail().to_owned())?);
        let stream = stream_of(self.number);
        let found = match self.server.log.object_of(stream, fingerprint).await? {
            Some(object) => self.server.keep.read(&object).await?,
            None => None,
        };
        match found {
            Some((size, flow)) => {
                self.head(name.clone(), size)?;
                self.flowing = Some(Flowing { flow, name, size, left: size, digest: Sha256::new() });
            }
            None => {
                let now = self.server.log.walk_stream(stream, entry - 1, 1).await?;
                if now.iter().all(|event| proof::digest_said(event).is_none()) {
                    return Err("evidence was redacted while it was sent".into());
                }
                // Whoever checks the archive is told that it is missing, as whoever verifies the store is.
                tracing::error!(incident = self.number.get(), entry, "evidence is not there");
            }
        }
        Ok(Next::PieceAfter(entry))
    }
}

/// Every text of a tree, also those that name its members.
fn every_text(tree: &Value, each: &mut impl FnMut(&str)) {
    match tree {
        Value::String(text) => each(text),
        Value::Array(items) => items.iter().for_each(|item| every_text(item, each)),
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            each(name);
            every_text(value, each);
        }),
        _ => {}
    }
}
