//! Reads a review: the few fields that matter here, and nothing of the objects but their labels. What else stands there is
//! skipped without being kept, however large it is; clusters add fields with every version.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::unread::Unread;
use super::{DEPTH_MAX, Kind, MANY_MAX, NAME_MAX, Operation, REVIEW_MAX, Review, USER_MAX, User};

/// The one version that is read.
pub(super) const VERSION: &str = "admission.k8s.io/v1";
/// What a review is called.
pub(super) const KIND: &str = "AdmissionReview";

/// What says how the rest is to be read, and so is read before it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    api_version: Option<String>,
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Whole {
    request: Option<Request>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    uid: String,
    kind: GroupVersionKind,
    sub_resource: Option<String>,
    name: Option<String>,
    namespace: Option<String>,
    operation: String,
    user_info: UserInfo,
    object: Option<Thing>,
    old_object: Option<Thing>,
    dry_run: Option<bool>,
}

#[derive(Deserialize)]
struct GroupVersionKind {
    group: String,
    version: String,
    kind: String,
}

#[derive(Deserialize)]
struct UserInfo {
    username: String,
    groups: Option<Vec<String>>,
}

/// An object: what is known of it before anybody looks at what it is.
#[derive(Deserialize)]
struct Thing {
    metadata: Option<Metadata>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: Option<String>,
    generate_name: Option<String>,
    labels: Option<Labels>,
}

/// Labels, each of which says one thing once.
#[derive(Default)]
struct Labels(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(given: D) -> Result<Self, D::Error> {
        given.deserialize_map(ReadingLabels)
    }
}

struct ReadingLabels;

impl<'de> Visitor<'de> for ReadingLabels {
    type Value = Labels;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("labels")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut given: A) -> Result<Labels, A::Error> {
        let mut labels = BTreeMap::new();
        while let Some((name, value)) = given.next_entry::<String, String>()? {
            if name.len().max(value.len()) > NAME_MAX || labels.len() == MANY_MAX {
                return Err(A::Error::custom("there are too many labels, or too long ones"));
            }
            if labels.insert(name, value).is_some() {
                return Err(A::Error::custom("a label stands there twice"));
            }
        }
        Ok(Labels(labels))
    }
}

/// What a scale says of the objects that it makes more or less of.
#[derive(Deserialize)]
struct OfScale {
    request: OfScaleRequest,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfScaleRequest {
    object: Option<Scale>,
    old_object: Option<Scale>,
}

#[derive(Deserialize)]
struct Scale {
    status: Option<ScaleStatus>,
}

#[derive(Deserialize)]
struct ScaleStatus {
    selector: Option<String>,
}

/// Reads what a cluster asks.
///
/// # Errors
/// [`Unread`], which is never an allow.
pub fn read(body: &[u8]) -> Result<Review, Unread> {
    if body.len() > REVIEW_MAX {
        return Err(Unread::TooLarge);
    }
    if depth(body) > DEPTH_MAX {
        return Err(Unread::TooDeep);
    }
    let head: Head = serde_json::from_slice(body).map_err(Unread::malformed)?;
    if head.api_version.as_deref() != Some(VERSION) || head.kind.as_deref() != Some(KIND) {
        return Err(Unread::other_version(head.kind.as_deref(), head.api_version.as_deref()));
    }
    let whole: Whole = serde_json::from_slice(body).map_err(Unread::malformed)?;
    let request = whole.request.ok_or_else(|| Unread::unfit("it has no request"))?;
    let selected = if request.kind.kind == "Scale" { selected(body) } else { BTreeMap::new() };
    review(request, selected)
}

fn review(request: Request, selected: BTreeMap<String, String>) -> Result<Review, Unread> {
    let Request { uid, kind, sub_resource, name, namespace, operation, user_info, object, old_object, dry_run } =
        request;
    let operation = match operation.as_str() {
        "CREATE" => Operation::Create,
        "UPDATE" => Operation::Update,
        "DELETE" => Operation::Delete,
        "CONNECT" => Operation::Connect,
        _ => return Err(Unread::unfit("its operation is none of CREATE, UPDATE, DELETE, CONNECT")),
    };
    let groups = user_info.groups.unwrap_or_default();
    if groups.len() > MANY_MAX {
        return Err(Unread::unfit(format!("its user is in {} groups; at most {MANY_MAX} are read", groups.len())));
    }
    for group in &groups {
        bounded("groups", group, USER_MAX)?;
    }
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let (now, before) = (of(object), of(old_object));
    let names = [name, now.name, before.name, now.generate_name];
    let name = names.into_iter().find_map(given).unwrap_or_default();
    Ok(Review {
        uid: bounded("uid", &present("uid", uid)?, NAME_MAX)?,
        operation,
        dry_run: dry_run.unwrap_or(false),
        user: User { name: bounded("username", &present("username", user_info.username)?, USER_MAX)?, groups },
        namespace: given(namespace).map(|space| bounded("namespace", &space, NAME_MAX)).transpose()?,
        kind: Kind {
            group: bounded("group", &kind.group, NAME_MAX)?,
            version: bounded("version", &kind.version, NAME_MAX)?,
            kind: bounded("kind", &present("kind", kind.kind)?, NAME_MAX)?,
        },
        name: bounded("name", &name, NAME_MAX)?,
        sub_resource: given(sub_resource).map(|part| bounded("subResource", &part, NAME_MAX)).transpose()?,
        labels: now.labels.unwrap_or_default().0,
        old_labels: before.labels.unwrap_or_default().0,
        selected,
    })
}

fn of(thing: Option<Thing>) -> Metadata {
    thing.and_then(|thing| thing.metadata).unwrap_or_default()
}

fn present(what: &str, text: String) -> Result<String, Unread> {
    if text.is_empty() { Err(Unread::unfit(format!("its {what} is empty"))) } else { Ok(text) }
}

fn bounded(what: &str, text: &str, max: usize) -> Result<String, Unread> {
    if text.len() > max { Err(Unread::unfit(format!("its {what} is too long"))) } else { Ok(text.to_owned()) }
}

/// The labels that a scale selects by their values, `app=search,tier in (web)` without what is no plain value. Whatever
/// else stands where it should be is nobody's labels.
fn selected(body: &[u8]) -> BTreeMap<String, String> {
    let request = serde_json::from_slice::<OfScale>(body).map(|whole| whole.request);
    let scales = request.map(|request| [request.object, request.old_object]).unwrap_or_default();
    let selectors = scales.into_iter().flatten().filter_map(|scale| scale.status?.selector);
    let mut labels = BTreeMap::new();
    for selector in selectors {
        for (name, value) in selector.split(',').filter_map(|part| part.split_once('=')) {
            let (name, value) = (name.trim(), value.trim_start_matches('=').trim());
            let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
            let fits = !name.is_empty() && name.len().max(value.len()) <= NAME_MAX;
            if fits && name.chars().all(plain) && value.chars().all(plain) && labels.len() < MANY_MAX {
                labels.insert(name.to_owned(), value.to_owned());
            }
        }
    }
    labels
}

/// How deep brackets lie in each other, those within texts not counted. What is no JSON has some depth too.
fn depth(body: &[u8]) -> usize {
    let (mut depth, mut deepest, mut quoted) = (0_usize, 0, false);
    let mut bytes = body.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if quoted => _ = bytes.next(),
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
