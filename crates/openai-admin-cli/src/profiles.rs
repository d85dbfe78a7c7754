//! Profiles: services with their keys, each under a name, in one private file.

use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use openai_admin_sync::{
    lock::{Lock, LockError},
    private,
    render::shell_word,
};
use serde::{Deserialize, Serialize};

use crate::failure::{Doing as _, ExitStatus, Failure, Result};

/// The name of the file.
pub(crate) const FILE: &str = "profiles.json";
/// The largest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// The most profiles.
const PROFILES_MAX: usize = 1000;
/// The most characters of a name.
const NAME_CHARS_MAX: usize = 64;

/// The content of the file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profiles {
    /// The profile of commands that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) current: Option<String>,
    #[serde(default)]
    pub(crate) profiles: BTreeMap<String, Profile>,
}

/// A service and the key for it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    pub(crate) base_url: String,
    /// The organization that the service named at the login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) organization: Option<String>,
    pub(crate) key: String,
}

impl fmt::Debug for Profile {
    // The key is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

impl Profiles {
    /// Reads the file; without a file there are no profiles. A file that other users can read is refused.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            file => {
                file.map_err(as_key_failure).doing(|| format!("read profiles from {}", path.display()))?
            }
        };
        check_private(&file, path)?;
        let mut text = String::new();
        let read = file.take(FILE_BYTES_MAX).read_to_string(&mut text);
        read.map_err(as_key_failure).doing(|| format!("read profiles from {}", path.display()))?;
        // The error of the parser names a line and a column, and no value.
        serde_json::from_str(&text).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            let message = format!("{} is not a file of profiles: {place}", path.display());
            Failure::new(ExitStatus::Key, message).hint("remove it, and run `openai-admin login` again")
        })
    }

    /// Changes the file, while no other process does.
    pub(crate) fn change<T>(path: &Path, change: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let doing = || format!("write {}", path.display());
        private::create_folder(folder).doing(doing)?;
        let holder = format!("process {}", std::process::id());
        let _lock = Lock::take(&path.with_extension("lock"), &holder).map_err(|error| match error {
            LockError::Held(who) => {
                let message = format!("another command is changing {}: {who}", path.display());
                Failure::new(ExitStatus::Locked, message).hint("nothing changed; retry when it ends")
            }
            LockError::Io(error) => error.into(),
        })?;
        let mut profiles = Self::read(path)?;
        let changed = change(&mut profiles)?;
        let text = serde_json::to_vec_pretty(&profiles).map_err(io::Error::from)?;
        if text.len() as u64 > FILE_BYTES_MAX {
            return Err(Failure::usage(format!("the profiles would take more than {FILE_BYTES_MAX} bytes"))
                .hint("nothing changed; `openai-admin profiles remove NAME` removes one"));
        }
        private::replace(path, &text).doing(doing)?;
        Ok(changed)
    }

    /// The profile with this name.
    pub(crate) fn find(&self, name: &str) -> Result<&Profile> {
        self.profiles.get(name).ok_or_else(|| {
            let failure = Failure::not_found(format!("no profile has the name '{name}'"));
            match self.profiles.is_empty() {
                true => failure.hint(format!("`openai-admin login {}` saves one", shell_word(name))),
                false => failure.hint("`openai-admin profiles list` lists the profiles"),
            }
        })
    }

    /// Refuses a change for which someone consented to another profile.
    pub(crate) fn check_unchanged(&self, name: &str, seen: Option<&Profile>) -> Result<()> {
        if self.profiles.get(name) == seen {
            return Ok(());
        }
        let message = format!("profile '{name}' was changed by another command");
        Err(Failure::new(ExitStatus::Locked, message).hint("nothing changed; run the command again"))
    }

    /// Adds a profile or replaces it. The first one becomes the current one. Returns whether it is current.
    pub(crate) fn save(&mut self, name: &str, profile: Profile) -> Result<bool> {
        if !self.profiles.contains_key(name) && self.profiles.len() >= PROFILES_MAX {
            return Err(Failure::usage(format!("there are {PROFILES_MAX} profiles, the maximum"))
                .hint("`openai-admin profiles remove NAME` removes one"));
        }
        self.profiles.insert(name.to_owned(), profile);
        let current = self.current.get_or_insert_with(|| name.to_owned());
        Ok(current == name)
    }
}

/// A profile that a command uses.
#[derive(Clone, Debug)]
pub(crate) struct NamedProfile {
    pub(crate) name: String,
    pub(crate) profile: Profile,
}

