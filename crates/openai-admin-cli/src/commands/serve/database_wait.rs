//! Waits at the start for a PostgreSQL server that does not answer yet.

use std::time::Duration;

use openai_admin_store::{DatabaseUrl, Error as StoreError, Store};

/// The pause between two attempts.
const PAUSE: Duration = Duration::from_millis(500);

/// Returns once the database answers or refuses, or after `wait`. Opening it then reports the error, if there still is one.
///
/// A refusal, such as that of a wrong password, ends the wait: it would not go away. SQLite needs no wait.
pub(super) async fn until_it_answers(url: &DatabaseUrl, wait: Duration) {
    let DatabaseUrl::Postgres(_) = url else { return };
    let waited = async {
        let mut is_logged = false;
        while let Err(error @ StoreError::Unavailable(_)) = Store::schema_version(url).await {
            if !is_logged {
                let error = std::error::Error::source(&error);
                tracing::warn!(
                    error,
                    "{url} does not answer; waiting for it for at most {} s",
                    wait.as_secs()
                );
                is_logged = true;
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    if !wait.is_zero() {
        // After the deadline, opening the database reports the error.
        let _ = tokio::time::timeout(wait, waited).await;
    }
}
