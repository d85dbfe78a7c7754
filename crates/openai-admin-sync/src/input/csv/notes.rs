//! Notes about changed and skipped rows, with line numbers, so that nothing changes silently.

/// The most line numbers that a note lists.
const LINES_SHOWN_MAX: usize = 5;

/// The lines that a note is about.
#[derive(Debug, Default)]
pub(super) struct Lines {
    first: Vec<u64>,
    count: usize,
}

impl Lines {
    /// Adds a line. Adding the last one again changes nothing.
    pub(super) fn add(&mut self, line: u64) {
        if self.first.last() == Some(&line) {
            return;
        }
        self.count += 1;
        if self.first.len() < LINES_SHOWN_MAX {
            self.first.push(line);
        }
    }

    /// A note that ends with the lines: "skipped total rows: lines 4 and 9"; `None` if there are no lines.
    pub(super) fn note(&self, what: &str) -> Option<String> {
        let mut words: Vec<String> = self.first.iter().map(u64::to_string).collect();
        if self.count > self.first.len() {
            words.push(format!("{} more", self.count - self.first.len()));
        }
        let last = words.pop()?;
        let lines = if words.is_empty() { last } else { format!("{} and {last}", words.join(", ")) };
        let noun = if self.count == 1 { "line" } else { "lines" };
        Some(format!("{what}: {noun} {lines}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_lists_at_most_five_lines() {
        let mut lines = Lines::default();
        assert_eq!(lines.note("skipped"), None);
        for (line, note) in [
            (4, "skipped: line 4"),
            (4, "skipped: line 4"),
            (7, "skipped: lines 4 and 7"),
            (8, "skipped: lines 4, 7 and 8"),
        ] {
            lines.add(line);
            assert_eq!(lines.note("skipped").as_deref(), Some(note));
        }
        (9..20).for_each(|line| lines.add(line));
        assert_eq!(lines.note("skipped").as_deref(), Some("skipped: lines 4, 7, 8, 9, 10 and 9 more"));
    }
}
