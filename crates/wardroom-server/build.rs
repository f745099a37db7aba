//! Sees to it that the page's folder is there to be embedded, and that a page built anew is embedded anew.

use std::path::Path;

fn main() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/dist");
    // Without a page the server builds all the same, and says at `/` how to build it.
    std::fs::create_dir_all(&page).expect("web/dist can be made beside the sources");
    println!("cargo::rerun-if-changed={}", page.display());
}
