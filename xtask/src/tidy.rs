//! Style as a test: what a reader may rely on in every Rust file of the workspace.
//!
//! A file opens with a `//!` that says what lives there, and is short enough to be read in one go; so
//! is a function. Nothing is left for later, nothing is named after having no name, no test sleeps,
//! and the core reaches for no clock, file, socket or randomness. Each rule looks at tokens and not
//! at text where it is about code, so that strings and comments may speak of what code may not do.

mod tokens;

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use proc_macro2::TokenStream;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use tokens::{Token, flatten, paths};

/// Lines of code and comment, blank ones and the file's own tests not counted.
const FILE_LINES: usize = 400;
/// From the signature to the closing brace. A function that is one table is as long as what it lists.
const FUNCTION_LINES: usize = 70;
const FOLDERS: [&str; 4] = ["crates", "fuzz/fuzz_targets", "fuzz/src", "xtask"];
const NAMELESS: [&str; 7] = ["utils", "util", "helpers", "helper", "common", "manager", "misc"];
/// Split, so that this file does not contain them.
const FOR_LATER: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];
const FOR_LATER_MACROS: [&str; 2] = ["todo", "unimplemented"];
const CORE: &str = "crates/wardroom-core/src/";
const OUTSIDE_THE_CORE: [&[&str]; 8] = [
    &["std", "time", "SystemTime"],
    &["std", "time", "Instant"],
    &["std", "time", "*"],
    &["std", "fs"],
    &["std", "net"],
    &["tokio"],
    &["rand"],
    &["getrandom"],
];

/// A rule broken: where, what, and what to do.
#[derive(Debug)]
struct Problem {
    line: usize,
    what: String,
}

