use super::api::api;

api! {
    /// Extensions of our server: the numbers of resources.
    CountsApi = counts;
    /// Counts users, groups, projects and admin keys, each up to 1,000.
    call retrieve_counts() -> RetrieveCounts {
        /// let counts = client.counts().retrieve_counts().await?;
        /// assert_eq!(counts.users.number, 2);
    }
}
