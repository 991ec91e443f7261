//! Vrefs as this supervisor uses them: a kind, a side and a number.

use alloc::string::String;

/// A vref's parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vref {
    /// `o+N`
    Export(u64),
    /// `o-N`
    Import(u64),
    /// `p+N` or `p-N`
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
    let rest = number(text.get(2..)?)?;
    match text.get(..2)? {
        "o+" => Some(Vref::Export(rest)),
        "o-" => Some(Vref::Import(rest)),
        "p+" | "p-" => Some(Vref::Promise),
        "d-" => Some(Vref::Device(rest)),
        _ => None,
    }
}

/// A vref's text.
pub fn text(prefix: &str, number: u64) -> String {
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
    let mut out = String::with_capacity(prefix.len() + 20);
    out.push_str(prefix);
    out.extend(digits[at..].iter().map(|digit| char::from(*digit)));
    out
}
