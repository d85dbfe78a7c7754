//! Searches eight bytes of ASCII at once, in one integer.
//!
//! Each function sets the highest bit of the first matching byte; bits of later bytes are meaningless. It may also set
//! the highest bit of a byte that is not ASCII: `& !word & HIGHEST_BITS` excludes those.

const EACH_BYTE: u64 = 0x0101_0101_0101_0101;
/// The bit that is set in every byte that is not ASCII.
pub(crate) const HIGHEST_BITS: u64 = 0x80 * EACH_BYTE;

/// Finds bytes below `bound`.
pub(crate) const fn lowest_below(word: u64, bound: u8) -> u64 {
    word.wrapping_sub(EACH_BYTE * bound as u64)
}

/// Finds bytes equal to `byte`.
pub(crate) const fn lowest_equal(word: u64, byte: u8) -> u64 {
    lowest_below(word ^ (EACH_BYTE * byte as u64), 1)
}

/// Finds bytes from `bound` on.
pub(crate) const fn lowest_from(word: u64, bound: u8) -> u64 {
    word.wrapping_add(EACH_BYTE * (0x80 - bound as u64))
}
