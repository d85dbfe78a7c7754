//! A server as a process.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::PathBuf,
    process::{Child, ChildStderr, Command, Stdio},
};

use crate::desk::Desk;

/// A server that runs until it is stopped.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) log: BufReader<ChildStderr>,
    /// Its messages before it listened.
    pub(crate) greeting: String,
    /// The line that reports its address.
    pub(crate) listening: String,
    pub(crate) address: String,
    folder: PathBuf,
}

impl Running {
    pub(crate) fn start(desk: &Desk, arguments: &str) -> Self {
        Self::start_on("127.0.0.1:0", desk, arguments)
    }

    pub(crate) fn start_on(listen: &str, desk: &Desk, arguments: &str) -> Self {
        Self::spawn(desk.command(&format!("serve --listen {listen} {arguments}")), desk)
    }

    /// Waits until the server that `command` starts is listening.
    pub(crate) fn spawn(mut command: Command, desk: &Desk) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the server starts");
        let log = BufReader::new(child.stderr.take().expect("a pipe"));
        let (greeting, listening, address) = (String::new(), String::new(), String::new());
        let folder = desk.path().to_owned();
        let mut running = Self { child, log, greeting, listening, address, folder };
        while running.address.is_empty() {
            let mut line = String::new();
            let read = running.log.read_line(&mut line).expect("text");
            assert!(read > 0, "it ended before it listened:\n{}", running.greeting);
            match word_after(&line, "listening on ") {
                Some(address) => (running.address, running.listening) = (address.to_owned(), line),
                None => running.greeting += &line,
            }
        }
        running
    }

    /// The address of the admin endpoints, with --admin-listen.
    pub(crate) fn admin_address(&self) -> &str {
        word_after(&self.greeting, "Admin endpoints: http://").expect("an admin address")
    }

    /// The file with the first key.
    pub(crate) fn key_file(&self) -> PathBuf {
        self.folder.join(word_after(&self.greeting, "--key-file ").expect("a file"))
    }

    /// The first key.
    pub(crate) fn minted_key(&self) -> String {
        fs::read_to_string(self.key_file()).expect("a key").trim().to_owned()
    }

    /// Sends a signal such as `HUP`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(sent.expect("kill runs").success());
    }

    /// Waits for a log line with this text.
    pub(crate) fn next_line_with(&mut self, text: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(self.log.read_line(&mut line).expect("text") > 0, "it ended");
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Stops it with SIGTERM. Returns its exit code and the rest of its log.
    pub(crate) fn stop(mut self) -> (Option<i32>, String) {
        self.signal("TERM");
        let mut log = String::new();
        self.log.read_to_string(&mut log).expect("text");
        (self.child.wait().expect("an end").code(), log)
    }
}

/// The word after some text, in plain text or in JSON.
fn word_after<'a>(text: &'a str, words: &str) -> Option<&'a str> {
    text.split_once(words)?.1.split(|c: char| c == '"' || c.is_whitespace()).next()
}

/// A failing test leaves no server behind.
impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
