//! `static-axum FILE`: answers the list of a group's users with the bytes of a file, over axum.

use axum::{Router, http::header, routing::get};
use baselines::{Result, arguments, listen};
use bytes::Bytes;

#[tokio::main]
async fn main() -> Result<()> {
    let page = Bytes::from(std::fs::read(&arguments()[0])?);
    let answer = move || std::future::ready(([(header::CONTENT_TYPE, "application/json")], page.clone()));
    let router = Router::new().route("/v1/organization/groups/{group_id}/users", get(answer));
    let listener = listen().await?;
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, router).await?)
}
