//! The key of a server that starts.

use openai_admin_server::{Minter, api_keys};
use openai_admin_store::{ApiKey, Error as StoreError, Organization, Store};

use crate::{
    config::Key,
    failure::{ExitStatus, Failure, Result, While as _},
    output::{Output, moment, visible},
};

/// Without a key nobody could ask anything: the given one is made valid, or else the first one is minted and shown.
pub(super) async fn provide(
    store: &Store,
    organization: &Organization,
    minter: &Minter,
    key: Option<Key>,
    url: &str,
    output: &Output,
) -> Result<()> {
    let org = organization.org;
    if let Some(key) = key {
        let new = api_keys::given(key.expose(), "bootstrap", api_keys::all_scopes());
        let stored = match store.set_bootstrap_api_key(org, minter.stamp("serve"), new).await {
            Err(StoreError::InvalidValue { expected, .. }) => {
                let message = format!("{}: expected {expected}", key.source());
                return Err(Failure::new(ExitStatus::Key, message)
                    .hint("`openai-admin keys create --name NAME` makes a new one"));
            }
            stored => stored.doing(|| "store the key".to_owned())?,
        };
        announce(&key, &stored, output);
        return Ok(());
    }
    let keys = store.list_api_keys(org).await.doing(|| "read the keys".to_owned())?;
    let works = |expires_at: Option<openai_admin::Timestamp>| expires_at.is_none_or(|at| at > minter.now());
    let working = keys.iter().filter(|key| works(key.expires_at)).count();
    if working > 0 {
        let keys = if working == 1 { "its key".to_owned() } else { format!("one of its {working} keys") };
        let create = output.command("keys create --name NAME");
        output.note(&format!("clients need {keys}; `{create}` makes another"));
        return Ok(());
    }
    let (key, new) = api_keys::mint(minter, "first", api_keys::all_scopes(), None);
    store.create_api_key(org, minter.stamp("serve"), new).await.doing(|| "store the key".to_owned())?;
    output.line(&format!(
        "{} ({}) had no key, so this one was made. It is shown only now; clients use it like this:\n  \
         export OPENAI_BASE_URL={url}/v1 OPENAI_ADMIN_KEY={key}",
        visible(&organization.title),
        organization.id
    ));
    Ok(())
}

/// Says which key the given one is, unless it is only what it was given as: the key of this server, for everything.
fn announce(key: &Key, stored: &ApiKey, output: &Output) {
    if stored.scopes == api_keys::all_scopes() && stored.expires_at.is_none() {
        return;
    }
    let (name, scopes) = (visible(&stored.name), stored.scopes.join(" "));
    let until = stored.expires_at.map(|at| format!(", until {} UTC", moment(at.unix_seconds())));
    output.line(&format!(
        "{} is the key '{name}' ({}) with the scopes {scopes}{}",
        key.source(),
        stored.id,
        until.unwrap_or_default()
    ));
}
