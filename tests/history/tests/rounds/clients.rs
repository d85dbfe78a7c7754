//! The clients of a round: the library's client, over real sockets.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use fastrand::Rng;
use openai_admin::{Client, Error, ErrorKind};
use openai_admin_history::{Call, End, Order, Outcome, Page, Pair};
use tokio::sync::{mpsc, watch};

use crate::{
    database::number_of,
    rights::{self, SETS, group_id},
    round::{CALLS_EACH, GROUPS, USERS, volatile_users},
};

/// The server as clients see it: the number of its restarts, and the addresses of its processes.
pub(crate) type Life = (usize, Vec<String>);

/// The state that all clients of a round share.
pub(crate) struct Shared {
    /// The counter of instants.
    clock: AtomicU64,
    calls: Mutex<Vec<Recorded>>,
    walks: AtomicU64,
    /// The running server. `None` while it is restarted.
    pub(crate) life: watch::Receiver<Option<Life>>,
    /// Notified at the end of each call.
    pub(crate) over: mpsc::UnboundedSender<()>,
}

/// A call, and the life of the server in which it was made.
pub(crate) struct Recorded {
    pub(crate) life: usize,
    pub(crate) call: Call,
}

impl Shared {
    pub(crate) fn new(life: watch::Receiver<Option<Life>>, over: mpsc::UnboundedSender<()>) -> Self {
        Self { clock: AtomicU64::new(1), calls: Mutex::default(), walks: AtomicU64::new(0), life, over }
    }

    /// The next instant.
    pub(crate) fn now(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }

    pub(crate) fn take_calls(&self) -> Vec<Recorded> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }
}

/// A client of a round. It makes one call at a time.
pub(crate) struct Caller {
    pub(crate) number: usize,
    pub(crate) key: String,
    pub(crate) random: Rng,
    pub(crate) shared: Arc<Shared>,
    session: Option<(usize, Client)>,
}

/// The result of a call.
enum Answer<T> {
    Answered(T),
    /// No answer: it may have taken effect.
    Lost,
    /// The server reported that it did not take effect. If that is wrong, the checker finds a phantom.
    NoEffect,
}

pub(crate) fn user_id(user: usize) -> String {
    format!("user_{user}")
}

impl Caller {
    pub(crate) fn new(number: usize, key: String, random: Rng, shared: Arc<Shared>) -> Self {
        Self { number, key, random, shared, session: None }
    }

    /// Makes its calls.
    pub(crate) async fn run(mut self) {
        let mut made = 0;
        while made < CALLS_EACH {
            // Half of the calls are about groups: these have pages, and separate code in each engine.
            let is_group = self.random.bool();
            let group = self.random.usize(if is_group { 0..GROUPS } else { GROUPS..SETS });
            let users = volatile_users(group);
            let pair = Pair { group, user: users[self.random.usize(..users.len())] };
            made += match self.random.u32(..100) {
                0..=31 => self.add(pair).await,
                32..=59 => self.remove(pair).await,
                60..=71 => self.retrieve(pair).await,
                72..=81 => self.check(pair).await,
                _ => {
                    let order = if self.random.bool() { Order::Ascending } else { Order::Descending };
                    // Few limits, so that clients request the same pages.
                    let limit = if self.random.bool() { 1 } else { 3 };
                    self.walk(pair.group % GROUPS, order, limit).await
                }
            };
        }
    }

    async fn add(&mut self, pair: Pair) -> usize {
        let add = async |client: Client| rights::add(&client, pair).await;
        let outcome = |is_added| if is_added { Outcome::Added(pair) } else { Outcome::Found(pair, true) };
        self.change(add, outcome, Outcome::Added(pair)).await;
        1
    }

    async fn remove(&mut self, pair: Pair) -> usize {
        let remove = async |client: Client| rights::remove(&client, pair).await;
        let outcome =
            |was_member| if was_member { Outcome::Removed(pair) } else { Outcome::Found(pair, false) };
        self.change(remove, outcome, Outcome::Removed(pair)).await;
        1
    }

    pub(crate) async fn retrieve(&mut self, pair: Pair) -> usize {
        let retrieve = async |client: Client| rights::retrieve(&client, pair).await;
        self.read(retrieve, |member| Outcome::Found(pair, member)).await;
        1
    }

    /// Checks the permission that the membership gives.
    pub(crate) async fn check(&mut self, pair: Pair) -> usize {
        let check = async |client: Client| rights::check(&client, pair).await;
        self.read(check, |allowed| Outcome::Found(pair, allowed)).await;
        1
    }

