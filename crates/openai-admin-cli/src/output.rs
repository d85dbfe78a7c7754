//! What people and programs read: data on standard output, everything else on standard error.

use std::{
    borrow::Cow,
    cell::RefCell,
    io::{self, IsTerminal as _, Write},
    path::Path,
};

use comfy_table::{CellAlignment, ContentArrangement, Table};
use serde::Serialize;
use serde_json::Value;

use crate::{
    arguments::{Format, GlobalArguments},
    config::{self, Environment},
    failure::{Failure, Hint, Result},
};

mod guard;
mod layout;
mod records;

pub(crate) use layout::{Column, Layout, Name, Record};
pub(crate) use openai_admin_sync::visible::visible;

/// Between two columns of a table, in spaces.
const GAP: u16 = 2;
/// The width of text that wraps where there is no terminal, in columns.
const WIDTH_ELSEWHERE: u16 = 100;

/// Where and how a command's output goes.
pub(crate) struct Output {
    format: Option<Format>,
    quiet: bool,
    data_is_colored: bool,
    notes_are_colored: bool,
    /// Whether standard error can be redrawn.
    interactive: bool,
    /// The width of the terminal that data goes to, in columns.
    width: Option<u16>,
    /// Whether data goes to a terminal.
    is_terminal: bool,
    /// Whether GitHub reads along, and obeys lines that look like commands.
    is_github: bool,
    /// How the program was called, for commands that it proposes.
    program: String,
    /// The options that say which data is meant, for the same.
    target: String,
    /// Where data goes.
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
            program: config::shell_word(&environment.program),
            target: config::typed_target(global),
            data: RefCell::new(Box::new(io::stdout())),
        }
    }

    /// The same, with data written elsewhere.
    #[cfg(test)]
    pub(crate) fn written_to(self, data: impl Write + 'static) -> Self {
        Self { data: RefCell::new(Box::new(data)), ..self }
    }

    /// The format that was asked for.
    pub(crate) fn format(&self) -> Option<Format> {
        self.format
    }

    /// Whether data is written for people.
    pub(crate) fn is_for_people(&self) -> bool {
        matches!(self.format, None | Some(Format::Table))
    }

    /// Whether people want no notes.
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

    /// How wide text is that wraps, in columns.
    pub(crate) fn text_width(&self) -> u16 {
        self.width.unwrap_or(WIDTH_ELSEWHERE)
    }

    /// Writes a list. `none` tells people that it is empty.
    pub(crate) fn items<T: Record>(&self, items: &[T], none: &str) -> Result<()> {
        self.items_as(&Layout::of_record(), items, none)
    }

    /// The same in a layout.
    pub(crate) fn items_as<T: Serialize>(&self, layout: &Layout<T>, items: &[T], none: &str) -> Result<()> {
        match self.format.unwrap_or(Format::Table) {
            Format::Table if items.is_empty() => {
                self.note(none);
                Ok(())
            }
            // In a pipe a row stays a line, for grep and cut.
            Format::Table => self.table(layout, items, self.width),
            Format::Json => self.json(&json(items)?),
            Format::Yaml => self.text(&yaml(items)?),
            Format::Jsonl => self.json(&jsonl(items)?),
            Format::Csv => self.text(&csv(layout, items, true)?),
        }
    }

    /// Whether each item has lines of its own, so that a part of a list can be written before the rest is known.
    pub(crate) fn is_of_lines(&self) -> bool {
        matches!(self.format, Some(Format::Jsonl | Format::Csv))
    }

    /// Writes a part of a list in such a format. `is_first` says whether nothing of it has been written yet.
    pub(crate) fn lines_as<T: Serialize>(
        &self,
        layout: &Layout<T>,
        items: &[T],
        is_first: bool,
    ) -> Result<()> {
        match self.format {
            Some(Format::Csv) => self.text(&csv(layout, items, is_first)?),
            _ => self.json(&jsonl(items)?),
        }
    }

    /// Writes a list like [`items`](Self::items), whose last column is long: people get it in several lines.
    pub(crate) fn wrapped_items<T: Record>(&self, items: &[T], none: &str) -> Result<()> {
        if !self.is_for_people() || items.is_empty() {
            return self.items(items, none);
        }
        self.table(&Layout::of_record(), items, Some(self.text_width()))
    }

    /// Writes one thing.
    pub(crate) fn item<T: Record>(&self, item: &T) -> Result<()> {
        self.item_as(&Layout::of_record(), item)
    }

    /// The same in a layout.
    pub(crate) fn item_as<T: Serialize>(&self, layout: &Layout<T>, item: &T) -> Result<()> {
        match self.format.unwrap_or(Format::Table) {
            Format::Table => {
                let fields = (layout.fields)(item).map_err(unprintable)?;
                let mut table = plain_table();
                let details = layout.details.iter().filter(|(_, field)| !fields[&**field].is_null());
                for (heading, field) in layout.columns.iter().chain(details) {
                    table.add_row([heading.to_string(), for_people(field, &fields[&**field])]);
                }
                let gap = " ".repeat(GAP.into());
                let lines = rendered(&table);
                // Colour comes last, since its codes have no width.
                let lines = lines.lines().map(|line| match line.split_once(&gap) {
                    Some((heading, value)) => format!("{}{gap}{value}\n", self.heading(heading)),
                    None => format!("{line}\n"),
                });
                self.data(&lines.collect::<String>())
            }
            Format::Json => self.json(&json(item)?),
            Format::Yaml => self.text(&yaml(item)?),
            Format::Jsonl => self.json(&(serde_json::to_string(item).map_err(unprintable)? + "\n")),
            Format::Csv => self.text(&csv(layout, std::slice::from_ref(item), true)?),
        }
    }

    fn table<T>(&self, layout: &Layout<T>, items: &[T], width: Option<u16>) -> Result<()> {
        let mut table = plain_table();
        if let Some(width) = width {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        }
        table.set_header(layout.columns.iter().map(|(heading, _)| &**heading));
        for item in items {
            let fields = (layout.fields)(item).map_err(unprintable)?;
            table.add_row(layout.columns.iter().map(|(_, field)| for_people(field, &fields[&**field])));
        }
        for (index, (_, field)) in layout.columns.iter().enumerate() {
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

    /// Writes JSON: the same values, and nothing in them acts.
    pub(crate) fn json(&self, json: &str) -> Result<()> {
        self.raw(&guard::plain_json(json))
    }

    /// Writes YAML or CSV: as it is, but for what would act on a terminal.
    pub(crate) fn text(&self, text: &str) -> Result<()> {
        if self.is_terminal { self.data(&guard::visible_lines(text)) } else { self.data(text) }
    }

    /// Writes text for people, which may have colours: what it quotes is [`visible`] already.
    pub(crate) fn data(&self, text: &str) -> Result<()> {
        self.raw(&self.without_commands(text))
    }

    fn without_commands<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.is_github { guard::without_commands(text) } else { Cow::Borrowed(text) }
    }

    /// Writes text to standard output as it is: scripts, and commands for GitHub.
    pub(crate) fn raw(&self, text: &str) -> Result<()> {
        let mut data = self.data.borrow_mut();
        data.write_all(text.as_bytes())?;
        data.flush()?;
        Ok(())
    }

    /// Tells people something, unless they want silence.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.line(text);
        }
    }

    /// Lines on standard error, also when silence is wanted.
    pub(crate) fn line(&self, text: &str) {
        self.colored_line(&guard::visible_lines(text));
    }

    fn colored_line(&self, text: &str) {
        // Nobody can be told that standard error is gone.
        let _ = writeln!(io::stderr(), "{}", self.without_commands(text));
    }

    /// Prints what went wrong and what to do next.
    pub(crate) fn failure(&self, failure: &Failure) {
        if !failure.message.is_empty() {
            self.labelled("error", "31;1", &failure.message);
        }
        for hint in &failure.hints {
            self.labelled("hint", "36;1", &self.hint(hint));
        }
    }

    /// What to do next, in words.
    pub(crate) fn hint(&self, hint: &Hint) -> String {
        match hint {
            Hint::Text(text) => text.clone(),
            Hint::Command { arguments, effect } => format!("`{}` {effect}", self.command(arguments)),
        }
    }

    /// A command of this program, by the name that was typed, that means the same data as this one.
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

