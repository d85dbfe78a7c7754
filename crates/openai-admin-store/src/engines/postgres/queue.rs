//! A bounded queue whose jobs go to the first idle thread. So few callers at a time use few threads, and few connections
//! to PostgreSQL: each takes it milliseconds to open, memory for its plans, and one of its places.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

/// Why a job was not queued.
#[derive(Debug, PartialEq)]
pub(super) enum Refused {
    Full,
    Closed,
}

pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    /// How many jobs may wait for a thread.
    capacity: usize,
    /// Of each thread: notified when there is a job for it.
    wake: Vec<Condvar>,
}

struct State<T> {
    waiting: VecDeque<T>,
    idle: BTreeSet<usize>,
    is_closed: bool,
}

impl<T> Queue<T> {
    /// A queue for `threads` threads, numbered from 0.
    pub(super) fn new(threads: usize, capacity: usize) -> Self {
        let state = State { waiting: VecDeque::new(), idle: BTreeSet::new(), is_closed: false };
        Self {
            state: Mutex::new(state),
            capacity,
            wake: std::iter::repeat_with(Condvar::new).take(threads).collect(),
        }
    }

    pub(super) fn push(&self, job: T) -> Result<(), Refused> {
        let mut state = self.state();
        if state.is_closed {
            return Err(Refused::Closed);
        }
        if state.waiting.len() >= self.capacity {
            return Err(Refused::Full);
        }
        state.waiting.push_back(job);
        if let Some(thread) = state.idle.pop_first() {
            self.wake[thread].notify_one();
        }
        Ok(())
    }

    /// Waits for the next job of a thread. `None` once the queue is closed and empty.
    pub(super) fn next(&self, thread: usize) -> Option<T> {
        let mut state = self.state();
        loop {
            if let Some(job) = state.waiting.pop_front() {
                return Some(job);
            }
            if state.is_closed {
                return None;
            }
            state.idle.insert(thread);
            state = self.wake[thread].wait(state).unwrap_or_else(PoisonError::into_inner);
            // A thread may also wake up by itself.
            state.idle.remove(&thread);
        }
    }

    /// How many jobs wait for a thread.
    pub(super) fn waiting(&self) -> usize {
        self.state().waiting.len()
    }

    /// Refuses further jobs. The threads end after the jobs that wait.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.wake.iter().for_each(Condvar::notify_one);
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, mpsc},
        thread::JoinHandle,
    };

    use super::*;

    const THREADS: usize = 4;

    fn start<T: Send + 'static>(
        queue: &Arc<Queue<T>>,
        run: impl Fn(usize, T) + Clone + Send + 'static,
    ) -> Vec<JoinHandle<()>> {
        let threads = (0..THREADS).map(|thread| {
            let (queue, run) = (Arc::clone(queue), run.clone());
            std::thread::spawn(move || {
                while let Some(job) = queue.next(thread) {
                    run(thread, job);
                }
            })
        });
        threads.collect()
    }

    #[test]
    fn jobs_one_after_the_other_use_one_thread() {
        let queue = Arc::new(Queue::new(THREADS, 1));
        let (done, dones) = mpsc::channel();
        let threads = start(&queue, move |thread, ()| done.send(thread).expect("the test waits"));
        for _ in 0..100 {
            while queue.state().idle.len() < THREADS {
                std::thread::yield_now();
            }
            queue.push(()).expect("place");
            assert_eq!(dones.recv().expect("a thread ran it"), 0);
        }
        queue.close();
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    }

    #[test]
    fn a_full_queue_refuses_a_job() {
        let queue = Queue::new(1, 2);
        assert_eq!((queue.push('a'), queue.push('b'), queue.waiting()), (Ok(()), Ok(()), 2));
        assert_eq!(queue.push('c'), Err(Refused::Full));
        assert_eq!(queue.next(0), Some('a'));
        assert_eq!(queue.push('c'), Ok(()));
    }

    #[test]
    fn a_closed_queue_returns_the_jobs_that_wait_and_refuses_others() {
        let queue = Queue::new(1, 2);
        queue.push('a').expect("place");
        queue.close();
        assert_eq!(queue.push('b'), Err(Refused::Closed));
        assert_eq!((queue.next(0), queue.next(0)), (Some('a'), None));
    }

    #[test]
    fn each_job_is_run_once() {
        const JOBS: u32 = 10_000;
        let queue = Arc::new(Queue::new(THREADS, JOBS as usize));
        let (done, dones) = mpsc::channel();
        let threads = start(&queue, move |_, job| done.send(job).expect("the test waits"));
        (0..JOBS).for_each(|job| queue.push(job).expect("place"));
        queue.close();
        let mut jobs: Vec<u32> = dones.iter().collect();
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
        jobs.sort_unstable();
        assert!(jobs.into_iter().eq(0..JOBS));
    }
}
