//! `console SCALE FILE`: fills a new database with an organization and measures the pages of the web console, in process.

#[path = "../../access/src/fill.rs"]
#[allow(dead_code, reason = "the other benchmark uses the rest")]
mod fill;

use std::time::{Duration, Instant};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use http_body_util::BodyExt as _;
use openai_admin::{GroupId, UserId, operations::AddGroupUser};
use openai_admin_console::{Console, Pages};
use openai_admin_server::{Caller, Config, Minter, Server, browser::AllowedHosts};
use openai_admin_store::{DatabaseUrl, Organization, Store};
use tower::ServiceExt as _;

use fill::Size;

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The limit of a first page with its style and its script, compressed.
const FIRST_PAGE_BYTES_MAX: usize = 50_000;
/// How often each page is read, each time after another random row.
const READS: u64 = 1000;
/// The bound of the slowest hundredth.
const BOUND: Duration = Duration::from_millis(100);
/// Changes of memberships, so that the audit log has pages.
const CHANGES: u64 = 500;
/// The steps of a sequence that visits rows in no order: a prime number.
const STEP: u64 = 7_368_787;

fn main() -> Result<(), BoxError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [scale, file] = &arguments[..] else { return Err("usage: console SCALE FILE".into()) };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure(Size::of(scale.parse()?), file))
}

async fn measure(size: Size, file: &str) -> Result<(), BoxError> {
    let url = DatabaseUrl::Sqlite(file.into());
    let minter = Minter::system();
    let store = Store::open(&url).await?;
    store.open_organization(minter.stamp("bench"), None).await?;
    store.close().await;
    fill::fill(file, &size)?;
    println!("{} users, {} groups, {} memberships", size.users, size.groups() + 1, size.memberships());
    let store = Store::open(&url).await?;
    let organization = store.open_organization(minter.stamp("bench"), None).await?;
    change(&store, &minter, &organization, &size).await?;
    let server = Server::new(store, minter.clone(), Config::default());
    let hosts = AllowedHosts::of([127, 0, 0, 1].into());
    let pages = Pages { hosts, is_secure: false, runs: None, command: None, policy: Default::default() };
    let console = Console::of_server(&server, minter, pages);
    let mut browser = Browser { router: server.router_with(console.router()), cookie: String::new() };
    let link = console.sign_in_link(Caller::local(&organization)).ok_or("no link")?;
    browser.sign_in(&link.path).await?;
    let everyone = format!("/console/groups/{}", fill::group_id(size.groups() + 1));
    let user = |turn: u64| fill::user_id(1 + turn.wrapping_mul(STEP) % size.users);
    let group = |turn: u64| fill::group_id(1 + turn.wrapping_mul(STEP) % size.groups());
    println!("| Page | Median | Slowest hundredth | Bound | Bytes | Compressed | |\n|---|---|---|---|---|---|---|");
    browser.read("Overview", |_| "/console".to_owned()).await?;
    browser.read("Groups", |turn| format!("/console/groups?after={}", group(turn))).await?;
    browser.read("A group of ten", |turn| format!("/console/groups/{}", group(turn))).await?;
    browser.read("A group of every user", |turn| format!("{everyone}?after={}", user(turn))).await?;
    browser.read("Roles of a group", |turn| format!("/console/groups/{}/roles", group(turn))).await?;
    browser.read("Users", |turn| format!("/console/users?after={}", user(turn))).await?;
    browser.read("A user", |turn| format!("/console/users/{}", user(turn))).await?;
    let nobody = |turn| format!("nobody{turn}");
    browser.read("Search of users without a match", |turn| format!("/console/users?q={}", nobody(turn))).await?;
    let members = |turn| format!("{everyone}?q={}", nobody(turn));
    browser.read("Search of members without a match", members).await?;
    browser.read("Search of all", |turn| format!("/console/search?q={}", nobody(turn))).await?;
    browser.read("Projects", |_| "/console/projects".to_owned()).await?;
    browser.read("Audit log", |_| "/console/audit".to_owned()).await?;
    browser.first_page().await
}

