//! Valid and invalid tables.

use openai_admin::identity::is_email;
use proptest::prelude::*;

use std::collections::BTreeMap;

use super::*;
use crate::input::email::EmailKey;

fn mapping() -> Mapping {
    Mapping {
        email: Some("email".to_owned()),
        group: GroupSource::Column("group".to_owned()),
        ..Mapping::default()
    }
}

#[test]
fn delimiters_and_byte_order_marks_are_detected() {
    for text in [
        "email,group\na@b.c,One\n",
        "\u{feff}email;group\r\na@b.c;One\r\n",
        "email\tgroup\na@b.c\tOne\n",
        "Email|Group\na@b.c|One",
        "name;email;group\n\"Murray, Grace\";a@b.c;One\n\"Yıldız, E, F\";a@b.c;One\n",
    ] {
        let (table, groups) = parse(text.as_bytes(), "x", &mapping()).expect(text);
        assert_eq!((table.rows.len(), groups), (1, vec!["One".to_owned()]), "{text}");
        assert_eq!(table.rows[0].email, EmailKey::new("a@b.c"));
        assert_eq!(table.rows[0].line, 2);
    }
}

#[test]
fn every_bad_row_is_reported_with_its_number() {
    let text = "email,group\nada@example.com,One\nno-address,One\n,One\n\nbob@example.com,\n";
    let errors = parse(text.as_bytes(), "x.csv", &mapping()).expect_err("bad rows");
    assert!(errors.0[0].hint.as_deref().is_some_and(|hint| hint.contains("patterns are not supported")));
    assert_eq!(
        errors.to_string(),
        "x.csv:3: invalid email address 'no-address': it has no @\n\
         x.csv:4: the row has no email address\n\
         x.csv:6: the row has no group"
    );
}

#[test]
fn a_duplicate_row_counts_once() {
    let text = "email,group\na@b.c,One\nA@B.C ,One\na@b.c,Two\n";
    let (table, _) = parse(text.as_bytes(), "x", &mapping()).expect("rows");
    assert_eq!((table.rows.len(), table.duplicates, table.rows_read), (2, 1, 3));
}

#[test]
fn excluded_rows_are_not_checked() {
    let mut mapping = mapping();
    mapping.filter.insert("active".to_owned(), "true".to_owned());
    let text = "email,group,active\na@b.c,One,true\nrubbish,One,false\n";
    let (table, _) = parse(text.as_bytes(), "x", &mapping).expect("a row");
    assert_eq!(table.rows.len(), 1);
    assert_eq!(table.left_out, ["skipped 1 of 2 rows where active is not true (false: 1)"]);
    let text = "email,group,active\na@b.c,One,TRUE\n";
    let (table, _) = parse(text.as_bytes(), "x", &mapping).expect("a row, in any case");
    assert_eq!((table.rows.len(), table.left_out.len()), (1, 0));
    let text = "email,group,active\na@b.c,One,yes\n";
    let errors = parse(text.as_bytes(), "x", &mapping).expect_err("no rows");
    assert_eq!(
        errors.to_string(),
        "x has no matching row: skipped 1 of 1 row where active is not true (yes: 1)"
    );
}

#[test]
fn a_shifted_row_is_reported_and_not_excluded() {
    let mut mapping = mapping();
    mapping.filter.insert("active".to_owned(), "yes".to_owned());
    for (row, message) in [
        ("a@b.c,One,yes", "x:3: the row has 1 column, the header has 3"),
        ("a@b.c;One", "x:3: the row has 2 columns, the header has 3"),
        ("a@b.c;One;of two;yes", "x:3: the row has 4 columns, the header has 3"),
    ] {
        let text = format!("email;group;active\nd@e.f;One;yes\n{row}\ng@h.i;One;yes\n");
        assert_eq!(parse(text.as_bytes(), "x", &mapping).expect_err(row).to_string(), message);
    }
    let text = "email;group;active\nd@e.f;One;yes;;\n";
    assert_eq!(parse(text.as_bytes(), "x", &mapping).expect("a row").0.rows.len(), 1);
}

