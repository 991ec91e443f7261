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
    rpc::{code_of, text_of},
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
    let broadcast = client.broadcast_sync(&tx)?;
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
