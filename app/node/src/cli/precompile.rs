//! `precompile`: this binary's bundles as machine code in the home's cache, before they are needed. A supervisor runs it when a plan is
//! pending, beside the node that runs.

use swingset_host::{EngineRuntime, Halt, engine::CodeCache};

use super::{Context, Failure, output};
use crate::{engine_adapter, start::CODE_CACHE_FOLDER};

/// Compiles what this release would install.
pub fn run(context: &Context) -> Result<(), Failure> {
    let release = context.release;
    let bundles = release
        .bundles(release.app_version())
        .ok_or_else(|| Failure::new(format!("{} has no bundles of its own", release.name())))?;
    let folder = context.home.data_folder().join(CODE_CACHE_FOLDER);
    let cache = CodeCache::open(folder).map_err(|error| Failure::new(error.to_string()))?;
    let runtime = EngineRuntime::with_cache(Some(cache)).map_err(failed)?;
    let compiled = engine_adapter::precompile(&runtime, &bundles).map_err(failed)?;
    output::line(&format!("{compiled} bundles of {} are compiled", release.name()))
}

fn failed(halt: Halt) -> Failure {
    Failure::new(halt.0)
}
