//! What a restored log begins with: whatever let people in when the backup was made has ended.

use std::path::Path;

use uuid::Uuid;
use wardroom_core::directory::{DirectoryAsking, DirectoryCommand};
use wardroom_core::id::Actor;
use wardroom_core::refusal::Code;

use super::asked::{Order, digest};
use super::tentative::write_directory;
use crate::clock;
use crate::evidence::KeptAt;
use crate::log::{Append, Log, LogError, Place, Request, Stored};
use crate::streams::{HeldDirectory, evolve_directory};

/// Restores a backup into a place that has no log yet. In the same transaction everybody is signed out, and every token
/// is revoked unless they are to be kept: whatever cuts it off, no restored log stands there whose tokens are live.
///
/// # Errors
/// As [`crate::log::restore`]; [`LogError::Unavailable`] also when the backup's directory was written by a newer
/// Wardroom, whose tokens this one cannot be sure to end.
pub async fn restore(file: &Path, into: &Place, evidence: &KeptAt, keep_tokens: bool) -> Result<Log, LogError> {
    crate::log::restore(file, into, evidence, |directory| ends_of_access(directory, keep_tokens)).await
}

fn ends_of_access(directory: &[Stored], keep_tokens: bool) -> Result<Vec<Append>, LogError> {
    let mut held = HeldDirectory::default();
    directory.iter().for_each(|stored| evolve_directory(&mut held, stored));
    let (actor, now) = (Actor::Console, clock::now());
    let mut ends = Vec::from_iter((!keep_tokens).then_some(DirectoryCommand::RevokeAllTokens {}));
    ends.push(DirectoryCommand::SignEverybodyOut {});
    let mut appends = Vec::new();
    for end in ends {
        let events = match held.directory.decide(DirectoryAsking { actor, now }, end.clone(), &mut Uuid::now_v7) {
            Ok(events) => events,
            // Where nobody was let in there is nothing to end.
            Err(refusal) if refusal.code == Code::AlreadySo => continue,
            Err(refusal) => return Err(LogError::unavailable(refusal.sentence)),
        };
        let writes = vec![write_directory(&mut held, actor, now, &events)];
        let request = Request { actor: actor.to_string(), id: Uuid::now_v7(), digest: digest(&Order::Directory(end)) };
        appends.push(Append { request, writes });
    }
    Ok(appends)
}
