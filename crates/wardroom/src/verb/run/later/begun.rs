//! What began with the server, until the server has what came of it.

use std::io;

use uuid::Uuid;

use super::kept::{End, Pending, Record, Store};
use super::telling::attach_and_confirm;
use crate::client::Client;
use crate::exit::Failure;
use crate::verb::run::steadfast::Steadfast;

/// A run that began with the server. Once somebody has asked for its end it is kept on this machine as well: they may not
/// wait for what is said then.
pub struct Begun {
    pub id: Uuid,
    pub record: Record,
    kept: Option<Pending>,
}

impl Begun {
    pub fn new(id: Uuid, record: Record) -> Self {
        Self { id, record, kept: None }
    }

    fn begin(&self) -> io::Result<Pending> {
        let store = Store::find().ok_or(io::ErrorKind::NotFound)?;
        store.begin(self.id, self.record.clone())
    }

    /// Keeps it on this machine. Where that cannot be, it goes on: it is tried again once there is more to keep.
    pub fn keep(&mut self) {
        if self.kept.is_none() {
            self.kept = self.begin().ok();
        }
    }

    /// What came of it is known.
    pub fn ended(&mut self, end: End, said: &[u8]) {
        self.record.ended = Some(end.clone());
        if let Some(kept) = &mut self.kept {
            // Tried again where nobody else has it.
            let _ = kept.ended(end, said);
        }
    }

    /// Keeps what was said as evidence, and says how it went. The address of what was said.
    ///
    /// # Errors
    /// What kept the server from having all of it, also that somebody asked for an end meanwhile.
    pub fn tell(&mut self, steadfast: &mut Steadfast, client: &Client, said: &[u8]) -> anyhow::Result<Option<String>> {
        let (client, mut record, said) = (client.clone(), self.record.clone(), said.to_vec());
        let told = steadfast.unless_ended(move || {
            let address = attach_and_confirm(&client, &mut record, &said);
            (record, address)
        });
        // Where it was left meanwhile it is told again under the same ids, and recorded once.
        let (record, address) = told.ok_or_else(|| Failure::unreachable("Somebody asked for an end meanwhile."))?;
        self.record = record;
        address
    }

    /// The server has all of it.
    pub fn told(self) -> Record {
        if let Some(kept) = self.kept {
            // What stays is told again, and recorded once.
            let _ = kept.forget();
        }
        self.record
    }

    /// Keeps all of it until the server has it.
    ///
    /// # Errors
    /// What kept it from being written.
    pub fn keep_all(mut self, said: &[u8]) -> io::Result<()> {
        let mut kept = match self.kept.take() {
            Some(kept) => kept,
            None => self.begin()?,
        };
        kept.record = self.record;
        match kept.record.ended.clone() {
            Some(end) => kept.ended(end, said),
            None => kept.save(),
        }
    }
}
