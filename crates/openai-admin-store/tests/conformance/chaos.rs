//! Two processes and a replica under load, while one of the processes is killed repeatedly.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        mpsc::{Sender, channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use futures_util::{StreamExt, stream};
use openai_admin_store::{DatabaseUrl, Store};
use serde_json::{Value as Json, json};

use crate::{
    support::{Database, Engine, replica_of, run},
    tenant::Tenant,
};

/// The number of acknowledged adds between two kills; 10,000 before a release.
const ADDS: &str = "OPENAI_ADMIN_CHAOS_ADDS";
/// The database of a process, its replica, and a number unique to the process.
const DATABASE: &str = "OPENAI_ADMIN_CHAOS_DATABASE";
const REPLICA: &str = "OPENAI_ADMIN_CHAOS_REPLICA";
const NUMBER: &str = "OPENAI_ADMIN_CHAOS_NUMBER";
/// The time within which the next acknowledgement must arrive.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(60);
/// The number of kills.
const KILLS: usize = 6;
/// All possible memberships.
const USERS: usize = 50;
const GROUPS: usize = 200;
/// The number of clients of a process.
const CLIENTS: usize = 16;

fn environment(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "parameters of the test and of its child processes")]
    std::env::var(name).ok()
}

#[test]
fn no_acknowledged_write_is_lost_or_vanishes_while_processes_are_killed() {
    run(Engine::Postgres, async |database| {
        let adds: usize = environment(ADDS).map_or(200, |adds| adds.parse().unwrap());
        let groups: Json =
            (0..GROUPS).map(|number| json!({ "id": format!("group_{number}"), "name": "Team" })).collect();
        let acme = database.acme(USERS, groups).await;
        let (sender, receiver) = channel();
        let mut processes =
            [Process::start(&database.url, 1, &sender), Process::start(&database.url, 2, &sender)];
        let mut lines = Vec::new();
        for kill in 0..KILLS {
            lines.extend(
                (0..adds).map(|_| receiver.recv_timeout(ACKNOWLEDGED_WITHIN).expect("the load continues")),
            );
            processes[kill % 2].kill();
            processes[kill % 2] = Process::start(&database.url, 3 + kill, &sender);
        }
        for mut process in processes {
            process.kill();
        }
        lines.extend(receiver.try_iter());
        let is_wrong = |line: &&String| !line.starts_with("added ");
        assert_eq!(lines.iter().find(is_wrong), None, "clients saw more than their own writes");
        let stored: BTreeSet<String> = database
            .texts(
                "select 'added ' || g.id || ' ' || u.id from group_users m
                 join groups g on g.org = m.org and g.seq = m.group_seq
                 join users u on u.org = m.org and u.seq = m.user_seq",
            )
            .into_iter()
            .collect();
        let lost: Vec<&String> = lines.iter().filter(|line| !stored.contains(*line)).collect();
        assert!(lost.is_empty(), "of {} acknowledged adds {} are lost: {lost:?}", lines.len(), lost.len());
        writeln!(std::io::stdout(), "{} acknowledged adds, none lost", lines.len()).unwrap();
        acme.store().close().await;
    });
}

struct Process {
    child: Child,
    reader: Option<JoinHandle<()>>,
}

impl Process {
    fn start(url: &DatabaseUrl, number: usize, lines: &Sender<String>) -> Self {
        let replica = replica_of(url);
        let (DatabaseUrl::Postgres(url), DatabaseUrl::Postgres(replica)) = (url, &replica) else {
            panic!("it is PostgreSQL")
        };
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "chaos::adds_and_reads_until_it_is_killed", "--ignored", "--nocapture"])
            .env(DATABASE, url)
            .env(REPLICA, replica)
            .env(NUMBER, number.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut output, lines) = (BufReader::new(child.stdout.take().unwrap()), lines.clone());
        let reader = std::thread::spawn(move || {
            let mut line = String::new();
            // A line without its end does not count.
            while output.read_line(&mut line).unwrap_or(0) > 0 && line.ends_with('\n') {
                let said = line.trim_end();
                if ["added ", "vanished ", "failed "].iter().any(|word| said.starts_with(word)) {
                    // The test has failed if it no longer receives.
                    let _ = lines.send(said.to_owned());
                }
                line.clear();
            }
        });
        Self { child, reader: Some(reader) }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
    }
}

/// The case starts it in a child process. It does nothing by itself.
#[test]
#[ignore = "a part of another test, which starts it in a separate process"]
fn adds_and_reads_until_it_is_killed() {
    let Some(url) = environment(DATABASE) else { return };
    let replica: DatabaseUrl = environment(REPLICA).unwrap().parse().unwrap();
    let number: usize = environment(NUMBER).unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let url: DatabaseUrl = url.parse().unwrap();
        let store = Store::open(&url).await.unwrap();
        store.read_from(&[replica]).await.unwrap();
        let stamps = Arc::new((((number as u64) + 1) << 32).into());
        let database = Database { store, is_in_memory: false, url, stamps };
        let organization = database.store.open_organization(database.stamp(), None).await.unwrap();
        let acme = Tenant { database, organization };
        // Each process starts at another membership, and cycles through them.
        stream::iter((number * 7919)..)
            .for_each_concurrent(CLIENTS, |step: usize| {
                let acme = acme.clone();
                async move {
                    let pair = step % (USERS * GROUPS);
                    let (group, user) =
                        (format!("group_{}", pair % GROUPS), format!("user_{}", pair / GROUPS % USERS + 1));
                    let said = match acme.add(&group, &user).await {
                        Err(error) => format!("failed {error:?}"),
                        Ok(_) if acme.member_ids(&group).await.contains(&user) => {
                            format!("added {group} {user}")
                        }
                        Ok(_) => format!("vanished {group} {user}"),
                    };
                    writeln!(std::io::stdout(), "{said}").unwrap();
                }
            })
            .await;
    });
}
