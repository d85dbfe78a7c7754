//! Formats events whose fields are numbers and plain texts, such as each request's. The bytes equal those of
//! `tracing-subscriber`, at a fraction of the cost. Other events are delegated to it.

use std::fmt::{self, Write as _};

use jiff::fmt::{StdFmtWrite, temporal::DateTimePrinter};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{Format, Full, Json, Writer},
        time::FormatTime,
    },
    registry::LookupSpan,
};

/// The capacity for the line of a request, in bytes.
const LINE_BYTES: usize = 320;

/// The clock of the log, in microseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock(fn() -> jiff::Timestamp);

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the time of a log line affects nothing else")]
    pub(super) fn system() -> Self {
        Self(jiff::Timestamp::now)
    }
}

impl FormatTime for Clock {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        self.write(writer)
    }
}

impl Clock {
    fn write(self, text: &mut impl fmt::Write) -> fmt::Result {
        const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(6));
        PRINTER.print_timestamp(&(self.0)(), StdFmtWrite(text)).map_err(|_| fmt::Error)
    }
}

/// Formats plain events, and delegates others to `F`.
pub(super) struct PlainLines<F> {
    form: Form,
    clock: Clock,
    others: F,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Human,
    Json,
}

impl PlainLines<Format<Full, Clock>> {
    /// Lines of text without colours.
    pub(super) fn human(clock: Clock) -> Self {
        Self { form: Form::Human, clock, others: Format::default().with_timer(clock) }
    }
}

impl PlainLines<Format<Json, Clock>> {
    /// Lines of JSON, with the fields next to the time and the level.
    pub(super) fn json(clock: Clock) -> Self {
        let others = Format::default().json().flatten_event(true).with_timer(clock);
        Self { form: Form::Json, clock, others }
    }
}

impl<S, N, F> FormatEvent<S, N> for PlainLines<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let plain = if context.lookup_current().is_none() { self.plain(event)? } else { None };
        match plain {
            Some(line) => writer.write_str(&line),
            None => self.others.format_event(context, writer, event),
        }
    }
}

