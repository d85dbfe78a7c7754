//! This program, built from a copy of the workspace to which the patches of `tests/history/faults` are applied.
//!
//! One build contains all faults. Each process has the one that its environment names.

use std::{
    ffi::OsString,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::OnceLock,
};

use serde_json::Value;

use crate::environment;

/// The folder of the patches in the workspace.
const PATCHES: &str = "tests/history/faults";
/// The files of the workspace that the build needs, besides its crates and its `Cargo.toml`.
const SETTINGS: [&str; 2] = ["Cargo.lock", ".cargo/config.toml"];
const CRATES: [&str; 2] = ["crates", "tests/history"];
/// The folder of the copy with the crates. Cargo distinguishes crates by their paths in their workspace: these differ
/// from ours, so both builds can use one target directory and share the dependencies.
const PATCHED: &str = "patched";
/// The folder of the copy, below the target directory.
const TEMPORARY: &str = env!("CARGO_TARGET_TMPDIR");

/// The program. A process of it has the fault that the environment names.
pub(crate) fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let temporary = Path::new(TEMPORARY);
        let lock = File::create(temporary.join("faults.lock")).unwrap();
        lock.lock().unwrap();
        once_per_run(&temporary.join("faults.run"), || {
            let copy = temporary.join("faults");
            renew(&copy);
            build(&copy)
        })
    })
}

/// Under nextest each test is a separate process: the first process of a run makes the program and records its path in
/// `record`, and the others read it there.
fn once_per_run(record: &Path, make: impl FnOnce() -> PathBuf) -> PathBuf {
    let Some(run) = environment("NEXTEST_RUN_ID") else { return make() };
    let recorded = fs::read_to_string(record).unwrap_or_default();
    if let Some((recorded_run, program)) = recorded.split_once('\n')
        && recorded_run == run
    {
        return program.into();
    }
    let program = make();
    fs::write(record, format!("{run}\n{}", program.display())).unwrap();
    program
}

pub(crate) fn patch_of(fault: &str) -> PathBuf {
    workspace(PATCHES).join(fault).with_extension("patch")
}

fn workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// Makes a new copy.
fn renew(copy: &Path) {
    let fresh = copy.with_extension("new");
    if fresh.exists() {
        fs::remove_dir_all(&fresh).unwrap();
    }
    let patched = fresh.join(PATCHED);
    CRATES.iter().for_each(|path| copy_all(&workspace(path), &patched.join(path)));
    SETTINGS.iter().for_each(|path| copy_all(&workspace(path), &fresh.join(path)));
    let mut manifest = fs::read_to_string(workspace("Cargo.toml")).unwrap();
    for folder in ["crates", "tests"] {
        manifest = manifest.replace(&format!("\"{folder}/"), &format!("\"{PATCHED}/{folder}/"));
    }
    fs::write(fresh.join("Cargo.toml"), manifest).unwrap();
    for entry in fs::read_dir(workspace(PATCHES)).unwrap() {
        apply(&entry.unwrap().path(), &patched);
    }
    if copy.exists() {
        keep_times(&fresh, copy);
        fs::remove_dir_all(copy).unwrap();
    }
    fs::rename(&fresh, copy).unwrap();
}

fn copy_all(from: &Path, to: &Path) {
    if from.is_dir() {
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy_all(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    }
}

fn apply(patch: &Path, folder: &Path) {
    let mut command = Command::new("patch");
    command.args(["--force", "--strip=1", "--directory"]).arg(folder).arg("--input").arg(patch);
    let done = run(&mut command);
    let name = patch.file_name().unwrap().display();
    assert!(
        done.status.success(),
        "{PATCHES}/{name} no longer applies. Make its change by hand in crates/, write it down by \
         `git diff crates > {PATCHES}/{name}`, and undo it by `git restore crates`.\n{}",
        String::from_utf8_lossy(&done.stdout)
    );
}

/// Restores the previous modification times of unchanged files, because cargo rebuilds files that are newer than its
/// last build.
fn keep_times(fresh: &Path, before: &Path) {
    if fresh.is_dir() {
        for entry in fs::read_dir(fresh).unwrap() {
            let entry = entry.unwrap();
            keep_times(&entry.path(), &before.join(entry.file_name()));
        }
    } else if fs::read(before).is_ok_and(|content| content == fs::read(fresh).unwrap()) {
        let time = fs::metadata(before).unwrap().modified().unwrap();
        File::options().write(true).open(fresh).unwrap().set_modified(time).unwrap();
    }
}

/// Builds this program from the copy, with the features of the whole workspace, as `scripts/test` builds ours.
fn build(copy: &Path) -> PathBuf {
    let mut command = Command::new(env!("CARGO"));
    command.args("test --no-run --workspace --locked --test rounds".split(' '));
    // Compiler errors go to standard error as text.
    command.arg("--message-format=json-render-diagnostics");
    command.arg("--target-dir").arg(Path::new(TEMPORARY).parent().unwrap()).current_dir(copy);
    for variable in package_variables() {
        command.env_remove(variable);
    }
    let done = run(&mut command);
    assert!(
        done.status.success(),
        "the store does not build with the patches of {PATCHES}: one of them is out of date.\n{}",
        String::from_utf8_lossy(&done.stderr)
    );
    let messages = String::from_utf8(done.stdout).unwrap();
    let mut messages = messages.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let program = messages.find_map(|message| message["executable"].as_str().map(PathBuf::from));
    program.expect("cargo says where the program is")
}

/// The package variables that the test runner set for this process. If they change, the build script of ring runs
/// again, and everything that depends on ring is rebuilt, in our build too.
fn package_variables() -> impl Iterator<Item = OsString> {
    #[expect(
        clippy::disallowed_methods,
        reason = "there is no other list of the variables that a child must not inherit"
    )]
    let variables = std::env::vars_os().map(|(name, _)| name);
    variables.filter(|name| {
        ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix))
    })
}

fn run(command: &mut Command) -> Output {
    let done = command.stdin(Stdio::null()).output();
    done.unwrap_or_else(|error| panic!("{} cannot be run: {error}", command.get_program().display()))
}
