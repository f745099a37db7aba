//! Nudging somebody, at most once in ten minutes wherever they look: a surface says so before it does, and people put
//! off what can wait.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use wardroom_core::id::Time;
use wardroom_core::prompt::{Bring, Nudge};

use super::answers;
use super::parse::{InPath, Plain};
use super::problem::Problem;
use super::who::Responder;
use crate::clock;
use crate::server::Server;

/// What a surface does about a nudge.
#[derive(Copy, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Act {
    /// It would draw its reader's attention to it now, since they neither type nor read.
    Prompt,
    /// Its reader puts it off.
    PutOff,
}

/// What a surface does, and about which nudge.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Prompting {
    act: Act,
    nudge: Nudge,
}

/// Prompt me, or put it off.
#[utoipa::path(
    post, path = "/api/v1/incidents/{number}/prompts", request_body = Prompting,
    params(("number" = u32, Path, description = "The incident's number")),
    responses((status = 200, body = answers::PromptAnswer), (status = 404, body = answers::ProblemDocument)),
)]
pub(super) async fn prompt(
    State(server): State<Server>,
    Responder(reader): Responder,
    InPath(number): InPath,
    Plain(Prompting { act, nudge }): Plain<Prompting>,
) -> Result<Json<Value>, Problem> {
    let held = server.visible(&reader, number).await?;
    if matches!(act, Act::PutOff) {
        server.presence.saw(reader.person);
    }
    // It may be done by now: then there is nothing to be said or put off.
    let Some(next) = held.incident.nudged(reader.person, &reader.facts, clock::now(), &nudge) else {
        return Ok(Json(json!({ "prompted": false, "until": null })));
    };
    let decide = |prompts: &mut wardroom_core::prompt::Prompts, now: Time| match act {
        Act::PutOff => (false, Some(prompts.put_off(number, nudge.clone(), now))),
        Act::Prompt => {
            let prompted = prompts.prompt(number, &next, now);
            let Bring::Quietly { until, .. } = prompts.bring(number, &next, now) else { return (prompted, None) };
            (prompted, Some(until))
        }
    };
    let (prompted, until) = server.prompted.change(&server.log, reader.person, decide).await?;
    Ok(Json(json!({ "prompted": prompted, "until": until })))
}
