//! `precompile`: this binary's bundles as machine code in the home's cache, before they are needed. A supervisor runs it when a plan is
//! pending, beside the node that runs.

use swingset_host::{
    EngineRuntime, Halt,
    bundle::{Bundle, LockdownPolicy},
    engine::CodeCache,
};

use super::{Context, Failure, output};
use crate::start::CODE_CACHE_FOLDER;

/// Compiles what this release would install.
pub fn run(context: &Context) -> Result<(), Failure> {
    let release = context.release;
    let bundles = release
        .bundles(release.app_version())
        .ok_or_else(|| Failure::new(format!("{} has no bundles of its own", release.name())))?;
    let folder = context.home.data_folder().join(CODE_CACHE_FOLDER);
    let cache = CodeCache::open(folder).map_err(|error| Failure::new(error.to_string()))?;
    let runtime = EngineRuntime::with_cache(Some(cache)).map_err(failed)?;
    let floats = floats(&bundles.lockdown)?;
    let mut compiled: usize = 0;
    let vats = bundles.vats.iter().map(|(_, bytes)| bytes);
    for bytes in [&bundles.kernel, &bundles.supervisor].into_iter().chain(vats) {
        compiled = compiled.saturating_add(usize::from(runtime.precompile(bytes, floats).map_err(failed)?));
    }
    output::line(&format!("{compiled} bundles of {} are compiled", release.name()))
}

fn failed(halt: Halt) -> Failure {
    Failure::new(halt.0)
}

/// Whether a release's own policy lets vats use floats.
pub(super) fn floats(lockdown: &[u8]) -> Result<bool, Failure> {
    let bundle = Bundle::decode(lockdown).map_err(|error| Failure::new(error.to_string()))?;
    let policy = LockdownPolicy::parse(bundle.content()).map_err(|error| Failure::new(error.problem))?;
    Ok(policy.floats)
}
