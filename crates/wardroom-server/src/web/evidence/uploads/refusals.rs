//! Why an upload is not taken, in words.

use axum::http::StatusCode;
use wardroom_core::evidence::Fingerprint;

use crate::evidence::arriving::TooMany;
use crate::web::problem::Problem;

/// Of what is not there, and of what is somebody else's.
pub(super) fn no_such() -> Problem {
    let sentence = "There is no such upload of yours here. It may be attached already, or it was let go after a day: begin it \
                    again, and what is kept need not be sent.";
    Problem::new(StatusCode::NOT_FOUND, "no_such_upload", sentence)
}

/// Too much is on its way.
pub(super) fn too_many(too_many: TooMany) -> Problem {
    let sentence = match too_many {
        TooMany::OfYours => {
            "You have as much on its way as one person may: 4 files or 4 GB. Let one of them arrive, or stop it where it was \
             begun, then send this one. What nobody goes on with is let go after a day."
        }
        TooMany::OfAll => {
            "Too much is on its way to this server at once: 64 files or 32 GB. Try again when some of it has arrived."
        }
    };
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_uploads", sentence).after(60)
}

/// What arrived is not what was announced.
pub(super) fn wrong_sha256(announced: Fingerprint, arrived: Fingerprint) -> Problem {
    let sentence = format!(
        "What arrived has the SHA-256 {arrived}, and announced was {announced}. Nothing was kept. Was the file \
         written to meanwhile? Send it again."
    );
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "wrong_sha256", sentence)
}

/// More would come than was announced.
pub(super) fn too_long(announced: u64) -> Problem {
    let sentence = format!("This is more than was announced: {announced} bytes. Look whether the file has grown.");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", sentence)
}
