//! The journal of a run: an append-only file with an intent before each write and its result after it.
//!
//! Each line contains the hash of the previous line, so that a removed or modified line is detected. A torn last line
//! is harmless: a resumed run reads the current state from the API.
//!
//! The head, a separate file, holds the number of synced lines and the hash of the last one, so that a truncated or
//! modified end is detected. It is written after the lines are synced, so it never counts lines that a crash has lost.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use openai_admin::{GroupId, UserId};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{plan::document::hex, run::private};

/// The hash before the first line.
const FIRST: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// The extension of the head file.
const HEAD: &str = "head";
/// The size of the write buffer.
const BUFFER_BYTES: usize = 256 * 1024;

/// A line of a journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The time of the line, as RFC 3339.
    pub at: String,
    /// The content.
    #[serde(flatten)]
    pub entry: Entry,
    /// The hash of the previous line, without its line ending.
    pub previous: String,
}

/// The content of a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// The run starts or is resumed.
    Begin {
        /// The plan's digest.
        plan: String,
        /// What the caller approved.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        accepted: Option<String>,
        /// Whether a stopped run is resumed.
        resumed: bool,
        /// Whether the journal has a head. That of a single command has none: it saves a sync to disk, and without its
        /// last lines an undo reverts less, never more.
        #[serde(default)]
        head: bool,
        /// The operating system's name of the user who started it, if known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// A write is about to be sent.
    Intent {
        /// The number of the operation in the plan.
        operation: usize,
        /// The name of the action.
        action: String,
        /// The group; absent for a group that does not exist yet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group_id: Option<GroupId>,
        /// The user.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user_id: Option<UserId>,
    },
    /// The result of an operation.
    Result(OperationResult),
    /// The result of the verification.
    Verified {
        /// The number of groups that match the plan.
        converged: usize,
        /// The names of the groups that differ.
        differing: Vec<String>,
    },
    /// The run ends.
    End {
        /// Whether all operations are finished.
        complete: bool,
        /// The number of requests.
        requests: u64,
        /// The number of rate-limited requests.
        refused: u64,
    },
}

/// The result of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationResult {
    /// The number of the operation in the plan.
    pub operation: usize,
    /// The outcome.
    pub outcome: Outcome,
    /// The HTTP status of the response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The request id that the service returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The time from the request to the response, in milliseconds.
    #[serde(default)]
    pub latency_ms: u64,
    /// The id of a group that was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_id: Option<GroupId>,
    /// The error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The outcome of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The run made the change.
    Done,
    /// The run sent the request and got no response, and the change was found in place.
    FoundDone,
    /// The change was already in place.
    NoChange,
    /// The request failed, and the change was not made.
    Failed,
    /// The request was sent, and it is unknown whether the change was made.
    Unknown,
    /// Not sent: an operation that must come first failed or is blocked.
    Held,
    /// Not sent: blocked by a rule.
    Blocked,
}

impl Outcome {
    /// Whether the change is in place.
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Done | Self::FoundDone | Self::NoChange)
    }

    /// Whether the run made the change.
    pub fn is_change(self) -> bool {
        matches!(self, Self::Done | Self::FoundDone)
    }

    /// Whether the run made the change, or may have made it.
    pub fn may_be_change(self) -> bool {
        self.is_change() || self == Self::Unknown
    }

    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Done => "done",
            Self::FoundDone => "found_done",
            Self::NoChange => "no_change",
            Self::Failed => "failed",
            Self::Held => "held",
            Self::Blocked => "blocked",
        }
    }
}

/// A journal that is open for writing.
#[derive(Debug)]
pub struct Journal {
    file: File,
    buffer: Vec<u8>,
    previous: String,
    lines: usize,
    head: PathBuf,
    has_head: bool,
    is_synced: bool,
}

/// The content of the head file.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    /// The number of synced lines.
    lines: usize,
    /// The hash of the last synced line.
    last: String,
}

impl Journal {
    /// Creates or opens a journal. A torn last line is removed.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened, or was modified.
    pub fn open(path: &Path) -> io::Result<(Self, Vec<Line>)> {
        let mut options = OpenOptions::new();
        let mut file = private::open(path, options.create(true).truncate(false).read(true).write(true))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let (lines, previous, whole) = read_lines(&text)?;
        let head = path.with_extension(HEAD);
        check_head(&head, &lines, &previous)?;
        file.set_len(whole as u64)?;
        file.seek(io::SeekFrom::End(0))?;
        let has_head = !lines.first().is_some_and(lacks_head);
        let buffer = Vec::with_capacity(BUFFER_BYTES);
        let journal = Self { file, buffer, previous, lines: lines.len(), head, has_head, is_synced: true };
        Ok((journal, lines))
    }

