//! The way of the log's lines to where they are kept: many of them in one write, and none of them lost.
//!
//! A write for each line would cost a request more than to make the line. So lines wait for a moment; a warning or an
//! error goes at once, with all that wait before it.

use std::{
    io::{self, Write},
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// How long a line waits for others to go with it.
const WAIT_MAX: Duration = Duration::from_millis(20);
/// How many bytes wait. Who has a line beyond them writes all, and so waits for whoever reads the log.
const WAITING_BYTES_MAX: usize = 64 * 1024;

/// The log, as long as it is kept: when it is dropped, what waits is written.
pub(crate) struct Log {
    lines: Arc<Lines>,
    /// Only `None` while it is dropped.
    thread: Option<JoinHandle<()>>,
}

struct Lines {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    /// Taken before what waits is, so that lines are written in their order.
    output: Mutex<Box<dyn Write + Send>>,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<u8>,
    is_over: bool,
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
            move || lines.write_until_over()
        })?;
        Ok(Self { lines, thread: Some(thread) })
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        lock(&self.lines.waiting).is_over = true;
        self.lines.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.lines.write();
    }
}

impl Lines {
    fn write_until_over(&self) {
        let mut waiting = lock(&self.waiting);
        while !waiting.is_over {
            if waiting.lines.is_empty() {
                waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let more = self.changed.wait_timeout_while(waiting, WAIT_MAX, |waiting| !waiting.is_over);
            drop(more);
            self.write();
            waiting = lock(&self.waiting);
        }
    }

    fn add(&self, line: &[u8], is_urgent: bool) {
        let mut waiting = lock(&self.waiting);
        let (was_empty, is_over) = (waiting.lines.is_empty(), waiting.is_over);
        waiting.lines.extend_from_slice(line);
        let is_full = waiting.lines.len() > WAITING_BYTES_MAX;
        drop(waiting);
        if is_urgent || is_full || is_over {
            self.write();
        } else if was_empty {
            self.changed.notify_one();
        }
    }

    /// Writes what waits.
    fn write(&self) {
        let mut output = lock(&self.output);
        let lines = mem::take(&mut lock(&self.waiting).lines);
        // Nobody could be told that the log cannot be written.
        let _ = output.write_all(&lines).and_then(|()| output.flush());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What hands lines to a log.
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

/// One line on its way.
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

    /// Passes on what is written, write by write.
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
    fn a_line_that_is_not_urgent_arrives_by_itself() {
        let (log, written) = log();
        log.lines.add(b"one\n", false);
        assert_eq!(written.recv().expect("written"), "one\n");
        log.lines.add(b"two\n", false);
        assert_eq!(written.recv().expect("written"), "two\n");
    }

    #[test]
    fn an_urgent_line_is_written_before_its_writer_goes_on_and_after_those_before_it() {
        let (log, written) = log();
        log.lines.add(b"one\n", false);
        log.lines.add(b"two\n", true);
        let written: String = written.try_iter().collect();
        assert_eq!(written, "one\ntwo\n");
    }

    #[test]
    fn no_more_waits_than_the_bound() {
        let (log, written) = log();
        let line = vec![b'x'; WAITING_BYTES_MAX + 1];
        log.lines.add(&line, false);
        assert_eq!(written.try_iter().map(|text| text.len()).sum::<usize>(), line.len());
        assert!(lock(&log.lines.waiting).lines.is_empty());
    }

    #[test]
    fn every_line_is_written_when_the_log_ends_and_also_after_it() {
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
