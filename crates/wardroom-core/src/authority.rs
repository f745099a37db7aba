//! Who may do what: the design's table, decided in one place.
//!
//! Delegation is the domain: an act belongs to whoever effectively holds the duty behind it (rules 2 and 8),
//! and a refusal says who that is and how to get there.

use serde::Serialize;

use crate::briefing::Briefed;
use crate::command::Command;
use crate::id::PersonId;
use crate::incident::{Asking, Incident};
use crate::refusal::{Code, Refusal, Remedy};
use crate::role::{Duty, RolePath};

/// What an act asks of the one who does it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    /// Anything that every responder may do.
    Respond,
    /// Deciding who works in this role: its effective holder, or an ancestor's.
    Manage(RolePath),
    /// What belongs to the commander (or, before the declaration, the lead).
    Command,
    /// The work of a duty: holders and members of it and of the roles under it, or its effective holder.
    Duty(Duty),
    /// The work of a duty, which is command's too.
    DutyOrCommand(Duty),
}

/// What can be done with a role, for surfaces that show what their reader may do there.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum RoleAct {
    /// Offering it to somebody.
    Offer,
    /// Withdrawing the offer of it.
    Withdraw,
    /// Taking it, as it is offered.
    Take,
    /// Declining the offer of it.
    Decline,
    /// Asking for it. Who decides about a role is not told that they could ask themselves for it.
    Ask,
    /// Asking for it no more.
    TakeBackAsk,
    /// Giving it up.
    Release,
    /// Taking it back from its holder.
    TakeBack,
    /// Opening a role under it.
    OpenUnder,
    /// Having somebody work in it, or no more.
    Staff,
    /// Closing it.
    Close,
}

impl RoleAct {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Offer,
        Self::Withdraw,
        Self::Take,
        Self::Decline,
        Self::Ask,
        Self::TakeBackAsk,
        Self::Release,
        Self::TakeBack,
        Self::OpenUnder,
        Self::Staff,
        Self::Close,
    ];

    /// The command that does it, where nobody and nothing else has to be named for it.
    fn command(self, role: RolePath) -> Option<Command> {
        Some(match self {
            Self::Offer | Self::OpenUnder | Self::Staff => return None,
            Self::Withdraw => Command::WithdrawOffer { role, reason: None },
            Self::Take => Command::TakeRole { role, briefed: Some(Briefed::ByVoice) },
            Self::Decline => Command::DeclineOffer { role, reason: None },
            Self::Ask => Command::AskRole { role, note: None },
            Self::TakeBackAsk => Command::TakeBackAsk { role },
            Self::Release => Command::ReleaseRole { role },
            Self::TakeBack => Command::TakeBackRole { role },
            Self::Close => Command::CloseRole { role },
        })
    }
}

impl Incident {
    /// What the asker may do with a role now. Deciding itself is asked wherever an act needs no further word, so that
    /// what is shown and what is decided cannot come apart.
    #[must_use]
    pub fn may_with(&self, ask: &Asking<'_>, role: &RolePath) -> Vec<RoleAct> {
        let ask = &self.at_least_last(ask);
        let Some(person) = ask.actor.person() else { return Vec::new() };
        let decides = self.takes_changes() && ask.facts.active(person) && self.may(person, &Act::Manage(role.clone()));
        let may = |act: &RoleAct| match act {
            RoleAct::Offer => decides && self.way_is_free(ask, role, person),
            RoleAct::OpenUnder => decides && self.has_room_under(role),
            RoleAct::Staff => decides,
            RoleAct::Ask if decides => false,
            act => act.command(role.clone()).is_some_and(|command| self.decide(ask, command).is_ok()),
        };
        RoleAct::ALL.into_iter().filter(may).collect()
    }

    /// The asker, if they may do this.
    ///
    /// # Errors
    /// [`Code::NotActive`], [`Code::NotAResponder`] or [`Code::NotYours`], with who could and a remedy.
    pub(crate) fn require(&self, ask: &Asking<'_>, act: &Act) -> Result<PersonId, Refusal> {
        let person = ask.active_person()?;
        if self.may(person, act) {
            return Ok(person);
        }
        if *act == Act::Respond {
            return Err(Refusal::new(Code::NotAResponder, "You have not joined this incident. Say “I'm here” first.")
                .remedy(Remedy::Join));
        }
        let could = self.who_may(act);
        let role = match act {
            Act::Manage(role) => role.clone(),
            Act::Duty(duty) | Act::DutyOrCommand(duty) => RolePath::of(*duty),
            Act::Command | Act::Respond => RolePath::command(),
        };
        let sentence = match could.as_slice() {
            [] => "Nobody can do this now: the incident has no commander.".to_owned(),
            people => format!(
                "This is for {} ({}) to do. You can ask for the role, or ask them.",
                ask.facts.names(people),
                self.word_for(&role)
            ),
        };
        Err(Refusal::new(Code::NotYours, sentence).who_could(could).remedy(Remedy::Ask { role }))
    }

    /// Whether a person may do this.
    #[must_use]
    pub fn may(&self, person: PersonId, act: &Act) -> bool {
        match act {
            Act::Respond => self.responders.contains_key(&person),
            Act::Command => self.effective_holder(&RolePath::command()) == Some(person),
            Act::Manage(role) => role.upward().any(|role| self.holder(&role) == Some(person)),
            Act::Duty(Duty::Command) => self.may(person, &Act::Command),
            Act::DutyOrCommand(duty) => self.may(person, &Act::Duty(*duty)) || self.may(person, &Act::Command),
            Act::Duty(duty) => {
                let at_work = |(path, role): (&RolePath, &crate::role::Role)| {
                    path.duty() == *duty
                        && (role.holder.is_some_and(|tenure| tenure.person == person) || role.members.contains(&person))
                };
                self.effective_holder(&RolePath::of(*duty)) == Some(person) || self.roles.iter().any(at_work)
            }
        }
    }

    /// Who may do this, the closest first: for a refusal's "who could".
    #[must_use]
    pub fn who_may(&self, act: &Act) -> Vec<PersonId> {
        let role = match act {
            Act::Respond => return self.responders.keys().copied().collect(),
            Act::Command | Act::Duty(Duty::Command) => RolePath::command(),
            Act::Manage(role) => role.clone(),
            Act::Duty(duty) | Act::DutyOrCommand(duty) => RolePath::of(*duty),
        };
        let mut could: Vec<PersonId> = Vec::new();
        let holders: Vec<PersonId> = match act {
            Act::Manage(_) => role.upward().filter_map(|role| self.holder(&role)).collect(),
            Act::DutyOrCommand(_) => {
                [role, RolePath::command()].iter().filter_map(|role| self.effective_holder(role)).collect()
            }
            _ => self.effective_holder(&role).into_iter().collect(),
        };
        for holder in holders {
            if !could.contains(&holder) {
                could.push(holder);
            }
        }
        could
    }
}
