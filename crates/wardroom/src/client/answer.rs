//! What comes back: what was asked for, or a failure that says what to do.

use anyhow::Context;
use serde_json::{Value, json};
use ureq::Body;
use ureq::http::{Response, StatusCode};
use wardroom_core::id::Number;

use super::Client;
use crate::exit::Failure;
use crate::plain::plain;

/// The largest answer that is read, in bytes.
const ANSWER_MAX: u64 = 64 << 20;

impl Client {
    /// That no answer came.
    pub(super) fn unreachable(&self, error: &ureq::Error) -> anyhow::Error {
        use ureq::Timeout::{Connect, Resolve};
        if matches!(error, ureq::Error::Timeout(phase) if !matches!(phase, Connect | Resolve)) {
            return Failure::Unreachable(json!({
                "code": "timed_out",
                "detail": format!(
                    "Wardroom at {} did not answer in time. If this was to change something, it may have been recorded \
                     all the same: look at the timeline before you do it again.",
                    self.url
                ),
            }))
            .into();
        }
        if error.to_string().contains("certificate") {
            return Failure::unreachable(format!(
                "the certificate of {} is not trusted here ({error}). If its authority is your own, name the file with \
                 its certificate: --ca FILE, or WARDROOM_CA.",
                self.url
            ))
            .into();
        }
        Failure::unreachable(format!(
            "there is no Wardroom at {} ({error}). Start one with `wardroom serve`, or name another with --url.",
            self.url
        ))
        .into()
    }
}

/// A refusal with its incident, so that what is suggested instead can be typed as it is.
pub(super) fn of(number: Number, error: anyhow::Error) -> anyhow::Error {
    match error.downcast() {
        Ok(Failure::Refused(mut problem)) => {
            problem["incident"] = json!(number);
            Failure::Refused(problem).into()
        }
        Ok(other) => other.into(),
        Err(other) => other,
    }
}

/// Whether the server has no place for evidence, or none that lets it in.
pub(super) fn is_without_a_place(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(Failure::Unreachable(problem)) if problem["code"] == "no_store")
}

pub(super) fn read(mut answer: Response<Body>) -> anyhow::Result<Value> {
    let status = answer.status();
    if status == StatusCode::NO_CONTENT {
        return Ok(Value::Null);
    }
    let body = answer.body_mut().with_config().limit(ANSWER_MAX).read_json::<Value>();
    if status.is_server_error() && !body.as_ref().is_ok_and(|body| body["code"].is_string()) {
        // Wardroom says what is wrong with it; this is something that stands before it, such as a proxy.
        let sentence = format!("Wardroom cannot be reached: what stands before it answers “{status}”.");
        return Err(Failure::unreachable(sentence).into());
    }
    let mut body = body.context("the answer could not be read; is there something else at this address?")?;
    plain(&mut body);
    match status {
        _ if status.is_success() => Ok(body),
        StatusCode::UNAUTHORIZED => Err(Failure::NotSignedIn(body).into()),
        StatusCode::SERVICE_UNAVAILABLE => Err(Failure::Unreachable(body).into()),
        _ => Err(Failure::Refused(body).into()),
    }
}
