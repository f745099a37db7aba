//! The clock: notices deadlines and absence, and has ordinary commands record them.
//!
//! With several nodes each tries, and the position check lets one win. After an outage every open incident is
//! told first how long Wardroom was down, before anything that passed meanwhile is recorded.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch as signal;
use uuid::Uuid;
use wardroom_core::absence::absent_after;
use wardroom_core::command::Tick;
use wardroom_core::deadline::DOWN_AFTER;
use wardroom_core::id::{Actor, Number, Time};
use wardroom_core::refusal::Code;

use crate::clock;
use crate::execute::{Asked, Executor, NotDone, Order};
use crate::log::{Log, LogError};
use crate::presence::Presence;
use crate::streams::Streams;
use crate::views::board::Command;

/// How often the clock looks.
const EVERY: Duration = Duration::from_secs(1);
/// Of how many looks one also exchanges who was seen and looks for absent commanders, which reads the row of every
/// open incident.
const ABSENCE_EVERY: u32 = 5;
/// How old the newest sign of life may get before it is renewed.
const BEAT_EVERY: jiff::SignedDuration = jiff::SignedDuration::from_secs(5);
/// How often an incident at which deciding broke off is asked again. What broke it off is a mistake of Wardroom's, and
/// may have been another incident's that was decided together with it.
const BREAKS: u32 = 3;

/// What the clock needs.
#[derive(Clone, Debug)]
pub struct Due {
    log: Log,
    streams: Streams,
    executor: Executor,
    presence: Presence,
    node: Uuid,
    /// When this node last knew that some node was alive.
    heard: Arc<Mutex<Option<Time>>>,
    outage: Arc<Mutex<Outage>>,
}

/// The last outage that this node noticed, and the incidents that could not be told of it yet.
#[derive(Debug, Default)]
struct Outage {
    /// The sign of life that was the last one then.
    since: Option<Time>,
    untold: BTreeMap<Number, Untold>,
    /// Whether some incident could be told.
    told: bool,
}

/// From when to when Wardroom was down for an incident, and the request id by which it is told: should an answer get
/// lost, it is not told twice.
#[derive(Copy, Clone, Debug)]
struct Untold {
    since: Time,
    /// The last look at which no node had left another sign of life. Where several nodes tell, the others may have
    /// told long ago when it comes to be told here, and Wardroom was up since.
    until: Time,
    request: Uuid,
    broke_off: u32,
}

impl Due {
    /// Starts looking, after forgiving an outage, if there was one. Turns true when that is done, or the store could not
    /// take it: then it is tried again at every look, and what can be read is served all the same.
    pub fn start(log: Log, streams: Streams, executor: Executor, presence: Presence) -> signal::Receiver<bool> {
        let due = Self {
            log,
            streams,
            executor,
            presence,
            node: Uuid::now_v7(),
            heard: Arc::default(),
            outage: Arc::default(),
        };
        let (told, tell) = signal::channel(false);
        tokio::spawn(due.run(told));
        tell
    }

