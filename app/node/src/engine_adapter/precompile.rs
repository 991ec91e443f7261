//! A release's bundles as machine code in memory, and in the cache where the engine has one, before they are needed.

use swing_core::ports::engine::ReleaseBundles;
use swingset_host::{
    EngineRuntime, Halt,
    bundle::{Bundle, LockdownPolicy},
};

/// Compiles, or loads from the cache, what has code in it; gives how many.
///
/// # Errors
/// Bytes that are no bundle, or code that cannot be compiled.
pub fn precompile(runtime: &EngineRuntime, bundles: &ReleaseBundles) -> Result<usize, Halt> {
    let floats = floats(&bundles.lockdown)?;
    let vats = bundles.vats.iter().map(|(_, bytes)| bytes);
    let mut compiled: usize = 0;
    for bytes in [&bundles.kernel, &bundles.supervisor].into_iter().chain(vats) {
        compiled = compiled.saturating_add(usize::from(runtime.precompile(bytes, floats)?));
    }
    Ok(compiled)
}

/// Whether a release's own policy lets vats use floats.
///
/// # Errors
/// Bytes that are no lockdown bundle.
pub fn floats(lockdown: &[u8]) -> Result<bool, Halt> {
    let bundle = Bundle::decode(lockdown).map_err(|error| Halt::new(error.to_string()))?;
    let policy = LockdownPolicy::parse(bundle.content()).map_err(|error| Halt::new(error.problem))?;
    Ok(policy.floats)
}
