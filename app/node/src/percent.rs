//! Percent encoding in URIs.

/// The text behind a URI's escapes; `plus_is_space` as in a query. None where an escape is none, or the text is not UTF-8.
pub(crate) fn decode(text: &str, plus_is_space: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' if plus_is_space => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                let mut value = [0];
                hex::decode_to_slice(digits, &mut value).ok()?;
                value[0]
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn escapes_are_read_and_what_is_none_is_refused() {
        assert_eq!(decode("a%20b+c%2B", true).as_deref(), Some("a b c+"));
        assert_eq!(decode("a+b%2F", false).as_deref(), Some("a+b/"));
        for wrong in ["%", "%2", "%zz", "%FF"] {
            assert_eq!(decode(wrong, true), None, "{wrong}");
        }
    }
}
