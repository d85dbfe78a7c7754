//! What `dump` makes of an organization.

use std::collections::HashMap;

use openai_admin::{GroupType, UserId, UserType, models::GroupResponse, operations::groups::GroupName};

use crate::{
    base::{error::Result, time_limit::TimeLimit, value::values},
    engines::transaction::Transaction,
    keeping::directory::{Directory, DirectoryGroup, DirectoryOrganization, DirectoryUser},
    nouns::{organizations::Organization, users::StoredUser},
    operation::tx::Tx,
    shapes::thing,
    store::Store,
};

impl Store {
    /// The whole organization, as [`load`](Self::load) reads it.
    ///
    /// # Errors
    ///
    /// Only those of the database.
    pub async fn dump(&self, organization: Organization) -> Result<Directory> {
        self.read_everything(move |transaction| dump(transaction, &organization)).await
    }
}

fn dump(transaction: &mut Transaction<'_>, organization: &Organization) -> Result<Directory> {
    transaction.allow_long_statements(TimeLimit::Everything)?;
    let mut tx = Tx::new(transaction, organization.org);
    let users = thing::all::<StoredUser>(&mut tx)?;
    let groups = thing::all::<GroupResponse>(&mut tx)?;
    let places: HashMap<i64, usize> =
        groups.iter().enumerate().map(|(index, found)| (found.seq, index)).collect();
    let mut groups: Vec<_> = groups.into_iter().map(|found| DirectoryGroup::from(found.thing)).collect();
    let ids: HashMap<i64, &UserId> = users.iter().map(|found| (found.seq, &found.thing.user.id)).collect();
    let memberships = tx.query(
        "select group_seq, user_seq from group_users where org = $1 order by group_seq, user_seq",
        values![organization.org],
        |row| Ok((row.integer(0)?, row.integer(1)?)),
    )?;
    for (group_seq, user_seq) in memberships {
        if let (Some(place), Some(id)) = (places.get(&group_seq), ids.get(&user_seq)) {
            groups[*place].members.push(id.as_str().into());
        }
    }
    let entry =
        DirectoryOrganization { id: organization.id.clone(), title: Some(organization.title.clone()) };
    Ok(Directory {
        organization: Some(entry),
        groups,
        users: users.into_iter().map(|found| DirectoryUser::from(found.thing)).collect(),
    })
}

impl From<StoredUser> for DirectoryUser {
    fn from(found: StoredUser) -> Self {
        let user = found.user;
        Self {
            id: Some(user.id),
            email: user.email,
            name: user.name,
            role: user.role,
            is_service_account: user.is_service_account.filter(|flag| *flag),
            picture: found.picture,
            user_type: Some(found.user_type).filter(|user_type| *user_type != UserType::User),
            technical_level: user.technical_level,
            developer_persona: user.developer_persona,
            added_at: Some(user.added_at),
        }
    }
}

impl From<GroupResponse> for DirectoryGroup {
    fn from(group: GroupResponse) -> Self {
        let GroupResponse { id, name, created_at, is_scim_managed, group_type, .. } = group;
        let name = GroupName::new(&name).unwrap_or_else(|_| {
            GroupName::new("(unnamed)").expect("a name of nine characters is within the bounds")
        });
        Self {
            id: Some(id),
            name,
            is_scim_managed: Some(is_scim_managed).filter(|flag| *flag),
            group_type: Some(group_type).filter(|group_type| *group_type != GroupType::Group),
            created_at: Some(created_at),
            members: Vec::new(),
        }
    }
}
