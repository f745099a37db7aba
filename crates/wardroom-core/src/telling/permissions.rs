//! Permissions to change services, told to a person.

use super::moments::clock;
use super::{Teller, because};
use crate::event::Event;
use crate::permission::list;

impl Teller<'_> {
    pub(super) fn permissions(&self, event: &Event) -> Option<String> {
        Some(match event {
            Event::PermissionAsked { by, services, what } => {
                format!("{} asks operations for permission to change {}: {what}", self.name(*by), list(services))
            }
            Event::PermissionDeclined { person, by, .. } if person == by => {
                format!("{} asks for no permission any more", self.name(*person))
            }
            Event::PermissionDeclined { person, by, reason } => {
                let why = because(reason.as_ref());
                format!("{} does not give {} permission{why}", self.name(*by), self.name(*person))
            }
            Event::PermissionGranted { permission, person, services, by, until } => format!(
                "{} lets {} change {} until {} (permission {permission})",
                self.name(*by),
                self.name(*person),
                list(services),
                clock(*until)
            ),
            Event::PermissionEnded { permission, by } => format!("{} ended permission {permission}", self.name(*by)),
            Event::GlassBroken { by, services, until, reason, .. } => format!(
                "{} broke the glass and changes {} on their own until {}: {reason}",
                self.name(*by),
                list(services),
                clock(*until)
            ),
            _ => return None,
        })
    }
}
