//! Searches by the start of a name, an address or an id (an extension). A search compares rows in the order of a list,
//! read by one statement.

use openai_admin::{
    Cursor, GroupId, ListItem, NextPage, Order, UserId,
    identity::{email_key, has_word_with_start, name_key_in_any_case},
    models::{GroupListResource, GroupResponse, GroupUser, User, UserListResource},
    operations::{
        SearchGroupUsers, SearchGroups, SearchUsers,
        search::{COMPARED_MAX, UserSearchResource},
    },
};

use crate::{
    base::{
        error::{Error, Result},
        page::Range,
        text::check_text,
        value::values,
    },
    engines::lanes::Lane,
    nouns::{
        group_users,
        users::{self, StoredUser},
    },
    operation::{Reads, reading::Reading, tx::Tx},
    shapes::thing::{self, Thing},
};

/// The rows that a search reads: one more than it compares, to detect whether there are more.
const ROWS_MAX: i64 = COMPARED_MAX as i64 + 1;

/// The cursor of a page that starts at the first row, after a page of the exact match alone. No id contains a slash.
const START: &str = "/";

impl Reads for SearchUsers {
    fn lane(&self) -> Lane {
        Lane::Scan
    }

    fn read(&self, tx: &mut Reading<'_>) -> Result<UserSearchResource> {
        let search = Search::new(&self.starts_with)?;
        let mut found = Found::new(self.limit.unwrap_or_default().get());
        // Later pages leave this user out.
        if self.after.is_none() {
            found.items.extend(search.exact_user(tx)?);
        }
        let after = thing::cursor::<StoredUser>(tx, after_start(self.after.as_ref()))?;
        let range = Range::new(Order::Asc, after, 0);
        let values = values![tx.org(), range.after, ROWS_MAX];
        tx.query_while(StoredUser::TABLE.sql.page[0], values, |row| {
            let (id, name, email) = (row.text(1)?, row.text(2)?, row.optional_text(3)?);
            let is_found = search.finds_user(id, name, email) && !search.is_exact(id, email);
            found.compare(id, is_found, || Ok(StoredUser::from_row(row)?.user))
        })?;
        found.into_page()
    }
}

impl Reads for SearchGroups {
    fn lane(&self) -> Lane {
        Lane::Scan
    }

    fn read(&self, tx: &mut Reading<'_>) -> Result<GroupListResource> {
        let search = Search::new(&self.starts_with)?;
        let mut found = Found::new(self.limit.unwrap_or_default().get());
        if let (None, Ok(id)) = (&self.after, GroupId::new(search.text)) {
            found.items.extend(thing::look_up(tx, id.as_str())?.map(|found| found.thing));
        }
        let after = thing::cursor::<GroupResponse>(tx, after_start(self.after.as_ref()))?;
        let range = Range::new(self.order.unwrap_or(Order::Asc), after, 0);
        let [upward, downward] = GroupResponse::TABLE.sql.page;
        let values = values![tx.org(), range.after, ROWS_MAX];
        tx.query_while(range.choose(upward, downward), values, |row| {
            let (id, name) = (row.text(1)?, row.text(2)?);
            let is_found = search.finds_group(id, name) && id != search.text;
            found.compare(id, is_found, || GroupResponse::from_row(row))
        })?;
        found.into_page()
    }
}

impl Reads for SearchGroupUsers {
    fn lane(&self) -> Lane {
        Lane::Scan
    }

    fn read(&self, tx: &mut Reading<'_>) -> Result<UserListResource> {
        let search = Search::new(&self.starts_with)?;
        let mut found = Found::new(self.limit.unwrap_or_default().get());
        let (group_seq, after) = group_users::find_group(tx, &self.group_id, self.after.as_ref())?;
        let range = Range::new(self.order.unwrap_or(Order::Desc), after, 0);
        let (values, members) =
            (values![tx.org(), group_seq, range.after, ROWS_MAX], group_users::members(tx, range.order));
        tx.query_while(members, values, |row| {
            let (id, name, email) = (row.text(0)?, row.text(1)?, row.optional_text(2)?);
            let user = || Ok(GroupUser::new(row.parsed(0)?, name.into(), email.map(Into::into)));
            found.compare(id, search.finds_user(id, name, email), user)
        })?;
        found.into_page()
    }
}

/// The row after which the page starts.
fn after_start(after: Option<&Cursor>) -> Option<&Cursor> {
    after.filter(|after| after.as_str() != START)
}

