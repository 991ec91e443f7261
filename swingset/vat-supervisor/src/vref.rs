//! Vrefs as this supervisor uses them: a kind, a side and a number.

use alloc::string::String;

use swingset_abi::supervisor::StoredId;

/// A vref's parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vref {
    /// `o+N`
    Export(u64),
    /// `o+vK/I` or `o+dK/I`
    Stored(StoredId),
    /// `o-N`
    Import(u64),
    /// `p+N`
    OwnPromise(u64),
    /// `p-N`
    Promise,
    /// `d-N`
    Device(u64),
}

fn number(text: &str) -> Option<u64> {
    let canonical =
        !text.is_empty() && (text == "0" || !text.starts_with('0')) && text.bytes().all(|byte| byte.is_ascii_digit());
    if canonical { text.parse().ok() } else { None }
}

/// Reads a vref that the kernel gave; `None` for forms that this supervisor never exports.
pub fn parse(text: &str) -> Option<Vref> {
    let rest = text.get(2..)?;
    match text.get(..2)? {
        "o+" => match number(rest) {
            Some(handle) => Some(Vref::Export(handle)),
            None => parse_stored(rest).map(Vref::Stored),
        },
        "o-" => number(rest).map(Vref::Import),
        "p+" => number(rest).map(Vref::OwnPromise),
        "p-" => number(rest).map(|_| Vref::Promise),
        "d-" => number(rest).map(Vref::Device),
        _ => None,
    }
}

/// Reads `dK/I` or `vK/I`.
pub fn parse_stored(text: &str) -> Option<StoredId> {
    let (durable, rest) = match text.as_bytes().first()? {
        b'd' => (true, &text[1..]),
        b'v' => (false, &text[1..]),
        _ => return None,
    };
    let (kind, instance) = rest.split_once('/')?;
    Some(StoredId {
        durable,
        kind: number(kind)?,
        instance: number(instance)?,
    })
}

/// A vref's text.
pub fn text(prefix: &str, number: u64) -> String {
    let mut out = String::with_capacity(prefix.len() + 20);
    out.push_str(prefix);
    push_number(&mut out, number);
    out
}

/// `prefix` and `dK/I` or `vK/I`.
pub fn stored_text(prefix: &str, id: StoredId) -> String {
    let mut out = String::with_capacity(prefix.len() + 24);
    out.push_str(prefix);
    out.push(if id.durable { 'd' } else { 'v' });
    push_number(&mut out, id.kind);
    out.push('/');
    push_number(&mut out, id.instance);
    out
}

fn push_number(out: &mut String, number: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend(digits[at..].iter().map(|digit| char::from(*digit)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_vrefs_are_read_and_written_in_one_form() {
        for (text, durable, kind, instance) in [("o+d1/5", true, 1, 5), ("o+v12/345", false, 12, 345)] {
            let id = StoredId {
                durable,
                kind,
                instance,
            };
            assert_eq!(parse(text), Some(Vref::Stored(id)));
            assert_eq!(stored_text("o+", id), text);
        }
        for wrong in [
            "o+d1", "o+d01/1", "o+x1/1", "o+d1/1/1", "o-d1/1", "p+d1/1", "o+d/1", "o+",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
