//! Transactions.

use swing_core::tx::Tx;
use swing_proto::{Message, cosmos::tx::v1beta1::TxRaw};

/// Bytes as a transaction. What decodes is exactly what was signed: its raw form has the same bytes again, and reading it twice gives
/// the same signers and the same refusals.
pub fn transactions(data: &[u8]) {
    let Ok(tx) = Tx::decode(data) else { return };
    let raw = TxRaw {
        body_bytes: tx.body_bytes.clone(),
        auth_info_bytes: tx.auth_info_bytes.clone(),
        signatures: tx.signatures.clone(),
    };
    let encoded = raw.encode_to_vec();
    let again = Tx::decode(&encoded).expect("what decoded is encoded to what decodes");
    assert_eq!(again.body, tx.body);
    assert_eq!(again.auth_info, tx.auth_info);
    assert_eq!(again.has_unknown_non_critical, tx.has_unknown_non_critical);
    assert_eq!(format!("{:?}", again.signers()), format!("{:?}", tx.signers()));
}
