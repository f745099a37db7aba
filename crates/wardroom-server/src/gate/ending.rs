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

/// It could not be recorded, or not everywhere: telling it again goes on with what is left.
#[derive(Debug)]
pub struct NotHeard {
    /// Of which changes it is heard.
    pub heard: Vec<UnderWay>,
}

impl Server {
    /// Records how that went with which somebody came through the gate, in every incident where nobody has said so. Returns
    /// of which changes, also where somebody else was faster; told again, there are none. An incident that takes nothing more
    /// keeps none of the others from hearing it.
    ///
    /// # Errors
    /// [`NotHeard`]. Why is in the server's own log alone: others read along where a pipeline runs, and an incident may be for
    /// the invited alone.
    pub async fn end_passing(&self, person: PersonId, ending: &Ending) -> Result<Vec<UnderWay>, NotHeard> {
        let unheard = |heard: Vec<UnderWay>| NotHeard { heard };
        let book = &self.gate.book;
        // What another node let through a moment ago comes by the log, one incident after the other; and just started, this
        // one has read nothing.
        let read = tokio::time::timeout(READING, book.confirmed_since(clock::now())).await;
        read.map_err(|_| unheard(Vec::new()))?;
        let mut all = book.passes_under_way(person, ending);
        if all.is_empty() {
            return Ok(all);
        }
        self.ready_to_record().await.map_err(|_| unheard(Vec::new()))?;
        let (incidents, mut everywhere) = (all.iter().map(|one| one.incident).collect::<BTreeSet<_>>(), true);
        for number in incidents {
            let order = Order::Incident(number, Command::EndPassing(ending.clone()));
            let asked = Asked { request: Uuid::now_v7(), actor: Actor::Person(person), order };
            match self.executor.execute(asked).await {
                Ok(_) => self.metrics.count("accepted"),
                // Somebody else said so a moment ago.
                Err(NotDone::Refused(refusal)) if refusal.code == Code::AlreadySo => {}
                Err(error) => {
                    tracing::error!(%error, %number, "how something went that came through the gate could not be recorded");
                    all.retain(|one| one.incident != number);
                    everywhere = false;
                }
            }
        }
        if everywhere { Ok(all) } else { Err(unheard(all)) }
    }
}
