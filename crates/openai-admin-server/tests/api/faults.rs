//! Answers when the database fails: the status shows whether to retry, and no internals are visible.

use std::{
    fs,
    io::{Seek as _, SeekFrom, Write as _},
};

use crate::support::{Answer, TestServer};

const GROUPS: &str = "/v1/organization/groups";

#[track_caller]
fn assert_reveals_no_internals(server: &TestServer, answer: &Answer) {
    let folder = server.database_file().parent().unwrap().display().to_string();
    for inside in [&*folder, "test.db", "sqlite", "SQLite", "wal", "disk", "select", "moved"] {
        assert!(!answer.text.contains(inside), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_database_file_that_is_moved_away_is_503_until_it_is_back() {
    let server = TestServer::new().await;
    let (file, away) = (server.database_file(), server.database_file().with_extension("away"));
    fs::rename(&file, &away).unwrap();
    let refused = server.post(GROUPS, r#"{"name":"Not done"}"#).await;
    refused.assert_error(503, Some("service_unavailable"), None);
    assert_eq!((refused.header("retry-after"), refused.header("x-should-retry")), (Some("1"), None));
    assert_reveals_no_internals(&server, &refused);
    fs::rename(&away, &file).unwrap();
    server.group("Done").await;
    let groups = server.get(GROUPS).await.body;
    assert_eq!(groups["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_damaged_database_is_500_and_the_log_has_the_cause() {
    let server = TestServer::new().await;
    let group = server.group("g").await;
    let file = server.database_file();
    for (damaged, from) in [(file.clone(), 0), (file.with_extension("db-wal"), 32)] {
        let length = fs::metadata(&damaged).unwrap().len();
        let mut damaged = fs::OpenOptions::new().write(true).open(damaged).unwrap();
        damaged.seek(SeekFrom::Start(from)).unwrap();
        damaged.write_all(&vec![0xa5; usize::try_from(length - from).unwrap()]).unwrap();
    }
    for path in [format!("{GROUPS}/{group}"), format!("{GROUPS}/{group}/users")] {
        let answer = server.get(&path).await;
        let message = answer.assert_error(500, Some("internal_error"), None);
        assert!(message.contains("Its log has the cause"), "{message}");
        assert_reveals_no_internals(&server, &answer);
    }
}
