//! `plain-add DATABASE SYNCHRONOUS BATCH`: adds users to groups over axum and one thread of rusqlite, with the
//! statements of an add and nothing else: no keys, no checks, no log. Commits once for at most BATCH adds.

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::post,
};
use baselines::{Result, arguments, listen};
use crossbeam_channel::{Receiver, Sender, bounded};
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

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

struct Add {
    group_id: String,
    user_id: String,
    answer: oneshot::Sender<bool>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let [database, synchronous, batch] = &arguments()[..] else { return Err("three arguments".into()) };
    let connection = Connection::open(database)?;
    connection.execute_batch(&format!("pragma journal_mode = wal; pragma synchronous = {synchronous}"))?;
    let (sender, queue) = bounded(4096);
    let batch = batch.parse()?;
    std::thread::spawn(move || write(&connection, &queue, batch).expect("adds are written"));
    let router =
        Router::new().route("/v1/organization/groups/{group_id}/users", post(add)).with_state(sender);
    let listener = listen().await?;
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, router).await?)
}

async fn add(
    State(queue): State<Sender<Add>>,
    Path(group_id): Path<String>,
    Json(Body { user_id }): Json<Body>,
) -> std::result::Result<Json<Assignment>, StatusCode> {
    let (answer, added) = oneshot::channel();
    let add = Add { group_id: group_id.clone(), user_id: user_id.clone(), answer };
    queue.try_send(add).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    match added.await {
        Ok(true) => Ok(Json(Assignment { object: "group.user", user_id, group_id })),
        _ => Err(StatusCode::NOT_FOUND),
    }
}

fn write(connection: &Connection, queue: &Receiver<Add>, batch_max: usize) -> Result<()> {
    let mut change = 0_u64;
    while let Ok(first) = queue.recv() {
        let mut batch = vec![first];
        while batch.len() < batch_max
            && let Ok(next) = queue.try_recv()
        {
            batch.push(next);
        }
        connection.prepare_cached("begin immediate")?.execute([])?;
        let mut answers = Vec::new();
        for add in batch {
            change += 1;
            answers.push((insert(connection, &add.group_id, &add.user_id, change)?, add.answer));
        }
        connection.prepare_cached("commit")?.execute([])?;
        for (added, answer) in answers {
            let _ = answer.send(added);
        }
    }
    Ok(())
}

fn insert(connection: &Connection, group_id: &str, user_id: &str, change: u64) -> Result<bool> {
    let group = "select seq from groups where org = 1 and id = ? and removed_at is null";
    let user = "select seq from users where org = 1 and id = ? and removed_at is null";
    let place = |sql, id: &str| -> rusqlite::Result<Option<i64>> {
        connection.prepare_cached(sql)?.query_row([id], |row| row.get(0)).optional()
    };
    let (Some(group), Some(user)) = (place(group, group_id)?, place(user, user_id)?) else { return Ok(false) };
    let insert = "insert into group_users (org, group_seq, user_seq) values (1, ?, ?) on conflict do nothing";
    if connection.prepare_cached(insert)?.execute((group, user))? == 1 {
        let event = "insert into audit_events (org, place, change, item, recorded_at, actor, event, group_seq, user_seq)
                     values (1, coalesce((select place from audit_events where org = 1
                                          order by place desc limit 1), 0) + 1, ?, 0, 1700000000, 'key_bootstrap', 'group.user.added', ?, ?)";
        connection.prepare_cached(event)?.execute((format!("{change:026}"), group, user))?;
    }
    Ok(true)
}
