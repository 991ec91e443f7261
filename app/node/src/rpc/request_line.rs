//! Request targets as people type them: CometBFT's own documentation has quotes in them, which Go takes and the URI grammar does not.
//!
//! Only the first request of a connection is mended, as a shell's `curl` sends it; a client that reuses connections escapes.

/// The longest request line that is looked at; a longer one is left to the HTTP server, which refuses it.
const LINE_BYTES_MAX: usize = 64 << 10;

/// The first bytes of a connection, until its request line is whole.
#[derive(Debug, Default)]
pub struct RequestLine {
    held: Vec<u8>,
}

impl RequestLine {
    /// Takes bytes as they come. Gives them all back, with the line mended, once the line is whole or cannot be mended.
    pub fn take(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let looked_at = self.held.len();
        self.held.extend_from_slice(bytes);
        let end = self.held.iter().skip(looked_at).position(|byte| *byte == b'\n');
        match end.map(|end| looked_at.saturating_add(end)) {
            Some(end) => {
                let (line, rest) = self.held.split_at(end);
                let mut mended = mend(line);
                mended.extend_from_slice(rest);
                self.held.clear();
                Some(mended)
            }
            None if self.held.len() > LINE_BYTES_MAX => Some(std::mem::take(&mut self.held)),
            None => None,
        }
    }

    /// What was held when the connection ended in its first line.
    pub fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }
}

fn mend(line: &[u8]) -> Vec<u8> {
    let mut mended = Vec::with_capacity(line.len());
    for byte in line {
        match byte {
            b'"' | b'<' | b'>' => mended.extend_from_slice(format!("%{byte:02X}").as_bytes()),
            other => mended.push(*other),
        }
    }
    mended
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_comparisons_of_the_first_line_are_escaped_and_nothing_else() {
        let sent = b"GET /tx_search?query=\"tx.height>5\" HTTP/1.1\r\nhost: \"a\"\r\n\r\n{\"id\":1}";
        let expected = b"GET /tx_search?query=%22tx.height%3E5%22 HTTP/1.1\r\nhost: \"a\"\r\n\r\n{\"id\":1}";
        for cut in 0..sent.len() {
            let mut line = RequestLine::default();
            let (first, second) = sent.split_at(cut);
            let got = match line.take(first) {
                Some(mut got) => {
                    got.extend_from_slice(second);
                    got
                }
                None => line.take(second).expect("the line is whole"),
            };
            assert_eq!(got, expected, "cut at {cut}");
        }
    }

    #[test]
    fn a_line_without_end_is_let_through_as_it_is() {
        let mut line = RequestLine::default();
        assert_eq!(line.take(&[b'"'; LINE_BYTES_MAX]), None);
        assert_eq!(line.take(b"\""), Some(vec![b'"'; LINE_BYTES_MAX + 1]));
        assert_eq!(line.take(b"GET"), None);
        assert_eq!(line.rest(), b"GET");
    }
}
