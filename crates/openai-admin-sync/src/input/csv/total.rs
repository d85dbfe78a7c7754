//! Total rows below a table.

/// The first words of total rows, in lower case.
const TOTALS: [&str; 22] = [
    "total",
    "totals",
    "subtotal",
    "grand",
    "sum",
    "summe",
    "gesamt",
    "gesamtsumme",
    "somme",
    "suma",
    "soma",
    "totale",
    "totaal",
    "razem",
    "summa",
    "toplam",
    "合計",
    "总计",
    "合计",
    "합계",
    "итого",
    "всего",
];

/// The first word of a text, in lower case.
pub(super) fn first_word(text: &str) -> Option<String> {
    let mut words = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    words.next().map(str::to_lowercase)
}

/// Whether the first word of a text marks a total.
pub(super) fn is_total_word(text: &str) -> bool {
    first_word(text).is_some_and(|word| TOTALS.contains(&word.as_str()))
}