#[test]
fn a_table_without_rows_is_refused() {
    for (text, expected) in [
        ("", "x is empty"),
        ("\u{feff} \n", "x is empty"),
        ("email,group\n", "x has a header and no rows"),
        ("mail,group\na@b.c,One\n", "x:1: there is no column 'email'; the columns are: mail, group"),
    ] {
        assert_eq!(parse(text.as_bytes(), "x", &mapping()).expect_err(text).to_string(), expected);
    }
    assert!(parse(b"\xff\xfee\0", "x", &mapping()).is_err());
}

fn hint(text: &str, mapping: &Mapping) -> String {
    let error = parse(text.as_bytes(), "x", mapping).expect_err(text).0.remove(0);
    error.hint.expect("a hint")
}

#[test]
fn the_hint_for_a_missing_column_names_its_option() {
    let options = mapping();
    assert_eq!(hint("mail,group\na@b.c,One\n", &options), "did you mean --email-column mail?");
    assert!(hint("email,my team\na@b.c,One\n", &options).starts_with("pass its name: --group-column NAME"));
    assert_eq!(hint("email;the group\na@b.c;One\n", &options), "did you mean --group-column \"the group\"?");
    let file = Mapping { email: Some("email".to_owned()), ..Mapping::of_file() };
    assert_eq!(hint("mail,group\na@b.c,One\n", &file), "did you mean `column: mail`?");
    let filter = BTreeMap::from([("active".to_owned(), "yes".to_owned())]);
    let filtered = Mapping { filter, ..options };
    assert_eq!(hint("email,group,actif\na@b.c,One,yes\n", &filtered), "did you mean --where actif=VALUE?");
}

#[test]
fn a_given_delimiter_is_used_and_suspected_if_wrong() {
    let semicolon = Mapping { delimiter: Some(b';'), ..mapping() };
    let text = "email;group\na@b.c;One, Two and Three\n";
    assert_eq!(parse(text.as_bytes(), "x", &semicolon).expect("a row").1, ["One, Two and Three"]);
    let expected = "the header is one cell that contains a comma: is that the delimiter?";
    assert_eq!(hint("email,group\na@b.c,One\n", &semicolon), expected);
}

#[test]
fn a_formula_in_a_mapped_column_is_refused() {
    let filter = BTreeMap::from([("active".to_owned(), "yes".to_owned())]);
    let mapping = Mapping { filter, ..mapping() };
    for (row, message) in [
        ("=20,One,yes", "x:3: '=20' is a formula, not a value"),
        ("a@b.c,=B2,yes", "x:3: '=B2' is a formula, not a value"),
        ("a@b.c,One,=TRUE()", "x:3: '=TRUE()' is a formula, not a value"),
        ("#REF!,One,yes", "x:3: '#REF!' is the error of a formula"),
        ("a@b.c,#N/A,yes", "x:3: '#N/A' is the error of a formula"),
    ] {
        let text = format!("email,group,active\nd@e.f,One,yes\n{row}\n");
        assert_eq!(parse(text.as_bytes(), "x", &mapping).expect_err(row).to_string(), message);
    }
    // Other columns may contain formulas.
    let text = "email,group,active,sum\nd@e.f,One,yes,=20\n";
    assert_eq!(parse(text.as_bytes(), "x", &mapping).expect("a row").0.rows.len(), 1);
}

#[test]
fn line_numbers_are_correct_after_a_cell_with_line_breaks() {
    let text = "email,note,group\na@b.c,\"two\nlines\",One\nbad,x,One\n";
    let errors = parse(text.as_bytes(), "x", &mapping()).expect_err("a bad row");
    assert_eq!(errors.to_string(), "x:4: invalid email address 'bad': it has no @");
}

