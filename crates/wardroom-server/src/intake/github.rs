//! GitHub's webhooks about deployments. Each is signed with a secret that both sides share; nothing of one is read before
//! that signature fits.
//!
//! What a repeat is recognised by comes out of the signed body: the header that numbers deliveries is not signed, and whoever
//! sends a delivery again can write another number there.

use ring::hmac;
use serde_json::Value;
use wardroom_core::text::Line;

use super::cloudevents::MediaType;
use super::unheard::Unheard;
use super::{BODY_MAX, Heard, ID_MAX, SERVICES_MAX, SOURCE_MAX, Stage, Told, words};
use crate::web::json;

/// Stands before the digits of a signature.
const BEFORE_DIGITS: &str = "sha256=";
/// How many digits of a commit are shown.
const COMMIT_DIGITS: usize = 7;

/// What stands around a webhook's body.
#[derive(Copy, Clone, Debug)]
pub struct Delivery<'a> {
    /// What the body is said to be.
    pub content_type: Option<&'a str>,
    /// `X-GitHub-Event`: of what sort it is.
    pub event: Option<&'a str>,
    /// `X-Hub-Signature-256`.
    pub signature: Option<&'a str>,
}

/// Whether a body was signed with one of these secrets, in a time that tells nothing of how nearly it was.
///
/// An empty secret signs nothing: anybody could use it.
///
/// # Errors
/// [`Unheard::Unsigned`] and [`Unheard::BadSignature`].
pub fn verify(secrets: &[&[u8]], signature: Option<&str>, body: &[u8]) -> Result<(), Unheard> {
    let tag = tag(secrets, signature)?;
    let fits = |secret: &[u8]| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        hmac::verify(&key, body, &tag).is_ok()
    };
    let known = secrets.iter().filter(|secret| !secret.is_empty()).any(|secret| fits(secret));
    known.then_some(()).ok_or(Unheard::BadSignature)
}

/// Whether a body may turn out to be signed with one of these secrets: asked before anything of it is read, or kept room
/// for.
///
/// # Errors
/// As [`verify`].
pub fn may_be_signed(secrets: &[&[u8]], signature: Option<&str>) -> Result<(), Unheard> {
    tag(secrets, signature).map(drop)
}

fn tag(secrets: &[&[u8]], signature: Option<&str>) -> Result<[u8; 32], Unheard> {
    let signature = signature.ok_or(Unheard::Unsigned)?.trim();
    let tag = signature.strip_prefix(BEFORE_DIGITS).and_then(digits).ok_or(Unheard::BadSignature)?;
    let any = secrets.iter().any(|secret| !secret.is_empty());
    any.then_some(tag).ok_or(Unheard::BadSignature)
}

