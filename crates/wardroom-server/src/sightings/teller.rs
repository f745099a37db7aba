//! Tells the incidents what was kept. The table is what is trusted: whoever keeps something wakes this, and what another
//! node kept, or was not known to be kept, is found a few seconds later.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};
use uuid::Uuid;
use wardroom_core::id::{Actor, Number, ServiceName, Time};
use wardroom_core::incident::Incident;
use wardroom_core::sighting::{SIGHTINGS_MAX, Seen, Stage};

use super::share::{Chosen, Needs, Offer, SHARE, choose};
use super::{KEPT_DAYS, Told};
use crate::clock;
use crate::execute::{Asked, Executor, NotDone, Order};
use crate::log::{Log, LogError};
use crate::streams::Streams;
use crate::views::board::Board;
use crate::watch::{Changed, Follower, Piece, Watch};

/// Rows that are looked at together.
const PIECE: usize = 512;
/// So many of what was told are looked at for one incident at once, the newest: more than it can hear of.
const LOOKED_AT: i64 = 2 * SIGHTINGS_MAX as i64;
/// How often it is looked for what nobody here was woken for: another node kept it, and ended.
const LOOK: Duration = Duration::from_secs(5);
/// How often every open incident is looked at anew, whatever is known of it.
const EVERYTHING: Duration = Duration::from_secs(600);
/// What was told is stamped before it is kept, and by a clock that may be behind: so far back is read again.
const OVERLAP: SignedDuration = SignedDuration::from_mins(2);
/// The same, for what this node kept itself and was woken for.
const WOKEN_OVERLAP: SignedDuration = SignedDuration::from_secs(15);
/// How long to wait before an incident that could not be told is told again: at first, and at the most.
const AGAIN: Duration = Duration::from_secs(1);
const AGAIN_MOST: Duration = Duration::from_secs(60);

/// What an incident hears of: from when on and, once it is resolved, until when; and of which services.
#[derive(PartialEq, Eq)]
struct Hears {
    from: Time,
    until: Option<Time>,
    services: BTreeSet<ServiceName>,
}

/// An incident that could not be told: when that is tried again, and how long was waited.
struct Later {
    at: Instant,
    waited: Duration,
}

struct Teller {
    log: Log,
    streams: Streams,
    executor: Executor,
    board: Board,
    /// How far the log was looked at.
    follower: Follower,
    /// What was received until then was told to everybody who hears.
    passed: Time,
    /// What each incident hears of, as far as it was told everything since; `None` where it is to be looked at anew.
    known: BTreeMap<Number, Option<Arc<Hears>>>,
    /// The incidents that could not be told. Nobody waits for them.
    later: BTreeMap<Number, Later>,
    /// Whether incidents that ended before this began were looked at.
    started: bool,
    /// Of whom it was said that they told an incident too much.
    said: BTreeSet<(Number, String)>,
}

/// Tells until nobody can tell anything any more.
pub(super) async fn run(
    log: Log,
    streams: Streams,
    executor: Executor,
    watch: Watch,
    board: Board,
    mut woken: mpsc::Receiver<()>,
) {
    let mut entries = watch.subscribe();
    let mut teller = Teller {
        log,
        streams,
        executor,
        board,
        follower: Follower::of(&watch),
        passed: clock::now(),
        known: BTreeMap::new(),
        later: BTreeMap::new(),
        started: false,
        said: BTreeSet::new(),
    };
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut everything, mut news) = (Instant::now() + EVERYTHING, None);
    loop {
        // What was kept before a crash is told by the first of these.
        if Instant::now() >= everything {
            everything = Instant::now() + EVERYTHING;
            teller.anew();
        }
        if let Err(error) = teller.round(news.take()).await {
            tracing::warn!(%error, "incidents are not told of changes yet; trying again");
            tokio::time::sleep(AGAIN).await;
            news = Some(OVERLAP);
            continue;
        }
        tokio::select! {
            changed = entries.changed() => if changed.is_err() { return },
            more = woken.recv() => match more {
                Some(()) => news = Some(WOKEN_OVERLAP),
                None => return,
            },
            _ = look.tick() => news = Some(OVERLAP),
        }
    }
}

