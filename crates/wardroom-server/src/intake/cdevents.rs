//! CDEvents 0.3 to 0.5 of continuous deployment, in the data of a CloudEvent: what happened to a service in an environment.
//! The specification grows, so what is not known there is left alone.

use serde::Deserialize;
use wardroom_core::text::Line;

use super::cloudevents::Envelope;
use super::unheard::Unheard;
use super::{Heard, Stage, Told, words};

/// How the types of all CDEvents begin.
pub(super) const BEFORE_TYPES: &str = "dev.cdevents.";
/// How those begin that somebody made up beside them.
pub(super) const BEFORE_CUSTOM_TYPES: &str = "dev.cdeventsx.";

#[derive(Deserialize)]
struct Event {
    context: Context,
    subject: Subject,
}

#[derive(Deserialize)]
struct Context {
    #[serde(rename = "type")]
    sort: Option<String>,
}

#[derive(Deserialize)]
struct Subject {
    id: String,
    #[serde(default)]
    content: Content,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    environment: Option<Environment>,
    artifact_id: Option<String>,
    name: Option<String>,
    #[serde(alias = "url")]
    uri: Option<String>,
}

#[derive(Deserialize)]
struct Environment {
    id: String,
    name: Option<String>,
}

/// The part of a type between what all begin with and the version, if it is one of a change: of what, and what happened,
/// as people say it.
fn change(sort: &str) -> Option<(Of, &'static str)> {
    let mut parts = sort.strip_prefix(BEFORE_TYPES)?.splitn(3, '.');
    Some(match (parts.next()?, parts.next()?) {
        ("service", "deployed") => (Of::Service, "deployed"),
        ("service", "upgraded") => (Of::Service, "upgraded"),
        ("service", "rolledback") => (Of::Service, "rolled back"),
        ("service", "removed") => (Of::Service, "removed"),
        ("service", "published") => (Of::Service, "made reachable"),
        ("environment", "created") => (Of::Environment, "created"),
        ("environment", "modified") => (Of::Environment, "modified"),
        ("environment", "deleted") => (Of::Environment, "deleted"),
        _ => return None,
    })
}

#[derive(Copy, Clone, PartialEq, Eq)]
enum Of {
    Service,
    Environment,
}

pub(super) fn heard(event: Envelope) -> Result<Heard, Unheard> {
    // Builds, tests and tickets are told of under the same roof.
    let Some((of, happened)) = change(&event.sort) else { return Ok(Heard::other(&event.sort)) };
    let data =
        event.data.ok_or_else(|| Unheard::unfit("it has no data; a CDEvent has “context” and “subject” there"))?;
    let Event { context, subject } =
        serde_json::from_value(data).map_err(|why| Unheard::unfit(format!("its data is no CDEvent ({why})")))?;
    if context.sort.is_some_and(|sort| sort != event.sort) {
        return Err(Unheard::unfit("its type and the one in its “context” are not the same"));
    }
    let id = named("subject.id", &subject.id)?;
    let Content { environment, artifact_id, name, uri } = subject.content;
    let (services, environment, what) = match of {
        Of::Service => {
            let environment = environment.map(|known| words::line(known.name.as_deref().unwrap_or(&known.id)));
            let environment = environment.flatten();
            let what = of_service(&id, happened, environment.as_ref(), artifact_id.as_deref());
            (vec![id], environment, what)
        }
        Of::Environment => {
            let environment = name.as_deref().and_then(words::line).unwrap_or(id);
            let what = format!("environment {} {happened}", environment.as_str());
            (Vec::new(), Some(environment), what)
        }
    };
    let what = words::line(&what).ok_or_else(|| Unheard::unfit("it says nothing"))?;
    Ok(Heard::Change(Box::new(Told {
        source: event.source,
        id: event.id,
        stage: Stage::Done,
        services,
        what,
        who: None,
        at: event.time,
        link: uri.as_deref().and_then(words::link),
        environment,
    })))
}

fn of_service(id: &Line, happened: &str, environment: Option<&Line>, artifact: Option<&str>) -> String {
    let within = environment.map(|environment| format!(" in {}", environment.as_str())).unwrap_or_default();
    // The colon of a package's version is written as three letters, of which two look like the digest behind them.
    let artifact = artifact.map(|artifact| artifact.replace("%3A", ":").replace("%3a", ":"));
    let made_of = artifact.map(|artifact| format!(": {}", words::without_long_digests(&artifact))).unwrap_or_default();
    format!("{} {happened}{within}{made_of}", id.as_str())
}

