//! The engine's one configuration. Every setting that could change what a guest sees, costs or leaves behind is set here, whatever
//! the engine's default is, and named in [`SETTINGS`], whose digest is part of the engine's identity.

use wasmtime::{Config, Engine, OptLevel, Strategy};

use crate::{admission::wasm_features, error::Halt};

/// The engine's exact version. A test compares it with the lock file.
pub const WASMTIME_VERSION: &str = "48.0.8";

/// Native stack that guest code may use, in bytes. At least four times what an adversarial corpus needs for the deepest stack
/// that the instrumentation lets through, that is four times eight bytes a counted word; passing it is a halt, never a vat's fault.
pub const MAX_WASM_STACK_BYTES: usize = 16 * 1024 * 1024;

/// A fiber's stack, in bytes: the guest's share and room for host functions.
pub const ASYNC_STACK_BYTES: usize = MAX_WASM_STACK_BYTES + 512 * 1024;

/// The settings as text, for the identity. Changed together with [`config`].
pub(super) const SETTINGS: &str = "fuel=on kernel-fuel=counted cost=default nan=canonical features=mutable-global,sign-extension,multi-value,\
    bulk-memory,reference-types,floats,saturating-float-to-int memory=reserved-4GiB,unmoving,guarded stack=16MiB \
    epoch=off simd=off threads=off";

/// What makes guests' code. All of them are one engine to a guest: what it sees, costs and leaves behind is the same. Nodes run the
/// first; the others are witnesses, for tests and for whoever doubts a compiler.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CodeGenerator {
    /// Cranelift, with its optimizations.
    #[default]
    Optimizing,
    /// Cranelift, with none.
    Plain,
    /// Pulley: byte code, interpreted. Needs this crate's feature `pulley`.
    Interpreter,
}

fn config() -> Config {
    let mut config = Config::new();
    config.strategy(Strategy::Cranelift);
    config.cranelift_opt_level(OptLevel::Speed);
    config.epoch_interruption(false);
    // NaN bits are the same on every machine.
    config.cranelift_nan_canonicalization(true);
    // The allow-list of admission and nothing else. What policy forbids beyond it (floats), admission refuses.
    config.wasm_features(wasmparser::WasmFeatures::all().difference(wasm_features(true)), false);
    config.wasm_features(wasm_features(true), true);
    // Stacks do not depend on the thread that calls.
    config.max_wasm_stack(MAX_WASM_STACK_BYTES);
    config.async_stack_size(ASYNC_STACK_BYTES);
    // A memory never moves, and its bounds are held by reservation and guard pages: growth within policy fails only when the
    // machine fails.
    config.memory_reservation(4 << 30);
    config.memory_guard_size(32 << 20);
    config.memory_may_move(false);
    config.memory_init_cow(true);
    // Nothing reads backtraces; they cost at every trap, and their text must not enter state.
    config.wasm_backtrace_max_frames(None);
    config.native_unwind_info(false);
    config.concurrency_support(false);
    config
}

/// Whose code an engine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Runs {
    /// Kernels: what admission wrote into them counts their work.
    Kernels,
    /// Vats and supervisors: they are metered by the engine's fuel.
    Vats,
}

/// The engine of this configuration.
pub(super) fn engine(generator: CodeGenerator, runs: Runs) -> Result<Engine, Halt> {
    let mut config = config();
    // Every call is bounded by fuel or counted work, never by time.
    config.consume_fuel(runs == Runs::Vats);
    let made = match generator {
        CodeGenerator::Optimizing => Engine::new(&config),
        CodeGenerator::Plain => Engine::new(config.cranelift_opt_level(OptLevel::None)),
        CodeGenerator::Interpreter => config.target("pulley64").and_then(|config| Engine::new(config)),
    };
    made.map_err(|error| Halt::new(format!("the WebAssembly engine cannot be made on this machine: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_is_the_version_that_the_lock_file_names() {
        let lock = include_str!("../../../../Cargo.lock");
        let named = lock.split("[[package]]").find(|package| package.contains("name = \"wasmtime\"\n")).unwrap();
        assert!(named.contains(&format!("version = \"{WASMTIME_VERSION}\"")), "{named}");
    }

    #[test]
    fn the_engine_can_be_made() {
        for runs in [Runs::Kernels, Runs::Vats] {
            assert!(engine(CodeGenerator::Optimizing, runs).is_ok());
        }
    }
}
