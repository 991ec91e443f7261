//! Decimal numbers, as the kvStore writes them.

use alloc::string::String;

/// Digits that always fit: ten to this power is less than 2^64.
const DIGITS: usize = 19;

fn digit(byte: u8) -> Option<u64> {
    Some(u64::from(byte.wrapping_sub(b'0'))).filter(|digit| *digit <= 9)
}

/// A canonical decimal number: digits only, no leading zero.
pub fn parse_number(text: &[u8]) -> Option<u64> {
    if text.len() > DIGITS + 1 || text.first()? == &b'0' && text.len() > 1 {
        return None;
    }
    let (short, last) = text.split_at(text.len().min(DIGITS));
    let mut sum = 0u64;
    for byte in short {
        // Not checked: a checked multiplication is a call of forty instructions here.
        sum = sum.wrapping_mul(10).wrapping_add(digit(*byte)?);
    }
    match last {
        [] => Some(sum),
        [last, ..] => sum.checked_mul(10)?.checked_add(digit(*last)?),
    }
}

/// Exactly `N` canonical decimal numbers with commas between them.
pub fn parse_numbers<const N: usize>(text: &[u8]) -> Option<[u64; N]> {
    let mut numbers = [0; N];
    let mut rest = text;
    for (at, number) in numbers.iter_mut().enumerate() {
        let end = rest.iter().position(|byte| *byte == b',');
        if end.is_none() != (at + 1 == N) {
            return None;
        }
        let (own, after) = rest.split_at(end.unwrap_or(rest.len()));
        *number = parse_number(own)?;
        rest = after.get(1..).unwrap_or_default();
    }
    Some(numbers)
}

/// Writes a decimal number at the end of `digits`; gives where it begins.
pub fn decimal(digits: &mut [u8; 20], value: u64) -> usize {
    decimal_before(digits, 20, value)
}

/// Writes a decimal number that ends at `end`; gives where it begins.
#[inline(always)]
fn decimal_before(digits: &mut [u8], end: usize, value: u64) -> usize {
    let mut at = end;
    let mut rest = value;
    loop {
        // For what fits in 32 bits a multiplication divides: `ceil(2^35 / 10)`.
        let tenth = if rest <= u64::from(u32::MAX) {
            rest.wrapping_mul(0xcccc_cccd) >> 35
        } else {
            rest / 10
        };
        at -= 1;
        digits[at] = b'0' + (rest - tenth * 10) as u8;
        rest = tenth;
        if rest == 0 {
            return at;
        }
    }
}

/// Decimal numbers as the kvStore writes several of them: with commas between them, maybe in brackets.
#[derive(Clone, Copy, Debug)]
pub struct Numbers {
    /// The text lies at the end.
    bytes: [u8; NUMBERS_BYTES],
    at: usize,
}

/// Room for four numbers, commas and brackets.
const NUMBERS_BYTES: usize = 4 * 21 + 1;

impl AsRef<[u8]> for Numbers {
    #[inline(always)]
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }
}

impl Numbers {
    /// `3,0,44`; at most four numbers.
    pub fn of<const N: usize>(numbers: [u64; N]) -> Numbers {
        let mut text = Numbers { bytes: [0; NUMBERS_BYTES], at: NUMBERS_BYTES };
        text.put_numbers(numbers);
        text
    }

    /// `[3,44]`.
    pub fn in_brackets<const N: usize>(numbers: [u64; N]) -> Numbers {
        let mut text = Numbers { bytes: [0; NUMBERS_BYTES], at: NUMBERS_BYTES };
        text.put(b']');
        text.put_numbers(numbers);
        text.put(b'[');
        text
    }

    #[inline(always)]
    fn put_numbers<const N: usize>(&mut self, numbers: [u64; N]) {
        const { assert!(N <= 4, "there is room for four numbers") };
        for (left, number) in (0..N).zip(numbers.into_iter().rev()) {
            if left > 0 {
                self.put(b',');
            }
            self.at = decimal_before(&mut self.bytes, self.at, number);
        }
    }

    #[inline(always)]
    fn put(&mut self, byte: u8) {
        self.at -= 1;
        self.bytes[self.at] = byte;
    }
}

/// A decimal number as text.
pub fn number_text(value: u64) -> String {
    let mut digits = [0u8; 20];
    let at = decimal(&mut digits, value);
    digits[at..].iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_form_each_and_all_of_them_fit() {
        for number in [0, 1, 9, 10, 999, 4_294_967_295, 4_294_967_296, 4_294_967_289, 10u64.pow(18), 10u64.pow(19) - 1, 10u64.pow(19), u64::MAX] {
            assert_eq!(parse_number(number_text(number).as_bytes()), Some(number));
        }
        for wrong in ["", "00", "01", "+1", "1 ", "/", ":", "18446744073709551616", "99999999999999999999", "100000000000000000000"] {
            assert_eq!(parse_number(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn several_numbers_are_written_as_they_are_read() {
        assert_eq!(Numbers::of([3, 0, 44]).as_ref(), b"3,0,44");
        assert_eq!(Numbers::of([7]).as_ref(), b"7");
        assert_eq!(Numbers::of([u64::MAX; 4]).as_ref(), [u64::MAX; 4].map(|n| n.to_string()).join(",").as_bytes());
        assert_eq!(Numbers::in_brackets([u64::MAX; 3]).as_ref(), format!("[{0},{0},{0}]", u64::MAX).as_bytes());
    }

    #[test]
    fn lists_have_as_many_numbers_as_are_asked_for() {
        assert_eq!(parse_numbers(b"1,20,0"), Some([1, 20, 0]));
        assert_eq!(parse_numbers(b"7"), Some([7]));
        for wrong in ["", "1", "1,", ",1", "1,2,", "1,2,3", "1,,2", "1,02"] {
            assert_eq!(parse_numbers::<2>(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
