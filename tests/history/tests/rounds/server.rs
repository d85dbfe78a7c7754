//! The server of a round: a separate process that is killed and restarted.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, Command, Stdio},
};

use openai_admin_server::{Config, Minter, Server};
use openai_admin_store::Store;

use crate::{environment, patched};

/// The database that the child serves, and its fault, which `tests/history/faults/switch.patch` reads.
const DATABASE: &str = "OPENAI_ADMIN_HISTORY_DATABASE";
const FAULT: &str = "OPENAI_ADMIN_HISTORY_FAULT";
/// A binary to use as the server instead of this program.
const BINARY: &str = "OPENAI_ADMIN_BIN";

/// A server that runs until it is killed or dropped.
pub(crate) struct Running {
    child: Child,
    /// The address it listens on.
    pub(crate) address: String,
}

impl Running {
    /// Starts a server of a database. Only the patched program can have a fault.
    pub(crate) fn start(url: &str, fault: Option<&str>) -> Self {
        let mut command = match (environment(BINARY), fault) {
            (Some(binary), None) => {
                let mut command = Command::new(binary);
                command.args(["serve", "--listen", "127.0.0.1:0", "--log", "error", "--database", url]);
                command.env_remove("OPENAI_ADMIN_KEY").stdout(Stdio::null()).stderr(Stdio::piped());
                command
            }
            (_, fault) => {
                let program = match fault {
                    Some(_) => patched::program().to_owned(),
                    None => std::env::current_exe().unwrap(),
                };
                let mut command = Command::new(program);
                command.args(["--exact", "server::serves_until_it_is_killed", "--ignored", "--nocapture"]);
                command.env(DATABASE, url).stdout(Stdio::piped()).stderr(Stdio::inherit());
                command.envs(fault.map(|fault| (FAULT, fault)));
                command
            }
        };
        let mut child = command.stdin(Stdio::null()).spawn().unwrap();
        let said: Box<dyn Read + Send> = match (child.stdout.take(), child.stderr.take()) {
            (Some(stdout), _) => Box::new(stdout),
            (None, Some(stderr)) => Box::new(stderr),
            (None, None) => unreachable!("one of them is a pipe"),
        };
        let mut lines = BufReader::new(said).lines();
        let listening = lines
            .by_ref()
            .map(Result::unwrap)
            .find_map(|line| line.split_once("listening on ").map(|(_, address)| address.trim().to_owned()));
        let address = listening.expect("the server ended before it listened");
        // Its later output, such as errors, is read so that it never blocks on a full pipe.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| eprintln!("{line}")));
        Self { child, address }
    }

    /// Sends SIGKILL, and returns when the process is gone.
    pub(crate) fn kill(self) {
        drop(self);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// [`Running::start`] starts it in a child process. It does nothing by itself.
#[test]
#[ignore = "a part of another test, which starts it in a separate process"]
fn serves_until_it_is_killed() {
    let Some(url) = environment(DATABASE) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(&url.parse().unwrap()).await.unwrap();
        let server = Server::new(store, Minter::system(), Config::default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        // The test runner has started a line.
        println!("\nlistening on http://{}", listener.local_addr().unwrap());
        std::io::stdout().flush().unwrap();
        server.run(listener, None, std::future::pending()).await.unwrap();
    });
}
