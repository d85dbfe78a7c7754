use super::api::api;
use crate::{GroupId, operations::search::SearchText};

api! {
    /// Extensions of our server: searches by the start of a name, an address or an id.
    SearchApi = search;
    /// Lists the users whose id, name or address, or a word of them, starts with a text. A page has 20 by default, at
    /// most 100, and may be short or empty although there are more.
    list search_users(starts_with: SearchText) -> SearchUsers {
        /// let users = client.search().search_users("bo").await?;
        /// assert_eq!(users.data[0].id, "user_bob");
    }
    /// Lists the groups whose id or name starts with a text. A page has 100 by default, at most 1,000, and may be short or
    /// empty although there are more.
    list search_groups(starts_with: SearchText) -> SearchGroups {
        /// # let name = client.groups().list_groups().await?.data[0].name.clone();
        /// let groups = client.search().search_groups(&*name).await?;
        /// assert_eq!(groups.data[0].name, name);
    }
    /// Lists the users of a group whose id, name or address, or a word of them, starts with a text.
    list search_group_users(group_id: GroupId, starts_with: SearchText) -> SearchGroupUsers {
        /// # let id = client.groups().list_groups().await?.data[0].id.clone();
        /// let users = client.search().search_group_users(&id, "zoe").await?;
        /// assert!(users.data.is_empty() && !users.has_more);
    }
}
