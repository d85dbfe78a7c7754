//! The writer of the log: it writes lines in batches, and loses none.
//!
//! One write per line would cost a request more than formatting the line. So a line waits up to 20 ms for others. A
//! warning or an error is written at once, with all the lines before it.

use std::{
    io::{self, Write},
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// How long a line waits for others.
const WAIT_MAX: Duration = Duration::from_millis(20);
/// How many bytes wait. A line beyond the limit makes its thread write all of them, which slows it to the log's reader.
const WAITING_BYTES_MAX: usize = 64 * 1024;

/// The open log. When dropped, it writes the waiting lines.
pub(crate) struct Log {
    lines: Arc<Lines>,
    /// `None` only during drop.
    thread: Option<JoinHandle<()>>,
}

struct Lines {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    /// Locked before the waiting lines, so that lines are written in order.
    output: Mutex<Box<dyn Write + Send>>,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<u8>,
    is_closed: bool,
}

impl Log {
    pub(super) fn start(output: impl Write + Send + 'static) -> io::Result<Self> {
        let lines = Arc::new(Lines {
            waiting: Mutex::default(),
            changed: Condvar::new(),
            output: Mutex::new(Box::new(output)),
        });
        let thread = std::thread::Builder::new().name("log".to_owned());
        let thread = thread.spawn({
            let lines = Arc::clone(&lines);
            move || lines.write_until_closed()
        })?;
        Ok(Self { lines, thread: Some(thread) })
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        lock(&self.lines.waiting).is_closed = true;
        self.lines.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.lines.write();
    }
}

impl Lines {
    fn write_until_closed(&self) {
        let mut waiting = lock(&self.waiting);
        while !waiting.is_closed {
            if waiting.lines.is_empty() {
                waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let more = self.changed.wait_timeout_while(waiting, WAIT_MAX, |waiting| !waiting.is_closed);
            drop(more);
            self.write();
            waiting = lock(&self.waiting);
        }
    }

    fn add(&self, line: &[u8], is_urgent: bool) {
        let mut waiting = lock(&self.waiting);
        let (was_empty, is_closed) = (waiting.lines.is_empty(), waiting.is_closed);
        waiting.lines.extend_from_slice(line);
        let is_full = waiting.lines.len() > WAITING_BYTES_MAX;
        drop(waiting);
        if is_urgent || is_full || is_closed {
            self.write();
        } else if was_empty {
            self.changed.notify_one();
        }
    }

    /// Writes the waiting lines.
    fn write(&self) {
        let mut output = lock(&self.output);
        let lines = mem::take(&mut lock(&self.waiting).lines);
        // A failure to write the log has no place to go.
        let _ = output.write_all(&lines).and_then(|()| output.flush());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes writers for a log.
pub(super) struct Outlet(Arc<Lines>);

impl Outlet {
    pub(super) fn of(log: &Log) -> Self {
        Self(Arc::clone(&log.lines))
    }
}

impl<'a> MakeWriter<'a> for Outlet {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { lines: &self.0, is_urgent: true }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Line<'a> {
        Line { lines: &self.0, is_urgent: *metadata.level() <= Level::WARN }
    }
}

/// The writer of one line.
pub(super) struct Line<'a> {
    lines: &'a Lines,
    is_urgent: bool,
}

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.lines.add(line, self.is_urgent);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Sends each write to a channel.
    struct Written(mpsc::Sender<String>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let text = String::from_utf8(bytes.to_vec()).expect("text");
            self.0.send(text).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn log() -> (Log, mpsc::Receiver<String>) {
        let (sender, receiver) = mpsc::channel();
        (Log::start(Written(sender)).expect("a thread"), receiver)
    }

    #[test]
    fn a_line_that_is_not_urgent_is_written_without_further_lines() {
        let (log, written) = log();
        log.lines.add(b"one\n", false);
        assert_eq!(written.recv().expect("written"), "one\n");
        log.lines.add(b"two\n", false);
        assert_eq!(written.recv().expect("written"), "two\n");
    }

    #[test]
    fn an_urgent_line_is_written_at_once_and_in_order() {
        let (log, written) = log();
        log.lines.add(b"one\n", false);
        log.lines.add(b"two\n", true);
        let written: String = written.try_iter().collect();
        assert_eq!(written, "one\ntwo\n");
    }

    #[test]
    fn a_full_buffer_is_written_at_once() {
        let (log, written) = log();
        let line = vec![b'x'; WAITING_BYTES_MAX + 1];
        log.lines.add(&line, false);
        assert_eq!(written.try_iter().map(|text| text.len()).sum::<usize>(), line.len());
        assert!(lock(&log.lines.waiting).lines.is_empty());
    }

    #[test]
    fn every_line_is_written_when_the_log_closes_and_later() {
        let (log, written) = log();
        let outlet = Outlet::of(&log);
        let expected: Vec<String> = (0..1000).map(|number| format!("{number}\n")).collect();
        for line in &expected {
            log.lines.add(line.as_bytes(), false);
        }
        drop(log);
        assert_eq!(written.try_iter().collect::<String>(), expected.concat());
        outlet.make_writer().write_all(b"late\n").expect("written");
        assert_eq!(written.try_iter().collect::<String>(), "late\n");
    }
}
