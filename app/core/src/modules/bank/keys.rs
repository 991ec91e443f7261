//! State keys of balances.

use crate::address::{ADDRESS_LEN, Address};

/// The parameters: `cosmos.bank.v1beta1.Params`.
pub const PARAMS: &[u8] = b"bank/p";
/// All balances begin with this.
pub const BALANCES: &[u8] = b"bank/b/";
/// All supplies begin with this.
pub const SUPPLIES: &[u8] = b"bank/s/";
/// All send-enabled entries begin with this.
pub const SEND_ENABLED: &[u8] = b"bank/e/";
/// All denom metadata begin with this.
pub const METADATA: &[u8] = b"bank/m/";

/// All balances of an account begin with this.
pub fn balances(address: &Address) -> Vec<u8> {
    [BALANCES, address.as_bytes()].concat()
}

/// A balance: the amount, big-endian without leading zeros; absent when zero.
pub fn balance(address: &Address, denom: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(BALANCES.len() + ADDRESS_LEN + denom.len());
    key.extend_from_slice(BALANCES);
    key.extend_from_slice(address.as_bytes());
    key.extend_from_slice(denom.as_bytes());
    key
}

/// Address and denom of a balance's key.
pub fn parse_balance(key: &[u8]) -> Option<(Address, &str)> {
    let (address, denom) = key.strip_prefix(BALANCES)?.split_at_checked(ADDRESS_LEN)?;
    Some((Address::from_slice(address).ok()?, std::str::from_utf8(denom).ok()?))
}

/// A denom's supply: as a balance.
pub fn supply(denom: &str) -> Vec<u8> {
    [SUPPLIES, denom.as_bytes()].concat()
}

/// Whether a denom may be sent: one byte, 0 or 1; absent for the parameters' default.
pub fn send_enabled(denom: &str) -> Vec<u8> {
    [SEND_ENABLED, denom.as_bytes()].concat()
}

/// A denom's metadata: `cosmos.bank.v1beta1.Metadata`.
pub fn metadata(denom: &str) -> Vec<u8> {
    [METADATA, denom.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_as_recorded() {
        let address = Address::new([0x11; 20]);
        let key = balance(&address, "uswing");
        assert_eq!(hex::encode(&key), format!("62616e6b2f622f{}757377696e67", "11".repeat(20)));
        assert_eq!(parse_balance(&key), Some((address, "uswing")));
        assert_eq!(supply("uswing"), b"bank/s/uswing");
        assert_eq!(send_enabled("uswing"), b"bank/e/uswing");
        assert_eq!(metadata("uswing"), b"bank/m/uswing");
    }
}
