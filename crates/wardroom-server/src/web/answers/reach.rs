//! What people are answered about how they are told, and how far that is.

use std::collections::{BTreeMap, BTreeSet};

use utoipa::ToSchema;
use wardroom_core::reach::{Channel, QuietHours};

use super::Named;

/// Somebody who is to hear of an offer.
#[derive(ToSchema)]
pub(in crate::web) struct ToldView {
    person: Named,
    /// When they had it before their eyes.
    #[schema(format = DateTime)]
    seen_at: Option<String>,
    /// By which of the ways that they chose; none if they chose none.
    ways: Vec<WayView>,
}

/// How far telling somebody by one way is.
#[derive(ToSchema)]
pub(in crate::web) struct WayView {
    channel: Channel,
    state: WayState,
    #[schema(format = DateTime)]
    at: String,
    attempts: u32,
    /// What stood in the way last.
    why: Option<String>,
}

/// How far it is: about to be sent, waiting for quiet hours to end, tried again, taken by whoever carries it, or not
/// needed because it was seen before.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::web) enum WayState {
    Due,
    Quiet,
    Refused,
    Accepted,
    Spared,
}

/// How somebody is reached, and could be.
#[derive(ToSchema)]
pub(in crate::web) struct ReachView {
    channels: BTreeSet<Channel>,
    quiet: Option<QuietHours>,
    mail: MailView,
    pager: PagerView,
    push: PushView,
}

/// Whether this server sends mail, and to which address.
#[derive(ToSchema)]
pub(in crate::web) struct MailView {
    possible: bool,
    address: Option<String>,
}

/// Which pager is known; its key is not shown.
#[derive(ToSchema)]
pub(in crate::web) struct PagerView {
    host: Option<String>,
}

/// What a browser has to know to be told by this server, and in which it is.
#[derive(ToSchema)]
pub(in crate::web) struct PushView {
    /// The server's public key, in base64url: browsers are bound to it (`applicationServerKey`).
    key: String,
    browsers: Vec<BrowserView>,
}

/// A browser in which push is on. Its name is the SHA-256 of its address, in hexadecimal digits.
#[derive(ToSchema)]
pub(in crate::web) struct BrowserView {
    id: String,
    /// What it says that it is, in a few words.
    device: String,
    #[schema(format = DateTime)]
    added_at: String,
    /// Whether it was turned on in the session that asks, with which it goes.
    here: bool,
}

/// What came of a test, by way.
#[derive(ToSchema)]
pub(in crate::web) struct Tested {
    results: BTreeMap<String, TestView>,
}

/// What came of a test by one way.
#[derive(ToSchema)]
pub(in crate::web) struct TestView {
    accepted: bool,
    why: Option<String>,
}
