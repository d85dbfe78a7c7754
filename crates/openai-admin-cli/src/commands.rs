//! The commands: one file per noun. This file selects the command and its data source.

mod access;
mod admin;
mod api;
mod audit_logs;
mod completion;
mod console;
mod coverage;
mod doctor;
mod dump;
mod emulate;
mod explain;
mod generated;
mod group_users;
mod groups;
mod invites;
mod keys;
mod load;
mod man_pages;
mod memberships;
mod profiles;
mod project_users;
mod protection;
mod recording;
mod roles;
mod serve;
mod several;
mod usage;
mod user_file;
mod users;
mod verify_service;

use std::path::{Path, PathBuf};

use crate::{
    arguments::{
        AdminCommand, Arguments, Command, GlobalArguments, GroupUsersCommand, GroupsCommand, UserCommand,
        UsersCommand,
    },
    command_line::ParsedCommand,
    config::{self, Environment},
    failure::{Failure, Result},
    output::Output,
    session::{Access, Context, Session},
    settings,
};

/// Runs a command.
pub(crate) async fn run(typed: ParsedCommand, environment: &Environment, output: &Output) -> Result<()> {
    match typed {
        ParsedCommand::HandWritten(arguments) => run_written(*arguments, environment, output).await,
        ParsedCommand::Generated(global, call) => {
            let context = Context { global: &global, environment, output };
            Box::pin(generated::run(*call, &context)).await
        }
    }
}

/// Runs a hand-written command.
async fn run_written(arguments: Arguments, environment: &Environment, output: &Output) -> Result<()> {
    let Arguments { global, command } = arguments;
    let context = Context { global: &global, environment, output };
    let database = |command: &str| config::database(command, &global, environment);
    match command {
        Command::Groups(command) => {
            check_standard_input(&command, &global)?;
            context
                .with_session(command.access(), "groups", async |session| groups::run(command, session).await)
                .await
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
        Command::Users(UsersCommand::Api(command)) => {
            context
                .with_session(command.access(), "users", async |session| users::run(command, session).await)
                .await
        }
        Command::Projects(command) => {
            let run = async |session: &Session<'_>| project_users::run(command, session).await;
            context.with_session(Access::Changes, "projects", run).await
        }
        Command::Roles(command) => {
            let run = async |session: &Session<'_>| roles::run(command, session).await;
            context.with_session(Access::Changes, "roles", run).await
        }
        Command::Invites(command) => {
            let run = async |session: &Session<'_>| invites::run(command, session).await;
            context.with_session(Access::Changes, "invites", run).await
        }
        Command::AuditLogs(command) => {
            let run = async |session: &Session<'_>| audit_logs::run(command, session).await;
            context.with_session(Access::Reads, "audit-logs", run).await
        }
        Command::Usage(command) => {
            let run = async |session: &Session<'_>| usage::run(command, session).await;
            context.with_session(Access::Reads, "usage", run).await
        }
        Command::Costs(arguments) => {
            let run = async |session: &Session<'_>| usage::costs(arguments, session).await;
            context.with_session(Access::Reads, "costs", run).await
        }
        Command::Access(command) => {
            let run = async |session: &Session<'_>| access::run(command, session).await;
            context.with_session(Access::Reads, "access", run).await
        }
        Command::Api(arguments) => {
            let prepared = api::prepare(arguments, &global)?;
            context
                .with_session(Access::Changes, "api", async |session| api::run(prepared, session).await)
                .await
        }
        Command::Login(arguments) => Box::pin(profiles::login(arguments, &global, environment, output)).await,
        Command::Profiles(command) => profiles::run(command, environment, output),
        Command::Doctor => Box::pin(doctor::run(&global, environment, output)).await,
        Command::VerifyService(arguments) => {
            Box::pin(verify_service::run(arguments, &global, environment, output)).await
        }
        Command::Load(arguments) => load::run(&arguments, &database("load")?, environment, output).await,
        Command::Dump => dump::run(&database("dump")?, output).await,
        Command::Keys(command) => keys::run(command, &database("keys")?, output).await,
        Command::Serve(_) => {
            let (global, arguments) = settings::complete(environment)?;
            Box::pin(serve::run(arguments, &global, environment, output)).await
        }
        Command::Console(arguments) => Box::pin(console::run(arguments, &global, environment, output)).await,
        Command::Emulate(arguments) => Box::pin(emulate::run(arguments, &global, environment, output)).await,
        Command::Admin(AdminCommand::Settings { toml }) => admin::settings(toml, output),
        Command::Admin(AdminCommand::Ready { address, wait }) => {
            admin::ready(address, wait, environment, output).await
        }
        Command::Admin(command) => admin::run(command, &database("admin")?, output).await,
        Command::Explain(arguments) => explain::run(&arguments, output),
        Command::Coverage(arguments) => coverage::run(&arguments, output),
        Command::Completion(arguments) => completion::run(&arguments, output),
        Command::ManPages(arguments) => man_pages::run(&arguments),
    }
}

/// Refuses a key and users from the same standard input.
fn check_standard_input(command: &GroupsCommand, global: &GlobalArguments) -> Result<()> {
    let GroupsCommand::Users(GroupUsersCommand::Add(bulk) | GroupUsersCommand::Remove { bulk, .. }) = command
    else {
        return Ok(());
    };
    let is_input = |file: &Option<PathBuf>| file.as_deref() == Some(Path::new("-"));
    if is_input(&bulk.file) && is_input(&global.key_file) {
        return Err(Failure::usage("both --key-file and --file are standard input")
            .hint("put the key in OPENAI_ADMIN_KEY or a file"));
    }
    Ok(())
}

impl GroupsCommand {
    fn access(&self) -> Access {
        match self {
            Self::List { .. } | Self::Get { .. } | Self::Overlap { .. } => Access::Reads,
            Self::Users(GroupUsersCommand::List { .. } | GroupUsersCommand::Get { .. }) => Access::Reads,
            Self::Create { .. } => Access::Creates,
            _ => Access::Changes,
        }
    }
}

impl UserCommand {
    fn access(&self) -> Access {
        match self {
            Self::List { .. } | Self::Search { .. } | Self::Get { .. } => Access::Reads,
            Self::Create(_) => Access::Creates,
            _ => Access::Changes,
        }
    }
}

/// Checks that a generated page of the documentation is up to date.
#[cfg(test)]
fn assert_page(file: &str, page: &str, arguments: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
    let is_fresh = std::fs::read_to_string(path).is_ok_and(|written| written == page);
    assert!(is_fresh, "{file} is stale: cargo run -- {arguments} > {file}");
}
