//! The commands: one file for each noun. Here is what they share: a session with an API, an open database, and how
//! a list is read.

mod admin;
mod api;
mod audit_logs;
mod completion;
mod coverage;
mod database_failure;
mod doctor;
mod dump;
mod emulate;
mod explain;
mod group_users;
mod groups;
mod keys;
mod load;
mod memberships;
mod protection;
mod serve;
mod users;

use std::path::{Path, PathBuf};

use openai_admin::{
    Client, Cursor, ListEndpoint, ListItem, Order, Page,
    client::{ListCall, Pages},
};
use openai_admin_server::{Caller, Config, Minter, Server};
use openai_admin_store::{DatabaseUrl, Organization, Store};
use openai_admin_sync::Policy;

use crate::{
    arguments::{
        AdminCommand, Arguments, Command, GlobalArguments, GroupUsersCommand, GroupsCommand, ListArguments,
        LogFormat, OrderChoice, UsersCommand,
    },
    config::{self, Database, Environment, LocalFile, Target},
    failure::{Failure, Result, While as _},
    log::{self, Log},
    output::{Output, Record},
    settings,
};

/// Runs a command.
pub(crate) async fn run(arguments: Arguments, environment: &Environment, output: &Output) -> Result<()> {
    let Arguments { global, command } = arguments;
    let database = |command: &str| config::database(command, &global, environment);
    match command {
        Command::Groups(command) => {
            check_standard_input(&command, &global)?;
            let session = match command.access() {
                Access::Reads => Session::open_to_read("groups", &global, environment, output).await?,
                access => {
                    Session::open("groups", access == Access::Creates, &global, environment, output).await?
                }
            };
            let done = Box::pin(groups::run(command, &session)).await;
            session.close().await;
            done
        }
        Command::Users(UsersCommand::Offboard(arguments)) => {
            Box::pin(memberships::offboard(arguments, &global, environment, output)).await
        }
        Command::Plan(_)
        | Command::Apply(_)
        | Command::Drift(_)
        | Command::Export(_)
        | Command::Import(_)
        | Command::Runs(_) => Box::pin(memberships::run(command, &global, environment, output)).await,
        Command::Users(command) => {
            let session = match command.access() {
                Access::Reads => Session::open_to_read("users", &global, environment, output).await?,
                access => {
                    Session::open("users", access == Access::Creates, &global, environment, output).await?
                }
            };
            let done = Box::pin(users::run(command, &session)).await;
            session.close().await;
            done
        }
        Command::AuditLogs(command) => {
            let session = Session::open_to_read("audit-logs", &global, environment, output).await?;
            let done = Box::pin(audit_logs::run(command, &session)).await;
            session.close().await;
            done
        }
        Command::Api(arguments) => {
            let prepared = api::prepare(arguments, &global)?;
            let session = Session::open("api", false, &global, environment, output).await?;
            let done = Box::pin(api::run(prepared, &session)).await;
            session.close().await;
            done
        }
        Command::Doctor => Box::pin(doctor::run(&global, environment, output)).await,
        Command::Load(arguments) => load::run(&arguments, &database("load")?, environment, output).await,
        Command::Dump => dump::run(&database("dump")?, output).await,
        Command::Keys(command) => keys::run(command, &database("keys")?, output).await,
        Command::Serve(_) => {
            let (global, arguments) = settings::complete(environment)?;
            Box::pin(serve::run(arguments, &global, environment, output)).await
        }
        Command::Emulate(arguments) => Box::pin(emulate::run(arguments, &global, environment, output)).await,
        Command::Admin(AdminCommand::Settings { toml }) => admin::settings(toml, output),
        Command::Admin(AdminCommand::Ready { address }) => admin::ready(address, environment, output).await,
        Command::Admin(command) => admin::run(command, &database("admin")?, output).await,
        Command::Explain(arguments) => explain::run(&arguments, output),
        Command::Coverage(arguments) => coverage::run(&arguments, output),
        Command::Completion(arguments) => completion::run(&arguments, output),
    }
}

/// Key and users cannot both come through standard input.
fn check_standard_input(command: &GroupsCommand, global: &GlobalArguments) -> Result<()> {
    let GroupsCommand::Users(GroupUsersCommand::Add(bulk) | GroupUsersCommand::Remove { bulk, .. }) = command
    else {
        return Ok(());
    };
    let is_input = |file: &Option<PathBuf>| file.as_deref() == Some(Path::new("-"));
    if is_input(&bulk.file) && is_input(&global.key_file) {
        return Err(Failure::usage("both --key-file and --file are standard input")
            .hint("put the key into OPENAI_ADMIN_KEY or into a file"));
    }
    Ok(())
}

