//! Evidence that is sent or read at once.

use std::io::Write;

use serde_json::Value;
use uuid::Uuid;
use wardroom_core::evidence::Fingerprint;
use wardroom_core::id::Number;
use wardroom_core::text::Line;

use super::{Client, of};

impl Client {
    /// Attaches evidence, once, and says why it is kept if that is known.
    pub fn attach(&self, number: Number, name: &Line, why: Option<&Line>, bytes: &[u8]) -> anyhow::Result<Value> {
        self.send_evidence(Uuid::now_v7(), number, name, why.map(|why| ("why", why)), bytes)
    }

    /// Attaches what a command said, and says which command that was, if that can be written down. The request id was drawn
    /// before: asked again with it, it is attached once.
    pub fn attach_as(
        &self,
        id: Uuid,
        number: Number,
        name: &Line,
        from: Option<&Line>,
        bytes: &[u8],
    ) -> anyhow::Result<Value> {
        self.send_evidence(id, number, name, from.map(|from| ("from", from)), bytes)
    }

    fn send_evidence(
        &self,
        id: Uuid,
        number: Number,
        name: &Line,
        more: Option<(&str, &Line)>,
        bytes: &[u8],
    ) -> anyhow::Result<Value> {
        let id = id.to_string();
        let answer = self.insist(&format!("/api/v1/incidents/{}/evidence", number.get()), |request| {
            let request = request.query("name", name.as_str()).query("request_id", &id);
            let request = request.query_pairs(more.map(|(key, words)| (key, words.as_str())));
            request.content_type("application/octet-stream").send(bytes)
        });
        answer.map_err(|error| of(number, error))
    }

    /// Has the server fetch what a URL shows and keep it as evidence, once.
    pub fn fetch(&self, number: Number, asked: Value) -> anyhow::Result<Value> {
        let answer = self.post(&format!("/api/v1/incidents/{}/evidence/fetch", number.get()), asked);
        answer.map_err(|error| of(number, error))
    }

    /// Which evidence an incident has.
    pub fn evidence_list(&self, number: Number) -> anyhow::Result<Value> {
        self.get(&format!("/api/v1/incidents/{}/evidence", number.get()))
    }

    /// Reads the bytes of a piece of evidence, piece by piece into this.
    pub fn evidence(&self, number: Number, sha256: Fingerprint, into: &mut impl Write) -> anyhow::Result<()> {
        self.copy(&format!("/api/v1/incidents/{}/evidence/{sha256}", number.get()), into)
    }
}
