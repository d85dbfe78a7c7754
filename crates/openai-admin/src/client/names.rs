use super::api::api;
use crate::models::LookUpNamesBody;

api! {
    /// Extensions of our server: names of resources by their ids.
    NamesApi = names;
    /// Looks up the names of up to 1,000 groups, users, roles and admin keys at once.
    call look_up_names(; body: LookUpNamesBody) -> LookUpNames {
        /// use openai_admin::models::LookUpNamesBody;
        /// let ids = vec!["user_bob".to_owned(), "user_unknown".to_owned()];
        /// let names = client.names().look_up_names(LookUpNamesBody::new(ids)).await?;
        /// assert_eq!(names.data.len(), 1);
    }
}
