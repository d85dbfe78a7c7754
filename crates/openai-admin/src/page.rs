//! The two formats of lists: most lists return a `next` cursor, older ones the first and last id of the page.

use serde::{Deserialize, Serialize};

use crate::{
    id::Cursor,
    value::{Object, ObjectName, Order},
    violation::Violation,
};

/// A page of a list, in any format.
pub trait Page {
    /// The type of the items.
    type Item: Send;

    /// The items of this page, in the order of the list.
    fn items(&self) -> &[Self::Item];
    /// The items of this page, owned.
    fn into_items(self) -> Vec<Self::Item>;
    /// Whether there are items after this page.
    fn has_more(&self) -> bool;
    /// The cursor of the next page, for `after`. `None` at the end, and in an invalid answer.
    fn next_cursor(&self) -> Option<Cursor>;
}

/// A request for a page of a list.
pub trait ListEndpoint: crate::Endpoint<Response: Page> + Clone {
    /// Sets the cursor after which the page starts.
    fn set_after(&mut self, after: Cursor);

    /// The cursor after which the page starts.
    fn after(&self) -> Option<&Cursor>;

    /// The cursor of the page after `page`, for [`set_after`](Self::set_after). `None` at the end, and after an invalid
    /// answer.
    fn next_cursor(&self, page: &Self::Response) -> Option<Cursor> {
        page.next_cursor()
    }

    /// Sets the number of items on a page.
    ///
    /// # Errors
    ///
    /// If the list does not allow this number.
    fn set_limit(&mut self, limit: i64) -> Result<(), Violation>;

    /// The number of items on a page.
    fn limit(&self) -> u16;
}

/// A list that can be read in both directions.
pub trait OrderedListEndpoint: ListEndpoint {
    /// Sets the direction.
    fn set_order(&mut self, order: Order);
}

/// Implements [`ListEndpoint`], and [`OrderedListEndpoint`] if requested, for a request with these fields.
macro_rules! list_endpoint {
    ($request:ty) => {
        impl $crate::ListEndpoint for $request {
            fn set_after(&mut self, after: $crate::Cursor) {
                self.after = Some(after);
            }
            fn after(&self) -> Option<&$crate::Cursor> {
                self.after.as_ref()
            }
            fn set_limit(&mut self, limit: i64) -> Result<(), $crate::Violation> {
                self.limit = Some($crate::Limit::new(limit)?);
                Ok(())
            }
            fn limit(&self) -> u16 {
                self.limit.unwrap_or_default().get()
            }
        }
    };
    ($request:ty, ordered) => {
        $crate::page::list_endpoint!($request);

        impl $crate::OrderedListEndpoint for $request {
            fn set_order(&mut self, order: $crate::Order) {
                self.order = Some(order);
            }
        }
    };
}
pub(crate) use list_endpoint;

/// An item of a list.
pub trait ListItem {
    /// The name of the list in the published description, such as `UserListResource`.
    const LIST_SCHEMA: &'static str;
    /// The name of its list with a `next` cursor, if it differs.
    const NEXT_LIST_SCHEMA: &'static str = Self::LIST_SCHEMA;
    /// The id of the item.
    fn id(&self) -> &str;
}

/// The `object` of every list.
#[derive(Clone, Debug)]
pub enum ListObject {}

impl ObjectName for ListObject {
    const NAME: &'static str = "list";
}

/// A page with a `next` cursor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NextPage<T> {
    /// Always `list`.
    #[serde(default)]
    pub object: Object<ListObject>,
    /// The items of this page.
    pub data: Vec<T>,
    /// Whether there are items after this page.
    #[serde(default)]
    pub has_more: bool,
    /// What to send as `after` for the next page; null at the end.
    #[serde(default)]
    pub next: Option<Cursor>,
}

impl<T: ListItem> NextPage<T> {
    /// A page of `data`. If `has_more`, its last id is the cursor of the next page.
    pub fn new(data: Vec<T>, has_more: bool) -> Self {
        let next = if has_more { data.last().and_then(|item| Cursor::new(item.id()).ok()) } else { None };
        Self { object: Object::new(), data, has_more, next }
    }

    /// A page of `data`, and the cursor of the next page, which may be another than the last item.
    pub fn continued(data: Vec<T>, next: Option<Cursor>) -> Self {
        Self { object: Object::new(), data, has_more: next.is_some(), next }
    }
}

impl<T: Send> Page for NextPage<T> {
    type Item = T;

    fn items(&self) -> &[T] {
        &self.data
    }
    fn into_items(self) -> Vec<T> {
        self.data
    }
    fn has_more(&self) -> bool {
        self.has_more
    }
    fn next_cursor(&self) -> Option<Cursor> {
        self.next.clone()
    }
}

/// A page that names its first and last id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IdPage<T> {
    /// Always `list`.
    #[serde(default)]
    pub object: Object<ListObject>,
    /// The items of this page.
    pub data: Vec<T>,
    /// The id of the first item; null on an empty page.
    #[serde(default)]
    pub first_id: Option<Cursor>,
    /// The id of the last item, to send as `after`; null on an empty page.
    #[serde(default)]
    pub last_id: Option<Cursor>,
    /// Whether there are items after this page.
    #[serde(default)]
    pub has_more: bool,
}

impl<T: ListItem> IdPage<T> {
    /// A page of `data`. `has_more` says whether there are items after it.
    pub fn new(data: Vec<T>, has_more: bool) -> Self {
        let id = |item: Option<&T>| item.and_then(|item| Cursor::new(item.id()).ok());
        Self { object: Object::new(), first_id: id(data.first()), last_id: id(data.last()), data, has_more }
    }
}

impl<T: Send> Page for IdPage<T> {
    type Item = T;

    fn items(&self) -> &[T] {
        &self.data
    }
    fn into_items(self) -> Vec<T> {
        self.data
    }
    fn has_more(&self) -> bool {
        self.has_more
    }
    fn next_cursor(&self) -> Option<Cursor> {
        if self.has_more { self.last_id.clone() } else { None }
    }
}

#[cfg(feature = "schema")]
mod schema {
    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    use super::{IdPage, ListItem, ListObject, NextPage, Object};

    /// A list has the name of its published schema, which a derived schema cannot take from the item.
    macro_rules! list_schema {
        ($page:ident named $name:ident { $($cursor:literal),* }) => {
            impl<T: ListItem + JsonSchema> JsonSchema for $page<T> {
                fn schema_name() -> std::borrow::Cow<'static, str> {
                    T::$name.into()
                }
                fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                    json_schema!({
                        "type": "object",
                        "properties": {
                            "object": generator.subschema_for::<Object<ListObject>>(),
                            "data": { "type": "array", "items": generator.subschema_for::<T>() },
                            $($cursor: { "type": ["string", "null"] },)*
                            "has_more": { "type": "boolean" },
                        },
                        "required": ["object", "data", $($cursor,)* "has_more"],
                    })
                }
            }
        };
    }

    list_schema!(NextPage named NEXT_LIST_SCHEMA { "next" });
    list_schema!(IdPage named LIST_SCHEMA { "first_id", "last_id" });
}
