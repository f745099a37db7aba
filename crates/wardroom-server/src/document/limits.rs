//! What a state document, and whoever writes it, may weigh: all in one place, because people are told.

use std::time::Duration;

/// One message, in bytes. A part at its longest fits.
pub const MESSAGE_MAX: usize = 1 << 20;
/// The answer to what is missing here, in bytes: whoever comes back after a long time says in it everything that they
/// wrote meanwhile.
pub const ANSWER_MAX: usize = 4 << 20;
/// New clients in one update: a page that is opened anew is one, and what was written without a connection for a day is
/// a few. Everybody who joins is told of all of them.
pub const CLIENTS_MAX: usize = 64;
/// One part, in UTF-16 units, as editors count.
pub const PART_MAX: u32 = 200_000;
/// A whole document as it is stored, in bytes, with the traces of everything that was deleted.
pub const STATE_MAX: usize = 8 << 20;
/// What one person's cursor and presence may weigh, in bytes.
pub const PRESENCE_MAX: usize = 4 << 10;
/// Presences in one message, and in one document.
pub const PRESENCES_MAX: usize = 1_024;
/// Sockets of one person in one incident's document.
pub const SOCKETS_MAX: usize = 16;
/// Messages that wait for a peer who takes them slowly.
pub const QUEUE_MAX: usize = 1_024;
/// What the messages that wait for a peer may weigh, in bytes: a whole document, and as much again.
pub const QUEUE_BYTES: usize = 2 * STATE_MAX;
/// What may wait for a room of one peer, in bytes. Who sends more waits.
pub const HEARD_BYTES: usize = 2 * ANSWER_MAX;
/// What may wait for a room of all of them.
pub const HEARD_ROOM_BYTES: usize = 8 * ANSWER_MAX;
/// Updates of one peer that follow on something missing and wait for it.
pub const WAITING_MAX: usize = 64;
/// What these may weigh together, in bytes.
pub const WAITING_BYTES: usize = MESSAGE_MAX;
/// How far apart a room writes and shows what was said, in time: what comes meanwhile goes together. The server's work
/// for many who write at once goes by this, and so does how late their words are seen.
pub const APART: Duration = Duration::from_millis(8);