    /// Says that this node is alive, after forgiving the time during which no node was: none ran, or none
    /// reached the store, or the machine slept. Where the store could take none of it, no sign of life is left, and the
    /// next look goes on with those that were not told. A single incident that cannot be told holds nobody up but
    /// itself.
    async fn alive(&self, now: Time) -> Result<(), LogError> {
        let last = self.log.last_beat(now).await?;
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner).replace(now);
        if heard.is_some_and(|heard| now.duration_since(heard) > DOWN_AFTER) {
            // Also where another node was up again first and has left a fresh sign of life: this one could see
            // nobody meanwhile, and what it believes about them is as old as the outage.
            self.presence.up_again(now);
        }
        if let Some(last) = last
            && now.duration_since(last) > DOWN_AFTER
        {
            self.presence.up_again(now);
            self.notice_outage(last, now).await?;
        }
        self.tell_outage().await?;
        // Asked anew, because telling so many may have taken longer than what counts as an outage.
        let now = clock::now();
        if last.is_some_and(|last| now.duration_since(last) < BEAT_EVERY) {
            return Ok(()); // Some node has said so: an idle Wardroom writes no more than it has to.
        }
        self.log.beat(self.node, now).await
    }

    /// From now on every open incident is to be told, unless it was told of this outage already. Those that still
    /// have to be are told that it went on until now.
    async fn notice_outage(&self, since: Time, now: Time) -> Result<(), LogError> {
        if self.outage().since == Some(since) {
            self.outage().untold.values_mut().for_each(|untold| untold.until = now);
            return Ok(());
        }
        tracing::info!(down_since = %since, "Wardroom was down; that time counts against nobody");
        let open = self.log.board_open().await?;
        let mut outage = self.outage();
        (outage.since, outage.told) = (Some(since), false);
        for row in open {
            let untold = Untold { since, until: now, request: Uuid::now_v7(), broke_off: 0 };
            // One that still has to be told of an outage before is told of both as one.
            outage.untold.entry(Number(row.number)).and_modify(|known| known.until = now).or_insert(untold);
        }
        Ok(())
    }

    /// Tells those incidents of the outage that do not know of it.
    async fn tell_outage(&self) -> Result<(), LogError> {
        let untold = self.outage().untold.clone();
        let mut trouble = None;
        for (number, Untold { since, until, request, broke_off }) in untold {
            match self.tell(number, Tick::WasDown { from: since, to: until }, request).await {
                // As busy as another node, or its own damaged end, keeps it: the next look tries again.
                Err(NotDone::Busy) => {}
                Err(NotDone::Store(error @ LogError::InDoubt(_))) => return Err(error), // It stands still for all.
                Err(NotDone::Store(error @ LogError::Unavailable(_))) => {
                    self.log.head().await?;
                    trouble = Some(error);
                }
                Err(NotDone::BrokeOff) if broke_off + 1 < BREAKS => {
                    if let Some(untold) = self.outage().untold.get_mut(&number) {
                        untold.broke_off += 1;
                    }
                }
                Ok(()) | Err(_) => {
                    let mut outage = self.outage();
                    outage.untold.remove(&number);
                    outage.told = true;
                }
            }
        }
        match trouble {
            Some(error) if !self.outage().told => Err(error),
            _ => Ok(()),
        }
    }

    fn outage(&self) -> MutexGuard<'_, Outage> {
        self.outage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an incident still has to be told of an outage: nothing else is recorded there before.
    fn is_untold(&self, number: Number) -> bool {
        self.outage().untold.contains_key(&number)
    }

    async fn run(self, told: signal::Sender<bool>) {
        if let Err(error) = self.alive(clock::now()).await {
            tracing::warn!(%error, "the clock could not look back at the time before the start; trying again");
        }
        let _ = told.send(true);
        let mut every = tokio::time::interval(EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut looks = 0_u32;
        loop {
            every.tick().await;
            looks = looks.wrapping_add(1);
            if let Err(error) = self.look(looks.is_multiple_of(ABSENCE_EVERY)).await {
                tracing::warn!(%error, "the clock could not look at the deadlines; trying again");
            }
        }
    }

    async fn look(&self, absence: bool) -> Result<(), LogError> {
        let now = clock::now();
        self.alive(now).await?;
        for row in self.log.board_due(now).await? {
            if !self.is_untold(Number(row.number)) {
                let _ = self.tell(Number(row.number), Tick::Deadlines, Uuid::now_v7()).await;
            }
        }
        if !absence {
            return Ok(());
        }
        self.presence.exchange(&self.log).await?;
        for row in self.log.board_open().await? {
            let number = Number(row.number);
            // Folding them all would be far too much where many are open, and hardly any has news.
            let news = Command::on(&row).is_none_or(|command| self.news_of(command, now).is_some());
            if news && !self.is_untold(number) {
                self.look_for_commander(number, now).await?;
            }
        }
        Ok(())
    }

    async fn look_for_commander(&self, number: Number, now: Time) -> Result<(), LogError> {
        let held = match self.streams.incident(number).await {
            Ok(Some(held)) => held,
            Ok(None) | Err(LogError::Damaged { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        if let Some(tick) = Command::of(&held.incident).and_then(|command| self.news_of(command, now)) {
            let _ = self.tell(number, tick, Uuid::now_v7()).await;
        }
        Ok(())
    }

    /// What there is to record about a commander's absence, if anything.
    fn news_of(&self, command: Command, now: Time) -> Option<Tick> {
        let Command { person, since, severity, unseen_since } = command;
        match unseen_since {
            None => {
                let since = self.presence.unseen_since(person).max(since);
                let gone = !self.streams.directory().directory.facts.active(person);
                let absent = gone || now.duration_since(since) >= absent_after(severity);
                absent.then_some(Tick::Unseen { person, since })
            }
            // Only something that they did after their absence was recorded says that they are back.
            Some(since) => {
                let back = self.presence.seen_at(person).is_some_and(|seen| seen > since);
                back.then_some(Tick::Seen { person })
            }
        }
    }

    /// Has an incident record what is due. What kept it from that is in the server's own log.
    async fn tell(&self, number: Number, tick: Tick, request: Uuid) -> Result<(), NotDone> {
        let asked = Asked { request, actor: Actor::Clock, order: Order::Tick(number, tick) };
        let Err(error) = self.executor.execute(asked).await else { return Ok(()) };
        match &error {
            // Another node, or a person, was faster; or the incident is read-only here.
            NotDone::Refused(refusal) if matches!(refusal.code, Code::AlreadySo | Code::ReadOnly) => Ok(()),
            // It was recorded by this request, whose answer got lost, with the end that was known then.
            NotDone::RequestReused => Ok(()),
            _ => {
                tracing::warn!(%number, %error, "the clock could not record what is due");
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use wardroom_core::directory::DirectoryCommand;
    use wardroom_core::event::Event;
    use wardroom_core::id::{Entry, PersonId};
    use wardroom_core::incident::{Kind, Phase, Severity};
    use wardroom_core::offer::Recipient;
    use wardroom_core::role::RolePath;
    use wardroom_core::text::Text;

    use super::*;
    use crate::log::{Append, Place, Request, Tip, Write};
    use crate::stored::draft;
    use crate::streams::stream_of;
    use crate::views::board::row;

    /// An incident of long ago, with an offer of command that lapses in half a minute.
    async fn offered(log: &Log, number: Number, by: PersonId, now: Time) {
        let command = RolePath::command();
        let opened = Event::Opened {
            number,
            title: Text::said("Search is failing"),
            kind: Kind::Incident,
            phase: Phase::Active,
            severity: Severity::Sev2,
            services: Default::default(),
            unknown_services: Default::default(),
            began: None,
            restricted: false,
            by,
        };
        let lapses_at = now + SignedDuration::from_secs(30);
        let to = Recipient::Person(PersonId(Uuid::now_v7()));
        let offered = Event::RoleOffered { role: command, to, by, lapses_at, note: None };
        let at = lapses_at - SignedDuration::from_mins(10);
        let drafts = [opened, offered].map(|event| draft(&event, at, Actor::Person(by)).0).into();
        let write = Write { stream: stream_of(number), expected: Tip::default(), drafts, erase: Vec::new() };
        let request = Request { actor: by.to_string(), id: Uuid::now_v7(), digest: [0; 32] };
        log.append(vec![Append { request, writes: vec![write] }]).await.unwrap();
    }

    /// A node that has seen nobody for nine minutes, and an incident that Mary commands.
    async fn node(folder: &std::path::Path, now: Time) -> (Due, PersonId) {
        let log = Log::open(&Place::Folder(folder.to_owned())).await.unwrap();
        let streams = Streams::new(log.clone());
        let executor = Executor::start(log.clone(), streams.clone());
        let add = DirectoryCommand::AddPerson {
            handle: "mary".parse().unwrap(),
            name: "Mary".parse().unwrap(),
            email: None,
            admin: false,
        };
        let asked = Asked { request: Uuid::now_v7(), actor: Actor::Console, order: Order::Directory(add) };
        executor.execute(asked).await.unwrap();
        let mary = *streams.refresh_directory().await.unwrap().directory.facts.people.keys().next().unwrap();
        offered(&log, Number(1), mary, now).await;
        let presence = Presence::new(now - SignedDuration::from_mins(9));
        let due = Due {
            log,
            streams,
            executor,
            presence,
            node: Uuid::now_v7(),
            heard: Arc::default(),
            outage: Arc::default(),
        };
        sum_up(&due).await;
        (due, mary)
    }

    /// Brings the board up to what has happened.
    async fn sum_up(due: &Due) {
        for number in 1..=due.log.highest_stream().await.unwrap().0 {
            let held = due.streams.incident(Number(number)).await.unwrap().unwrap();
            due.log.put_board(vec![row(&held.incident).unwrap()], 0).await.unwrap();
        }
    }

    async fn kinds(due: &Due) -> Vec<String> {
        kinds_in(due, 1).await
    }

    async fn kinds_in(due: &Due, number: u32) -> Vec<String> {
        let events = due.log.read_stream(stream_of(Number(number)), 0, 10).await.unwrap();
        events.into_iter().map(|stored| stored.kind).collect()
    }

    /// A node that could not reach its store, or slept, never stopped; the time is nobody's all the same.
    #[tokio::test]
    async fn an_outage_that_the_node_lived_through_is_forgiven() {
        let (folder, now) = (tempfile::tempdir().unwrap(), clock::now());
        let (due, _) = node(folder.path(), now).await;
        due.log.beat(due.node, now - SignedDuration::from_secs(10)).await.unwrap();
        due.look(true).await.unwrap();
        assert_eq!(kinds(&due).await[2..], ["commander_absent"], "ten seconds are no outage");
        let folder = tempfile::tempdir().unwrap();
        let (due, mary) = node(folder.path(), now).await;
        due.log.beat(due.node, now - SignedDuration::from_mins(4)).await.unwrap();
        due.look(true).await.unwrap();
        assert_eq!(kinds(&due).await[2..], ["outage_ended"]);
        let held = due.streams.incident(Number(1)).await.unwrap().unwrap();
        let lapses = held.incident.pending_offer(&RolePath::command(), now).unwrap().lapses_at;
        assert!(lapses >= now + SignedDuration::from_secs(110), "two more minutes");
        assert!(due.presence.unseen_since(mary) >= now, "what nobody could see is not held against anybody");
        assert_eq!(held.incident.last_entry, Entry(3));
    }

    /// Where only some could be told, the sign of life that was left all the same made the others lose that time.
    #[tokio::test]
    async fn an_outage_that_could_not_be_recorded_is_recorded_later() {
        let (folder, now) = (tempfile::tempdir().unwrap(), clock::now());
        let (due, _) = node(folder.path(), now).await;
        let down = now - SignedDuration::from_mins(4);
        due.log.beat(due.node, down).await.unwrap();
        let raw = rusqlite::Connection::open(folder.path().join("wardroom.db")).unwrap();
        let full = "CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'full'); END";
        raw.execute_batch(full).unwrap();
        due.look(true).await.unwrap_err();
        assert_eq!(
            due.log.last_beat(clock::now()).await.unwrap(),
            Some(down),
            "as long as it is not recorded, it lasts"
        );
        raw.execute_batch("DROP TRIGGER full").unwrap();
        due.look(true).await.unwrap();
        assert_eq!(kinds(&due).await[2..], ["outage_ended"]);
        assert!(due.log.last_beat(clock::now()).await.unwrap() >= Some(now));
    }

    /// One wrong reading of a clock left a sign of life that stayed the newest: no outage was ever noticed again.
    #[tokio::test]
    async fn a_sign_of_life_from_the_future_hides_no_outage() {
        let (folder, now) = (tempfile::tempdir().unwrap(), clock::now());
        let (due, _) = node(folder.path(), now).await;
        due.log.beat(due.node, now - SignedDuration::from_mins(4)).await.unwrap();
        due.log.beat(Uuid::now_v7(), now + SignedDuration::from_hours(12)).await.unwrap();
        due.look(true).await.unwrap();
        assert_eq!(kinds(&due).await[2..], ["outage_ended"]);
        let last = due.log.last_beat(clock::now()).await.unwrap();
        assert!(last >= Some(now) && last <= Some(clock::now()), "{last:?}");
    }

    /// One whose end is damaged is never recorded in, and took the clock away from all the others.
    #[tokio::test]
    async fn an_incident_that_cannot_be_told_holds_nobody_up() {
        let (folder, now) = (tempfile::tempdir().unwrap(), clock::now());
        let (due, mary) = node(folder.path(), now).await;
        offered(&due.log, Number(2), mary, now).await;
        sum_up(&due).await;
        due.log.beat(due.node, now - SignedDuration::from_mins(4)).await.unwrap();
        let raw = rusqlite::Connection::open(folder.path().join("wardroom.db")).unwrap();
        raw.execute_batch("UPDATE tips SET seq = seq + 1 WHERE stream = 2").unwrap();
        due.look(true).await.unwrap();
        assert_eq!(kinds(&due).await[2..], ["outage_ended"]);
        assert!(due.log.last_beat(clock::now()).await.unwrap() >= Some(now), "the outage is over");
        raw.execute_batch("UPDATE tips SET seq = seq - 1 WHERE stream = 2").unwrap();
        due.look(true).await.unwrap();
        assert_eq!(kinds_in(&due, 2).await[2..], ["outage_ended"], "it is told as soon as it can be");
        assert_eq!(kinds(&due).await.len(), 3, "and nobody twice");
        assert!(due.outage().untold.is_empty());
    }

    /// What may have been recorded, or not, counted as told.
    #[tokio::test]
    async fn an_outage_that_was_told_in_doubt_is_told_again() {
        let (folder, now) = (tempfile::tempdir().unwrap(), clock::now());
        let (mut due, _) = node(folder.path(), now).await;
        let down = now - SignedDuration::from_mins(4);
        due.log.beat(due.node, down).await.unwrap();
        let in_doubt = || Some(LogError::InDoubt("the answer got lost".to_owned()).into());
        let executor = std::mem::replace(&mut due.executor, Executor::answering(in_doubt));
        due.look(true).await.unwrap_err();
        assert_eq!(due.log.last_beat(clock::now()).await.unwrap(), Some(down));
        due.executor = executor;
        due.look(true).await.unwrap();
        assert_eq!(kinds(&due).await[2..], ["outage_ended"]);
    }

    /// A mistake of Wardroom's is made again however often the same is asked.
    #[tokio::test]
    async fn an_incident_at_which_deciding_breaks_off_is_left_out() {
        let (folder, now) = (tempfile::tempdir().unwrap(), clock::now());
        let (mut due, _) = node(folder.path(), now).await;
        due.log.beat(due.node, now - SignedDuration::from_mins(4)).await.unwrap();
        due.executor = Executor::answering(|| None);
        for left in [1, 1, 0] {
            due.look(true).await.unwrap();
            assert_eq!(due.outage().untold.len(), left);
        }
        assert!(due.log.last_beat(clock::now()).await.unwrap() >= Some(now));
    }

    /// The store was away for both of two nodes. The first that is back forgives the outage and leaves a sign of
    /// life; the second saw nobody for as long, and took that for the commander's absence.
    #[tokio::test]
    async fn the_second_node_that_is_back_holds_the_outage_against_nobody_either() {
        let (folder, now) = (tempfile::tempdir().unwrap(), clock::now());
        let (due, mary) = node(folder.path(), now).await;
        *due.heard.lock().unwrap() = Some(now - SignedDuration::from_mins(8));
        due.log.beat(Uuid::now_v7(), now).await.unwrap();
        due.look(true).await.unwrap();
        assert_eq!(kinds(&due).await.len(), 2, "nothing is recorded");
        assert!(due.presence.unseen_since(mary) >= now);
    }

    /// Two nodes told of one outage, the second twenty seconds after the first: those were taken off the absence too,
    /// and offers lapsed later, although Wardroom was up.
    #[tokio::test]
    async fn the_second_node_that_tells_of_an_outage_forgives_nothing_more() {
        let (folder, now) = (tempfile::tempdir().unwrap(), clock::now());
        let (due, mary) = node(folder.path(), now).await;
        let (down, up) = (now - SignedDuration::from_mins(4), now - SignedDuration::from_secs(40));
        // Both find the same sign of life to be the last one; the other node tells at once.
        due.log.beat(due.node, down).await.unwrap();
        due.notice_outage(down, up).await.unwrap();
        let ended = Event::OutageEnded { from: down, to: up, offers: Default::default(), unseen_since: Some(up) };
        let at = up + SignedDuration::from_secs(1);
        let write = Write {
            stream: stream_of(Number(1)),
            expected: due.log.tip(stream_of(Number(1))).await.unwrap(),
            drafts: vec![draft(&ended, at, Actor::Clock).0],
            erase: Vec::new(),
        };
        let request = Request { actor: mary.to_string(), id: Uuid::now_v7(), digest: [0; 32] };
        due.log.append(vec![Append { request, writes: vec![write] }]).await.unwrap();
        // Here it comes to it only now, because the store was slow, or many others had to be told first.
        due.tell_outage().await.unwrap();
        assert_eq!(kinds(&due).await[2..], ["outage_ended"], "it is forgiven once");
        assert!(due.outage().untold.is_empty());
    }

    /// Thousands may be open, and few of them fit into the cache.
    #[tokio::test]
    async fn looking_for_absent_commanders_folds_only_what_has_news() {
        let (folder, now) = (tempfile::tempdir().unwrap(), clock::now());
        let (due, mary) = node(folder.path(), now).await;
        // Whether a look folds it, and what there is on record then.
        let look = async || {
            sum_up(&due).await;
            due.streams.forget(stream_of(Number(1)));
            due.look(true).await.unwrap();
            (due.streams.holds(Number(1)), kinds(&due).await.split_off(2))
        };
        let [absent, returned] = ["commander_absent", "commander_returned"].map(str::to_owned);
        assert_eq!(look().await, (true, vec![absent.clone()]));
        assert_eq!(look().await, (false, vec![absent.clone()]), "she is absent, and that is recorded");
        due.presence.saw(mary);
        assert_eq!(look().await, (true, vec![absent.clone(), returned.clone()]));
        assert_eq!(look().await, (false, vec![absent, returned]), "she was seen a moment ago");
    }
}
