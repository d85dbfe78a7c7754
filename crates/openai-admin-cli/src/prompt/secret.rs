//! Reads a secret from the terminal without showing it.

use std::io::{self, Write as _};

use crate::failure::{ExitStatus, Failure, Result};

/// The longest secret, in bytes.
const BYTES_MAX: usize = 4096;
/// The bytes that the terminal sends for Ctrl-C, Ctrl-D, Backspace and Delete.
const CANCEL: u8 = 3;
const END: u8 = 4;
const ERASE: [u8; 2] = [8, 127];

/// Asks for a secret on the terminal. Ctrl-C cancels.
pub(crate) fn ask(question: &str) -> Result<String> {
    write!(io::stderr(), "{question}")?;
    let read = {
        let _hidden = terminal::Hidden::begin()?;
        read_line(io::stdin().lock())
    };
    // The Enter of the user was not shown.
    writeln!(io::stderr())?;
    read
}

/// Reads to the end of the line, byte by byte, as a terminal without line editing sends them.
fn read_line(input: impl io::BufRead) -> Result<String> {
    let mut bytes: Vec<u8> = Vec::new();
    for byte in input.bytes() {
        match byte? {
            b'\n' | b'\r' | END => break,
            CANCEL => return Err(Failure::new(ExitStatus::Stopped, "cancelled; nothing changed")),
            byte if ERASE.contains(&byte) => drop(bytes.pop()),
            _ if bytes.len() >= BYTES_MAX => {
                return Err(Failure::usage(format!("the secret is longer than {BYTES_MAX} bytes")));
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).map_err(|_| Failure::usage("the secret is not UTF-8"))
}

#[cfg(unix)]
mod terminal {
    use std::io::{self, stdin};

    use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

    /// The terminal while it shows no input.
    pub(super) struct Hidden {
        before: Termios,
    }

    impl Hidden {
        pub(super) fn begin() -> io::Result<Self> {
            let before = tcgetattr(stdin())?;
            let mut hidden = before.clone();
            // Without ISIG, Ctrl-C is a byte: a signal would end the program and leave the terminal hidden.
            hidden.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
            hidden.special_codes[SpecialCodeIndex::VMIN] = 1;
            hidden.special_codes[SpecialCodeIndex::VTIME] = 0;
            tcsetattr(stdin(), OptionalActions::Flush, &hidden)?;
            Ok(Self { before })
        }
    }

    impl Drop for Hidden {
        fn drop(&mut self) {
            // If the terminal is gone, nothing is left to restore.
            let _ = tcsetattr(stdin(), OptionalActions::Now, &self.before);
        }
    }
}

#[cfg(not(unix))]
mod terminal {
    use std::io;

    pub(super) struct Hidden;

    impl Hidden {
        pub(super) fn begin() -> io::Result<Self> {
            Err(io::Error::other("pipe the key into the command: its input cannot be hidden here"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_ends_with_its_line_and_can_be_corrected() {
        for (typed, secret) in
            [("sk-admin\rmore", "sk-admin"), ("sk-adm\n", "sk-adm"), ("ab\x7f\x08c\x04", "c"), ("sk", "sk")]
        {
            assert_eq!(read_line(typed.as_bytes()).expect("a secret"), secret);
        }
    }

    #[test]
    fn ctrl_c_cancels_and_a_long_secret_is_refused() {
        let status = |typed: &[u8]| read_line(typed).expect_err("a failure").status;
        assert_eq!(status(b"sk\x03"), ExitStatus::Stopped);
        assert_eq!(status(&[b'a'; BYTES_MAX + 1]), ExitStatus::Usage);
    }
}
