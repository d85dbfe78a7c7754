//! The numbers of resources (an extension), read by one statement.

use openai_admin::{
    models::{Count, Counts},
    operations::{RetrieveCounts, counts::COUNTED_MAX},
};

use crate::{
    base::{
        error::{Error, Result},
        value::values,
    },
    operation::{Reads, reading::Reading},
};

/// The default project has no row.
const DEFAULT_PROJECTS: i64 = 1;

impl Reads for RetrieveCounts {
    fn read(&self, tx: &mut Reading<'_>) -> Result<Counts> {
        let org = tx.org();
        // With a lower bound, each count is a range of an index, as in a list.
        let numbers = tx.query_one(
            "select
             (select count(*) from (select 1 from users
                 where org = $1 and seq > $2 and removed_at is null order by seq limit $3) m),
             (select count(*) from (select 1 from projects
                 where org = $1 and seq > $2 and removed_at is null order by seq limit $3) m),
             (select count(*) from (select 1 from api_keys
                 where org = $1 and project_seq is null and revoked_at is null and created_at > $2
                 order by created_at, id limit $3) m),
             (select count(*) from (select 1 from groups
                 where org = $1 and seq > $2 and removed_at is null order by seq limit $3) m)",
            values![org, i64::MIN, COUNTED_MAX + 1],
            |row| Ok([row.integer(0)?, row.integer(1)?, row.integer(2)?, row.integer(3)?]),
        )?;
        let [users, projects, admin_api_keys, groups] =
            numbers.ok_or_else(|| Error::internal("a count has no row"))?;
        let mut counts = Counts::new(count(users), count(projects + DEFAULT_PROJECTS), count(admin_api_keys));
        counts.groups = Some(count(groups));
        Ok(counts)
    }
}

fn count(number: i64) -> Count {
    Count::new(number.min(COUNTED_MAX), number > COUNTED_MAX)
}
