//! A batch of usage as JSON lines: an object with the id of the batch, then one record a line.

use super::{
    decode::{Strictness, decode_line},
    decode_error::DecodeError,
};
use crate::{
    models::{CreateUsageBatchBody, UsageLine},
    operations::CreateUsageBatch,
    violation::ViolationCode,
};

/// The media types of JSON lines.
pub const JSON_LINES: [&str; 2] = ["application/x-ndjson", "application/jsonl"];

/// Decodes a batch of usage. Empty lines are ignored.
///
/// ```
/// use openai_admin::wire::{Strictness, decode_usage_lines};
/// let lines = b"{\"batch_id\":\"1\"}\n{\"embeddings\":{\"time\":60,\"input_tokens\":7,\"num_model_requests\":1}}\n";
/// let batch = decode_usage_lines(lines, Strictness::Lenient).unwrap().body;
/// assert_eq!((&*batch.batch_id, batch.embeddings.map(|records| records.len())), ("1", Some(1)));
/// let error = decode_usage_lines(b"{\"batch_id\":\"1\"}\n{\"costs\":{}}", Strictness::Lenient).unwrap_err();
/// assert_eq!(error.to_string(), "Line 2: Missing required parameter: 'costs.time'.");
/// ```
///
/// # Errors
///
/// The first line and field that violate a rule, and the rule.
pub fn decode_usage_lines(body: &[u8], strictness: Strictness) -> Result<CreateUsageBatch, DecodeError> {
    let mut batch: Option<CreateUsageBatchBody> = None;
    let mut records = 0;
    let refused = |code, number| DecodeError::violation(code, "").within("batch_id").on_line(number);
    for (number, line) in lines(body) {
        let line = decode_line(line, strictness).map_err(|error| error.on_line(number))?;
        match (&mut batch, line) {
            (None, UsageLine::BatchId(id)) => batch = Some(CreateUsageBatchBody::new(id, Vec::new())),
            (None, _) => return Err(refused(ViolationCode::MissingRequiredParameter, number)),
            (Some(_), UsageLine::BatchId(_)) => {
                return Err(refused(ViolationCode::DuplicateParameter, number));
            }
            (Some(_), record) if records == CreateUsageBatchBody::RECORDS_MAX => {
                let detail = format!("expected at most {records} records in a batch.");
                let refused = DecodeError::violation(ViolationCode::InvalidValue, detail);
                return Err(refused.within(record.name()).on_line(number));
            }
            (Some(batch), record) => {
                batch.extend([record]);
                records += 1;
            }
        }
    }
    let batch = batch.ok_or_else(|| refused(ViolationCode::MissingRequiredParameter, 1))?;
    Ok(CreateUsageBatch::new(batch))
}

/// The number of the line, from 1, that has the record at `index` of its list. `None` if no line has it.
pub fn line_of_record(body: &[u8], list: &str, index: usize) -> Option<usize> {
    let is_of_list = |line: &[u8]| {
        let line: Result<UsageLine, _> = decode_line(line, Strictness::Lenient);
        line.is_ok_and(|line| line.name() == list)
    };
    lines(body).filter(|(_, line)| is_of_list(line)).nth(index).map(|(number, _)| number)
}

/// The lines that are not empty, with their numbers.
fn lines(body: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let lines = body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines.zip(1..).map(|(line, number)| (number, line)).filter(|(_, line)| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = r#"{"batch_id":"1"}"#;
    const RECORD: &str = r#"{"embeddings":{"time":60,"input_tokens":7,"num_model_requests":1}}"#;

    fn decoded(lines: &[&str], strictness: Strictness) -> Result<CreateUsageBatch, String> {
        decode_usage_lines(lines.join("\n").as_bytes(), strictness).map_err(|error| error.to_string())
    }

    #[test]
    fn a_refused_line_is_named_with_its_field() {
        for (lines, message) in [
            (&[][..], "Line 1: Missing required parameter: 'batch_id'."),
            (&["", RECORD], "Line 2: Missing required parameter: 'batch_id'."),
            (
                &[ID, ID],
                "Line 2: Duplicate parameter: 'batch_id'. You provided multiple values for this parameter, whereas \
                 only one is allowed.",
            ),
            (
                &[ID, r#"{"embeddings":{"time":60,"input_tokens":"7","num_model_requests":1}}"#],
                "Line 2: Invalid type for 'embeddings.input_tokens': expected u64, but got a string instead.",
            ),
            (
                &[ID, "{\"costs\": "],
                "Line 2: We could not parse this line as JSON: EOF while parsing a value at column 9.",
            ),
            (
                &[ID, r#"{"colours":{}}"#],
                "Line 2: Invalid 'request': got 'colours'. Supported values are: 'batch_id' and 'completions' and \
                 'decisions' and 'embeddings' and 'moderations' and 'audio_speeches' and 'audio_transcriptions' and \
                 'images' and 'code_interpreter_sessions' and 'vector_stores' and 'file_search_calls' and \
                 'web_search_calls' and 'costs'.",
            ),
            (
                &[ID, "[1]"],
                "Line 2: A line must be a JSON object with one field, the name of a list, such as {\"costs\": {}}.",
            ),
        ] {
            assert_eq!(decoded(lines, Strictness::Lenient).unwrap_err(), message);
        }
    }

    #[test]
    fn an_unknown_field_of_a_record_is_refused_only_if_strict() {
        let line = r#"{"embeddings":{"time":60,"input_tokens":7,"num_model_requests":1,"colour":1}}"#;
        assert!(decoded(&[ID, line], Strictness::Lenient).is_ok());
        assert_eq!(
            decoded(&[ID, line], Strictness::Strict).unwrap_err(),
            "Line 2: Unknown parameter: 'embeddings.colour'."
        );
        assert!(decoded(&[ID, RECORD], Strictness::Strict).is_ok());
    }

    #[test]
    fn an_array_is_not_a_record() {
        for strictness in [Strictness::Lenient, Strictness::Strict] {
            for record in
                [r#"{"embeddings":[60,7,1]}"#, r#"{ "embeddings" : [60,7,1] }"#, r#"{"embeddings":[]}"#]
            {
                assert_eq!(
                    decoded(&[ID, record], strictness).unwrap_err(),
                    "Line 2: Invalid type for 'embeddings': expected an object, but got an array."
                );
            }
        }
    }

    #[test]
    fn the_first_line_over_the_bound_is_refused_and_later_lines_are_not_read() {
        let mut lines = vec![ID];
        lines.extend([RECORD; CreateUsageBatchBody::RECORDS_MAX]);
        assert!(decoded(&lines, Strictness::Lenient).is_ok());
        lines.extend([r#"{"costs":{"time":60,"amount":0.06}}"#, "not JSON"]);
        assert_eq!(
            decoded(&lines, Strictness::Lenient).unwrap_err(),
            "Line 10002: Invalid 'costs': expected at most 10000 records in a batch."
        );
    }

    #[test]
    fn the_line_of_a_record_is_found_among_other_lists_and_empty_lines() {
        let cost = r#"{"costs":{"time":60,"amount":0.06}}"#;
        let body = [ID, "", RECORD, cost, "  ", RECORD, ""].join("\r\n");
        let line = |list, index| line_of_record(body.as_bytes(), list, index);
        assert_eq!(
            [line("embeddings", 0), line("embeddings", 1), line("costs", 0)],
            [Some(3), Some(6), Some(4)]
        );
        assert_eq!((line("embeddings", 2), line("images", 0)), (None, None));
    }
}
