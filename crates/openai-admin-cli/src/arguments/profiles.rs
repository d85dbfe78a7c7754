//! Arguments of `login` and `profiles`.

use clap::{Args, Subcommand};

use super::{ConsentArguments, RemovalArguments};
use crate::profiles;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  openai-admin login                                     asks for the key; the profile has the name `default`
  openai-admin login acme-staging
  openai-admin login mine --base-url https://admin.example.com/v1
  pass show openai/admin | openai-admin login acme       reads the key from a pipe

`login` lists the groups once, to try the key and to read the organization. The key is kept in \
openai-admin/profiles.json below XDG_CONFIG_HOME or ~/.config, which only you may read. `profiles list` \
shows no key. A profile's key is sent to the profile's base URL only.")]
pub(crate) struct LoginArguments {
    /// Name of the profile
    #[arg(default_value = "default", value_parser = profiles::name)]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) consent: ConsentArguments,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum ProfilesCommand {
    /// List the profiles, without their keys
    #[command(alias = "ls")]
    List,
    /// Use a profile in commands that name none
    #[command(after_help = "\
Examples:
  openai-admin profiles use acme
  openai-admin --profile acme-staging groups list        another profile for one command
  OPENAI_ADMIN_PROFILE=acme-staging openai-admin …       for a shell or a script

The key in OPENAI_ADMIN_KEY takes precedence over OPENAI_ADMIN_PROFILE and the selected profile; `doctor` \
and every prompt say so.")]
    Use {
        /// Name of the profile
        #[arg(value_parser = profiles::name)]
        name: String,
    },
    /// Remove a profile and its key from this machine
    #[command(aliases = ["delete", "rm"])]
    Remove {
        /// Name of the profile
        #[arg(value_parser = profiles::name)]
        name: String,
        #[command(flatten)]
        removal: RemovalArguments,
    },
}