/// 64 hexadecimal digits, as bytes.
fn digits(given: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if given.len() != 64 || !given.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&given[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

/// Reads a webhook that is signed with one of these secrets.
///
/// # Errors
/// [`Unheard`], with a sentence for whoever set the webhook up.
pub fn heard(secrets: &[&[u8]], delivery: &Delivery<'_>, body: &[u8]) -> Result<Heard, Unheard> {
    if body.len() > BODY_MAX {
        return Err(Unheard::TooLarge);
    }
    verify(secrets, delivery.signature, body)?;
    let sort = MediaType::read(delivery.content_type.unwrap_or_default())?;
    let as_json = "Set the webhook's content type to application/json at GitHub; a form is not read.";
    sort.is_json().map_err(|_| Unheard::Sort(as_json))?;
    let event = delivery.event.ok_or_else(|| Unheard::unfit("“X-GitHub-Event” is missing"))?;
    match event {
        "ping" => Ok(Heard::Ping),
        "deployment" | "deployment_status" => {
            let body = json::read(body).map_err(Unheard::malformed)?;
            deployment(event, &body)
        }
        other => Ok(Heard::other(other)),
    }
}

/// How far a deployment is, by the state of its newest status. Some states say that another deployment took its place.
fn stage(event: &str, body: &Value) -> Option<Stage> {
    if event == "deployment" {
        return (text(body, "/action") == Some("created")).then_some(Stage::Intended);
    }
    Some(match text(body, "/deployment_status/state")? {
        "queued" | "pending" | "waiting" => Stage::Intended,
        "in_progress" => Stage::Begun,
        "success" => Stage::Done,
        "failure" | "error" => Stage::Failed,
        _ => return None,
    })
}

fn deployment(event: &str, body: &Value) -> Result<Heard, Unheard> {
    let Some(stage) = stage(event, body) else { return Ok(Heard::other(event)) };
    let missing = |what: &str| Unheard::unfit(format!("“{what}” is missing, which GitHub sends of a deployment"));
    let number = body.pointer("/deployment/id").and_then(Value::as_u64).ok_or_else(|| missing("deployment.id"))?;
    let repository = text(body, "/repository/full_name").ok_or_else(|| missing("repository.full_name"))?;
    let source = match text(body, "/repository/html_url").and_then(words::link) {
        Some(link) => link,
        None => format!("github:{repository}"),
    };
    let repository =
        repository.parse().map_err(|why| Unheard::unfit(format!("the repository's name does not fit ({why})")))?;
    let at = ["/deployment_status/created_at", "/deployment/created_at"];
    let at = at.iter().find_map(|place| text(body, place)).and_then(|at| at.parse().ok());
    Ok(Heard::Change(Box::new(Told {
        source: words::name("repository", &source, SOURCE_MAX)?,
        id: words::name("deployment.id", &format!("deployment/{number}"), ID_MAX)?,
        stage,
        services: services(body, repository),
        what: what(body).ok_or_else(|| missing("deployment"))?,
        who: who(body).and_then(words::line),
        at,
        link: link(body),
        environment: environment(body).and_then(words::line),
    })))
}

fn text<'a>(body: &'a Value, place: &str) -> Option<&'a str> {
    body.pointer(place).and_then(Value::as_str).filter(|text| !text.trim().is_empty())
}

fn environment(body: &Value) -> Option<&str> {
    text(body, "/deployment_status/environment").or_else(|| text(body, "/deployment/environment"))
}

/// What the deployment's payload names, where it names services as our own events do; else the repository.
fn services(body: &Value, repository: Line) -> Vec<Line> {
    let named: Vec<&Value> =
        match (body.pointer("/deployment/payload/services"), body.pointer("/deployment/payload/service")) {
            (Some(Value::Array(services)), None) => services.iter().collect(),
            (None, Some(service)) => vec![service],
            _ => Vec::new(),
        };
    let mut services: Vec<Line> = Vec::new();
    for name in named.into_iter().filter_map(|name| name.as_str()?.parse().ok()).take(SERVICES_MAX) {
        if !services.contains(&name) {
            services.push(name);
        }
    }
    if services.is_empty() { vec![repository] } else { services }
}

/// Such as `deploy main (f95f852) to production: the fix for #12`.
fn what(body: &Value) -> Option<Line> {
    let task = text(body, "/deployment/task").unwrap_or("deploy");
    let reference = text(body, "/deployment/ref");
    let commit: Option<String> = text(body, "/deployment/sha").map(|sha| sha.chars().take(COMMIT_DIGITS).collect());
    let what = match (reference, commit) {
        // A reference may be the commit itself.
        (Some(reference), Some(commit)) if reference.starts_with(&commit) => format!("{task} {commit}"),
        (Some(reference), Some(commit)) => format!("{task} {reference} ({commit})"),
        (Some(one), None) => format!("{task} {one}"),
        (None, Some(one)) => format!("{task} {one}"),
        (None, None) => return None,
    };
    let to = environment(body).map(|environment| format!(" to {environment}")).unwrap_or_default();
    let why = text(body, "/deployment/description").map(|why| format!(": {why}")).unwrap_or_default();
    words::line(&format!("{what}{to}{why}"))
}

/// Who set it off: of a workflow the person behind it, where it is known; a robot made the deployment then.
fn who(body: &Value) -> Option<&str> {
    let places = [
        "/workflow_run/triggering_actor/login",
        "/workflow_run/actor/login",
        "/deployment/creator/login",
        "/sender/login",
    ];
    places.iter().find_map(|place| text(body, place))
}

