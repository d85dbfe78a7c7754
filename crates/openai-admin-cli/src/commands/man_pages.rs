//! `openai-admin man-pages`: man pages for packages.

use crate::{
    arguments::ManPagesArguments,
    command_line,
    failure::{Doing as _, Result},
};

pub(super) fn run(arguments: &ManPagesArguments) -> Result<()> {
    let folder = &arguments.folder;
    clap_mangen::generate_to(command_line::whole(), folder)
        .doing(|| format!("write man pages to {}", folder.display()))
}
