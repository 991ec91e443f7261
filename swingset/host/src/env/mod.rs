//! What the engine needs of the state that it runs on.
//!
//! The host works on any store that can read, write and go back to a mark. All keys are full byte keys under three prefixes
//! ([`crate::keys`]): the kernel's, the host's, and the unhashed one.
//!
//! # Invariants
//! - Marks nest. Going back to a mark restores exactly what was there when it was taken.
//! - Iteration is in byte order.

mod memory;

use bytes::Bytes;

pub use memory::MemoryEnvironment;
pub use swingset_abi::kernel::BridgeAnswer;

/// Storage failed. Always a local fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("storage: {0}")]
pub struct EnvError(
    /// What the storage said, for the operator.
    pub String,
);

/// A point to which an environment can go back. Its meaning is the environment's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EnvMark(pub u64);

/// An entry: key and value.
pub type Entry = (Vec<u8>, Bytes);

/// Keys whose value differs from the one at a mark, in byte order, with their present value.
pub type NetWrites = Vec<(Vec<u8>, Option<Bytes>)>;

/// State that the engine reads and writes.
pub trait Environment {
    /// The value at `key`.
    ///
    /// # Errors
    /// Storage.
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, EnvError>;

    /// The entry with the least key that is at least `start` and, if given, below `end`.
    ///
    /// # Errors
    /// Storage.
    fn next_entry(&self, start: &[u8], end: Option<&[u8]>) -> Result<Option<Entry>, EnvError>;

    /// Writes.
    ///
    /// # Errors
    /// Storage.
    fn set(&mut self, key: &[u8], value: Bytes) -> Result<(), EnvError>;

    /// Deletes; absent is no error.
    ///
    /// # Errors
    /// Storage.
    fn delete(&mut self, key: &[u8]) -> Result<(), EnvError>;

    /// Opens an inner overlay.
    fn mark(&mut self) -> EnvMark;

    /// Undoes all writes since `mark`, and forgets it and all marks taken after it.
    ///
    /// # Errors
    /// Storage, or a mark that was never given.
    fn rollback(&mut self, mark: EnvMark) -> Result<(), EnvError>;

    /// Forgets `mark` and all marks taken after it; the writes stay.
    ///
    /// # Errors
    /// A mark that was never given.
    fn release(&mut self, mark: EnvMark) -> Result<(), EnvError>;

    /// The keys whose value now differs from the one at `mark`.
    ///
    /// # Errors
    /// Storage.
    fn net_writes(&self, mark: EnvMark) -> Result<NetWrites, EnvError>;

    /// A device's call to the chain, made in the same overlay: what it writes is undone with the crank. The body is a smallcaps value
    /// (without `#`) that holds no references. `None` when there is no such bridge, which is what an environment without a chain says.
    /// What is refused must have changed nothing.
    ///
    /// # Errors
    /// Storage.
    fn bridge(&mut self, _name: &str, _body: &[u8]) -> Result<Option<BridgeAnswer>, EnvError> {
        Ok(None)
    }
}

/// Visits the entries under a prefix, in the order of their keys; keys come without it.
///
/// # Errors
/// Storage; the visitor's.
pub fn for_each_entry<E: From<EnvError>>(
    env: &dyn Environment,
    prefix: &[u8],
    mut visit: impl FnMut(&[u8], Bytes) -> Result<(), E>,
) -> Result<(), E> {
    let end = prefix_end(prefix);
    let mut from = prefix.to_vec();
    while let Some((key, value)) = env.next_entry(&from, end.as_deref())? {
        visit(key.strip_prefix(prefix).unwrap_or_default(), value)?;
        from = key;
        from.push(0);
    }
    Ok(())
}

/// The least key above all keys that begin with `prefix`; none when there is no such key.
pub fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != 0xff)?;
    let mut end = prefix.get(..=last)?.to_vec();
    if let Some(byte) = end.last_mut() {
        *byte = byte.saturating_add(1);
    }
    Some(end)
}
