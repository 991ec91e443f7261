//! Letting go of bundles, and deleting those that nothing names any more.

use prost::Message;
use swing_proto::swing::swingset::v1::{BundleMetadata, MsgReleaseBundle, MsgReleaseBundleResponse, PendingSwap};

use super::{
    Refusal, events,
    fees::{self, Unit},
    install::failure,
    keys, state as params, swap,
};
use crate::{
    address::Address,
    error::Failure,
    modules::{MsgContext, authority},
    ports::engine::Engine,
    sdk_error::SdkError,
    state::{State, StateError, StateRead},
};

/// Who installed a bundle lets go of it; governance lets go of any.
///
/// # Errors
/// SDK 4 for another account; swingset 13 for a bundle that a pending swap names; SDK 5 for the price; the engine's refusal; storage,
/// out of gas.
pub fn release_bundle(
    context: &mut MsgContext<'_, '_>,
    message: &MsgReleaseBundle,
) -> Result<MsgReleaseBundleResponse, Failure> {
    let id = &message.bundle_id;
    let submitter = Address::parse(&message.submitter).map_err(|error| SdkError::InvalidAddress.wrap(error))?;
    if authority::check(&message.submitter).is_err() {
        check_installer(context.state, id, &message.submitter)?;
        let params = params::params(context.state)?;
        fees::charge(context.state, &params, &submitter, &[(Unit::InboundTx, 1), (Unit::Message, 1)])?;
    }
    if swap::pending(context.state)?.is_some_and(|swap| names(&swap, id)) {
        return Refusal::Release.fail(format!("a swap to bundle {id} is pending: cancel it first"));
    }
    context.engine.release_bundle(context.state, id).map_err(failure)?;
    context.state.emit(events::bundle_released(id, &message.submitter));
    Ok(MsgReleaseBundleResponse {})
}

fn check_installer(state: &dyn StateRead, id: &str, submitter: &str) -> Result<(), Failure> {
    let installed_by = match state.get(&keys::bundle(id))? {
        Some(bytes) => {
            let metadata = BundleMetadata::decode(bytes);
            metadata.map_err(|error| StateError::Storage(format!("record of bundle {id}: {error}")))?.installed_by
        }
        None => String::new(),
    };
    if installed_by == submitter {
        return Ok(());
    }
    let reason = match installed_by.as_str() {
        "" => format!("no account installed bundle {id}: only governance may release it"),
        other => format!("bundle {id} was installed by {other}: only that account or governance may release it"),
    };
    Err(SdkError::Unauthorized.wrap(reason).into())
}

fn names(swap: &PendingSwap, id: &str) -> bool {
    [&swap.kernel_bundle_id, &swap.lockdown_bundle_id, &swap.supervisor_bundle_id].into_iter().any(|named| named == id)
}

/// Frees what was released and lost its last name.
///
/// # Errors
/// The engine's; storage.
pub fn free(state: &mut State<'_>, engine: &mut dyn Engine) -> Result<(), Failure> {
    for id in engine.free_bundles(state).map_err(failure)? {
        // The bundles of a release were installed by no transaction.
        if state.get(&keys::bundle(&id))?.is_some() {
            state.delete(keys::bundle(&id))?;
        }
        state.emit(events::bundle_freed(&id));
    }
    Ok(())
}
