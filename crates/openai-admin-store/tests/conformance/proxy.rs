//! A TCP proxy in front of PostgreSQL that cuts a connection at a chosen moment.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use openai_admin_store::DatabaseUrl;

/// When to cut a connection.
#[derive(Clone, Copy)]
pub(crate) enum Cut {
    /// Before a message with this text reaches PostgreSQL.
    Before(&'static [u8]),
    /// After PostgreSQL has answered a message with this text; the answer is lost.
    After(&'static [u8]),
    /// After PostgreSQL has answered a message with this text; the answer is lost, but the connection stays open.
    Silence(&'static [u8]),
}

/// The proxy. It ends with the process.
pub(crate) struct Proxy {
    address: SocketAddr,
    cut: Arc<Mutex<Option<Cut>>>,
}

impl Proxy {
    /// A proxy in front of the server of `url`.
    pub(crate) fn start(url: &DatabaseUrl) -> Self {
        let DatabaseUrl::Postgres(url) = url else { panic!("only PostgreSQL is behind a proxy") };
        let (_, host, _) = parts(url);
        let server = host.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self { address: listener.local_addr().unwrap(), cut: Arc::default() };
        let cut = Arc::clone(&proxy.cut);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let server = TcpStream::connect(&server).unwrap();
                forward(client.unwrap(), server, &cut);
            }
        });
        proxy
    }

    /// The same database through the proxy.
    pub(crate) fn url(&self, url: &DatabaseUrl) -> DatabaseUrl {
        let DatabaseUrl::Postgres(url) = url else { panic!("only PostgreSQL is behind a proxy") };
        let (before, _, after) = parts(url);
        DatabaseUrl::Postgres(format!("{before}{}{after}", self.address))
    }

    /// Cuts one connection.
    pub(crate) fn cut(&self, cut: Cut) {
        *self.cut.lock().unwrap() = Some(cut);
    }
}

/// The parts of a URL around its host and port.
fn parts(url: &str) -> (&str, &str, &str) {
    let start = url.find('@').or_else(|| url.find("//").map(|start| start + 1)).unwrap() + 1;
    let end = url[start..].find(['/', '?']).map_or(url.len(), |end| start + end);
    (&url[..start], &url[start..end], &url[end..])
}

fn forward(client: TcpStream, server: TcpStream, cut: &Arc<Mutex<Option<Cut>>>) {
    let (is_cut, is_silent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (mut requests, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let (cut, cuts, silences) = (Arc::clone(cut), Arc::clone(&is_cut), Arc::clone(&is_silent));
    std::thread::spawn(move || {
        while let Some(message) = read(&mut requests) {
            let contains = |text: &[u8]| message.windows(text.len()).any(|window| window == text);
            let mut cut = cut.lock().unwrap();
            match *cut {
                Some(Cut::Before(text)) if contains(text) => {
                    *cut = None;
                    break;
                }
                Some(Cut::After(text)) if contains(text) => {
                    *cut = None;
                    cuts.store(true, Ordering::SeqCst);
                }
                Some(Cut::Silence(text)) if contains(text) => {
                    *cut = None;
                    silences.store(true, Ordering::SeqCst);
                }
                _ => {}
            }
            drop(cut);
            if to_server.write_all(&message).is_err() {
                break;
            }
        }
        end(&requests, &to_server);
    });
    let (mut answers, mut to_client) = (server, client);
    std::thread::spawn(move || {
        while let Some(message) = read(&mut answers) {
            if is_silent.load(Ordering::SeqCst) {
                continue;
            }
            if is_cut.load(Ordering::SeqCst) || to_client.write_all(&message).is_err() {
                break;
            }
        }
        end(&answers, &to_client);
    });
}

fn read(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut buffer = [0; 64 * 1024];
    let length = stream.read(&mut buffer).ok().filter(|length| *length > 0)?;
    Some(buffer[..length].to_vec())
}

fn end(one: &TcpStream, other: &TcpStream) {
    for stream in [one, other] {
        // It may have ended already.
        let _ = stream.shutdown(Shutdown::Both);
    }
}
