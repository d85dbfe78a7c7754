//! `docs/guarantees.md` names the tests that hold it, and each of them exists.
#![expect(clippy::unwrap_used, reason = "a test that panics is doing its job")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Fewer underscores than this are no sentence, and so no name of a test.
const UNDERSCORES_MIN: usize = 3;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What stands between backquotes and looks like the name of a test.
fn named(page: &str) -> BTreeSet<&str> {
    let is_name = |text: &&str| {
        text.matches('_').count() >= UNDERSCORES_MIN
            || text.starts_with("rounds_on_")
            || text.ends_with("_is_found")
    };
    let is_word = |text: &&str| {
        text.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    page.split('`').skip(1).step_by(2).filter(is_word).filter(is_name).collect()
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_test_that_the_guarantees_name_exists() {
    let page = fs::read_to_string(workspace().join("docs/guarantees.md")).unwrap();
    let named = named(&page);
    assert!(named.len() > 40, "only {} names were found", named.len());
    let mut files = Vec::new();
    for folder in ["crates", "tests"] {
        rust_files(&workspace().join(folder), &mut files);
    }
    let sources: Vec<String> = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    // A test is a function, or the name that a macro makes one of.
    let exists = |name: &str| {
        let forms = [format!("fn {name}("), format!("    {name}: ")];
        sources.iter().any(|source| forms.iter().any(|form| source.contains(form)))
    };
    let missing: Vec<&str> = named.into_iter().filter(|name| !exists(name)).collect();
    assert_eq!(missing, [""; 0], "docs/guarantees.md names tests that do not exist");
}
