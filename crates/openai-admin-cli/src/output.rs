//! Output: data to standard output, everything else to standard error.

use std::{
    borrow::Cow,
    cell::{OnceCell, RefCell},
    io::{self, IsTerminal as _, Write},
    path::Path,
};

use comfy_table::{CellAlignment, ContentArrangement, Table};
use serde::Serialize;
use serde_json::Value;

use crate::{
    arguments::{Format, GlobalArguments},
    config::{self, Environment},
    failure::{Failure, Hint, RefusedRequest, Result},
};

mod guard;
mod layout;
mod records;

pub(crate) use layout::{Column, Layout, Name, Record};
pub(crate) use openai_admin_sync::{render::shell_word, visible::visible};

/// The gap between two columns of a table, in spaces.
const GAP: u16 = 2;
/// How many columns a narrow terminal keeps.
const COLUMNS_SHOWN_MIN: usize = 2;
/// The width of wrapped text without a terminal, in columns.
const WIDTH_WITHOUT_TERMINAL: u16 = 100;

/// The destination and format of a command's output.
pub(crate) struct Output {
    format: Option<Format>,
    quiet: bool,
    data_is_colored: bool,
    notes_are_colored: bool,
    /// Whether standard error can be redrawn, as for a progress bar.
    interactive: bool,
    /// The width of standard output's terminal, in columns.
    width: Option<u16>,
    /// Whether standard output is a terminal.
    is_terminal: bool,
    /// Whether GitHub Actions reads the output, and executes lines that look like workflow commands.
    is_github: bool,
    /// The name that started the program, for suggested commands.
    program: String,
    /// The options that select the data, for suggested commands.
    target: String,
    /// The service that prompts name.
    service: OnceCell<String>,
    /// The destination of data.
    data: RefCell<Box<dyn Write>>,
}

impl Output {
    pub(crate) fn new(global: &GlobalArguments, environment: &Environment) -> Self {
        let (data, notes) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let width = if data { terminal_size::terminal_size().map(|(width, _)| width.0) } else { None };
        Self {
            format: global.output,
            quiet: global.quiet,
            data_is_colored: environment.color(global.color, data),
            notes_are_colored: environment.color(global.color, notes),
            interactive: notes && !environment.ci && !global.quiet,
            width,
            is_terminal: data,
            is_github: environment.is_github,
            program: shell_word(&environment.program),
            target: config::typed_target(global),
            service: OnceCell::new(),
            data: RefCell::new(Box::new(io::stdout())),
        }
    }

    /// The same, with another destination of data.
    #[cfg(test)]
    pub(crate) fn written_to(self, data: impl Write + 'static) -> Self {
        Self { data: RefCell::new(Box::new(data)), ..self }
    }

    /// Sets the service that prompts name, such as a profile and its organization.
    pub(crate) fn name_service(&self, label: Option<String>) {
        if let Some(label) = label {
            // Every session of a command has the same service.
            let _ = self.service.set(label);
        }
    }

    /// A question after the service that it is about.
    pub(crate) fn question(&self, question: &str) -> String {
        match self.service.get() {
            Some(service) => format!("[{service}] {question}"),
            None => question.to_owned(),
        }
    }

    /// The value of `--output`.
    pub(crate) fn format(&self) -> Option<Format> {
        self.format
    }

    /// Whether the format is for people.
    pub(crate) fn is_for_people(&self) -> bool {
        matches!(self.format, None | Some(Format::Table))
    }

    /// Whether the format is JSON or YAML, which programs read as one tree.
    pub(crate) fn is_tree(&self) -> bool {
        matches!(self.format, Some(Format::Json | Format::Jsonl | Format::Yaml))
    }

    /// Whether notes are off.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether data may be coloured.
    pub(crate) fn is_colored(&self) -> bool {
        self.data_is_colored
    }

    /// Whether a progress bar can be drawn.
    pub(crate) fn is_interactive(&self) -> bool {
        self.interactive
    }

