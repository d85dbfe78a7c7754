//! Every operation of the SDK, as data.

use std::marker::PhantomData;

use openai_admin::{
    Client, Endpoint, ListEndpoint, ListItem, Page, for_each_declared_operation, for_each_operation,
    operations, schema,
};
use serde::Serialize;
use serde_json::Value;

use super::{
    columns,
    operation::{BoxFuture, Dispatch, Listing, Operation},
    request_fields::RequestFields,
    words::noun,
};
use crate::{failure::Result, lists::print_list};

macro_rules! entries {
    ($($operation:ident)*) => { &[$(Operation {
        id: operations::$operation::ID,
        method: operations::$operation::METHOD,
        path: operations::$operation::PATH,
        noun: noun(operations::$operation::PATH),
        request: schema::of_request::<operations::$operation>,
        answer: schema::of_answer::<<operations::$operation as Endpoint>::Response>,
        check: check::<operations::$operation>,
        dispatch: Sender::<operations::$operation>::DISPATCH,
    }),*] };
}

/// The operations that this project's server serves.
static SERVED: &[Operation] = for_each_operation!(entries);
/// The operations that only OpenAI's service has.
static DECLARED: &[Operation] = for_each_declared_operation!(entries);

/// Every operation of the SDK.
pub(super) fn all() -> impl Iterator<Item = &'static Operation> {
    SERVED.iter().chain(DECLARED)
}

struct Sender<E>(PhantomData<E>);

/// The compiler prefers this constant to the trait's if its bounds hold, so that lists are detected automatically.
impl<E: ListEndpoint> Sender<E>
where
    <E::Response as Page>::Item: ListItem + Serialize,
{
    const DISPATCH: Dispatch = Dispatch::InPages(print::<E>);
}

trait SendOnce {
    const DISPATCH: Dispatch;
}

impl<E: Endpoint> SendOnce for Sender<E> {
    const DISPATCH: Dispatch = Dispatch::Once(send::<E>);
}

fn check<E: Endpoint>(given: &RequestFields) -> Result<()> {
    given.request::<E>().map(drop)
}

fn send<'a, E: Endpoint>(client: &'a Client, given: &'a RequestFields) -> BoxFuture<'a, Value> {
    Box::pin(async move {
        let request: E = given.request()?;
        let answer = client.send(&request).await?;
        columns::tree(&*answer)
    })
}

fn print<'a, E: ListEndpoint>(
    client: &'a Client,
    given: &'a RequestFields,
    listing: &'a Listing<'a>,
) -> BoxFuture<'a, ()>
where
    <E::Response as Page>::Item: ListItem + Serialize,
{
    Box::pin(async move {
        let request: E = given.request()?;
        let layout = columns::layout(listing.item, listing.columns);
        let doing = || listing.doing.to_owned();
        let Listing { part, page_size, none, output, .. } = *listing;
        print_list(client.list(request), part, page_size, &layout, none, doing, output).await
    })
}
