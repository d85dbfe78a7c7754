//! The calls through nothing but hyper-util and serde_json: no checks, no retries, no timeouts, no typed errors.
//! What a client costs above this, it pays for what it does for its users.

use bytes::Bytes;
use driver::{Caller, GROUP_ID, KEY, PAGE_USERS, USER_ID};
use http::{HeaderValue, Method, Request, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

#[derive(Serialize)]
struct CreateGroupUserBody {
    user_id: String,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "decoded as a program would want it, and not all read")]
struct GroupUserAssignment {
    object: String,
    user_id: String,
    group_id: String,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "decoded as a program would want it, and not all read")]
struct UserListResource {
    object: String,
    data: Vec<GroupUser>,
    has_more: bool,
    next: Option<String>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "decoded as a program would want it, and not all read")]
struct GroupUser {
    id: String,
    name: String,
    email: Option<String>,
}

#[derive(Clone)]
struct Raw {
    client: Client<HttpConnector, Full<Bytes>>,
    base_url: String,
    authorization: HeaderValue,
}

impl Raw {
    async fn send<T: DeserializeOwned>(&self, method: Method, query: &str, body: Option<Bytes>) -> T {
        let uri: Uri =
            format!("{}/organization/groups/{GROUP_ID}/users{query}", self.base_url).parse().expect("a URL");
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .header(header::AUTHORIZATION, self.authorization.clone())
            .header(header::ACCEPT, HeaderValue::from_static("application/json"))
            .header(header::USER_AGENT, HeaderValue::from_static("raw/1"));
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let request = request.body(Full::new(body.unwrap_or_default())).expect("a request");
        let answer = self.client.request(request).await.expect("an answer");
        assert!(answer.status().is_success());
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        serde_json::from_slice(&body).expect("a model")
    }
}

impl Caller for Raw {
    fn new(base_url: &str) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector);
        let authorization = HeaderValue::try_from(format!("Bearer {KEY}")).expect("a key");
        Self { client, base_url: base_url.to_owned(), authorization }
    }

    async fn add(&self) {
        let body = serde_json::to_vec(&CreateGroupUserBody { user_id: USER_ID.to_owned() }).expect("a body");
        let answer: GroupUserAssignment = self.send(Method::POST, "", Some(body.into())).await;
        assert_eq!(answer.user_id, USER_ID);
    }

    async fn list(&self) {
        let answer: UserListResource = self.send(Method::GET, "?limit=100", None).await;
        assert_eq!(answer.data.len(), PAGE_USERS);
    }

    async fn tell(&self, _: &[String]) -> String {
        "hyper-util has no errors of the API".to_owned()
    }
}

driver::caller!(Raw);
