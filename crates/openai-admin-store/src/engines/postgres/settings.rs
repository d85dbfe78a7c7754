//! Where PostgreSQL is, and the settings of every connection to it.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use percent_encoding::percent_decode_str;
use tokio_postgres::config::{Host, SslMode};

use super::encryption::Encryption;
use crate::base::error::{Error, Result};

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The port where none is given.
const PORT: u16 = 5432;
/// How long what is sent may stay without a sign of having arrived.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// After how long without a word a connection is probed, how often, and how many probes may stay without an answer.
const KEEPALIVES_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVES_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVES_RETRIES: u32 = 3;

/// Where a PostgreSQL is, and how it is connected to.
#[derive(Clone)]
pub(crate) struct Config {
    pub(super) client: tokio_postgres::Config,
    /// None where nobody can listen, or where the URL says that it shall not be.
    pub(super) encryption: Option<Encryption>,
}

/// What a URL says of encryption that the client has no words for.
#[derive(Default)]
struct Trust {
    authorities: Option<PathBuf>,
    /// A word for `sslmode` that is not ours.
    has_unknown_mode: bool,
}

/// Takes out of a URL what the client has no words for.
fn split(url: &str) -> (String, Trust) {
    let mut trust = Trust::default();
    let Some((address, parameters)) = url.split_once('?') else { return (url.to_owned(), trust) };
    let mut others: Vec<&str> = Vec::new();
    for parameter in parameters.split('&') {
        match parameter.split_once('=') {
            // Both look at the certificate: to require encryption for anybody would protect from nobody.
            Some(("sslmode", "verify-full")) => others.push("sslmode=require"),
            Some(("sslmode", mode)) if !["disable", "prefer", "require"].contains(&mode) => {
                trust.has_unknown_mode = true;
            }
            Some(("sslrootcert", file)) => {
                trust.authorities = Some(percent_decode_str(file).decode_utf8_lossy().as_ref().into());
            }
            _ => others.push(parameter),
        }
    }
    let mark = if others.is_empty() { "" } else { "?" };
    (format!("{address}{mark}{}", others.join("&")), trust)
}

/// Reads a URL. What is wrong with it is not repeated, since a password may be part of that.
fn parse(url: &str) -> Result<(tokio_postgres::Config, Trust)> {
    let (url, trust) = split(url);
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    // The client takes everything before the first @ for user and password, wherever it stands.
    let is_ambiguous = rest.matches('@').count() > authority.matches('@').count().min(1);
    let config = if is_ambiguous { None } else { url.parse().ok() };
    let config = config.ok_or_else(|| {
        let expected =
            "postgres://user@host/database, in which a password writes @ as %40, / as %2F and ? as %3F";
        Error::invalid_value("database", expected)
    })?;
    Ok((config, trust))
}

/// Host, port and database of a URL, and nothing else of it.
pub(crate) fn shown(url: &str) -> String {
    let Ok((config, _)) = parse(url) else { return "postgres://…".to_owned() };
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(index, host)| {
        let host = match host {
            Host::Tcp(host) if host.contains(':') => format!("[{host}]"),
            Host::Tcp(host) => host.clone(),
            #[cfg(unix)]
            Host::Unix(path) => path.display().to_string().replace('/', "%2F"),
        };
        match ports.get(index).or(ports.first()) {
            Some(port) if *port != PORT => format!("{host}:{port}"),
            _ => host,
        }
    });
    let mut hosts: Vec<String> = hosts.collect();
    if hosts.is_empty() {
        hosts.extend(config.get_hostaddrs().iter().map(ToString::to_string));
    }
    let database = config.get_dbname().map(|database| format!("/{database}")).unwrap_or_default();
    format!("postgres://{}{database}", hosts.join(","))
}

/// Whether a URL holds a password, or what may be one.
pub(crate) fn holds_password(url: &str) -> bool {
    parse(url).map_or(true, |(config, _)| config.get_password().is_some())
}

/// The settings of every connection.
pub(crate) fn config(url: &str) -> Result<Config> {
    let (mut config, trust) = parse(url)?;
    let encryption =
        encryption(&config, trust).map_err(|expected| Error::invalid_value("database", expected))?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(SILENCE_MAX);
    }
    if config.get_keepalives_interval().is_none() {
        config.keepalives_idle(KEEPALIVES_IDLE).keepalives_interval(KEEPALIVES_INTERVAL);
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_retries(KEEPALIVES_RETRIES);
    }
    if config.get_application_name().is_none() {
        config.application_name("openai-admin");
    }
    Ok(Config { client: config, encryption })
}

