//! `/`: a plain list of incidents, rendered here, until the war room page takes its place.
//!
//! It shows nothing to those who are not signed in; with a token it lists what its bearer may see.

use axum::extract::State;
use axum::http::header;
use axum::response::{Html, IntoResponse};
use minijinja::{Environment, context};
use wardroom_core::incident::Kind;
use wardroom_core::seal;
use wardroom_core::telling;

use super::problem::Problem;
use super::who::Reader;
use crate::server::Server;

const PAGE: &str = include_str!("home.html");

/// The page.
#[utoipa::path(get, path = "/", responses((status = 200, description = "A page")))]
pub(super) async fn home(
    State(server): State<Server>,
    reader: Result<Reader, Problem>,
) -> Result<impl IntoResponse, Problem> {
    let rows = match reader {
        Err(_) => None,
        Ok(reader) => {
            let all = server.board.active().await?;
            let visible =
                all.into_iter().filter(|summary| summary.visible_to(reader.person) && summary.kind != Kind::Drill);
            let rows: Vec<_> = visible
                .map(|summary| {
                    let mut title = serde_json::to_value(&summary.title).expect("a text is plain data");
                    seal::reveal(&mut title);
                    context! {
                        number => summary.number.0,
                        title => title.as_str().unwrap_or("(redacted)"),
                        severity => telling::severity(summary.severity),
                        phase => summary.phase.word(),
                        commander => reader.facts.name(summary.commander),
                        since => summary.opened_at.strftime("%F %H:%M UTC").to_string(),
                    }
                })
                .collect();
            Some(rows)
        }
    };
    let mut environment = Environment::new();
    environment.add_template("home.html", PAGE).expect("the page's template is well formed");
    let template = environment.get_template("home.html").expect("it was added a line ago");
    let page = template.render(context! { rows }).map_err(|error| {
        tracing::error!(%error, "the list could not be rendered");
        Problem::new(axum::http::StatusCode::INTERNAL_SERVER_ERROR, "page", "The page could not be rendered.")
    })?;
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
    Ok(([(header::CONTENT_SECURITY_POLICY, policy), (header::CACHE_CONTROL, "no-store")], Html(page)))
}
