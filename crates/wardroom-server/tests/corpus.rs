//! Every file of the fuzz targets' corpus, played without a fuzzer: what was found once stays mended.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use proptest::prelude::{ProptestConfig, Strategy, proptest};

#[path = "../../../fuzz/src/lib.rs"]
mod properties;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a folder can be listed").path()).collect();
    files.sort();
    files
}

fn stems(folder: &str) -> BTreeSet<String> {
    let stem = |path: PathBuf| path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
    files(&fuzz().join(folder)).into_iter().map(stem).collect()
}

#[test]
fn every_property_holds_for_every_file_of_its_corpus() {
    let mut broken = Vec::new();
    for (target, property) in properties::TARGETS {
        for file in files(&fuzz().join("corpus").join(target)) {
            let bytes = fs::read(&file).unwrap();
            if catch_unwind(AssertUnwindSafe(|| property(&bytes))).is_err() {
                broken.push(file);
            }
        }
    }
    assert!(broken.is_empty(), "the properties do not hold for {broken:#?}");
}

#[test]
fn every_property_has_a_target_and_a_corpus() {
    let named: BTreeSet<String> = properties::TARGETS.iter().map(|(target, _)| (*target).to_owned()).collect();
    assert_eq!(stems("fuzz_targets"), named);
    assert_eq!(stems("corpus"), named);
    let manifest: toml::Table = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap().parse().unwrap();
    let built = manifest["bin"].as_array().expect("targets").iter();
    assert_eq!(built.map(|bin| bin["name"].as_str().expect("a name").to_owned()).collect::<BTreeSet<_>>(), named);
}

/// Pieces of Markdown and HTML.
const PIECES: &[&str] = &[
    "# ",
    "## Timeline",
    "###### ",
    "=",
    "---",
    "===\n",
    "\n",
    "\n\n",
    "> ",
    "- ",
    "1. ",
    "  ",
    "    ",
    "\t",
    "```",
    "~~~",
    "`",
    "*",
    "**",
    "_",
    "[",
    "]",
    "(",
    ")",
    "![",
    "](/api/v1/incidents/1/evidence/ab)",
    "](https://example.org/x.png)",
    "<",
    ">",
    "<!--",
    "-->",
    "<script>",
    "</script>",
    "<div>",
    "<img src=x onerror=y>",
    "<?",
    "<![CDATA[",
    "&lt;",
    "&",
    "|",
    "|---|",
    "\\",
    "\"",
    "'",
    "javascript:x",
    "[a]: /b",
    "[a]: javascript:x\n",
    "[a]: https://evil.example/x.png 't'\n",
    "[a]",
    "![b][a]",
    "](data:x)",
    "\n%%%\n",
    "- [ ] ",
    "- [x] ",
    "$",
    "~~",
    ":-",
    "words",
    "\u{202e}",
    "\u{2028}",
    "\r",
    "\0",
    "é😀",
    "<https://example.org>",
    "<a href=\"/x\">",
    "style=",
    "</main>",
    "</title>",
];

/// Such pieces, put together in any order: what a person may paste, and what one would who means ill.
fn pasted() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(PIECES), 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_pasted_a_sheets_sections_are_its_own(words in pasted()) {
        properties::sheet::sheet(words.as_bytes());
    }
}
