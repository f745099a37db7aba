//! A passkey's public key: COSE (RFC 9053) as far as passkeys need it, and signatures held against it. Pure.

use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};

use super::cbor::{self, Item};

/// How signatures are asked for, the first preferred: ES256, EdDSA, RS256.
pub const ALGORITHMS: [i32; 3] = [-7, -8, -257];

/// A public key of one of these.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Key<'a> {
    /// ES256: a point on P-256.
    Es256([&'a [u8]; 2]),
    /// EdDSA, on Ed25519.
    EdDsa(&'a [u8]),
    /// RS256: modulus and exponent.
    Rs256 {
        /// The modulus, without zeros before it.
        n: &'a [u8],
        /// The exponent, likewise.
        e: &'a [u8],
    },
}

impl<'a> Key<'a> {
    /// The key that these bytes are; `None` for one of another kind.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        Self::of(&cbor::whole(bytes)?)
    }

    /// The key in an item.
    #[must_use]
    pub fn of(item: &Item<'a>) -> Option<Self> {
        let number = |at| item.at(at)?.number();
        let sized = |at, length| item.at(at)?.bytes().filter(|bytes| bytes.len() == length);
        match (number(1)?, number(3)?, number(-1)) {
            (2, -7, Some(1)) => Some(Self::Es256([sized(-2, 32)?, sized(-3, 32)?])),
            (1, -8, Some(6)) => Some(Self::EdDsa(sized(-2, 32)?)),
            (3, -257, _) => {
                let unsigned = |at| {
                    let bytes: &'a [u8] = item.at(at)?.bytes()?;
                    Some(&bytes[bytes.iter().take_while(|byte| **byte == 0).count()..])
                };
                Some(Self::Rs256 { n: unsigned(-1)?, e: unsigned(-2)? })
            }
            _ => None,
        }
    }

    /// Whether a signature under a message is this key's.
    #[must_use]
    pub fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Es256([x, y]) => {
                let point = [&[4][..], x, y].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(message, signature).is_ok()
            }
            Self::EdDsa(key) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok(),
            Self::Rs256 { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
            }
        }
    }
}