/// A client, and what must be put away after it.
pub(crate) struct Session<'a> {
    pub(crate) client: Client,
    pub(crate) output: &'a Output,
    /// Open behind the client, when it is `--local`.
    store: Option<Store>,
    /// What the caller's side allows, whatever is typed.
    pub(crate) policy: Policy,
    /// Kept until all else is put away.
    _log: Option<Log>,
}

impl<'a> Session<'a> {
    /// `command` is the command's name; `creates` says whether a file that does not exist is made.
    async fn open(
        command: &str,
        creates: bool,
        global: &GlobalArguments,
        environment: &Environment,
        output: &'a Output,
    ) -> Result<Self> {
        let access = if creates { Access::Creates } else { Access::Changes };
        Self::open_for(access, command, global, environment, output).await
    }

    /// The same for a command that only reads: a file stays as it is.
    async fn open_to_read(
        command: &str,
        global: &GlobalArguments,
        environment: &Environment,
        output: &'a Output,
    ) -> Result<Self> {
        Self::open_for(Access::Reads, command, global, environment, output).await
    }

    async fn open_for(
        access: Access,
        command: &str,
        global: &GlobalArguments,
        environment: &Environment,
        output: &'a Output,
    ) -> Result<Self> {
        let policy = config::policy(global, environment)?;
        match config::target(command, global, environment)? {
            Target::Remote { base_url, key } => {
                let client = environment.client(&base_url, &key, global)?.retries(global.retries).build()?;
                Ok(Self { client, output, store: None, policy, _log: None })
            }
            Target::Local(file) => {
                let level = environment.log.as_deref().unwrap_or(log::LOCAL_LEVEL);
                let log = log::start(level, LogFormat::Human, global.color, environment)?;
                let (client, store) = local_client(file, access).await?;
                Ok(Self { client, output, store: Some(store), policy, _log: Some(log) })
            }
        }
    }

    async fn close(self) {
        if let Some(store) = self.store {
            store.close().await;
        }
    }
}

/// The same client as over the network, over the server's own router: what is tried locally holds remotely.
async fn local_client(file: LocalFile, access: Access) -> Result<(Client, Store)> {
    let database = database_of_file(file);
    let minter = Minter::system();
    let (store, organization) = match access {
        Access::Reads => open_to_read(&database, &minter).await?,
        Access::Changes | Access::Creates => open(&database, access == Access::Creates, &minter).await?,
    };
    let server = Server::new(store.clone(), minter, Config::default());
    let router = server.router_as(Caller::local(&organization));
    let client = Client::builder().base_url("http://localhost/v1").service(router).build()?;
    Ok((client, store))
}

/// The file of `--local` as the database that it is.
fn database_of_file(file: LocalFile) -> Database {
    let LocalFile { path, organization } = file;
    let as_argument = format!("--local {}", config::shell_word(&path.display().to_string()));
    Database { url: DatabaseUrl::Sqlite(path), organization, as_argument, is_default: false }
}

/// What a command does with a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Reads,
    Changes,
    /// Changes it, and makes a file that does not exist.
    Creates,
}

impl GroupsCommand {
    fn access(&self) -> Access {
        match self {
            Self::List(_) | Self::Get { .. } => Access::Reads,
            Self::Users(GroupUsersCommand::List { .. } | GroupUsersCommand::Get { .. }) => Access::Reads,
            Self::Create { .. } => Access::Creates,
            _ => Access::Changes,
        }
    }
}

impl UsersCommand {
    fn access(&self) -> Access {
        match self {
            Self::List { .. } | Self::Get { .. } => Access::Reads,
            Self::Create(_) => Access::Creates,
            _ => Access::Changes,
        }
    }
}

/// Opens a database and the organization that is meant, and changes nothing, unless the database is empty and so has no
/// organization yet.
async fn open_to_read(database: &Database, minter: &Minter) -> Result<(Store, Organization)> {
    database_failure::check_file(database, false)?;
    let not_opened = |error| database_failure::not_opened(error, database);
    let version = Store::schema_version(&database.url).await.map_err(not_opened)?;
    if version.applied == 0 {
        return open(database, false, minter).await;
    }
    admin::check_schema(database, version)?;
    let store = Store::open_to_read(&database.url).await.map_err(not_opened)?;
    match store.organizations().await {
        Ok(held) if held.is_empty() => {
            store.close().await;
            open(database, false, minter).await
        }
        _ => choose_organization(store, database, minter).await,
    }
}

/// Opens a database and the organization that is meant.
async fn open(database: &Database, creates: bool, minter: &Minter) -> Result<(Store, Organization)> {
    choose_organization(open_store(database, creates).await?, database, minter).await
}

async fn choose_organization(
    store: Store,
    database: &Database,
    minter: &Minter,
) -> Result<(Store, Organization)> {
    let stamp = minter.stamp("local");
    match store.open_organization(stamp, database.organization.clone()).await {
        Ok(organization) => Ok((store, organization)),
        Err(error) => {
            let held = store.organizations().await.unwrap_or_default();
            store.close().await;
            Err(database_failure::no_organization(error, &held, database))
        }
    }
}

