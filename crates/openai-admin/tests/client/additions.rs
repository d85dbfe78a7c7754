//! Additions of many users: a result for each, and a bounded number at once.

use std::{
    collections::HashSet,
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use openai_admin::client::{ADDITIONS_AT_ONCE_MAX, Addition, RequestBody};
use tokio::sync::Semaphore;

use super::*;

/// A service that answers an addition once it has a permit, and counts the requests in flight.
#[derive(Clone, Default)]
struct Gate(Arc<Inside>);

struct Inside {
    permits: Semaphore,
    arrived: AtomicUsize,
    in_flight: AtomicUsize,
    most: AtomicUsize,
}

impl Default for Inside {
    fn default() -> Self {
        let permits = Semaphore::new(0);
        Self { permits, arrived: 0.into(), in_flight: 0.into(), most: 0.into() }
    }
}

impl Gate {
    fn client(&self) -> Client {
        let gate = Arc::clone(&self.0);
        let service = tower::service_fn(move |request: http::Request<RequestBody>| {
            let gate = Arc::clone(&gate);
            async move {
                gate.arrived.fetch_add(1, Ordering::SeqCst);
                let now = gate.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
                gate.most.fetch_max(now, Ordering::SeqCst);
                gate.permits.acquire().await.unwrap().forget();
                gate.in_flight.fetch_sub(1, Ordering::SeqCst);
                let body = request.into_body().collect().await.unwrap().to_bytes();
                let user: serde_json::Value = serde_json::from_slice(&body).unwrap();
                let answer = serde_json::json!({ "user_id": user["user_id"], "group_id": "g" }).to_string();
                Ok::<_, Infallible>(http::Response::new(Full::new(Bytes::from(answer))))
            }
        });
        Client::builder().base_url("http://localhost/v1").service(service).build().unwrap()
    }
}

fn users(number: usize) -> Vec<String> {
    (0..number).map(|user| format!("user_{user}")).collect()
}

fn added(addition: &Addition) -> &str {
    addition.result.as_ref().unwrap().user_id.as_str()
}

#[tokio::test(start_paused = true)]
async fn each_user_has_a_result_in_the_given_order() {
    let gate = Gate::default();
    gate.0.permits.add_permits(1000);
    let additions = gate.client().group_users().add_group_users("g", users(100)).unwrap().all().await;
    let ids: Vec<_> = additions.iter().map(added).collect();
    assert_eq!(ids, users(100));
}

#[tokio::test(start_paused = true)]
async fn at_most_the_given_number_runs_at_once() {
    for (given, most) in [(0, 1), (3, 3), (1000, ADDITIONS_AT_ONCE_MAX)] {
        let gate = Gate::default();
        let additions = gate.client().group_users().add_group_users("g", users(100)).unwrap();
        let all = tokio::spawn(additions.concurrency(given).all());
        // The clock moves once all tasks wait.
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(gate.0.arrived.load(Ordering::SeqCst), most);
        gate.0.permits.add_permits(100);
        assert_eq!(all.await.unwrap().len(), 100);
        assert_eq!(gate.0.most.load(Ordering::SeqCst), most);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_the_result_of_its_user_only() {
    let script = Script::new().then_ok(ADDED).status(404).then_ok(ADDED);
    let users = ["u", "a/b", "unknown", "u"];
    let additions = client(&script).group_users().add_group_users("g", users).unwrap();
    let additions = additions.concurrency(1).all().await;
    let facts: Vec<_> = additions
        .iter()
        .map(|addition| (addition.user_id.is_some(), addition.result.as_ref().map_err(Error::kind).is_ok()))
        .collect();
    assert_eq!(facts, [(true, true), (false, false), (true, false), (true, true)]);
    let invalid = additions[1].result.as_ref().unwrap_err();
    assert_eq!((invalid.operation(), invalid.param()), (Some("add-group-user"), Some("user_id")));
    let error = client(&script).group_users().add_group_users("a/b", users).unwrap_err();
    assert_eq!(error.param(), Some("group_id"));
}

#[tokio::test(start_paused = true)]
async fn canceling_next_loses_no_addition() {
    let gate = Gate::default();
    let mut additions = gate.client().group_users().add_group_users("g", users(20)).unwrap().concurrency(5);
    let mut seen = HashSet::new();
    while seen.len() < 20 {
        if let Ok(Some(addition)) = tokio::time::timeout(Duration::from_millis(1), additions.next()).await {
            assert!(seen.insert(added(&addition).to_owned()));
        } else {
            gate.0.permits.add_permits(1);
        }
    }
    assert!(additions.next().await.is_none());
    assert_eq!(gate.0.arrived.load(Ordering::SeqCst), 20, "each was sent once");
}

#[tokio::test(start_paused = true)]
async fn additions_are_a_stream() {
    use futures_util::StreamExt as _;
    let gate = Gate::default();
    gate.0.permits.add_permits(10);
    let additions = gate.client().group_users().add_group_users("g", users(10)).unwrap().into_stream();
    assert_eq!(additions.map(|addition| added(&addition).to_owned()).collect::<Vec<_>>().await.len(), 10);
}
