//! The address of PostgreSQL, and the settings of all connections to it.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use percent_encoding::percent_decode_str;
use tokio_postgres::config::{Host, SslMode};

use super::encryption::Encryption;
use crate::base::error::{Error, Result};

/// The timeout for connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The default port.
const PORT: u16 = 5432;
/// How long sent data may stay unacknowledged.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// Keepalive: the idle time before the first probe, the time between probes, and the number of unanswered probes.
const KEEPALIVES_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVES_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVES_RETRIES: u32 = 3;

/// The address of a PostgreSQL server, and how to connect to it.
#[derive(Clone)]
pub(crate) struct Config {
    pub(super) client: tokio_postgres::Config,
    /// `None` if the server is local, or if the URL disables encryption.
    pub(super) encryption: Option<Encryption>,
}

/// The encryption parameters of a URL that the client library does not support.
#[derive(Default)]
struct Trust {
    authorities: Option<PathBuf>,
    /// Whether `sslmode` has an unsupported value.
    has_unknown_mode: bool,
}

/// Removes the parameters that the client library does not support from a URL.
fn split(url: &str) -> (String, Trust) {
    let mut trust = Trust::default();
    let Some((address, parameters)) = url.split_once('?') else { return (url.to_owned(), trust) };
    let mut others: Vec<&str> = Vec::new();
    for parameter in parameters.split('&') {
        match parameter.split_once('=') {
            // Both verify the certificate. Encryption without verification would not protect against an attacker.
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

/// Parses a URL. The error does not repeat the invalid part, because it may contain a password.
fn parse(url: &str) -> Result<(tokio_postgres::Config, Trust)> {
    let (url, trust) = split(url);
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    // The client library takes everything before the first @ for user and password, even behind the authority.
    let is_ambiguous = rest.matches('@').count() > authority.matches('@').count().min(1);
    let config = if is_ambiguous { None } else { url.parse().ok() };
    let config = config.ok_or_else(|| {
        let expected = "postgres://user@host/database; in a password, write @ as %40, / as %2F and ? as %3F";
        Error::invalid_value("database", expected)
    })?;
    Ok((config, trust))
}

/// Host, port and database of a URL, without the rest.
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

/// Whether a URL contains a password, or may contain one.
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

/// Whether connections are encrypted. The error is what the URL should contain instead.
fn encryption(
    config: &tokio_postgres::Config,
    trust: Trust,
) -> std::result::Result<Option<Encryption>, &'static str> {
    let Trust { authorities, has_unknown_mode } = trust;
    if has_unknown_mode {
        return Err("sslmode=verify-full, which encrypts and verifies the certificate, or sslmode=disable");
    }
    match config.get_ssl_mode() {
        SslMode::Require => {
            let is_named = |host: &Host| matches!(host, Host::Tcp(_));
            if config.get_hosts().is_empty() || !config.get_hosts().iter().all(is_named) {
                return Err(
                    "a host name for each host with sslmode=verify-full, because certificates are issued for names; \
                            a Unix socket needs sslmode=disable",
                );
            }
            Ok(Some(Encryption { authorities }))
        }
        _ if authorities.is_some() => {
            Err("sslmode=verify-full together with sslrootcert, which has no effect without it")
        }
        SslMode::Disable => Ok(None),
        _ if is_on_this_machine(config) => Ok(None),
        _ => Err(
            "sslmode=verify-full in the URL of a remote PostgreSQL, with sslrootcert=FILE if its certificate \
                  is not from a public authority; or sslmode=disable if the network is private",
        ),
    }
}

fn is_on_this_machine(config: &tokio_postgres::Config) -> bool {
    // `hostaddr` is the address to connect to; the host is then only a name.
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
    fn silent_connections_time_out() {
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
    fn a_remote_server_needs_encryption_unless_the_url_disables_it() {
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
    fn encryption_takes_its_authorities_from_the_url() {
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
        assert!(senseless.to_string().contains("sslmode=verify-full together with sslrootcert"));
        let url = "postgres://ada:s3cret@db.example:5433/x?sslmode=verify-full&sslrootcert=a.pem";
        assert_eq!((shown(url).as_str(), holds_password(url)), ("postgres://db.example:5433/x", true));
    }
}
