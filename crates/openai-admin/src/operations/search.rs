//! Searches by the start of a name, an address or an id: extensions in `/x`.

use super::record::record;
use crate::{
    BoundedText, Cursor, GroupId, Limit, NextPage, Order,
    endpoint::endpoint,
    models::{GroupListResource, User, UserListResource},
    page::list_endpoint,
};

const TAG: &str = "Search";

/// The text of a search: 1 to 255 characters, not blank. Case does not matter.
pub type SearchText = BoundedText<1, 255>;

/// How many users, groups or members one request compares. If there are more, the next page continues after them.
pub const COMPARED_MAX: usize = 50_000;

record! {
    /// Extension: lists the users whose ID, name or address, or a word of their name or address, starts with a text. The user with exactly this ID or address is first.
    SearchUsers {
        /// The text, such as `ada` or `ada@example.com`.
        starts_with: SearchText,
    }
    query {
        /// How many users to return.
        limit: Limit<1, 100, 20>,
        /// Continue after this user: the `next` of the previous page.
        after: Cursor,
    }
}

endpoint!(SearchUsers, "x-search-users", GET "/x/users/search", MANAGEMENT_READ -> UserSearchResource);

list_endpoint!(SearchUsers);

/// Users that a search found. A page with fewer users than requested, or none, may have a next page.
pub type UserSearchResource = NextPage<User>;

record! {
    /// Extension: lists the groups whose ID or name starts with a text. The group with exactly this ID is first.
    SearchGroups {
        /// The text, such as `ML` or `group_01J1F8`.
        starts_with: SearchText,
    }
    query {
        /// How many groups to return.
        limit: Limit<1, 1000, 100>,
        /// Continue after this group: the `next` of the previous page.
        after: Cursor,
        /// The order of creation: `asc` (default) or `desc`.
        order: Order,
    }
}

endpoint!(SearchGroups, "x-search-groups", GET "/x/groups/search", GROUPS_READ -> GroupListResource);

list_endpoint!(SearchGroups, ordered);

record! {
    /// Extension: lists the users of a group whose ID, name or address, or a word of their name or address, starts with a text.
    SearchGroupUsers {
        /// The ID of the group.
        group_id: GroupId,
        /// The text, such as `ada`.
        starts_with: SearchText,
    }
    query {
        /// How many users to return.
        limit: Limit<1, 1000, 100>,
        /// Continue after this user: the `next` of the previous page.
        after: Cursor,
        /// The order in which the users joined the organization: `desc` (default) or `asc`.
        order: Order,
    }
}

endpoint!(SearchGroupUsers, "x-search-group-users", GET "/x/groups/{group_id}/users/search", GROUPS_READ -> UserListResource);

list_endpoint!(SearchGroupUsers, ordered);