fn refused(text: &str, mapping: &Mapping) -> String {
    parse(text.as_bytes(), "x", mapping).expect_err(text).to_string()
}

#[test]
fn an_unclosed_quote_is_refused_at_its_line() {
    let message = "x:2: unclosed quote: the rest of the file would be one cell";
    for text in [
        "email,group,notes\nchidi@b.c,One,\"on leave\ndana@b.c,One,\nemre@b.c,One,\n",
        "email,group\nada@b.c,\"One\nbob@b.c,One\n",
        "email,group,notes\rchidi@b.c,One,\"on leave\rdana@b.c,One,\r",
    ] {
        assert_eq!(refused(text, &mapping()), message);
    }
}

#[test]
fn a_cell_that_contains_rows_is_refused_at_its_line() {
    let holds = "x:2: the cell that starts here contains other rows";
    let closed = "x:2: the quote that opens here closes at line 4 before the end of the cell";
    let line_break = "x:2: the cell contains a line break";
    for (text, message) in [
        ("email,group,notes\na@b.c,One,\"on leave\nd@b.c,One,\ne@b.c,One,\"\nf@b.c,One,\n", holds),
        ("notes,email,group\n\"away,a@b.c,One\nback,d@b.c,One\n\",e@b.c,One\n", holds),
        ("email,group,notes\na@b.c,One,\"on leave\nd@b.c,One,\ne@b.c,One,\"ill\"\n", closed),
        ("email,group\na@b.c,\"One\nTwo\"\n", line_break),
    ] {
        assert_eq!(refused(text, &mapping()), message, "{text}");
    }
    // Notes with several lines are valid, even with an address in them.
    for note in ["one\ntwo", "ask d@b.c,\nor e@b.c", "Berlin, Hauptstr. 5\n2nd floor, left", "\n"] {
        let text = format!("email,group,notes\na@b.c,One,\"{note}\"\nf@b.c,One,\n");
        assert_eq!(parse(text.as_bytes(), "x", &mapping()).expect(note).0.rows.len(), 2);
    }
}

#[test]
fn excluded_rows_are_counted_by_value() {
    let filter = BTreeMap::from([("active".to_owned(), "yes".to_owned())]);
    let filtered = Mapping { filter, ..mapping() };
    let rows = ["yes", "no", "NO", "Y", "", "no"].map(|value| format!("a@b.c,One,{value}\n")).concat();
    let text = format!("email,group,active\n{rows}");
    let (table, _) = parse(text.as_bytes(), "x", &filtered).expect("a row");
    assert_eq!(table.left_out, ["skipped 5 of 6 rows where active is not yes (no: 3, blank: 1, Y: 1)"]);
    let rows: String = (0..50).map(|value| format!("a@b.c,One,value {value:02}\n")).collect();
    let text = format!("email,group,active\nd@b.c,One,yes\n{rows}");
    let message = parse(text.as_bytes(), "x", &filtered).expect("a row").0.left_out.remove(0);
    assert!(message.ends_with("value 04: 1, others: 45)"), "{message}");
}

#[test]
fn invisible_characters_exclude_no_row() {
    let filter = BTreeMap::from([("active".to_owned(), "fully vested".to_owned())]);
    let filtered = Mapping { filter, ..mapping() };
    let text = "email,group,active\n\
        \u{feff}a@b.c\u{a0},\u{3000}Support\u{a0}Team\t,fully  vested\u{200b}\n\
        d@b.c,Support Team\u{200b},\u{202f}Fully\u{a0}Vested\n";
    let (table, groups) = parse(text.as_bytes(), "x", &filtered).expect("rows");
    assert_eq!((table.rows.len(), groups), (2, vec!["Support Team".to_owned()]));
    assert_eq!(table.left_out, [""; 0]);
}

