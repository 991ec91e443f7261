//! State keys of accounts.

use crate::address::Address;

/// The parameters: `cosmos.auth.v1beta1.Params`.
pub const PARAMS: &[u8] = b"auth/p";
/// The number that the next account gets: 8 bytes, big-endian.
pub const NEXT_NUMBER: &[u8] = b"auth/n";
/// All accounts begin with this.
pub const ACCOUNTS: &[u8] = b"auth/a/";

/// An account: [`super::state::Account`], compact.
pub fn account(address: &Address) -> Vec<u8> {
    [ACCOUNTS, address.as_bytes()].concat()
}

/// The address of an account number: 20 bytes.
pub fn address_by_number(number: u64) -> Vec<u8> {
    [b"auth/i/".as_slice(), &number.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_as_recorded() {
        let address = Address::new([0x11; 20]);
        assert_eq!(hex::encode(account(&address)), format!("617574682f612f{}", "11".repeat(20)));
        assert_eq!(hex::encode(address_by_number(258)), "617574682f692f0000000000000102");
        assert_eq!((PARAMS, NEXT_NUMBER), (b"auth/p".as_slice(), b"auth/n".as_slice()));
    }
}
