//! Checks that the tests named in `docs/guarantees.md` and in the table of `SECURITY.md` exist and run.
#![expect(clippy::unwrap_used, reason = "a test that panics is doing its job")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// A name with fewer underscores is not the name of a test.
const UNDERSCORES_MIN: usize = 3;
/// The macros that generate a test for each given name.
const TEST_MACROS: [&str; 3] = ["conformance! {", "found_on_both_engines! {", "on_sqlite! {"];
/// The roots of the paths in `SECURITY.md`.
const BASES: [&str; 4] =
    [".", "crates/openai-admin-server", "crates/openai-admin-store", "crates/openai-admin-emulator"];
/// The folders of the test modules that it names.
const FOLDERS: [&str; 5] = [
    "crates/openai-admin-server/tests/api",
    "crates/openai-admin-store/tests/conformance",
    "crates/openai-admin-cli/tests/cli",
    "crates/openai-admin-emulator/tests/emulator",
    "crates/openai-admin-console/tests/console",
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The texts in backquotes that look like names of tests.
fn named(page: &str) -> BTreeSet<&str> {
    let is_name = |text: &&str| {
        text.matches('_').count() >= UNDERSCORES_MIN
            || text.starts_with("rounds_on_")
            || text.ends_with("_is_found")
    };
    let is_word = |text: &&str| {
        text.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    quoted(page).filter(is_word).filter(is_name).collect()
}

fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
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

/// The tests of the whole workspace.
fn all_tests() -> BTreeSet<String> {
    let mut files = Vec::new();
    for folder in ["crates", "tests"] {
        rust_files(&workspace().join(folder), &mut files);
    }
    files.iter().flat_map(|file| tests_of(&fs::read_to_string(file).unwrap())).collect()
}

/// The tests of one file that run: functions with `#[test]` or the like and without `#[ignore]`, and the names that a
/// macro generates tests for. A helper of the same name does not count.
fn tests_of(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (mut attributes, mut attribute_goes_on, mut in_macro) = (String::new(), false, false);
    for line in source.lines() {
        let text = line.trim();
        if in_macro {
            in_macro = line != "}";
            let end = text.find([',', ':']).unwrap_or(0);
            found.push(text[..end].to_owned());
        } else if attribute_goes_on || text.starts_with("#[") {
            attribute_goes_on = !text.ends_with(']');
            attributes += text;
        } else if let Some(name) = function_name(text) {
            let is_test = attributes.contains("#[test]") || attributes.contains("#[tokio::test");
            if is_test && !attributes.contains("#[ignore") {
                found.push(name.to_owned());
            }
            attributes.clear();
        } else if !text.starts_with("//") {
            in_macro = TEST_MACROS.contains(&line);
            attributes.clear();
        }
    }
    found
}

fn function_name(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("fn ").filter(|(before, _)| before.is_empty() || *before == "async ")?;
    rest.split(['(', '<']).next()
}

#[test]
fn helpers_ignored_tests_and_comments_do_not_count_as_tests() {
    let source = "
#[test]
fn one() {}

#[tokio::test(flavor = \"multi_thread\")]
#[cfg(unix)]
/// Words.
async fn two() { helper(); }

fn helper() {}

#[test]
#[ignore = \"a part of another\"]
fn ignored() {}

#[expect(
    dead_code,
    reason = \"x\"
)]
#[test]
fn three<T>() {}

#[derive(Debug)]
struct Between;
fn after_a_derive() {}
// #[test]
fn commented() {}

conformance! {
    four,
    five: Fault,
}

other! {
    six,
}
";
    let tests = tests_of(source);
    let tests: Vec<&str> = tests.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
    assert_eq!(tests, ["one", "two", "three", "four", "five"]);
}

#[test]
fn every_test_that_the_guarantees_name_exists_and_runs() {
    let page = fs::read_to_string(workspace().join("docs/guarantees.md")).unwrap();
    let named = named(&page);
    assert!(named.len() > 40, "only {} names were found", named.len());
    let tests = all_tests();
    let missing: Vec<&str> = named.into_iter().filter(|name| !tests.contains(*name)).collect();
    assert_eq!(missing, [""; 0], "docs/guarantees.md names tests that do not exist or do not run");
}

/// The last cell of each row of the table of threats.
fn tests_of_threats(page: &str) -> Vec<&str> {
    let rows = page.lines().skip_while(|line| *line != "| Who | does what | What stops it | Test |").skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_end_matches('|').rsplit('|').next().unwrap().trim()).collect()
}

/// Whether an item that a row names exists: `module::a_test_…`, a module, a file, or a test.
fn is_there(name: &str, tests: &BTreeSet<String>) -> bool {
    let (module, test) = name.rsplit_once("::").map_or((None, name), |(module, test)| (Some(module), test));
    let is_module = |module: &str| {
        FOLDERS.iter().any(|folder| workspace().join(folder).join(format!("{module}.rs")).is_file())
    };
    if test.contains(['/', '.']) {
        return BASES.iter().any(|base| workspace().join(base).join(test).exists());
    }
    if module.is_none() && !test.contains('_') {
        return is_module(test);
    }
    if module.is_none() && is_module(test) {
        return true;
    }
    let is_test = match test.strip_suffix('…') {
        Some(beginning) => tests.iter().any(|test| test.starts_with(beginning)),
        None => tests.contains(test),
    };
    is_test && module.is_none_or(is_module)
}

#[test]
fn every_threat_names_a_test_that_exists_and_runs() {
    let page = fs::read_to_string(workspace().join("SECURITY.md")).unwrap();
    let cells = tests_of_threats(&page);
    assert!(cells.len() > 30, "only {} rows were found", cells.len());
    let tests = all_tests();
    let mut missing = Vec::new();
    for cell in cells {
        // A row without a test says so; the file that it names has the reason.
        assert!(cell.contains('`') || cell.starts_with("reasoned"), "a row without a test: {cell}");
        missing.extend(quoted(cell).filter(|name| !is_there(name, &tests)));
    }
    assert_eq!(missing, [""; 0], "SECURITY.md names tests that do not exist or do not run");
    assert!(!is_there("keys::no_such_test_…", &tests) && !is_there("no_such_module", &tests));
    assert!(
        !is_there("nowhere::sixty_unknown_keys_a_minute_…", &tests) && !is_there("src/nothing.rs", &tests)
    );
}
