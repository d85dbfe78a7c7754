//! `access SCALE FILE`: fills a new database with an organization and measures questions about access.

mod fill;

use std::time::{Duration, Instant};

use openai_admin::{
    Timestamp,
    operations::{CheckAccess, ListPermissionUsers, RetrieveUserAccess},
};
use openai_admin_store::{DatabaseUrl, Org, Reads, Stamp, Store};
use serde_json::{Value as Json, json};
use ulid::Ulid;

use fill::Size;

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// How often each question is asked, each time about other users or projects.
const READS: u64 = 41;
/// The checks of a request: the maximum.
const CHECKS: u64 = 1000;

fn main() -> Result<(), BoxError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [scale, file] = &arguments[..] else { return Err("usage: access SCALE FILE".into()) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(measure(Size::of(scale.parse()?), file))
}

async fn measure(size: Size, file: &str) -> Result<(), BoxError> {
    let url = DatabaseUrl::Sqlite(file.into());
    let store = Store::open(&url).await?;
    let org = store.open_organization(stamp(), None).await?.org;
    store.close().await;
    let begun = Instant::now();
    fill::fill(file, &size)?;
    println!(
        "{} users, {} groups, {} memberships, {} projects in {:.0} s",
        size.users,
        size.groups() + 1,
        size.memberships(),
        size.projects,
        begun.elapsed().as_secs_f64()
    );
    let bench = Bench { store: Store::open(&url).await?, org, size };
    bench.access_of().await?;
    bench.who().await?;
    bench.checks().await
}

struct Bench {
    store: Store,
    org: Org,
    size: Size,
}

impl Bench {
    async fn access_of(&self) -> Result<(), BoxError> {
        self.ask::<RetrieveUserAccess>("access of a user", 20, |turn| json!({ "user_id": self.user(turn) }))
            .await?;
        self.ask::<RetrieveUserAccess>(
            "access of a user in a project",
            20,
            |turn| json!({ "user_id": self.user(turn), "project_id": self.project(turn) }),
        )
        .await
    }

    async fn who(&self) -> Result<(), BoxError> {
        for (name, permission) in [
            ("who, a permission of every user", "api.groups.read"),
            ("who, a permission of owners", "api.management.write"),
            ("who, a role of 100 groups and 100 users", "api.bench.7"),
            ("who, a role of a group of every user", fill::OF_EVERYONE),
            ("who, a role of 10,000 groups", fill::OF_MANY_GROUPS),
        ] {
            self.ask::<ListPermissionUsers>(name, 50, |_| json!({ "permission": permission, "limit": 100 }))
                .await?;
        }
        for (name, permission) in [
            ("who in a project, a permission of members", "api.model.request"),
            ("who in a project, a permission of owners", "api.webhooks.read"),
            ("who in a project, a role of 10,000 groups", fill::OF_MANY_GROUPS),
        ] {
            self.ask::<ListPermissionUsers>(
                name,
                50,
                |turn| json!({ "permission": permission, "limit": 100, "project_id": self.project(turn) }),
            )
            .await?;
        }
        Ok(())
    }

    async fn checks(&self) -> Result<(), BoxError> {
        let body = |turn: u64, check: &dyn Fn(u64) -> Json| json!({ "body": { "checks": (0..CHECKS).map(|number| check(turn * CHECKS + number)).collect::<Vec<_>>() } });
        self.ask::<CheckAccess>("1,000 checks of 1,000 users", 100, |turn| {
            body(turn, &|number| json!({ "user_id": self.user(number), "permission": "api.bench.7" }))
        })
        .await?;
        self.ask::<CheckAccess>("1,000 checks of 1,000 users in one project", 100, |turn| {
            let project = self.project(turn);
            body(turn, &|number| {
                json!({ "user_id": self.user(number), "permission": "api.model.request", "project_id": project })
            })
        })
        .await?;
        self.ask::<CheckAccess>("1,000 checks of 1,000 users in 1,000 projects", 100, |turn| {
            body(turn, &|number| {
                let project = self.project(number);
                json!({ "user_id": self.user(number), "permission": "api.model.request", "project_id": project })
            })
        })
        .await
    }

    /// Asks a question and prints the median and the minimum of the times, and the mean of the processor time.
    async fn ask<R: Reads + serde::de::DeserializeOwned>(
        &self,
        name: &str,
        bound_ms: u64,
        question: impl Fn(u64) -> Json,
    ) -> Result<(), BoxError> {
        let mut taken: Vec<Duration> = Vec::new();
        let before = processor_ms()?;
        let mut items = 0;
        for turn in 0..READS {
            let request: R = serde_json::from_value(question(turn))?;
            let begun = Instant::now();
            let answer = self.store.read(self.org, Timestamp::from_unix_seconds(fill::NOW), request).await?;
            taken.push(begun.elapsed());
            let answer = serde_json::to_value(answer)?;
            let list = answer.get("data").or(answer.get("permissions")).and_then(Json::as_array);
            items = list.map_or(0, Vec::len);
        }
        let processor = (processor_ms()? - before) / READS as f64;
        taken.sort();
        let (median, minimum) = (taken[taken.len() / 2], taken[0]);
        let verdict = if median <= Duration::from_millis(bound_ms) { "met" } else { "missed" };
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        println!(
            "| {name} | {items} | {bound_ms} ms | {:.1} ms | {:.1} ms | {processor:.1} ms | {verdict} |",
            ms(median),
            ms(minimum)
        );
        Ok(())
    }

    /// A user, another for each number and spread over all of them.
    fn user(&self, number: u64) -> String {
        fill::user_id(1 + (number * 7_919 + 13) % self.size.users)
    }

    fn project(&self, number: u64) -> String {
        fill::project_id(1 + number % self.size.projects)
    }
}

/// The processor time of this process, which Linux counts in hundredths of a second.
fn processor_ms() -> Result<f64, BoxError> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(") ").ok_or("no fields")?;
    // User and system time are the fields 14 and 15; the first after the name is the third.
    let ticks = fields.split(' ').skip(11).take(2).map(str::parse::<f64>);
    Ok(10.0 * ticks.sum::<Result<f64, _>>()?)
}

fn stamp() -> Stamp {
    Stamp::new(Ulid::from_parts(fill::NOW as u64 * 1000, 1 << 24), "access")
}
