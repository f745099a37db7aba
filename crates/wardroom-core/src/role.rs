//! The command tree: roles, who holds them, who works under them, and where they fall.
//!
//! Rule 2: a role that nobody holds is held by its parent's effective holder. Rule 3: a role changes hands by
//! the taking of an offer (`offer.rs`), or falls upward by release, being taken back, or departure.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::authority::Act;
use crate::event::{Event, Recorded};
use crate::id::{BadName, Entry, PersonId, Time, Who};
use crate::incident::{Asking, Decision, Incident};
use crate::refusal::{Code, Refusal, Remedy};

/// What a role is for. Sub-roles have the duty of the role that they stand under.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Duty {
    /// Knows the whole, decides, delegates.
    Command,
    /// The only hands that change services.
    Operations,
    /// The public face: updates, and the document kept true.
    Communications,
    /// The longer view: bugs, handoffs, what differs from normal.
    Planning,
}

/// Where a role stands in the tree: `command`, `operations`, `operations/database`, …
///
/// The root is written `command`; the three other duties stand under it without being written so. Paths are ordered as
/// the tree is read: by duty, and each role before those under it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = String, example = "operations/database"))]
pub struct RolePath(Cow<'static, str>);

/// The longest path, in bytes; "any depth" in practice.
const PATH_MAX: usize = 200;
/// The longest name of one role, in bytes.
const SEGMENT_MAX: usize = 40;
/// More roles than this are no command structure any more.
const ROLES_MAX: usize = 200;
/// Rule 9: more direct reports than this are a hint to the holder (span of control, Incident Command System).
pub const SPAN_OF_CONTROL: usize = 7;

/// A role of the tree.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Role {
    /// Who holds it; nobody means "with the parent's holder".
    pub holder: Option<Tenure>,
    /// Who works under it without holding it.
    pub members: BTreeSet<PersonId>,
}

/// Somebody's time in a role.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Tenure {
    /// The holder.
    pub person: PersonId,
    /// Since when.
    pub since: Time,
    /// The entry that gave it.
    pub entry: Entry,
}

/// How a role lost its holder and fell upward.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fell {
    /// The holder gave it up.
    Released,
    /// An ancestor's holder took it back.
    TakenBack,
    /// The holder left the incident.
    Departed,
}

impl Ord for RolePath {
    fn cmp(&self, other: &Self) -> Ordering {
        // What stands under a role comes before what only begins as it does: no other character is before the end.
        let placed = |byte: u8| if byte == b'/' { 0 } else { byte };
        let written = || self.0.bytes().map(placed).cmp(other.0.bytes().map(placed));
        self.duty().cmp(&other.duty()).then_with(written)
    }
}

impl PartialOrd for RolePath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl RolePath {
    /// The root.
    #[must_use]
    pub fn command() -> Self {
        Self::of(Duty::Command)
    }

    /// The role at the top of a duty.
    #[must_use]
    pub fn of(duty: Duty) -> Self {
        Self(Cow::Borrowed(match duty {
            Duty::Command => "command",
            Duty::Operations => "operations",
            Duty::Communications => "communications",
            Duty::Planning => "planning",
        }))
    }

    /// The path as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the root.
    #[must_use]
    pub fn is_command(&self) -> bool {
        self.0 == "command"
    }

    /// The role above; the root has none.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        match self.0.rsplit_once('/') {
            Some((parent, _)) => Some(Self(Cow::Owned(parent.to_owned()))),
            None if self.is_command() => None,
            None => Some(Self::command()),
        }
    }

    /// This role, its parent, and so on up to the root.
    pub fn upward(&self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self.clone()), Self::parent)
    }

    /// What the role is for.
    #[must_use]
    pub fn duty(&self) -> Duty {
        // The first role of a path is one of the four, and none of these begins as another does.
        match &*self.0 {
            path if path.starts_with("operations") => Duty::Operations,
            path if path.starts_with("communications") => Duty::Communications,
            path if path.starts_with("planning") => Duty::Planning,
            _ => Duty::Command,
        }
    }
}

impl TryFrom<String> for RolePath {
    type Error = BadName;
    fn try_from(given: String) -> Result<Self, BadName> {
        let starts_well =
            matches!(given.split('/').next(), Some("command" | "operations" | "communications" | "planning"));
        let fits = |segment: &str| {
            !segment.is_empty()
                && segment.len() <= SEGMENT_MAX
                && !segment.starts_with('-')
                && segment.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        };
        if starts_well && given.len() <= PATH_MAX && given.split('/').all(fits) {
            return Ok(Self(Cow::Owned(given)));
        }
        Err(BadName(
            "a role is command, operations, communications or planning, or a role under one of them such as \
             operations/database: lower-case letters, digits and -"
                .to_owned(),
        ))
    }
}

impl FromStr for RolePath {
    type Err = BadName;
    fn from_str(given: &str) -> Result<Self, BadName> {
        Self::try_from(given.to_owned())
    }
}

impl From<RolePath> for String {
    fn from(path: RolePath) -> String {
        path.0.into_owned()
    }
}

