//! Additions of many users to a group: a bounded number at once, and a result for each.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll},
};

use super::{Client, Response};
use crate::{Error, GroupId, UserId, models::GroupUserAssignment, operations::AddGroupUser};

/// The default number of additions at once.
pub const ADDITIONS_AT_ONCE: usize = 8;
/// The maximum number of additions at once.
pub const ADDITIONS_AT_ONCE_MAX: usize = 64;

type Answer = Result<Response<GroupUserAssignment>, Error>;

/// Additions to a group that run while [`next`](Self::next) or [`all`](Self::all) is awaited.
#[must_use = "the additions run while `next` or `all` is awaited"]
pub struct Additions {
    client: Client,
    group_id: GroupId,
    waiting: std::iter::Enumerate<std::vec::IntoIter<Result<UserId, Error>>>,
    /// The oldest first, which is also polled first.
    running: Vec<Running>,
    at_once: usize,
}

struct Running {
    position: usize,
    user_id: UserId,
    answer: Pin<Box<dyn Future<Output = Answer> + Send>>,
}

/// The result of one addition.
#[derive(Debug)]
#[non_exhaustive]
pub struct Addition {
    /// The position of the user in the given users, from 0.
    pub position: usize,
    /// The user. `None` if the given id is invalid.
    pub user_id: Option<UserId>,
    /// The answer. Adding a member again succeeds.
    pub result: Result<Response<GroupUserAssignment>, Error>,
}

impl fmt::Debug for Additions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Additions")
            .field("waiting", &self.waiting.len())
            .field("running", &self.running.len())
            .field("at_once", &self.at_once)
            .finish_non_exhaustive()
    }
}

impl Additions {
    pub(super) fn new(client: Client, group_id: GroupId, users: Vec<Result<UserId, Error>>) -> Self {
        let waiting = users.into_iter().enumerate();
        Self { client, group_id, waiting, running: Vec::new(), at_once: ADDITIONS_AT_ONCE }
    }

    /// The maximum number of additions at once, from 1 to [`ADDITIONS_AT_ONCE_MAX`]. Default: [`ADDITIONS_AT_ONCE`].
    pub fn concurrency(mut self, at_once: usize) -> Self {
        self.at_once = at_once.clamp(1, ADDITIONS_AT_ONCE_MAX);
        self
    }

    /// The next result, in the order in which additions end. `None` after the last.
    ///
    /// Cancel safe: additions in flight continue with the next call. If `self` is dropped, additions in flight are
    /// canceled and may have taken effect; the others are not sent.
    pub async fn next(&mut self) -> Option<Addition> {
        poll_fn(|context| self.poll(context)).await
    }

    /// All remaining results, in the order of the given users.
    pub async fn all(mut self) -> Vec<Addition> {
        let mut additions = Vec::with_capacity(self.waiting.len() + self.running.len());
        while let Some(addition) = self.next().await {
            additions.push(addition);
        }
        additions.sort_unstable_by_key(|addition| addition.position);
        additions
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Addition>> {
        while self.running.len() < self.at_once {
            match self.waiting.next() {
                Some((position, Ok(user_id))) => self.start(position, user_id),
                Some((position, Err(error))) => {
                    return Poll::Ready(Some(Addition { position, user_id: None, result: Err(error) }));
                }
                None => break,
            }
        }
        let mut polled = self.running.iter_mut().enumerate();
        let ended = polled.find_map(|(index, running)| match running.answer.as_mut().poll(context) {
            Poll::Ready(result) => Some((index, result)),
            Poll::Pending => None,
        });
        match ended {
            Some((index, result)) => {
                let Running { position, user_id, .. } = self.running.remove(index);
                Poll::Ready(Some(Addition { position, user_id: Some(user_id), result }))
            }
            None if self.running.is_empty() => Poll::Ready(None),
            None => Poll::Pending,
        }
    }

    fn start(&mut self, position: usize, user_id: UserId) {
        let client = self.client.clone();
        let request = AddGroupUser::new(self.group_id.clone(), user_id.clone());
        let answer = Box::pin(async move { client.send(&request).await });
        self.running.push(Running { position, user_id, answer });
    }
}

#[cfg(feature = "stream")]
impl Additions {
    /// The results as a [`Stream`](futures_core::Stream), in the order in which additions end.
    pub fn into_stream(self) -> impl futures_core::Stream<Item = Addition> + Send {
        futures_util::stream::unfold(self, |mut additions| async move {
            Some((additions.next().await?, additions))
        })
    }
}