/// A table without lines. The last column has no gap behind it, since `rendered` trims.
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

/// A field of a record, as people like it.
fn for_people(field: &str, value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) if field.ends_with("_at") || field.ends_with("_time") => {
            number.as_i64().map(moment).unwrap_or_default()
        }
        Value::String(text) => visible(text),
        Value::Array(values) => {
            values.iter().map(|value| for_people(field, value)).collect::<Vec<_>>().join(", ")
        }
        Value::Object(_) => name_of(value).map_or_else(|| visible(&value.to_string()), visible),
        other => other.to_string(),
    }
}

/// What a thing within a thing is called: its name, else its address, else its id, else that of what is in it.
fn name_of(thing: &Value) -> Option<&str> {
    let named = ["name", "email", "id"].into_iter().find_map(|field| thing[field].as_str());
    named.or_else(|| thing.as_object()?.values().find_map(name_of))
}

/// Unix seconds as date and time in UTC.
pub(crate) fn moment(unix_seconds: i64) -> String {
    match jiff::Timestamp::from_second(unix_seconds) {
        Ok(moment) => moment.strftime("%Y-%m-%d %H:%M").to_string(),
        Err(_) => unix_seconds.to_string(),
    }
}

/// A path as it is named in a message.
pub(crate) fn file_name(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { visible(&path.display().to_string()) }
}

/// `1 user`, `2 users`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

fn json(value: &(impl Serialize + ?Sized)) -> Result<String> {
    Ok(serde_json::to_string_pretty(value).map_err(unprintable)? + "\n")
}

pub(crate) fn yaml(value: &(impl Serialize + ?Sized)) -> Result<String> {
    let text = serde_saphyr::to_string(&value).map_err(unprintable)?;
    Ok(if text.ends_with('\n') { text } else { text + "\n" })
}

fn jsonl(items: &[impl Serialize]) -> Result<String> {
    let mut lines = String::new();
    for item in items {
        lines.push_str(&serde_json::to_string(item).map_err(unprintable)?);
        lines.push('\n');
    }
    Ok(lines)
}

fn csv<T>(layout: &Layout<T>, items: &[T], with_heading: bool) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    if with_heading {
        writer.write_record(layout.names.iter().map(|name| name.as_bytes())).map_err(unprintable)?;
    }
    for item in items {
        let fields = (layout.fields)(item).map_err(unprintable)?;
        writer
            .write_record(layout.names.iter().map(|name| for_csv(&fields[&**name])))
            .map_err(unprintable)?;
    }
    let bytes = writer.into_inner().map_err(unprintable)?;
    String::from_utf8(bytes).map_err(unprintable)
}

fn for_csv(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(for_csv).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

fn unprintable(error: impl std::fmt::Display) -> Failure {
    Failure::new(crate::failure::ExitStatus::Failed, format!("cannot write the data: {error}"))
}
