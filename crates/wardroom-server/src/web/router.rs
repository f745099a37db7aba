//! Every route in one table. The description of the API is collected from the same table, so it cannot drift.

use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::classify::ServerErrorsFailureClass;
use tower_http::trace::{DefaultOnFailure, OnFailure, TraceLayer};
use tracing::Span;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::{Modify, OpenApi, openapi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::account::{self, guest, passkey, proof, welcome};
use super::admission::WITH_TOKEN;
use super::parse::BODY_MAX;
use super::problem::Problem;
use super::{
    admin, admission, briefing, changes, directory, document, evidence, example, export, gate, health, incidents, page,
    prompt, reach, sheet, stream, tokens, told,
};
use crate::server::Server;

#[derive(OpenApi)]
#[openapi(modifiers(&WaysIn), info(
    title = "Wardroom",
    description = "Incident command. Every write carries a request id and can be repeated; errors are RFC 9457 problem documents with a stable `code`; times are UTC (RFC 3339). A request may say whom it means, by a person's id in the header `Wardroom-As`: when its token or cookie is somebody else's, it is refused (409, `somebody_else`), and nothing is recorded."
))]
struct Description;

/// How somebody shows who they are: by a token, or by the cookie that signing in on the page gave them.
struct WaysIn;

impl Modify for WaysIn {
    fn modify(&self, api: &mut openapi::OpenApi) {
        let ways = api.components.get_or_insert_default();
        ways.add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
        for cookie in ["__Host-wardroom", "wardroom"] {
            let way = ApiKey::Cookie(ApiKeyValue::with_description(
                cookie,
                "A session; only this server's own page writes by it",
            ));
            ways.add_security_scheme(cookie, SecurityScheme::ApiKey(way));
        }
    }
}

/// Where load balancers look, every second or so.
const READY: &str = "/readyz";

/// Addresses that ask nobody who they are.
const OPEN: &[&str] = &[
    "/healthz",
    READY,
    "/metrics",
    "/api/v1/session",
    "/api/v1/session/passkey",
    "/api/v1/session/passkey/challenge",
    "/api/v1/welcome",
    "/api/v1/welcome/look",
    "/api/v1/guest",
    "/api/v1/guest/look",
    "/api/v1/admission/{token}",
];

/// The header by which a request says whom it means.
fn whom_it_means() -> Parameter {
    ParameterBuilder::new()
        .name("Wardroom-As")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("Whom the request means, by a person's id. Somebody else is refused: 409, `somebody_else`"))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).build()))
        .build()
}

/// Says of every other address that one has to be signed in, and may say whom one means.
fn behind_a_door(mut api: openapi::OpenApi) -> openapi::OpenApi {
    let ways = ["token", "__Host-wardroom", "wardroom"];
    for (address, item) in &mut api.paths.paths {
        if OPEN.contains(&address.as_str()) {
            continue;
        }
        let operations =
            [&mut item.get, &mut item.head, &mut item.post, &mut item.put, &mut item.delete, &mut item.patch];
        for operation in operations.into_iter().flatten() {
            operation.parameters.get_or_insert_default().push(openapi::RefOr::T(whom_it_means()));
            operation.security = Some(ways.map(|way| SecurityRequirement::new(way, [""; 0])).into());
        }
    }
    api
}

/// How long a request may take to arrive and be answered; a live stream is answered at once.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long an address may be, in bytes.
const ADDRESS_MAX: usize = 8 * 1024;
/// What the fields of a header may weigh together, in bytes.
const HEADER_MAX: usize = 32 * 1024;
/// How many fields a header may have.
const FIELDS_MAX: usize = 64;

/// The table.
fn table() -> OpenApiRouter<Server> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
        .routes(routes!(incidents::open, incidents::list))
        .routes(routes!(incidents::show))
        .routes(routes!(incidents::command))
        .routes(routes!(incidents::events))
        .routes(routes!(changes::ledger))
        .routes(routes!(changes::sightings))
        .routes(routes!(gate::stopped::stops))
        .routes(routes!(gate::stopped::take_words))
        .routes(routes!(told::tell))
        .routes(routes!(gate::ask, gate::stopped::report))
        .routes(routes!(gate::good))
        .routes(routes!(gate::ended::tell))
        .routes(routes!(admission::review))
        .routes(routes!(admission::review_with_token))
        .routes(routes!(briefing::briefing))
        .routes(routes!(briefing::mark))
        .routes(routes!(incidents::next))
        .routes(routes!(incidents::presence))
        .routes(routes!(document::join))
        .routes(routes!(sheet::markdown))
        .routes(routes!(sheet::page))
        .routes(routes!(sheet::written))
        .routes(routes!(evidence::list, evidence::attach))
        .routes(routes!(evidence::read))
        .routes(routes!(evidence::fetching::fetch))
        .routes(routes!(evidence::uploads::begin))
        .routes(routes!(evidence::uploads::how_far, evidence::uploads::append, evidence::uploads::cancel))
        .routes(routes!(export::export))
        .routes(routes!(prompt::prompt))
        .routes(routes!(example::play))
        .routes(routes!(stream::follow))
        .routes(routes!(directory::me))
        .routes(routes!(directory::read))
        .routes(routes!(directory::command))
        .routes(routes!(directory::preserve))
        .routes(routes!(admin::preview))
        .routes(routes!(admin::people))
        .routes(routes!(admin::audit))
        .routes(routes!(admin::settings))
        .routes(routes!(tokens::list, tokens::make))
        .routes(routes!(tokens::revoke))
        .routes(routes!(account::sign_in, account::sign_out))
        .routes(routes!(account::list))
        .routes(routes!(account::end))
        .routes(routes!(account::change_password))
        .routes(routes!(passkey::challenge))
        .routes(routes!(passkey::sign_in))
        .routes(routes!(passkey::prepare))
        .routes(routes!(passkey::list, passkey::add))
        .routes(routes!(passkey::remove))
        .routes(routes!(proof::challenge))
        .routes(routes!(proof::prove))
        .routes(routes!(reach::read, reach::choose))
        .routes(routes!(reach::test))
        .routes(routes!(reach::turn_on))
        .routes(routes!(reach::turn_off))
        .routes(routes!(welcome::look))
        .routes(routes!(welcome::welcome))
        .routes(routes!(welcome::make))
        .routes(routes!(guest::make))
        .routes(routes!(guest::look))
        .routes(routes!(guest::come_in))
}

