//! The store's operations in a short form for cases: ids as text, and parameters of lists.

use openai_admin::{
    GroupId, Limit, ListItem, Order, OrderedListEndpoint, Page, Timestamp, UserId,
    models::{
        CreateUserBody, GroupListResource, GroupMemberUser, GroupResponse, GroupUserAssignment,
        ListAuditLogsResponse, User, UserListResource, UserListResponse, UserRoleUpdateRequest,
    },
    operations::{
        AddGroupUser, CreateGroup, CreateUser, DeleteGroup, DeleteUser, ListGroupUsers, ListGroups,
        ListUserGroups, ListUsers, ModifyUser, RemoveGroupUser, RetrieveGroup, RetrieveGroupUser,
        RetrieveUser, UpdateGroup, groups::GroupName,
    },
};
use openai_admin_store::{Changes, LoadSummary, Org, Organization, Reads, Result, Store};
use serde_json::Value as Json;

use crate::support::{Database, NOW};

/// One organization of a database.
#[derive(Clone)]
pub(crate) struct Tenant {
    pub(crate) database: Database,
    pub(crate) organization: Organization,
}

/// The parameters of a list. `None` means the store's default.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Part<'a> {
    limit: Option<i64>,
    after: Option<&'a str>,
    order: Option<Order>,
}

impl<'a> Part<'a> {
    pub(crate) fn new() -> Self {
        Self::default()
    }
    pub(crate) fn limit(self, limit: usize) -> Self {
        Self { limit: Some(i64::try_from(limit).unwrap()), ..self }
    }
    pub(crate) fn after(self, after: &'a str) -> Self {
        Self { after: Some(after), ..self }
    }
    pub(crate) fn asc(self) -> Self {
        self.order(Order::Asc)
    }
    pub(crate) fn desc(self) -> Self {
        self.order(Order::Desc)
    }
    pub(crate) fn order(self, order: Order) -> Self {
        Self { order: Some(order), ..self }
    }

    fn of<R: OrderedListEndpoint>(self, mut list: R) -> R {
        if let Some(limit) = self.limit {
            list.set_limit(limit).unwrap();
        }
        if let Some(after) = self.after {
            list.set_after(after.parse().unwrap());
        }
        if let Some(order) = self.order {
            list.set_order(order);
        }
        list
    }
}

/// The ids of a page, in order.
pub(crate) fn ids<P: Page<Item: ListItem>>(page: &P) -> Vec<&str> {
    page.items().iter().map(ListItem::id).collect()
}

fn group_id(id: &str) -> GroupId {
    id.parse().unwrap()
}

fn user_id(id: &str) -> UserId {
    id.parse().unwrap()
}

pub(crate) fn group_name(name: &str) -> GroupName {
    GroupName::new(name).unwrap()
}

impl Tenant {
    pub(crate) fn org(&self) -> Org {
        self.organization.org
    }

    pub(crate) fn store(&self) -> &Store {
        &self.database.store
    }

    /// Runs a request that reads.
    pub(crate) async fn read<O: Reads>(&self, request: O) -> Result<O::Response> {
        self.read_at(NOW, request).await
    }

    /// The same at another time.
    pub(crate) async fn read_at<O: Reads>(&self, unix_seconds: u64, request: O) -> Result<O::Response> {
        let at = Timestamp::from_unix_seconds(i64::try_from(unix_seconds).unwrap());
        self.store().read(self.org(), at, request).await
    }

    /// Makes a change.
    pub(crate) async fn change<O: Changes>(&self, request: O) -> Result<O::Response> {
        self.change_at(NOW, request).await
    }

    /// The same at another time.
    pub(crate) async fn change_at<O: Changes>(&self, unix_seconds: u64, request: O) -> Result<O::Response> {
        self.store().change(self.org(), self.database.stamp_at(unix_seconds), request).await
    }

    /// The same organization through the database opened again.
    pub(crate) async fn opened_again(&self) -> Self {
        Self { database: self.database.opened_again().await, organization: self.organization.clone() }
    }

    pub(crate) async fn create_group(&self, name: &str) -> Result<GroupResponse> {
        let request = CreateGroup::new(group_name(name));
        self.store().change(self.org(), self.database.stamp(), request).await
    }

    pub(crate) async fn group(&self, group: &str) -> Result<GroupResponse> {
        self.read(RetrieveGroup::new(group_id(group))).await
    }

    pub(crate) async fn rename_group(&self, group: &str, name: &str) -> Result<()> {
        let request = UpdateGroup::new(group_id(group), group_name(name));
        self.store().change(self.org(), self.database.stamp(), request).await.map(|_| ())
    }

