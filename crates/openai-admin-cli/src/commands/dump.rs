//! `openai-admin dump`: an organization as a document that `load` reads.

use openai_admin_server::Minter;

use crate::{
    arguments::Format,
    config::Database,
    database,
    failure::{Doing as _, ExitStatus, Failure, Result},
    output::{self, Output},
};

pub(super) async fn run(database: &Database, output: &Output) -> Result<()> {
    let format = output.format().unwrap_or(Format::Yaml);
    if !matches!(format, Format::Yaml | Format::Json) {
        return Err(Failure::usage("dump writes one document: yaml (the default) or json")
            .hint("`groups users list GROUP -o csv` writes a group as a table"));
    }
    let (store, organization) = database::open_to_read(database, &Minter::system()).await?;
    let directory = store.dump(organization).await;
    store.close().await;
    let directory = directory.doing(|| format!("read {}", database.url))?;
    if format == Format::Yaml {
        return output.text(&output::yaml(&directory)?);
    }
    let json = serde_json::to_string_pretty(&directory)
        .map_err(|error| Failure::new(ExitStatus::Failed, format!("cannot write the data: {error}")))?;
    output.json(&(json + "\n"))
}
