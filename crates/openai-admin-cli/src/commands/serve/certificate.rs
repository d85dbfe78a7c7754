//! The certificate of the server. A separate thread reads it at the start and at each SIGHUP, with a deadline in case the
//! disk does not respond.

use std::{thread, time::Duration};

use openai_admin_server::{Minter, Tls};
use tokio::{sync::oneshot, time::timeout};

use super::signals::Hangups;
use crate::{
    arguments::ServeArguments,
    failure::{ExitStatus, Failure, Result},
};

/// How long before its expiry the server warns about a certificate.
const WARNING_SECONDS: i64 = 14 * 24 * 3600;
/// Timeout to read a certificate and its key.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// The certificate for https, if there is one.
pub(super) async fn open(arguments: &ServeArguments, minter: &Minter) -> Result<Option<Tls>> {
    let (Some(certificate), Some(key)) = (arguments.tls_cert.clone(), arguments.tls_key.clone()) else {
        return Ok(None);
    };
    let now = minter.now();
    let opened = in_thread(READ_TIMEOUT, move || Tls::open(&certificate, &key, now)).await;
    let opened = opened.map_err(|problem| Failure::new(ExitStatus::Failed, problem))?;
    let tls = opened.map_err(|error| Failure::bad_input(error.to_string()).hint(error.next_step()))?;
    warn_before_expiry(&tls, minter);
    Ok(Some(tls))
}

/// Reloads the certificate at each SIGHUP. Without a certificate the signal is only logged; without a handler it would
/// end the process.
pub(super) fn reload_at(mut hangups: Hangups, tls: Option<Tls>, minter: Minter) {
    tokio::spawn(async move {
        loop {
            hangups.next().await;
            match &tls {
                Some(tls) => reload(tls, &minter).await,
                None => tracing::info!("SIGHUP: nothing to reload"),
            }
        }
    });
}

async fn reload(tls: &Tls, minter: &Minter) {
    let (reader, now) = (tls.clone(), minter.now());
    match in_thread(READ_TIMEOUT, move || reader.read_again(now)).await {
        Ok(Ok(renewed)) => {
            tls.renew(renewed);
            tracing::info!("certificate reloaded");
            warn_before_expiry(tls, minter);
        }
        Ok(Err(error)) => tracing::error!(
            error = &error as &dyn std::error::Error,
            hint = error.next_step(),
            "cannot use the new certificate; keeping the old one"
        ),
        Err(problem) => tracing::error!(problem, "cannot read the new certificate; keeping the old one"),
    }
}

fn warn_before_expiry(tls: &Tls, minter: &Minter) {
    let Some(ends) = tls.expires_at() else { return };
    let left = ends.unix_seconds() - minter.now().unix_seconds();
    if left < WARNING_SECONDS {
        tracing::warn!(
            days_left = left / (24 * 3600),
            "the certificate expires soon: renew it, then send SIGHUP"
        );
    }
}

/// Runs `work` in a thread that does not delay the end of the process.
async fn in_thread<T: Send + 'static>(
    deadline: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    let (done, is_done) = oneshot::channel();
    let thread = thread::Builder::new().name("certificate".to_owned());
    // After the deadline the receiver is gone, and the result is dropped.
    let started = thread.spawn(move || drop(done.send(work())));
    started.map_err(|error| format!("cannot read the certificate: cannot start a thread: {error}"))?;
    match timeout(deadline, is_done).await {
        Ok(Ok(result)) => Ok(result),
        _ => Err(format!(
            "the certificate and its key were not read within {} s: check their disk",
            deadline.as_secs()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn reading_a_certificate_has_a_deadline() {
        let (hold, held) = std::sync::mpsc::channel::<()>();
        let late = in_thread(Duration::ZERO, move || held.recv().is_err())
            .await
            .expect_err("it never ends by itself");
        assert!(late.contains("not read within 0 s"), "{late}");
        drop(hold);
        assert_eq!(in_thread(READ_TIMEOUT, || 7).await, Ok(7));
    }
}