    pub(crate) async fn delete_group(&self, group: &str) -> Result<()> {
        let request = DeleteGroup::new(group_id(group));
        self.store().change(self.org(), self.database.stamp(), request).await.map(|_| ())
    }

    pub(crate) async fn groups(&self, part: Part<'_>) -> Result<GroupListResource> {
        self.read(part.of(ListGroups::new())).await
    }

    pub(crate) async fn add(&self, group: &str, user: &str) -> Result<GroupUserAssignment> {
        let request = AddGroupUser::new(group_id(group), user_id(user));
        self.store().add_group_user(self.org(), self.database.stamp(), request).await
    }

    pub(crate) async fn remove(&self, group: &str, user: &str) -> Result<()> {
        let request = RemoveGroupUser::new(group_id(group), user_id(user));
        self.store().remove_group_user(self.org(), self.database.stamp(), request).await.map(|_| ())
    }

    pub(crate) async fn member(&self, group: &str, user: &str) -> Result<GroupMemberUser> {
        let request = RetrieveGroupUser::new(group_id(group), user_id(user));
        self.read(request).await
    }

    /// A page as the server reads it: JSON, possibly from the cache.
    pub(crate) async fn members(&self, group: &str, part: Part<'_>) -> Result<UserListResource> {
        self.members_json(group, part).await.map(|json| serde_json::from_str(&json).unwrap())
    }

    pub(crate) async fn members_json(&self, group: &str, part: Part<'_>) -> Result<String> {
        let request = part.of(ListGroupUsers::new(group_id(group)));
        let json = self.store().list_group_users_json(self.org(), request).await?;
        Ok(String::from_utf8(json.into()).unwrap())
    }

    /// The same without the cache.
    pub(crate) async fn members_read(&self, group: &str, part: Part<'_>) -> Result<String> {
        let request = part.of(ListGroupUsers::new(group_id(group)));
        let page = self.store().list_group_users(self.org(), request).await?;
        Ok(serde_json::to_string(&page).unwrap())
    }

    /// The ids of all members, oldest first.
    pub(crate) async fn member_ids(&self, group: &str) -> Vec<String> {
        let page = self.members(group, Part::new().limit(1000).asc()).await.unwrap();
        assert!(!page.has_more, "a group of a case fits one page");
        ids(&page).into_iter().map(str::to_owned).collect()
    }

    pub(crate) async fn groups_of(&self, user: &str, part: Part<'_>) -> Result<GroupListResource> {
        self.read(part.of(ListUserGroups::new(user_id(user)))).await
    }

    pub(crate) async fn create_user(&self, body: Json) -> Result<User> {
        let body: CreateUserBody = serde_json::from_value(body).unwrap();
        self.store().change(self.org(), self.database.stamp(), CreateUser::new(body)).await
    }

    pub(crate) async fn user(&self, user: &str) -> Result<User> {
        self.read(RetrieveUser::new(user_id(user))).await
    }

    pub(crate) async fn modify_user(&self, user: &str, body: Json) -> Result<User> {
        let body: UserRoleUpdateRequest = serde_json::from_value(body).unwrap();
        let request = ModifyUser::new(user_id(user), body);
        self.store().change(self.org(), self.database.stamp(), request).await
    }

    pub(crate) async fn delete_user(&self, user: &str) -> Result<()> {
        let request = DeleteUser::new(user_id(user));
        self.store().change(self.org(), self.database.stamp(), request).await.map(|_| ())
    }

    pub(crate) async fn users(&self, limit: i64, after: Option<&str>) -> Result<UserListResponse> {
        self.users_with(limit, after, &[]).await
    }

    pub(crate) async fn users_with(
        &self,
        limit: i64,
        after: Option<&str>,
        emails: &[&str],
    ) -> Result<UserListResponse> {
        let mut request = ListUsers::new();
        request.limit = Some(Limit::new(limit).unwrap());
        request.after = after.map(|after| after.parse().unwrap());
        request.emails = emails.iter().map(|email| (*email).into()).collect();
        self.read(request).await
    }

    /// The audit log, with the parameters of a request.
    pub(crate) async fn logs(&self, request: Json) -> Result<ListAuditLogsResponse> {
        let request = serde_json::from_value(request).unwrap();
        self.store().list_audit_logs(self.org(), request).await
    }

    /// Loads users and groups into this organization.
    pub(crate) async fn load(&self, mut directory: Json) -> Result<LoadSummary> {
        let organization = &self.organization;
        directory["organization"] = serde_json::json!({ "id": organization.id, "title": organization.title });
        let directory = serde_json::from_value(directory).unwrap();
        self.store().load(self.database.stamp(), directory).await
    }

    pub(crate) async fn dump(&self) -> Json {
        let directory = self.store().dump(self.organization.clone()).await.unwrap();
        serde_json::to_value(directory).unwrap()
    }
}
