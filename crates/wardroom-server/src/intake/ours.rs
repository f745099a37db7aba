//! What stands in the data of a CloudEvent that is of no known family: our own form, as `docs/change-events.md` has it.

use serde::Deserialize;
use wardroom_core::id::Time;
use wardroom_core::text::Line;

use super::cloudevents::Envelope;
use super::unheard::Unheard;
use super::{SERVICES_MAX, Stage, Told, words};

/// What our own form is made of, for whoever wrote it otherwise.
const FORM: &str = "“service” or “services”, “what”, and perhaps “who”, “at”, “link”, “environment”";

/// Nothing else than this, so that a misspelt name is not lost without a word.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    service: Option<String>,
    services: Option<Vec<String>>,
    what: String,
    who: Option<String>,
    at: Option<String>,
    link: Option<String>,
    environment: Option<String>,
}

pub(super) fn told(event: Envelope) -> Result<Told, Unheard> {
    let data = event.data.filter(|data| data.is_object());
    let data = data.ok_or_else(|| Unheard::unfit(format!("its data is no JSON object; it has {FORM}")))?;
    let data: Data = serde_json::from_value(data).map_err(Unheard::unfit)?;
    let named = match (data.service, data.services) {
        (Some(service), None) => vec![service],
        (None, Some(services)) => services,
        (Some(_), Some(_)) => {
            return Err(Unheard::unfit("“service” and “services” both stand there; send one of them"));
        }
        (None, None) => Vec::new(),
    };
    let what = words::line(&data.what).ok_or_else(|| Unheard::unfit("“what” says nothing; say what was done"))?;
    let at = data.at.map(|at| {
        let at: Result<Time, _> = at.parse();
        at.map_err(|_| Unheard::unfit("“at” is not a time such as 2026-11-28T03:00:00Z"))
    });
    let link = data.link.map(|link| {
        words::link(&link).ok_or_else(|| {
            Unheard::unfit("“link” does not begin with https:// and a host, or has spaces or a password")
        })
    });
    Ok(Told {
        source: event.source,
        id: event.id,
        stage: Stage::Done,
        services: services(&named)?,
        what,
        who: data.who.as_deref().and_then(words::line),
        at: at.transpose()?.or(event.time),
        link: link.transpose()?,
        environment: data.environment.as_deref().and_then(words::line),
    })
}

/// Services as they were named, each once.
pub(super) fn services(named: &[String]) -> Result<Vec<Line>, Unheard> {
    if named.is_empty() {
        return Err(Unheard::unfit("no service is named; say in “service” which one was changed"));
    }
    if named.len() > SERVICES_MAX {
        return Err(Unheard::unfit(format!("{} services are named; at most {SERVICES_MAX} fit", named.len())));
    }
    let mut services: Vec<Line> = Vec::new();
    for name in named {
        let name = name.parse().map_err(|why| Unheard::unfit(format!("a service's name does not fit ({why})")))?;
        if !services.contains(&name) {
            services.push(name);
        }
    }
    Ok(services)
}
