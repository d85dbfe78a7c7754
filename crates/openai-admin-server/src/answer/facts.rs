//! Facts about operations, from their declarations.

use std::fmt;

use openai_admin::{
    Endpoint, Method, Scope,
    wire::{self, FieldPosition, field_position, placeholders},
};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

/// What the declaration of an operation says about it.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct OperationFacts {
    /// The operation id of the published description.
    pub id: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path, relative to the base URL.
    pub path: &'static str,
    /// The scope that a key needs.
    pub scope: Scope,
    /// The tag of the published description.
    pub tag: &'static str,
    /// Whether a retry is safe. Operations that are not idempotent take an `Idempotency-Key`.
    pub is_idempotent: bool,
    /// Whether the body may also be JSON lines.
    pub takes_lines: bool,
    // Functions, so that the server starts without the code and the schemas of 151 requests.
    has_body: fn() -> bool,
    fields: fn() -> OperationFields,
}

impl OperationFacts {
    pub(crate) fn of<E: Endpoint + JsonSchema>() -> Self {
        Self {
            id: E::ID,
            method: E::METHOD,
            path: E::PATH,
            scope: E::SCOPE,
            tag: E::TAG,
            is_idempotent: E::IDEMPOTENT,
            takes_lines: false,
            // Asked for each request, and only a POST needs an answer from its fields.
            has_body: || {
                let is_in_body = |field: &&str| field_position(E::PATH, field) == FieldPosition::Body;
                E::METHOD == Method::Post && wire::fields::<E>().iter().any(is_in_body)
            },
            fields: OperationFields::of::<E>,
        }
    }

    /// Whether the operation is an extension, not part of the published API.
    pub fn is_extension(&self) -> bool {
        self.path.starts_with("/x/")
    }

    /// Whether a request has a body.
    pub fn has_body(&self) -> bool {
        (self.has_body)()
    }

    /// Whether the operation may change something. Its scope says so: an extension reads with POST.
    pub fn changes(&self) -> bool {
        self.scope.as_str().ends_with(".write")
    }

    /// The query parameters and the fields of the body. Each call derives them again from the types.
    pub fn fields(&self) -> OperationFields {
        (self.fields)()
    }
}

impl fmt::Debug for OperationFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, method, path, scope, tag, is_idempotent, takes_lines, has_body: _, fields: _ } = self;
        f.debug_struct("OperationFacts")
            .field("id", id)
            .field("method", method)
            .field("path", path)
            .field("scope", scope)
            .field("tag", tag)
            .field("is_idempotent", is_idempotent)
            .field("takes_lines", takes_lines)
            .finish_non_exhaustive()
    }
}

/// The fields of an operation's request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OperationFields {
    /// The path parameters.
    pub path: Vec<&'static str>,
    /// The query parameters.
    pub query: Vec<Field>,
    /// The fields of the body.
    pub body: Vec<Field>,
}

impl OperationFields {
    fn of<E: Endpoint + JsonSchema>() -> Self {
        let settings = SchemaSettings::openapi3().with(|settings| {
            settings.inline_subschemas = true;
            settings.transforms.clear();
        });
        let request = settings.into_generator().into_root_schema_for::<E>();
        let request = request.as_value();
        let mut query = Field::all_of(request);
        query.retain(|field| field_position(E::PATH, &field.name) == FieldPosition::Query);
        Self {
            path: placeholders(E::PATH).collect(),
            query,
            body: Field::all_of(&request["properties"]["body"]),
        }
    }
}

/// A query parameter, or a field of a body.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Field {
    /// The name.
    pub name: String,
    /// Whether a request must contain it.
    pub is_required: bool,
    schema: Value,
}

impl Field {
    /// The fields of an object with this schema.
    fn all_of(schema: &Value) -> Vec<Self> {
        let required = schema["required"].as_array();
        let is_required = |name: &str| required.is_some_and(|required| required.iter().any(|it| it == name));
        let properties = schema["properties"].as_object().into_iter().flatten();
        properties
            .map(|(name, schema)| Self {
                name: name.clone(),
                is_required: is_required(name),
                schema: schema.clone(),
            })
            .collect()
    }

    /// Whether its values are strings.
    pub(crate) fn is_text(&self) -> bool {
        match &self.schema["type"] {
            // An optional string may be null.
            Value::Array(types) => types.iter().all(|it| it == "string" || it == "null"),
            one => one == "string",
        }
    }

    /// Whether its schema has this keyword, such as `maximum`.
    pub(crate) fn has(&self, keyword: &str) -> bool {
        !self.schema[keyword].is_null()
    }

    /// Whether it is a list of objects with this field.
    pub(crate) fn has_items_with(&self, name: &str) -> bool {
        !self.schema["items"]["properties"][name].is_null()
    }

    /// Whether its values are strings with this bound on their length. The bounds of an id do not count: an id
    /// that exceeds them is refused by another rule.
    pub(crate) fn bounds_text(&self, keyword: &str) -> bool {
        let is_id = self.schema["pattern"].as_str().is_some_and(|pattern| pattern.contains("[^/"));
        !is_id && self.schema[keyword].as_u64().is_some_and(|bound| bound > 0)
    }
}

#[cfg(test)]
mod tests {
    use openai_admin::operations::{AddGroupUser, CheckAccess, ListGroups};

    use super::*;

    fn names(fields: &[Field]) -> Vec<&str> {
        fields.iter().map(|field| field.name.as_str()).collect()
    }

    #[test]
    fn fields_are_in_path_query_or_body() {
        let list = OperationFacts::of::<ListGroups>().fields();
        assert_eq!(names(&list.query), ["limit", "after", "order"]);
        assert!(list.path.is_empty() && list.body.is_empty());
        let limit = &list.query[0];
        assert!(limit.has("maximum") && !limit.is_text() && !limit.is_required);

        let add = OperationFacts::of::<AddGroupUser>().fields();
        assert_eq!((add.path, names(&add.body)), (vec!["group_id"], vec!["user_id"]));
        assert!(add.query.is_empty() && add.body[0].is_required && add.body[0].is_text());

        let check = OperationFacts::of::<CheckAccess>().fields();
        assert!(check.body[0].has_items_with("user_id") && !check.body[0].has_items_with("group_id"));
    }
}
