//! Who may send the messages of governance: the gov module's account, which no key can sign for, so that they come from passed
//! proposals alone.

use crate::{
    address::{Address, module_address},
    error::Rejected,
};

/// The authority's address.
pub fn authority() -> Address {
    module_address("gov")
}

/// Refuses a message whose authority is another.
///
/// # Errors
/// gov 13, in the SDK's words.
pub fn check(claimed: &str) -> Result<(), Rejected> {
    let expected = authority().to_string();
    if claimed == expected {
        return Ok(());
    }
    Err(Rejected {
        codespace: "gov",
        code: 13,
        log: format!("expected {expected} got {claimed}: expected gov account as only signer for proposal message"),
    })
}
