use std::{fmt, path::PathBuf, str::FromStr};

use crate::{
    base::error::{Error, Result},
    engines::{postgres, sqlite},
};

/// The location of a database: `sqlite:FILE` or `postgres://…`.
///
/// ```
/// use openai_admin_store::DatabaseUrl;
/// assert!("sqlite:openai-admin.db".parse::<DatabaseUrl>().is_ok());
/// assert!("mysql://localhost".parse::<DatabaseUrl>().is_err());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file, created if it does not exist.
    Sqlite(PathBuf),
    /// A connection URL in libpq's format.
    Postgres(String),
}

impl FromStr for DatabaseUrl {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self> {
        if let Some(file) = url.strip_prefix("sqlite:").filter(|file| !file.is_empty()) {
            let file = file.strip_prefix("//").unwrap_or(file);
            if file.starts_with("file:") || file.contains('?') {
                let expected = "sqlite: and the path of a file, without file: and without options";
                return Err(Error::invalid_value("database", expected));
            }
            sqlite::check_file(file.as_ref())?;
            Ok(Self::Sqlite(file.into()))
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            postgres::config(url)?;
            Ok(Self::Postgres(url.to_owned()))
        } else {
            Err(Error::invalid_value("database", "sqlite:FILE or postgres://user@host/database"))
        }
    }
}

impl DatabaseUrl {
    /// Whether it contains a password, and so must not be displayed.
    pub fn holds_password(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            Self::Postgres(url) => postgres::holds_password(url),
        }
    }
}

/// The URL may contain a password, so only host and database are shown.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => write!(f, "sqlite:{}", file.display()),
            Self::Postgres(url) => f.write_str(&postgres::shown(url)),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
