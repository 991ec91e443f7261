//! From messages to a transaction in a block.

use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};
use swing_proto::{
    Message,
    cosmos::{
        base::v1beta1::Coin,
        tx::v1beta1::{Fee as ProtoFee, TxBody, TxRaw},
    },
    google::protobuf::Any,
};

use super::{
    ClientError, RpcClient, query,
    rpc::{Broadcast, code_of, text_of},
    sign::{self, SignMode, SignerData},
    wait,
};
use crate::keyring::SecretKey;

/// What a transaction pays, and the gas that it may use.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fee {
    /// The coins.
    pub amount: Vec<Coin>,
    /// The gas limit.
    pub gas_limit: u64,
}

/// A transaction before it is signed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TxPlan {
    /// Its messages, in order.
    pub messages: Vec<Any>,
    /// The memo.
    pub memo: String,
    /// The last height at which it may be included; 0 for no limit.
    pub timeout_height: u64,
    /// The fee.
    pub fee: Fee,
}

impl TxPlan {
    /// A transaction of these messages.
    #[must_use]
    pub fn new(messages: Vec<Any>, fee: Fee) -> Self {
        TxPlan { messages, fee, ..TxPlan::default() }
    }

    /// Its body.
    #[must_use]
    pub fn body(&self) -> TxBody {
        TxBody {
            messages: self.messages.clone(),
            memo: self.memo.clone(),
            timeout_height: self.timeout_height,
            ..TxBody::default()
        }
    }

    /// Its fee on the wire.
    #[must_use]
    pub fn proto_fee(&self) -> ProtoFee {
        ProtoFee { amount: self.fee.amount.clone(), gas_limit: self.fee.gas_limit, ..ProtoFee::default() }
    }

    /// Signs it with one key.
    ///
    /// # Errors
    /// As [`sign::sign`].
    pub fn sign(&self, signer: &SignerData, mode: SignMode, key: &SecretKey) -> Result<TxRaw, ClientError> {
        sign::sign(&self.body(), &self.proto_fee(), signer, mode, key)
    }
}

/// The hash of an encoded transaction, upper case hex.
#[must_use]
pub fn hash(tx: &[u8]) -> String {
    hex::encode_upper(Sha256::digest(tx))
}

/// Signs with the account's current sequence, sends, waits for the block, and requires code 0 twice. Gives CometBFT's `tx`
/// answer.
///
/// # Errors
/// The account is unknown, CheckTx or the block refused the transaction, or the deadline passed.
pub fn send(
    client: &RpcClient,
    chain_id: &str,
    key: &SecretKey,
    plan: &TxPlan,
    timeout: Duration,
) -> Result<Value, ClientError> {
    let account = query::account(client, &key.address().to_string())?;
    let signer = SignerData {
        chain_id: chain_id.to_owned(),
        account_number: account.account_number,
        sequence: account.sequence,
    };
    let tx = plan.sign(&signer, SignMode::Direct, key)?.encode_to_vec();
    let broadcast = broadcast(client, &tx, true)?;
    if broadcast.code != 0 {
        let (hash, codespace, code, log) = (broadcast.hash, broadcast.codespace, broadcast.code, broadcast.log);
        return Err(ClientError::TxFailed { hash, codespace, code, log });
    }
    let included = wait::tx(client, &broadcast.hash, timeout)?;
    let result = &included["tx_result"];
    match code_of(result) {
        0 => Ok(included),
        code => Err(ClientError::TxFailed {
            hash: broadcast.hash,
            codespace: text_of(result, "codespace"),
            code,
            log: text_of(result, "log"),
        }),
    }
}

/// Sends an encoded transaction: waits for CheckTx, or not. CometBFT's own refusals come with the SDK's codes.
///
/// # Errors
/// No answer, or one that is no such refusal.
pub fn broadcast(client: &RpcClient, tx: &[u8], wait_for_check: bool) -> Result<Broadcast, ClientError> {
    let answer = if wait_for_check { client.broadcast_sync(tx) } else { client.broadcast_async(tx) };
    match answer {
        Err(ClientError::Rpc { message, .. }) if mempool_code(&message).is_some() => Ok(Broadcast {
            hash: hash(tx),
            code: mempool_code(&message).unwrap_or_default(),
            codespace: "sdk".to_owned(),
            log: message,
            data: String::new(),
        }),
        other => other,
    }
}

/// The SDK's code for a refusal by CometBFT's mempool. Source: the SDK's `CheckCometError`.
fn mempool_code(message: &str) -> Option<u32> {
    const CODES: [(&str, u32); 3] = [("tx already exists in cache", 19), ("mempool is full", 20), ("tx too large", 21)];
    let message = message.to_ascii_lowercase();
    CODES.iter().find(|(part, _)| message.contains(part)).map(|(_, code)| *code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mempools_refusals_have_the_sdks_codes() {
        assert_eq!(mempool_code("Internal error: tx already exists in cache"), Some(19));
        assert_eq!(mempool_code("Internal error: mempool is full: number of txs 5000 (max: 5000)"), Some(20));
        assert_eq!(mempool_code("Internal error: Tx too large. Max size is 1048576, but got 2000000"), Some(21));
        assert_eq!(mempool_code("Internal error: EOF"), None);
    }
}
