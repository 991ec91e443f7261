//! References made since the store's memory began: whatever the kvStore has of them is remembered, so what is not remembered of them is
//! absent, and the host need not be asked.

use crate::number::parse_number;

/// The first promise and the first object of them, if there are any.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fresh {
    promise: Option<u64>,
    object: Option<u64>,
}

impl Fresh {
    /// A promise was made; their numbers ascend.
    pub fn made_promise(&mut self, number: u64) {
        self.promise.get_or_insert(number);
    }

    /// An object was made; their numbers ascend.
    pub fn made_object(&mut self, number: u64) {
        self.object.get_or_insert(number);
    }

    /// Whether a key is one of such a reference: `kp$N.…`, `ko$N.…`, `v$N.c.kp$N`, `v$N.c.ko$N`.
    pub fn has(&self, key: &[u8]) -> bool {
        if self.promise.is_none() && self.object.is_none() {
            return false;
        }
        let (kref, whole) = match key.first() {
            Some(b'k') => (key, false),
            Some(b'v') => match after_clist(key) {
                Some(kref) => (kref, true),
                None => return false,
            },
            _ => return false,
        };
        let (first, digits) = match kref {
            [b'k', b'p', digits @ ..] => (self.promise, digits),
            [b'k', b'o', digits @ ..] => (self.object, digits),
            _ => return false,
        };
        let Some(first) = first else { return false };
        let digits = if whole { digits } else { up_to_dot(digits) };
        parse_number(digits).is_some_and(|number| number >= first)
    }
}

/// What follows `v$N.c.`.
fn after_clist(key: &[u8]) -> Option<&[u8]> {
    let dot = key.iter().position(|byte| *byte == b'.')?;
    key.get(dot..)?.strip_prefix(b".c.")
}

/// The bytes before the first dot; none when there is no dot.
fn up_to_dot(bytes: &[u8]) -> &[u8] {
    let dot = bytes.iter().position(|byte| *byte == b'.');
    dot.and_then(|dot| bytes.get(..dot)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_of_references_made_since_are_fresh() {
        let mut fresh = Fresh::default();
        assert!(!fresh.has(b"kp40.state"));
        fresh.made_promise(40);
        fresh.made_promise(41);
        for key in ["kp40.state", "kp41.queue.nextID", "kp100.data.body", "v1.c.kp40", "v12.c.kp41"] {
            assert!(fresh.has(key.as_bytes()), "{key}");
        }
        for key in [
            "kp39.state", "kp.nextID", "kp40", "kp4", "kp4.state", "v1.c.kp39", "v1.c.kp", "v1.c.p+40", "v1.c.ko40", "ko40.owner",
            "v1.vs.kp40", "v1.vs.x.c.kp40", "v1.c.kp40.x", "v1", "", "kp040.state", "bundle/kp40", "kd40.owner", "v1.c.kd40",
        ] {
            assert!(!fresh.has(key.as_bytes()), "{key}");
        }
        fresh.made_object(7);
        for (key, expected) in [("ko7.importer.v1", true), ("v3.c.ko9", true), ("ko6.owner", false), ("kp7.state", false)] {
            assert_eq!(fresh.has(key.as_bytes()), expected, "{key}");
        }
    }
}
