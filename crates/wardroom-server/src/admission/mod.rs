//! What a Kubernetes cluster asks before it changes something (`AdmissionReview` of `admission.k8s.io/v1`), apart from HTTP
//! and from the store: its question read, its answer written, and who of the cluster's own is not asked about. Pure.

pub mod answer;
pub mod exempt;
mod reading;
#[cfg(test)]
mod recorded;
mod unread;

use std::collections::BTreeMap;

use wardroom_core::matching::Object;
use wardroom_core::text::Line;

pub use reading::read;
pub use unread::Unread;

use crate::intake::words;

/// The largest object that a cluster takes, in bytes of JSON: it stores 1.5 MiB, and reads twice as much, since JSON is larger.
pub const OBJECT_MAX: usize = 3 << 20;
/// The largest question that is read, in bytes: an object as it will be and as it is, and who asks what.
pub const REVIEW_MAX: usize = 2 * OBJECT_MAX + (1 << 20);
/// How deep a question may be nested. What lies deeper than labels is skipped; definitions of resources lie deepest.
pub const DEPTH_MAX: usize = 512;
/// The longest name in a question, in bytes: of an object, a namespace, a kind or a label.
pub const NAME_MAX: usize = 512;
/// The longest name of a user or of a group, in bytes. Clusters that ask somebody else who people are have long ones.
pub const USER_MAX: usize = 1_024;
/// The most groups of a user, and the most labels of an object.
pub const MANY_MAX: usize = 1_000;

/// What a cluster asks.
///
/// Names are as they came, bounded and no more: they are matched. What is shown of them is [`Review::what`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Review {
    /// What the answer has to repeat.
    pub uid: String,
    /// What is about to be done.
    pub operation: Operation,
    /// Whether nothing will come of it whatever is answered.
    pub dry_run: bool,
    /// Who is about to do it.
    pub user: User,
    /// In which namespace; none for what belongs to the whole cluster. A namespace itself is in itself.
    pub namespace: Option<String>,
    /// Of which kind the object is.
    pub kind: Kind,
    /// What it is called, or how it begins where the cluster will draw the rest. Empty where many are asked about at once.
    pub name: String,
    /// The part of it that is changed by itself, such as `scale`.
    pub sub_resource: Option<String>,
    /// The labels that it will have; none where it is removed.
    pub labels: BTreeMap<String, String>,
    /// The labels that it has; none where it is new.
    pub old_labels: BTreeMap<String, String>,
    /// Labels of what it makes, as far as it selects them by their values: a scale has no labels of its own.
    pub selected: BTreeMap<String, String>,
}

/// What is about to be done with an object.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Operation {
    /// It is made.
    Create,
    /// It is changed.
    Update,
    /// It is removed.
    Delete,
    /// Somebody goes into it: a shell, a port, a proxy.
    Connect,
}

impl Operation {
    /// As people say it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Connect => "connect to",
        }
    }
}

/// Who asks, as the cluster knows them. Nobody of the directory yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User {
    /// Their name, at most [`USER_MAX`] bytes.
    pub name: String,
    /// Their groups, at most [`MANY_MAX`].
    pub groups: Vec<String>,
}

/// Of which kind an object is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kind {
    /// Such as `apps`; empty for the oldest kinds.
    pub group: String,
    /// Such as `v1`.
    pub version: String,
    /// Such as `Deployment`.
    pub kind: String,
}

impl Review {
    /// The object as rules may know it: as it will be, as it is, and by what it selects. Whoever takes a label off an object
    /// changes what carried it.
    #[must_use]
    pub fn seen(&self) -> [Object<'_>; 3] {
        [&self.labels, &self.old_labels, &self.selected].map(|labels| Object {
            name: &self.name,
            namespace: self.namespace.as_deref(),
            labels,
        })
    }

    /// The namespace that goes with all that is in it, where one does.
    #[must_use]
    pub fn gone(&self) -> Option<&str> {
        let space = self.kind.group.is_empty() && self.kind.kind == "Namespace" && self.sub_resource.is_none();
        (space && self.operation == Operation::Delete).then_some(self.name.as_str())
    }

    /// What is about to be done, for people: `update Deployment production/search (scale)`.
    #[must_use]
    pub fn what(&self) -> Line {
        let within = self.namespace.as_ref().filter(|space| **space != self.name);
        let within = within.map(|space| format!("{space}/")).unwrap_or_default();
        let name = if self.name.is_empty() { "(all)" } else { &self.name };
        let part = self.sub_resource.as_ref().map(|part| format!(" ({part})")).unwrap_or_default();
        let what = format!("{} {} {within}{name}{part}", self.operation.word(), self.kind.kind);
        words::line(&what).expect("it begins with a word that can be seen")
    }
}