impl Profile {
    /// Its organization, or else its base URL.
    pub(crate) fn label(&self) -> String {
        self.organization.as_ref().unwrap_or(&self.base_url).clone()
    }
}

impl NamedProfile {
    /// Its name and organization, for prompts.
    pub(crate) fn label(&self) -> String {
        format!("profile {}, {}", self.name, self.profile.label())
    }
}

/// Checks a name: it is part of messages and command lines.
pub(crate) fn name(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if text.is_empty() || text.starts_with('-') || !text.chars().all(is_plain) {
        return Err("a name has letters, digits, `.`, `_` and `-`".to_owned());
    }
    if text.len() > NAME_CHARS_MAX {
        return Err(format!("a name has at most {NAME_CHARS_MAX} characters"));
    }
    Ok(text.to_owned())
}

/// Whether two base URLs name the same service.
pub(crate) fn is_same_url(a: &str, b: &str) -> bool {
    a.trim().trim_end_matches('/') == b.trim().trim_end_matches('/')
}

fn as_key_failure(error: io::Error) -> Failure {
    Failure { status: ExitStatus::Key, ..error.into() }
}

/// The permissions of other users on a file.
#[cfg(unix)]
const OTHERS: u32 = 0o077;

#[cfg(unix)]
fn check_private(file: &File, path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = file.metadata()?.permissions().mode() & 0o777;
    if mode & OTHERS == 0 {
        return Ok(());
    }
    let shown = shell_word(&path.display().to_string());
    Err(Failure::new(ExitStatus::Key, format!("other users can read or change {shown} (mode {mode:04o})"))
        .hint(format!("chmod 600 {shown}"))
        .hint("if someone may have read it, create new keys and revoke these"))
}

#[cfg(not(unix))]
fn check_private(_: &File, _: &Path) -> Result<()> {
    Ok(())
}

/// The file, or a failure that says how to name its folder.
pub(crate) fn file(found: Option<PathBuf>) -> Result<PathBuf> {
    found.ok_or_else(|| {
        Failure::usage("no folder for profiles").hint("set one: export XDG_CONFIG_HOME=FOLDER, or HOME")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(base_url: &str) -> Profile {
        Profile { base_url: base_url.to_owned(), organization: None, key: "sk-admin-secret".to_owned() }
    }

    fn saved() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("openai-admin").join(FILE);
        Profiles::change(&file, |profiles| profiles.save("acme", profile("https://a/v1"))).expect("saved");
        (folder, file)
    }

    #[test]
    fn the_first_profile_becomes_the_current_one() {
        let (_folder, file) = saved();
        let is_current = Profiles::change(&file, |profiles| profiles.save("beta", profile("https://b/v1")));
        assert!(!is_current.expect("saved"));
        let profiles = Profiles::read(&file).expect("read");
        assert_eq!(profiles.current.as_deref(), Some("acme"));
        assert_eq!(profiles.find("beta").expect("found").base_url, "https://b/v1");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_folder, file) = saved();
        let mode =
            |mode| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("set");
        assert_eq!(std::fs::metadata(&file).expect("file").permissions().mode() & 0o777, 0o600);
        for readable in [0o640, 0o604, 0o620] {
            mode(readable);
            let failure = Profiles::read(&file).expect_err("refused");
            assert_eq!(failure.status as u8, ExitStatus::Key as u8);
            assert!(failure.message.contains("other users can read"), "{}", failure.message);
        }
        mode(0o600);
        Profiles::read(&file).expect("private again");
    }

    #[test]
    fn a_damaged_file_is_refused_without_its_content() {
        let (_folder, file) = saved();
        let text = std::fs::read_to_string(&file).expect("text");
        std::fs::write(&file, text.replace("\"key\"", "\"keys\"")).expect("written");
        let failure = Profiles::read(&file).expect_err("refused");
        assert!(!failure.message.contains("secret"), "{}", failure.message);
        assert!(failure.message.contains("is not a file of profiles: line 6"), "{}", failure.message);
    }

    #[test]
    fn the_debug_form_hides_the_key() {
        assert!(!format!("{:?}", profile("https://a/v1")).contains("secret"));
    }

    #[test]
    fn a_name_is_one_plain_word() {
        for good in ["acme", "acme.prod_2-eu"] {
            assert_eq!(name(good).as_deref(), Ok(good));
        }
        for bad in ["", "-x", "a b", "a/b", "ä", &"a".repeat(65)] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_slash_at_the_end_names_the_same_service() {
        assert!(is_same_url("https://a/v1/", "https://a/v1"));
        assert!(!is_same_url("https://a/v1", "https://b/v1"));
    }
}
