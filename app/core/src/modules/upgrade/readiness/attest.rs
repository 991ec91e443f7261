//! The message of a validator's operator.

use prost::Message;
use swing_proto::swing::upgrade::v1::{
    Attestation, MsgAttestUpgrade, MsgAttestUpgradeResponse, PlanRecord, PlanStatus,
};

use super::{
    super::{events, info, keys, plans, scheduling},
    tally,
};
use crate::{
    address::Address,
    error::{Failure, Rejected},
    modules::{MsgContext, staking},
    sdk_error::SdkError,
    state::StateRead,
};

/// Hex digits of a SHA-256.
const SHA256_DIGITS: usize = 64;

fn invalid(reason: impl std::fmt::Display) -> Rejected {
    SdkError::InvalidRequest.wrap(reason)
}

/// Records what a validator attests for a pending plan, in place of what it attested before.
///
/// # Errors
/// SDK 7 for what is no operator's address, SDK 4 for an operator whose validator is not in the set, SDK 18 for an attestation that
/// cannot be, SDK 37 under version-1's rules; storage, out of gas.
pub fn attest(
    context: &mut MsgContext<'_, '_>,
    message: MsgAttestUpgrade,
) -> Result<MsgAttestUpgradeResponse, Failure> {
    scheduling::check_enabled(context)?;
    let operator = Address::parse_operator(&message.validator).map_err(|error| SdkError::InvalidAddress.wrap(error))?;
    if context.state.get(&staking::keys::last_power(&operator))?.is_none() {
        let reason = format!("{} is not in the validator set: only its validators attest", message.validator);
        return Err(SdkError::Unauthorized.wrap(reason).into());
    }
    let record = named(context, &message)?;
    check_form(&message)?;
    check_rehearsal(&record, &message.digest, context.block.height)?;
    info::check_binary(&record.info, &message.platform, &message.binary_sha256)
        .map_err(|reason| invalid(format!("binary_sha256: {reason}")))?;
    let attestation = Attestation {
        plan_id: record.id,
        validator: message.validator,
        binary_sha256: message.binary_sha256,
        digest: message.digest,
        platform: message.platform,
        height: i64::try_from(context.block.height).unwrap_or(i64::MAX),
    };
    context.state.set(keys::attestation(record.id, &operator), attestation.encode_to_vec())?;
    context.state.emit(events::attested(&record, &attestation));
    let tally = tally(context.state, &record)?;
    if tally.conflict() {
        let digests: Vec<_> = tally.digests.iter().map(|of| format!("{}:{}", of.digest, of.power)).collect();
        context.state.emit(events::conflict(&record, &digests.join(",")));
    }
    Ok(MsgAttestUpgradeResponse { conflict: tally.conflict() })
}

/// The pending plan that the message names: by number, by name, or by both, which must then agree.
fn named(context: &MsgContext<'_, '_>, message: &MsgAttestUpgrade) -> Result<PlanRecord, Failure> {
    let (id, name) = (message.plan_id, message.plan_name.as_str());
    if id == 0 {
        let found = plans::pending(context.state)?.into_iter().find(|record| record.name == name);
        return found.ok_or_else(|| invalid(format!("no plan \"{name}\" is pending")).into());
    }
    let record = plans::record(context.state, id)?.ok_or_else(|| invalid(format!("there is no plan {id}")))?;
    if record.status() != PlanStatus::Pending {
        let word = events::word(record.status());
        return Err(invalid(format!("plan {id} is not pending: it is {word}")).into());
    }
    if !name.is_empty() && name != record.name {
        return Err(invalid(format!("plan {id} is \"{}\", not \"{name}\"", record.name)).into());
    }
    Ok(record)
}

fn is_sha256(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == SHA256_DIGITS && text.bytes().all(is_digit)
}

fn check_form(message: &MsgAttestUpgrade) -> Result<(), Rejected> {
    if !is_sha256(&message.binary_sha256) {
        return Err(invalid(format!("binary_sha256: {SHA256_DIGITS} lower-case hex digits expected")));
    }
    if !info::is_platform(&message.platform) {
        return Err(invalid("platform: os/arch expected, such as linux/amd64"));
    }
    Ok(())
}

fn check_rehearsal(record: &PlanRecord, digest: &str, present: u64) -> Result<(), Rejected> {
    if record.rehearsal_height == 0 {
        let reason = "digest: the plan fixes no rehearsal, so there is none to compare: leave it empty";
        return if digest.is_empty() { Ok(()) } else { Err(invalid(reason)) };
    }
    if i64::try_from(present).unwrap_or(i64::MAX) <= record.rehearsal_height {
        let height = record.rehearsal_height;
        return Err(invalid(format!("the state to rehearse on is that of height {height}, which is not there yet")));
    }
    if is_sha256(digest) {
        Ok(())
    } else {
        Err(invalid(format!("digest: {SHA256_DIGITS} lower-case hex digits expected, from a rehearsal")))
    }
}
