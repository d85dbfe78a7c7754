//! A separate PostgreSQL server for a case, which it may stop, break and kill.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use openai_admin_store::DatabaseUrl;

/// Longer than a killed server waits for its processes: a minute.
const END_POLLS_MAX: u32 = 12_000;
const END_POLL: Duration = Duration::from_millis(5);

/// The server. Dropping the value stops it.
pub(crate) struct Cluster {
    script: Child,
    url: String,
    replicas: Vec<String>,
    postmaster: String,
}

impl Cluster {
    pub(crate) fn start() -> Self {
        Self::start_with_replicas(1)
    }

    pub(crate) fn start_with_replicas(count: usize) -> Self {
        let mut script = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/with-postgres"))
            // `cat` ends with its input, and so with this process.
            .args([
                "sh",
                "-c",
                "echo \"$OPENAI_ADMIN_TEST_POSTGRES $OPENAI_ADMIN_TEST_POSTGRES_REPLICA\"; exec cat",
            ])
            .env("OPENAI_ADMIN_TEST_REPLICAS", count.to_string())
            .env_remove("OPENAI_ADMIN_TEST_POSTGRES")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut urls = String::new();
        BufReader::new(script.stdout.as_mut().unwrap()).read_line(&mut urls).unwrap();
        let mut urls = urls.split_whitespace().map(str::to_owned);
        let url = urls.next().expect("the script sets the path of the server");
        let postmaster =
            query(&url, "select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)").remove(0);
        let cluster = Self { script, url, replicas: urls.collect(), postmaster };
        // Without waiting for a commit to reach the disk, as temporary servers are configured, a crash would lose it.
        cluster.execute("alter role all set synchronous_commit = on");
        cluster
    }

    pub(crate) fn url(&self) -> DatabaseUrl {
        DatabaseUrl::Postgres(self.url.clone())
    }

    /// The URLs of its replicas, as text.
    pub(crate) fn replicas(&self) -> &[String] {
        &self.replicas
    }

    /// The URL as text, without parameters.
    pub(crate) fn address(&self) -> &str {
        &self.url
    }

    /// Writes a file that only the server can read, in its data directory.
    pub(crate) fn write_file(&self, name: &str, text: &str) {
        let lines = format!("select unnest(string_to_array('{}', E'\n'))", text.trim_end());
        self.execute(&format!("copy ({lines}) to program 'umask 077; cat > {name}'"));
    }

    /// Runs one statement.
    pub(crate) fn execute(&self, sql: &str) {
        execute(&self.url, sql);
    }

    /// The rows of a query with one text column.
    pub(crate) fn texts(&self, sql: &str) -> Vec<String> {
        query(&self.url, sql)
    }

    /// Stops every process of the server: connections stay open, but nothing is answered.
    pub(crate) fn freeze(&self) {
        signal("STOP", &self.processes());
    }

    pub(crate) fn thaw(&self) {
        signal("CONT", &self.processes());
    }

    /// Kills one of its processes, and returns when the server has closed the connections. It then recovers from its log
    /// and restarts.
    pub(crate) fn crash(&self) {
        std::thread::scope(|scope| {
            let crash = || {
                let mut client = postgres::Client::connect(&self.url, postgres::NoTls).unwrap();
                let checkpointer =
                    "select pid::text from pg_stat_activity where backend_type = 'checkpointer'";
                signal("KILL", &[client.query_one(checkpointer, &[]).unwrap().get(0)]);
                client.batch_execute("select pg_sleep(600)").expect_err("the server closes the connection");
            };
            scope.spawn(crash).join().unwrap();
        });
    }

    /// Kills it permanently, and returns when its processes are gone: each serves until its own signal arrives.
    pub(crate) fn end(&self) {
        let children = self.children();
        signal("QUIT", std::slice::from_ref(&self.postmaster));
        for _ in 0..END_POLLS_MAX {
            if !children.iter().any(|pid| Path::new("/proc").join(pid).exists()) {
                return;
            }
            std::thread::sleep(END_POLL);
        }
        panic!("the processes of a killed server are still there");
    }

    /// The first process starts the others, so it is stopped before they are listed.
    fn processes(&self) -> Vec<String> {
        signal("STOP", std::slice::from_ref(&self.postmaster));
        self.children().into_iter().chain([self.postmaster.clone()]).collect()
    }

    fn children(&self) -> Vec<String> {
        let pid = &self.postmaster;
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        children.split_whitespace().map(str::to_owned).collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.script.stdin.take());
        let _ = self.script.wait();
    }
}

fn signal(name: &str, pids: &[String]) {
    assert!(!pids.is_empty());
    let status = Command::new("kill").arg(format!("-{name}")).args(pids).status().unwrap();
    assert!(status.success(), "kill -{name} {pids:?}");
}

/// Runs one statement on any server.
pub(crate) fn execute(url: &str, sql: &str) {
    std::thread::scope(|scope| {
        let execute = || {
            postgres::Client::connect(url, postgres::NoTls).unwrap().batch_execute(sql).unwrap();
        };
        scope.spawn(execute).join().unwrap();
    });
}

/// The rows of a query with one text column on any server.
pub(crate) fn query(url: &str, sql: &str) -> Vec<String> {
    std::thread::scope(|scope| {
        let query = || {
            let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
            client.query(sql, &[]).unwrap().iter().map(|row| row.get(0)).collect()
        };
        scope.spawn(query).join().unwrap()
    })
}
