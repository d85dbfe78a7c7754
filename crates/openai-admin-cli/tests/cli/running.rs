//! A server as a process of its own.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, ChildStderr, Command, Stdio},
};

use crate::desk::Desk;

/// A server that runs until it is stopped.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) log: BufReader<ChildStderr>,
    /// What it has said before it listened.
    pub(crate) greeting: String,
    pub(crate) address: String,
}

impl Running {
    pub(crate) fn start(desk: &Desk, arguments: &str) -> Self {
        Self::start_on("127.0.0.1:0", desk, arguments)
    }

    pub(crate) fn start_on(listen: &str, desk: &Desk, arguments: &str) -> Self {
        let mut command = desk.command(&format!("serve --listen {listen} {arguments}"));
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the server starts");
        let log = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut running = Self { child, log, greeting: String::new(), address: String::new() };
        while running.address.is_empty() {
            let mut line = String::new();
            let read = running.log.read_line(&mut line).expect("text");
            assert!(read > 0, "it ended before it listened:\n{}", running.greeting);
            match line.strip_prefix("listening on ") {
                Some(address) => running.address = address.trim_end().to_owned(),
                None => running.greeting += &line,
            }
        }
        running
    }

    /// Where operators ask, of a server that was started with --admin-listen.
    pub(crate) fn admin_address(&self) -> &str {
        let line = self.greeting.lines().find_map(|line| line.strip_prefix("operators ask http://"));
        line.expect("an address for operators")
    }

    /// The key that the server made, as it shows it.
    pub(crate) fn minted_key(&self) -> String {
        let (_, key) = self.greeting.split_once("OPENAI_ADMIN_KEY=").expect("a key");
        key.trim().to_owned()
    }

    /// Ends it as a service manager does. Its exit code and the rest of its log.
    pub(crate) fn stop(mut self) -> (Option<i32>, String) {
        let stopped = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status();
        assert!(stopped.expect("kill runs").success());
        let mut log = String::new();
        self.log.read_to_string(&mut log).expect("text");
        (self.child.wait().expect("an end").code(), log)
    }
}

/// A test that fails leaves no server behind.
impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
