//! Takes deliveries up and sends them, each at least once: with growing pauses until whoever carries it takes it, it is
//! seen, or it is done. The words are those of the moment of sending.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::{Notify, Semaphore};
use uuid::Uuid;
use wardroom_core::call::{Call, Words};
use wardroom_core::id::{Number, PersonId, Time};
use wardroom_core::incident::Incident;
use wardroom_core::reach::Channel;

use super::mail::{Letter, Mail, compose};
use super::outward::{Outward, Refused};
use super::pager::{self, Action};
use super::push::{Message, Push, Untold};
use super::quiet;
use super::settings::Outside;
use crate::clock;
use crate::log::{BrowserRow, DeliveryRow, Log, LogError, Outcome, State};
use crate::streams::{Held, Streams, stream_of};

/// How often the store is asked for what is due.
const EVERY: Duration = Duration::from_secs(1);
/// How long a delivery is one's own: longer than sending may take.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// Deliveries of one way at once: as many as there are questions at once, so that none waits while it is one's own.
const AT_ONCE: usize = super::outward::AT_ONCE;
/// How often those who heard of something are to be told that it is done, before they are left to find out.
const ENDING_MAX: u32 = 12;

/// What came of an attempt.
pub(super) enum Sent {
    /// Whoever carries it has it.
    Accepted,
    /// Not this time.
    Refused(Refused),
    /// Not, and it will not: why.
    Never(String),
    /// There is nobody there any more.
    Gone,
    /// There is nothing to send.
    Nothing,
}

impl<R: Into<Refused>> From<Result<(), R>> for Sent {
    fn from(sent: Result<(), R>) -> Self {
        sent.map_or_else(|refused| Self::Refused(refused.into()), |()| Self::Accepted)
    }
}

/// Something that somebody is told.
#[derive(Copy, Clone)]
pub(super) struct Telling<'a> {
    pub person: PersonId,
    /// The id of the matter.
    pub call: &'a str,
    pub words: &'a Words,
    /// The page on which it is done.
    pub path: &'a str,
    /// How bad it is, in a pager's words.
    pub severity: &'static str,
}

/// Sends. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Carrier {
    pub(super) log: Log,
    streams: Streams,
    epoch: Uuid,
    /// Where people open the page.
    pub public_url: Option<String>,
    /// The way to the mail relay.
    pub mail: Option<Mail>,
    /// The way to people's pagers.
    pub outward: Outward,
    /// The way to the push services of their browsers.
    services: Outward,
    /// The way to either, for tests.
    pub(super) tests: Outward,
    /// Telling browsers.
    pub push: Push,
    /// Each way has its own, so that one whose ends do not answer keeps nothing from another.
    permits: BTreeMap<Channel, Arc<Semaphore>>,
}

/// So often something is tried that whoever carries it says they will never take: one odd answer, of something in
/// between, loses no offer of command.
const NEVER_MAX: u32 = 3;

/// How long to wait before the next attempt.
fn pause(attempts: u32) -> SignedDuration {
    let seconds = match attempts {
        0 | 1 => 2,
        2 => 5,
        3 => 10,
        4 => 20,
        5..=15 => 30,
        _ => 120,
    };
    SignedDuration::from_secs(seconds)
}

/// The page of an incident, as its address begins after the server's own.
fn page_of(incident: &Incident) -> String {
    format!("/incidents/{}", incident.number.get())
}

impl Carrier {
    /// Sends by what the settings name.
    ///
    /// # Errors
    /// When the mail relay cannot be one.
    pub fn new(outside: Outside, log: Log, streams: Streams, epoch: Uuid) -> anyhow::Result<Self> {
        let push = Push::new(log.clone(), outside.contact());
        let mail = outside.mail.map(Mail::new).transpose()?;
        let (public_url, outward) = (outside.public_url, Outward::new(outside.private_endpoints));
        let (services, tests) = (outward.beside(), outward.beside());
        let permits = Channel::ALL.into_iter().map(|way| (way, Arc::new(Semaphore::new(AT_ONCE)))).collect();
        Ok(Self { log, streams, epoch, public_url, mail, outward, services, tests, push, permits })
    }

