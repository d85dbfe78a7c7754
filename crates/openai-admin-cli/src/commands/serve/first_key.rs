//! The first key of a server.

use std::{
    ffi::OsString,
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use openai_admin_server::{Minter, api_keys};
use openai_admin_store::{ApiKey, DatabaseUrl, Error as StoreError, NewApiKey, Organization, Store};

use super::messages::Messages;
use crate::{
    config::{KEY_VARIABLE, Key},
    failure::{Doing as _, ExitStatus, Failure, Result},
    output::{file_name, moment, visible},
};

/// The suffix of the file with the first key, after the name of the database.
const FILE_SUFFIX: &str = ".first-key";

/// Stores or creates the first key, and announces it.
pub(super) struct FirstKey<'a> {
    pub(super) store: &'a Store,
    pub(super) organization: &'a Organization,
    pub(super) database: &'a DatabaseUrl,
    pub(super) minter: &'a Minter,
    /// The server's URL.
    pub(super) url: &'a str,
    pub(super) messages: Messages<'a>,
}

impl FirstKey<'_> {
    /// Ensures that there is a valid key: the given one, or else a new first key.
    pub(super) async fn provide(&self, given: Option<Key>) -> Result<()> {
        if let Some(key) = given {
            return self.accept(&key).await;
        }
        let keys = self.store.list_api_keys(self.organization.org).await;
        let keys = keys.doing(|| "read the keys".to_owned())?;
        let now = self.minter.now();
        let working = keys.iter().filter(|key| key.expires_at.is_none_or(|at| at > now)).count();
        let create = self.messages.output.command("keys create --name NAME");
        if working > 0 {
            let keys = if working == 1 { "its key".to_owned() } else { format!("one of its {working} keys") };
            self.messages.note(&format!("clients need {keys}; `{create}` creates another"));
            return Ok(());
        }
        match (self.messages.are_transient(), self.database) {
            (true, _) => self.show().await,
            (false, DatabaseUrl::Sqlite(database)) => self.write(&first_key_file(database)).await,
            (false, DatabaseUrl::Postgres(_)) => {
                self.messages.line(&format!("{} has no key: `{create}` creates one", self.organization()));
                Ok(())
            }
        }
    }

    /// Stores the given key, unless it has expired or was revoked.
    async fn accept(&self, key: &Key) -> Result<()> {
        let new = api_keys::given(key.expose(), "bootstrap", api_keys::all_scopes());
        let hash = new.hash.clone();
        let stored =
            self.store.set_bootstrap_api_key(self.organization.org, self.minter.stamp("serve"), new).await;
        match stored {
            Err(StoreError::InvalidValue { .. }) => Err(self.ended(key, hash).await),
            stored => {
                self.announce(key, &stored.doing(|| "store the key".to_owned())?);
                Ok(())
            }
        }
    }

    /// The failure for a key that has expired or was revoked, with its file or variable.
    async fn ended(&self, key: &Key, hash: String) -> Failure {
        // The store does not find a revoked key.
        let ended = match self.store.find_api_key(hash).await {
            Ok(Some(_)) => "has expired",
            Ok(None) => "was revoked",
            Err(error) => return Failure::from(error),
        };
        let source = key.source();
        let place = if source == KEY_VARIABLE { "this variable" } else { "this file" };
        let message = format!("the key in {source} {ended}; put a current key in {place}");
        let failure = Failure::new(ExitStatus::Key, message);
        failure
            .hint("`keys rotate` or `keys create` printed the current one; it cannot be shown again")
            .suggest("keys create --name NAME", "creates a new one")
    }

    async fn show(&self) -> Result<()> {
        let (key, new) = self.mint();
        self.create(new).await?;
        self.messages.line(&format!(
            "{} had no key, so this one was created. It is shown only once. To use it:\n  \
             export OPENAI_BASE_URL={}/v1 OPENAI_ADMIN_KEY={key}",
            self.organization(),
            self.url
        ));
        Ok(())
    }

    /// Writes the key to a file with mode 0600. Others may be able to read a journal with standard error.
    async fn write(&self, file: &Path) -> Result<()> {
        let (key, new) = self.mint();
        let name = file_name(file);
        // Write it before it becomes valid, so that a failed write leaves no valid key behind.
        write_secret(file, &key).doing(|| format!("write the first key to {name}"))?;
        if let Err(failure) = self.create(new).await {
            // The key in the file never became valid.
            let _ = fs::remove_file(file);
            return Err(failure);
        }
        self.messages.line(&format!(
            "{} had no key, so one was created and written to {name}, which only its owner can read. To use it: \
             --base-url {}/v1 --key-file {name}",
            self.organization(),
            self.url
        ));
        Ok(())
    }

    fn mint(&self) -> (String, NewApiKey) {
        api_keys::mint(self.minter, "first", api_keys::all_scopes(), None)
    }

    async fn create(&self, new: NewApiKey) -> Result<()> {
        let created = self.store.create_api_key(self.organization.org, self.minter.stamp("serve"), new).await;
        created.map(drop).doing(|| "store the key".to_owned())
    }

    fn organization(&self) -> String {
        format!("{} ({})", visible(&self.organization.title), self.organization.id)
    }

    /// Announces which key the given one is, if it has an expiry or not every scope.
    fn announce(&self, key: &Key, stored: &ApiKey) {
        if stored.scopes == api_keys::all_scopes() && stored.expires_at.is_none() {
            return;
        }
        let (name, scopes) = (visible(&stored.name), stored.scopes.join(" "));
        let until = stored.expires_at.map(|at| format!(", until {} UTC", moment(at.unix_seconds())));
        self.messages.line(&format!(
            "{} is the key '{name}' ({}) with the scopes {scopes}{}",
            key.source(),
            stored.id,
            until.unwrap_or_default()
        ));
    }
}

fn first_key_file(database: &Path) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(FILE_SUFFIX);
    name.into()
}

/// Writes a new file that only its owner can read, and replaces an earlier one.
fn write_secret(file: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    // `create_new` does not follow a symbolic link.
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut opened = options.open(file)?;
    writeln!(opened, "{text}")?;
    opened.sync_all()
}
