//! One-time links: made on the machine itself, by an admin, and at the start as long as no admin can get in.

use jiff::SignedDuration;
use uuid::Uuid;
use wardroom_core::directory::DirectoryCommand;
use wardroom_core::id::{Actor, LinkId, Time, Who};

use super::secret::Sort;
use crate::clock;
use crate::execute::{Asked, Executor, NotDone, Order};
use crate::log::{LinkRow, Log};
use crate::streams::Streams;

/// How long the link lasts that makes the first admin.
const FIRST_ADMIN: SignedDuration = SignedDuration::from_hours(1);
/// How long a person's link lasts: until they are awake.
const PERSON: SignedDuration = SignedDuration::from_hours(24);

/// A link as it is shown, once.
#[derive(Clone, Debug)]
pub struct MadeLink {
    /// Where it leads, with the secret in the fragment, which no server and no log gets to see.
    pub path: String,
    /// The secret alone.
    pub secret: String,
    /// Until when.
    pub expires_at: Time,
}

/// Makes a link for somebody, or, without one, for whoever becomes the first admin.
///
/// # Errors
/// [`NotDone`]: nobody is called so, they are not active, or the store could not.
pub async fn make(
    log: &Log,
    streams: &Streams,
    executor: &Executor,
    actor: Actor,
    person: Option<Who>,
) -> Result<MadeLink, NotDone> {
    let (secret, digest) = Sort::Link.draw();
    let lasts = if person.is_some() { PERSON } else { FIRST_ADMIN };
    let expires_at = clock::now() + lasts;
    let link = LinkId(Uuid::now_v7());
    let command = DirectoryCommand::MakeLink { link, person: person.clone(), expires_at };
    executor.execute(Asked { request: Uuid::now_v7(), actor, order: Order::Directory(command) }).await?;
    let person = person.and_then(|who| streams.directory().directory.facts.find(&who).ok());
    log.put_link(LinkRow { id: link, digest, person, expires_at }).await?;
    Ok(MadeLink { path: format!("/welcome#{secret}"), secret, expires_at })
}

/// The link for the first admin, as long as no admin can get in.
///
/// # Errors
/// As for [`make`].
pub async fn for_the_first_admin(
    log: &Log,
    streams: &Streams,
    executor: &Executor,
) -> Result<Option<MadeLink>, NotDone> {
    let directory = streams.refresh_directory().await?.directory;
    if directory.an_admin_can_get_in(clock::now()) {
        return Ok(None);
    }
    make(log, streams, executor, Actor::Console, None).await.map(Some)
}