    pub(super) async fn run(self, put: Arc<Notify>) {
        loop {
            match self.round().await {
                Ok(full) if full => continue,
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "what is to be sent could not be looked at; trying again"),
            }
            let _ = tokio::time::timeout(EVERY, put.notified()).await;
        }
    }

    /// Takes up what is due, by each way; true when there may be more.
    async fn round(&self) -> Result<bool, LogError> {
        let mut more = false;
        for (way, permits) in &self.permits {
            more |= self.take_up(*way, permits).await?;
        }
        Ok(more)
    }

    async fn take_up(&self, way: Channel, permits: &Arc<Semaphore>) -> Result<bool, LogError> {
        let free = permits.available_permits();
        if free == 0 {
            return Ok(false);
        }
        let now = clock::now();
        let rows = self.log.take_up(way, now, now + LEASE, free).await?;
        let full = rows.len() == free;
        for row in rows {
            let (carrier, permits) = (self.clone(), Arc::clone(permits));
            tokio::spawn(async move {
                let Ok(_permit) = permits.acquire_owned().await else { return };
                let outcome = carrier.carry(&row).await;
                // Not kept, it is taken up again when its lease is over: twice is better than not at all.
                if let Err(error) = carrier.log.put_outcome(&row, outcome, clock::now()).await {
                    tracing::warn!(%error, call = row.call, "what came of a delivery could not be kept");
                }
            });
        }
        Ok(full)
    }

    /// The incident and its directory as the log has them now: another node may have put this a moment ago.
    async fn newest(&self, number: Number) -> Result<Option<Held>, LogError> {
        self.streams.refresh_directory().await?;
        let tip = self.log.tip(stream_of(number)).await?;
        self.streams.incident_up_to(number, tip.seq).await
    }

    async fn carry(&self, row: &DeliveryRow) -> Outcome {
        let again = |refused: Refused| {
            // Not sooner than whoever carries it asks for.
            let wait = refused.again_in.unwrap_or_default().max(pause(row.attempts));
            Outcome::Refused { again: clock::now() + wait, why: refused.why }
        };
        let held = match self.newest(row.incident).await {
            Ok(Some(held)) => held,
            Ok(None) => return Outcome::Ended,
            Err(error) => {
                tracing::warn!(%error, call = row.call, "what is to be told cannot be read");
                return again("Wardroom cannot read its record".into());
            }
        };
        let sent = match row.state {
            State::Due | State::Quiet | State::Refused => match self.first(row, &held.incident).await {
                Ok(sent) => sent,
                Err(until) => return Outcome::Quiet { until },
            },
            State::Seeing => self.acknowledge(row).await,
            State::Ending if row.attempts > ENDING_MAX => Sent::Nothing,
            State::Ending => match self.done(row, &held.incident).await {
                Sent::Accepted => Sent::Nothing,
                sent => sent,
            },
            State::Accepted | State::Failed | State::Spared | State::Ended => Sent::Nothing,
        };
        match sent {
            Sent::Accepted => Outcome::Accepted,
            Sent::Nothing | Sent::Gone => Outcome::Ended,
            Sent::Refused(refused) => {
                let why = &refused.why;
                tracing::info!(call = row.call, channel = row.channel.word(), why, "a delivery was refused");
                again(refused)
            }
            Sent::Never(why) if row.attempts < NEVER_MAX => again(why.into()),
            Sent::Never(why) => {
                tracing::warn!(call = row.call, channel = row.channel.word(), why, "a delivery cannot be made");
                Outcome::Failed { why }
            }
        }
    }

    /// Tells of it for the first time, or says until when to leave them alone.
    async fn first(&self, row: &DeliveryRow, incident: &Incident) -> Result<Sent, Time> {
        let (directory, now) = (self.streams.directory().directory, clock::now());
        let calls = incident.calls(&directory.facts, now);
        let Some(call) = calls.iter().find(|call| call.person == row.person && call.id() == row.call) else {
            return Ok(Sent::Nothing);
        };
        let reach = directory.reach_of(row.person);
        if !reach.channels.contains(&row.channel) {
            return Ok(Sent::Nothing);
        }
        if let Some(until) = reach.quiet.as_ref().filter(|_| !call.is_of_command()).and_then(|q| quiet::until(q, now)) {
            return Err(until);
        }
        let words = call.words(incident, &directory.facts);
        let (path, severity) = (call.path(), pager::severity(incident));
        let telling = Telling { person: row.person, call: &row.call, words: &words, path: &path, severity };
        Ok(self.tell(row, &telling).await)
    }

    /// Tells somebody something by the way that a delivery goes.
    async fn tell(&self, row: &DeliveryRow, telling: &Telling<'_>) -> Sent {
        match row.channel {
            Channel::Mail => self.mail(telling).await.into(),
            Channel::Pager => self.trigger(&self.outward, telling).await,
            Channel::Push => self.show(row, telling, false).await,
        }
    }

    pub(super) async fn mail(&self, telling: &Telling<'_>) -> Result<(), String> {
        let id = self.id(telling.call, telling.person);
        self.write(telling.person, &id, None, telling.path, telling.words).await
    }

    pub(super) async fn trigger(&self, outward: &Outward, telling: &Telling<'_>) -> Sent {
        let (line, help) = (telling.words.line.as_str(), telling.words.help.as_str());
        let trigger = Action::Trigger { line, help, severity: telling.severity };
        self.page(outward, telling.person, telling.call, trigger, Some(telling.path)).await
    }

    /// Its pager is told that it was seen.
    async fn acknowledge(&self, row: &DeliveryRow) -> Sent {
        self.page(&self.outward, row.person, &row.call, Action::Acknowledge, None).await
    }

    /// Whoever heard of it is told that it is done.
    async fn done(&self, row: &DeliveryRow, incident: &Incident) -> Sent {
        match row.channel {
            Channel::Mail if row.accepted_at.is_some() => {
                let facts = &self.streams.directory().directory.facts;
                let words = Call::done(&row.call, incident, facts);
                let id = self.id(&row.call, row.person);
                let path = page_of(incident);
                self.write(row.person, &format!("{id}.done"), Some(&id), &path, &words).await.into()
            }
            // What nobody answered for may have arrived all the same.
            Channel::Pager => self.page(&self.outward, row.person, &row.call, Action::Resolve, None).await,
            Channel::Push => {
                let words = Call::done(&row.call, incident, &self.streams.directory().directory.facts);
                let path = page_of(incident);
                let (call, severity) = (row.call.as_str(), pager::severity(incident));
                let telling = Telling { person: row.person, call, words: &words, path: &path, severity };
                self.show(row, &telling, true).await
            }
            Channel::Mail => Sent::Nothing,
        }
    }

    /// A call's id for somebody, of nothing else in the world.
    fn id(&self, call: &str, person: PersonId) -> String {
        format!("{call}.{}.{}", person.0.simple(), self.epoch.simple())
    }

    fn link(&self, path: &str) -> Option<String> {
        self.public_url.as_ref().map(|url| format!("{url}{path}"))
    }

    async fn write(
        &self,
        person: PersonId,
        id: &str,
        follows: Option<&str>,
        path: &str,
        words: &Words,
    ) -> Result<(), String> {
        let (Some(mail), Some(link)) = (&self.mail, self.link(path)) else {
            return Err("this server has no mail relay".to_owned());
        };
        let facts = self.streams.directory().directory.facts.clone();
        let address = facts.people.get(&person).and_then(|person| person.email.as_ref()?.words());
        let to = address.ok_or("the directory has no mail address")?;
        let at = |id: &str| format!("{id}@{}", mail.domain());
        let (id, follows) = (at(id), follows.map(at));
        let (line, help) = (words.line.as_str(), words.help.as_str());
        let letter = Letter { from: &mail.from, to, line, help, link: &link, id: &id, follows: follows.as_deref() };
        mail.send(compose(&letter)?).await
    }

    pub(super) async fn page(
        &self,
        outward: &Outward,
        person: PersonId,
        call: &str,
        action: Action<'_>,
        path: Option<&str>,
    ) -> Sent {
        let pager = match self.log.pager(person).await {
            Ok(Some(pager)) => pager,
            Ok(None) => return Sent::Nothing,
            Err(_) => return Sent::Refused("Wardroom cannot read where the pager is".into()),
        };
        let link = path.and_then(|path| self.link(path));
        let event = pager::event(&pager.key, &self.id(call, person), action, link.as_deref());
        pager::send(outward, &pager, &event).await.into()
    }

    /// Shows something in the browser that a delivery is for, or withdraws it there.
    async fn show(&self, row: &DeliveryRow, telling: &Telling<'_>, done: bool) -> Sent {
        let Ok(browsers) = self.log.browsers_of(row.person).await else {
            return Sent::Refused("Wardroom cannot read which browsers are told".into());
        };
        match browsers.iter().find(|known| Some(known.browser.id()) == row.browser) {
            Some(browser) => self.show_in(&self.services, browser, telling, done).await,
            None => Sent::Nothing,
        }
    }

    pub(super) async fn show_in(&self, outward: &Outward, to: &BrowserRow, telling: &Telling<'_>, done: bool) -> Sent {
        let id = self.id(telling.call, telling.person);
        let message = Message { id: &id, words: telling.words, path: telling.path, done };
        match self.push.send(outward, &to.browser, &message).await {
            Ok(()) => Sent::Accepted,
            Err(Untold::Refused(refused)) => Sent::Refused(refused),
            Err(Untold::Never(why)) => Sent::Never(why),
            Err(Untold::Gone) => match self.log.drop_browser(to.person, to.browser.id()).await {
                Ok(_) => Sent::Gone,
                Err(_) => Sent::Refused("a browser that is gone could not be forgotten".into()),
            },
        }
    }
}
