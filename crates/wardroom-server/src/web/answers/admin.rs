//! What admins are answered, and what everybody is answered about their tokens.

use utoipa::ToSchema;
use wardroom_core::audit::Topic;
use wardroom_core::id::{Entry, Number, PersonId, TokenId};
use wardroom_core::roster::Roster;
use wardroom_core::token::Scope;

use super::Named;

/// Everybody, with what concerns their access.
#[derive(ToSchema)]
pub(in crate::web) struct People {
    people: Vec<AccessView>,
}

/// Somebody, as admins see them.
#[derive(ToSchema)]
pub(in crate::web) struct AccessView {
    id: PersonId,
    /// Null once the person was forgotten.
    handle: Option<String>,
    name: Option<String>,
    email: Option<String>,
    admin: bool,
    active: bool,
    /// The one incident that a guest may see; null for everybody else.
    guest_of: Option<Number>,
    /// Null when nobody saw them since people were last looked for.
    #[schema(format = DateTime)]
    last_seen_at: Option<String>,
    has_password: bool,
    /// How many browsers they are signed in with.
    sessions: u32,
    /// How many live tokens they have.
    tokens: u32,
}

/// Entries of the directory's stream, the newest first.
#[derive(ToSchema)]
pub(in crate::web) struct AuditPage {
    entries: Vec<AuditEntry>,
    /// Whether there are older ones.
    more: bool,
}

/// An entry of the directory's stream.
#[derive(ToSchema)]
pub(in crate::web) struct AuditEntry {
    entry: Entry,
    #[schema(format = DateTime)]
    at: String,
    /// A person's id, `clock` or `console`.
    actor: String,
    /// The person, if it was one.
    by: Option<Named>,
    kind: String,
    /// Null for what this Wardroom cannot read.
    topic: Option<Topic>,
    /// In a sentence; null for what this Wardroom cannot read.
    told: Option<String>,
}

/// What importing a roster would change.
#[derive(ToSchema)]
pub(in crate::web) struct Preview {
    /// A sentence for each change; none when the directory says all of it already.
    changes: Vec<String>,
    /// What was read, to be imported as it is.
    roster: Roster,
}

/// What a node runs with.
#[derive(ToSchema)]
pub(in crate::web) struct SettingsView {
    version: String,
    settings: Vec<SettingView>,
}

/// A setting.
#[derive(ToSchema)]
pub(in crate::web) struct SettingView {
    /// Its key in the settings file.
    name: String,
    /// What is in force; null where it is not used. Secrets are left out.
    value: Option<String>,
    from: SourceView,
}

/// Where a setting's value comes from.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::web) enum SourceView {
    Flag,
    Variable,
    File,
    Default,
}

/// Live tokens, the newest first.
#[derive(ToSchema)]
pub(in crate::web) struct TokenList {
    tokens: Vec<TokenView>,
    /// What else there is to know of who tells of changes; null unless everybody's tokens are listed.
    told: Option<TooMuchView>,
}

/// Who told of too much within the last hour without a token, as far as this node knows.
#[derive(ToSchema)]
pub(in crate::web) struct TooMuchView {
    /// Repositories at GitHub whose webhooks were refused.
    webhooks_refused: Vec<RefusedView>,
    /// When changes of which others told were last forgotten before their time, because there were too many.
    #[schema(format = DateTime)]
    forgotten_at: Option<String>,
}

/// Whose webhooks are not heard.
#[derive(ToSchema)]
pub(in crate::web) struct RefusedView {
    source: String,
    #[schema(format = DateTime)]
    refused_at: String,
}

/// A personal token, without its secret.
#[derive(ToSchema)]
pub(in crate::web) struct TokenView {
    id: TokenId,
    person: Named,
    scope: Scope,
    label: Option<String>,
    #[schema(format = DateTime)]
    issued_at: String,
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// Whether it is the one that asks.
    current: bool,
    /// When what was told with it was last refused, because it told of too many changes within an hour; null when it was not
    /// within the last hour, as far as this node knows.
    #[schema(format = DateTime)]
    refused_at: Option<String>,
}

/// A token, its secret shown this once.
#[derive(ToSchema)]
pub(in crate::web) struct TokenMade {
    id: TokenId,
    secret: String,
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}
