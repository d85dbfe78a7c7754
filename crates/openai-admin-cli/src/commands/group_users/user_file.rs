//! Users as arguments and as lines of a file.

use std::{
    collections::HashSet,
    io::{self, Read as _},
    path::Path,
};

use crate::{
    arguments::BulkArguments,
    failure::{ExitStatus, Failure, Result, While as _},
    output::file_name,
};

/// The largest file of users, in bytes: some two million of them.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What the first line of a column of a table may be: no id looks like this.
const HEADINGS: [&str; 3] = ["id", "email", "user_id"];

/// Everybody who was named, each once, in order.
pub(super) fn users(arguments: &BulkArguments) -> Result<Vec<String>> {
    let mut users: Vec<String> = arguments.users.iter().map(|user| user.trim().to_owned()).collect();
    if users.iter().any(String::is_empty) {
        return Err(Failure::usage("a user's id or email address is empty"));
    }
    if users.is_empty() && arguments.file.is_none() {
        return Err(Failure::usage("nobody is named")
            .hint("name users by id or email address, or a file of them with -f FILE"));
    }
    if let Some(file) = &arguments.file {
        let name = file_name(file);
        users.extend(parse(&read(file, &name)?, &name)?);
        if users.is_empty() {
            return Err(Failure::bad_input(format!("{name} names nobody"))
                .hint("write one id or email address on each line"));
        }
    }
    let mut seen = HashSet::new();
    users.retain(|user| seen.insert(user.clone()));
    Ok(users)
}

fn read(file: &Path, name: &str) -> Result<String> {
    if file.is_dir() {
        return Err(Failure::bad_input(format!("{name} is a directory"))
            .hint("name a file with one id or email address on each line"));
    }
    let mut text = String::new();
    let read = if file == Path::new("-") {
        io::stdin().lock().take(FILE_BYTES_MAX + 1).read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text))
    };
    let bytes = read
        .map_err(|error| Failure { status: ExitStatus::BadInput, ..error.into() })
        .doing(|| format!("read {name}"))?;
    if bytes as u64 > FILE_BYTES_MAX {
        return Err(Failure::bad_input(format!("{name} is larger than {FILE_BYTES_MAX} bytes"))
            .hint("split it and add the parts one after the other"));
    }
    Ok(text)
}

/// One user a line; blank lines and comments are nothing.
fn parse(text: &str, name: &str) -> Result<Vec<String>> {
    let mut users = Vec::new();
    // Spreadsheets begin a text file with a byte order mark.
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let user = without_comment(line).trim();
        if user.is_empty() || (index == 0 && HEADINGS.contains(&user.to_lowercase().as_str())) {
            continue;
        }
        if user.contains([',', ';', '\t']) {
            return Err(Failure::bad_input(format!("{name}:{}: several columns", index + 1)).hint(
                "give one id or email address on each line, such as `tail -n +2 FILE | cut -d, -f2 | … -f -`",
            ));
        }
        users.push(user.to_owned());
    }
    Ok(users)
}

/// A comment begins a line or follows a space, since `#` may stand in an id.
fn without_comment(line: &str) -> &str {
    let begins =
        |(index, _): &(usize, &str)| line[..*index].chars().next_back().is_none_or(char::is_whitespace);
    line.match_indices('#').find(begins).map_or(line, |(index, _)| &line[..index])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_one_user_a_line() {
        let text = "\u{feff}# leavers\r\n ada@example.com  # today\r\n\r\nuser#7\n#user_8";
        assert_eq!(parse(text, "x").expect("a good file"), ["ada@example.com", "user#7"]);
    }

    #[test]
    fn a_heading_is_nobody() {
        assert_eq!(parse("Email\r\nada@example.com\n", "x").expect("a good file"), ["ada@example.com"]);
        assert_eq!(parse("user_1\nemail\n", "x").expect("a good file"), ["user_1", "email"]);
    }

    #[test]
    fn a_table_is_refused_with_its_line() {
        let failure = parse("a@b\n\nada@example.com,Ada\n", "x.csv").expect_err("columns");
        assert_eq!(failure.message, "x.csv:3: several columns");
    }
}
