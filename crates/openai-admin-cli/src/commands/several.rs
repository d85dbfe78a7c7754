//! Changes several things, several at a time, with a result for each. One failure does not stop the others.

use std::future::Future;

use serde::Serialize;

use crate::{
    failure::{ExitStatus, Failure, Result},
    output::Record,
    progress,
    session::Session,
};

/// The result of one change.
#[derive(Debug, Serialize)]
struct Row {
    /// The thing, as typed.
    name: String,
    id: Option<String>,
    outcome: &'static str,
    error: Option<String>,
    #[serde(skip)]
    failure: Option<Failure>,
}

impl Record for Row {
    const FIELDS: &'static [&'static str] = &["name", "id", "outcome", "error"];
    const COLUMNS: &'static [(&'static str, &'static str)] =
        &[("NAME", "name"), ("ID", "id"), ("OUTCOME", "outcome"), ("ERROR", "error")];
}

/// Something that was changed: its id, if there is one, and the outcome.
pub(super) struct Changed {
    pub(super) id: Option<String>,
    pub(super) outcome: &'static str,
}

/// Makes one change for each thing that was found, and prints a row for each. A thing is found or not.
///
/// # Errors
///
/// If a change failed: with the status that all failures share, or else as partly done.
pub(super) async fn change_each<T, F>(
    session: &Session<'_>,
    things: Vec<(String, Result<T>)>,
    change: impl Fn(T) -> F,
) -> Result<()>
where
    F: Future<Output = Result<Changed>>,
{
    let rows = progress::run_concurrently(session.output, things, |(name, found)| {
        let changing = found.map(&change);
        async move {
            let changed = match changing {
                Ok(changing) => changing.await,
                Err(failure) => Err(failure),
            };
            Ok::<_, Failure>(row(name, changed))
        }
    });
    let rows = rows.await?;
    let failed: Vec<&Row> = rows.iter().filter(|row| row.failure.is_some()).collect();
    // Alone, an error says everything.
    if let ([_], [Row { failure: Some(failure), .. }]) = (rows.as_slice(), failed.as_slice()) {
        return Err(failure.clone());
    }
    session.output.items(&rows, "nothing to change")?;
    match status(&rows) {
        ExitStatus::Done => Ok(()),
        status => Err(Failure::silent(status)),
    }
}

fn row(name: String, changed: Result<Changed>) -> Row {
    match changed {
        Ok(Changed { id, outcome }) => Row { name, id, outcome, error: None, failure: None },
        Err(failure) => {
            let error = Some(failure.message.clone());
            Row { name, id: None, outcome: "failed", error, failure: Some(failure) }
        }
    }
}

fn status(rows: &[Row]) -> ExitStatus {
    let mut failures = rows.iter().filter_map(|row| row.failure.as_ref()).map(|failure| failure.status);
    match failures.clone().count() {
        0 => ExitStatus::Done,
        number if number == rows.len() => {
            let first = failures.next().unwrap_or(ExitStatus::Failed);
            if failures.all(|status| status == first) { first } else { ExitStatus::Partial }
        }
        _ => ExitStatus::Partial,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_that_of_all_failures_or_partial() {
        let failed = |status| row("a".to_owned(), Err(Failure::new(status, "no")));
        let done = || row("b".to_owned(), Ok(Changed { id: Some("b".to_owned()), outcome: "added" }));
        assert_eq!(status(&[done()]), ExitStatus::Done);
        assert_eq!(status(&[failed(ExitStatus::NotFound), done()]), ExitStatus::Partial);
        let both = [failed(ExitStatus::NotFound), failed(ExitStatus::NotFound)];
        assert_eq!(status(&both), ExitStatus::NotFound);
        assert_eq!(status(&[failed(ExitStatus::NotFound), failed(ExitStatus::Key)]), ExitStatus::Partial);
    }
}
