//! Spreadsheets as programs export them, imported with at most two options. `tests/spreadsheets/make.py` writes them.

use std::{fmt::Write as _, fs, path::PathBuf};

use crate::desk::{Desk, freeze};

/// A spreadsheet of `tests/spreadsheets/`.
struct Spreadsheet {
    file: &'static str,
    /// What it imitates.
    imitates: &'static str,
    options: &'static str,
    /// The rows of the plan, in order.
    rows: &'static [&'static str],
    /// A part of the notes, if something was guessed, decoded, changed or skipped.
    note: &'static str,
}

const fn sheet(
    file: &'static str,
    imitates: &'static str,
    options: &'static str,
    rows: &'static [&'static str],
    note: &'static str,
) -> Spreadsheet {
    Spreadsheet { file, imitates, options, rows, note }
}

const TWO: &[&str] = &["add ada Support Team", "add jonas ML Research"];
const TWO_IN_ONE: &[&str] = &["add ada Support Team", "add jonas Support Team"];
const THREE: &[&str] = &["add ada ML Research", "add ada Support Team", "add jonas Support Team"];

const SPREADSHEETS: [Spreadsheet; 42] = [
    sheet(
        "google-admin-users.csv",
        "users of Google Admin",
        "",
        TWO,
        "the column 'Email Address [Required]'",
    ),
    sheet(
        "google-group-members.csv",
        "members of a Google group",
        "--group \"Support Team\"",
        TWO_IN_ONE,
        "the column 'Member Email'",
    ),
    sheet(
        "entra-group-members.csv",
        "members of a group of Entra",
        "--group \"Support Team\"",
        TWO_IN_ONE,
        "the column 'userPrincipalName'",
    ),
    sheet(
        "entra-users.csv",
        "users of Entra, with departments",
        "--where accountEnabled=true",
        &["add ada Support Team"],
        "the column 'mail'",
    ),
    sheet(
        "okta-people.csv",
        "people of Okta, with several groups in a cell",
        "--split ;",
        THREE,
        "the column 'groups'",
    ),
    sheet("okta-report.csv", "the application report of Okta", "", TWO, "the column 'user.email'"),
    sheet(
        "workday-workers.csv",
        "a report of Workday, with lines above the header",
        "",
        TWO,
        "skipped 2 lines above the header",
    ),
    sheet(
        "excel-german.csv",
        "CSV of a German Excel",
        "",
        &["add ada ML Research", "add jonas Support Team"],
        "decoded from Windows-1252",
    ),
    sheet(
        "excel-unicode.txt",
        "\"Unicode text\" of Excel",
        "",
        &["add ada ML Research", "add jonas Support Team"],
        "decoded from UTF-16",
    ),
    sheet("excel-separator-line.csv", "CSV of Excel with the line sep=;", "", TWO, ""),
    sheet("excel-macintosh.csv", "\"CSV (Macintosh)\" of Excel", "", TWO, ""),
    sheet(
        "excel-title-and-total.csv",
        "a list with a title and a total",
        "",
        TWO,
        "skipped total rows: line 7",
    ),
    sheet(
        "excel-merged-cells.csv",
        "a list with merged cells",
        "--fill-down",
        &["add ada Support Team", "add bjorn ML Research", "add dana ML Research", "add jonas Support Team"],
        "used the group of the row above: lines 3 and 5",
    ),
    sheet("libreoffice-quoted.csv", "CSV of LibreOffice with all cells quoted", "", TWO, ""),
    sheet("numbers-blank-columns.csv", "CSV of Apple Numbers", "", TWO, "skipped 1 line above the header"),
    sheet(
        "outlook-names.csv",
        "addresses copied from Outlook",
        "--email-column Member",
        TWO,
        "took the address out",
    ),
    sheet(
        "web-page-links.csv",
        "addresses copied from a web page",
        "",
        TWO,
        "removed invisible characters: line 3",
    ),
    sheet("typographic-quotes.csv", "addresses copied from a document", "", TWO, "took the address out"),
    sheet(
        "lower-case-groups.csv",
        "groups typed by hand",
        "--match loose",
        &["add ada Support Team", "add bjorn ML Research", "add jonas Support Team"],
        "",
    ),
    sheet("several-groups-commas.csv", "several groups in a cell, with commas", "--split ,", THREE, ""),
    sheet(
        "several-groups-bars.csv",
        "several groups in a cell, with bars",
        "--split | --delimiter comma",
        THREE,
        "",
    ),
    sheet(
        "bad-rows.csv",
        "a list with unfinished rows",
        "--skip-bad-rows bad.csv",
        &["add ada Support Team", "add jonas ML Research"],
        "skipped invalid rows: lines 3 and 5",
    ),
    sheet(
        "new-groups.csv",
        "a list with a group that does not exist",
        "--create-groups",
        &["add ada Design", "add jonas Support Team", "create_group  Design"],
        "",
    ),
    sheet(
        "status-column.csv",
        "a list with a status",
        "--where active=yes",
        TWO_IN_ONE,
        "skipped 1 of 3 rows",
    ),
    sheet(
        "unknown-headings.csv",
        "a list with unusual headings",
        "--email-column Contact --group-column Where",
        TWO,
        "",
    ),
    sheet("bar-delimited.txt", "a text export of a database", "", TWO, ""),
    sheet("french.csv", "a French list", "", TWO, "the column 'Adresse e-mail'"),
    sheet("spanish.csv", "a Spanish list", "", TWO, "the column 'Correo electrónico'"),
    sheet("portuguese.csv", "a Portuguese list", "", TWO, "the column 'Equipe'"),
    sheet("italian.csv", "an Italian list", "", TWO, "skipped total rows: line 4"),
    sheet("dutch.csv", "a Dutch list", "", TWO, "the column 'Afdeling'"),
    sheet("polish.csv", "a Polish list", "", TWO, "the column 'Zespół'"),
    sheet("swedish.csv", "a Swedish list", "", TWO, "the column 'Grupp'"),
    sheet("turkish.csv", "a Turkish list", "", TWO, "the column 'Takım'"),
    sheet("japanese.csv", "a Japanese list", "", TWO, "the column 'グループ'"),
    sheet("chinese.csv", "a Chinese list", "", TWO, "the column '部门'"),
    sheet("korean.csv", "a Korean list", "", TWO, "the column '그룹'"),
    sheet("russian.csv", "a Russian list", "", TWO, "the column 'Группа'"),
    sheet("excel-workbook.xlsx", "a workbook of Excel", "", TWO, "skipped total rows: line 5"),
    sheet(
        "excel-merged-title.xlsx",
        "a workbook with a title and merged cells",
        "--fill-down",
        TWO_IN_ONE,
        "used the group of the row above: line 5",
    ),
    sheet("excel-two-sheets.xlsx", "a workbook with several sheets", "--sheet People", TWO, ""),
    sheet(
        "google-sheets.xlsx",
        "answers to a form, from Google Sheets",
        "--group-column \"Which team are you in?\"",
        TWO,
        "the column 'Email Address'",
    ),
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/spreadsheets")
}