async fn open_store(database: &Database, creates: bool) -> Result<Store> {
    database_failure::check_file(database, creates)?;
    Store::open(&database.url).await.map_err(|error| database_failure::not_opened(error, database))
}

/// The part of a list that was asked for.
pub(crate) struct Listed<T> {
    items: Vec<T>,
    /// What it begins after.
    after: Option<Cursor>,
    /// Whether the list goes on.
    is_cut: bool,
}

impl<T: ListItem + Record> Listed<T> {
    /// Prints it; `none` tells people that it is empty.
    fn print(&self, none: &str, output: &Output) -> Result<()> {
        match &self.after {
            Some(after) => output.items(&self.items, &format!("there is nothing after '{after}'"))?,
            None => output.items(&self.items, none)?,
        }
        if let (true, Some(last)) = (self.is_cut, self.items.last()) {
            output.note(&more_after(last.id()));
        }
        Ok(())
    }
}

/// How many items were asked for.
fn items_max(part: &ListArguments) -> usize {
    part.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// The pages of a list, as much of it as was asked for.
struct Listing<E: ListEndpoint> {
    pages: Pages<E>,
    /// How many items are still wanted.
    left: usize,
    /// Whether the list goes on where it was cut.
    is_cut: bool,
}

impl<E: ListEndpoint> Listing<E> {
    fn new(call: ListCall<'_, E>, part: &ListArguments, page_size: u16) -> Self {
        let left = items_max(part);
        let mut call = call.limit(i64::from(page_size).min(i64::try_from(left).unwrap_or(i64::MAX)));
        if let Some(after) = &part.after {
            call = call.after(after.clone());
        }
        Self { pages: call.pages(), left, is_cut: false }
    }

    /// The next page; none after the last item that is wanted.
    async fn next(&mut self) -> Result<Option<Vec<<E::Response as Page>::Item>>, openai_admin::Error> {
        if self.left == 0 {
            return Ok(None);
        }
        let Some(page) = self.pages.next().await else { return Ok(None) };
        let page = page?;
        let goes_on = page.has_more();
        let mut items = page.into_inner().into_items();
        if items.len() >= self.left {
            self.is_cut = items.len() > self.left || goes_on;
            items.truncate(self.left);
        }
        self.left -= items.len();
        Ok(Some(items))
    }
}

/// Reads as much of a list as was asked for, in pages of up to `page_size`.
async fn read_list<E>(
    call: ListCall<'_, E>,
    part: &ListArguments,
    page_size: u16,
) -> Result<Listed<<E::Response as Page>::Item>, openai_admin::Error>
where
    E: ListEndpoint,
{
    let mut listing = Listing::new(call, part, page_size);
    let mut items = Vec::new();
    while let Some(page) = listing.next().await? {
        items.extend(page);
    }
    Ok(Listed { items, after: part.after.clone(), is_cut: listing.is_cut })
}

/// Reads the same and prints it: where items have lines of their own, each page as it comes, however many there are.
/// `doing` completes "cannot …".
async fn print_list<E>(
    call: ListCall<'_, E>,
    part: &ListArguments,
    page_size: u16,
    none: &str,
    doing: impl Fn() -> String,
    output: &Output,
) -> Result<()>
where
    E: ListEndpoint,
    <E::Response as Page>::Item: ListItem + Record,
{
    if !output.is_of_lines() {
        return read_list(call, part, page_size).await.doing(doing)?.print(none, output);
    }
    let mut listing = Listing::new(call, part, page_size);
    let mut last = None;
    let mut is_first = true;
    while let Some(page) = listing.next().await.doing(&doing)? {
        output.lines(&page, is_first)?;
        is_first = false;
        last = page.last().map(|item| item.id().to_owned()).or(last);
    }
    if is_first {
        output.lines::<<E::Response as Page>::Item>(&[], true)?;
    }
    if let (true, Some(last)) = (listing.is_cut, last) {
        output.note(&more_after(&last));
    }
    Ok(())
}

fn more_after(last: &str) -> String {
    format!("there are more: go on with --after {}", config::shell_word(last))
}

/// Checks a page of the documentation that a command writes.
#[cfg(test)]
fn assert_page(file: &str, page: &str, arguments: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
    let is_fresh = std::fs::read_to_string(path).is_ok_and(|written| written == page);
    assert!(is_fresh, "{file} is stale: cargo run -- {arguments} > {file}");
}

impl From<OrderChoice> for Order {
    fn from(choice: OrderChoice) -> Self {
        match choice {
            OrderChoice::Asc => Self::Asc,
            OrderChoice::Desc => Self::Desc,
        }
    }
}