    /// The width of wrapped text, in columns.
    pub(crate) fn text_width(&self) -> u16 {
        self.width.unwrap_or(WIDTH_WITHOUT_TERMINAL)
    }

    /// Writes a list. If it is empty, people see `none`.
    pub(crate) fn items<T: Record>(&self, items: &[T], none: &str) -> Result<()> {
        self.items_as(&Layout::of_record(), items, none)
    }

    /// Writes a list in this layout.
    pub(crate) fn items_as<T: Serialize>(&self, layout: &Layout<T>, items: &[T], none: &str) -> Result<()> {
        match self.format.unwrap_or(Format::Table) {
            Format::Table if items.is_empty() => {
                self.note(none);
                Ok(())
            }
            // In a pipe each row stays on one line, for grep and cut.
            Format::Table => {
                let rows = rows(layout, items)?;
                self.table(fitting(&layout.columns, &rows, self.width), &rows, None)
            }
            Format::Json => self.json(&json(&tree(items)?)?),
            Format::Yaml => self.text(&yaml(&tree(items)?)?),
            Format::Jsonl => self.json(&jsonl(&trees(items)?)),
            Format::Csv => self.text(&csv(&layout.names, &rows(layout, items)?, true)?),
        }
    }

    /// Whether the format has a line for each item, so that parts of a list can be written as they arrive.
    pub(crate) fn is_line_based(&self) -> bool {
        matches!(self.format, Some(Format::Jsonl | Format::Csv))
    }

    /// Writes a part of a list in a line-based format. `is_first`: no part has been written yet.
    pub(crate) fn lines_as<T: Serialize>(
        &self,
        layout: &Layout<T>,
        items: &[T],
        is_first: bool,
    ) -> Result<()> {
        match self.format {
            Some(Format::Csv) => self.text(&csv(&layout.names, &rows(layout, items)?, is_first)?),
            _ => self.json(&jsonl(&trees(items)?)),
        }
    }

    /// Writes a list like [`items`](Self::items), and wraps its long last column for people.
    pub(crate) fn wrapped_items<T: Record>(&self, items: &[T], none: &str) -> Result<()> {
        if !self.is_for_people() || items.is_empty() {
            return self.items(items, none);
        }
        let layout = Layout::of_record();
        self.table(&layout.columns, &rows(&layout, items)?, Some(self.text_width()))
    }

    /// Writes one item.
    pub(crate) fn item<T: Record>(&self, item: &T) -> Result<()> {
        self.item_as(&Layout::of_record(), item)
    }

    /// Writes one item in this layout.
    pub(crate) fn item_as<T: Serialize>(&self, layout: &Layout<T>, item: &T) -> Result<()> {
        match self.format.unwrap_or(Format::Table) {
            Format::Table => self.details(&layout.columns, &layout.details, &row(layout, item)?),
            Format::Json => self.json(&json(&tree(item)?)?),
            Format::Yaml => self.text(&yaml(&tree(item)?)?),
            Format::Jsonl => self.json(&jsonl(&[tree(item)?])),
            Format::Csv => self.text(&csv(&layout.names, &[row(layout, item)?], true)?),
        }
    }

    /// Writes one thing for people: a line for each column, and for each detail that has a value.
    fn details(&self, columns: &[Column], details: &[Column], fields: &Value) -> Result<()> {
        let mut table = plain_table();
        let details = details.iter().filter(|(_, field)| !fields[&**field].is_null());
        for (heading, field) in columns.iter().chain(details) {
            table.add_row([heading.to_string(), for_people(field, &fields[&**field])]);
        }
        let gap = " ".repeat(GAP.into());
        let lines = rendered(&table);
        // Colour is added after the layout, because its codes have no width.
        let lines = lines.lines().map(|line| match line.split_once(&gap) {
            Some((heading, value)) => format!("{}{gap}{value}\n", self.heading(heading)),
            None => format!("{line}\n"),
        });
        self.data(&lines.collect::<String>())
    }