    /// Reads all pages of a group, or as many as the server answers before it dies.
    pub(crate) async fn walk(&mut self, group: usize, order: Order, limit: usize) -> usize {
        let walk = usize::try_from(self.shared.walks.fetch_add(1, Ordering::SeqCst)).unwrap();
        let mut after = None;
        // A list that never ends is one of the faults to detect.
        for pages in 1..=2 * USERS {
            let list = async |client: Client| {
                let call = client.group_users().list_group_users(group_id(group)).limit(limit as i64);
                let call = call.order(match order {
                    Order::Ascending => openai_admin::Order::Asc,
                    Order::Descending => openai_admin::Order::Desc,
                });
                match after {
                    Some(after) => call.after(user_id(after)).await,
                    None => call.await,
                }
            };
            let mut next = None;
            let listed = self
                .read(list, |page| {
                    let users = page.data.iter().map(|user| number_of(user.id.as_str())).collect();
                    next = page.next.as_ref().map(|next| number_of(next.as_str()));
                    assert_eq!(page.has_more, next.is_some(), "has_more and next of a page");
                    Outcome::Listed(Page { walk, group, order, limit, after, users, next })
                })
                .await;
            if !listed || next.is_none() {
                return pages;
            }
            after = next;
        }
        2 * USERS
    }

    /// Makes a read. Without an answer, it is ignored.
    async fn read<T>(
        &mut self,
        ask: impl AsyncFnOnce(Client) -> Result<T, Error>,
        outcome: impl FnOnce(T) -> Outcome,
    ) -> bool {
        let (life, client) = self.session().await;
        let begun = self.shared.now();
        let answer = classified(ask(client).await);
        let ended = End::Answered(self.shared.now());
        let answered = matches!(answer, Answer::Answered(_));
        if let Answer::Answered(answer) = answer {
            self.record(life, Call { client: self.number, begun, ended, outcome: outcome(answer) });
        }
        self.finish_call(life, answered);
        answered
    }

    /// Makes a change. Without an answer, it may have taken effect.
    async fn change<T>(
        &mut self,
        ask: impl AsyncFnOnce(Client) -> Result<T, Error>,
        outcome: impl FnOnce(T) -> Outcome,
        perhaps: Outcome,
    ) {
        let (life, client) = self.session().await;
        let begun = self.shared.now();
        let answer = classified(ask(client).await);
        let ended = self.shared.now();
        let answered = matches!(answer, Answer::Answered(_));
        let (ended, outcome) = match answer {
            Answer::Answered(answer) => (End::Answered(ended), outcome(answer)),
            Answer::Lost => (End::Unknown, perhaps),
            Answer::NoEffect => return self.finish_call(life, answered),
        };
        self.record(life, Call { client: self.number, begun, ended, outcome });
        self.finish_call(life, answered);
    }

    fn record(&self, life: usize, call: Call) {
        self.shared.calls.lock().unwrap().push(Recorded { life, call });
    }

    fn finish_call(&mut self, life: usize, answered: bool) {
        // Sending fails once the last life has started, because no receiver is left.
        let _ = self.shared.over.send(());
        // A failed connection is not reused, and neither is a server that may be dead: see `session`.
        if !answered {
            self.session = self.session.take().filter(|(of, _)| *of != life);
        }
    }

    /// A client of the running server.
    async fn session(&mut self) -> (usize, Client) {
        let mut lives = self.shared.life.clone();
        let (life, addresses) = lives.wait_for(Option::is_some).await.unwrap().clone().unwrap();
        match &self.session {
            Some((of, client)) if *of == life => (life, client.clone()),
            _ => {
                let address = &addresses[self.number % addresses.len()];
                // A retry would be a second call that the history does not contain.
                let client = Client::builder().key(&self.key).base_url(format!("{address}/v1")).retries(0);
                let client = client.build().unwrap();
                self.session = Some((life, client.clone()));
                (life, client)
            }
        }
    }
}

fn classified<T>(result: Result<T, Error>) -> Answer<T> {
    match result {
        Ok(answer) => Answer::Answered(answer),
        Err(error) if error.code() == Some("outcome_unknown") => Answer::Lost,
        // The server guarantees that nothing has happened.
        Err(error) if error.code() == Some("service_unavailable") => Answer::NoEffect,
        Err(error) if !error.was_sent() => Answer::NoEffect,
        Err(error) if [ErrorKind::Transport, ErrorKind::Timeout].contains(&error.kind()) => Answer::Lost,
        Err(error) => panic!("a call of a round cannot fail like this: {error}"),
    }
}
