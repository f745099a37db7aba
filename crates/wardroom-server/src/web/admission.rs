//! A Kubernetes cluster asks at the gate before it changes what belongs to a service (`AdmissionReview` v1).
//!
//! It shows itself by a gate's token: in the header where the cluster's own configuration can name one, otherwise as the end
//! of the address, which is all that a webhook's configuration can carry; that address is never logged whole. What cannot be
//! decided is answered with a failure and not with a denial, so that the webhook's `failurePolicy` settles it.

use std::collections::BTreeSet;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use wardroom_core::token::Scope;

use super::answers;
use super::arriving::{Unarrived, in_time, said};
use super::problem::Problem;
use super::who::{AtGate, Reader};
use crate::admission::answer::{Verdict, write};
use crate::admission::{REVIEW_MAX, Review, Unread, read};
use crate::gate::{Answer, Call};
use crate::server::Server;

/// Where the token stands in an address, which is for nobody's log.
pub(super) const WITH_TOKEN: &str = "/api/v1/admission/";

fn unread(why: &Unread) -> Problem {
    let status = if *why == Unread::TooLarge { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::BAD_REQUEST };
    Problem::new(status, "malformed", why.to_string())
}

/// Ask as a Kubernetes cluster does, with a gate's token in the header.
#[utoipa::path(
    post, path = "/api/v1/admission",
    request_body(content = String, content_type = "application/json", description = "An AdmissionReview of admission.k8s.io/v1"),
    responses((status = 200, description = "The review's answer", body = String, content_type = "application/json"),
              (status = "4XX", body = answers::ProblemDocument),
              (status = 503, description = "`cannot_decide`: the webhook's failurePolicy settles it", body = answers::ProblemDocument)),
)]
pub(super) async fn review(
    State(server): State<Server>,
    AtGate(reader): AtGate,
    request: Request,
) -> Result<Response, Problem> {
    server.review(&reader, request).await
}

/// Ask as a Kubernetes cluster does, with a gate's token at the end of the address.
#[utoipa::path(
    post, path = "/api/v1/admission/{token}",
    params(("token" = String, Path, description = "A gate's token: `wardroom token create HANDLE --scope gate`")),
    request_body(content = String, content_type = "application/json", description = "An AdmissionReview of admission.k8s.io/v1"),
    responses((status = 200, description = "The review's answer", body = String, content_type = "application/json"),
              (status = "4XX", body = answers::ProblemDocument),
              (status = 503, description = "`cannot_decide`: the webhook's failurePolicy settles it", body = answers::ProblemDocument)),
)]
pub(super) async fn review_with_token(
    State(server): State<Server>,
    Path(token): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let reader = Reader::with_secret(&server, &token).await?;
    server.review(&reader, request).await
}

impl Server {
    async fn review(&self, reader: &Reader, request: Request) -> Result<Response, Problem> {
        if reader.scope != Scope::Gate {
            let sentence = "A cluster asks with a token of its own: `wardroom token create HANDLE --scope gate`.";
            return Err(Problem::new(StatusCode::FORBIDDEN, "token_scope", sentence));
        }
        let (size, share) = (said(request.headers()), self.evidence.asking(reader.by));
        let most = u64::try_from(REVIEW_MAX).unwrap_or(u64::MAX);
        let turn = share.turn(size.unwrap_or(most).min(most));
        let arrived = in_time(size, request.into_body(), REVIEW_MAX, &share.beginning(), turn).await;
        let (bytes, _room) = arrived.map_err(|why| match why {
            Unarrived::TooLarge => unread(&Unread::TooLarge),
            Unarrived::Late(problem) => problem,
        })?;
        let review = read(&bytes).map_err(|why| unread(&why))?;
        let answer = match self.call_of(&review) {
            None => write(&review.uid, Verdict::Allowed, &[]),
            Some(call) => {
                let answer = self.pass(call).await.map_err(|unable| unable.problem(self))?;
                self.written(&review, &answer)
            }
        };
        let mut response = answer.into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(response)
    }

    /// What is asked at the gate; nothing for what belongs to no service, or is the cluster's own doing.
    fn call_of(&self, review: &Review) -> Option<Call> {
        if self.exempt.covers(&review.user) {
            return None;
        }
        let services = self.gate.book.services_of(&review.seen(), review.gone());
        let user = review.user.name.as_str();
        // People come with the name of whoever vouches for them before theirs: `oidc:sabrina@example.org`.
        let bare = user.rsplit([':', '#']).next().filter(|_| !user.starts_with("system:"));
        let person = [Some(user), bare].into_iter().flatten().find_map(|called| self.gate.book.person(called));
        (!services.is_empty()).then(|| Call {
            person,
            called: Some(user.to_owned()),
            services,
            what: review.what(),
            back_to: None,
            through: "the cluster".parse().expect("it is a line"),
            done: true,
            dry_run: review.dry_run,
        })
    }

    fn written(&self, review: &Review, answer: &Answer) -> Vec<u8> {
        if answer.allowed {
            let warnings: Vec<&str> = if answer.is_observed() { vec![&answer.reason] } else { Vec::new() };
            return write(&review.uid, Verdict::Allowed, &warnings);
        }
        let links = answer.stops.iter().filter_map(|stop| self.ask_there(stop, &answer.stops));
        // Each incident gives its own permission, and one is not enough where several stop it.
        let links: BTreeSet<String> = links.filter(|link| link.starts_with("http")).collect();
        let reason = match links.is_empty() {
            false => format!("{} To ask for permission: {}", answer.reason, Vec::from_iter(links).join(" and ")),
            true => answer.reason.clone(),
        };
        write(&review.uid, Verdict::Denied(&reason), &[])
    }
}
