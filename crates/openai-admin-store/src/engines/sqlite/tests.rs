use super::*;

struct Change(&'static str);

impl Job for Change {
    fn run(&mut self, transaction: &mut Transaction<'_>) -> Result<()> {
        transaction.batch(self.0)
    }
    fn answer(self: Box<Self>, _: Option<Error>) {}
}

#[test]
fn a_refused_commit_is_rolled_back_and_reports_a_certain_failure() {
    let connection = Connection::open_in_memory().expect("a database");
    // A deferred constraint: the only way to make a commit fail without a full disk.
    let schema = "pragma foreign_keys = on;
                      create table parents (id integer primary key);
                      create table children (parent integer references parents deferrable initially deferred)";
    connection.execute_batch(schema).expect("a schema");
    let orphan: Box<dyn Job> = Box::new(Change("insert into children values (1)"));
    let refused = write_batch(&connection, &mut [orphan]).expect_err("no parent");
    assert!(matches!(refused, Error::Internal(_)), "{refused:?}");
    assert!(connection.is_autocommit(), "the transaction is over");
    let parent: Box<dyn Job> = Box::new(Change("insert into parents values (1)"));
    write_batch(&connection, &mut [parent]).expect("the next batch starts a new transaction");
}

/// Writes its text unless it is empty, then fails if the flag is set. Notes that it ran.
struct Noted(&'static str, bool, Arc<Mutex<Vec<&'static str>>>);

impl Job for Noted {
    fn run(&mut self, transaction: &mut Transaction<'_>) -> Result<()> {
        self.2.lock().expect("no panic").push(self.0);
        if !self.0.is_empty() {
            transaction.execute("insert into texts values ($1)", &[self.0.into()])?;
        }
        if self.1 { Err(Error::Conflict) } else { Ok(()) }
    }
    fn answer(self: Box<Self>, _: Option<Error>) {}
}

/// The bodies that ran when a batch of these was written, and the texts in the database afterwards.
fn ran_and_written(bodies: &[(&'static str, bool)]) -> (String, String) {
    let ran = Arc::<Mutex<Vec<&str>>>::default();
    let connection = Connection::open_in_memory().expect("a database");
    connection.execute_batch("create table texts (text text)").expect("a schema");
    let job = |(text, fails): &(&'static str, bool)| {
        Box::new(Noted(text, *fails, Arc::clone(&ran))) as Box<dyn Job>
    };
    let mut batch: Vec<_> = bodies.iter().map(job).collect();
    write_batch(&connection, &mut batch).expect("a commit");
    let written = "select coalesce(group_concat(text, ' '), '') from texts";
    let written = connection.query_row(written, [], |row| row.get(0)).expect("a text");
    (ran.lock().expect("no panic").join(" "), written)
}

#[test]
fn a_commit_is_synced_to_disk_before_it_is_acknowledged() {
    let folder = tempfile::tempdir().expect("a folder");
    let sqlite = Sqlite::open(&folder.path().join("test.db"), |transaction| {
        // The tables that the page cache watches.
        transaction.batch(
            "create table group_users (org integer, group_seq integer, user_seq integer);
             create table groups (org integer, seq integer, removed_at integer);
             create table users (org integer, seq integer, id text, name text, email text, removed_at integer)",
        )
    })
    .expect("a database");
    let (answer, answered) = std::sync::mpsc::channel();
    let ask = move |writer: &mut Connection| {
        let pragma = |sql| writer.query_row(sql, [], |row| row.get::<_, rusqlite::types::Value>(0));
        let _ = answer.send((pragma("pragma synchronous"), pragma("pragma journal_mode")));
    };
    sqlite.with_connection(Box::new(ask)).expect("the writer");
    let (synchronous, mode) = answered.recv().expect("an answer");
    // FULL: with a log, one fsync for each commit.
    assert_eq!(synchronous, Ok(rusqlite::types::Value::Integer(2)));
    assert_eq!(mode, Ok(rusqlite::types::Value::Text("wal".to_owned())));
    sqlite.close();
}

#[test]
fn only_the_writes_of_a_failed_body_are_undone() {
    let bodies = [("a", false), ("b", true), ("c", false), ("d", true), ("e", false)];
    // Bodies that ran before the failure run again.
    assert_eq!(ran_and_written(&bodies), ("a b a b c d e".to_owned(), "a c e".to_owned()));
    // A body that failed before it wrote has nothing to undo.
    assert_eq!(
        ran_and_written(&[("a", false), ("", true), ("c", false)]),
        ("a  c".to_owned(), "a c".to_owned())
    );
    assert_eq!(ran_and_written(&[("a", true)]), ("a a".to_owned(), String::new()));
}