fn named(what: &str, given: &str) -> Result<Line, Unheard> {
    given.parse().map_err(|why| Unheard::unfit(format!("“{what}” does not fit ({why})")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(sort: &str, content: &Value) -> Envelope {
        Envelope {
            id: "271069a8-fc18-44f1-b38f-9d70a1695819".to_owned(),
            source: "/tekton/production".to_owned(),
            sort: sort.to_owned(),
            time: Some("2026-11-28T02:58:00Z".parse().unwrap()),
            data: Some(json!({
                "context": {
                    "version": "0.4.1", "id": "271069a8-fc18-44f1-b38f-9d70a1695819", "source": "/tekton/production",
                    "type": sort, "timestamp": "2026-11-28T02:58:00Z", "links": [],
                },
                "subject": {"id": "deployment/search", "source": "/tekton/production", "type": "service", "content": content},
                "customData": {"anything": [1, 2]},
            })),
        }
    }

    fn told(event: Envelope) -> Told {
        match heard(event) {
            Ok(Heard::Change(told)) => *told,
            other => panic!("{other:?} is not a change"),
        }
    }

    #[test]
    fn what_happened_to_a_service_is_told_whichever_version_says_it() {
        let digest = "0b31b1c02ff458ad9b7b81cbdf8f028bd54699fa151f221d1e8de6817db93427";
        let content = json!({"environment": {"id": "prod", "name": "production"}, "artifactId": format!("pkg:oci/search@sha256%3A{digest}")});
        for (sort, what) in [
            ("dev.cdevents.service.deployed.0.1.1", "deployed"),
            ("dev.cdevents.service.upgraded.0.2.0", "upgraded"),
            ("dev.cdevents.service.rolledback.0.3.0", "rolled back"),
            ("dev.cdevents.service.removed.0.4.0-draft", "removed"),
            ("dev.cdevents.service.published.0.3.0", "made reachable"),
        ] {
            let told = told(event(sort, &content));
            assert_eq!(told.services, ["deployment/search".parse().unwrap()]);
            let what = format!("deployment/search {what} in production: pkg:oci/search@sha256:0b31b1c02ff4");
            assert_eq!(told.what.as_str(), what);
            assert_eq!(told.environment.as_ref().map(Line::as_str), Some("production"));
            assert_eq!(
                (told.at, told.who, told.stage),
                (Some("2026-11-28T02:58:00Z".parse().unwrap()), None, Stage::Done)
            );
        }
        let bare = told(event("dev.cdevents.service.removed.0.3.0", &json!({"environment": {"id": "prod"}})));
        assert_eq!(bare.what.as_str(), "deployment/search removed in prod");
    }

    #[test]
    fn an_environment_that_changes_names_no_service() {
        let content = json!({"name": "production", "url": "https://cluster.example.org"});
        let told = told(event("dev.cdevents.environment.modified.0.3.0", &content));
        assert!(told.services.is_empty());
        assert_eq!(told.what.as_str(), "environment production modified");
        assert_eq!(told.environment.as_ref().map(Line::as_str), Some("production"));
        assert_eq!(told.link.as_deref(), Some("https://cluster.example.org"));
    }

    #[test]
    fn builds_and_tickets_are_not_about_a_change() {
        for sort in ["dev.cdevents.build.finished.0.2.0", "dev.cdevents.service.", "dev.cdevents.", "dev.cdevents.x"] {
            assert_eq!(heard(event(sort, &json!({}))), Ok(Heard::other(sort)), "{sort}");
        }
    }

    #[test]
    fn an_event_that_says_two_things_or_not_enough_is_refused() {
        let sort = "dev.cdevents.service.deployed.0.3.0";
        let changed = |change: &dyn Fn(&mut Value)| {
            let mut event = event(sort, &json!({}));
            change(event.data.as_mut().unwrap());
            heard(event)
        };
        assert!(changed(&|_| ()).is_ok());
        assert!(changed(&|data| data["context"]["type"] = json!("dev.cdevents.service.removed.0.3.0")).is_err());
        assert!(changed(&|data| data["subject"]["id"] = json!("")).is_err());
        assert!(changed(&|data| data["subject"]["id"] = json!("a\u{202E}")).is_err());
        assert!(changed(&|data| data["subject"] = json!(null)).is_err());
        assert!(changed(&|data| *data = json!({})).is_err());
        assert!(heard(Envelope { data: None, ..event(sort, &json!({})) }).is_err());
    }
}
