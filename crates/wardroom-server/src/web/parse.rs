//! What comes in: bounded bodies, strict JSON, cursors. Pure, apart from the extractors around it.

use axum::body::{Bytes, HttpBody};
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri, header};
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;
use wardroom_core::id::Number;
use wardroom_core::text::repeated;

use super::json;
use super::problem::Problem;
use crate::server::Server;

/// The largest body of a command, in bytes: a note of 20,000 characters at four bytes each, and some room.
pub const BODY_MAX: usize = 128 * 1024;

/// A command with the request id that it is remembered by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked<T> {
    /// Drawn by the client; without one a retry cannot be recognised.
    pub request_id: Uuid,
    /// What is asked.
    pub order: T,
}

/// Reads `{"request_id": …, …}`: the id, and the rest as `T`, which refuses unknown fields.
///
/// # Errors
/// A sentence that says what does not fit.
pub fn asked<T: DeserializeOwned>(body: &[u8]) -> Result<Asked<T>, String> {
    let mut tree = json::read(body).map_err(|error| repeated(&error))?;
    let Value::Object(object) = &mut tree else { return Err("the body is a JSON object".to_owned()) };
    let id = object.remove("request_id").ok_or("“request_id” is missing: a UUID that you draw for each command")?;
    let request_id = id
        .as_str()
        .and_then(|id| Uuid::parse_str(id).ok())
        .ok_or("“request_id” is a UUID, such as 01890a5d-ac96-774b-bcce-b302099a8057")?;
    let order = serde_json::from_value(tree).map_err(|error| repeated(&error.to_string()))?;
    Ok(Asked { request_id, order })
}

/// A cursor that a client brought.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Cursor {
    /// Of which history.
    pub epoch: Uuid,
    /// After which position.
    pub position: u64,
}

impl std::str::FromStr for Cursor {
    type Err = &'static str;
    fn from_str(given: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "a cursor is one that Wardroom gave out, as it was";
        let (epoch, position) = given.split_once('.').ok_or(WRONG)?;
        let digits = !position.is_empty() && position.len() <= 19 && position.bytes().all(|b| b.is_ascii_digit());
        if epoch.len() != 32 || !digits {
            return Err(WRONG);
        }
        let epoch = Uuid::try_parse(epoch).map_err(|_| WRONG)?;
        Ok(Self { epoch, position: position.parse().map_err(|_| WRONG)? })
    }
}

/// The position behind a client's cursor.
///
/// # Errors
/// 400 for what is no cursor of Wardroom's, or lies ahead of the log; 410 for one of another history.
pub fn position(given: Option<&str>, epoch: Uuid, head: u64) -> Result<Option<u64>, Problem> {
    let Some(given) = given else { return Ok(None) };
    let cursor: Cursor = given.parse().map_err(Problem::malformed)?;
    if cursor.epoch != epoch {
        return Err(Problem::new(
            StatusCode::GONE,
            "cursor_gone",
            "This cursor belongs to another history: a backup was restored since. Read anew, without a cursor.",
        ));
    }
    if cursor.position > head {
        return Err(Problem::malformed("this cursor lies ahead of everything that was recorded"));
    }
    Ok(Some(cursor.position))
}

/// A JSON body with a request id, read strictly.
pub struct Body<T>(pub Asked<T>);

/// A JSON body of its own, read strictly.
pub struct Plain<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Server> for Plain<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, server: &Server) -> Result<Self, Problem> {
        let bytes = body(request, server).await?;
        json::read(&bytes).map(Self).map_err(|error| Problem::malformed(repeated(&error)))
    }
}

impl<T: DeserializeOwned> FromRequest<Server> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, server: &Server) -> Result<Self, Problem> {
        let bytes = body(request, server).await?;
        asked(&bytes).map(Self).map_err(Problem::malformed)
    }
}

/// The incident that an address names.
pub struct InPath(pub Number);

impl FromRequestParts<Server> for InPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Problem> {
        let named = Path::<String>::from_request_parts(parts, server).await;
        let Path(named) = named.map_err(|_| Problem::malformed("its address is not written in UTF-8"))?;
        numbered(&named).map(Self)
    }
}