/// How far an incident knows something to be.
fn known_as(incident: &Incident) -> BTreeMap<Uuid, Stage> {
    incident.sightings.iter().map(|known| (known.seen.key, known.seen.stage)).collect()
}

impl Hears {
    fn of(incident: &Incident, streams: &Streams) -> Self {
        let services = incident.watched_services(&streams.directory().directory.facts);
        Self { from: incident.hears_from(), until: incident.resolved_at, services }
    }

    /// Whether there may be anything in it for an incident that knows these. Whether there is, is decided in the core.
    fn may_be_news(&self, known: &BTreeMap<Uuid, Stage>, seen: &Seen) -> bool {
        match known.get(&seen.key) {
            Some(stage) => *stage < seen.stage,
            None => {
                let then = self.from <= seen.at && self.until.is_none_or(|until| seen.at < until);
                then && self.services.contains(&seen.service)
            }
        }
    }
}

impl Teller {
    /// Looks at every open incident in the next round, and at every other one that something is still under way in.
    fn anew(&mut self) {
        self.follower.anew();
        self.known.values_mut().for_each(|hears| *hears = None);
    }

    /// Looks at the incidents that changed; and, where there may be news, at what was received since so long before the last
    /// look at them.
    async fn round(&mut self, news: Option<SignedDuration>) -> Result<(), LogError> {
        self.follow().await?;
        let now = Instant::now();
        let due: Vec<Number> =
            self.later.iter().filter(|(_, later)| later.at <= now).map(|(number, _)| *number).collect();
        for number in due {
            self.look_back(number).await;
        }
        match news {
            Some(overlap) => self.pass_on(overlap).await,
            None => Ok(()),
        }
    }

    /// Looks at the incidents that changed, or at all of them: what the directory says changed, or too much did.
    async fn follow(&mut self) -> Result<(), LogError> {
        loop {
            let Piece { changed, until } = self.follower.look();
            let numbers: BTreeSet<Number> = match changed {
                Changed::In { mut incidents, directory } => {
                    if directory {
                        incidents.extend(self.known.keys());
                    }
                    incidents
                }
                Changed::Anywhere => self.may_hear().await?,
            };
            for number in numbers {
                if !self.later.contains_key(&number) {
                    self.look_back(number).await;
                }
            }
            if self.follower.done(until) {
                return Ok(());
            }
        }
    }

    /// Every incident that may be open, whether it can be read or not, and every other one that hears of something. At first
    /// also the newest of those that ended since the oldest of what is kept: something may have been under way in them.
    async fn may_hear(&mut self) -> Result<BTreeSet<Number>, LogError> {
        let mut all = self.board.may_be_open().await?;
        all.extend(self.known.keys());
        if !self.started {
            let kept_since = clock::now() - SignedDuration::from_hours(24 * KEPT_DAYS);
            let ended = self.board.ended(u32::MAX, PIECE).await?;
            all.extend(ended.iter().filter(|one| one.phase_since >= kept_since).map(|one| one.number));
            self.started = true;
        }
        Ok(all)
    }

    /// Rows that were received since so long before the last look, told to everybody who hears of them.
    async fn pass_on(&mut self, overlap: SignedDuration) -> Result<(), LogError> {
        let began = clock::now();
        // A clock that was set back does not keep anything from being told.
        let mut after = (self.passed.min(began) - overlap, Uuid::nil());
        loop {
            let (news, next) = self.log.sightings_received(after, PIECE).await?;
            if !news.is_empty() {
                for number in self.known.keys().copied().collect::<Vec<_>>() {
                    if let Err(error) = self.tell_news(number, &news).await {
                        self.put_off(number, &error);
                    }
                }
            }
            match next {
                Some(next) => after = next,
                None => break,
            }
        }
        self.passed = began;
        Ok(())
    }

    async fn tell_news(&mut self, number: Number, news: &[Told]) -> Result<(), NotDone> {
        let Some(incident) = self.incident(number).await? else { return Ok(()) };
        // As of the last look at it. Should that be old by now, what is missed here is told at the next.
        let known = self.known.get(&number).cloned().flatten();
        let hears = known.unwrap_or_else(|| Arc::new(Hears::of(&incident, &self.streams)));
        self.tell_all(&incident, &hears, news).await
    }

