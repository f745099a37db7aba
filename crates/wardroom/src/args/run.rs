//! What `wardroom run` is given.

use std::ffi::OsString;

use clap::Args;
use wardroom_core::id::{Number, ServiceName};
use wardroom_core::text::{Line, Prose};

/// What `wardroom run` is given.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wardroom run 465 --undo 'deploy search v12' -- ./rollback search v11
  wardroom run 465 --look -- kubectl get pods
  wardroom run 465 --offline --service search -- ./rollback search v11
                                     also when the server cannot be reached; it is recorded later
  wardroom run --deliver             record what ran so, and list what is left

It ends with the command's own exit code. With another one than 0, or by a signal, nobody knows what it left behind: the \
change stands as done, and operations say if it changed nothing (wardroom change 465 failed 1) or is undone (revert 1).

What ran without the server is kept in $WARDROOM_STATE, $XDG_STATE_HOME/wardroom or ~/.local/state/wardroom. The next \
run, next or show that reaches the server records it, too.")]
pub struct Run {
    /// The incident; it may be left out when only one is open
    pub number: Option<Number>,
    /// Which service it changes; left out, the only one that is affected
    #[arg(long, value_name = "NAME", conflicts_with = "look")]
    pub service: Option<ServiceName>,
    /// What it does, in your words; left out, the command itself
    #[arg(long, value_name = "WORDS", conflicts_with = "look")]
    pub what: Option<Line>,
    /// Why
    #[arg(long, conflicts_with = "look")]
    pub why: Option<Prose>,
    /// How to undo it
    #[arg(long, value_name = "HOW", conflicts_with = "look")]
    pub undo: Option<Prose>,
    /// It changes nothing: every responder may look, and what they saw is kept
    #[arg(long)]
    pub look: bool,
    /// Outside operations: ask them for permission, and wait for their answer
    #[arg(long, conflicts_with_all = ["look", "break_glass"])]
    pub ask: bool,
    /// Outside operations, and it cannot wait: change it on your own, for this reason; everybody is told
    #[arg(long, value_name = "REASON", conflicts_with = "look")]
    pub break_glass: Option<Prose>,
    /// What is masked before anything leaves this machine, beside what looks like a password or a token: a regular
    /// expression; several, one a line in the variable
    #[arg(long, value_name = "REGEX", env = "WARDROOM_MASK", value_delimiter = '\n')]
    pub mask: Vec<String>,
    /// Run it also when the server cannot be reached (it is tried for 5 seconds): unannounced, and recorded later. Then the
    /// incident is named, and --service or --look
    #[arg(long, conflicts_with = "ask")]
    pub offline: bool,
    /// Record what ran without the server, and list what is left; what ran with another token or over broken glass is for
    /// operations to sort. With an incident: also what was for one that was merged into it
    #[arg(long, conflicts_with_all = ["service", "what", "why", "undo", "look", "ask", "break_glass", "offline", "command"])]
    pub deliver: bool,
    /// The command, after --
    #[arg(last = true, required_unless_present = "deliver")]
    pub command: Vec<OsString>,
}
