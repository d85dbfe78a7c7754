//! Checks a whole database against its invariants.

use crate::{
    base::{error::Result, time_limit::TimeLimit, value::values},
    engines::transaction::Transaction,
    keeping::invariants::{INVARIANTS, Invariant},
    nouns::users::{DuplicateAddresses, wrong_email_keys},
    store::Store,
};

impl Store {
    /// How many invariants [`verify`](Self::verify) checks.
    pub fn invariants() -> usize {
        // One more than the list: the lookup keys of email addresses.
        INVARIANTS.len() + 1
    }

    /// Checks the whole database, and returns a line for each violated invariant. An empty list means success.
    ///
    /// # Errors
    ///
    /// Only those of the database.
    pub async fn verify(&self) -> Result<Vec<String>> {
        self.read_everything(verify).await
    }

    /// Returns a line for each pair of users with the same address in two spellings. The store prevents new pairs and
    /// keeps old ones, because only an administrator can decide between them.
    ///
    /// # Errors
    ///
    /// Only those of the database.
    pub async fn duplicate_addresses(&self) -> Result<Vec<String>> {
        self.read_everything(duplicate_addresses).await
    }
}

fn duplicate_addresses(transaction: &mut Transaction<'_>) -> Result<Vec<String>> {
    transaction.allow_long_statements(TimeLimit::Everything)?;
    let (duplicate_addresses, _) = wrong_email_keys(transaction)?;
    let mut lines = Vec::with_capacity(duplicate_addresses.len());
    for DuplicateAddresses { org, seqs } in duplicate_addresses {
        let ids = transaction.query(
            "select id from users where org = $1 and (seq = $2 or seq = $3) order by seq",
            values![org, seqs.0, seqs.1],
            |row| Ok(row.text(0)?.to_owned()),
        )?;
        lines.push(format!(
            "{} have the same address in two spellings: delete one of them",
            ids.join(" and ")
        ));
    }
    Ok(lines)
}

pub(crate) fn verify(transaction: &mut Transaction<'_>) -> Result<Vec<String>> {
    transaction.allow_long_statements(TimeLimit::Everything)?;
    let mut problems = Vec::new();
    for Invariant { states, sqlite, postgres } in INVARIANTS.iter() {
        let sql = transaction.choose(sqlite, postgres);
        let broken = transaction.query(sql, values![], |row| Ok((row.integer(0)?, row.integer(1)?)))?;
        if let Some((org, seq)) = broken.first() {
            problems.push(format!(
                "violated: {states} ({} times; first: organization {org}, number {seq})",
                broken.len()
            ));
        }
    }
    let (_, wrong) = wrong_email_keys(transaction)?;
    if wrong > 0 {
        problems.push(format!("violated: a user is found by their email address ({wrong} times)"));
    }
    if let Transaction::Sqlite(_) = transaction {
        let checks =
            transaction.query("pragma integrity_check", values![], |row| Ok(row.text(0)?.to_owned()))?;
        problems.extend(checks.into_iter().filter(|check| check != "ok"));
    }
    Ok(problems)
}
