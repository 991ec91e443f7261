//! Encodings of rows in `Latest` and `History`.
//!
//! A record is the version that wrote the value (8 bytes, big-endian) and the value. A history key is the state key, escaped so
//! that byte order of whole rows is byte order of keys, its terminator, and the version that replaced the record.

/// Bytes before the value in a record.
const RECORD_HEADER: usize = 8;

const ESCAPE: u8 = 0x00;
const ESCAPED_ZERO: u8 = 0xff;
const TERMINATOR: u8 = 0x01;
const AFTER_TERMINATOR: u8 = 0x02;

/// Appends a record's bytes.
pub fn record_into(out: &mut Vec<u8>, version: u64, value: &[u8]) {
    out.extend_from_slice(&version.to_be_bytes());
    out.extend_from_slice(value);
}

/// A record's version and value; none when the bytes are no record.
pub fn split_record(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (version, value) = bytes.split_first_chunk::<RECORD_HEADER>()?;
    Some((u64::from_be_bytes(*version), value))
}

/// What all history rows of `key`, and no others, begin with.
pub fn history_prefix(key: &[u8]) -> Vec<u8> {
    let mut out = escaped(key);
    out.push(TERMINATOR);
    out
}

/// The history row of `key` replaced at `version`.
pub fn history_key(key: &[u8], version: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(key.len() + 18);
    history_key_into(&mut out, key, version);
    out
}

/// Appends a history row.
pub fn history_key_into(out: &mut Vec<u8>, key: &[u8], version: u64) {
    escape_into(out, key);
    out.push(TERMINATOR);
    out.extend_from_slice(&version.to_be_bytes());
}

/// The least row above all history rows of `key`.
pub fn after_history_key(key: &[u8]) -> Vec<u8> {
    let mut out = escaped(key);
    out.push(AFTER_TERMINATOR);
    out
}

/// A history row's key and version; none when the bytes are no such row.
pub fn split_history_key(row: &[u8]) -> Option<(Vec<u8>, u64)> {
    let mut key = Vec::with_capacity(row.len());
    let mut bytes = row.iter();
    loop {
        match bytes.next()? {
            &ESCAPE => match *bytes.next()? {
                ESCAPED_ZERO => key.push(0),
                TERMINATOR => break,
                _ => return None,
            },
            byte => key.push(*byte),
        }
    }
    Some((key, u64::from_be_bytes(bytes.as_slice().try_into().ok()?)))
}

fn escaped(key: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(key.len() + 10);
    escape_into(&mut out, key);
    out
}

/// Appends the key with each zero byte escaped, and the first byte of the terminator.
fn escape_into(out: &mut Vec<u8>, key: &[u8]) {
    for part in key.split_inclusive(|byte| *byte == ESCAPE) {
        out.extend_from_slice(part);
        if part.last() == Some(&ESCAPE) {
            out.push(ESCAPED_ZERO);
        }
    }
    out.push(ESCAPE);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(prop_oneof![Just(0u8), Just(1), Just(2), Just(0xff), any::<u8>()], 1..6)
    }

    proptest! {
        #[test]
        fn history_rows_sort_by_key_then_version_and_decode(a in key(), b in key(), v in any::<u64>(), w in any::<u64>()) {
            prop_assert_eq!(history_key(&a, v).cmp(&history_key(&b, w)), (&a, v).cmp(&(&b, w)));
            prop_assert_eq!(split_history_key(&history_key(&a, v)), Some((a.clone(), v)));
            prop_assert_eq!(after_history_key(&a) > history_key(&b, w), a >= b);
        }
    }

    #[test]
    fn rows_that_no_key_makes_are_refused() {
        for bad in [&b"a"[..], b"a\0", b"a\0\x01", b"a\0\x03\0\0\0\0\0\0\0\0", b"a\0\x01\0\0\0\0\0\0\0\0\0"] {
            assert_eq!(split_history_key(bad), None, "{bad:?}");
        }
        assert_eq!(split_record(&[0; 7]), None);
        let mut record = Vec::new();
        record_into(&mut record, 3, b"");
        assert_eq!(split_record(&record), Some((3, &b""[..])));
    }
}