impl<F> PlainLines<F> {
    /// The line of an event, if it is plain.
    fn plain(&self, event: &Event<'_>) -> Result<Option<String>, fmt::Error> {
        let metadata = event.metadata();
        let level = padded(metadata.level());
        let mut text = String::with_capacity(LINE_BYTES);
        match self.form {
            Form::Human => {
                self.clock.write(&mut text)?;
                text.extend([" ", level, " ", metadata.target(), ":"]);
            }
            Form::Json => {
                text.push_str(r#"{"timestamp":""#);
                self.clock.write(&mut text)?;
                text.extend([r#"","level":""#, level.trim_start(), "\""]);
            }
        }
        let mut line = Line { form: self.form, text, is_plain: true };
        event.record(&mut line);
        let Line { mut text, is_plain, .. } = line;
        match self.form {
            Form::Human => text.push('\n'),
            Form::Json => text.extend([r#","target":""#, metadata.target(), "\"}\n"]),
        }
        Ok(is_plain.then_some(text))
    }
}

fn padded(level: &Level) -> &'static str {
    match *level {
        Level::TRACE => "TRACE",
        Level::DEBUG => "DEBUG",
        Level::INFO => " INFO",
        Level::WARN => " WARN",
        Level::ERROR => "ERROR",
    }
}

/// A line in progress. `is_plain` becomes false at the first field that is not plain.
struct Line {
    form: Form,
    text: String,
    is_plain: bool,
}

impl Line {
    fn name(&mut self, field: &Field) {
        let name = field.name();
        // `tracing-subscriber` writes raw identifiers in another form.
        self.is_plain &= !name.starts_with("r#");
        match self.form {
            Form::Human if name == "message" => self.text.push(' '),
            Form::Human => self.text.extend([" ", name, "="]),
            Form::Json => self.text.extend([",\"", name, "\":"]),
        }
    }

    fn number(&mut self, field: &Field, value: impl fmt::Display) {
        self.name(field);
        self.is_plain &= write!(self.text, "{value}").is_ok();
    }
}

/// Whether a text needs no escapes in either format.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\')
}

impl Visit for Line {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.number(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.number(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.number(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.name(field);
        self.is_plain &= is_plain(value) && field.name() != "message";
        self.text.extend(["\"", value, "\""]);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() != "message" {
            self.is_plain = false;
        }
        if !self.is_plain {
            return;
        }
        self.name(field);
        let quote = if self.form == Form::Json { "\"" } else { "" };
        self.text.push_str(quote);
        let begin = self.text.len();
        self.is_plain = write!(self.text, "{value:?}").is_ok() && is_plain(&self.text[begin..]);
        self.text.push_str(quote);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use tracing_subscriber::fmt::{MakeWriter, format::JsonFields};

    use super::*;

    /// Captures the output.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("not poisoned").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Written {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    const CLOCK: Clock = Clock(|| jiff::Timestamp::constant(1_700_000_000, 12_345_678));

    /// Plain events, and others.
    fn events() {
        let request_id = format!("req_{:032x}", 7);
        tracing::info!(
            method = "GET",
            operation = "-",
            status = 200_u16,
            elapsed_ms = 0_u64,
            request_id,
            "answered"
        );
        tracing::error!(below = -1_i64, is_so = true, "plain");
        tracing::warn!("stopped after {:?}", std::time::Duration::from_secs(1));
        tracing::debug!(only = "a field");
        tracing::trace!("");
        for text in ["a \"quote\"", "a\nline", "\u{1b}[31m", "é", "\\", "\u{7f}", "'"] {
            tracing::info!(text, "its text is not plain, or is it");
            tracing::info!("{text}");
        }
        let error = io::Error::other(io::Error::other("inner \u{1b}"));
        tracing::error!(error = &error as &dyn std::error::Error, batch = 3_usize, "failed");
        tracing::info!(shown = %7, debugged = ?Some("x"), float = 0.5, r#type = "keyword", empty = None::<u64>, "others");
        tracing::info!(message = "given as a field", after = 1_u64);
        let span = tracing::info_span!("a span", of = 1_u64);
        span.in_scope(|| tracing::info!(plain = 1_u64, "within it"));
    }

    fn written_by(subscriber: impl Subscriber + Send + Sync, written: &Written) -> String {
        tracing::subscriber::with_default(subscriber, events);
        let written = written.0.lock().expect("not poisoned");
        String::from_utf8(written.clone()).expect("text")
    }

    #[test]
    fn human_lines_equal_those_of_tracing_subscriber() {
        let (ours, theirs) = (Written::default(), Written::default());
        let subscriber = || tracing_subscriber::fmt().with_max_level(Level::TRACE).with_ansi(false);
        let expected = subscriber().with_timer(CLOCK).with_writer(theirs.clone()).finish();
        let subscriber =
            subscriber().with_writer(ours.clone()).event_format(PlainLines::human(CLOCK)).finish();
        assert_eq!(written_by(subscriber, &ours), written_by(expected, &theirs));
    }

    #[test]
    fn lines_of_json_equal_those_of_tracing_subscriber() {
        let (ours, theirs) = (Written::default(), Written::default());
        let subscriber = || tracing_subscriber::fmt().with_max_level(Level::TRACE);
        let expected =
            subscriber().json().flatten_event(true).with_timer(CLOCK).with_writer(theirs.clone()).finish();
        let subscriber = subscriber()
            .with_writer(ours.clone())
            .fmt_fields(JsonFields::new())
            .event_format(PlainLines::json(CLOCK))
            .finish();
        assert_eq!(written_by(subscriber, &ours), written_by(expected, &theirs));
    }

    #[test]
    fn a_request_is_plain() {
        let written = Written::default();
        struct Never;
        impl<S, N> FormatEvent<S, N> for Never
        where
            S: Subscriber + for<'a> LookupSpan<'a>,
            N: for<'a> FormatFields<'a> + 'static,
        {
            fn format_event(&self, _: &FmtContext<'_, S, N>, _: Writer<'_>, _: &Event<'_>) -> fmt::Result {
                panic!("the event is not plain")
            }
        }
        let lines = PlainLines { form: Form::Human, clock: CLOCK, others: Never };
        let subscriber = tracing_subscriber::fmt().with_writer(written.clone()).event_format(lines).finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(method = "GET", status = 200_u16, request_id = String::from("req_1"), "answered");
        });
        let line = String::from_utf8(written.0.lock().expect("not poisoned").clone()).expect("text");
        let fields = "answered method=\"GET\" status=200 request_id=\"req_1\"\n";
        let expected = format!("2023-11-14T22:13:20.012345Z  INFO {}: {fields}", module_path!());
        assert_eq!(line, expected);
    }
}
