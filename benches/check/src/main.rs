//! `check prepare DATABASE` makes a database, and `check CALL TIMES DATABASE` makes a call many times on a copy of it.
//!
//! Everything is in process and one call follows the other, so that the instructions of a call hardly differ between
//! runs. The client talks to a service that knows its answers; the server is asked through its router, with a key.

mod client;
mod server;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The kinds of calls, which `run` counts in this order.
const CALLS: [&str; 12] = [
    "client add",
    "client list",
    "wire encode",
    "wire decode",
    "wire decode, usage batch",
    "server list, one group",
    "server list, many groups",
    "server list, page asked for before",
    "server retrieve",
    "server add",
    "server remove",
    "server list, many groups, mixed load",
];

fn main() -> Result<(), BoxError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["calls"] => println!("{}", CALLS.join("\n")),
        ["prepare", database] => runtime.block_on(server::prepare(database))?,
        [call, times, database] => {
            let times = times.parse()?;
            match call.split_once(' ') {
                Some(("server", call)) => runtime.block_on(server::make(call, times, database))?,
                Some(("client", call)) => runtime.block_on(client::make(call, times))?,
                Some(("wire", call)) => client::convert(call, times)?,
                _ => return Err(format!("'{call}' is not one of {CALLS:?}").into()),
            }
        }
        _ => return Err("usage: check calls | prepare DATABASE | CALL TIMES DATABASE".into()),
    }
    Ok(())
}
