//! What a browser and its authenticator say when a passkey is made or used (WebAuthn level 3), taken apart and held
//! against what was expected. Pure; nothing here knows whose passkey it is.

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::cbor;
use super::key::Key;

/// The most that a browser says about what it did, in bytes.
const CLIENT_DATA_MAX: usize = 4 << 10;
/// The longest name that an authenticator may give a passkey, in bytes: as the standard has it.
pub const CREDENTIAL_MAX: usize = 1_023;
/// Flags of authenticator data.
const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const ATTESTED: u8 = 0x40;
const EXTENDED: u8 = 0x80;

/// Why a passkey was not accepted, in a few words.
pub type Wrong = &'static str;

/// What is done with a passkey.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Act {
    /// It is made.
    Create,
    /// It signs.
    Get,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    r#type: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
}

/// The challenge that a browser answers, as it is written there, if it answers it for this act on a page of this origin.
///
/// # Errors
/// What does not fit.
pub fn challenge(client_data: &[u8], act: Act, origin: &str) -> Result<String, Wrong> {
    if client_data.len() > CLIENT_DATA_MAX {
        return Err("what the browser says is too long");
    }
    // What later versions of the standard add is passed over, as it asks.
    let said: ClientData = serde_json::from_slice(client_data).map_err(|_| "what the browser says cannot be read")?;
    let expected = match act {
        Act::Create => "webauthn.create",
        Act::Get => "webauthn.get",
    };
    if said.r#type != expected {
        return Err("it was made for something else");
    }
    if said.cross_origin || said.origin != origin {
        return Err("it was made on another page than Wardroom's own");
    }
    Ok(said.challenge)
}

/// What an authenticator says in each case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Said<'a> {
    /// Whether somebody was there.
    pub present: bool,
    /// Whether it made sure who: by a finger, a face or a PIN.
    pub verified: bool,
    /// How often it signed so far.
    pub count: u32,
    /// The passkey that it made, if it did.
    pub made: Option<Made<'a>>,
}

/// A passkey that was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Made<'a> {
    /// What the authenticator calls it.
    pub credential: &'a [u8],
    /// Its public key as it stands there, in COSE; it has been read.
    pub key: &'a [u8],
}

fn authenticator_data<'a>(bytes: &'a [u8], host: &str) -> Result<Said<'a>, Wrong> {
    const WRONG: Wrong = "what the authenticator says cannot be read";
    let (whose, rest) = bytes.split_at_checked(32).ok_or(WRONG)?;
    if whose != Sha256::digest(host.as_bytes()).as_slice() {
        return Err("it was made for another host");
    }
    let (flags, rest) = rest.split_first().ok_or(WRONG)?;
    let (count, mut rest) = rest.split_first_chunk::<4>().ok_or(WRONG)?;
    let mut made = None;
    if flags & ATTESTED != 0 {
        let (_model, behind) = rest.split_at_checked(16).ok_or(WRONG)?;
        let (length, behind) = behind.split_first_chunk::<2>().ok_or(WRONG)?;
        let (credential, behind) = behind.split_at_checked(u16::from_be_bytes(*length).into()).ok_or(WRONG)?;
        let (key, after) = cbor::read(behind).ok_or(WRONG)?;
        Key::of(&key).ok_or("its key is of a kind that Wardroom did not ask for")?;
        if credential.is_empty() || credential.len() > CREDENTIAL_MAX {
            return Err("its name is too long");
        }
        made = Some(Made { credential, key: &behind[..behind.len() - after.len()] });
        rest = after;
    }
    if flags & EXTENDED != 0 {
        (_, rest) = cbor::read(rest).ok_or(WRONG)?;
    }
    if !rest.is_empty() {
        return Err(WRONG);
    }
    let count = u32::from_be_bytes(*count);
    Ok(Said { present: flags & PRESENT != 0, verified: flags & VERIFIED != 0, count, made })
}

/// The passkey that an attestation tells of. Who built the authenticator is not asked and not looked at: any will do.
///
/// # Errors
/// What does not fit.
pub fn made<'a>(attestation: &'a [u8], host: &str) -> Result<(Said<'a>, Made<'a>), Wrong> {
    let item = cbor::whole(attestation).ok_or("the attestation cannot be read")?;
    let data = item.named("authData").and_then(|data| data.bytes()).ok_or("the attestation says nothing")?;
    let mut said = authenticator_data(data, host)?;
    let made = said.made.take().ok_or("the authenticator made no passkey")?;
    Ok((said, made))
}

/// What an authenticator says in a signature that is good.
///
/// # Errors
/// What does not fit.
pub fn signed<'a>(
    key: &[u8],
    data: &'a [u8],
    client_data: &[u8],
    signature: &[u8],
    host: &str,
) -> Result<Said<'a>, Wrong> {
    let said = authenticator_data(data, host)?;
    let key = Key::read(key).ok_or("its key cannot be read")?;
    let message = [data, Sha256::digest(client_data).as_slice()].concat();
    if key.signed(&message, signature) { Ok(said) } else { Err("its signature is not right") }
}

/// Somebody has to have been there, and made sure of.
///
/// # Errors
/// What is missing.
pub fn by_somebody(said: &Said<'_>) -> Result<(), Wrong> {
    if said.present && said.verified {
        return Ok(());
    }
    Err("the device did not make sure who you are; give it a PIN, a finger or a face")
}
