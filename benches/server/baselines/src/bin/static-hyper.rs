//! `static-hyper FILE`: answers every request with the bytes of a file, over hyper alone.

use std::convert::Infallible;

use baselines::{Result, arguments, listen};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, header, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;

#[tokio::main]
async fn main() -> Result<()> {
    let page = Bytes::from(std::fs::read(&arguments()[0])?);
    let listener = listen().await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let page = page.clone();
        tokio::spawn(async move {
            let answer = service_fn(move |_| {
                let response = Response::builder()
                    .header(header::CONTENT_TYPE, "application/json")
                    .body(Full::new(page.clone()))
                    .expect("a response");
                std::future::ready(Ok::<_, Infallible>(response))
            });
            // A client that breaks off is none of our business.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}
