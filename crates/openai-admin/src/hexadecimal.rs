/// The hexadecimal digits of some bytes, in lower case. Each request has an id in them, so they are written without the
/// machinery of `format!`.
///
/// ```
/// let digits: String = openai_admin::hexadecimal(&[0x0a, 0xff]).map(char::from).collect();
/// assert_eq!(digits, "0aff");
/// ```
#[inline]
pub fn hexadecimal(bytes: &[u8]) -> impl Iterator<Item = u8> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15].map(|half| DIGITS[usize::from(half)]))
}
