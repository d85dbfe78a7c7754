//! A stream with timeouts for the head of a request and for receiving a response.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Sleep,
};

/// Whether the next byte begins the head of a request. Shared by the stream and the service.
#[derive(Clone, Debug)]
pub(super) struct BetweenRequests(Arc<AtomicBool>);

impl BetweenRequests {
    pub(super) fn new() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }

    /// The head of a request is complete.
    pub(super) fn request_begins(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    /// The request is answered.
    pub(super) fn request_ends(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A stream that fails if its client is too slow.
pub(super) struct Timed<S> {
    stream: S,
    /// Only for HTTP/1.1, where heads and bodies are separate in the stream.
    between_requests: Option<BetweenRequests>,
    head_has_begun: bool,
    head: Deadline,
    receive: Deadline,
}

impl<S> Timed<S> {
    pub(super) fn new(
        stream: S,
        between_requests: Option<BetweenRequests>,
        head_timeout: Duration,
        receive_timeout: Duration,
    ) -> Self {
        Self {
            stream,
            between_requests,
            head_has_begun: false,
            head: Deadline::new(head_timeout),
            receive: Deadline::new(receive_timeout),
        }
    }

    fn head_ends(&mut self) {
        self.head_has_begun = false;
        self.head.stop();
    }

    /// Starts the timeout of a response that cannot be sent at once. Sending all of it stops the timeout.
    fn receiving<T>(&mut self, context: &mut Context<'_>, sent: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if sent.is_pending() && self.receive.is_over(context) {
            return Poll::Ready(Err(too_slow("timeout: the client did not receive the answer")));
        }
        sent
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Timed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let timed = &mut *self;
        let before = buffer.filled().len();
        let read = Pin::new(&mut timed.stream).poll_read(context, buffer);
        let Some(between_requests) = &timed.between_requests else { return read };
        if !between_requests.get() {
            timed.head_ends();
        } else if read.is_ready() {
            timed.head_has_begun |= buffer.filled().len() > before;
        } else if timed.head_has_begun && timed.head.is_over(context) {
            // Most heads arrive whole and need no timer.
            return Poll::Ready(Err(too_slow("timeout: the head of a request did not arrive")));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Timed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // While a response is sent, the timeout of the next request's head does not run.
        self.head_ends();
        let sent = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.receiving(context, sent)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.head_ends();
        let sent = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.receiving(context, sent)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        // Writers flush after the last write.
        if flushed.is_ready() {
            self.receive.stop();
        }
        self.receiving(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut_down = Pin::new(&mut self.stream).poll_shutdown(context);
        self.receiving(context, shut_down)
    }
}

fn too_slow(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what)
}

/// A timeout that starts at the first check and runs until it is stopped.
struct Deadline {
    timeout: Duration,
    running: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    fn new(timeout: Duration) -> Self {
        Self { timeout, running: None }
    }

    fn stop(&mut self) {
        self.running = None;
    }

    fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        let running = self.running.get_or_insert_with(|| Box::pin(tokio::time::sleep(self.timeout)));
        running.as_mut().poll(context).is_ready()
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
        time::timeout,
    };

    use super::*;

    const HEAD: Duration = Duration::from_secs(10);
    const RECEIVE: Duration = Duration::from_secs(60);
    const BIT: Duration = Duration::from_millis(1);
    /// The size of the buffer between client and server.
    const BYTES_ON_THE_WAY: usize = 8;

    fn pair() -> (DuplexStream, Timed<DuplexStream>, BetweenRequests) {
        let (client, server) = duplex(BYTES_ON_THE_WAY);
        let between_requests = BetweenRequests::new();
        (client, Timed::new(server, Some(between_requests.clone()), HEAD, RECEIVE), between_requests)
    }

    fn is_too_slow<T>(done: io::Result<T>) -> bool {
        done.is_err_and(|error| error.kind() == io::ErrorKind::TimedOut)
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_of_a_head_runs_from_its_first_byte() {
        let (mut client, mut timed, _) = pair();
        assert!(timeout(HEAD * 10, timed.read_u8()).await.is_err(), "nothing has begun");
        client.write_all(b"GE").await.expect("room");
        assert_eq!(timed.read_u16().await.expect("two bytes"), u16::from_be_bytes(*b"GE"));
        assert!(timeout(HEAD - BIT, timed.read_u8()).await.is_err(), "there is time left");
        client.write_all(b"T").await.expect("room");
        assert_eq!(timed.read_u8().await.expect("a byte"), b'T');
        assert!(
            is_too_slow(timeout(BIT * 2, timed.read_u8()).await.expect("the time is over")),
            "the timeout covers the whole head"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_and_its_answer_do_not_count_towards_the_head() {
        let (mut client, mut timed, between_requests) = pair();
        client.write_all(b"GET").await.expect("room");
        timed.read_exact(&mut [0; 3]).await.expect("three bytes");
        between_requests.request_begins();
        assert!(timeout(HEAD * 2, timed.read_u8()).await.is_err(), "the request is under way");
        between_requests.request_ends();
        timed.write_all(b"200").await.expect("room");
        assert!(timeout(HEAD * 2, timed.read_u8()).await.is_err(), "the next head has not begun");
        client.write_all(b"G").await.expect("room");
        timed.read_u8().await.expect("a byte");
        assert!(is_too_slow(timeout(HEAD + BIT, timed.read_u8()).await.expect("the time is over")));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_taken_too_slowly_fails() {
        let (mut client, mut timed, _) = pair();
        let answer = [b'a'; 3 * BYTES_ON_THE_WAY];
        let taking = async {
            // Slow progress does not help: the timeout covers the whole response.
            for _ in 0..2 {
                tokio::time::sleep(RECEIVE / 3).await;
                client.read_exact(&mut [0; 2]).await.expect("two bytes");
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = taking => {}
            sent = timeout(RECEIVE + BIT, timed.write_all(&answer)) => assert!(is_too_slow(sent.expect("in time"))),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_taken_just_in_time_is_sent() {
        let (mut client, mut timed, _) = pair();
        let answer = [b'a'; 3 * BYTES_ON_THE_WAY];
        let mut taken = [0; 3 * BYTES_ON_THE_WAY];
        for _ in 0..2 {
            let send = async {
                timed.write_all(&answer).await?;
                timed.flush().await
            };
            let take = async {
                tokio::time::sleep(RECEIVE - BIT).await;
                client.read_exact(&mut taken).await
            };
            let (sent, taken) = tokio::join!(send, take);
            assert!(sent.is_ok() && taken.is_ok(), "each answer has its own time");
        }
    }
}
