//! Evidence that is sent in parts, so that a connection that breaks costs one part and not all of it.

use anyhow::Context;
use serde_json::Value;
use ureq::Body;
use ureq::http::{Response, StatusCode};
use wardroom_core::id::Number;

use super::{Client, of, read};
use crate::exit::Failure;

/// What became of a part.
pub enum Sent {
    /// It was the last one, and all of it is attached.
    Attached(Value),
    /// So many bytes have come.
    Came(u64),
    /// The server does not know of the upload, or not any more.
    Gone,
}

impl Client {
    /// Announces evidence that comes in parts: it is attached already, or the answer says where it goes.
    pub fn begin_upload(&self, number: Number, said: &Value) -> anyhow::Result<Value> {
        let answer = self
            .insist(&format!("/api/v1/incidents/{}/evidence/uploads", number.get()), |request| request.send_json(said));
        answer.map_err(|error| of(number, error))
    }

    /// How many bytes of an upload have come, if the server knows of it.
    pub fn how_far(&self, upload: &str) -> anyhow::Result<Option<u64>> {
        let request = self.timed(self.agent.head(format!("{}{upload}", self.url)));
        let answer = request.header("authorization", format!("Bearer {}", self.token)).call();
        let answer = answer.map_err(|error| self.unreachable(&error))?;
        match answer.status() {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => Ok(Some(come(&answer).context("it does not say how far it is")?)),
            StatusCode::UNAUTHORIZED => {
                Err(self.get("/api/v1/me").err().unwrap_or_else(|| anyhow::anyhow!("not signed in")))
            }
            status => Err(Failure::unreachable(format!("the server answers “{status}”")).into()),
        }
    }

    /// Sends a part of an upload, once.
    pub fn send_part(&self, number: Number, upload: &str, at: u64, bytes: &[u8]) -> anyhow::Result<Sent> {
        let request = self.timed(self.agent.patch(format!("{}{upload}", self.url)));
        let request = request.header("authorization", format!("Bearer {}", self.token));
        let request = request.header("upload-offset", at.to_string()).content_type("application/partial-upload");
        let answer = request.send(bytes).map_err(|error| self.unreachable(&error))?;
        match (answer.status(), come(&answer)) {
            (StatusCode::NO_CONTENT | StatusCode::CONFLICT | StatusCode::REQUEST_TIMEOUT, Some(come)) => {
                Ok(Sent::Came(come))
            }
            (StatusCode::REQUEST_TIMEOUT, None) => Err(Failure::unreachable("it took too long").into()),
            (StatusCode::NOT_FOUND, _) => Ok(Sent::Gone),
            _ => read(answer).map(Sent::Attached).map_err(|error| of(number, error)),
        }
    }
}

/// How many bytes of an upload have come, as an answer says it.
fn come(answer: &Response<Body>) -> Option<u64> {
    answer.headers().get("upload-offset")?.to_str().ok()?.parse().ok()
}
