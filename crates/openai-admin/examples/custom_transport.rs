//! Sends requests through a custom tower stack, here with at most two concurrent requests and a log line for each:
//! `OPENAI_BASE_URL=http://127.0.0.1:8080/v1 OPENAI_ADMIN_KEY=… cargo run --example custom_transport`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use openai_admin::ClientBuilder;
use tower::{ServiceBuilder, limit::ConcurrencyLimitLayer};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let hyper =
        hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new()).build_http();
    let service = ServiceBuilder::new()
        .map_request(|request: http::Request<_>| {
            println!("{} {}", request.method(), request.uri().path());
            request
        })
        .layer(ConcurrencyLimitLayer::new(2))
        .service(hyper);
    let client = ClientBuilder::from_env()?.service(service).build()?;

    for group in client.groups().list_groups().items().try_collect().await? {
        println!("{}\t{}", group.id, group.name);
    }
    Ok(())
}
