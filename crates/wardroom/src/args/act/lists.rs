//! What is done with exit criteria and to-dos.

use clap::Subcommand;
use wardroom_core::id::{Entry, Who};
use wardroom_core::text::{Line, Prose};

/// What is done with an exit criterion.
#[derive(Subcommand, Debug)]
pub enum Criterion {
    /// Add one: wardroom criterion 465 add "Errors below 0.1 %"
    Add { text: Line },
    /// Say it in other words: wardroom criterion 465 reword 1 "Errors below 0.1 % for an hour"
    Reword {
        criterion: u32,
        text: Line,
        /// The entry that said what you have read and replace; otherwise what stands there now
        #[arg(long, value_name = "ENTRY")]
        replaces: Option<Entry>,
    },
    /// Give it to somebody: wardroom criterion 465 assign 1 marty; naming nobody, to nobody
    Assign {
        criterion: u32,
        person: Option<Who>,
        /// The entry that said what you have read and replace; otherwise what stands there now
        #[arg(long, value_name = "ENTRY")]
        replaces: Option<Entry>,
    },
    /// Say that it is met: wardroom criterion 465 meet 1
    Meet { criterion: u32 },
    /// Say that it is open again: wardroom criterion 465 reopen 1
    Reopen {
        criterion: u32,
        #[arg(long)]
        reason: Option<Prose>,
    },
    /// Go on without it, as command may: wardroom criterion 465 waive 1 --reason "that cluster is gone"
    Waive {
        criterion: u32,
        #[arg(long)]
        reason: Prose,
    },
    /// Link the bug behind it: wardroom criterion 465 link 1 https://bugs.example.org/7; naming none takes the link off
    Link {
        criterion: u32,
        bug: Option<Line>,
        /// The entry that said what you have read and replace; otherwise what stands there now
        #[arg(long, value_name = "ENTRY")]
        replaces: Option<Entry>,
    },
}

/// What is done with a to-do.
#[derive(Subcommand, Debug)]
pub enum Todo {
    /// Add one: wardroom todo 465 add "Warm the cache" --for marty
    Add {
        text: Line,
        /// For whom
        #[arg(long = "for", value_name = "PERSON")]
        person: Option<Who>,
        /// Where it is tracked, by https; without it, an https link at the end of the line is taken for that
        #[arg(long, value_name = "LINK")]
        bug: Option<Line>,
    },
    /// Say it in other words: wardroom todo 465 reword 1 "Warm both caches"
    Reword {
        todo: u32,
        text: Line,
        /// The entry that said what you have read and replace; otherwise what stands there now
        #[arg(long, value_name = "ENTRY")]
        replaces: Option<Entry>,
    },
    /// Give it to somebody, or take it by naming yourself: wardroom todo 465 assign 1 marty; naming nobody, to nobody
    Assign {
        todo: u32,
        person: Option<Who>,
        /// The entry that said what you have read and replace; otherwise what stands there now
        #[arg(long, value_name = "ENTRY")]
        replaces: Option<Entry>,
    },
    /// Say that it is done: wardroom todo 465 finish 1
    Finish { todo: u32 },
    /// Say that it is open again: wardroom todo 465 reopen 1
    Reopen { todo: u32 },
    /// Link where it is tracked: wardroom todo 465 link 1 https://bugs.example.org/7; naming none takes the link off
    Link {
        todo: u32,
        bug: Option<Line>,
        /// The entry that said what you have read and replace; otherwise what stands there now
        #[arg(long, value_name = "ENTRY")]
        replaces: Option<Entry>,
    },
}
