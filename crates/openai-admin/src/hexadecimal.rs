/// The hexadecimal digits of some bytes, in lower case.
///
/// ```
/// let digits: String = openai_admin::hexadecimal(&[0x0a, 0xff]).map(char::from).collect();
/// assert_eq!(digits, "0aff");
/// ```
pub fn hexadecimal(bytes: &[u8]) -> impl Iterator<Item = u8> {
    bytes.iter().flat_map(|byte| two_digits(*byte))
}

/// The two digits of a byte. Every request formats an id, so this uses neither an iterator nor `format!`.
#[inline]
pub(crate) fn two_digits(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [byte >> 4, byte & 15].map(|half| DIGITS[usize::from(half)])
}
