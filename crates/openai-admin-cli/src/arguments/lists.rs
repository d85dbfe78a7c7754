//! Options of lists: which part, and which order.

use clap::{Args, ValueEnum};
use openai_admin::Cursor;

use super::values;

// Which part of a list.
#[derive(Args, Clone, Debug)]
pub(crate) struct ListArguments {
    /// Show at most N items; default: all
    #[arg(long, value_name = "N", value_parser = values::at_least_one)]
    pub(crate) limit: Option<u64>,
    /// Start after the item with this id
    #[arg(long, value_name = "ID")]
    pub(crate) after: Option<Cursor>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OrderChoice {
    /// Oldest first.
    Asc,
    /// Newest first.
    Desc,
}

// Which part of a list, and in which direction.
#[derive(Args, Debug)]
pub(crate) struct OrderedListArguments {
    #[command(flatten)]
    pub(crate) list: ListArguments,
    /// asc (oldest first; the default for groups) or desc (newest first; the default for users)
    #[arg(long, value_name = "ORDER", hide_possible_values = true)]
    pub(crate) order: Option<OrderChoice>,
}
