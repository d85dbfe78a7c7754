//! `openai-admin console`: the web console of a database, for the person at this machine.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use openai_admin_console::{Console, Pages};
use openai_admin_server::{Caller, Config, Minter, Server, browser::AllowedHosts};
use openai_admin_sync::private;
use tokio::net::TcpListener;

use super::serve::signals::Signals;
use crate::{
    arguments::{ConsoleArguments, GlobalArguments},
    config::{self, Environment},
    database,
    failure::{Doing as _, Failure, Result},
    output::Output,
    target,
};

/// The program that opens a file with a browser.
const OPENER: &str = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
/// The name of the file that leads a browser to the link.
const LINK_FILE: &str = "console.html";

pub(super) async fn run(
    arguments: ConsoleArguments,
    global: &GlobalArguments,
    environment: &Environment,
    output: &Output,
) -> Result<()> {
    if !arguments.listen.ip().is_loopback() {
        let message = format!("other machines can reach {}, and the link needs no key", arguments.listen);
        return Err(
            Failure::usage(message).hint("to serve the console to others: openai-admin serve --console")
        );
    }
    let mut signals = Signals::new()?;
    let database = config::database("console", global, environment)?;
    let policy = config::policy(global, environment)?;
    let minter = Minter::system();
    // A file that is named and missing is probably misspelt.
    let (store, organization) = database::open(&database, database.is_default, &minter).await?;
    let listener = TcpListener::bind(arguments.listen).await;
    let listener = listener.doing(|| format!("listen on {}", arguments.listen))?;
    let address = listener.local_addr()?;
    let server = Server::new(store.clone(), minter.clone(), Config::default().with_behind_proxy(true));
    let runs = target::runs_of_database(&database.url, environment);
    let hosts = AllowedHosts::of(address.ip());
    let command = target::command_of_database(&database.url);
    let pages = Pages { hosts, is_secure: false, runs: runs.clone(), command, policy };
    let console = Console::of_server(&server, minter, pages);
    let link = console.sign_in_link(Caller::local(&organization)).map(|link| link.path).unwrap_or_default();
    let url = format!("http://{address}{link}");
    output.line(&format!("web console of {}, until Ctrl-C: {url}", database.url));
    let opened =
        (!arguments.no_browser).then(|| runs.and_then(|folder| open_browser(&folder, &url))).flatten();
    let stop = async move { signals.next().await };
    let served = server.run_with(console.router(), listener, None, stop).await;
    if let Some(file) = opened {
        // The link in it no longer works.
        let _ = std::fs::remove_file(file);
    }
    store.close().await;
    served.doing(|| format!("serve on {address}"))
}

/// Opens a browser through a file that only its owner can read: every user of the machine can read the arguments of a
/// program, and the link is a secret. Returns the file. Without a browser, the printed link is enough.
fn open_browser(folder: &Path, url: &str) -> Option<PathBuf> {
    let file = folder.join(LINK_FILE);
    let page = format!(
        "<!doctype html><title>openai-admin</title><meta http-equiv=\"refresh\" content=\"0;url={url}\">\
         <a href=\"{url}\">Open the console</a>\n"
    );
    private::create_folder(folder).ok()?;
    private::replace(&file, page.as_bytes()).ok()?;
    let silent = || Stdio::null();
    let started =
        Command::new(OPENER).arg(&file).stdin(silent()).stdout(silent()).stderr(silent()).spawn().is_ok();
    if started {
        return Some(file);
    }
    let _ = std::fs::remove_file(file);
    None
}
