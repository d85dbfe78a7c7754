//! Numbers on pages.

use openai_admin::operations::search::COMPARED_MAX;

/// A number with its digits in groups of three: `30,009`.
pub(crate) fn with_commas(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let (head, rest) = digits.split_at(first);
    let groups = rest.as_bytes().chunks(3).map(|group| std::str::from_utf8(group).unwrap_or_default());
    let head = Some(head).filter(|head| !head.is_empty());
    head.into_iter().chain(groups).collect::<Vec<_>>().join(",")
}

/// How many rows one search compares.
pub(crate) fn compared_max() -> String {
    with_commas(COMPARED_MAX as u64)
}

/// A number that was counted up to a limit: `1,000+` if there are more.
pub(crate) fn counted(number: u64, has_more: bool) -> String {
    format!("{}{}", with_commas(number), if has_more { "+" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_three() {
        assert_eq!(
            [0, 12, 999, 1000, 34_063_464].map(with_commas),
            ["0", "12", "999", "1,000", "34,063,464"]
        );
    }
}
