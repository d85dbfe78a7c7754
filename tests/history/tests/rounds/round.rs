//! A round: a new database, a server that is killed and restarted, clients, and the result of the checker.

use std::{collections::BTreeSet, sync::Arc};

use fastrand::Rng;
use openai_admin_history::{Call, End, History, Order, Pair, Violation, check};
use openai_admin_server::{Minter, api_keys};
use openai_admin_store::Store;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use crate::{
    clients::{Caller, Life, Shared, user_id},
    database::{Database, Engine},
    rights::{SETS, Set, group_id, team_id},
    server::Running,
};

/// The groups and users of a round: few, so that clients conflict.
pub(crate) const GROUPS: usize = 2;
pub(crate) const USERS: usize = 10;
/// The users who are added and removed. The others stay: 0, 4 and 8 members of every set, 9 of none.
const VOLATILE: [usize; 6] = [1, 2, 3, 5, 6, 7];
/// The number of them in sets without pages: fewer, so that clients conflict.
const VOLATILE_WITHOUT_PAGES: usize = 2;
const STABLE_MEMBERS: [usize; 3] = [0, 4, 8];
/// The number of clients, and the number of calls of each. A page is a call.
const CLIENTS: usize = 6;
pub(crate) const CALLS_EACH: usize = 90;
/// How many servers run one after the other. The last is killed when all clients are done.
const LIVES: usize = 3;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Round {
    pub(crate) engine: Engine,
    pub(crate) seed: u64,
    /// How many processes serve the database at the same time. Each client uses one of them.
    pub(crate) processes: usize,
    pub(crate) fault: Option<&'static str>,
}

/// The result of a round.
pub(crate) struct Done {
    pub(crate) violations: Vec<Violation>,
    pub(crate) answered: usize,
    pub(crate) cut_off: usize,
}

impl Round {
    pub(crate) fn run(self) -> Done {
        let database = Database::new(self.engine);
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(self.run_on(&database))
    }

    async fn run_on(self, database: &Database) -> Done {
        let mut random = Rng::with_seed(self.seed);
        let members = members(&mut random);
        let (keys, actors) = fill(database, &members).await;

        let (show, life) = watch::channel(None);
        let (over, mut calls_over) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared::new(life, over));
        let caller = |number: usize, random: Rng| {
            Caller::new(number, keys[number].clone(), random, Arc::clone(&shared))
        };
        let clients: Vec<_> =
            (0..CLIENTS).map(|number| tokio::spawn(caller(number, random.fork()).run())).collect();

        // After how many calls each server is killed, counted from its start.
        let moments = [(); LIVES - 1].map(|()| random.usize(1..CLIENTS * CALLS_EACH / LIVES));
        let mut gone_at = Vec::new();
        for (life, moment) in moments.into_iter().enumerate() {
            let server = self.start(database, life, &show);
            for _ in 0..moment {
                calls_over.recv().await.unwrap();
            }
            kill(server, database, &show);
            gone_at.push(shared.now());
        }
        let server = self.start(database, LIVES - 1, &show);
        for client in clients {
            client.await.unwrap();
        }
        kill(server, database, &show);
        gone_at.push(shared.now());

        // The contents after the last crash, read through a server and directly.
        let server = self.start(database, LIVES, &show);
        let mut last = caller(CLIENTS, random.fork());
        for pair in all_pairs() {
            last.retrieve(pair).await;
            last.check(pair).await;
        }
        for group in 0..GROUPS {
            last.walk(group, Order::Ascending, 3).await;
            last.walk(group, Order::Descending, USERS).await;
        }
        kill(server, database, &show);
        self.check_history(database, &shared, members, &gone_at, &actors).await
    }

    fn start(self, database: &Database, life: usize, show: &watch::Sender<Option<Life>>) -> Vec<Running> {
        let start = |_| Running::start(&database.url, self.fault);
        let server: Vec<Running> = (0..self.processes).map(start).collect();
        let addresses = server.iter().map(|process| process.address.clone()).collect();
        show.send_replace(Some((life, addresses)));
        server
    }

    /// Runs the checker over the recorded calls.
    async fn check_history(
        self,
        database: &Database,
        shared: &Shared,
        members: BTreeSet<Pair>,
        gone_at: &[u64],
        actors: &[String],
    ) -> Done {
        let recorded = shared.take_calls();
        let cut_off = |call: &Call| call.ended == End::Unknown;
        let calls = recorded.into_iter().map(|recorded| {
            let mut call = recorded.call;
            if let (true, Some(gone_at)) = (cut_off(&call), gone_at.get(recorded.life)) {
                // A client may have noticed later, but the server was dead.
                call.ended = End::CutOff((*gone_at).max(call.begun + 1));
            }
            call
        });
        let calls: Vec<Call> = calls.collect();
        let answered = calls.iter().filter(|call| matches!(call.ended, End::Answered(_))).count();
        let cut_off = calls.len() - answered;
        let audit = Some(database.contents(actors));
        let violations = check(&History { users: USERS, members, calls, audit });
        let store = Store::open(&database.parsed()).await.unwrap();
        let problems = store.verify().await.unwrap();
        store.close().await;
        let verified = problems.into_iter().map(|problem| Violation::VerificationFailed { problem });
        Done { violations: violations.into_iter().chain(verified).collect(), answered, cut_off }
    }
}

