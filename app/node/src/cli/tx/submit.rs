//! From messages to an answer: account, gas, fee, question, signature, broadcast.

use serde_json::{Value, json};
use swing_core::{
    address::Address,
    ante::GasPrices,
    math::{Coins, Dec},
};
use swing_proto::{
    Message,
    cosmos::tx::v1beta1::{AuthInfo, Tx, TxRaw},
    google::protobuf::Any,
    json as proto_json,
};

use super::flags::{BroadcastMode, Gas, TxFlags};
use crate::{
    cli::{
        Context, Failure,
        context::{confirm, note},
        output,
    },
    client::{
        Fee, RpcClient, TxPlan, query, response,
        rpc::Broadcast,
        sign::{self, SignerData},
        tx,
    },
    keyring::Record,
};

/// Who signs: a key, or for `--generate-only` an address alone.
#[derive(Debug)]
pub enum Signer {
    /// A key of the keyring.
    Key(Box<Record>),
    /// An address whose key is elsewhere.
    Address(Address),
}

impl Signer {
    /// The key or address that `--from`, or an argument in its place, names.
    pub fn resolve(context: &Context, flags: &TxFlags, from: Option<&str>) -> Result<Self, Failure> {
        let from = from
            .or(flags.from.as_deref())
            .ok_or_else(|| Failure::Usage("required flag(s) \"from\" not set".to_owned()))?;
        if flags.generate_only
            && let Ok(address) = Address::parse(from)
        {
            return Ok(Signer::Address(address));
        }
        Ok(Signer::Key(Box::new(context.keyring(&flags.keyring())?.get(from)?)))
    }

    /// The address.
    pub fn address(&self) -> Address {
        match self {
            Signer::Key(record) => record.address(),
            Signer::Address(address) => *address,
        }
    }
}

/// Builds, signs and sends one transaction as the flags say, and prints the answer.
pub fn submit(context: &Context, flags: &TxFlags, signer: &Signer, messages: Vec<Any>) -> Result<(), Failure> {
    match prepare_and_send(context, flags, signer, messages)? {
        Some(broadcast) => print(context, flags, &broadcast),
        None => Ok(()),
    }
}

/// As [`submit`], and gives the broadcast's answer instead of printing it; none where the flags said to send nothing.
pub fn prepare_and_send(
    context: &Context,
    flags: &TxFlags,
    signer: &Signer,
    messages: Vec<Any>,
) -> Result<Option<Broadcast>, Failure> {
    let mut plan = TxPlan {
        memo: flags.note.clone(),
        timeout_height: flags.timeout_height,
        ..TxPlan::new(messages, Fee::default())
    };
    // An unsigned transaction with a given gas limit needs nothing of the chain.
    let data = match (flags.generate_only, flags.gas) {
        (true, Gas::Limit(_)) => SignerData::default(),
        _ => signer_data(context, flags, &signer.address())?,
    };
    plan.fee = fee(context, flags, signer, &plan, &data)?;
    if flags.dry_run {
        note(&format!("gas estimate: {}", plan.fee.gas_limit));
        return Ok(None);
    }
    if flags.generate_only {
        output::line(&unsigned_json(&plan)?.to_string())?;
        return Ok(None);
    }
    let Signer::Key(record) = signer else {
        return Err(Failure::new("only a key of the keyring can sign"));
    };
    if !flags.yes {
        note(&unsigned_json(&plan)?.to_string());
        if !confirm("confirm transaction before signing and broadcasting") {
            return Err(Failure::new("canceled transaction"));
        }
    }
    let raw = plan.sign(&data, flags.sign_mode.into(), record.secret()?)?;
    let client = flags.client(context)?;
    Ok(Some(broadcast(&client, flags.mode(context)?, &raw.encode_to_vec())?))
}

/// Chain ID, account number and sequence, from the flags or the node.
pub fn signer_data(context: &Context, flags: &TxFlags, address: &Address) -> Result<SignerData, Failure> {
    let chain_id = flags.chain_id(context)?;
    if let (Some(account_number), Some(sequence)) = (flags.account_number, flags.sequence) {
        return Ok(SignerData { chain_id, account_number, sequence });
    }
    if flags.offline {
        return Err(Failure::Usage("--offline needs --account-number and --sequence".to_owned()));
    }
    let account = query::account(&flags.client(context)?, &address.to_string())?;
    Ok(SignerData {
        chain_id,
        account_number: flags.account_number.unwrap_or(account.account_number),
        sequence: flags.sequence.unwrap_or(account.sequence),
    })
}

