//! Bech32 (BIP-173) as the Cosmos SDK uses it: longer texts than the BIP's 90 characters, and the SDK's words for what is wrong,
//! since clients show them.

const CHARSET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
/// The longest text that is looked at, as in the SDK.
pub const TEXT_LEN_MAX: usize = 1023;
const CHECKSUM_LEN: usize = 6;

/// Position of each ASCII character in the charset, or 255.
const POSITION: [u8; 128] = {
    let mut table = [255_u8; 128];
    let mut index = 0_usize;
    while index < CHARSET.len() {
        table[CHARSET[index] as usize] = index as u8;
        index += 1;
    }
    table
};

/// What is wrong with a bech32 text. The words are those of the SDK's decoder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Bech32Error {
    /// Too short or too long.
    #[error("invalid bech32 string length {0}")]
    Length(usize),
    /// A byte that is not printable ASCII.
    #[error("invalid character in string: '{}'", .0.escape_default())]
    Character(char),
    /// Upper and lower case.
    #[error("string not all lowercase or all uppercase")]
    MixedCase,
    /// No `1`, or at an impossible place.
    #[error("invalid separator index {0}")]
    Separator(i64),
    /// A data character outside the charset.
    #[error("failed converting data to bytes: invalid character not part of charset: {0}")]
    Charset(u8),
    /// The checksum does not fit.
    #[error("checksum failed. Expected {expected}, got {got}.")]
    Checksum {
        /// What it should be.
        expected: String,
        /// What it is.
        got: String,
    },
    /// Bits left over at the end.
    #[error("invalid incomplete group")]
    Padding,
}

/// What each value of the checksum's top five bits adds.
const FOLDED: [u32; 32] = {
    let mut table = [0_u32; 32];
    let mut top = 0_usize;
    while top < table.len() {
        let mut bit = 0_usize;
        while bit < GENERATOR.len() {
            if (top >> bit) & 1 == 1 {
                table[top] ^= GENERATOR[bit];
            }
            bit += 1;
        }
        top += 1;
    }
    table
};

fn step(checksum: u32, value: u8) -> u32 {
    ((checksum & 0x01ff_ffff) << 5) ^ u32::from(value) ^ FOLDED[(checksum >> 25 & 31) as usize]
}

fn prefix_checksum(prefix: &str) -> u32 {
    let high = prefix.bytes().fold(1, |sum, byte| step(sum, byte >> 5));
    prefix.bytes().fold(step(high, 0), |sum, byte| step(sum, byte & 31))
}

fn checksum_chars(sum: u32) -> [u8; CHECKSUM_LEN] {
    let closed = (0..CHECKSUM_LEN).fold(sum, |sum, _| step(sum, 0)) ^ 1;
    let mut chars = [0; CHECKSUM_LEN];
    for (index, char) in chars.iter_mut().enumerate() {
        *char = charset_at((closed >> (5 * (CHECKSUM_LEN - 1 - index))) as u8);
    }
    chars
}

fn charset_at(value: u8) -> u8 {
    CHARSET[usize::from(value & 31)]
}

/// The text of `bytes` under `prefix`, which must be lower-case ASCII.
pub fn encode(prefix: &str, bytes: &[u8]) -> String {
    let mut text = String::with_capacity(prefix.len() + 1 + (bytes.len() * 8).div_ceil(5) + CHECKSUM_LEN);
    text.push_str(prefix);
    text.push('1');
    let mut sum = prefix_checksum(prefix);
    let (mut buffer, mut bits) = (0_u32, 0_u32);
    let mut push = |value: u8| {
        sum = step(sum, value);
        text.push(char::from(charset_at(value)));
    };
    for byte in bytes {
        buffer = (buffer << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            push(((buffer >> bits) & 31) as u8);
        }
        buffer &= 31;
    }
    if bits > 0 {
        push(((buffer << (5 - bits)) & 31) as u8);
    }
    text.extend(checksum_chars(sum).map(char::from));
    text
}

