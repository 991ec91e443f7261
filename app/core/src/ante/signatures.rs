//! Keys, signatures and sequences. Source: SDK `SetPubKeyDecorator`, `ValidateSigCountDecorator`, `SigGasConsumeDecorator`,
//! `SigVerificationDecorator` and `IncrementSequenceDecorator`, in this order, on accounts that are read and written once.

use base64::Engine as _;
use swing_proto::cosmos::{auth::v1beta1::Params, tx::v1beta1::SignerInfo};

use super::{AnteContext, Mode};
use crate::{
    address::Party,
    error::{Failure, Rejected},
    event::Event,
    modules::auth::{keeper as auth, state::Account},
    sdk_error::SdkError,
    state::State,
    tx::{self, SignatureCheck, SignatureForm, Tx},
};

/// One signer: who, how, and the signature.
struct Signature<'a> {
    text: &'a str,
    account: Account,
    info: &'a SignerInfo,
    bytes: &'a [u8],
}

pub(super) fn run(
    state: &mut State<'_>,
    context: &AnteContext<'_>,
    tx: &Tx,
    signers: &[Party],
    params: &Params,
) -> Result<(), Failure> {
    let mut signatures = collect(state, context, tx, signers)?;
    emit(state, &signatures);
    count(context, &signatures, params.tx_sig_limit)?;
    for _ in &signatures {
        state.charge_at(params.sig_verify_cost_secp256k1, "ante verify: secp256k1")?;
    }
    for signature in &signatures {
        verify(context, tx, signature)?;
    }
    for signature in &mut signatures {
        let next = signature.account.sequence.checked_add(1);
        signature.account.sequence = next.ok_or_else(|| SdkError::WrongSequence.wrap("no sequence is left"))?;
        auth::set_account(state, &signature.account)?;
    }
    Ok(())
}

/// Accounts of the signers, with their keys: the one in state, or the one that comes with the transaction.
fn collect<'a>(
    state: &State<'_>,
    context: &AnteContext<'_>,
    tx: &'a Tx,
    signers: &'a [Party],
) -> Result<Vec<Signature<'a>>, Failure> {
    let mut signatures = Vec::with_capacity(signers.len());
    for (index, ((Party { address, text }, info), bytes)) in
        signers.iter().zip(&tx.auth_info.signer_infos).zip(&tx.signatures).enumerate()
    {
        let key = tx.signer_key(index)?;
        if context.mode != Mode::Simulate && key.is_some_and(|key| key.address != *address) {
            let reason = format!("pubKey does not match signer address {text} with signer index: {index}");
            return Err(SdkError::InvalidPubKey.wrap(reason).into());
        }
        let account = auth::account(state, address)?;
        let mut account =
            account.ok_or_else(|| SdkError::UnknownAddress.wrap(format!("account {text} does not exist")))?;
        account.public_key = account.public_key.or(key.map(|key| key.bytes));
        signatures.push(Signature { text, account, info, bytes });
    }
    Ok(signatures)
}

fn emit(state: &mut State<'_>, signatures: &[Signature<'_>]) {
    for signature in signatures {
        let sequence = format!("{}/{}", signature.text, signature.info.sequence);
        state.emit(Event::new("tx").with("acc_seq", sequence));
        let text = base64::engine::general_purpose::STANDARD.encode(signature.bytes);
        state.emit(Event::new("tx").with("signature", text));
    }
}

fn count(context: &AnteContext<'_>, signatures: &[Signature<'_>], limit: u64) -> Result<(), Rejected> {
    let count = signatures.len() as u64;
    if context.mode != Mode::Simulate && count > limit {
        return Err(SdkError::TooManySignatures.wrap(format!("signatures: {count}, limit: {limit}")));
    }
    Ok(())
}

fn verify(context: &AnteContext<'_>, tx: &Tx, signature: &Signature<'_>) -> Result<(), Rejected> {
    let (account, info) = (&signature.account, signature.info);
    if context.mode == Mode::Simulate {
        return check_sequence(account, info);
    }
    let public_key = account.public_key.ok_or_else(|| SdkError::InvalidPubKey.wrap("pubkey on account is not set"))?;
    check_sequence(account, info)?;
    if context.mode == Mode::Recheck {
        return Ok(());
    }
    let account_number = if context.mode == Mode::Genesis { 0 } else { account.number };
    let chain_id = context.block.chain_id.as_str();
    let form = SignatureForm::of(info)?;
    let message = tx::sign_bytes(tx, form, chain_id, account_number, info.sequence)?;
    let check = SignatureCheck { public_key, message, signature: signature.bytes.to_vec() };
    if check.verify(context.signatures) {
        return Ok(());
    }
    let hint = match form {
        SignatureForm::AminoJson => {
            format!("account number ({account_number}), sequence ({}) and chain-id ({chain_id})", account.sequence)
        }
        SignatureForm::Direct => format!(
            "account number ({account_number}) and chain-id ({chain_id}): (unable to verify single signer signature)"
        ),
    };
    Err(SdkError::Unauthorized.wrap(format!("signature verification failed; please verify {hint}")))
}

fn check_sequence(account: &Account, info: &SignerInfo) -> Result<(), Rejected> {
    if info.sequence == account.sequence {
        return Ok(());
    }
    let reason = format!("account sequence mismatch, expected {}, got {}", account.sequence, info.sequence);
    Err(SdkError::WrongSequence.wrap(reason))
}
