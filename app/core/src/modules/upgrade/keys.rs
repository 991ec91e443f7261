//! State keys of upgrades.

use crate::address::Address;

/// The nearest pending plan: `cosmos.upgrade.v1beta1.Plan`; absent when there is none.
pub const PLAN: &[u8] = b"upgrade/p";
/// The upgrade applied last: height (8 bytes, big-endian), then its name.
pub const LAST_APPLIED: &[u8] = b"upgrade/l";
/// All applied upgrades begin with this.
pub const APPLIED: &[u8] = b"upgrade/d/";
/// All module versions begin with this.
pub const VERSIONS: &[u8] = b"upgrade/v/";

/// All numbered plans begin with this.
pub const RECORDS: &[u8] = b"upgrade/r/";
/// The pending ones by their heights begin with this.
pub const PENDING: &[u8] = b"upgrade/n/";
/// The number that the last plan got: 8 bytes, big-endian.
pub const LAST_ID: &[u8] = b"upgrade/i";
/// The parameters: `swing.upgrade.v1.Params`.
pub const PARAMS: &[u8] = b"upgrade/c";
/// What validators attested begins with this.
pub const ATTESTATIONS: &[u8] = b"upgrade/a/";
/// The migration under way: `swing.upgrade.v1.Migration`; absent when there is none.
pub const MIGRATION: &[u8] = b"upgrade/m";

/// The number of the applied plan whose migrations are under way, a module's or the kernel's: 8 bytes, big-endian.
pub const MIGRATING: &[u8] = b"upgrade/w";

/// A plan by its number: `swing.upgrade.v1.PlanRecord`.
pub fn record(id: u64) -> Vec<u8> {
    [RECORDS, &id.to_be_bytes()].concat()
}

/// A pending plan by its height, so that the nearest is the first: its number, 8 bytes, big-endian.
pub fn pending(height: u64, id: u64) -> Vec<u8> {
    [PENDING, &height.to_be_bytes(), &id.to_be_bytes()].concat()
}

/// All attestations for a plan begin with this.
pub fn attestations(plan_id: u64) -> Vec<u8> {
    [ATTESTATIONS, &plan_id.to_be_bytes()].concat()
}

/// A validator's attestation for a plan: `swing.upgrade.v1.Attestation`.
pub fn attestation(plan_id: u64, operator: &Address) -> Vec<u8> {
    [attestations(plan_id).as_slice(), operator.as_bytes()].concat()
}

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
        assert_eq!(record(258), b"upgrade/r/\0\0\0\0\0\0\x01\x02");
        assert_eq!(pending(1, 2), b"upgrade/n/\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x02");
        assert_eq!(
            (LAST_ID, PARAMS, MIGRATION),
            (b"upgrade/i".as_slice(), b"upgrade/c".as_slice(), b"upgrade/m".as_slice())
        );
        assert_eq!(MIGRATING, b"upgrade/w");
        let operator = Address::new([7; 20]);
        assert_eq!(attestation(1, &operator), [b"upgrade/a/\0\0\0\0\0\0\0\x01".as_slice(), &[7; 20]].concat());
    }
}
