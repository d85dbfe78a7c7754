//! Settings of the server: three places, their precedence, and errors with the place.

use crate::desk::{Desk, freeze};

#[test]
fn options_take_precedence_over_the_environment_and_that_over_the_file() {
    let desk = Desk::empty();
    // Each address has a distinct error, which shows which one counts.
    desk.write("server.toml", "listen = \"0.0.0.0:1\"\n");
    let refused = |desk: &Desk, arguments: &str| desk.run(&format!("serve {arguments}")).stderr;
    assert!(refused(&desk, "--config server.toml").contains("can reach 0.0.0.0:1"));
    let desk = desk.with_variable("OPENAI_ADMIN_LISTEN", "0.0.0.0:2");
    assert!(refused(&desk, "--config server.toml").contains("can reach 0.0.0.0:2"));
    assert!(refused(&desk, "--config server.toml --listen 0.0.0.0:3").contains("can reach 0.0.0.0:3"));
    // The file itself may come from the environment.
    desk.write("other.toml", "strict = 7\n");
    let desk = desk.with_variable("OPENAI_ADMIN_CONFIG", "other.toml");
    assert!(refused(&desk, "").contains("other.toml:1:1: strict"));
}

#[test]
fn only_the_place_with_precedence_names_the_database() {
    let desk = Desk::empty();
    desk.write("server.toml", "database = \"postgres://ada:s3cret@127.0.0.1:9/file\"\n");
    let failed = |desk: &Desk, arguments: &str| {
        let answer = desk.run(&format!("serve --config server.toml {arguments}"));
        assert!(!answer.stderr.contains("s3cret") && answer.status != 0, "{}", answer.stderr);
        answer.stderr
    };
    assert!(failed(&desk, "").contains("cannot open postgres://127.0.0.1:9/file"));
    assert!(failed(&desk, "--local no/such.db").contains("no/such.db"));
    desk.write("url", "postgres://ada:s3cret@127.0.0.1:9/secret\n");
    assert!(failed(&desk, "--database-file url").contains("cannot open postgres://127.0.0.1:9/secret"));
    let desk = desk.with_variable("OPENAI_ADMIN_DATABASE", "postgres://ada:s3cret@127.0.0.1:9/variable");
    assert!(failed(&desk, "").contains("cannot open postgres://127.0.0.1:9/variable"));
    assert!(
        failed(&desk, "--database-file url --local a.db")
            .contains("cannot be used with --local or --database")
    );
}

#[test]
fn a_repeatable_setting_has_several_values_in_every_place() {
    let desk = Desk::empty();
    let serve = "serve --database postgres://127.0.0.1:9/x";
    let refused = |desk: &Desk, arguments: &str| desk.run(&format!("{serve} {arguments}")).stderr;
    let (one, none) = ("postgres://127.0.0.1:9/one", "sqlite:two.db");
    let second = "--database-read names a replica";
    assert!(!refused(&desk, &format!("--database-read {one}")).contains(second));
    assert!(refused(&desk, &format!("--database-read {one} --database-read {none}")).contains(second));
    desk.write("one.toml", format!("database-read = {one:?}"));
    desk.write("two.toml", format!("database-read = [{one:?}, {none:?}]"));
    desk.write("flag.toml", "strict = [true]");
    desk.write("table.toml", "database-read = [[]]");
    assert!(!refused(&desk, "--config one.toml").contains(second));
    assert!(refused(&desk, "--config two.toml").contains(second));
    assert!(refused(&desk, "--config flag.toml").contains("strict: expected true or false"));
    assert!(refused(&desk, "--config table.toml").contains("expected a text or a list of texts"));
    let desk = desk.with_variable("OPENAI_ADMIN_DATABASE_READ", format!(" {one}  {none} "));
    assert!(refused(&desk, "").contains(second));
    assert!(
        !refused(&desk, &format!("--database-read {one}")).contains(second),
        "only the place with precedence counts"
    );
}

#[test]
fn an_error_in_a_file_has_its_line() {
    let desk = Desk::empty();
    for (name, text) in [
        ("unknown", "# A comment\nlisten = \"127.0.0.1:0\"\nrequests_per_minute = 5\n"),
        ("strange", "colour = 1\n"),
        ("wrong", "\n  listen = \"nowhere\"\n"),
        ("number", "requests-per-minute = -1\n"),
        ("flag", "strict = \"maybe\"\n"),
        ("table", "[server]\nlisten = \"127.0.0.1:0\"\n"),
        ("list", "listen = [\"127.0.0.1:0\"]\n"),
        ("syntax", "listen = 127.0.0.1:0\n"),
        ("twice", "strict = true\nstrict = false\n"),
        ("both", "local = \"a.db\"\ndatabase = \"sqlite:b.db\"\n"),
        ("public", "admin-listen = \"0.0.0.0:0\"\n"),
    ] {
        desk.write(&format!("{name}.toml"), text);
    }
    desk.write("url", "postgres://ada:s3@cret@localhost/x");
    freeze!(desk.transcript(&[
        "serve --config unknown.toml",
        "serve --config strange.toml",
        "serve --config wrong.toml",
        "serve --config number.toml",
        "serve --config flag.toml",
        "serve --config table.toml",
        "serve --config list.toml",
        "serve --config syntax.toml",
        "serve --config twice.toml",
        "serve --config both.toml",
        "serve --config public.toml",
        "serve --config missing.toml",
        "serve --database-file url",
        "serve --drain-grace 1h",
    ]));
}

#[test]
fn an_error_in_the_environment_has_its_variable() {
    let mut transcript = String::new();
    for (variable, value) in [
        ("OPENAI_ADMIN_LISTEN", "nowhere"),
        ("OPENAI_ADMIN_STRICT", "perhaps"),
        ("OPENAI_ADMIN_REQUESTS_PER_MINUTE", "0"),
        ("OPENAI_ADMIN_LOG", "inof"),
    ] {
        let desk = Desk::empty().with_variable(variable, value);
        transcript += &format!("{variable}={value} {}\n", desk.transcript(&["serve"]));
    }
    freeze!(transcript);
}

#[test]
fn an_unknown_variable_is_ignored() {
    // Kubernetes sets this for a service with the name `openai-admin`.
    let desk = Desk::empty().with_variable("OPENAI_ADMIN_PORT", "tcp://10.0.0.1:8080");
    let server = crate::running::Running::start(&desk, "--log error");
    assert_eq!(server.stop().0, Some(0));
}

#[test]
fn the_example_file_is_valid() {
    let desk = Desk::empty();
    let written = desk.run("admin settings --toml");
    assert_eq!(written.status, 0);
    desk.write("server.toml", &written.stdout);
    let server = crate::running::Running::start(&desk, "--config server.toml --log error");
    assert_eq!(server.stop().0, Some(0));
    let settings = desk.run("admin settings -o json").json();
    for setting in settings.as_array().unwrap() {
        let line = format!("\n#{} = ", setting["name"].as_str().unwrap());
        assert_eq!(written.stdout.matches(&line).count(), 1, "{line}");
    }
}
