//! Which examples are open, for deciding whether another one may begin: one person plays one at a time.
//!
//! It is read after the number of the new incident was drawn. Whatever another node begins meanwhile takes that number
//! too, and one of the two appends is a conflict, which is decided again. So nothing is missing from what is read here.

use std::collections::BTreeMap;

use wardroom_core::event::Event;
use wardroom_core::id::{Number, PersonId};

use super::tentative::Tentative;
use super::{NotDone, Worker};
use crate::log::{LogError, Stored};
use crate::stored::recorded;
use crate::streams::stream_of;
use crate::views::board;

/// Events read at once behind the board's cursor.
const PAGE: usize = 1_000;
/// So many times at the most: a board that is further behind is being made anew.
const PAGES: usize = 3;

impl Worker {
    /// Every example that is open, with whoever plays it: on the board, begun since the board was last kept, and begun
    /// in this batch.
    pub(super) async fn examples(&self, tentative: &Tentative) -> Result<BTreeMap<Number, PersonId>, NotDone> {
        let mut cursor = self.log.board_cursor().await?;
        let rows = self.log.board_open().await?;
        let mut numbers: Vec<Number> = rows.iter().filter(|row| board::is_example(row)).map(|row| row.number).collect();
        for read in 1.. {
            let page = self.log.read_all(cursor, PAGE).await?;
            numbers
                .extend(page.iter().filter(|stored| begins_one(stored)).filter_map(|stored| stored.stream.incident()));
            match page.last() {
                Some(last) if page.len() == PAGE => cursor = last.position,
                _ => break,
            }
            if read == PAGES {
                return Err(NotDone::Busy);
            }
        }
        let mut open = BTreeMap::new();
        for number in numbers {
            if !tentative.incidents.contains_key(&number)
                && let Some(player) = self.player_of(number).await?
            {
                open.insert(number, player);
            }
        }
        let begun = tentative.incidents.values().map(|(_, incident, _)| incident).filter(|known| known.phase.is_open());
        open.extend(begun.filter_map(|incident| Some((incident.number, incident.example.as_ref()?.player))));
        Ok(open)
    }

    /// Who plays this example, if it is one that goes on, by the newest of the log: another node may have seen its end.
    async fn player_of(&self, number: Number) -> Result<Option<PersonId>, LogError> {
        let newest = self.log.tip(stream_of(number)).await?.seq;
        let held = match self.streams.incident_up_to(number, newest).await {
            Err(LogError::Damaged { .. }) => None, // Nobody can go on with it.
            held => held?,
        };
        let goes_on = held.filter(|held| held.incident.phase.is_open() && held.incident.unreadable.is_none());
        Ok(goes_on.and_then(|held| Some(held.incident.example.as_ref()?.player)))
    }
}

fn begins_one(stored: &Stored) -> bool {
    stored.kind == "example_began"
        && recorded::<Event>(stored).is_ok_and(|recorded| matches!(recorded.event, Event::ExampleBegan { .. }))
}