/// Whether connections are encrypted, or what the URL should say instead.
fn encryption(
    config: &tokio_postgres::Config,
    trust: Trust,
) -> std::result::Result<Option<Encryption>, &'static str> {
    let Trust { authorities, has_unknown_mode } = trust;
    if has_unknown_mode {
        return Err("sslmode=verify-full, which encrypts and looks at the certificate, or sslmode=disable");
    }
    match config.get_ssl_mode() {
        SslMode::Require => {
            let is_named = |host: &Host| matches!(host, Host::Tcp(_));
            if config.get_hosts().is_empty() || !config.get_hosts().iter().all(is_named) {
                return Err(
                    "the name of each host beside sslmode=verify-full, since a certificate is for a name; \
                            a Unix socket needs sslmode=disable",
                );
            }
            Ok(Some(Encryption { authorities }))
        }
        _ if authorities.is_some() => {
            Err("sslmode=verify-full beside sslrootcert, which means nothing without it")
        }
        SslMode::Disable => Ok(None),
        _ if is_on_this_machine(config) => Ok(None),
        _ => Err(
            "sslmode=verify-full in the URL of a PostgreSQL on another machine, with sslrootcert=FILE where its \
                  certificate is not from a public authority; or sslmode=disable, where the network between is private",
        ),
    }
}

fn is_on_this_machine(config: &tokio_postgres::Config) -> bool {
    // An address says where to connect, and a host then only what it is called.
    if !config.get_hostaddrs().is_empty() {
        return config.get_hostaddrs().iter().all(IpAddr::is_loopback);
    }
    config.get_hosts().iter().all(|host| match host {
        Host::Tcp(host) => host == "localhost" || host.parse().is_ok_and(|host: IpAddr| host.is_loopback()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_is_silent_is_given_up() {
        let ours = config("postgres://localhost/x").expect("a URL").client;
        assert_eq!(ours.get_connect_timeout(), Some(&CONNECT_TIMEOUT));
        assert_eq!(ours.get_tcp_user_timeout(), Some(&SILENCE_MAX));
        assert_eq!(ours.get_keepalives_idle(), KEEPALIVES_IDLE);
        assert_eq!(ours.get_keepalives_interval(), Some(KEEPALIVES_INTERVAL));
        assert_eq!(ours.get_keepalives_retries(), Some(KEEPALIVES_RETRIES));
        let theirs = "postgres://localhost/x?connect_timeout=1&tcp_user_timeout=2&keepalives_interval=3";
        let theirs = config(theirs).expect("a URL").client;
        assert_eq!(theirs.get_connect_timeout(), Some(&Duration::from_secs(1)));
        assert_eq!(theirs.get_tcp_user_timeout(), Some(&Duration::from_secs(2)));
        assert_eq!(theirs.get_keepalives_interval(), Some(Duration::from_secs(3)));
    }

    #[test]
    fn another_machine_is_reached_without_encryption_only_when_the_url_says_so() {
        for near in [
            "postgres://localhost/x",
            "postgres://ada@127.0.0.1:5433,[::1]/x",
            "postgres:///x?host=/run/postgresql",
            "postgres://db.example/x?hostaddr=127.0.0.1",
            "postgres://db.example/x?sslmode=disable",
        ] {
            assert!(config(near).is_ok(), "{near}");
        }
        for far in [
            "postgres://db.example/x",
            "postgres://10.0.0.1/x",
            "postgres://localhost,db.example/x",
            "postgres://localhost/x?hostaddr=10.0.0.1",
            "postgres://db.example/x?sslmode=prefer",
            "postgres://db.example/x?sslmode=allow",
            "postgres://db.example/x?sslmode=verify-ca",
            "postgres:///x?host=/run/postgresql&sslmode=require",
            "postgres:///x?hostaddr=127.0.0.1&sslmode=verify-full",
        ] {
            let Err(refused) = config(far) else { panic!("{far}") };
            let refused = refused.to_string();
            assert!(refused.contains("sslmode=disable"), "{refused}");
        }
    }

    #[test]
    fn encryption_is_for_a_name_and_by_an_authority() {
        let encryption = |url: &str| config(url).map(|config| config.encryption);
        let by = |authorities: Option<&str>| Some(Encryption { authorities: authorities.map(PathBuf::from) });
        for (url, expected) in [
            ("postgres://localhost/x", None),
            ("postgres://db.example/x?sslmode=disable", None),
            ("postgres://db.example/x?sslmode=require", by(None)),
            ("postgres://db.example/x?connect_timeout=1&sslmode=verify-full", by(None)),
            ("postgres://10.0.0.1,db.example/x?sslmode=verify-full", by(None)),
            (
                "postgres://ada@db.example/x?sslrootcert=/etc/our%20own%20%26%20only.pem&sslmode=verify-full",
                by(Some("/etc/our own & only.pem")),
            ),
        ] {
            assert_eq!(encryption(url).expect(url), expected, "{url}");
        }
        let senseless = encryption("postgres://localhost/x?sslrootcert=a.pem").expect_err("it is not used");
        assert!(senseless.to_string().contains("sslmode=verify-full beside sslrootcert"));
        let url = "postgres://ada:s3cret@db.example:5433/x?sslmode=verify-full&sslrootcert=a.pem";
        assert_eq!((shown(url).as_str(), holds_password(url)), ("postgres://db.example:5433/x", true));
    }
}