    fn table(&self, columns: &[Column], rows: &[Value], width: Option<u16>) -> Result<()> {
        let mut table = filled_table(columns, rows);
        if let Some(width) = width {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        }
        for (index, (_, field)) in columns.iter().enumerate() {
            if let (true, Some(column)) = (field.ends_with("_count"), table.column_mut(index)) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let text = rendered(&table);
        let (heading, rows) = text.split_once('\n').unwrap_or((&text, ""));
        self.data(&format!("{}\n{rows}", self.heading(heading)))
    }

    fn heading(&self, text: &str) -> String {
        if self.data_is_colored { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Writes JSON, and escapes characters in its strings that terminals and GitHub would interpret.
    pub(crate) fn json(&self, json: &str) -> Result<()> {
        self.raw(&guard::plain_json(json))
    }

    /// Writes YAML or CSV. On a terminal, control characters are escaped.
    pub(crate) fn text(&self, text: &str) -> Result<()> {
        if self.is_terminal { self.data(&guard::visible_lines(text)) } else { self.data(text) }
    }

    /// Writes text for people, which may have colours. Quoted data is [`visible`] already.
    pub(crate) fn data(&self, text: &str) -> Result<()> {
        self.raw(&self.without_commands(text))
    }

    fn without_commands<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.is_github { guard::without_commands(text) } else { Cow::Borrowed(text) }
    }

    /// Writes text to standard output unchanged: scripts, and commands for GitHub.
    pub(crate) fn raw(&self, text: &str) -> Result<()> {
        let mut data = self.data.borrow_mut();
        data.write_all(text.as_bytes())?;
        data.flush()?;
        Ok(())
    }

    /// Prints a note to standard error, unless notes are off.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.line(text);
        }
    }

    /// Prints lines to standard error, even if notes are off.
    pub(crate) fn line(&self, text: &str) {
        self.colored_line(&guard::visible_lines(text));
    }

    fn colored_line(&self, text: &str) {
        // If standard error is closed, there is no place to report it.
        let _ = writeln!(io::stderr(), "{}", self.without_commands(text));
    }

    /// Prints an error and its hints.
    pub(crate) fn failure(&self, failure: &Failure) {
        if matches!(self.format, Some(Format::Json | Format::Jsonl)) {
            return self.failure_as_json(failure);
        }
        if !failure.message.is_empty() {
            self.labelled("error", "31;1", &failure.message);
        }
        for hint in &failure.hints {
            self.labelled("hint", "36;1", &self.hint(hint));
        }
    }

    /// Prints an error as one line of JSON, so that a program finds it among the notes.
    fn failure_as_json(&self, failure: &Failure) {
        if failure.message.is_empty() {
            return;
        }
        let next_steps = failure.hints.iter().map(|hint| self.hint(hint)).collect();
        self.colored_line(&failure_json(failure, next_steps));
    }

    /// The text of a hint.
    pub(crate) fn hint(&self, hint: &Hint) -> String {
        match hint {
            Hint::Text(text) => text.clone(),
            Hint::Command { arguments, effect } => format!("`{}` {effect}", self.command(arguments)),
        }
    }

    /// A command line of this program, with the options that select the same data.
    pub(crate) fn command(&self, arguments: &str) -> String {
        format!("{} {}{arguments}", self.program, self.target)
    }

    fn labelled(&self, label: &str, color: &str, text: &str) {
        let text = visible(text);
        if self.notes_are_colored {
            self.colored_line(&format!("\x1b[{color}m{label}:\x1b[0m {text}"));
        } else {
            self.colored_line(&format!("{label}: {text}"));
        }
    }
}

/// Prints the error of a command line that could not be parsed, as one line of JSON.
pub(crate) fn print_as_json(failure: &Failure) {
    let text = |hint: &Hint| match hint {
        Hint::Text(text) => text.clone(),
        Hint::Command { arguments, effect } => format!("`openai-admin {arguments}` {effect}"),
    };
    let line = failure_json(failure, failure.hints.iter().map(text).collect());
    // If standard error is closed, there is no place to report it.
    let _ = writeln!(io::stderr(), "{line}");
}

