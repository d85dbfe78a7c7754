//! The journal of a verification: each creation, before and after its request, and each removal.
//!
//! It holds ids and generated names, and neither keys nor data of the organization.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use openai_admin::{CertificateId, GroupId, InviteId, ProjectId, RoleId};
use openai_admin_sync::private;
use serde::{Deserialize, Serialize};

const EXTENSION: &str = "jsonl";

/// A kind of resource that a verification creates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Project,
    Group,
    Role,
    Certificate,
    Invite,
}

/// A resource that a verification created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub(super) enum Thing {
    Project(ProjectId),
    Group(GroupId),
    Role(RoleId),
    Certificate(CertificateId),
    Invite(InviteId),
}

/// A line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub(super) enum Entry {
    /// The request is sent next. An invite's name is its address.
    Creating { resource: Kind, name: String },
    /// The service created it.
    Created(Thing),
    /// The service did not create it.
    NotCreated,
    /// It is removed.
    Removed(Thing),
}

/// The resources that a verification created and has not removed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Left {
    /// In the order of their creation.
    pub(super) things: Vec<Thing>,
    /// A creation without a known result.
    pub(super) uncertain: Option<(Kind, String)>,
}

impl Left {
    fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Creating { resource, name } => self.uncertain = Some((resource, name)),
            Entry::Created(thing) => {
                self.uncertain = None;
                self.things.push(thing);
            }
            Entry::NotCreated => self.uncertain = None,
            Entry::Removed(thing) => self.things.retain(|other| *other != thing),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.things.is_empty() && self.uncertain.is_none()
    }
}

/// An open journal.
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    left: Left,
}

impl Journal {
    /// Opens the journal `name` in a folder, or creates it.
    pub(super) fn open(folder: &Path, name: &str) -> io::Result<Self> {
        let path = folder.join(name).with_extension(EXTENSION);
        let mut file = private::open(&path, OpenOptions::new().create(true).append(true).read(true))?;
        let text = io::read_to_string(&file)?;
        let mut left = Left::default();
        // A line that is cut off was written by a process that ended before it did what the line says, or before it
        // knew the result. Both are uncertain.
        for entry in text.lines().filter_map(|line| serde_json::from_str(line).ok()) {
            left.apply(entry);
        }
        if !text.is_empty() && !text.ends_with('\n') {
            file.write_all(b"\n")?;
        }
        Ok(Self { path, file, left })
    }

    /// The names of the journals in a folder, which may not exist.
    pub(super) fn names(folder: &Path) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == EXTENSION) {
                names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
            }
        }
        names.sort();
        Ok(names)
    }

    pub(super) fn left(&self) -> &Left {
        &self.left
    }

    /// Writes a line to the disk.
    pub(super) fn write(&mut self, entry: Entry) -> io::Result<()> {
        let mut line = serde_json::to_vec(&entry)?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.file.sync_data()?;
        self.left.apply(entry);
        Ok(())
    }

    /// Deletes the journal of a verification that left nothing.
    pub(super) fn delete(self) -> io::Result<()> {
        fs::remove_file(self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(id: &str) -> Thing {
        Thing::Group(GroupId::new(id).expect("an id"))
    }

    #[test]
    fn a_reopened_journal_knows_what_is_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut journal = Journal::open(folder.path(), "one").expect("opened");
        let creating = |name: &str| Entry::Creating { resource: Kind::Group, name: name.to_owned() };
        for entry in [creating("a"), Entry::Created(group("group_a")), creating("b"), Entry::NotCreated] {
            journal.write(entry).expect("written");
        }
        journal.write(creating("c")).expect("written");
        // A process that is killed can cut off a line.
        journal.file.write_all(b"{\"entry\":\"crea").expect("written");
        let mut journal = Journal::open(folder.path(), "one").expect("opened");
        let uncertain = Some((Kind::Group, "c".to_owned()));
        assert_eq!(*journal.left(), Left { things: vec![group("group_a")], uncertain });

        journal.write(Entry::Created(group("group_c"))).expect("written");
        journal.write(Entry::Removed(group("group_a"))).expect("written");
        let journal = Journal::open(folder.path(), "one").expect("opened");
        assert_eq!(*journal.left(), Left { things: vec![group("group_c")], uncertain: None });
        assert_eq!(Journal::names(folder.path()).expect("read"), ["one"]);
        journal.delete().expect("deleted");
        assert_eq!(Journal::names(folder.path()).expect("read"), Vec::<String>::new());
    }
}