/// The text of a search.
struct Search<'a> {
    text: &'a str,
    /// The text without case, for names and addresses.
    key: String,
}

impl<'a> Search<'a> {
    fn new(text: &'a str) -> Result<Self> {
        check_text("starts_with", text)?;
        let text = text.trim();
        Ok(Self { text, key: name_key_in_any_case(text) })
    }

    fn finds_user(&self, id: &str, name: &str, email: Option<&str>) -> bool {
        id.starts_with(self.text)
            || has_word_with_start(name, &self.key)
            || email.is_some_and(|email| has_word_with_start(email, &self.key))
    }

    fn finds_group(&self, id: &str, name: &str) -> bool {
        id.starts_with(self.text) || name_key_in_any_case(name).starts_with(&self.key)
    }

    fn is_address(&self) -> bool {
        self.text.contains('@')
    }

    /// Whether the text is the whole id or address of a user.
    fn is_exact(&self, id: &str, email: Option<&str>) -> bool {
        match self.is_address() {
            true => email.is_some_and(|email| email_key(email) == email_key(self.text)),
            false => id == self.text,
        }
    }

    /// The user with exactly this id or address, wherever they are in the list.
    fn exact_user(&self, tx: &mut Tx<'_>) -> Result<Option<User>> {
        let found = match UserId::new(self.text) {
            _ if self.is_address() => users::find_by_email(tx, self.text)?,
            Ok(id) => thing::look_up::<StoredUser>(tx, id.as_str())?,
            Err(_) => None,
        };
        Ok(found.map(|found| found.thing.user))
    }
}

/// The items of a page, while rows are compared.
struct Found<T> {
    items: Vec<T>,
    limit: usize,
    compared: usize,
    /// The id of the last row that was compared, or [`START`].
    last: String,
    has_more: bool,
}

impl<T: ListItem> Found<T> {
    fn new(limit: u16) -> Self {
        Self {
            items: Vec::new(),
            limit: usize::from(limit),
            compared: 0,
            last: START.to_owned(),
            has_more: false,
        }
    }

    /// Takes the next row, and returns `None` at the end of the page: at one item too many, or after the last row that one
    /// request compares.
    fn compare(&mut self, id: &str, is_found: bool, item: impl FnOnce() -> Result<T>) -> Result<Option<()>> {
        if self.compared == COMPARED_MAX || is_found && self.items.len() >= self.limit {
            self.has_more = true;
            return Ok(None);
        }
        self.compared += 1;
        self.last.clear();
        self.last.push_str(id);
        if is_found {
            self.items.push(item()?);
        }
        Ok(Some(()))
    }

    fn into_page(self) -> Result<NextPage<T>> {
        let next = self.has_more.then(|| Cursor::new(&*self.last)).transpose().map_err(Error::internal)?;
        Ok(NextPage::continued(self.items, next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(number: usize) -> GroupResponse {
        let id = format!("group_{number}").parse().expect("an id");
        GroupResponse::new(id, "ML", openai_admin::Timestamp::from_unix_seconds(0))
    }

    /// A page of a search that finds each group whose number is a multiple of `found`.
    fn page(groups: usize, found: usize, limit: u16) -> NextPage<GroupResponse> {
        let mut page = Found::new(limit);
        for number in 1..=groups {
            let next = page.compare(&format!("group_{number}"), number % found == 0, || Ok(group(number)));
            if next.expect("a group").is_none() {
                break;
            }
        }
        page.into_page().expect("a page")
    }

    fn next(page: &NextPage<GroupResponse>) -> Option<&str> {
        page.next.as_ref().map(Cursor::as_str)
    }

    #[test]
    fn a_page_ends_before_one_item_too_many() {
        let page = page(100, 10, 3);
        assert_eq!((page.data.len(), next(&page)), (3, Some("group_39")));
        let all = super::tests::page(100, 10, 10);
        assert_eq!((all.data.len(), next(&all)), (10, None));
    }

    #[test]
    fn a_page_ends_after_the_rows_that_one_request_compares() {
        let at_the_end = page(COMPARED_MAX, COMPARED_MAX, 5);
        assert_eq!((at_the_end.data.len(), next(&at_the_end)), (1, None));
        let (last, empty) = (format!("group_{COMPARED_MAX}"), page(COMPARED_MAX + 1, usize::MAX, 5));
        assert_eq!((empty.data.len(), empty.has_more, next(&empty)), (0, true, Some(&*last)));
    }
}
