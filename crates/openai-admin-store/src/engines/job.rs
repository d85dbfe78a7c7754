//! Operations in an engine's queue: a body, and the caller who waits for its result.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use crate::{
    base::error::{Error, Result},
    engines::{lanes::Asker, transaction::Transaction},
};

/// How many operations may wait for the database before [`Error::Overloaded`] turns new ones away.
pub(crate) const QUEUE_LENGTH_MAX: usize = 4096;

/// Does something on a thread of its own, since both engines' clients block.
pub(crate) async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || sender.send(work()));
    receiver.await.map_err(|_| Error::internal("work beside the engine's own panicked"))?
}

/// An operation in an engine's queue.
pub(crate) trait Job: Send {
    /// Who waits for a read. None for a write, which is done all the same.
    fn asker(&self) -> Option<Asker> {
        None
    }
    /// Runs the body; its result is kept until [`answer`](Self::answer). An error means: undo what it wrote.
    fn run(&mut self, transaction: &mut Transaction<'_>) -> Result<()>;
    /// Hands out the result, or `failure` when the transaction around the body failed.
    fn answer(self: Box<Self>, failure: Option<Error>);
}

struct Task<T, F> {
    body: F,
    asker: Option<Asker>,
    result: Option<Result<T>>,
    /// Taken when the result is handed out.
    answer: Option<oneshot::Sender<Result<T>>>,
}

/// The result of a body.
pub(crate) async fn answered<T>(answer: oneshot::Receiver<Result<T>>) -> Result<T> {
    answer.await.unwrap_or_else(|_| Err(Error::internal("an operation of the store was lost")))
}

/// A body as a job, and where its result arrives.
pub(crate) fn queued<T, F>(body: F, asker: Option<Asker>) -> (Box<dyn Job>, oneshot::Receiver<Result<T>>)
where
    T: Send + 'static,
    F: Fn(&mut Transaction<'_>) -> Result<T> + Send + 'static,
{
    let (answer, receiver) = oneshot::channel();
    (Box::new(Task { body, asker, result: None, answer: Some(answer) }), receiver)
}

impl<T, F> Job for Task<T, F>
where
    T: Send,
    F: Fn(&mut Transaction<'_>) -> Result<T> + Send,
{
    fn asker(&self) -> Option<Asker> {
        self.asker.clone()
    }

    fn run(&mut self, transaction: &mut Transaction<'_>) -> Result<()> {
        // A panic in a body is a bug of ours; it must cost its own caller an error, not everybody the engine.
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
            // Nobody may be waiting any more: the caller was cancelled. The change stands all the same.
            let _ = answer.send(result);
        }
    }
}

/// An engine that ends without an answer owes one: what it never ran has not happened.
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
