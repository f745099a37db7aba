//! The board: one row per incident, for lists and for knowing whose deadline comes next.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wardroom_core::facts::Facts;
use wardroom_core::gate::{Circle, Unread};
use wardroom_core::id::{Entry, Number, PersonId, Time};
use wardroom_core::incident::{Incident, Kind, Phase, Severity};
use wardroom_core::role::RolePath;
use wardroom_core::seal::{self, Seal};
use wardroom_core::text::Text;

use crate::log::{BoardRow, Log, LogError};
use crate::stored::sealed;
use crate::streams::{Streams, stream_of};
use crate::watch::Watch;

/// Events read at once.
const PAGE: usize = 1_000;
/// How long the board rests between two rounds. Whoever reads it catches it up first, so no list is ever behind.
const PAUSE: Duration = Duration::from_millis(100);
/// How long to wait after the store could not.
const AGAIN: Duration = Duration::from_secs(1);

/// An incident as lists show it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Summary {
    /// What people call it by.
    pub number: Number,
    /// One line; null when it was redacted.
    pub title: Text,
    /// Incident, planned or drill.
    pub kind: Kind,
    /// How far it is.
    pub phase: Phase,
    /// How bad it is.
    pub severity: Severity,
    /// What is affected.
    pub services: BTreeSet<wardroom_core::id::ServiceName>,
    /// Who commands or leads, or did last.
    pub commander: PersonId,
    /// Since when the commander has not been seen.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub commander_unseen_since: Option<Time>,
    /// When it was opened.
    #[schema(value_type = String, format = DateTime)]
    pub opened_at: Time,
    /// Since when it is in its phase.
    #[schema(value_type = String, format = DateTime)]
    pub phase_since: Time,
    /// When the next deadline comes.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_due: Option<Time>,
    /// How many people are here.
    pub responders: usize,
    /// Who may know of it, if it is restricted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invited: Option<BTreeSet<PersonId>>,
    /// Whether it is the example, played for one person.
    #[serde(default)]
    pub example: bool,
    /// The newest entry.
    pub last_entry: Entry,
}

impl Summary {
    /// Sums an incident up.
    #[must_use]
    pub fn of(incident: &Incident) -> Self {
        Self {
            number: incident.number,
            title: incident.title.clone(),
            kind: incident.kind,
            phase: incident.phase,
            severity: incident.severity,
            services: incident.services.clone(),
            commander: incident.commander(),
            commander_unseen_since: incident.absence.unseen_since,
            opened_at: incident.opened_at,
            phase_since: incident.phase_since,
            next_due: incident.next_due(),
            responders: incident.responders.len(),
            invited: incident.restricted.then(|| incident.invited.clone()),
            example: incident.example.is_some(),
            last_entry: incident.last_entry,
        }
    }

    /// What it says of an incident that cannot be read any more.
    #[must_use]
    pub fn unread(self) -> Unread {
        Unread {
            number: self.number,
            kind: Some(self.kind),
            phase: Some(self.phase),
            severity: Some(self.severity),
            services: Some(self.services),
            example: self.example,
            circle: self.invited.map_or(Circle::House, Circle::Invited),
        }
    }

    /// Whether somebody may know of it, as the incident itself has it.
    #[must_use]
    pub fn visible_to(&self, person: PersonId, facts: &Facts) -> bool {
        facts.guest_of(person).is_none_or(|only| only == self.number)
            && self.invited.as_ref().is_none_or(|invited| invited.contains(&person))
    }
}

/// What the clock has to know of an incident to tell whether its commander's absence, or return, may be due.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub struct Command {
    /// Who commands or leads.
    #[serde(rename = "commander")]
    pub person: PersonId,
    /// Since when at the earliest: taking command is being seen.
    #[serde(rename = "opened_at")]
    pub since: Time,
    /// How bad it is, which says how long one may be unseen.
    pub severity: Severity,
    /// Since when they have not been seen, once that was recorded.
    #[serde(rename = "commander_unseen_since")]
    pub unseen_since: Option<Time>,
}

impl Command {
    /// As an incident's row has it, without folding the incident; `None` if the row cannot tell.
    #[must_use]
    pub fn on(row: &BoardRow) -> Option<Self> {
        serde_json::from_str(&row.body).ok()
    }

    /// As it is; `None` when nobody commands any more.
    #[must_use]
    pub fn of(incident: &Incident) -> Option<Self> {
        let tenure = incident.roles.get(&RolePath::command())?.holder?;
        Some(Self {
            person: tenure.person,
            since: tenure.since,
            severity: incident.severity,
            unseen_since: incident.absence.unseen_since,
        })
    }
}

/// What a row says about the example.
#[derive(Deserialize)]
struct Example {
    #[serde(default)]
    example: bool,
}

/// Whether a row is that of an example, as far as the row can tell.
pub(crate) fn is_example(row: &BoardRow) -> bool {
    serde_json::from_str(&row.body).is_ok_and(|row: Example| row.example)
}

/// The row of an incident.
///
/// # Errors
/// [`LogError::Damaged`].
pub(crate) fn row(incident: &Incident) -> Result<BoardRow, LogError> {
    Ok(BoardRow {
        number: incident.number,
        seq: incident.last_entry.0,
        open: incident.phase.is_open(),
        next_due: incident.next_deadline(),
        body: sealed(&Summary::of(incident), stream_of(incident.number))?,
    })
}