fn failure_json(failure: &Failure, next_steps: Vec<String>) -> String {
    let error = FailureDocument {
        message: &failure.message,
        answer: failure.answer.as_deref().cloned().unwrap_or_default(),
        next_steps,
    };
    guard::plain_json(&serde_json::json!({ "error": error }).to_string()).into_owned()
}

/// The rows as cells for people, below the headings.
fn filled_table(columns: &[Column], rows: &[Value]) -> Table {
    let mut table = plain_table();
    table.set_header(columns.iter().map(|(heading, _)| &**heading));
    for fields in rows {
        table.add_row(columns.iter().map(|(_, field)| for_people(field, &fields[&**field])));
    }
    table
}

/// The columns that fit into the width with every row on one line. The first two stay: a name and what identifies it.
fn fitting<'a>(columns: &'a [Column], rows: &[Value], width: Option<u16>) -> &'a [Column] {
    let Some(width) = width else { return columns };
    let mut end = 0;
    for (index, column_width) in filled_table(columns, rows).column_max_content_widths().iter().enumerate() {
        if index >= COLUMNS_SHOWN_MIN && end + column_width > width {
            return &columns[..index];
        }
        end += column_width + GAP;
    }
    columns
}

/// The fields of an error in JSON.
#[derive(Serialize)]
struct FailureDocument<'a> {
    message: &'a str,
    #[serde(flatten)]
    answer: RefusedRequest,
    next_steps: Vec<String>,
}

/// A table without lines. `rendered` trims the gap after the last column.
pub(crate) fn plain_table() -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table
}

pub(crate) fn rendered(table: &Table) -> String {
    let mut table = table.clone();
    for column in table.column_iter_mut() {
        column.set_padding((0, GAP));
    }
    table.trim_fmt() + "\n"
}

/// Whether a number in this field is a time, in Unix seconds.
fn is_time(field: &str) -> bool {
    field.ends_with("_at") || field.ends_with("_time")
}

/// The text of a field for people.
fn for_people(field: &str, value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) if is_time(field) => number.as_i64().map(moment).unwrap_or_default(),
        Value::String(text) => visible(text),
        Value::Array(values) => {
            values.iter().map(|value| for_people(field, value)).collect::<Vec<_>>().join(", ")
        }
        Value::Object(_) => counted(value)
            .or_else(|| name_of(value).map(visible))
            .unwrap_or_else(|| visible(&value.to_string())),
        other => other.to_string(),
    }
}

/// A number that was counted up to a limit: `1000+` if there are more.
fn counted(object: &Value) -> Option<String> {
    let has_more = object["has_more"].as_bool()?;
    Some(format!("{}{}", object["number"].as_i64()?, if has_more { "+" } else { "" }))
}

/// The name of a nested object: its name, email address or id, or else that of an object in it.
fn name_of(object: &Value) -> Option<&str> {
    let named = ["name", "email", "id"].into_iter().find_map(|field| object[field].as_str());
    named.or_else(|| object.as_object()?.values().find_map(name_of))
}

/// Unix seconds as a date and time in UTC.
pub(crate) fn moment(unix_seconds: i64) -> String {
    match jiff::Timestamp::from_second(unix_seconds) {
        Ok(moment) => moment.strftime("%Y-%m-%d %H:%M").to_string(),
        Err(_) => unix_seconds.to_string(),
    }
}

/// The name of a file in a message.
pub(crate) fn file_name(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { visible(&path.display().to_string()) }
}

/// `1 user`, `2 users`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// A value as a tree. All formats are written from trees, so that their code exists once and not for each type.
fn tree(value: &(impl Serialize + ?Sized)) -> Result<Value> {
    serde_json::to_value(value).map_err(unprintable)
}

