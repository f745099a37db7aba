//! What came through the gate has ended, as whatever asked for somebody tells.

use std::collections::BTreeSet;
use std::time::Duration;

use uuid::Uuid;
use wardroom_core::command::Command;
use wardroom_core::gate::Ending;
use wardroom_core::id::{Actor, PersonId};
use wardroom_core::refusal::Code;

use super::UnderWay;
use crate::clock;
use crate::execute::{Asked, NotDone, Order};
use crate::server::Server;

/// How long to wait until it is known that nothing waits for it: the book is looked through every second.
const READING: Duration = Duration::from_secs(5);

impl Server {
    /// Records how that went with which somebody came through the gate, in every incident where nobody has said so. Returns
    /// of which changes, also where somebody else was faster; told again, there are none.
    ///
    /// # Errors
    /// [`NotDone`], and then it may stand in some incidents already: telling it again goes on with the others.
    pub async fn end_passing(&self, person: PersonId, ending: &Ending) -> Result<Vec<UnderWay>, NotDone> {
        let (book, asked_at) = (&self.gate.book, clock::now());
        let mut all = book.passes_under_way(person, ending);
        if all.is_empty() {
            // What another node let through a moment ago comes by the log; and just started, this one has read nothing.
            let read = tokio::time::timeout(READING, book.confirmed_since(asked_at)).await;
            read.map_err(|_| NotDone::Busy)?;
            all = book.passes_under_way(person, ending);
        }
        if all.is_empty() {
            return Ok(all);
        }
        self.ready_to_record().await?;
        for number in all.iter().map(|one| one.incident).collect::<BTreeSet<_>>() {
            let order = Order::Incident(number, Command::EndPassing(ending.clone()));
            let asked = Asked { request: Uuid::now_v7(), actor: Actor::Person(person), order };
            match self.executor.execute(asked).await {
                Ok(_) => self.metrics.count("accepted"),
                // Somebody else said so a moment ago.
                Err(NotDone::Refused(refusal)) if refusal.code == Code::AlreadySo => {}
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }
}
