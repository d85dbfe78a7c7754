//! The limit of open files, and the number of connections that follows from it.

use openai_admin_server::limits::{Limits, OPEN_FILES_MIN};

use crate::failure::{ExitStatus, Failure, Result};

/// Connection limits that leave files for health checks.
pub(super) fn limits() -> Result<Limits> {
    let open_files = raise_limit();
    Limits::default().within(open_files).ok_or_else(|| {
        let message =
            format!("this process can open {open_files} files, and the server needs {OPEN_FILES_MIN}");
        Failure::new(ExitStatus::Failed, message)
            .hint("raise it: `ulimit -n 1024`, or LimitNOFILE= of its service")
    })
}

/// Raises the limit as far as the system allows. The default is low for programs that use select(2).
#[cfg(unix)]
fn raise_limit() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let given = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: given.maximum, maximum: given.maximum };
    let limit = if setrlimit(Resource::Nofile, raised).is_ok() { raised } else { given };
    limit.current.and_then(|files| usize::try_from(files).ok()).unwrap_or(usize::MAX)
}

#[cfg(not(unix))]
fn raise_limit() -> usize {
    usize::MAX
}