/// Where more of it stands: the workflow's run, what the deployer says, or the repository.
fn link(body: &Value) -> Option<String> {
    let places = [
        "/workflow_run/html_url",
        "/deployment_status/log_url",
        "/deployment_status/target_url",
        "/repository/html_url",
    ];
    places.iter().find_map(|place| text(body, place).and_then(words::link))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SECRET: &[u8] = b"It's a Secret to Everybody";

    fn signed(secret: &[u8], body: &[u8]) -> String {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), body);
        tag.as_ref().iter().fold(BEFORE_DIGITS.to_owned(), |digits, byte| format!("{digits}{byte:02x}"))
    }

    fn delivered(event: &str, body: &Value) -> Result<Heard, Unheard> {
        let body = body.to_string();
        let signature = signed(SECRET, body.as_bytes());
        let delivery =
            Delivery { content_type: Some("application/json"), event: Some(event), signature: Some(&signature) };
        heard(&[SECRET], &delivery, body.as_bytes())
    }

    fn told(event: &str, body: &Value) -> Told {
        match delivered(event, body) {
            Ok(Heard::Change(told)) => *told,
            other => panic!("{other:?} is not a change"),
        }
    }

    fn body() -> Value {
        json!({
            "action": "created",
            "deployment": {
                "id": 145_988_746_u64, "sha": "f95f852bd8fca8fcc58a9a2d6c842781e32a215e", "ref": "main", "task": "deploy",
                "payload": {}, "environment": "production", "description": "the fix for #12\n\nmore of it",
                "creator": {"login": "deployer[bot]"}, "created_at": "2026-11-28T02:55:00Z",
            },
            "deployment_status": {
                "id": 209_916_254_u64, "state": "success", "environment": "production", "target_url": "",
                "log_url": "https://github.com/acme/search/actions/runs/7/job/9", "created_at": "2026-11-28T02:58:00Z",
                "creator": {"login": "deployer[bot]"},
            },
            "workflow_run": {
                "actor": {"login": "sabrina"}, "triggering_actor": {"login": "robin"},
                "html_url": "https://github.com/acme/search/actions/runs/7",
            },
            "repository": {"full_name": "Acme/Search", "html_url": "https://github.com/Acme/Search"},
            "sender": {"login": "deployer[bot]"},
        })
    }

    /// The vector that GitHub publishes for whoever checks signatures.
    #[test]
    fn githubs_own_signature_fits_and_no_other_does() {
        let published = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let check = |secret: &[u8], signature: Option<&str>, body: &str| verify(&[secret], signature, body.as_bytes());
        assert_eq!(check(SECRET, Some(published), "Hello, World!"), Ok(()));
        assert_eq!(check(SECRET, Some(published), "Hello, World?"), Err(Unheard::BadSignature));
        assert_eq!(check(b"another", Some(published), "Hello, World!"), Err(Unheard::BadSignature));
        assert_eq!(check(SECRET, None, "Hello, World!"), Err(Unheard::Unsigned));
        let wrong = [
            "",
            "sha256=",
            &published[7..],
            &published.replace("sha256", "sha1"),
            &published[..70],
            &format!("{published}0"),
            &published.replace("75", "+5"),
            &published.replace("75", "é"),
        ]
        .map(str::to_owned);
        for wrong in wrong {
            assert_eq!(check(SECRET, Some(&wrong), "Hello, World!"), Err(Unheard::BadSignature), "{wrong}");
        }
    }

    #[test]
    fn a_secret_can_be_changed_while_both_are_known_and_an_empty_one_signs_nothing() {
        let (old, new): (&[u8], &[u8]) = (b"old", b"new");
        for secret in [old, new] {
            assert_eq!(verify(&[old, new], Some(&signed(secret, b"x")), b"x"), Ok(()));
        }
        assert_eq!(verify(&[old, b""], Some(&signed(b"", b"x")), b"x"), Err(Unheard::BadSignature));
        assert_eq!(verify(&[], Some(&signed(b"", b"x")), b"x"), Err(Unheard::BadSignature));
    }

    /// Whoever has no secret learns nothing of how bytes are read.
    #[test]
    fn nothing_is_read_before_its_signature_fits() {
        let delivery = Delivery { content_type: None, event: None, signature: Some("sha256=00") };
        assert_eq!(heard(&[SECRET], &delivery, b"{"), Err(Unheard::BadSignature));
        let signature = signed(SECRET, b"{");
        let delivery =
            Delivery { content_type: Some("application/json"), event: Some("deployment"), signature: Some(&signature) };
        assert!(matches!(heard(&[SECRET], &delivery, b"{"), Err(Unheard::Malformed(_))));
        let form = Delivery { content_type: Some("application/x-www-form-urlencoded"), ..delivery };
        assert!(matches!(heard(&[SECRET], &form, b"{"), Err(Unheard::Sort(_))));
        let large = vec![b' '; BODY_MAX + 1];
        assert_eq!(heard(&[SECRET], &delivery, &large), Err(Unheard::TooLarge));
    }

    #[test]
    fn a_deployment_is_told_under_one_id_however_far_it_is() {
        for (event, state, stage) in [
            ("deployment", "", Stage::Intended),
            ("deployment_status", "queued", Stage::Intended),
            ("deployment_status", "waiting", Stage::Intended),
            ("deployment_status", "in_progress", Stage::Begun),
            ("deployment_status", "failure", Stage::Failed),
            ("deployment_status", "success", Stage::Done),
        ] {
            let mut body = body();
            body["deployment_status"]["state"] = json!(state);
            let told = told(event, &body);
            assert_eq!(
                (told.source.as_str(), told.id.as_str()),
                ("https://github.com/Acme/Search", "deployment/145988746")
            );
            assert_eq!(told.stage, stage, "{event} {state}");
        }
        let told = told("deployment_status", &body());
        assert_eq!(told.what.as_str(), "deploy main (f95f852) to production: the fix for #12 more of it");
        assert_eq!(told.who.as_ref().map(Line::as_str), Some("robin"), "the person behind the robot");
        assert_eq!(told.services, ["Acme/Search".parse().unwrap()]);
        assert_eq!(told.link.as_deref(), Some("https://github.com/acme/search/actions/runs/7"));
        assert_eq!(told.at, Some("2026-11-28T02:58:00Z".parse().unwrap()));
        assert_eq!(told.environment.as_ref().map(Line::as_str), Some("production"));
    }

    #[test]
    fn a_deployment_may_say_which_services_it_is_of() {
        let with = |payload: Value| {
            let mut body = body();
            body["deployment"]["payload"] = payload;
            told("deployment_status", &body).services.into_iter().map(String::from).collect::<Vec<_>>()
        };
        assert_eq!(with(json!({"service": "search"})), ["search"]);
        assert_eq!(with(json!({"services": ["search", "indexer", "search", 7, "\u{202E}"]})), ["search", "indexer"]);
        for none in
            [json!(""), json!("{\"service\":\"x\"}"), json!({"services": []}), json!({"service": 7}), json!(null)]
        {
            assert_eq!(with(none), ["Acme/Search"]);
        }
    }

    #[test]
    fn what_github_leaves_out_is_left_out() {
        let mut body = body();
        body["workflow_run"] = json!(null);
        body["deployment_status"]["log_url"] = json!("http://ci.example.org");
        body["deployment"]["description"] = json!(null);
        body["deployment"]["ref"] = body["deployment"]["sha"].clone();
        let told = told("deployment_status", &body);
        assert_eq!(told.what.as_str(), "deploy f95f852 to production");
        assert_eq!(told.who.as_ref().map(Line::as_str), Some("deployer[bot]"));
        assert_eq!(told.link.as_deref(), Some("https://github.com/Acme/Search"));
    }

    #[test]
    fn a_ping_is_one_and_everything_else_is_not_about_a_change() {
        assert_eq!(delivered("ping", &json!({"zen": "Keep it logically awesome."})), Ok(Heard::Ping));
        assert_eq!(delivered("push", &json!({})), Ok(Heard::other("push")));
        let mut replaced = body();
        replaced["deployment_status"]["state"] = json!("inactive");
        assert_eq!(delivered("deployment_status", &replaced), Ok(Heard::other("deployment_status")));
        for place in ["deployment", "repository"] {
            let mut body = body();
            body[place] = json!({});
            assert!(matches!(delivered("deployment_status", &body), Err(Unheard::Unfit(_))), "{place}");
        }
    }
}
