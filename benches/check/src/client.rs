//! Calls of the client, and requests that become bytes and come back.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    hint::black_box,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::Full;
use openai_admin::{
    Client, GroupId, Limit, UserId,
    models::CreateGroupUserBody,
    operations::{AddGroupUser, CreateUsageBatch, ListGroupUsers},
    wire::{Incoming, Strictness, decode, encode},
};
use serde_json::json;

use crate::BoxError;

const GROUP: &str = "group_01J1F8ABCDXYZ0123456789AB";
const USER: &str = "user-aB3dE5gH7jK9mN1pQ3sT5vW7";
const PAGE_USERS: usize = 100;
const BATCH_RECORDS: usize = 10;

/// A service that knows both answers.
#[derive(Clone)]
struct Answers {
    added: Bytes,
    page: Bytes,
}

impl<B> tower_service::Service<http::Request<B>> for Answers {
    type Response = http::Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let body = if request.method() == http::Method::POST { &self.added } else { &self.page };
        let mut response = http::Response::new(Full::new(body.clone()));
        let headers = response.headers_mut();
        headers.insert("content-type", http::HeaderValue::from_static("application/json"));
        ready(Ok(response))
    }
}

impl Answers {
    fn new() -> Self {
        let user = |number: usize| {
            json!({ "object": "user", "id": format!("user-{number:024}"), "name": "Grace Hopper",
                    "email": format!("m{number}@example.com"), "role": "reader", "added_at": 1_711_471_533 })
        };
        let users: Vec<_> = (0..PAGE_USERS).map(user).collect();
        let page = json!({ "object": "list", "data": users, "has_more": false, "next": null });
        let added = json!({ "object": "group.user", "user_id": USER, "group_id": GROUP });
        Self { added: added.to_string().into(), page: page.to_string().into() }
    }
}

pub(crate) async fn make(call: &str, times: usize) -> Result<(), BoxError> {
    let client = Client::builder()
        .base_url("http://localhost/v1")
        .key("sk-admin-123")
        .service(Answers::new())
        .build()?;
    for _ in 0..times {
        match call {
            "add" => {
                let body = CreateGroupUserBody::new(UserId::new(USER)?);
                assert_eq!(client.group_users().add_group_user(GROUP, body).await?.user_id, USER);
            }
            "list" => {
                let page = client.group_users().list_group_users(GROUP).limit(100).await?;
                assert_eq!(page.data.len(), PAGE_USERS);
            }
            _ => return Err(format!("the client has no '{call}' here").into()),
        }
    }
    Ok(())
}

pub(crate) fn convert(way: &str, times: usize) -> Result<(), BoxError> {
    let group = GroupId::new(GROUP)?;
    let add = AddGroupUser::new(group.clone(), UserId::new(USER)?);
    let mut list = ListGroupUsers::new(group);
    list.limit = Some(Limit::new(100)?);
    list.after = Some(USER.parse()?);
    let mut target = String::new();
    let body = encode(&add, &mut target)?.unwrap_or_default();
    target.clear();
    encode(&list, &mut target)?;
    let query = target.split_once('?').map_or("", |(_, query)| query).to_owned();
    let record = json!({ "time": 1_711_471_533, "project_id": "proj_1", "model": "gpt-5", "input_tokens": 1200,
                         "output_tokens": 80, "num_model_requests": 1 });
    let batch = json!({ "batch_id": "batch-1", "completions": vec![record; BATCH_RECORDS] }).to_string();
    for _ in 0..times {
        match way {
            "encode" => {
                target.clear();
                black_box(encode(black_box(&add), &mut target)?);
                target.clear();
                black_box(encode(black_box(&list), &mut target)?);
            }
            "decode" => {
                let path = [("group_id", GROUP)];
                let incoming = Incoming { path: &path, query: "", body: black_box(&body) };
                assert_eq!(decode::<AddGroupUser>(&incoming, Strictness::Lenient)?, add);
                let incoming = Incoming { path: &path, query: black_box(&query), body: &[] };
                assert_eq!(decode::<ListGroupUsers>(&incoming, Strictness::Lenient)?, list);
            }
            "decode, usage batch" => {
                let incoming = Incoming { path: &[], query: "", body: black_box(batch.as_bytes()) };
                let batch = decode::<CreateUsageBatch>(&incoming, Strictness::Lenient)?;
                assert_eq!(batch.body.completions.len(), BATCH_RECORDS);
            }
            _ => return Err(format!("requests are not '{way}'d").into()),
        }
    }
    Ok(())
}