/// Reads the board.
#[derive(Clone, Debug)]
pub struct Board {
    log: Log,
    streams: Streams,
    watch: Watch,
}

impl Board {
    /// Starts keeping the board, from where it was left.
    #[must_use]
    pub fn start(log: Log, streams: Streams, watch: Watch) -> Self {
        let board = Self { log, streams, watch };
        tokio::spawn(board.clone().keep());
        board
    }

    async fn keep(self) {
        let mut news = self.watch.subscribe();
        loop {
            match self.caught_up().await {
                Ok(unkept) if unkept.is_empty() => {
                    // What happens meanwhile is summed up together: a row is not written for every note.
                    tokio::time::sleep(PAUSE).await;
                    if news.changed().await.is_err() {
                        return;
                    }
                }
                Ok(_) => tokio::time::sleep(AGAIN).await,
                Err(error) => {
                    tracing::warn!(%error, "the board could not be kept; trying again");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    /// Sums up every incident that something happened in since the board's cursor.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn catch_up(&self) -> Result<(), LogError> {
        self.caught_up().await.map(drop)
    }

    /// As [`Board::catch_up`]; returns the last rows if they could not be kept, so that a full disk, on which
    /// nothing more happens anyway, does not keep anybody from reading lists.
    async fn caught_up(&self) -> Result<Vec<BoardRow>, LogError> {
        let mut cursor = self.log.board_cursor().await?;
        loop {
            let page = self.log.read_all(cursor, PAGE).await?;
            let Some(last) = page.last() else { return Ok(Vec::new()) };
            cursor = last.position;
            let mut newest: BTreeMap<Number, u64> = BTreeMap::new();
            newest.extend(page.iter().filter_map(|stored| Some((stored.stream.incident()?, stored.seq))));
            let mut rows = Vec::with_capacity(newest.len());
            for (number, seq) in newest {
                let held = self.streams.incident_up_to(number, seq).await;
                match held.and_then(|held| held.map(|held| row(&held.incident)).transpose()) {
                    Ok(summed_up) => rows.extend(summed_up),
                    // One broken incident is not shown; the others go on.
                    Err(error @ LogError::Damaged { .. }) => tracing::error!(%error, "an incident cannot be folded"),
                    Err(error) => return Err(error),
                }
                if let Err(error) = self.streams.snapshot_if_due(number).await {
                    tracing::warn!(%number, %error, "a snapshot could not be kept");
                }
            }
            if let Err(error) = self.log.put_board(rows.clone(), cursor).await {
                if page.len() == PAGE {
                    return Err(error);
                }
                tracing::warn!(%error, "the board could not be kept; trying again");
                return Ok(rows);
            }
            // Not "until nothing is left": while people write there always is something, and each round commits.
            if page.len() < PAGE {
                return Ok(Vec::new());
            }
        }
    }

    /// Opens a row: puts its words back.
    async fn open(&self, row: BoardRow) -> Result<Option<Summary>, LogError> {
        let Ok(mut tree) = serde_json::from_str(&row.body) else { return Ok(None) };
        let seals: Vec<[u8; 32]> = seal::seals(&mut tree).into_iter().map(|Seal(bytes)| bytes).collect();
        let words = self.log.words(stream_of(row.number), &seals).await?;
        seal::open(&mut tree, &|seal| {
            words.iter().find(|text| text.commitment == seal.0).and_then(|text| text.words.clone())
        });
        Ok(serde_json::from_value(tree).ok())
    }

    async fn open_all(&self, rows: Vec<BoardRow>) -> Result<Vec<Summary>, LogError> {
        let mut all = Vec::with_capacity(rows.len());
        for row in rows {
            all.extend(self.open(row).await?);
        }
        Ok(all)
    }

    /// Open incidents, the worst first. What this node has seen committed is on it.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn active(&self) -> Result<Vec<Summary>, LogError> {
        let unkept = self.caught_up().await?;
        let mut rows = self.log.board_open().await?;
        rows.retain(|row| unkept.iter().all(|newer| newer.number != row.number));
        rows.extend(unkept.into_iter().filter(|row| row.open));
        let mut all = self.open_all(rows).await?;
        all.sort_by_key(|summary| (summary.severity, std::cmp::Reverse(summary.number)));
        Ok(all)
    }

    /// Every incident that may be open, whether its row says more of it or not: open ones, and those that the board has not,
    /// or has an older row of, because they could not be read when it was made.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn may_be_open(&self) -> Result<BTreeSet<Number>, LogError> {
        let unkept = self.caught_up().await?;
        let rows = self.log.board_open().await?;
        let unlisted = self.log.board_lacks().await?;
        Ok(rows.iter().chain(&unkept).map(|row| row.number).chain(unlisted).collect())
    }

    /// One incident's row, as far as the board has it.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn row(&self, number: Number) -> Result<Option<Summary>, LogError> {
        let open = self.log.board_open().await?.into_iter().find(|row| row.number == number);
        let row = match open {
            None => {
                self.log.board_ended(number.get().saturating_add(1), 1).await?.pop().filter(|row| row.number == number)
            }
            row => row,
        };
        match row {
            Some(row) => self.open(row).await,
            None => Ok(None),
        }
    }

    /// Ended incidents below a number, the newest first.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn ended(&self, below: u32, limit: usize) -> Result<Vec<Summary>, LogError> {
        self.open_all(self.log.board_ended(below, limit).await?).await
    }
}