    /// Tells an incident what may be news there: in the order in which it is given, as far as there is room for it.
    async fn tell_all(&mut self, incident: &Incident, hears: &Hears, told: &[Told]) -> Result<(), NotDone> {
        let known = known_as(incident);
        let (now, directory) = (clock::now(), self.streams.directory());
        let needs = |seen: &Seen| match known.contains_key(&seen.key) {
            true => Needs::Nothing,
            false if incident.is_uncoordinated(seen, now, &directory.directory.facts) => Needs::Room,
            false => Needs::Share,
        };
        let mut offers: Vec<Offer<'_>> = Vec::new();
        for one in told {
            match one {
                Told::Whole { teller, seen } if hears.may_be_news(&known, seen) => {
                    offers.push(Offer { teller, seen, needs: needs(seen) });
                }
                Told::Silenced { key, stage, at } if known.get(key).is_some_and(|known| known < stage) => {
                    self.tell(Order::SeeGoOn(incident.number, *key, *stage, *at)).await?;
                }
                Told::Whole { .. } | Told::Silenced { .. } => {}
            }
        }
        let heard = match incident.sightings.len() + offers.len() >= SHARE {
            true => self.log.sightings_by_teller(known.keys().copied().collect()).await?,
            false => BTreeMap::new(),
        };
        let room = SIGHTINGS_MAX.saturating_sub(incident.sightings_seen) as usize;
        let Chosen { told, cut } = choose(&offers, room, heard);
        for seen in told {
            self.tell(Order::See(incident.number, Box::new(seen))).await?;
        }
        for teller in cut {
            if self.said.insert((incident.number, teller.to_owned())) {
                let number = incident.number;
                tracing::warn!(%number, teller, "an incident hears of no more that one teller tells: it heard of {SHARE}");
            }
        }
        Ok(())
    }

    async fn incident(&self, number: Number) -> Result<Option<Arc<Incident>>, LogError> {
        Ok(self.streams.incident(number).await?.map(|held| held.incident))
    }

    /// Tells an incident what was kept before it came to hear of that. One that cannot be told is told later, and nobody
    /// else waits for it.
    async fn look_back(&mut self, number: Number) {
        match self.try_look_back(number).await {
            Ok(()) => drop(self.later.remove(&number)),
            Err(error) => self.put_off(number, &error),
        }
    }

    fn put_off(&mut self, number: Number, error: &NotDone) {
        // It is told everything then.
        self.known.remove(&number);
        let waited = match self.later.get(&number) {
            Some(later) => (2 * later.waited).min(AGAIN_MOST),
            None => {
                tracing::warn!(%number, %error, "an incident is not told of changes yet; trying again");
                AGAIN
            }
        };
        self.later.insert(number, Later { at: Instant::now() + waited, waited });
    }

    async fn try_look_back(&mut self, number: Number) -> Result<(), NotDone> {
        let Some(incident) = self.incident(number).await? else { return Ok(()) };
        let hears = Hears::of(&incident, &self.streams);
        let under_way = |stage: Stage| stage != Stage::Done;
        if hears.services.is_empty() && !incident.sightings.iter().any(|known| under_way(known.seen.stage)) {
            self.known.remove(&number);
            return Ok(());
        }
        if self.known.get(&number).is_some_and(|known| known.as_deref() == Some(&hears)) {
            return Ok(());
        }
        let mut services = hears.services.clone();
        let going_on = incident.sightings.iter().filter(|known| under_way(known.seen.stage));
        services.extend(going_on.map(|known| known.seen.service.clone()));
        let told = self.log.sightings(services, hears.from, LOOKED_AT).await?;
        self.tell_all(&incident, &hears, &told).await?;
        self.known.insert(number, Some(Arc::new(hears)));
        Ok(())
    }

    async fn tell(&self, order: Order) -> Result<(), NotDone> {
        let asked = Asked { request: Uuid::now_v7(), actor: Actor::Source, order };
        match self.executor.execute(asked).await {
            // It is of no matter there; or there is no room, or nothing can be written there.
            Ok(_) | Err(NotDone::Refused(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
