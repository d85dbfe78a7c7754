//! The key of a server that starts.

use std::{
    ffi::OsString,
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use openai_admin_server::{Minter, api_keys};
use openai_admin_store::{ApiKey, DatabaseUrl, Error as StoreError, NewApiKey, Organization, Store};

use super::voice::Voice;
use crate::{
    config::{KEY_VARIABLE, Key},
    failure::{ExitStatus, Failure, Result, While as _},
    output::{file_name, moment, visible},
};

/// What the name of the database is followed by in the name of the file that holds its first key.
const FILE_SUFFIX: &str = ".first-key";

/// What is needed to store or make the first key, and to say so.
pub(super) struct FirstKey<'a> {
    pub(super) store: &'a Store,
    pub(super) organization: &'a Organization,
    pub(super) database: &'a DatabaseUrl,
    pub(super) minter: &'a Minter,
    /// Where the server listens.
    pub(super) url: &'a str,
    pub(super) voice: Voice<'a>,
}

impl FirstKey<'_> {
    /// Makes sure that a key works: the given one, or else a first one that is minted.
    pub(super) async fn provide(&self, given: Option<Key>) -> Result<()> {
        if let Some(key) = given {
            return self.accept(&key).await;
        }
        let keys = self.store.list_api_keys(self.organization.org).await;
        let keys = keys.doing(|| "read the keys".to_owned())?;
        let now = self.minter.now();
        let working = keys.iter().filter(|key| key.expires_at.is_none_or(|at| at > now)).count();
        let create = self.voice.output.command("keys create --name NAME");
        if working > 0 {
            let keys = if working == 1 { "its key".to_owned() } else { format!("one of its {working} keys") };
            self.voice.note(&format!("clients need {keys}; `{create}` makes another"));
            return Ok(());
        }
        match (self.voice.is_seen_once(), self.database) {
            (true, _) => self.show().await,
            (false, DatabaseUrl::Sqlite(database)) => self.write(&file_beside(database)).await,
            (false, DatabaseUrl::Postgres(_)) => {
                self.voice.line(&format!("{} has no key: `{create}` makes one", self.organization()));
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

    /// Says which file or variable holds a key that has ended.
    async fn ended(&self, key: &Key, hash: String) -> Failure {
        // A key that was revoked is not found.
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
            .hint("the current one is what `keys rotate` or `keys create` printed; it cannot be shown again")
            .propose("keys create --name NAME", "makes a new one")
    }

    async fn show(&self) -> Result<()> {
        let (key, new) = self.mint();
        self.create(new).await?;
        self.voice.line(&format!(
            "{} had no key, so this one was made. It is shown only now; clients use it like this:\n  \
             export OPENAI_BASE_URL={}/v1 OPENAI_ADMIN_KEY={key}",
            self.organization(),
            self.url
        ));
        Ok(())
    }

    /// Standard error may end up in a journal that others read. A file with mode 0600 does not.
    async fn write(&self, file: &Path) -> Result<()> {
        let (key, new) = self.mint();
        let name = file_name(file);
        // Before the key is valid, so that a failed write leaves no valid key behind.
        write_secret(file, &key).doing(|| format!("write the first key to {name}"))?;
        if let Err(failure) = self.create(new).await {
            // The key in it was never valid.
            let _ = fs::remove_file(file);
            return Err(failure);
        }
        self.voice.line(&format!(
            "{} had no key, so one was made and written to {name}, which only its owner can read; clients use it with \
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

    /// Says which key the given one is, unless it is only what it was given as: the key of this server, for everything.
    fn announce(&self, key: &Key, stored: &ApiKey) {
        if stored.scopes == api_keys::all_scopes() && stored.expires_at.is_none() {
            return;
        }
        let (name, scopes) = (visible(&stored.name), stored.scopes.join(" "));
        let until = stored.expires_at.map(|at| format!(", until {} UTC", moment(at.unix_seconds())));
        self.voice.line(&format!(
            "{} is the key '{name}' ({}) with the scopes {scopes}{}",
            key.source(),
            stored.id,
            until.unwrap_or_default()
        ));
    }
}

fn file_beside(database: &Path) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(FILE_SUFFIX);
    name.into()
}

/// Writes a new file that its owner alone can read, in the place of an earlier one.
fn write_secret(file: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    // A symbolic link with this name is not followed.
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut opened = options.open(file)?;
    writeln!(opened, "{text}")?;
    opened.sync_all()
}
