//! How a push service knows this server: a signature by a key of our own (VAPID, RFC 8292). Browsers are bound to its
//! public half when push is turned on in them; nobody else can tell them anything.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::json;
use wardroom_core::id::Time;

/// For how long a signature is good: less than the day that a push service allows, and more than clocks differ.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(12);

/// The key of a store. It is never printed.
pub struct VapidKey(EcdsaKeyPair);

impl std::fmt::Debug for VapidKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VapidKey(…)")
    }
}

impl VapidKey {
    /// A new key, in PKCS #8.
    #[must_use]
    pub fn draw() -> Vec<u8> {
        let drawn = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        drawn.expect("this machine has randomness").as_ref().to_vec()
    }

    /// The key that was kept; nothing where that is none.
    #[must_use]
    pub fn read(kept: &[u8]) -> Option<Self> {
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, kept, &SystemRandom::new()).ok().map(Self)
    }

    /// Its public half, as a browser is given it.
    #[must_use]
    pub fn public(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.public_key())
    }

    /// What a push service at this origin is shown, now: for a while, and by whom it can ask for.
    #[must_use]
    pub fn authorization(&self, origin: &str, contact: Option<&str>, now: Time) -> String {
        let mut claims = json!({ "aud": origin, "exp": (now + GOOD_FOR).as_second() });
        if let Some(contact) = contact {
            claims["sub"] = json!(contact);
        }
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let said = format!("{}.{}", part(json!({ "typ": "JWT", "alg": "ES256" })), part(claims));
        let signed = self.0.sign(&SystemRandom::new(), said.as_bytes()).expect("this machine has randomness");
        format!("vapid t={said}.{},k={}", URL_SAFE_NO_PAD.encode(signed), self.public())
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_push_service_can_tell_who_asks_and_for_how_long() {
        let kept = VapidKey::draw();
        let (key, again) = (VapidKey::read(&kept).unwrap(), VapidKey::read(&kept).unwrap());
        assert_eq!(key.public(), again.public());
        let now = Time::from_second(1_800_000_000).unwrap();
        let said = key.authorization("https://push.example.org", Some("https://w.example.org"), now);
        let (token, public) = said.strip_prefix("vapid t=").unwrap().split_once(",k=").unwrap();
        let (said, signature) = token.rsplit_once('.').unwrap();
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        let theirs = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, bytes(public));
        theirs.verify(said.as_bytes(), &bytes(signature)).unwrap();
        let claims: Value = serde_json::from_slice(&bytes(said.split_once('.').unwrap().1)).unwrap();
        assert_eq!(claims["aud"], "https://push.example.org");
        assert_eq!(claims["sub"], "https://w.example.org");
        assert_eq!(claims["exp"], 1_800_000_000 + 12 * 3_600);
    }

    #[test]
    fn what_is_no_key_is_none_and_a_key_is_not_printed() {
        assert!(VapidKey::read(b"no key").is_none());
        let kept = VapidKey::draw();
        assert_eq!(format!("{:?}", VapidKey::read(&kept).unwrap()), "VapidKey(…)");
    }
}
