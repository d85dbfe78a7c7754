//! What the baselines share: where they listen, and their command lines.

use tokio::net::TcpListener;

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Listens on a free port of the loopback and says which.
pub async fn listen() -> Result<TcpListener> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    Ok(listener)
}

/// The arguments after the name of the program.
pub fn arguments() -> Vec<String> {
    std::env::args().skip(1).collect()
}
