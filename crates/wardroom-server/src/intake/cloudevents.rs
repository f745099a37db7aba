//! CloudEvents 1.0 over HTTP, in all its modes: in the headers (binary), in the body (structured), and many in one body
//! (batched). What an event is about stands in its data: CDEvents have their own form, every other event ours.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use wardroom_core::id::Time;

use super::attribute::decoded;
use super::unheard::Unheard;
use super::words::name;
use super::{BATCH_MAX, BODY_MAX, Heard, ID_MAX, SOURCE_MAX, cdevents, ours};
use crate::web::json;

/// The longest type of an event, in characters.
const TYPE_MAX: usize = 200;
/// Stands before every attribute that is sent as a header.
const BEFORE_ATTRIBUTES: &str = "ce-";

/// What was posted, as far as it matters here.
#[derive(Copy, Clone, Debug)]
pub struct Posted<'a> {
    /// What the body is said to be.
    pub content_type: Option<&'a str>,
    /// Headers, in any order; those that are no attributes may be among them.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The body, whole.
    pub body: &'a [u8],
}

/// An event without its data's meaning.
#[derive(Debug)]
pub(super) struct Envelope {
    pub(super) id: String,
    pub(super) source: String,
    /// Its attribute `type`.
    pub(super) sort: String,
    pub(super) time: Option<Time>,
    pub(super) data: Option<Value>,
}

/// Reads what was posted: one event, or those of a batch, all or none.
///
/// # Errors
/// [`Unheard`], with a sentence for whoever sent it. Nothing that was posted is taken then.
pub fn heard(posted: &Posted<'_>) -> Result<Vec<Heard>, Unheard> {
    if posted.body.len() > BODY_MAX {
        return Err(Unheard::TooLarge);
    }
    let sort = MediaType::read(posted.content_type.unwrap_or_default())?;
    match sort.essence.as_str() {
        "application/cloudevents+json" => {
            let event = json::read(posted.body).map_err(Unheard::malformed)?;
            structured(event).and_then(meaning).map(|heard| vec![heard])
        }
        "application/cloudevents-batch+json" => batch(posted.body),
        other if other.starts_with("application/cloudevents") => {
            Err(Unheard::Sort("Of CloudEvents' formats JSON is read: application/cloudevents+json, or -batch+json."))
        }
        _ => binary(posted, &sort).and_then(meaning).map(|heard| vec![heard]),
    }
}

fn meaning(event: Envelope) -> Result<Heard, Unheard> {
    if event.sort.starts_with(cdevents::BEFORE_TYPES) {
        cdevents::heard(event)
    } else if event.sort.starts_with(cdevents::BEFORE_CUSTOM_TYPES) {
        Ok(Heard::other(&event.sort))
    } else {
        ours::told(event).map(|told| Heard::Change(Box::new(told)))
    }
}

fn batch(body: &[u8]) -> Result<Vec<Heard>, Unheard> {
    let Value::Array(events) = json::read(body).map_err(Unheard::malformed)? else {
        return Err(Unheard::malformed("a batch is a JSON array of CloudEvents"));
    };
    if events.len() > BATCH_MAX {
        return Err(Unheard::TooMany(events.len()));
    }
    let read = |(at, event)| {
        structured(event).and_then(meaning).map_err(|why| Unheard::InBatch { nth: at + 1, why: Box::new(why) })
    };
    events.into_iter().enumerate().map(read).collect()
}

/// The attributes that are looked at. Extensions may stand beside them, and are nobody's business here.
#[derive(Default)]
struct Attributes {
    version: Option<String>,
    id: Option<String>,
    source: Option<String>,
    sort: Option<String>,
    time: Option<String>,
}

impl Attributes {
    fn place(&mut self, attribute: &str) -> Option<&mut Option<String>> {
        match attribute {
            "specversion" => Some(&mut self.version),
            "id" => Some(&mut self.id),
            "source" => Some(&mut self.source),
            "type" => Some(&mut self.sort),
            "time" => Some(&mut self.time),
            _ => None,
        }
    }

    fn around(self, data: Option<Value>) -> Result<Envelope, Unheard> {
        match self.version.as_deref() {
            Some("1.0") => {}
            Some(_) => return Err(Unheard::unfit("“specversion” is not 1.0, the version of CloudEvents that is read")),
            None => return Err(Unheard::unfit("“specversion” is missing; that of a CloudEvent is 1.0")),
        }
        let time = self.time.map(|time| time.parse());
        let time = time.transpose().map_err(|_| Unheard::unfit("“time” is not a time such as 2026-11-28T03:00:00Z"))?;
        Ok(Envelope {
            id: name("id", &self.id.unwrap_or_default(), ID_MAX)?,
            source: name("source", &self.source.unwrap_or_default(), SOURCE_MAX)?,
            sort: name("type", &self.sort.unwrap_or_default(), TYPE_MAX)?,
            time,
            data,
        })
    }
}

