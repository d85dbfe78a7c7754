use crate::{
    base::{
        error::Result,
        org::Org,
        rule::Rules,
        time_limit::TimeLimit,
        value::{Row, Value},
    },
    engines::transaction::Transaction,
};

/// A transaction within an organization, for an operation's reads.
pub struct Tx<'a> {
    transaction: Transaction<'a>,
    org: Org,
    rules: Rules,
}

impl<'a> Tx<'a> {
    pub(crate) fn new(transaction: &'a mut Transaction<'_>, org: Org) -> Self {
        Self { transaction: transaction.reborrow(), org, rules: Rules::default() }
    }

    pub(crate) fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// The rules that apply.
    pub(crate) fn rules(&self) -> Rules {
        self.rules
    }

    /// The organization of the caller.
    pub(crate) fn org(&self) -> Org {
        self.org
    }

    pub(crate) fn transaction(&mut self) -> &mut Transaction<'a> {
        &mut self.transaction
    }

    /// Runs a statement and returns how many rows it changed.
    pub(crate) fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<u64> {
        self.transaction.execute(sql, values)
    }

    /// Runs a query and maps each row.
    pub(crate) fn query<T>(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        map: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.transaction.query(sql, values, map)
    }

    /// Runs a query and maps its rows, up to the first that maps to `None`.
    pub(crate) fn query_while<T>(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        map: impl FnMut(&Row<'_>) -> Result<Option<T>>,
    ) -> Result<Vec<T>> {
        self.transaction.query_while(sql, values, map)
    }

    /// Runs a query whose result is one row or none.
    pub(crate) fn query_one<T>(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        map: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        self.transaction.query_one(sql, values, map)
    }

    /// The SQL text for this engine.
    pub(crate) fn choose(&self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        self.transaction.choose(sqlite, postgres)
    }

    /// Extends the statement timeout for an operation with a longer time limit.
    pub(crate) fn allow_long_statements(&mut self, time_limit: TimeLimit) -> Result<()> {
        self.transaction.allow_long_statements(time_limit)
    }
}
