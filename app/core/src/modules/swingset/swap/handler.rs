//! The messages: deciding a swap, and taking it back.

use swing_proto::swing::swingset::v1::{
    MsgCancelKernelBundle, MsgCancelKernelBundleResponse, MsgSetKernelBundle, MsgSetKernelBundleResponse, PendingSwap,
};

use super::{
    bundles,
    state::{self as swaps, End},
    way,
};
use crate::{
    error::{Failure, Rejected},
    modules::{
        MsgContext, authority,
        swingset::{Refusal, events, install::failure},
    },
};

/// Hex digits of a bundle's ID, a SHA-512.
const ID_DIGITS: usize = 128;

/// Looks at a swap when its proposal is submitted: well-formed, installed, of the right kind, fitting the state as it is now.
///
/// # Errors
/// As [`set_kernel_bundle`].
pub fn check_proposed(context: &mut MsgContext<'_, '_>, message: &MsgSetKernelBundle) -> Result<(), Failure> {
    planned(context, message).map(drop)
}

/// Decides a swap, in place of the pending one.
///
/// # Errors
/// gov 13 for another authority; swingset 11 for a swap that cannot be; the engine's refusal; storage, out of gas.
pub fn set_kernel_bundle(
    context: &mut MsgContext<'_, '_>,
    message: &MsgSetKernelBundle,
) -> Result<MsgSetKernelBundleResponse, Failure> {
    let swap = planned(context, message)?;
    let height = swap.height;
    if let Some(before) = swaps::pending(context.state)? {
        context.state.emit(events::swap_replaced(&before));
        swaps::end(context.state, before, context.block.height, &End::Replaced)?;
    }
    context.state.emit(events::swap_scheduled(&swap));
    swaps::set_pending(context.state, &swap)?;
    Ok(MsgSetKernelBundleResponse { height })
}

/// Takes the pending swap back.
///
/// # Errors
/// gov 13 for another authority; swingset 11 when none is pending: it was made, or never decided.
pub fn cancel_kernel_bundle(
    context: &mut MsgContext<'_, '_>,
    message: &MsgCancelKernelBundle,
) -> Result<MsgCancelKernelBundleResponse, Failure> {
    authority::check(&message.authority)?;
    let Some(swap) = swaps::pending(context.state)? else {
        return Refusal::Swap.fail("no swap is pending");
    };
    context.state.emit(events::swap_cancelled(&swap));
    swaps::end(context.state, swap, context.block.height, &End::Cancelled)?;
    Ok(MsgCancelKernelBundleResponse {})
}

/// The swap that a message asks for, held against state.
fn planned(context: &mut MsgContext<'_, '_>, message: &MsgSetKernelBundle) -> Result<PendingSwap, Failure> {
    authority::check(&message.authority)?;
    check_form(message)?;
    // Version-1's rules know no such migration, and charge no gas for the look.
    if context.block.app_version > 1 {
        way::check_no_migration(context.state)?;
    }
    let mut swap = PendingSwap {
        kernel_bundle_id: message.kernel_bundle_id.clone(),
        lockdown_bundle_id: message.lockdown_bundle_id.clone(),
        supervisor_bundle_id: message.supervisor_bundle_id.clone(),
        height: height(message.height, context.block.height)?,
        scheduled_height: i64::try_from(context.block.height).unwrap_or(i64::MAX),
        schema_version: 0,
    };
    let forecast = context.engine.check_swap(context.state, &bundles(&swap)).map_err(failure)?;
    swap.schema_version = forecast.schema_after.into();
    way::check_swap(context.state, &swap)?;
    Ok(swap)
}

fn check_form(message: &MsgSetKernelBundle) -> Result<(), Rejected> {
    let named = [
        ("kernel_bundle_id", &message.kernel_bundle_id),
        ("lockdown_bundle_id", &message.lockdown_bundle_id),
        ("supervisor_bundle_id", &message.supervisor_bundle_id),
    ];
    if named.iter().all(|(_, id)| id.is_empty()) {
        return Err(Refusal::Swap.because("at least one of kernel, lockdown and supervisor must be named"));
    }
    match named.iter().find(|(_, id)| !id.is_empty() && !is_bundle_id(id)) {
        Some((field, _)) => {
            Err(Refusal::Swap.because(format!("{field}: b1- and {ID_DIGITS} lower-case hex digits expected")))
        }
        None => Ok(()),
    }
}

fn is_bundle_id(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.strip_prefix("b1-").is_some_and(|digits| digits.len() == ID_DIGITS && digits.bytes().all(is_digit))
}

/// The block that begins with the swap: the one asked for, or the next one.
fn height(wanted: i64, present: u64) -> Result<i64, Rejected> {
    let present = i64::try_from(present).unwrap_or(i64::MAX);
    match wanted {
        0 => Ok(present.saturating_add(1)),
        height if height > present => Ok(height),
        height => Err(Refusal::Swap.because(format!("height {height} is not after the present one, {present}"))),
    }
}
