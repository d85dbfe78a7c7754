//! What a run did, line by line, in a file that only grows: an intent before each write and its result after it.
//!
//! Each line carries the hash of the line before, so that nothing can be taken out or changed unseen. A last line that
//! was torn off is no damage: the API is the truth, and a resumed run asks it.
//!
//! A file beside it, the head, holds how many lines are on the disk and the hash of the last of them, so that nothing can
//! be cut off or changed at the end unseen. It is written after the lines, and so never speaks of lines that a crash has
//! taken.

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
/// What the name of the file with the journal's head ends in, instead of the journal's own ending.
const HEAD: &str = "head";
/// What is kept in memory before it is written, in bytes.
const BUFFER_BYTES: usize = 256 * 1024;

/// A line of a journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// When it was written, as RFC 3339.
    pub at: String,
    /// What it says.
    #[serde(flatten)]
    pub entry: Entry,
    /// The hash of the line before, without its end.
    pub previous: String,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// The run begins, or goes on.
    Begin {
        /// The plan's digest.
        plan: String,
        /// What somebody accepted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        accepted: Option<String>,
        /// Whether it goes on with a run that stopped.
        resumed: bool,
        /// Whether the journal has a head.
        #[serde(default)]
        head: bool,
    },
    /// A write is about to be sent.
    Intent {
        /// The number of the operation in the plan.
        operation: usize,
        /// What is sent.
        action: String,
        /// To which group; none for one that is created.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group_id: Option<GroupId>,
        /// About which user.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user_id: Option<UserId>,
    },
    /// What came of an operation.
    Result(OperationResult),
    /// What the groups are afterwards.
    Verified {
        /// How many groups are as wished for.
        converged: usize,
        /// The names of those that are not.
        differing: Vec<String>,
    },
    /// The run ends.
    End {
        /// Whether nothing is left to do.
        complete: bool,
        /// Requests that were sent.
        requests: u64,
        /// Requests that came too soon.
        refused: u64,
    },
}

/// What came of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationResult {
    /// The number of the operation in the plan.
    pub operation: usize,
    /// What came of it.
    pub outcome: Outcome,
    /// The status of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The service's id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// From sending to the answer, in milliseconds.
    #[serde(default)]
    pub latency_ms: u64,
    /// The id of a group that was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_id: Option<GroupId>,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What came of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Done,
    /// The run was stopped between sending it and hearing of it, and it was found to be done.
    FoundDone,
    /// It was done already, by somebody else.
    NoChange,
    /// It was refused, or it was not done.
    Failed,
    /// It was sent, and no answer says whether it was done.
    Unknown,
    /// It was not sent, since something that must come before it failed or is blocked.
    Held,
    /// It was not sent, since a rule blocks it.
    Blocked,
}

impl Outcome {
    /// Whether what it wanted holds.
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Done | Self::FoundDone | Self::NoChange)
    }

    /// Whether the run changed something by it.
    pub fn is_change(self) -> bool {
        matches!(self, Self::Done | Self::FoundDone)
    }

    /// Whether the run may have changed something by it.
    pub fn may_be_change(self) -> bool {
        self.is_change() || self == Self::Unknown
    }

    /// Its name in reports.
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

/// A journal that is written.
#[derive(Debug)]
pub struct Journal {
    file: File,
    buffer: Vec<u8>,
    previous: String,
    lines: usize,
    head: PathBuf,
    is_synced: bool,
}

/// What the head says.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    /// How many lines are on the disk.
    lines: usize,
    /// The hash of the last of them.
    last: String,
}

impl Journal {
    /// Begins a journal, or goes on with one: a torn last line is cut off.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened, or was changed after it was written.
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
        let buffer = Vec::with_capacity(BUFFER_BYTES);
        let journal = Self { file, buffer, previous, lines: lines.len(), head, is_synced: true };
        Ok((journal, lines))
    }

    /// Adds a line. It is in the file after [`flush`](Self::flush).
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn write(&mut self, at: Timestamp, entry: Entry) -> io::Result<()> {
        let previous = std::mem::take(&mut self.previous);
        let line = Line { at: at.to_string(), entry, previous };
        let begin = self.buffer.len();
        serde_json::to_writer(&mut self.buffer, &line)?;
        self.previous = hash(&self.buffer[begin..]);
        self.lines += 1;
        self.buffer.push(b'\n');
        if self.buffer.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    /// Gives all lines to the operating system: they outlive this process.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        if !self.buffer.is_empty() {
            self.file.write_all(&self.buffer)?;
            self.buffer.clear();
            self.is_synced = false;
        }
        Ok(())
    }

    /// Gives all lines to the disk: they outlive the machine.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn sync(&mut self) -> io::Result<()> {
        self.flush()?;
        if !self.is_synced {
            self.file.sync_data()?;
            let head = Head { lines: self.lines, last: self.previous.clone() };
            private::replace(&self.head, &serde_json::to_vec(&head)?)?;
            self.is_synced = true;
        }
        Ok(())
    }
}