#[test]
fn two_columns_of_one_name_are_refused_with_their_numbers() {
    for (heading, message) in [
        ("email,email,group", "x:1: two columns are called 'email': 1 and 2"),
        ("Email,name,EMAIL,group", "x:1: two columns are called 'email': 1 and 3"),
        ("email,Group ,x,\"group\u{a0}\"", "x:1: two columns are called 'group': 2 and 4"),
    ] {
        assert_eq!(refused(&format!("{heading}\na@b.c,d@b.c,One,Two\n"), &mapping()), message);
    }
    // Unmapped columns may have any name.
    let text = "email,group,,,notes,notes\na@b.c,One,,,,\n";
    assert_eq!(parse(text.as_bytes(), "x", &mapping()).expect("a row").0.rows.len(), 1);
}

#[test]
fn white_space_in_a_heading_counts_as_one_space() {
    for heading in ["\"E-mail\naddress\"", "E-mail\u{a0}address", "  e-mail   ADDRESS "] {
        let wanted = Mapping { email: Some("E-mail address".to_owned()), ..mapping() };
        let text = format!("{heading},group\na@b.c,One\n");
        assert_eq!(parse(text.as_bytes(), "x", &wanted).expect(heading).0.rows.len(), 1);
    }
}

#[test]
fn the_separator_line_of_excel_sets_the_delimiter() {
    for text in [
        "sep=;\r\nemail;group\r\na@b.c;One, Two\r\n",
        "\u{feff}sep=,\nemail,group\na@b.c,\"One, Two\"\n",
        "\"sep=;\"\nemail;group\na@b.c;One, Two\n",
        "SEP=\t\remail\tgroup\ra@b.c\tOne, Two",
    ] {
        let (table, groups) = parse(text.as_bytes(), "x", &mapping()).expect(text);
        assert_eq!((table.rows[0].line, groups), (3, vec!["One, Two".to_owned()]), "{text}");
    }
}

#[test]
fn lines_can_end_with_a_carriage_return() {
    let message = refused("email,group\ra@b.c,One\rbad,One\r", &mapping());
    assert_eq!(message, "x:3: invalid email address 'bad': it has no @");
}

#[test]
fn blank_rows_are_ignored() {
    let text = ";;;\nemail;group;x;y\na@b.c;One;;\n;;;\n ; ;;\nd@b.c;One;;\n;\n";
    let (table, _) = parse(text.as_bytes(), "x", &mapping()).expect("rows");
    assert_eq!((table.rows.len(), table.rows_read), (2, 2));
}

#[test]
fn a_file_that_is_not_a_table_is_refused_and_not_quoted() {
    let file = Mapping { email: Some("root:x:0:0:root:/root:/bin/bash".to_owned()), ..Mapping::of_file() };
    for (bytes, message) in [
        (&b"PK\x03\x04\x14\0\x06SECRET"[..], "x is a ZIP archive that cannot be read"),
        (b"\xd0\xcf\x11\xe0SECRET", "x is an old Excel workbook (.xls)"),
        (b"<html><table><tr><td>SECRET", "x is HTML or XML"),
        (b"[{\"email\": \"SECRET\"}]", "x is JSON"),
        (b"A=1\0KEY=SECRET\0", "x is binary: it contains a zero byte"),
        (b"KEY=SECRET\n", "the first line is not the header of a table"),
        (b"sk-admin-SECRET\n", "the header has one column, with another name"),
        (
            b"root:x:0:0:root:/root:/bin/bash\nSECRET:x:1:\nbin:x:2:\n",
            "x has no email address in any of 2 rows",
        ),
    ] {
        let errors = parse(bytes, "x", &file).expect_err(message);
        assert!(errors.to_string().contains(message), "{errors}");
        assert!(!format!("{errors:?}").contains("SECRET"), "{errors:?}");
    }
    let long = format!("email,group\n{}", "SECRET,One\n".repeat(BAD_ROWS_SHOWN_MAX + 1));
    assert_eq!(refused(&long, &mapping()), "x has no email address in any of 101 rows");
}

