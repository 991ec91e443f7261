//! libFuzzer on `swing_fuzz::transactions`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| swing_fuzz::transactions(data));
