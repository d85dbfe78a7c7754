//! Fixtures, and a plain HTTP client.

use openai_admin::{Client, Error, models::CreateGroupUserBody};
use openai_admin_emulator::{Emulator, EmulatorBuilder};
use openai_admin_store::Directory;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Three users, an empty group, and a group with one of them.
pub(crate) fn fixtures() -> Directory {
    serde_json::from_value(json!({
        "users": [
            { "id": "user_ada", "email": "ada@example.com", "name": "Ada" },
            { "id": "user_bob", "email": "bob@example.com", "name": "Bob" },
            { "id": "user_eve", "email": "eve@example.com", "name": "Eve" },
        ],
        "groups": [
            { "id": "group_support", "name": "Support" },
            { "id": "group_sales", "name": "Sales", "members": ["user_eve"] },
        ],
    }))
    .unwrap()
}

pub(crate) fn builder() -> EmulatorBuilder {
    Emulator::builder().fixtures(fixtures())
}

pub(crate) async fn emulator() -> Emulator {
    builder().start().await.unwrap()
}

/// A client without retries.
pub(crate) fn once(emulator: &Emulator) -> Client {
    Client::builder().base_url(emulator.url()).key("sk-test").retries(0).build().unwrap()
}

pub(crate) async fn add(client: &Client, user: &str) -> Result<(), Error> {
    let body = CreateGroupUserBody::new(user.parse().unwrap());
    client.group_users().add_group_user("group_support", body).await.map(|_| ())
}

pub(crate) async fn members(client: &Client, group: &str) -> Vec<String> {
    let page = client.group_users().list_group_users(group).await.unwrap();
    page.data.iter().map(|user| user.id.to_string()).collect()
}

/// A response.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// The message of an error.
    pub(crate) fn message(&self) -> String {
        self.json()["error"]["message"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (own, value) = line.split_once(": ")?;
            own.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// The values of a header that may be repeated.
    pub(crate) fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let values = self.head.lines().filter_map(|line| line.split_once(": "));
        values.filter(move |(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

/// Sends a request on a new connection, with the key `sk-test`. The path is relative to the host.
pub(crate) async fn ask(emulator: &Emulator, method: &str, path: &str, body: &str) -> Answer {
    ask_as(emulator, "sk-test", method, path, body).await
}

pub(crate) async fn ask_as(emulator: &Emulator, key: &str, method: &str, path: &str, body: &str) -> Answer {
    Answer::read(&exchange(emulator, key, method, path, body).await.unwrap())
}

/// Sends a request and reads until the connection ends.
pub(crate) async fn exchange(
    emulator: &Emulator,
    key: &str,
    method: &str,
    path: &str,
    body: &str,
) -> std::io::Result<String> {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\ncontent-type: application/json"
    );
    exchange_raw(emulator, &head, body).await
}

/// The same with a given head, except for the headers about its length.
pub(crate) async fn exchange_raw(emulator: &Emulator, head: &str, body: &str) -> std::io::Result<String> {
    let mut stream = send_raw(emulator, head, body).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// Sends the same request and reads nothing.
pub(crate) async fn send_raw(emulator: &Emulator, head: &str, body: &str) -> std::io::Result<TcpStream> {
    let address = emulator.url().trim_start_matches("http://").trim_end_matches("/v1").to_owned();
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("{head}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).await?;
    Ok(stream)
}

/// Sends a request with this head.
pub(crate) async fn ask_raw(emulator: &Emulator, head: &str, body: &str) -> Answer {
    Answer::read(&exchange_raw(emulator, head, body).await.unwrap())
}

pub(crate) const ADD: &str = "/v1/organization/groups/group_support/users";
pub(crate) const ADA: &str = r#"{"user_id":"user_ada"}"#;