/// The incident of this number. What is a number and no incident's is answered as any incident that is not there.
///
/// # Errors
/// 404 for a number that none can have, 400 for what is no number.
pub fn numbered(named: &str) -> Result<Number, Problem> {
    named.parse().map_err(|bad| {
        if !named.is_empty() && named.bytes().all(|byte| byte.is_ascii_digit()) {
            let sentence = format!("There is no incident #{} that you can see.", repeated(named));
            return Problem::new(StatusCode::NOT_FOUND, "no_such_incident", sentence);
        }
        Problem::malformed(bad)
    })
}

/// What stands behind the question mark of an address, read strictly.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<Server> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Server) -> Result<Self, Problem> {
        query(&parts.uri).map(Self)
    }
}

/// What stands behind the question mark, as `T`.
///
/// # Errors
/// 400 with a sentence that says what does not fit.
pub fn query<T: DeserializeOwned>(address: &Uri) -> Result<T, Problem> {
    axum::extract::Query::try_from_uri(address).map(|axum::extract::Query(read)| read).map_err(|rejection| {
        let told = rejection.body_text();
        let why = told.split_once(": ").map_or(told.as_str(), |(_, why)| why);
        Problem::malformed(format!("what stands behind the “?” of its address does not fit ({})", repeated(why)))
    })
}

/// The bytes of a body that says that it is JSON.
async fn body(request: Request, server: &Server) -> Result<Bytes, Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "not_json",
            "Send JSON: “Content-Type: application/json”.",
        ));
    }
    let too_large = || {
        let sentence = "This request is too large. A note has at most 20,000 characters.";
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", sentence)
    };
    // One that says so beforehand need not send it first.
    if request.body().size_hint().lower() > BODY_MAX as u64 {
        return Err(too_large());
    }
    Bytes::from_request(request, server).await.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return too_large();
        }
        Problem::malformed("its body did not arrive whole")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use wardroom_core::command::Command;

    #[test]
    fn unknown_fields_wrong_types_and_missing_ids_are_refused() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        let read = |body: String| asked::<Command>(body.as_bytes());
        assert!(read(format!(r#"{{"request_id":"{id}","command":"join"}}"#)).is_ok());
        for (body, says) in [
            (r#"{"command":"join"}"#.to_owned(), "request_id"),
            (format!(r#"{{"request_id":"{id}","command":"join","x":1}}"#), "unknown field `x`"),
            (format!(r#"{{"request_id":"{id}","command":"fly"}}"#), "unknown variant `fly`"),
            (format!(r#"{{"request_id":"{id}","command":"note","text":7}}"#), "invalid type"),
            (format!(r#"{{"request_id":"{id}","command":"note","text":"a\u0007"}}"#), "control character"),
            (r#"{"request_id":7,"command":"join"}"#.to_owned(), "UUID"),
            ("[]".to_owned(), "object"),
            ("{".to_owned(), "EOF"),
            (format!(r#"{{"request_id":"{id}","command":"note","text":"a","text":"b"}}"#), "“text” stands there twice"),
            (format!(r#"{{"request_id":"{id}","request_id":"{id}","command":"join"}}"#), "“request_id” stands there"),
        ] {
            let error = read(body.clone()).expect_err(&body);
            assert!(error.contains(says), "{body}: {error}");
        }
    }

    /// Serde's sentence repeats an unknown name as it is.
    #[test]
    fn a_refusal_repeats_nothing_that_misleads_or_floods_a_terminal() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        let long = "x".repeat(100_000);
        for name in ["\\u001b[2J", "\u{202E}nioj", &long] {
            let error = asked::<Command>(format!(r#"{{"request_id":"{id}","command":"{name}"}}"#).as_bytes())
                .expect_err("no command is called so");
            assert!(error.starts_with("unknown variant"), "{error}");
            assert!(error.len() < 2_000 && !error.contains(['\u{1b}', '\u{202E}']), "{error:?}");
        }
    }

    #[test]
    fn cursors_are_recognised_or_refused() {
        let epoch = Uuid::from_u128(7);
        let cursor = crate::watch::cursor(epoch, 42);
        assert_eq!(cursor.parse(), Ok(Cursor { epoch, position: 42 }));
        for bad in ["", ".", "7", "x.7", "00000000000000000000000000000007.", "00000000000000000000000000000007.-1"] {
            assert!(bad.parse::<Cursor>().is_err(), "{bad}");
        }
        assert!(position(Some(&cursor), epoch, 42).is_ok());
        assert!(position(Some(&cursor), epoch, 41).is_err());
        assert!(position(Some(&cursor), Uuid::from_u128(8), 99).is_err());
    }
}