/// Checks every Rust file below [`FOLDERS`] and prints `file:line: what, and what to do`.
///
/// # Errors
/// When a folder or file cannot be read.
pub fn run(root: &Path) -> anyhow::Result<ExitCode> {
    let mut files = Vec::new();
    for folder in FOLDERS {
        collect(&root.join(folder), &mut files)?;
    }
    files.sort();
    let mut broken = 0;
    for file in &files {
        let source = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
        let path = file.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
        for Problem { line, what } in check(&path, &source) {
            eprintln!("{path}:{line}: {what}");
            broken += 1;
        }
    }
    if broken > 0 {
        eprintln!("tidy: {broken} to mend in {} files", files.len());
        return Ok(ExitCode::FAILURE);
    }
    eprintln!("tidy: {} files, nothing to mend", files.len());
    Ok(ExitCode::SUCCESS)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            if entry.file_name() != "target" {
                collect(&path, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// Every rule on one file, named by its path from the workspace's root.
fn check(path: &str, source: &str) -> Vec<Problem> {
    let mut found = Found::default();
    found.opening(source);
    found.name(path);
    found.left_for_later(source);
    match (syn::parse_file(source), source.parse::<TokenStream>()) {
        (Ok(file), Ok(tokens)) => {
            let tests = test_lines(&file);
            found.file_length(source, &tests);
            found.visit_file(&file);
            let tokens = flatten(tokens);
            found.macros_for_later(&tokens);
            found.sleeping_tests(path, &tokens, &tests);
            if path.starts_with(CORE) {
                found.reach_of_the_core(&paths(&tokens));
            }
        }
        (Err(error), _) => found.at(error.span().start().line, format!("not Rust: {error}; mend the syntax")),
        (_, Err(error)) => found.at(error.span().start().line, format!("not Rust: {error}; mend the syntax")),
    }
    found.problems.sort_by_key(|problem| problem.line);
    found.problems
}

#[derive(Default)]
struct Found {
    problems: Vec<Problem>,
}

impl Found {
    fn at(&mut self, line: usize, what: impl Into<String>) {
        self.problems.push(Problem { line, what: what.into() });
    }

    fn opening(&mut self, source: &str) {
        if !source.starts_with("//!") {
            self.at(1, "the file does not open with `//!`: say in its first line what lives here");
        }
    }

    fn name(&mut self, path: &str) {
        for part in path.split('/') {
            let stem = part.strip_suffix(".rs").unwrap_or(part);
            if NAMELESS.contains(&stem) {
                self.at(1, format!("`{stem}` names nothing: name it after what lives here"));
            }
        }
    }

    fn left_for_later(&mut self, source: &str) {
        for (index, line) in source.lines().enumerate() {
            let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            if let Some(word) = words.find(|word| FOR_LATER.contains(word)) {
                self.at(index + 1, format!("{word}: do it now, or write an issue and leave the mark out"));
            }
        }
    }

    fn file_length(&mut self, source: &str, tests: &[RangeInclusive<usize>]) {
        let lines = source.lines().zip(1..);
        let counted = lines.filter(|(text, line)| !text.trim().is_empty() && !within(*line, tests)).count();
        if counted > FILE_LINES {
            let what = format!("{counted} lines of code and comment, over {FILE_LINES}: give a part a file of its own");
            self.at(1, what);
        }
    }

    fn function_length(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let first = signature.span().start().line;
        let lines = body.span().end().line + 1 - first;
        if lines > FUNCTION_LINES && !is_table(body) {
            let name = &signature.ident;
            let what =
                format!("`{name}` has {lines} lines, over {FUNCTION_LINES}: give a step of it a name of its own");
            self.at(first, what);
        }
    }

    fn macros_for_later(&mut self, tokens: &[Token]) {
        for pair in tokens.windows(2) {
            if FOR_LATER_MACROS.contains(&pair[0].text.as_str()) && pair[1].text == "!" {
                self.at(pair[0].line, format!("`{}!`: write the code, or leave the place out", pair[0].text));
            }
        }
    }

    /// A test that sleeps is slow, or flaky, or both. The one place that may is the harness's own
    /// `wait.rs`, where the pause is between two looks at a condition.
    fn sleeping_tests(&mut self, path: &str, tokens: &[Token], tests: &[RangeInclusive<usize>]) {
        if path.ends_with("/wait.rs") {
            return;
        }
        let all = path.contains("/tests/");
        for pair in tokens.windows(2) {
            let line = pair[0].line;
            if pair[0].text == "sleep" && pair[1].text == "(" && (all || within(line, tests)) {
                self.at(line, "a test sleeps: wait for the condition instead (the harness's `wait.rs` does)");
            }
        }
    }

    fn reach_of_the_core(&mut self, paths: &[(usize, Vec<String>)]) {
        for (line, path) in paths {
            let begins_with = |outside: &&[&str]| path.get(..outside.len()).is_some_and(|start| start == *outside);
            if OUTSIDE_THE_CORE.iter().any(begins_with) {
                let path = path.join("::");
                self.at(*line, format!("the core reaches for `{path}`: take what it gives as an argument"));
            }
        }
    }
}

impl<'a> Visit<'a> for Found {
    fn visit_item_fn(&mut self, function: &'a syn::ItemFn) {
        self.function_length(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'a syn::ImplItemFn) {
        self.function_length(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'a syn::TraitItemFn) {
        if let Some(body) = &function.default {
            self.function_length(&function.sig, body);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

/// Whether a body is a table: one `match`, each of whose arms is on one line.
fn is_table(body: &syn::Block) -> bool {
    let [syn::Stmt::Expr(syn::Expr::Match(table), None)] = body.stmts.as_slice() else { return false };
    table.arms.iter().all(|arm| arm.span().start().line == arm.span().end().line)
}

/// The lines of the file's own tests: its items under `#[cfg(test)]`.
fn test_lines(file: &syn::File) -> Vec<RangeInclusive<usize>> {
    let mut lines = Vec::new();
    for item in &file.items {
        let attributes = match item {
            syn::Item::Mod(item) => &item.attrs,
            syn::Item::Fn(item) => &item.attrs,
            syn::Item::Impl(item) => &item.attrs,
            syn::Item::Use(item) => &item.attrs,
            _ => continue,
        };
        let for_tests = |attribute: &syn::Attribute| {
            attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Ident>().is_ok_and(|word| word == "test")
        };
        if attributes.iter().any(for_tests) {
            lines.push(item.span().start().line..=item.span().end().line);
        }
    }
    lines
}

fn within(line: usize, ranges: &[RangeInclusive<usize>]) -> bool {
    ranges.iter().any(|range| range.contains(&line))
}

#[cfg(test)]
mod tests;
