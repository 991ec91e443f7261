//! The kernel's entries as text.

use bytes::Bytes;
use swing_core::{
    modules::swingset::keys,
    state::{StateError, StateRead},
};

/// The value of a kernel key.
pub fn get(state: &dyn StateRead, name: &str) -> Result<Option<String>, StateError> {
    Ok(state.get(&keys::kernel(name))?.map(|value| text(&value)))
}

/// All kernel keys that begin with `prefix`, with their values.
pub fn under<'a>(
    state: &'a dyn StateRead,
    prefix: &str,
) -> impl Iterator<Item = Result<(String, String), StateError>> + 'a {
    bytes_under(state, prefix).map(|entry| entry.map(|(key, value)| (key, text(&value))))
}

/// The same with values as bytes, for those that are no text.
pub fn bytes_under<'a>(
    state: &'a dyn StateRead,
    prefix: &str,
) -> impl Iterator<Item = Result<(String, Bytes), StateError>> + 'a {
    let start = keys::kernel(prefix);
    state.prefix(&start).map(|entry| {
        let (key, value) = entry?;
        Ok((text(key.strip_prefix(keys::KERNEL).unwrap_or_default()), value))
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
