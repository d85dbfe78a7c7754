//! `sqlx-server DATABASE`: pages and adds over axum and sqlx-sqlite, `synchronous=FULL`, as its documentation recommends: one query a
//! page from a pool of readers, and a pool of one connection that writes, since SQLite has one writer at a time.

use std::str::FromStr;

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    routing::get,
};
use serde::{Deserialize, Serialize};
use sqlx::{
    Row, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

#[derive(Deserialize)]
struct Part {
    limit: Option<i64>,
    after: Option<String>,
}

#[derive(Serialize)]
struct User {
    id: String,
    name: String,
    email: Option<String>,
}

#[derive(Serialize)]
struct Page {
    object: &'static str,
    data: Vec<User>,
    has_more: bool,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Body {
    user_id: String,
}

#[derive(Serialize)]
struct Assignment {
    object: &'static str,
    user_id: String,
    group_id: String,
}

/// `?2` is the cursor, or null for the first page.
const PAGE: &str = "select u.id, u.name, u.email
     from (select user_seq from group_users
           where org = 1
             and group_seq = (select seq from groups where org = 1 and id = ?1 and removed_at is null)
             and user_seq < case when ?2 is null then 9223372036854775807
                                 else (select seq from users where org = 1 and id = ?2) end
           order by user_seq desc limit ?3) m
     cross join users u where u.org = 1 and u.seq = m.user_seq order by m.user_seq desc";

#[derive(Clone)]
struct Pools {
    readers: SqlitePool,
    writer: SqlitePool,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let database = std::env::args().nth(1).ok_or("the path of a database")?;
    let options = SqliteConnectOptions::from_str(&format!("sqlite:{database}"))?
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let pools = Pools {
        writer: SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await?,
        readers: SqlitePoolOptions::new().max_connections(8).connect_with(options.read_only(true)).await?,
    };
    let router =
        Router::new().route("/v1/organization/groups/{group_id}/users", get(list).post(add)).with_state(pools);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, router).await?)
}

fn failed(_: sqlx::Error) -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}

const GROUP: &str = "select seq from groups where org = 1 and id = ? and removed_at is null";
const USER: &str = "select seq from users where org = 1 and id = ?";

async fn list(
    State(pools): State<Pools>,
    Path(group_id): Path<String>,
    Query(part): Query<Part>,
) -> Result<Json<Page>, StatusCode> {
    let limit = part.limit.unwrap_or(100);
    let page = sqlx::query(PAGE).bind(&group_id).bind(&part.after).bind(limit + 1);
    let rows = page.fetch_all(&pools.readers).await.map_err(failed)?;
    if rows.is_empty() {
        return Err(StatusCode::NOT_FOUND);
    }
    let mut data: Vec<User> =
        rows.iter().map(|row| User { id: row.get(0), name: row.get(1), email: row.get(2) }).collect();
    let has_more = data.len() as i64 > limit;
    data.truncate(limit as usize);
    let next = data.last().filter(|_| has_more).map(|user| user.id.clone());
    Ok(Json(Page { object: "list", data, has_more, next }))
}

async fn add(
    State(pools): State<Pools>,
    Path(group_id): Path<String>,
    Json(Body { user_id }): Json<Body>,
) -> Result<Json<Assignment>, StatusCode> {
    let mut transaction = pools.writer.begin_with("begin immediate").await.map_err(failed)?;
    let group = sqlx::query(GROUP).bind(&group_id).fetch_optional(&mut *transaction).await.map_err(failed)?;
    let user = sqlx::query(USER).bind(&user_id).fetch_optional(&mut *transaction).await.map_err(failed)?;
    let (Some(group), Some(user)) = (group, user) else { return Err(StatusCode::NOT_FOUND) };
    let (group, user): (i64, i64) = (group.get(0), user.get(0));
    sqlx::query("insert into group_users (org, group_seq, user_seq) values (1, ?, ?) on conflict do nothing")
        .bind(group)
        .bind(user)
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
    sqlx::query(
        "insert into audit_events (org, place, change, item, recorded_at, actor, event, group_seq, user_seq)
         values (1, coalesce((select place from audit_events where org = 1 order by place desc limit 1), 0) + 1,
                 lower(hex(randomblob(13))), 0, 1700000000, 'key_bootstrap', 'group.user.added', ?, ?)",
    )
    .bind(group)
    .bind(user)
    .execute(&mut *transaction)
    .await
    .map_err(failed)?;
    transaction.commit().await.map_err(failed)?;
    Ok(Json(Assignment { object: "group.user", user_id, group_id }))
}
