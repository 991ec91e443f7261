//! Decimal numbers, as the kvStore writes them.

use alloc::{string::String, vec::Vec};

/// A canonical decimal number: digits only, no leading zero.
pub fn parse_number(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 20 || (text[0] == b'0' && text.len() > 1) {
        return None;
    }
    text.iter().try_fold(0u64, |sum, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            None
        } else {
            sum.checked_mul(10)?.checked_add(u64::from(digit))
        }
    })
}

/// Writes a decimal number at the end of `digits`; gives where it begins.
pub fn decimal(digits: &mut [u8; 20], value: u64) -> usize {
    let mut at = digits.len();
    let mut rest = value;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            return at;
        }
    }
}

/// Appends a decimal number.
pub fn push_number(out: &mut Vec<u8>, value: u64) {
    let mut digits = [0u8; 20];
    let at = decimal(&mut digits, value);
    out.extend_from_slice(&digits[at..]);
}

/// A decimal number as text.
pub fn number_text(value: u64) -> String {
    let mut digits = [0u8; 20];
    let at = decimal(&mut digits, value);
    digits[at..].iter().copied().map(char::from).collect()
}
