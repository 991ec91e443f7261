//! State keys of upgrades.

/// The pending plan: `cosmos.upgrade.v1beta1.Plan`; absent when there is none.
pub const PLAN: &[u8] = b"upgrade/p";
/// The upgrade applied last: height (8 bytes, big-endian), then its name.
pub const LAST_APPLIED: &[u8] = b"upgrade/l";
/// All applied upgrades begin with this.
pub const APPLIED: &[u8] = b"upgrade/d/";
/// All module versions begin with this.
pub const VERSIONS: &[u8] = b"upgrade/v/";

/// An applied upgrade by its name: its height, 8 bytes, big-endian.
pub fn applied(name: &str) -> Vec<u8> {
    [APPLIED, name.as_bytes()].concat()
}

/// A module's version: 8 bytes, big-endian.
pub fn version(module: &str) -> Vec<u8> {
    [VERSIONS, module.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_as_recorded() {
        assert_eq!((PLAN, LAST_APPLIED), (b"upgrade/p".as_slice(), b"upgrade/l".as_slice()));
        assert_eq!(applied("version-2"), b"upgrade/d/version-2");
        assert_eq!(version("bank"), b"upgrade/v/bank");
    }
}
