//! A loopback HTTP/1.1 server whose every answer is known beforehand: it costs as little as a server can, so that a
//! measurement through it is one of the client.
//!
//! A POST is answered with the membership of the one user in the one group, a GET with one page of 100 users, or with the
//! group when the path ends with it (the command line asks for it before it adds). Prints
//! its base URL and serves until its standard input ends.

use std::{io::Read, net::Ipv4Addr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// The largest request that a client under measurement sends, and then some.
const REQUEST_BYTES_MAX: usize = 16 * 1024;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        println!("http://{}/v1", listener.local_addr().expect("an address"));
        // The stub ends when its input is closed, so it also ends if its parent process dies.
        std::thread::spawn(|| {
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            std::process::exit(0);
        });
        let add: &'static [u8] = answer(&assignment()).leak();
        let list: &'static [u8] = answer(&page()).leak();
        let group: &'static [u8] = answer(&group()).leak();
        loop {
            let (connection, _) = listener.accept().await.expect("a connection");
            connection.set_nodelay(true).expect("no delay");
            tokio::spawn(serve(connection, Answers { add, list, group }));
        }
    });
}

#[derive(Clone, Copy)]
struct Answers {
    add: &'static [u8],
    list: &'static [u8],
    group: &'static [u8],
}

async fn serve(mut connection: TcpStream, answers: Answers) {
    let mut buffer = vec![0; REQUEST_BYTES_MAX];
    let mut filled = 0;
    loop {
        while let Some(length) = request(&buffer[..filled]) {
            let answer = match &buffer[..length] {
                [b'P', ..] => answers.add,
                request if asks_for_users(request) => answers.list,
                _ => answers.group,
            };
            if connection.write_all(answer).await.is_err() {
                return;
            }
            buffer.copy_within(length..filled, 0);
            filled -= length;
        }
        match connection.read(&mut buffer[filled..]).await {
            Ok(read) if read > 0 => filled += read,
            _ => return,
        }
    }
}

/// How long the first whole request in `bytes` is; none while it is incomplete.
fn request(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let body = if bytes.starts_with(b"POST ") { content_length(&bytes[..head]) } else { 0 };
    (bytes.len() >= head + body).then_some(head + body)
}

fn asks_for_users(request: &[u8]) -> bool {
    let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
    line.windows(6).any(|window| window == b"/users")
}

fn content_length(head: &[u8]) -> usize {
    const NAME: &[u8] = b"\ncontent-length:";
    let place = head.windows(NAME.len()).position(|window| window.eq_ignore_ascii_case(NAME));
    let rest = &head[place.expect("a POST says how long it is") + NAME.len()..];
    let digits = rest.iter().skip_while(|byte| **byte == b' ').take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0'))
}

fn answer(body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         date: Thu, 01 Jan 2026 00:00:00 GMT\r\nx-request-id: req_0123456789abcdef0123456789abcdef\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn assignment() -> String {
    r#"{"object":"group.user","user_id":"user-aB3dE5gH7jK9mN1pQ3sT5vW7","group_id":"group_01J1F8ABCDXYZ0123456789AB"}"#
        .to_owned()
}

fn group() -> String {
    r#"{"id":"group_01J1F8ABCDXYZ0123456789AB","name":"Support","created_at":1711471533,"is_scim_managed":false,"group_type":"group"}"#
        .to_owned()
}

/// 100 users such as a company has them: ids of 29 bytes, names of 8 to 21, addresses of 20 to 33; every tenth is a
/// service account without address.
fn page() -> String {
    const FIRST: [&str; 20] = [
        "Ada",
        "Grace",
        "Alan",
        "Edsger",
        "Barbara",
        "Donald",
        "Margaret",
        "Dennis",
        "Frances",
        "Leslie",
        "Katherine",
        "Niklaus",
        "Radia",
        "Tony",
        "Sofia",
        "Bjarne",
        "Elisabeth",
        "Linus",
        "Annie",
        "José",
    ];
    const LAST: [&str; 20] = [
        "Lovelace",
        "Hopper",
        "Turing",
        "Dijkstra",
        "Liskov",
        "Knuth",
        "Hamilton",
        "Ritchie",
        "Allen",
        "Lamport",
        "Johnson",
        "Wirth",
        "Perlman",
        "Hoare",
        "Kowalewska",
        "Stroustrup",
        "Feinler",
        "Torvalds",
        "Easley",
        "García",
    ];
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let users: Vec<String> = (0..100)
        .map(|index| {
            let (first, last) = (FIRST[index % 20], LAST[(index / 5 + index) % 20]);
            let id: String = (0..24).map(|_| letter(&mut random)).collect();
            let address = format!("{first}.{last}").to_lowercase().replace('é', "e").replace('í', "i");
            let email = match index % 10 {
                9 => "null".to_owned(),
                _ => format!(r#""{address}@example.com""#),
            };
            format!(r#"{{"id":"user-{id}","name":"{first} {last}","email":{email}}}"#)
        })
        .collect();
    let next = "user-aB3dE5gH7jK9mN1pQ3sT5vW7";
    format!(r#"{{"object":"list","data":[{}],"has_more":true,"next":"{next}"}}"#, users.join(","))
}

/// The same letters on every machine and run: xorshift.
fn letter(random: &mut u64) -> char {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    char::from(LETTERS[(*random >> 32) as usize % LETTERS.len()])
}