fn fee(context: &Context, flags: &TxFlags, signer: &Signer, plan: &TxPlan, data: &SignerData) -> Result<Fee, Failure> {
    let gas_limit = match (flags.gas, flags.dry_run) {
        (Gas::Limit(limit), false) => limit,
        _ if flags.offline => return Err(Failure::Usage("--offline needs a number as --gas".to_owned())),
        _ => simulate(context, flags, signer, plan, data)?,
    };
    let amount = match (&flags.fees, &flags.gas_prices) {
        (Some(fees), _) => Coins::parse(fees).map_err(|error| Failure::Usage(format!("--fees: {error}")))?,
        (None, Some(text)) => {
            let prices = GasPrices::parse(text).map_err(|error| Failure::Usage(format!("--gas-prices: {error}")))?;
            prices.required(gas_limit).map_err(|error| Failure::Usage(format!("--gas-prices: {error}")))?
        }
        (None, None) => Coins::EMPTY,
    };
    Ok(Fee { amount: amount.to_proto(), gas_limit })
}

/// The simulated gas times the adjustment, rounded up.
fn simulate(
    context: &Context,
    flags: &TxFlags,
    signer: &Signer,
    plan: &TxPlan,
    data: &SignerData,
) -> Result<u64, Failure> {
    let adjustment =
        Dec::parse(&flags.gas_adjustment).map_err(|error| Failure::Usage(format!("--gas-adjustment: {error}")))?;
    let auth_info = match signer {
        Signer::Key(record) => {
            sign::auth_info(&record.public_key, data.sequence, flags.sign_mode.into(), &plan.proto_fee())
        }
        Signer::Address(_) => {
            return Err(Failure::new("simulation needs the signer's key in the keyring: pass --gas with a number"));
        }
    };
    // A simulated signature is not checked.
    let raw = TxRaw {
        body_bytes: plan.body().encode_to_vec(),
        auth_info_bytes: auth_info.encode_to_vec(),
        signatures: vec![Vec::new()],
    };
    let used = query::simulate(&flags.client(context)?, raw.encode_to_vec())?;
    let gas = adjustment.mul_int(used.into()).and_then(Dec::ceil).ok().and_then(|gas| gas.to_u64());
    gas.ok_or_else(|| Failure::Usage("--gas-adjustment: the product is too large".to_owned()))
}

/// An unsigned transaction in the SDK's JSON.
fn unsigned_json(plan: &TxPlan) -> Result<Value, Failure> {
    let auth_info = AuthInfo { fee: Some(plan.proto_fee()), ..AuthInfo::default() };
    Ok(proto_json::to_json(&Tx { body: Some(plan.body()), auth_info: Some(auth_info), signatures: Vec::new() })?)
}

/// Sends an encoded transaction.
pub fn broadcast(client: &RpcClient, mode: BroadcastMode, bytes: &[u8]) -> Result<Broadcast, Failure> {
    Ok(tx::broadcast(client, bytes, mode == BroadcastMode::Sync)?)
}

/// Prints a broadcast's answer. As with the SDK, a code other than 0 is an answer, not a failure of the command.
pub fn print(context: &Context, flags: &TxFlags, broadcast: &Broadcast) -> Result<(), Failure> {
    if broadcast.code != 0 {
        note(&format!(
            "the transaction was refused: {} (codespace {}, code {})",
            broadcast.log, broadcast.codespace, broadcast.code
        ));
    }
    output::value(flags.format(context)?, &response::of_broadcast(broadcast))
}

/// A coin in JSON.
pub fn coin_json(coin: &swing_core::math::Coin) -> Value {
    json!({"denom": coin.denom, "amount": coin.amount.to_string()})
}

/// Coins in JSON, from text.
///
/// # Errors
/// The text is not coins.
pub fn coins_json(what: &str, text: &str) -> Result<Value, Failure> {
    let coins = Coins::parse(text).map_err(|error| Failure::Usage(format!("{what}: {error}")))?;
    Ok(coins.iter().map(coin_json).collect())
}
