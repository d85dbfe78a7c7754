//! A temporary folder, a clean environment, and the real binary.

use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_openai-admin");

/// The folder and environment of a test.
pub(crate) struct Desk {
    folder: TempDir,
    environment: Vec<(&'static str, String)>,
}

/// The output of a command.
pub(crate) struct Answer {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Desk {
    /// An empty folder.
    pub(crate) fn empty() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), environment: Vec::new() }
    }

    /// A folder with the example organization, loaded into `acme.db`.
    pub(crate) fn with_acme() -> Self {
        let desk = Self::empty();
        desk.copy_example("organization.yaml");
        let loaded = desk.run("--local acme.db load organization.yaml");
        assert_eq!(loaded.status, 0, "{}", loaded.stderr);
        desk
    }

    /// Adds an environment variable.
    pub(crate) fn with_variable(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path().join(name), text).expect("a file");
    }

    pub(crate) fn copy_example(&self, name: &str) {
        let example = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/acme").join(name);
        fs::copy(example, self.path().join(name)).expect("an example");
    }

    /// The binary with arguments as in a shell; quotes group words.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(BINARY);
        command.args(words(arguments)).current_dir(self.path()).env_clear().stdin(Stdio::null());
        command.envs(self.environment.iter().map(|(name, value)| (*name, value)));
        command
    }

    /// Runs a command.
    pub(crate) fn run(&self, arguments: &str) -> Answer {
        Answer::from(self.command(arguments).output().expect("the binary runs"))
    }

    /// Runs a command with this standard input.
    pub(crate) fn run_with_input(&self, input: &str, arguments: &str) -> Answer {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        // A command that does not read its input closes it, which is fine.
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        Answer::from(child.wait_with_output().expect("the binary ends"))
    }

    /// Runs commands in sequence, and records their output and exit codes.
    pub(crate) fn transcript(&self, commands: &[&str]) -> String {
        let mut transcript = String::new();
        for command in commands {
            let _ = writeln!(transcript, "$ openai-admin {command}\n{}", self.run(command).text());
        }
        transcript
    }
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self {
            status: output.status.code().expect("an exit code, not a signal"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

impl Answer {
    /// Standard output, standard error and exit code.
    pub(crate) fn text(&self) -> String {
        let mut text = self.stdout.clone();
        for line in self.stderr.lines() {
            let _ = writeln!(text, "{}", format!("! {line}").trim_end());
        }
        let _ = writeln!(text, "= {}", self.status);
        text
    }

    /// The data as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).expect("one JSON document")
    }
}

fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in text.split('"').enumerate() {
        // Every second part is within quotes.
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// The version of the schema by the number of migrations, independent of the program.
pub(crate) fn schema_version() -> usize {
    fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../openai-admin-store/migrations"))
        .expect("the migrations")
        .filter_map(|file| {
            let name = file.expect("a migration").file_name().into_string().ok()?;
            name.strip_prefix('V')?.split("__").next()?.parse().ok()
        })
        .max()
        .expect("a migration")
}

/// Freezes a transcript. Lines that start with `!` are standard error, `=` is the exit code. Values that vary are
/// replaced by constants.
macro_rules! freeze {
    ($transcript:expr) => {
        insta::with_settings!({ filters => vec![
            (r"01[0-9A-HJKMNP-TV-Z]{24}", "01ABCDEFGHJKMNPQRSTVWXYZ01"),
            (r"_01[0-9A-HJKMNP-TV-Z]{5}…", "_01ABCDE…"),
            (r"\b\d{8}T\d{9}Z-[0-9a-f]{6}\b", "20260131T120000000Z-012345"),
            (r"process \d+, since [^\n]*", "process 1, since 2026-01-31 12:00:00 UTC"),
            (r"req_[0-9a-f]{32}", "req_0123456789abcdef"),
            (r"\d{4}-\d\d-\d\d \d\d:\d\d", "2026-01-31 12:00"),
            (r",\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", ",2026-01-31T12:00:00Z"),
            (r"\b1[7-9]\d{8}\b", "1700000000"),
            (r"sk-admin-oadm-[0-9A-Z]{26}-[0-9a-f]{8}", "sk-admin-oadm-00000000000000000000000000-00000000"),
            (r"sk-admin\*{8}[0-9a-f]{4}", "sk-admin********0000"),
            (r"127\.0\.0\.1:\d{5}", "127.0.0.1:PORT"),
            (format!(r"schema version {}\b", $crate::desk::schema_version()).as_str(), "schema version N"),
            // At least 14, so that a lost invariant shows.
            (r"\b(1[4-9]|[2-9]\d|1\d\d) invariants hold", "N invariants hold"),
            (r"[^\s'`]*/openai-admin(\.exe)?\b", "openai-admin"),
        ], omit_expression => true }, {
            insta::assert_snapshot!($transcript);
        });
    };
}
pub(crate) use freeze;
