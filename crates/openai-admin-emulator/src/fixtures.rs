//! The initial state of an organization: a directory, and requests for everything that a directory does not contain.

use std::collections::BTreeMap;

use axum::{
    Router,
    body::Body,
    http::{Request, header},
};
use http_body_util::BodyExt as _;
use openai_admin::wire::placeholders;
use openai_admin_server::operations as served;
use openai_admin_store::{
    Directory, DirectoryGroup, DirectoryOrganization, DirectoryProject, DirectoryRateLimit, DirectoryRole,
    DirectorySetting, DirectoryUser,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::Value;
use tower_service::Service as _;

use crate::{
    error::{Error, Result},
    operations,
};

/// The initial state of an organization, as a document: the lists of a [`Directory`], and requests.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fixtures {
    organization: Option<DirectoryOrganization>,
    users: Vec<DirectoryUser>,
    groups: Vec<DirectoryGroup>,
    roles: Vec<DirectoryRole>,
    projects: Vec<DirectoryProject>,
    settings: Vec<DirectorySetting>,
    rate_limits: Vec<DirectoryRateLimit>,
    /// Requests that are sent after the directory is loaded.
    requests: Vec<FixtureRequest>,
}

impl Fixtures {
    /// The directory and the requests.
    pub fn into_parts(self) -> (Directory, Vec<FixtureRequest>) {
        let mut directory = Directory::default();
        directory.organization = self.organization;
        directory.users = self.users;
        directory.groups = self.groups;
        directory.roles = self.roles;
        directory.projects = self.projects;
        directory.settings = self.settings;
        directory.rate_limits = self.rate_limits;
        (directory, self.requests)
    }
}

/// A request that creates a part of the initial state.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixtureRequest {
    /// The id of the operation, such as `inviteUser`.
    operation: String,
    /// The ids of the resources that it creates, in their order. Default: generated ids.
    #[serde(default)]
    ids: Vec<String>,
    /// The path parameters.
    #[serde(default)]
    path: BTreeMap<String, String>,
    /// The body.
    #[serde(default)]
    body: Option<Value>,
}

impl FixtureRequest {
    pub(crate) fn ids(&self) -> &[String] {
        &self.ids
    }

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the operation or a path parameter is unknown, or with the answer that refuses it.
    pub(crate) async fn send(&self, mut router: Router) -> Result<()> {
        let Ok(response) = router.call(self.encoded()?).await;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let body = response.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        Err(Error::invalid(format!("{} answers {status}: {message}", self.operation)))
    }

    fn encoded(&self) -> Result<Request<Body>> {
        operations::check_id(&self.operation).map_err(Error::Invalid)?;
        let Some(facts) = served().into_iter().find(|facts| facts.id == self.operation) else {
            return Err(Error::invalid(format!("{} is not served yet", self.operation)));
        };
        let mut path = format!("/v1{}", facts.path);
        for name in placeholders(facts.path) {
            let value = self
                .path
                .get(name)
                .ok_or_else(|| Error::invalid(format!("{} needs '{name}' in its path", self.operation)))?;
            let value = utf8_percent_encode(value, NON_ALPHANUMERIC).to_string();
            path = path.replace(&format!("{{{name}}}"), &value);
        }
        let body = self.body.as_ref().map(Value::to_string).unwrap_or_default();
        Request::builder()
            .method(facts.method.as_str())
            .uri(path)
            .header(header::AUTHORIZATION, "Bearer fixtures")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body))
            .map_err(|error| Error::invalid(format!("{}: {error}", self.operation)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The names of the fields of a document, from the error about an unknown one.
    fn fields<T: for<'a> Deserialize<'a> + std::fmt::Debug>() -> Vec<String> {
        let error = serde_json::from_value::<T>(json!({ "?": 0 })).expect_err("no such field").to_string();
        error.split('`').skip(1).step_by(2).filter(|name| *name != "?").map(str::to_owned).collect()
    }

    #[test]
    fn fixtures_have_every_list_of_a_directory() {
        assert_eq!(fields::<Fixtures>(), [fields::<Directory>(), vec!["requests".to_owned()]].concat());
        let document = json!({
            "organization": { "id": "org-acme" },
            "users": [{ "id": "user_ada", "email": "ada@example.com" }],
            "groups": [{ "name": "Support" }],
            "roles": [{ "name": "Agent" }],
            "projects": [{ "name": "Search" }],
            "settings": [{ "setting": "data_retention", "value": {} }],
            "rate_limits": [{ "model": "o3", "limits": { "max_requests_per_1_minute": 1 } }],
        });
        assert_eq!(fields::<Directory>().len(), document.as_object().map_or(0, |fields| fields.len()));
        let fixtures: Fixtures = serde_json::from_value(document.clone()).expect("fixtures");
        let directory: Directory = serde_json::from_value(document).expect("a directory");
        assert_eq!(fixtures.into_parts(), (directory, Vec::new()));
    }
}
