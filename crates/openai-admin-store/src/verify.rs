//! Checks of a whole database against everything that must always hold.

use crate::{
    error::Result,
    postgres::Patience,
    store::Store,
    transaction::{Transaction, values},
    users::{Twins, wrong_email_keys},
};

/// What must hold, as a query for what breaks it. Each returns the organization and a place in it.
const INVARIANTS: [(&str, &str); 13] = [
    (
        "a membership has a group that is not removed",
        "select m.org, m.group_seq from group_users m
         left join groups g on g.org = m.org and g.seq = m.group_seq
         where g.seq is null or g.removed_at is not null",
    ),
    (
        "a membership has a user who is not removed",
        "select m.org, m.user_seq from group_users m
         left join users u on u.org = m.org and u.seq = m.user_seq
         where u.seq is null or u.removed_at is not null",
    ),
    (
        "a user belongs to an organization and has a place that it handed out",
        "select u.org, u.seq from users u left join organizations o on o.org = u.org
         where o.org is null or u.seq < 1 or u.seq > o.last_user_seq",
    ),
    (
        "a group belongs to an organization and has a place that it handed out",
        "select g.org, g.seq from groups g left join organizations o on o.org = g.org
         where o.org is null or g.seq < 1 or g.seq > o.last_group_seq",
    ),
    (
        "every place that was handed out is a user or a tombstone",
        "select o.org, o.last_user_seq from organizations o
         where o.last_user_seq <> (select count(*) from users u where u.org = o.org)
            or o.last_group_seq <> (select count(*) from groups g where g.org = o.org)",
    ),
    (
        "a removed user keeps no personal data",
        "select org, seq from users
         where removed_at is not null
           and (email is not null or email_key is not null or name <> '' or picture is not null
                or technical_level is not null or developer_persona is not null)",
    ),
    (
        "a removed group keeps no name",
        "select org, seq from groups where removed_at is not null and name <> ''",
    ),
    (
        "an answer that is kept tells of nothing that is removed",
        "select k.org, k.seq from idempotency_keys k
         left join groups g on g.org = k.org and g.seq = k.group_seq
         left join users u on u.org = k.org and u.seq = k.user_seq
         where k.answer is not null and (g.removed_at is not null or u.removed_at is not null)",
    ),
    (
        "an audit event has a number of its own within its change",
        "select org, max(place) from audit_events group by org, change, item having count(*) > 1",
    ),
    (
        "the audit events of a membership end in what it is",
        "select org, group_seq from (
             select org, group_seq, user_seq,
                    sum(case event when 'group.user.added' then 1 else 0 end)
                  - sum(case event when 'group.user.removed' then 1 else 0 end) as members
             from audit_events where event in ('group.user.added', 'group.user.removed')
             group by org, group_seq, user_seq
         ) told
         where members <> (select count(*) from group_users m
                           where m.org = told.org and m.group_seq = told.group_seq and m.user_seq = told.user_seq)",
    ),
    (
        "a membership has an audit event",
        "select m.org, m.group_seq from group_users m
         left join (select distinct org, group_seq, user_seq from audit_events where event = 'group.user.added') told
             on told.org = m.org and told.group_seq = m.group_seq and told.user_seq = m.user_seq
         where told.org is null",
    ),
    (
        "the audit events of a user end in what they are",
        "select u.org, u.seq from users u
         left join (select org, user_seq, sum(case event when 'user.added' then 1 else -1 end) as present
                    from audit_events where event in ('user.added', 'user.deleted') group by org, user_seq) told
             on told.org = u.org and told.user_seq = u.seq
         where coalesce(told.present, -1) <> case when u.removed_at is null then 1 else 0 end",
    ),
    (
        "the audit events of a group end in what it is",
        "select g.org, g.seq from groups g
         left join (select org, group_seq, sum(case event when 'group.created' then 1 else -1 end) as present
                    from audit_events where event in ('group.created', 'group.deleted') group by org, group_seq) told
             on told.org = g.org and told.group_seq = g.seq
         where coalesce(told.present, -1) <> case when g.removed_at is null then 1 else 0 end",
    ),
];

impl Store {
    /// How many kinds of things [`verify`](Self::verify) checks.
    pub fn invariants() -> usize {
        // Besides the list: how addresses are looked up.
        INVARIANTS.len() + 1
    }

    /// Checks the whole database, and returns a line for each kind of thing that is wrong: none when all is well.
    ///
    /// # Errors
    ///
    /// Only those of the database.
    pub async fn verify(&self) -> Result<Vec<String>> {
        self.read_everything(verify).await
    }

    /// A line for each two users who have one address in two spellings. None can be made any more, and those from
    /// before are kept: which of them is meant is for their administrator to say.
    ///
    /// # Errors
    ///
    /// Only those of the database.
    pub async fn twins(&self) -> Result<Vec<String>> {
        self.read_everything(twins).await
    }
}

fn twins(transaction: &mut Transaction<'_>) -> Result<Vec<String>> {
    transaction.allow_long_statements(Patience::Everything)?;
    let (twins, _) = wrong_email_keys(transaction)?;
    let mut lines = Vec::with_capacity(twins.len());
    for Twins { org, seqs } in twins {
        let ids = transaction.query(
            "select id from users where org = $1 and (seq = $2 or seq = $3) order by seq",
            values![org, seqs.0, seqs.1],
            |row| Ok(row.text(0)?.to_owned()),
        )?;
        lines.push(format!(
            "{} have the same address in two spellings: remove one of them",
            ids.join(" and ")
        ));
    }
    Ok(lines)
}

pub(crate) fn verify(transaction: &mut Transaction<'_>) -> Result<Vec<String>> {
    transaction.allow_long_statements(Patience::Everything)?;
    let mut problems = Vec::new();
    for (invariant, sql) in INVARIANTS {
        let broken = transaction.query(sql, values![], |row| Ok((row.integer(0)?, row.integer(1)?)))?;
        if let Some((org, seq)) = broken.first() {
            problems.push(format!(
                "not so: {invariant} ({} times; first: organization {org}, number {seq})",
                broken.len()
            ));
        }
    }
    let (_, wrong) = wrong_email_keys(transaction)?;
    if wrong > 0 {
        problems.push(format!("not so: a user is found by their email address ({wrong} times)"));
    }
    if let Transaction::Sqlite(_) = transaction {
        let checks =
            transaction.query("pragma integrity_check", values![], |row| Ok(row.text(0)?.to_owned()))?;
        problems.extend(checks.into_iter().filter(|check| check != "ok"));
    }
    Ok(problems)
}
