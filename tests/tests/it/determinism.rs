//! The golden blocks by other ways: no block depends on how this machine comes to it. `scripts/determinism` does the same with the
//! repository's own crates built otherwise.

use std::{path::Path, sync::Arc};

use swing_node::engine_adapter::SwingsetEngine;
use swingset_host::{CodeGenerator, ControllerOptions, EngineRuntime, engine::CodeCache};

use crate::golden::{play, recorded};

#[track_caller]
fn check(runtime: &Arc<EngineRuntime>, options: ControllerOptions) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let played = play(folder.path(), &|| SwingsetEngine::with_runtime(Arc::clone(runtime), options));
    assert_eq!(played, recorded());
}

fn on_cache(folder: &Path) -> Arc<EngineRuntime> {
    EngineRuntime::with_cache(Some(CodeCache::open(folder).expect("a cache"))).expect("an engine")
}

#[test]
fn the_golden_blocks_are_the_same_with_a_cold_and_with_a_warm_code_cache() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let cache = folder.path().join("code");
    check(&on_cache(&cache), ControllerOptions::default());
    let kept = std::fs::read_dir(&cache).expect("the cache").count();
    assert!(kept >= 4, "{kept} modules were kept: kernels, supervisors and vats of two releases are more");
    check(&on_cache(&cache), ControllerOptions::default());
    assert_eq!(std::fs::read_dir(&cache).expect("the cache").count(), kept);
}

#[test]
fn the_golden_blocks_are_the_same_by_code_that_is_not_optimized() {
    check(&EngineRuntime::witness(CodeGenerator::Plain).expect("an engine"), ControllerOptions::default());
}

#[test]
fn the_golden_blocks_are_the_same_by_an_interpreter() {
    check(&EngineRuntime::witness(CodeGenerator::Interpreter).expect("an engine"), ControllerOptions::default());
}

#[test]
fn the_golden_blocks_are_the_same_with_one_vat_awake_and_with_none() {
    let runtime = EngineRuntime::new().expect("an engine");
    for live_vats_max in [1, 0] {
        check(&runtime, ControllerOptions { live_vats_max, drop_kernel_each_crank: true });
    }
}