fn trees(items: &[impl Serialize]) -> Result<Vec<Value>> {
    items.iter().map(tree).collect()
}

/// The fields of a thing, as the columns of a layout name them.
fn row<T>(layout: &Layout<T>, thing: &T) -> Result<Value> {
    (layout.fields)(thing).map_err(unprintable)
}

fn rows<T>(layout: &Layout<T>, things: &[T]) -> Result<Vec<Value>> {
    things.iter().map(|thing| row(layout, thing)).collect()
}

fn json(tree: &Value) -> Result<String> {
    Ok(serde_json::to_string_pretty(tree).map_err(unprintable)? + "\n")
}

pub(crate) fn yaml(value: &(impl Serialize + ?Sized)) -> Result<String> {
    let text = serde_saphyr::to_string(&value).map_err(unprintable)?;
    Ok(if text.ends_with('\n') { text } else { text + "\n" })
}

fn jsonl(trees: &[Value]) -> String {
    trees.iter().map(|tree| format!("{tree}\n")).collect()
}

fn csv(names: &[Name], rows: &[Value], with_heading: bool) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    if with_heading {
        writer.write_record(names.iter().map(|name| name.as_bytes())).map_err(unprintable)?;
    }
    for fields in rows {
        writer.write_record(names.iter().map(|name| for_csv(name, &fields[&**name]))).map_err(unprintable)?;
    }
    let bytes = writer.into_inner().map_err(unprintable)?;
    String::from_utf8(bytes).map_err(unprintable)
}

/// The text of a field in CSV. Times are RFC 3339, which spreadsheets read as dates.
fn for_csv(field: &str, value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Number(number) if is_time(field) => {
            let moment = number.as_i64().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
            moment.map_or_else(|| number.to_string(), |moment| moment.to_string())
        }
        Value::String(text) => text.clone(),
        Value::Array(values) => {
            values.iter().map(|value| for_csv(field, value)).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}

/// The failure to write data.
pub(crate) fn unprintable(error: impl std::fmt::Display) -> Failure {
    Failure::new(crate::failure::ExitStatus::Failed, format!("cannot write the data: {error}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "group_01M8GFD9D76CNYZGXDV7H1FREZ";

    fn headings(width: Option<u16>) -> Vec<String> {
        let columns: Vec<Column> = [("NAME", "name"), ("ID", "id"), ("CREATED (UTC)", "created_at")]
            .map(|(heading, field)| (Name::from(heading), Name::from(field)))
            .into();
        let rows = [json!({ "name": "Support", "id": ID, "created_at": 1_700_000_000 })];
        fitting(&columns, &rows, width).iter().map(|(heading, _)| heading.to_string()).collect()
    }

    #[test]
    fn a_count_is_a_number_with_a_plus_if_there_are_more() {
        let text = |number: i64, has_more: bool| {
            for_people("users", &json!({ "number": number, "has_more": has_more }))
        };
        assert_eq!([text(14, false), text(1000, true)], ["14", "1000+"]);
    }

    #[test]
    fn a_narrow_terminal_drops_columns_from_the_right_and_keeps_the_id() {
        let all = ["NAME", "ID", "CREATED (UTC)"];
        let exact = 7 + 2 + 32 + 2 + 16;
        assert_eq!(headings(None), all);
        assert_eq!(headings(Some(exact)), all);
        assert_eq!(headings(Some(exact - 1)), ["NAME", "ID"]);
        assert_eq!(headings(Some(20)), ["NAME", "ID"]);
    }

    #[test]
    fn csv_has_times_in_rfc_3339() {
        let names = ["created_at", "user_count"].map(Name::from);
        let rows = [json!({ "created_at": 1_700_000_000, "user_count": 1_700_000_000 })];
        let expected = "created_at,user_count\n2023-11-14T22:13:20Z,1700000000\n";
        assert_eq!(csv(&names, &rows, true).expect("CSV"), expected);
    }
}
