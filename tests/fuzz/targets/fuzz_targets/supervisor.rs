//! libFuzzer on `swing_fuzz::supervisor`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| swing_fuzz::supervisor(data));
