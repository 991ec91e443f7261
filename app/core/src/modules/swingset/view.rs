//! What the chain reads of the kernel and the host: keys that their documents name, values as they document them.

use swing_proto::swing::swingset::v1::EngineStatus;

use super::keys;
use crate::state::{StateError, StateRead};

/// A value as text, if there is one.
///
/// # Errors
/// Storage.
pub fn text(state: &dyn StateRead, key: &[u8]) -> Result<Option<String>, StateError> {
    Ok(state.get(key)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// A kernel's decimal number; 0 when there is none.
///
/// # Errors
/// Storage.
pub fn number(state: &dyn StateRead, name: &str) -> Result<u64, StateError> {
    Ok(text(state, &keys::kernel(name))?.and_then(|text| text.parse().ok()).unwrap_or(0))
}

/// The identifier of a static vat.
///
/// # Errors
/// Storage, out of gas.
pub fn vat_id(state: &dyn StateRead, name: &str) -> Result<Option<String>, StateError> {
    text(state, &keys::kernel(&format!("vat.name.{name}")))
}

/// Names of the static vats, in the order in which they were made.
///
/// # Errors
/// Storage.
pub fn vat_names(state: &dyn StateRead) -> Result<Vec<String>, StateError> {
    let names = text(state, &keys::kernel("vat.names"))?.unwrap_or_default();
    Ok(names.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

/// Where a promise stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// `unresolved`, `fulfilled` or `rejected`.
    pub state: String,
    /// The resolution as a smallcaps body.
    pub body: String,
    /// Its slots: krefs.
    pub slots: Vec<String>,
}

/// Where a promise stands; none when there is none of that name.
///
/// # Errors
/// Storage.
pub fn promise(state: &dyn StateRead, kpid: &str) -> Result<Option<Standing>, StateError> {
    let Some(standing) = text(state, &keys::kernel(&format!("{kpid}.state")))? else { return Ok(None) };
    let body = text(state, &keys::kernel(&format!("{kpid}.data.body")))?.unwrap_or_default();
    let slots = text(state, &keys::kernel(&format!("{kpid}.data.slots")))?.unwrap_or_default();
    let slots = slots.split(',').filter(|slot| !slot.is_empty()).map(str::to_owned).collect();
    Ok(Some(Standing { state: standing, body, slots }))
}

/// How the engine stands, and why.
///
/// # Errors
/// Storage.
pub fn engine_status(state: &dyn StateRead) -> Result<(EngineStatus, String), StateError> {
    if state.get(&keys::host("kernelBundleID"))?.is_none() {
        return Ok((EngineStatus::Absent, String::new()));
    }
    if let Some(reason) = text(state, keys::STOPPED)? {
        return Ok((EngineStatus::Stopped, reason));
    }
    let migrating = state.get(&keys::host("migration"))?.is_some();
    Ok((if migrating { EngineStatus::Migrating } else { EngineStatus::Running }, String::new()))
}

/// Whether state of terminated vats waits for deletion: the kernel's `vats.terminated` is `[head,settled,tail]`.
///
/// # Errors
/// Storage.
pub fn has_cleanup(state: &dyn StateRead) -> Result<bool, StateError> {
    let bounds = text(state, &keys::kernel("vats.terminated"))?.unwrap_or_default();
    let mut parts = bounds.trim_matches(['[', ']']).split(',');
    Ok(matches!((parts.next(), parts.nth(1)), (Some(head), Some(tail)) if head != tail))
}

/// The three texts at the front of a wire record: a vat's source. Each is a LEB128 length and the bytes.
pub(super) fn leading_texts(bytes: &[u8]) -> Option<[String; 3]> {
    let mut rest = bytes;
    let mut next = || -> Option<String> {
        let length = prost::decode_length_delimiter(&mut rest).ok()?;
        let (text, after) = rest.split_at_checked(length)?;
        rest = after;
        String::from_utf8(text.to_vec()).ok()
    };
    Some([next()?, next()?, next()?])
}
