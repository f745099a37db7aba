//! Whom of a cluster's own the gate does not ask: a node that reports how its pods are, a controller that does what a
//! deployment says. Were they held up, the cluster would stop healing itself in the middle of an incident.

use wardroom_core::matching::{BadMatching, Pattern};

use super::User;

/// The users that are exempt unless somebody says otherwise: what runs the cluster itself.
const USERS: [&str; 5] = [
    "system:node:*",
    "system:serviceaccount:kube-system:*",
    "system:kube-controller-manager",
    "system:kube-scheduler",
    "system:apiserver",
];
/// The groups that are. People with every right (`system:masters`) are people, and are asked.
const GROUPS: [&str; 1] = ["system:nodes"];

/// Why somebody cannot be exempt, in a sentence.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadExemption {
    /// What is no pattern at all.
    #[error("{0}")]
    Pattern(#[from] BadMatching),
    /// A star somewhere else than at the end.
    #[error("“*” stands only at the end of an exempt name, such as system:node:*")]
    Star,
    /// A star and nothing else.
    #[error("“*” would exempt everybody; name those whom the gate should not ask")]
    Everybody,
}

/// Whom the gate does not ask, by exact names or by how their names begin (`system:node:*`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exempt {
    users: Vec<Pattern>,
    groups: Vec<Pattern>,
}

impl Exempt {
    /// Those whom somebody named, and nobody else.
    ///
    /// # Errors
    /// [`BadExemption`] for the first name that is none.
    pub fn new(users: &[&str], groups: &[&str]) -> Result<Self, BadExemption> {
        let read = |names: &[&str]| names.iter().map(|name| exemption(name)).collect::<Result<Vec<_>, _>>();
        Ok(Self { users: read(users)?, groups: read(groups)? })
    }

    /// What runs the cluster itself, and those whom somebody names besides: users, or groups behind `group:`, with commas
    /// between them.
    ///
    /// # Errors
    /// [`BadExemption`] for the first name that is none.
    pub fn also(names: &str) -> Result<Self, BadExemption> {
        let mut exempt = Self::default();
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match name.strip_prefix("group:") {
                Some(group) => exempt.groups.push(exemption(group)?),
                None => exempt.users.push(exemption(name)?),
            }
        }
        Ok(exempt)
    }

    /// Whether somebody is exempt: by their own name, or by that of a group that they are in.
    #[must_use]
    pub fn covers(&self, user: &User) -> bool {
        let any = |patterns: &[Pattern], name: &str| patterns.iter().any(|pattern| pattern.fits(name));
        any(&self.users, &user.name) || user.groups.iter().any(|group| any(&self.groups, group))
    }
}

impl Default for Exempt {
    fn default() -> Self {
        Self::new(&USERS, &GROUPS).expect("these are names and how names begin")
    }
}

fn exemption(name: &str) -> Result<Pattern, BadExemption> {
    let pattern: Pattern = name.parse()?;
    match name.find('*') {
        Some(0) if name.len() == 1 => Err(BadExemption::Everybody),
        Some(at) if at + 1 < name.len() => Err(BadExemption::Star),
        _ => Ok(pattern),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str, groups: &[&str]) -> User {
        User { name: name.to_owned(), groups: groups.iter().map(|group| (*group).to_owned()).collect() }
    }

    #[test]
    fn what_runs_the_cluster_is_exempt_and_people_are_not() {
        let exempt = Exempt::default();
        for name in [
            "system:node:worker-3",
            "system:serviceaccount:kube-system:replicaset-controller",
            "system:kube-controller-manager",
            "system:kube-scheduler",
            "system:apiserver",
        ] {
            assert!(exempt.covers(&user(name, &["system:authenticated"])), "{name}");
        }
        assert!(exempt.covers(&user("worker-3", &["system:nodes"])), "by its group");
        for name in [
            "sabrina@example.org",
            "system:serviceaccount:production:deployer",
            "system:serviceaccount:kube-system-2:x",
            "system:kube-scheduler-2",
            "System:apiserver",
            "x system:node:worker-3",
            "",
        ] {
            assert!(!exempt.covers(&user(name, &["system:authenticated"])), "{name}");
        }
        assert!(!exempt.covers(&user("admin", &["system:masters"])), "people with every right are people");
    }

    #[test]
    fn somebody_may_name_others_besides() {
        let exempt = Exempt::also(" system:serviceaccount:argo:*, group:robots,").unwrap();
        assert!(
            exempt.covers(&user("system:serviceaccount:argo:controller", &[]))
                && exempt.covers(&user("x", &["robots"]))
        );
        assert!(exempt.covers(&user("system:node:worker-3", &[])) && !exempt.covers(&user("robots", &[])));
        assert_eq!(Exempt::also("*"), Err(BadExemption::Everybody));
        assert_eq!(Exempt::also(""), Ok(Exempt::default()));
    }

    #[test]
    fn somebody_may_say_who_is_exempt_and_then_nobody_else_is() {
        let exempt = Exempt::new(&["system:serviceaccount:argo-rollouts:*", "robot"], &["robots-*"]).unwrap();
        assert!(exempt.covers(&user("system:serviceaccount:argo-rollouts:controller", &[])));
        assert!(exempt.covers(&user("robot", &[])) && exempt.covers(&user("x", &["y", "robots-eu"])));
        assert!(
            !exempt.covers(&user("system:node:worker-3", &["system:nodes"])) && !exempt.covers(&user("robot2", &[]))
        );
        assert!(!exempt.covers(&user("robots-eu", &["robot"])), "a user is no group");
        assert_eq!(Exempt::new(&["*"], &[]), Err(BadExemption::Everybody));
        for name in ["*-controller", "a*b", "a**"] {
            assert_eq!(Exempt::new(&[], &[name]), Err(BadExemption::Star), "{name}");
        }
        assert!(matches!(Exempt::new(&[""], &[]), Err(BadExemption::Pattern(_))));
        assert!(!Exempt::new(&[], &[]).unwrap().covers(&user("system:node:worker-3", &["system:nodes"])));
    }
}