/// The prefix, lower-case, and the bytes of a text.
///
/// # Errors
/// What is wrong with it.
pub fn decode(text: &str) -> Result<(String, Vec<u8>), Bech32Error> {
    if text.len() < 8 || text.len() > TEXT_LEN_MAX {
        return Err(Bech32Error::Length(text.len()));
    }
    if let Some(bad) = text.chars().find(|char| !('!'..='~').contains(char)) {
        return Err(Bech32Error::Character(bad));
    }
    let upper = text.bytes().any(|byte| byte.is_ascii_uppercase());
    if upper && text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return Err(Bech32Error::MixedCase);
    }
    let lower = text.to_ascii_lowercase();
    let separator = lower.rfind('1');
    let Some((prefix, data)) = separator.and_then(|at| Some((lower.get(..at)?, lower.get(at + 1..)?))) else {
        return Err(Bech32Error::Separator(-1));
    };
    if prefix.is_empty() || data.len() < CHECKSUM_LEN {
        return Err(Bech32Error::Separator(prefix.len() as i64));
    }
    decode_data(prefix, data).map(|bytes| (prefix.to_owned(), bytes))
}

fn decode_data(prefix: &str, data: &str) -> Result<Vec<u8>, Bech32Error> {
    let mut values = Vec::with_capacity(data.len());
    for byte in data.bytes() {
        match POSITION.get(usize::from(byte)) {
            Some(value) if *value != 255 => values.push(*value),
            _ => return Err(Bech32Error::Charset(byte)),
        }
    }
    let (payload, _) = values.split_at(values.len() - CHECKSUM_LEN);
    let sum = payload.iter().fold(prefix_checksum(prefix), |sum, value| step(sum, *value));
    let expected = checksum_chars(sum);
    let got = data.as_bytes().split_at(data.len() - CHECKSUM_LEN).1;
    if got != expected {
        return Err(Bech32Error::Checksum {
            expected: expected.map(char::from).iter().collect(),
            got: String::from_utf8_lossy(got).into_owned(),
        });
    }
    regroup(payload)
}

/// Five-bit groups to bytes; what is left over must be fewer than five zero bits.
fn regroup(groups: &[u8]) -> Result<Vec<u8>, Bech32Error> {
    let mut bytes = Vec::with_capacity(groups.len() * 5 / 8);
    let (mut buffer, mut bits) = (0_u32, 0_u32);
    for group in groups {
        buffer = (buffer << 5) | u32::from(*group);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(((buffer >> bits) & 255) as u8);
        }
        buffer &= 0xfff;
    }
    if bits >= 5 || buffer & ((1 << bits) - 1) != 0 { Err(Bech32Error::Padding) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_error(text: &str, words: &str) {
        assert_eq!(decode(text).unwrap_err().to_string(), words);
    }

    #[test]
    fn bad_texts_are_refused_in_the_sdks_words() {
        check_error("notanaddress", "invalid separator index -1");
        check_error("short1", "invalid bech32 string length 6");
        check_error("1aaaaaaaaa", "invalid separator index 0");
        check_error("swing1Avgyh77ycn", "string not all lowercase or all uppercase");
        check_error("swing1 vgyh77ycn", "invalid character in string: ' '");
        check_error("swing1bbbbbbbbbbbb", "failed converting data to bytes: invalid character not part of charset: 98");
        check_error("swing1avgyh77ycn997ja45q5q8ss8y9mr424ja3p9xq", "checksum failed. Expected a3p9xe, got a3p9xq.");
    }

    #[test]
    fn upper_case_is_the_same_address() {
        let (prefix, bytes) = decode("SWING1AVGYH77YCN997JA45Q5Q8SS8Y9MR424JA3P9XE").unwrap();
        assert_eq!(encode(&prefix, &bytes), "swing1avgyh77ycn997ja45q5q8ss8y9mr424ja3p9xe");
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_the_reference_crate(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
            let text = encode("swing", &bytes);
            let oracle = bech32::encode::<bech32::Bech32>(bech32::Hrp::parse("swing").unwrap(), &bytes).unwrap();
            proptest::prop_assert_eq!(&text, &oracle);
            proptest::prop_assert_eq!(decode(&text).unwrap(), ("swing".to_owned(), bytes));
        }
    }
}
