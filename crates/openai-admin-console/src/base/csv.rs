//! Lines of CSV files that spreadsheets open without running formulas.

/// Starts of a cell that a spreadsheet would run as a formula.
const FORMULA_STARTS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A line with its end.
pub(crate) fn line(cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
    format!("{}\n", cells.join(","))
}

fn cell(text: &str) -> String {
    let quote = if text.starts_with(FORMULA_STARTS) { "'" } else { "" };
    let text = format!("{quote}{text}");
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_becomes_a_text() {
        assert_eq!(line(&["=1+1", "a,b", "say \"x\""]), "'=1+1,\"a,b\",\"say \"\"x\"\"\"\n");
    }
}
