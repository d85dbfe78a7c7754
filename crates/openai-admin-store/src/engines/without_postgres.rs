//! PostgreSQL in a build without the feature `postgres`: none of its types has a value, and opening one fails.

use openai_admin::{GroupId, UserId, operations::ListGroupUsers};

use crate::{
    base::{
        error::{Error, Result},
        org::Org,
        stamp::Stamp,
        time_limit::TimeLimit,
    },
    engines::{
        figures::Figures,
        job::Job,
        lanes::Lane,
        transaction::{Prepare, Transaction},
    },
};

pub(crate) const SCAN_CONNECTIONS: usize = 1;

pub(crate) enum Postgres {}

pub(crate) mod connection {
    use crate::base::{
        error::Result,
        value::{PostgresRow, Value},
    };

    pub(crate) enum Connection {}

    impl Connection {
        pub(crate) fn batch(&mut self, _: &str) -> Result<()> {
            match *self {}
        }

        pub(crate) fn execute(&mut self, _: &'static str, _: &[Value<'_>]) -> Result<u64> {
            match *self {}
        }

        pub(crate) fn query(&mut self, _: &'static str, _: &[Value<'_>]) -> Result<Vec<PostgresRow>> {
            match *self {}
        }
    }
}

/// A change of a membership.
#[allow(dead_code, reason = "the engine that reads the fields is absent")]
pub(crate) struct Change {
    pub(crate) org: Org,
    pub(crate) adds: bool,
    pub(crate) group_id: GroupId,
    pub(crate) user_id: UserId,
    pub(crate) stamp: Stamp,
}

impl Postgres {
    pub(crate) fn open(_: &str, _: Prepare) -> Result<Self> {
        Err(absent())
    }

    pub(crate) async fn read_from(&self, _: &[String]) -> Result<()> {
        match *self {}
    }

    pub(crate) fn read(&self, _: Box<dyn Job>, _: Lane) -> Result<()> {
        match *self {}
    }

    pub(crate) fn write(&self, _: Box<dyn Job>, _: TimeLimit, _: Option<Org>, _: bool) -> Result<()> {
        match *self {}
    }

    pub(crate) async fn list_group_users(
        &self,
        _: Org,
        _: &ListGroupUsers,
        _: impl FnMut(&str, &str, Option<&str>) -> Result<()>,
    ) -> Result<Option<bool>> {
        match *self {}
    }

    pub(crate) async fn change_group_user(&self, _: Change) -> Result<bool> {
        match *self {}
    }

    pub(crate) fn figures(&self) -> Figures {
        match *self {}
    }

    pub(crate) fn close(&self) {
        match *self {}
    }
}

pub(crate) fn once(_: &str, _: bool, _: &mut dyn FnMut(&mut Transaction<'_>) -> Result<()>) -> Result<()> {
    Err(absent())
}

pub(crate) fn config(_: &str) -> Result<()> {
    Err(absent())
}

/// Unknown, so it is treated as if it did.
pub(crate) fn holds_password(_: &str) -> bool {
    true
}

/// Nothing of the URL, since it may contain a password.
pub(crate) fn shown(_: &str) -> String {
    "postgres://…".to_owned()
}

pub(crate) fn absent() -> Error {
    Error::invalid_value("database", "sqlite:FILE: this program was built without the feature `postgres`")
}