/// An event whose attributes and data are one JSON object.
fn structured(event: Value) -> Result<Envelope, Unheard> {
    let Value::Object(mut object) = event else { return Err(Unheard::malformed("a CloudEvent is a JSON object")) };
    let mut attributes = Attributes::default();
    for attribute in ["specversion", "id", "source", "type", "time"] {
        if let Some(place) = attributes.place(attribute) {
            *place = text(&mut object, attribute)?;
        }
    }
    let said = text(&mut object, "datacontenttype")?;
    let data = match (object.remove("data"), text(&mut object, "data_base64")?) {
        (Some(_), Some(_)) => return Err(Unheard::unfit("its data stands there twice, as “data” and “data_base64”")),
        (Some(data), None) => {
            MediaType::read(said.as_deref().unwrap_or("application/json"))?.is_json()?;
            Some(data)
        }
        (None, Some(encoded)) => {
            // What bytes are that do not say so is not to be guessed (JSON format, 3.1.2).
            MediaType::read(said.as_deref().unwrap_or_default())?.is_json()?;
            let bytes = STANDARD.decode(encoded).map_err(|_| Unheard::unfit("“data_base64” is not Base64"))?;
            Some(json::read(&bytes).map_err(Unheard::malformed)?)
        }
        (None, None) => None,
    };
    attributes.around(data)
}

/// A text of an object. `null` is the same as not being there.
fn text(object: &mut Map<String, Value>, attribute: &str) -> Result<Option<String>, Unheard> {
    match object.remove(attribute) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Unheard::unfit(format!("“{attribute}” is not a text"))),
    }
}

/// An event whose attributes are headers, and whose data is the body.
fn binary(posted: &Posted<'_>, sort: &MediaType) -> Result<Envelope, Unheard> {
    let mut attributes = Attributes::default();
    let mut any = false;
    for (header, value) in posted.headers {
        let begins = header.get(..BEFORE_ATTRIBUTES.len());
        if !begins.is_some_and(|begins| begins.eq_ignore_ascii_case(BEFORE_ATTRIBUTES)) {
            continue;
        }
        any = true;
        let attribute = header[BEFORE_ATTRIBUTES.len()..].to_ascii_lowercase();
        if attribute == "datacontenttype" {
            return Err(Unheard::unfit("“ce-datacontenttype” stands beside Content-Type, which says it already"));
        }
        let Some(place) = attributes.place(&attribute) else { continue };
        let value = decoded(value).map_err(|why| Unheard::unfit(format!("“ce-{attribute}” {why}")))?;
        if place.replace(value).is_some() {
            return Err(Unheard::unfit(format!("“ce-{attribute}” stands there twice")));
        }
    }
    if !any {
        return Err(Unheard::Sort(
            "This is no CloudEvent. Send one as application/cloudevents+json, or its attributes as headers that begin with “ce-”.",
        ));
    }
    let data = if posted.body.is_empty() {
        None
    } else {
        sort.is_json()?;
        Some(json::read(posted.body).map_err(Unheard::malformed)?)
    };
    attributes.around(data)
}

/// What bytes are said to be.
pub(super) struct MediaType {
    /// In small letters, without parameters.
    essence: String,
}

impl MediaType {
    /// # Errors
    /// For another encoding of letters than UTF-8, which JSON always has.
    pub(super) fn read(said: &str) -> Result<Self, Unheard> {
        let mut parts = said.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            let utf8 = ["utf-8", "utf8", "us-ascii"]
                .iter()
                .any(|utf8| value.trim().trim_matches('"').eq_ignore_ascii_case(utf8));
            if name.trim().eq_ignore_ascii_case("charset") && !utf8 {
                return Err(Unheard::Sort("Send it in UTF-8: what stands behind “charset=” is another encoding."));
            }
        }
        Ok(Self { essence })
    }

    /// # Errors
    /// For what is not JSON (`*/json`, or `*/*+json`).
    pub(super) fn is_json(&self) -> Result<(), Unheard> {
        match self.essence.split_once('/') {
            Some((_, sort)) if sort == "json" || sort.ends_with("+json") => Ok(()),
            _ => Err(Unheard::Sort("Its data is not said to be JSON. Send JSON, with the type application/json.")),
        }
    }
}

#[cfg(test)]
mod tests;
