//! Forms with files (`multipart/form-data`), as browsers send them. The whole form is in memory, and its size is bounded.

/// Parts of a form at most.
const PARTS_MAX: usize = 100;
/// The largest head of a part, in bytes.
const HEAD_BYTES_MAX: usize = 8 * 1024;

/// A field or a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    pub(crate) name: String,
    /// The name of the file; `None` for a field.
    pub(crate) file_name: Option<String>,
    pub(crate) bytes: &'a [u8],
}

/// The boundary in the content type of a form.
pub(crate) fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    let is_form = kind.trim().eq_ignore_ascii_case("multipart/form-data");
    let boundary = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("boundary="))?;
    let boundary = boundary.trim_matches('"');
    (is_form && (1..=70).contains(&boundary.len())).then_some(boundary)
}

/// The parts of a form.
pub(crate) fn parse<'a>(body: &'a [u8], boundary: &str) -> Result<Vec<Part<'a>>, &'static str> {
    const TORN: &str = "the form is not complete";
    let delimiter = format!("\r\n--{boundary}");
    // The first delimiter has no line before it.
    let mut rest =
        body.strip_prefix(&delimiter.as_bytes()[2..]).ok_or("the form does not begin with its boundary")?;
    let mut parts = Vec::new();
    while !rest.starts_with(b"--") {
        rest = rest.strip_prefix(b"\r\n").ok_or(TORN)?;
        let window = &rest[..rest.len().min(HEAD_BYTES_MAX)];
        let head_end = find(window, b"\r\n\r\n").ok_or("the head of a part is too long, or not complete")?;
        let head = std::str::from_utf8(&rest[..head_end]).map_err(|_| "the head of a part is not UTF-8")?;
        rest = &rest[head_end + 4..];
        let end = find(rest, delimiter.as_bytes()).ok_or(TORN)?;
        let disposition = disposition(head).ok_or("a part has no name")?;
        let name = parameter(disposition, "name").ok_or("a part has no name")?;
        parts.push(Part { name, file_name: parameter(disposition, "filename"), bytes: &rest[..end] });
        if parts.len() > PARTS_MAX {
            return Err("the form has too many parts");
        }
        rest = &rest[end + delimiter.len()..];
    }
    Ok(parts)
}

/// The header with the name of a part.
fn disposition(head: &str) -> Option<&str> {
    head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    })
}

/// A quoted parameter. Browsers escape three characters in it.
fn parameter(header: &str, name: &str) -> Option<String> {
    let (_, value) = header.split_once(&format!("; {name}=\""))?;
    let (value, _) = value.split_once('"')?;
    Some(value.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n"))
}

fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut at = 0;
    while let Some(next) = text.get(at..)?.iter().position(|byte| *byte == first) {
        at += next;
        if text[at..].starts_with(needle) {
            return Some(at);
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "--x\r\nContent-Disposition: form-data; name=\"kind\"\r\n\r\ntable\r\n--x\r\n\
        content-disposition: form-data; name=\"file\"; filename=\"a %22b%22.csv\"\r\nContent-Type: text/csv\r\n\r\n\
        email\r\n--xy\r\n\r\n--x--\r\n";

    #[test]
    fn fields_and_files_are_parts() {
        let part = |name: &str, file_name: Option<&str>, text: &'static str| Part {
            name: name.to_owned(),
            file_name: file_name.map(str::to_owned),
            bytes: text.as_bytes(),
        };
        let parts = parse(FORM.as_bytes(), "x");
        // A line that begins like the boundary ends the part, as RFC 2046 says. Browsers choose a boundary that is absent.
        assert!(parts.is_err(), "{parts:?}");
        let form = FORM.replace("--xy", "-- xy");
        let parts = parse(form.as_bytes(), "x").expect("a form");
        assert_eq!(parts[0], part("kind", None, "table"));
        assert_eq!((parts[1].name.as_str(), parts[1].file_name.as_deref()), ("file", Some("a \"b\".csv")));
        assert_eq!(parts[1].bytes, b"email\r\n-- xy\r\n");
        assert_eq!(parts.len(), 2);
    }

    #[test]
    fn a_torn_form_is_refused_at_every_byte() {
        let form = FORM.replace("--xy", "-- xy");
        let end = form.len() - "--\r\n".len();
        for length in 0..=end {
            assert!(parse(&form.as_bytes()[..length], "x").is_err(), "{length} bytes");
        }
    }

    #[test]
    fn the_number_of_parts_is_bounded() {
        let part = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";
        let form = |number| format!("{}--x--\r\n", part.repeat(number));
        assert!(parse(form(PARTS_MAX).as_bytes(), "x").is_ok());
        assert!(parse(form(PARTS_MAX + 1).as_bytes(), "x").is_err());
    }

    #[test]
    fn the_boundary_is_in_the_content_type() {
        assert_eq!(boundary("multipart/form-data; boundary=----WebKit"), Some("----WebKit"));
        assert_eq!(boundary("multipart/form-data; charset=utf-8; boundary=\"a b\""), Some("a b"));
        for none in ["multipart/form-data", "multipart/mixed; boundary=x", "text/plain; boundary=x"] {
            assert_eq!(boundary(none), None, "{none}");
        }
    }
}
