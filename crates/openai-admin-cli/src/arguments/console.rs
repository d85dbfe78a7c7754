//! The options of `console`.

use std::net::SocketAddr;

use clap::Args;

use super::values;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  openai-admin --local acme.db console
  openai-admin console --no-browser

The console listens on loopback until Ctrl-C. The link signs you in once, within 10 minutes, without a key. To \
sign in with a key, open the console of `openai-admin serve` at /console.")]
pub(crate) struct ConsoleArguments {
    /// Loopback address to listen on; port 0 picks a free port
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    #[arg(value_parser = values::listen_address)]
    pub(crate) listen: SocketAddr,
    /// Print the link without opening a browser
    #[arg(long)]
    pub(crate) no_browser: bool,
}
