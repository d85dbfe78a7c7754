//! A service with the published operations only: it answers 404 to the extensions of our server, and forwards the rest.

use std::{
    io::{self, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

const UNKNOWN_URL: &str = r#"{"error":{"message":"Invalid URL (GET /v1/x)","type":"invalid_request_error","param":null,"code":null}}"#;

pub(crate) struct PublishedOnly {
    pub(crate) address: String,
    forwarded: Arc<AtomicUsize>,
}

impl PublishedOnly {
    /// Serves in front of the server at this address, until the test ends.
    pub(crate) fn start(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let forwarded = Arc::new(AtomicUsize::new(0));
        let (server, count) = (server.trim_start_matches("http://").to_owned(), Arc::clone(&forwarded));
        thread::spawn(move || {
            for client in listener.incoming() {
                // A client that hangs up has its answer.
                let _ = answer(client.expect("a connection"), &server, &count);
            }
        });
        Self { address, forwarded }
    }

    /// The number of requests that were forwarded since the last call.
    pub(crate) fn forwarded(&self) -> usize {
        self.forwarded.swap(0, SeqCst)
    }
}

/// Answers one request and closes the connection.
fn answer(mut client: TcpStream, server: &str, forwarded: &AtomicUsize) -> io::Result<()> {
    let request = read_request(&mut client)?;
    if request.split_whitespace().nth(1).is_some_and(|path| path.starts_with("/v1/x/")) {
        let length = UNKNOWN_URL.len();
        return write!(
            client,
            "HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{UNKNOWN_URL}"
        );
    }
    forwarded.fetch_add(1, SeqCst);
    let mut server = TcpStream::connect(server)?;
    server.write_all(request.replacen("\r\n", "\r\nconnection: close\r\n", 1).as_bytes())?;
    io::copy(&mut server, &mut client).map(drop)
}

/// Reads the head and the body of a request.
fn read_request(client: &mut TcpStream) -> io::Result<String> {
    let (mut request, mut buffer) = (String::new(), [0; 4096]);
    loop {
        let read = client.read(&mut buffer)?;
        request += &String::from_utf8_lossy(&buffer[..read]);
        let Some((head, body)) = request.split_once("\r\n\r\n") else {
            if read == 0 {
                return Ok(request);
            }
            continue;
        };
        let length =
            head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if read == 0 || body.len() >= length.unwrap_or(0) {
            return Ok(request);
        }
    }
}
