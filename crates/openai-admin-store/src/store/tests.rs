use super::*;

#[test]
fn a_database_url_never_shows_its_password() {
    for (url, shown) in [
        ("postgres://ada:s3cret@db.example/admin?sslmode=disable", "postgres://db.example/admin"),
        ("postgresql://ada:s3%40c%2Fr%3Fet@127.0.0.1:5433/admin", "postgres://127.0.0.1:5433/admin"),
        ("postgres://127.0.0.1:1/x?password=s3%40cret", "postgres://127.0.0.1:1/x"),
        ("postgres:///x?host=/run&password=s3cret", "postgres://%2Frun/x"),
        ("postgres://ada:s3cret@[::1],localhost/x", "postgres://[::1],localhost/x"),
    ] {
        let parsed: DatabaseUrl = url.parse().expect(url);
        assert_eq!(parsed.to_string(), shown);
        assert_eq!(format!("{parsed:?}"), shown);
        assert!(parsed.holds_password(), "{url}");
    }
    let without: DatabaseUrl = "postgres://ada@localhost:5432/x".parse().expect("a URL");
    assert!(!without.holds_password());
}

#[test]
fn an_unescaped_password_is_refused_and_not_repeated() {
    for url in [
        "postgres://127.0.0.1:1/x?password=s3@cret",
        "postgres://ada:s3@cret@localhost/x",
        "postgres://ada:s3/cret@localhost/x",
        "postgres://ada:s3?cret=1@localhost/x",
        "postgres://localhost/x?s3cret=1",
        "postgres://ada:s3cret",
    ] {
        let refused = url.parse::<DatabaseUrl>().expect_err(url);
        let unchecked = DatabaseUrl::Postgres(url.to_owned());
        let said = format!("{refused} {refused:?} {unchecked} {unchecked:?}");
        assert!(!said.contains("s3") && !said.contains("cret"), "{url}: {said}");
    }
}

#[test]
fn sqlite_urls_without_a_plain_file_are_refused() {
    for (url, said) in [
        ("sqlite::memory:", "in-memory"),
        ("sqlite://:memory:", "in-memory"),
        ("sqlite:file:a.db", "without file:"),
        ("sqlite:a.db?mode=ro", "without options"),
        ("sqlite:", "sqlite:FILE"),
    ] {
        let refused = url.parse::<DatabaseUrl>().expect_err(url).to_string();
        assert!(refused.contains(said), "{url}: {refused}");
    }
}

#[test]
fn closing_does_not_wait_longer_than_its_timeout() {
    let (held, hold) = mpsc::channel::<()>();
    assert!(!ends_within(Duration::from_millis(1), move || {
        let _ = hold.recv();
    }));
    drop(held);
    assert!(ends_within(CLOSE_TIMEOUT, || {}));
}