/// Reads a journal.
///
/// # Errors
///
/// When the file cannot be read, or was changed after it was written.
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

/// Holds the lines to the head. A journal of an earlier version has none.
fn check_head(path: &Path, lines: &[Line], last: &str) -> io::Result<()> {
    let changed =
        |what: &str| io::Error::new(io::ErrorKind::InvalidData, format!("{what}: the journal was changed"));
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let has_head = |line: &Line| matches!(line.entry, Entry::Begin { head: true, .. });
            // The first line is on the disk for a moment before its head.
            return match lines {
                [first, _, ..] if has_head(first) => {
                    Err(changed("the file with its last line's hash is missing"))
                }
                _ => Ok(()),
            };
        }
        Err(error) => return Err(error),
    };
    let head: Head = serde_json::from_slice(&text).map_err(|_| changed("its head cannot be read"))?;
    let found = match head.lines.checked_sub(lines.len()) {
        Some(0) => last,
        Some(_) => return Err(changed(&format!("it has {} lines, and had {}", lines.len(), head.lines))),
        // The line after it carries its hash.
        None => lines[head.lines].previous.as_str(),
    };
    if found == head.last { Ok(()) } else { Err(changed(&format!("line {} is another one", head.lines))) }
}

/// The lines, the hash of the last, and how many bytes they are: less than all when the last is torn.
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
            // A file system may have kept the length of a line and not its content.
            Err(_) if is_last => break,
            Err(_) => return Err(damaged(number, "cannot be read")),
        };
        if line.previous != previous {
            return Err(damaged(number, "does not follow the one before: the journal was changed"));
        }
        previous = hash(bytes);
        lines.push(line);
        whole += length + 1;
    }
    Ok((lines, previous, whole))
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
    fn a_journal_is_read_as_it_was_written_and_goes_on() {
        let (_folder, path) = written(3);
        let (mut journal, lines) = Journal::open(&path).expect("a journal");
        assert_eq!(lines.len(), 3);
        journal.write(Timestamp::UNIX_EPOCH, result(7)).expect("written");
        journal.flush().expect("flushed");
        let lines = read(&path).expect("whole");
        assert_eq!(results(&lines).into_keys().collect::<Vec<_>>(), [0, 1, 2, 7]);
    }

    #[test]
    fn a_torn_last_line_is_harmless_wherever_it_is_torn() {
        let (_folder, path) = written(1);
        let (mut journal, _) = Journal::open(&path).expect("a journal");
        // With the operating system, and not yet on the disk.
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
    fn a_last_line_that_was_cut_off_or_changed_is_noticed() {
        let (_folder, path) = written(3);
        let text = std::fs::read_to_string(&path).expect("text");
        let two: String = text.lines().take(2).map(|line| format!("{line}\n")).collect();
        std::fs::write(&path, &two).expect("written");
        let error = read(&path).expect_err("cut").to_string();
        assert_eq!(error, "it has 2 lines, and had 3: the journal was changed");
        assert!(Journal::open(&path).is_err());
        let changed = two + &text.lines().last().expect("a line").replace("done", "failed") + "\n";
        std::fs::write(&path, changed).expect("written");
        let error = read(&path).expect_err("changed").to_string();
        assert_eq!(error, "line 3 is another one: the journal was changed");
        std::fs::write(&path, text).expect("written");
        assert_eq!(read(&path).expect("as it was").len(), 3);
    }

    #[test]
    fn what_was_changed_or_taken_out_is_noticed() {
        let (_folder, path) = written(3);
        let text = std::fs::read_to_string(&path).expect("text");
        std::fs::write(&path, text.replacen("\"status\":200", "\"status\":404", 1)).expect("written");
        let error = read(&path).expect_err("changed").to_string();
        assert_eq!(error, "line 2 of the journal does not follow the one before: the journal was changed");
        let without: String = text.lines().skip(1).map(|line| format!("{line}\n")).collect();
        std::fs::write(&path, without).expect("written");
        assert!(read(&path).is_err());
    }
}
