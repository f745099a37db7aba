//! Settings that are lists, and when one is set.

use super::Settings;

/// Whether nothing stands in a list as it was written.
fn is_empty(written: &str) -> bool {
    written.chars().all(|c| c == ',' || c.is_whitespace())
}

impl Settings {
    /// Without lists that are empty, so that the file's hold: a variable with nothing in it was not set, as where one is passed
    /// on. An empty one that was typed is meant: there is to be nothing in it, whatever the file says.
    pub(super) fn without_unset_lists(self, typed: impl Fn(&str) -> bool) -> Self {
        let set = |name: &str, empty: bool| !empty || typed(name);
        Self {
            gate_exempt: self.gate_exempt.filter(|names| set("gate_exempt", is_empty(names))),
            github_secret: self.github_secret.filter(|secrets| set("github_secret", is_empty(secrets))),
            fetch_from: self.fetch_from.filter(|listed| set("fetch_from", is_empty(listed.as_written()))),
            capture: self.capture.filter(|all| set("capture", all.is_empty())),
            ..self
        }
    }
}
