//! Histories written straight into the store: what no client could write while somebody waits.

use std::path::Path;

use wardroom_core::event::{Event, VERSION};
use wardroom_core::id::{Actor, Number, PersonId, Time};
use wardroom_core::incident::{Kind, Phase, Severity};
use wardroom_core::seal;
use wardroom_core::text::Text;
use wardroom_server::log::{Append, Draft, Log, Place, Request, Stream, Tip, Words, Write, chain};

use crate::writes::NOTE;

/// Commands in one transaction.
const BATCH: usize = 2_000;

/// An incident to be written.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// How many events it has.
    pub events: usize,
    /// Whether it goes on.
    pub open: bool,
}

/// Writes these incidents after those that are there. Each event is a command of its own, as people's are.
/// Who acts in them acts in incident 1, which has to be there. Returns the first one's number.
pub async fn write(folder: &Path, wanted: &[Wanted]) -> anyhow::Result<u32> {
    let log = Log::open(&Place::Folder(folder.to_owned())).await?;
    let opening = log.event(Stream(1), 1).await?;
    let opening = opening.ok_or_else(|| anyhow::anyhow!("incident 1 is not there"))?;
    let Actor::Person(person) = opening.actor.parse()? else { anyhow::bail!("nobody opened incident 1") };
    let first = log.highest_stream().await?.0 + 1;
    let mut batch = Vec::with_capacity(BATCH);
    for (number, wanted) in (first..).zip(wanted) {
        let mut tip = Tip::default();
        for index in 0..wanted.events {
            let event = event(number.try_into()?, index, *wanted, person);
            let draft = draft(&event, Actor::Person(person));
            let expected = tip;
            tip = chain::after(&tip, Stream(number), &draft);
            batch.push(command(&draft.actor.clone(), Stream(number), expected, draft));
            if batch.len() == BATCH {
                log.append(std::mem::take(&mut batch)).await?;
            }
        }
    }
    if !batch.is_empty() {
        log.append(batch).await?;
    }
    Ok(first)
}

fn event(number: Number, index: usize, wanted: Wanted, person: PersonId) -> Event {
    if index == 0 {
        return Event::Opened {
            number,
            title: Text::said("A measured incident"),
            kind: Kind::Incident,
            phase: Phase::Active,
            severity: Severity::Sev2,
            services: Default::default(),
            unknown_services: Default::default(),
            began: None,
            restricted: false,
            by: person,
        };
    }
    if index + 1 == wanted.events && !wanted.open {
        return Event::Closed { from: Phase::Active, last_commander: person, reason: None };
    }
    Event::Noted { text: Text::said(NOTE), happened_at: None, pinned: false }
}

/// Seals an event as the server does.
fn draft(event: &Event, actor: Actor) -> Draft {
    let (kind, mut body) = event.to_stored();
    let taken = seal::seal(&mut body, &mut || *uuid::Uuid::now_v7().as_bytes());
    let texts = taken
        .into_iter()
        .map(|words| Words { commitment: words.seal.0, salt: words.salt, words: words.words })
        .collect();
    // The store keeps microseconds.
    let at = Time::now();
    let at = Time::from_microsecond(at.as_microsecond()).unwrap_or(at);
    Draft { kind: kind.into(), version: VERSION, at, actor: actor.to_string(), body: body.to_string(), texts }
}

fn command(actor: &str, stream: Stream, expected: Tip, draft: Draft) -> Append {
    let request = Request { actor: actor.to_owned(), id: uuid::Uuid::now_v7(), digest: [7; 32] };
    Append { request, writes: vec![Write { stream, expected, drafts: vec![draft], erase: Vec::new() }] }
}