/// The description of the API, as JSON.
#[must_use]
pub fn openapi() -> String {
    described(table().into_openapi())
}

fn described(api: openapi::OpenApi) -> String {
    behind_a_door(api).to_pretty_json().expect("the description is plain data")
}

/// Everything that the server answers.
pub fn router(server: Server) -> Router {
    let (router, api) = table().split_for_parts();
    let description = described(api);
    router
        .route(
            "/api/v1/openapi.json",
            axum::routing::get(|| async move { ([(header::CONTENT_TYPE, "application/json")], description) }),
        )
        .fallback(page::page)
        // All at once, the outermost first: each layer of its own would be paid for at each request.
        .layer((
            TraceLayer::new_for_http().make_span_with(span).on_failure(failed),
            CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| broke()),
            middleware::from_fn(|request, next| as_problem(request, next, PATIENCE)),
            DefaultBodyLimit::max(BODY_MAX),
        ))
        .with_state(server)
}

/// What is said of a request: the path and no more, since queries hold cursors and headers hold tokens. Of whether the
/// server is ready nothing is said: whoever asks is told, and asks again.
fn span(request: &Request) -> Span {
    match request.uri().path() {
        READY => Span::none(),
        // Its end is a token.
        path if path.starts_with(WITH_TOKEN) => {
            tracing::info_span!("request", method = %request.method(), path = WITH_TOKEN)
        }
        path => tracing::info_span!("request", method = %request.method(), path),
    }
}

fn failed(what: ServerErrorsFailureClass, latency: Duration, span: &Span) {
    if !span.is_none() {
        DefaultOnFailure::new().on_failure(what, latency, span);
    }
}

/// The library below refuses only what is far beyond these, and then without a word.
fn head_too_large(request: &Request) -> Option<Problem> {
    let address = request.uri().path_and_query().map_or(0, |address| address.as_str().len());
    if address > ADDRESS_MAX {
        let sentence = "The address of this request is too long. What is long belongs into its body.";
        return Some(Problem::new(StatusCode::URI_TOO_LONG, "address_too_long", sentence));
    }
    let fields: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    (fields > HEADER_MAX || request.headers().len() > FIELDS_MAX).then(|| {
        let sentence = "This request brings too much beside its address and body: at most 64 header fields of 32 KiB \
                        together. In a browser, deleting the cookies of this site helps.";
        Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "header_too_large", sentence)
    })
}

fn broke() -> Response {
    tracing::error!("a handler panicked; this is a bug");
    let sentence = "Something in Wardroom broke while answering. What was acknowledged before is safe.";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "broke", sentence).into_response()
}

/// Errors that come from the framework (a wrong method, a path or query that does not fit) become problem
/// documents like all others, and every answer says how it may be used. What takes too long is waited for no longer.
async fn as_problem(request: Request, next: Next, patience: Duration) -> Response {
    let response = match head_too_large(&request) {
        Some(problem) => problem.into_response(),
        // An answer that is there at once sets no clock.
        None => tokio::time::timeout(patience, next.run(request)).await.unwrap_or_else(|_| {
            let sentence = "This took too long to arrive or to answer. Try again, with the same request id.";
            Problem::new(StatusCode::REQUEST_TIMEOUT, "timeout", sentence).into_response()
        }),
    };
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let plain = kind.is_empty() || kind.starts_with("text/plain");
    let mut response = match status {
        StatusCode::METHOD_NOT_ALLOWED if plain => {
            Problem::new(status, "method_not_allowed", "This address does not take that method.").into_response()
        }
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY if plain => {
            // The framework's words are no sentence for a tired person, and repeat what was sent.
            Problem::malformed("what its address names does not fit").into_response()
        }
        _ => response,
    };
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// The first bytes come and the last never does: the answer says so, and the connection ends.
    #[tokio::test]
    async fn a_body_that_does_not_arrive_is_not_waited_for() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/", axum::routing::post(|body: axum::body::Bytes| async move { body }))
            .layer(middleware::from_fn(|request, next| as_problem(request, next, Duration::from_millis(100))));
        tokio::spawn(axum::serve(listener, router).into_future());
        let mut slow = TcpStream::connect(address).await.unwrap();
        slow.write_all(b"POST / HTTP/1.1\r\nhost: wardroom\r\ncontent-length: 10\r\n\r\n{").await.unwrap();
        let mut answer = String::new();
        slow.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(answer.contains("application/problem+json") && answer.contains("\"timeout\""), "{answer}");
    }
}
