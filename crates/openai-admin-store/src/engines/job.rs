//! Operations in an engine's queue: a body, and the caller that waits for its result.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use crate::{
    base::error::{Error, Result},
    engines::{lanes::Caller, transaction::Transaction},
};

/// The capacity of a queue. The engine rejects further operations with [`Error::Overloaded`].
pub(crate) const QUEUE_LENGTH_MAX: usize = 4096;

/// Runs `work` on a new thread, because the clients of both engines block.
pub(crate) async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || sender.send(work()));
    receiver.await.map_err(|_| Error::internal("work beside the engine's own panicked"))?
}

/// An operation in an engine's queue.
pub(crate) trait Job: Send {
    /// The caller that waits for a read. `None` for a write, which runs even if its caller is gone.
    fn caller(&self) -> Option<Caller> {
        None
    }
    /// Runs the body and keeps its result until [`answer`](Self::answer). After an error, the engine undoes the body's
    /// writes.
    fn run(&mut self, transaction: &mut Transaction<'_>) -> Result<()>;
    /// Sends the result, or `failure` if the transaction around the body failed.
    fn answer(self: Box<Self>, failure: Option<Error>);
}

struct Task<T, F> {
    body: F,
    caller: Option<Caller>,
    result: Option<Result<T>>,
    /// `None` once the result is sent.
    answer: Option<oneshot::Sender<Result<T>>>,
}

/// Waits for the result of a body.
pub(crate) async fn answered<T>(answer: oneshot::Receiver<Result<T>>) -> Result<T> {
    answer.await.unwrap_or_else(|_| Err(Error::internal("an operation of the store was lost")))
}

/// Wraps a body as a job, and returns the receiver of its result.
pub(crate) fn queued<T, F>(body: F, caller: Option<Caller>) -> (Box<dyn Job>, oneshot::Receiver<Result<T>>)
where
    T: Send + 'static,
    F: Fn(&mut Transaction<'_>) -> Result<T> + Send + 'static,
{
    let (answer, receiver) = oneshot::channel();
    (Box::new(Task { body, caller, result: None, answer: Some(answer) }), receiver)
}

impl<T, F> Job for Task<T, F>
where
    T: Send,
    F: Fn(&mut Transaction<'_>) -> Result<T> + Send,
{
    fn caller(&self) -> Option<Caller> {
        self.caller.clone()
    }

    fn run(&mut self, transaction: &mut Transaction<'_>) -> Result<()> {
        // A panic in a body is a bug of the store. It must fail one caller, not the engine.
        let result = catch_unwind(AssertUnwindSafe(|| (self.body)(transaction)))
            .unwrap_or_else(|_| Err(Error::internal("an operation of the store panicked")));
        let outcome = result.as_ref().map(|_| ()).map_err(Error::clone);
        self.result = Some(result);
        outcome
    }

    fn answer(mut self: Box<Self>, failure: Option<Error>) {
        let result = match failure {
            Some(failure) => Err(failure),
            None => self.result.take().unwrap_or(Err(Error::Conflict)),
        };
        if let Some(answer) = self.answer.take() {
            // Sending fails if the caller was cancelled. The change remains committed.
            let _ = answer.send(result);
        }
    }
}

/// An engine that shuts down must still answer: a job that never ran changed nothing.
impl<T, F> Drop for Task<T, F> {
    fn drop(&mut self) {
        if let Some(answer) = self.answer.take() {
            let error = match self.result {
                None => Error::unavailable("the database is closed"),
                Some(_) => Error::outcome_unknown("the database was closed meanwhile"),
            };
            let _ = answer.send(Err(error));
        }
    }
}
