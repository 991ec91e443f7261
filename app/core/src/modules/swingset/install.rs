//! Installing a bundle: its forms, its price, and the engine's admission.

use std::io::Read;

use flate2::read::GzDecoder;
use prost::Message;
use swing_proto::{
    agoric::swingset::{MsgInstallBundle, MsgInstallBundleResponse},
    swing::swingset::v1::{BundleMetadata, Params},
};

use super::{
    Refusal, chunks, events,
    fees::{self, Unit},
    keys, state as params,
};
use crate::{
    address::Address,
    error::{Failure, Rejected},
    modules::MsgContext,
    ports::engine::EngineFailure,
    sdk_error::SdkError,
};

/// Gas for unpacking and admission, a byte of the bundle. What is written is charged as every write.
const ADMISSION_GAS_PER_BYTE: u64 = 1;

/// Installs a bundle, or begins a chunked installation.
///
/// # Errors
/// swingset 2 to 5 and 7; SDK 5 for the price; the engine's refusal; storage, out of gas.
pub fn install(
    context: &mut MsgContext<'_, '_>,
    message: &MsgInstallBundle,
) -> Result<MsgInstallBundleResponse, Failure> {
    let submitter = submitter(&message.submitter)?;
    let params = params::params(context.state)?;
    let forms = [!message.bundle.is_empty(), !message.compressed_bundle.is_empty(), message.chunked_artifact.is_some()];
    if forms.iter().filter(|there| **there).count() != 1 {
        return Refusal::Form.fail("expected exactly one of bundle, compressed_bundle and chunked_artifact");
    }
    if let Some(artifact) = &message.chunked_artifact {
        let chunked_artifact_id = chunks::begin(context, &params, submitter, artifact, message.uncompressed_size)?;
        return Ok(MsgInstallBundleResponse { chunked_artifact_id });
    }
    let (carried, size) = if message.bundle.is_empty() {
        let size = declared_size(&params, message.uncompressed_size)?;
        (message.compressed_bundle.len() as u64, size)
    } else {
        let size = message.bundle.len() as u64;
        check_size(&params, size)?;
        (size, size)
    };
    charge(context, &params, &submitter, carried, size)?;
    charge_admission(context, size)?;
    if message.bundle.is_empty() {
        let bytes = unpack(&message.compressed_bundle, size)?;
        admit(context, &submitter, &bytes, carried)?;
    } else {
        admit(context, &submitter, message.bundle.as_bytes(), 0)?;
    }
    Ok(MsgInstallBundleResponse { chunked_artifact_id: 0 })
}

pub(super) fn submitter(bytes: &[u8]) -> Result<Address, Rejected> {
    Address::from_slice(bytes).map_err(|error| SdkError::InvalidAddress.wrap(format!("submitter: {error}")))
}

/// The price of an installation that carries so many bytes and stores so many.
pub(super) fn charge(
    context: &mut MsgContext<'_, '_>,
    params: &Params,
    payer: &Address,
    carried: u64,
    stored: u64,
) -> Result<(), Failure> {
    let work = [(Unit::InboundTx, 1), (Unit::Message, 1), (Unit::MessageByte, carried), (Unit::StorageByte, stored)];
    fees::charge(context.state, params, payer, &work)
}

/// The gas for unpacking and admitting a bundle of this size.
pub(super) fn charge_admission(context: &MsgContext<'_, '_>, size: u64) -> Result<(), Failure> {
    Ok(context.state.charge_at(size.saturating_mul(ADMISSION_GAS_PER_BYTE), "bundle admission")?)
}

pub(super) fn check_size(params: &Params, size: u64) -> Result<(), Rejected> {
    let max = params.bundle_uncompressed_size_limit_bytes;
    if size > max {
        return Err(Refusal::TooLarge.because(format!("a bundle of {size} bytes, {max} are allowed")));
    }
    Ok(())
}

/// The size that a compressed bundle says it has.
pub(super) fn declared_size(params: &Params, size: i64) -> Result<u64, Rejected> {
    match u64::try_from(size) {
        Ok(size) if size > 0 => check_size(params, size).map(|()| size),
        _ => Err(Refusal::Compression.because(format!("uncompressed_size must be above 0, got {size}"))),
    }
}

/// Unpacks gzip of exactly `size` bytes; never more than one byte beyond it is unpacked.
pub(super) fn unpack(compressed: &[u8], size: u64) -> Result<Vec<u8>, Rejected> {
    let mut bytes = Vec::new();
    let read = GzDecoder::new(compressed).take(size.saturating_add(1)).read_to_end(&mut bytes);
    match read {
        // No library's words: they are not consensus, but they are other people's.
        Err(_) => Err(Refusal::Compression.because("not gzip, or cut short")),
        Ok(_) if bytes.len() as u64 != size => {
            let found = if bytes.len() as u64 > size { "more".to_owned() } else { bytes.len().to_string() };
            Err(Refusal::Compression.because(format!("uncompressed_size is {size}, found {found}")))
        }
        Ok(_) => Ok(bytes),
    }
}

/// Hands the bytes to the engine and records who installed them.
pub(super) fn admit(
    context: &mut MsgContext<'_, '_>,
    submitter: &Address,
    bytes: &[u8],
    compressed_size: u64,
) -> Result<(), Failure> {
    let receipt = context.engine.install_bundle(context.state, bytes).map_err(failure)?;
    let by = submitter.to_string();
    // Who installs a released bundle holds it from now on.
    if !receipt.already_installed || receipt.held_again {
        let metadata = BundleMetadata {
            bundle_id: receipt.id.clone(),
            kind: receipt.kind.clone(),
            sha512: receipt.id.strip_prefix("b1-").unwrap_or_default().to_owned(),
            size_bytes: bytes.len() as u64,
            compressed_size_bytes: compressed_size,
            installed_height: i64::try_from(context.block.height).unwrap_or(i64::MAX),
            installed_by: by.clone(),
            ..BundleMetadata::default()
        };
        context.state.set(keys::bundle(&receipt.id), metadata.encode_to_vec())?;
    }
    context.state.emit(events::bundle_installed(&receipt, &by));
    Ok(())
}

/// An engine's failure, as a transaction's.
pub(super) fn failure(failure: EngineFailure) -> Failure {
    match failure {
        EngineFailure::Rejected(refused) => Failure::Rejected(refused),
        EngineFailure::Stopped(reason) => Refusal::EngineStopped.because(reason).into(),
        EngineFailure::Halt(halt) => Failure::Halt(halt),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[track_caller]
    fn check_refused(compressed: &[u8], size: u64, part: &str) {
        let refused = unpack(compressed, size).unwrap_err();
        assert!(refused.code == 4 && refused.log.contains(part), "{refused}");
    }

    #[test]
    fn what_unpacks_to_another_size_is_refused() {
        let zeros = vec![0; 100_000];
        assert_eq!(unpack(&packed(&zeros), 100_000).unwrap(), zeros);
        check_refused(&packed(&zeros), 10, "found more");
        check_refused(&packed(&zeros), 100_001, "found 100000");
        check_refused(b"not gzip", 8, "not gzip");
        let whole = packed(&zeros);
        check_refused(&whole[..whole.len() / 2], 100_000, "not gzip, or cut short");
    }
}
