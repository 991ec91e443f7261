//! The WebAssembly features that guests may use: an allow-list, the same for admission and for the engine.

use wasmparser::WasmFeatures;

/// The features; `floats` is the policy's word.
pub fn wasm_features(floats: bool) -> WasmFeatures {
    let mut features = WasmFeatures::empty();
    // Exported and changed globals: a vat's globals are state, and the rewriter exports them.
    features |= WasmFeatures::MUTABLE_GLOBAL;
    // `i32.extend8_s` and its like: pure integer arithmetic, emitted by default.
    features |= WasmFeatures::SIGN_EXTENSION;
    // Several results: types only, emitted by default; the rewriter gives the wrapping block the same results.
    features |= WasmFeatures::MULTI_VALUE;
    // `memory.copy`, `memory.fill`: emitted by default, metered by length. The instructions that change tables or drop
    // segments are refused one by one (`judge`).
    features |= WasmFeatures::BULK_MEMORY;
    // Only for the long encoding of table indices that compilers emit; mutable reference globals and table instructions are
    // refused one by one (`judge`).
    features |= WasmFeatures::REFERENCE_TYPES;
    if floats {
        // Arithmetic on floats, with canonical NaNs by the engine's configuration.
        features |= WasmFeatures::FLOATS;
        // Conversions that saturate rather than trap; they need floats to say anything.
        features |= WasmFeatures::SATURATING_FLOAT_TO_INT;
    }
    features
}
