//! The blocks of the crash test, a function of the version alone: the writer makes them, the test knows them.

use bytes::Bytes;
use swing_core::state::Changes;
use swing_store::tree::sha256;

/// What version `version` changes: writes, overwrites and deletions over 400 keys, hashed and not, some values long.
pub fn block(version: u64) -> Changes {
    let draw = |i: u64| {
        let [a, b, c, ..] = sha256(&[version.to_be_bytes(), i.to_be_bytes()].concat());
        (u64::from(a) * 256 + u64::from(b), c)
    };
    (0..60)
        .map(|i| {
            let (key, kind) = draw(i);
            let prefix = if kind % 5 == 0 { "~pages/" } else { "bank/" };
            let value =
                (kind % 3 != 0).then(|| Bytes::from(sha256(&version.to_be_bytes()).repeat(1 + usize::from(kind))));
            (format!("{prefix}{}", key % 400).into_bytes(), value)
        })
        .collect()
}