impl fmt::Display for RolePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The four roles that every incident has.
pub(crate) fn standard_roles() -> BTreeMap<RolePath, Role> {
    [Duty::Command, Duty::Operations, Duty::Communications, Duty::Planning]
        .map(|duty| (RolePath::of(duty), Role::default()))
        .into()
}

impl Incident {
    /// Who was given this role and has it still.
    #[must_use]
    pub fn holder(&self, role: &RolePath) -> Option<PersonId> {
        Some(self.roles.get(role)?.holder?.person)
    }

    /// Who answers for this role: its holder, else the parent's effective holder (rule 2).
    ///
    /// `None` only after closing or merging.
    #[must_use]
    pub fn effective_holder(&self, role: &RolePath) -> Option<PersonId> {
        self.holder(&self.held_through(role)?)
    }

    /// By holding which role its effective holder answers for this one: itself, or the nearest above it that somebody
    /// holds.
    #[must_use]
    pub fn held_through(&self, role: &RolePath) -> Option<RolePath> {
        role.upward().find(|role| self.holder(role).is_some())
    }

    /// The commander or lead while open, else who was it last.
    #[must_use]
    pub fn commander(&self) -> PersonId {
        self.known_commander()
            .expect("opening gives command to the opener, and only closing or merging, which name the last, end it")
    }

    /// As [`Incident::commander`], for a state that did not come from the log's events and may be none.
    #[must_use]
    pub fn known_commander(&self) -> Option<PersonId> {
        self.holder(&RolePath::command()).or(self.last_commander)
    }

    /// How people call a role's holder here: the root is the lead before the declaration.
    #[must_use]
    pub fn word_for(&self, role: &RolePath) -> String {
        if !role.is_command() {
            return role.to_string();
        }
        if self.declared_at.is_some() { "the commander" } else { "the lead" }.to_owned()
    }

    /// Rule 9: roles with more than seven direct reports, for a hint to their effective holders.
    #[must_use]
    pub fn wide_spans(&self) -> Vec<(RolePath, usize)> {
        let reports = |(path, role): (&RolePath, &Role)| {
            let below = |other: &RolePath| other.parent().as_ref() == Some(path) && self.holder(other).is_some();
            let count = role.members.len() + self.roles.keys().filter(|other| below(other)).count();
            (count > SPAN_OF_CONTROL).then(|| (path.clone(), count))
        };
        self.roles.iter().filter_map(reports).collect()
    }

    pub(crate) fn known_role(&self, role: &RolePath) -> Result<&Role, Refusal> {
        self.roles.get(role).ok_or_else(|| {
            let known: Vec<&str> = self.roles.keys().map(RolePath::as_str).collect();
            Refusal::new(Code::UnknownRole, format!("There is no role “{role}” here. There are: {}.", known.join(", ")))
        })
    }

    pub(crate) fn open_role(&self, ask: &Asking<'_>, role: RolePath) -> Result<Decision, Refusal> {
        if self.roles.contains_key(&role) {
            return Err(Refusal::new(Code::AlreadySo, format!("The role “{role}” is there already.")));
        }
        let parent = role.parent().expect("the root is there already");
        self.known_role(&parent)?;
        self.require(ask, &Act::Manage(parent))?;
        if !self.takes_more_roles() {
            return Err(Refusal::new(Code::TooMany, format!("There are {ROLES_MAX} roles already; close some first.")));
        }
        Ok(Event::RoleOpened { role }.into())
    }

    fn takes_more_roles(&self) -> bool {
        self.roles.len() < ROLES_MAX
    }

    /// Whether a role can still be opened under this one: there are not too many, and a path of one more letter fits.
    pub(crate) fn has_room_under(&self, role: &RolePath) -> bool {
        self.takes_more_roles() && role.as_str().len() + "/x".len() <= PATH_MAX
    }

    pub(crate) fn close_role(&self, ask: &Asking<'_>, role: RolePath) -> Result<Decision, Refusal> {
        self.known_role(&role)?;
        self.require(ask, &Act::Manage(role.clone()))?;
        if standard_roles().contains_key(&role) {
            return Err(Refusal::new(Code::Invalid, format!("Every incident has “{role}”; it cannot be closed.")));
        }
        if let Some(first) = self.before_closing(&role, ask.now) {
            return Err(Refusal::new(
                Code::Unfinished,
                format!("“{role}” still has a holder, members, an offer or roles under it. Release them first."),
            )
            .remedy(first));
        }
        let mut events = self.lapse_offer(&role, ask.now);
        events.push(Event::RoleClosed { role });
        Ok(events.into())
    }

    /// What has to be done before this role can be closed, one thing at a time.
    fn before_closing(&self, role: &RolePath, now: Time) -> Option<Remedy> {
        if let Some(below) = self.roles.keys().find(|other| other.parent().as_ref() == Some(role)) {
            return Some(Remedy::Close { role: below.clone() });
        }
        if self.pending_offer(role, now).is_some() {
            return Some(Remedy::Withdraw { role: role.clone() });
        }
        let known = self.roles.get(role)?;
        if let Some(member) = known.members.first() {
            return Some(Remedy::ReleaseMember { role: role.clone(), person: *member });
        }
        known.holder.is_some().then(|| Remedy::Release { role: role.clone() })
    }

