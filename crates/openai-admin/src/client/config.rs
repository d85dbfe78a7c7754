//! Settings from the environment, under the usual names for this API.

use super::{Client, ClientBuilder};
use crate::{Error, OrganizationId};

impl Client {
    /// A client with the settings of the environment: `OPENAI_ADMIN_KEY` (required), `OPENAI_BASE_URL`,
    /// `OPENAI_ORG_ID`, `OPENAI_PROJECT_ID`, and `HTTPS_PROXY` with `NO_PROXY`.
    ///
    /// # Errors
    ///
    /// Contains the name of the variable that is missing or invalid.
    #[cfg(feature = "rustls")]
    pub fn from_env() -> Result<Self, Error> {
        ClientBuilder::from_env()?.build()
    }
}

impl ClientBuilder {
    /// A builder with the settings of the environment, like [`Client::from_env`].
    ///
    /// # Errors
    ///
    /// Contains the name of the variable that is missing or invalid.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_variables(variable)
    }

    /// A builder with the settings of these variables, named as in [`ClientBuilder::from_env`].
    ///
    /// # Errors
    ///
    /// Contains the name of the variable that is missing or invalid.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let given = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let key = given("OPENAI_ADMIN_KEY").ok_or_else(|| {
            Error::invalid_request("OPENAI_ADMIN_KEY is not set: set it to an admin key (sk-admin-…)")
        })?;
        let mut builder = Client::builder().key(key);
        if let Some(base_url) = given("OPENAI_BASE_URL") {
            builder = builder.base_url(base_url);
        }
        if let Some(organization) = given("OPENAI_ORG_ID") {
            let organization = OrganizationId::new(organization)
                .map_err(|problem| Error::invalid_request(format!("OPENAI_ORG_ID: {problem}")))?;
            builder = builder.organization(&organization);
        }
        if let Some(project) = given("OPENAI_PROJECT_ID") {
            builder = builder.project(project);
        }
        #[cfg(feature = "rustls")]
        {
            // The lower-case name takes precedence, as in curl: some programs know no other.
            if let Some(proxy) = given("https_proxy").or_else(|| given("HTTPS_PROXY")) {
                builder = builder.proxy(proxy);
            }
            if let Some(hosts) = given("no_proxy").or_else(|| given("NO_PROXY")) {
                builder = builder.no_proxy(hosts);
            }
        }
        Ok(builder)
    }
}

#[expect(clippy::disallowed_methods, reason = "only `from_env` reads the environment")]
fn variable(name: &str) -> Option<String> {
    // A value that is not Unicode must not be ignored, since the key could go to the public API instead of another base
    // URL. It is converted to an invalid value.
    std::env::var_os(name)
        .map(|value| value.into_string().unwrap_or_else(|value| format!("\u{fffd}{value:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_key_is_reported() {
        let error = ClientBuilder::from_variables(|_| None).expect_err("no key");
        assert!(error.to_string().starts_with("OPENAI_ADMIN_KEY is not set"));
        let blank = |name: &str| (name == "OPENAI_ADMIN_KEY").then(|| " ".to_owned());
        assert!(ClientBuilder::from_variables(blank).is_err());
    }

    #[test]
    fn an_invalid_organization_is_reported() {
        let variables = |name: &str| match name {
            "OPENAI_ADMIN_KEY" => Some("sk-admin-1".to_owned()),
            "OPENAI_ORG_ID" => Some("a/b".to_owned()),
            _ => None,
        };
        let error = ClientBuilder::from_variables(variables).expect_err("a slash");
        assert_eq!(error.to_string(), "OPENAI_ORG_ID: expected an id, but it contains a slash.");
    }
}
