//! A plan as a document: its JSON, the digest over it, and its schema.

use std::{
    collections::HashSet,
    io::{self, BufWriter, Write},
    path::Path,
};

use openai_admin::hexadecimal;
use sha2::{Digest as _, Sha256};

use super::{PLAN_VERSION, Plan};
use crate::private;

impl Plan {
    /// Sets the digest, after everything else is there.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        self.seal();
        self
    }

    /// Sets the digest that the plan should have, and gives the one that it had. A large plan is not copied for it.
    fn seal(&mut self) -> String {
        let had = std::mem::take(&mut self.digest);
        let created_at = std::mem::take(&mut self.created_at);
        let canonical: Vec<Option<String>> =
            self.sources.iter_mut().map(|source| source.canonical.take()).collect();
        let mut hashing = Hashing(Sha256::new());
        // Writing to a hash cannot fail, and a plan has only keys that are text.
        let _ = serde_json::to_writer(&mut hashing, self);
        for (source, canonical) in self.sources.iter_mut().zip(canonical) {
            source.canonical = canonical;
        }
        self.created_at = created_at;
        self.digest = format!("sha256:{}", hex(&hashing.0.finalize()));
        had
    }

    /// Reads a plan from its JSON.
    ///
    /// # Errors
    ///
    /// What is wrong with it: it is no plan, of another version, or was changed after it was made.
    pub fn from_json(json: &[u8]) -> Result<Self, String> {
        let mut plan: Self =
            serde_json::from_slice(json).map_err(|error| format!("it is no plan: {error}"))?;
        if plan.version != PLAN_VERSION {
            return Err(format!(
                "it is a plan of version {}, and this program reads {PLAN_VERSION}",
                plan.version
            ));
        }
        let said = plan.seal();
        if plan.digest != said {
            return Err("it was changed after it was made: its digest is not that of its content".to_owned());
        }
        plan.check_groups()?;
        Ok(plan)
    }

    /// One group in two parts would be two groups to the limits.
    fn check_groups(&self) -> Result<(), String> {
        let mut seen = HashSet::new();
        let twice = self.groups.iter().filter_map(|group| group.id.as_ref()).find(|id| !seen.insert(*id));
        twice.map_or(Ok(()), |id| Err(format!("it names group {id} twice")))
    }

    /// The plan as JSON for people and tools.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Writes the same to a file, piece by piece: a large plan is in memory once.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn write_json(&self, file: &Path) -> io::Result<()> {
        let mut out = BufWriter::new(private::create(file)?);
        serde_json::to_writer_pretty(&mut out, self)?;
        out.write_all(b"\n")?;
        out.flush()
    }
}

/// The JSON Schema of a plan.
pub fn json_schema() -> schemars::Schema {
    schemars::schema_for!(Plan)
}

struct Hashing(Sha256);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    hexadecimal(bytes).map(char::from).collect()
}