    pub(crate) fn release_role(&self, ask: &Asking<'_>, role: RolePath) -> Result<Decision, Refusal> {
        let person = self.require(ask, &Act::Respond)?;
        self.known_role(&role)?;
        if role.is_command() && self.holder(&role) == Some(person) {
            return Err(self.hand_over_first());
        }
        if self.holder(&role) != Some(person) {
            let holder = self.holder(&role);
            let above = role.parent().is_some_and(|parent| self.may(person, &Act::Manage(parent)));
            let refusal = Refusal::new(Code::NotYours, format!("You do not hold “{role}”."))
                .who_could(holder.into_iter().collect());
            let take_back = above && holder.is_some();
            return Err(refusal.remedy(if take_back { Remedy::Release { role } } else { Remedy::Ask { role } }));
        }
        Ok(self.falls(role, person, Fell::Released).into())
    }

    pub(crate) fn take_back_role(&self, ask: &Asking<'_>, role: RolePath) -> Result<Decision, Refusal> {
        self.known_role(&role)?;
        let Some(parent) = role.parent() else {
            return Err(Refusal::new(
                Code::Invalid,
                "Command cannot be taken back: it is handed over, or assumed when the commander is gone.",
            ));
        };
        self.require(ask, &Act::Manage(parent))?;
        let Some(holder) = self.holder(&role) else {
            return Err(Refusal::new(Code::AlreadySo, format!("Nobody else holds “{role}”.")));
        };
        Ok(self.falls(role, holder, Fell::TakenBack).into())
    }

    /// A role falls to its parent's effective holder.
    pub(crate) fn falls(&self, role: RolePath, from: PersonId, how: Fell) -> Event {
        let to = role.parent().and_then(|parent| self.effective_holder(&parent)).unwrap_or_else(|| self.commander());
        Event::RoleFell { role, from, to, how }
    }

    pub(crate) fn hand_over_first(&self) -> Refusal {
        Refusal::new(
            Code::CommandMustBeHanded,
            format!(
                "You are {}: offer command to somebody, and stay until they have taken it.",
                self.word_for(&RolePath::command())
            ),
        )
        .remedy(Remedy::Offer { role: RolePath::command() })
    }

    pub(crate) fn add_member(&self, ask: &Asking<'_>, role: RolePath, who: &Who) -> Result<Decision, Refusal> {
        let known = self.known_role(&role)?;
        self.require(ask, &Act::Manage(role.clone()))?;
        let person = ask.facts.find_active(who)?;
        let name = ask.facts.name(person);
        if !self.responders.contains_key(&person) {
            return Err(Refusal::new(
                Code::NotThere,
                format!("{name} has not joined yet. Offer them a role, or ask them to come."),
            )
            .remedy(Remedy::Offer { role }));
        }
        if known.members.contains(&person) || self.holder(&role) == Some(person) {
            return Err(Refusal::new(Code::AlreadySo, format!("{name} works in “{role}” already.")));
        }
        Ok(Event::MemberAdded { role, person }.into())
    }

    pub(crate) fn release_member(&self, ask: &Asking<'_>, role: RolePath, who: &Who) -> Result<Decision, Refusal> {
        let known = self.known_role(&role)?;
        let person = ask.facts.find(who)?;
        if ask.active_person()? != person {
            self.require(ask, &Act::Manage(role.clone()))?;
        }
        if !known.members.contains(&person) {
            let name = ask.facts.name(person);
            return Err(Refusal::new(Code::NotThere, format!("{name} is not a member of “{role}”.")));
        }
        Ok(Event::MemberReleased { role, person }.into())
    }

    /// Gives a role to a person; whoever held it is relieved, and a holder is no member.
    pub(crate) fn hold(&mut self, role: &RolePath, person: PersonId, recorded: &Recorded) {
        let role = self.roles.entry(role.clone()).or_default();
        role.members.remove(&person);
        role.holder = Some(Tenure { person, since: recorded.at, entry: recorded.entry });
    }

    pub(crate) fn evolve_roles(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::RoleOpened { role } => {
                self.roles.entry(role.clone()).or_default();
            }
            Event::RoleClosed { role } => {
                self.roles.remove(role);
                self.asks.remove(role);
            }
            Event::RoleTaken { role, by, .. } => self.hold(role, *by, recorded),
            Event::CommandAssumed { by, .. } => self.hold(&RolePath::command(), *by, recorded),
            Event::RoleFell { role, .. } => {
                if let Some(role) = self.roles.get_mut(role) {
                    role.holder = None;
                }
            }
            Event::MemberAdded { role, person } => {
                self.roles.entry(role.clone()).or_default().members.insert(*person);
            }
            Event::MemberReleased { role, person } => {
                if let Some(role) = self.roles.get_mut(role) {
                    role.members.remove(person);
                }
            }
            Event::Left { person } | Event::GuestGone { person, .. } => self.roles.values_mut().for_each(|role| {
                role.members.remove(person);
            }),
            _ => {}
        }
    }
}
