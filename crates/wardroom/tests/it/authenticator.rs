//! An authenticator in software: it makes a passkey and signs with it, as a phone or a key does, and can be told to lie.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Where everybody in these stories finds the server.
pub const SITE: &str = "https://wardroom.example.org";

/// One passkey, and the browser around it.
pub struct Authenticator {
    key: EcdsaKeyPair,
    pub credential: Vec<u8>,
    user: Value,
    /// How often it has signed.
    pub count: u32,
    /// Whether it makes sure of who is there.
    pub verifies: bool,
    /// On which page it is used.
    pub origin: String,
    /// For which name it signs.
    pub host: String,
}

fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Authenticator {
    pub fn new() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random).unwrap();
        let credential = Sha256::digest(key.public_key().as_ref()).to_vec();
        let (origin, host) = (SITE.to_owned(), SITE.strip_prefix("https://").unwrap().to_owned());
        Self { key, credential, user: Value::Null, count: 0, verifies: true, origin, host }
    }

    fn client_data(&self, what: &str, options: &Value) -> String {
        let challenge = &options["challenge"];
        assert!(challenge.is_string(), "{options}");
        json!({ "type": what, "challenge": challenge, "origin": self.origin, "crossOrigin": false, "more": 7 })
            .to_string()
    }

    fn data(&self, more: &[u8]) -> Vec<u8> {
        let flags = 1 | u8::from(self.verifies) << 2 | u8::from(!more.is_empty()) << 6;
        [Sha256::digest(self.host.as_bytes()).as_slice(), &[flags], &self.count.to_be_bytes(), more].concat()
    }

    /// Makes its passkey; what a browser sends of it.
    pub fn make(&mut self, options: &Value) -> Value {
        self.user = options["user"]["id"].clone();
        let point = self.key.public_key().as_ref();
        let (x, y) = (&point[1..33], &point[33..]);
        let key = [&[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 0x20], x, &[0x22, 0x58, 0x20], y].concat();
        let length = u16::try_from(self.credential.len()).unwrap().to_be_bytes();
        let data = self.data(&[&[0; 16][..], &length, &self.credential, &key].concat());
        let head =
            [&[0xa3, 0x63], &b"fmt"[..], &[0x64], b"none", &[0x67], b"attStmt", &[0xa0, 0x68], b"authData"].concat();
        let attestation = [&head[..], &[0x58, u8::try_from(data.len()).unwrap()], &data].concat();
        let client_data = self.client_data("webauthn.create", options);
        json!({ "client_data": base64(client_data), "attestation": base64(attestation) })
    }

    /// Signs; what a browser sends of it.
    pub fn sign(&mut self, options: &Value) -> Value {
        let (data, client_data) = (self.data(&[]), self.client_data("webauthn.get", options));
        let message = [&data[..], Sha256::digest(client_data.as_bytes()).as_slice()].concat();
        let signature = self.key.sign(&SystemRandom::new(), &message).unwrap();
        json!({
            "id": base64(&self.credential), "client_data": base64(client_data), "authenticator_data": base64(data),
            "signature": base64(signature), "user": self.user,
        })
    }
}
