//! What is answered about passkeys.

use utoipa::ToSchema;
use wardroom_core::id::PasskeyId;

/// What a passkey has to sign. Bytes are in base64url, as WebAuthn writes them.
#[derive(ToSchema)]
pub(in crate::web) struct ToSign {
    /// Good for five minutes, and for one signature.
    challenge: String,
    /// The name that passkeys are bound to here.
    host: String,
    /// What authenticators call those that will do; empty when any will.
    passkeys: Vec<String>,
}

/// What a browser makes a passkey of.
#[derive(ToSchema)]
pub(in crate::web) struct ToMake {
    /// Good for five minutes, and for one passkey.
    challenge: String,
    /// The name that it will be bound to.
    host: String,
    /// Kinds of signatures, by their numbers in COSE, the first preferred.
    algorithms: Vec<i32>,
    /// What authenticators call those that there are.
    known: Vec<String>,
    user: Owner,
}

/// For whom.
#[derive(ToSchema)]
pub(in crate::web) struct Owner {
    id: String,
    handle: Option<String>,
    name: String,
}

/// The passkeys of whoever asks.
#[derive(ToSchema)]
pub(in crate::web) struct Passkeys {
    passkeys: Vec<PasskeyView>,
}

/// A passkey.
#[derive(ToSchema)]
pub(in crate::web) struct PasskeyView {
    id: PasskeyId,
    /// What its owner calls it.
    label: Option<String>,
    #[schema(format = DateTime)]
    added_at: String,
    /// When it last signed; null when it never did.
    #[schema(format = DateTime)]
    used_at: Option<String>,
    /// The name that it is bound to.
    host: Option<String>,
}
