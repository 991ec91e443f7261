//! References as text: krefs (`ko20`, `kp40`, `kd30`) and vrefs (`[o|p|d][+|-]N`, `o+vK/I`, `o+dK/I`).

use crate::{
    limits,
    store::{Fault, Kept, parse_number},
};

/// What a reference stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Object,
    Promise,
    Device,
}

/// A vref's parts that the kernel looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vref {
    pub kind: Kind,
    /// `+`: allocated by the vat, hence its export; `-`: allocated by the kernel.
    pub by_vat: bool,
}

/// The kind of a kref that the kernel itself has stored.
pub fn kref_kind(kref: &str) -> Kept<Kind> {
    match kref.as_bytes() {
        [b'k', b'o', ..] => Ok(Kind::Object),
        [b'k', b'p', ..] => Ok(Kind::Promise),
        [b'k', b'd', ..] => Ok(Kind::Device),
        _ => Err(Fault("a kref is malformed")),
    }
}

/// Whether text from outside is a well-formed kref of this kind.
pub fn is_kref(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix)
        .is_some_and(|number| parse_number(number.as_bytes()).is_some())
}

/// Reads a vref that a vat wrote; `None` when it is not in canonical form.
pub fn parse_vref(text: &str) -> Option<Vref> {
    let bytes = text.as_bytes();
    if bytes.len() < 3 || bytes.len() > limits::VREF_BYTES_MAX {
        return None;
    }
    let kind = match bytes[0] {
        b'o' => Kind::Object,
        b'p' => Kind::Promise,
        b'd' => Kind::Device,
        _ => return None,
    };
    let by_vat = match bytes[1] {
        b'+' => true,
        b'-' => false,
        _ => return None,
    };
    let rest = &bytes[2..];
    let well_formed = match rest[0] {
        b'v' | b'd' if kind == Kind::Object && by_vat => {
            let mut parts = rest[1..].splitn(2, |byte| *byte == b'/');
            let class = parts.next().and_then(parse_number);
            let instance = parts.next().and_then(parse_number);
            class.is_some() && instance.is_some()
        }
        _ => parse_number(rest).is_some(),
    };
    well_formed.then_some(Vref { kind, by_vat })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(Kind, bool)>) {
        assert_eq!(
            parse_vref(text).map(|vref| (vref.kind, vref.by_vat)),
            expected,
            "{text}"
        );
    }

    #[test]
    fn vrefs_have_one_form_each() {
        check("o+0", Some((Kind::Object, true)));
        check("o-50", Some((Kind::Object, false)));
        check("p+60", Some((Kind::Promise, true)));
        check("d-70", Some((Kind::Device, false)));
        check("o+v1/2", Some((Kind::Object, true)));
        check("o+d10/200", Some((Kind::Object, true)));
        for wrong in [
            "",
            "o",
            "o+",
            "o+01",
            "o*1",
            "x+1",
            "o-v1/2",
            "p+v1/2",
            "o+v1",
            "o+v/1",
            "o+v1/",
            "o+1/2",
            "o+ 1",
            "o+99999999999999999999",
        ] {
            check(wrong, None);
        }
    }
}
