//! libFuzzer on `swing_fuzz::bundles`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| swing_fuzz::bundles(data));