fn desk() -> Desk {
    let desk = Desk::empty().with_variable("OPENAI_ADMIN_STATE", "state");
    let users = ["ada", "bjorn", "dana", "jonas"]
        .map(|name| format!("{{ id: user_{name}, email: {name}@example.com }}"))
        .join(", ");
    let groups = "{ id: group_s, name: Support Team }, { id: group_r, name: ML Research }";
    desk.write("organization.yaml", format!("users: [{users}]\ngroups: [{groups}]\n"));
    assert_eq!(desk.run("--local acme.db load organization.yaml").status, 0);
    desk
}

#[test]
fn spreadsheets_are_imported_with_at_most_two_options() {
    let desk = desk();
    let mut wrong = String::new();
    for Spreadsheet { file, imitates, options, rows, note } in SPREADSHEETS {
        assert!(options.matches("--").count() <= 2, "{file}");
        fs::copy(folder().join(file), desk.path().join(file)).expect(file);
        let answer =
            desk.run(&format!("--local acme.db import memberships {file} {options} --dry-run -o csv"));
        let row = |line: &str| {
            let [group, action, email] = line.splitn(4, ',').take(3).collect::<Vec<_>>()[..] else {
                panic!("a row of a plan: {line}")
            };
            format!("{} {} {group}", action.trim_end_matches("_user"), email.trim_end_matches("@example.com"))
        };
        let mut planned: Vec<String> = answer.stdout.lines().skip(1).map(row).collect();
        planned.sort();
        if planned != rows || answer.status != 0 || !answer.stderr.contains(note) {
            let _ = writeln!(wrong, "{file}, {imitates}: {planned:?}\n{}", answer.stderr);
        }
    }
    assert_eq!(wrong, "");
}

#[test]
fn every_spreadsheet_is_tested() {
    let mut files: Vec<String> = fs::read_dir(folder())
        .expect("the folder")
        .map(|file| file.expect("a file").file_name().into_string().expect("a name"))
        .filter(|name| name != "make.py")
        .collect();
    files.sort();
    let mut tested: Vec<&str> = SPREADSHEETS.iter().map(|sheet| sheet.file).collect();
    tested.sort_unstable();
    assert_eq!(files, tested);
}

#[test]
fn skipped_rows_are_written_to_a_file() {
    let desk = desk();
    fs::copy(folder().join("bad-rows.csv"), desk.path().join("bad-rows.csv")).expect("a spreadsheet");
    let import = "--local acme.db import memberships bad-rows.csv";
    let answer = desk.run(&format!("{import} --skip-bad-rows skipped.csv --yes"));
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert!(answer.stderr.contains("wrote 2 skipped rows to skipped.csv"), "{}", answer.stderr);
    let skipped = fs::read_to_string(desk.path().join("skipped.csv")).expect("the skipped rows");
    assert_eq!(
        skipped,
        "line,problem,cells\n\
         3,invalid email address 'to be hired': it contains a space,to be hired,Support Team\n\
         5,'#REF!' is the error of a formula,bjorn@example.com,#REF!\n"
    );
    for (options, message) in [
        ("--skip-bad-rows skipped.csv --mode exact", "skipped users would be removed"),
        ("--create-groups --mode remove", "--create-groups cannot be used with --mode remove"),
        ("--split \"\"", "expected a text"),
    ] {
        let answer = desk.run(&format!("{import} {options} --dry-run"));
        assert_eq!(answer.status, 64, "{}", answer.stderr);
        assert!(answer.stderr.contains(message), "{}", answer.stderr);
    }
}

