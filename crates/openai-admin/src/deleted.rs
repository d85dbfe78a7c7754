//! Confirmations of deletions.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Object, ObjectName};

/// A kind of resource that can be deleted. Its name as an [`ObjectName`] is the `object` of the confirmation.
pub trait DeletedKind: ObjectName {
    /// The id of a deleted resource.
    type Id: Serialize + DeserializeOwned;
    /// The name of the confirmation's published schema.
    const SCHEMA: &'static str;
    /// The kind in words, such as `group`.
    const NOUN: &'static str;
}

/// Confirms the deletion of a resource with an id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
#[non_exhaustive]
pub struct Deleted<K: DeletedKind> {
    /// Always the name of the kind, such as `group.deleted`.
    #[serde(default)]
    pub object: Object<K>,
    /// Identifier of the deleted resource.
    pub id: K::Id,
    /// Whether it was deleted.
    pub deleted: bool,
}

impl<K: DeletedKind> Deleted<K> {
    /// Confirms the deletion of `id`.
    pub fn new(id: K::Id) -> Self {
        Self { object: Object::new(), id, deleted: true }
    }
}

/// Confirms the removal of something without an id, such as a membership.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
#[non_exhaustive]
pub struct Gone<K: DeletedKind> {
    /// Always the name of the kind, such as `group.user.deleted`.
    #[serde(default)]
    pub object: Object<K>,
    /// Whether it was removed.
    pub deleted: bool,
}

impl<K: DeletedKind> Gone<K> {
    /// Confirms a removal.
    pub fn new() -> Self {
        Self { object: Object::new(), deleted: true }
    }
}

impl<K: DeletedKind> Default for Gone<K> {
    fn default() -> Self {
        Self::new()
    }
}

/// Declares a confirmation under its published name: a [`Deleted`] with the type of an id, or a [`Gone`].
macro_rules! deleted {
    ($answer:ident, $kind:ident, $object:literal, $noun:literal, $id:ty) => {
        $crate::deleted::deleted!(@kind $answer, $kind, $object, $noun, $id);
        #[doc = concat!("Confirmation payload returned after deleting a ", $noun, ".")]
        pub type $answer = $crate::Deleted<$kind>;
    };
    ($answer:ident, $kind:ident, $object:literal, $noun:literal) => {
        $crate::deleted::deleted!(@kind $answer, $kind, $object, $noun, ());
        #[doc = concat!("Confirmation payload returned after removing a ", $noun, ".")]
        pub type $answer = $crate::Gone<$kind>;
    };
    (@kind $answer:ident, $kind:ident, $object:literal, $noun:literal, $id:ty) => {
        #[doc = concat!("The `object` of a deleted ", $noun, ".")]
        #[derive(Clone, Debug, PartialEq)]
        pub enum $kind {}

        impl $crate::ObjectName for $kind {
            const NAME: &'static str = $object;
        }

        impl $crate::DeletedKind for $kind {
            type Id = $id;
            const SCHEMA: &'static str = stringify!($answer);
            const NOUN: &'static str = $noun;
        }
    };
}
pub(crate) use deleted;

#[cfg(feature = "schema")]
mod schema {
    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    use super::{Deleted, DeletedKind, Gone, Object};

    /// The schemas have the published names, which a derive cannot take from the kind.
    impl<K: DeletedKind<Id: JsonSchema>> JsonSchema for Deleted<K> {
        fn schema_name() -> std::borrow::Cow<'static, str> {
            K::SCHEMA.into()
        }
        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            let mut id = generator.subschema_for::<K::Id>();
            id.insert("description".to_owned(), format!("Identifier of the deleted {}.", K::NOUN).into());
            json_schema!({
                "type": "object",
                "description": format!("Confirmation payload returned after deleting a {}.", K::NOUN),
                "properties": {
                    "object": generator.subschema_for::<Object<K>>(),
                    "id": id,
                    "deleted": { "type": "boolean" },
                },
                "required": ["object", "id", "deleted"],
            })
        }
    }

    impl<K: DeletedKind> JsonSchema for Gone<K> {
        fn schema_name() -> std::borrow::Cow<'static, str> {
            K::SCHEMA.into()
        }
        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            json_schema!({
                "type": "object",
                "description": format!("Confirmation payload returned after removing a {}.", K::NOUN),
                "properties": {
                    "object": generator.subschema_for::<Object<K>>(),
                    "deleted": { "type": "boolean" },
                },
                "required": ["object", "deleted"],
            })
        }
    }
}