async fn change(
    store: &Store,
    minter: &Minter,
    organization: &Organization,
    size: &Size,
) -> Result<(), BoxError> {
    for number in 0..CHANGES {
        let group = GroupId::new(fill::group_id(1 + number * 31 % size.groups()))?;
        let user = UserId::new(fill::user_id(1 + number * STEP % size.users))?;
        let request = AddGroupUser::new(group, user);
        store.add_group_user(organization.org, minter.stamp("bench"), request).await?;
    }
    Ok(())
}

struct Browser {
    router: Router,
    cookie: String,
}

impl Browser {
    async fn sign_in(&mut self, path: &str) -> Result<(), BoxError> {
        let (_, html) = self.send("GET", path, "").await?;
        let html = String::from_utf8(html)?;
        let token = html.split("name=\"token\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let secret = path.rsplit('=').next().unwrap_or_default();
        let form = [("token", token.ok_or("no token")?), ("link", secret)];
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let (status, _) = self.send("POST", "/console/sign-in", &form).await?;
        (status == StatusCode::SEE_OTHER).then_some(()).ok_or_else(|| format!("sign-in: {status}").into())
    }

    /// Sends a request, and keeps the cookies of the answer.
    async fn send(&mut self, method: &str, path: &str, body: &str) -> Result<(StatusCode, Vec<u8>), BoxError> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("cookie", &self.cookie);
        if !self.cookie.is_empty() {
            request = request.header("accept-encoding", "gzip");
        }
        let answer = self.router.clone().oneshot(request.body(Body::from(body.to_owned()))?).await?;
        let (parts, body) = answer.into_parts();
        for cookie in parts.headers.get_all("set-cookie") {
            let pair = cookie.to_str()?.split(';').next().unwrap_or_default();
            if !pair.ends_with('=') {
                pair.clone_into(&mut self.cookie);
            }
        }
        Ok((parts.status, body.collect().await?.to_bytes().to_vec()))
    }

    /// Reads a page many times, and prints the times from the request to the whole answer, compressed.
    async fn read(&mut self, name: &str, path: impl Fn(u64) -> String) -> Result<(), BoxError> {
        let (mut times, mut compressed) = (Vec::new(), 0);
        for turn in 0..READS {
            let path = path(turn);
            let begun = Instant::now();
            let (status, body) = self.send("GET", &path, "").await?;
            times.push(begun.elapsed());
            compressed = body.len();
            if status != StatusCode::OK {
                return Err(format!("{path}: {status}").into());
            }
        }
        times.sort();
        let (median, slow) = (times[times.len() / 2], times[times.len() * 99 / 100]);
        let verdict = if slow <= BOUND { "met" } else { "missed" };
        let bytes = self.plain(&path(READS - 1)).await?;
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        println!(
            "| {name} | {:.1} ms | {:.1} ms | {} ms | {bytes} | {compressed} | {verdict} |",
            ms(median),
            ms(slow),
            BOUND.as_millis()
        );
        Ok(())
    }

    /// The size of a page that is not compressed.
    async fn plain(&self, path: &str) -> Result<usize, BoxError> {
        let request = Request::builder().uri(path).header("host", "localhost").header("cookie", &self.cookie);
        let answer = self.router.clone().oneshot(request.body(Body::empty())?).await?;
        Ok(answer.into_body().collect().await?.to_bytes().len())
    }

    /// Prints the size of a first page with its style and its script, compressed.
    async fn first_page(&mut self) -> Result<(), BoxError> {
        let request = Request::builder().uri("/console").header("host", "localhost").header("cookie", &self.cookie);
        let answer = self.router.clone().oneshot(request.body(Body::empty())?).await?;
        let html = String::from_utf8(answer.into_body().collect().await?.to_bytes().to_vec())?;
        let mut sizes = vec![self.send("GET", "/console", "").await?.1.len()];
        for path in html.split('"').filter(|part| part.starts_with("/console/assets/")) {
            sizes.push(self.send("GET", path, "").await?.1.len());
        }
        let sum: usize = sizes.iter().sum();
        let verdict = if sum <= FIRST_PAGE_BYTES_MAX { "met" } else { "missed" };
        println!(
            "\nfirst page with its assets: {sizes:?}, {sum} bytes compressed, at most {FIRST_PAGE_BYTES_MAX}: {verdict}"
        );
        Ok(())
    }
}