    /// Adds a line to the buffer. [`flush`](Self::flush) writes it to the file.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write(&mut self, at: Timestamp, entry: Entry) -> io::Result<()> {
        let previous = std::mem::take(&mut self.previous);
        let line = Line { at: at.to_string(), entry, previous };
        if self.lines == 0 {
            self.has_head = !lacks_head(&line);
        }
        let begin = self.buffer.len();
        serde_json::to_writer(&mut self.buffer, &line)?;
        self.previous = hash(&self.buffer[begin..]);
        self.lines += 1;
        self.buffer.push(b'\n');
        if self.buffer.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    /// Writes all lines to the file. They survive a crash of the process.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        if !self.buffer.is_empty() {
            self.file.write_all(&self.buffer)?;
            self.buffer.clear();
            self.is_synced = false;
        }
        Ok(())
    }

    /// Syncs all lines to disk. They survive a crash of the machine.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn sync(&mut self) -> io::Result<()> {
        self.flush()?;
        if !self.is_synced {
            self.file.sync_data()?;
            if self.has_head {
                let head = Head { lines: self.lines, last: self.previous.clone() };
                private::replace(&self.head, &serde_json::to_vec(&head)?)?;
            }
            self.is_synced = true;
        }
        Ok(())
    }
}

/// Reads a journal.
///
/// # Errors
///
/// If the file cannot be read, or was modified.
pub fn read(path: &Path) -> io::Result<Vec<Line>> {
    let text = std::fs::read(path)?;
    let (lines, last, _) = read_lines(&text)?;
    check_head(&path.with_extension(HEAD), &lines, &last)?;
    Ok(lines)
}

/// The last result of each operation.
pub fn results(lines: &[Line]) -> BTreeMap<usize, OperationResult> {
    let mut results = BTreeMap::new();
    for line in lines {
        if let Entry::Result(result) = &line.entry {
            results.insert(result.operation, result.clone());
        }
    }
    results
}

/// Checks the lines against the head file. A journal of an earlier version has none.
fn check_head(path: &Path, lines: &[Line], last: &str) -> io::Result<()> {
    let changed =
        |what: &str| io::Error::new(io::ErrorKind::InvalidData, format!("the journal was modified: {what}"));
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let has_head = |line: &Line| matches!(line.entry, Entry::Begin { head: true, .. });
            // The first line is synced shortly before the head file is created.
            return match lines {
                [first, _, ..] if has_head(first) => Err(changed("its head file is missing")),
                _ => Ok(()),
            };
        }
        Err(error) => return Err(error),
    };
    let head: Head = serde_json::from_slice(&text).map_err(|_| changed("its head file cannot be read"))?;
    let found = match head.lines.checked_sub(lines.len()) {
        Some(0) => last,
        Some(_) => {
            return Err(changed(&format!("it has {} lines and must have {}", lines.len(), head.lines)));
        }
        // The next line contains its hash.
        None => lines[head.lines].previous.as_str(),
    };
    if found == head.last {
        Ok(())
    } else {
        Err(changed(&format!("line {} does not match the head file", head.lines)))
    }
}

/// The lines, the hash of the last one, and their length in bytes, without a torn last line.
fn read_lines(text: &[u8]) -> io::Result<(Vec<Line>, String, usize)> {
    let mut lines = Vec::new();
    let mut previous = FIRST.to_owned();
    let mut whole = 0;
    let damaged = |number: usize, what: &str| {
        io::Error::new(io::ErrorKind::InvalidData, format!("line {number} of the journal {what}"))
    };
    while let Some(length) = text[whole..].iter().position(|byte| *byte == b'\n') {
        let bytes = &text[whole..whole + length];
        let is_last = whole + length + 1 == text.len();
        let number = lines.len() + 1;
        let line: Line = match serde_json::from_slice(bytes) {
            Ok(line) => line,
            // After a crash, a file system may have kept the length of the line without its content.
            Err(_) if is_last => break,
            Err(_) => return Err(damaged(number, "cannot be read")),
        };
        if line.previous != previous {
            return Err(damaged(number, "does not match the previous line: the journal was modified"));
        }
        previous = hash(bytes);
        lines.push(line);
        whole += length + 1;
    }
    Ok((lines, previous, whole))
}

/// Whether this first line belongs to a journal without a head.
fn lacks_head(line: &Line) -> bool {
    matches!(line.entry, Entry::Begin { head: false, .. })
}