fn kill(server: Vec<Running>, database: &Database, show: &watch::Sender<Option<Life>>) {
    // First, so that no client keeps retrying without a server.
    show.send_replace(None);
    server.into_iter().for_each(Running::kill);
    database.wait_until_settled();
}

fn all_pairs() -> impl Iterator<Item = Pair> {
    (0..SETS).flat_map(|group| (0..USERS).map(move |user| Pair { group, user }))
}

/// The users who are added to a set and removed from it.
pub(crate) fn volatile_users(set: usize) -> &'static [usize] {
    if set < GROUPS { &VOLATILE } else { &VOLATILE[..VOLATILE_WITHOUT_PAGES] }
}

/// The initial members.
fn members(random: &mut Rng) -> BTreeSet<Pair> {
    let is_member =
        |pair: &Pair| STABLE_MEMBERS.contains(&pair.user) || VOLATILE.contains(&pair.user) && random.bool();
    all_pairs().filter(is_member).collect()
}

/// Creates the organization, and a key for each client. Returns the keys, and their names in the audit trail.
async fn fill(database: &Database, members: &BTreeSet<Pair>) -> (Vec<String>, Vec<String>) {
    let store = Store::open(&database.parsed()).await.unwrap();
    let minter = Minter::system();
    let directory = directory(members);
    let loaded = store.load(minter.stamp("load"), serde_json::from_value(directory).unwrap()).await.unwrap();
    let (mut keys, mut actors) = (Vec::new(), Vec::new());
    for number in 0..=CLIENTS {
        let (key, new) = api_keys::mint(&minter, &format!("client {number}"), api_keys::all_scopes(), None);
        let stored = store.create_api_key(loaded.organization.org, minter.stamp("load"), new).await.unwrap();
        keys.push(key);
        actors.push(stored.id);
    }
    store.close().await;
    (keys, actors)
}

/// The organization at the start of a round.
fn directory(members: &BTreeSet<Pair>) -> Value {
    let sets: Vec<(usize, Set)> = Set::all().collect();
    // The roles of a person in the organization or in a project, by the sets that contain the person.
    let roles_of = |user: usize, is_team: bool, project: Option<&str>| -> Vec<String> {
        let has = |(group, set): &&(usize, Set)| {
            set.is_of_teams() == is_team
                && set.project_id() == project
                && members.contains(&Pair { group: *group, user })
                && !matches!(set, Set::GroupUsers(_))
        };
        sets.iter().filter(has).filter_map(|(_, set)| set.role_id()).collect()
    };
    let role = |set: &Set| {
        let id = set.role_id()?;
        Some(json!({ "id": id, "name": id, "permissions": [set.permission()] }))
    };
    let roles_in = |project: Option<&str>| -> Vec<Value> {
        sets.iter().filter(|(_, set)| set.project_id() == project).filter_map(|(_, set)| role(set)).collect()
    };
    let users = (0..USERS).map(
        |user| json!({ "id": user_id(user), "name": user_id(user), "roles": roles_of(user, false, None) }),
    );
    let groups = sets.iter().filter_map(|(number, set)| {
        let Set::GroupUsers(group) = set else { return None };
        let users: Vec<String> =
            members.iter().filter(|pair| pair.group == *number).map(|pair| user_id(pair.user)).collect();
        Some(json!({ "id": group_id(*group), "name": group_id(*group), "members": users, "roles": [set.role_id()] }))
    });
    let teams = (0..USERS).map(|user| {
        json!({ "id": team_id(user), "name": team_id(user), "members": [user_id(user)],
                "roles": roles_of(user, true, None) })
    });
    let projects: BTreeSet<&str> = sets.iter().filter_map(|(_, set)| set.project_id()).collect();
    let projects = projects.into_iter().map(|project| {
        let of_project = || sets.iter().filter(|(_, set)| set.project_id() == Some(project));
        // A project whose people do not change contains everyone.
        let is_fixed = !of_project().any(|(_, set)| matches!(set, Set::ProjectUsers | Set::ProjectTeams));
        let is_in = |user: usize, membership: fn(&Set) -> bool| {
            let mut people = of_project().filter(|(_, set)| membership(set));
            is_fixed || people.any(|(group, _)| members.contains(&Pair { group: *group, user }))
        };
        let users = (0..USERS).filter(|user| is_in(*user, |set| matches!(set, Set::ProjectUsers)));
        let teams = (0..USERS).filter(|user| is_in(*user, |set| matches!(set, Set::ProjectTeams)));
        let users =
            users.map(|user| json!({ "user": user_id(user), "roles": roles_of(user, false, Some(project)) }));
        let teams =
            teams.map(|user| json!({ "group": team_id(user), "roles": roles_of(user, true, Some(project)) }));
        json!({ "id": project, "name": project, "users": users.collect::<Vec<_>>(),
                "groups": teams.collect::<Vec<_>>(), "roles": roles_in(Some(project)) })
    });
    json!({ "organization": { "id": "org-history" }, "users": users.collect::<Vec<_>>(),
            "groups": groups.chain(teams).collect::<Vec<_>>(), "roles": roles_in(None),
            "projects": projects.collect::<Vec<_>>() })
}
