//! The progress of a long job: a bar on a terminal, or else a line every 10 s.

use std::{fmt, future::Future, time::Duration};

use futures_util::stream::{self, StreamExt as _};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::output::Output;

/// The interval of lines without a terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(10);
/// A job with fewer steps has no bar: it ends too soon.
const STEPS_MIN: u64 = 20;
/// The maximum of concurrent requests of a long job.
pub(crate) const CONCURRENCY: usize = 16;

/// Runs `job` over items, several at a time, and shows the progress. The results are in the order of the items; the first
/// error ends it.
pub(crate) async fn run_concurrently<T, R, E, F>(
    output: &Output,
    items: Vec<T>,
    job: impl Fn(T) -> F,
) -> Result<Vec<R>, E>
where
    F: Future<Output = Result<R, E>>,
{
    let mut progress = Progress::new(output, items.len() as u64);
    let mut results = Vec::with_capacity(items.len());
    let mut running = stream::iter(items).map(job).buffered(CONCURRENCY);
    loop {
        tokio::select! {
            result = running.next() => match result {
                Some(result) => results.push(result?),
                None => return Ok(results),
            },
            () = progress.tick() => { progress.line(); continue }
        }
        progress.step();
    }
}

/// The progress of one job.
pub(crate) struct Progress<'a> {
    output: &'a Output,
    total: u64,
    done: u64,
    done_at_last_line: u64,
    bar: Option<ProgressBar>,
    ticks: tokio::time::Interval,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(output: &'a Output, total: u64) -> Self {
        let bar = (output.is_interactive() && total >= STEPS_MIN).then(|| {
            let template = "{bar:30} {human_pos} of {human_len}  {rate}  {eta} left";
            let style =
                ProgressStyle::with_template(template).map(|style| style.with_key("rate", write_rate));
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        let mut ticks = tokio::time::interval(LINE_INTERVAL);
        ticks.reset();
        Self { output, total, done: 0, done_at_last_line: 0, bar, ticks }
    }

    /// Counts a finished step.
    pub(crate) fn step(&mut self) {
        self.done += 1;
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// Sets the progress, if something else counts the steps.
    pub(crate) fn set(&mut self, done: u64, total: u64) {
        (self.done, self.total) = (done, total);
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_position(done);
        }
    }

    /// Waits until the next line is due. With a bar, it never returns.
    pub(crate) async fn tick(&mut self) {
        if self.bar.is_some() {
            std::future::pending::<()>().await;
        }
        self.ticks.tick().await;
    }

    /// Prints a line. The rate is the average since the previous line, so no clock is needed.
    pub(crate) fn line(&mut self) {
        let rate = (self.done - self.done_at_last_line) as f64 / LINE_INTERVAL.as_secs_f64();
        self.done_at_last_line = self.done;
        let left = self.total - self.done;
        let eta =
            if rate > 0.0 { format!(", about {:.0} s left", left as f64 / rate) } else { String::new() };
        self.output.note(&format!("{} of {}, {rate:.1}/s{eta}", self.done, self.total));
    }
}

fn write_rate(state: &ProgressState, out: &mut dyn fmt::Write) {
    // Without its rate, the bar still works.
    let _ = write!(out, "{:.0}/s", state.per_sec());
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