#[test]
fn a_group_that_is_not_found_has_a_next_step() {
    let desk = desk();
    for (row, message) in [
        ("ada@example.com,Support Team;ML Research", "to split them, pass --split ';'"),
        (
            "ada@example.com,support  team",
            "but one called 'Support Team': to compare names without case, pass --match loose",
        ),
        ("ada@example.com,support@example.com", "groups have no address, so use the name or the id"),
    ] {
        desk.write("rows.csv", format!("email,group\n{row}\n"));
        let answer = desk.run("--local acme.db import memberships rows.csv --delimiter comma --dry-run");
        assert_eq!(answer.status, 6, "{}", answer.stderr);
        assert!(answer.stdout.contains(message), "{}", answer.stdout);
    }
}

#[test]
fn an_unknown_address_gets_a_suggestion() {
    let desk = desk();
    desk.write(
        "organization.yaml",
        "users: [{ email: dana@example.com, name: Dana Whitfield }, { email: partner@fabrikam.example }]\n\
         groups: [{ name: Support }]\n",
    );
    assert_eq!(desk.run("--local names.db load organization.yaml").status, 0);
    desk.write(
        "rows.csv",
        "name;email;group\n;dana@exmaple.com;Support\nDana Whitfield;d.whitfield@example.com;Support\n\
         ;partner_fabrikam.example#EXT#@acme.onmicrosoft.com;Support\n;nobody@example.com;Support\n",
    );
    let answer = desk.run("--local names.db import memberships rows.csv --dry-run -o csv");
    let reasons: Vec<&str> =
        answer.stdout.lines().skip(1).map(|line| line.split(',').nth(4).unwrap_or_default()).collect();
    let none = "no user in the organization has this address";
    let dana = format!("{none}: did you mean dana@example.com (Dana Whitfield)?");
    let partner = format!("{none}: did you mean partner@fabrikam.example?");
    assert_eq!(reasons, [&dana, &dana, &partner, none], "{}", answer.stderr);
}

#[test]
fn a_summary_has_one_line_for_each_group_and_blocked_groups_last() {
    let desk = desk();
    desk.write(
        "rows.csv",
        "email,group\nada@example.com,Nope\nada@example.com,Support Team\njonas@example.com,Support Team\n",
    );
    let answer = desk.run("--local acme.db import memberships rows.csv --dry-run --summary");
    let lines: Vec<&str> = answer.stdout.lines().collect();
    assert!(lines[0].starts_with("Support Team ") && lines[0].contains("+2"), "{}", answer.stdout);
    assert!(lines[1].starts_with("Nope ") && lines[1].ends_with("BLOCKED"), "{}", answer.stdout);
    assert!(!answer.stdout.contains("ada@example.com"), "{}", answer.stdout);
}

#[test]
fn a_pattern_and_a_group_in_place_of_a_user_are_explained_and_never_invited() {
    let desk = desk();
    desk.write(
        "nested.yaml",
        "version: 1\ngroups: [{ name: ML Research, mode: add-only, members: [Support Team, '*@example.com'] }]\n",
    );
    desk.write("rows.csv", "email,group\n*@example.com,ML Research\n");
    freeze!(desk.transcript(&[
        "--local acme.db plan nested.yaml",
        "--local acme.db import memberships rows.csv --unknown invite --dry-run",
        "--local acme.db groups users add \"ML Research\" \"Support Team\"",
        "--local acme.db groups users add \"ML Research\" *@example.com",
    ]));
}

#[test]
fn a_summary_counts_the_removals_that_wait_for_a_blocked_group() {
    let desk = desk();
    let organization = "users: [{ email: a@example.com }, { email: b@example.com }, { email: c@example.com }]\n\
        groups: [{ id: group_1, name: One, members: [a@example.com] }, { id: group_2, name: Two, members: [b@example.com, c@example.com] }]\n";
    desk.write("organization.yaml", organization);
    assert_eq!(desk.run("--local held.db load organization.yaml").status, 0);
    // `a` moves from One to Two, which may lose only one member.
    desk.write(
        "groups.yaml",
        "version: 1\ngroups:\n  - { name: One, members: [b@example.com] }\n  - { name: Two, members: [a@example.com], max_remove: { count: 1 } }\n",
    );
    freeze!(desk.transcript(&["--local held.db apply groups.yaml --summary --yes"]));
}
