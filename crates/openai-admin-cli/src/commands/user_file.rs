//! Users from arguments and files.

use std::{
    collections::HashSet,
    io::{self, Read as _},
    path::Path,
};

use openai_admin::identity::{clean, is_email};
use openai_admin_sync::text;

use crate::{
    failure::{Doing as _, ExitStatus, Failure, Result},
    output::{file_name, visible},
};

/// The largest file of users, in bytes: about two million users.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// First lines that are headings of a table: no id looks like these.
const HEADINGS: [&str; 3] = ["id", "email", "user_id"];

/// The users from the command line and from a file, each once, in order.
pub(super) fn users(typed: &[String], file: Option<&Path>) -> Result<Vec<String>> {
    let mut users: Vec<String> = typed.iter().map(|user| clean(user).into_owned()).collect();
    if users.iter().any(String::is_empty) {
        return Err(Failure::usage("a user's id or email address is empty"));
    }
    if users.is_empty() && file.is_none() {
        return Err(Failure::usage("no users given")
            .hint("pass ids or email addresses of users, or a file of them with -f FILE"));
    }
    if let Some(file) = file {
        let name = file_name(file);
        users.extend(parse(&read(file, &name)?, &name)?);
        if users.is_empty() {
            return Err(Failure::bad_input(format!("{name} contains no users"))
                .hint("write one id or email address per line"));
        }
    }
    let mut seen = HashSet::new();
    users.retain(|user| seen.insert(user.clone()));
    Ok(users)
}

fn read(file: &Path, name: &str) -> Result<Vec<u8>> {
    if file.is_dir() {
        return Err(Failure::bad_input(format!("{name} is a directory"))
            .hint("pass a file with one id or email address per line"));
    }
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        io::stdin().lock().take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| Failure { status: ExitStatus::BadInput, ..error.into() })
        .doing(|| format!("read {name}"))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(Failure::bad_input(format!("{name} is larger than {FILE_BYTES_MAX} bytes"))
            .hint("split it and run the command for each part"));
    }
    Ok(bytes)
}

/// One user per line; blank lines and comments are skipped.
fn parse(bytes: &[u8], name: &str) -> Result<Vec<String>> {
    let text = text::read(bytes, name)?;
    let mut users = Vec::new();
    for (index, line) in text::lines(text).enumerate() {
        let user = clean(without_comment(line));
        if user.is_empty() || (index == 0 && HEADINGS.contains(&user.to_lowercase().as_str())) {
            continue;
        }
        if let Some(addresses) = mail_list(&user) {
            users.extend(addresses);
            continue;
        }
        if user.contains([',', ';', '\t']) {
            let delimiter = if user.contains(';') { "';'" } else { "," };
            let hint = format!(
                "write one id or email address per line, for example with `tail -n +2 FILE | cut -d{delimiter} -f2 | … -f -`"
            );
            return Err(Failure::bad_input(format!("{name}:{}: several columns", index + 1)).hint(hint));
        }
        if user.contains('<') {
            let problem = format!("{name}:{}: '{}' has no complete address", index + 1, visible(&user));
            return Err(Failure::bad_input(problem).hint("write `Name <address>`, or the address alone"));
        }
        users.push(user.into_owned());
    }
    Ok(users)
}

/// The addresses of a line as mail programs write it: `Ada Lovelace <ada@example.com>; bob@example.com`.
fn mail_list(line: &str) -> Option<Vec<String>> {
    if !line.contains('<') && !line.contains(';') {
        return None;
    }
    let mut addresses = Vec::new();
    let mut is_name = false;
    for part in line.split([';', ',']).map(str::trim).filter(|part| !part.is_empty()) {
        let address = match part.split_once('<') {
            Some((_, rest)) => rest.strip_suffix('>')?,
            // A name in front of its address has commas: `Lovelace, Ada <ada@example.com>`.
            None if !part.contains('@') => {
                is_name = true;
                continue;
            }
            None if is_name => return None,
            None => part,
        };
        is_email(address).ok()?;
        addresses.push(address.to_owned());
        is_name = false;
    }
    (!addresses.is_empty() && !is_name).then_some(addresses)
}

/// A comment starts a line or follows a space, because an id may contain `#`.
fn without_comment(line: &str) -> &str {
    let begins =
        |(index, _): &(usize, &str)| line[..*index].chars().next_back().is_none_or(char::is_whitespace);
    line.match_indices('#').find(begins).map_or(line, |(index, _)| &line[..index])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_one_user_per_line() {
        let text = "\u{feff}# leavers\r\n ada@example.com  # today\r\n\r\nuser#7\n#user_8";
        assert_eq!(parse(text.as_bytes(), "x").expect("a good file"), ["ada@example.com", "user#7"]);
    }

    #[test]
    fn a_heading_is_skipped() {
        assert_eq!(parse(b"Email\r\nada@example.com\n", "x").expect("a good file"), ["ada@example.com"]);
        assert_eq!(parse(b"user_1\nemail\n", "x").expect("a good file"), ["user_1", "email"]);
    }

    #[test]
    fn a_table_is_refused_with_its_line() {
        let failure = parse(b"a@b\n\nada@example.com,Ada\n", "x.csv").expect_err("columns");
        assert_eq!(failure.message, "x.csv:3: several columns");
        for (line, cut) in [("Ada,a@b", "cut -d, -f2"), ("Ada;a@b", "cut -d';' -f2")] {
            let failure = parse(line.as_bytes(), "x").expect_err(line);
            assert!(format!("{:?}", failure.hints).contains(cut), "{:?}", failure.hints);
        }
    }

    #[test]
    fn a_line_of_a_mail_program_is_a_list_of_addresses() {
        for line in [
            "Ada Lovelace <a@b.c>; Bob <d@e.f>;",
            "Lovelace, Ada <a@b.c>, \"Åkesson, Björn\" <d@e.f>",
            "a@b.c; d@e.f",
            "<a@b.c>;d@e.f",
        ] {
            assert_eq!(parse(line.as_bytes(), "x").expect(line), ["a@b.c", "d@e.f"], "{line}");
        }
        assert_eq!(parse(b"Ada <a@b.c>\n", "x").expect("one"), ["a@b.c"]);
        for line in ["a@b.c;Ada", "1;a@b.c", "Ada <a@b.c", "Ada <ada>", "Ada; d@e.f", "a@b.c,Ada"] {
            assert!(parse(line.as_bytes(), "x").is_err(), "{line}");
        }
    }

    #[test]
    fn a_list_has_any_line_ends_and_must_be_text() {
        let users = parse(b"\xef\xbb\xbfada@example.com\rbjorn@example.com\r", "x").expect("a good file");
        assert_eq!(users, ["ada@example.com", "bjorn@example.com"]);
        let users = parse("ada@example.com\u{200b}\u{a0}\n".as_bytes(), "x").expect("a good file");
        assert_eq!(users, ["ada@example.com"]);
        let wide: Vec<u8> = "\u{feff}ada@example.com\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let failure = parse(&wide, "x").expect_err("UTF-16");
        assert_eq!((failure.message.as_str(), failure.hints.len()), ("x is UTF-16", 1));
        assert!(parse(b"PK\x03\x04", "x").is_err());
    }
}
