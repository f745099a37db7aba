//! Source as a flat list of tokens, and the paths written in it.
//!
//! Tokens and not the syntax tree, because the tree stops at macros: inside `vec![…]` there is code too.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// One token and the line where it stands; brackets are tokens like any other, `::` is one.
pub struct Token {
    pub line: usize,
    pub text: String,
}

/// Every token in order, those inside brackets too.
pub fn flatten(stream: TokenStream) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut half_colon = false;
    for tree in stream {
        let line = tree.span().start().line;
        let mut push = |line, text: &str| tokens.push(Token { line, text: text.to_owned() });
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                push(line, open);
                let end = group.span_close().end().line;
                tokens.extend(flatten(group.stream()));
                tokens.push(Token { line: end, text: close.to_owned() });
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' => {
                if half_colon {
                    push(line, "::");
                } else if punct.spacing() == Spacing::Alone {
                    push(line, ":");
                }
                half_colon = !half_colon && punct.spacing() == Spacing::Joint;
            }
            // A literal's text is nobody's name, so it stands as itself, quotes and all.
            other => push(line, &other.to_string()),
        }
    }
    tokens
}

/// Every path of two or more parts, in expressions, types and imports, with the groups of imports
/// written out: `use std::{fs, time::Instant}` gives `std::fs` and `std::time::Instant`.
pub fn paths(tokens: &[Token]) -> Vec<(usize, Vec<String>)> {
    let mut paths = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let continued = tokens.get(at + 1).is_some_and(|next| next.text == "::");
        if is_name(&tokens[at].text) && continued {
            at = path_from(tokens, at, &[], &mut paths);
        } else {
            at += 1;
        }
    }
    paths
}

/// Reads one path, or one branch of an import, and returns where it ends.
fn path_from(tokens: &[Token], mut at: usize, prefix: &[String], paths: &mut Vec<(usize, Vec<String>)>) -> usize {
    let mut path = prefix.to_vec();
    let line = tokens[at].line;
    while let Some(token) = tokens.get(at) {
        if token.text == "{" {
            at += 1;
            while tokens.get(at).is_some_and(|token| token.text != "}") {
                at = path_from(tokens, at, &path, paths).max(at + 1);
            }
            return at + 1;
        }
        if !is_name(&token.text) && token.text != "*" {
            break;
        }
        path.push(token.text.clone());
        at += 1;
        if tokens.get(at).is_none_or(|next| next.text != "::") {
            break;
        }
        at += 1;
    }
    if path.len() > prefix.len() {
        paths.push((line, path));
    }
    at
}

/// Whether this may be a part of a path: `use ::std::fs` begins after `use`.
fn is_name(text: &str) -> bool {
    ["crate", "self", "super", "Self"].contains(&text) || syn::parse_str::<syn::Ident>(text).is_ok()
}