fn hash(line: &[u8]) -> String {
    hex(&Sha256::digest(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(operation: usize) -> Entry {
        Entry::Result(OperationResult {
            operation,
            outcome: Outcome::Done,
            status: Some(200),
            request_id: None,
            latency_ms: 3,
            group_id: None,
            error: None,
        })
    }

    fn written(lines: usize) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal.jsonl");
        let (mut journal, _) = Journal::open(&path).expect("a journal");
        for number in 0..lines {
            journal.write(Timestamp::UNIX_EPOCH, result(number)).expect("written");
        }
        journal.sync().expect("on disk");
        (folder, path)
    }

    #[test]
    fn a_journal_can_be_reopened_and_extended() {
        let (_folder, path) = written(3);
        let (mut journal, lines) = Journal::open(&path).expect("a journal");
        assert_eq!(lines.len(), 3);
        journal.write(Timestamp::UNIX_EPOCH, result(7)).expect("written");
        journal.flush().expect("flushed");
        let lines = read(&path).expect("whole");
        assert_eq!(results(&lines).into_keys().collect::<Vec<_>>(), [0, 1, 2, 7]);
    }

    #[test]
    fn a_last_line_torn_anywhere_is_dropped() {
        let (_folder, path) = written(1);
        let (mut journal, _) = Journal::open(&path).expect("a journal");
        // Flushed to the file, and not synced yet.
        journal.write(Timestamp::UNIX_EPOCH, result(1)).expect("written");
        journal.flush().expect("flushed");
        let whole = std::fs::read(&path).expect("bytes");
        let first = whole.iter().position(|byte| *byte == b'\n').expect("a line") + 1;
        for cut in first..whole.len() {
            std::fs::write(&path, &whole[..cut]).expect("written");
            let (mut journal, lines) = Journal::open(&path).expect("torn");
            assert_eq!(lines.len(), 1, "cut at {cut}");
            journal.write(Timestamp::UNIX_EPOCH, result(1)).expect("written");
            journal.flush().expect("flushed");
            assert_eq!(read(&path).expect("whole again").len(), 2);
        }
    }

    #[test]
    fn a_removed_or_modified_last_line_is_detected() {
        let (_folder, path) = written(3);
        let text = std::fs::read_to_string(&path).expect("text");
        let two: String = text.lines().take(2).map(|line| format!("{line}\n")).collect();
        std::fs::write(&path, &two).expect("written");
        let error = read(&path).expect_err("cut").to_string();
        assert_eq!(error, "the journal was modified: it has 2 lines and must have 3");
        assert!(Journal::open(&path).is_err());
        let changed = two + &text.lines().last().expect("a line").replace("done", "failed") + "\n";
        std::fs::write(&path, changed).expect("written");
        let error = read(&path).expect_err("changed").to_string();
        assert_eq!(error, "the journal was modified: line 3 does not match the head file");
        std::fs::write(&path, text).expect("written");
        assert_eq!(read(&path).expect("as it was").len(), 3);
    }

    #[test]
    fn the_journal_of_a_command_has_no_head() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal.jsonl");
        let (mut journal, _) = Journal::open(&path).expect("a journal");
        let begin =
            Entry::Begin { plan: String::new(), accepted: None, resumed: false, head: false, by: None };
        journal.write(Timestamp::UNIX_EPOCH, begin).expect("written");
        journal.write(Timestamp::UNIX_EPOCH, result(0)).expect("written");
        journal.sync().expect("on disk");
        assert!(!path.with_extension(HEAD).exists());
        let (mut journal, lines) = Journal::open(&path).expect("reopened");
        journal.write(Timestamp::UNIX_EPOCH, result(1)).expect("written");
        journal.sync().expect("on disk");
        assert_eq!((lines.len(), read(&path).expect("whole").len()), (2, 3));
        assert!(!path.with_extension(HEAD).exists());
    }

    #[test]
    fn a_removed_or_modified_line_is_detected() {
        let (_folder, path) = written(3);
        let text = std::fs::read_to_string(&path).expect("text");
        std::fs::write(&path, text.replacen("\"status\":200", "\"status\":404", 1)).expect("written");
        let error = read(&path).expect_err("changed").to_string();
        assert_eq!(error, "line 2 of the journal does not match the previous line: the journal was modified");
        let without: String = text.lines().skip(1).map(|line| format!("{line}\n")).collect();
        std::fs::write(&path, without).expect("written");
        assert!(read(&path).is_err());
    }
}
