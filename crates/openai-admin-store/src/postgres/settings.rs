//! Where PostgreSQL is, and the settings of every connection to it.

use std::{net::IpAddr, time::Duration};

use tokio_postgres::{
    Config,
    config::{Host, SslMode},
};

use crate::error::{Error, Result};

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

/// Reads a URL. What is wrong with it is not repeated, since a password may be part of that.
fn parse(url: &str) -> Result<Config> {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    // The client takes everything before the first @ for user and password, wherever it stands.
    let is_ambiguous = rest.matches('@').count() > authority.matches('@').count().min(1);
    let config = if is_ambiguous { None } else { url.parse().ok() };
    config.ok_or_else(|| {
        let expected =
            "postgres://user@host/database, in which a password writes @ as %40, / as %2F and ? as %3F";
        Error::invalid_value("database", expected)
    })
}

/// Host, port and database of a URL, and nothing else of it.
pub(crate) fn shown(url: &str) -> String {
    let Ok(config) = parse(url) else { return "postgres://…".to_owned() };
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
    parse(url).map_or(true, |config| config.get_password().is_some())
}

/// The settings of every connection.
pub(crate) fn config(url: &str) -> Result<Config> {
    let mut config = parse(url)?;
    let mode = config.get_ssl_mode();
    if mode == SslMode::Require || (mode != SslMode::Disable && !is_on_this_machine(&config)) {
        let expected = "a PostgreSQL on this machine, or sslmode=disable in the URL, since connections to PostgreSQL \
                        are not encrypted yet: keep both on one host or in a private network";
        return Err(Error::invalid_value("database", expected));
    }
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
    Ok(config)
}

fn is_on_this_machine(config: &Config) -> bool {
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
        let ours = config("postgres://localhost/x").expect("a URL");
        assert_eq!(ours.get_connect_timeout(), Some(&CONNECT_TIMEOUT));
        assert_eq!(ours.get_tcp_user_timeout(), Some(&SILENCE_MAX));
        assert_eq!(ours.get_keepalives_idle(), KEEPALIVES_IDLE);
        assert_eq!(ours.get_keepalives_interval(), Some(KEEPALIVES_INTERVAL));
        assert_eq!(ours.get_keepalives_retries(), Some(KEEPALIVES_RETRIES));
        let theirs = "postgres://localhost/x?connect_timeout=1&tcp_user_timeout=2&keepalives_interval=3";
        let theirs = config(theirs).expect("a URL");
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
            "postgres://localhost/x?sslmode=require",
        ] {
            let refused = config(far).expect_err(far).to_string();
            assert!(refused.contains("sslmode=disable"), "{refused}");
        }
    }
}