#[test]
fn a_message_lists_at_most_20_shortened_columns() {
    let headings: Vec<String> = (0..500).map(|column| format!("{column} {}", "x".repeat(5_000))).collect();
    let message = refused(&format!("{}\n", headings.join(",")), &mapping());
    assert!(message.contains("and 480 more") && message.len() < 4_000, "{}", message.len());
}

#[test]
fn a_yes_or_no_column_is_not_suggested_as_the_group() {
    let text = "id,userPrincipalName,displayName,isUser,isGroup,isGuest\n1,a@b.c,Ada,TRUE,FALSE,FALSE\n";
    let wanted = Mapping { email: Some("userPrincipalName".to_owned()), ..mapping() };
    let hint = hint(text, &wanted);
    assert!(!hint.contains("isGroup") && hint.contains("--group NAME"), "{hint}");
}

fn quoted(cell: &str) -> String {
    if cell.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// A table of three columns, with the address in column `email`.
fn written(people: &[(String, String)], email: usize) -> String {
    let row = |email_cell: &str, group: &str, note: &str| {
        let mut cells = vec![group.to_owned(), quoted(note)];
        cells.insert(email, email_cell.to_owned());
        cells.join(",") + "\n"
    };
    let mut text = row("email", "group", "notes");
    for (name, note) in people {
        text += &row(&format!("{name}@b.c"), "One", note);
    }
    text
}

proptest! {
    #[test]
    fn a_table_is_read_back_unchanged(
        people in prop::collection::btree_map("[a-z]{1,6}", "[a-z \",\n\r]{0,12}", 1..8),
        email in 0_usize..3,
    ) {
        let people: Vec<(String, String)> = people.into_iter().collect();
        let text = written(&people, email);
        let (table, groups) = parse(text.as_bytes(), "x", &mapping()).map_err(|errors| {
            TestCaseError::fail(format!("{text:?}: {errors}"))
        })?;
        let read: Vec<&str> = table.rows.iter().map(|row| row.email.as_str()).collect();
        let expected: Vec<String> = people.iter().map(|(name, _)| format!("{name}@b.c")).collect();
        prop_assert_eq!(read, expected);
        prop_assert_eq!(groups, ["One"]);
    }

    // A missing or extra quote is an error, or no user is missing.
    #[test]
    fn a_stray_quote_never_loses_a_user(
        people in prop::collection::btree_map("[a-z]{1,6}", "[a-z \",\n]{0,8}", 2..8),
        email in 0_usize..3,
        index in any::<prop::sample::Index>(),
        is_lost in any::<bool>(),
    ) {
        let people: Vec<(String, String)> = people.into_iter().collect();
        let mut text = written(&people, email);
        let quotes: Vec<usize> = text.match_indices('"').map(|(index, _)| index).collect();
        if is_lost && !quotes.is_empty() {
            text.remove(quotes[index.index(quotes.len())]);
        } else {
            text.insert(index.index(text.len()), '"');
        }
        if let Ok((table, _)) = parse(text.as_bytes(), "x", &mapping()) {
            prop_assert_eq!(table.rows.len(), people.len(), "{:?}", text);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), is_table in any::<bool>()) {
        let bytes = if is_table { [b"email,group\n".as_slice(), &bytes].concat() } else { bytes };
        if let Ok((table, _)) = parse(&bytes, "x", &mapping()) {
            prop_assert!(table.rows.iter().all(|row| is_email(row.email.as_str()).is_ok()));
        }
    }
}

#[test]
fn one_row_over_the_limit_is_refused() {
    // A duplicate does not count.
    let text = "email,group\na@x.y,A\nb@x.y,A\na@x.y,A\n";
    let (table, _) = parse_within(2, text.as_bytes(), "x.csv", &mapping()).expect("two rows");
    assert_eq!((table.rows.len(), table.duplicates), (2, 1));
    let text = text.to_owned() + "c@x.y,A\n";
    let errors = parse_within(2, text.as_bytes(), "x.csv", &mapping()).expect_err("one row more");
    assert_eq!(errors.to_string(), "x.csv:5: row 3 after filtering: a table has at most 2");
    assert_eq!(errors.0[0].hint.as_deref(), Some("split the table, and import each part separately"));
}

fn guessing() -> Mapping {
    Mapping { group: GroupSource::Guessed, ..Mapping::default() }
}

/// The rows as `address group`, and the notes.
fn read(text: impl AsRef<[u8]>, mapping: &Mapping) -> (Vec<String>, Vec<String>) {
    let (table, groups) = parse(text.as_ref(), "x", mapping).expect("a table");
    let row = |row: &Row| {
        let group = groups.get(row.group as usize).map_or("", String::as_str);
        format!("{} {group}", row.email.as_str())
    };
    (table.rows.iter().map(row).collect(), table.notes)
}

#[test]
fn columns_are_guessed_and_shown() {
    let (rows, notes) = read("Name;E-Mail-Adresse;Abteilung\nAda;a@b.c;One\n", &guessing());
    assert_eq!(rows, ["a@b.c One"]);
    assert_eq!(
        notes,
        ["using the column 'E-Mail-Adresse' for addresses and the column 'Abteilung' for groups"]
    );
    assert_eq!(read("email,group\na@b.c,One\n", &guessing()).1, [""; 0]);
    let errors = parse(b"Work Email,User Email,group\na@b.c,d@e.f,One\n", "x", &guessing()).expect_err("two");
    assert_eq!(errors.to_string(), "x:1: two columns may hold the addresses: 'Work Email' and 'User Email'");
    let hint = errors.0[0].hint.as_deref();
    assert_eq!(hint, Some("choose one: --email-column \"Work Email\""));
}

#[test]
fn the_column_that_holds_addresses_is_suggested() {
    assert_eq!(
        hint("Who,Contact details,group\nAda,Ada <a@b.c>,One\nBob,d@e.f,One\n", &guessing()),
        "the column 'Contact details' holds addresses: --email-column \"Contact details\""
    );
    assert!(hint("a@b.c,One\nd@e.f,One\n", &guessing()).starts_with("the table has no header"));
}

#[test]
fn lines_above_the_header_are_skipped() {
    let text = "Team list 2026\n\nExported on 28 Nov, 10:00\nname;email;group\nAda;a@b.c;One\nBo;d@e.f;Two\n";
    let (table, _) = parse(text.as_bytes(), "x", &guessing()).expect("rows");
    assert_eq!((table.rows.len(), table.rows[0].line), (2, 5));
    assert_eq!(table.notes, ["skipped 2 lines above the header, which is line 4"]);
}

#[test]
fn total_rows_are_skipped() {
    let text = "email,group,seats\na@b.c,One,1\nTotal: 1,,1\n,,\nGesamt\n";
    let (rows, notes) = read(text, &guessing());
    assert_eq!(
        (rows, notes),
        (vec!["a@b.c One".to_owned()], vec!["skipped total rows: lines 3 and 5".to_owned()])
    );
    // A person may be called Sum: a row with a group or with a mistyped address is not a total.
    for row in ["Sum Li,,One", "Sum Li,sumli.b.c,"] {
        let text = format!("name,email,group\nAda,a@b.c,One\n{row}\n");
        assert!(parse(text.as_bytes(), "x", &guessing()).is_err(), "{row}");
    }
    // A row with an address is a row.
    assert_eq!(read("email,group\na@b.c,Total\nsum@b.c,One\n", &guessing()).0.len(), 2);
}

#[test]
fn blank_groups_are_filled_down_on_request() {
    let text = "group,email,active\nOne,a@b.c,yes\n,d@e.f,yes\nTwo,g@h.i,no\n,j@k.l,yes\n";
    let filled = Mapping { fill_down: true, ..guessing() };
    let (rows, notes) = read(text, &filled);
    assert_eq!(rows, ["a@b.c One", "d@e.f One", "g@h.i Two", "j@k.l Two"]);
    assert_eq!(notes, ["used the group of the row above: lines 3 and 5"]);
    // An excluded row still names the group of the rows below.
    let filter = BTreeMap::from([("active".to_owned(), "yes".to_owned())]);
    assert_eq!(read(text, &Mapping { filter, ..filled }).0, ["a@b.c One", "d@e.f One", "j@k.l Two"]);
    assert_eq!(refused(text, &guessing()), "x:3: the row has no group\nx:5: the row has no group");
    assert_eq!(hint(text, &guessing()), "if a blank cell means the group above, pass --fill-down");
}

#[test]
fn many_rows_with_a_blank_group_share_an_error() {
    let blank = |rows: usize| (0..rows).map(|row| format!(",{row}@b.c\n")).collect::<String>();
    let text = format!("group,email\nOne,a@b.c\n{}Two,a.b.c\n{}", blank(4), blank(BAD_ROWS_SHOWN_MAX));
    assert_eq!(
        refused(&text, &guessing()),
        "x:3: the row has no group\nx:4: the row has no group\nx:5: the row has no group\nx:7: invalid email address \
         'a.b.c': it has no @\nx has no group in 101 more rows: lines 6, 8, 9, 10, 11 and 96 more"
    );
}

#[test]
fn a_note_names_the_rows_that_get_several_groups_of_the_row_above() {
    let split = Mapping { fill_down: true, split: Some(";".to_owned()), ..guessing() };
    let (rows, notes) = read("group,email\nOne;Two,a@b.c\n,d@e.f\nOne,g@h.i\n,j@k.l\n", &split);
    assert_eq!(rows.len(), 6);
    assert_eq!(notes[1], "used several groups of the row above (check that all of them apply): line 3");
}

#[test]
fn names_are_kept_for_suggestions() {
    let text = "Nachname;Vorname;email;group\nLovelace;Ada;a@b.c;One\n;;d@e.f;One\n";
    let (table, _) = parse(text.as_bytes(), "x", &guessing()).expect("rows");
    assert_eq!(table.names.len(), 1);
    assert_eq!(&*table.names[&EmailKey::new("a@b.c")], "Ada Lovelace");
}

#[test]
fn several_groups_in_a_cell_are_split_on_request() {
    let text = "email,groups\na@b.c,One; Two ;;One\nd@e.f,Two\n";
    let split = Mapping { split: Some(";".to_owned()), ..guessing() };
    assert_eq!(read(text, &split).0, ["a@b.c One", "a@b.c Two", "d@e.f Two"]);
    assert_eq!(read(text, &guessing()).0, ["a@b.c One; Two ;;One", "d@e.f Two"]);
    let refused = parse_within(2, text.as_bytes(), "x", &split).expect_err("three rows");
    assert_eq!(refused.to_string(), "x:3: row 3 after filtering: a table has at most 2");
}

#[test]
fn all_rows_can_be_members_of_one_named_group() {
    let named = Mapping { group: GroupSource::Named("On call".to_owned()), ..Mapping::default() };
    let text = "id,userPrincipalName,isGroup\n1,a@b.c,FALSE\n2,d@e.f,FALSE\n";
    assert_eq!(read(text, &named).0, ["a@b.c On call", "d@e.f On call"]);
}

#[test]
fn invalid_rows_are_skipped_and_kept_on_request() {
    let text = "email,group\na@b.c,One\nbad,One\nd@e.f\n=B1,One\n";
    let skipping = Mapping { skip_bad_rows: true, ..guessing() };
    let (table, _) = parse(text.as_bytes(), "x", &skipping).expect("a row");
    assert_eq!((table.rows.len(), table.skipped.len()), (1, 3));
    assert_eq!(table.notes, ["skipped invalid rows: lines 3, 4 and 5"]);
    let problem = "invalid email address 'bad': it has no @".to_owned();
    let cells = ["bad", "One"].map(str::to_owned).to_vec();
    assert_eq!(table.skipped[0], SkippedRow { line: 3, problem, cells });
    // Rows in a broken quote are several, and unknown.
    let text = "email,group,note\na@b.c,One,\"ill\nd@e.f,One,\ng@h.i,One,\"\nj@k.l,One,\n";
    assert!(parse(text.as_bytes(), "x", &skipping).is_err());
    assert!(parse(b"email,group\nbad,One\n", "x", &skipping).is_err(), "no row is left");
}

#[test]
fn one_invalid_row_over_the_limit_is_refused() {
    let skipping = Mapping { skip_bad_rows: true, ..guessing() };
    let text = |rows: usize| "email,group\na@b.c,One\n".to_owned() + &"bad,One\n".repeat(rows);
    assert!(parse(text(BAD_ROWS_SKIPPED_MAX).as_bytes(), "x", &skipping).is_ok());
    let errors = parse(text(BAD_ROWS_SKIPPED_MAX + 1).as_bytes(), "x", &skipping).expect_err("one more");
    assert_eq!(errors.to_string(), "x has more than 10000 invalid rows");
}

#[test]
fn changed_addresses_are_noted_with_their_lines() {
    let text = "email,group\na@b.c\u{200b},One\nBo <d@e.f>,One\n\u{a0}g@h.i ,One\n";
    let (rows, notes) = read(text, &guessing());
    assert_eq!(rows, ["a@b.c One", "d@e.f One", "g@h.i One"]);
    let expected =
        ["removed invisible characters: line 2", "took the address out of a name, a link or quotes: line 3"];
    assert_eq!(notes, expected);
}

#[test]
fn groups_are_compared_without_case_on_request() {
    let text = "email,group\na@b.c,Support  Team\nd@e.f,support team\n";
    assert_eq!(read(text, &guessing()).0, ["a@b.c Support Team", "d@e.f support team"]);
    let loose = Mapping { matching: Matching::Loose, ..guessing() };
    assert_eq!(read(text, &loose).0, ["a@b.c Support Team", "d@e.f Support Team"]);
}

#[test]
fn a_table_in_another_encoding_is_decoded_with_a_note() {
    let (rows, notes) = read(b"email,group\na@b.c,Caf\xe9\n", &guessing());
    assert_eq!(rows, ["a@b.c Caf\u{e9}"]);
    assert!(notes[0].starts_with("not UTF-8 from line 2 on"), "{notes:?}");
    let wide: Vec<u8> =
        "\u{feff}email\tgroup\na@b.c\tOne\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(
        read(wide, &guessing()),
        (vec!["a@b.c One".to_owned()], vec!["decoded from UTF-16".to_owned()])
    );
}

proptest! {
    // Whatever the options, reading ends without a panic, and every valid address stays or is refused.
    #[test]
    fn any_text_is_read_or_refused_with_all_options(
        text in "[a-c@.;,\"\n '<>=\u{200b}]{0,200}",
        fill_down in any::<bool>(),
        skip_bad_rows in any::<bool>(),
        split in prop::option::of("[;|]"),
    ) {
        let mapping = Mapping { fill_down, skip_bad_rows, split, ..guessing() };
        let text = format!("email,group\n{text}");
        if let Ok((table, groups)) = parse(text.as_bytes(), "x", &mapping) {
            prop_assert!(table.rows.iter().all(|row| is_email(row.email.as_str()).is_ok()));
            prop_assert!(table.rows.iter().all(|row| (row.group as usize) < groups.len()));
        }
    }
}
