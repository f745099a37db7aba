//! Words that only one browser can read: RFC 8291 (message encryption for web push) over RFC 8188 (aes128gcm). The push
//! service between carries them and learns their length alone.

use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use ring::rand::SystemRandom;

use super::{KEY_LEN, SECRET_LEN};
use crate::stored::random;

/// Random bytes before each message.
const SALT_LEN: usize = 16;
/// How long a record may be, in bytes: a message is one record, and every push service takes as much (RFC 8291, 4).
const RECORD: u32 = 4_096;
/// The most that fits into it, in bytes: less what stands before it, the mark of the last record, and the tag.
pub const WORDS_MAX: usize = RECORD as usize - (SALT_LEN + 4 + 1 + KEY_LEN) - 1 - 16;
/// Stands behind the words of the last record.
const LAST: u8 = 2;

/// A length, as the library asks for it.
struct Len(usize);

impl KeyType for Len {
    fn len(&self) -> usize {
        self.0
    }
}

/// Bytes drawn out of a key for one purpose.
fn drawn<const N: usize>(from: &Prk, info: &[&[u8]]) -> [u8; N] {
    let mut out = [0; N];
    let okm = from.expand(info, Len(N)).expect("these are a few bytes");
    okm.fill(&mut out).expect("it is as long as was asked for");
    out
}

/// Both public keys of a message: the browser's, and the one that was made for it.
struct Keys<'a> {
    browser: &'a [u8],
    ours: &'a [u8],
}

/// Seals words that the browser can open from the secret that both share. Nothing is drawn here.
fn sealed(words: &[u8], shared: &[u8], keys: &Keys<'_>, secret: &[u8; SECRET_LEN], salt: &[u8; SALT_LEN]) -> Vec<u8> {
    let both = Salt::new(HKDF_SHA256, secret).extract(shared);
    let input: [u8; 32] = drawn(&both, &[b"WebPush: info\0", keys.browser, keys.ours]);
    let of_this = Salt::new(HKDF_SHA256, salt).extract(&input);
    let key: [u8; 16] = drawn(&of_this, &[b"Content-Encoding: aes128gcm\0"]);
    let nonce: [u8; 12] = drawn(&of_this, &[b"Content-Encoding: nonce\0"]);

    let mut record = words.to_vec();
    record.push(LAST);
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).expect("it has the length of a key"));
    // The key is of this message alone, so the nonce is used once.
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut record)
        .expect("a record is far shorter than what a key may seal");

    let mut body = salt.to_vec();
    body.extend(RECORD.to_be_bytes());
    body.push(u8::try_from(keys.ours.len()).expect("a point has 65 bytes"));
    body.extend(keys.ours);
    body.extend(record);
    body
}

/// Whether this is a point that keys can be agreed with.
pub(super) fn is_point(key: &[u8; KEY_LEN]) -> bool {
    agreed(key, |_| ()).is_some()
}

/// Makes a key for one agreement with this one; what both share is gone when this returns.
fn agreed<T>(key: &[u8; KEY_LEN], with: impl FnOnce(&[u8]) -> T) -> Option<(T, Vec<u8>)> {
    let mine = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new()).ok()?;
    let ours = mine.compute_public_key().ok()?.as_ref().to_vec();
    let made = agree_ephemeral(mine, &UnparsedPublicKey::new(&ECDH_P256, key), with).ok()?;
    Some((made, ours))
}

/// Seals words for a browser.
///
/// # Errors
/// When they are longer than [`WORDS_MAX`], or the browser's key is no point.
pub fn seal(words: &[u8], key: &[u8; KEY_LEN], secret: &[u8; SECRET_LEN]) -> Result<Vec<u8>, &'static str> {
    if words.len() > WORDS_MAX {
        return Err("is told more than it takes");
    }
    let (shared, ours) = agreed(key, <[u8]>::to_vec).ok_or("has no key that words can be sealed for")?;
    Ok(sealed(words, &shared, &Keys { browser: key, ours: &ours }, secret, &random()))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        URL_SAFE_NO_PAD.decode(text).unwrap().try_into().unwrap()
    }

    /// RFC 8291, section 5 and appendix A.
    #[test]
    fn it_seals_as_the_standard_does() {
        let browser: [u8; KEY_LEN] =
            bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4");
        let ours: [u8; KEY_LEN] =
            bytes("BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8");
        let shared: [u8; 32] = bytes("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs");
        let (secret, salt) = (bytes("BTBZMqHH6r4Tts7J_aSIgg"), bytes("DGv6ra1nlYgDCS1FRnbzlw"));
        let words = b"When I grow up, I want to be a watermelon";
        let keys = Keys { browser: &browser, ours: &ours };
        let expected = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz\
                        AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
        assert_eq!(URL_SAFE_NO_PAD.encode(sealed(words, &shared, &keys, &secret, &salt)), expected);
    }

    /// The receiver's steps, with a key of its own.
    #[test]
    fn the_browser_agrees_on_the_same_secret() {
        let its = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new()).unwrap();
        let key: [u8; KEY_LEN] = its.compute_public_key().unwrap().as_ref().try_into().unwrap();
        let body = seal(b"words", &key, &[7; SECRET_LEN]).unwrap();
        let salt: [u8; SALT_LEN] = body[..SALT_LEN].try_into().unwrap();
        let ours = &body[21..21 + KEY_LEN];
        let keys = Keys { browser: &key, ours };
        let again = agree_ephemeral(its, &UnparsedPublicKey::new(&ECDH_P256, ours), |shared| {
            sealed(b"words", shared, &keys, &[7; SECRET_LEN], &salt)
        });
        assert_eq!(again.unwrap(), body);
    }

    #[test]
    fn what_cannot_be_sealed_is_not() {
        let its = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new()).unwrap();
        let key: [u8; KEY_LEN] = its.compute_public_key().unwrap().as_ref().try_into().unwrap();
        assert_eq!(seal(&[0; WORDS_MAX], &key, &[7; SECRET_LEN]).unwrap().len(), RECORD as usize);
        assert!(seal(&[0; WORDS_MAX + 1], &key, &[7; SECRET_LEN]).is_err());
        let mut off_the_curve = key;
        off_the_curve[KEY_LEN - 1] ^= 1;
        assert!(is_point(&key) && !is_point(&off_the_curve));
        assert!(seal(b"words", &off_the_curve, &[7; SECRET_LEN]).is_err());
    }
}
